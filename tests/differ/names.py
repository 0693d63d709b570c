#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Zones, the same lists in two forms, and questions: names.py FOLDER ACTIONS TRANSPORTS COUNT SEED

ACTIONS and TRANSPORTS are words separated by commas. COUNT is how many names are asked for. Writes
into FOLDER:

    ZONE.zone           what the authoritative server has: plain.example, signed.example (not signed
                        yet), outside.example, which no list names, and above them example and root
    ACTION.csv          the catalogue of each action, for the box
    {allow,block,tcp,log}.rpz   the same as response policy zones, for the resolvers; "tcp" has the
                        names of tcp-only
    questions.tsv       number, transport, action, situation, EDNS, name, type

A name is made for one action and one situation, which says how it stands to the list and to the
zone; compatibility.md tells differences apart by these words.
"""
import itertools
import random
import sys

SINK4, SINK6 = "192.0.2.1", "2001:db8:5::1"
AUTHORITY = "203.0.113.53"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
ZONES = ("plain.example", "signed.example", "outside.example")
BLOCKS = ("sinkhole", "on-empty", "skip-signed", "nxdomain", "nodata", "drop", "tcp-only")
SINKHOLES = ("sinkhole", "on-empty", "skip-signed")  # the action sinkhole with different settings
RPZ = {"nxdomain": ["CNAME ."], "nodata": ["CNAME *."], "drop": ["CNAME rpz-drop."],
       "tcp-only": ["CNAME rpz-tcp-only."], "allow": ["CNAME rpz-passthru."],
       "log": ["CNAME ."], **dict.fromkeys(SINKHOLES, [f"A {SINK4}", f"AAAA {SINK6}"])}
RPZ_OF = {"allow": "allow", "tcp-only": "tcp", "log": "log"}  # else block
# What a host may have beside its addresses; n is the host's number, t a name without data of its own.
EXTRAS = {
    "MX": "10 {t}", "TXT": '"text {n}"', "SRV": "1 2 443 {t}", "CAA": '0 issue "ca{n}.example"',
    "NAPTR": '1 1 "u" "E2U+sip" "!^.*$!sip:{n}@outside.example!" .', "PTR": "{t}",
    "SSHFP": "1 1 {n:040x}", "TLSA": "3 1 1 {n:064x}", "LOC": "52 0 0.000 N 4 0 0.000 E {n}m",
    "HTTPS": "1 . alpn=h2 ipv4hint={a} ipv6hint={aaaa}", "SVCB": "1 {t} alpn=dot ipv4hint={a}",
    "TYPE65280": "\\# 4 {n:08x}"}
TYPES = ["A", "AAAA", "CNAME", "DNAME", "NS", "SOA", "DNSKEY", "ANY", *EXTRAS]
ZONE_HEAD = "$ORIGIN {zone}.\n$TTL 3600\n@ SOA ns.example. hostmaster.example. 1 3600 600 86400 300\n" \
            "@ NS ns.example.\n"
RPZ_HEAD = "$TTL 60\n@ SOA localhost. hostmaster.example. 1 3600 600 86400 60\n@ NS localhost.\n"


class World:
    """Everything made so far."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.number = itertools.count(1)
        self.zones = {zone: [] for zone in ZONES}
        self.lists = {}
        self.names = []

    def label(self, longest=16):
        """A label that no other has."""
        n, mark = next(self.number), ""
        while n:
            n, digit = divmod(n, 36)
            mark = LETTERS[digit] + mark
        middle = "".join(self.random.choices(LETTERS + "-", k=self.random.randrange(longest)))
        return f"{self.random.choice(LETTERS + '_')}{middle}{mark}"

    def record(self, owner, data):
        for zone, records in self.zones.items():
            if owner.endswith(zone):
                records.append(f"{owner}. {data}\n")

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

    def list(self, action, form):
        self.lists.setdefault(action, []).append(form)

    def ask(self, action, situation, *names):
        self.names += [(action, situation, name) for name in names]


def mixed(world, name):
    """The same name in letters of both cases."""
    return "".join(world.random.choice((c.lower(), c.upper())) for c in name)


def exact(world, action, zone):
    """One name is listed, neither what is below it nor what looks like it."""
    name = world.host(f"{world.label()}.{zone}")
    world.list(action, name)
    world.ask(action, "exact", name, mixed(world, name))
    world.ask(action, "exact-below", world.host(f"{world.label()}.{name}"),
              world.host(f"{world.label()}.{world.label()}.{name}"))
    first, rest = name.split(".", 1)
    world.ask(action, "near-miss", world.host(f"x{name}"), world.host(f"{first}x.{rest}"),
              world.host(f"{first[:-1]}.{rest}"), world.host(f"{first}.{zone}.{zone}"),
              world.host(f"{first}-{rest}"))


def subtree(world, action, zone):
    """A name and all below it."""
    name = world.host(f"{world.label(40)}.{zone}")
    world.list(action, f".{name}")
    world.ask(action, "subtree", name, mixed(world, name), world.host(f"{world.label(50)}.{name}"))
    deep = ".".join(world.label(4) for _ in range(world.random.randrange(2, 9)))
    world.ask(action, "subtree", world.host(f"{deep}.{name}"), mixed(world, f"{deep}.{name}"))
    world.ask(action, "near-miss", world.host(f"x{name}"), world.host(f"{world.label()}.x{name}"))
    world.ask(action, "unlisted", world.host(f"{world.label()}.{zone}"))


def below(world, action, zone):
    """All below a name, not itself."""
    name = world.host(f"{world.label()}.{zone}")
    world.list(action, f"*.{name}")
    world.ask(action, "below-itself", name)
    under = world.host(f"{world.label()}.{name}")
    world.ask(action, "below", under, mixed(world, under),
              world.host(f"{world.label()}.{world.label()}.{name}"))


def gap(world, action, zone):
    """Entries below a wildcard entry: the names between them are empty non-terminals of an RPZ."""
    name = f"{world.label()}.{zone}"
    between = f"{world.label()}.{name}"
    entry = world.host(f"{world.label()}.{between}")
    world.list(action, f"*.{name}")
    world.list(action, entry)
    world.ask(action, "below", entry, world.host(f"{world.label()}.{name}"))
    world.ask(action, "gap", world.host(between))
    world.ask(action, "gap-beside", world.host(f"{world.label()}.{between}"))
    world.ask(action, "gap-below", world.host(f"{world.label()}.{entry}"))


def cname(world, action, zone):
    """Chains into, out of and through listed names."""
    listed, out = world.host(f"{world.label()}.{zone}"), f"{world.label()}.{zone}"
    target = world.host(f"{world.label()}.outside.example")
    world.list(action, listed)
    world.list(action, out)
    world.record(out, f"CNAME {target}.")
    into, through, far = (f"{world.label()}.{z}" for z in (zone, zone, "outside.example"))
    world.record(into, f"CNAME {listed}.")
    world.record(far, f"CNAME {into}.")
    world.record(through, f"CNAME {out}.")
    world.ask(action, "cname-to-listed", into, mixed(world, into), far)
    world.ask(action, "cname-of-listed", out)
    world.ask(action, "cname-through-listed", through)
    around = f"{world.label()}.{zone}"
    world.record(around, f"CNAME {target}.")
    world.ask(action, "unlisted", around, target)


def dname(world, action, zone):
    """DNAMEs into and out of listed subtrees, and at a name that is listed alone."""
    listed, label = f"{world.label()}.{zone}", world.label()
    world.list(action, f".{listed}")
    world.host(f"{label}.{listed}")
    into = f"{world.label()}.{zone}"
    world.record(into, f"DNAME {listed}.")
    world.ask(action, "dname-to-listed", f"{label}.{into}")
    target, out, owner = f"{world.label()}.outside.example", world.label(), world.label()
    world.host(f"{label}.{target}")
    world.list(action, f".{out}.{zone}")
    world.record(f"{out}.{zone}", f"DNAME {target}.")
    world.ask(action, "dname-of-listed", f"{label}.{out}.{zone}")
    world.list(action, f"{owner}.{zone}")
    world.record(f"{owner}.{zone}", f"DNAME {target}.")
    world.ask(action, "dname-owner-listed", f"{label}.{owner}.{zone}")


def absent(world, action, zone):
    """Listed names that have no address, or are not there at all, and wildcards of the zone."""
    for situation in ("missing", "empty", "terminal"):
        name = f"{world.label()}.{zone}"
        world.list(action, name)
        world.ask(action, situation, name)
        if situation == "empty":
            world.record(name, 'TXT "no address"')
        elif situation == "terminal":
            world.host(f"{world.label()}.{name}")
    name = f"{world.label()}.{zone}"
    world.list(action, f"{name}")
    pointing = f"{world.label()}.{zone}"
    world.record(pointing, f"CNAME {name}.")
    world.ask(action, "cname-to-missing", pointing)
    wild = f"{world.label()}.{zone}"
    world.host(f"*.{wild}")
    world.list(action, f"e.{wild}")
    world.list(action, f".s.{wild}")
    world.ask(action, "wildcard", f"e.{wild}", f"s.{wild}", f"{world.label()}.s.{wild}")
    world.ask(action, "unlisted", f"{world.label()}.{wild}", f"f.e.{wild}")


FAMILIES = (exact, subtree, below, gap, cname, dname, absent)


def allowed(world, block, zone):
    """Allow entries among those of an action that blocks."""
    def name():
        return world.host(f"{world.label()}.{zone}")

    def under(owner):
        return world.host(f"{world.label()}.{owner}")

    alone = name()
    world.list("allow", alone)
    world.ask("allow", "allowed", alone)
    both = name()
    world.list(block, both)
    world.list("allow", both)
    world.ask("allow", "allowed", both)
    root, good = name(), world.label()
    world.list(block, f".{root}")
    world.list("allow", f"{good}.{root}")
    world.ask("allow", "allowed", world.host(f"{good}.{root}"))
    world.ask("allow", "below-allowed", under(f"{good}.{root}"))
    inner = f"{world.label()}.{root}"
    world.list("allow", f".{inner}")
    world.ask("allow", "allowed", world.host(inner), under(inner))
    root = name()
    world.list("allow", f".{root}")
    one, tree = under(root), under(root)
    world.list(block, one)
    world.list(block, f".{tree}")
    world.ask("allow", "blocked-in-allowed", one)
    world.ask("allow", "subtree-in-allowed", tree, under(tree))
    target, question, into = name(), f"{world.label()}.{zone}", f"{world.label()}.{zone}"
    world.list(block, target)
    world.list("allow", question)
    world.record(question, f"CNAME {target}.")
    world.ask("allow", "allowed-to-listed", question)
    world.list(block, into)
    world.record(into, f"CNAME {alone}.")
    world.ask("allow", "listed-to-allowed", into)


def two_lists(world, actions, zone):
    """A chain of two listed names; the second one's list stands first in the configuration."""
    blocks = [a for a in actions if a in BLOCKS]
    for first, second in itertools.combinations(blocks, 2):
        target, question = world.host(f"{world.label()}.{zone}"), f"{world.label()}.{zone}"
        world.list(first, target)
        world.list(second, question)
        world.record(question, f"CNAME {target}.")
        world.ask(first, "two-lists", question)


def make(actions, count, seed):
    world = World(seed)
    # Signing takes longer than anything else here, so fewer names are signed.
    for zone in itertools.cycle(("plain.example", "signed.example", "plain.example")):
        for action in actions:
            # The names of an action are under a label of its own, for the reader of a log.
            if action == "allow":
                allowed(world, "sinkhole", f"allow.{zone}")
            else:
                for family in FAMILIES:
                    family(world, action, f"{action}.{zone}")
        two_lists(world, actions, f"two.{zone}")
        if len(world.names) >= count and zone == "plain.example":
            return world


def rpz_owners(form):
    return {".": [form[1:], f"*{form}"], "*": [form]}.get(form[0], [form])


def write(world, folder):
    for zone, records in world.zones.items():
        with open(f"{folder}/{zone}.zone", "w") as f:
            f.writelines([ZONE_HEAD.format(zone=zone), *records])
    with open(f"{folder}/example.zone", "w") as f:
        f.write(ZONE_HEAD.format(zone="example") + f"ns A {AUTHORITY}\n")
        f.writelines(f"{zone}. NS ns.example.\n" for zone in world.zones)
    with open(f"{folder}/root.zone", "w") as f:
        f.write(ZONE_HEAD.format(zone="").replace("$ORIGIN .", "$ORIGIN .") +
                f"example. NS ns.example.\nns.example. A {AUTHORITY}\n")
    rpz = {"allow": [], "block": [], "tcp": [], "log": []}
    for action, forms in world.lists.items():
        with open(f"{folder}/{action}.csv", "w") as f:
            f.write("id,fqdn,behaviour,start,end\n")
            f.writelines(f"D-{i},{form},differential test,2020-01-01,\n"
                         for i, form in enumerate(forms, 1))
        rpz[RPZ_OF.get(action, "block")] += [
            f"{owner} {data}\n" for form in forms for owner in rpz_owners(form)
            for data in RPZ[action]]
    for name, lines in rpz.items():
        with open(f"{folder}/{name}.rpz", "w") as f:
            f.writelines([f"$ORIGIN {name}.rpz.\n", RPZ_HEAD, *lines])


def questions(world, transports):
    """Every name for its addresses and some other types; for all types the first one of each situation
    in each zone, and every tenth."""
    for transport in transports:
        met = set()
        for i, (action, situation, name) in enumerate(world.names):
            # A connection for each question takes its time.
            new = (action, situation, name.lower().endswith("signed.example"))
            if transport == "tcp" and i % 3 and new in met:
                continue
            kinds = ["A", "AAAA", *world.random.sample(TYPES[2:], 2)]
            if i % 10 == 0 or new not in met:
                kinds = TYPES
            met.add(new)
            # To ANY for an alias a resolver says what it happens to have.
            if any(word in situation for word in ("cname-", "dname-", "-to-", "two-")):
                kinds = [kind for kind in kinds if kind != "ANY"]
            for kind in kinds:
                yield transport, action, situation, edns_of(world, name, kind), name, kind


def edns_of(world, name, kind):
    """none, edns, or do: with the DO bit."""
    if kind == "ANY":
        return "edns"  # a large one: all that a name has shall fit
    edns = world.random.choice(("none", "edns", "edns"))
    return world.random.choice((edns, "do")) if ".signed." in name.lower() else edns


def main(arguments):
    folder, actions, transports, count, seed = arguments
    world = make(actions.split(","), int(count), int(seed))
    write(world, folder)
    with open(f"{folder}/questions.tsv", "w") as f:
        for i, question in enumerate(questions(world, transports.split(","))):
            print(i, *question, sep="\t", file=f)


if __name__ == "__main__":
    main(sys.argv[1:])
