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

# carried FROM TO SEND CATCH AT [ORDER]: made-up traffic from one side to the other, commands SEND and
# CATCH of wire.py; what came of it.
carried() {
	local out=$WORK/caught.$1 catcher
	"in_$2" python3 "$LIVE/wire.py" "$4" "$5" 600 "${@:6}" >"$out" 2>&1 &
	catcher=$!
	wait_for 10 grep -q ready "$out"
	"in_$1" python3 "$LIVE/wire.py" "$3" "$5" 600
	wait "$catcher" || true
	tail -n 1 "$out"
}

# Several queues keep the order within a flow, not among flows.
order=()
((BOX_WORKERS == 1)) || order=(any)
is "STP, LLDP, LACP, EAPOL, pause, MPLS, ... from the clients" all \
	carried clients resolvers send catch wire "${order[@]}"
is "the same from the resolvers" all carried resolvers clients send catch wire "${order[@]}"
is "datagrams of a flow, IPv4" "in order" \
	carried clients resolvers flows-send flows-catch "$RESOLVER4"
is "datagrams of a flow, IPv6" "in order" \
	carried resolvers clients flows-send flows-catch "$CLIENT6"
