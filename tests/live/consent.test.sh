# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Clients that refuse filtering, logging or both.

ip -n "$NS_CLIENTS" address replace 198.51.100.200/24 dev wire
ip -n "$NS_CLIENTS" address replace 198.51.100.201/24 dev wire
ip -n "$NS_CLIENTS" address replace 198.51.100.193/24 dev wire

is "no filter, IPv4" 203.0.113.66 q4 -b "$OPTOUT4" bad.example A
is "no filter, IPv6" 2001:db8:66::66 q6 -b "$OPTOUT6" bad.example AAAA
is "no filter, through a CNAME" "bad.example. 203.0.113.66" q4 -b "$OPTOUT4" alias.example A
is "the most specific prefix wins" "$SINK4" q4 -b 198.51.100.193 bad.example A
is "neither: untouched" 203.0.113.66 q4 -b 198.51.100.200 bad.example A
is "no log does not mean no filter" "$SINK4" q4 -b 198.51.100.201 bad.example A
is "an opted-out response is counted as such" 1 \
	moved dnsweir_verdicts_total no_filter -- q4 -b "$OPTOUT4" bad.example A
is "no log: only a plain packet counter moves" 1 \
	moved dnsweir_verdicts_total no_log -- q4 -b 198.51.100.201 bad.example A
is "no log: the list's counter stays" 0 \
	moved dnsweir_filtered_total names sinkhole -- q4 -b 198.51.100.201 bad.example A
is "no log: no count by response code and type" 0 \
	moved dnsweir_responses_total NOERROR A -- q4 -b 198.51.100.200 www.example A
put consent.csv prefix,filter,log
reload
is "after a reload without the prefix: replaced" "$SINK4" q4 -b "$OPTOUT4" bad.example A
