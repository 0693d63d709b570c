#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Daily dumps of passive DNS: dump_test.py DNSWEIR-COLLECT. Prints TAP."""
import collections
import datetime
import fcntl
import gzip
import http.client
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bed import PORT, Collector, Tap, ask, metric, own_network

check, equal = Tap.check, Tap.equal
# It is noon somewhere, so that no midnight comes meanwhile.
HOURS = 12 - time.gmtime().tm_hour
ZONE = f"Etc/GMT{-HOURS:+d}" if HOURS else "Etc/GMT"
NOW = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=HOURS)))
YESTERDAY = NOW.date() - datetime.timedelta(days=1)
BEGIN = int(NOW.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) - 86400
END = BEGIN + 86400
DAY = YESTERDAY.strftime("%Y%m%d")
KINDS = ["address_ipv4", "address_ipv6", "cname", "mx", "nameserver", "new_domain"]
COLUMNS = {"A": ("address_ipv4", True), "AAAA": ("address_ipv6", True), "CNAME": ("cname", False), "MX": ("mx", False),
           "NS": ("nameserver", False)}


def row(name, kind, data, first, last, base, count=1):
    return {"rrname": name, "rrtype": kind, "rdata": [data], "time_first": first, "time_last": last, "count": count,
            "bailiwick": base}


ROWS = [
    row("www.example.com", "A", "192.0.2.1", BEGIN - 5000, BEGIN + 10, "example.com", 7),
    row("www.example.com", "AAAA", "2001:db8::1", BEGIN, BEGIN, "example.com"),
    row("old.example.com", "A", "192.0.2.2", BEGIN - 5000, BEGIN - 1, "example.com"),
    row("example.com", "MX", "10 mx.example.net", END - 1, END - 1, "example.com"),
    row("example.com", "NS", "ns1.example.net", END - 10, END + 10, "example.com"),
    row("example.org", "A", "192.0.2.3", END, END, "example.org"),
    row("a.b.new.co.jp", "CNAME", "www.example.com", BEGIN + 5, BEGIN + 6, "new.co.jp"),
    row("new.co.jp", "TXT", "\"x|y\"", BEGIN + 4, BEGIN + 400, "new.co.jp"),
    row("ca\\124me.example.com", "CNAME", "www.example.com", BEGIN + 5, BEGIN + 6, "example.com"),
    row("x\\124y.late.example", "A", "192.0.2.4", END + 5, END + 6, "late.example"),
    row("odd\\124name.first.example", "A", "192.0.2.5", END - 1, END + 6, "first.example"),
] + [row(f"h{i}.many.example", "A", f"198.51.{i // 256}.{i % 256}", BEGIN + i, BEGIN + i + 86000, "many.example", i + 1)
     for i in range(3000)]


def wanted_files(rows):
    """Lines of each file, by a plain look at all rows."""
    files, first = collections.defaultdict(set), {}
    for r in rows:
        base = r["bailiwick"]
        first[base] = min(first.get(base, END), r["time_first"])
        if r["time_first"] >= END or r["time_last"] < BEGIN:
            continue
        files["tuples"].add(json.dumps(r, sort_keys=True))
        if r["rrtype"] in COLUMNS:
            file, data_first = COLUMNS[r["rrtype"]]
            pair = (r["rdata"][0], r["rrname"]) if data_first else (r["rrname"].replace("|", "124"), r["rdata"][0])
            files[file].add(f"{r['time_last']}|{pair[0]}|{pair[1]}")
    files["new_domain"] = {f"{t}|{base}" for base, t in first.items() if BEGIN <= t < END}
    return files


def lines_of(data, kind):
    lines = gzip.decompress(data).decode().splitlines()
    if kind == "tuples":
        lines = [json.dumps(json.loads(line), sort_keys=True) for line in lines]
    return lines


def name_of(kind, day=DAY):
    return f"{kind}_{day}.{'ndjson' if kind == 'tuples' else 'csv'}.gz"


def fetch(name, key, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
    connection.request("GET", "/v1/dumps/" + name, headers={"X-API-Key": key, **(headers or {})})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, answer.headers, data


def command(collector, *words):
    return subprocess.run([collector.program, "pdns", "dump", "--dataset", collector.dataset, *words], capture_output=True,
                          text=True, check=False, timeout=60)


def served(collector, key, scanned):
    wanted = wanted_files(scanned)
    for kind in ["tuples", *KINDS]:
        status, headers, data = fetch(name_of(kind), key)
        lines = lines_of(data, kind) if status == 200 else status
        equal(f"{kind}: what a plain look at all rows finds, each once", sorted(lines), sorted(wanted[kind]))
    check("none of these is empty", all(wanted[kind] for kind in ["tuples", *KINDS]), wanted.keys())
    whole, tag = data, headers["ETag"]
    equal("the type of a file", headers["Content-Type"], "application/gzip")
    name = name_of(KINDS[-1])
    status, headers, data = fetch(name, key, {"Range": "bytes=10-"})
    equal("one may go on at an octet", (status, data, headers["Content-Range"]),
          (206, whole[10:], f"bytes 10-{len(whole) - 1}/{len(whole)}"))
    equal("of the same file", fetch(name, key, {"Range": "bytes=10-", "If-Range": tag})[0], 206)
    equal("and of no other", fetch(name, key, {"Range": "bytes=10-", "If-Range": "\"x\""})[::2], (200, whole))
    equal("however long what is told of it is",
          fetch(name, key, {"Range": "bytes=10-", "If-Range": "\"" + 500 * "x" + "\""})[::2], (200, whole))
    equal("not behind its end", fetch(name, key, {"Range": f"bytes={len(whole)}-"})[0], 416)
    for odd in ["bytes=-5", "bytes=1-2", "bytes=x-", "octets=1-"]:
        equal(f"all of it for {odd}", fetch(name, key, {"Range": odd})[::2], (200, whole))
    for odd in ["../lock", "..%2flock", "keys", ".lock", "cname_20000101.csv.gz", "cname_99999999.csv.gz", "." + name,
                name + "/", "tuples_" + DAY + ".csv.gz", "%00", "_"]:
        equal(f"no such file: {odd}", fetch(odd, key)[0], 404)


def figures(files, key):
    """What is said of dumps in sum: of these files, by name and size."""
    text, shown = ask("/metrics")[2], json.loads(ask("/v1/status", key)[2])["dumps"]
    last = sum(size for name, size in files.items() if DAY in name)
    equal("metrics say how many files there are, and of which day the latest",
          [metric(text, "dnsweir_dump_" + name) for name in ("files", "bytes", "last_day_seconds", "last_day_bytes", "failed_total")],
          [len(files), sum(files.values()), BEGIN, last, 0])
    equal("the status says the same", shown, {"files": len(files), "bytes": sum(files.values()), "last_day": str(YESTERDAY),
                                              "last_bytes": last, "failed": 0})


def fails(collector, dumps):
    """A dump that cannot be written, since something else is where its folder is to be."""
    equal("the collector ends well", collector.down(), 0)
    shutil.rmtree(dumps)
    with open(dumps, "w", encoding="utf-8"):
        pass
    collector.up()
    for _ in range(100):
        text = ask("/metrics")[2]
        if metric(text, "dnsweir_dump_failed_total"):
            break
        time.sleep(0.1)
    equal("a dump that failed is counted", metric(text, "dnsweir_dump_failed_total"), 1)
    check("and why is said", "/dumps: Not a directory" in collector.said(), collector.said())


def main():
    collector = Collector(sys.argv[1], "[pdns]", "store = FOLDER/pdns", "window = 1", "dump_days = 3", zone=ZONE)
    try:
        file = os.path.join(collector.folder, "rows.json")
        with open(file, "w", encoding="utf-8") as f:
            for each in ROWS:
                f.write(json.dumps(each) + "\n")
        done = subprocess.run([collector.program, "pdns", "import", "--dataset", collector.dataset, file],
                              capture_output=True, text=True, check=False, **collector.less)
        assert done.returncode == 0, done.stderr
        dumps = os.path.join(collector.dataset, "dumps")
        os.mkdir(dumps)
        days = {n: (YESTERDAY - datetime.timedelta(days=n)).strftime("%Y%m%d") for n in range(5)}
        for n in (1, 2, 3, 4):
            with open(os.path.join(dumps, name_of("cname", days[n])), "wb") as f:
                f.write(gzip.compress(b""))
        for name in ("mine.txt", "cname_2026.csv.gz"):
            with open(os.path.join(dumps, name), "w", encoding="utf-8"):
                pass
        left = "." + name_of("mx", days[1])
        with open(os.path.join(dumps, left), "w", encoding="utf-8"):
            pass
        for name in ("", *os.listdir(dumps)):
            if collector.less:
                os.chown(os.path.join(dumps, name), collector.less["user"], collector.less["group"])
        collector.up()
        key = collector.key("reader", "pdns")
        time.sleep(2.5)
        for _ in range(100):
            if collector.said().count("dumped ") and collector.said().count("removed "):
                break
            time.sleep(0.1)
        check("the day that ended is dumped at the start, if it was not", "dumped 3008 tuples" in collector.said(),
              collector.said())
        listed = json.loads(ask("/v1/dumps/", key)[2])["files"]
        equal("what there is of days that are kept is listed", [(f["name"], f["day"]) for f in listed],
              sorted([(name_of(kind), str(YESTERDAY)) for kind in ["tuples", *KINDS]] +
                     [(name_of("cname", days[n]), str(YESTERDAY - datetime.timedelta(days=n))) for n in (1, 2)]))
        equal("with its size", {f["name"]: f["size"] for f in listed},
              {f["name"]: os.path.getsize(os.path.join(dumps, f["name"])) for f in listed})
        figures({f["name"]: f["size"] for f in listed}, collector.key_in_force("counter", "metrics"))
        equal("what is none of ours is left alone, and what was never ended is gone",
              sorted(n for n in os.listdir(dumps) if n not in [f["name"] for f in listed]),
              [".lock", "cname_2026.csv.gz", "mine.txt"])
        done = subprocess.run([collector.program, "pdns", "export", "--dataset", collector.dataset], capture_output=True,
                              text=True, check=True, **collector.less)
        scanned = [json.loads(line) for line in done.stdout.splitlines()]
        for each in scanned:
            del each["sensor_id"]
        served(collector, key, scanned)
        equal("the role pdns is needed", ask("/v1/dumps/", collector.key_in_force("other", "metrics"))[0], 403)
        before = open(os.path.join(dumps, name_of("tuples")), "rb").read()
        done = command(collector, "--day", str(YESTERDAY), "--zone", ZONE)
        equal("the command makes the same, beside the collector",
              (done.returncode, done.stdout.split(" in ")[0], open(os.path.join(dumps, name_of("tuples")), "rb").read()),
              (0, "3008 tuples, 3 new domains", before))
        equal("its files may be read by the collector", fetch(name_of("tuples"), key)[0], 200)
        done = command(collector, "--day", "2001-01-01", "--zone", ZONE)
        equal("a day of nothing has empty files", (done.returncode, fetch("mx_20010101.csv.gz", key)[2][:2]), (0, b"\x1f\x8b"))
        for words, said in {(): "expected --day", ("--day", "x"): "expected YYYY-MM-DD", ("--zone", "No/Where"): "No/Where",
                            ("--day", str(YESTERDAY), "more"): "expected no operand"}.items():
            done = command(collector, *words)
            check(f"wrong: {' '.join(words) or 'nothing'}", done.returncode == 2 and said in done.stderr and
                  done.stderr.count("\n") == 1, done.stderr)
        with open(os.path.join(dumps, ".lock"), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = command(collector, "--day", str(YESTERDAY))
        check("one at a time", done.returncode == 1 and "another dump" in done.stderr, done.stderr)
        fails(collector, dumps)
        equal("the collector ends well", collector.down(), 0)
        check("and complained of nothing", "Sanitizer" not in collector.said(), collector.said()[-2000:])
    finally:
        collector.remove()
    return Tap.end()


own_network()
sys.exit(main())
