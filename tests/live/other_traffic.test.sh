# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Everything that is not DNS comes through.

ip -n "$NS_CLIENTS" neigh flush dev wire
ip -n "$NS_RESOLVERS" neigh flush dev wire
check "ARP and ICMP" in_clients ping -n -q -c 20 -i 0.01 -w 5 "$RESOLVER4"
check "neighbour discovery and ICMPv6" in_clients ping -n -q -c 20 -i 0.01 -w 5 "$RESOLVER6"
check "full-size packets" in_clients ping -n -q -c 5 -i 0.01 -w 5 -s 1472 -M "do" "$RESOLVER4"
check "IPv4 fragments" in_clients ping -n -q -c 5 -i 0.01 -w 5 -s 4000 "$RESOLVER4"
check "IPv6 fragments" in_clients ping -n -q -c 5 -i 0.01 -w 5 -s 4000 "$RESOLVER6"

# frames FROM TO: made-up frames of all kinds, in order, from one side to the other.
frames() {
	local out=$WORK/caught.$1 catcher
	"in_$2" python3 "$LIVE/wire.py" catch wire 600 >"$out" 2>&1 &
	catcher=$!
	wait_for 10 grep -q ready "$out"
	"in_$1" python3 "$LIVE/wire.py" send wire 600
	wait "$catcher" || true
	tail -n 1 "$out"
}

is "STP, LLDP, LACP, EAPOL, pause, MPLS, ... from the clients" all frames clients resolvers
is "the same from the resolvers" all frames resolvers clients
