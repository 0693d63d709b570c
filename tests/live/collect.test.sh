# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# box: own
# The collector stores what the box sends, to the unit; what it loses when it is killed is counted; a
# resolver's own dnstap is made anonymous before it is kept.

COLLECT=$BUILD/app/dnsweir-collect
STORE=$WORK/store
export TZ=UTC

collect_up() {
	"$COLLECT" serve --config "$WORK/collect.ini" </dev/null >"$WORK/collect.out" 2>>"$WORK/collect.err" &
	COLLECT_PID=$!
	wait_for 10 test -S "$WORK/tap.sock"
}

# What is left when a test does not run to its end.
trap 'for pid in ${COLLECT_PID:-} ${TAPPED_PID:-} ${PERF_PID:-}; do kill "$pid" 2>/dev/null || true; done' EXIT

collect_down() {
	local status=0
	stop_pid "$COLLECT_PID" 10
	wait "$COLLECT_PID" || status=$?
	return "$status"
}

# at_end KEY: a counter that the collector printed when it ended.
at_end() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$WORK/collect.out" "$1"; }

# records OPTION...: how many there are.
records() { "$COLLECT" query --store "$STORE" "$@" 2>/dev/null | wc -l; }

# ask FILE N: as many queries as fast as they are answered, each until it is.
ask() { in_clients dnsperf -s "$RESOLVER4" -d "$1" -n "$2" -q 20 -T 1 -c 2 -t 5 2>&1; }
answered() { sed -n 's/^ *Queries completed: *\([0-9]*\).*/\1/p'; }

write_config
put consent.csv prefix,filter,log "$OPTOUT4_PREFIX,no,no"
put catalogue.csv id,fqdn,behaviour,start,end 'M-1,dated.example,C2 server,2020-01-01,'
# Its API stays at its unix socket, but for the counters of the box.
put collect.ini '[collect]' "socket = $WORK/tap.sock" "store = $STORE" '[api]' 'listen = 127.0.0.1:18153' \
	"boxes = $WORK/control.sock $WORK/absent.sock" '[pdns]' "store = $WORK/pdns" 'window = 1'
printf '[tap]\nsocket = %s\nconnections = 2\n' "$WORK/tap.sock" >>"$WORK/dnsweir.ini"
: >"$WORK/collect.err"
collect_up
box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini"
connected() { [[ $(counter dnsweir_tap_connected) == 2 ]]; }
check "the box connects twice" wait_for 10 connected

# Of ten queries six are for what is not listed, two for an absent name, one each for two lists.
put queries.txt 'www.example A' 'www.example AAAA' 'last.example A' 'mail.example A' 'www.example A' \
	'srv.example SRV' 'absent.example A' 'absent.example AAAA' 'dated.example A' 'denied.example A'
n=$(ask "$WORK/queries.txt" 500 | answered)
is "5,000 queries are answered" 5000 echo "$n"
in_clients dig -b "$OPTOUT4" +short "@$RESOLVER4" optedout.example A >/dev/null
sent() { [[ $(counter dnsweir_tap_sent_total) == 5000 ]]; }
check "as many frames are sent" wait_for 10 sent
sleep 1.5
is "as many records are stored" 5000 records
is "by response code" "4000 1000" echo "$(records --rcode NOERROR) $(records --rcode NXDOMAIN)"
is "by type" "3500 1000 500" echo "$(records --type A) $(records --type AAAA) $(records --type SRV)"
is "by malware identifier" 500 records --id M-1
is "filtered ones" 1000 records --filtered
is "these have their client whole" 1000 records --filtered --client "$CLIENT4"
is "the others have not" 1000 records --client "$CLIENT4"
is "a name that a client asked for who refused logging is nowhere" "" \
	grep -rl optedout "$STORE"
is "nor is that client" 0 records --client "$OPTOUT4"

# Counters of the box, in the form of Prometheus.
metric() { curl -s http://127.0.0.1:18153/metrics | grep -F "$1 " | cut -d ' ' -f 2; }
is "the collector shows which boxes answer" "1 0" \
	echo "$(metric "dnsweir_box_up{box=\"$WORK/control.sock\"}") $(metric "dnsweir_box_up{box=\"$WORK/absent.sock\"}")"
is "the box's counters are the box's" "$(counter dnsweir_tap_sent_total)" \
	metric "dnsweir_tap_sent_total{box=\"$WORK/control.sock\"}"
is "with their labels" 500 \
	metric "dnsweir_responses_total{box=\"$WORK/control.sock\",rcode=\"NXDOMAIN\",type=\"A\"}"
check "promtool has nothing to say" sh -c 'curl -s http://127.0.0.1:18153/metrics | promtool check metrics'

# What names resolved to, as the resolver said it, and without the one who refused.
seen() { "$COLLECT" pdns query --dataset "$WORK/pdns" "$@" 2>/dev/null; }
sleep 1.5
is "each tuple is counted as often as it was served" 1000 \
	sh -c "'$COLLECT' pdns query --dataset '$WORK/pdns' --name www.example --type A | sed -n '1s/^{\"count\":\([0-9]*\),.*/\1/p'"
check "of a filtered name the original answer is kept" grep -q '"count":500,' <(seen --name dated.example --type A)
is "no address of the sinkhole is" "" seen --ip "$SINK4"
is "nor what was asked by a client that refused" "" seen --name optedout.example
is "and it is in no file" "" grep -rl optedout "$WORK/pdns"

# Killed and started again while queries come.
in_clients dnsperf -s "$RESOLVER4" -d "$WORK/queries.txt" -l 12 -Q 2000 -q 20 -T 1 -c 2 \
	>"$WORK/dnsperf.out" 2>&1 </dev/null &
PERF_PID=$!
for ((i = 0; i < 5; i++)); do
	sleep 1.5
	kill -KILL "$COLLECT_PID"
	wait "$COLLECT_PID" 2>/dev/null || true
	collect_up
done
wait "$PERF_PID"
check "the box connects again" wait_for 10 connected
# The frame behind a gap tells of it, on each of the two connections.
for ((i = 0; i < 4; i++)); do q4 www.example A >/dev/null; done
sleep 2.5
frames=$(counter dnsweir_tap_frames_total)
sent=$(counter dnsweir_tap_sent_total)
is "no frame is lost by the box" "$frames" echo "$sent"
is "the box has lost no packet" 0 counter dnsweir_tx_dropped_total
status=0
collect_down || status=$?
is "the collector ends with exit status 0" 0 echo "$status"
is "all that the box numbered is known" "$frames" at_end numbered
stored=$(records)
is "what was numbered is stored or counted as lost" "$frames" echo $((stored + $(at_end lost)))
check "something was stored behind the last kill" test "$stored" -gt 5000
say "# $frames frames, $stored stored, $(at_end lost) lost in 5 kills"
pdns_end() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["pdns"][sys.argv[2]])' "$WORK/collect.out" "$1"; }
is "passive DNS knows the same numbers" "$frames" pdns_end numbered
check "and counts what it lost" test "$(pdns_end lost)" -gt 0
say "# passive DNS lost $(pdns_end lost)"
status=0
box_down || status=$?
is "the box stops with exit status 0" 0 echo "$status"

# A resolver's own dnstap.
rm -rf "$STORE" "$WORK/pdns"
collect_up
cat >"$WORK/tapped.conf" <<-END
	server:
		interface: 127.0.0.1@5399
		interface: ::1@5399
		username: ""
		chroot: ""
		directory: "$WORK"
		pidfile: ""
		use-syslog: no
		do-daemonize: no
		num-threads: 1
		access-control: 127.0.0.0/8 allow
		access-control: ::/0 allow
		local-zone: "tapped.example." static
		local-data: "www.tapped.example. A 203.0.113.9"
	dnstap:
		dnstap-enable: yes
		dnstap-bidirectional: yes
		dnstap-socket-path: "$WORK/tap.sock"
		dnstap-send-identity: yes
		dnstap-log-client-query-messages: yes
		dnstap-log-client-response-messages: yes
	remote-control:
		control-enable: no
END
ip netns exec "$NS_RESOLVERS" unbound -d -c "$WORK/tapped.conf" </dev/null >"$WORK/tapped.out" 2>&1 &
TAPPED_PID=$!
sleep 1
for ((i = 0; i < 20; i++)); do
	in_resolvers dig +short +time=2 -b 127.0.3.77 -p 5399 @127.0.0.1 www.tapped.example A >/dev/null
done
# An address that is nowhere by chance.
in_resolvers ip address add 2001:db8:99:1f2e:3d4c:5b6a:7988:a7b6/128 dev lo
for ((i = 0; i < 20; i++)); do
	in_resolvers dig +short +time=2 -b 2001:db8:99:1f2e:3d4c:5b6a:7988:a7b6 -p 5399 @::1 www.tapped.example AAAA >/dev/null
done
sleep 2.5
read -r dumped left_out < <("$LIVE/memory.py" "$COLLECT_PID" 20010db800991f2e3d4c5b6a7988a7b6)
is "a core dump of the collector has no client's address" 0 echo "$dumped"
check "it is where core dumps do not look" test "$left_out" -gt 0
stop_pid "$TAPPED_PID"
is "40 responses of a resolver are stored" 40 records --name www.tapped.example
is "its clients are cut" "20 20" echo "$(records --client 127.0.0.0/22) $(records --client 2001:db8::/40)"
is "and nowhere whole" 0 sh -c "'$COLLECT' query --store '$STORE' | grep -c 127.0.3.77"
status=0
collect_down || status=$?
is "the collector ends with exit status 0 again" 0 echo "$status"
is "its answers make passive DNS" '"count":20,' sh -c "'$COLLECT' pdns query --dataset '$WORK/pdns' --name www.tapped.example --sensor client | cut -c 2-12"
check "its queries are passed over and counted" grep -q '"other_type":40' "$WORK/collect.out"
