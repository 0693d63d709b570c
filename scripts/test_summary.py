#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Add up test results: test_summary.py FILE...

FILE is a testlog.json of meson, whose tests count by their TAP lines (one that has none counts as
one), or the output of a runner that ends with "N passed, N failed". The last line printed is
"N passed, N failed" or "N passed, N failed, N skipped"; the exit code is 1 if anything failed.
"""
import json
import re
import sys

TAP = re.compile(r"^\s*(not )?ok\b(?!.*# TODO)(.*# SKIP)?", re.MULTILINE | re.IGNORECASE)
CLOSING = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)


def of_meson_test(test):
    """(passed, failed, skipped) of one test of meson."""
    good = test["result"] in ("OK", "EXPECTEDFAIL")
    passed = failed = skipped = 0
    for is_not, skip in TAP.findall(test.get("stdout", "")):
        if skip:
            skipped += 1
        elif is_not:
            failed += 1
        else:
            passed += 1
    if test["result"] == "SKIP" and not passed + skipped:
        return 0, 0, 1
    if not good and not failed:
        failed = 1  # it crashed, ran out of time, or did less than its plan
    if good and not passed + skipped:
        passed = 1
    return passed, failed, skipped


def of_file(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        text = f.read()
    if path.endswith(".json"):
        tests = [json.loads(line) for line in text.splitlines() if line]
        counts = [of_meson_test(t) for t in tests]
        return [sum(c) for c in zip(*counts)] if counts else [0, 1, 0]
    closing = CLOSING.findall(text)
    # A runner that did not come to its closing line has failed.
    return [int(n or 0) for n in closing[-1]] if closing else [0, 1, 0]


def main(paths):
    passed, failed, skipped = (sum(c) for c in zip(*map(of_file, paths))) if paths else (0, 1, 0)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
