# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# box: own
# Responses leave the box as dnstap: other programs read it, and nothing of a client is in it that may not be.

need_packages fstrm-bin dnstap-ldns
write_config
put names.txt bad.example
put consent.csv prefix,filter,log "$OPTOUT4_PREFIX,no,no"
TAP=$WORK/tap.sock

# capture FILE: what other software has for a collector.
capture() {
	rm -f "$TAP"
	fstrm_capture -t protobuf:dnstap.Dnstap -u "$TAP" -w "$1" >/dev/null 2>&1 &
	CAPTURE_PID=$!
	wait_for 5 test -S "$TAP"
}

trap 'kill "${CAPTURE_PID:-}" 2>/dev/null || true' EXIT

printf '[tap]\nsocket = %s\nidentity = box one\n' "$TAP" >>"$WORK/dnsweir.ini"
capture "$WORK/first.tap"
box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini"
connected() { [[ $(counter dnsweir_tap_connected) == 1 ]]; }
check "the box connects" wait_for 10 connected
q4 bad.example A >/dev/null
q6 bad.example AAAA >/dev/null
q4 www.example A >/dev/null
q4 www.example A +tcp >/dev/null
q4 www.example A +subnet=203.0.113.99/32 +cookie=0123456789abcdef >/dev/null
q4 nothing.example A >/dev/null
in_clients dig -b "$OPTOUT4" +short "@$RESOLVER4" www.example A >/dev/null
six() { [[ $(counter dnsweir_tap_sent_total) == 6 ]]; }
check "six responses are six frames; the client that refused logging has none" wait_for 10 six
check "show tap says so" grep -q '^sent  *6$' <(shell show tap)
status=0
box_down || status=$?
is "the box stops with exit status 0" 0 echo "$status"
wait_for 5 test "!" -d "/proc/$CAPTURE_PID" || stop_pid "$CAPTURE_PID"
stop_pid "$CAPTURE_PID"
dnstap-read -y "$WORK/first.tap" >"$WORK/first.yaml" 2>&1 || true
is "dnstap-read reads them" 6 grep -c 'type: CLIENT_RESPONSE' "$WORK/first.yaml"
is "fstrm_dump reads them" 6 sh -c "fstrm_dump '$WORK/first.tap' 2>&1 | grep -c 'Data frame'"
is "dnstap-ldns reads them" 6 sh -c "dnstap-ldns -r '$WORK/first.tap' | grep -c ' CR '"
is "one came over TCP" 1 grep -c 'socket_protocol: TCP' "$WORK/first.yaml"
check "the original answer is there" grep -q 'bad.example.*203.0.113.66' "$WORK/first.yaml"
is "and not the sinkhole's" 0 grep -c "$SINK4\b" "$WORK/first.yaml"
check "filtered responses have their client whole" grep -q "query_address: \"\?$CLIENT4\"\?\$" "$WORK/first.yaml"
is "others do not: four of six" 2 grep -Ec "query_address: \"?($CLIENT4|$CLIENT6)\"?\$" "$WORK/first.yaml"
is "the octets of the subnet are not there" 0 grep -c 203.0.113.99 "$WORK/first.yaml"
