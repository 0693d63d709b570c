#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Look into the counters that dnsweir prints as JSON.

    counters.py check FILE               each packet has one verdict, and is sent, dropped or held; 1 if not
    counters.py get FILE METRIC [LABEL]...   one number; 0 for a row that is not there
"""
import json
import sys


# Reasons of packets that are not sent.
DROPS = ("dropped", "fragment_overlap", "fragment_repeated", "fragment_cut")


def check(counters):
    received = counters["dnsweir_rx_packets_total"]
    sent = counters["dnsweir_tx_packets_total"]
    refused = counters["dnsweir_tx_dropped_total"]
    held = counters["dnsweir_held_packets"]
    reasons = counters["dnsweir_verdicts_total"]
    verdicts = sum(reasons.values())
    drops = sum(reasons.get(reason, 0) for reason in DROPS)
    print(f"received {received} = verdicts {verdicts} + held {held} = sent {sent} "
          f"+ not taken by a port {refused} + dropped by reason {drops} + held {held}")
    return 0 if received == verdicts + held == sent + refused + drops + held else 1


def get(counters, *path):
    for key in path:
        counters = counters.get(key, 0) if isinstance(counters, dict) else 0
    print(counters)
    return 0


def main(arguments):
    if len(arguments) < 2 or arguments[0] not in ("check", "get"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    with open(arguments[1], encoding="utf-8") as f:
        counters = json.load(f)
    return globals()[arguments[0]](counters, *arguments[2:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
