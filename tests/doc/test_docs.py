#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The documents name what the programs have, all of it and nothing else: test_docs.py TOP PROGRAM...

Reasons, counters, options, commands and configuration keys, as TAP.
"""
import difflib
import os
import re
import subprocess
import sys

TOP, PROGRAMS = sys.argv[1], {os.path.basename(path): path for path in sys.argv[2:]}
sys.path.insert(0, os.path.join(TOP, "scripts"))
import config_man  # noqa: E402

# Words of tools and groups that no list has.
OPTIONS_NOT_OURS = {"dnsweir": {"--lcores", "--vdev", "--no-huge", "--no-pci", "--"}}
FAILED = []


def text(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as f:
        return f.read()


def printed(program, option):
    # dnsweir-collect-pdns.8 is the page of a command with commands of its own.
    words = program.split("-")
    base, command = ("-".join(words[:2]), words[2:])
    done = subprocess.run([PROGRAMS[base], *command, option], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=True)
    return done.stdout + done.stderr


def tell(sentence, problems):
    number = tell.n = getattr(tell, "n", 0) + 1
    print(f"{'not ok' if problems else 'ok'} {number} - {sentence}")
    for problem in problems:
        print(f"# {problem}")
    FAILED.extend(problems)


def compare(sentence, there, documented):
    """Both are lists; each name stands in both, once in the document."""
    twice = {name for name in documented if documented.count(name) > 1}
    tell(sentence, [f"not in the document: {name}" for name in sorted(set(there) - set(documented))] +
         [f"only in the document: {name}" for name in sorted(set(documented) - set(there))] +
         [f"twice in the document: {name}" for name in sorted(twice)] +
         ([] if there else ["nothing was found to compare"]))


def section(document, title):
    """What stands below a heading, up to the next one of its rank."""
    return re.search(rf"^{re.escape(title)}\n(.*?)(?=^#{{1,2}} |\Z)", document, re.S | re.M)[1]


def reasons():
    there = re.findall(r"^\s+REASON\((\w+), ", text("lib", "base", "reason.h"), re.M)
    rows = re.findall(r"^\|[^|]*\|(.*)\|$", section(text("doc", "statistics.md"), "## Reasons"), re.M)
    compare("every reason is in a group of doc/statistics.md", there, re.findall(r"`(\w+)`", " ".join(rows)))
    for subject, prefixes in {"tcp": ("stream_",), "fragments": ("fragment_",)}.items():
        words = set(re.findall(r"`(\w+)`", text("doc", subject + ".md")))
        missing = [r for r in there if r.startswith(prefixes) and r not in words]
        tell(f"doc/{subject}.md explains its reasons", [f"not there: {r}" for r in missing])


def counters():
    there = set()
    for path in (("lib", "stats", "stats.c"), ("app", "filter", "show.c"), ("app", "filter", "core_tap.c"),
                 ("app", "filter", "totals.c")):
        there |= set(re.findall(r'"(dnsweir_\w+)"', text(*path)))
    rows = re.findall(r"^\|([^|]*)\|", section(text("doc", "statistics.md"), "## Counters"), re.M)
    compare("every counter is in doc/statistics.md", sorted(there), re.findall(r"`(\w+)`", " ".join(rows)))
    source = text("lib", "stats", "stats_metric.c")
    table = {name: labels for name, labels in re.findall(r'{"(dnsweir_\w+)", {(.*?)}', source)}
    compare("every counter is in the table for OpenMetrics", sorted(there), list(table))
    wrong = []
    for names, labels in re.findall(r"^\|([^|]*)\|([^|]*)\|", section(text("doc", "statistics.md"), "## Counters"), re.M):
        for name in re.findall(r"`(dnsweir_\w+)`", names):
            if re.findall(r'"(\w+)"', table.get(name, "")) != re.findall(r"`(\w+)`", labels):
                wrong.append(f"{name}: {table.get(name)} in the table, {labels} in the document")
    tell("with the labels that doc/statistics.md says", wrong)


def metrics():
    there = set()
    for name in ("api_metrics.c", "api_boxes.c"):
        there |= set(re.findall(r'"(dnsweir_\w+)"', text("app", "collect", name)))
    rows = re.findall(r"^\|([^|]*)\|", section(text("doc", "api.md"), "## Metrics"), re.M)
    compare("every metric of the collector is in doc/api.md", sorted(there), re.findall(r"`(dnsweir_\w+)`", " ".join(rows)))
    there = re.findall(r'{"(GET|POST)", "(/[\w/]*)"', text("app", "collect", "api.c"))
    # A route that ends in a slash has more behind it, which is "..." in the document.
    cells = re.findall(r"^\|([^|]*)\|", section(text("doc", "api.md"), "## Routes"), re.M)
    compare("every route is in doc/api.md", there, re.findall(r"`(GET|POST) (\S+?)(?:\.\.\.)?`", " ".join(cells)))


def options(program, page):
    there = set(re.findall(r"(?<![\w-])--[a-z-]+", printed(program, "--help"))) - {"--"}
    items = re.findall(r"^\.It Fl (.*)", page, re.M)
    named = ["-" + word if len(word) > 1 else "" for line in items
             for word in re.findall(r"(?:^|Fl |, )(-[a-z-]+)", line)]
    compare(f"every option of {program} is in its page",
            sorted(there - OPTIONS_NOT_OURS.get(program, set())), [word for word in named if word])


def commands(page):
    there = re.findall(r"^  ([a-z][a-z A-Z\[\]]*?)  ", printed("dnsweir-shell", "--help").split("commands:")[1], re.M)
    there = [re.sub(r" [A-Z\[].*", "", command) for command in there]
    own = {"watch", "help", "quit", "exit"}
    items = re.findall(r"^\.It ((?:show |explain|consent|reload|watch|help|quit)[a-z]*)", page, re.M)
    # "show list" and "show lists" are two, told apart by their arguments.
    compare("every command of dnsweir-shell is in its page", sorted(there),
            [item for item in items if item not in own])
    table = re.findall(r"^\| `([a-z ]+?)(?: \[?[A-Z].*?)?` \|", section(text("doc", "shell.md"), "## Commands"), re.M)
    compare("every command of dnsweir-shell is in doc/shell.md", sorted(there), table)


def command_words(program, page):
    there = re.findall(r"^  ([a-z]+)   ", printed(program, "--help"), re.M)
    compare(f"every command of {program} is in its page", there, re.findall(r"^\.It Cm (\w+)", page, re.M))


def configuration():
    wanted = config_man.page(printed("dnsweir", "--print-config"))
    diff = difflib.unified_diff(text("doc", "man", "dnsweir.ini.5").splitlines(), wanted.splitlines(), lineterm="", n=0)
    tell("doc/man/dnsweir.ini.5 is what scripts/config_man.py makes of --print-config", list(diff))


def main():
    pages = {name: text("doc", "man", name) for name in os.listdir(os.path.join(TOP, "doc", "man"))}
    reasons()
    counters()
    metrics()
    for name, page in sorted(pages.items()):
        if name != "dnsweir.ini.5":
            options(name.rsplit(".", 1)[0], page)
    commands(pages["dnsweir-shell.1"])
    command_words("dnsweir-list", pages["dnsweir-list.1"])
    command_words("dnsweir-report", pages["dnsweir-report.1"])
    command_words("dnsweir-collect", pages["dnsweir-collect.8"])
    command_words("dnsweir-collect-pdns", pages["dnsweir-collect-pdns.8"])
    configuration()
    print(f"1..{tell.n}")
    return 1 if FAILED else 0


sys.exit(main())
