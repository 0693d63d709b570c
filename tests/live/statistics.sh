#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Whether all that is counted and kept of queries is right to the unit: tests/live/statistics.sh [QUERIES]
#
# Clients of hundreds of prefixes ask through the box, in known proportions of names, types, response
# codes, lists and actions, over UDP and TCP (tests/live/counts.py). Everything is held against what they
# got answers to: records in the query log, totals, the report that is made of these, counters. The
# resolver's own dnstap, with whole addresses, goes to a second collector meanwhile.
# Of clients that refused logging, and of addresses whose responses were not changed, nothing may be in
# the log, decompressed too, in the dnstap that the box sends, in totals, in what programs print and in
# core dumps of the collectors, which are made in the middle of it.
set -euo pipefail
# shellcheck source=tests/live/live.sh
. "$(dirname "${BASH_SOURCE[0]}")/live.sh"

QUERIES=${1:-1000000}
[[ $# -le 1 && $QUERIES =~ ^[0-9]{4,7}$ ]] || die 2 "usage: statistics.sh [QUERIES], at least 1000"
((EUID == 0)) || die 2 "needs root, for network namespaces and AF_XDP"
need_packages "${NET_PACKAGES[@]}" fstrm-bin gdb rocksdb-tools

ZONE=Asia/Tokyo
COLLECT=$BUILD/app/dnsweir-collect

undo_at_exit
WORK=$(mktemp -d /tmp/dnsweir-statistics.XXXXXX)
PREFIX=dws$$
export RUNTIME_DIRECTORY=$WORK
undo rm -rf "$WORK"
undo net_down "$PREFIX"
mkdir "$WORK"/{out,dumps,here}

needles() { python3 "$LIVE/needles.py" "$1" "$WORK" "${@:2}"; }
counts() { python3 "$LIVE/counts.py" "$1" "$WORK" "${@:2}"; }

# collect_up NAME LINE...: a collector with a socket NAME.sock and a log in NAME, whose process may dump core.
collect_up() {
	local name=$1
	put "$name.ini" '[api]' 'listen =' '[collect]' "socket = $WORK/$name.sock" "store = $WORK/$name" \
		'[time]' "zone = $ZONE" \
		'[consent]' 'source = consent.csv'
	(ulimit -c unlimited && cd "$WORK/here" && exec "$COLLECT" serve --config "$WORK/$name.ini") </dev/null \
		>"$WORK/out/$name.out" 2>"$WORK/out/$name.err" &
	COLLECT_PIDS[$name]=$!
	undo stop_pid $!
	wait_for 10 test -S "$WORK/$name.sock"
}

# at_end NAME KEY: a counter that a collector printed when it ended.
at_end() {
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$WORK/out/$1.out" "$2"
}

records() { "$COLLECT" query --store "$WORK/$1" --zone "$ZONE" --order name --format csv; }

dump() {
	gcore -o "$WORK/dumps/$1" "${COLLECT_PIDS[$1]}" >"$WORK/dumps/$1.log" 2>&1 || true
	mv "$WORK/dumps/$1.${COLLECT_PIDS[$1]}" "$WORK/dumps/$1.core"
}

# list NAME ACTION: its section of the configuration.
list() {
	printf '[list %s]\nsource = %s.csv\naction = %s\n' "$1" "$1" "$2"
}

counts files
{
	printf '[ports]\nlink_state = %s\n[sinkhole]\nipv4 = %s\nipv6 = %s\n' "$LINK_STATE" "$SINK4" "$SINK6"
	list c2 sinkhole
	list phish nxdomain
	list empty nodata
	list gone drop
	list overtcp tcp-only
	list watch log
	list good allow
	printf '[consent]\nsource = consent.csv\n[control]\nsocket = %s\n' "$WORK/control.sock"
	printf '[time]\nzone = %s\n[totals]\nfile = totals.db\n' "$ZONE"
	# A collector takes nothing while its core is dumped.
	printf '[tap]\nsocket = %s %s\nqueue = 128\n' "$WORK/boxes.sock" "$WORK/capture.sock"
} >"$WORK/dnsweir.ini"

net_up "$PREFIX"
in_clients ip route add local 10.0.0.0/8 dev lo
in_clients ip -6 route add local fd00::/8 dev lo
in_clients sysctl -qw net.ipv4.ip_nonlocal_bind=1 net.ipv6.ip_nonlocal_bind=1
in_resolvers ip route add 10.0.0.0/8 via "$CLIENT4"
in_resolvers ip -6 route add fd00::/8 via "$CLIENT6"

declare -A COLLECT_PIDS
collect_up boxes
collect_up resolver
fstrm_capture -t protobuf:dnstap.Dnstap -u "$WORK/capture.sock" -w "$WORK/out/box.tap" >/dev/null 2>&1 &
CAPTURE_PID=$!
undo stop_pid "$CAPTURE_PID"
wait_for 5 test -S "$WORK/capture.sock"
# A trust anchor that nothing in the zone is signed for makes responses SERVFAIL.
UNBOUND_MORE="trust-anchor: \"bogus.stats. DS 1 13 2 $(printf '0%.0s' {1..64})\"
dnstap:
	dnstap-enable: yes
	dnstap-socket-path: \"$WORK/resolver.sock\"
	dnstap-log-client-query-messages: yes
	dnstap-log-client-response-messages: yes
server:" dns_up "$WORK" stats || die 1 "the resolver did not start"
box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini" || die 1 "dnsweir did not start"
connected() { [[ $(counter dnsweir_tap_connected) == 2 ]]; }
check "the box connects to the collector and the capture" wait_for 10 connected

drops=$(wire_drops)
status=0
in_clients python3 "$LIVE/counts.py" send "$QUERIES" "$RESOLVER4" "$RESOLVER6" "$WORK" </dev/null \
	>"$WORK/send.out" 2>&1 &
SEND_PID=$!
undo stop_pid "$SEND_PID"
under_way() { ! kill -0 "$SEND_PID" || (($(counter dnsweir_mirror_records_total) > QUERIES / 4)); }
wait_for 280 under_way || true
dump resolver
dump boxes
read -r seen left_out < <(needles memory "${COLLECT_PIDS[resolver]}")
wait "$SEND_PID" || status=$?
say "# $(cat "$WORK/send.out")"
say "# frames dropped by the wires: $(($(wire_drops) - drops))"
if ((status != 0)) && (($(wire_drops) > drops)); then
	say "# what a wire lost is no more in what there has to be; queries that get no answer count as sent"
	status=0
fi
is "every query is answered" 0 echo "$status"
[[ -e $WORK/sent.json ]] || die 1 "the sender did not come to its end"

answered=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["responses"])' "$WORK/sent.json")
sent() { (($(counter dnsweir_tap_sent_total) >= 2 * answered)); }
check "each response that may be logged is sent to both" wait_for 20 sent
is "no record is lost on the way" "0 0 0" echo "$(counter dnsweir_mirror_lost_total)" \
	"$(counter dnsweir_tap_lost_total queue)" "$(counter dnsweir_tx_dropped_total)"
is "the box has a record of each" "$answered" counter dnsweir_mirror_records_total
check "no raw address in the files of running collectors" needles search "$WORK/boxes" "$WORK/resolver"
sleep 1.5
show() {
	local text status=0
	text=$(records boxes | counts records 2>&1) || status=$?
	say "# ${text//$'\n'/$'\n'# }"
	return "$status"
}
if show; then
	ok "stored counts are those of the queries, by name, type, code, client prefix, list, id and action"
else
	not_ok "stored counts are those of the queries, by name, type, code, client prefix, list, id and action"
fi
status=0
box_down || status=$?
is "the box stops with exit status 0" 0 echo "$status"
cp "$WORK"/box.{out,err} "$WORK/out"
check "each packet received has one verdict and was sent" python3 "$TOP/scripts/counters.py" check "$WORK/box.out"
check "totals are those of the queries, by code and type, and by list, id and action" \
	counts totals "$WORK/totals.db"
catalogues=()
for one in c2 phish empty gone overtcp; do catalogues+=(--catalogue "$WORK/$one.csv"); done
"$BUILD/app/dnsweir-report" --from "$(TZ=$ZONE date -d '-1 day' +%F)" --to "$(TZ=$ZONE date -d '+1 day' +%F)" \
	--totals "$WORK/totals.db" "${catalogues[@]}" --watched "$WORK/watch.csv" -o "$WORK/out/report.json"
check "the report's numerator and denominator, too" counts report "$WORK/out/report.json"
stop_pid "$CAPTURE_PID"

stop_pid "$NSD_PID"
stop_pid "$UNBOUND_PID" 20
# The one ends as it should, the other one by an abort.
stop_pid "${COLLECT_PIDS[boxes]}" 20
status=0
wait "${COLLECT_PIDS[boxes]}" || status=$?
is "the collector ends with exit status 0" 0 echo "$status"
is "all that the box numbered is stored, of one connection" "$answered $answered 0 1" \
	echo "$(at_end boxes numbered) $(at_end boxes stored) $(at_end boxes lost) $(at_end boxes connections)"
sleep 1.5
kill -USR1 "${COLLECT_PIDS[resolver]}"
wait_for 5 test -s "$WORK/out/resolver.out"
check "clients that refused logging were left out of the resolver's dnstap" \
	grep -q '"opted_out":[1-9]' "$WORK/out/resolver.out"
kill -ABRT "${COLLECT_PIDS[resolver]}"
status=0
wait "${COLLECT_PIDS[resolver]}" 2>/dev/null || status=$?
is "a collector that is aborted leaves no core dump" "134 0" echo "$status $(find "$WORK/here" -type f | wc -l)"
cut_all() { records resolver | counts cut; }
check "the resolver's dnstap is stored, with all addresses cut" cut_all

is "memory that core dumps have holds no raw address" 0 echo "$seen"
say "# $left_out of them where core dumps do not look"
check "core dumps that gcore made while frames came have none" needles search "$WORK/dumps"
check "the log has none, as it is and decompressed" needles search "$WORK/boxes" "$WORK/resolver"
check "nor has the dnstap of the box" needles search "$WORK/out/box.tap"
check "nor have totals, reports and what programs print" needles search "$WORK/totals.db" "$WORK/out"
printf 'an unlogged name' >"$WORK/found"
is "what is searched for would be found" 1 bash -c "python3 '$LIVE/needles.py' search '$WORK' '$WORK/found' >/dev/null; echo \$?"
check "in tables, too, where they are compressed" needles holds host0001 "$WORK/boxes"
summary
