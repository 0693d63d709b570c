# SPDX-License-Identifier: BSD-3-Clause
"""The table of scripts/bench, which prepares packages, programs and huge pages and then runs this:

  bench_table.py BUILD WORK RESULTS.json PLOT.svg quick|full huge|small [ROW...]

Each function with @row makes one or more rows; a word at the end of the command line takes only
the functions of that name. To add a row, add a function.
"""
import argparse
import contextlib
import os
import platform
import signal
import statistics
import subprocess
import sys
import time

import bench_servers
from bench_report import Row, plot, spread, table, write_json
from bench_sides import CoreStopped, Dnsweir, PerCpuSecond, Stepped, Testpmd

FRAMES = 65536
RARE_FRAMES = 250000  # one hit in them is a share of 4e-6
THOUSAND, MILLION, TEN_MILLION = 1000, 1000000, 10000000
ROWS = []


def row(function):
    ROWS.append(function)
    return function


def full_row(function):
    function.full_only = True
    return row(function)


class Bench:
    def __init__(self, options):
        self.build, self.work = os.path.abspath(options.build), os.path.abspath(options.work)
        self.huge, self.quick = options.memory == "huge", options.length == "quick"
        self.pairs = 12 if self.quick else 16
        self.window = 0.2 if self.quick else 0.3
        self.raw = {}

    def program(self, path):
        return f"{self.build}/{path}"

    def gen(self, file, *argv, stdout=False):
        path = f"{self.work}/{file}"
        if not os.path.exists(path):
            command = [self.program("tests/bench/gen"), *map(str, argv)]
            if stdout:
                with open(path, "w", encoding="ascii") as out:
                    subprocess.run(command, check=True, stdout=out)
            else:
                subprocess.run(command, check=True)
        return path

    def names(self, count):
        return self.gen(f"names.{count}", "names", count, stdout=True)

    def patterns(self, count, wordless=False):
        kind = "wordless" if wordless else "patterns"
        return self.gen(f"{kind}.{count}.hs", kind, count, stdout=True)

    def queries(self):
        return self.gen("queries", "queries", MILLION, stdout=True)

    def pcap(self, kind="response", share=0.0, cnames=1, distinct=FRAMES, frames=FRAMES):
        file = f"{kind}.{share}.{cnames}.{distinct}.{frames}.pcap"
        return self.gen(file, "pcap", kind, f"{self.work}/{file}", "--names", THOUSAND, "--share",
                        share, "--cnames", cnames, "--distinct", distinct, "--frames", frames)

    def compiled(self, count):
        """The names as a compiled generation, which loads in a moment."""
        path = f"{self.work}/names.{count}.gen"
        if not os.path.exists(path):
            config = f"{path}.ini"
            with open(config, "w", encoding="ascii") as file:
                file.write("[list bench]\naction = sinkhole\n"
                           f"source = {self.names(count)}\n")
            subprocess.run([self.program("app/dnsweir-list"), "compile", "--config", config, "-o",
                            path], check=True, stdout=subprocess.DEVNULL)
        return path

    def dnsweir(self, names, frames=FRAMES, text=False, extra="", patterns=0, wordless=False,
                **pcap):
        if patterns:
            extra += (f"[list patterns]\nsource = {self.patterns(patterns, wordless)}\n"
                      "action = sinkhole\n")
        elif not text:
            extra += f"[lists]\ncompiled = {self.compiled(names)}\n"
        return Dnsweir(self, self.names(names), self.pcap(frames=frames, **pcap), frames,
                       self.window, extra)

    def testpmd(self, mode, frames=FRAMES, **pcap):
        return Testpmd(self, mode, self.pcap(frames=frames, **pcap), frames, self.window)

    def stepped(self, program, *argv):
        return Stepped([self.program(f"tests/bench/{program}"), "--step", *argv])

    def take_turns(self, ours, *peers):
        """A round of each, in turns; every other time the other way round.
        @return a series for each"""
        sides = [ours, *peers]
        for side in sides:
            side.measure()  # the first round fills caches and is not looked at
        series = [[] for _ in sides]
        for i in range(self.pairs):
            order = range(len(sides)) if i % 2 == 0 else range(len(sides) - 1, -1, -1)
            for s in order:
                series[s].append(sides[s].measure())
        return series

    def compare(self, *sides):
        """Sides are functions that set one up; all are closed again."""
        with contextlib.ExitStack() as stack:
            made = []
            for side in sides:
                made.append(side())
                stack.callback(made[-1].close)
            return self.take_turns(*made)


@row
def forward(bench):
    ours, macswap, io = bench.compare(lambda: bench.dnsweir(TEN_MILLION),
                                      lambda: bench.testpmd("macswap"),
                                      lambda: bench.testpmd("io"))
    yield Row("forwarding, all miss / testpmd macswap", ours, macswap, "Mpps", 0.45, 0.60)
    yield Row("forwarding, all miss / testpmd io", ours, io, "Mpps")


@row
def passing(bench):
    for kind, words in (("query", "queries"), ("other", "not DNS")):
        ours, macswap = bench.compare(lambda k=kind: bench.dnsweir(TEN_MILLION, kind=k),
                                      lambda k=kind: bench.testpmd("macswap", kind=k))
        yield Row(f"{words} / testpmd macswap", ours, macswap, "Mpps", 0.85, 0.95)


@row
def parse(bench):
    pcap = bench.pcap()
    programs = [("bench_ldns", "ldns parse", 1 / 12, 1 / 20),
                ("bench_knot", "libknot parse", 1 / 6, 1 / 10)]
    found = [p for p in programs if os.path.exists(bench.program(f"tests/bench/{p[0]}"))]
    sides = [lambda: bench.stepped("bench_pipeline", pcap, bench.names(TEN_MILLION))]
    sides += [lambda p=p: bench.stepped(p[0], pcap) for p in found]
    ours, *peers = bench.compare(*sides)
    for program, series in zip(found, peers):
        yield Row(f"parse and match / {program[1]}", ours, series, "ns", program[2], program[3],
                  least=False)


@row
def lookup(bench):
    """Also what the plot is made of."""
    for count in (THOUSAND, 100000, MILLION, TEN_MILLION):
        tree = [] if bench.quick and count == TEN_MILLION else ["--tree"]
        side = bench.stepped("bench_lookup", *tree, bench.names(count), bench.queries())
        side.round()  # as in take_turns
        rounds = [side.round() for _ in range(bench.pairs)]
        side.close()
        bench.raw[f"lookup.{count}"] = rounds
        series = {key: [r[key] for r in rounds] for key in rounds[0]}
        held = count >= MILLION
        yield Row(f"suffix miss, {count:,} names / rte_hash", series["ours_miss"],
                  series["hash_miss"], "ns", 0.35 if held else None, 0.20 if held else None, False)
        yield Row(f"hit, {count:,} names / rte_hash", series["ours_hit"], series["hash_hit"], "ns")
        if tree:
            yield Row(f"suffix miss, {count:,} names / tree of labels",
                      series["ours_beside_tree_miss"], series["tree_miss"], "ns", least=False)
        if held:
            yield Row(f"memory of a worker a name, {count:,} names", series["ours_bytes"], [],
                      "bytes", 30, 16, False)
        yield Row(f"table built from names in memory, {count:,} names", series["ours_build"], [],
                  "ns")


@row
def sizes(bench):
    counts = [THOUSAND] if bench.quick else [THOUSAND, 100000, MILLION]
    ours, *peers = bench.compare(*[lambda c=count: bench.dnsweir(c)
                                   for count in (TEN_MILLION, *counts)])
    for count, series in zip(counts, peers):
        held = count == THOUSAND
        yield Row(f"10,000,000 names / {count:,} names", ours, series, "Mpps",
                  0.90 if held else None, 0.97 if held else None)


def shares_compare(bench, share, frames, words, wanted, aim):
    ours, peer = bench.compare(lambda: bench.dnsweir(TEN_MILLION, share=share, frames=frames),
                               lambda: bench.dnsweir(TEN_MILLION, frames=frames))
    return Row(f"{words} hits / 0 % hits", ours, peer, "Mpps", wanted, aim)


@row
def shares(bench):
    yield shares_compare(bench, 0.01, FRAMES, "1 %", 0.95, 0.98)
    yield shares_compare(bench, 1.0, FRAMES, "100 %", 0.60, 0.80)


@full_row
def rare(bench):
    yield shares_compare(bench, 4e-6, RARE_FRAMES, "4e-6", None, None)


@row
def mirror(bench):
    ours, peer = bench.compare(
        lambda: bench.dnsweir(TEN_MILLION),
        lambda: bench.dnsweir(TEN_MILLION, extra="[mirror]\nenabled = no\n"))
    yield Row("mirroring on / off", ours, peer, "Mpps", 0.90, 0.95)
    with contextlib.closing(bench.dnsweir(TEN_MILLION)) as side:
        stopped, running = bench.take_turns(CoreStopped(side), side)
    yield Row("statistics core stopped / running", stopped, running, "Mpps", 0.99, 1.00)


@full_row
def cnames(bench):
    for count in (0, 4):
        ours, peer = bench.compare(lambda c=count: bench.dnsweir(TEN_MILLION, cnames=c),
                                   lambda c=count: bench.testpmd("macswap", cnames=c))
        yield Row(f"{count} CNAMEs, all miss / testpmd macswap", ours, peer, "Mpps")


@full_row
def distinct(bench):
    ours, peer = bench.compare(lambda: bench.dnsweir(TEN_MILLION, distinct=1),
                               lambda: bench.dnsweir(TEN_MILLION))
    yield Row("1 distinct name / 65,536", ours, peer, "Mpps")


@row
def patterns(bench):
    """Without Hyperscan there is nothing to compare. It looks for the words of expressions first, so
    those without one cost by themselves: they have a row of their own, with no bar."""
    if subprocess.run([bench.program("app/dnsweir-list"), "check", bench.patterns(1)],
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                      check=False).returncode == 0:
        ours, mixed, none = bench.compare(
            lambda: bench.dnsweir(TEN_MILLION, patterns=THOUSAND),
            lambda: bench.dnsweir(TEN_MILLION, patterns=THOUSAND, wordless=True),
            lambda: bench.dnsweir(TEN_MILLION))
        yield Row("1,000 patterns / none", ours, none, "Mpps", 0.75, 0.90)
        yield Row("1,000 patterns, 1 % without a word / none", mixed, none, "Mpps")


def worst_step(swaps_):
    """The rates, one a swap, of the window with the least median ratio to what was before. A window
    is told by when it was, counted from the begin of its swap or from its end: what a swap does to
    the worker it does each time, what else goes on in the host hits any window."""
    steps = {}
    for swap_ in swaps_:
        for n, rate in enumerate(swap_["during"]):
            for step in (("begin", n), ("end", n - swap_["done"])):
                steps.setdefault(step, []).append((rate, statistics.median(swap_["before"])))
    whole = [step for step in steps.values() if len(step) == len(swaps_)]
    return min(whole, key=lambda step: statistics.median(a / b for a, b in step))


def swaps(bench, side, change, words):
    seen = []
    for i in range(bench.pairs):
        change(i)
        before, during, done = side.swap()
        seen.append({"before": before, "during": during, "done": done})
    side.close()
    bench.raw[words] = seen
    steady = [statistics.median(swap_["before"]) for swap_ in seen]
    yield Row(f"worst 100 ms while {words} / steady", *zip(*worst_step(seen)), "Mpps", 0.90, 0.97)
    for when, moment in (("during", "while"), ("before", "before")):
        yield Row(f"least of any one 100 ms {moment} {words} / steady",
                  [min(swap_[when]) for swap_ in seen], steady, "Mpps")


@row
def swap(bench):
    """Generations of 10 million names change places under traffic, compiled and read from text."""
    link = f"{bench.work}/swap.gen"

    def change(i):
        with contextlib.suppress(FileNotFoundError):
            os.remove(link)
        os.symlink(bench.compiled(TEN_MILLION - i % 2), link)

    change(1)
    side = bench.dnsweir(TEN_MILLION, text=True, extra=f"[lists]\ncompiled = {link}\n")
    yield from swaps(bench, side, change, "10,000,000 compiled names are swapped")
    side = bench.dnsweir(TEN_MILLION, text=True)
    yield from swaps(bench, side, lambda i: None, "10,000,000 names are read and swapped")


@row
def restart(bench):
    times, took = 3 if bench.quick else 10, []
    for _ in range(times):
        side = bench.dnsweir(TEN_MILLION)
        took.append(side.show("generation")["load_seconds"] * 1e3)
        side.close()
    yield Row("compiled file of 10,000,000 names in force", took, [], "ms", 500, 100, False)


def load_ns(bench, count):
    """ns a name that dnsweir takes for a text list, by its own clock."""
    side = bench.dnsweir(count, text=True)
    shown = side.show("generation")
    side.close()
    return shown["load_seconds"] * 1e9 / shown["names"]


@row
def load(bench):
    times = 3 if bench.quick else 10
    yield Row("text list read and built a name, 1,000,000 names",
              [load_ns(bench, MILLION) for _ in range(times)], [], "ns")


@full_row
def servers(bench):
    """dnsdist and Unbound with the same million names, as their packages have them."""
    with bench_servers.namespace() as space:
        for kind in (bench_servers.Dnsdist, bench_servers.Unbound):
            empty = kind(bench, space, bench.gen("names.1", "names", 1, stdout=True))
            idle_bytes, idle_seconds = empty.resident(), empty.start_seconds
            empty.close()
            loads, sizes_, ours = [], [], []
            for _ in range(3):
                server = kind(bench, space, bench.names(MILLION))
                loads.append((server.start_seconds - idle_seconds) * 1e9 / MILLION)
                sizes_.append((server.resident() - idle_bytes) / MILLION)
                server.close()
                ours.append(load_ns(bench, MILLION))
            held = kind is bench_servers.Dnsdist
            yield Row(f"load a name, 1,000,000 names / {kind.name}", ours, loads, "ns",
                      1 / 20 if held else None, 1 / 50 if held else None, False)
            memory = bench.raw.get("lookup.1000000")
            if memory:
                yield Row(f"memory a name, 1,000,000 names / {kind.name}",
                          [memory[0]["ours_bytes"]] * 3, sizes_, "bytes", least=False)
            ours, peer = bench.compare(
                lambda: PerCpuSecond(bench.dnsweir(MILLION)),
                lambda k=kind: PerCpuSecond(k(bench, space, bench.names(MILLION))))
            yield Row(f"million answers a CPU-second, 1,000,000 names / {kind.name}", ours, peer,
                      "M/s", 50 if held else None, 150 if held else None)


def about(bench, began):
    with open("/proc/cpuinfo", encoding="ascii") as file:
        model = next((line.split(":")[1].strip() for line in file
                      if line.startswith("model name")), "unknown")
    return {"cpu": model, "cpus": os.cpu_count(), "kernel": platform.release(),
            "pairs": bench.pairs, "window_seconds": bench.window, "huge_pages": bench.huge,
            "load_average": [began, os.getloadavg()[0]]}


def cost_plot(bench, path):
    curves = {}
    for key, name in (("ours_miss", "dnsweir"), ("hash_miss", "rte_hash"),
                      ("tree_miss", "tree of labels")):
        for record, rounds in bench.raw.items():
            values = sorted(r[key] for r in rounds if key in r)
            if values and spread(values) <= 0.30:
                curves.setdefault(name, []).append((rounds[0]["names"],
                                                    values[len(values) // 2]))
    if curves:
        plot(path, "Cost of a suffix that is not listed", "names in the list", "ns", curves)


def main():
    parser = argparse.ArgumentParser()
    for word in ("build", "work", "results", "plot"):
        parser.add_argument(word)
    parser.add_argument("length", choices=["quick", "full"])
    parser.add_argument("memory", choices=["huge", "small"])
    parser.add_argument("rows", nargs="*")
    options = parser.parse_args()
    # Programs that stand still would stay behind; leaving by an exception closes them.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    bench, began, rows = Bench(options), os.getloadavg()[0], []
    known = [f.__name__ for f in ROWS]
    for word in options.rows:
        if word not in known:
            parser.error(f"no row {word}; there are {' '.join(known)}")
    for function in ROWS:
        if function.__name__ not in options.rows and (
                options.rows or (bench.quick and hasattr(function, "full_only"))):
            continue
        since = time.monotonic()
        rows += function(bench)
        print(f"{function.__name__}: {time.monotonic() - since:.0f} s", file=sys.stderr)
    facts = about(bench, began)
    print(f"{facts['cpu']}, {facts['cpus']} CPUs, {facts['pairs']} pairs, "
          f"huge pages: {'yes' if bench.huge else 'no'}, "
          f"load average {facts['load_average'][0]:.1f} to {facts['load_average'][1]:.1f}")
    print(table(rows))
    write_json(options.results, rows, facts, bench.raw)
    cost_plot(bench, options.plot)


if __name__ == "__main__":
    main()
