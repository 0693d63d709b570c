#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Captures of every format that filter-pcap takes, and some that it refuses.

    make_captures.py FOLDER      writes FOLDER/good-*, FOLDER/bad-* and FOLDER/large-answer.pcap:
                                 one response of 64,073 bytes, 4,000 A records of large.example
"""
import struct
import sys

SIZES = [60, 14, 1, 0, 1514, 9000, 16128, 16129, 65407, 65408, 65535, 65536, 70000, 300000]


def frame(size):
    """No IP: an ethertype for experiments, and bytes that show when they are moved."""
    head = bytes.fromhex("02000000000102000000000288b5")
    return (head + bytes(i * 7 & 255 for i in range(size)))[:size]


def pcap(order, magic, linktype=1, sizes=()):
    data = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 96, linktype)
    for i, size in enumerate(sizes):
        data += struct.pack(order + "IIII", 1700000000 + i, 999999, size, size + 5) + frame(size)
    return data


def pcapng(order):
    def block(kind, body):
        body += bytes(-len(body) % 4)
        return struct.pack(order + "II", kind, len(body) + 12) + body + \
            struct.pack(order + "I", len(body) + 12)

    section = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    resolution = struct.pack(order + "HHIHH", 9, 1, 9 << 24, 0, 0)
    data = section + block(1, struct.pack(order + "HHI", 1, 0, 0)) + \
        block(1, struct.pack(order + "HHI", 1, 0, 99) + resolution)
    for i, size in enumerate(SIZES):
        comment = bytes(-size % 4) + struct.pack(order + "HH", 1, 4) + b"abcd" + bytes(4)
        data += block(6, struct.pack(order + "IIIII", i % 2, 1, 2, size, size + 1) + frame(size) +
                      comment)
    data += block(3, struct.pack(order + "I", 100) + frame(100))
    data += block(2, struct.pack(order + "HHIIII", 0, 0, 1, 2, 70, 70) + frame(70))
    data += block(5, b"1234" * 3) + block(0xBAD, b"xyz0")
    return data + section + block(1, struct.pack(order + "HHI", 1, 0, 0)) + \
        block(6, struct.pack(order + "IIIII", 0, 1, 2, 64, 64) + frame(64))


def held():
    """First fragments of responses whose rest never comes, more of them than can be held."""
    data = pcap("<", 0xA1B2C3D4)
    udp = struct.pack(">HHHH", 53, 40053, 600, 0) + struct.pack(">HHHHHH", 1, 0x8180, 0, 0, 0, 0) + bytes(4)
    for number in range(2 * 4096):
        packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0x2000, 64, 17, 0,
                             bytes((198, 51, 100, 53)), bytes((198, 51, 100, 10))) + udp
        content = bytes.fromhex("0200000000010200000000020800") + packet
        data += struct.pack("<IIII", 0, 0, len(content), len(content)) + content
    return data


def large_answer():
    name, records = b"\5large\7example\0", 4000
    message = struct.pack(">HHHHHH", 1, 0x8180, 1, records, 0, 0) + name + struct.pack(">HH", 1, 1)
    message += struct.pack(">HHHIH4s", 0xC00C, 1, 1, 3600, 4, bytes((203, 0, 113, 1))) * records
    udp = struct.pack(">HHHH", 53, 40053, 8 + len(message), 0) + message
    packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                         bytes((198, 51, 100, 53)), bytes((198, 51, 100, 10))) + udp
    data = bytes.fromhex("0200000000010200000000020800") + packet
    return pcap("<", 0xA1B2C3D4) + struct.pack("<IIII", 0, 0, len(data), len(data)) + data


def main(folder):
    us, ns = 0xA1B2C3D4, 0xA1B23C4D
    head = pcap("<", us)
    captures = {
        "good-le-us.pcap": pcap("<", us, 1, SIZES), "good-be-us.pcap": pcap(">", us, 1, SIZES),
        "good-le-ns.pcap": pcap("<", ns, 1, SIZES), "good-be-ns.pcap": pcap(">", ns, 1, SIZES),
        "good-le.pcapng": pcapng("<"), "good-be.pcapng": pcapng(">"), "good-empty.pcap": head,
        "good-held.pcap": held(),
        "large-answer.pcap": large_answer(), "bad-no-bytes.pcap": b"", "bad-text.pcap": b"neither one nor the other\n",
        "bad-header-cut.pcap": head[:20], "bad-record-cut.pcap": head + b"123",
        "bad-frame-cut.pcap": pcap("<", us, 1, [60])[:-1],
        "bad-linktype.pcap": pcap("<", us, 101, [60]), "bad-block.pcapng": pcapng("<")[:-3],
    }
    for name, data in captures.items():
        with open(f"{folder}/{name}", "wb") as f:
            f.write(data)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
