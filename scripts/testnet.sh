# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034
# The network that the demo and the live tests run in: three namespaces in a row, made of veth
# pairs or TAP devices; nothing of it touches the host's own interfaces. Sourced after lib.sh.
#
#   PREFIX-clients                PREFIX-box                 PREFIX-resolvers
#   wire 198.51.100.10 ═══ clients ║ dnsweir ║ resolvers ═══ wire 198.51.100.53
#        2001:db8:1::10                                           2001:db8:1::53
#
# All addresses are from the documentation ranges (RFC 5737, RFC 3849). A second client address on
# each family lies under a prefix that has opted out of filtering.
#
#   BOX_PORTS     what dnsweir drives: xdp, one end of a veth pair by AF_XDP, which has one queue; or
#                 tap, a TAP device of as many queues as there are workers. The kernel's side of it is
#                 the wire then: it comes and goes with dnsweir; or packet, the same veth pair by
#                 AF_PACKET sockets, for frames of up to 9,000 octets, which the others do not take
#   BOX_WORKERS   workers of dnsweir
BOX_PORTS=${BOX_PORTS:-xdp}
BOX_WORKERS=${BOX_WORKERS:-1}

CLIENT4=198.51.100.10
CLIENT6=2001:db8:1::10
OPTOUT4=198.51.100.130
OPTOUT6=2001:db8:1::8000:10
OPTOUT4_PREFIX=198.51.100.128/25
OPTOUT6_PREFIX=2001:db8:1::8000:0/113
RESOLVER4=198.51.100.53
RESOLVER6=2001:db8:1::53
NSD_PORT=5301

# net_up PREFIX: namespaces and wires.
net_up() {
	local prefix=$1 side ns
	NS_CLIENTS=$prefix-clients NS_BOX=$prefix-box NS_RESOLVERS=$prefix-resolvers
	for ns in "$NS_CLIENTS" "$NS_BOX" "$NS_RESOLVERS"; do
		ip netns add "$ns"
		ip -n "$ns" link set lo up
		# A TAP device says nothing by itself before both are wires and up.
		[[ $BOX_PORTS != tap ]] || ip netns exec "$ns" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	done
	[[ $BOX_PORTS != tap ]] || return 0
	for side in clients resolvers; do
		ip -n "$NS_BOX" link add "$side" type veth peer name wire netns "$prefix-$side"
		# The box has no addresses, and its kernel sends nothing by itself.
		ip netns exec "$NS_BOX" sysctl -qw "net.ipv6.conf.$side.disable_ipv6=1"
		ip netns exec "$NS_BOX" tc qdisc replace dev "$side" root pfifo limit 10000
		net_wire_up "$prefix-$side"
		ip -n "$NS_BOX" link set "$side" up
	done
	net_addresses_add
}

# net_taps_up: the kernel's side of the box's TAP ports becomes the wires.
net_taps_up() {
	ip -n "$NS_BOX" link set clients netns "$NS_CLIENTS" name wire
	ip -n "$NS_BOX" link set resolvers netns "$NS_RESOLVERS" name wire
	net_wire_up "$NS_CLIENTS"
	net_wire_up "$NS_RESOLVERS"
	in_clients sysctl -qw net.ipv6.conf.wire.disable_ipv6=0
	in_resolvers sysctl -qw net.ipv6.conf.wire.disable_ipv6=0
	net_addresses_add
}

net_addresses_add() {
	ip -n "$NS_CLIENTS" address add "$CLIENT4/24" dev wire
	ip -n "$NS_CLIENTS" address add "$OPTOUT4/24" dev wire
	ip -n "$NS_RESOLVERS" address add "$RESOLVER4/24" dev wire
	ip -n "$NS_CLIENTS" address add "$OPTOUT6/64" dev wire nodad preferred_lft 0
	ip -n "$NS_CLIENTS" address add "$CLIENT6/64" dev wire nodad
	ip -n "$NS_RESOLVERS" address add "$RESOLVER6/64" dev wire nodad
}

# net_wire_up NAMESPACE: the far end of a wire. A veth hands over frames without checksums, as a
# network card with offloads would get them from its own host and nobody else; and a veth port in
# native XDP mode passes nothing unless its peer has GRO on. Such a port has a ring of 256 frames; with
# a queue in front of it a sender waits when it is full (Linux 6.16 and later), else frames are lost.
net_wire_up() {
	ip netns exec "$1" sysctl -qw net.ipv6.conf.wire.accept_ra=0
	ip netns exec "$1" ethtool -K wire tx off gro on >/dev/null
	ip netns exec "$1" tc qdisc replace dev wire root pfifo limit 10000
	ip -n "$1" link set wire up
}

# net_down PREFIX: whatever is left of it, after a crash too. Ends the servers in its namespaces;
# somebody's shell in there stays.
net_down() {
	local side ns pid pids
	for side in clients box resolvers; do
		ns=$1-$side
		[[ -e /run/netns/$ns ]] || continue
		mapfile -t pids < <(ip netns pids "$ns" 2>/dev/null)
		for pid in "${pids[@]}"; do
			case $(cat "/proc/$pid/comm" 2>/dev/null) in
			nsd* | unbound* | dnsweir*) stop_pid "$pid" ;;
			esac
		done
		ip netns delete "$ns" 2>/dev/null || true
	done
}

in_clients() { ip netns exec "$NS_CLIENTS" "$@"; }
in_box() { ip netns exec "$NS_BOX" "$@"; }
in_resolvers() { ip netns exec "$NS_RESOLVERS" "$@"; }

# dns_up FOLDER ZONE...: NSD serves FOLDER/ZONE.zone, Unbound asks it. A FOLDER/ZONE.anchor makes
# Unbound validate that zone. UNBOUND_MORE: further lines of its section server.
dns_up() {
	local folder=$1 zone
	shift
	{
		printf 'server:\n\tip-address: 127.0.0.1@%s\n\tserver-count: 1\n\tusername: ""\n' "$NSD_PORT"
		printf '\tchroot: ""\n\tzonesdir: "%s"\n\tdatabase: ""\n\tpidfile: ""\n' "$folder"
		printf '\tzonelistfile: "%s/zone.list"\n\txfrdfile: "%s/xfrd.state"\n' "$folder" "$folder"
		printf '\txfrdir: "%s"\n\tlogfile: "%s/nsd.log"\n\trrl-ratelimit: 0\n' "$folder" "$folder"
		printf 'remote-control:\n\tcontrol-enable: no\n'
		for zone; do
			printf 'zone:\n\tname: %s\n\tzonefile: %s.zone\n' "$zone" "$zone"
		done
	} >"$folder/nsd.conf"
	{
		printf 'server:\n\tinterface: 127.0.0.1\n\tinterface: %s\n\tinterface: %s\n' \
			"$RESOLVER4" "$RESOLVER6"
		# A wire that comes with the box is not there yet.
		printf '\tip-freebind: yes\n'
		printf '\taccess-control: 0.0.0.0/0 allow\n\taccess-control: ::/0 allow\n'
		printf '\tusername: ""\n\tchroot: ""\n\tdirectory: "%s"\n\tpidfile: ""\n' "$folder"
		printf '\tuse-syslog: no\n\tlogfile: "%s/unbound.log"\n\tdo-daemonize: no\n' "$folder"
		printf '\tdo-not-query-localhost: no\n\tnum-threads: 1\n\tso-rcvbuf: 8m\n\tso-sndbuf: 8m\n'
		# The same answer each time it is asked: no rotation, no counting down.
		printf '\trrset-roundrobin: no\n\tserve-original-ttl: yes\n\tminimal-responses: yes\n'
		printf '\tmsg-cache-size: 128m\n\trrset-cache-size: 256m\n\toutgoing-range: 512\n'
		printf '\tnum-queries-per-thread: 2048\n\tedns-buffer-size: 1232\n'
		# Clients that ask for more get it in IP fragments.
		printf '\tmax-udp-size: 4096\n'
		printf '\tmodule-config: "validator iterator"\n\t%s\n' "${UNBOUND_MORE:-}"
		for zone; do
			printf '\tlocal-zone: "%s." transparent\n' "$zone"
			if [[ -e $folder/$zone.anchor ]]; then
				printf '\ttrust-anchor-file: "%s/%s.anchor"\n' "$folder" "$zone"
			else
				printf '\tdomain-insecure: "%s"\n' "$zone"
			fi
		done
		for zone; do
			printf 'stub-zone:\n\tname: "%s"\n\tstub-addr: 127.0.0.1@%s\n' "$zone" "$NSD_PORT"
		done
		printf 'remote-control:\n\tcontrol-enable: no\n'
	} >"$folder/unbound.conf"
	ip netns exec "$NS_RESOLVERS" nsd -d -c "$folder/nsd.conf" </dev/null >"$folder/nsd.out" 2>&1 &
	NSD_PID=$!
	ip netns exec "$NS_RESOLVERS" unbound -d -c "$folder/unbound.conf" </dev/null >"$folder/unbound.out" 2>&1 &
	UNBOUND_PID=$!
	disown "$NSD_PID" "$UNBOUND_PID"
	for zone; do
		wait_for 20 dns_answers "$zone" || {
			tail -n 3 "$folder"/{nsd,unbound}.{log,out} >&2
			return 1
		}
	done
}

dns_answers() {
	in_resolvers dig +noall +comments +time=1 +tries=1 @127.0.0.1 "$1" SOA | grep -q 'status: NOERROR'
}

# box_arguments PREFIX: the EAL arguments of a box in this network, one a line.
box_arguments() {
	local driver=net_af_xdp more='' memory=256
	[[ $BOX_PORTS != tap ]] || driver=net_tap
	# Its buffers are of the size of its frames.
	[[ $BOX_PORTS != packet ]] ||
		driver=net_af_packet more=,blocksz=16384,framesz=16384,framecnt=8192 memory=512
	printf '%s\n' --lcores "$(lcores "$BOX_WORKERS")" --no-huge -m "$memory" --no-pci --no-shconf \
		"--file-prefix=$1" --log-level=error \
		--vdev "${driver}0,iface=clients$more" --vdev "${driver}1,iface=resolvers$more"
}

# box_up PREFIX FOLDER CONFIG: starts dnsweir, sets BOX_PID, waits until it forwards.
# Its output is in FOLDER/box.out and FOLDER/box.err.
box_up() {
	local prefix=$1 folder=$2 config=$3 arguments
	mapfile -t arguments < <(box_arguments "$prefix")
	rm -f "$folder/box.err" # else an earlier box's words could be taken for this one's
	ip netns exec "$NS_BOX" "$BUILD/app/dnsweir" "${arguments[@]}" -- --config "$config" --json \
		</dev/null >"$folder/box.out" 2>"$folder/box.err" &
	BOX_PID=$!
	wait_for 30 box_settled "$folder"
	grep -qs '^dnsweir: forwarding: ' "$folder/box.err" || {
		cat "$folder/box.err" >&2
		return 1
	}
	[[ $BOX_PORTS != tap ]] || net_taps_up
}

# It forwards, or it has ended.
box_settled() {
	grep -qs '^dnsweir: forwarding: ' "$1/box.err" || ! kill -0 "$BOX_PID"
}

# box_down: stops it as an operator would; its exit status, that of SIGKILL if it hangs.
box_down() {
	local status=0
	stop_pid "$BOX_PID" 20
	wait "$BOX_PID" || status=$?
	return "$status"
}
