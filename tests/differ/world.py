# SPDX-License-Identifier: BSD-3-Clause
"""What names are made of: zones, hosts with their records, entries of lists, and questions."""
import collections
import itertools
import random

SINK4, SINK6 = "192.0.2.1", "2001:db8:5::1"
AUTHORITY = "203.0.113.53"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
ZONES = ("plain.example", "signed.example", "outside.example")
CANARIES = ("use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com",
            "_dns.resolver.arpa")
BLOCKS = ("sinkhole", "on-empty", "skip-signed", "nxdomain", "nodata", "drop", "tcp-only")
SINKHOLES = ("sinkhole", "on-empty", "skip-signed")  # the action sinkhole with different settings
RPZ = {"nxdomain": ["CNAME ."], "nodata": ["CNAME *."], "drop": ["CNAME rpz-drop."],
       "tcp-only": ["CNAME rpz-tcp-only."], "allow": ["CNAME rpz-passthru."],
       "log": ["CNAME ."], "canary-pass": ["CNAME rpz-passthru."], "canary-nxdomain": ["CNAME ."],
       "canary-nodata": ["CNAME *."], **dict.fromkeys(SINKHOLES, [f"A {SINK4}", f"AAAA {SINK6}"])}
RPZ_OF = {"allow": "allow", "canary-pass": "allow", "tcp-only": "tcp", "log": "log"}  # else block
# What a host may have beside its addresses; n is the host's number, t a name without data of its own.
EXTRAS = {
    "MX": "10 {t}", "TXT": '"text {n}"', "SRV": "1 2 443 {t}", "CAA": '0 issue "ca{n}.example"',
    "NAPTR": '1 1 "u" "E2U+sip" "!^.*$!sip:{n}@outside.example!" .', "PTR": "{t}",
    "SSHFP": "1 1 {n:040x}", "TLSA": "3 1 1 {n:064x}", "LOC": "52 0 0.000 N 4 0 0.000 E {n}m",
    "HTTPS": "1 . alpn=h2 ipv4hint={a} ipv6hint={aaaa}", "SVCB": "1 {t} alpn=dot ipv4hint={a}",
    "TYPE65280": "\\# 4 {n:08x}"}
TYPES = ["A", "AAAA", "CNAME", "DNAME", "NS", "SOA", "DNSKEY", "ANY", *EXTRAS]
ZONE_HEAD = "$ORIGIN {zone}.\n$TTL 3600\n@ SOA ns.example. hostmaster.example. 1 3600 600 86400 300\n" \
            "@ NS {server}.\n"
RPZ_HEAD = "$TTL 60\n@ SOA localhost. hostmaster.example. 1 3600 600 86400 60\n@ NS localhost.\n"


Name = collections.namedtuple("Name", "action situation name kinds")


class World:
    """Everything made so far."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.number = itertools.count(1)
        self.zones = {}
        self.servers = {}
        self.lists = {}
        self.names = []
        for zone in ZONES:
            self.zone(zone)

    def label(self, longest=16):
        """A label that no other has."""
        n, mark = next(self.number), ""
        while n:
            n, digit = divmod(n, 36)
            mark = LETTERS[digit] + mark
        middle = "".join(self.random.choices(LETTERS + "-", k=self.random.randrange(longest)))
        return f"{self.random.choice(LETTERS + '_')}{middle}{mark}"

    def zone(self, name, server="ns.example"):
        """One more zone; @param server its name server, in it or in example."""
        self.zones[name], self.servers[name] = [], server
        if server.endswith(name):
            self.record(server, f"A {AUTHORITY}")

    def record(self, owner, data):
        labels = owner.split(".")
        for i in range(len(labels)):
            zone = ".".join(labels[i:])
            if zone in self.zones:
                self.zones[zone].append(f"{owner}. {data}\n")
                return

    def host(self, owner):
        """A name with addresses and some other records."""
        n = next(self.number)
        values = {"n": n, "a": f"198.18.{n >> 8 & 255}.{n & 255}", "aaaa": f"2001:db8:c::{n:x}",
                  "t": f"h{n}.outside.example."}
        self.record(owner, "A {a}".format(**values))
        self.record(owner, "AAAA {aaaa}".format(**values))
        for kind in self.random.sample(list(EXTRAS), 2 if ".signed." in owner else 4):
            self.record(owner, f"{kind} {EXTRAS[kind]}".format(**values))
        return owner

    def bare(self, zone, kinds="A AAAA"):
        """A new name with addresses of these kinds, and nothing else."""
        owner, n = f"{self.label()}.{zone}", next(self.number)
        for kind in kinds.split():
            self.record(owner, f"{kind} " + (f"198.18.{n >> 8 & 255}.{n & 255}" if kind == "A"
                                             else f"2001:db8:c::{n:x}"))
        return owner

    def list(self, action, form):
        self.lists.setdefault(action, []).append(form)

    def ask(self, action, situation, *names):
        self.ask_for((), action, situation, *names)

    def ask_for(self, kinds, action, situation, *names):
        """The same; @param kinds types that are asked for in any case."""
        self.names += [Name(action, situation, name, kinds) for name in names]
