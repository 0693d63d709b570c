# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034
# The servers of scripts/differ, all in the namespace of the resolvers. Sourced after testnet.sh; they
# take their zones from $WORK and write there.
#
# Each resolver iterates from a root of our own, which is in NSD with all other zones. All but the
# PowerDNS Recursor validate signed.example; that one takes answers through a signed DNAME for bogus now
# and then. Each has one thread, and its defaults where nothing speaks against them.

AUTHORITY4=203.0.113.53
RESOLVERS=(bind unbound powerdns knot)
ZONES=(allow block tcp log)
declare -A ADDRESS=() # of all that resolver_up has started

# They make AAAA records of A records where there are none (DNS64, RFC 6147).
DNS64_PREFIX=64:ff9b::/96

# server COMMAND...: started, and stopped at exit.
server() {
	local out=$WORK/${1##*/}.$N_SERVERS.out
	N_SERVERS=$((N_SERVERS + 1))
	ip netns exec "$NS_RESOLVERS" "$@" </dev/null >"$out" 2>&1 &
	undo stop_pid $!
	disown $!
}
N_SERVERS=0

# sign ZONE: its file becomes that of a signed zone; ANCHOR and ANCHOR_DS are what is trusted.
sign() {
	local key
	key=$(cd "$WORK" && ldns-keygen -a ECDSAP256SHA256 -k "$1")
	(cd "$WORK" && ldns-signzone -f "$1.signed" "$1.zone" "$key" && mv "$1.signed" "$1.zone")
	ANCHOR=$WORK/$key.key
	ANCHOR_DS=$(cut -f 4 "$WORK/$key.ds")
}

# authority_up ZONE...: NSD with these zones, and with root.zone.
authority_up() {
	local zone
	{
		printf 'server:\n\tip-address: %s\n\tserver-count: 1\n\tusername: ""\n' "$AUTHORITY4"
		printf '\tchroot: ""\n\tzonesdir: "%s"\n\tdatabase: ""\n\tpidfile: ""\n' "$WORK"
		printf '\tzonelistfile: "%s/zone.list"\n\txfrdfile: "%s/xfrd.state"\n' "$WORK" "$WORK"
		printf '\txfrdir: "%s"\n\trrl-ratelimit: 0\n\ttcp-count: 1000\n' "$WORK"
		printf 'remote-control:\n\tcontrol-enable: no\n'
		printf 'zone:\n\tname: .\n\tzonefile: root.zone\n'
		for zone; do
			printf 'zone:\n\tname: %s\n\tzonefile: %s.zone\n' "$zone" "$zone"
		done
	} >"$WORK/nsd.conf"
	printf '. 3600000 NS ns.example.\nns.example. 3600000 A %s\n' "$AUTHORITY4" >"$WORK/root.hints"
	ip -n "$NS_RESOLVERS" address add "$AUTHORITY4/32" dev lo
	server nsd -d -c "$WORK/nsd.conf"
}

# unbound_up NAME ADDRESS [RPZ...]: with or without response policy zones. Unbound 1.17 ends with a
# segmentation fault where a CNAME leads to a name of rpz-tcp-only, so it does without.
unbound_up() {
	local name=$1 address=$2 zone
	shift 2
	{
		printf 'server:\n\tinterface: %s\n\tip-freebind: yes\n' "$address"
		printf '\taccess-control: 0.0.0.0/0 allow\n\tusername: ""\n\tchroot: ""\n\tdirectory: "%s"\n' "$WORK"
		printf '\tpidfile: ""\n\tuse-syslog: no\n\tdo-daemonize: no\n\tdo-ip6: no\n\tnum-threads: 1\n'
		printf '\troot-hints: "%s/root.hints"\n\ttrust-anchor-file: "%s"\n' "$WORK" "$ANCHOR"
		printf '\tincoming-num-tcp: 1000\n\tmodule-config: "%sdns64 validator iterator"\n' "${1:+respip }"
		printf '\tdns64-prefix: %s\n' "$DNS64_PREFIX"
		# It takes a wildcard's NSEC for a denial of ANY.
		printf '\taggressive-nsec: no\n'
		# Whatever goes into the additional section.
		printf '\tminimal-responses: no\n'
		# The same answer each time it is asked: no rotation, no counting down.
		printf '\trrset-roundrobin: no\n\tserve-original-ttl: yes\n\tnum-queries-per-thread: 2048\n'
		printf 'remote-control:\n\tcontrol-enable: no\n'
		for zone; do
			[[ $zone != tcp ]] || continue
			printf 'rpz:\n\tname: %s.rpz\n\tzonefile: "%s/%s.rpz"\n' "$zone" "$WORK" "$zone"
			[[ $zone != log ]] || printf '\trpz-action-override: disabled\n'
		done
	} >"$WORK/$name.conf"
	server unbound -d -c "$WORK/$name.conf"
}

# resolver_up RESOLVER SUFFIX [RPZ...]: with these response policy zones, at an address of its own.
resolver_up() {
	local name=$1$2 address=127.0.1.$((${#ADDRESS[@]} + 1)) resolver=$1
	ADDRESS[$name]=$address
	shift 2
	"${resolver}_up" "$name" "$address" "$@"
}

# bind_up NAME ADDRESS [RPZ...]
bind_up() {
	local zone folder=$WORK/$1 address=$2
	shift 2
	mkdir -p "$folder"
	# It listens on addresses of interfaces only.
	ip -n "$NS_RESOLVERS" address add "$address/32" dev lo
	{
		printf 'options {\n\tdirectory "%s";\n\tpid-file none;\n\tsession-keyfile none;\n' "$folder"
		printf '\tlisten-on { %s; };\n\tlisten-on-v6 { none; };\n' "$address"
		printf '\trecursion yes;\n\tallow-query { any; };\n\tdnssec-validation yes;\n'
		# One of its empty zones is that of a canary name.
		printf '\tdisable-empty-zone "resolver.arpa";\n'
		printf '\tdns64 %s { clients { any; }; };\n' "$DNS64_PREFIX"
		printf '\ttcp-clients 1000;\n\tmax-cache-size 100m;\n\tcheck-names primary ignore;\n'
		if (($#)); then
			printf '\tresponse-policy {\n'
			for zone; do
				printf '\t\tzone "%s.rpz"%s;\n' "$zone" "$([[ $zone != log ]] || echo ' policy disabled')"
			done
			printf '\t};\n'
		fi
		printf '};\ncontrols { };\ntrust-anchors {\n\tsigned.example. static-key %s;\n};\n' \
			"$(sed -n 's/.*DNSKEY[[:space:]]*\([0-9]* [0-9]* [0-9]*\) \([^ ]*\).*/\1 "\2"/p' "$ANCHOR")"
		printf 'zone "." { type hint; file "%s/root.hints"; };\n' "$WORK"
		for zone; do
			printf 'zone "%s.rpz" { type primary; file "%s/%s.rpz"; };\n' "$zone" "$WORK" "$zone"
		done
	} >"$folder/named.conf"
	server named -g -n 1 -4 -c "$folder/named.conf"
}

# powerdns_up NAME ADDRESS [RPZ...]
powerdns_up() {
	local zone folder=$WORK/$1 address=$2
	shift 2
	mkdir -p "$folder"
	cat >"$folder/recursor.conf" <<-END
		local-address=$address
		allow-from=0.0.0.0/0
		hint-file=$WORK/root.hints
		dont-query=
		dnssec=process-no-validate
		dns64-prefix=$DNS64_PREFIX
		daemon=no
		threads=1
		max-tcp-clients=1000
		server-down-max-fails=0
		non-resolving-ns-max-fails=0
		packetcache-servfail-ttl=0
		socket-dir=$folder
		lua-config-file=$folder/policy.lua
		setuid=
		setgid=
	END
	{
		for zone; do
			printf 'rpzFile("%s/%s.rpz", {policyName="%s"%s})\n' "$WORK" "$zone" "$zone" \
				"$([[ $zone != log ]] || echo ', defpol=Policy.NoAction')"
		done
	} >"$folder/policy.lua"
	server pdns_recursor --config-dir="$folder"
}

# knot_up NAME ADDRESS [RPZ...]
knot_up() {
	local zone folder=$WORK/$1 address=$2
	shift 2
	mkdir -p "$folder"
	{
		printf "net.ipv6 = false\nnet.listen('%s', 53, { kind = 'dns' })\ncache.size = 100 * MB\n" "$address"
		printf "modules = { 'hints', dns64 = '%s' }\nmodules.unload('priming')\nmodules.unload('ta_update')\n" "${DNS64_PREFIX%/*}"
		printf "hints.root({ ['ns.example.'] = '%s' })\n" "$AUTHORITY4"
		printf "trust_anchors.remove('.')\ntrust_anchors.add('signed.example. DS %s')\n" "$ANCHOR_DS"
		for zone; do
			# It has no action that is logged only.
			printf "policy.add(policy.rpz(policy.%s, '%s/%s.rpz'))\n" \
				"$([[ $zone == log ]] && echo PASS || echo DENY)" "$WORK" "$zone"
		done
	} >"$folder/kresd.conf"
	server kresd -n -c "$folder/kresd.conf" "$folder"
}

# answers ADDRESS: the server there resolves.
answers() {
	in_resolvers dig +noall +comments +time=1 +tries=1 "@$1" plain.example SOA | grep -q 'status: NOERROR'
}
