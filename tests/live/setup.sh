# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The zones, lists and configuration that the live tests share. Sourced by run_live after live.sh;
# writes into $WORK.

write_zones() {
	cat >"$WORK/example.zone" <<-END
		\$ORIGIN example.
		\$TTL 3600
		@          SOA   ns.example. hostmaster.example. 1 3600 600 86400 300
		@          NS    ns.example.
		@          MX    10 mail.example.
		ns         A     $RESOLVER4
		mail       A     203.0.113.25
		www        A     203.0.113.80
		www        AAAA  2001:db8:80::80
		bad        A     203.0.113.66
		bad        AAAA  2001:db8:66::66
		bad        MX    10 mail.example.
		bad        TXT   "text of a listed name"
		quick      30 A  203.0.113.67
		below.bad  A     203.0.113.68
		many       A     203.0.113.1
		many       A     203.0.113.2
		many       A     203.0.113.3
		many       A     203.0.113.4
		alias      CNAME bad
		first      CNAME middle
		middle     CNAME last
		last       A     203.0.113.90
		last       AAAA  2001:db8:90::90
		one        CNAME two
		two        CNAME three
		three      CNAME bad
		botnet     A     203.0.113.70
		gate.botnet A    203.0.113.71
		old        DNAME botnet.example.
		evil       A     203.0.113.72
		deep.evil  A     203.0.113.73
		good.evil  A     203.0.113.74
		logged     A     203.0.113.75
		dated      A     203.0.113.76
		past       A     203.0.113.77
		future     A     203.0.113.78
		xn--bcher-kva A  203.0.113.79
		reloaded   A     203.0.113.81
		*.wild     A     203.0.113.82
		big        TXT   $(text_strings 40)
		srv        SRV   1 2 53 www.example.
		https      HTTPS 1 . alpn=h2 ipv4hint=203.0.113.80
		bad        HTTPS 1 . alpn=h2 ipv4hint=203.0.113.66,203.0.113.67 ipv6hint=2001:db8:66::66
		service    HTTPS 0 bad.example.
		denied     A     203.0.113.83
		denied     TXT   "text of a denied name"
		empty      A     203.0.113.84
		dropped    A     203.0.113.85
		overtcp    A     203.0.113.86
		lost       TXT   "no address"
		$(many_addresses large)
		$(many_addresses roomy)
	END
	cat >"$WORK/secure.zone" <<-END
		\$ORIGIN secure.
		\$TTL 3600
		@          SOA   ns.secure. hostmaster.secure. 1 3600 600 86400 300
		@          NS    ns.secure.
		ns         A     $RESOLVER4
		bad        A     203.0.113.166
		www        A     203.0.113.180
	END
	sign_zone secure
}

# many_addresses NAME: answers of 3,240 and 2,840 octets.
many_addresses() {
	local i
	for ((i = 1; i <= 200; i++)); do
		echo "$1 A 203.0.113.$i"
	done
	for ((i = 1; i <= 100; i++)); do
		echo "$1 AAAA 2001:db8:77::$i"
	done
}

text_strings() {
	local i
	for ((i = 0; i < $1; i++)); do
		printf '"%0100d" ' "$i"
	done
}

# sign_zone ZONE: makes it DNSSEC-signed, and ZONE.anchor what a validator trusts.
sign_zone() {
	local key
	key=$(cd "$WORK" && ldns-keygen -a ECDSAP256SHA256 -k "$1")
	(cd "$WORK" && ldns-signzone -f "$1.signed" "$1.zone" "$key" && mv "$1.signed" "$1.zone")
	mv "$WORK/$key.key" "$WORK/$1.anchor"
}

write_config() {
	put names.txt '# plain names' large.example bad.example bad.secure quick.example many.example middle.example \
		.evil.example '*.botnet.example' 'bücher.example' '*.wild.example'
	put catalogue.csv id,fqdn,behaviour,start,end 'M-1,dated.example,C2 server,2020-01-01,' \
		'M-2,past.example,C2 server,2020-01-01,2021-01-01' \
		'M-3,future.example,C2 server,2999-01-01,'
	put good.txt good.evil.example
	put logged.txt logged.example
	put denied.txt denied.example
	put empty.txt empty.example
	put dropped.txt dropped.example
	put overtcp.txt overtcp.example
	put lost.txt .lost.example
	put consent.csv prefix,filter,log "$OPTOUT4_PREFIX,no,yes" "$OPTOUT6_PREFIX,no,yes" \
		198.51.100.200/32,no,no 198.51.100.201/32,yes,no 198.51.100.192/28,yes,yes
	cat >"$WORK/dnsweir.ini" <<-END
		[ports]
		pairs = 0:1
		link_state = $LINK_STATE
		[sinkhole]
		ipv4 = $SINK4
		ipv6 = $SINK6
		ttl_max = 60
		[list names]
		source = names.txt
		action = sinkhole
		[list catalogue]
		source = catalogue.csv
		action = sinkhole
		ipv4 = $OWN4
		ttl_max = 5
		[list good]
		source = good.txt
		action = allow
		[list logged]
		source = logged.txt
		action = log
		[list denied]
		source = denied.txt
		action = nxdomain
		ede = 15
		ede_text = "listed; ask the help desk"
		[list empty]
		source = empty.txt
		action = nodata
		[list dropped]
		source = dropped.txt
		action = drop
		[list overtcp]
		source = overtcp.txt
		action = tcp-only
		[list lost]
		source = lost.txt
		action = sinkhole
		on_empty = answer
		[consent]
		source = consent.csv
		[control]
		socket = $WORK/control.sock
	END
}
