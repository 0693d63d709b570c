#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The dearest messages that we know how to make, for scripts/check_instructions:

    worst.py FRAMES.pcap NAMES.txt      the frames, and the list that they are dear with
    worst.py --kinds                    "KIND SIZE" of each frame, in their order

Each kind is one way to make the stages of lib/pipeline work; each stands there in a datagram that
fits an Ethernet frame and in one of all the octets that a datagram may have, which is what a
message over TCP comes to.
"""
import struct
import sys

SMALL = 1472  # octets of a message in a frame of 1,500
LARGE = 65493
HOLD = 0xC00C  # a pointer to the first question
A, CNAME, TXT, AAAA, HTTPS = 1, 5, 16, 28, 65
LISTED = b"\x04evil\x07example\x00"
DEEP = b"\x01a" * 120 + LISTED  # as many labels as a name with these two has room for
MISS = b"\x04good\x07example\x00"


def record(owner, kind=A, rdata=b"\xc6\x33\x64\x42"):
    return owner + struct.pack("!HHIH", kind, 1, 300, len(rdata)) + rdata


def question(name):
    return name + struct.pack("!HH", A, 1)


def pointer(at):
    return struct.pack("!H", 0xC000 | (at if at < 0x4000 else 12))


class Message:
    def __init__(self, size, name=MISS):
        self.size = size
        self.n_questions = self.n_answers = 0
        self.body = b""
        self.ask(name)

    def at(self):
        return 12 + len(self.body)

    def left(self):
        return self.size - self.at()

    def ask(self, name):
        self.n_questions += 1
        self.body += question(name)

    def add(self, octets):
        """@return whether there was room"""
        if len(octets) > self.left():
            return False
        self.n_answers += 1
        self.body += octets
        return True

    def octets(self):
        return struct.pack("!6H", 1, 0x8180, self.n_questions, self.n_answers, 0, 0) + self.body


def small_name(i):
    """A name of its own for each i, without a pointer."""
    digits = "%x" % i
    return bytes([len(digits)]) + digits.encode() + b"\x01z\x00"


def names_short(size):
    m = Message(size)
    i = 0
    while m.add(record(small_name(i), TXT, b"")):
        i += 1
    return m


def names_deep(size):
    """Names of as many labels as there may be, in one piece."""
    m = Message(size)
    i = 0
    while m.add(record(bytes([1, 97 + i % 26]) + b"\x01b" * 126 + b"\x00", TXT, b"")):
        i += 1
    return m


def names_shared(size):
    """Names that start at each label of one deep name, a pointer each."""
    m = Message(size, b"\x01b" * 127 + b"\x00")
    i = 0
    while m.add(record(pointer(12 + 2 * (i % 125)), TXT, b"")):
        i += 1
    return m


def names_of_chains(size):
    """A pointer that leads to a pointer, and so on, as far as may be."""
    m = Message(size)
    to = 12
    while True:
        at = m.at()
        if not m.add(record(pointer(to), TXT, b"")):
            return m
        to = at if m.n_answers % 120 else 12


def names_mixed(size):
    """Deep names, and pointers into them."""
    m = Message(size)
    starts = []
    for i in range(4):
        starts.append(m.at())
        m.add(record(bytes([1, 97 + i]) + b"\x01b" * 126 + b"\x00", TXT, b""))
    i = 0
    while m.add(record(pointer(starts[i % 4] + 2 * (i // 4 * 5 % 125)), TXT, b"")):
        i += 1
    return m


def names_hops(size):
    """As many pointers as a name may have, in the RDATA of one record, again and again."""
    m = Message(size)
    while True:
        at = m.at() + 12
        chain = pointer(12) + b"".join(pointer(at + 2 * i) for i in range(125))
        if not (m.add(record(pointer(12), TXT, chain)) and
                m.add(record(pointer(at + 250), TXT, b""))):
            return m


def names_listed(size):
    """Deep names below a listed one, that go on below it label by label."""
    m = Message(size, DEEP)
    i = 0
    while m.add(record(bytes([1, 97 + i % 26]) + pointer(12 + 2), TXT, b"")):
        i += 1
    return m


def targets(size):
    m = Message(size)
    i = 0
    while m.add(record(pointer(12), CNAME, small_name(i))):
        i += 1
    return m


def services(size):
    m = Message(size)
    i = 0
    while m.add(record(pointer(12), HTTPS, b"\x00\x01" + small_name(i))):
        i += 1
    return m


def questions(size):
    m = Message(size)
    while m.left() >= 6:
        m.ask(pointer(12))
    return m


def questions_root(size):
    m = Message(size)
    while m.left() >= 5 and m.n_questions < 65535:
        m.ask(b"\x00")
    return m


def records(size):
    m = Message(size)
    while m.add(record(pointer(12), TXT, b"")):
        pass
    return m


def records_root(size):
    m = Message(size)
    while m.add(record(b"\x00", TXT, b"")):
        pass
    return m


def records_long(size):
    """Owner names of many labels that are stepped over."""
    m = Message(size)
    while m.add(record(b"\x01b" * 126 + pointer(12)[:0] + b"\x00", TXT, b"")):
        pass
    return m


def hit_addresses(size):
    m = Message(size, LISTED)
    while m.add(record(pointer(12))):
        pass
    return m


def hit_names(size):
    m = Message(size, LISTED)
    i = 0
    while m.add(record(small_name(i))):
        i += 1
    return m


KINDS = [
    names_short,
    names_deep,
    names_shared,
    names_of_chains,
    names_mixed,
    names_hops,
    names_listed,
    targets,
    services,
    questions,
    questions_root,
    records,
    records_root,
    records_long,
    hit_addresses,
    hit_names,
]


def frame(message):
    udp = struct.pack("!4H", 53, 40000, 8 + len(message), 0x1234) + message
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                     bytes([198, 51, 100, 53]), bytes([203, 0, 113, 7]))
    return b"\x02\x00\x00\x00\x00\x01" b"\x02\x00\x00\x00\x00\x02" b"\x08\x00" + ip + udp


def main():
    frames = [(kind, size) for kind in KINDS for size in (SMALL, LARGE)]
    if sys.argv[1:] == ["--kinds"]:
        for kind, size in frames:
            print(kind.__name__, size)
        return
    if len(sys.argv) != 3:
        sys.exit("usage: worst.py FRAMES.pcap NAMES.txt | --kinds")
    with open(sys.argv[1], "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for kind, size in frames:
            octets = frame(kind(size).octets())
            out.write(struct.pack("<4I", 0, 0, len(octets), len(octets)) + octets)
    with open(sys.argv[2], "w", encoding="ascii") as out:
        out.write("evil.example\n")
        # Rules for some names on the way down to a deep one, as lists have them.
        for labels in range(1, 4):
            out.write("a." * labels + "evil.example\n." + "a." * labels + "evil.example\n")


if __name__ == "__main__":
    main()
