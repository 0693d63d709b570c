#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The box under load: tests/live/load.sh [--hup] [--taps] [SECONDS]
#
# 1,000 listed and 100,000 unlisted names behind a real resolver; dnsperf asks, and a client beside
# it looks at every answer. No query may be lost, every listed answer is replaced, no unlisted one.
#   --hup    with a list of 1,000,000 names, and SIGHUP to the box every 100 ms all the while
#   --taps   two workers on TAP devices of two queues, instead of one on AF_XDP
set -euo pipefail
# shellcheck source=tests/live/live.sh
. "$(dirname "${BASH_SOURCE[0]}")/live.sh"
hup=''
while [[ ${1:-} == --* ]]; do
	case $1 in
	--hup) hup=yes ;;
	--taps) box_option "$1" ;;
	*) break ;;
	esac
	shift
done

LISTED=1000
UNLISTED=100000
RATE=5000 # queries a second of dnsperf; the other client takes what is left of the machine
# A veth in XDP mode has a ring of 256 frames and drops what does not fit, outside of the box. So all
# queries under way at once, these of dnsperf and two windows of load.py, stay well below that; and
# what the wire itself drops all the same, as the kernel counts it, is not held against the box. A TAP
# device has a ring of 1,000 frames.
IN_FLIGHT=50
SOCKETS=16 # of dnsperf: flows that queues and workers share
SECONDS_LONG=${1:-10}
[[ $SECONDS_LONG =~ ^[0-9]{1,3}$ ]] || die 2 "usage: load.sh [--hup] [--taps] [SECONDS]"
((EUID == 0)) || die 2 "needs root, for network namespaces and AF_XDP"
need_packages "${NET_PACKAGES[@]}" dnsperf

undo_at_exit
WORK=$(mktemp -d /tmp/dnsweir-load.XXXXXX)
PREFIX=dwp$$
export RUNTIME_DIRECTORY=$WORK
undo rm -rf "$WORK"
undo net_down "$PREFIX"

others=0
[[ -z $hup ]] || others=$((1000000 - LISTED))
python3 "$LIVE/load.py" files "$WORK" "$LISTED" "$UNLISTED" "$others"
box_config 60 "link_state = $LINK_STATE"
net_up "$PREFIX"
dns_up "$WORK" load || die 1 "the resolver did not start"
started=$(date +%s%N)
box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini" || die 1 "dnsweir did not start"
start_ms=$((($(date +%s%N) - started) / 1000000))
if [[ -n $hup ]]; then
	say "# from start to forwarding with a list of 1,000,000 names: $start_ms ms"
	check "it forwards within 3 s" test "$start_ms" -lt 3000
	generation=$(shell -j show generation)
fi

drops_before=$(wire_drops)
ip netns exec "$NS_CLIENTS" dnsperf -s "$RESOLVER4" -d "$WORK/queries.txt" -l "$SECONDS_LONG" \
	-Q "$RATE" -q "$IN_FLIGHT" -c "$SOCKETS" -T 1 >"$WORK/dnsperf.out" 2>&1 </dev/null &
perf_pid=$!
ip netns exec "$NS_CLIENTS" python3 "$LIVE/load.py" ask "$LISTED" "$UNLISTED" "$SECONDS_LONG" \
	"$SINK4" "$SINK6" "$RESOLVER4" "$RESOLVER6" >"$WORK/ask.out" 2>"$WORK/ask.err" </dev/null &
ask_pid=$!
signals=0
if [[ -n $hup ]]; then
	end=$((SECONDS + SECONDS_LONG))
	while ((SECONDS < end)); do
		kill -HUP "$BOX_PID" || break
		signals=$((signals + 1))
		sleep 0.1
	done
	say "# $signals SIGHUPs"
fi
wait "$perf_pid" || not_ok "dnsperf ran to its end" "$(tail -n 5 "$WORK/dnsperf.out")"
wait "$ask_pid" || true
read -r _ asked _ answered _ lost _ wrong <"$WORK/ask.out"
perf_lost=$(sed -n 's/^ *Queries lost: *\([0-9]*\).*/\1/p' "$WORK/dnsperf.out")
perf_answered=$(sed -n 's/^ *Queries completed: *\([0-9]*\).*/\1/p' "$WORK/dnsperf.out")
drops=$(($(wire_drops) - drops_before))
say "# client: $asked asked, $answered answered, $lost lost; dnsperf: $perf_answered answered, $perf_lost lost"
say "# frames dropped by the wires: $drops"
check "there was a load" test "$answered" -gt 1000 -a "$perf_answered" -gt 1000
check "no query was lost but by the wire" test "$((lost + perf_lost))" -le "$drops"
check "and the wire lost less than one in a thousand" \
	test "$((drops * 1000))" -le "$((answered + perf_answered))"
is "every listed answer is replaced, no unlisted one" 0 bash -c "cat '$WORK/ask.err'; echo $wrong"
check "dnsperf got only NOERROR" grep -Eq 'Response codes: +NOERROR [0-9]+ \(100.00%\)$' "$WORK/dnsperf.out"
if [[ -n $hup ]]; then
	say "# generation before: $generation"
	say "# generation after: $(shell -j show generation)"
	is "lists were read again" changed bash -c \
		"test '$generation' != '$(shell -j show generation)' && echo changed"
fi
# Packets of each worker, one a line.
worker_packets() {
	shell -j show workers | python3 -c \
		"import json, sys; [print(w['rx_packets']) for w in json.load(sys.stdin)['workers']]"
}
mapfile -t shares < <(worker_packets)
say "# packets of each worker: ${shares[*]}"
is "there are as many workers as wanted" "$BOX_WORKERS" echo "${#shares[@]}"
for share in "${shares[@]}"; do
	check "each of them had its part" test "$share" -gt 1000
done
status=0
box_down || status=$?
is "the box stops with exit status 0" 0 echo "$status"
check "each packet received has one verdict and was sent" \
	python3 "$TOP/scripts/counters.py" check "$WORK/box.out"
is "no port refused a packet" 0 \
	python3 "$TOP/scripts/counters.py" get "$WORK/box.out" dnsweir_tx_dropped_total
summary
