#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The box between bad wires: tests/live/impaired.sh [--cable | --box] [--quick] [--taps | --jumbo] [--only WORDS] [SEED]
#
#   clients ═══ wire A ═══ box ═══ wire B ═══ resolvers
#
# Each wire is a `traffic impair` that loses, repeats, swaps, cuts and splits what passes. Hundreds of
# names, listed and not, are asked over UDP and TCP, IPv4 and IPv6, on links of several MTUs, by a
# client of our own that looks at every octet of every answer, by dig, kdig, and a stub of c-ares.
# Every answer has to be the one expected, no address of a listed name may come through, and no
# connection be reset or stall. First all of it runs with a cable in place of the box.
#   --cable   the cable only
#   --box     the box only
#   --quick   each case on one of the links only, in turn
#   --taps    the box by TAP devices, with two workers
#   --jumbo   the box by AF_PACKET sockets, with an MTU of 9000
#   --only    cases whose line has WORDS in it, as in --only 'TCP, IPv6, MTU 1280'
set -euo pipefail
# shellcheck source=tests/live/live.sh
. "$(dirname "${BASH_SOURCE[0]}")/live.sh"
# shellcheck source=tests/live/wires.sh
. "$LIVE/wires.sh"
cable='' box='' only='' quick=''
while [[ ${1:-} == --* ]]; do
	case $1 in
	--cable) cable=yes ;;
	--box) box=yes ;;
	--quick) quick=yes ;;
	--taps | --jumbo) box_option "$1" ;;
	--only)
		only=${2:-}
		shift
		;;
	*) break ;;
	esac
	shift
done

SEED=${1:-1}
[[ $SEED =~ ^[0-9]{1,9}$ && $# -le 1 ]] || die 2 "usage: impaired.sh [--cable | --box] [--quick] [--taps | --jumbo] [--only WORDS] [SEED]"
((EUID == 0)) || die 2 "needs root, for network namespaces and AF_XDP"
need_packages "${NET_PACKAGES[@]}" knot-dnsutils
for program in tests/traffic/traffic tests/live/stub app/dnsweir; do
	[[ -z $cable || $program != app/dnsweir ]] || continue
	[[ -x $BUILD/$program ]] || die 2 "$BUILD/$program is not built"
done
# MTU, family, server; no link of IPv6 has an MTU below 1280 (RFC 8200 s5).
LINKS=("576 IPv4 $RESOLVER4")
for mtu in 1280 1500; do
	LINKS+=("$mtu IPv4 $RESOLVER4" "$mtu IPv6 $RESOLVER6")
done
[[ $BOX_PORTS != packet ]] || LINKS=("9000 IPv4 $RESOLVER4" "9000 IPv6 $RESOLVER6")
PROGRAMS=(dig kdig stub)
ZONE=impaired
TTL_MAX=60
CONNECTIONS=100 # at once
WINDOW=8        # queries under way on each
STALL_MS=20000  # without progress; the kernel sends a lost SYN again after 1, 3 and 7 s
# What IP options, headers of IPv6 and tags leave of a small MTU for a message in one piece.
declare -A WHOLE=([576]=512 [1280]=1200 [1500]=1232 [9000]=1232)

# Cases: name; transport; queries; what wire A and wire B do, to the resolver and back.
mild=loss=1,dup=3,reorder=10:6
CASES=(
	"loss, repeats, other order;UDP;small;$mild;$mild;$mild;$mild"
	"fragments of the servers;UDP+;middle;;;;"
	"fragments, lost, repeated, in other order;UDP+;middle;$mild;$mild;$mild;$mild"
	"every split of a fragment;UDP+;small;;;;frag=walk,frag-shuffle=50"
	"every split, behind the box too;UDP+;small;;frag=walk,frag-shuffle=50;;frag=walk,dup=10"
	"fragments of 8 octets;UDP+;small;;;;frag=8,frag-shuffle=10,dup=1"
	"fragments of 400 octets, the first or the last not coming;UDP+;middle;;;;frag=400,miss-first=5,miss-last=5"
	"as it comes;TCP;large;;;;"
	"loss, repeats, other order;TCP;large;$mild;$mild;$mild;$mild"
	"segments of 1 octet;TCP;small;;;cut=1;cut=1"
	"segments of 1 octet, some 300 ms late;TCP;small;;;;cut=1,reorder=0.2:1000000,hold=300"
	"segments of 1 octet for a while, then of 2 and 500;TCP;large;;;;cut=1x40+2x8+500"
	"every cut of a segment in two, halves swapped;TCP;small;;;cut=walk,swap=30;cut=walk,swap=30"
	"cut anywhere, overlapping, any order;TCP;large;;;cut=random,shuffle=20;cut=random:900,overlap=40,shuffle=20,loss=1"
	"sent again with other borders, old with new;TCP;large;recut=30;;recut=30;recut=40,loss=2"
	"all of it on both wires;TCP;small;cut=random,$mild;cut=random,recut=20,$mild;cut=random,recut=20,$mild;cut=walk,recut=30,overlap=30,$mild"
)
# What programs that ask one by one go through.
TOOLS_THERE=loss=0.2,dup=3
TOOLS_BACK=loss=0.2,dup=3,reorder=5:3,hold=10,cut=random,recut=20

undo_at_exit
WORK=$(mktemp -d /tmp/dnsweir-impaired.XXXXXX)
PREFIX=dwi$$
export WORK PREFIX RUNTIME_DIRECTORY=$WORK
undo rm -rf "$WORK"
undo wires_down "$PREFIX"
python3 "$LIVE/impaired.py" "$WORK"
# Bounds are those that a box has by default.
mbuf_size=2048
[[ $BOX_PORTS != packet ]] || mbuf_size=16384 # net_af_packet writes a frame into one buffer
box_config "$TTL_MAX" 'link_state = off' "mbuf_size = $mbuf_size"

# record FILE EDNS QUERIES [OPTION...]: answers without anything between.
record() {
	local file=$1 edns=$2 queries=$3
	shift 3
	in_resolvers "$TRAFFIC" ask --server 127.0.0.1 --queries "$WORK/$queries.txt" --edns "$edns" \
		--record "$WORK/$file" "$@" >"$WORK/record.out" 2>&1 || {
		cat "$WORK/record.out" >&2
		die 1 "the resolver did not answer all of $queries.txt"
	}
}

record_all() {
	local edns queries
	for queries in small middle; do
		for edns in 512 1200 1232 4096; do
			record "$queries.UDP.$edns" "$edns" "$queries"
		done
	done
	for queries in small large; do
		record "$queries.TCP.1232" 1232 "$queries" --tcp 10
	done
}

# expected PROGRAM TRANSPORT: what a program prints without anything between; listed names' addresses and
# TTLs as the box makes them, if there is one.
expected() {
	"$1_asks" in_resolvers 127.0.0.1 "$2" tools-others
	"$1_asks" in_resolvers 127.0.0.1 "$2" tools-listed | if [[ $MIDDLE == box ]]; then
		awk -v four="$SINK4" -v six="$SINK6" -v most="$TTL_MAX" '
			$4 == "A" { $5 = four } $4 == "AAAA" { $5 = six }
			$4 ~ /^A/ && $2 > most { $2 = most } { print }'
	else
		cat
	fi
}

# PROGRAM_asks WHERE SERVER TRANSPORT QUERIES: owner, TTL, class, type, data.
dig_asks() {
	local how=(+notcp +time=1)
	[[ $3 != TCP ]] || how=(+tcp +time=6)
	cut -d' ' -f1,2 "$WORK/$4.txt" >"$WORK/dig.queries"
	"$1" dig "@$2" "${how[@]}" +nocookie +noall +answer +tries=6 -f "$WORK/dig.queries" |
		awk '!/^;/ { $1 = $1; print }'
}

kdig_asks() {
	local how=(+notcp +time=1) queries
	[[ $3 != TCP ]] || how=(+tcp +time=6)
	mapfile -t queries < <(cut -d' ' -f1,2 "$WORK/$4.txt" | tr ' ' '\n')
	"$1" kdig "@$2" "${how[@]}" +noall +answer +retry=6 "${queries[@]}" | awk '!/^;/ { $1 = $1; print }'
}

stub_asks() {
	cut -d' ' -f1,2 "$WORK/$4.txt" >"$WORK/stub.queries"
	"$1" "$BUILD/tests/live/stub" "$2" "${3,,}" <"$WORK/stub.queries"
}

# tool_answers PROGRAM TRANSPORT SERVER: what differs from what it prints without anything between.
tool_answers() {
	{
		"$1_asks" in_clients "$3" "$2" tools-others
		"$1_asks" in_clients "$3" "$2" tools-listed
	} | sort >"$WORK/$1.got"
	[[ -s $WORK/$1.got ]] || {
		echo "no answers"
		return 1
	}
	grep '^lost ' "$WORK/$1.got" | head -n 3
	sort "$WORK/$1.$2.$MIDDLE" | diff - "$WORK/$1.got" | head -n 6
	return "${PIPESTATUS[1]}"
}

# answers TRANSPORT SERVER QUERIES MTU: all queries are asked and rightly answered; fails with words.
answers() {
	local transport=$1 edns=${WHOLE[$4]} options=()
	case $transport in
	TCP)
		edns=1232
		options=(--tcp "$CONNECTIONS" --window "$WINDOW" --limit "$STALL_MS")
		;;
	UDP+)
		transport=UDP edns=4096
		options=(--window 48 --wait 700 --tries 12)
		;;
	UDP) options=(--window 48 --wait 700 --tries 12) ;;
	esac
	[[ $MIDDLE == cable ]] || options+=(--sink4 "$SINK4" --sink6 "$SINK6" --ttl-max "$TTL_MAX")
	in_clients timeout 120 "$TRAFFIC" ask --server "$2" --queries "$WORK/$3.txt" \
		--expect "$WORK/$3.$transport.$edns" --edns "$edns" "${options[@]}"
}

# wanted LINE NUMBER: whether a case is to run on this link; with --quick each does on one only.
wanted() {
	[[ $1 == *"$only"* ]] || return 1
	[[ -z $quick ]] || ((($2 + SEED) % ${#LINKS[@]} == link_number))
}

# run_case MTU FAMILY SERVER NUMBER: of CASES.
run_case() {
	local mtu=$1 family=$2 server=$3 name transport queries a b c d line begun
	IFS=';' read -r name transport queries a b c d <<<"${CASES[$4]};"
	line="$MIDDLE: ${transport%+}, $family, MTU $mtu: $name"
	wanted "$line" "$4" || return 0
	begun=$(date +%s%3N)
	impair "$a" "$b" "$c" "${d%;}"
	check "$line" answers "$transport" "$server" "$queries" "$mtu"
	unimpair || not_ok "$line: what the wires saw" "$(cat "$WORK"/impair.*.{err,out})"
	wires_tell "$line, $(($(date +%s%3N) - begun)) ms"
}

run_tools() {
	local mtu=$1 family=$2 server=$3 program transport line begun number=0
	for transport in UDP TCP; do
		for program in "${PROGRAMS[@]}"; do
			line="$MIDDLE: $transport, $family, MTU $mtu: $program"
			number=$((number + 1))
			wanted "$line" "$number" || continue
			begun=$(date +%s%3N)
			impair "$TOOLS_THERE" "$TOOLS_BACK" "$TOOLS_THERE" "$TOOLS_BACK"
			check "$line" tool_answers "$program" "$transport" "$server"
			unimpair || not_ok "$line: what the wires saw" "$(cat "$WORK"/impair.*.{err,out})"
			wires_tell "$line, $(($(date +%s%3N) - begun)) ms"
		done
	done
}

# run_all: every case and program, over whatever is in the middle.
run_all() {
	local link_number mtu family server number program transport
	for program in "${PROGRAMS[@]}"; do
		for transport in UDP TCP; do
			expected "$program" "$transport" >"$WORK/$program.$transport.$MIDDLE"
		done
	done
	for link_number in "${!LINKS[@]}"; do
		read -r mtu family server <<<"${LINKS[link_number]}"
		wires_mtu "$mtu"
		for number in "${!CASES[@]}"; do
			run_case "$mtu" "$family" "$server" "$number"
		done
		run_tools "$mtu" "$family" "$server"
	done
}

wires_up "$PREFIX"
UNBOUND_MORE='max-udp-size: 4096
	incoming-num-tcp: 2000
	tcp-idle-timeout: 120000' dns_up "$WORK" "$ZONE" || die 1 "the resolver did not start"
record_all

MIDDLE=cable
cable_up
[[ -n $box ]] || run_all
cable_down
if [[ -z $cable ]]; then
	MIDDLE=box status=0
	box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini" || die 1 "dnsweir did not start"
	run_all
	box_down || status=$?
	is "the box stops with exit status 0" 0 echo "$status"
	check "each packet received has one verdict and was sent" \
		python3 "$TOP/scripts/counters.py" check "$WORK/box.out"
fi
summary
