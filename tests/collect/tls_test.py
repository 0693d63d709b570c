#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Certificates of the API: tls_test.py DNSWEIR-COLLECT. Prints TAP.

Those that are made, those that change, those that clients show. openssl and curl look from outside."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bed import TLS_ADDRESS, TLS_ADDRESS_6, TLS_PORT, Box, Collector, Tap, ask, error_of, is_own_network, metric, own_network

check, equal = Tap.check, Tap.equal
PATIENCE = 15  # seconds; on a machine that is slow


def openssl(*words, **more):
    return subprocess.run(["openssl", *words], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, **more).stdout


class Certificates:
    """What openssl makes, beside what the collector's own command makes."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def ca(self, name):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                "-keyout", self.path(name + ".key"), "-out", self.path(name + ".crt"))

    def sign(self, ca, name, common, usage, begin=-2, end=20):
        """A certificate from day BEGIN to END, from today on."""
        with open(self.path("ext"), "w", encoding="utf-8") as f:
            f.write(f"keyUsage=digitalSignature\nextendedKeyUsage={usage}\n"
                    f"subjectAltName=IP:{TLS_ADDRESS}\n")
        day = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400)) for days in (begin, end)]
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={common}",
                "-keyout", self.path(name + ".key"), "-out", self.path(name + ".csr"))
        for empty in ("index.txt", "index.txt.attr"):
            with open(self.path(empty), "w", encoding="utf-8"):
                pass
        with open(self.path("ca.cnf"), "w", encoding="utf-8") as f:
            f.write(f"[ca]\ndefault_ca=x\n[x]\ndatabase={self.path('index.txt')}\nnew_certs_dir={self.folder}\nrand_serial=yes\n"
                    "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n")
        openssl("ca", "-batch", "-config", self.path("ca.cnf"), "-cert", self.path(ca + ".crt"), "-keyfile", self.path(ca + ".key"),
                "-startdate", day[0], "-enddate", day[1], "-extfile", self.path("ext"), "-notext", "-in", self.path(name + ".csr"),
                "-out", self.path(name + ".crt"))
        os.chmod(self.path(name + ".key"), 0o644)


def seen():
    """The certificate that the API shows, in DER."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((TLS_ADDRESS, TLS_PORT), timeout=30) as sock, context.wrap_socket(sock) as tls:
        return tls.getpeercert(binary_form=True)


def fingerprint(der):
    return subprocess.run(["openssl", "dgst", "-sha256", "-r"], input=der, capture_output=True, check=True).stdout.split()[0].decode()


def asked(path, client=None, key=None):
    """Status and text of an answer to who shows the certificate CLIENT; "refused" if there is no connection."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if client:
        context.load_cert_chain(client + ".crt", client + ".key")
    connection = http.client.HTTPSConnection(TLS_ADDRESS, TLS_PORT, timeout=30, context=context)
    try:
        connection.request("GET", path, headers={"X-API-Key": key} if key else {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    except (ssl.SSLError, ConnectionError, http.client.HTTPException):
        return "refused", {}, ""
    finally:
        connection.close()


def hasten(collector):
    """Files are looked at once a second, and on SIGHUP."""
    collector.process.send_signal(signal.SIGHUP)


def eventually(sentence, probe, wanted):
    for _ in range(10 * PATIENCE):
        got = probe()
        if got == wanted:
            break
        time.sleep(0.1)
    equal(sentence, got, wanted)


def own(collector):
    """The certificate that is made at the first start."""
    path = os.path.join(collector.store, "api.crt")
    text = openssl("x509", "-in", path, "-noout", "-text")
    check("the certificate that is made has a key of P-256", "prime256v1" in text, text)
    check("and this host and its address", f"IP Address:{TLS_ADDRESS}" in text and f"DNS:{socket.gethostname()}" in text, text)
    check("and is a server's alone", "TLS Web Server Authentication" in text and "Client Auth" not in text and "CA:TRUE" not in text)
    equal("the API shows it", fingerprint(seen()), re.search("SHA-256 ([0-9a-f]{64})", collector.said())[1])
    shown = collector.run("certificate", "show").stdout
    check("a command prints the same", fingerprint(seen()) in shown and TLS_ADDRESS in shown, shown)
    done = subprocess.run(["openssl", "s_client", "-connect", f"{TLS_ADDRESS}:{TLS_PORT}", "-CAfile", path, "-verify_return_error",
                           "-verify_ip", TLS_ADDRESS], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    check("openssl takes it for what it is", done.returncode == 0 and "Verify return code: 0" in done.stdout, done.stdout + done.stderr)
    pin = re.search(r"public key +(sha256//\S+)", shown)[1]
    if shutil.which("curl"):
        curl = ["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", f"https://{TLS_ADDRESS}:{TLS_PORT}/healthz", "--pinnedpubkey"]
        equal("curl holds it against its public key", subprocess.run([*curl, pin], capture_output=True, text=True,
                                                                     check=False).stdout, "200")
        equal("and takes no other", subprocess.run([*curl, "sha256//" + 43 * "A" + "="], capture_output=True, text=True,
                                                   check=False).stdout, "000")
    return pin


def renewed(collector, made, pin):
    """One that is about to end."""
    old = fingerprint(seen())
    folder = collector.store
    openssl("req", "-x509", "-key", os.path.join(folder, "api.key"), "-days", "5", "-subj", "/CN=old", "-out", made.path("old.crt"),
            "-addext", f"subjectAltName=IP:{TLS_ADDRESS},DNS:{socket.gethostname()}")
    os.chmod(made.path("old.crt"), 0o644)
    os.replace(made.path("old.crt"), os.path.join(folder, "api.crt"))
    eventually("one that ends soon is made anew", lambda: "825 days" in collector.said().split("made,")[-1] and
               fingerprint(seen()) != old and b"old" not in seen(), True)
    shown = collector.run("certificate", "show").stdout
    check("with the same key", pin in shown, shown)
    left = metric(ask("/metrics")[2], "dnsweir_api_certificate_expires_seconds") - time.time()
    check("metrics say when it ends", 823 * 86400 < left <= 825 * 86400, left)


def rotated(collector, made):
    """Certificates of the operator that change."""
    made.ca("ours")
    for name in ("first", "second"):
        made.sign("ours", name, name, "serverAuth")
    use = made.path("use")
    for ending in (".crt", ".key"):
        shutil.copy(made.path("first" + ending), use + ending)
    collector.down()
    with open(collector.config, "a", encoding="utf-8") as f:
        f.write(f"certificate = {use}.crt\nkey = {use}.key\n")
    collector.up()
    first = fingerprint(seen())
    check("a certificate that is configured is shown", b"first" in seen())
    kept = http.client.HTTPSConnection(TLS_ADDRESS, TLS_PORT, timeout=30, context=ssl._create_unverified_context())
    kept.request("GET", "/healthz")
    kept.getresponse().read()
    shutil.copy(made.path("second.crt"), use + ".crt")
    hasten(collector)
    eventually("a certificate without its key is named", lambda: "stays in force" in collector.said(), True)
    equal("and changes nothing", fingerprint(seen()), first)
    shutil.copy(made.path("second.key"), use + ".key")
    eventually("with it the next connection has the new one", lambda: b"second" in seen(), True)
    kept.request("GET", "/healthz")
    equal("a connection of before goes on", kept.getresponse().status, 200)
    kept.close()


def mistakes(collector, made):
    """Files that cannot be used at a start."""
    collector.down()
    with open(collector.config, encoding="utf-8") as f:
        good = f.read()
    first, second = made.path("first"), made.path("second")
    tls = f"tls = 127.0.0.1:6514\ntls_ca = {made.path('ours.crt')}\ntls_certificate = {first}.crt\ntls_key = "
    use = made.path("use")
    for text, sentence in ((good.replace(f"key = {use}.key", f"key = {first}.key"), "expected a certificate, and its key"),
                           (good.replace(f"certificate = {use}.crt", f"certificate = {collector.config}"), "expected a certificate"),
                           (good + f"client_ca = {collector.config}\n", "expected certificates in PEM"),
                           (good.replace("[api]", tls + f"{second}.key\n[api]"), "expected a certificate, and its key"),
                           (good.replace("[api]", tls.replace("tls_ca", ";") + f"{first}.key\n[api]"), "expected tls_ca to go with it")):
        with open(collector.config, "w", encoding="utf-8") as f:
            f.write(text)
        for words in ([], ["--check"]):
            done = subprocess.run([collector.program, "serve", "--config", collector.config, *words], capture_output=True, text=True,
                                  check=False, timeout=60, **collector.less)
            last = (done.stderr.splitlines() or [""])[-1]
            check(f"it does not start{' or pass a check' if words else ''}, and says: {sentence}",
                  done.returncode == 2 and sentence in last, (done.returncode, done.stderr))
    with open(collector.config, "w", encoding="utf-8") as f:
        f.write(good.replace(f"store = {collector.store}\n", f"store = {made.path('nowhere')}\n"))
    done = subprocess.run([collector.program, "serve", "--check", "--config", collector.config], capture_output=True, text=True, check=False,
                          timeout=60, **collector.less)
    check("a check of what is good says so, and makes nothing",
          done.returncode == 0 and done.stderr.endswith(": good\n") and not os.path.exists(made.path("nowhere")), done.stderr)
    with open(collector.config, "w", encoding="utf-8") as f:
        f.write(good)
    collector.up()


def clients(collector, made):
    """Those who show a certificate."""
    done = collector.run("certificate", "make", "reader")
    check("a command makes a CA and a client's certificate", done.returncode == 0 and "client" in done.stdout, done.stdout + done.stderr)
    for name in ("nobody", "analyst", "gone"):
        collector.run("certificate", "make", name)
    collector.run("certificate", "make", "server", "--server", f"{TLS_ADDRESS},collector.example")
    store = collector.store
    equal("openssl says the same of them", openssl("verify", "-CAfile", f"{store}/ca.crt", "-purpose", "sslclient",
                                                  f"{store}/reader.crt").split()[-1], "OK")
    equal("and of a server's", openssl("verify", "-CAfile", f"{store}/ca.crt", "-purpose", "sslserver", "-verify_ip", TLS_ADDRESS,
                                       f"{store}/server.crt").split()[-1], "OK")
    equal("keys are for one alone", {os.stat(f"{store}/{n}.key").st_mode & 0o777 for n in ("ca", "reader", "server")}, {0o600})
    pin = re.search("sha256//.*", collector.run("certificate", "show", f"{store}/reader.crt").stdout)[0]
    check("made again it keeps its key", pin in collector.run("certificate", "make", "reader", "--valid-days", "10").stdout)
    for words in (["make", "a/b"], ["make", "ca"], ["make", "api"], ["make", "x", "--server", ","], ["make", "x", "--valid-days", "0"],
                  ["make"], ["show", "/none"], ["show", collector.config], ["frob"]):
        done = collector.run("certificate", *words)
        check(f"certificate {' '.join(words[:2])[:20]} is refused in a line", done.returncode == 2 and done.stderr.count("\n") == 1,
              done.stderr)
    made.ca("other")
    made.sign("other", "foreign", "reader", "clientAuth")
    shutil.copy(f"{store}/ca.crt", made.path("ca.crt"))
    shutil.copy(f"{store}/ca.key", made.path("ca.key"))
    made.sign("ca", "late", "reader", "clientAuth", -10, -1)
    made.sign("ca", "early", "reader", "clientAuth", 5, 9)
    for name, role in (("reader", "pdns"), ("analyst", "analyst"), ("gone", "log")):
        equal(f"a certificate becomes a key: {name}", collector.run("key", "add", name, "--role", role, "--certificate").stdout, "")
    collector.run("key", "add", "few", "--role", "log", "--certificate", "--quota", "2")
    collector.run("certificate", "make", "few")
    check("keys are listed so", re.search("^reader +pdns +- +-  certificate$", collector.run("key", "list").stdout, re.M))
    with open(collector.config, "a", encoding="utf-8") as f:
        f.write(f"client_ca = {store}/ca.crt\n")
    collector.down()
    collector.up()


def shown(collector, made):
    store = collector.store
    rows = [("reader", "/v1", 200), ("reader", "/v1/log?filtered=no", 403), ("analyst", "/v1/log", 200), ("gone", "/v1/days", 200)]
    equal("who shows a certificate may do what its key may", [asked(path, f"{store}/{name}")[0] for name, path, _ in rows],
          [status for _, _, status in rows])
    lines = [line for line in collector.audit() if line["action"] == "read"]
    equal("the audit log has its name", {line["who"] for line in lines}, {"analyst"})
    collector.run("key", "remove", "gone")
    hasten(collector)
    eventually("one whose key was removed is refused", lambda: asked("/v1/days", f"{store}/gone")[0], 401)
    answer = asked("/v1/days", f"{store}/gone")
    check("and why is said", "no key says" in error_of(answer), answer)
    equal("a quota is kept", [asked("/v1/days", f"{store}/few")[0] for _ in range(3)], [200, 200, 429])
    equal("one without a key is refused", asked("/v1", f"{store}/nobody")[0], 401)
    for name, sentence in (("late", "out of date"), ("early", "out of date"), ("foreign", "not from our CA")):
        answer = asked("/v1", made.path(name))
        check(f"one that is {name} is refused, and why is said", answer[0] == 401 and sentence in error_of(answer), answer)
    answer = asked("/v1", f"{store}/server")
    check("a server's is for another purpose", answer[0] == 401 and "another purpose" in error_of(answer), answer)
    key = collector.key("word", "log")
    hasten(collector)
    eventually("a key goes before it", lambda: asked("/v1/days", f"{store}/reader", key)[0], 200)
    equal("a bad one too", asked("/v1/days", f"{store}/reader", "x")[0], 401)
    equal("who shows none needs a key", [asked("/v1")[0], asked("/v1", key=key)[0], asked("/healthz")[0]], [401, 200, 200])
    refused = re.search(r'dnsweir_api_refused_total\{reason="no_certificate"\} (\d+)', ask("/metrics")[2])[1]
    equal("refusals are counted", int(refused), 4)


def required(collector, made):
    store = collector.store
    with open(collector.config, "a", encoding="utf-8") as f:
        f.write("client_certificates = required\n")
    collector.down()
    collector.up()
    key = collector.key("more", "log")
    hasten(collector)
    equal("where one is required nobody is served without", [asked("/healthz")[0], asked("/v1", key=key)[0],
                                                            asked("/v1", made.path("late"))[0], asked("/v1", made.path("foreign"))[0]],
          ["refused"] * 4)
    equal("but with", asked("/v1", f"{store}/reader")[0], 200)
    eventually("and a key says more", lambda: asked("/v1/days", f"{store}/nobody", key)[0], 200)
    equal("loopback is not TLS", ask("/healthz")[0], 200)
    probe = lambda: int(re.search(r'dnsweir_api_refused_total\{reason="no_certificate"\} (\d+)', ask("/metrics")[2])[1])
    eventually("and they are counted", probe, 4)
    shutil.copy(made.path("other.crt"), f"{store}/ca.crt")
    eventually("another CA is in force without a restart", lambda: (asked("/v1", made.path("foreign"))[0], asked("/v1", f"{store}/nobody")[0]),
               (200, "refused"))


def over_ipv6(program):
    """The certificate that is made, for clients that hold it against an IPv6 address, which stands in brackets in a URL."""
    collector = Collector(program, "[pdns]", "store = FOLDER/pdns", listen=f"[::]:{TLS_PORT}")
    try:
        collector.up()
        key = collector.key("reader", "pdns")
        certificate = os.path.join(collector.store, "api.crt")
        text = openssl("x509", "-in", certificate, "-noout", "-ext", "subjectAltName")
        check("listening to all addresses it is for each", "IP Address:0:0:0:0:0:0:0:1" in text and
              "IP Address:2001:DB8:0:0:0:0:0:1" in text, text)
        # Keys are read again each second.
        time.sleep(2.5)
        for address in ("::1", TLS_ADDRESS_6):
            curl = ["curl", "-s", "-g", "-o", "/dev/null", "-w", "%{http_code}", "-H", "X-API-Key: " + key, f"https://[{address}]:{TLS_PORT}/v1"]
            if shutil.which("curl"):
                done = [subprocess.run([*curl, *more], capture_output=True, text=True, check=False) for more in (["--cacert", certificate], [])]
                # Where the system trusts nobody, as no certificates are installed, it says so: 77.
                check(f"curl takes it at [{address}], if it is told whom to trust", (done[0].returncode, done[0].stdout) == (0, "200") and
                      done[1].returncode in (60, 77) and done[1].stdout == "000", [(d.returncode, d.stdout) for d in done])
            # It knows no other list of whom to trust than the system's.
            trusted = "/etc/ssl/certs/ca-certificates.crt"
            if shutil.which("dnsdbq") and os.path.exists(trusted):
                done = subprocess.run(["unshare", "-m", "sh", "-c", f"mount --bind '{certificate}' {trusted} && exec dnsdbq -I -j"],
                                      env={"PATH": os.environ["PATH"], "HOME": collector.folder, "DNSDB_API_KEY": key,
                                           "DNSDB_SERVER": f"https://[{address}]:{TLS_PORT}"}, capture_output=True, text=True, check=False)
                check(f"so does dnsdbq at [{address}]", done.returncode == 0 and done.stderr == "" and
                      json.loads(done.stdout)["rate"]["limit"] == "unlimited", done.stdout + done.stderr)
        equal("that collector ends with exit status 0", collector.down(), 0)
    finally:
        collector.remove()


def main():
    own_network()
    if not is_own_network():
        Tap.skip("certificates", "no network of its own")
        return Tap.end()
    collector = Collector(sys.argv[1], "rate = 1000")
    made = Certificates(os.path.join(collector.folder, "made"))
    try:
        collector.up()
        box = Box(collector.tap)
        box.send("a.example", "203.0.113.9", time.time(), malware="EX-1")
        box.close()
        pin = own(collector)
        renewed(collector, made, pin)
        rotated(collector, made)
        mistakes(collector, made)
        clients(collector, made)
        shown(collector, made)
        required(collector, made)
        equal("the collector ends with exit status 0", collector.down(), 0)
        check("and has said nothing of errors", "Sanitizer" not in collector.said() and "runtime error" not in collector.said() and
              "ERROR" not in collector.said(), collector.said())
    finally:
        collector.remove()
    over_ipv6(sys.argv[1])
    return Tap.end()


sys.exit(main())
