#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Many TCP flows through the box, and floods: tests/live/flows.sh [--cable] [--taps] [CONNECTIONS [FLOOD]]
#
# CONNECTIONS (10,000) TCP connections are held at once. Each asks, pauses, and asks again; every answer
# is looked at. Then FLOOD (1,000,000) TCP flows are left half-open, SYN from the clients and SYN+ACK
# from the resolvers, and as many first fragments come whose rest never does, while others ask over
# UDP: nothing of theirs may be lost, they keep their rate, and the box does not grow.
# What others could ask at most is measured without wires, for which two CPUs are too few: the box takes
# their packets out of memory as fast as it can, without and with a flood's packet behind every 31.
#   --cable   a wire in place of the box, to see what the machine does by itself
#   --taps    two workers on TAP devices of two queues, instead of one on AF_XDP
set -euo pipefail
# shellcheck source=tests/live/live.sh
. "$(dirname "${BASH_SOURCE[0]}")/live.sh"
cable=''
while [[ ${1:-} == --* ]]; do
	case $1 in
	--cable) cable=yes ;;
	--taps) box_option "$1" ;;
	*) break ;;
	esac
	shift
done

CONNECTIONS=${1:-10000}
FLOOD=${2:-1000000}
[[ $CONNECTIONS =~ ^[1-9][0-9]{0,4}$ && $FLOOD =~ ^[1-9][0-9]{0,7}$ && $# -le 2 ]] ||
	die 2 "usage: flows.sh [--cable] [--taps] [CONNECTIONS [FLOOD]]"
((EUID == 0)) || die 2 "needs root, for network namespaces and AF_XDP"
need_packages "${NET_PACKAGES[@]}" dnsperf
TRAFFIC=$BUILD/tests/traffic/traffic
[[ -x $TRAFFIC ]] || die 2 "$TRAFFIC is not built"
[[ -x $BUILD/app/dnsweir || -n $cable ]] || die 2 "$BUILD/app/dnsweir is not built"

NAMES=1000       # half of them listed
ROUNDS=2         # queries on each connection
PAUSE_MS=3000    # between them
STALL_MS=20000   # without progress
SOURCES=8        # client addresses, of each family
FLOOD_RATE=25000 # frames a second, each side: what two CPUs make, pass and take besides the rest
QUIET_S=10       # seconds of others' load without a flood
PERF_RATE=2000   # queries a second of others
PERF_FLIGHT=50   # of them at once; see load.sh
SHARE_ROUNDS=5   # without a flood and beside it, out of memory
SHARE_S=0.7      # each
GROWTH_KB=8192   # of the box's memory under a flood; its tables have their size from the start

undo_at_exit
WORK=$(mktemp -d /tmp/dnsweir-flows.XXXXXX)
PREFIX=dwf$$
export WORK RUNTIME_DIRECTORY=$WORK
undo rm -rf "$WORK"
undo net_down "$PREFIX"
undo traffic_stop
PIDS=() # of commands run by `ip netns exec`, which becomes them
traffic_stop() {
	local pid
	for pid in "${PIDS[@]}"; do
		stop_pid "$pid"
	done
}

for ((i = 0; i < NAMES; i++)); do
	if ((i % 2)); then
		echo "l$i.flows A listed"
	else
		echo "u$i.flows AAAA"
	fi
done >"$WORK/queries.txt"
sed -n 's/ .* listed$//p' "$WORK/queries.txt" >"$WORK/listed.txt"
cut -d' ' -f1,2 "$WORK/queries.txt" >"$WORK/perf.txt"
box_config 60 'link_state = off'

# sources_add: client addresses to ask from; FROM4 and FROM6 have them with commas between.
sources_add() {
	local i
	FROM4='' FROM6=''
	for ((i = 0; i < SOURCES; i++)); do
		ip -n "$NS_CLIENTS" address add "198.51.100.$((20 + i))/24" dev wire
		ip -n "$NS_CLIENTS" address add "2001:db8:1::1:$i/64" dev wire nodad
		FROM4+=,198.51.100.$((20 + i)) FROM6+=,2001:db8:1::1:$i
	done
	FROM4=${FROM4#,} FROM6=${FROM6#,}
}

# ask SERVER FROM: all connections; the closing line is in ask.out.
ask() {
	local sinks=(--sink4 "$SINK4" --sink6 "$SINK6" --ttl-max 60)
	[[ -z $cable ]] || sinks=()
	in_clients timeout 280 "$TRAFFIC" ask --server "$1" --from "$2" --queries "$WORK/queries.txt" \
		--expect "$WORK/expect" --edns 1232 --tcp "$CONNECTIONS" --rounds "$ROUNDS" --pause "$PAUSE_MS" \
		--limit "$STALL_MS" "${sinks[@]}" >"$WORK/ask.out"
}

# box_kb: memory that the box has asked for, used or not.
box_kb() {
	if [[ -z $cable ]]; then
		sed -n 's/^VmData:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$BOX_PID/status"
	else
		echo 0
	fi
}

# asked_tell: what came of the connections. All of them ask at once when a pause is over: where the box
# has its CPU together with who asks it may not be there in time, and what is lost is sent again.
asked_tell() {
	say "# $(cat "$WORK/ask.out"); the box's ports had no buffer for $(ports_missed) frames so far"
}

# flood_start NAMESPACE KIND
flood_start() {
	ip netns exec "$1" "$TRAFFIC" flood --kind "$2" --count "$FLOOD" --rate "$FLOOD_RATE" wire \
		</dev/null >"$WORK/flood.$2" 2>&1 &
	FLOODS+=($!)
	PIDS+=($!)
}

# end_drops: datagrams that sockets at the ends had no room for.
end_drops() {
	{
		in_clients cat /proc/net/snmp
		in_resolvers cat /proc/net/snmp
	} | awk '/^Udp: [0-9]/ { n += $6 } END { print n }' # RcvbufErrors
}

# ports_missed: frames that the box's ports had no buffer for.
ports_missed() {
	[[ -z $cable ]] || {
		echo 0
		return
	}
	shell -j show ports | python3 -c '
import json, sys
print(sum(port["rx_missed"] + port["rx_no_mbuf"] for port in json.load(sys.stdin)["ports"]))'
}

# others FILE SECONDS: the load of others; what came of it is in FILE.
others() {
	in_clients dnsperf -s "$RESOLVER4" -d "$WORK/perf.txt" -l "$2" -Q "$PERF_RATE" -q "$PERF_FLIGHT" \
		-c 16 -T 1 >"$1" 2>&1 </dev/null
}

field() { sed -n "s/^ *$2: *\([0-9]*\).*/\1/p" "$1"; }

# flood_run WORDS NAMESPACE KIND [NAMESPACE KIND]: others ask without the flood, and with it as long
# as it lasts.
flood_run() {
	local words=$1 pid seconds=$((FLOOD / FLOOD_RATE + 2)) before after drops ends missed quiet flooded lost
	shift
	FLOODS=()
	others "$WORK/quiet" "$QUIET_S" || true
	before=$(box_kb) drops=$(wire_drops) ends=$(end_drops) missed=$(ports_missed)
	while (($#)); do
		flood_start "$1" "$2"
		shift 2
	done
	others "$WORK/flooded" "$seconds" || true
	for pid in "${FLOODS[@]}"; do
		wait "$pid" || true
	done
	after=$(box_kb) drops=$(($(wire_drops) - drops)) ends=$(($(end_drops) - ends))
	say "# $words: $(cat "$WORK"/flood.* | paste -sd' ')"
	rm -f "$WORK"/flood.*
	quiet=$(field "$WORK/quiet" 'Queries completed') flooded=$(field "$WORK/flooded" 'Queries completed')
	lost=$(field "$WORK/flooded" 'Queries lost')
	say "# others: $((quiet / QUIET_S)) answers a second without it, $((flooded / seconds)) with it, $lost lost;" \
		"the wires dropped $drops frames, sockets $ends; the box has $before KB before and $after KB after"
	check "$words: nothing of others is lost but by wires and sockets" test "$lost" -le "$((drops + ends))"
	check "and they lost less than one in a thousand" test "$((lost * 1000))" -le "$flooded"
	is "$words: no port of the box had no buffer for a frame" "$missed" ports_missed
	check "$words: others keep their rate" test "$((flooded * QUIET_S * 10))" -ge "$((quiet * seconds * 9))"
	check "$words: the box does not grow" test "$((after - before))" -le "$GROWTH_KB"
}

# box_of_captures CLIENTS RESOLVERS: a box that gets these captures again and again, as fast as it can.
# Sets BOX_PID.
box_of_captures() {
	rm -f "$WORK/box.err"
	ip netns exec "$NS_BOX" "$BUILD/app/dnsweir" --lcores "$(lcores 1)" --no-huge -m 2048 --no-pci --no-shconf \
		--no-telemetry "--file-prefix=$PREFIX" --log-level=error \
		--vdev "net_pcap0,rx_pcap=$WORK/$1.pcap,infinite_rx=1" \
		--vdev "net_pcap1,rx_pcap=$WORK/$2.pcap,infinite_rx=1" -- --config "$WORK/dnsweir.ini" \
		</dev/null >/dev/null 2>"$WORK/box.err" &
	BOX_PID=$!
	PIDS+=("$BOX_PID")
	wait_for 30 box_settled "$WORK"
}

# share_count WHAT CLIENTS RESOLVERS: a line of what such a box takes.
share_count() {
	local status=0
	box_of_captures "$2" "$3"
	echo "$1 $(python3 "$LIVE/flood.py" count "$WORK/control.sock" "$BOX_PID" "$SHARE_S")" >>"$WORK/share" || status=1
	stop_pid "$BOX_PID" 20
	wait "$BOX_PID" || status=1
	return "$status"
}

# share_run WORDS RATE CLIENTS RESOLVERS: what others keep of their rate beside RATE packets a second of
# the flood in these captures.
share_run() {
	local i alone beside flood kept
	rm -f "$WORK/share"
	for ((i = 0; i < SHARE_ROUNDS; i++)); do
		share_count alone queries answers
		share_count beside "$3" "$4"
	done
	read -r alone beside flood kept < <(python3 "$LIVE/flood.py" share "$2" <"$WORK/share")
	say "# a worker takes $alone packets of others a second, and $beside beside $flood $1 a second;" \
		"beside $2 a second others keep $kept of their rate"
	check "$1 leave others nine tenths of what a worker can do" test "${kept/./}" -ge 0900
}

net_up "$PREFIX"
if [[ -n $cable ]]; then
	[[ $BOX_PORTS == xdp ]] || die 2 "a cable has no TAP devices"
	ip netns exec "$NS_BOX" "$TRAFFIC" impair clients resolvers </dev/null >"$WORK/cable.out" 2>&1 &
	PIDS+=($!)
else
	box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini" || die 1 "dnsweir did not start"
fi
ip netns exec "$NS_RESOLVERS" "$TRAFFIC" serve 127.0.0.1 "$RESOLVER4" "$RESOLVER6" </dev/null >"$WORK/serve.out" 2>&1 &
PIDS+=($!)
wait_for 5 grep -q ready "$WORK/serve.out" || die 1 "$(cat "$WORK/serve.out")"
in_resolvers "$TRAFFIC" ask --server 127.0.0.1 --queries "$WORK/queries.txt" --edns 1232 --tcp 10 \
	--record "$WORK/expect" >"$WORK/record.out" 2>&1 || die 1 "$(cat "$WORK/record.out")"
sources_add

check "$CONNECTIONS connections over IPv4, each used twice" ask "$RESOLVER4" "$FROM4"
asked_tell
is "they were open at the same time" "$CONNECTIONS" sed -n 's/.* most=\([0-9]*\) .*/\1/p' "$WORK/ask.out"
check "$CONNECTIONS connections over IPv6, each used twice" ask "$RESOLVER6" "$FROM6"
asked_tell
is "they were open at the same time" "$CONNECTIONS" sed -n 's/.* most=\([0-9]*\) .*/\1/p' "$WORK/ask.out"
flood_run "$FLOOD half-open flows" "$NS_CLIENTS" syn "$NS_RESOLVERS" syn-ack
flood_run "$FLOOD first fragments" "$NS_RESOLVERS" fragment
if [[ -z $cable ]]; then
	status=0
	box_down || status=$?
	is "the box stops with exit status 0" 0 echo "$status"
	check "each packet received has one verdict and was sent" \
		python3 "$TOP/scripts/counters.py" check "$WORK/box.out"
	is "no port refused a packet" 0 \
		python3 "$TOP/scripts/counters.py" get "$WORK/box.out" dnsweir_tx_dropped_total
	is "no record of the mirror was lost" 0 \
		python3 "$TOP/scripts/counters.py" get "$WORK/box.out" dnsweir_mirror_lost_total
	python3 "$LIVE/flood.py" captures "$WORK"
	box_config 60 'link_state = off' 'mbufs = 160000' # net_pcap keeps captures in the pool
	share_run "half-open flows" $((2 * FLOOD_RATE)) syn-queries syn-ack-answers
	share_run "first fragments" "$FLOOD_RATE" queries fragment-answers
fi
summary
