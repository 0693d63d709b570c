#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Whether octets are in the memory of a process: memory.py PID HEX

Prints two numbers: how often in what a core dump would have, and how often in what it leaves out
(mappings with the flag dd of proc(5), MADV_DONTDUMP).
"""
import re
import sys


def mappings(pid):
    """Begin, end and whether a core dump leaves it out."""
    place = None
    with open(f"/proc/{pid}/smaps", encoding="ascii", errors="replace") as smaps:
        for line in smaps:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line)
            if head:
                place = int(head[1], 16), int(head[2], 16), head[3]
            elif line.startswith("VmFlags:") and place[2].startswith("r"):
                yield place[0], place[1], "dd" in line.split()


def main():
    pid, wanted = sys.argv[1], bytes.fromhex(sys.argv[2])
    hits = {False: 0, True: 0}
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end, left_out in mappings(pid):
            try:
                memory.seek(begin)
                while begin < end:
                    data = memory.read(min(end - begin, 1 << 26))
                    if not data:
                        break
                    hits[left_out] += data.count(wanted)
                    begin += len(data)
            except (OSError, OverflowError):
                continue
    print(hits[False], hits[True])


main()
