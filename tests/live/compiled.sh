#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Compiled lists from end to end: tests/live/compiled.sh
#
# A capture through dnsweir with lists as text and compiled comes out the same; a reload of a file
# that is missing, damaged or of other lists leaves the old generation in force. Needs no root.
# Ends with "N passed, N failed"; the exit code is 1 if anything failed.
set -euo pipefail
# shellcheck source=tests/live/live.sh
. "$(dirname "${BASH_SOURCE[0]}")/live.sh"

LIST=$BUILD/app/dnsweir-list
[[ -x $BUILD/app/dnsweir && -x $LIST ]] || die 2 "$BUILD is not built"
undo_at_exit
WORK=$(mktemp -d /tmp/dnsweir-compiled.XXXXXX)
undo rm -rf "$WORK"
# A blank and a comma in the path are on purpose.
HERE="$WORK/a folder, with"
mkdir "$HERE"
python3 "$LIVE/make_captures.py" "$WORK"

# config NAME LISTS-SECTION ACTION-OF-DATED
config() {
	cat >"$HERE/$1.ini" <<-END
		[sinkhole]
		ipv4 = $SINK4
		ipv6 = $SINK6
		$2
		[list plain]
		source = plain.txt
		action = sinkhole
		[list dated]
		source = dated.csv
		action = ${3:-log}
		[control]
		socket = $WORK/control.sock
	END
}

put_lists() {
	printf '%s\n' "$@" >"$HERE/plain.txt"
	printf 'id,fqdn,behaviour,start,end\nEX-1,old.example,x,2001-01-01,2001-12-31\nEX-2,large.example,y,2020-01-01,\n' \
		>"$HERE/dated.csv"
}

# runs STATUS COMMAND...: ends with that status and at most one line on stderr.
runs() {
	local wanted=$1 status=0
	shift
	"$@" >"$WORK/out" 2>"$WORK/err" || status=$?
	cat "$WORK/out" "$WORK/err"
	((status == wanted)) || return 1
	((status == 0)) || [[ $(wc -l <"$WORK/err") == 1 ]]
}

through() {
	"$TOP/scripts/filter-pcap" "$HERE/$1.ini" "$WORK/large-answer.pcap" "$WORK/$1.pcap" >"$WORK/$1.json"
}

say "# a capture"
put_lists large.example '*.below.example' 'not a good line'
config text ''
config compiled $'[lists]\ncompiled = the lists.gen'
check "lists as text" through text
check "compile without -o writes what the configuration names" runs 0 "$LIST" compile -c "$HERE/compiled.ini"
check "with the bad line counted" grep -q '^list plain: 2 good lines, 1 bad; first: .*plain.txt:3: ' "$WORK/out"
mkdir "$HERE/away"
mv "$HERE/plain.txt" "$HERE/dated.csv" "$HERE/away"
check "lists compiled, their sources gone" through compiled
check "the same capture comes out" cmp "$WORK/text.pcap" "$WORK/compiled.pcap"
check "and it is rewritten" bash -c "! cmp -s '$WORK/text.pcap' '$WORK/large-answer.pcap'"
is "as often as with text" "$(python3 "$TOP/scripts/counters.py" get "$WORK/text.json" dnsweir_verdicts_total rewritten)" \
	python3 "$TOP/scripts/counters.py" get "$WORK/compiled.json" dnsweir_verdicts_total rewritten

say "# dnsweir-list"
GEN="$HERE/the lists.gen"
check "show" runs 0 "$LIST" show "$GEN"
check "knows the lists" grep -q '^list dated' "$WORK/out"
check "explain a name that is filtered" runs 0 "$LIST" explain "$GEN" LARGE.example
check "says by which list" grep -q '^  by  *list plain, action sinkhole' "$WORK/out"
check "explain on another day" runs 0 "$LIST" explain -d 2001-06-01 "$GEN" old.example
check "goes by the dates" grep -q '^old.example: logged' "$WORK/out"
check "explain a name that is none" runs 2 "$LIST" explain "$GEN" a..b
cp "$GEN" "$WORK/before.gen"
mv "$HERE/away"/* "$HERE"
put_lists large.example new.example
check "compile again" runs 0 "$LIST" compile --config "$HERE/compiled.ini" --output "$GEN"
check "diff" runs 0 "$LIST" diff "$WORK/before.gen" "$GEN"
is "has what is new and what went" '+ plain new.example - plain *.below.example' \
	bash -c "grep '^[+-]' '$WORK/out' | sort | paste -sd' ' -"
check "by list" grep -qx 'list plain: 1 added, 1 removed, 0 changed' "$WORK/out"
check "check of good files" runs 0 "$LIST" check "$HERE/plain.txt" "$HERE/dated.csv"
echo '0.0.0.0 hosts.example' >"$WORK/hosts.txt"
status=0
"$LIST" check "$WORK/hosts.txt" >"$WORK/out" 2>&1 || status=$?
is "check of a file without a good line" 2 echo "$status"
: >"$HERE/plain.txt"
check "an empty list does not take the place of a good file" runs 2 "$LIST" compile -c "$HERE/compiled.ini"
check "no operand" runs 2 "$LIST" show
check "no command" runs 2 "$LIST"
check "an unknown option" runs 2 "$LIST" show --nonsense "$GEN"
check "a file that is not there" runs 2 "$LIST" show "$WORK/none"
put_lists large.example
check "a folder that is not there" runs 1 "$LIST" compile -c "$HERE/compiled.ini" -o "$WORK/none/x"

say "# patterns"
printf 'EX-1:/^la.ge\\.example$/\nEX-2:/^other/\n' >"$HERE/kits.hs"
if "$LIST" check "$HERE/kits.hs" >/dev/null 2>&1; then
	put_lists nothing.example
	config ptext $'[list kits]\nsource = kits.hs\naction = sinkhole'
	config pcompiled $'[lists]\ncompiled = patterns.gen\n[list kits]\nsource = kits.hs\naction = sinkhole'
	check "patterns as text" through ptext
	check "compile" runs 0 "$LIST" compile -c "$HERE/pcompiled.ini"
	mv "$HERE/kits.hs" "$HERE/away"
	check "patterns compiled, their source gone" through pcompiled
	check "the same capture comes out" cmp "$WORK/ptext.pcap" "$WORK/pcompiled.pcap"
	check "and it is that of the list of names" cmp "$WORK/text.pcap" "$WORK/pcompiled.pcap"
	check "explain" runs 0 "$LIST" explain "$HERE/patterns.gen" LARGE.example
	check "has the expression and its identifier" \
		grep -Fqx '  met      list kits, action sinkhole, rule /^la.ge\.example$/, id EX-1' "$WORK/out"
	cp "$HERE/patterns.gen" "$WORK/before.gen"
	printf 'EX-1:/^la.ge\\.example$/\nEX-3:/^third/\n' >"$HERE/kits.hs"
	check "compile again" runs 0 "$LIST" compile -c "$HERE/pcompiled.ini"
	check "diff" runs 0 "$LIST" diff "$WORK/before.gen" "$HERE/patterns.gen"
	is "has expressions that are new and that went" '+ kits /^third/ - kits /^other/' \
		bash -c "grep '^[+-]' '$WORK/out' | sort | paste -sd' ' -"
fi

say "# reloads"
put_lists large.example new.example
"$LIST" compile -c "$HERE/compiled.ini" >/dev/null
RUNTIME_DIRECTORY=$WORK "$BUILD/app/dnsweir" --lcores "$(lcores 1)" --no-huge -m 64 --no-pci --no-shconf \
	--no-telemetry --log-level=error "--file-prefix=${WORK##*/}" --vdev net_null0,no-rx=1 \
	--vdev net_null1,no-rx=1 -- --config "$HERE/compiled.ini" >"$WORK/box.out" 2>"$WORK/box.err" </dev/null &
BOX_PID=$!
undo stop_pid "$BOX_PID" 10
ask() { "$SHELL_PROGRAM" -s "$WORK/control.sock" -j "$@"; }
check "it starts" wait_for 20 ask show version
verdict() { ask explain "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["verdict"])'; }
is "and filters" filtered verdict new.example
# refused SENTENCE PATTERN: a reload fails, and the names in force stay.
refused() {
	local status=0
	ask reload >"$WORK/reload.out" 2>&1 || status=$?
	if ((status != 0)) && grep -q "$2" "$WORK/box.err" && [[ $(verdict new.example) == filtered ]]; then
		ok "$1"
	else
		not_ok "$1" "status $status"$'\n'"$(cat "$WORK/reload.out" "$WORK/box.err")"
	fi
}
cp "$GEN" "$WORK/good.gen"
python3 - "$GEN" <<-'END'
	import sys
	with open(sys.argv[1], "r+b") as f:
	    f.seek(-100, 2)
	    byte = f.read(1)[0]
	    f.seek(-100, 2)
	    f.write(bytes([byte ^ 4]))
END
refused "a damaged file, written over in place" 'generation 1 stays in force: .*damaged'
truncate -s 1000 "$GEN"
refused "a file that was cut in place" 'generation 1 stays in force: .*expected [0-9]* bytes, got 1000'
rm "$GEN"
refused "a file that is gone" 'generation 1 stays in force: .*compiled: expected a readable file'
cp "$WORK/good.gen" "$GEN"
config compiled $'[lists]\ncompiled = the lists.gen' allow
refused "a list with another action" 'generation 1 stays in force: .*expected list 2 to be dated with action allow .*got dated with action log'
config compiled $'[lists]\ncompiled = the lists.gen'
put_lists large.example
"$LIST" compile -c "$HERE/compiled.ini" >/dev/null
check "a good file is taken" ask reload
is "and its names are in force" "not listed" verdict new.example
kill -INT "$BOX_PID"
status=0
wait "$BOX_PID" || status=$?
is "it stops with exit status 0" 0 echo "$status"
summary
