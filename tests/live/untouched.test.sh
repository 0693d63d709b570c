# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What is not listed comes through byte for byte.

for server in "$RESOLVER4" "$RESOLVER6"; do
	for question in "www.example A" "www.example AAAA" "example MX" "example SOA" "example NS" \
		"nothing.example A" "www.example TXT" "bad.example MX" "bad.example TXT" "srv.example SRV" \
		"https.example HTTPS" "last.example ANY" "www.secure A dnssec" "secure SOA dnssec" \
		"nothing.secure A dnssec" "big.example TXT"; do
		# shellcheck disable=SC2086 # words
		is "$question from $server" nothing changes_of "$server" $question
	done
done
is "a query's opcode does not matter" "NOTIMP" \
	bash -c "ip netns exec $NS_CLIENTS dig +opcode=status @$RESOLVER4 bad.example | sed -n 's/.*status: \([A-Z]*\).*/\1/p'"
