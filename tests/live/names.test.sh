# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What an entry stands for, and which list decides.

is ".name stands for the name" "$SINK4" q4 evil.example A
is ".name stands for what is below it" "$SINK4" q4 deep.evil.example A
is "*.name stands for what is below it" "$SINK4" q4 gate.botnet.example A
is "*.name does not stand for the name" 203.0.113.70 q4 botnet.example A
is "a wildcard's answer is judged by its own name" "$SINK4" q4 any.wild.example A
is "an allow list wins" 203.0.113.74 q4 good.evil.example A
is "a list that only logs leaves the answer" 203.0.113.75 q4 logged.example A
is "and counts it" 1 moved dnsweir_filtered_total logged log -- q4 logged.example A
is "a U-label in a list is found as an A-label" "$SINK4" q4 xn--bcher-kva.example A
is "a catalogue entry in force, with the list's own sinkhole" "$OWN4" q4 dated.example A
is "and its own TTL limit" 5 ttls dated.example A
is "an entry whose end has passed" 203.0.113.77 q4 past.example A
is "an entry whose start has not come" 203.0.113.78 q4 future.example A
