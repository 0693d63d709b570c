#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Ask a server all questions, and keep what it says: ask.py QUESTIONS SERVER ANSWERS

QUESTIONS is questions.tsv of names.py. ANSWERS gets a pickled dict: number of a question to the
message that came, as it came but for its ID, which is the number's low 16 bits; None where nothing
came. Prints how many questions there were, and how many are without an answer.

Many questions are under way at a time. Those that have waited for long no longer count as being on
the wire, so that a server that drops questions is not much slower to ask.
"""
import asyncio
import pickle
import struct
import sys

import dns.name
import dns.rdatatype

ON_THE_WIRE = 64     # questions; a veth port of the box has a ring of 256 frames
OLD = 0.25           # seconds after which a question counts as waiting
PATIENCE = 3         # seconds until it counts as not answered
TRIES = {"udp": 2, "tcp": 1}
PAUSE = 1            # seconds before a question that got SERVFAIL is asked again, once
SERVFAIL = 2
EDNS_SIZE = {"ANY": 4096}  # else 1232


def query(number, edns, name, kind):
    head = struct.pack(">HHHHHH", number & 0xFFFF, 0x0100, 1, 0, 0, 0 if edns == "none" else 1)
    question = dns.name.from_text(name).to_wire() + struct.pack(
        ">HH", dns.rdatatype.from_text(kind), 1)
    opt = b"" if edns == "none" else b"\0" + struct.pack(
        ">HHIH", 41, EDNS_SIZE.get(kind, 1232), 0x8000 if edns == "do" else 0, 0)
    return head + question + opt, question


class Datagrams(asyncio.DatagramProtocol):
    """One socket for all questions; an answer finds its question by ID and by what was asked."""

    def __init__(self):
        self.waiting = {}

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, _):
        future, question = self.waiting.get(data[:2], (None, b""))
        same = data[12:12 + len(question)].lower() == question.lower()
        if future and same and not future.done():
            future.set_result(data)

    def error_received(self, error):
        pass

    async def exchange(self, message, question):
        future = asyncio.get_running_loop().create_future()
        self.waiting[message[:2]] = future, question
        try:
            self.transport.sendto(message)
            return await future
        finally:
            del self.waiting[message[:2]]


async def stream(server, message):
    reader, writer = await asyncio.open_connection(server, 53)
    try:
        writer.write(struct.pack(">H", len(message)) + message)
        size, = struct.unpack(">H", await reader.readexactly(2))
        return await reader.readexactly(size)
    finally:
        writer.close()


async def ask_one(server, datagrams, wire, line):
    number, transport, _, _, edns, name, kind = line.rstrip("\n").split("\t")
    message, question = query(int(number), edns, name, kind)
    for _ in range(TRIES[transport]):
        await wire.acquire()
        # Whichever comes first gives the place on the wire back: the answer, or that it is old.
        old = asyncio.get_running_loop().call_later(OLD, wire.release)
        try:
            one = datagrams.exchange(message, question) if transport == "udp" else stream(
                server, message)
            return int(number), await asyncio.wait_for(one, PATIENCE)
        except (asyncio.TimeoutError, asyncio.IncompleteReadError, OSError):
            pass
        finally:
            if old.when() > asyncio.get_running_loop().time():
                old.cancel()
                wire.release()
    return int(number), None


async def ask_twice(server, datagrams, wire, line):
    """A resolver on a busy machine fails now and then. One to ANY fails if it is not supported."""
    number, answer = await ask_one(server, datagrams, wire, line)
    if answer and answer[3] & 15 == SERVFAIL and not line.endswith("\tANY\n"):
        await asyncio.sleep(PAUSE)
        number, answer = await ask_one(server, datagrams, wire, line)
    return number, answer


async def ask_all(lines, server):
    loop = asyncio.get_running_loop()
    transport, datagrams = await loop.create_datagram_endpoint(Datagrams, remote_addr=(server, 53))
    wire = asyncio.Semaphore(ON_THE_WIRE)
    # IDs come again after 65536 questions, so no two of a round are the same.
    answers = {}
    for first in range(0, len(lines), 50000):
        answers.update(await asyncio.gather(
            *(ask_twice(server, datagrams, wire, line) for line in lines[first:first + 50000])))
    transport.close()
    return answers


def main(arguments):
    path, server, out = arguments
    with open(path) as f:
        lines = f.readlines()
    answers = asyncio.run(ask_all(lines, server))
    with open(out, "wb") as f:
        pickle.dump(answers, f)
    print(f"{len(answers)} asked, {sum(a is None for a in answers.values())} without an answer")


if __name__ == "__main__":
    main(sys.argv[1:])
