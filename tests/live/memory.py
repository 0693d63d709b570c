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


def pieces(pid):
    """Octets of each mapping that can be read, at most 4 MiB at a time, and whether a core dump leaves them out."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end, left_out in mappings(pid):
            try:
                memory.seek(begin)
                while begin < end:
                    data = memory.read(min(end - begin, 1 << 22))
                    if not data:
                        break
                    yield data, left_out
                    begin += len(data)
            except (OSError, OverflowError):
                continue


def main():
    hits = {False: 0, True: 0}
    for data, left_out in pieces(sys.argv[1]):
        hits[left_out] += data.count(bytes.fromhex(sys.argv[2]))
    print(hits[False], hits[True])


if __name__ == "__main__":
    main()
