#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The feed of passive DNS: feed_test.py DNSWEIR-COLLECT. Prints TAP.

Readers come and go at random, the collector is killed and started again, and what they got is what the dataset has."""
import collections
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bed import PORT, Box, Collector, Tap, ask, error_of, metric, own_network

check, equal = Tap.check, Tap.equal
CLIENT = "203.0.113.77"  # must be nowhere
SEED = 20261122


class Reader:
    """Reads lines of the feed over a connection of its own."""

    def __init__(self, key, query="", headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
        self.connection.request("GET", "/v1/feed" + query, headers={"X-API-Key": key, **(headers or {})})
        self.answer = self.connection.getresponse()
        self.status = self.answer.status

    def line(self):
        """A whole line without its end, or None at the end of the answer."""
        try:
            line = self.answer.readline()
        except (OSError, http.client.HTTPException):
            return None
        return line[:-1].decode() if line.endswith(b"\n") else None

    def object(self):
        line = self.line()
        return None if line is None else json.loads(line)

    def close(self):
        self.connection.close()


class Sender(threading.Thread):
    """A box that sends answers: names that were never seen, and some again and again. Comes back when it is cut off."""

    def __init__(self, collector, start):
        super().__init__()
        self.collector, self.ends, self.n, self.start_id = collector, threading.Event(), 0, start

    def run(self):
        rng = random.Random(self.start_id)
        while not self.ends.is_set():
            try:
                self.start_id += 1
                box = Box(self.collector.tap, start=self.start_id)
                while not self.ends.is_set():
                    for _ in range(50):
                        self.n += 1
                        name = f"n{self.n}.new.example" if rng.random() < 0.5 else f"p{rng.randrange(50)}.old.example"
                        box.send(name, CLIENT, time.time(), addresses=[f"198.51.{rng.randrange(2)}.{self.n % 256}"])
                    time.sleep(0.005)
                box.close()
            except OSError:
                time.sleep(0.05)

    def end(self):
        self.ends.set()
        self.join()


def tuple_of(row):
    return row["rrname"], row["rrtype"], row["rdata"][0], row["sensor_id"]


class Follower(threading.Thread):
    """Reads the feed from its begin on, with a connection that breaks at random, and goes on where it was."""

    def __init__(self, key, seed, query=""):
        super().__init__()
        self.key, self.rng, self.query = key, random.Random(seed), query
        self.ends, self.cursor, self.begins, self.wrong = threading.Event(), "oldest", 0, []
        self.counts, self.rows, self.text = collections.Counter(), 0, []

    def take(self, row):
        if "error" in row:
            self.wrong.append(row)
            self.ends.set()
            return
        self.cursor = row["cursor"]
        if "rrname" in row:
            self.counts[tuple_of(row)] += row["count"]
            self.rows += 1
            self.text.append(row)

    def run(self):
        while not self.ends.is_set():
            try:
                reader = Reader(self.key, f"?from={self.cursor}{self.query}")
                self.begins += 1
                if reader.status == 503:
                    reader.close()
                    time.sleep(0.05)
                    continue
                if reader.status != 200:
                    self.wrong.append(reader.answer.read())
                    return
                for _ in range(self.rng.randrange(1, 3000)):
                    row = reader.object()
                    if row is None or self.ends.is_set():
                        break
                    self.take(row)
                reader.close()
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)

    def until(self, cursor, seconds=30):
        """Wait until it has come so far, and end."""
        for _ in range(seconds * 20):
            if self.cursor != "oldest" and self.cursor >= cursor:
                break
            time.sleep(0.05)
        self.ends.set()
        self.join()
        return self


def exported(collector, dataset):
    done = subprocess.run([collector.program, "pdns", "export", "--dataset", dataset], capture_output=True, text=True,
                          check=True, **collector.less)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return collections.Counter({tuple_of(row): row["count"] for row in rows}), done.stdout


def reader_of(key, query="", headers=None):
    """A reader, when those who have left have made room."""
    for _ in range(100):
        reader = Reader(key, query, headers)
        if reader.status != 503:
            break
        reader.close()
        time.sleep(0.1)
    return reader


def end_of_feed(key):
    reader = reader_of(key)
    cursor = reader.object()["cursor"]
    reader.close()
    return cursor


def settle(key):
    """The cursor behind the last row, once nothing comes any more and nothing waits."""
    before = None
    while True:
        now = pdns_counters(key)
        if now["waiting"] == 0 and before and now["messages"] == before["messages"]:
            return end_of_feed(key)
        before = now
        time.sleep(0.3)


def memory(collector):
    with open(f"/proc/{collector.process.pid}/status", encoding="utf-8") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def pdns_counters(key):
    return json.loads(ask("/v1/status", key)[2])["pdns"]


def refused(reason):
    return metric(ask("/metrics")[2], f'dnsweir_feed_refused_total{{reason="{reason}"}}')


# --- readers that come and go ---

def kills(collector, dataset, key):
    followers = [Follower(key, SEED + i) for i in range(3)] + [Follower(key, SEED + 9, "&new=yes")]
    sender = Sender(collector, 100)
    sender.start()
    for follower in followers:
        follower.start()
    for i in range(4):
        time.sleep(2.2)
        if i < 3:
            collector.process.send_signal(signal.SIGTERM if i == 1 else signal.SIGKILL)
            collector.process.wait()
            collector.up()
    sender.end()
    end = settle(key)
    for follower in followers:
        follower.until(end)
    there, text = exported(collector, dataset)
    everything, news = followers[:3], followers[3]
    check(f"the collector was killed while there was something ({sum(there.values())} observations)",
          sum(there.values()) > 1000 and collector.said().count("was not closed") == 2, sum(there.values()))
    for i, follower in enumerate(everything):
        equal(f"reader {i}, which began anew often, got all of the dataset, each row once", follower.counts, there)
        check(f"it began {follower.begins} times", follower.begins > 5 and not follower.wrong, follower.wrong)
    new = collections.Counter(tuple_of(r) for r in news.text)
    once = collections.Counter(set(there))
    check("what is new comes once", new == once, f"{len(new)} of {len(once)}; too often {new - once}, missing {once - new}")
    cursors = [r["cursor"] for r in everything[0].text]
    check("cursors go up", cursors == sorted(cursors) and len(set(cursors)) == len(cursors))
    told = text + json.dumps([follower.text for follower in followers])
    check("the client is nowhere", CLIENT not in told and CLIENT not in collector.said())
    equal("nor in the files of the feed",
          subprocess.run(["grep", "-rlaF", CLIENT, dataset], capture_output=True, text=True, check=False).stdout, "")
    row = everything[0].text[0]
    equal("a row is of the Common Output Format", sorted(row),
          sorted(["count", "time_first", "time_last", "rrname", "rrtype", "bailiwick", "rdata", "sensor_id", "cursor"]))


# --- what is asked for ---

def filters(collector, key):
    begin = end_of_feed(key)
    box = Box(collector.tap, start=0x77)
    for name, kind, address in [("a.filter.example", "A", "192.0.2.1"), ("b.filter.example", "AAAA", "2001:db8::1"),
                                ("filter.example", "A", "192.0.2.2"), ("c.other.example", "A", "192.0.2.3")]:
        box.send(name, CLIENT, time.time(), kind=kind, addresses=[address])
    settle(key)
    for query, wanted in {
            "": ["a.filter.example", "b.filter.example", "c.other.example", "filter.example"],
            "&name=filter.example": ["filter.example"],
            "&name=*.FILTER.example": ["a.filter.example", "b.filter.example", "filter.example"],
            "&name=a.filter.*": ["a.filter.example"],
            "&type=AAAA": ["b.filter.example"],
            "&type=A&name=*.filter.example": ["a.filter.example", "filter.example"],
            "&sensor=client&bailiwick=other.example": ["c.other.example"],
            "&sensor=resolver": [],
    }.items():
        # A reader of nothing gets no row, and is told where it is.
        reader = reader_of(key, f"?from={begin}{query}")
        rows, end = [], end_of_feed(key)
        while len(rows) < len(wanted) or not wanted:
            row = reader.object()
            if "rrname" in row:
                rows.append(row["rrname"])
            elif not wanted and row["cursor"] == end:
                break
        reader.close()
        equal(f"with {query[1:] or 'no condition'}", sorted(rows), wanted)
    box.send("a.filter.example", CLIENT, time.time(), addresses=["192.0.2.1"])
    box.send("d.filter.example", CLIENT, time.time(), addresses=["192.0.2.9"])
    settle(key)
    reader = reader_of(key, f"?from={begin}&new=yes&name=*.filter.example")
    rows = []
    while len(rows) < 4:
        rows += [r["rrname"] for r in [reader.object()] if "rrname" in r]
    equal("what was there before is not new", rows[3], "d.filter.example")
    reader.close()
    box.close()
    for query in ["from=x", "type=NOTYPE", "sensor=all", "new=perhaps", "name=a..b", "limit=3"]:
        equal(f"400: {query}", ask("/v1/feed?" + query, key)[0], 400)
    for query in ["-3600", "2020-01-01", "1700000000", "oldest", "now"]:
        reader = reader_of(key, "?from=" + query)
        equal(f"from {query}", reader.status, 200)
        reader.close()
    return begin


def events(key, begin):
    """As a browser's EventSource does it."""
    accept = {"Accept": "text/event-stream"}
    reader = reader_of(key, f"?from={begin}&name=*.filter.example", accept)
    equal("events have their type", reader.answer.headers["Content-Type"], "text/event-stream")
    ids, rows = [], []
    while len(rows) < 2:
        line = reader.line()
        if line.startswith("id: "):
            ids.append(line[4:])
        elif line.startswith("data: "):
            rows.append(json.loads(line[6:]))
        else:
            equal("an event ends with an empty line", line, "")
    reader.close()
    check("an event's id is the row's cursor", ids[0] == begin and ids[1:] == [r["cursor"] for r in rows], ids)
    reader = reader_of(key, f"?from={begin}&name=*.filter.example", {**accept, "Last-Event-ID": ids[-1]})
    equal("it goes on behind Last-Event-ID", reader.line(), f"id: {ids[-1]}")
    third = None
    while third is None:
        line = reader.line()
        third = json.loads(line[6:]) if line.startswith("data: ") else None
    check("with the row behind it", third["cursor"] > ids[-1] and third["rrname"] not in [r["rrname"] for r in rows])
    reader.close()


# --- the command ---

class Command:
    def __init__(self, collector, *words, store=None):
        self.process = subprocess.Popen([collector.program, "pdns", "feed", "--store", store or collector.store, *words],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **collector.less)

    def rows(self, n):
        return [json.loads(self.process.stdout.readline()) for _ in range(n)]

    def end(self, how=signal.SIGINT):
        """Its exit code, what it still printed, the cursor that it said, and all it said."""
        if how:
            self.process.send_signal(how)
        out, said = self.process.stdout.read(), self.process.stderr.read()
        self.process.wait(30)
        cursor = re.search(r"go on with --from ([0-9a-f]{24})\n", said)
        return self.process.returncode, out, cursor and cursor[1], said


def seen(collector, name):
    """A box has seen a name."""
    box = Box(collector.tap, start=time.time_ns())
    box.send(name, CLIENT, time.time(), addresses=["192.0.2.9"])
    box.close()


def command(collector, key, begin):
    there = Follower(key, SEED + 30)
    there.cursor = begin
    there.start()
    wanted = there.until(end_of_feed(key)).text
    one = Command(collector, "--from", begin)
    rows = one.rows(2)
    code, out, cursor, said = one.end()
    rows += [json.loads(line) for line in out.splitlines()]
    check("the command ends by SIGINT", code == 0 and cursor == rows[-1]["cursor"], said)
    last = Command(collector, "--from", rows[1]["cursor"])
    rows = rows[:2] + last.rows(len(wanted) - 2)
    equal("it prints rows as the API has them, and goes on where it was", rows, wanted)
    code, _, cursor, said = last.end(signal.SIGTERM)
    check("also by SIGTERM", code == 0 and cursor == wanted[-1]["cursor"], said)
    done = Command(collector, "--from", begin, "--limit", "1", "--name", "*.filter.example", "--type", "AAAA", "--sensor", "client",
                   "--bailiwick", "filter.example")
    code, out, cursor, said = done.end(None)
    row = json.loads(out)
    equal("with conditions and a limit it ends by itself", (code, row["rrname"], cursor), (0, "b.filter.example", row["cursor"]))
    one = Command(collector, "--from", begin, "--new", "--name", "*.filter.example")
    equal("what was there before is not new", [r["rrname"] for r in one.rows(4)][3], "d.filter.example")
    one.end()
    one = Command(collector, "--from", begin)
    row = one.rows(1)[0]
    one.process.stdout.close()
    seen(collector, "e.filter.example")
    one.process.wait(30)
    said = one.process.stderr.read()
    cursor = re.search(r"go on with --from ([0-9a-f]{24})\n", said)
    check("who closes its standard output is told the cursor, too", one.process.returncode == 1 and cursor and
          cursor[1] >= row["cursor"], said)
    for words, wrong in {("--from", "x"): (2, "--from: expected a cursor"), ("--type", "NOTYPE"): (2, "--type: "),
                         ("--from", "0" * 24): (1, "--from: a cursor of another feed; the oldest there is: --from "),
                         ("--group",): (2, "--group: no option of pdns feed"), ("more",): (2, "expected no operand")}.items():
        code, out, _, said = Command(collector, *words).end(None)
        check(f"wrong: {' '.join(words)}", (code, out, said.count("\n")) == (wrong[0], "", 1) and wrong[1] in said, said)
    code, _, _, said = Command(collector, store=collector.folder).end(None)
    check("without a collector there is nothing", code == 2 and "none runs" in said and said.count("\n") == 1, said)


def command_cut(collector, key):
    """The collector ends while the command reads."""
    one = Command(collector, "--from", settle(key))
    seen(collector, "f.filter.example")
    cursor = one.rows(1)[0]["cursor"]
    equal("the collector ends well beside a command", collector.down(), 0)
    code, out, said_cursor, said = one.end(None)
    check("which fails, and says where it was", (code, out, said_cursor) == (1, "", cursor) and "cut it off" in said, said)
    collector.up()
    seen(collector, "g.filter.example")
    equal("and goes on there", Command(collector, "--from", cursor, "--limit", "1").rows(1)[0]["rrname"], "g.filter.example")


# --- bounds ---

def slow(collector, key):
    """Readers that read nothing: what comes is taken as before, and memory has its bound."""
    before = memory(collector)
    readers = []
    for _ in range(8):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", PORT))
        sock.sendall(f"GET /v1/feed?from=oldest HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n".encode())
        readers.append(sock)
    box, sent = Box(collector.tap, start=0x99), 0
    began = pdns_counters(key)
    for i in range(20000):
        box.send(f"s{i}.slow.example", CLIENT, time.time(), addresses=["192.0.2.1"])
        sent += 1
    end = settle(key)
    now = pdns_counters(key)
    equal("with readers that read nothing all is taken", now["messages"] - began["messages"], sent)
    equal("and none of it refused or lost", [now[n] - began[n] for n in ("no_room", "failed_flushes", "lost")], [0, 0, 0])
    grown = memory(collector) - before
    check(f"they take little memory ({grown} KiB)", grown < 100000, grown)
    follower = Follower(key, SEED + 20)
    follower.start()
    follower.until(end)
    check("a reader beside them gets all", sum(n for t, n in follower.counts.items() if t[0].endswith("slow.example")) == sent)
    for sock in readers:
        sock.close()
    box.close()


def files_of_feed(collector):
    folder = os.path.join(collector.dataset, "feed")
    return [os.path.join(folder, name) for name in os.listdir(folder)]


def many(collector, key):
    end_row = end_of_feed(key)[8:]
    readers = [reader_of(key) for _ in range(16)]
    while metric(ask("/metrics")[2], "dnsweir_feed_readers") > 16:
        time.sleep(0.05)
    before = refused("too_many")
    equal("sixteen may read at once", {r.status for r in readers}, {200})
    answer = ask("/v1/feed", key)
    check("and no more", answer[0] == 503 and "later" in error_of(answer), answer)
    text, shown = ask("/metrics")[2], json.loads(ask("/v1/status", key)[2])["feed"]
    equal("they are counted, and who was refused", (metric(text, "dnsweir_feed_readers"), refused("too_many"), refused("no_key")),
          (16, 1 + before, 0))
    there = [os.path.getsize(file) for file in files_of_feed(collector)]
    equal("so is what the feed has", [metric(text, f"dnsweir_feed_{n}") for n in ("rows_total", "bytes", "segments")],
          [int(end_row, 16), sum(there), len(there)])
    equal("the status says the same", (shown["readers"], shown["rows"], shown["bytes"], shown["segments"], shown["refused"]),
          (16, int(end_row, 16), sum(there), len(there), {r: refused(r) for r in ("too_many", "too_late", "other_feed", "no_key")}))
    age = metric(text, "dnsweir_feed_oldest_seconds")
    check("and since when", 0 < age < 600 and abs(time.time() - age - shown["oldest_s"]) < 3, (age, shown))
    for reader in readers:
        reader.close()
    equal("when they are gone others may", reader_of(key).status, 200)
    another = collector.key("guest", "pdns")
    time.sleep(2.5)
    reader = Reader(another)
    check("a reader is told where it is at once", "cursor" in reader.object())
    collector.run("key", "remove", "guest")
    last = reader.object()
    while last is not None and "error" not in last:
        last = reader.object()
    check("a key that is removed ends its feed", last is not None and last["status"] == 401, last)
    equal("which is counted", refused("no_key"), 1)
    equal("the role pdns is needed", ask("/v1/feed", collector.key_in_force("counter", "metrics"))[0], 403)


def too_late(collector, key):
    """The log is as short as can be: 1 MiB."""
    early = end_of_feed(key)
    stale = "0" * 8 + early[8:]
    answer = ask(f"/v1/feed?from={stale}", key)
    check("a cursor of another feed is refused", answer[0] == 410 and "another feed" in error_of(answer), answer)
    future = early[:8] + "f" * 16
    equal("so is one of what is to come", ask(f"/v1/feed?from={future}", key)[0], 410)
    sleeper = socket.socket()
    sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sleeper.connect(("127.0.0.1", PORT))
    sleeper.sendall(f"GET /v1/feed?from={early} HTTP/1.0\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n".encode())
    box, rng = Box(collector.tap, start=0x55), random.Random(SEED)
    for i in range(100000):
        box.send(f"{rng.getrandbits(240):060x}.late.example", CLIENT, time.time(), addresses=["192.0.2.1"])
        if i % 20000 == 19999:
            time.sleep(1.2)
    box.close()
    settle(key)
    answer = ask(f"/v1/feed?from={early}", key)
    check("who comes back too late is told", answer[0] == 410 and "kept no more" in error_of(answer), answer)
    oldest = json.loads(answer[2])["cursor"]
    check("and from where on there is something", oldest > early)
    reader = Reader(key, f"?from={oldest}")
    equal("which is so", (reader.status, reader.object()["cursor"]), (200, oldest))
    reader.close()
    equal("so is who asks for a time of which rows are gone", ask("/v1/feed?from=-86400", key)[0], 410)
    text = b""
    sleeper.settimeout(20)
    until = time.monotonic() + 20
    while time.monotonic() < until and b'"status":410' not in text:
        data = sleeper.recv(1 << 16)
        if not data:
            break
        text += data
    lines = text.split(b"\r\n\r\n", 1)[1].decode().splitlines()
    last = json.loads(lines[-1])
    check("a reader that fell behind is told in a line of its own", last.get("status") == 410 and last["cursor"] >= oldest, last)
    sleeper.close()
    equal("each of these is counted", [refused(reason) for reason in ("other_feed", "too_late", "too_many")], [2, 3, 0])
    used = sum(os.path.getsize(file) for file in files_of_feed(collector))
    check(f"the log keeps its bound ({used} octets)", used <= 1 << 20)


def collector_with(program, *settings):
    collector = Collector(program, "rate = 100000", "[pdns]", "store = FOLDER/pdns", "window = 1", *settings)
    collector.up()
    key = collector.key("reader", "pdns")
    time.sleep(2.5)
    return collector, key


def finish(collector):
    reader = Reader(collector.last_key)
    began = time.monotonic()
    equal("the collector ends well", collector.down(), 0)
    check("without waiting for readers", time.monotonic() - began < 5)
    reader.close()
    check("and complained of nothing", "Sanitizer" not in collector.said(), collector.said()[-2000:])


def main():
    collector, key = collector_with(sys.argv[1])
    try:
        kills(collector, collector.dataset, key)
        begin = filters(collector, key)
        events(key, begin)
        command(collector, key, begin)
        slow(collector, key)
        many(collector, key)
        command_cut(collector, key)
        collector.last_key = key
        finish(collector)
    finally:
        collector.remove()
    collector, key = collector_with(sys.argv[1], "feed_size = 1")
    try:
        too_late(collector, key)
        collector.last_key = key
        finish(collector)
    finally:
        collector.remove()
    collector, key = collector_with(sys.argv[1], "feed_size = 0")
    try:
        equal("without a feed there is none", ask("/v1/feed", key)[0], 404)
        equal("nor are there figures of it", ("dnsweir_feed_" in ask("/metrics")[2], "feed" in json.loads(ask("/v1/status", key)[2])),
              (False, False))
    finally:
        collector.remove()
    return Tap.end()


own_network()
sys.exit(main())
