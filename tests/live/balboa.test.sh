# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# box: own
# A passive DNS that reads Suricata's EVE log, balboa, takes what the collector exports, and knows as
# many answers, with the same data.

need_packages balboa balboa-backend-rocksdb
COLLECT=$BUILD/app/dnsweir-collect
STORE=$WORK/pdns-store
export TZ=UTC

PIDS=()
stop_all() {
	local i
	for ((i = ${#PIDS[@]} - 1; i >= 0; i--)); do
		stop_pid "${PIDS[i]}" 10
	done
}
trap stop_all EXIT

# feed: what comes in goes to balboa's socket for Suricata.
feed() {
	python3 -c '
import socket, sys
feeder = socket.socket(socket.AF_UNIX)
feeder.connect(sys.argv[1])
feeder.sendall(sys.stdin.buffer.read())' "$WORK/suricata.sock"
}

# entries KEY VALUE: what balboa has seen; name, type, data, how often.
entries() {
	in_resolvers python3 - "$1" "$2" <<-'END'
		import json, sys, urllib.request
		words = 'query { entries(%s: "%s") { rrname rrtype rdata count } }' % tuple(sys.argv[1:])
		request = urllib.request.Request("http://127.0.0.1:8099/query", json.dumps({"query": words}).encode(),
		                                 {"Content-Type": "application/json"})
		for e in sorted(json.load(urllib.request.urlopen(request, timeout=5))["data"]["entries"] or [],
		                key=lambda e: (e["rrname"], e["rrtype"], e["rdata"])):
		    print(e["rrname"], e["rrtype"], e["rdata"], e["count"])
	END
}
entries_line() { entries "$@" | paste -sd, -; }
is_seen() { [[ $(entries_line "$1" "$2") == "$3" ]]; }
stored() { [[ $("$COLLECT" query --store "$STORE" 2>/dev/null | wc -l) == "$1" ]]; }

write_config
put collect.ini '[api]' 'listen =' '[collect]' "socket = $WORK/pdns.sock" "store = $STORE"
printf '[tap]\nsocket = %s\n' "$WORK/pdns.sock" >>"$WORK/dnsweir.ini"
"$COLLECT" serve --config "$WORK/collect.ini" </dev/null >"$WORK/collect.out" 2>"$WORK/collect.err" &
PIDS+=($!)
wait_for 10 test -S "$WORK/pdns.sock"
box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini"
connected() { [[ $(counter dnsweir_tap_connected) == 1 ]]; }
check "the box connects to the collector" wait_for 10 connected
for ((i = 0; i < 3; i++)); do
	q4 bad.example A >/dev/null
done
q6 bad.example AAAA >/dev/null
q4 many.example A >/dev/null
q4 dated.example A +tcp >/dev/null
q4 denied.example A >/dev/null
q4 www.example A >/dev/null
check "eight responses are stored" wait_for 10 stored 8
box_down

cat >"$WORK/feeders.yaml" <<-END
	feeder:
	    - name: suricata
	      type: socket
	      path: $WORK/suricata.sock
	      input_format: suricata_dns
END
ip netns exec "$NS_RESOLVERS" balboa-rocksdb -p 4299 -d "$WORK/balboa.db" </dev/null >"$WORK/backend.out" 2>&1 &
PIDS+=($!)
sleep 1
ip netns exec "$NS_RESOLVERS" balboa serve -f "$WORK/feeders.yaml" -H 127.0.0.1:4299 -p 8099 -l "$WORK/pdns.log" \
	</dev/null >"$WORK/balboa.out" 2>&1 &
PIDS+=($!)
check "balboa runs" wait_for 10 entries rrname bad.example
"$COLLECT" query --store "$STORE" --eve-version 2 2>/dev/null >"$WORK/eve.json"
check "the export reaches it" feed <"$WORK/eve.json"
check "it has the answers of a listed name, as often as they came" wait_for 10 is_seen rrname bad.example \
	"bad.example A 203.0.113.66 3,bad.example AAAA 2001:db8:66::66 1"
is "all of an answer with four addresses" \
	"many.example A 203.0.113.1 1,many.example A 203.0.113.2 1,many.example A 203.0.113.3 1,many.example A 203.0.113.4 1" \
	entries_line rrname many.example
is "one that came over TCP" "dated.example A 203.0.113.76 1" entries_line rrname dated.example
is "one whose answer was denied" "denied.example A 203.0.113.83 1" entries_line rrname denied.example
is "by address, too" "bad.example A 203.0.113.66 3" entries_line rdata 203.0.113.66
is "no answer of a name that nobody listed" "" entries_line rrname www.example
is "no sinkhole" "" entries_line rdata "$SINK4"
check "fed again, counts are twice as high" feed <"$WORK/eve.json"
check "and data is the same" wait_for 10 is_seen rrname bad.example \
	"bad.example A 203.0.113.66 6,bad.example AAAA 2001:db8:66::66 2"
is "it understood every line" 0 grep -c '"level":"\(warning\|error\)"' "$WORK/pdns.log"
