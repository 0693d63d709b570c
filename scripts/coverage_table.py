#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Table of what `llvm-cov export -summary-only` on stdin says: coverage_table.py TOP LEAST FOLDER..."""
import json
import os
import sys


def row(name, lines, covered):
    print(f"{name:<36} {lines:>6} lines {covered:>6} reached {100 * covered / max(lines, 1):6.1f} %")


def main():
    top, least, folders = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    files = json.load(sys.stdin)["data"][0]["files"]
    failed = 0
    for folder in folders:
        lines = covered = 0
        for file in files:
            name = os.path.relpath(file["filename"], top)
            if not name.startswith(folder + "/"):
                continue
            summary = file["summary"]["lines"]
            row(name, summary["count"], summary["covered"])
            lines += summary["count"]
            covered += summary["covered"]
        good = lines > 0 and 100 * covered >= least * lines
        failed += not good
        row(("" if good else "SHORT ") + folder, lines, covered)
    print(f"{len(folders) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
