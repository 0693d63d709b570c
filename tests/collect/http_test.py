#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What comes that is no request, or hardly one: http_test.py DNSWEIR-COLLECT [REQUESTS [SEED]]. Prints TAP.

REQUESTS (10,000) are made of good ones of every route: octets changed, cut, doubled, parts of others put in. Each gets an
answer of HTTP or a closed connection, and the collector goes on, with no more memory or descriptors. One in twenty goes
through TLS, and as many are handshakes that are broken in the same ways.
"""
import http.client
import json
import os
import random
import re
import socket
import ssl
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bed import PORT, TLS_ADDRESS, TLS_PORT, Box, Collector, Tap, ask, is_own_network, own_network, sanitized

check, equal = Tap.check, Tap.equal
GOOD = [
    "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /v1/log?from=2026-11-22&to=2026-11-23&name=a.example&filtered=no&limit=5 HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n",
    "GET /v1/log?subtree=%65xample&client=203.0.113.0%2F24&rcode=NXDOMAIN&eve=2 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n",
    "GET /v1/infected?day=2026-11-22&format=csv HTTP/1.0\r\nX-API-Key: {key}\r\n\r\n",
    "POST /v1/purge HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    "Content-Length: 17\r\n\r\nbefore=2020-01-01",
    "POST /v1/forget HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nTransfer-Encoding: chunked\r\n\r\n"
    "10\r\nclient=192.0.2.1\r\n0\r\n\r\n",
    "HEAD /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text\r\nExpect: 100-continue\r\n\r\n",
    "GET /v1 HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nConnection: close\r\n\r\nGET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n",
]
PARTS = [b"\r\n", b"\r\n\r\n", b"\0", b"%00", b"%", b"%zz", b"&", b"=", b"?", b"\xff\xfe", b" ", b"\t", b":", b"/../",
         b"Content-Length: 99999999999999999999\r\n", b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked\r\n",
         b"X-API-Key: \r\n", b"Host: y\r\n", b"ffffffffffffffff\r\n", b"a" * 3000, b"x=1&" * 40]


VALUES = ["1", "0", "-1", "99999999999999999999", "2026-11-22", "www.example.com", "192.0.2.0/24", "2001:db8::/32", "A", "yes", "no",
          "csv", "ndjson", "t", "f", "x", "%00", "%ff", "time", "name", "EX-1", "NXDOMAIN", ""]
TAILS = ["", "rrset/name/www.example.com/A", "rdata/ip/192.0.2.0,24", "rdata/raw/c0000201", "rrset/raw/0377", "www.example.com",
         "192.0.2.1", "%2e%2e/%2e%2e/keys", "a/" * 40, "%zz"]


def of_routes(rng, key):
    """Requests to every route that there is, with parameters that it has and values of all kinds."""
    out = []
    for route in json.loads(ask("/v1", key)[2])["routes"]:
        names = route["parameters"].replace("!", "").split()
        for _ in range(4):
            pairs = "&".join(f"{name}={rng.choice(VALUES)}" for name in rng.sample(names, min(len(names), rng.randrange(4))))
            path = route["path"] + (rng.choice(TAILS) if route["path"].endswith("/") else "")
            if route["method"] == "GET":
                out.append(f"GET {path}?{pairs} HTTP/1.1\r\nHost: x\r\nX-API-Key: {{key}}\r\n\r\n")
            else:
                # A deletion may find nothing, but takes its time.
                out.append(f"POST {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {{key}}\r\nContent-Length: {len(pairs)}\r\n\r\n{pairs}")
    return out


def hello():
    """The first octets of a handshake."""
    out = ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        context.wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def changed(rng, good):
    data = bytearray(rng.choice(good))
    for _ in range(rng.choice((0, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(6)
        if kind == 0 and data:
            data[at % len(data)] = rng.randrange(256)
        elif kind == 1:
            data[at:at + rng.randrange(30)] = b""
        elif kind == 2:
            data[at:at] = rng.choice(PARTS)
        elif kind == 3:
            data[at:at] = data[at:at + rng.randrange(60)]
        elif kind == 4:
            other = rng.choice(good)
            begin = rng.randrange(len(other))
            data[at:at] = other[begin:begin + rng.randrange(80)]
        else:
            del data[at:]
    return bytes(data)


def answer_of(sock, data):
    """What comes back: nothing, or octets until the end. A feed has none."""
    got = b""
    try:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        while piece := sock.recv(65536):
            got += piece
            if b"/v1/feed" in data:
                break
    except socket.timeout:
        raise
    except OSError:
        pass
    return got


class Secret:
    """A socket with TLS over it, whose way there can be ended while the way back goes on."""

    def __init__(self, sock):
        self.sock, self.came, self.goes = sock, ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.tls = context.wrap_bio(self.came, self.goes)
        self.wait(self.tls.do_handshake)

    def wait(self, what, *args):
        """Do it, as often as it takes."""
        while True:
            try:
                return what(*args)
            except ssl.SSLWantReadError:
                self.sock.sendall(self.goes.read())
                piece = self.sock.recv(65536)
                if piece:
                    self.came.write(piece)
                else:
                    self.came.write_eof()

    def sendall(self, data):
        if data:
            self.wait(self.tls.write, data)
        self.sock.sendall(self.goes.read())

    def shutdown(self, how):
        self.sock.shutdown(how)

    def recv(self, size):
        try:
            return self.wait(self.tls.read, size)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, BrokenPipeError):
            return b""


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory(pid):
    with open(f"/proc/{pid}/statm", encoding="utf-8") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fuzz(collector, requests, seed, key):
    rng = random.Random(seed)
    good = [text.format(key=key).encode() for text in GOOD + of_routes(rng, key)]
    statuses, odd, slow, first = {}, [], 0, hello()
    for i in range(requests):
        data = changed(rng, good)
        kind = rng.randrange(20) if is_own_network() else 19
        with socket.create_connection((TLS_ADDRESS, TLS_PORT) if kind < 2 else ("127.0.0.1", PORT)) as sock:
            sock.settimeout(30)
            begun = time.time()
            try:
                if kind == 0:
                    got = answer_of(sock, changed(rng, [first]))
                    statuses["handshake"] = statuses.get("handshake", 0) + 1
                    if got and got[0] not in (0x15, 0x16):
                        odd.append((i, data, got[:200]))
                    continue
                if kind == 1:
                    got = answer_of(Secret(sock), data)
                    statuses["tls"] = statuses.get("tls", 0) + 1
                else:
                    got = answer_of(sock, data)
            except socket.timeout:
                odd.append((i, data, "no answer"))
                continue
            slow = max(slow, time.time() - begun)
        status = re.match(rb"HTTP/1\.[01] (\d\d\d) ", got)
        if got and not status:
            odd.append((i, data, got[:200]))
        word = status[1].decode() if status else "none"
        statuses[word] = statuses.get(word, 0) + 1
        if i == requests // 10:
            before = memory(collector.process.pid), descriptors(collector.process.pid)
    check(f"{requests} requests get an answer or none", not odd, odd[:3])
    print("# " + ", ".join(f"{status}: {n}" for status, n in sorted(statuses.items())) + f"; slowest {slow:.2f} s")
    # Few are good as they are, and on a slow machine those are not waited for.
    wanted = {"400", "401", "404", "405"}
    check("refusals of all kinds come", wanted <= set(statuses), statuses)
    check("nothing fails inside", "500" not in statuses and "503" not in statuses, statuses)
    time.sleep(1.5)
    check("no descriptor is left", descriptors(collector.process.pid) <= before[1] + 8,
          (before[1], descriptors(collector.process.pid)))
    grown = memory(collector.process.pid) - before[0]
    check("nor memory", grown < 32 << 20 or sanitized(sys.argv[1]), f"{grown >> 20} MiB")


def closed_after(feeds):
    """Seconds until each connection is closed by the other side, while each gets its octets twice a second."""
    begun, left, after = time.time(), dict(feeds), []
    while left and time.time() - begun < 40:
        for sock, feed in list(left.items()):
            try:
                sock.setblocking(False)
                if feed:
                    sock.send(feed)
                if sock.recv(1000) == b"":
                    raise ConnectionResetError
            except BlockingIOError:
                continue
            except OSError:
                after.append(time.time() - begun)
                del left[sock]
                sock.close()
        time.sleep(0.5)
    return after, left


def slow_ones(collector):
    """Those who hold connections without asking."""
    begun = ((b"GET /healthz HTTP/1.1\r\nX-Slow: ", b"a"), (b"", b""),
             (b"POST /v1/purge HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\nX-API-Key: " +
              collector.admin.encode() + b"\r\n\r\n", b"a"))
    feeds = {}
    for start, feed in begun:
        for _ in range(18):
            sock = socket.create_connection(("127.0.0.1", PORT))
            sock.sendall(start)
            feeds[sock] = feed
    if is_own_network():
        first = hello()
        for i in range(15):
            sock = socket.create_connection((TLS_ADDRESS, TLS_PORT))
            # Nothing, half a handshake, and one that comes octet by octet.
            sock.sendall(first[:i % 3 * 40])
            feeds[sock] = first[-1:] if i % 3 == 1 else b""
    time.sleep(0.2)
    equal("others are served beside those who send a head or a body octet by octet, or nothing", ask("/healthz")[0], 200)
    if is_own_network():
        equal("and beside handshakes that are half done", ask("/healthz", tls=True)[0], 200)
    after, left = closed_after(feeds)
    check("who asks nothing in time is cut off", not left and max(after) < 25, (len(left), after))


def crowded(collector):
    """More connections than there may be wait; they are served when others leave."""
    socks = [socket.create_connection(("127.0.0.1", PORT)) for _ in range(100)]
    time.sleep(0.5)
    for sock in socks[:90]:
        sock.close()
    equal("when a crowd leaves others are served", ask("/healthz", timeout=30)[0], 200)
    for sock in socks[90:]:
        sock.close()


def idle_over_tls():
    """Those who fill what an address may have over TLS, and ask nothing."""
    if not is_own_network():
        return
    socks = [socket.create_connection((TLS_ADDRESS, TLS_PORT)) for _ in range(40)]
    equal("a client that fills its part over TLS keeps nobody else out", ask("/healthz")[0], 200)
    begun, served = time.time(), False
    while not served and time.time() - begun < 30:
        try:
            served = ask("/healthz", tls=True, timeout=5)[0] == 200
        except (OSError, http.client.HTTPException):
            time.sleep(0.5)
    check("nor itself for long", served)
    for sock in socks:
        sock.close()


def head_sizes(key):
    """Heads of all sizes get an answer of HTTP."""
    for size, wanted in ((100, {200}), (4000, {200}), (40000, {431}), (400000, {431, "closed"})):
        for shape in ("one", "many"):
            head = {"X-Long": "a" * size} if shape == "one" else {f"X-{i}": "a" * 80 for i in range(size // 100)}
            try:
                status = ask("/v1", key, headers=head)[0]
            except (ConnectionError, http.client.HTTPException):
                # The refusal comes while the rest is still on its way.
                status = "closed"
            check(f"headers of {size} octets, {shape}: {wanted}", status in wanted, status)


def main():
    own_network()
    requests = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    collector = Collector(sys.argv[1], "rate = 100000", "connections = 64")
    try:
        collector.up()
        collector.admin = collector.key("fuzz", "admin")
        now = time.time()
        box = Box(collector.tap)
        for i in range(50):
            box.send("a.example", "203.0.113.9", now - i, malware="EX-1" if i % 2 else None)
        box.close()
        collector.wait_stored(50)
        time.sleep(2.5)
        fuzz(collector, requests, int(sys.argv[3]) if len(sys.argv) > 3 else 1, collector.admin)
        head_sizes(collector.admin)
        slow_ones(collector)
        crowded(collector)
        idle_over_tls()
        check("it still stores what comes", collector.process.poll() is None)
        equal("the collector ends with exit status 0", collector.down(), 0)
        check("and has said nothing of errors", "Sanitizer" not in collector.said() and
              "runtime error" not in collector.said(), collector.said())
    finally:
        collector.remove()
    return Tap.end()


sys.exit(main())
