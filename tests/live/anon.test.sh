# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# box: own
# What is done to the address of a client before it is shown: nothing where the response was changed,
# else what [anonymise] says.

# client NAME TYPE ADDRESS: the client of the last hit, after a question to that resolver, and the mode.
client() {
	in_clients dig +short +time=3 +tries=2 "@$3" "$1" "$2" >/dev/null
	sleep 0.3
	shell -j show hits 1 | python3 -c "import json, sys
for hit in json.load(sys.stdin)['hits']: print(hit['name'], hit['client'], hit['anonymised'])"
}

# box MODE LINE...: start one, with more lines in [anonymise].
box() {
	write_config
	printf '%s\n' '[anonymise]' "mode = $1" "${@:2}" >>"$WORK/dnsweir.ini"
	box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini"
}

(umask 077 && echo 1522178d33a4cf80130a5b1649907d10d8988f837979652762574c2d2a842202 >"$WORK/anon.key")
ours() { echo "$1" | "$BUILD/tests/anon/anonymise" "$2" "$WORK/anon.key"; }

box truncate
is "a client is cut to /22" "logged.example 198.51.100.0/22 truncate" client logged.example A "$RESOLVER4"
is "an IPv6 client is cut to /40" "logged.example 2001:db8::/40 truncate" client logged.example A "$RESOLVER6"
is "whose response was changed stays whole" "bad.example $CLIENT4 None" client bad.example A "$RESOLVER4"
sed -i 's/^mode = truncate/mode = pseudonym/' "$WORK/dnsweir.ini"
reload
check "a reload says that the mode waits for the next start" \
	grep -q 'changes in \[anonymise\] take effect at the next start' "$WORK/box.err"
is "and changes nothing" "logged.example 198.51.100.0/22 truncate" client logged.example A "$RESOLVER4"
box_down

for mode in crypto-pan ipcrypt-pfx; do
	box "$mode" 'key_file = anon.key' 'ipv6_bits = 64'
	is "$mode: a client is what the key makes of it" \
		"logged.example $(ours "$CLIENT4" "$mode")/32 $mode" client logged.example A "$RESOLVER4"
	is "$mode: of an IPv6 client the first 64 bits" \
		"logged.example $(ours "${CLIENT6%::*}::" "$mode" | python3 -c "import ipaddress
print(ipaddress.ip_network((input(), 64), strict=False))") $mode" client logged.example A "$RESOLVER6"
	is "$mode: whose response was changed stays whole" "bad.example $CLIENT4 None" client bad.example A "$RESOLVER4"
	box_down
done

box pseudonym
first=$(client logged.example A "$RESOLVER4")
check "a client has a pseudonym that is nobody's address" \
	grep -Eqx 'logged\.example 2001:24:[0-9a-f:]+/128 pseudonym' <<<"$first"
is "it keeps it" "$first" client logged.example A "$RESOLVER4"
check "an IPv6 client has one of its kind" \
	grep -Eqx 'logged\.example 2001:26:[0-9a-f:]+/128 pseudonym' <<<"$(client logged.example A "$RESOLVER6")"
box_down
box pseudonym
check "after a start it has another one" \
	test "$first" != "$(client logged.example A "$RESOLVER4")"
box_down
