# SPDX-License-Identifier: BSD-3-Clause
"""The real dnsdist and Unbound with the same list, on the loopback of a network namespace of their
own, asked by dnsperf. Neither forwards: what is not listed is refused, so each answer is one."""
import contextlib
import os
import re
import subprocess
import tempfile
import time

from bench_sides import cpu_seconds, resident_bytes

PORT = 5300
START_LIMIT = 300


@contextlib.contextmanager
def namespace():
    name = f"bench{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)


class Server:
    def __init__(self, bench, space, names):
        self.bench, self.space, self.names = bench, space, names
        self.work = tempfile.mkdtemp(prefix="server.", dir=bench.work)
        os.chmod(self.work, 0o755)
        argv = self.prepare()
        self.log = open(f"{self.work}/log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(["ip", "netns", "exec", space, *argv],
                                        stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT)
        try:
            self.wait_until_right(argv, time.monotonic())
        except BaseException:
            self.close()
            raise

    def wait_until_right(self, argv, begun):
        while self.ask("no.such.name.example") is None:
            if self.process.poll() is not None or time.monotonic() - begun > START_LIMIT:
                self.log.seek(0)
                raise RuntimeError(f"{argv[0]} did not start:\n{self.log.read()[-2000:]}")
            time.sleep(0.02)
        self.start_seconds = time.monotonic() - begun
        with open(self.names, encoding="ascii") as file:
            listed = file.readline().strip().lstrip(".")
        if self.ask(listed) == self.ask("no.such.name.example"):
            raise RuntimeError(f"{argv[0]} does not know {listed}")

    def ask(self, name):
        """@return the answer's code and addresses, None for no answer"""
        out = subprocess.run(["ip", "netns", "exec", self.space, "dig", "+time=1", "+tries=1", "-p",
                              str(PORT), "@127.0.0.1", name, "A"], capture_output=True, text=True,
                             check=False)
        code = re.search(r"status: (\w+)", out.stdout)
        return (code[1], "192.0.2.1" in out.stdout) if code else None

    def resident(self):
        return resident_bytes(self.process.pid)

    def window_do(self):
        """@return answers, seconds, seconds of CPU time"""
        seconds = 2
        cpu = cpu_seconds(self.process.pid)
        out = subprocess.run(["ip", "netns", "exec", self.space, "dnsperf", "-s", "127.0.0.1", "-p",
                              str(PORT), "-d", self.bench.queries(), "-l", str(seconds), "-q", "500",
                              "-c", "4"], capture_output=True, text=True, check=True).stdout
        answers = int(re.search(r"Queries completed:\s+(\d+)", out)[1])
        return answers, seconds, cpu_seconds(self.process.pid) - cpu

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Dnsdist(Server):
    name = "dnsdist"

    def prepare(self):
        config = f"{self.work}/dnsdist.conf"
        with open(config, "w", encoding="ascii") as file:
            file.write(f"""setLocal("127.0.0.1:{PORT}")
local names = newSuffixMatchNode()
for line in io.lines("{self.names}") do
  names:add(newDNSName((line:gsub("^%.", ""))))
end
addAction(SuffixMatchNodeRule(names), SpoofAction("192.0.2.1"))
addAction(AllRule(), RCodeAction(DNSRCode.REFUSED))
""")
        return ["dnsdist", "--supervised", "--disable-syslog", "-C", config]


class Unbound(Server):
    name = "Unbound, RPZ"

    def prepare(self):
        zone, config = f"{self.work}/rpz.zone", f"{self.work}/unbound.conf"
        with open(zone, "w", encoding="ascii") as out, open(self.names, encoding="ascii") as names:
            out.write("$ORIGIN rpz.bench.\n@ 60 SOA ns.rpz.bench. root.rpz.bench. 1 60 60 60 60\n"
                      "@ 60 NS ns.rpz.bench.\n")
            for line in names:
                text = line.strip()
                out.write(f"{text.lstrip('.')} 60 A 192.0.2.1\n")
                if text.startswith("."):
                    out.write(f"*{text} 60 A 192.0.2.1\n")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"""server:
  interface: 127.0.0.1@{PORT}
  do-daemonize: no
  use-syslog: no
  chroot: ""
  username: ""
  directory: "{self.work}"
  pidfile: ""
  num-threads: 1
  module-config: "respip iterator"
  access-control: 127.0.0.0/8 refuse_non_local
remote-control:
  control-enable: no
rpz:
  name: rpz.bench.
  zonefile: "{zone}"
""")
        return ["unbound", "-d", "-c", config]
