#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Zones, the same lists in two forms, and questions: names.py FOLDER ACTIONS TRANSPORTS COUNT SEED

ACTIONS and TRANSPORTS are words separated by commas. COUNT is how many names are asked for at least,
over each transport. Writes into FOLDER:

    ZONE.zone           what the authoritative server has, above all of them example and root
    ACTION.csv          the catalogue of each action, for the box
    {allow,block,tcp,log}.rpz   the same as response policy zones, for the resolvers; "tcp" has the
                        names of tcp-only
    canary-ACTION.rpz   the canary names; those of canary-pass are in allow.rpz
    questions.tsv       number, transport, action, situation, EDNS, name, type
    PHASE.tsv           the same lines: "main", and an action of canary names, for which the box and
                        the resolvers are configured otherwise

A name is made for one action and one situation, which says how it stands to the list and to the
zone; compatibility.md tells differences apart by these words.
"""
import collections
import itertools
import sys

import families
from world import AUTHORITY, CANARIES, RPZ, RPZ_HEAD, RPZ_OF, TYPES, ZONE_HEAD, World

CANARY_ACTIONS = ("canary-pass", "canary-nxdomain", "canary-nodata")
PHASES = CANARY_ACTIONS[1:]
# Situations in which a resolver answers ANY with what it happens to have: where there is an alias,
# where records are made of others, and where it needs some itself.
NO_ANY = ("cname", "dname", "-to-", "two-", "four-", "apex", "in-additional")


def make(actions, count, seed):
    world = World(seed)
    families.canaries(world, [action for action in actions if action in CANARY_ACTIONS])
    if "sinkhole" in actions:
        families.beside_canaries(world)
    actions = [action for action in actions if action not in CANARY_ACTIONS]
    for action in actions:
        if action != "allow":
            families.servers(world, action)
    # Signing takes longer than anything else here, so fewer names are signed.
    for i, zone in enumerate(itertools.cycle(("signed.example", "plain.example", "plain.example"))):
        for action in actions:
            # The names of an action are under a label of its own, for the reader of a log.
            if action == "allow":
                families.allowed(world, "sinkhole", f"allow.{zone}")
            else:
                for family in families.FAMILIES:
                    family(world, action, f"{action}.{zone}")
        families.two_lists(world, actions, f"two.{zone}")
        different = {name.name.lower() for name in world.names}
        if not actions or len(different) >= count and i > 0:
            return world


def rpz_owners(form):
    return {".": [form[1:], f"*{form}"], "*": [form]}.get(form[0], [form])


def write_zones(world, folder):
    parents = {"example": [f"ns.example. A {AUTHORITY}\n"],
               "root": [f"example. NS ns.example.\nns.example. A {AUTHORITY}\n"]}
    for zone, records in world.zones.items():
        server = world.servers[zone]
        with open(f"{folder}/{zone}.zone", "w") as f:
            f.writelines([ZONE_HEAD.format(zone=zone, server=server), *records])
        parent = parents["example" if zone.endswith(".example") else "root"]
        parent.append(f"{zone}. NS {server}.\n")
        if server.endswith(zone):
            parent.append(f"{server}. A {AUTHORITY}\n")
    for zone, records in parents.items():
        with open(f"{folder}/{zone}.zone", "w") as f:
            name = "" if zone == "root" else zone
            f.writelines([ZONE_HEAD.format(zone=name, server="ns.example"), *records])


def write_lists(world, folder):
    rpz = {zone: [] for zone in ("allow", "block", "tcp", "log", *PHASES)}
    for action, forms in world.lists.items():
        with open(f"{folder}/{action}.csv", "w") as f:
            f.write("id,fqdn,behaviour,start,end\n")
            f.writelines(f"D-{i},{form},differential test,2020-01-01,\n"
                         for i, form in enumerate(forms, 1))
        rpz[RPZ_OF.get(action, "block")] += [
            f"{owner} {data}\n" for form in forms for owner in rpz_owners(form)
            for data in RPZ[action]]
    for action in CANARY_ACTIONS:
        rpz[RPZ_OF.get(action, action)] += [
            f"{name} {data}\n" for name in CANARIES for data in RPZ[action]]
    for name, lines in rpz.items():
        with open(f"{folder}/{name}.rpz", "w") as f:
            f.writelines([f"$ORIGIN {name}.rpz.\n", RPZ_HEAD, *lines])


def questions(world, transports):
    """Every name over each transport: for addresses, for the types it is made for, and for others
    that the names of a situation take in turn. Canary names are few: each is asked for by all."""
    for transport in transports:
        turns = collections.defaultdict(lambda: itertools.cycle(
            world.random.sample(TYPES[2:], len(TYPES) - 2)))
        for i, (action, situation, name, wanted) in enumerate(world.names):
            turn = turns[action, situation]
            if action in CANARY_ACTIONS:
                kinds = TYPES
            elif transport == "udp":
                kinds = ["A", "AAAA", next(turn), next(turn)]
            else:
                kinds = [("A", "AAAA")[i % 2], next(turn)]
            kinds = dict.fromkeys([*wanted, *kinds])
            if any(word in situation for word in NO_ANY):
                kinds.pop("ANY", None)
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
    write_zones(world, folder)
    write_lists(world, folder)
    lines = collections.defaultdict(list)
    for i, question in enumerate(questions(world, transports.split(","))):
        action, line = question[1], "\t".join(map(str, (i, *question))) + "\n"
        for phase in ("questions", action if action in PHASES else "main"):
            lines[phase].append(line)
    for phase, text in lines.items():
        with open(f"{folder}/{phase}.tsv", "w") as f:
            f.writelines(text)


if __name__ == "__main__":
    main(sys.argv[1:])
