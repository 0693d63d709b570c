#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Signals over HTTP: signal_test.py DNSWEIR-COLLECT. Prints TAP.

What a route answers is held against what its command prints, and both against what was put into the dataset."""
import json
import os
import random
import subprocess
import sys
import time
from urllib.parse import quote

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bed import Collector, Tap, ask, error_of, own_network

check, equal = Tap.check, Tap.equal
NOW = int(time.time())
HOUR, DAY = 3600, 86400
FLUX, MANY = 12, 3000


def row(name, kind, data, first, last):
    return {"rrname": name, "rrtype": kind, "rdata": [data], "time_first": NOW - first, "time_last": NOW - last, "count": 1,
            "bailiwick": ".".join(name.split(".")[-2:])}


def rows():
    yield row("example.com", "A", "192.0.2.1", 30 * DAY, 60)
    yield row("example.com", "NS", "ns1.example.net", 30 * DAY, 60)
    yield row("example.com", "A", "192.0.2.2", HOUR, 60)
    yield row("fresh.example.com", "A", "192.0.2.1", HOUR + 1, 60)
    yield row("www.examp1e.com", "A", "198.51.100.1", 20 * DAY, 60)
    yield row("login-example.net", "A", "198.51.100.2", 20 * DAY, 60)
    yield row("new.example", "TXT", "a \\\" b, c", HOUR + 2, 60)
    yield row("near.example", "A", "192.0.2.77", 20 * DAY, DAY)
    yield row("served.example", "NS", "ns1.example.net", 20 * DAY, DAY)
    for i in range(FLUX):
        yield row("flux.example", "A", f"10.{i}.0.1", 10 * DAY, 10 * DAY - HOUR)
    for i in range(MANY):
        yield row(f"d{i}.example", "NS", "ns.host.example", 20 * DAY, DAY)


class Asker:
    def __init__(self, collector, key):
        self.collector, self.key = collector, key

    def get(self, path, method="GET", body=None):
        """Rows and the last line of a route's answer; what is no answer stays as it is."""
        answer = ask("/v1/" + path, self.key, method, body, {"Content-Type": "text/plain"} if body else None)
        if answer[0] != 200:
            return answer[0], error_of(answer)
        lines = [json.loads(line) for line in answer[2].splitlines()]
        return lines[:-1], lines[-1]

    def command(self, *words):
        done = subprocess.run([self.collector.program, "pdns", words[0], "--dataset", self.collector.dataset, *words[1:]], capture_output=True,
                              text=True, check=False, **self.collector.less)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def same(self, sentence, path, *words):
        """The rows, which are those of the command."""
        found, end = self.get(path)
        equal(sentence, (found, end), ([json.loads(line) for line in self.command(*words).splitlines()], {"rows": len(found)}))
        return found


def similar(asker):
    found = asker.same("similar: as the command", "similar?name=example.com", "similar", "example.com")
    equal("similar: with class and times", found, [{
        "of": "example.com", "name": "examp1e.com", "class": "homoglyph", "distance": 1, "time_first": NOW - 20 * DAY,
        "time_last": NOW - 60, "count": 1}])
    found, _ = asker.get("similar?name=example&words=" + quote("shop,Login bank"))
    check("similar: a brand, and words", {"login-example.net", "examp1e.com", "example.com"} <= {r["name"] for r in found}, found)
    found, end = asker.get("similar?name=example&limit=1")
    equal("similar: a limit is kept, and said", (len(found), end), (1, {"rows": 1, "limited": True}))


def new(asker):
    found = asker.same("new: as the command", "new", "new")
    wanted = [("domain", "new.example"), ("name", "new.example"), ("name", "fresh.example.com"), ("rdata", "example.com")]
    equal("new: of a day, by time", [(r["new"], r["name"]) for r in found], wanted)
    equal("new: data of a name", {k: found[-1].get(k) for k in ("rrtype", "rdata", "time_first")},
          {"rrtype": "A", "rdata": "192.0.2.2", "time_first": NOW - HOUR})
    equal("new: since a time", [r["name"] for r in asker.get(f"new?first-after={NOW - HOUR - 1}")[0]],
          ["fresh.example.com", "example.com"])
    equal("new: of the last hours as of all", asker.get(f"new?first-after={NOW - 10 * HOUR}")[0], found)
    everything = asker.same("new: since a day long ago it is all", "new?first-after=2000-01-01", "new", "--first-after", "2000-01-01")
    equal("new: and no data", {r["new"] for r in everything}, {"domain", "name"})
    equal("new: the latest are kept", asker.get("new?first-after=2000-01-01&limit=1"), (found[2:3], {"rows": 1, "limited": True}))
    status, headers, text = ask("/v1/new?format=csv", asker.key)
    equal("new: as comma-separated values", (status, headers["Content-Type"], text),
          (200, "text/csv; charset=utf-8; header=present", asker.command("new", "--csv")))


def flux(asker):
    found = asker.same("flux: as the command", "flux", "flux", "--networks", asker.collector.dataset + ".csv")
    equal("flux: names with a score", [(r["name"], r["addresses"], r["score"]) for r in found], [("flux.example", FLUX, 18)])
    equal("flux: networks are those of the collector's table", found[0]["networks"], 3)
    found, _ = asker.get("flux?name=example.com")
    equal("flux: a name that is asked for, and all below it", [r["name"] for r in found], ["example.com", "fresh.example.com"])
    equal("flux: only addresses that were seen lately", asker.get("flux?last-after=-86400")[0], [])


def shared(asker):
    found = asker.same("shared: as the command", "shared?name=www.example.com", "shared", "www.example.com")
    equal("shared: servers and blocks", [(r["name"], r["via"], r["what"]) for r in found],
          [("served.example", "ns", "ns1.example.net"), ("near.example", "block", "192.0.2.0/24")])
    found, end = asker.get("shared?name=d0.example&limit=10")
    equal("shared: a limit is kept, and said", (len(found), end), (10, {"rows": 10, "limited": True}))
    equal("shared: all of a large host", asker.get("shared?name=d0.example")[1], {"rows": MANY - 1})
    found, end = asker.get("shared", "POST", "# listed\nexample.com\r\n\n  near.example # one more\n")
    equal("shared: many names in a body", ([(r["of"], r["name"]) for r in found], end), (
        [("example.com", "served.example"), ("example.com", "near.example"), ("near.example", "example.com")], {"rows": 3}))
    equal("shared: none of them", asker.get("shared", "POST", ""), ([], {"rows": 0}))
    equal("shared: one that is wrong is named, and nothing is answered", asker.get("shared", "POST", "example.com\na..b\n"),
          (400, 'line 2: expected a name without empty labels, got "a..b"'))
    few = Asker(asker.collector, asker.collector.key("few", "pdns", "--quota", "3"))
    time.sleep(2.5)
    equal("shared: each name counts towards the quota", few.get("shared", "POST", "a.example\nb.example\n")[1], {"rows": 0})
    answer = ask("/v1/shared", few.key, "POST", "a.example\nb.example\n", {"Content-Type": "text/plain"})
    equal("shared: which has to suffice", (answer[0], error_of(answer)),
          (429, "the quota of this day has 1 questions left, and 2 names are asked for"))
    equal("shared: and when to come again is told", answer[1]["Retry-After"], "3600")


def errors(asker):
    for path, wanted in {
            "similar?name=a..b": 'name: expected a name without empty labels, got "a..b"',
            "similar?name=*.example.com": 'name: expected a name, not all below it, got "*.example.com"',
            "similar?name=a&words=" + "x" * 64: "words: expected words of up to 63 letters, got \"" + "x" * 64 + '"',
            "similar?name=a&limit=x": 'limit: expected a number, got "x"',
            "new?first-after=x": 'first-after: expected seconds since 1970, -SECONDS before now or YYYY-MM-DD, got "x"',
            "flux?last-after=x": 'last-after: expected seconds since 1970, -SECONDS before now or YYYY-MM-DD, got "x"',
            "flux?format=xml": 'format: expected ndjson or csv, got "xml"',
    }.items():
        equal("400: " + path[:40], asker.get(path), (400, wanted))
    for path in ("similar", "shared", "new?name=x", "flux?first-after=1"):
        equal(f"400: {path}", asker.get(path)[0], 400)


def fuzz(asker):
    dice = random.Random(8)
    names = ["name", "words", "limit", "format", "first-after", "last-after", "x"]
    values = ["example.com", "%2A.example.com", "b%C3%BCcher.example", "xn--", "%00", "%FF", "a" * 300, "", "0", "-1", "1e9", "csv", ",,", "."]
    statuses = {}
    for _ in range(500):
        path = dice.choice(["similar", "new", "flux", "shared"]) + "?" + "&".join(
            f"{dice.choice(names)}={dice.choice(values)}" for _ in range(dice.randrange(3)))
        body = "\n".join(dice.choice(values + ["\0", "# x"]) for _ in range(dice.randrange(4))) if dice.random() < 0.2 else None
        status = ask("/v1/" + path, asker.key, "POST" if body is not None else "GET", body)[0]
        statuses[status] = statuses.get(status, 0) + 1
    check("made-up requests are answered, and only as is to be expected", set(statuses) <= {200, 400, 405}, statuses)


def main():
    collector = Collector(sys.argv[1], "rate = 100000", "[pdns]", "store = FOLDER/pdns", "networks = FOLDER/pdns.csv")
    with open(collector.dataset + ".csv", "w", encoding="utf-8") as f:
        f.write("prefix,asn\n10.0.0.0/14,64500\n10.4.0.0/14,64501\n10.8.0.0/14,64502\n")
    file = os.path.join(collector.folder, "rows.json")
    with open(file, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(each) + "\n" for each in rows())
    try:
        asker = Asker(collector, None)
        asker.command("import", file)
        collector.up()
        asker.key = collector.key("analyst", "pdns")
        time.sleep(2.5)
        for part in (similar, new, flux, shared, errors, fuzz):
            part(asker)
        equal("the collector lives", collector.process.poll(), None)
        equal("the collector ends well", collector.down(), 0)
        check("and complained of nothing", "AddressSanitizer" not in collector.said() and "LeakSan" not in collector.said(),
              collector.said()[-2000:])
    finally:
        collector.remove()
    return Tap.end()


own_network()
sys.exit(main())
