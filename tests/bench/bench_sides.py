# SPDX-License-Identifier: BSD-3-Clause
"""What takes part in a comparison: a program that is set up once and then measured in turns."""
import ctypes
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

SETTLE = 0.15  # seconds that a program runs again before it is measured
START_LIMIT = 300
CORE_THREAD = "rte-worker-1"  # name of the thread of lcore 1, see Dnsweir
STEADY_WINDOWS = 20
SAMPLE_ERROR = 0.003  # seconds
MBUFS_BEYOND = 32768  # mbufs beside those that net_pcap keeps the capture in


def cpus():
    """First CPU for control and statistics, another for the worker, as scripts/lib.sh has it."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[1 % len(allowed)]


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid):
    """Resident memory, huge pages included."""
    total = 0
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(("VmRSS:", "HugetlbPages:")):
                total += int(line.split()[1]) * 1024
    return total


def thread_of(pid, name):
    """The thread of a program that has this name."""
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/comm", encoding="utf-8") as file:
            if file.read().strip() == name:
                return int(tid)
    raise RuntimeError(f"no thread has the name {name}")


class Stepped:
    """A program of tests/bench with --step: one round, one line of JSON. It has the worker's CPU."""

    def __init__(self, argv, field="ns"):
        self.field = field
        self.rounds = []
        cpu = cpus()[1]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True,
                                        preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{argv[0]} did not start")

    def round(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[0]} ended")
        self.rounds.append(json.loads(line))
        return self.rounds[-1]

    def measure(self):
        return self.round()[self.field]

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


class Forwarder:
    """A DPDK program that forwards a capture, over and over, from net_pcap (port 1) into net_null
    (port 0). It stands still, stopped, while it is not measured, so that two of them can share a
    CPU, take turns within a second, and keep their tables. Rates are those of frames that port 0
    took, read in the same way from every program."""

    def __init__(self, bench, pcap, frames, window):
        self.bench, self.pcap, self.window = bench, pcap, window
        self.mbufs = frames + MBUFS_BEYOND
        self.work = tempfile.mkdtemp(prefix="forward.", dir=bench.work)
        self.prefix = os.path.basename(self.work).replace(".", "-")
        self.log = open(f"{self.work}/log", "w+", encoding="utf-8")
        self.process = self.telemetry = None

    def eal(self, lcores):
        # An mbuf does not cross a page: of small pages each takes one.
        megabytes = self.mbufs * (2432 if self.bench.huge else 4096) // (1 << 20) + 160
        return ["--lcores", lcores, "--no-pci", "-m", str(megabytes),
                "--huge-unlink" if self.bench.huge else "--no-huge", "--file-prefix", self.prefix,
                "--vdev", "net_null0,no-rx=1",
                "--vdev", f"net_pcap1,rx_pcap={self.pcap},infinite_rx=1"]

    def start(self, argv):
        try:
            self.start_and_wait(argv)
        except BaseException:
            self.close()
            raise

    def start_and_wait(self, argv):
        environment = dict(os.environ, RUNTIME_DIRECTORY=self.work)
        self.process = subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.STDOUT)
        limit = time.monotonic() + START_LIMIT
        while not self.forwards():
            if self.process.poll() is not None or time.monotonic() > limit:
                self.log.seek(0)
                raise RuntimeError(f"{argv[0]} did not start:\n{self.log.read()[-2000:]}")
            time.sleep(0.05)
            self.connect()
        self.process.send_signal(signal.SIGSTOP)

    def connect(self):
        path = f"{self.work}/dpdk/{self.prefix}/dpdk_telemetry.v2"
        if self.telemetry or not os.path.exists(path):
            return
        link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        link.settimeout(30)
        try:
            link.connect(path)
            link.recv(4096)
        except OSError:
            link.close()
            return
        self.telemetry = link

    def forwards(self):
        try:
            return self.telemetry is not None and self.sent() > 0
        except OSError:
            return False  # it has ended; whoever waits for it shows why

    def sent(self):
        self.telemetry.send(b"/ethdev/stats,0")
        stats = json.loads(self.telemetry.recv(65536))["/ethdev/stats"]
        return stats["opackets"] if stats else 0

    def window_do(self):
        """@return frames, seconds, seconds of CPU time"""
        self.process.send_signal(signal.SIGCONT)
        time.sleep(SETTLE)
        cpu, begun, first = cpu_seconds(self.process.pid), time.monotonic(), self.sent()
        time.sleep(self.window)
        last, seconds = self.sent(), time.monotonic() - begun
        cpu = cpu_seconds(self.process.pid) - cpu
        self.process.send_signal(signal.SIGSTOP)
        return last - first, seconds, cpu

    def measure(self):
        frames, seconds, _ = self.window_do()
        return frames / seconds / 1e6

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.telemetry:
            self.telemetry.close()
        self.log.close()


class Testpmd(Forwarder):
    def __init__(self, bench, mode, pcap, frames, window):
        super().__init__(bench, pcap, frames, window)
        control, worker = cpus()
        self.start(["dpdk-testpmd", *self.eal(f"0@{control},1@{worker}"), "--",
                    f"--forward-mode={mode}", f"--total-num-mbufs={self.mbufs}", "--nb-cores=1",
                    "--no-flush-rx", "--stats-period=3600"])


class Dnsweir(Forwarder):
    """@p extra: further lines of the configuration."""

    def __init__(self, bench, names, pcap, frames, window, extra=""):
        super().__init__(bench, pcap, frames, window)
        config = f"{self.work}/dnsweir.ini"
        self.socket = f"{self.work}/control.sock"
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"[ports]\npairs = 0:1\nmbufs = {self.mbufs}\n[workers]\nidle = spin\n"
                       "[sinkhole]\nipv4 = 192.0.2.1\nipv6 = 2001:db8::1\n"
                       f"[list bench]\nsource = {names}\naction = sinkhole\n"
                       f"[control]\nsocket = {self.socket}\n{extra}")
        control, worker = cpus()
        self.start([bench.program("app/dnsweir"), *self.eal(f"0@{control},1@{control},2@{worker}"),
                    "--", "--config", config])

    def show(self, what):
        """The shell's answer; the program runs while it is asked."""
        self.process.send_signal(signal.SIGCONT)
        out = subprocess.run([self.bench.program("app/dnsweir-shell"), "-s", self.socket, "-j",
                              "show", what], check=True, capture_output=True, text=True).stdout
        self.process.send_signal(signal.SIGSTOP)
        return json.loads(out)

    def sample(self):
        """@return when, and frames until then; the time is known to SAMPLE_ERROR or better"""
        while True:
            before = time.monotonic()
            frames = self.sent()
            after = time.monotonic()
            if after - before < SAMPLE_ERROR:
                return (before + after) / 2, frames

    def windows(self, going):
        """Rates of windows of 100 ms, one behind the other, while @p going() holds."""
        rates, (since, frames) = [], self.sample()
        while going(len(rates)):
            time.sleep(max(0, since + 0.1 - time.monotonic()))
            now, more = self.sample()
            rates.append((more - frames) / (now - since) / 1e6)
            since, frames = now, more
        return rates

    def reloads(self):
        self.telemetry.send(b"/dnsweir/generation")
        shown = json.loads(self.telemetry.recv(65536))["/dnsweir/generation"]
        if shown["reloads_failed"]:
            raise RuntimeError(f"reload: {shown['last_error']}")
        return shown["reloads_done"]

    def swap(self):
        """@return rates of windows before, of those from the reload to 300 ms behind it, and which of
        these saw it end"""
        self.process.send_signal(signal.SIGCONT)
        time.sleep(SETTLE)
        steady = self.windows(lambda n: n < STEADY_WINDOWS)
        done = self.reloads()
        self.process.send_signal(signal.SIGHUP)
        last = []

        def going(n):
            if not last and self.reloads() > done:
                last.append(n)
            return not last or n < last[0] + 3

        during = self.windows(going)
        self.process.send_signal(signal.SIGSTOP)
        return steady, during, last[0]


class Tracer:
    """Makes a thread of another program stand still, and no other of its threads (ptrace(2))."""

    SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000

    def __init__(self, tid):
        self.tid = tid
        self.ptrace = ctypes.CDLL(None, use_errno=True).ptrace
        self.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self.ptrace.restype = ctypes.c_long

    def request(self, what):
        if self.ptrace(what, self.tid, None, None) < 0:
            raise OSError(ctypes.get_errno(), f"ptrace: {os.strerror(ctypes.get_errno())}")

    def __enter__(self):
        self.request(self.SEIZE)
        self.request(self.INTERRUPT)
        os.waitpid(self.tid, self.WALL)

    def __exit__(self, *reason):
        self.request(self.DETACH)


class CoreStopped:
    """The same dnsweir, its statistics core standing still while it is measured: the rings fill in
    the first milliseconds, and from then on records are lost."""

    def __init__(self, side):
        self.side = side
        self.tid = thread_of(side.process.pid, CORE_THREAD)

    def measure(self):
        lost = self.side.show("mirror")["lost"]
        self.side.process.send_signal(signal.SIGCONT)
        with Tracer(self.tid):
            rate = self.side.measure()
        if self.side.show("mirror")["lost"] == lost:
            raise RuntimeError("the statistics core did not stand still: no record was lost")
        return rate

    def close(self):
        pass  # the side is closed by whoever made it


class PerCpuSecond:
    """Frames of a forwarder, or answers of a server, per second of CPU time of all its threads."""

    def __init__(self, side):
        self.side = side

    def measure(self):
        done, _, cpu = self.side.window_do()
        return done / max(cpu, 0.01) / 1e6

    def close(self):
        self.side.close()
