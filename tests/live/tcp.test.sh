# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# DNS over TCP: listed names get the sinkhole, all else comes as it was sent.

is "an answer over TCP, IPv4" 203.0.113.80 q4 +tcp www.example A
is "a listed name's answer has the sinkhole" "$SINK4" q4 +tcp bad.example A
is "over IPv6" "$SINK6" q6 +tcp bad.example AAAA
is "behind a chain of CNAMEs" "two.example. three.example. bad.example. $SINK4" q4 +tcp one.example A
is "a list's own address" "$OWN4" q4 +tcp dated.example A
is "a client that refused gets what was sent" 203.0.113.66 q4 +tcp -b "$OPTOUT4" bad.example A
is "a large answer comes whole" nothing changes_of "$RESOLVER4" big.example TXT tcp
is "a truncated answer is asked again over TCP" 40 \
	bash -c "ip netns exec $NS_CLIENTS dig +short @$RESOLVER4 big.example TXT | grep -o '\"[0-9]*\"' | wc -l"
is "many queries in a connection" "$(printf '%s\n203.0.113.80\n%s\n203.0.113.80' "$SINK4" "$SINK4")" \
	in_clients kdig +short +tcp +keepopen "@$RESOLVER4" bad.example A www.example A quick.example A www.example A
check "segments without answers are counted" \
	test "$(moved dnsweir_verdicts_total tcp_dns -- q4 +tcp www.example A)" -gt 4
is "messages are counted" 1 moved dnsweir_stream_messages_total -- q4 +tcp www.example A
is "a rewritten one under its list" 1 moved dnsweir_matched_total names -- q4 +tcp bad.example A
