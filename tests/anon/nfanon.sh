#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Our Crypto-PAn held against nfanon of nfdump: tests/anon/nfanon.sh [ADDRESSES [SEED]]
#
# A packet of each address goes into a capture, nfpcapd makes flows of that, nfanon makes those
# anonymous, and nfdump prints them; the number of the address is the source port. IPv4 only: what
# nfanon does with IPv6 keeps no prefixes (doc/privacy.md).
# Ends with "N passed, N failed"; the exit code is 1 if anything failed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

ADDRESSES=${1:-10000}
SEED=${2:-$RANDOM}
KEYS=(1522178d33a4cf80130a5b1649907d10d8988f837979652762574c2d2a842202
	"$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')")
(($# <= 2 && ADDRESSES >= 1 && ADDRESSES <= 65535)) || die 2 "usage: nfanon.sh [ADDRESSES 1..65535 [SEED]]"
need_packages nfdump python3
undo_at_exit
WORK=$(mktemp -d "${TMPDIR:-/tmp}/dnsweir-nfanon.XXXXXX")
undo rm -rf "$WORK"
mkdir "$WORK/flows"

# dump FILE: "PORT ADDRESS" of each flow, by port.
dump() {
	nfdump -q -r "$1" -o 'fmt:%sp %sa' | awk 'NF == 2 { print $1, $2 }' | sort -n
}

python3 "$(dirname "${BASH_SOURCE[0]}")/capture.py" "$ADDRESSES" "$SEED" "$WORK/capture" "$WORK/addresses"
nfpcapd -r "$WORK/capture" -w "$WORK/flows" >"$WORK/log" 2>&1 || die 1 "nfpcapd: $(tail -n 1 "$WORK/log")"
FLOWS=("$WORK"/flows/nfcapd.*)
((${#FLOWS[@]} == 1)) || die 1 "expected one file of flows, got ${#FLOWS[@]}"

PASSED=0 FAILED=0
judge() {
	if "${@:2}" >"$WORK/log" 2>&1; then
		PASSED=$((PASSED + 1))
		say "ok - $1"
	else
		FAILED=$((FAILED + 1))
		say "not ok - $1"
		head -n 10 "$WORK/log"
	fi
}

dump "${FLOWS[0]}" >"$WORK/before"
judge "nfdump has the $ADDRESSES addresses of seed $SEED" diff "$WORK/addresses" "$WORK/before"
for i in "${!KEYS[@]}"; do
	(umask 077 && echo "${KEYS[i]}" >"$WORK/key")
	nfanon -q -K "0x${KEYS[i]}" -r "${FLOWS[0]}" -w "$WORK/after.nf" >"$WORK/log" 2>&1 ||
		die 1 "nfanon: $(tail -n 1 "$WORK/log")"
	dump "$WORK/after.nf" >"$WORK/after"
	cut -d' ' -f2 "$WORK/addresses" | "$BUILD/tests/anon/anonymise" crypto-pan "$WORK/key" |
		awk '{ print NR, $0 }' >"$WORK/ours"
	judge "nfanon and lib/anon agree on all of them, key $((i + 1))" diff "$WORK/after" "$WORK/ours"
	rm -f "$WORK/after.nf"
done
say
say "$PASSED passed, $FAILED failed"
((FAILED == 0))
