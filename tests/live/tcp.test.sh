# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# TCP passes as it comes, a listed name's answer too, and says so in the counters.

is "an answer over TCP, IPv4" 203.0.113.80 q4 +tcp www.example A
is "a listed name's answer over TCP passes" 203.0.113.66 q4 +tcp bad.example A
is "over IPv6" 2001:db8:66::66 q6 +tcp bad.example AAAA
is "a large answer comes whole" nothing changes_of "$RESOLVER4" big.example TXT tcp
is "a truncated answer is asked again over TCP" 40 \
	bash -c "ip netns exec $NS_CLIENTS dig +short @$RESOLVER4 big.example TXT | grep -o '\"[0-9]*\"' | wc -l"
check "and counted" test "$(moved dnsweir_verdicts_total tcp_dns -- q4 +tcp www.example A)" -gt 4
