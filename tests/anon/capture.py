#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A capture with a packet of each address: capture.py COUNT SEED CAPTURE ADDRESSES

Packet n goes from an address of its own, port n, to port 53 of one server. ADDRESSES gets "n ADDRESS"
a line. First octets are 1 to 223.
"""
import random
import socket
import struct
import sys


def packet(address, port):
    """An Ethernet frame with a UDP datagram, without checksums."""
    udp = struct.pack("!HHHH", port, 53, 20, 0) + bytes(12)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), port, 0, 64, 17, 0) + address
    return bytes(12) + b"\x08\x00" + ip + socket.inet_aton("192.0.2.53") + udp


def main(count, seed, capture, addresses):
    source = random.Random(int(seed))
    with open(capture, "wb") as packets, open(addresses, "w", encoding="ascii") as text:
        packets.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for n in range(1, int(count) + 1):
            address = bytes([source.randint(1, 223)]) + source.randbytes(3)
            frame = packet(address, n)
            packets.write(struct.pack("<IIII", 1700000000, n, len(frame), len(frame)) + frame)
            text.write(f"{n} {socket.inet_ntoa(address)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
