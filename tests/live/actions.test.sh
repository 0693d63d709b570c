# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What lists do besides replacing addresses, as real clients and a real resolver see it.

status() { in_clients dig +noall +comments +time=3 +tries=2 "@$RESOLVER4" "$@" | sed -n 's/.*status: \([A-Z]*\),.*/\1/p'; }
counts() { in_clients dig +noall +comments +time=3 +tries=2 "@$RESOLVER4" "$@" | sed -n 's/^;; flags: [^;]*; QUERY: 1, //p'; }
ede() { in_clients dig +noall +comments +time=3 "@$RESOLVER4" "$@" | sed -n 's/^; EDE: //p'; }

is "nxdomain: the name does not exist" NXDOMAIN status denied.example A
is "over IPv6" NXDOMAIN status "@$RESOLVER6" denied.example AAAA
is "for any type" NXDOMAIN status denied.example TXT
is "nothing is left but the OPT" "ANSWER: 0, AUTHORITY: 0, ADDITIONAL: 1" counts denied.example A
is "nothing at all without EDNS" "ANSWER: 0, AUTHORITY: 0, ADDITIONAL: 0" counts +noedns denied.example A
is "the client is told why" '15 (Blocked): (listed; ask the help desk)' ede denied.example A
is "counted as what was done" 1 moved dnsweir_filtered_total denied nxdomain -- q4 denied.example A
is "nodata: the name exists" NOERROR status empty.example A
is "without an answer" "" q4 empty.example A
is "drop: there is no answer" 1 moved dnsweir_verdicts_total dropped -- \
	in_clients dig +time=1 +tries=1 "@$RESOLVER4" dropped.example A
is "tcp-only: the client asks again over TCP" 203.0.113.86 q4 overtcp.example A
is "after one truncated answer" 1 moved dnsweir_verdicts_total truncated -- q4 overtcp.example A
is "a listed name that is gone is answered" "$SINK4" q4 host.lost.example A
is "one without addresses, too" "$SINK6" q6 lost.example AAAA
is "its other records are left" '"no address"' q4 lost.example TXT
is "hints of HTTPS records" "1 . alpn=\"h2\" ipv4hint=$SINK4,$SINK4 ipv6hint=$SINK6" q4 bad.example HTTPS
is "records that are not listed stay" '1 . alpn="h2" ipv4hint=203.0.113.80' q4 https.example HTTPS
is "signatures of what was replaced go" "$SINK4" q4 +dnssec bad.secure A
check "those of what was not replaced stay" test "$(q4 +dnssec www.secure A | wc -w)" -gt 5
