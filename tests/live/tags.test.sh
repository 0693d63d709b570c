# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Listed and unlisted names inside VLAN tags and PPPoE sessions; both families; tags come back as
# they were and checksums are right. A relay unwraps the query for the real resolver.

ip netns exec "$NS_RESOLVERS" python3 "$LIVE/wire.py" relay wire 120 >"$WORK/relay.out" 2>&1 &
relay_pid=$!
trap 'kill "$relay_pid" 2>/dev/null || true' EXIT
wait_for 10 grep -q ready "$WORK/relay.out"

tagged() { in_clients python3 "$LIVE/wire.py" tagged wire "$@"; }

for stack in - 8100:11 8100:0 88a8:100,8100:12 8100:100,8100:12 9100:5,8100:6 9100:5,9100:6 \
	pppoe:17 8100:7,pppoe:17 88a8:9,8100:7,pppoe:17; do
	is "$stack, IPv4, listed" "$SINK4" tagged "$stack" 4 bad.example A
	is "$stack, IPv6, listed" "$SINK6" tagged "$stack" 6 bad.example AAAA
	is "$stack, IPv4, unlisted" 203.0.113.80 tagged "$stack" 4 www.example A
	is "$stack, IPv6, unlisted" 2001:db8:80::80 tagged "$stack" 6 www.example AAAA
done
is "a UDP checksum of 0 stays 0" "$SINK4" tagged - 4 bad.example A sum0
is "a UDP checksum of 0 in a VLAN" "$SINK4" tagged 8100:11 4 bad.example A sum0
is "IPv4 options" "$SINK4" tagged - 4 bad.example A options
is "IPv6 extension headers" "$SINK6" tagged - 6 bad.example AAAA options
is "IPv6 extension headers in QinQ" "$SINK4" tagged 88a8:9,8100:7 6 bad.example A options
