#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Queries in known numbers, and what they come to in a file of totals.

    totals.py ask SERVER4 SERVER6 TABLE     ask what the table says, in turns; 1 if an answer is missing
    totals.py expect TABLE TIMES            what that comes to, asked so often
    totals.py sums FILE [BOX]               what is in the file, in the same words
    totals.py between FILE TABLE MIN MAX    whether each number in the file is that of MIN to MAX times; 1: no
    totals.py hours FILE SECONDS            hours of the file that do not begin SECONDS behind one of UTC

A line of the table: COUNT NAME TYPE HOW FROM RCODE [LIST/ID/ACTION]...
HOW is udp, tcp, or quiet (over UDP, and no answer comes); FROM is an address, or 4 or 6; RCODE is a
number, or - for what is in no total.
"""
import collections
import contextlib
import socket
import sqlite3
import struct
import sys

TYPES = {"A": 1, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "HTTPS": 65}
TIMEOUT = 5.0
ANY = {"4": "0.0.0.0", "6": "::"}


def table_read(path):
    with open(path, encoding="utf-8") as f:
        for line in f:
            count, name, kind, how, source, rcode, *hits = line.split()
            yield int(count), name, kind, how, source, rcode, hits


def query_make(number, name, kind):
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split("."))
    return struct.pack(">6H", number & 0xffff, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(
        ">2H", TYPES[kind], 1)


def tcp_read(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise OSError("the connection ended")
        data += more
    return data


class Asker:
    """Asks one at a time; no query is sent twice, since the box would count its answer twice."""

    def __init__(self, server4, server6):
        self.servers = {socket.AF_INET: server4, socket.AF_INET6: server6}
        self.sockets = {}
        self.number = 0

    def ask(self, name, kind, how, source):
        self.number += 1
        query = query_make(self.number, name, kind)
        address = ANY.get(source, source)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        server = (self.servers[family], 53)
        if how == "tcp":
            with socket.socket(family, socket.SOCK_STREAM) as sock:
                sock.settimeout(TIMEOUT)
                sock.bind((address, 0))
                sock.connect(server)
                sock.sendall(struct.pack(">H", len(query)) + query)
                tcp_read(sock, struct.unpack(">H", tcp_read(sock, 2))[0])
            return
        sock = self.sockets.get(address)
        if not sock:
            sock = self.sockets[address] = socket.socket(family, socket.SOCK_DGRAM)
            sock.settimeout(TIMEOUT)
            sock.bind((address, 0))
        sock.sendto(query, server)
        while how == "udp" and sock.recv(65535)[:2] != query[:2]:
            pass


def ask(server4, server6, path):
    left = [list(row) for row in table_read(path)]
    asker = Asker(server4, server6)
    try:
        while left:
            for row in left:
                asker.ask(*row[1:5])
                row[0] -= 1
            left = [row for row in left if row[0] > 0]
    except OSError as error:
        print(f"query {asker.number}: {error}")
        return 1
    print(f"asked {asker.number}")
    return 0


def expected(path, times):
    rows = collections.Counter()
    for count, _, kind, _, _, rcode, hits in table_read(path):
        if rcode != "-":
            rows[f"{rcode} {kind}"] += count * times
        for hit in hits:
            rows[hit] += count * times
    return rows


def found(path, box=None):
    rows = collections.Counter()
    names = {number: name for name, number in TYPES.items()}
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
        where = ("WHERE box = ?", (box,)) if box else ("", ())
        for rcode, kind, n in db.execute(f"SELECT rcode, type, n FROM responses {where[0]}", where[1]):
            rows[f"{rcode} {names.get(kind, kind)}"] += n
        for *hit, n in db.execute(f"SELECT list, id, action, n FROM filtered {where[0]}", where[1]):
            rows["/".join(hit)] += n
    return rows


def rows_print(rows):
    for key in sorted(rows):
        print(key, rows[key])
    return 0


def expect(path, times):
    return rows_print(expected(path, int(times)))


def sums(path, box=None):
    return rows_print(found(path, box))


def between(path, table, least, most):
    rows, low, high = found(path), expected(table, int(least)), expected(table, int(most))
    bad = [key for key in rows.keys() | high.keys() if not low[key] <= rows[key] <= high[key]]
    for key in sorted(bad):
        print(f"{key}: expected {low[key]}..{high[key]}, got {rows[key]}")
    return 1 if bad else 0


def hours(path, seconds):
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
        (n,), = db.execute("SELECT count(*) FROM (SELECT hour FROM responses UNION ALL SELECT hour "
                           "FROM filtered) WHERE hour % 3600 <> ?", (int(seconds),))
    print(n)
    return 0


COMMANDS = {"ask": ask, "expect": expect, "sums": sums, "between": between, "hours": hours}

if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in COMMANDS:
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(2)
    sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]))
