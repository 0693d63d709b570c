#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A collector and a box with data in them, for a program that looks at the portal: plant.py BUILD PROGRAM...

PROGRAM gets PORTAL_URL and a key for each role (PORTAL_METRICS, PORTAL_PDNS, PORTAL_LOG, PORTAL_ANALYST, PORTAL_ADMIN), one that is used
up (PORTAL_FEW), and PORTAL_CONTROL, a file: what is written there ("kill box") is done, and answered by removing it.
Ends with PROGRAM's exit code."""
import ipaddress
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "collect"))
from bed import PORT, Collector, own_network, wire_name

HTML = "<img src=x onerror=alert(1)>"
NOW = int(time.time())
DAY = 86400
CLIENT, RESOLVER = "203.0.113.9", "192.0.2.53"


# --- passive DNS ---

def row(name, kind, data, first, last, count=1, sensor=None):
    out = {"rrname": name, "rrtype": kind, "rdata": data, "time_first": NOW - first, "time_last": NOW - last, "count": count,
           "bailiwick": ".".join(name.split(".")[-2:])}
    return out | ({"sensor_id": sensor} if sensor else {})


def escaped(text):
    """One label in a name as RFC 1035 has it."""
    return "".join(c if c.isalnum() or c == "-" else f"\\{ord(c):03d}" for c in text)


def ace(label):
    """A U-label as an A-label."""
    return "xn--" + label.encode("punycode").decode()


def rows():
    """What the dataset has."""
    out = [
        row("shop.example", "A", ["192.0.2.10"], 400 * DAY, 2 * DAY, 4711),
        row("shop.example", "NS", ["ns1.hosting.example", "ns2.hosting.example"], 400 * DAY, 3600, 12, "resolver"),
        row("shop.example", "MX", ["10 mail.shop.example"], 300 * DAY, DAY, 31),
        row("shop.example", "TXT", [f"\"{HTML}\""], 30 * DAY, DAY, 3),
        row("shop.example", "SOA", ["ns1.hosting.example admin.hosting.example 1 7200 900 1209600 300"], 90 * DAY, DAY, 3, "resolver"),
        row("www.shop.example", "CNAME", ["shop.example"], 200 * DAY, DAY, 99),
        row("www.shop.example", "AAAA", ["2001:db8:10::1"], 40 * DAY, 5 * DAY, 18),
        row("_sip._udp.shop.example", "SRV", ["0 5 5060 sip.shop.example"], 10 * DAY, DAY, 2),
        row("api.shop.example", "HTTPS", ["1 edge.hosting.example alpn=h2"], 10 * DAY, DAY, 2),
        row(f"{escaped(HTML)}.shop.example", "A", ["192.0.2.66"], 9 * DAY, DAY, 1),
        # Look-alikes: Cyrillic letters alone, one of them among others, a digit, another suffix.
        row(ace("\u0455\u04bb\u043e\u0440") + ".example", "A", ["198.51.100.1"], 3 * DAY, 3600, 5),
        row("sh0p.example", "A", ["198.51.100.2"], 2 * DAY, 3600, 5),
        row(ace("sh\u043ep") + ".example", "A", ["198.51.100.3"], 2 * DAY, 3600, 5),
        row("shop-login.example", "A", ["198.51.100.4"], 2 * DAY, 3600, 5),
        row("shop.test", "NS", ["ns1.hosting.example"], 20 * DAY, DAY, 5),
        row(ace("\u540d\u524d") + ".example", "A", ["198.51.100.5"], 20 * DAY, DAY, 5),
        # New since an hour.
        row("fresh.example", "A", ["192.0.2.11"], 600, 60, 4),
        row("shop.example", "A", ["192.0.2.99"], 500, 60, 2),
    ]
    # Addresses that come and go.
    out += [row("flux.bad.example", "A", [f"{10 + i}.{i}.{i}.{i}"], DAY - i * 600, DAY - i * 600 - 300, 2) for i in range(40)]
    # As long as names and strings get, in one word.
    long = ".".join(c * 60 for c in "abc") + ".long.example"
    out += [row(long, "NS", [f"ns1.{long}"], 9 * DAY, DAY, 1), row("txt.long.example", "TXT", [" ".join(['"' + "x" * 255 + '"'] * 8)], 9 * DAY, DAY, 1),
            row("txt.long.example", "TXT", ['"two  blanks"'], 9 * DAY, 2 * DAY, 1)]
    # More than are drawn at once.
    out += [row(f"c{i:04d}.crowd.example", "A", [f"10.78.{i // 250}.{i % 250}"], 50 * DAY - i, 40 * DAY - i, i + 1) for i in range(5300)]
    # More than a page.
    out += [row(f"h{i:04d}.many.example", "A", [f"10.77.{i // 250}.{i % 250}"], 50 * DAY - i, 40 * DAY - i, i + 1) for i in range(720)]
    return out


def plant(collector, dataset):
    file = os.path.join(collector.folder, "rows.json")
    with open(file, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(each) + "\n" for each in rows())
    done = subprocess.run([collector.program, "pdns", "import", "--dataset", dataset, file], capture_output=True, text=True,
                          check=False, **collector.less)
    assert done.returncode == 0, done.stderr


# --- a box on two wires, and traffic ---

def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(name, address, rcode=0):
    """A DNS response to the client, with a UDP checksum of zero."""
    answer = b"" if rcode else struct.pack(">HHHIH", 0xC00C, 1, 1, 300, 4) + ipaddress.ip_address(address).packed
    message = struct.pack(">HHHHHH", 1, 0x8180 | rcode, 1, 0 if rcode else 1, 0, 0) + wire_name(name) + struct.pack(">HH", 1, 1) + answer
    udp = struct.pack(">HHHH", 53, 4242, 8 + len(message), 0) + message
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, ipaddress.ip_address(RESOLVER).packed,
                       ipaddress.ip_address(CLIENT).packed)
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return b"\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0" + head + udp


class Traffic(threading.Thread):
    """Forty responses a second; a second has one for a name that is filtered, and one for one that is counted."""

    def __init__(self):
        super().__init__(daemon=True)
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.sock.bind(("wire1", 0))

    def run(self):
        names = [("www.shop.example", "192.0.2.10"), ("c2.bad.example", "198.51.100.77"), ("mail.shop.example", "192.0.2.12"),
                 ("absent.example", None)] + 36 * [("www.shop.example", "192.0.2.10")]
        while True:
            for i, (name, address) in enumerate(names):
                self.sock.send(frame(name, address, 0 if address else 3))
                if i % 8 == 0:
                    time.sleep(0.2)


class Box:
    def __init__(self, build, collector):
        self.folder, self.control, self.process = collector.folder, os.path.join(collector.folder, "control.sock"), None
        self.program = os.path.join(build, "app", "dnsweir")
        files = {
            "c2.csv": "id,fqdn,behaviour,start,end\nEX-1,*.bad.example,C2 server,2024-01-01,\n",
            "watch.csv": "id,fqdn,behaviour,start,end\nEX-2,mail.shop.example,odd,2024-01-01,\n",
            "allow.csv": "id,fqdn,behaviour,start,end\nEX-3,good.bad.example,,2024-01-01,\n",
            "dnsweir.ini": f"[ports]\nmbufs = 1024\nlink_state = off\n[sinkhole]\nipv4 = 192.0.2.1\nttl_max = 60\n[list c2]\n"
                           f"source = c2.csv\naction = sinkhole\n[list watch]\nsource = watch.csv\naction = log\n[list good]\n"
                           f"source = allow.csv\naction = allow\n[control]\nsocket = {self.control}\ngroup = nogroup\n"
                           f"[tap]\nsocket = {collector.tap}\n",
        }
        for name, text in files.items():
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as f:
                f.write(text)
        for side in (0, 1):
            subprocess.run(["ip", "link", "add", f"wire{side}", "type", "veth", "peer", "name", f"port{side}"], check=True)
            for name in (f"wire{side}", f"port{side}"):
                subprocess.run(["ip", "link", "set", name, "up"], check=True)

    def up(self):
        with open(os.path.join(self.folder, "box"), "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [self.program, "--lcores", "0@0,1@0,2@1" if (os.cpu_count() or 1) > 1 else "0@0,1@0,2@0", "--no-huge", "-m", "512", "--no-pci",
                 "--no-shconf", "--no-telemetry", "--log-level=error", f"--file-prefix=portal{os.getpid()}",
                 "--vdev", "net_af_packet0,iface=port0", "--vdev", "net_af_packet1,iface=port1", "--",
                 "--config", os.path.join(self.folder, "dnsweir.ini")], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(600):
            if os.path.exists(self.control):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        with open(os.path.join(self.folder, "box"), encoding="utf-8") as log:
            raise RuntimeError("the box does not start: " + log.read())

    def down(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


def contacts(path):
    """What reached the sinkhole, as nginx writes it."""
    with open(path, "w", encoding="utf-8") as f:
        for i in range(3):
            f.write(json.dumps({"time": NOW - 60 + i, "client": CLIENT, "client_port": 4000 + i, "protocol": "tcp", "port": 443,
                                "sni": "c2.bad.example"}) + "\n")
    os.chmod(path, 0o644)


def serve_commands(path, box, end):
    """Do what the program asks for, until it ends."""
    while not end.wait(0.1):
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as f:
            word = f.read().strip()
        if word == "stop box":
            box.down()
        if word:
            os.remove(path)


def main():
    own_network()
    build, program = os.path.abspath(sys.argv[1]), sys.argv[2:]
    collector = Collector(os.path.join(build, "app", "dnsweir-collect"), "boxes = CONTROL MISSING", "rate = 1000")
    dataset = os.path.join(collector.folder, "pdns")
    logs = os.path.join(collector.folder, "nginx.json")
    with open(collector.config, encoding="utf-8") as f:
        text = f.read().replace("CONTROL MISSING", os.path.join(collector.folder, "control.sock") + " " +
                                os.path.join(collector.folder, "absent.sock"))
    text = text.replace("[api]", f"sinkhole = {logs}\n[api]") + f"[pdns]\nstore = {dataset}\nwindow = 1\n"
    with open(collector.config, "w", encoding="utf-8") as f:
        f.write(text)
    box, end = None, threading.Event()
    try:
        plant(collector, dataset)
        contacts(logs)
        collector.up()
        env = {f"PORTAL_{role.upper()}": collector.key(role, role) for role in ("metrics", "pdns", "log", "analyst", "admin")}
        env["PORTAL_FEW"] = collector.key("few", "pdns", "--quota", "2")
        box = Box(build, collector)
        box.up()
        Traffic().start()
        command = os.path.join(collector.folder, "command")
        threading.Thread(target=serve_commands, args=(command, box, end), daemon=True).start()
        collector.wait_stored(20)
        env |= {"PORTAL_URL": f"http://127.0.0.1:{PORT}/", "PORTAL_CONTROL": command}
        status = subprocess.run(program, env={**os.environ, **env}, check=False).returncode
        end.set()
        box.down()
        if collector.down() != 0:
            print("not ok - the collector ends well\n" + collector.said(), flush=True)
            status = 1
        return status
    finally:
        end.set()
        if box:
            box.down()
        collector.remove()


if __name__ == "__main__":
    sys.exit(main())
