#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What dig cannot do: raw answers, frames with tags, frames as they are.

    wire.py ask SERVER NAME TYPE [tcp] [dnssec] [ad] [from=ADDRESS]
        the answer to a query, as hex; the query's ID is always the same
    wire.py changes HEX HEX
        what the second message has changed: "A AAAA AD TTL", or "other"
    wire.py relay INTERFACE SECONDS
        answer tagged queries: ask the resolver at their destination, wrap its answer alike
    wire.py tagged INTERFACE STACK IP NAME TYPE [sum0] [options]
        ask through a relay; STACK is "-" or e.g. "88a8:7,8100:9,pppoe:3"; IP is 4 or 6
    wire.py send INTERFACE NUMBER / wire.py catch INTERFACE NUMBER [any]
        NUMBER made-up frames of all kinds: send them; expect them all as sent, in order or in any
    wire.py flows-send ADDRESS NUMBER / wire.py flows-catch ADDRESS NUMBER
        NUMBER datagrams of each of 32 flows: send them; expect each flow's in their order
"""
import random
import socket
import struct
import sys
import time

ID = 0x5A5A
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33,
         "DNAME": 39, "RRSIG": 46, "HTTPS": 65, "ANY": 255}
CLIENT = {4: "198.51.100.99", 6: "2001:db8:1::99"}
SERVER = {4: "198.51.100.53", 6: "2001:db8:1::53"}
MAC_CLIENT, MAC_SERVER = bytes.fromhex("020000000077"), bytes.fromhex("020000000053")
CLIENT_PORT = 40053
FLOWS, FLOWS_PORT = 32, 9  # RFC 863 throws away what comes to that port
PPPOE, PPP_IP = 0x8864, {4: 0x0021, 6: 0x0057}
ETHERTYPE = {4: 0x0800, 6: 0x86DD}
SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 263, 8, 23
STATUS_VLAN_VALID, STATUS_VLAN_TPID_VALID = 0x10, 0x40


# --- DNS ---

def query(name, kind, flags=0x0100, dnssec=False):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.rstrip(".").split(".") if x)
    edns = b"\0" + struct.pack(">HHIH", 41, 1232, 0x8000, 0) if dnssec else b""
    head = struct.pack(">HHHHHH", ID, flags, 1, 0, 0, 1 if dnssec else 0)
    return head + labels + b"\0" + struct.pack(">HH", TYPES[kind], 1) + edns


def skip_name(message, at):
    while message[at]:
        if message[at] >= 0xC0:
            return at + 2
        at += 1 + message[at]
    return at + 1


def records(message):
    """(type, offset of the TTL, offset of RDATA, its size) of each record of a message."""
    counts = struct.unpack_from(">HHHH", message, 4)
    at = 12
    for _ in range(counts[0]):
        at = skip_name(message, at) + 4
    for _ in range(sum(counts[1:])):
        at = skip_name(message, at)
        kind, _, _, size = struct.unpack_from(">HHIH", message, at)
        yield kind, at + 4, at + 10, size
        at += 10 + size


def addresses(message):
    family = {TYPES["A"]: socket.AF_INET, TYPES["AAAA"]: socket.AF_INET6}
    return [socket.inet_ntop(family[kind], message[data:data + size])
            for kind, _, data, size in records(message) if kind in family]


def ask(server, name, kind, *options):
    source = next((o[5:] for o in options if o.startswith("from=")), "")
    flags = 0x0120 if "ad" in options else 0x0100
    message = query(name, kind, flags, "dnssec" in options)
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if "tcp" in options else socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.bind((source, 0))
        s.connect((server, 53))
        if "tcp" not in options:
            s.send(message)
            return s.recv(65535)
        s.sendall(struct.pack(">H", len(message)) + message)
        with s.makefile("rb") as stream:
            return stream.read(struct.unpack(">H", stream.read(2))[0])


def changes(before, after):
    if len(before) != len(after):
        return "length"
    kinds = {3: "AD"} if (before[3] ^ after[3]) & ~0x20 == 0 else {}
    for kind, ttl, data, size in records(before):
        if kind in (TYPES["A"], TYPES["AAAA"]):
            kinds.update(dict.fromkeys(range(ttl, ttl + 4), "TTL"))
            kinds.update(dict.fromkeys(range(data, data + size), "A" if kind == 1 else "AAAA"))
    found = {kinds.get(i, "other") for i, (x, y) in enumerate(zip(before, after)) if x != y}
    return " ".join(sorted(found)) or "nothing"


# --- Frames ---

def ones_sum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def pseudo_header(ip, source, target, size):
    family = socket.AF_INET if ip == 4 else socket.AF_INET6
    addresses_ = socket.inet_pton(family, source) + socket.inet_pton(family, target)
    return addresses_ + struct.pack(">IHBB", size, 0, 0, 17)


def udp_frame(ip, tags, macs, ends, ports, payload, zero_sum, options):
    """A frame: tags is the list of (ethertype, number), ends and ports are (source, target)."""
    size = 8 + len(payload)
    udp = struct.pack(">HHHH", *ports, size, 0) + payload
    checksum = 0 if zero_sum else (~ones_sum(pseudo_header(ip, *ends, size) + udp) & 0xFFFF) or 0xFFFF
    udp = udp[:6] + struct.pack(">H", checksum) + udp[8:]
    if ip == 4:
        extra = b"\x94\x04\0\0" if options else b""  # router alert, RFC 2113
        head = struct.pack(">BBHHHBBH", 0x45 + len(extra) // 4, 0, 20 + len(extra) + size, 7, 0x4000,
                           64, 17, 0)
        head += socket.inet_pton(socket.AF_INET, ends[0]) + socket.inet_pton(socket.AF_INET, ends[1])
        head += extra
        head = head[:10] + struct.pack(">H", ~ones_sum(head) & 0xFFFF) + head[12:]
    else:
        # Hop-by-hop and destination options, each of padding only, RFC 8200 s4.2.
        extra = bytes.fromhex("3c00010400000000" "1100010400000000") if options else b""
        head = struct.pack(">IHBB", 6 << 28, len(extra) + size, 0 if options else 17, 64)
        head += socket.inet_pton(socket.AF_INET6, ends[0]) + socket.inet_pton(socket.AF_INET6, ends[1])
        head += extra
    frame, packet = b"", head + udp
    ethertype = ETHERTYPE[ip]
    for kind, number in reversed(tags):
        if kind == PPPOE:
            frame = struct.pack(">BBHHH", 0x11, 0, number, len(packet) + 2, PPP_IP[ip])
        else:
            frame = struct.pack(">HH", number, ethertype) + frame
        ethertype = kind
    return macs[1] + macs[0] + struct.pack(">H", ethertype) + frame + packet


def parse_frame(frame):
    """The parts of a UDP frame as a dict, or None for anything else."""
    tags, at = [], 14
    ethertype = struct.unpack_from(">H", frame, 12)[0]
    while ethertype in (0x8100, 0x88A8, 0x9100):
        number, inner = struct.unpack_from(">HH", frame, at)
        tags.append((ethertype, number))
        ethertype, at = inner, at + 4
    if ethertype == PPPOE:
        session, _, protocol = struct.unpack_from(">HHH", frame, at + 2)
        tags.append((PPPOE, session))
        ethertype = {v: ETHERTYPE[k] for k, v in PPP_IP.items()}.get(protocol)
        at += 8
    if ethertype == ETHERTYPE[4] and frame[at + 9] == 17:
        ip, head = 4, 4 * (frame[at] & 15)
        options, ends = head > 20, (frame[at + 12:at + 16], frame[at + 16:at + 20])
        good = ones_sum(frame[at:at + head]) == 0xFFFF
    elif ethertype == ETHERTYPE[6] and (frame[at + 6] == 17 or frame[at + 6] == 0):
        ip, options = 6, frame[at + 6] == 0
        head = 56 if options else 40
        ends, good = (frame[at + 8:at + 24], frame[at + 24:at + 40]), True
        if options and (frame[at + 40], frame[at + 48]) != (60, 17):
            return None
    else:
        return None
    family = socket.AF_INET if ip == 4 else socket.AF_INET6
    ends = tuple(socket.inet_ntop(family, e) for e in ends)
    source, target, size, checksum = struct.unpack_from(">HHHH", frame, at + head)
    udp = frame[at + head:at + head + size]
    if checksum and ones_sum(pseudo_header(ip, *ends, size) + udp) != 0xFFFF:
        good = False
    return {"ip": ip, "tags": tags, "options": options, "ends": ends, "ports": (source, target),
            "payload": udp[8:], "zero_sum": checksum == 0, "good": good}


def packet_socket(interface):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind((interface, 0))
    return s


def receive(s):
    """The next frame, with the outer tag back in place that the kernel has taken out."""
    frame, control, _, _ = s.recvmsg(65535, 256)
    for level, kind, data in control:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", data[:20])
            if status & STATUS_VLAN_VALID:
                tpid = tpid if status & STATUS_VLAN_TPID_VALID else 0x8100
                frame = frame[:12] + struct.pack(">HH", tpid, tci) + frame[12:]
    return frame


def relay(interface, seconds):
    end = time.monotonic() + float(seconds)
    with packet_socket(interface) as s:
        s.settimeout(0.2)
        print("ready", flush=True)
        while time.monotonic() < end:
            try:
                frame = receive(s)
            except TimeoutError:
                continue
            q = parse_frame(frame) if frame[6:12] == MAC_CLIENT else None
            if q is None or q["ports"][1] != 53 or not q["good"]:
                continue
            with socket.socket(socket.AF_INET6 if q["ip"] == 6 else socket.AF_INET,
                               socket.SOCK_DGRAM) as up:
                up.settimeout(5)
                up.connect((q["ends"][1], 53))
                up.send(q["payload"])
                answer = up.recv(65535)
            s.send(udp_frame(q["ip"], q["tags"], (MAC_SERVER, MAC_CLIENT), q["ends"][::-1],
                             q["ports"][::-1], answer, q["zero_sum"], q["options"]))


def tagged(interface, stack, ip, name, kind, *options):
    tags = []
    for tag in [] if stack == "-" else stack.split(","):
        ethertype, number = tag.split(":")
        tags.append((PPPOE if ethertype == "pppoe" else int(ethertype, 16), int(number)))
    ip = int(ip)
    zero_sum, with_options = "sum0" in options, "options" in options
    frame = udp_frame(ip, tags, (MAC_CLIENT, MAC_SERVER), (CLIENT[ip], SERVER[ip]), (CLIENT_PORT, 53),
                      query(name, kind), zero_sum, with_options)
    with packet_socket(interface) as s:
        for _ in range(3):
            s.send(frame)
            end = time.monotonic() + 2
            while time.monotonic() < end:
                s.settimeout(max(0.01, end - time.monotonic()))
                try:
                    answer = parse_frame(receive(s))
                except TimeoutError:
                    break
                if answer is None or answer["ports"] != (53, CLIENT_PORT):
                    continue
                if answer["tags"] != tags or answer["options"] != with_options:
                    return f"tags {answer['tags']} options {answer['options']}"
                if not answer["good"] or answer["zero_sum"] != zero_sum:
                    return "wrong checksum"
                return " ".join(addresses(answer["payload"]))
    return "no answer"


def made_up_frames(number):
    """Frames of all kinds; the same for the same number, on both sides."""
    dice = random.Random(number)
    heads = [("0180c2000000", "0026424203"), ("0180c200000e", "88cc"), ("0180c2000002", "8809"),
             ("0180c2000003", "888e"), ("0180c2000001", "8808"), ("01000ccccccc", "0040aaaa03"),
             ("ffffffffffff", "88b5"), ("020000000001", "8847"), ("020000000001", "88e5"),
             ("020000000001", "8863"), ("333300000001", "88b6"), ("020000000001", "88f7")]
    for i in range(number):
        target, rest = heads[i % len(heads)]
        size = dice.choice((60, 61, 64, 100, 513, 1513, 1514))
        frame = bytes.fromhex(target) + MAC_CLIENT + bytes.fromhex(rest) + struct.pack(">I", i)
        yield frame + dice.randbytes(size - len(frame))


def send(interface, number):
    with packet_socket(interface) as s:
        for frame in made_up_frames(int(number)):
            s.send(frame)
            time.sleep(0.0002)


def catch(interface, number, order=""):
    wanted = list(made_up_frames(int(number)))
    with packet_socket(interface) as s:
        s.settimeout(10)
        print("ready", flush=True)
        for i in range(int(number)):
            try:
                got = receive(s)
                while got[6:12] != MAC_CLIENT:
                    got = receive(s)
            except TimeoutError:
                return f"{len(wanted)} of {number} frames did not come"
            if got not in (wanted if order == "any" else wanted[:1]):
                return f"frame {i} came as {got.hex()}, expected {wanted[0].hex()}"
            wanted.remove(got)
    return "all"


def flows_send(address, number):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flows = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(FLOWS)]
    for i in range(int(number)):
        for flow in flows:
            flow.sendto(struct.pack(">I", i), (address, FLOWS_PORT))
        time.sleep(0.002)


def flows_catch(address, number):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    following, came = {}, 0
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        s.bind((address, FLOWS_PORT))
        s.settimeout(10)
        print("ready", flush=True)
        while came < FLOWS * int(number):
            try:
                message, sender = s.recvfrom(64)
            except TimeoutError:
                break
            s.settimeout(2)
            i = struct.unpack(">I", message)[0]
            if i < following.get(sender[1], 0):
                return f"datagram {i} of port {sender[1]} came after {following[sender[1]] - 1}"
            following[sender[1]] = i + 1
            came += 1
    # What the wire's queues drop is not what this is about.
    enough = came > 0.9 * FLOWS * int(number) and len(following) == FLOWS
    return "in order" if enough else f"only {came} came, of {len(following)} flows"


def main(arguments):
    commands = {"ask": lambda *a: ask(*a).hex(), "relay": relay, "tagged": tagged, "send": send,
                "catch": catch, "flows-send": flows_send, "flows-catch": flows_catch,
                "changes": lambda a, b: changes(bytes.fromhex(a), bytes.fromhex(b))}
    if not arguments or arguments[0] not in commands:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    result = commands[arguments[0]](*arguments[1:])
    if result is not None:
        print(result)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
