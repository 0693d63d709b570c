# SPDX-License-Identifier: BSD-3-Clause
"""The situations: each function makes some names of an action, with all that they need, in a zone."""
import itertools

from world import BLOCKS, CANARIES

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
    world.ask_for(("CNAME", "DNSKEY"), action, "cname-to-listed", into, mixed(world, into), far)
    world.ask(action, "cname-of-listed", out)
    world.ask(action, "cname-through-listed", through)
    around = f"{world.label()}.{zone}"
    world.record(around, f"CNAME {target}.")
    world.ask(action, "cname-unlisted", around, target)


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
        world.ask_for(("ANY",), action, situation, name)
        if situation == "empty":
            world.record(name, 'TXT "no address"')
        elif situation == "terminal":
            world.host(f"{world.label()}.{name}")
    name = f"{world.label()}.{zone}"
    world.list(action, f"{name}")
    pointing = f"{world.label()}.{zone}"
    world.record(pointing, f"CNAME {name}.")
    world.ask_for(("CNAME", "DNSKEY"), action, "cname-to-missing", pointing)
    wild = f"{world.label()}.{zone}"
    world.host(f"*.{wild}")
    world.list(action, f"e.{wild}")
    world.list(action, f".s.{wild}")
    world.ask(action, "wildcard", f"e.{wild}", f"s.{wild}", f"{world.label()}.s.{wild}")
    world.ask(action, "unlisted", f"{world.label()}.{wild}", f"f.e.{wild}")


def services(world, action, zone):
    """SVCB and HTTPS records (RFC 9460) at listed names and with targets that are."""
    def hints(kind, four=True, six=True):
        n = next(world.number)
        return " ".join([" alpn=h2", *["port=853"] * (kind == "SVCB"),
                         *[f"ipv4hint=198.18.{n >> 8 & 255}.{n & 255}"] * four,
                         *[f"ipv6hint=2001:db8:c::{n:x}"] * six])

    listed, outside = world.bare(zone), world.host(f"{world.label()}.outside.example")
    world.list(action, listed)
    world.record(listed, f"HTTPS 1 .{hints('HTTPS')}")
    world.record(listed, f"SVCB 1 {outside}.{hints('SVCB', six=False)}")
    world.ask_for(("HTTPS", "SVCB"), action, "service-listed", listed, mixed(world, listed))
    alias = world.bare(zone)
    world.list(action, alias)
    world.record(alias, f"HTTPS 0 {outside}.")
    world.ask_for(("HTTPS",), action, "service-listed", alias)
    target, into, several = world.bare(zone), world.bare(zone), world.bare(zone)
    world.list(action, target)
    world.record(into, f"HTTPS 1 {target}.{hints('HTTPS')}")
    world.record(into, f"SVCB 1 {target}.{hints('SVCB', four=False)}")
    world.record(several, f"HTTPS 1 .{hints('HTTPS', four=False)}")
    world.record(several, f"HTTPS 2 {target}.{hints('HTTPS', six=False)}")
    world.ask_for(("HTTPS", "SVCB"), action, "service-to-listed", into)
    world.ask_for(("HTTPS",), action, "service-to-listed", several, mixed(world, several))
    pointing = world.bare(zone)
    world.record(pointing, f"HTTPS 0 {target}.")
    world.ask_for(("HTTPS",), action, "alias-to-listed", pointing)


def synthesised(world, action, zone):
    """IPv4 only: AAAA records are made of the A records (DNS64, RFC 6147)."""
    listed, into, other = world.bare(zone, "A"), world.bare(zone, ""), world.bare(zone, "A")
    world.list(action, listed)
    world.record(into, f"CNAME {listed}.")
    world.ask_for(("AAAA",), action, "four-only", listed, mixed(world, listed))
    world.ask_for(("AAAA",), action, "cname-to-listed", into)
    world.ask_for(("AAAA",), action, "four-unlisted", other)


def sections(world, action, zone):
    """Names whose addresses come along in the additional section."""
    listed, into = world.host(f"{world.label()}.{zone}"), world.bare(zone)
    world.list(action, listed)
    itself = world.bare(zone)
    world.list(action, itself)
    for owner, target, situation in (
            (into, listed, "in-additional"), (itself, itself, "beside-itself")):
        world.record(owner, f"MX 10 {target}.")
        world.record(owner, f"SRV 1 2 443 {target}.")
        world.ask_for(("MX", "SRV"), action, situation, owner)


def octets(world, action, zone):
    """Labels of any octets. What differs from a listed one by the bit between a and A is another."""
    if "signed." in zone:
        return  # what signs zones does not write such names as it has read them
    odd = [o for o in range(256) if not chr(o).isalpha() or o > 127]
    for _ in range(2):
        some, end = world.random.sample(odd, 5), world.label(4)
        name = world.host(f"{escaped(some)}{end}.{zone}")
        world.list(action, name)
        world.ask(action, "octets", name, mixed(world, name))
        some[world.random.randrange(5)] ^= 0x20
        world.ask(action, "near-miss", world.host(f"{escaped(some)}{end}.{zone}"))


def escaped(label):
    return "".join(f"\\{octet:03d}" for octet in label)


FAMILIES = (exact, subtree, below, gap, cname, dname, absent, services, synthesised, sections,
            octets)


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
    child = under(f"{good}.{root}")
    world.record(child, "HTTPS 2 . alpn=h3 ipv4hint=198.18.0.1")
    world.ask_for(("ANY", "HTTPS"), "allow", "below-allowed", child)
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
    """Names of two lists, of which the second one stands first in the configuration: a chain of two
    listed names, and one below the other."""
    blocks = [a for a in BLOCKS if a in actions]
    for later, first in itertools.combinations(reversed(blocks), 2):
        target, question = world.host(f"{world.label()}.{zone}"), f"{world.label()}.{zone}"
        world.list(first, target)
        world.list(later, question)
        world.record(question, f"CNAME {target}.")
        world.ask(first, "two-lists", question)
        root = world.host(f"{world.label()}.{zone}")
        inner = world.host(f"{world.label()}.{root}")
        world.list(later, f".{root}")
        world.list(first, inner)
        world.ask(first, "overruling", inner)
        world.ask(later, "subtree", root, world.host(f"{world.label()}.{root}"))
        world.ask(later, "gap-below", world.host(f"{world.label()}.{inner}"))
        root = world.host(f"{world.label()}.{zone}")
        inner = world.host(f"{world.label()}.{root}")
        world.list(first, f".{root}")
        world.list(later, inner)
        world.ask(first, "overruled", inner)


def servers(world, action):
    """Zones with a listed name as their server, and with a listed name as themselves."""
    label = world.label()
    served, listed = f"served-{label}.example", f"listed-{label}.example"
    for zone in (served, listed):
        world.zone(zone, f"ns.{zone}")
        world.host(zone)
        world.ask_for(("NS",), action, "in-additional" if zone == served else "apex", zone)
    world.list(action, f"ns.{served}")
    world.list(action, f".{listed}")


def canaries(world, actions):
    """Names by which clients ask for encrypted DNS; beside them lists have what is around them."""
    for zone in ("net", "com", "arpa"):
        world.zone(zone)
    for name in ("icloud.com", "resolver.arpa"):
        world.list("sinkhole", f".{name}")
    behind = world.host(f"{world.label()}.outside.example")
    world.list("sinkhole", behind)
    world.host("use-application-dns.net")
    world.host("mask.icloud.com")
    world.record("mask-h2.icloud.com", f"CNAME {behind}.")
    world.record("_dns.resolver.arpa", f"SVCB 1 {behind}. alpn=dot ipv4hint=198.18.0.1")
    for action in actions:
        for name in CANARIES:
            situation = "canary-cname" if name.startswith("mask-h2") else "canary"
            world.ask(action, situation, name, mixed(world, name), mixed(world, name))


def beside_canaries(world):
    world.ask("sinkhole", "subtree", world.host("www.icloud.com"), world.host("x.mask.icloud.com"),
              world.host("xmask.icloud.com"))
