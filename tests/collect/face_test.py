#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Passive DNS as its users ask for it: face_test.py DNSWEIR-COLLECT REQUESTS. Prints TAP.

dnsdbq is DNSDB's own client; where it is not there, only what needs no client is tested. REQUESTS is how many made-up
requests the collector gets."""
import base64
import json
import os
import random
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bed import PORT, TLS_ADDRESS, TLS_PORT, Box, Collector, Tap, ask, is_own_network, own_network

check, equal = Tap.check, Tap.equal
T0 = 1700000000
MANY = 3000


def row(name, kind, data, first=0, last=1000, count=1, bailiwick=None):
    return {"rrname": name, "rrtype": kind, "rdata": data, "time_first": T0 + first, "time_last": T0 + last, "count": count,
            "bailiwick": bailiwick or ".".join(name.split(".")[-2:])}


LONGEST = ".".join((63 * "a", 63 * "b", 63 * "c", 61 * "d"))  # 255 octets
ROWS = [
    row("example.com", "A", ["192.0.2.1"], 0, 5000, 7),
    row("example.com", "NS", ["ns1.example.net", "ns2.example.net"], 0, 5000, 3),
    row("www.example.com", "A", ["192.0.2.1", "192.0.2.2"], 100, 200, 5),
    row("www.example.com", "AAAA", ["2001:db8::1"], 1000, 9000, 2),
    row("www.example.com", "DNSKEY", ["257 3 13 AQID"], 1000, 9000, 2),
    row("mail.example.com", "MX", ["10 mx.example.net"], 2000, 3000, 4),
    row("www.example.org", "CNAME", ["www.example.com"], 3000, 4000, 6),
    row("deep.www.example.org", "TXT", ["\"a b\" \"c\\\"d\""], 3000, 4000, 1),
    row("odd.example.org", 65280, ["\\# 3 010203"], 3000, 4000, 1),
    row("other.example.org", "A", ["192.0.2.200"], 6000, 7000, 9),
    row("1.0/25.2.0.192.in-addr.arpa", "PTR", ["host.example.net"], 0, 9, 1, "2.0.192.in-addr.arpa"),
    row("far.example.org", "A", ["198.51.100.1"], 6000, 7000, 9),
    row("xn--bcher-kva.odd.example", "A", ["198.51.100.7"]),
    row("a\\.b.odd.example", "A", ["198.51.100.8"]),
    row("nul\\000\\255.odd.example", "A", ["198.51.100.9"]),
    row("a\\,b\\\".info", "A", ["198.51.100.10"]),
    row("b\\124r.odd.example", "CNAME", ["bar.example"]),
    row("dot\\.", "A", ["198.51.100.11"], bailiwick="."),
    row(".", "NS", ["a.root.example"], bailiwick="."),
    row(LONGEST, "A", ["198.51.100.12"], bailiwick=61 * "d"),
]


def fill(collector):
    """The rows above, and a name with many addresses."""
    file = os.path.join(collector.folder, "rows.json")
    with open(file, "w", encoding="utf-8") as f:
        for each in ROWS:
            f.write(json.dumps(each) + "\n")
        for i in range(MANY):
            f.write(json.dumps(row(f"h{i}.many.example", "A", [f"203.0.{i // 256}.{i % 256}"], i, i, 1)) + "\n")
    done = subprocess.run([collector.program, "pdns", "import", "--dataset", collector.dataset, file], capture_output=True, text=True,
                          check=False, **collector.less)
    assert done.returncode == 0, done.stderr


def saf(answer):
    """Objects and the last condition of an answer; what is no answer stays as it is."""
    lines = [json.loads(line) for line in answer[2].splitlines()]
    if answer[0] != 200 or not lines or lines[0] != {"cond": "begin"}:
        return answer[0], answer[2]
    return [line["obj"] for line in lines if "obj" in line], lines[-1].get("cond")


def names(objects):
    return sorted({o["rrname"] + " " + o["rrtype"] for o in objects})


class Dnsdb:
    def __init__(self, key):
        self.key = key

    def get(self, path, **more):
        return saf(ask("/dnsdb/v2/" + path, self.key, **more))


def dnsdb_lookups(dnsdb):
    objects, end = dnsdb.get("lookup/rrset/name/www.example.com/A")
    equal("an rrset has all its RDATA, names with their dots", (objects, end), ([{
        "count": 5, "time_first": T0 + 100, "time_last": T0 + 200, "rrname": "www.example.com.", "rrtype": "A",
        "bailiwick": "example.com.", "rdata": ["192.0.2.1", "192.0.2.2"]}], "succeeded"))
    objects, end = dnsdb.get("lookup/rdata/ip/192.0.2.1?humantime=t")
    equal("a tuple found by its RDATA has one, and no bailiwick", objects[0], {
        "count": 7, "time_first": "2023-11-14T22:13:20Z", "time_last": "2023-11-14T23:36:40Z", "rrname": "example.com.",
        "rrtype": "A", "rdata": "192.0.2.1"})
    for path, wanted in {
            "rrset/name/www.example.com": ["www.example.com. A", "www.example.com. AAAA"],
            "rrset/name/www.example.com/ANY": ["www.example.com. A", "www.example.com. AAAA"],
            "rrset/name/www.example.com/any-dnssec": ["www.example.com. DNSKEY"],
            "rrset/name/WWW.Example.COM./aaaa": ["www.example.com. AAAA"],
            "rrset/name/www.example.com/A/example.com": ["www.example.com. A"],
            "rrset/name/www.example.com/A/com": [],
            "rrset/name/odd.example.org": ["odd.example.org. TYPE65280"],
            "rrset/name/odd.example.org/TYPE65280/": ["odd.example.org. TYPE65280"],
            "rrset/name/%2A.example.com/NS": ["example.com. NS"],
            "rrset/name/*.www.example.org": ["deep.www.example.org. TXT", "www.example.org. CNAME"],
            "rrset/name/www.example.%2A/ANY": ["www.example.com. A", "www.example.com. AAAA", "www.example.org. CNAME"],
            "rrset/name/1.0%2F25.2.0.192.in-addr.arpa/PTR": ["1.0\\/25.2.0.192.in-addr.arpa. PTR"],
            "rrset/name/*.0%5C04725.2.0.192.in-addr.arpa": ["1.0\\/25.2.0.192.in-addr.arpa. PTR"],
            "rrset/raw/03777777076578616d706c6503636f6d00/AAAA": ["www.example.com. AAAA"],
            "rdata/name/www.example.com": ["www.example.org. CNAME"],
            "rdata/name/*.example.net/NS": ["example.com. NS"],
            "rdata/name/mx.example.*": ["mail.example.com. MX"],
            "rdata/ip/192.0.2.0,25": ["example.com. A", "www.example.com. A"],
            "rdata/ip/192.0.2.0%2C24": ["example.com. A", "other.example.org. A", "www.example.com. A"],
            "rdata/ip/192.0.2.2-192.0.2.255": ["other.example.org. A", "www.example.com. A"],
            "rdata/ip/2001%3Adb8%3A%3A,32": ["www.example.com. AAAA"],
            "rdata/raw/c0000201": ["example.com. A", "www.example.com. A"],
            "rdata/raw/c0000201/MX": [],
            "rrset/name/absent.example": [],
            "rrset/name/B%C3%9Ccher.odd.example": ["xn--bcher-kva.odd.example. A"],
            "rrset/name/*.b%C3%BCcher.odd.example.": ["xn--bcher-kva.odd.example. A"],
            "rrset/name/b%C3%BCcher.odd.*": ["xn--bcher-kva.odd.example. A"],
            "rrset/name/a%5C.b.odd.example": ["a\\.b.odd.example. A"],
            "rrset/name/a.b.odd.example": [],
            "rrset/name/a%5C.b.*.": ["a\\.b.odd.example. A"],
            "rrset/name/nul%5C000%5C255.odd.example": ["nul\\000\\255.odd.example. A"],
            "rrset/name/dot%5C.": ["dot\\.. A"],
            "rrset/name/dot%5C..": ["dot\\.. A"],
            "rrset/name/*.dot%5C.": ["dot\\.. A"],
            "rrset/name/./NS": [". NS"],
            "rdata/name/a.root.example": [". NS"],
            "rrset/name/" + LONGEST.upper(): [LONGEST + ". A"],
            "rrset/name/*." + LONGEST + ".": [LONGEST + ". A"],
            "rdata/ip/192.0.2.77,25": ["example.com. A", "www.example.com. A"],
            "rdata/ip/%3A%3A,0": ["www.example.com. AAAA"],
            "rdata/ip/2001%3Adb8%3A%3Af%3A1,32": ["www.example.com. AAAA"],
            "rdata/ip/2001%3Adb8%3A%3A1,128": ["www.example.com. AAAA"],
            "rdata/ip/2001%3Adb8%3A%3A2,128": [],
    }.items():
        objects, end = dnsdb.get("lookup/" + path)
        equal(path, (names(objects) if isinstance(objects, list) else objects, end), (wanted, "succeeded"))


def dnsdb_parameters(dnsdb):
    now = int(time.time())
    for fences, wanted in {
            f"time_first_after={T0 + 101}": ["AAAA"], f"time_first_after={T0 + 100}": ["A", "AAAA"],
            f"time_first_before={T0 + 100}": ["A"], f"time_last_after={T0 + 201}": ["AAAA"],
            f"time_last_before={T0 + 200}": ["A"], f"time_last_before=-{now - T0 - 300}": ["A"],
            f"time_first_after={T0}&time_last_before={T0 + 9000}": ["A", "AAAA"], "time_last_after=-60": [],
    }.items():
        objects, end = dnsdb.get("lookup/rrset/name/www.example.com?" + fences)
        equal("within " + fences.replace(str(now - T0 - 300), "AGO").replace(str(T0), "T"),
              ([o["rrtype"] for o in objects], end), (wanted, "succeeded"))
    objects, end = dnsdb.get("lookup/rrset/name/www.example.com/A?aggr=f")
    equal("without aggregation each RDATA is its own", [o["rdata"] for o in objects], [["192.0.2.1"], ["192.0.2.2"]])
    ips = "lookup/rdata/ip/203.0.0.0,16?"
    every = [o["rrname"] for o in dnsdb.get(ips + "limit=0")[0]]
    equal("a limit of 0 is the server's", (len(every), dnsdb.get(ips)[1]), (MANY, "succeeded"))
    objects, end = dnsdb.get(ips + "limit=10")
    equal("of all addresses", dnsdb.get(f"summarize/rdata/ip/0.0.0.0,0?time_first_before={T0 + 10000}")[0][0]["num_results"],
          MANY + sum(len(r["rdata"]) for r in ROWS if r["rrtype"] == "A"))
    equal("a limit is kept, and said", ([o["rrname"] for o in objects], end), (every[:10], "limited"))
    equal("at the exact number there is no more", dnsdb.get(ips + f"limit={MANY}")[1], "succeeded")
    objects, end = dnsdb.get(ips + "limit=10&offset=15")
    equal("an offset leaves rows out", ([o["rrname"] for o in objects], end), (every[15:25], "limited"))
    equal("one behind the last leaves all out", dnsdb.get(ips + "offset=5000"), ([], "succeeded"))
    equal("one that is too large is 416", dnsdb.get(ips + "offset=1000001")[0], 416)
    equal("a sum has rows, count and times", dnsdb.get("summarize/rdata/ip/203.0.0.0,16"), ([{
        "count": MANY, "num_results": MANY, "time_first": T0, "time_last": T0 + MANY - 1}], "succeeded"))
    objects, end = dnsdb.get("summarize/rdata/ip/203.0.0.0,16?max_count=100")
    equal("and stops at a count", (objects[0]["num_results"], end), (100, "limited"))
    equal("a sum of nothing is 0", dnsdb.get("summarize/rrset/name/absent.example"),
          ([{"count": 0, "num_results": 0}], "succeeded"))
    equal("a sum over RRsets counts these", dnsdb.get("summarize/rrset/name/www.example.com/A")[0][0]["num_results"], 1)


def dnsdb_errors(dnsdb):
    for path in ("lookup/", "lookup/rrset", "lookup/rrset/name", "lookup/rrset/name/", "lookup/rrset/ip/192.0.2.1", "lookup/rdata/ip/x",
                 "lookup/rdata/ip/192.0.2.0,33", "lookup/rdata/ip/192.0.2.1,24/A", "lookup/rrset/name/a..b", "lookup/rrset/name/a%00b",
                 "lookup/rrset/name/a%zzb", "lookup/rrset/name/a%2", "lookup/rrset/name/x/NOTYPE", "lookup/rrset/name/a/b/c/d/e/f/g/h/i",
                 "lookup/rrset/raw/03", "lookup/rrset/raw/", "lookup/rrset/raw/zz", "lookup/rdata/raw/0", "summarize/rdata/name/a b",
                 "lookup/rrset/name/a?limit=x", "lookup/rrset/name/a?limit=-1", "lookup/rrset/name/a?limit=%20-1", "lookup/rrset/name/a?limit=%2B1",
                 "lookup/rrset/name/%E3%80%82example", "lookup/rrset/name/%FF.example", "lookup/rrset/name/b%C3%BC%5C.x",
                 "lookup/rrset/name/a?time_first_after=x",
                 "lookup/rrset/name/a?aggr=x", "lookup/rrset/name/a?unknown=1", "lookup/rrset/name/a?limit=1&limit=2",
                 "summarize/rrset/name/a?offset=1", "lookup/rrset/name/" + 64 * "a", "lookup/rrset/name/" + 130 * "a."):
        status, text = dnsdb.get(path.replace(" ", "%20"))
        good = status == 400 and json.loads(text)["error"]
        check(f"{path[:60]} is a bad request, and why is said", good, (status, text))
    for path in ("regex/rrnames/x", "glob/rdata/x/A?limit=1"):
        equal(f"{path} is not supported", dnsdb.get(path)[0], 501)
    for path in ("", "lookup", "nothing", "lookups/rrset/name/a", "../v2/ping"):
        equal(f"/dnsdb/v2/{path} is no path", dnsdb.get(path)[0], 404)
    equal("another method is said", dnsdb.get("lookup/rrset/name/a", method="POST", body="")[0], 405)
    answer = ask("/v1/shared", dnsdb.key, "DELETE")
    equal("and all that there are", (answer[0], answer[1]["Allow"]), (405, "GET, HEAD, POST"))
    lines = ask("/v1/shared?name=far.example.org&format=csv", dnsdb.key)[2].splitlines()
    check("a name with a comma and a quotation mark is one value of a line",
          "far.example.org,\"a\\,b\\\"\".info\",block,198.51.100.0/24" in lines, lines)
    equal("ping answers", ask("/dnsdb/v2/ping?swclient=x&version=1", dnsdb.key)[2], '{"ping":"ok"}\n')


def keys_and_quota(collector):
    roles = {role: collector.key("of-" + role, role) for role in ("metrics", "pdns", "log")}
    few = collector.key("few", "pdns", "--quota", "4", "--expires", "2099-12-31")
    time.sleep(2.5)
    path = "/dnsdb/v2/lookup/rrset/name/example.com"
    equal("the role pdns may ask, and those above, but not metrics",
          [ask(path, key)[0] for key in roles.values()], [403, 200, 200])
    equal("without a key nobody may", ask(path)[0], 401)
    equal("pdns sees no clients", [ask("/v1/" + p, roles["pdns"])[0] for p in ("log?filtered=no", "days", "contacts")],
          [403, 403, 403])
    equal("the header's case does not matter", ask(path, headers={"x-api-key": roles["pdns"]})[0], 200)
    basic = base64.b64encode(b"anybody:" + roles["pdns"].encode()).decode()
    equal("a key may be a password", ask(path, headers={"Authorization": "Basic " + basic})[0], 200)
    for wrong in ("", "!", "Og==", base64.b64encode(b"x:\0" + roles["pdns"].encode()).decode(), 1000 * "QUFB",
                  base64.b64encode(roles["pdns"].encode()).decode()):
        equal("but only a good one", ask(path, headers={"Authorization": "Basic " + wrong})[0], 401)

    def rate():
        return json.loads(ask("/dnsdb/v2/rate_limit", few)[2])["rate"]

    def counts():
        return (rate()["limit"], rate()["remaining"])

    equal("nothing was asked yet", counts(), (4, 4))
    ask(path, few)
    equal("what was asked counts", counts(), (4, 3))
    check("a day ends", 0 < rate()["reset"] - time.time() <= 86401)
    equal("a key ends", rate()["expires"], 4102444800)
    equal("one without quota is told so", {k: v for k, v in json.loads(
        ask("/dnsdb/v2/rate_limit", roles["pdns"])[2])["rate"].items() if isinstance(v, str)},
        {"limit": "unlimited", "remaining": "n/a", "reset": "n/a", "expires": "n/a"})
    equal("the collector ends", collector.down(), 0)
    collector.up()
    equal("a restart forgets no request", counts(), (4, 3))
    equal("a quota is kept", [ask(path, few)[0] for _ in range(4)], [200, 200, 200, 429])
    equal("and can be asked for when it is used up", counts(), (4, 0))
    time.sleep(12)
    collector.process.kill()
    collector.process.wait()
    collector.up()
    equal("a crash forgets what was asked in the last 10 seconds at most", counts(), (4, 0))


def dotted(kind, data):
    return data + "." if kind in ("NS", "CNAME", "MX", "PTR") else data


def wrong_rows(objects, dot="."):
    """Those that are not as they were put: all RDATA of an RRset, one of a tuple, its times and count."""
    out = []
    for o in objects if isinstance(objects, list) else [objects]:
        there = [r for r in ROWS if isinstance(o, dict) and (r["rrname"] + dot, r["rrtype"]) == (o["rrname"], o["rrtype"])]
        if not there:
            out.append(o)
            continue
        r = there[0]
        data = [dotted(r["rrtype"], d) if dot else d for d in r["rdata"]]
        rest = {k: o[k] for k in ("count", "time_first", "time_last")} == {k: r[k] for k in ("count", "time_first", "time_last")}
        good = sorted(o["rdata"]) == data if dot and isinstance(o["rdata"], list) else \
            (o["rdata"] if isinstance(o["rdata"], str) else o["rdata"][0]) in data
        if not (good and rest and o.get("bailiwick", r["bailiwick"] + dot) == r["bailiwick"] + dot):
            out.append(o)
    return out


class Dnsdbq:
    """DNSDB's client; each run is held against what it may not say."""

    def __init__(self, key, server):
        self.home = tempfile.mkdtemp(prefix="dnsdbq-")
        self.env = {"PATH": os.environ["PATH"], "HOME": self.home, "DNSDB_API_KEY": key, "DNSDB_SERVER": server}

    def run(self, *words, stdin=None):
        done = subprocess.run(["dnsdbq", "-U", "-j", *words], env=self.env, input=stdin, capture_output=True, text=True,
                              timeout=60, check=False)
        # It exits with 0 whatever happened.
        said = done.stderr.replace("Query status: NOERROR (no results found for query.)", "").strip()
        if said or done.returncode != 0:
            return said or done.returncode
        if "-I" in words:
            return json.loads(done.stdout)
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def names(self, *words, dot=".", **more):
        """What was found, if all of each row is right."""
        out = self.run(*words, **more)
        return names(out) if isinstance(out, list) and not wrong_rows(out, dot) else out

    def close(self):
        shutil.rmtree(self.home)


def dnsdbq_tests(client, where):
    www = ["www.example.com. A", "www.example.com. AAAA"]
    in_25 = ["example.com. A", "www.example.com. A"]
    for words, wanted in {
            "-r www.example.com": www, "-r www.example.com/AAAA": www[1:], "-r www.example.com/A/example.com": www[:1],
            "-r *.example.com/NS": ["example.com. NS"], "-r www.example.*": www + ["www.example.org. CNAME"],
            "-n www.example.com": ["www.example.org. CNAME"], "-n *.example.net/MX": ["mail.example.com. MX"],
            "-n ns1.example.*": ["example.com. NS"], "-i 192.0.2.1": in_25, "-i 192.0.2.0/25": in_25,
            "-i 2001:db8::/32": www[1:], "-i 2001:db8::1": www[1:], "-N c0000201": in_25,
            f"-r www.example.com -A {T0 + 201}": www[1:], f"-r www.example.com -B {T0 + 200}": www[:1],
            f"-r www.example.com -A {T0 + 150} -B {T0 + 150}": www[:1], f"-r www.example.com -A {T0 + 5000} -B {T0 + 6000}": www[1:],
            f"-r www.example.com -A {T0 + 300} -B {T0 + 900}": [], "-r mail.example.com/MX": ["mail.example.com. MX"],
            "-n www.example.com/CNAME": ["www.example.org. CNAME"], "-r www.example.com/ANY-DNSSEC": ["www.example.com. DNSKEY"],
            f"-n *.example.net -A {T0 + 4000}": ["example.com. NS"], f"-i 192.0.2.0/25 -c -B {T0 + 200}": in_25[1:],
            f"-r www.example.com -c -A {T0 + 100} -B {T0 + 200}": www[:1],
            f"-r www.example.com -c -A {T0 + 101} -B {T0 + 9000}": www[1:],
            "-r absent.example": [],
    }.items():
        equal(f"{where}: dnsdbq {words}".replace(str(T0)[:-3], "T"), client.names(*words.split()), wanted)
    every = client.run("-i", "203.0.0.0/16", "-l", "0")
    equal(f"{where}: -l 0 is all", len(every), MANY)
    equal(f"{where}: -l and -O are pages", client.run("-i", "203.0.0.0/16", "-l", "20", "-O", "30"), every[30:50])
    equal(f"{where}: -V summarize is one row", client.run("-V", "summarize", "-i", "203.0.0.0/16"), [{
        "count": MANY, "num_results": MANY, "time_first": T0, "time_last": T0 + MANY - 1}])
    batch = "rrset/name/www.example.com/AAAA\nrdata/ip/192.0.2.0,25\nrdata/name/www.example.com\n"
    equal(f"{where}: a batch", client.names("-f", stdin=batch), sorted(in_25 + www[1:] + ["www.example.org. CNAME"]))
    equal(f"{where}: a batch, several at once", client.names("-f", "-m", stdin=batch),
          sorted(in_25 + www[1:] + ["www.example.org. CNAME"]))
    equal(f"{where}: a batch of sums", sorted(o["num_results"] for o in client.run("-V", "summarize", "-f", stdin=batch)), [1, 1, 3])
    equal(f"{where}: a batch in parallel", client.names("-ff", "-m", stdin=batch),
          sorted(in_25 + www[1:] + ["www.example.org. CNAME"]))
    info = client.run("-I")
    equal(f"{where}: -I", info["rate"]["limit"] if isinstance(info, dict) else info, "unlimited")


def circl_tests(key):
    """CIRCL's API, by dnsdbq where it is there."""
    basic = {"Authorization": "Basic " + base64.b64encode(b"user:" + key.encode()).decode()}

    def get(what, **headers):
        answer = ask("/pdns/query/" + what, headers={**basic, **{k.replace("_", "-"): v for k, v in headers.items()}})
        return answer[0], [json.loads(line) for line in answer[2].splitlines()], answer[1]["x-dribble-cursor"]

    status, rows, cursor = get("mail.example.com")
    equal("circl: a name, as the Common Output Format has it", (status, rows, cursor), (200, [{
        "count": 4, "time_first": T0 + 2000, "time_last": T0 + 3000, "rrname": "mail.example.com", "rrtype": "MX",
        "bailiwick": "example.com", "rdata": ["10 mx.example.net"]}], None))
    equal("circl: an address", names(get("192.0.2.1")[1]), ["example.com A", "www.example.com A"])
    equal("circl: an address of IPv6", names(get("2001%3Adb8%3A%3A1")[1]), ["www.example.com AAAA"])
    equal("circl: of one type", names(get("www.example.com", dribble_filter_rrtype="AAAA")[1]), ["www.example.com AAAA"])
    every, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        more = {"dribble_paginate_cursor": cursor} if cursor else {}
        status, rows, cursor = get("*.many.example", dribble_paginate_count="700", **more)
        every += rows
        pages += 1
    equal("circl: pages", (pages, len(every), len(names(every))), ((MANY + 699) // 700, MANY, MANY))
    equal("circl: what is none", [get(w)[0] for w in ("a..b", "", "a/b")] +
          [get("a", dribble_paginate_count="x")[0], get("a", dribble_paginate_cursor="00")[0]], 5 * [400])


def circl_dnsdbq(key, where, server):
    client = Dnsdbq(key, "")
    with open(os.path.join(client.home, ".dnsdb-query.conf"), "w", encoding="utf-8") as f:
        f.write(f'DNSDBQ_SYSTEM="circl"\nCIRCL_AUTH="user:{key}"\nCIRCL_SERVER="{server}/pdns/query"\n')
    for words, wanted in {"-r www.example.com": ["www.example.com A", "www.example.com AAAA"], "-r absent.example": [],
                          "-r mail.example.com": ["mail.example.com MX"], "-i 192.0.2.1": ["example.com A", "www.example.com A"],
                          "-i 2001:db8::1": ["www.example.com AAAA"]}.items():
        equal(f"{where}: circl: dnsdbq {words}", client.names("-u", "circl", *words.split(), dot=""), wanted)
    client.close()


def certificate(collector):
    """dnsdbq is told not to look at it, so we do."""
    with open(os.path.join(collector.store, "api.crt"), encoding="utf-8") as f:
        made = ssl.PEM_cert_to_DER_cert(f.read())
    shown = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((TLS_ADDRESS, TLS_PORT)))
    check("https: with the certificate that was made at the first start", shown == made)


def deteque_tests(key):
    basic = {"Authorization": "Basic " + base64.b64encode(b"user:" + key.encode()).decode()}

    def get(kind, target, more=""):
        return ask(f"/api/query?queryType={kind}&target={target}{more}", headers=basic)

    def lines(rows):
        return "".join(f"{T0 + when}|{rest}\n" for when, rest in rows)

    addresses = [(5000, "example.com|192.0.2.1"), (200, "www.example.com|192.0.2.1"), (200, "www.example.com|192.0.2.2")]
    for kind, target, rows in (
            ("IP", "192.0.2.0/25", addresses), ("ip", "192.0.2.2", addresses[2:]),
            ("HOSTDOM", "192.0.2.0/24", [(5000, "example.com|192.0.2.1"), (200, "example.com|192.0.2.2"), (7000, "example.org|192.0.2.200")]),
            ("HOST", "www.example.com", addresses[1:] + [(9000, "www.example.com|2001:db8::1")]),
            ("NS", "ns1.example.net", [(5000, "example.com|ns1.example.net")]),
            ("DOMAIN", "example.com", [(5000, "example.com|ns1.example.net"), (5000, "example.com|ns2.example.net")]),
            ("DOMSEARCH", "example.org", [(7000, "far.example.org|198.51.100.1"), (4000, "www.example.org|www.example.com"),
                                          (7000, "other.example.org|192.0.2.200")]),
            ("MXD", "mail.example.com", [(3000, "mail.example.com|10 mx.example.net")]),
            ("MX", "mx.example.net", [(3000, "mail.example.com|10 mx.example.net")]),
            ("CNAME", "www.example.com", [(4000, "www.example.org|www.example.com")]),
            ("CHOST", "www.example.org", [(4000, "www.example.org|www.example.com")]),
            ("CHOST", "b%5C%7Cr.odd.example", [(1000, "b\\124r.odd.example|bar.example")]),
            ("TXT", "deep.www.example.org", [(4000, 'deep.www.example.org|"a b" "c\\"d"')]),
            ("SOA", "example.com", []), ("NEW_DOMAIN", "example.org", [(3000, "example.org")]), ("NEW_DOMAIN", "absent.example", [])):
        status, _, body = get(kind, target)
        equal(f"deteque: {kind} of {target}", (status, sorted(body.splitlines())), (200, sorted(lines(rows).splitlines())))
    rows = [json.loads(line) for line in get("MX", "mx.example.net", "&output=json")[2].splitlines()]
    equal("deteque: JSON is an object a row", rows, [{"count": 4, "time_first": T0 + 2000, "time_last": T0 + 3000, "bailiwick": "example.com",
                                                      "rrname": "mail.example.com", "rrtype": "MX", "rdata": "10 mx.example.net"}])
    one = json.loads(get("IP", "192.0.2.0/24", "&output=JOBJECT")[2])
    equal("deteque: JOBJECT is one object", (one["hits"], len(one["records"]), one["error"], one["status"]), (4, 4, False, 200))
    equal("deteque: of nothing, too", json.loads(get("IP", "192.0.2.99", "&output=JOBJECT")[2])["records"], [])
    equal("deteque: a limit", len(get("IP", "203.0.0.0/16", "&query_limit=7")[2].splitlines()), 7)
    equal("deteque: of domains", len(get("HOSTDOM", "203.0.0.0/16", "&query_limit=7")[2].splitlines()), 7)
    equal("deteque: what is none", [get(*a)[0] for a in (
        ("X", "a"), ("IP", "a"), ("HOST", "a..b"), ("IP", "192.0.2.1", "&output=x"), ("IP", "192.0.2.1", "&query_limit=x"))] +
        [ask("/api/query?queryType=IP", headers=basic)[0], ask("/api/query", headers=basic)[0]], 7 * [400])
    equal("deteque: without a quota", json.loads(ask("/api/query?queryType=CHECK_QUOTA", headers=basic)[2]), {"daily_limit": "unlimited"})


class Ingest(threading.Thread):
    """Answers with new names and addresses among those that are asked for, until told to end."""

    def __init__(self, collector):
        super().__init__()
        self.box, self.end, self.sent = Box(collector.tap), False, 0

    def run(self):
        while not self.end:
            for i in range(self.sent, self.sent + 20):
                self.box.send(f"new{i}.many.example", "203.0.113.9", time.time(), addresses=[f"203.0.{i * 7 % 12}.{i * 31 % 256}"])
            self.sent += 20
            time.sleep(0.02)
        self.box.close()


def own_pages(key, collector):
    def get(query):
        answer = ask("/v1/pdns?" + query, key)
        lines = [json.loads(line) for line in answer[2].splitlines()]
        return (lines[:-1], lines[-1]) if answer[0] == 200 else (answer[0], lines[0])

    rows, end = get("name=www.example.com&group=t")
    equal("v1: RRsets", ([(r["rrtype"], r["rdata"]) for r in rows], end),
          ([("A", ["192.0.2.1", "192.0.2.2"]), ("AAAA", ["2001:db8::1"])], {"rows": 2}))
    for query in ("", "name=a..b", "name=a&ip=192.0.2.1", "name=a&cursor=00", "name=a&cursor=x", "type=A", "name=a&sensor=x"):
        check(f"v1: {query} is a bad request", get(query)[0] == 400 and get(query)[1]["error"], get(query))
    ingest = Ingest(collector)
    ingest.start()
    for question, begin in {"ip=203.0.0.0/16": "h", "name=*.many.example": "h", "name=*.many.example&type=A&group=t": "h"}.items():
        every, cursor, pages = [], "", 0
        while pages == 0 or cursor:
            rows, end = get(question + "&limit=50" + cursor)
            every += [r["rrname"] + " " + ",".join(r["rdata"]) for r in rows]
            cursor = "&cursor=" + end["cursor"] if "cursor" in end else ""
            pages += 1
            time.sleep(0.02)
        old = [e for e in every if e.startswith(begin)]
        check(f"v1: pages of {question} repeat nothing and lose nothing while answers come in", len(set(every)) == len(every) and
              len(old) == MANY and pages > MANY // 50, (pages, len(every), len(set(every)), len(old)))
    ingest.end = True
    ingest.join()
    for _ in range(100):
        rows = get("name=*.many.example&limit=0")[0]
        new = [r for r in rows if r["rrname"].startswith("new")]
        if len(new) == ingest.sent:
            break
        time.sleep(0.2)
    equal("v1: and then all that came in is there", len(new), ingest.sent)
    text = json.dumps(rows)
    check("v1: without the client", "203.0.113.9\"" not in text, text[:200])
    status, _, body = ask("/v1/pdns/summarize?ip=192.0.2.0/24", key)
    equal("v1: a sum", (status, json.loads(body)), (200, {"count": 26, "num_results": 4, "time_first": T0, "time_last": T0 + 7000}))


def bulk(key, collector):
    def post(questions, of=key):
        text = "\n".join(q if isinstance(q, str) else json.dumps(q) for q in questions)
        answer = ask("/v1/pdns/bulk", of, "POST", text, {"Content-Type": "application/x-ndjson"})
        return answer[0], [json.loads(line) for line in answer[2].splitlines()]

    status, lines = post([{"id": 1, "name": "mail.example.com"}, {"id": "b", "ip": "192.0.2.0/25", "limit": 1}, "", "{",
                          {"id": 3, "name": "a..b"}, {"id": 4, "nothing": "x"}, {"id": 5, "name": "www.example.com", "type": "A", "group": True}])
    ends = [line for line in lines if "id" in line]
    equal("bulk: rows come before the id of their question", [("rrname" in line) for line in lines],
          [True, False, True, False, False, False, False, True, False])
    equal("bulk: each question has an end", [e["id"] for e in ends], [1, "b", None, 3, 4, 5])
    equal("bulk: with a cursor if there is more", ["cursor" in e for e in ends], [False, True, False, False, False, False])
    equal("bulk: an offset that is too large is said", [line.get("error") for line in post([{"id": 1, "name": "a", "offset": 1000001}])[1]],
          ["offset: expected at most 1000000"])
    equal("bulk: a bad one does no harm to the others", ["error" in e for e in ends], [False, False, True, True, True, False])
    many = [{"id": i, "name": f"h{i % MANY}.many.example"} for i in range(30000)]
    status, lines = post(many)
    rows = [line["rrname"] for line in lines if "rrname" in line]
    equal("bulk: 30,000 questions at once", (status, rows == [q["name"] for q in many], [
        line["id"] for line in lines if "id" in line] == list(range(30000))), (200, True, True))
    equal("bulk: but not more than 8 MiB", ask("/v1/pdns/bulk", key, "POST", None, {"Content-Length": str(9 << 20)})[0], 413)
    few = collector.key("bulk", "pdns", "--quota", "3")
    time.sleep(2.5)
    lines = post([{"id": i, "name": "mail.example.com"} for i in range(5)], few)[1]
    equal("bulk: each question counts", ["error" in line for line in lines if "id" in line], [False, False, False, True, True])
    equal("bulk: until there are none left", post([{"name": "a"}], few)[0], 429)
    equal("deteque: a quota that is used up", ask("/api/query?queryType=IP&target=192.0.2.1", few)[0], 429)
    told = json.loads(ask("/api/query?queryType=CHECK_QUOTA", few)[2])
    equal("deteque: and told", (told["daily_limit"], told["daily_used"], told["daily_remaining"]), (3, 3, 0))


def fuzz(key, requests):
    dice = random.Random(5)
    parts = ["lookup", "summarize", "rrset", "rdata", "name", "ip", "raw", "*.example.com", "www.example.*", "%2A", "%2F", "%00", "%",
             "192.0.2.0,24", "192.0.2.0%2C33", "2001%3Adb8%3A%3A,32", "c0000201", "A", "TYPE65280", "ANY", "..", "a" * 70, "%ff%fe",
             "\\032", "*", ".", "-", "99999999999999999999", ""]
    names_of = ["limit", "offset", "time_first_after", "time_last_before", "aggr", "max_count", "humantime", "swclient", "x"]
    values = ["0", "1", "-1", "t", "99999999999999999999", "", "%00", "1e9", "-99999999999", "2026-11-22"]
    statuses = {}
    for _ in range(requests):
        path = "/dnsdb/v2/" + "/".join(dice.choice(parts) for _ in range(dice.randrange(7)))
        if dice.random() < 0.6:
            path = "/dnsdb/v2/" + dice.choice(parts[:2]) + "/" + dice.choice(parts[2:4]) + "/" + dice.choice(parts[4:7]) + "/" + \
                "/".join(dice.choice(parts[7:]) for _ in range(dice.randrange(4)))
        if dice.random() < 0.5:
            path += "?" + "&".join(dice.choice(names_of) + "=" + dice.choice(values) for _ in range(dice.randrange(4)))
        if dice.random() < 0.3:
            path = path.replace("/dnsdb/v2/lookup/", dice.choice(["/pdns/query/", "/dnsdb/v2/", "/"]))
        if dice.random() < 0.3:
            path = dice.choice(["/v1/pdns", "/v1/pdns/summarize", "/api/query"]) + "?" + "&".join(
                dice.choice(["name", "rdata-name", "ip", "raw", "type", "cursor", "first-after", "queryType", "target", "output", "limit"]) +
                "=" + dice.choice(parts + values + ["HOSTDOM", "NEW_DOMAIN", "CHECK_QUOTA", "JOBJECT"]) for _ in range(dice.randrange(4)))
        if dice.random() < 0.1:
            body = "\n".join(dice.choice(['{"name":"a"}', "{", "[]", '{"ip":"192.0.2.1","id":[1]}', '{"cursor":"00","name":"a"}', '{"name":null}',
                                          '{"limit":-1,"name":"a"}', "\0", 999 * "["]) for _ in range(dice.randrange(5)))
            status = ask("/v1/pdns/bulk", key, "POST", body)[0]
        else:
            status = ask(path, key)[0]
        statuses[status] = statuses.get(status, 0) + 1
    check("made-up requests are answered, and only as is to be expected", set(statuses) <= {200, 400, 404, 416, 501}, statuses)
    check("and some of them are good, and some bad", {200, 400, 404} <= set(statuses), statuses)


def main():
    collector = Collector(sys.argv[1], "rate = 100000", "[pdns]", "store = FOLDER/pdns", "window = 1")
    try:
        fill(collector)
        collector.up()
        key = collector.key("analyst", "pdns")
        time.sleep(2.5)
        dnsdb = Dnsdb(key)
        dnsdb_lookups(dnsdb)
        dnsdb_parameters(dnsdb)
        dnsdb_errors(dnsdb)
        servers = {"http": f"http://127.0.0.1:{PORT}", "https": f"https://{TLS_ADDRESS}:{TLS_PORT}" if is_own_network() else None}
        for where, server in servers.items():
            if not server or not shutil.which("dnsdbq"):
                Tap.skip(f"{where}: dnsdbq", "dnsdbq or a network namespace is not there")
                continue
            client = Dnsdbq(key, server)
            dnsdbq_tests(client, where)
            client.close()
            circl_dnsdbq(key, where, server)
            if where == "https":
                certificate(collector)
        circl_tests(key)
        deteque_tests(key)
        own_pages(key, collector)
        bulk(key, collector)
        fuzz(key, int(sys.argv[2]))
        equal("the collector lives", collector.process.poll(), None)
        keys_and_quota(collector)
        equal("the collector ends well", collector.down(), 0)
        check("and complained of nothing", "AddressSanitizer" not in collector.said() and "LeakSan" not in collector.said(),
              collector.said()[-2000:])
    finally:
        collector.remove()
    return Tap.end()


own_network()
sys.exit(main())
