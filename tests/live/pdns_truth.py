#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Passive DNS against what is true: pdns_truth.py zone FOLDER NAMES
                                     pdns_truth.py live FOLDER PORT KEY
                                     pdns_truth.py made SOCKET PORT KEY OBSERVATIONS QUESTIONS

zone   writes the zone that an authority shall serve, and questions for it
live   holds what the collector has of that zone against the zone
made   sends observations as dnstap, remembers them by itself, and holds answers to random questions against a plain
       scan of what it remembers; while it sends, it reads pages

Shares no code with the collector. Prints TAP-like lines without numbers, for live.sh's caller.
"""
import http.client
import ipaddress
import json
import random
import socket
import struct
import sys
import threading
import time

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "DS": 43, "HTTPS": 65}
DNSSEC = {"DS"}
CLIENT, RESOLVER = 0, 1
SENSORS = ("client", "resolver")
FAILED = []


def check(sentence, good, why=""):
    print(f"{'ok' if good else 'not ok'} - {sentence}", flush=True)
    if not good:
        FAILED.append(sentence)
        print("# " + str(why)[:1500], flush=True)


def equal(sentence, got, wanted):
    check(sentence, got == wanted, f"got {got!r}, expected {wanted!r}")


# --- names and data ---

def labels(name):
    return name.split(".") if name else []


def wire(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in labels(name)) + b"\0"


def backwards(name):
    """Labels from the root down."""
    return b"".join(bytes([len(x)]) + x.encode() for x in reversed(labels(name))) + b"\0"


def rdata_wire(kind, text):
    word = text.split()
    if kind == "A" or kind == "AAAA":
        return ipaddress.ip_address(text).packed
    if kind in ("NS", "CNAME", "PTR"):
        return wire(text)
    if kind == "MX":
        return struct.pack(">H", int(word[0])) + wire(word[1])
    if kind == "SRV":
        return struct.pack(">HHH", *map(int, word[:3])) + wire(word[3])
    if kind == "SOA":
        return wire(word[0]) + wire(word[1]) + struct.pack(">5I", *map(int, word[2:]))
    if kind == "DS":
        return struct.pack(">HBB", *map(int, word[:3])) + bytes.fromhex(word[3])
    assert kind == "TXT"
    data = text.strip('"').encode()
    return bytes([len(data)]) + data


def targets(kind, text):
    word = text.split()
    return {"NS": word[:1], "CNAME": word[:1], "PTR": word[:1], "MX": word[1:2], "SRV": word[3:4],
            "SOA": word[:2]}.get(kind, [])


# --- asking ---

class Api:
    def __init__(self, port, key):
        self.port, self.key = int(port), key

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, body, {"X-API-Key": self.key, "Content-Type": "application/x-ndjson"})
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {text}")
            return text
        finally:
            connection.close()

    def rows(self, path):
        """Rows, and the last line."""
        lines = [json.loads(line) for line in self.request("GET", "/v1/pdns?" + path).splitlines()]
        return lines[:-1], lines[-1]

    def bulk(self, questions):
        """Rows of each question."""
        text = self.request("POST", "/v1/pdns/bulk", "\n".join(map(json.dumps, questions)))
        found, rows = {}, []
        for line in text.splitlines():
            line = json.loads(line)
            if "id" in line:
                found[line["id"]] = (rows, line)
                rows = []
            else:
                rows.append(line)
        return found

    def counters(self):
        return json.loads(self.request("GET", "/v1/status"))["pdns"]


def row_of(line):
    return (line["rrname"], line["rrtype"], line["bailiwick"], tuple(line["rdata"]), line["time_first"], line["time_last"],
            line["count"])


# --- live ---

ZONE = "truth"


def zone_rows(names):
    """Owner, type and data of each record, and the questions."""
    dice = random.Random(names)
    rows, asked = [], []
    for i in range(names):
        name = f"n{i}.{ZONE}"
        kind = dice.choice(["A", "A", "A", "AAAA", "MX", "TXT", "CNAME", "SRV", "PTR"])
        other = f"n{dice.randrange(names)}.{ZONE}"
        for j in range(dice.choice([1, 1, 2, 3]) if kind in ("A", "AAAA", "MX") else 1):
            rows.append((name, kind, {"A": f"203.0.{i % 256}.{j + 1}", "AAAA": f"2001:db8:{i:x}::{j + 1:x}",
                                      "MX": f"{10 + j} {other}", "TXT": f'"text{i}"', "CNAME": f"end{i}.{ZONE}",
                                      "SRV": f"1 2 {i % 60000} {other}", "PTR": other}[kind]))
        if kind == "CNAME":
            rows.append((f"end{i}.{ZONE}", "A", f"203.0.113.{i % 250 + 1}"))
        asked.append((name, "A" if kind == "CNAME" else kind))
    return rows, asked


def zone_text(rows):
    lines = [f"$ORIGIN {ZONE}.", "$TTL 3600", f"@ SOA ns.{ZONE}. host.{ZONE}. 1 3600 600 86400 300", f"@ NS ns.{ZONE}.",
             "ns A 198.51.100.53"]
    for name, kind, data in rows:
        if targets(kind, data):
            data += "."
        lines.append(f"{name}. {kind} {data}")
    return "\n".join(lines) + "\n"


def zone(folder, names):
    rows, asked = zone_rows(int(names))
    with open(f"{folder}/{ZONE}.zone", "w", encoding="ascii") as f:
        f.write(zone_text(rows))
    for part in range(3):
        with open(f"{folder}/asked.{part}", "w", encoding="ascii") as f:
            f.writelines(f"{name} {kind}\n" for name, kind in asked[part::3])
    with open(f"{folder}/names", "w", encoding="ascii") as f:
        f.write(names)


def answer_rows(rows, question):
    name, kind = question
    own = {r for r in rows if r[0] == name and r[1] in (kind, "CNAME")}
    return own | {r for r in rows for c in own if c[1] == "CNAME" and r[0] == c[2] and r[1] == kind}


def seen(api, more=""):
    """How often what is there of the zone was seen."""
    found, cursor = {}, ""
    while True:
        rows, last = api.rows(f"name=*.{ZONE}&type=ALL&limit=777{more}{cursor}")
        for row in rows:
            key = (row["rrname"], row["rrtype"], row["rdata"][0])
            found[key] = found.get(key, 0) + row["count"]
        if "cursor" not in last:
            return found
        cursor = "&cursor=" + last["cursor"]


def live(folder, port, key):
    with open(f"{folder}/names", encoding="ascii") as f:
        rows, asked = zone_rows(int(f.read()))
    api = Api(port, key)
    by_name = {}
    for row in rows:
        by_name.setdefault(row[0], []).append(row)
    of = [answer_rows(by_name[q[0]] + by_name.get("end" + q[0][1:], []), q) for q in asked]
    # Unbound and BIND say what they fetched, a third each. What Knot Resolver serves it says, and the box, too.
    wanted = {row: 1 + (part == 2) for part in range(3) for answer in of[part::3] for row in answer}
    fetched = {row: 1 for part in (0, 1) for answer in of[part::3] for row in answer}
    apex = {(ZONE, "SOA", f"ns.{ZONE} host.{ZONE} 1 3600 600 86400 300"), (ZONE, "NS", f"ns.{ZONE}"),
            (f"ns.{ZONE}", "A", "198.51.100.53")}
    # The zone's own are of who looked whether it is there.
    got = {row: n for row, n in seen(api, "&sensor=client").items() if row not in apex}
    equal("what clients got is what the zone has, neither more nor less", sorted(set(got) ^ set(wanted)), [])
    equal("each as often as it was served", sorted(r for r in got if got[r] != wanted.get(r)), [])
    by_resolver = seen(api, "&sensor=resolver")
    equal("resolvers fetched all of what they served", sorted(set(fetched) - set(by_resolver)), [])
    equal("and nothing that the zone does not have", sorted(set(by_resolver) - set(rows) - apex), [])
    both = seen(api)
    equal("together it is both, and counts add up",
          sorted(r for r in set(both) | set(got) | set(by_resolver)
                 if r not in apex and both.get(r) != got.get(r, 0) + by_resolver.get(r, 0)), [])
    print(f"# {len(got)} tuples by clients, {len(by_resolver)} by resolvers, {sum(got.values()) + sum(by_resolver.values())} "
          "observations", flush=True)


# --- made: what is sent ---

SUFFIXES = ("com", "net", "org", "jp", "co.jp", "co.uk", "info")
SPAN = 3 * 86400


class Tuple:
    __slots__ = ("owner", "kind", "data", "bailiwick", "raw", "back", "number", "address", "targets", "sums", "record", "zone")

    def __init__(self, owner, kind, data, bailiwick):
        self.owner, self.kind, self.data, self.bailiwick = owner, kind, data, bailiwick
        self.raw, self.back, self.number = rdata_wire(kind, data), backwards(owner), TYPES[kind]
        self.address = ipaddress.ip_address(data) if kind in ("A", "AAAA") else None
        self.targets = targets(kind, data)
        self.sums = [None, None]  # first, last, count
        self.record = b"\xc0\x0c" + struct.pack(">HHIH", self.number, 1, 60, len(self.raw)) + self.raw

    def key(self):
        return (self.back, self.number, len(labels(self.bailiwick)), self.raw)

    def see(self, sensor, when):
        known = self.sums[sensor]
        if known is None:
            self.sums[sensor] = [when, when, 1]
            return
        known[2] += 1
        if when < known[0]:
            known[0] = when
        if when > known[1]:
            known[1] = when

    def sum(self, sensors):
        known = [self.sums[s] for s in sensors if self.sums[s]]
        return (min(k[0] for k in known), max(k[1] for k in known), sum(k[2] for k in known)) if known else None


def host_data(dice, kind, domains, domain):
    near = f"{dice.choice(('ns1', 'ns2', 'mx', 'edge'))}.{dice.choice(domains[:20]) if dice.random() < .7 else domain}"
    if kind == "A":
        return f"198.{dice.randrange(18, 20)}.{dice.randrange(12)}.{dice.randrange(256)}"
    if kind == "AAAA":
        return str(ipaddress.ip_address((0x20010db8 << 96) + (dice.randrange(30) << 64) + dice.randrange(1, 4000)))
    return {"NS": near, "CNAME": near, "PTR": near, "MX": f"{dice.randrange(1, 4) * 10} {near}",
            "SRV": f"1 {dice.randrange(5)} 443 {near}", "TXT": f'"word{dice.randrange(50)}"',
            "SOA": f"ns1.{domain} host.{domain} {dice.randrange(100)} 1 2 3 4",
            "DS": f"{dice.randrange(100)} 13 2 {dice.randbytes(4).hex()}"}[kind]


def made_groups(dice, count, mark):
    """RRsets of up to four members, so many tuples in all; names have a label that says whose they are."""
    domains = [f"{mark}{i:x}{dice.choice('abc')}.{dice.choice(SUFFIXES)}" for i in range(max(20, count // 12))]
    kinds = list(dice.choices(["A", "AAAA", "NS", "CNAME", "MX", "TXT", "SOA", "PTR", "SRV", "DS"],
                              [50, 14, 7, 12, 5, 5, 2, 2, 2, 1], k=count))
    groups, known, made = [], set(), 0
    while made < count:
        domain, kind = dice.choice(domains), kinds[made]
        host = dice.choice(["", "", "www.", "mail.", "api.", "a.b.", f"h{dice.randrange(300)}."])
        data = {host_data(dice, kind, domains, domain) for _ in range(dice.randrange(1, 5) if kind in ("A", "AAAA", "NS", "MX") else 1)}
        group = [Tuple(host + domain, kind, d, domain) for d in sorted(data) if (host + domain, kind, d) not in known]
        known.update((t.owner, t.kind, t.data) for t in group)
        if group:
            groups.append(group)
            made += len(group)
    return groups


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def octets(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


class Sender:
    """A resolver, or other software in front of clients, that sends dnstap."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        content = struct.pack(">II", 1, 22) + b"protobuf:dnstap.Dnstap"
        self.control(4, content)
        size = struct.unpack(">II", self.sock.recv(8, socket.MSG_WAITALL))[1]
        self.sock.recv(size, socket.MSG_WAITALL)
        self.control(2, content)
        self.room = []

    def control(self, kind, content=b""):
        self.sock.sendall(struct.pack(">III", 0, 4 + len(content), kind) + content)

    def frame(self, sensor, group, zone, when):
        message = struct.pack(">HHHHHH", 1, 0x8180, 1, len(group), 0, 0) + wire(group[0].owner) + \
            struct.pack(">HH", group[0].number, 1) + b"".join(t.record for t in group)
        # Type, transport and the moment of the answer.
        body = b"\x08" + (b"\x04" if sensor == RESOLVER else b"\x06") + b"\x10\x01\x18\x01" + b"\x60" + varint(when)
        if sensor == RESOLVER:
            body += octets(11, zone)
        body += octets(14, message)
        data = octets(14, body) + b"\x78\x01"
        self.room.append(struct.pack(">I", len(data)) + data)
        if len(self.room) >= 500:
            self.flush()

    def flush(self):
        self.sock.sendall(b"".join(self.room))
        self.room = []

    def close(self):
        self.flush()
        self.control(3)
        self.sock.close()


def send(sender, dice, groups, count, now):
    """So many observations, popular ones more often; returns how many it were."""
    sent, many = 0, len(groups)
    zones = {group[0].bailiwick: wire(group[0].bailiwick) for group in groups}
    order = list(groups)
    while sent < count:
        # Each once, then by chance.
        group = order.pop() if order else groups[int(many * dice.random() ** 3)]
        sensor = RESOLVER if dice.random() < .7 else CLIENT
        when = now - int(dice.random() * SPAN)
        sender.frame(sensor, group, zones[group[0].bailiwick], when)
        for t in group:
            t.see(sensor, when)
        sent += len(group)
    sender.flush()
    return sent


# --- made: questions ---


def by_name(dice, t):
    scope = dice.choice(["exact", "exact", "subtree", "start"])
    if scope == "exact":
        return {"name": t.owner}, lambda x: x.owner == t.owner, Tuple.key
    if scope == "subtree":
        top = t.bailiwick if dice.random() < .8 else t.bailiwick.split(".", 1)[1]
        return {"name": "*." + top}, lambda x: x.owner == top or x.owner.endswith("." + top), Tuple.key
    some = labels(t.owner)
    start = ".".join(some[:dice.randrange(1, len(some))])
    return {"name": start + ".*"}, lambda x: x.owner == start or x.owner.startswith(start + "."), \
        lambda x: (wire(x.owner), x.number, len(labels(x.bailiwick)), x.raw)


def by_address(dice, t):
    v6 = t.address.version == 6
    length = dice.choice([128, 120, 64, 60]) if v6 else dice.choice([32, 32, 28, 24, 22, 16])
    network = ipaddress.ip_network(f"{t.address}/{length}", strict=False)
    first, last = int(network[0]), int(network[-1])
    version = t.address.version
    return {"ip": str(network) if dice.random() < .8 or network.num_addresses > 1 else str(t.address)}, \
        lambda x: x.address is not None and x.address.version == version and first <= int(x.address) <= last, \
        lambda x: (x.raw, x.back, len(labels(x.bailiwick)))


def by_target(dice, t):
    top = dice.choice(t.targets)
    sub = dice.random() < .5
    if sub and dice.random() < .5:
        top = top.split(".", 1)[1]
    meets = (lambda n: n == top or n.endswith("." + top)) if sub else (lambda n: n == top)

    def place(x):
        return (backwards(next(n for n in x.targets if meets(n))), x.number, x.back, len(labels(x.bailiwick)), x.raw)
    return {"rdata-name": ("*." if sub else "") + top}, lambda x: any(meets(n) for n in x.targets), place


def fences(dice, question, now):
    tests = []
    for name, which, late in (("first-after", 0, True), ("first-before", 0, False), ("last-after", 1, True),
                              ("last-before", 1, False)):
        if dice.random() < .15:
            at = now - int(dice.random() * SPAN)
            question[name] = at
            tests.append((which, at, late))
    return lambda s: all((s[w] >= at if late else s[w] <= at) for w, at, late in tests)


def rows_wanted(tuples, meets, place, sensors, inside, question):
    """What a plain scan finds."""
    found = []
    for t in tuples:
        if meets(t):
            s = t.sum(sensors)
            if s and inside(s):
                found.append((place(t), t, s))
    found.sort(key=lambda f: f[0])
    rows, last = [], None
    for _, t, s in found:
        name = (t.owner, t.kind, t.bailiwick)
        if question.get("group") and name == last:
            row = rows[-1]
            rows[-1] = (*row[:3], row[3] + (t.data,), min(row[4], s[0]), max(row[5], s[1]), max(row[6], s[2]))
        else:
            rows.append((*name, (t.data,), *s))
        last = name
    rows = rows[question.get("offset", 0):]
    return rows[:question["limit"]], len(rows) > question["limit"]


def question_make(dice, tuples, addresses, pointers, now):
    how = dice.choice([by_name, by_name, by_address, by_target])
    t = dice.choice(addresses if how is by_address else pointers if how is by_target else tuples)
    question, meets, place = how(dice, t)
    types, bailiwick = dice.choice(["", "", "ALL", t.kind, dice.choice(list(TYPES))]), None
    if types:
        question["type"] = types
    if dice.random() < .1:
        bailiwick = question["bailiwick"] = t.bailiwick
    sensors = dice.choice([(0, 1), (0, 1), (CLIENT,), (RESOLVER,)])
    if len(sensors) == 1:
        question["sensor"] = SENSORS[sensors[0]]
    inside = fences(dice, question, now)
    question["limit"] = dice.choice([1, 3, 10, 100, 100000])
    if dice.random() < .2:
        question["offset"] = dice.randrange(1, 20)
    if how is by_name and dice.random() < .3:
        question["group"] = True

    def all_meet(x):
        if not meets(x) or (bailiwick and x.bailiwick != bailiwick):
            return False
        return x.kind not in DNSSEC if not types else types == "ALL" or x.kind == types
    return question, rows_wanted(tuples, all_meet, place, sensors, inside, question)


def questions_check(api, dice, tuples, count, now):
    addresses, pointers = [t for t in tuples if t.address], [t for t in tuples if t.targets]
    wrong, rows, limited, example = 0, 0, 0, ""
    for begin in range(0, count, 200):
        made = [question_make(dice, tuples, addresses, pointers, now) for _ in range(min(200, count - begin))]
        answers = api.bulk([{**q, "id": i} for i, (q, _) in enumerate(made)])
        for i, (question, (wanted, more)) in enumerate(made):
            got, last = answers.get(i, ([], {"error": "no answer"}))
            got = [row_of(line) for line in got]
            rows += len(got)
            limited += more
            if got != wanted or ("cursor" in last) != more or "error" in last:
                wrong += 1
                example = example or f"{question}: {last}: got {got[:3]}..., expected {wanted[:3]}..."
    check(f"{count} random questions are answered as a plain scan does it", wrong == 0, f"{wrong} are not, the first: {example}")
    print(f"# {rows} rows, {limited} answers at their limit", flush=True)


# --- made: all ---

def wait_written(api, tuples):
    for _ in range(1200):
        counters = api.counters()
        if counters["tuples"] >= tuples and counters["waiting"] == 0:
            return counters
        time.sleep(0.1)
    raise RuntimeError(f"not written: {counters}")


def pages_read(api, size):
    """All rows of a walk, page by page."""
    rows, cursor, pages = [], "", 0
    while True:
        got, last = api.rows(f"name=*.com&type=ALL&limit={size}{cursor}")
        rows += [(r["rrname"], r["rrtype"], r["rdata"][0]) for r in got]
        pages += 1
        if "cursor" not in last:
            return rows, pages
        cursor = "&cursor=" + last["cursor"]


def paging_check(api, dice, sender, first, second, count, now):
    """Pages while the second half comes in."""
    before = {(t.owner, t.kind, t.data) for g in first for t in g if t.owner.endswith(".com")}
    size = max(20, len(before) // 60)
    ended, sent = threading.Event(), []

    def run():
        sent.append(send(sender, dice, first + second, count, now))
        ended.set()
    thread = threading.Thread(target=run)
    thread.start()
    walks = repeated = lost = pages = 0
    beside = False
    while walks == 0 or not ended.is_set():
        beside |= not ended.is_set()
        rows, n = pages_read(api, size)
        walks, pages = walks + 1, pages + n
        repeated += len(rows) - len(set(rows))
        lost += len(before - set(rows))
    thread.join()
    check("pages are read while observations come in", beside and pages > walks)
    equal("no page repeats a row", repeated, 0)
    equal("no page loses a row that was there before", lost, 0)
    print(f"# {walks} walks of {pages // walks} pages", flush=True)
    return sent[0]


def made(path, port, key, observations, questions):
    dice, now, api = random.Random(20240229), int(time.time()), Api(port, key)
    begun, base = time.time(), api.counters()["tuples"]
    observations = int(observations)
    count = max(400, min(20000, observations // 20))
    first, second = made_groups(dice, count // 2, "a"), made_groups(dice, count // 2, "b")
    sender = Sender(path)
    sent = send(sender, dice, first, observations // 2, now)
    wait_written(api, base + sent)
    sent += paging_check(api, dice, sender, first, second, observations - sent, now)
    sender.close()
    counters = wait_written(api, base + sent)
    equal("all observations were taken", counters["tuples"] - base, sent)
    tuples = [t for g in first + second for t in g if t.sum((0, 1))]
    print(f"# {sent} observations of {len(tuples)} tuples in {time.time() - begun:.0f} s", flush=True)
    questions_check(api, dice, tuples, int(questions), now)


def main():
    {"zone": zone, "live": live, "made": made}[sys.argv[1]](*sys.argv[2:])
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
