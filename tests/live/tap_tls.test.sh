# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# box: own
# Box and collector over TLS: who shows no good certificate is refused and counted, certificates change while both
# run, and what is lost when the collector is killed is counted. A resolver of other software comes over TLS too.

need_packages openssl
COLLECT=$BUILD/app/dnsweir-collect
STORE=$WORK/tls-store
TLS=$WORK/tls
export TZ=UTC

collect_up() {
	ip netns exec "$NS_BOX" "$COLLECT" serve --config "$WORK/collect.ini" </dev/null >"$WORK/collect.out" 2>>"$WORK/collect.err" &
	COLLECT_PID=$!
	wait_for 10 test -S "$WORK/tap.sock"
}

collect_kill() {
	kill -KILL "$COLLECT_PID"
	wait "$COLLECT_PID" 2>/dev/null || true
	rm -f "$WORK/tap.sock"
}

# What is left when a test does not run to its end.
trap 'for pid in ${COLLECT_PID:-} ${TAPPED_PID:-}; do kill "$pid" 2>/dev/null || true; done' EXIT

# at_end KEY...: a counter that the collector printed when it ended.
at_end() {
	python3 -c 'import functools, json, sys
print(functools.reduce(lambda o, key: o[key], sys.argv[2:], json.load(open(sys.argv[1]))))' "$WORK/collect.out" "$@"
}
records() { "$COLLECT" query --store "$STORE" "$@" 2>/dev/null | wc -l; }
certificate() { "$COLLECT" certificate make "$@" --store "$TLS" >/dev/null; }
connected() { [[ $(counter dnsweir_tap_connected) == 2 ]]; }
refused() { [[ $(counter dnsweir_tap_refused_total) -gt ${1:-0} ]]; }
ask() {
	local i
	for ((i = 0; i < $1; i++)); do q4 www.example A >/dev/null; done
}

mkdir "$TLS"
certificate collector --server 127.0.0.1
certificate box1
certificate unbound
certificate stranger
# An authority of somebody else.
"$COLLECT" certificate make box1 --store "$WORK" >/dev/null
cp "$TLS/ca.crt" "$WORK/trusted.crt"
write_config
put collect.ini '[collect]' "socket = $WORK/tap.sock" "store = $STORE" 'tls = 127.0.0.1:6514' "tls_ca = $WORK/trusted.crt" \
	"tls_certificate = $TLS/collector.crt" "tls_key = $TLS/collector.key" 'tls_senders = box1 unbound' '[api]' 'listen ='
cat >>"$WORK/dnsweir.ini" <<-END
	[tap]
	tls = 127.0.0.1:6514
	tls_ca = $TLS/ca.crt
	tls_certificate = $WORK/box1.crt
	tls_key = $WORK/box1.key
	connections = 2
END
: >"$WORK/collect.err"
in_box ip link set lo up
collect_up
box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini"
check "a box with a certificate of somebody else is refused, and counts it" wait_for 10 refused 2
check "and says why" grep -q 'tap: 127.0.0.1:6514: it says: CA is unknown' "$WORK/box.err"
check "the collector says so too" grep -q 'sender 127.0.0.1 is refused: its certificate is not from our CA' "$WORK/collect.err"
ask 20
cp "$TLS/box1.crt" "$TLS/box1.key" "$WORK/"
check "with a good one it connects, without a restart" wait_for 10 connected
sleep 2.5
is "what waited is stored" 20 records
is "the sender is who the certificate says" box1 sh -c "kill -USR1 $COLLECT_PID; sleep 0.5; sed -n 's/.*\"peer\":\"\([a-z0-9]*\)\".*/\1/p' '$WORK/collect.out'"

# Killed and started again while queries come; each time with a new certificate.
for ((i = 0; i < 2; i++)); do
	ask 50
	collect_kill
	certificate collector --server 127.0.0.1
	certificate box1
	cp "$TLS/box1.crt" "$WORK/"
	collect_up
	ask 20
done
check "the box connects again" wait_for 10 connected
# The frame behind a gap tells of it, on each of the two connections.
ask 4
sleep 2.5
frames=$(counter dnsweir_tap_frames_total)
is "no frame is lost by the box" "$frames" counter dnsweir_tap_sent_total
is "the box has lost no packet" 0 counter dnsweir_tx_dropped_total

# An authority that the collector trusts no longer.
before=$(counter dnsweir_tap_refused_total)
cp "$WORK/ca.crt" "$WORK/trusted.crt"
collect_kill
collect_up
check "another CA refuses the box" wait_for 10 refused "$before"
is "which has no connection then" 0 counter dnsweir_tap_connected
status=0
box_down || status=$?
is "the box stops with exit status 0" 0 echo "$status"
stop_pid "$COLLECT_PID" 10
wait "$COLLECT_PID" || true
is "all that the box numbered until then is known" "$frames" at_end numbered
stored=$(records)
is "what was numbered is stored or counted as lost" "$frames" echo $((stored + $(at_end lost)))
check "refusals are counted by reason" test "$(at_end tls_refused other_ca)" -gt 0
say "# $frames frames, $stored stored, $(at_end lost) lost in 3 kills"

# A resolver's own dnstap.
rm -rf "$STORE" "${TLS:?}" "$WORK/tap.sock"
mkdir "$TLS"
certificate collector --server 127.0.0.1,collector.example
certificate unbound
certificate stranger
cp "$TLS/ca.crt" "$WORK/trusted.crt"
collect_up
# tapped_up NAME: with the certificate of this name.
tapped_up() {
	local i
	cat >"$WORK/tapped.conf" <<-END
		server:
			interface: 127.0.0.1@5399
			username: ""
			chroot: ""
			directory: "$WORK"
			pidfile: ""
			use-syslog: no
			do-daemonize: no
			num-threads: 1
			local-zone: "tapped.example." static
			local-data: "www.tapped.example. A 203.0.113.9"
		dnstap:
			dnstap-enable: yes
			dnstap-bidirectional: yes
			dnstap-ip: 127.0.0.1@6514
			dnstap-tls: yes
			dnstap-tls-server-name: "collector.example"
			dnstap-tls-cert-bundle: "$TLS/ca.crt"
			dnstap-tls-client-key-file: "$TLS/$1.key"
			dnstap-tls-client-cert-file: "$TLS/$1.crt"
			dnstap-log-client-response-messages: yes
		remote-control:
			control-enable: no
	END
	ip netns exec "$NS_BOX" unbound -d -c "$WORK/tapped.conf" </dev/null >"$WORK/tapped.out" 2>&1 &
	TAPPED_PID=$!
	sleep 1
	for ((i = 0; i < 20; i++)); do
		in_box dig +short +time=2 -p 5399 @127.0.0.1 www.tapped.example A >/dev/null
	done
	sleep 2.5
	stop_pid "$TAPPED_PID"
}
tapped_up stranger
is "a resolver that is not in the list may not send" 0 records
tapped_up unbound
is "responses of a resolver come over TLS" 20 records --name www.tapped.example
status=0
stop_pid "$COLLECT_PID" 10
wait "$COLLECT_PID" || status=$?
is "the collector ends with exit status 0" 0 echo "$status"
check "who may not send is counted" test "$(at_end tls_refused other_name)" -gt 0
