#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compare what came: compare.py FOLDER COMPATIBILITY.md RESOLVER...

FOLDER has questions.tsv, zones, the answers of "plain" and "box", and those of each RESOLVER with
and RESOLVER-plain without its policy: NAME.PHASE.answers for each phase. A difference is a question
whose verdict is not the same; each has to be in a row of the table "Differences" of
compatibility.md, and each row has to be seen. Prints tables and TAP lines, then the closing line.
"""
import collections
import pathlib
import pickle
import sys

import verdict
from world import BLOCKS, SINKHOLES

COLUMNS = ["difference", "resolvers", "action", "situation", "types", "query", "box", "RPZ"]
# Situations in which nothing in the answer is listed.
FREE = {"unlisted", "near-miss", "exact-below", "below-itself", "allowed", "in-additional",
        "four-unlisted", "cname-unlisted"}
# Those in which the name asked for decides, and the list is that of the action.
PLAIN = {"exact", "subtree", "below", "two-lists", "overruling", "overruled", "octets", "wildcard",
         "service-listed", "four-only", "beside-itself", "apex"}
CANARIES = {"canary-pass": "passed", "canary-nxdomain": "nxdomain", "canary-nodata": "nodata"}
CANARIES_THERE = {"use-application-dns.net", "mask.icloud.com"}
WANTED = {**dict.fromkeys(SINKHOLES, "sinkholed"), "tcp-only": "truncated", "drop": "no answer"}
FAILING_MAX = 0.01  # share of questions that a resolver may fail to answer without any policy
DENIALS = tuple(action for action in BLOCKS if action not in SINKHOLES)
CANARY_DENIALS = ("canary-nxdomain", "canary-nodata")
# Words of a row that stand for several: whether a value is one of them.
GROUPS = {"listed": lambda value: value not in FREE, "sinkholes": lambda value: value in SINKHOLES,
          "denials": lambda value: value in DENIALS, "filtered": lambda value: value != "passed"}
MEMBERS = {"sinkholes": SINKHOLES, "denials": DENIALS}
RARE = "sometimes "  # before an action with which a run may go without the difference
SHOWN = 12  # differences that are not documented, one of each kind

Question = collections.namedtuple("Question", "number transport action situation edns name kind")
Difference = collections.namedtuple("Difference", "resolver action situation types query box rpz")


class Row:
    """A row of the table: a class of differences."""

    def __init__(self, cells):
        self.name = cells[0].strip("`")
        self.cells = [[w.strip() for w in c.replace("`", "").split(",")] for c in cells[1:]]
        self.resolvers, actions, _, _, self.queries, _, _ = self.cells
        self.actions = [a for word in actions if not word.startswith(RARE)
                        for a in MEMBERS.get(word, [word])]
        actions[:] = [word.removeprefix(RARE) for word in actions]
        self.seen = collections.Counter()
        self.example = ""

    def has(self, difference):
        for field, words in zip(difference, self.cells):
            if words == ["*"]:
                continue
            if isinstance(field, str):
                if not any(GROUPS.get(word, word.__eq__)(field) for word in words):
                    return False
            elif not any(set(word.split()) <= field for word in words):
                return False
        return True

    def missing(self, resolvers, actions, transports):
        """What of the row a run of these resolvers, actions and transports should have seen."""
        queries = [set(w.split()) & {"udp", "tcp"} for w in self.queries]
        if not any(q <= transports for q in queries):
            return
        for resolver in self.resolvers:
            for action in self.actions:
                if action != "*" and action not in actions:
                    continue
                if not any((resolver in (r, "*")) and (action in (a, "*")) for r, a in self.seen):
                    yield f"{self.name}: {resolver}, {action}"


def read_rows(path):
    """The rows of the table, and the names that a heading explains."""
    rows, explained, inside = [], set(), False
    with open(path) as f:
        for line in f:
            cells = [c.strip() for c in line.strip().strip("|").split("|")]
            if cells == COLUMNS:
                inside = True
            elif not line.startswith("|"):
                inside = False
            elif inside and not cells[0].startswith("-"):
                rows.append(Row(cells))
            if line.startswith("### "):
                explained.add(line[4:].strip())
    return rows, explained


class Taps:
    """TAP lines and their closing line."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, sentence, good, why=()):
        self.passed += bool(good)
        self.failed += not good
        print(f"{'' if good else 'not '}ok {self.passed + self.failed} - {sentence}")
        for line in [] if good else why:
            print(f"#   {line}")

    def close(self):
        print(f"\n{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


def load(folder, names):
    with open(f"{folder}/questions.tsv") as f:
        questions = [Question(*line.rstrip("\n").split("\t")) for line in f]
    answers = {}
    for name in names:
        answers[name] = {}
        for path in pathlib.Path(folder).glob(f"{name}.*.answers"):
            answers[name].update(pickle.loads(path.read_bytes()))
    return questions, answers


def wanted_of(q):
    """What the box has to make of an answer; None: that depends on the answer."""
    if q.situation in FREE or q.action == "log":
        return "passed"
    if q.action in CANARIES:
        # Never a sinkhole's address: what does not fit passes. A denial may be one already.
        if q.action == "canary-pass" or q.transport == "tcp" and q.edns == "none":
            return "passed"
        there = q.name.lower() in CANARIES_THERE and q.kind in ("A", "AAAA")
        return CANARIES[q.action] if there else None
    if q.situation not in PLAIN or q.kind not in ("A", "AAAA") or q.action not in BLOCKS:
        return None
    if q.action == "skip-signed" and q.edns == "do":
        return "passed" if q.situation != "four-only" else None  # not signed, since not of the zone
    if q.transport == "udp" or q.action in SINKHOLES:
        return WANTED.get(q.action, q.action)
    # Over TCP an answer keeps its length: what is cut off has to become padding (RFC 7830).
    if q.action == "tcp-only":
        return "passed"
    return "sinkholed" if q.edns == "none" else {"drop": "nodata"}.get(q.action, q.action)


def print_table(head, rows):
    lines = [head, *rows]
    widths = [max(len(str(line[i])) for line in lines) for i in range(len(head))]
    print()
    for line in lines:
        print("  ".join(str(c).ljust(w) for c, w in zip(line, widths)).rstrip())


class Comparison:
    """Verdicts of all answers, and the differences sorted into rows."""

    def __init__(self, questions, answers, zones, rows, resolvers):
        self.counts = collections.defaultdict(collections.Counter)
        self.unknown = collections.Counter()
        self.unknown_example = {}
        self.box = collections.defaultdict(collections.Counter)
        self.failing = collections.Counter()
        self.changed = []
        self.unlike = []
        for q in questions:
            def said_by(name, plain):
                return verdict.verdict(answers[name][int(q.number)], answers[plain][int(q.number)],
                                       zones, q.name, q.kind)

            plain, box = (answers[name][int(q.number)] for name in ("plain", "box"))
            said = said_by("box", "plain")
            # What an answer to ANY holds depends on what the resolver has been asked meanwhile, and so
            # does the time to live of a CNAME that it makes of a DNAME.
            fickle = q.kind == "ANY" or q.situation.startswith("dname-")
            # An answer that says already what the list wants is made anew all the same.
            changes = q.situation not in FREE and q.action in (*DENIALS, *CANARY_DENIALS)
            if said == "passed" and box != plain and not fickle and not changes:
                self.changed.append(" ".join(q))
            if said is None:
                self.failing["plain"] += 1
                continue
            self.note_box(q, said)
            for resolver in resolvers:
                rpz = said_by(resolver, f"{resolver}-plain")
                if rpz is None:
                    self.failing[resolver] += q.kind != "ANY"
                else:
                    self.note(q, resolver, said, rpz, rows)

    def note_box(self, q, said):
        self.box[q.action][said] += 1
        wanted = wanted_of(q)
        if wanted and said != wanted:
            self.unlike.append(f"{' '.join(q)}: expected {wanted}, got {said}")

    def note(self, q, resolver, box, rpz, rows):
        types = verdict.class_of(q.kind)
        count = self.counts[q.action, types, resolver]
        count["asked"] += 1
        if box == rpz:
            return
        count["different"] += 1
        query = frozenset((q.transport, "do" if q.edns == "do" else "no-do",
                           "no-edns" if q.edns == "none" else "edns"))
        found = Difference(resolver, q.action, q.situation, types, query, box, rpz)
        for row in rows:
            if row.has(found):
                row.seen[resolver, q.action] += 1
                row.example = row.example or f"{q.name} {q.kind}"
                return
        if rpz == "made":
            # So does a resolver that could not get at the AAAA records (RFC 6147 s5.1.3).
            self.failing[resolver] += 1
            return
        count["unknown"] += 1
        self.unknown[found] += 1
        self.unknown_example.setdefault(found, " ".join(q))


def show(comparison, rows, resolvers):
    counts = comparison.counts
    keys = dict.fromkeys((action, types) for action, types, _ in sorted(counts))
    print_table(["action", "types", "questions", *(f"{r} same/different" for r in resolvers)], [
        [action, types, counts[action, types, resolvers[0]]["asked"],
         *(f"{c['asked'] - c['different']}/{c['different']}"
           for c in (counts[action, types, r] for r in resolvers))] for action, types in keys])
    print_table(["difference", "seen", *resolvers, "for example"], [
        [row.name, sum(row.seen.values()),
         *(sum(n for (r, _), n in row.seen.items() if r == resolver) for resolver in resolvers),
         row.example] for row in rows if row.seen])
    print_table(["action", "what the box did"], [
        [action, ", ".join(f"{said} {n}" for said, n in box.most_common())]
        for action, box in sorted(comparison.box.items())])
    print()


def main(arguments):
    folder, path, *resolvers = arguments
    questions, answers = load(folder,
        ["plain", "box", *resolvers, *(f"{r}-plain" for r in resolvers)])
    zones = verdict.records_of(folder)
    rows, explained = read_rows(path)
    comparison = Comparison(questions, answers, zones, rows, resolvers)
    show(comparison, rows, resolvers)
    taps = Taps()
    failing = [f"{name}: {n} of {len(questions)}" for name, n in comparison.failing.items()
               if n > len(questions) * FAILING_MAX]
    taps.check("without policy the resolvers answer all but a few questions, ANY aside", not failing, failing)
    taps.check("the box does to listed names what their list says, and nothing to others",
               not comparison.unlike, comparison.unlike[:SHOWN])
    taps.check("what it passes it leaves as it is, byte for byte", not comparison.changed,
               comparison.changed[:SHOWN])
    actions = sorted({q.action for q in questions})
    for action in actions:
        for resolver in resolvers:
            unknown = [(n, d) for d, n in comparison.unknown.most_common()
                       if (d.action, d.resolver) == (action, resolver)]
            taps.check(f"{action}, {resolver}: each difference is documented", not unknown, [
                f"{n} x {d.situation}, {d.types}, {' '.join(sorted(d.query))}: the box {d.box}, "
                f"RPZ {d.rpz}; {comparison.unknown_example[d]}" for n, d in unknown[:SHOWN]])
    transports = {q.transport for q in questions}
    missing = [m for row in rows for m in row.missing(resolvers, actions, transports)]
    taps.check("each documented difference is seen", rows and not missing, missing)
    silent = sorted({row.name for row in rows} - explained)
    taps.check("and has its reason", not silent, silent)
    return taps.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
