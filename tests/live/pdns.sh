#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Passive DNS against what is true.
#
#   tests/live/pdns.sh [OBSERVATIONS [QUESTIONS]]     5,000,000 and 10,000, unless given
#
# NSD serves a zone; Unbound, BIND and Knot Resolver answer dnsperf through the box. The box, and the resolvers by their own
# dnstap, unmodified, feed one collector: what it has is held against the zone. Then a generator sends that many
# observations, remembers them by itself, reads pages meanwhile, and holds answers to random questions against a plain
# scan. See pdns_truth.py.
#
# Ends with "N passed, N failed"; the exit code is 1 if anything failed.
set -euo pipefail
# shellcheck source=tests/live/live.sh
. "$(dirname "${BASH_SOURCE[0]}")/live.sh"

OBSERVATIONS=${1:-5000000} QUESTIONS=${2:-10000}
[[ $OBSERVATIONS =~ ^[0-9]+$ && $QUESTIONS =~ ^[0-9]+$ && $# -le 2 ]] || die 2 "usage: pdns.sh [OBSERVATIONS [QUESTIONS]]"
((EUID == 0)) || die 2 "needs root, for network namespaces and AF_XDP"
need_packages "${NET_PACKAGES[@]}" bind9 knot-resolver dnsperf
COLLECT=$BUILD/app/dnsweir-collect
[[ -x $COLLECT && -x $BUILD/app/dnsweir ]] || die 2 "$BUILD is not built"
NAMES=600 PORT=18055
BIND4=198.51.100.54 KNOT4=198.51.100.55

undo_at_exit
WORK=$(mktemp -d /tmp/dnsweir-pdns.XXXXXX)
PREFIX=dwq$$
undo rm -rf "$WORK"
undo net_down "$PREFIX"
truth() { in_resolvers env PYTHONDONTWRITEBYTECODE=1 python3 "$LIVE/pdns_truth.py" "$@"; }
# part COMMAND...: its lines are tests.
part() {
	local log=$WORK/part.log status=0
	"$@" >"$log" 2>&1 || status=$?
	cat "$log"
	N_OK=$((N_OK + $(grep -c '^ok ' "$log" || true)))
	N_FAILED=$((N_FAILED + $(grep -c '^not ok' "$log" || true)))
	((status == 0)) || grep -q '^not ok' "$log" || not_ok "$* ends well" "exit status $status"
}

bind_up() {
	cat >"$WORK/bind.conf" <<-END
		options {
			directory "$WORK";
			listen-on { $BIND4; };
			listen-on-v6 { none; };
			pid-file none; session-keyfile none; lock-file none;
			dnssec-validation no;
			allow-query { any; }; allow-recursion { any; };
			forward only; forwarders { 127.0.0.1 port $NSD_PORT; };
			dnstap { forwarder response; resolver response; };
			dnstap-output unix "$WORK/tap.sock";
			fstrm-set-flush-timeout 1;
		};
		controls { };
	END
	ip netns exec "$NS_RESOLVERS" named -g -c "$WORK/bind.conf" </dev/null >"$WORK/bind.out" 2>&1 &
	undo stop_pid $!
}

knot_up() {
	mkdir "$WORK/kresd"
	cat >"$WORK/kresd.conf" <<-END
		net.listen('$KNOT4', 53, { kind = 'dns' })
		trust_anchors.remove('.')
		modules.load('dnstap')
		dnstap.config({ socket_path = '$WORK/tap.sock', identity = 'knot', version = 'resolver',
			client = { log_queries = false, log_responses = true } })
		policy.add(policy.suffix(policy.STUB('127.0.0.1@$NSD_PORT'), { todname('truth.') }))
	END
	ip netns exec "$NS_RESOLVERS" kresd -n -c "$WORK/kresd.conf" "$WORK/kresd" </dev/null >"$WORK/kresd.out" 2>&1 &
	undo stop_pid $!
}

collector_up() {
	put collect.ini '[api]' "listen = 127.0.0.1:$PORT" 'rate = 100000' '[collect]' "socket = $WORK/tap.sock" "store = $WORK/log" \
		'[pdns]' "store = $WORK/pdns"
	ip netns exec "$NS_RESOLVERS" "$COLLECT" serve --config "$WORK/collect.ini" </dev/null >"$WORK/collect.out" 2>"$WORK/collect.err" &
	undo stop_pid $! 30
	wait_for 30 grep -qs ': serving: ' "$WORK/collect.err" || die 1 "$(tail -n 1 "$WORK/collect.err")"
	KEY=$("$COLLECT" key add truth --role pdns --store "$WORK/log")
}

# ask SERVER PART: all questions of a part, once each.
ask() {
	in_clients dnsperf -s "$1" -d "$WORK/asked.$2" -n 1 -q 10 -Q 400 -t 10 >"$WORK/perf.$2" 2>&1
	grep -q "Queries completed: *$(wc -l <"$WORK/asked.$2") (100.00%)" "$WORK/perf.$2" &&
		grep -q 'NOERROR [0-9]* (100.00%)' "$WORK/perf.$2"
}
answers() { in_resolvers dig +time=1 +tries=1 "@$1" truth SOA | grep -q 'status: NOERROR'; }
# What resolvers asked for themselves is in the number, and they tell with some delay: it has to stand still.
observed() {
	local last='' n i
	for ((i = 0; i < 12; i++)); do
		n=$(curl_status)
		((n < $1)) || [[ $n != "$last" ]] || return 0
		last=$n
		sleep 5
	done
	return 1
}
curl_status() {
	in_resolvers python3 -c '
import json, sys, urllib.request
request = urllib.request.Request("http://127.0.0.1:%s/v1/status" % sys.argv[1], headers={"X-API-Key": sys.argv[2]})
pdns = json.load(urllib.request.urlopen(request))["pdns"]
print(pdns["messages"] if pdns["waiting"] == 0 else 0)' "$PORT" "$KEY"
}
connected() { [[ $(counter dnsweir_tap_connected) == 1 ]]; }

net_up "$PREFIX"
for address in "$BIND4" "$KNOT4"; do
	in_resolvers ip address add "$address/24" dev wire
done
truth zone "$WORK" "$NAMES"
collector_up
UNBOUND_MORE=$(printf '%s\n' '' 'dnstap:' 'dnstap-enable: yes' "dnstap-socket-path: \"$WORK/tap.sock\"" \
	'dnstap-log-resolver-response-messages: yes' 'server:')
export UNBOUND_MORE
dns_up "$WORK" truth || die 1 "the resolver did not start"
undo stop_pid "$NSD_PID"
undo stop_pid "$UNBOUND_PID"
bind_up
knot_up
box_config 60
put listed.txt nothing.example
printf '[tap]\nsocket = %s\n' "$WORK/tap.sock" >>"$WORK/dnsweir.ini"
box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini" || die 1 "dnsweir did not start"
undo box_down
check "the box connects to the collector" wait_for 10 connected
check "BIND answers" wait_for 20 answers "$BIND4"
check "Knot Resolver answers" wait_for 20 answers "$KNOT4"
check "dnsperf gets all answers of Unbound through the box" ask "$RESOLVER4" 0
check "and of BIND" ask "$BIND4" 1
check "and of Knot Resolver" ask "$KNOT4" 2
# The box says all answers, each resolver its third.
check "all that was sent is written" observed $((NAMES + NAMES / 3 * 3))
part truth live "$WORK" "$PORT" "$KEY"
part truth made "$WORK/tap.sock" "$PORT" "$KEY" "$OBSERVATIONS" "$QUESTIONS"
summary
