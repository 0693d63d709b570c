# SPDX-License-Identifier: BSD-3-Clause
"""What tests of dnsweir-collect serve share: a collector of one's own, a box that sends dnstap to it, requests."""
import fcntl
import http.client
import ipaddress
import json
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

PORT, TLS_PORT, TLS_ADDRESS, TLS_ADDRESS_6 = 18053, 18443, "192.0.2.1", "2001:db8::1"
CONTENT = b"protobuf:dnstap.Dnstap"
TYPES = {"A": 1, "AAAA": 28}


# --- a network of one's own ---

TURN = None  # held to the end of the process


def own_network():
    """Go on in a network namespace, so that ports are free; without the rights to, where we are, one after the other."""
    global TURN
    if os.environ.get("DNSWEIR_BED"):
        return
    if subprocess.run(["unshare", "-n", "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        TURN = open(os.path.join(tempfile.gettempdir(), f"dnsweir-bed.{os.getuid()}"), "w", encoding="utf-8")
        fcntl.flock(TURN, fcntl.LOCK_EX)
        return
    setup = f"ip link set lo up && ip address add {TLS_ADDRESS}/32 dev lo && " \
        f"ip address add {TLS_ADDRESS_6}/128 dev lo nodad && exec \"$0\" \"$@\""
    os.environ["DNSWEIR_BED"] = "1"
    os.execvp("unshare", ["unshare", "-n", "sh", "-c", setup, sys.executable, *sys.argv])


def is_own_network():
    return "DNSWEIR_BED" in os.environ


# --- TAP ---

class Tap:
    number, failed = 0, 0

    @classmethod
    def check(cls, sentence, good, why=""):
        cls.number += 1
        cls.failed += not good
        print(f"{'ok' if good else 'not ok'} {cls.number} - {sentence}", flush=True)
        if not good and why != "":
            print(f"# {str(why)[:2000]}", flush=True)

    @classmethod
    def equal(cls, sentence, got, wanted):
        cls.check(sentence, got == wanted, f"got {got!r}, expected {wanted!r}")

    @classmethod
    def skip(cls, sentence, why):
        cls.number += 1
        print(f"ok {cls.number} - {sentence} # SKIP {why}", flush=True)

    @classmethod
    def end(cls):
        print(f"1..{cls.number}", flush=True)
        return 1 if cls.failed else 0


# --- dnstap ---

def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def number(field, value):
    return varint(field << 3) + varint(value)


def octets(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def wire_name(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"


class Box:
    """Sends responses as a box does: numbered, anonymous unless filtered."""

    def __init__(self, path, start=0x1234):
        self.seq, self.start = 0, start
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.control(4)
        size = struct.unpack(">II", self.sock.recv(8, socket.MSG_WAITALL))[1]
        self.sock.recv(size, socket.MSG_WAITALL)
        self.control(2)

    def control(self, kind):
        frame = struct.pack(">I", kind)
        if kind != 3:
            frame += struct.pack(">II", 1, len(CONTENT)) + CONTENT
        self.sock.sendall(struct.pack(">II", 0, len(frame)) + frame)

    def frame(self, name, client, when, malware=None, kind="A", rcode=0, addresses=()):
        self.seq += 1
        address = ipaddress.ip_address(client).packed
        bits = 8 * len(address) if malware else 22 if len(address) == 4 else 40
        extra = f"dnsweir 1 start={self.start:x} seq={self.seq} gen=1 bits={bits}"
        message = struct.pack(">HHHHHH", 1, 0x8180 | rcode, 1, len(addresses), 0, 0) + wire_name(name) + \
            struct.pack(">HH", TYPES[kind], 1) + \
            b"".join(struct.pack(">HHHIH", 0xC00C, TYPES[kind], 1, 300, len(ipaddress.ip_address(a).packed)) +
                     ipaddress.ip_address(a).packed for a in addresses)
        body = number(1, 6) + number(2, 1 if len(address) == 4 else 2) + number(3, 1) + octets(4, address) + \
            number(12, int(when)) + octets(14, message)
        if malware:
            extra += " list=c2 action=sinkhole verdict=rewritten"
            body += octets(15, octets(1, b"RPZ") + octets(2, malware.encode()) + number(3, 6) + number(4, 1) +
                           octets(5, wire_name(name)))
        data = octets(3, extra.encode()) + octets(14, body) + number(15, 1)
        return struct.pack(">I", len(data)) + data

    def send(self, *args, **more):
        self.sock.sendall(self.frame(*args, **more))

    def close(self):
        self.control(3)
        self.sock.close()


# --- a collector ---

NOBODY = 65534  # Debian's user nobody


def as_nobody(program):
    """What Popen needs to run the collector without rights; nothing where that cannot be."""
    less = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    try:
        subprocess.run([program, "--version"], check=True, capture_output=True, **less)
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}
    return less


def sanitized(program):
    """Whether a sanitizer is in it, which keeps memory for a while."""
    with open(program, "rb") as f:
        return b"__asan_init" in f.read()


class Collector:
    """Settings are lines of the configuration, in which FOLDER is a folder of its own."""

    def __init__(self, program, *settings, env=None, zone="UTC", listen=None):
        self.program, self.env, self.process = program, env, None
        self.less = as_nobody(program)
        self.folder = tempfile.mkdtemp(prefix="dnsweir-collect-")
        if self.less:
            os.chown(self.folder, NOBODY, NOBODY)
        self.store, self.dataset = os.path.join(self.folder, "store"), os.path.join(self.folder, "pdns")
        self.tap = os.path.join(self.folder, "tap.sock")
        self.config = os.path.join(self.folder, "collect.ini")
        self.errors = os.path.join(self.folder, "errors")
        listen = listen or f"127.0.0.1:{PORT}" + (f" {TLS_ADDRESS}:{TLS_PORT}" if is_own_network() else "")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write("\n".join(["[time]", f"zone = {zone}", "[collect]", f"socket = {self.tap}", f"store = {self.store}",
                               "[api]", f"listen = {listen}", *settings]).replace("FOLDER", self.folder) + "\n")
        self.command_env = {**os.environ, "TZ": "UTC"}

    def up(self):
        said = len(self.said()) if os.path.exists(self.errors) else 0
        with open(self.errors, "a", encoding="utf-8") as errors:
            self.process = subprocess.Popen([self.program, "serve", "--config", self.config], stderr=errors,
                                            stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                                            env={**os.environ, **(self.env or {})}, **self.less)
        for _ in range(600):
            if self.said()[said:].count("serving: "):
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError("the collector does not start: " + self.said())

    def said(self):
        with open(self.errors, encoding="utf-8") as f:
            return f.read()

    def down(self):
        if not self.process:
            return 0
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        self.process = None
        return status

    def remove(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *words):
        return subprocess.run([self.program, *words, "--store", self.store], capture_output=True, text=True,
                              timeout=300, check=False, env=self.command_env)

    def key(self, name, role, *more):
        done = self.run("key", "add", name, "--role", role, *more)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def key_in_force(self, name, role, *more):
        """The same, once the collector has read it, which takes it two seconds at most."""
        key = self.key(name, role, *more)
        for _ in range(200):
            if ask("/v1", key)[0] == 200:
                break
            time.sleep(0.05)
        return key

    def audit(self):
        path = os.path.join(self.store, "audit.ndjson")
        with open(path, encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def wait_stored(self, records):
        for _ in range(600):
            done = self.run("days", "--format", "ndjson")
            days = [json.loads(line) for line in done.stdout.splitlines()]
            if sum(day["log"] + day["filtered"] for day in days) >= records:
                return
            time.sleep(0.1)
        raise RuntimeError("the records are not stored")


def ask(path, key=None, method="GET", body=None, headers=None, tls=False, timeout=60):
    """Returns status, headers and body of an answer."""
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(TLS_ADDRESS, TLS_PORT, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=timeout)
    more = dict(headers or {})
    if key:
        more["X-API-Key"] = key
    if body is not None:
        more.setdefault("Content-Type", "application/x-www-form-urlencoded")
    try:
        connection.request(method, path, body=body, headers=more)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


def error_of(answer):
    return json.loads(answer[2])["error"]


def metric(text, name):
    for line in text.splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    return None
