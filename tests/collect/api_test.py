#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The API of a running collector, as those who use it see it: api_test.py DNSWEIR-COLLECT TOP. Prints TAP."""
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bed import PORT, TLS_ADDRESS, TLS_PORT, Box, Collector, Tap, ask, error_of, is_own_network, metric, own_network, sanitized

check, equal = Tap.check, Tap.equal
DAY = 86400
MANY = 60000


def fill(collector):
    """Today and yesterday: what is asked for below."""
    now = time.time()
    box = Box(collector.tap)
    for i in range(20):
        box.send("www.example", "203.0.113.9", now - i)
        box.send("absent.example", "198.51.100.7", now - i, rcode=3)
    for i in range(6):
        box.send("c2.example", "203.0.113.9", now - i, malware="EX-1")
        box.send("c2.example", "203.0.113.77", now - i, malware="EX-1")
    for i in range(8):
        box.send("old.example", "203.0.113.9", now - DAY - i)
    box.close()
    collector.wait_stored(60)


def roles(collector, keys):
    wanted = {  # path: the least role
        "/v1": "metrics", "/v1/status": "metrics", "/v1/boxes": "metrics", "/v1/explain?name=www.example": "pdns",
        "/v1/log?filtered=no": "log", "/v1/days": "log",
        "/v1/addresses": "log", "/v1/log": "analyst", "/v1/infected?day=2026-11-22": "analyst",
    }
    order = ["metrics", "pdns", "log", "analyst", "admin"]
    for path, least in wanted.items():
        got = [ask(path, keys[role])[0] for role in order]
        equal(f"{path} is for {least} and those above", got,
              [200 if order.index(role) >= order.index(least) else 403 for role in order])
        equal(f"{path} needs a key", ask(path)[0], 401)
    for path in ("/v1/purge", "/v1/forget"):
        equal(f"{path} is for admin alone", [ask(path, keys[role], "POST", "x=1")[0] for role in order],
              [403, 403, 403, 403, 400])
    for role in order:
        told = json.loads(ask("/v1", keys[role])[2])
        equal(f"{role} is told who asks", (told["name"], told["role"], told["boxes"]), (role, role, 0))
    for path in ("/", "/portal/app.js"):
        equal(f"{path} needs no key", (ask(path)[0], ask(path)[1]["Cache-Control"]), (200, "no-cache"))
    for path in ("/healthz", "/metrics"):
        equal(f"{path} needs no key on loopback", ask(path)[0], 200)
    equal("a key may be a bearer's", ask("/v1", headers={"Authorization": "Bearer " + keys["log"]})[0], 200)
    for wrong in ("0" * 64, "", keys["log"][:-1], keys["log"] + "0", "x" * 5000):
        equal("a key that is none is refused", ask("/v1", headers={"X-API-Key": wrong})[0], 401)
    equal("also where no key is needed", ask("/metrics", "0" * 64)[0], 401)
    equal("who is refused is told how to ask", ask("/v1")[1]["WWW-Authenticate"], 'Bearer realm="dnsweir"')
    with open(os.path.join(collector.store, "keys"), encoding="utf-8") as f:
        stored = f.read()
    check("no key is in the file of keys", not any(key in stored for key in keys.values()), stored)
    equal("which is its owner's alone", os.stat(os.path.join(collector.store, "keys")).st_mode & 0o777, 0o600)


def key_life(collector):
    key = collector.key("gone", "admin")
    collector.run("key", "remove", "gone")
    expired = collector.key("expired", "admin", "--expires", "2020-01-01")
    few = collector.key("few", "metrics", "--quota", "3")
    time.sleep(2.5)
    equal("a key that was removed is none", ask("/v1", key)[0], 401)
    equal("nor is one that has expired", ask("/v1", expired)[0], 401)
    answers = [ask("/v1", few) for _ in range(5)]
    equal("a quota is kept", [a[0] for a in answers], [200, 200, 200, 429, 429])
    check("and it is said when to come again", int(answers[4][1]["Retry-After"]) > 1)
    done = collector.run("key", "list")
    check("keys are listed with role, last day and quota", "few                              metrics  -           3\n"
          in done.stdout and "2020-01-01" in done.stdout and "gone" not in done.stdout, done.stdout)
    equal("a name is given once", collector.run("key", "add", "few", "--role", "log").returncode, 2)
    equal("a key needs a role", collector.run("key", "add", "more").returncode, 2)
    with open(os.path.join(collector.store, "keys"), "a", encoding="utf-8") as f:
        f.write("broken\n")
    time.sleep(2.5)
    check("a file of keys with a mistake is named", "keys:" in collector.said() and
          "expected NAME ROLE EXPIRES QUOTA HASH" in collector.said(), collector.said())
    equal("and changes nothing", ask("/v1", few)[0], 429)
    with open(os.path.join(collector.store, "keys"), "r+", encoding="utf-8") as f:
        lines = [line for line in f.read().splitlines(True) if line != "broken\n"]
        f.seek(0)
        f.truncate()
        f.writelines(lines)
    time.sleep(2.5)


def questions(collector, key):
    pairs = [
        ("", []), ("?filtered=yes", ["--filtered"]), ("?filtered=no", ["--unfiltered"]),
        ("?name=www.example", ["--name", "www.example"]), ("?subtree=example&rcode=NXDOMAIN",
                                                          ["--subtree", "example", "--rcode", "NXDOMAIN"]),
        ("?id=EX-1&client=203.0.113.0%2F24&eve=2", ["--id", "EX-1", "--client", "203.0.113.0/24", "--eve-version", "2"]),
        ("?type=AAAA", ["--type", "AAAA"]), ("?limit=7", ["--limit", "7"]), ("?format=csv", ["--format", "csv"]),
        ("?order=name", ["--order", "name"]), ("?from=2020-01-01&to=2020-01-02", ["--from", "2020-01-01", "--to",
                                                                                "2020-01-02"]),
    ]
    for query, options in pairs:
        status, headers, body = ask("/v1/log" + query, key)
        equal(f"/v1/log{query} is what query {' '.join(options)} prints", (status, body),
              (200, collector.run("query", *options).stdout))
        check("with its type", headers["Content-Type"].startswith("text/csv" if "csv" in query else
                                                                  "application/x-ndjson"), headers)
    today = time.strftime("%Y-%m-%d", time.gmtime())
    for path, words in ((f"/v1/infected?day={today}&format=csv", ["infected", "--day", today]),
                        ("/v1/addresses?format=csv", ["addresses"]),
                        ("/v1/days?format=ndjson", ["days", "--format", "ndjson"])):
        equal(f"{path} is what {words[0]} prints", ask(path, key)[2], collector.run(*words).stdout)
    equal("HEAD gets a head", ask("/v1/days", key, "HEAD")[::2], (200, ""))


def mistakes(key):
    rows = [
        ("/v1/log?from=yesterday", 400, "from: expected YYYY-MM-DD"),
        ("/v1/log?client=203.0.113.0/33", 400, "client: expected an address or prefix, got \"203.0.113.0/33\""),
        ("/v1/log?name=a..b", 400, "name: expected a name without empty labels"),
        ("/v1/log?name=a&subtree=b", 400, "expected one name"),
        ("/v1/log?filtered=perhaps", 400, "filtered: expected yes or no"),
        ("/v1/log?limit=0", 400, "limit: expected"), ("/v1/log?format=text", 400, "format: expected ndjson or csv"),
        ("/v1/log?from=2026-11-22&to=2026-11-21", 400, "to: expected a time behind --from"),
        ("/v1/log?frob=1", 400, 'unknown parameter "frob"'), ("/v1/log?name=a&name=b", 400, "each parameter once"),
        ("/v1/log?name=%00", 400, "no NUL"), ("/v1/log?id=%ff", 400, "UTF-8"),
        ("/v1/explain?name=x%0areload", 400, "without control characters"), ("/v1/explain?name=a%20b", 400, "name: expected a name"),
        ("/v1/explain?name=" + "a" * 401, 400, "name: expected a name"), ("/v1/explain?name=", 400, "name: expected a name"),
        ("/portal/absent.js", 404, "no such path"), ("/portal/app.js/", 404, "no such path"),
        ("/portal/app.js?x=1", 400, 'unknown parameter "x"'), ("/v1/infected", 400, "expected the parameter day"), ("/v2", 404, "no such path"),
        ("/v1/log/", 404, "no such path"), ("/../etc/passwd", 404, "no such path"), ("/v1/purge", 405, "expected POST"),
    ]
    for path, status, sentence in rows:
        answer = ask(path, key)
        check(f"{path} is {status}: {sentence}", answer[0] == status and sentence in error_of(answer), answer)
    equal("POST to what is read is refused", ask("/v1/log", key, "POST", "")[0], 405)
    equal("and it is said what may be done", ask("/v1/log", key, "POST", "")[1]["Allow"], "GET, HEAD")
    for method in ("PUT", "DELETE", "OPTIONS", "BREW"):
        equal(f"{method} is refused", ask("/v1/log", key, method)[0], 405)
    equal("a body has a size", ask("/v1/purge", key, "POST", "before=" + "9" * 5000)[0], 413)
    equal("a path has a size", ask("/" + "a" * 40000)[0], 414)
    equal("a header has a size", ask("/v1", key, headers={"X-Long": "a" * 40000})[0], 431)


def measured(collector, top):
    for accept, sort in (("", "text/plain; version=0.0.4; charset=utf-8"),
                         ("application/openmetrics-text; version=1.0.0,text/plain;q=0.5",
                          "application/openmetrics-text; version=1.0.0; charset=utf-8")):
        status, headers, body = ask("/metrics", headers={"Accept": accept})
        equal("metrics are of the form that was asked for", (status, headers["Content-Type"]), (200, sort))
        check("and end as it does", body.endswith("# EOF\n") == ("open" in sort))
        names = [line.split()[2] for line in body.splitlines() if line.startswith("# TYPE")]
        equal("each family stands once", sorted(names), sorted(set(names)))
        if "open" in sort:
            check("counters have the names of OpenMetrics", "# TYPE dnsweir_log_stored counter" in body)
        elif shutil.which("promtool"):
            done = subprocess.run(["promtool", "check", "metrics"], input=body, text=True, capture_output=True,
                                  check=False)
            equal("promtool has nothing to say", (done.returncode, done.stderr), (0, ""))
        else:
            Tap.skip("promtool has nothing to say", "not installed")
        equal("what was stored is counted", metric(body, "dnsweir_log_stored_total"), 60)
        equal("and the days", metric(body, "dnsweir_log_day_folders"), 2)
        midnight = time.time() // DAY * DAY
        age = metric(body, "dnsweir_log_oldest_seconds")
        check("the oldest day is yesterday", abs(time.time() - (midnight - DAY) - age) < 5, age)


def documented(key, top):
    with open(os.path.join(top, "config", "openapi.json"), encoding="utf-8") as f:
        paths = json.load(f)["paths"]
    there = {(r["path"], r["method"].lower(), r["role"], tuple(sorted(r["parameters"].replace("!", "").split())))
             for r in json.loads(ask("/v1", key)[2])["routes"]}
    told = set()
    for path, methods in paths.items():
        for method, entry in methods.items():
            names = [p["name"] for p in entry.get("parameters", []) if p["in"] == "query"]
            form = entry.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded", {})
            names += form.get("schema", {}).get("properties", {})
            told.add((path.split("{", 1)[0], method, entry["x-role"], tuple(sorted(names))))
    equal("config/openapi.json has all routes with their parameters and roles, and no others", told, there)


def encrypted(collector, key):
    if not is_own_network():
        Tap.skip("other addresses speak TLS", "no network of its own")
        return
    equal("other addresses speak TLS", ask("/v1", key, tls=True)[0], 200)
    equal("there metrics need a key", ask("/metrics", tls=True)[0], 401)
    equal("health needs none", ask("/healthz", tls=True)[0], 200)
    with socket.create_connection((TLS_ADDRESS, TLS_PORT)) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        check("and no HTTP without TLS", not plain.recv(100).startswith(b"HTTP"))
    for name in ("api.key", "api.crt"):
        equal(f"{name} is its owner's", os.stat(os.path.join(collector.store, name)).st_mode & 0o777, 0o600)
    check("the certificate's hash is in the log", "api.crt: SHA-256 " in collector.said())
    for version in ("-tls1", "-tls1_1"):
        done = subprocess.run(["openssl", "s_client", "-connect", f"{TLS_ADDRESS}:{TLS_PORT}", version],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        check(f"{version[1:]} is refused", done.returncode != 0)


def audited(collector):
    lines = [line for line in collector.audit() if line["action"] == "read"]
    equal("reading of whole clients is in the audit log", {line["path"] for line in lines}, {"/v1/log", "/v1/infected"})
    asked = [line for line in lines if line["asked"].get("id") == "EX-1"]
    equal("with who, what was asked, status, and how many rows",
          (asked[0]["who"], asked[0]["asked"]["client"], asked[0]["status"], asked[0]["rows"], asked[0]["complete"]),
          ("admin", "203.0.113.0/24", 200, 12, True))
    check("reading of others is not", not any("filtered" in line["asked"] for line in lines
                                              if line["asked"].get("filtered") == "no"))


def streamed(collector, keys):
    box = Box(collector.tap, start=0x77)
    now = time.time()
    box.sock.sendall(b"".join(box.frame(f"n{i % 1000}.many.example", "203.0.113.9", now) for i in range(MANY)))
    box.close()
    collector.wait_stored(60 + MANY)
    before = memory(collector.process.pid)
    slow = []
    for _ in range(8):
        sock = socket.create_connection(("127.0.0.1", PORT))
        sock.sendall(f"GET /v1/log?order=name HTTP/1.1\r\nHost: x\r\nX-API-Key: {keys['admin']}\r\n\r\n".encode())
        slow.append(sock)
    status, headers, body = ask("/v1/log?subtree=many.example&filtered=no", keys["log"])
    equal("a long answer is there to the last row", (status, body.count("\n"), headers["Transfer-Encoding"]),
          (200, MANY, "chunked"))
    time.sleep(1)
    grown = memory(collector.process.pid) - before
    check("readers that read nothing cost little memory", grown < (40 << 20) * (3 if sanitized(sys.argv[1]) else 1), f"{grown >> 20} MiB for 8")
    sorting = [socket.create_connection(("127.0.0.1", PORT)) for _ in range(8)]
    for sock in sorting:
        sock.sendall(f"GET /v1/log HTTP/1.1\r\nHost: x\r\nX-API-Key: {keys['admin']}\r\n\r\n".encode())
    time.sleep(2)
    equal("questions that take memory are no more than eight", ask("/v1/log?limit=1", keys["admin"])[0], 503)
    for sock in sorting:
        sock.close()
    for sock in slow[:4]:
        sock.close()
    equal("others are served meanwhile", ask("/v1/days", keys["log"])[0], 200)
    return slow[4:]


def memory(pid):
    with open(f"/proc/{pid}/statm", encoding="utf-8") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def deleted(collector, key, slow):
    """With readers that hold what they began to read."""
    sending = threading.Event()
    longest = [0.0]

    def ingest():
        box = Box(collector.tap, start=0x99)
        while not sending.is_set():
            begun = time.time()
            box.send("while.example", "198.51.100.7", time.time())
            longest[0] = max(longest[0], time.time() - begun)
            time.sleep(0.001)
        box.close()
    thread = threading.Thread(target=ingest)
    thread.start()
    begun = time.time()
    done = collector.run("forget", "203.0.113.9")
    took = time.time() - begun
    sending.set()
    thread.join()
    # Of the others only the /22 is known.
    check("forget works beside the collector", done.returncode == 0 and done.stdout.startswith("6 records of 1 days"),
          done.stdout + done.stderr)
    print(f"# forget took {took:.1f} s, a sender waited {longest[0] * 1000:.0f} ms at most")
    check("senders do not wait for it", longest[0] < 2, longest[0])
    equal("the client is gone", ask("/v1/log?client=203.0.113.9", key)[2], "")
    equal("another one is not", ask("/v1/log?client=203.0.113.77&limit=1", key)[2].count("\n"), 1)
    left = 0
    for sock in slow:
        sock.settimeout(10)
        data = b""
        try:
            while piece := sock.recv(1 << 20):
                data += piece
        except (ConnectionResetError, socket.timeout):
            pass
        left += data.endswith(b"0\r\n\r\n")
        sock.close()
    equal("readers that still had it were cut off", left, 0)
    today = time.strftime("%Y-%m-%d", time.gmtime())
    done = collector.run("purge", "--before", today)
    check("purge works beside the collector", done.returncode == 0 and done.stdout.startswith("1 days removed, 8 records"),
          done.stdout + done.stderr)
    age = metric(ask("/metrics")[2], "dnsweir_log_oldest_seconds")
    check("the oldest day is today right afterwards", abs(time.time() % DAY - age) < 5, age)
    answer = ask("/v1/purge", key, "POST", f"before={today}")
    equal("the same by the API", (answer[0], json.loads(answer[2])["days"]), (200, 0))
    answer = ask("/v1/forget", key, "POST", "client=203.0.113.77")
    equal("and forget", (answer[0], json.loads(answer[2])["records"]), (200, 6))
    text = json.dumps([line for line in collector.audit() if line["action"] != "read"])
    check("the audit log has it without the client", text.count('"forget"') == 2 and "203.0.113" not in text, text)
    equal("with who it was", {line["who"] for line in collector.audit() if line["action"] == "forget"},
          {"admin", "root" if os.geteuid() == 0 else os.environ.get("USER", "")})
    equal("today is left", ask("/v1/log?name=www.example&filtered=no", key)[2].count("\n"), 20)


def hurried(collector, key):
    """With a rate that even a slow machine is faster than."""
    with open(collector.config, encoding="utf-8") as f:
        config = f.read()
    with open(collector.config, "w", encoding="utf-8") as f:
        f.write(config.replace("rate = 500", "rate = 5"))
    collector.up()
    for who, good in ((key, 200), (None, 401)):
        statuses = [ask("/v1", who)[0] for _ in range(20)]
        check(f"too many requests within a second are refused ({good})", statuses[0] == good and 429 in statuses, statuses)
    equal("but files of the portal, which a browser takes all at once", {ask("/portal/app.js")[0] for _ in range(20)}, {200})
    check("without a key that is none", 429 in {ask("/portal/app.js", "0" * 64)[0] for _ in range(20)})
    time.sleep(1.1)
    equal("and taken again later", [ask("/v1", key)[0], ask("/v1")[0]], [200, 401])


def main():
    own_network()
    collector = Collector(sys.argv[1], "rate = 500")
    try:
        collector.up()
        keys = {role: collector.key(role, role) for role in ("metrics", "pdns", "log", "analyst", "admin")}
        fill(collector)
        time.sleep(2.5)
        measured(collector, sys.argv[2])
        roles(collector, keys)
        key_life(collector)
        questions(collector, keys["admin"])
        mistakes(keys["admin"])
        documented(keys["metrics"], sys.argv[2])
        encrypted(collector, keys["admin"])
        audited(collector)
        slow = streamed(collector, keys)
        deleted(collector, keys["admin"], slow)
        equal("the collector ends with exit status 0", collector.down(), 0)
        check("without a socket left", not os.path.exists(os.path.join(collector.store, "api.sock")))
        hurried(collector, keys["log"])
        equal("it ends with exit status 0 again", collector.down(), 0)
        check("and nothing was said that is an error but of keys", not
              [line for line in collector.said().splitlines() if "ERROR" in line or "Sanitizer" in line], collector.said())
    finally:
        collector.remove()
    return Tap.end()


sys.exit(main())
