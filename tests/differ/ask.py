#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Ask a server all questions, and keep what it says: ask.py QUESTIONS SERVER ANSWERS TRIES

QUESTIONS is a file of names.py. ANSWERS gets a pickled dict: number of a question to the
message that came, as it came but for its ID, which is the number's low 16 bits; None where nothing
came. Prints how many questions there were, and how many are without an answer.

Many questions are under way at a time. Those that have waited for long no longer count as being on
the wire, so that a server that drops questions is not much slower to ask.
"""
import asyncio
import collections
import pickle
import struct
import sys

import dns.name
import dns.rdatatype

ON_THE_WIRE = 64     # questions; a veth port of the box has a ring of 256 frames
OLD = 0.25           # seconds after which a question counts as waiting
PATIENCE = 3         # seconds until it counts as not answered
QUESTIONS_EACH = 20  # on a connection
PAUSE = 1            # seconds before a question that got SERVFAIL is asked again, once
SERVFAIL = 2
EDNS_SIZE = {"ANY": 4096}  # else 1232

Server = collections.namedtuple("Server", "datagrams connections tries")


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


class Connection(asyncio.Protocol):
    """A connection for some questions, several of them under way at once."""

    def __init__(self, questions):
        self.waiting, self.buffer, self.left = {}, b"", questions

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        while len(self.buffer) >= 2:
            end = 2 + struct.unpack(">H", self.buffer[:2])[0]
            if len(self.buffer) < end:
                return
            message, self.buffer = self.buffer[2:end], self.buffer[end:]
            future = self.waiting.get(message[:2])
            if future and not future.done():
                future.set_result(message)

    def connection_lost(self, _):
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(ConnectionResetError())

    async def exchange(self, message):
        future = asyncio.get_running_loop().create_future()
        self.waiting[message[:2]] = future
        try:
            if self.transport.is_closing():
                raise ConnectionResetError()
            self.transport.write(struct.pack(">H", len(message)) + message)
            return await future
        finally:
            del self.waiting[message[:2]]
            self.left -= 1
            if not self.left:
                self.transport.close()


class Connections:
    """What is asked first goes on a connection with others, what is asked again on one alone."""

    def __init__(self, server):
        self.server, self.opening, self.left = server, None, 0

    async def open(self, questions):
        connection = Connection(questions)
        await asyncio.get_running_loop().create_connection(lambda: connection, self.server, 53)
        return connection

    async def exchange(self, message, alone):
        if alone:
            connection = await self.open(1)
        else:
            if not self.left:
                self.opening = asyncio.ensure_future(self.open(QUESTIONS_EACH))
                self.left = QUESTIONS_EACH
            self.left -= 1
            connection = await asyncio.shield(self.opening)
        return await connection.exchange(message)


async def ask_one(server, wire, line):
    number, transport, _, _, edns, name, kind = line.rstrip("\n").split("\t")
    message, question = query(int(number), edns, name, kind)
    for i in range(server.tries):
        await wire.acquire()
        # Whichever comes first gives the place on the wire back: the answer, or that it is old.
        old = asyncio.get_running_loop().call_later(OLD, wire.release)
        try:
            one = server.datagrams.exchange(message, question) if transport == "udp" else (
                server.connections.exchange(message, alone=i > 0))
            return int(number), await asyncio.wait_for(one, PATIENCE)
        except (asyncio.TimeoutError, OSError):
            pass
        finally:
            if old.when() > asyncio.get_running_loop().time():
                old.cancel()
                wire.release()
    return int(number), None


async def ask_twice(server, wire, line):
    """A resolver on a busy machine fails now and then. One to ANY fails if it is not supported."""
    number, answer = await ask_one(server, wire, line)
    if answer and answer[3] & 15 == SERVFAIL and not line.endswith("\tANY\n"):
        await asyncio.sleep(PAUSE)
        number, answer = await ask_one(server, wire, line)
    return number, answer


async def ask_all(lines, address, tries):
    loop = asyncio.get_running_loop()
    transport, datagrams = await loop.create_datagram_endpoint(Datagrams, remote_addr=(address, 53))
    server = Server(datagrams, Connections(address), tries)
    wire = asyncio.Semaphore(ON_THE_WIRE)
    # IDs come again after 65536 questions, so no two of a round are the same.
    answers = {}
    for first in range(0, len(lines), 50000):
        answers.update(await asyncio.gather(
            *(ask_twice(server, wire, line) for line in lines[first:first + 50000])))
    transport.close()
    return answers


def main(arguments):
    path, server, out, tries = arguments
    with open(path) as f:
        lines = f.readlines()
    answers = asyncio.run(ask_all(lines, server, int(tries)))
    with open(out, "wb") as f:
        pickle.dump(answers, f)
    print(f"{len(answers)} asked, {sum(a is None for a in answers.values())} without an answer")


if __name__ == "__main__":
    main(sys.argv[1:])
