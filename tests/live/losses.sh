#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What is lost is counted, and no packet is: tests/live/losses.sh [KILLS]
#
# While queries are asked, the collector is killed KILLS times (SIGKILL), at any moment; it stops reading
# until the box's queue is full; and its disk is full, also when it is killed and started there. After
# each: every query had its answer, counters are those of the queries, and what the box numbered is stored
# or counted as lost, by a collector that was started anew as well.
set -euo pipefail
# shellcheck source=tests/live/live.sh
. "$(dirname "${BASH_SOURCE[0]}")/live.sh"

KILLS=${1:-50}
[[ $# -le 1 && $KILLS =~ ^[0-9]{1,3}$ ]] || die 2 "usage: losses.sh [KILLS]"
((EUID == 0)) || die 2 "needs root, for network namespaces and AF_XDP"
need_packages "${NET_PACKAGES[@]}" dnsperf

RATE=2000     # queries a second
DISK_SIZE=48m # of which an empty log takes a part
COLLECT=$BUILD/app/dnsweir-collect
export TZ=UTC

undo_at_exit
WORK=$(mktemp -d /tmp/dnsweir-losses.XXXXXX)
PREFIX=dwk$$
export RUNTIME_DIRECTORY=$WORK
undo rm -rf "$WORK"
undo net_down "$PREFIX"
mkdir "$WORK/disk"
STORE=$WORK/disk/log
DISK=no
if mount -t tmpfs -o "size=$DISK_SIZE" dnsweir-losses "$WORK/disk" 2>/dev/null; then
	undo umount "$WORK/disk"
	DISK=yes
fi

collect_up() {
	"$COLLECT" serve --config "$WORK/collect.ini" </dev/null >"$WORK/collect.out" 2>>"$WORK/collect.err" &
	COLLECT_PID=$!
}

collect_kill() {
	kill -KILL "$COLLECT_PID"
	wait "$COLLECT_PID" 2>/dev/null || true
}

undo_collect() { kill -KILL "$COLLECT_PID"; }

disk_fill() { dd if=/dev/zero of="$WORK/disk/filler.$EPOCHREALTIME" bs=4k 2>/dev/null || true; }

# load SECONDS: queries at a steady rate, in the background. Each has time for its answer also when the
# machine is busy with other things.
load() {
	ip netns exec "$NS_CLIENTS" dnsperf -s "$RESOLVER4" -d "$WORK/queries.txt" -l "$1" -Q "$RATE" -q 40 -c 4 -T 1 -t 20 \
		>"$WORK/dnsperf.out" 2>&1 </dev/null &
	PERF_PID=$!
}

# field NAME: a number that dnsperf printed.
field() { sed -n "s/^ *Queries $1: *\([0-9]*\).*/\1/p" "$WORK/dnsperf.out"; }

# shown KEY: a counter of the collector, now.
shown() {
	: >"$WORK/collect.out"
	kill -USR1 "$COLLECT_PID"
	wait_for 10 test -s "$WORK/collect.out"
	python3 -c 'import json, sys
print(json.loads(open(sys.argv[1]).read().replace("\0", "").splitlines()[-1])[sys.argv[2]])' "$WORK/collect.out" "$1"
}

stored() { "$COLLECT" query --store "$STORE" --order name --format csv 2>/dev/null | tail -n +2 | wc -l; }
connected() { [[ $(counter dnsweir_tap_connected) == 2 ]]; }
responses() {
	shell -j show stats | python3 -c 'import json, sys
print(sum(n for row in json.load(sys.stdin)["dnsweir_responses_total"].values() for n in row.values()))'
}
sent_or_lost() { echo $(($(counter dnsweir_tap_sent_total) + $(counter dnsweir_tap_lost_total queue))); }
same() { [[ $("${@:2}") == "$1" ]]; }

# account WHAT: everything that was asked so far is somewhere.
account() {
	local what=$1 frames responses i
	wait "$PERF_PID" || true
	ASKED=$((ASKED + $(field completed)))
	LOST=$((LOST + $(field lost)))
	check "$what: the box is connected again" wait_for 10 connected
	# The frame behind a gap tells of it, on each connection.
	for ((i = 0; i < 4; i++)); do q4 last.example A >/dev/null; done
	ASKED=$((ASKED + 4))
	check "$what: no query was lost but by a wire" test "$LOST" -le $(($(wire_drops) - DROPS))
	responses=$(responses)
	# Of what a wire lost nobody knows whether it was on its way to the box or from there.
	check "$what: responses are counted to the unit" \
		test "$responses" -ge "$ASKED" -a "$responses" -le $((ASKED + LOST))
	is "$what: each is a record, or counted" "$responses" \
		echo $(($(counter dnsweir_mirror_records_total) + $(counter dnsweir_mirror_lost_total)))
	frames=$(counter dnsweir_tap_frames_total)
	is "$what: each record is a frame" "$(counter dnsweir_mirror_records_total)" echo "$frames"
	check "$what: each frame is sent, or counted" wait_for 10 same "$frames" sent_or_lost
	check "$what: the collector knows of all" wait_for 10 same "$frames" shown numbered
	check "$what: nothing waits any more" wait_for 15 same 0 shown pending
	STORED=$(stored)
	is "$what: what was numbered is stored, or counted as lost" "$frames" echo $((STORED + $(shown lost)))
	check "$what: what the box had no room for is among the lost" \
		test "$(shown lost)" -ge "$(counter dnsweir_tap_lost_total queue)"
	is "$what: no worker lost a packet" 0 counter dnsweir_tx_dropped_total
	say "# $frames frames, $STORED stored, $(shown lost) lost, of these in the box's queue" \
		"$(counter dnsweir_tap_lost_total queue)"
}

python3 "$LIVE/load.py" files "$WORK" 100 2000 0
box_config 60 "link_state = $LINK_STATE"
printf '[tap]\nsocket = %s\nconnections = 2\nqueue = 1\n' "$WORK/tap.sock" >>"$WORK/dnsweir.ini"
put collect.ini '[api]' 'listen =' '[collect]' "socket = $WORK/tap.sock" "store = $STORE"
printf '%s\n' "\$ORIGIN example." '@ 3600 SOA ns h 1 3600 600 86400 300' '@ 3600 NS ns' "ns 3600 A $RESOLVER4" \
	'last 3600 A 203.0.113.90' >"$WORK/example.zone"
: >"$WORK/collect.err"
collect_up
undo undo_collect
net_up "$PREFIX"
dns_up "$WORK" load example || die 1 "the resolver did not start"
box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini" || die 1 "dnsweir did not start"
check "the box connects twice" wait_for 10 connected
connected || die 1 "no connection: $(tail -n 2 "$WORK/collect.err")"
ASKED=0 LOST=0 DROPS=$(wire_drops)

# After up to three seconds, so that it is killed while it starts, before its first commit and after.
load $((KILLS * 2 + 2))
for ((i = 0; i < KILLS; i++)); do
	sleep "$((RANDOM % 3)).$((RANDOM % 9 + 1))"
	collect_kill
	collect_up
done
account "$KILLS kills"
check "$KILLS kills: something was stored between them" test "$STORED" -gt 0

before=$(counter dnsweir_tap_lost_total queue)
load 12
sleep 1
kill -STOP "$COLLECT_PID"
sleep 9
check "a collector that does not read: the queue is full" \
	test "$(counter dnsweir_tap_lost_total queue)" -gt "$before"
kill -CONT "$COLLECT_PID"
account "a collector that did not read"

if [[ $DISK == yes ]]; then
	failing() { [[ $(shown failed_commits) -gt 0 ]]; }
	load 8
	sleep 1
	disk_fill
	check "the disk is full, and commits fail" wait_for 10 failing
	check "what comes waits" test "$(shown pending)" -gt 0
	rm "$WORK"/disk/filler*
	account "the disk was full"
	is "the log says when it began and when it ended" "1 1" \
		echo "$(grep -c 'cannot be written' "$WORK/collect.err") $(grep -c 'can be written again' "$WORK/collect.err")"

	load 14
	sleep 1
	disk_fill
	check "the disk is full again" wait_for 10 failing
	collect_kill
	collect_up
	check "killed there, the collector starts again" wait_for 10 connected
	# Its start may have made some room.
	for ((i = 0; i < 20; i++)); do
		disk_fill
		sleep 0.1
	done
	check "and waits for room" wait_for 10 failing
	rm "$WORK"/disk/filler*
	account "killed on a full disk"
else
	skip "a full disk" "no tmpfs can be mounted here"
fi

stop_pid "$COLLECT_PID" 20
status=0
wait "$COLLECT_PID" || status=$?
is "the collector ends with exit status 0" 0 echo "$status"
status=0
box_down || status=$?
is "the box stops with exit status 0" 0 echo "$status"
check "each packet received has one verdict and was sent" python3 "$TOP/scripts/counters.py" check "$WORK/box.out"
summary
