#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Where clients' addresses are, and where they are not: planted_test.py DNSWEIR-COLLECT. Prints TAP.

Into each input an address of a client is planted, each its own: frames of boxes and of resolvers, with the client's subnet and
cookie in EDNS, captures, rows of the Common Output Format, parameters, headers and names of senders. Then all that the collector has
written, answers and says is looked through, for the address as text and as octets; tables are unpacked by RocksDB's own tool, the
feed and the dumps, too. What has an address by design is named, and is looked for too."""
import base64
import gzip
import http.client
import ipaddress
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bed import PORT, Box, Collector, Tap, ask, number, octets, own_network, wire_name

check, equal = Tap.check, Tap.equal
NOW = int(time.time())
ANSWER = "198.51.100.80"

# Each has bits behind /22 and /40 that no other has.
PLANTS = {
    "box": ("203.0.113.171", "2001:db8:ab01:5a5a:1f2e:3d4c:5b6a:7901"),
    "resolver": ("203.0.114.172", "2001:db8:ab02:5a5a:1f2e:3d4c:5b6a:7902"),
    "resolver's own side": ("203.0.115.173", "2001:db8:ab03:5a5a:1f2e:3d4c:5b6a:7903"),
    "EDNS": ("203.0.116.174", "2001:db8:ab04:5a5a:1f2e:3d4c:5b6a:7904"),
    "capture": ("203.0.117.175", "2001:db8:ab05:5a5a:1f2e:3d4c:5b6a:7905"),
    "rows": ("203.0.118.176", "2001:db8:ab06:5a5a:1f2e:3d4c:5b6a:7906"),
    "headers": ("203.0.119.177", "2001:db8:ab07:5a5a:1f2e:3d4c:5b6a:7907"),
    "parameters": ("203.0.120.178", "2001:db8:ab08:5a5a:1f2e:3d4c:5b6a:7908"),
}
FILTERED = ("203.0.121.179", "2001:db8:ab09:5a5a:1f2e:3d4c:5b6a:7909")
ASKED = ("203.0.122.180", "2001:db8:ab0a:5a5a:1f2e:3d4c:5b6a:790a")


# --- what is looked for ---

def forms(address):
    """An address as it may stand somewhere; octets only where chance cannot make them."""
    ip = ipaddress.ip_address(address)
    out = {str(ip).encode(), ip.exploded.encode(), ip.packed.hex().encode(), base64.b64encode(ip.packed).rstrip(b"=")}
    if ip.version == 6:
        out |= {ip.packed, ip.packed[8:], ip.packed[8:][::-1], ip.packed[8:].hex().encode(), ip.exploded[20:].encode(),
                str(ip).rsplit(":", 4)[1].encode() + b":" + ":".join(str(ip).split(":")[-3:]).encode()}
    else:
        out |= {ip.reverse_pointer.rsplit(".", 2)[0].encode()}
    return out


def found(data, addresses):
    low = data.lower()
    return sorted({a for a in addresses for form in forms(a) if form in data or form.lower() in low})


def planted():
    return [a for pair in PLANTS.values() for a in pair]


# --- inputs ---

def option(code, data):
    return struct.pack(">HH", code, len(data)) + data


def edns(address):
    ip = ipaddress.ip_address(address)
    subnet = struct.pack(">HBB", 1 if ip.version == 4 else 2, ip.max_prefixlen, 0) + ip.packed
    options = option(8, subnet) + option(10, ip.packed[-8:].rjust(8, b"\1")) + option(65001, ip.packed)
    return b"\0" + struct.pack(">HHIH", 41, 1232, 0, len(options)) + options


def message(name, answers=(ANSWER,), more=b"", response=True):
    return struct.pack(">HHHHHH", 7, 0x8180 if response else 0x100, 1, len(answers) if response else 0, 0, bool(more)) + wire_name(name) + \
        struct.pack(">HH", 1, 1) + b"".join(struct.pack(">HHHIH", 0xC00C, 1, 1, 300, 4) + ipaddress.ip_address(a).packed
                                            for a in (answers if response else ())) + more


class Resolver(Box):
    """Sends what other software sends: whole addresses."""

    def tell(self, kind, client, name, more=b""):
        address = ipaddress.ip_address(client)
        body = number(1, kind) + number(2, 1 if address.version == 4 else 2) + number(3, 1) + octets(4, address.packed) + \
            number(6, 40000) + number(8, NOW) + octets(10, message(name, more=more, response=False)) + number(12, NOW) + \
            octets(14, message(name, more=more))
        data = octets(1, b"resolver") + octets(14, body) + number(15, 1)
        self.sock.sendall(struct.pack(">I", len(data)) + data)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF or 0xFFFF


def packet(client, name):
    """A response to a client, as Ethernet has it."""
    to = ipaddress.ip_address(client)
    server = ipaddress.ip_address("198.51.100.53" if to.version == 4 else "2001:db8:5353::53")
    payload = message(name, more=edns(client))
    size = 8 + len(payload)
    pseudo = server.packed + to.packed + (struct.pack(">BBH", 0, 17, size) if to.version == 4 else struct.pack(">IHBB", size, 0, 0, 17))
    udp = struct.pack(">HHHH", 53, 33333, size, 0) + payload
    udp = udp[:6] + struct.pack(">H", checksum(pseudo + udp)) + payload
    if to.version == 4:
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + size, 1, 0, 64, 17, 0) + server.packed + to.packed
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    else:
        head = struct.pack(">IHBB", 6 << 28, size, 17, 64) + server.packed + to.packed
    return b"\2" * 12 + (b"\x08\0" if to.version == 4 else b"\x86\xdd") + head + udp


def capture(path):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for client in PLANTS["capture"]:
            data = packet(client, "captured.example")
            f.write(struct.pack("<IIII", NOW, 0, len(data), len(data)) + data)


def rows(path):
    with open(path, "w", encoding="utf-8") as f:
        for i, client in enumerate(PLANTS["rows"]):
            f.write(json.dumps({"rrname": f"row{i}.example", "rrtype": "A", "rdata": [ANSWER], "time_first": NOW - 100, "time_last": NOW,
                                "count": 2, "client": client, "sensor_id": client, "origin": "https://" + client, "x-src": [client]}) + "\n")


def imported(collector):
    for name, make in (("capture.pcap", capture), ("rows.json", rows)):
        path = os.path.join(collector.folder, name)
        make(path)
        os.chmod(path, 0o644)
        done = subprocess.run([collector.program, "pdns", "import", "--dataset", collector.dataset, path], capture_output=True, text=True,
                              check=False, **collector.less)
        equal(f"{name} is taken", done.returncode, 0)
        equal(f"and nothing is said of clients of {name}", found((done.stdout + done.stderr).encode(), planted()), [])
        os.unlink(path)


def sent(collector):
    box = Box(collector.tap)
    for client in PLANTS["box"]:
        # A box that does not cut what it should have cut.
        box.send("boxed.example", client, NOW, addresses=[ANSWER])
    for client in FILTERED:
        box.send("bad.example", client, NOW, malware="EX-1", addresses=[ANSWER])
    for client in ASKED:
        box.send("bad.example", client, NOW, malware="EX-2", addresses=[ANSWER])
    box.close()
    resolver = Resolver(collector.tap)
    for client in PLANTS["resolver"]:
        resolver.tell(6, client, "resolved.example")
        resolver.tell(5, client, "queried.example")
    for client in PLANTS["resolver's own side"]:
        for kind in (2, 4, 8, 10, 12, 14, 77):
            resolver.tell(kind, client, "inside.example")
    for client in PLANTS["EDNS"]:
        resolver.tell(6, PLANTS["resolver"][0], "options.example", edns(client))
        resolver.tell(4, PLANTS["resolver"][0], "options.example", edns(client))
    resolver.close()
    # What breaks off within a frame, and what is no frame.
    broken = Resolver(collector.tap)
    ip = ipaddress.ip_address(PLANTS["resolver"][1]).packed
    broken.sock.sendall(struct.pack(">I", 60) + octets(14, octets(4, ip) + octets(14, b"x")) + ip)
    broken.sock.close()
    equal("all of it is taken", None, collector.wait_stored(10))


def plainly(target, head):
    with socket.create_connection(("127.0.0.1", PORT)) as sock:
        sock.sendall(f"{target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n\r\n".encode())
        while sock.recv(65536):
            pass


def headers(keys):
    """What proxies add, to requests of all kinds, good and bad."""
    for client in PLANTS["headers"]:
        more = {name: client for name in ("X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "User-Agent", "Referer",
                                          "Cookie", "From", "Accept", "X-Request-Id")}
        more["Forwarded"] = f"for=\"[{client}]\""
        for path in ("/healthz", "/metrics", "/v1/log", "/v1/days", "/v1/infected?day=2026-11-22", "/nowhere", "/v1/log?frob=1", "/v1/pdns?name=a"):
            for key in (keys["analyst"], None, client):
                ask(path, key, headers=more)
        plainly("BREW /", f"X-Forwarded-For: {client}")
        plainly("GET", f"X-Forwarded-For: {client}\r\nContent-Length: {client}")


def parameters(keys):
    """Wrong ones, and those that no route has: what is asked for in good ones has a line in the audit log."""
    for client in PLANTS["parameters"]:
        for path in (f"/v1/log?ip={client}", f"/v1/days?client={client}", f"/v1/log?client={client}/999", f"/{client}", f"/v1/{client}/x",
                     f"/pdns/query/{client}%00", f"/dnsdb/v2/lookup/rdata/ip/{client},999", f"/v1/pdns?name={client}&x={client}",
                     f"/api/query?queryType={client}&target={client}", f"/dnsdb/v2/lookup/rdata/ip/{client}", f"/v1/pdns?ip={client}",
                     f"/pdns/query/{client}", f"/api/query?queryType=IP&target={client}", f"/v1/log?filtered=no&client={client}"):
            ask(path, keys["analyst"])
            ask(path, client)
        ask("/v1/pdns/bulk", keys["pdns"], "POST", json.dumps({"ip": client}) + "\n" + client, {"Content-Type": "application/x-ndjson"})
        ask("/v1/forget", keys["admin"], "POST", f"client={client}")
        ask("/v1/forget", keys["admin"], "POST", f"client={client}/x&{client}=1")


# --- where it is looked for ---

def files(folder):
    for path, _, names in os.walk(folder):
        for name in sorted(names):
            full = os.path.join(path, name)
            if os.path.isfile(full):
                yield full


def segment(data):
    """Rows of a segment of the feed: lib/feed/feed_private.h has the form."""
    packed, at = b"", 32
    while len(data) - at >= 48:
        size = struct.unpack(">I", data[at + 36:at + 40])[0]
        packed += data[at + 48:at + 48 + size]
        at += 48 + size
    return subprocess.run(["zstd", "-dc"], input=packed, capture_output=True, check=True).stdout if packed else b""


def content(path):
    with open(path, "rb") as f:
        data = f.read()
    if path.endswith(".gz"):
        data += gzip.decompress(data)
    if path.endswith(".feed") and shutil.which("zstd"):
        data += segment(data)
    if path.endswith(".sst") and shutil.which("sst_dump"):
        text = subprocess.run(["sst_dump", "--file=" + path, "--command=scan", "--output_hex", "--verify_checksum"], capture_output=True,
                              check=True).stdout
        data += text.lower()
    return data


def stored(collector, where):
    """Which of the planted stand in which file; those of filtered clients in which."""
    bad, design, unpacked, whole = [], set(), 0, FILTERED + ASKED
    for path in [*files(collector.store), *files(collector.dataset)]:
        data = content(path)
        unpacked += path.endswith(".sst")
        bad += [(os.path.relpath(path, collector.folder), a) for a in found(data, planted())]
        # Numbers of an address in a table are hexadecimal, as sst_dump writes them.
        if found(data, whole):
            design.add(os.path.relpath(path, collector.folder).split("/")[1])
    check(f"{where}: no file has a client's address, among them {unpacked} tables", not bad and unpacked > 0, bad[:5])
    if shutil.which("zstd"):
        check(f"{where}: and the feed was unpacked", any(wire_name("boxed.example") in content(path) for path in files(collector.dataset)
                                                        if path.endswith(".feed")))
    check(f"{where}: filtered clients are in the part of the log for them, and in the audit log where they were asked for",
          {"filtered"} <= design <= {"filtered", "audit.ndjson"}, design)


def answered(keys):
    """Everything that can be asked for."""
    today = time.strftime("%Y-%m-%d", time.gmtime())
    anonymous = ["/v1/log?filtered=no", "/v1/log?filtered=no&format=csv", "/v1/days?format=ndjson", "/v1/addresses", "/v1/status", "/v1",
                 "/v1/log?filtered=no&eve=2", "/dnsdb/v2/lookup/rrset/name/*.example", f"/dnsdb/v2/lookup/rdata/ip/{ANSWER}",
                 "/dnsdb/v2/summarize/rrset/name/*.example", "/dnsdb/v2/rate_limit", "/pdns/query/captured.example", f"/pdns/query/{ANSWER}",
                 f"/api/query?queryType=IP&target={ANSWER}&output=JSON", "/v1/pdns?name=*.example", f"/v1/pdns?ip={ANSWER}&group=t",
                 "/v1/pdns/summarize?name=*.example"]
    text, bad = "", []
    # And whatever else can be asked for without saying for what, but for what has no end.
    anonymous += [route["path"] for route in json.loads(ask("/v1", keys["log"])[2])["routes"] if route["method"] == "GET" and
                  route["role"] in ("metrics", "pdns", "log") and not route["path"].endswith("/") and
                  "!" not in route["parameters"] and route["path"] not in ("/v1/log", "/v1/pdns", "/v1/pdns/summarize", "/v1/feed")]
    for path in anonymous:
        status, head, body = ask(path, keys["log"])
        if status != 200:
            bad.append((path, status))
        text += body
        bad += [(path, a) for a in found((str(head) + body).encode(), planted() + [*FILTERED, *ASKED])]
    status, head, body = ask("/metrics", keys["metrics"])
    bad += [("/metrics", a) for a in found((str(head) + body).encode(), planted() + [*FILTERED, *ASKED])]
    check("no answer to who may see anonymous clients has an address", not bad, bad[:5])
    names = ["boxed", "resolved", "options", "captured", "row0", "row1", "inside"]
    equal("although all that was sent is there", [n for n in names if n + ".example" not in text], [])
    both = "".join(ask(path, keys["analyst"])[2] for path in ("/v1/log", f"/v1/infected?day={today}", f"/v1/infected?day={today}&format=ndjson"))
    equal("an analyst sees filtered clients whole", set(found(both.encode(), FILTERED)), set(FILTERED))
    equal("and no others", found(both.encode(), planted()), [])
    for key in ("pdns", "log"):
        equal(f"who has the role {key} does not", [ask("/v1/log", keys[key])[0], ask(f"/v1/infected?day={today}", keys[key])[0]], [403, 403])


def followed(keys):
    """The feed from its begin on, in both forms."""
    answers, names = [], ["boxed", "bad", "resolved", "options", "inside"]
    for accept in ("application/x-ndjson", "text/event-stream"):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
        connection.request("GET", "/v1/feed?from=oldest", headers={"X-API-Key": keys["pdns"], "Accept": accept})
        answers.append((accept, connection, connection.getresponse()))
    for accept, connection, answer in answers:
        lines, rows, quiet = [], 0, False
        # Without a row it says after five seconds where it is.
        while not quiet:
            line = answer.readline().decode()
            lines.append(line)
            rows += "rrname" in line
            quiet = rows > 0 and (line.startswith("{\"cursor\"") or (line == "\n" and "rrname" not in lines[-2] and lines[-2] != "\n"))
        connection.close()
        text = str(answer.headers) + "".join(lines)
        equal(f"the feed as {accept} has no client's address", found(text.encode(), planted() + [*FILTERED, *ASKED]), [])
        equal("although all that came in is there", [n for n in names if n + ".example" not in text], [])


def dumped(collector, keys):
    """The dumps of the day, as the collector makes them after midnight."""
    done = subprocess.run([collector.program, "pdns", "dump", "--dataset", collector.dataset, "--zone", "UTC", "--day",
                           time.strftime("%Y-%m-%d", time.gmtime(NOW))], capture_output=True, check=False, **collector.less)
    equal("the day is dumped", (done.returncode, found(done.stdout + done.stderr, planted())), (0, []))
    listed = json.loads(ask("/v1/dumps/", keys["pdns"])[2])["files"]
    bad, text = [], b""
    for file in listed:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
        connection.request("GET", "/v1/dumps/" + file["name"], headers={"X-API-Key": keys["pdns"]})
        answer = connection.getresponse()
        data = gzip.decompress(answer.read())
        bad += [(file["name"], a) for a in found(str(answer.headers).encode() + data, planted() + [*FILTERED, *ASKED])]
        text += data
        connection.close()
    equal("no dump has a client's address", (len(listed), bad), (7, []))
    equal("although all that was seen is there", [n for n in ("boxed", "resolved", "options", "captured", "row0", "inside")
                                                  if n.encode() + b".example" not in text], [])


def main():
    own_network()
    collector = Collector(sys.argv[1], "rate = 100000", "[pdns]", "store = FOLDER/pdns", "window = 1", "dump_days = 0")
    try:
        imported(collector)
        collector.up()
        keys = {role: collector.key(role, role) for role in ("metrics", "pdns", "log", "analyst", "admin")}
        sent(collector)
        time.sleep(2.5)
        headers(keys)
        parameters(keys)
        for client in ASKED:
            equal("a filtered client can be asked for", ask(f"/v1/log?client={client}", keys["analyst"])[2].count("\n"), 1)
        answered(keys)
        followed(keys)
        dumped(collector, keys)
        stored(collector, "while it runs")
        audit = json.dumps(collector.audit())
        equal("whom an analyst asked for is in the audit log", set(found(audit.encode(), ASKED)), set(ASKED))
        equal("the collector ends with exit status 0", collector.down(), 0)
        stored(collector, "behind its end")
        equal("no line of its log has an address", found(collector.said().encode(), planted() + [*FILTERED, *ASKED]), [])
        export = subprocess.run([collector.program, "pdns", "export", "--dataset", collector.dataset], capture_output=True, check=False).stdout
        check("an export of passive DNS has what was seen, and no client", b"captured.example" in export and not
              found(export, planted() + [*FILTERED, *ASKED]))
    finally:
        collector.remove()
    return Tap.end()


sys.exit(main())
