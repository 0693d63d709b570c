# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A listed name's addresses are replaced over UDP, whatever the family that carries the answer.

is "A over IPv4" "$SINK4" q4 bad.example A
is "AAAA over IPv4" "$SINK6" q4 bad.example AAAA
is "A over IPv6" "$SINK4" q6 bad.example A
is "AAAA over IPv6" "$SINK6" q6 bad.example AAAA
is "mixed case" "$SINK4" q4 BaD.eXaMpLe A
is "every address of the answer" "$SINK4 $SINK4 $SINK4 $SINK4" q4 many.example A
is "with EDNS and without" "$SINK4" q4 +noedns bad.example A
is "nothing but the addresses and the TTL changes" "A TTL" changes_of "$RESOLVER4" bad.example A
is "the same over IPv6" "AAAA TTL" changes_of "$RESOLVER6" bad.example AAAA
is "a name below an exact entry is not listed" 203.0.113.68 q4 below.bad.example A
is "each replaced response is counted once" 1 \
	moved dnsweir_verdicts_total rewritten -- q4 bad.example A
is "and in its list's row" 1 moved dnsweir_filtered_total names sinkhole -- q4 bad.example A
