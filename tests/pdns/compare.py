#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What `dnsweir-collect pdns import` makes of a capture and of what it exported: compare.py PROGRAM CAPTURE

The capture is read here once more, with nothing but struct: UDP over IPv4 and IPv6, answers of class IN.
Prints TAP.
"""
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile

PROGRAM, CAPTURE = sys.argv[1:3]
TYPES = {1: "A", 2: "NS", 5: "CNAME", 12: "PTR", 15: "MX", 28: "AAAA", 65: "HTTPS"}
FAILED = []


def name(msg, off):
    """The name at an offset, in lower case, and where it ends."""
    labels, end, hops = [], None, 0
    while msg[off]:
        if msg[off] >= 0xc0:
            end = end or off + 2
            off = struct.unpack_from("!H", msg, off)[0] & 0x3fff
            hops += 1
            if hops > 100:
                raise ValueError("pointers")
            continue
        labels.append(msg[off + 1:off + 1 + msg[off]].decode("latin-1").lower())
        off += 1 + msg[off]
    return ".".join(labels) or ".", end or off + 1


def rdata(msg, kind, off, size):
    if kind == 1:
        return socket.inet_ntop(socket.AF_INET, msg[off:off + 4])
    if kind == 28:
        return socket.inet_ntop(socket.AF_INET6, msg[off:off + 16])
    if kind in (2, 5, 12):
        return name(msg, off)[0]
    if kind == 15:
        return f"{struct.unpack_from('!H', msg, off)[0]} {name(msg, off + 2)[0]}"
    return None


def answers(msg):
    flags, questions, count = struct.unpack_from("!xxHHH", msg)
    if not flags & 0x8000:
        return
    off = 12
    for _ in range(questions):
        off = name(msg, off)[1] + 4
    for _ in range(count):
        owner, off = name(msg, off)
        kind, klass, size = struct.unpack_from("!HH4xH", msg, off)
        off += 10
        if klass == 1 and kind in TYPES:
            yield owner, TYPES[kind], rdata(msg, kind, off, size)
        off += size


def datagram(frame):
    """The payload of a UDP datagram from port 53, or None."""
    kind, off = struct.unpack_from("!H", frame, 12)[0], 14
    while kind in (0x8100, 0x88a8):
        kind, off = struct.unpack_from("!H", frame, off + 2)[0], off + 4
    if kind == 0x0800 and frame[off + 9] == 17 and not struct.unpack_from("!H", frame, off + 6)[0] & 0x3fff:
        off += (frame[off] & 15) * 4
    elif kind == 0x86dd and frame[off + 6] == 17:
        off += 40
    else:
        return None
    port, size = struct.unpack_from("!H2xH", frame, off)
    return frame[off + 8:off + size] if port == 53 else None


def packets():
    with open(CAPTURE, "rb") as f:
        data = f.read()
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    off = 24
    while off < len(data):
        seconds, _, size = struct.unpack_from(order + "III", data, off)
        yield seconds, data[off + 16:off + 16 + size]
        off += 16 + size


def wanted():
    tuples = {}
    for seconds, frame in packets():
        msg = datagram(frame)
        try:
            found = list(answers(msg)) if msg and len(msg) >= 12 else []
        except (struct.error, IndexError, ValueError):
            found = []
        for key in found:
            first, last, count = tuples.get(key, (seconds, seconds, 0))
            tuples[key] = (min(first, seconds), max(last, seconds), count + 1)
    return tuples


def run(*words, status=0):
    done = subprocess.run([PROGRAM, "pdns", *words], capture_output=True, text=True, timeout=100)
    if done.returncode != status:
        FAILED.append(f"{words}: exit {done.returncode}, {done.stderr}")
    return done.stdout


def exported(folder):
    """(owner, type, text) -> (first, last, count), all bailiwicks together."""
    tuples = {}
    for line in run("export", "-D", folder).splitlines():
        o = json.loads(line)
        if o["rrtype"] not in TYPES.values():
            continue
        text = o["rdata"][0] if o["rrtype"] != "HTTPS" else None
        key = (o["rrname"], o["rrtype"], text)
        first, last, count = tuples.get(key, (o["time_first"], o["time_last"], 0))
        tuples[key] = (min(first, o["time_first"]), max(last, o["time_last"]), count + o["count"])
    return tuples


def signals(top, from_folder, tuples):
    """What is new since ever, and since the latest time; who shares what. Each tuple at a time of its own."""
    folder, path = os.path.join(top, "later"), os.path.join(top, "later.cof")
    with open(path, "w", encoding="utf-8") as f:
        for n, line in enumerate(run("export", "-D", from_folder).splitlines()):
            f.write(json.dumps(json.loads(line) | {"time_first": 10**9 - n, "time_last": 10**9}) + "\n")
    run("import", "-D", folder, path)
    rows = [json.loads(line) for line in run("new", "-D", folder, "--first-after", "1").splitlines()]
    owners = {owner for owner, _, _ in tuples}
    tell("all is new since ever, by time",
         {row["name"] for row in rows if row["new"] == "name"} >= owners
         and {row["new"] for row in rows} == {"name", "domain"}
         and [row["time_first"] for row in rows] == sorted(row["time_first"] for row in rows))
    lines = run("new", "-D", folder, "--first-after", "1", "--limit", "3", "--csv").splitlines()
    tell("a limit keeps the latest", len(lines) == 4 and
         [int(line.split(",")[0]) for line in lines[1:]] == [row["time_first"] for row in rows[-3:]])
    tell("nothing is new in the future", run("new", "-D", folder, "--first-after", "4000000000") == "")
    owner, _, address = sorted(key for key in tuples if key[1] == "A")[0]
    block = address.rsplit(".", 1)[0] + "."
    near = {name for name, kind, text in tuples if kind == "A" and text.startswith(block)}
    rows = [json.loads(line) for line in run("shared", "-D", folder, owner).splitlines()]
    rows = {row["name"] for row in rows if row["what"] == block + "0/24"}
    tell("who has names in the same network shares it",
         all(any(name == base or name.endswith("." + base) for name in near) for base in rows))
    counts = {}
    for name, kind, _ in tuples:
        counts[name] = counts.get(name, 0) + (kind in ("A", "AAAA"))
    rows = [json.loads(line) for line in run("flux", "-D", folder, *sorted(counts)).splitlines()]
    tell("addresses of names are counted",
         {row["name"]: row["addresses"] for row in rows} == {name: n for name, n in counts.items() if n})
    for words in (["flux", "--networks", "/nonexistent"], ["shared"], ["shared", "*.example.com"], ["similar", "a..b"], ["new", "x"],
                  ["similar", "--words", "/nonexistent", "a.example"]):
        run(words[0], "-D", folder, *words[1:], status=2)


def tell(sentence, good):
    number = tell.n = getattr(tell, "n", 0) + 1
    print(f"{'ok' if good else 'not ok'} {number} - {sentence}")
    if not good:
        FAILED.append(sentence)


def main():
    with tempfile.TemporaryDirectory() as top:
        one, other, copy = (os.path.join(top, n) for n in ("one", "other", "copy"))
        run("import", "-D", one, CAPTURE)
        there, found = wanted(), exported(one)
        for key in sorted(set(there) ^ set(found), key=str)[:10]:
            print(f"# only in one: {key}")
        print(f"# {len(there)} tuples")
        tell("a capture gives the tuples that another reader finds", bool(there) and set(there) == set(found))
        tell("with their times and counts", there == found)
        signals(top, one, there)
        run("import", "-D", one, CAPTURE, status=2)
        tell("a file is not counted twice", exported(one) == found)
        path = os.path.join(top, "export.cof")
        with open(path, "w", encoding="utf-8") as f:
            f.write(run("export", "-D", one))
        run("import", "-D", other, path)
        tell("what was exported is imported as it was", run("export", "-D", other) == run("export", "-D", one))
        run("backup", "-D", one, copy)
        tell("a backup has the same", run("export", "-D", copy) == run("export", "-D", one))
        run("import", "-D", one, "--again", CAPTURE)
        twice = {key: (first, last, 2 * count) for key, (first, last, count) in found.items()}
        tell("a file is counted once more if it is said so", exported(one) == twice)
    for problem in FAILED:
        print(f"# {problem}")
    print(f"1..{tell.n}")
    return 1 if FAILED else 0


sys.exit(main())
