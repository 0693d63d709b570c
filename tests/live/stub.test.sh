# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Clients of three makes get the same answers: dig, kdig, and a stub resolver as programs have it,
# of c-ares.

QUERIES=("www.example A" "www.example AAAA" "bad.example A" "bad.example AAAA" "many.example A"
	"deep.evil.example A" "good.evil.example A" "dated.example A" "large.example A")

# PROGRAM_asks SERVER TRANSPORT: all queries; owner, TTL, class, type and address of what comes.
dig_asks() {
	local how=+notcp
	[[ $2 == udp ]] || how=+tcp
	in_clients dig "@$1" "$how" +time=3 +tries=2 +noall +answer -f <(printf '%s\n' "${QUERIES[@]}")
}

kdig_asks() {
	local how=() queries # with +notcp it does not go on over TCP, and otherwise it says that it does
	[[ $2 == udp ]] || how=(+tcp)
	read -ra queries <<<"${QUERIES[*]}"
	in_clients kdig "@$1" "${how[@]}" +time=3 +retry=2 +noall +answer "${queries[@]}" 2>/dev/null
}

stub_asks() {
	printf '%s\n' "${QUERIES[@]}" | in_clients "$BUILD/tests/live/stub" "$1" "$2"
}

# answers_of PROGRAM SERVER TRANSPORT
answers_of() {
	"$1_asks" "$2" "$3" | awk '!/^;/ && NF { $1 = $1; n[$0]++ }
		END { for (line in n) print line (n[line] > 1 ? ", " n[line] " times" : "") }' | sort
}

# Listed names have the sinkhole's addresses and its times to live. The last one's 200 records do
# not fit a datagram, so whoever asks over UDP goes on over TCP.
wanted() {
	sort <<-END
		bad.example. 60 IN A $SINK4
		bad.example. 60 IN AAAA $SINK6
		dated.example. 5 IN A $OWN4
		deep.evil.example. 60 IN A $SINK4
		good.evil.example. 3600 IN A 203.0.113.74
		large.example. 60 IN A $SINK4, 200 times
		many.example. 60 IN A $SINK4, 4 times
		www.example. 3600 IN A 203.0.113.80
		www.example. 3600 IN AAAA 2001:db8:80::80
	END
}

for program in dig kdig stub; do
	for transport in udp tcp; do
		is "$program over ${transport^^}, IPv4" "$(wanted)" \
			answers_of "$program" "$RESOLVER4" "$transport"
		is "$program over ${transport^^}, IPv6" "$(wanted)" \
			answers_of "$program" "$RESOLVER6" "$transport"
	done
done
