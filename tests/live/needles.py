#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Whether what may be nowhere is somewhere: octets in hex, and what they are, in FOLDER/needles.json.

    needles.py search FOLDER PATH...     files with a needle in them; tables of RocksDB are searched as they
                                         are and decompressed, by sst_dump: 1 if there is one
    needles.py holds FOLDER TEXT PATH... whether a file or a table, decompressed, has that: 1 if not
    needles.py memory FOLDER PID         how many needles are in the memory of a process, in what core dumps
                                         have and in what they leave out
"""
import json
import os
import subprocess
import sys

import memory


def needles_read(folder):
    with open(f"{folder}/needles.json", encoding="ascii") as f:
        return [(what, bytes.fromhex(octets)) for what, octets in json.load(f)]


def wanted_in(path, wanted):
    """Four octets are too few to look for in what is as large as these. Dnstap has a client's address in
    field 4, behind its size."""
    if path.endswith(".tap"):
        return [(what, b"\x22\4" + octets if len(octets) == 4 else octets) for what, octets in wanted]
    if path.endswith(".core"):
        return [(what, octets) for what, octets in wanted if len(octets) > 4]
    return wanted


def hits_tell(path, data, wanted):
    wanted = wanted_in(path, wanted)
    hits = [what for what, octets in wanted if octets in data]
    for what in hits[:5]:
        print(f"{path}: {what}")
    return len(hits)


def table_open(path):
    """Keys and values of a table, one behind the other."""
    run = subprocess.run(["sst_dump", f"--file={path}", "--command=scan", "--output_hex"],
                         capture_output=True, check=True)
    data = bytearray()
    for line in run.stdout.split(b"\n"):
        if not line.startswith(b"'") or b" => " not in line:
            continue
        key, value = line.split(b" => ", 1)
        data += bytes.fromhex(key[1:key.index(b"'", 1)].decode()) + bytes.fromhex(value.decode()) + b"\0\0\0\0"
    return bytes(data)


def paths_of(place):
    if not os.path.isdir(place):
        yield place
    for folder, _, names in os.walk(place):
        yield from (os.path.join(folder, name) for name in names)


def pieces_of(path):
    """A file in pieces that have what lies across their ends, without those that are all zero, which is
    most of a core dump."""
    size, before = 1 << 22, b""
    zero = bytes(size)
    with open(path, "rb") as f:
        while data := f.read(size):
            if data != zero[:len(data)]:
                yield before + data
            before = data[-64:]


def contents_of(places):
    """Each file, and what a table has in it."""
    for path in (path for place in places for path in paths_of(place) if os.path.isfile(path)):
        try:
            for data in pieces_of(path):
                yield path, data
            if path.endswith(".sst"):
                yield path + ", decompressed", table_open(path)
        except FileNotFoundError:
            continue  # RocksDB has put it into another one


def search(folder, *places):
    wanted, hits, n, size = needles_read(folder), 0, 0, 0
    for path, data in contents_of(places):
        n, size = n + 1, size + len(data)
        hits += hits_tell(path, data, wanted)
    print(f"{n} pieces of files and tables, {size} octets, {len(wanted)} needles, {hits} hits")
    return 1 if hits or not n else 0


def holds(_, text, *places):
    return 0 if any(text.encode() in data for _, data in contents_of(places)) else 1


def memory_search(folder, pid):
    wanted = [octets for _, octets in needles_read(folder) if len(octets) > 4]
    dumped = left_out = 0
    for data, out in memory.pieces(pid):
        if data.count(0) == len(data):
            continue
        n = sum(data.count(octets) for octets in wanted)
        dumped, left_out = dumped + (0 if out else n), left_out + (n if out else 0)
    print(dumped, left_out)
    return 0


COMMANDS = {"search": search, "holds": holds, "memory": memory_search}

if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[1] not in COMMANDS:
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(2)
    sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]))
