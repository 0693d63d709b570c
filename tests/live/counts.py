#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Queries of many clients in known proportions, and whether what is kept of them is right to the unit.

    counts.py files FOLDER              zone, catalogues and consent of the test; needles.json for needles.py
    counts.py send N SERVER4 SERVER6 FOLDER
                                        N queries; sent.json: what there has to be of those answered
    counts.py records FOLDER <CSV       what `dnsweir-collect query --format csv` prints: 1 if it is not that
    counts.py cut FOLDER <CSV           the same of a sender with whole addresses: whether all of them are cut
    counts.py totals FOLDER FILE        the file of totals
    counts.py report FOLDER FILE        a report as JSON
"""
import collections
import csv
import ipaddress
import json
import random
import select
import socket
import struct
import sys
import threading
import time

import totals

WINDOW = 48    # queries under way; see IN_FLIGHT in load.sh
TIMEOUT = 3.0  # seconds; nothing is asked twice
IP_PKTINFO = 8  # of Linux; the module does not have it
LATE = 5.0     # seconds, at the end
ZONE = "stats"
TYPES = totals.TYPES

# Group of clients: (family, first octets of their addresses, /22 or /40 prefixes, clients in each).
# What opted out is by the prefix of the first octets.
GROUPS = {
    "any4": (4, "0a00", 400, 3), "any6": (6, "fd10", 300, 3),
    "clean4": (4, "0a40", 60, 2), "clean6": (6, "fd20", 60, 2),  # nothing of theirs is filtered
    "nofilter4": (4, "0a80", 20, 2), "nofilter6": (6, "fd30", 20, 2),
    "nolog4": (4, "0ac8", 20, 2), "nolog6": (6, "fd40", 20, 2),
    "neither4": (4, "0ac9", 20, 2), "neither6": (6, "fd50", 20, 2),
}
CONSENT = ("10.128.0.0/16,no,yes", "fd30::/16,no,yes", "10.200.0.0/16,yes,no", "fd40::/16,yes,no",
           "10.201.0.0/16,no,no", "fd50::/16,no,no")
HIDDEN = ("nolog", "neither")

# List: (action, identifiers, names of each).
LISTS = {
    "c2": ("sinkhole", 12, 5), "phish": ("nxdomain", 4, 5), "empty": ("nodata", 2, 3), "gone": ("drop", 2, 2),
    "overtcp": ("tcp-only", 2, 3), "watch": ("log", 3, 4), "good": ("allow", 1, 4),
}
NAMES = {
    "host": [f"host{i:04}" for i in range(1000)],
    "absent": [f"absent{i:03}" for i in range(300)],
    "bogus": [f"b{i:02}.bogus" for i in range(40)],
    "wild": [f"x{i}.w{i % 12}" for i in range(60)],
    "alias": [f"alias{i}" for i in range(12)],
    "unlogged": [f"unlogged{i:03}" for i in range(100)],  # only clients that refused logging ask for these
}
for _list, (_, _ids, _names) in LISTS.items():
    NAMES[_list] = [f"{_list}{i}-{j}" for i in range(_ids) for j in range(_names)]
NAMES["good"] = [f"{_name}.w0" for _name in NAMES["good"]]  # c2 has all in there

# Parts of about a thousand: names, type, how, clients, code, list, verdict, what the totals call it.
MIX = (
    (300, "host", "A", "udp", "any4", 0, None, None, None),
    (140, "host", "AAAA", "udp", "any6", 0, None, None, None),
    (80, "host", "A", "udp", "clean4", 0, None, None, None),
    (60, "host", "AAAA", "udp", "clean6", 0, None, None, None),
    (30, "host", "HTTPS", "udp", "any4", 0, None, None, None),
    (20, "host", "TXT", "udp", "any6", 0, None, None, None),
    (10, "host", "MX", "udp", "clean4", 0, None, None, None),
    (70, "absent", "A", "udp", "any4", 3, None, None, None),
    (35, "absent", "AAAA", "udp", "clean6", 3, None, None, None),
    (20, "bogus", "A", "udp", "any4", 2, None, None, None),
    (10, "bogus", "AAAA", "udp", "any6", 2, None, None, None),
    (40, "c2", "A", "udp", "any4", 0, "c2", "rewritten", "sinkhole"),
    (20, "c2", "AAAA", "udp", "any6", 0, "c2", "rewritten", "sinkhole"),
    (10, "wild", "A", "udp", "any4", 0, "c2", "rewritten", "sinkhole"),
    (8, "alias", "A", "udp", "any6", 0, "c2", "rewritten", "sinkhole"),
    (5, "c2", "TXT", "udp", "any4", 0, "c2", "no_address", None),
    (12, "phish", "A", "udp", "any4", 0, "phish", "nxdomain", "nxdomain"),
    (8, "phish", "AAAA", "udp", "any6", 0, "phish", "nxdomain", "nxdomain"),
    (3, "phish", "A", "tcp", "any4", 0, "phish", "fallback", "sinkhole"),
    (6, "empty", "A", "udp", "any4", 0, "empty", "nodata", "nodata"),
    (3, "gone", "A", "quiet", "any4", 0, "gone", "dropped", "drop"),
    (5, "overtcp", "A", "udp", "any4", 0, "overtcp", "truncated", "tcp-only"),
    (10, "watch", "A", "udp", "any4", 0, "watch", "logged", "log"),
    (5, "good", "AAAA", "udp", "any6", 0, "good", "allowed", "allow"),
    (10, "host", "A", "tcp", "any4", 0, None, None, None),
    (5, "host", "AAAA", "tcp", "any6", 0, None, None, None),
    (3, "c2", "A", "tcp", "any4", 0, "c2", "rewritten", "sinkhole"),
    (10, "host", "A", "udp", "nofilter4", 0, None, None, None),
    (10, "c2", "A", "udp", "nofilter4", 0, None, None, None),
    (7, "c2", "AAAA", "udp", "nofilter6", 0, None, None, None),
    (15, "unlogged", "A", "udp", "nolog4", 0, None, None, None),
    (10, "unlogged", "AAAA", "udp", "nolog6", 0, None, None, None),
    (10, "c2", "A", "udp", "nolog4", 0, None, None, None),
    (2, "unlogged", "A", "tcp", "nolog4", 0, None, None, None),
    (10, "unlogged", "A", "udp", "neither4", 0, None, None, None),
    (8, "c2", "AAAA", "udp", "neither6", 0, None, None, None),
)
RCODES = {0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN"}
CHANGED = ("rewritten", "fallback", "nxdomain", "nodata", "dropped", "truncated")


def clients_of(group):
    """Addresses, the same each time; never the first of a prefix."""
    family, begin, prefixes, each = GROUPS[group]
    dice = random.Random(group)
    begin = bytes.fromhex(begin)
    for i in range(prefixes):
        for _ in range(each):
            if family == 4:
                number = (begin[0] << 24 | begin[1] << 16) + (i << 10) + 1 + dice.randrange(1022)
                yield ipaddress.IPv4Address(number)
            else:
                yield ipaddress.IPv6Address(begin + struct.pack(">HB", i * 7, i & 0xff) + dice.randbytes(11))


def id_of(name):
    """List and identifier of a listed name."""
    if name.startswith(("alias", "x")):
        return "c2", "C2-" + name.rsplit("w", 1)[-1].removeprefix("alias")
    for one in LISTS:
        if name.startswith(one) and "-" in name:
            return one, f"{one.upper()}-{name.removeprefix(one).split('-')[0]}"
    return None


# ---- files ----

def files(folder):
    with open(f"{folder}/{ZONE}.zone", "w", encoding="ascii") as f:
        f.write(f"$ORIGIN {ZONE}.\n$TTL 86400\n@ SOA ns.{ZONE}. h.{ZONE}. 1 3600 600 86400 3600\n@ NS ns.{ZONE}.\n")
        f.write("ns A 198.51.100.53\n")
        for i in range(12):
            f.write(f"alias{i} CNAME c2{i}-0\n*.w{i} A 203.0.113.{i}\n*.w{i} AAAA 2001:db8:77::{i:x}\n")
        for group in ("host", "bogus", "unlogged", *LISTS):
            for i, name in enumerate(NAMES[group]):
                f.write(f"{name} A 203.0.113.{i % 250}\n{name} AAAA 2001:db8:66::{i:x}\n")
    for one, (_, ids, _) in LISTS.items():
        with open(f"{folder}/{one}.csv", "w", encoding="ascii") as f:
            f.write("id,fqdn,behaviour,start,end\n")
            f.writelines(f"{id_of(name)[1]},{name}.{ZONE},C2 server,2020-01-01,\n" for name in NAMES[one])
            if one == "c2":
                f.writelines(f"C2-{i},*.w{i}.{ZONE},C2 server,2020-01-01,\n" for i in range(ids))
    with open(f"{folder}/consent.csv", "w", encoding="ascii") as f:
        f.write("prefix,filter,log\n" + "".join(f"{line}\n" for line in CONSENT))
    with open(f"{folder}/needles.json", "w", encoding="ascii") as f:
        json.dump(list(needles()), f)
    return 0


def needles():
    """What may be nowhere: [what it is, octets in hex]. Four octets turn up by chance, in one of a thousand
    files of 4 MiB, so there are few IPv4 addresses."""
    yield "a name that only clients asked for who refused logging", b"unlogged".hex()
    for group in GROUPS:
        if group.startswith(("any", "nofilter")):
            continue
        for address in list(clients_of(group))[:2 if GROUPS[group][0] == 4 else 12]:
            yield f"{group} {address}", address.packed.hex()
            yield f"{group} {address}, text", str(address).encode().hex()
            if address.version == 6:
                yield f"{group} {address}, reversed", address.packed[::-1].hex()


# ---- sending ----

class Sender:
    """Over UDP one socket for each family sends from all addresses: IP_PKTINFO says from which."""

    def __init__(self, server4, server6):
        self.poll = select.poll()
        self.sockets = {}
        for family, kind, server in ((4, socket.AF_INET, server4), (6, socket.AF_INET6, server6)):
            sock = socket.socket(kind, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            sock.bind(("", 0))
            sock.setblocking(False)
            self.sockets[family] = sock, (server, 53)
            self.poll.register(sock, select.POLLIN)
        self.by_fd = {sock.fileno(): sock for sock, _ in self.sockets.values()}
        self.under_way = {}  # ID: (key, question, when)
        self.given_up = {}
        self.answered = collections.Counter()
        self.id = self.lost = self.wrong = 0

    def send(self, key, question, address, quiet):
        number = self.id = self.id + 1 & 0xffff
        while number in self.under_way:
            number = self.id = self.id + 1 & 0xffff
        self.given_up.pop(number, None)
        sock, server = self.sockets[address.version]
        if address.version == 4:
            source = socket.IPPROTO_IP, IP_PKTINFO, struct.pack("@I4s4s", 0, address.packed, bytes(4))
        else:
            source = socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, address.packed + struct.pack("@I", 0)
        if quiet:
            self.answered[key] += 1
        else:
            self.under_way[number] = key, question, time.monotonic()
        sock.sendmsg([struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + question], [source], 0, server)

    def take(self, wait_ms):
        for fd, _ in self.poll.poll(wait_ms):
            try:
                while True:
                    self.answer_take(self.by_fd[fd].recv(4096))
            except BlockingIOError:
                pass

    def answer_take(self, message):
        number = message[0] << 8 | message[1]
        asked = self.under_way.pop(number, None) or self.given_up.pop(number, None)
        if not asked or message[12:12 + len(asked[1])] != asked[1]:
            self.wrong += 1
        else:
            self.answered[asked[0]] += 1

    def give_up(self):
        before = time.monotonic() - TIMEOUT
        for number in [n for n, asked in self.under_way.items() if asked[2] < before]:
            self.given_up[number] = self.under_way.pop(number)

    def end(self):
        until = time.monotonic() + LATE
        while (self.under_way or self.given_up) and time.monotonic() < until:
            self.take(100)
        self.lost = len(self.under_way) + len(self.given_up)


def tcp_ask(todo, servers, answered, errors):
    """Some queries on each connection, one after the other."""
    for key, question, address in todo:
        try:
            with socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET) as sock:
                sock.settimeout(10)
                sock.bind((str(address), 0))
                sock.connect((servers[address.version], 53))
                query = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + question
                sock.sendall(struct.pack(">H", len(query)) + query)
                totals.tcp_read(sock, struct.unpack(">H", totals.tcp_read(sock, 2))[0])
                answered[key] += 1
        except OSError as error:
            errors.append(f"{address}: {error}")


def plan(n):
    """(what of MIX, number of its name, number of its client), in a random order that is always the same."""
    dice = random.Random(n)
    weight = sum(row[0] for row in MIX)
    clients = {group: len(list(clients_of(group))) for group in GROUPS}
    rows = []
    for i, row in enumerate(MIX):
        rows += [(i, dice.randrange(len(NAMES[row[1]])), dice.randrange(clients[row[4]]))
                 for _ in range(max(1, n * row[0] // weight))]
    dice.shuffle(rows)
    return rows


def question_of(row, number):
    name = NAMES[row[1]][number] + "." + ZONE
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split("."))
    return labels + b"\0" + struct.pack(">2H", TYPES[row[2]], 1)


def send(n, server4, server6, folder):
    clients = {group: list(clients_of(group)) for group in GROUPS}
    sender, tcp, errors, tcp_answered = Sender(server4, server6), [], [], collections.Counter()
    rows = plan(int(n))
    for key in rows:
        if MIX[key[0]][3] == "tcp":
            tcp.append((key, question_of(MIX[key[0]], key[1]), clients[MIX[key[0]][4]][key[2]]))
    thread = threading.Thread(target=tcp_ask, args=(tcp, {4: server4, 6: server6}, tcp_answered, errors))
    began = time.monotonic()
    thread.start()
    for count, key in enumerate(rows):
        row = MIX[key[0]]
        if row[3] != "tcp":
            sender.send(key, question_of(row, key[1]), clients[row[4]][key[2]], row[3] == "quiet")
        while len(sender.under_way) >= WINDOW:
            sender.take(100)
            sender.give_up()
        if count % 16 == 0:
            sender.take(0)
    sender.end()
    thread.join()
    seconds = time.monotonic() - began
    answered = sender.answered + tcp_answered
    with open(f"{folder}/sent.json", "w", encoding="ascii") as f:
        json.dump(expected(answered, clients), f)
    print(f"asked {len(rows)} answered {sum(answered.values())} lost {sender.lost} tcp_errors {len(errors)} "
          f"wrong {sender.wrong} seconds {seconds:.0f}")
    for error in errors[:3]:
        print(error, file=sys.stderr)
    return 1 if sender.lost or errors or sender.wrong else 0


# ---- what there has to be ----

def record_key(row, name, client):
    """As the columns name,type,rcode,client,bits,proto,filtered,action,verdict,list,id,match,match_name."""
    _, _, kind, how, _, rcode, one, verdict, _ = row
    filtered = verdict in CHANGED
    bits = client.max_prefixlen if filtered else 22 if client.version == 4 else 40
    network = ipaddress.ip_network((client, bits), strict=False)
    rule = ("", "", "", "", "", "")
    # What an allow list exempts is a rule for counters only.
    if one and verdict != "allowed":
        hit = f"c2{name.removeprefix('alias')}-0" if name.startswith("alias") else name
        rule = (LISTS[one][0], verdict, one, id_of(name)[1], "qname" if hit == name else "answer", f"{hit}.{ZONE}")
    return ",".join((f"{name}.{ZONE}", kind, RCODES[rcode], str(network.network_address), str(bits),
                     "TCP" if how == "tcp" else "UDP", "yes" if filtered else "no", *rule))


def expected(answered, clients):
    records, sums = collections.Counter(), collections.Counter()
    responses = filtered = 0
    for (i, number, client), n in answered.items():
        row = MIX[i]
        name = NAMES[row[1]][number]
        if row[4].startswith(HIDDEN):
            continue
        records[record_key(row, name, clients[row[4]][client])] += n
        sums[f"{row[5]} {row[2]}"] += n
        if row[8]:
            sums["/".join((row[6], id_of(name)[1], row[8]))] += n
        responses += n
        filtered += n if row[8] not in (None, "log", "allow") else 0
    return {"records": records, "totals": sums, "responses": responses, "filtered": filtered}


def sent_read(folder):
    with open(f"{folder}/sent.json", encoding="ascii") as f:
        return json.load(f)


def differ(what, wanted, got):
    """Tells up to ten differences. @return exit code"""
    bad = [key for key in wanted.keys() | got.keys() if wanted.get(key, 0) != got.get(key, 0)]
    for key in sorted(bad)[:10]:
        print(f"{what} {key}: expected {wanted.get(key, 0)}, got {got.get(key, 0)}")
    print(f"{sum(got.values())} in {len(got)} rows, {len(bad)} wrong")
    return 1 if bad or not got else 0


COLUMNS = ("name", "type", "rcode", "client", "bits", "proto", "filtered", "action", "verdict", "list", "id",
           "match", "match_name")


def records(folder):
    wanted, got = sent_read(folder)["records"], collections.Counter()
    reader = csv.reader(sys.stdin)
    head = next(reader)
    places = [head.index(column) for column in COLUMNS]
    port, filtered = head.index("port"), head.index("filtered")
    for row in reader:
        got[",".join([row[i] for i in places])] += 1
        if bool(row[port]) != (row[filtered] == "yes"):
            got["a port where none belongs, or none where one does"] += 1
    status = differ("records", wanted, got)
    for column in ("type", "rcode", "proto", "list", "id", "action", "verdict", "bits"):
        sums = collections.Counter()
        for key, n in got.items():
            fields = key.split(",")
            if len(fields) == len(COLUMNS):
                sums[fields[COLUMNS.index(column)] or "-"] += n
        print(column, " ".join(f"{key}={n}" for key, n in sorted(sums.items())))
    print("prefixes", len({key.split(",", 5)[3] for key in got if ",no," in key}))
    return status


def cut(folder):
    wanted, got, bad = sent_read(folder)["responses"], 0, 0
    for row in csv.DictReader(sys.stdin):
        network = ipaddress.ip_network(f"{row['client']}/{row['bits']}", strict=False)
        got += 1
        bad += str(network.network_address) != row["client"] or network.prefixlen > (22, 40)[network.version == 6]
    print(f"{got} of {wanted} records, {bad} with more of an address than there may be")
    return 1 if bad or not wanted / 2 <= got else 0


def totals_check(folder, path):
    return differ("totals", sent_read(folder)["totals"], totals.found(path))


def report(folder, path):
    sent = sent_read(folder)
    with open(path, encoding="utf-8") as f:
        months = json.load(f)["months"]
    return differ("report", {key: sent[key] for key in ("filtered", "responses")},
                  {key: sum(month[key] for month in months) for key in ("filtered", "responses")})


COMMANDS = {"files": files, "send": send, "records": records, "cut": cut, "totals": totals_check,
            "report": report}

if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in COMMANDS:
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(2)
    sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]))
