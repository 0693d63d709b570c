#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Captures through scripts/filter-pcap: tests/live/captures.sh
#
# Each capture of $DNSWEIR_SHARED/pcaps (default: ../shared beside the project's folder), with an
# empty list and with a list of all names answered in it, and a few made here of every format.
# Ends with "N passed, N failed, N skipped"; the exit code is 1 if anything failed.
set -euo pipefail
# shellcheck source=tests/live/live.sh
. "$(dirname "${BASH_SOURCE[0]}")/live.sh"

SHARED=${DNSWEIR_SHARED:-$TOP/../shared}
need_packages python3 tshark
undo_at_exit
WORK=$(mktemp -d /tmp/dnsweir-captures.XXXXXX)
undo rm -rf "$WORK"
# Blanks and commas in paths are on purpose.
mkdir "$WORK/a folder, with" "$WORK/after"

# config NAME [LIST [DNSSEC]]
config() {
	cat >"$WORK/a folder, with/$1.ini" <<-END
		[ports]
		pairs = 4:5
		[sinkhole]
		ipv4 = $SINK4
		ipv6 = $SINK6
		ttl_max = 60
		[list all]
		source = ${2:-$1}.txt
		action = sinkhole
		dnssec = ${3:-rewrite}
		format = names
		min_labels = 1
		[control]
		socket = /run/dnsweir/never.sock
	END
}

filter() {
	"$TOP/scripts/filter-pcap" "$WORK/a folder, with/$1.ini" "$2" "$3" \
		>"$WORK/counters.json" 2>"$WORK/filter.err" || {
		cat "$WORK/filter.err"
		return 1
	}
	[[ $(wc -l <"$WORK/counters.json") -ge 1 ]]
	python3 "$TOP/scripts/counters.py" check "$WORK/counters.json"
}

same() {
	filter empty "$1" "$WORK/a folder, with/out" && cmp "$1" "$WORK/a folder, with/out"
}

# names CAPTURE: every name that is asked for, answered or pointed to in a response.
names() {
	tshark -n -r "$1" -Y 'dns.flags.response == 1' -T fields -E separator=/t -E occurrence=a \
		-E aggregator=' ' -e dns.qry.name -e dns.resp.name -e dns.cname -e dns.dname 2>/dev/null |
		tr '\t ' '\n' | grep -v '^$' | grep -v '^<Root>$' | sort -u || true
}

# decoded CAPTURE: what tshark makes of it, without what a rewrite may change. The checks of the
# checksums stay: one that was right is right, one that was wrong is wrong. Of a capture of fragments
# their octets are left out: what they come to is decoded behind the last one.
decoded() {
	local octets=()
	[[ ${1##*/} != frag* ]] || octets=(-e '/^ *\[?(Data|Reassembled IPv[46] data): /d' -e '/^[0-9a-f]{4}  /d')
	tshark -n -V -r "$1" -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE \
		-o tcp.check_checksum:TRUE -o tcp.desegment_tcp_streams:FALSE 2>/dev/null | sed -E "${octets[@]}" \
		-e '/type (A|AAAA), class/s/, addr .*//' \
		-e '/^ *(SvcParam: )?ipv[46]hint/s/=.*//' \
		-e '/^ *IP: /d' \
		-e '/^ *(AAAA )?Address: /d' \
		-e '/^ *Time to live: /d' \
		-e '/Answer authenticated: /d' \
		-e '/^ *(Flags: 0x[0-9a-f]* Standard query response).*/s/0x[0-9a-f]*//' \
		-e '/^ *(Checksum|.*[cC]hecksum): 0x/s/0x[0-9a-f]*//'
}

# Signed answers to clients that want signatures are left: their length would change.
rewritten_as_promised() {
	local out="$WORK/a folder, with/out"
	filter unsigned "$1" "$out" || return 1
	[[ $(stat -c %s "$1") == "$(stat -c %s "$out")" ]] || {
		echo "the size differs"
		return 1
	}
	decoded "$1" >"$WORK/before.txt"
	cp "$out" "$WORK/after/${1##*/}"
	decoded "$WORK/after/${1##*/}" >"$WORK/after.txt"
	rm "$WORK/after/${1##*/}"
	diff "$WORK/before.txt" "$WORK/after.txt" >"$WORK/diff.txt" || {
		head -n 20 "$WORK/diff.txt"
		return 1
	}
}

# malformed CAPTURE: how many frames tshark cannot read whole.
malformed() { tshark -n -r "$1" -Y _ws.malformed 2>/dev/null | wc -l; }

# answered CAPTURE ORIGIN: addresses in answer sections from port 53, those of hints too, as tshark reads them. A
# fuzzer's messages are mostly no DNS that anybody but tshark reads to the end.
answered() {
	local which='(udp.srcport == 53 || tcp.srcport == 53) && dns.flags.response == 1 && dns.flags.opcode == 0 &&
		!_ws.malformed && !icmp && !icmpv6'
	[[ $2 != *fuzz* ]] || which+=' && dns.count.auth_rr == 0 && dns.count.add_rr == 0'
	tshark -n -V -r "$1" -Y "$which" 2>/dev/null | awk '
		/^    [^ ]/ || /^[^ ]/ { inside = /^    Answers$/ }
		inside && /: type (A|AAAA), class IN, addr / { sub(/.*, addr /, ""); print }
		inside && /^ *SvcParam: ipv[46]hint=/ { sub(/.*=/, ""); gsub(/,/, "\n"); print }'
}

# Every address that a listed name has in an answer from port 53 is the sinkhole's, and what
# could be read can be read.
addresses_replaced() {
	local left out="$WORK/a folder, with/out"
	filter all "$1" "$out" || return 1
	[[ $(malformed "$1") == "$(malformed "$out")" ]] || {
		echo "malformed: $(malformed "$1") before, $(malformed "$out") after"
		return 1
	}
	answered "$1" "$1" >"$WORK/before.txt"
	answered "$out" "$1" >"$WORK/after.txt"
	left=$(grep -vxF -e "$SINK4" -e "$SINK6" "$WORK/after.txt" || true)
	[[ -z $left ]] || {
		echo "left: $left"
		return 1
	}
	[[ $(wc -l <"$WORK/before.txt") == "$(wc -l <"$WORK/after.txt")" ]] || {
		echo "addresses: $(wc -l <"$WORK/before.txt") before, $(wc -l <"$WORK/after.txt") after"
		return 1
	}
}

# reasons: those that the counters have, and how often.
reasons() {
	python3 -c 'import json, sys
for reason, n in json.load(sys.stdin)["dnsweir_verdicts_total"].items():
    if n:
        print(reason, n)' <"$WORK/counters.json" | sort | paste -sd' '
}

# What frames are counted by with all names listed, of captures that are about what is not one plain
# message over UDP. Queries that were cut are "fragment", as is all that has no DNS port at its source.
declare -A REASONS=(
	[frag4-24-byte-pieces]='fragment 99 no_address 204 rewritten 192'
	[frag4-dnskey]='no_address 2 query 1'
	[frag6-txt]='fragment_incomplete 1 no_address 4 query 3'
	[https-alpn-len-too-long]='no_address 1 query 1'
	[https-rr]='query 1 rewritten 1'
	[malformed-additionals]='no_address 1 query 1'
	[malformed-badlabel-63k]='opcode 1'
	[malformed-name-recursion]='bad_label 1'
	[pppoe-over-qinq-nondns]='not_udp 80 snapped 6'
	[svcb-rr]='no_address 1 query 1'
	[tcp-41-responses-one-stream]='no_address 17 rewritten 24 tcp_dns 171'
	[tcp-large-txt]='no_address 3 rewritten 2 tcp_dns 45'
	[tcp-many-messages-one-segment]='rewritten 1 tcp_dns 9'
	[tcp-pipelined-20]='no_address 20 tcp_dns 28'
)

# Names, and text for patterns, of which no message that a resolver sends has more than are looked at. What came of
# the names is there already.
none_over() {
	[[ $(reasons) == *name_limit* ]] || filter scanned "$1" "$WORK/a folder, with/out" || return 1
	[[ $(reasons) != *name_limit* ]] || {
		reasons
		return 1
	}
}

# capture FILE: all that is asked of one.
capture() {
	local file=$1 name=${1##*/}
	check "$name with an empty list comes out as it went in" same "$file"
	names "$file" >"$WORK/a folder, with/all.txt"
	check "$name with all names listed: only what may change does" rewritten_as_promised "$file"
	check "$name: the addresses are the sinkhole's" addresses_replaced "$file"
	[[ -z ${REASONS[${name%.pcap}]:-} ]] ||
		is "$name: each frame has its reason" "${REASONS[${name%.pcap}]}" reasons
	[[ $name == malformed-* || $name == *fuzz* ]] ||
		check "$name: no message has more names than are looked at" none_over "$file"
}

# lane NUMBER OF: every OF-th capture of those shared, in a folder of its own; what is to be said goes to NUMBER.txt.
lane() {
	local number=$1 of=$2 file i=0 all=$WORK
	WORK=$all/lane$number
	mkdir "$WORK" "$WORK/after"
	cp -r "$all/a folder, with" "$WORK"
	for file in "$SHARED"/pcaps/*.pcap; do
		((i++ % of != number)) || capture "$file"
	done >"$all/$number.txt"
}

: >"$WORK/a folder, with/empty.txt"
config empty
config all
config scanned all
cat >>"$WORK/a folder, with/scanned.ini" <<-END
	[list patterns]
	source = scanned.hs
	action = sinkhole
	format = pattern
END
# It matches nothing, and as no word is required every name is scanned.
echo 'EX-1:/^[0-9]{200}$/' >"$WORK/a folder, with/scanned.hs"
config unsigned all skip-signed

say "# captures made here"
python3 "$LIVE/make_captures.py" "$WORK"
for file in "$WORK"/good-*; do
	check "${file##*/} comes out as it went in" same "$file"
done
echo large.example >"$WORK/a folder, with/all.txt"
check "a response of 64,073 bytes: only what may change does" \
	rewritten_as_promised "$WORK/large-answer.pcap"
check "and all its addresses are the sinkhole's" addresses_replaced "$WORK/large-answer.pcap"
for file in "$WORK"/bad-*; do
	status=0
	"$TOP/scripts/filter-pcap" "$WORK/a folder, with/empty.ini" "$file" "$WORK/none" \
		>"$WORK/out.txt" 2>"$WORK/err.txt" || status=$?
	is "${file##*/} is refused with one line" "2 1 0" \
		echo "$status $(wc -l <"$WORK/err.txt") $(wc -c <"$WORK/out.txt")"
done
check "nothing is left of a refused capture" test ! -e "$WORK/none"
status=0
printf '[sinkhole]\nipv5 = 1\n' >"$WORK/a folder, with/bad.ini"
"$TOP/scripts/filter-pcap" "$WORK/a folder, with/bad.ini" "$WORK/good-empty.pcap" "$WORK/none" \
	>"$WORK/out.txt" 2>"$WORK/err.txt" || status=$?
is "a bad configuration is refused with its own name and line" "2 1" \
	echo "$status $(grep -c '/bad.ini:2: ' "$WORK/err.txt")"
# Relative paths, a bad line, and an OUT that is no file of its own.
printf '0.0.0.0 hosts.example\nlarge.example\n' >"$WORK/a folder, with/odd.txt"
config odd
printf '[anonymise]\nmode = crypto-pan\nkey_file = key\n[totals]\nfile = totals.db\n' >>"$WORK/a folder, with/odd.ini"
printf '0123456789abcdef%.0s' 1 2 3 4 >"$WORK/a folder, with/key"
chmod 600 "$WORK/a folder, with/key"
mkfifo "$WORK/pipe"
timeout 60 cat "$WORK/pipe" >"$WORK/piped" &
reader=$!
check "paths are relative to the configuration" filter odd "$WORK/large-answer.pcap" "$WORK/pipe"
check "totals are where the configuration has them" test -s "$WORK/a folder, with/totals.db"
is "a bad line of a list is told, with its file" 1 \
	grep -c "^dnsweir: warning: $WORK/a folder, with/odd.txt:1: " "$WORK/filter.err"
check "a pipe is written to, and stays one" test -p "$WORK/pipe" -a ! -e "$WORK/pipe.part"
wait "$reader" || true
ln -s linked "$WORK/link"
check "a link is followed" filter odd "$WORK/large-answer.pcap" "$WORK/link"
check "and stays one" test -L "$WORK/link" -a -f "$WORK/linked"
check "pipe and file have the same" cmp "$WORK/piped" "$WORK/linked"
if ((EUID == 0)); then
	chmod 755 "$WORK"
	mkdir -m 777 "$WORK/nobody"
	check "it needs no root" runuser -u nobody -- env "DNSWEIR_BUILD=$BUILD" \
		"$TOP/scripts/filter-pcap" "$WORK/a folder, with/empty.ini" "$WORK/good-empty.pcap" \
		"$WORK/nobody/out"
fi

if [[ ! -d $SHARED/pcaps ]]; then
	note "NO CAPTURES: $SHARED/pcaps is not there; set DNSWEIR_SHARED"
	skip "captures of $SHARED/pcaps" "not there"
else
	# Most of it is starting programs: one lane for each CPU.
	mapfile -t cpus < <(cpus_allowed)
	for ((i = 0; i < ${#cpus[@]}; i++)); do
		lane "$i" "${#cpus[@]}" &
		pids[i]=$!
	done
	for ((i = 0; i < ${#cpus[@]}; i++)); do
		wait "${pids[i]}" || die 1 "lane $i did not come to its end"
		awk -v n="$N" '/^(not )?ok / { sub(/ok [0-9]+/, "ok " ++n) } 1' "$WORK/$i.txt"
		N_OK=$((N_OK + $(grep -c '^ok ' "$WORK/$i.txt" || true)))
		N_FAILED=$((N_FAILED + $(grep -c '^not ok ' "$WORK/$i.txt" || true)))
		N=$((N_OK + N_FAILED))
	done
fi
summary
