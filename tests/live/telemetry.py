#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Ask DPDK's telemetry socket: telemetry.py SOCKET COMMAND -> the reply's value as JSON."""
import json
import socket
import sys


def main():
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.settimeout(5)
        sock.connect(sys.argv[1])
        greeting = json.loads(sock.recv(1024))
        sock.send(sys.argv[2].encode())
        reply = json.loads(sock.recv(greeting["max_output_len"]))
    print(json.dumps(reply[sys.argv[2].split(",")[0]]))


main()
