# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A listed name that an answer leads through.

is "CNAME to a listed name, A" "bad.example. $SINK4" q4 alias.example A
is "CNAME to a listed name, AAAA over IPv6" "bad.example. $SINK6" q6 alias.example AAAA
is "a listed name in the middle of a chain" "middle.example. last.example. $SINK4" \
	q4 first.example A
is "the same asked for AAAA" "middle.example. last.example. $SINK6" q6 first.example AAAA
is "the last of a longer chain" "two.example. three.example. bad.example. $SINK4" q4 one.example A
is "the end of that chain by its own name is not listed" 203.0.113.90 q4 last.example A
is "DNAME into a listed subtree" "botnet.example. gate.botnet.example. $SINK4" \
	q4 gate.old.example A
