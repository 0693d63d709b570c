#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Names for a load test, and a client that looks at every answer.

    load.py files FOLDER LISTED UNLISTED OTHERS
        load.zone with LISTED + UNLISTED names; listed.txt with the listed names and OTHERS more;
        queries.txt for dnsperf
    load.py ask LISTED UNLISTED SECONDS SINK4 SINK6 SERVER...
        ask for names at random, A and AAAA, with a window of queries under way at each server;
        prints "asked N answered N lost N wrong N"; exit 1 if any was lost or wrong
"""
import random
import select
import socket
import struct
import sys
import time

WINDOW = 16  # queries under way at each server; see IN_FLIGHT in load.sh
TIMEOUT = 3.0  # seconds after which a query is lost; nothing is asked twice


def name_of(number, listed):
    return f"l{number:06}" if number < listed else f"u{number:06}"


def address4(number):
    return bytes((10, number >> 16, number >> 8 & 255, number & 255))


def address6(number):
    return bytes.fromhex("20010db80010") + bytes(6) + struct.pack(">I", number)


def files(folder, listed, unlisted, others):
    listed, unlisted, others = int(listed), int(unlisted), int(others)
    with open(f"{folder}/load.zone", "w", encoding="ascii") as f:
        f.write("$ORIGIN load.\n$TTL 3600\n@ SOA ns.load. h.load. 1 3600 600 86400 300\n@ NS ns.load.\n")
        f.write("ns A 198.51.100.53\n")
        for i in range(listed + unlisted):
            name = name_of(i, listed)
            f.write(f"{name} A {socket.inet_ntop(socket.AF_INET, address4(i))}\n")
            f.write(f"{name} AAAA {socket.inet_ntop(socket.AF_INET6, address6(i))}\n")
    with open(f"{folder}/listed.txt", "w", encoding="ascii") as f:
        f.writelines(f"{name_of(i, listed)}.load\n" for i in range(listed))
        f.writelines(f"n{i:07}.listed.invalid\n" for i in range(others))
    order = list(range(listed + unlisted))
    random.Random(1).shuffle(order)
    with open(f"{folder}/queries.txt", "w", encoding="ascii") as f:
        f.writelines(f"{name_of(i, listed)}.load {('A', 'AAAA')[i & 1]}\n" for i in order)
    return 0


class Asker:
    """One socket to one server, with a window of queries under way."""

    def __init__(self, server, listed, total, sinks):
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.connect((server, 53))
        self.socket.setblocking(False)
        self.listed, self.total, self.sinks = listed, total, sinks
        self.under_way = {}  # ID: (number, whether AAAA, when)
        self.id = 0
        self.asked = self.answered = self.lost = self.wrong = 0
        self.dice = random.Random(server)

    def ask(self, now):
        while len(self.under_way) < WINDOW:
            # Every fourth question is for a listed name, though they are one in a hundred.
            dice = self.dice.random()
            number = int(self.dice.random() * self.listed) if dice < 0.25 else \
                self.listed + int(self.dice.random() * (self.total - self.listed))
            aaaa = self.dice.random() < 0.5
            while self.id in self.under_way:
                self.id = self.id + 1 & 0xFFFF
            message = struct.pack(">HHHHHH", self.id, 0x0100, 1, 0, 0, 0) + b"\7" + \
                name_of(number, self.listed).encode() + b"\4load\0" + \
                struct.pack(">HH", 28 if aaaa else 1, 1)
            self.under_way[self.id] = (number, aaaa, now)
            self.id = self.id + 1 & 0xFFFF
            self.asked += 1
            self.socket.send(message)

    def take(self):
        while True:
            try:
                message = self.socket.recv(2048)
            except BlockingIOError:
                return
            question = self.under_way.pop(message[0] << 8 | message[1], None)
            if question is None:
                continue  # it was given up as lost
            self.answered += 1
            if not self.right(message, *question[:2]):
                self.wrong += 1
                if self.wrong <= 3:
                    print(f"wrong: {name_of(question[0], self.listed)} {message.hex()}",
                          file=sys.stderr)

    def right(self, message, number, aaaa):
        """The answer ends in its only record: TTL, RDLENGTH, RDATA."""
        size = 16 if aaaa else 4
        address = self.sinks[aaaa] if number < self.listed else \
            (address6(number) if aaaa else address4(number))
        ttl = 60 if number < self.listed else 3600
        return message[3] & 15 == 0 and \
            message[-size - 6:] == struct.pack(">IH", ttl, size) + address

    def give_up(self, now):
        for key in [k for k, v in self.under_way.items() if now - v[2] > TIMEOUT]:
            self.lost += 1
            del self.under_way[key]


def ask(listed, unlisted, seconds, sink4, sink6, *servers):
    listed = int(listed)
    sinks = (socket.inet_pton(socket.AF_INET, sink4), socket.inet_pton(socket.AF_INET6, sink6))
    askers = [Asker(s, listed, listed + int(unlisted), sinks) for s in servers]
    by_fd = {a.socket.fileno(): a for a in askers}
    poll = select.poll()
    for fd in by_fd:
        poll.register(fd, select.POLLIN)
    now = time.monotonic()
    end, next_look = now + float(seconds), now + 1
    while now < end or any(a.under_way for a in askers):
        for fd, _ in poll.poll(100) if now > end or all(len(a.under_way) == WINDOW for a in askers) \
                else ((fd, 0) for fd in by_fd):
            by_fd[fd].take()
        now = time.monotonic()
        for a in askers:
            if now < end:
                a.ask(now)
            if now >= next_look:
                a.give_up(now)
        next_look = now + 1 if now >= next_look else next_look
    sums = [sum(getattr(a, k) for a in askers) for k in ("asked", "answered", "lost", "wrong")]
    print("asked {} answered {} lost {} wrong {}".format(*sums))
    return 1 if sums[2] or sums[3] or not sums[1] else 0


def main(arguments):
    if len(arguments) < 5 or arguments[0] not in ("files", "ask"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    return globals()[arguments[0]](*arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
