#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What others keep of their rate beside a flood; for flows.sh.

    flood.py captures FOLDER   writes answers.pcap and queries.pcap; and the same with a packet of a flood
                               behind every 31: fragment-answers.pcap, syn-ack-answers.pcap, syn-queries.pcap
    flood.py count SOCKET PID S   packets that the box took in S seconds, those of others, and the nanoseconds
                               that its worker had the CPU
    flood.py share RATE        of lines on stdin, "alone|beside PACKETS OTHERS NS", several of each: packets
                               of others a second alone and beside the flood, those of the flood, and what
                               others keep of their rate beside RATE packets of it a second; medians
"""
import glob
import json
import socket
import statistics
import struct
import sys
import time

FLOOD = 2304  # packets: more fragments than can be held, so that each is a new one when it comes again
OTHERS = 31   # packets of others before each: one in a burst, where it costs others most
ETHER = bytes.fromhex("0200000000010200000000020800")
RESOLVER, CLIENTS = bytes((198, 19, 255, 53)), 0xC6120001
NAMES, UDP, TCP = 1000, 17, 6
SYN, ACK = 0x02, 0x10


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(number, protocol, payload, source, target, more=False):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), number & 0xFFFF, 0x2000 if more else 0, 64, protocol,
                       0, source, target)
    return ETHER + head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def name(number):
    """Half of them are listed by flows.sh."""
    label = f"{'ul'[number % 2]}{number % NAMES}"
    return label, bytes([len(label)]) + label.encode() + b"\5flows\0"


def client(number):
    return struct.pack(">I", CLIENTS + number % 1000)


def answer(number):
    message = struct.pack(">HHHHHH", number & 0xFFFF, 0x8180, 1, 1, 0, 0) + name(number)[1] + struct.pack(">HH", 1, 1)
    message += struct.pack(">HHHIH4s", 0xC00C, 1, 1, 300, 4, bytes((203, 0, 113, 1)))
    return ip(number, UDP, struct.pack(">HHHH", 53, 1024 + number % 60000, 8 + len(message), 0) + message, RESOLVER, client(number))


def query(number):
    message = struct.pack(">HHHHHH", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + name(number)[1] + struct.pack(">HH", 1, 1)
    return ip(number, UDP, struct.pack(">HHHH", 1024 + number % 60000, 53, 8 + len(message), 0) + message, client(number), RESOLVER)


def fragment(number):
    """The first of a datagram whose rest never comes."""
    payload = struct.pack(">HHHH", 53, 1024 + number % 60000, 1032, 0) + struct.pack(">HHHHHH", 1, 0x8180, 1, 1, 0, 0) + bytes(492)
    return ip(number, UDP, payload, RESOLVER, client(number), True)


def handshake(number, flags):
    ports = (1024 + number % 60000, 53) if flags == SYN else (53, 1024 + number % 60000)
    payload = struct.pack(">HHIIBBHHH", *ports, number * 7919, number if flags & ACK else 0, 0x50, flags, 64240, 0, 0)
    ends = (client(number), RESOLVER) if flags == SYN else (RESOLVER, client(number))
    return ip(number, TCP, payload, *ends)


def pcap(path, frames):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            f.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)


def captures(folder):
    answers, queries = ([make(number) for number in range(FLOOD * OTHERS)] for make in (answer, query))
    pcap(f"{folder}/answers.pcap", answers)
    pcap(f"{folder}/queries.pcap", queries)
    pcap(f"{folder}/fragment-answers.pcap", beside(answers, fragment))
    pcap(f"{folder}/syn-ack-answers.pcap", beside(answers, lambda number: handshake(number, SYN | ACK)))
    pcap(f"{folder}/syn-queries.pcap", beside(queries, lambda number: handshake(number, SYN)))


def beside(others, make):
    for number in range(FLOOD):
        yield from others[number * OTHERS:(number + 1) * OTHERS]
        yield make(number)


def read(path):
    """Packets, and those of others."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(path)
        s.sendall(b"show stats\n")
        stats = json.loads(s.makefile().readline())
    verdicts = stats["dnsweir_verdicts_total"]
    return stats["dnsweir_rx_packets_total"], sum(verdicts[reason] for reason in ("rewritten", "miss", "query"))


def cpu_ns(pid):
    """What the busiest thread, the worker, has had of a CPU: others on this machine do not count."""
    times = []
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        with open(path, encoding="ascii") as f:
            times.append(int(f.read().split()[0]))
    return max(times)


def now(path, pid):
    return *read(path), cpu_ns(pid)


def count(path, pid, seconds):
    before = now(path, pid)
    time.sleep(float(seconds))
    print(*(b - a for a, b in zip(before, now(path, pid))))


def share(rate):
    rates = {"alone": [], "beside": []}
    for line in sys.stdin:
        kind, packets, others, ns = line.split()
        rates[kind].append((int(others) * 1e9 / int(ns), (int(packets) - int(others)) * 1e9 / int(ns)))
    alone, beside_it, flood = (statistics.median(rate[of] for rate in rates[kind])
                               for kind, of in (("alone", 0), ("beside", 0), ("beside", 1)))
    # Of a second of the worker's, what one packet of the flood takes: in its own time and in others'.
    one = (1 - beside_it / alone) / flood
    print(f"{alone:.0f} {beside_it:.0f} {flood:.0f} {1 - float(rate) * one:.3f}")


def main(arguments):
    if arguments[:1] == ["captures"] and len(arguments) == 2:
        captures(arguments[1])
    elif arguments[:1] == ["count"] and len(arguments) == 4:
        count(*arguments[1:])
    elif arguments[:1] == ["share"] and len(arguments) == 2:
        share(arguments[1])
    else:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    return 0


sys.exit(main(sys.argv[1:]))
