# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034,SC2153
# The network of testnet.sh with a namespace in each of its wires, where `traffic impair` joins two
# interfaces. Sourced after live.sh.
#
#   PREFIX-clients    PREFIX-wire-a   PREFIX-box         PREFIX-wire-b   PREFIX-resolvers
#   wire ═══════════ end        box ═══ clients  resolvers ═══ box       end ═══════════ wire
#
# In the box's namespace is dnsweir, or another `traffic impair` that does nothing: a cable.
TRAFFIC=$BUILD/tests/traffic/traffic

# wires_up PREFIX: all but what is in the middle. A cable has veth pairs, whatever the box has.
wires_up() {
	local prefix=$1 ns
	NS_CLIENTS=$prefix-clients NS_BOX=$prefix-box NS_RESOLVERS=$prefix-resolvers
	NS_WIRES=("$prefix-wire-a" "$prefix-wire-b")
	for ns in "$NS_CLIENTS" "$NS_BOX" "$NS_RESOLVERS" "${NS_WIRES[@]}"; do
		ip netns add "$ns"
		ip -n "$ns" link set lo up
		# Nothing in between says anything by itself.
		ip netns exec "$ns" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	done
	wires_veth_add "${NS_WIRES[0]}" clients
	wires_veth_add "${NS_WIRES[1]}" resolvers
	for ns in 0 1; do
		ip -n "${NS_WIRES[ns]}" link add end type veth peer name wire netns "$prefix-$(wire_side "$ns")"
		wires_interface_up "${NS_WIRES[ns]}" end
		net_wire_up "$prefix-$(wire_side "$ns")"
		ip netns exec "$prefix-$(wire_side "$ns")" sysctl -qw net.ipv6.conf.wire.disable_ipv6=0
	done
	net_addresses_add
}

wire_side() {
	if (($1 == 0)); then echo clients; else echo resolvers; fi
}

# wires_veth_add NAMESPACE SIDE: from a wire to the box.
wires_veth_add() {
	ip -n "$NS_BOX" link add "$2" type veth peer name box netns "$1"
	ip netns exec "$NS_BOX" tc qdisc replace dev "$2" root pfifo limit 10000
	ip -n "$NS_BOX" link set "$2" up
	wires_interface_up "$1" box
}

# wires_interface_up NAMESPACE INTERFACE: a veth port in native XDP mode passes nothing unless its
# peer has GRO on; but a wire has to see segments as they were sent, so nothing may be put together.
wires_interface_up() {
	ip netns exec "$1" ethtool -K "$2" tx off gro on >/dev/null
	ip -n "$1" link set "$2" gro_max_size 1
	ip netns exec "$1" tc qdisc replace dev "$2" root pfifo limit 10000
	ip -n "$1" link set "$2" up
}

# net_taps_up: called by box_up when the box's TAP devices are there.
net_taps_up() {
	ip -n "$NS_BOX" link set clients netns "${NS_WIRES[0]}" name box
	ip -n "$NS_BOX" link set resolvers netns "${NS_WIRES[1]}" name box
	wires_interface_up "${NS_WIRES[0]}" box
	wires_interface_up "${NS_WIRES[1]}" box
	# A TAP device drops what its ring, as long as this queue, has no room for while the box does not run.
	ip -n "${NS_WIRES[0]}" link set box txqueuelen 10000
	ip -n "${NS_WIRES[1]}" link set box txqueuelen 10000
}

# wires_mtu MTU: of all links. Below 1280 there is no IPv6 on an interface, and it forgets its addresses.
wires_mtu() {
	local ns
	for ns in 0 1; do
		ip -n "${NS_WIRES[ns]}" link set end mtu "$1"
		ip -n "${NS_WIRES[ns]}" link set box mtu "$1"
		[[ $MIDDLE == box && $BOX_PORTS == tap ]] || ip -n "$NS_BOX" link set "$(wire_side "$ns")" mtu "$1" ||
			return 1
		ip -n "$PREFIX-$(wire_side "$ns")" link set wire mtu "$1"
	done
	(($1 < 1280)) || net_addresses6_add
}

net_addresses6_add() {
	ip netns exec "$NS_CLIENTS" sysctl -qw net.ipv6.conf.wire.disable_ipv6=0 net.ipv6.conf.wire.accept_ra=0
	ip netns exec "$NS_RESOLVERS" sysctl -qw net.ipv6.conf.wire.disable_ipv6=0 net.ipv6.conf.wire.accept_ra=0
	ip -n "$NS_CLIENTS" address replace "$CLIENT6/64" dev wire nodad
	ip -n "$NS_RESOLVERS" address replace "$RESOLVER6/64" dev wire nodad
}

# impair A_THERE A_BACK B_THERE B_BACK: both wires, until unimpair.
impair() {
	IMPAIRS=()
	impair_start a "${NS_WIRES[0]}" end box "$1" "$2" "$SEED"
	impair_start b "${NS_WIRES[1]}" box end "$3" "$4" $((SEED + 1000))
}

# impair_start LETTER NAMESPACE INTERFACE INTERFACE THERE BACK SEED
impair_start() {
	ip netns exec "$2" "$TRAFFIC" impair --there "$5" --back "$6" --seed "$7" "$3" "$4" \
		</dev/null >"$WORK/impair.$1.out" 2>"$WORK/impair.$1.err" &
	IMPAIRS+=($!)
	wait_for 5 grep -q ready "$WORK/impair.$1.out" || die 1 "$(cat "$WORK/impair.$1.err")"
}

# unimpair: fails if a wire did something that it was not asked to, if an octet of a TCP stream was
# sent again as another one, or a checksum was wrong.
unimpair() {
	local pid status=0
	for pid in "${IMPAIRS[@]}"; do
		stop_pid "$pid"
		wait "$pid" || status=1
	done
	! grep -Eq '(missed|refused|changed|bad_sums)=[1-9]' "$WORK"/impair.*.out || status=1
	[[ ! -s $WORK/impair.a.err && ! -s $WORK/impair.b.err ]] || status=1
	return "$status"
}

# wires_tell WORDS: what the wires did, the counters that are not 0, if something failed. What one has sent and the
# other has not received was lost between them.
WIRES_FAILED=0
wires_tell() {
	local letter
	[[ -n ${DNSWEIR_VERBOSE:-} ]] || ((N_FAILED > WIRES_FAILED)) || return 0
	WIRES_FAILED=$N_FAILED
	say "# $1"
	for letter in a b; do
		say "#   $letter: $(grep -h = "$WORK/impair.$letter.out" | tr ' ' '\n' | grep -v '=0$' | paste -sd' ')"
	done
}

cable_up() {
	ip netns exec "$NS_BOX" "$TRAFFIC" impair clients resolvers </dev/null >"$WORK/cable.out" 2>&1 &
	CABLE_PID=$!
	wait_for 5 grep -q ready "$WORK/cable.out" || die 1 "$(cat "$WORK/cable.out")"
}

# cable_down: TAP devices will have the names of its interfaces.
cable_down() {
	local side
	stop_pid "$CABLE_PID"
	wait "$CABLE_PID" || true
	[[ $BOX_PORTS == tap ]] || return 0
	for side in clients resolvers; do
		ip -n "$NS_BOX" link delete "$side"
	done
}

# wires_down PREFIX: all of it.
wires_down() {
	local ns pid
	for pid in "${IMPAIRS[@]:-}" "${CABLE_PID:-}"; do
		[[ -z $pid ]] || stop_pid "$pid"
	done
	net_down "$1"
	for ns in wire-a wire-b; do
		ip netns delete "$1-$ns" 2>/dev/null || true
	done
}
