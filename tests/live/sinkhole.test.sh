# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# box: own
# Who gets the sinkhole's address and connects to it shows up with malware identifier, port and name: the
# files of config/sinkhole with real nginx, nftables and ulogd2, over rotations and restarts.

COLLECT=$BUILD/app/dnsweir-collect
STORE=$WORK/sinkhole-store
HOST=$PREFIX-sinkhole
LOGS=$WORK/sinkhole
STRANGER=198.51.100.99 # has not asked
export TZ=UTC

# What is left when a test does not run to its end.
end_all() {
	local pid
	for pid in ${COLLECT_PID:-} $(cat "$LOGS"/{nginx,ulogd}.pid 2>/dev/null); do
		stop_pid "$pid"
	done
	ip netns delete "$HOST" 2>/dev/null || true
	ip -n "$NS_CLIENTS" address delete "$STRANGER/24" dev wire 2>/dev/null || true
}
trap end_all EXIT

collect_up() {
	"$COLLECT" serve --config "$WORK/collect.ini" </dev/null >"$WORK/collect.out" 2>>"$WORK/collect.err" &
	COLLECT_PID=$!
	wait_for 10 test -S "$WORK/tap.sock"
}

collect_down() {
	local status=0
	stop_pid "$COLLECT_PID" 10
	wait "$COLLECT_PID" || status=$?
	return "$status"
}

# at_end KEY: what the collector counted of the sinkhole's logs.
at_end() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["sinkhole"][sys.argv[2]])' "$WORK/collect.out" "$1"; }

# rows OPTION...: contacts, without times and the client's port.
rows() { "$COLLECT" contacts --store "$STORE" "$@" | sed 1d | cut -d, -f 1-8,11 | sort; }
# sum OPTION...: how many contacts there are in all.
sum() { "$COLLECT" contacts --store "$STORE" "$@" | sed 1d | awk -F, '{ n += $11 } END { print n + 0 }'; }
sums_to() { [[ $(sum "${@:2}") == "$1" ]]; }

in_host() { ip netns exec "$HOST" "$@"; }
http() { in_clients curl -sk --max-time 8 "$@" >/dev/null 2>&1 || true; }
# connect FROM TO PORT [N [SECONDS]]: N times, each for so long at most; and nothing else.
connect() {
	in_clients python3 -c '
import socket, sys
source, to, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
for i in range(int(sys.argv[4])):
    try:
        socket.create_connection((to, port), float(sys.argv[5]), (source, 0)).close()
    except OSError:
        pass' "$1" "$2" "$3" "${4:-1}" "${5:-5}"
}
datagram() { in_clients bash -c "exec 3>/dev/udp/$1/$2; echo >&3"; }

# The sinkhole host, on a wire of its own to the clients.
ip netns add "$HOST"
ip -n "$HOST" link set lo up
ip -n "$NS_CLIENTS" link add sinkhole type veth peer name wire netns "$HOST"
ip -n "$NS_CLIENTS" link set sinkhole up
ip -n "$HOST" link set wire up
for address in "$SINK4" "$OWN4"; do
	ip -n "$HOST" address add "$address/32" dev wire
	ip -n "$NS_CLIENTS" route add "$address" dev sinkhole src "$CLIENT4"
done
ip -n "$HOST" address add "$SINK6/128" dev wire nodad
ip -n "$NS_CLIENTS" route add "$SINK6" dev sinkhole src "$CLIENT6"
ip -n "$HOST" route add 198.51.100.0/24 dev wire
ip -n "$HOST" route add 2001:db8:1::/64 dev wire
# An IPv6 address is answered for on its own interface only.
ip -n "$HOST" neighbour add "$CLIENT6" dev wire \
	lladdr "$(in_clients cat /sys/class/net/sinkhole/address)" nud permanent
ip -n "$NS_CLIENTS" address add "$STRANGER/24" dev wire

chmod 711 "$WORK" # nginx's workers have a user of their own
mkdir "$LOGS"
for file in nginx.conf ulogd.conf logrotate; do
	sed -e "s#/var/log/sinkhole#$LOGS#g" -e "s#/run/nginx.pid#$LOGS/nginx.pid#g" \
		-e "s#/run/nginx-sinkhole.sock#$LOGS/http.sock#g" -e "s#/run/ulog/ulogd.pid#$LOGS/ulogd.pid#g" \
		-e "s#^logfile=\"syslog\"#logfile=\"$LOGS/ulogd.out\"#" "$TOP/config/sinkhole/$file" >"$LOGS/$file"
done
sed -e "s#^define SINKHOLE4 = .*#define SINKHOLE4 = { $SINK4, $OWN4 }#" \
	-e "s#^define SINKHOLE6 = .*#define SINKHOLE6 = { $SINK6 }#" \
	"$TOP/config/sinkhole/sinkhole.nft" >"$LOGS/sinkhole.nft"
check "nftables takes its rules" in_host nft -f "$LOGS/sinkhole.nft"
check "and takes them again" in_host nft -f "$LOGS/sinkhole.nft"
check "nginx starts" in_host nginx -c "$LOGS/nginx.conf"
check "ulogd2 starts" in_host ulogd --daemon --pidfile "$LOGS/ulogd.pid" -c "$LOGS/ulogd.conf"
wait_for 10 test -e "$LOGS/flows.json" || true

write_config
put names.txt quick.example
put catalogue.csv id,fqdn,behaviour,start,end 'M-1,dated.example,C2 server,2020-01-01,' \
	'M-2,bad.example,C2 server,2020-01-01,'
put consent.csv prefix,filter,log "$OPTOUT4_PREFIX,no,no"
put collect.ini '[api]' 'listen =' '[collect]' "socket = $WORK/tap.sock" "store = $STORE" \
	"sinkhole = $LOGS/nginx.json $LOGS/flows.json" '[consent]' 'source = consent.csv'
printf '[tap]\nsocket = %s\n' "$WORK/tap.sock" >>"$WORK/dnsweir.ini"
collect_up
box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini"
connected() { [[ $(counter dnsweir_tap_connected) == 1 ]]; }
check "the box connects to the collector" wait_for 10 connected

# A client that asks, and goes where it is told to.
address=$(q4 dated.example A)
is "a client gets the sinkhole's address" "$OWN4" echo "$address"
sleep 1.5
http --resolve "dated.example:443:$address" https://dated.example/secret
http --resolve "Dated.Example:80:$address" 'http://Dated.Example/secret?stolen=1'
http -H 'Host: unlisted.example' "http://$address/secret"
connect "$CLIENT4" "$address" 6667
connect "$CLIENT4" "$address" 443
connect "$CLIENT4" "$address" 80
datagram "$address" 443
address=$(q6 bad.example AAAA)
is "one with IPv6 gets another one" "$SINK6" echo "$address"
http --resolve "bad.example:443:[$address]" https://bad.example/
connect "$CLIENT6" "$address" 25
# One that has not asked, and one who refused logging.
http --interface "$STRANGER" --resolve "dated.example:443:$OWN4" https://dated.example/
connect "$STRANGER" "$OWN4" 6667
http --interface "$OPTOUT4" --resolve "dated.example:443:$OWN4" https://dated.example/
connect "$OPTOUT4" "$OWN4" 6667
check "everything shows up" wait_for 15 sums_to 11
is "with identifier, port and name where a client has asked for it" \
	"M-1,$CLIENT4,TCP,443,,,dated.example,time,1
M-1,$CLIENT4,TCP,443,sni,dated.example,dated.example,name,1
M-1,$CLIENT4,TCP,6667,,,dated.example,time,1
M-1,$CLIENT4,TCP,80,,,dated.example,time,1
M-1,$CLIENT4,TCP,80,host,dated.example,dated.example,name,1
M-1,$CLIENT4,TCP,80,host,unlisted.example,dated.example,time,1
M-1,$CLIENT4,UDP,443,,,dated.example,time,1" rows --id M-1
is "over IPv6, too" "M-2,$CLIENT6,TCP,25,,,bad.example,time,1
M-2,$CLIENT6,TCP,443,sni,bad.example,bad.example,name,1" rows --id M-2
is "who has not asked has no identifier" ",$STRANGER,TCP,443,sni,dated.example,,none,1
,$STRANGER,TCP,6667,,,,none,1" rows --client "$STRANGER"
is "who refused logging is nowhere" "" rows --client "$OPTOUT4"
is "no path and no query is kept" "" grep -rl -e secret -e stolen "$LOGS/nginx.json" "$STORE"
is "infected clients are told with their contacts" "M-1,$CLIENT4,1,7" \
	bash -c "'$COLLECT' infected --store '$STORE' --id M-1 --day \$(date +%F) | sed 1d | cut -d, -f1,2,5,6"

# Rotation and restarts, while clients connect.
for ((i = 1; i <= 6; i++)); do
	connect "$CLIENT4" "$OWN4" 443 50
	connect "$CLIENT4" "$OWN4" 1433 1
	case $i in
	2) logrotate -f -s "$LOGS/state" "$LOGS/logrotate" ;;
	3)
		kill -KILL "$COLLECT_PID"
		wait "$COLLECT_PID" 2>/dev/null || true
		;;
	4) logrotate -f -s "$LOGS/state" "$LOGS/logrotate" ;;
	5) collect_up ;;
	esac
	sleep 0.5
done
check "files that are rotated and a collector that is killed lose and repeat nothing" \
	wait_for 30 sums_to $((7 + 6 * 50 + 6)) --client "$CLIENT4"
is "all connections of a kind are one row" "M-1,$CLIENT4,TCP,1433,,,dated.example,time,6
M-1,$CLIENT4,TCP,443,,,dated.example,time,301" bash -c "$(declare -f rows); COLLECT=$COLLECT STORE=$STORE; rows --id M-1 | grep -e TCP,1433, -e TCP,443,,"

# A client that tries every port: nftables has the log bounded.
connect "$STRANGER" "$SINK4" 5000 200 0.02
logged() { [[ $(sum --client "$STRANGER") -gt 25 ]]; }
check "of a client that connects without end the first ones are there" wait_for 10 logged
sleep 1.5
check "and not many more" test "$(sum --client "$STRANGER")" -le 60
left_out=$(in_host nft -j list counter inet sinkhole not_logged | python3 -c 'import json, sys; print(json.load(sys.stdin)["nftables"][1]["counter"]["packets"])')
check "the others are counted by nftables" test "$left_out" -ge 140

collect_down || true
is "every line was read" 0 at_end bad
is "no file was lost" 0 at_end gaps
check "lines of clients that refused logging were left out" grep -q '"opted_out":[0-9]' "$WORK/collect.out"
is "a client can be forgotten" 0 bash -c "'$COLLECT' forget --store '$STORE' $CLIENT4/32 >/dev/null && '$COLLECT' contacts --store '$STORE' --client $CLIENT4 | sed 1d | wc -l"
status=0
box_down || status=$?
is "the box stops with exit status 0" 0 echo "$status"
