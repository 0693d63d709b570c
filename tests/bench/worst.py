#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The dearest messages that we know how to make, for scripts/check_instructions:

    worst.py FRAMES.pcap NAMES.txt      the frames, and the list that they are dear with
    worst.py --kinds                    "KIND SIZE" of each frame, in their order
    worst.py --patterns ...             those that are dear where there are lists of patterns

Each kind is one way to make the stages of lib/pipeline work; each stands there in a datagram that
fits an Ethernet frame, in one that clients take in fragments, and in one of all the octets that a
datagram may have, which is what a message over TCP comes to. What begins with "hit" is held against
what a hit takes.
"""
import struct
import sys

SMALL = 1472  # octets of a message in a frame of 1,500
MIDDLE = 4096  # in three fragments: what a client announces at most
LARGE = 65493
HOLD = 0xC00C  # a pointer to the first question
A, CNAME, TXT, AAAA, DNAME, OPT, RRSIG, HTTPS = 1, 5, 16, 28, 39, 41, 46, 65
LISTED = b"\x04evil\x07example\x00"
DEEP = b"\x01a" * 120 + LISTED  # as many labels as a name with these two has room for
MISS = b"\x04good\x07example\x00"
NEAR = b"\x01c" * 120 + b"\x04near\x07example\x00"  # listed as a whole
BESIDE = b"\x04side\x07example\x00"  # not listed, names below it are


def record(owner, kind=A, rdata=b"\xc6\x33\x64\x42"):
    return owner + struct.pack("!HHIH", kind, 1, 300, len(rdata)) + rdata


def question(name):
    return name + struct.pack("!HH", A, 1)


def pointer(at):
    return struct.pack("!H", 0xC000 | (at if at < 0x4000 else 12))


class Message:
    def __init__(self, size, name=MISS):
        self.size = size
        self.n_questions = self.n_answers = self.n_additional = 0
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

    def add_behind(self, octets):
        """The same in the additional section."""
        added = self.add(octets)
        self.n_answers -= added
        self.n_additional += added
        return added

    def octets(self):
        return struct.pack("!6H", 1, 0x8180, self.n_questions, self.n_answers, 0,
                           self.n_additional) + self.body


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


def hit_listed(size):
    """Deep names below a listed one, that go on below it label by label."""
    m = Message(size, DEEP)
    i = 0
    while m.add(record(bytes([1, 97 + i % 26]) + pointer(12 + 2), TXT, b"")):
        i += 1
    return m


def names_beside(size):
    """The same below a name that is not listed, with labels of their own."""
    m = Message(size, BESIDE)
    while m.add(record(b"\x01x\x01a\x01a\x01a" + pointer(12), TXT, b"")):
        pass
    return m


def names_beside_deep(size):
    """The same, deep, and with the same labels."""
    m = Message(size, b"\x01a" * 120 + BESIDE)
    i = 0
    while m.add(record(bytes([1, 97 + i % 26]) + pointer(12 + 2), TXT, b"")):
        i += 1
    return m


def names_near(size):
    """Names that differ from a deep listed one in their first label only."""
    m = Message(size)
    while m.add(record(pointer(12), CNAME, b"\x01d" + NEAR[2:])):
        pass
    return m


def names_near_shared(size):
    """The same, with one set of labels."""
    m = Message(size, NEAR[2:])
    i = 0
    while m.add(record(bytes([1, 100 + i % 23]) + pointer(12), TXT, b"")):
        i += 1
    return m


def in_pieces(m, name, each=1):
    """A name with a pointer behind so many labels, in the RDATA of a record. Returns where it starts."""
    labels = []
    while name[0]:
        label, name = name[:name[0] + 1], name[name[0] + 1:]
        if labels and labels[-1][1] < each:
            labels[-1] = (labels[-1][0] + label, labels[-1][1] + 1)
        else:
            labels.append((label, 1))
    labels = [label for label, _ in labels]
    at = m.at() + 12
    rdata = labels.pop() + b"\x00"
    for label in reversed(labels):
        to, at = at, m.at() + 12 + len(rdata)
        rdata += label + pointer(to)
    return at if m.add(record(pointer(12), TXT, rdata)) else 0


def names_near_pieces(size):
    """The same, with a pointer behind each label."""
    m = Message(size)
    while (at := in_pieces(m, b"\x01d" + NEAR[2:])) and m.add(record(pointer(12), CNAME, pointer(at))):
        pass
    return m


def names_near_cut(size):
    """The same, with a pointer behind every other label: the dearest that tests/verdict asks."""
    m = Message(size, b"\x01d" + NEAR[2:])
    while (at := in_pieces(m, b"\x01d" + NEAR[2:], 2)) and m.add(record(pointer(12), CNAME, pointer(at))):
        pass
    return m


def names_pieces(size):
    """Names that are not near a listed one, with a pointer behind each label."""
    m = Message(size)
    while (at := in_pieces(m, b"\x01b" * 127 + b"\x00")) and m.add(record(pointer(12), CNAME, pointer(at))):
        pass
    return m


def links(size):
    """As many records as may be, each with an owner and a target of its own, next to listed names."""
    m = Message(size, b"\x01a" * 110 + BESIDE)
    i = 0
    while m.add(record(pointer(12 + 2 * (i % 100)), CNAME, pointer(12 + 2 * ((i + 50) % 100)))):
        i += 1
    return m


def names_and_records(size):
    """A name every other record."""
    m = Message(size)
    i = 0
    while m.add(record(small_name(i), TXT, b"")) and m.add(record(pointer(12), TXT, b"")):
        i += 1
    return m


def names_behind_records(size):
    """Records that take little, and names at last."""
    m = Message(size)
    i = 0
    while m.left() > size / 2 and m.add(record(pointer(12), TXT, b"")):
        pass
    while m.add(record(small_name(i), TXT, b"")):
        i += 1
    return m


def names_long(size):
    """Labels as long as there may be."""
    m = Message(size)
    i = 0
    while m.add(record(b"\x3f%063d\x3f%063d" % (i, i) + pointer(12), TXT, b"")):
        i += 1
    return m


def names_few_hops(size):
    """A label and a pointer to the one before, as far as may be."""
    m = Message(size)
    to = 12
    while True:
        at = m.at()
        if not m.add(record(b"\x01x" + pointer(to), TXT, b"")):
            return m
        to = at if m.n_answers % 100 else 12


def chains(size):
    """DNAMEs and what they make of names, step by step."""
    m = Message(size)
    owner = pointer(12)
    i = 0
    while True:
        target = small_name(i)
        at = m.at() + len(owner[-2:]) + 10
        if not (m.add(record(pointer(17), DNAME, target)) and
                m.add(record(owner[-2:], CNAME, b"\x01x" + pointer(at)))):
            return m
        owner = pointer(m.at() - 4)
        i += 1


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


def services_bad(size):
    """Targets that cannot be read, far from where that is seen: they are passed over."""
    m = Message(size)
    at = m.at() + 12
    chain = pointer(at) + b"".join(pointer(at + 2 * i) for i in range(120))
    m.add(record(pointer(12), TXT, chain))
    while m.add(record(pointer(12), HTTPS, b"\x00\x01" + pointer(at + 240))):
        pass
    return m


def services_long(size):
    """Targets that are too long by one label."""
    m = Message(size, b"\x01b" * 127 + b"\x00")
    while m.add(record(pointer(12), HTTPS, b"\x00\x01\x01b" + pointer(12))):
        pass
    return m


def services_keys(size):
    """Many parameters."""
    m = Message(size)
    keys = b"".join(struct.pack("!HH", 100 + i, 0) for i in range(min(16000, (m.left() - 20) // 4)))
    m.add(record(pointer(12), HTTPS, b"\x00\x01\x00" + keys))
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


def hit_services(size):
    """Hints of many records, each with keys to look through."""
    m = Message(size, LISTED)
    rdata = b"\x00\x01\x00" + b"".join(struct.pack("!HH", i, 0) for i in (1, 2, 3)) + \
        struct.pack("!HH4B", 4, 4, 198, 51, 100, 66) + struct.pack("!HH", 5, 0)
    while m.add(record(pointer(12), HTTPS, rdata)):
        pass
    return m


def hit_keys(size):
    """Many parameters."""
    m = Message(size, LISTED)
    keys = b"".join(struct.pack("!HH", 100 + i, 0) for i in range(min(16000, (m.left() - 20) // 4)))
    m.add(record(pointer(12), HTTPS, b"\x00\x01\x00" + keys))
    return m


def hit_signatures(size):
    """Signatures that are cut out, between names whose pointers have to follow."""
    m = Message(size, LISTED)
    signature = struct.pack("!H", A) + bytes(16) + b"\x00"
    for i in range(8):
        m.add(record(pointer(12)))
        m.add(record(pointer(12), RRSIG, signature))
    to = m.at()
    m.add(record(b"\x01x" + pointer(12), A))
    while m.add(record(pointer(to), A)):
        pass
    return m


def hit_additional(size):
    """Addresses in the additional section, of names that have to be compared."""
    m = Message(size, LISTED)
    for i in range(12):
        m.add(record(bytes([1, 97 + i]) + b"\x01b" * 5 + pointer(12), TXT, b""))
    while m.add_behind(record(b"\x01z" + b"\x01b" * 5 + pointer(12))):
        pass
    return m


def hit_options(size):
    """Options of the OPT, which say nothing."""
    m = Message(size, LISTED)
    m.add(record(pointer(12)))
    options = struct.pack("!HH", 65001, 0) * min(16000, (m.left() - 11) // 4)
    m.add_behind(b"\x00" + struct.pack("!HHIH", OPT, 1232, 0x8000, len(options)) + options)
    return m


def hit_chain(size):
    """A chain without an address."""
    m = Message(size, LISTED)
    owner = pointer(12)
    i = 0
    while True:
        at = m.at() + 12
        if not m.add(record(owner, CNAME, small_name(i))):
            return m
        owner = pointer(at)
        i += 1


def suffix_shared(m):
    """Names of 255 octets that share all but their first label, in as many records as may be."""
    i = 0
    while m.add(record(bytes([1, 97 + i % 26]) + pointer(12), TXT, b"")):
        i += 1
    return m


def long_name(*labels):
    """A name of as many of these labels, in turn, as leave room for one of one octet."""
    name = b""
    while True:
        for label in labels:
            if len(name) + len(label) + 4 > 255:
                return name + b"\x00"
            name += bytes([len(label)]) + label


def scan_plain(size):
    """Nothing that an expression asks for."""
    return suffix_shared(Message(size, long_name(b"c" * 62)))


def scan_escaped(size):
    """Octets that are written as four each."""
    return suffix_shared(Message(size, long_name(b"\x01" * 62)))


def scan_labels(size):
    return suffix_shared(Message(size, long_name(b"c")))


def scan_lures(size):
    """Halves of what many expressions ask for, of the lists that `gen patterns` and `gen wordless` make."""
    return suffix_shared(Message(size, long_name(b"login-login", b"serveo", b"net")))


def scan_words(size):
    """Words that an expression requires, and nothing else of it."""
    return suffix_shared(Message(size, long_name(b"ogfpjbs")))


# Further ones where there are lists of patterns.
SCANNED = [scan_plain, scan_escaped, scan_labels, scan_lures, scan_words]

KINDS = [
    names_short,
    names_deep,
    names_shared,
    names_of_chains,
    names_mixed,
    names_hops,
    names_beside,
    names_beside_deep,
    names_near,
    names_near_shared,
    names_near_pieces,
    names_near_cut,
    names_pieces,
    links,
    names_and_records,
    names_behind_records,
    names_long,
    names_few_hops,
    chains,
    targets,
    services,
    services_bad,
    services_long,
    services_keys,
    questions,
    questions_root,
    records,
    records_root,
    records_long,
    hit_addresses,
    hit_names,
    hit_listed,
    hit_services,
    hit_keys,
    hit_signatures,
    hit_additional,
    hit_options,
    hit_chain,
]


def frame(message):
    udp = struct.pack("!4H", 53, 40000, 8 + len(message), 0x1234) + message
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                     bytes([198, 51, 100, 53]), bytes([203, 0, 113, 7]))
    return b"\x02\x00\x00\x00\x00\x01" b"\x02\x00\x00\x00\x00\x02" b"\x08\x00" + ip + udp


def main():
    scanned = sys.argv[1:2] == ["--patterns"]
    if scanned:
        del sys.argv[1]
    kinds = SCANNED + [kind for kind in KINDS if not kind.__name__.startswith("hit")] if scanned else KINDS
    frames = [(kind, size) for kind in kinds for size in (SMALL, MIDDLE, LARGE)]
    if sys.argv[1:] == ["--kinds"]:
        for kind, size in frames:
            print(kind.__name__, size)
        return
    if len(sys.argv) != 3:
        sys.exit("usage: worst.py [--patterns] FRAMES.pcap NAMES.txt | --kinds")
    with open(sys.argv[1], "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for kind, size in frames:
            octets = frame(kind(size).octets())
            out.write(struct.pack("<4I", 0, 0, len(octets), len(octets)) + octets)
    with open(sys.argv[2], "w", encoding="ascii") as out:
        out.write("evil.example\na.a.a.side.example\nb.a.a.side.example\nb.a.side.example\nb.side.example\n")
        out.write("c." * 120 + "near.example\n")
        # Rules for some names on the way down to a deep one, as lists have them.
        for labels in range(1, 4):
            out.write("a." * labels + "evil.example\n." + "a." * labels + "evil.example\n")


if __name__ == "__main__":
    main()
