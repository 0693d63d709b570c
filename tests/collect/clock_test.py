#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A running collector whose clock moves on by 61 days: clock_test.py DNSWEIR-COLLECT. Prints TAP.

The clock is libfaketime's, which reads it from a file.
"""
import calendar
import glob
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bed import Box, Collector, Tap, ask, metric, own_network

check, equal = Tap.check, Tap.equal
DAY = 86400
FIRST = calendar.timegm((2026, 6, 1, 12, 0, 0))


class Clock:
    """Seconds that the collector's clock is off, for good and all of its threads."""

    def __init__(self, path):
        self.path, self.offset = path, 0

    def set(self, moment):
        self.offset = int(moment - time.time())
        with open(self.path + ".new", "w", encoding="utf-8") as f:
            f.write(f"{self.offset:+d}\n")
        os.rename(self.path + ".new", self.path)

    def now(self):
        return time.time() + self.offset


def days(collector, kind="log"):
    return sorted(os.listdir(os.path.join(collector.store, kind)))


def wait(condition, seconds=30):
    for _ in range(seconds * 10):
        if condition():
            return True
        time.sleep(0.1)
    return False


def send(collector, clock, name, n):
    box = Box(collector.tap, start=int(clock.now()))
    for _ in range(n):
        box.send(name, "203.0.113.9", clock.now())
    box.close()


def main():
    own_network()
    library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not library:
        Tap.skip("a clock that moves", "libfaketime is not installed")
        return Tap.end()
    collector = Collector(sys.argv[1])
    clock = Clock(os.path.join(collector.folder, "clock"))
    clock.set(FIRST)
    collector.env = {"LD_PRELOAD": library[0], "FAKETIME_TIMESTAMP_FILE": clock.path, "FAKETIME_NO_CACHE": "1",
                     "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC",
                     # The library is in front of the sanitizer's.
                     "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
    try:
        collector.up()
        send(collector, clock, "first.example", 5)
        collector.wait_stored(5)
        clock.set(FIRST + DAY)
        time.sleep(1.5)
        send(collector, clock, "second.example", 7)
        collector.wait_stored(12)
        equal("two days are in the log", days(collector), ["2026-06-01", "2026-06-02"])
        age = metric(ask("/metrics")[2], "dnsweir_log_oldest_seconds")
        check("the oldest begins a day and a half ago", abs(age - 1.5 * DAY) < 60, age)

        clock.set(FIRST + 60 * DAY)
        time.sleep(4)
        equal("60 days later both are", days(collector), ["2026-06-01", "2026-06-02"])
        clock.set(FIRST + 61 * DAY)
        check("61 days later the first is gone", wait(lambda: days(collector) == ["2026-06-02"]), days(collector))
        # A day's folder has another name while it is emptied.
        check("from filtered too", wait(lambda: days(collector, "filtered") == ["2026-06-02"]), days(collector, "filtered"))
        age = metric(ask("/metrics")[2], "dnsweir_log_oldest_seconds")
        check("the metric is that of the second day", abs(age - 60.5 * DAY) < 60, age)
        equal("whose records are there", collector.run("query", "--unfiltered").stdout.count("second.example"), 7)
        lines = [line for line in collector.audit() if line["action"] == "purge"]
        equal("what was deleted is in the audit log", [(line["who"], line["day"], line["log"]) for line in lines],
              [("retention", "2026-06-01", 5)])
        check("at the time it was", lines[0]["time"].startswith("2026-08-01T12:"), lines)
        check("and said", "removed 1 days, 5 records older than 60 days" in collector.said(), collector.said())
        send(collector, clock, "today.example", 3)
        check("what comes is stored", wait(lambda: "2026-08-01" in days(collector)), days(collector))
        equal("the collector ends with exit status 0", collector.down(), 0)
    finally:
        collector.remove()
    return Tap.end()


sys.exit(main())
