#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Names for the tests over bad wires.

    impaired.py FOLDER
        impaired.zone; listed.txt, the names on the list; and queries, a line each, NAME TYPE [listed]:
        small.txt (answers of up to 512 octets), middle.txt (and of up to 4,000), large.txt (and of up to
        60,000), tools-listed.txt and tools-others.txt (A and AAAA, for programs that ask one by one)
"""
import random
import socket
import struct
import sys

NAMES = 120
CHAINS = 15
ZONE = "impaired"
MIDDLE = (40, 90, 200)  # A records: 0.7 to 3.3 KB
LARGE = (1000, 3700)  # 16 and 60 KB


class Names:
    """Every address is another, and no octets of text are those of an address."""

    def __init__(self):
        self.zone, self.listed, self.queries = [], [], {"small": [], "middle": [], "large": []}
        self.next, self.dice = 0, random.Random(4)

    def address(self, kind):
        self.next += 1
        if kind == "A":
            return socket.inet_ntop(socket.AF_INET, struct.pack(">I", 0xC6120000 + self.next))
        packed = bytes.fromhex("20010db80030") + bytes(6) + struct.pack(">I", 0xC0DE0000 + self.next)
        return socket.inet_ntop(socket.AF_INET6, packed)

    def add(self, name, listed, counts, text=0, size="small"):
        """A name with so many A and AAAA records, and so many octets of TXT."""
        if listed:
            self.listed.append(f"{name}.{ZONE}")
        for kind, count in counts.items():
            ttl = self.dice.choice((5, 300, 3600))
            self.zone += [f"{name} {ttl} {kind} {self.address(kind)}" for _ in range(count)]
            self.ask(name, kind, listed, size)
        if text:
            strings = " ".join(f'"{"x" * min(200, text - at)}"' for at in range(0, text, 200))
            self.zone.append(f"{name} TXT {strings}")
            self.ask(name, "TXT", listed, size)

    def alias(self, name, target, listed):
        self.zone += [f"{name} CNAME {name}-1", f"{name}-1 CNAME {name}-2", f"{name}-2 CNAME {target}"]
        self.ask(name, "A", listed, "small")
        self.ask(name, "AAAA", listed, "small")

    def ask(self, name, kind, listed, size):
        self.queries[size].append(f"{name}.{ZONE} {kind}{' listed' if listed else ''}")


def make():
    names = Names()
    for i in range(NAMES):
        for listed in (True, False):
            counts = {"A": 1 + i % 3, "AAAA": 1 + i % 2}
            names.add(f"{'lu'[not listed]}{i:03}", listed, counts, 20 + 3 * i if i % 4 == 0 else 0)
    for i in range(CHAINS):
        names.alias(f"to-l{i:03}", f"l{i:03}", True)
        names.alias(f"to-u{i:03}", f"u{i:03}", False)
        names.ask(f"none{i:03}", "A", False, "small")
    for size, numbers in (("middle", MIDDLE), ("large", LARGE)):
        for n in numbers:
            for listed in (True, False):
                tail = f"{n}{'lu'[not listed]}"
                names.add(f"a{tail}", listed, {"A": n}, 0, size)
                names.add(f"q{tail}", listed, {"AAAA": n // 2}, 0, size)
                names.add(f"t{tail}", listed, {}, 16 * n, size)
    return names


def write(path, lines):
    with open(path, "w", encoding="ascii") as f:
        f.writelines(f"{line}\n" for line in lines)


def main(arguments):
    if len(arguments) != 1:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    folder, names = arguments[0], make()
    soa = f"@ SOA ns.{ZONE}. hostmaster.{ZONE}. 1 3600 600 86400 300"
    head = [f"$ORIGIN {ZONE}.", "$TTL 3600", soa, "@ NS ns", "ns A 198.51.100.53"]
    write(f"{folder}/{ZONE}.zone", head + names.zone)
    write(f"{folder}/listed.txt", names.listed)
    small, middle, large = (names.queries[size] for size in ("small", "middle", "large"))
    for lines in (small, middle, large):
        names.dice.shuffle(lines)
    # The larger ones between the others, several times.
    for name, lines in (("small", small), ("middle", small[:200] + 8 * middle),
                        ("large", small[:200] + 4 * middle + 2 * large)):
        names.dice.shuffle(lines)
        write(f"{folder}/{name}.txt", lines)
    tools = [line for line in small[:150] + middle if "TXT" not in line]
    write(f"{folder}/tools-listed.txt", [line for line in tools if "listed" in line])
    write(f"{folder}/tools-others.txt", [line for line in tools if "listed" not in line])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
