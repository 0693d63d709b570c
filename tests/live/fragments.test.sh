# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Answers over UDP that are larger than the link come in IP fragments, and are filtered like any other.

# addresses SERVER NAME TYPE: how many of each there are in an answer over UDP of up to 4,096 octets.
addresses() {
	in_clients dig +short +bufsize=4096 +ignore +time=3 +tries=2 "@$1" "$2" "$3" |
		sed 's/^203\.0\.113\..*/as sent/; s/^2001:db8:77::.*/as sent/' | sort | uniq -c |
		awk '{ $1 = $1; print }' | paste -sd, -
}

# wire_mtu OCTETS: of the resolver's interface.
wire_mtu() { ip -n "$NS_RESOLVERS" link set wire mtu "$1"; }

for mtu in 1500 1280; do
	wire_mtu "$mtu"
	is "MTU $mtu: A over IPv4" "200 $SINK4" addresses "$RESOLVER4" large.example A
	is "MTU $mtu: AAAA over IPv4" "100 $SINK6" addresses "$RESOLVER4" large.example AAAA
	is "MTU $mtu: A over IPv6" "200 $SINK4" addresses "$RESOLVER6" large.example A
	is "MTU $mtu: AAAA over IPv6" "100 $SINK6" addresses "$RESOLVER6" large.example AAAA
	is "MTU $mtu: a name that is not listed, IPv4" "200 as sent" \
		addresses "$RESOLVER4" roomy.example A
	is "MTU $mtu: the same, IPv6" "100 as sent" addresses "$RESOLVER6" roomy.example AAAA
done
wire_mtu 1500
is "each fragment is counted under the reason of its message" 3 \
	moved dnsweir_verdicts_total rewritten -- addresses "$RESOLVER4" large.example A
is "and the message once" 1 \
	moved dnsweir_filtered_total names sinkhole -- addresses "$RESOLVER4" large.example A
is "a client that opted out gets the answer as it was sent" "200 as sent" \
	bash -c "ip netns exec $NS_CLIENTS dig +short +bufsize=4096 +ignore -b $OPTOUT4 @$RESOLVER4 \
		large.example A | sed 's/^203\.0\.113\..*/as sent/' | sort | uniq -c | awk '{ \$1 = \$1; print }'"

# The kernel takes IPv6 away from an interface with so small an MTU.
wire_mtu 576
is "MTU 576: A over IPv4" "200 $SINK4" addresses "$RESOLVER4" large.example A
is "MTU 576: in six packets" 6 \
	moved dnsweir_verdicts_total rewritten -- addresses "$RESOLVER4" large.example A
is "MTU 576: a name that is not listed" "200 as sent" addresses "$RESOLVER4" roomy.example A
wire_mtu 1500
ip netns exec "$NS_RESOLVERS" sysctl -qw net.ipv6.conf.wire.disable_ipv6=0
ip -n "$NS_RESOLVERS" address replace "$RESOLVER6/64" dev wire nodad
is "nothing is held any more" 0 counter dnsweir_held_packets
