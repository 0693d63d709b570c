# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# box: own
# BIND, Knot and Unbound send their own dnstap to the collector: what it stores of their responses is
# right, clients are anonymous, and those that refused a log are nowhere.

need_packages bind9 knot knot-module-dnstap
COLLECT=$BUILD/app/dnsweir-collect
STORE=$WORK/tapped-store
SERVERS=(bind knot unbound)
PORT_bind=5391 PORT_knot=5392 PORT_unbound=5393
# None of them is anywhere by chance. The last two refuse logging.
LOGGED4=127.77.231.173
LOGGED6=2001:db8:71:5e2c:9a4d:3b68:f719:d0e7
REFUSED4=127.91.213.187
REFUSED6=2001:db8:17e3:5c2d:6f91:a4b8:c3d7:e2f5
LISTED4=203.0.113.9
export TZ=UTC

PIDS=()
stop_all() {
	local i
	for ((i = ${#PIDS[@]} - 1; i >= 0; i--)); do
		stop_pid "${PIDS[i]}" 10
	done
}
trap stop_all EXIT

# server_start PROGRAM OPTION...: in the resolvers' namespace, its words in PROGRAM.out.
server_start() {
	ip netns exec "$NS_RESOLVERS" "$@" </dev/null >"$WORK/$1.out" 2>&1 &
	PIDS+=($!)
}

bind_up() {
	cat >"$WORK/bind.conf" <<-END
		options {
			directory "$WORK";
			listen-on port $PORT_bind { 127.0.0.1; };
			listen-on-v6 port $PORT_bind { ::1; };
			pid-file none; session-keyfile none; lock-file none;
			recursion no; dnssec-validation no; notify no;
			dnstap { client response; auth response; client query; auth query; };
			dnstap-output unix "$WORK/tapped.sock";
			fstrm-set-flush-timeout 1;
		};
		controls { };
		zone "bind.example" { type primary; file "bind.tapped"; };
	END
	server_start named -g -c "$WORK/bind.conf"
}

knot_up() {
	cat >"$WORK/knot.conf" <<-END
		server:
		    rundir: "$WORK"
		    listen: [127.0.0.1@$PORT_knot, ::1@$PORT_knot]
		    tcp-workers: 1
		    udp-workers: 1
		database:
		    storage: "$WORK/knot.db"
		log:
		  - target: stderr
		    any: info
		mod-dnstap:
		  - id: tap
		    sink: "unix:$WORK/tapped.sock"
		    log-queries: on
		    log-responses: on
		template:
		  - id: default
		    storage: "$WORK"
		    global-module: mod-dnstap/tap
		zone:
		  - domain: knot.example
		    file: knot.tapped
	END
	server_start knotd -c "$WORK/knot.conf"
}

unbound_up() {
	cat >"$WORK/tapped.conf" <<-END
		server:
			interface: 127.0.0.1@$PORT_unbound
			interface: ::1@$PORT_unbound
			username: ""
			chroot: ""
			directory: "$WORK"
			pidfile: ""
			use-syslog: no
			do-daemonize: no
			num-threads: 1
			access-control: 0.0.0.0/0 allow
			access-control: ::/0 allow
			local-zone: "unbound.example." static
			local-data: "www.unbound.example. 3600 A $LISTED4"
			local-data: "text.unbound.example. 3600 TXT words"
			local-zone: "elsewhere.unbound.example." refuse
		dnstap:
			dnstap-enable: yes
			dnstap-socket-path: "$WORK/tapped.sock"
			dnstap-log-client-query-messages: yes
			dnstap-log-client-response-messages: yes
		remote-control:
			control-enable: no
	END
	server_start unbound -d -c "$WORK/tapped.conf"
}

# zone_write SERVER: where an authority is asked for what it has delegated, it has no answer.
zone_write() {
	cat >"$WORK/$1.tapped" <<-END
		\$ORIGIN $1.example.
		\$TTL 3600
		@    SOA ns hostmaster 1 3600 600 86400 300
		@    NS  ns
		ns   A   127.0.0.1
		www  A   $LISTED4
		text TXT words
	END
}

# put_question SERVER FROM NAME TYPE [OPTION...]: from one of the addresses above.
put_question() {
	local port=PORT_$1 to=127.0.0.1
	[[ $2 != *:* ]] || to=::1
	in_resolvers dig "@$to" -p "${!port}" -b "$2" +time=2 +tries=2 +norecurse "${@:5}" "$3" "$4"
}

# refused_name SERVER: a name that it answers with REFUSED.
refused_name() {
	if [[ $1 == unbound ]]; then echo elsewhere.unbound.example; else echo "elsewhere.$1.test"; fi
}

# questions SERVER FROM: nine of them.
questions() {
	for _ in 1 2 3; do
		put_question "$1" "$2" "www.$1.example" A
	done
	put_question "$1" "$2" "www.$1.example" A +tcp
	put_question "$1" "$2" "www.$1.example" AAAA
	put_question "$1" "$2" "wWw.$1.eXample" MX
	put_question "$1" "$2" "absent.$1.example" A
	put_question "$1" "$2" "text.$1.example" TXT +tcp
	put_question "$1" "$2" "$(refused_name "$1")" A
}

# wanted SERVER: times, name, type, code, client, its bits, transport.
wanted() {
	local client
	for client in 127.77.228.0,22 2001:db8::,40; do
		cat <<-END
			3 www.$1.example,A,NOERROR,$client,UDP
			1 www.$1.example,A,NOERROR,$client,TCP
			1 www.$1.example,AAAA,NOERROR,$client,UDP
			1 www.$1.example,MX,NOERROR,$client,UDP
			1 absent.$1.example,A,NXDOMAIN,$client,UDP
			1 text.$1.example,TXT,NOERROR,$client,TCP
			1 $(refused_name "$1"),A,REFUSED,$client,UDP
		END
	done | sort
}

# stored SERVER: the same of what is in the store.
stored() {
	"$COLLECT" query --store "$STORE" --format csv 2>"$WORK/query.err" |
		awk -F, -v server="$1" 'NR > 1 && $2 ~ "(^|[.])" server "[.]" {
			n[$2 "," $3 "," $4 "," $5 "," $6 "," $8]++ }
			END { for (line in n) print n[line], line }' | sort
}

# octets_in FOLDER ADDRESS...: how often these stand in its files, as octets or as text.
octets_in() {
	python3 - "$@" <<-'END'
		import ipaddress, pathlib, sys
		wanted = []
		for address in map(ipaddress.ip_address, sys.argv[2:]):
		    wanted += [address.packed, str(address).encode()]
		files = [path.read_bytes() for path in pathlib.Path(sys.argv[1]).rglob("*") if path.is_file()]
		assert any(files)
		print(sum(data.count(octets) for data in files for octets in wanted))
	END
}

records() { "$COLLECT" query --store "$STORE" "$@" 2>/dev/null | wc -l; }
all_stored() { (($(records) >= 18 * ${#SERVERS[@]})); }
answers() { put_question "$1" "$REFUSED4" "www.$1.example" A | grep -q 'status: NOERROR'; }

put collect.ini '[api]' 'listen =' '[collect]' "socket = $WORK/tapped.sock" "store = $STORE" '[consent]' 'source = refused.csv'
put refused.csv prefix,filter,log "$REFUSED4/32,no,no" "$REFUSED6/128,yes,no" "$LOGGED4/32,no,yes"
mkdir -p "$WORK/knot.db"
"$COLLECT" serve --config "$WORK/collect.ini" </dev/null >"$WORK/collect.out" 2>"$WORK/collect.err" &
COLLECT_PID=$!
PIDS+=("$COLLECT_PID")
wait_for 10 test -S "$WORK/tapped.sock"
for address in "$LOGGED6" "$REFUSED6"; do
	in_resolvers ip address add "$address/128" dev lo
done
for server in "${SERVERS[@]}"; do
	zone_write "$server"
	"${server}_up"
done
for server in "${SERVERS[@]}"; do
	check "$server answers" wait_for 10 answers "$server"
	for client in "$REFUSED4" "$LOGGED4" "$REFUSED6" "$LOGGED6"; do
		questions "$server" "$client" >/dev/null
	done
done
check "their responses are stored" wait_for 10 all_stored
# What came last is committed after a second at most.
sleep 2
for server in "${SERVERS[@]}"; do
	is "$server: names, types, codes, transports, and clients that are cut" "$(wanted "$server")" stored "$server"
done
is "nothing else is stored" $((18 * ${#SERVERS[@]})) echo "$(records)"
is "nothing of them counts as filtered" 0 echo "$(records --filtered)"
check "names are in the store's files" grep -rqa absent "$STORE"
is "and no address is whole" 0 \
	octets_in "$STORE" "$LOGGED4" "$LOGGED6" "$REFUSED4" "$REFUSED6"
stop_all
PIDS=()
for address in "$LOGGED6" "$REFUSED6"; do
	in_resolvers ip address delete "$address/128" dev lo
done
status=0
wait "$COLLECT_PID" || status=$?
is "the collector ends with exit status 0" 0 echo "$status"
is "and nothing is there when it has ended" 0 octets_in "$STORE" "$LOGGED4" "$LOGGED6" "$REFUSED4" "$REFUSED6"
read -r frames taken opted_out queries < <(python3 -c 'import json, sys
senders = json.load(open(sys.argv[1]))["senders"]
print(*(sum(s[key] for s in senders) for key in ("frames", "taken", "opted_out")),
      sum(s["refused"]["other_type"] for s in senders))' "$WORK/collect.out")
is "what was taken is what is stored" $((18 * ${#SERVERS[@]})) echo "$taken"
check "responses to clients that refused a log are counted, and only that" \
	test "$opted_out" -ge $((18 * ${#SERVERS[@]}))
is "each frame was taken, left out, or a query" "$frames" echo $((taken + opted_out + queries))
is "of which there are as many as responses" $((taken + opted_out)) echo "$queries"
