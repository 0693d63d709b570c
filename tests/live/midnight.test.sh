# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# box: own
# Entries switch at midnight of the operator's time zone, without a reload or a restart. The clock is
# libfaketime's; the ports carry nothing.

put midnight.csv id,fqdn,behaviour,start,end 'M-1,old.example,C2 server,2026-01-01,2026-11-22' \
	'M-2,new.example,C2 server,2026-11-23,'
cat >"$WORK/midnight.ini" <<-END
	[sinkhole]
	ipv4 = $SINK4
	ipv6 = $SINK6
	[list c2]
	source = midnight.csv
	action = sinkhole
	[time]
	zone = Asia/Tokyo
	[control]
	socket = $WORK/midnight.sock
END

verdict() {
	"$SHELL_PROGRAM" -s "$WORK/midnight.sock" -j explain "$1" |
		python3 -c "import json, sys; print(json.load(sys.stdin)['verdict'])"
}

# Midnight in Tokyo is 15:00 UTC; monotonic time goes on as ever.
LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1 FAKETIME_DONT_FAKE_MONOTONIC=1 TZ=UTC \
	FAKETIME='@2026-11-22 14:59:40' "$BUILD/app/dnsweir" --lcores "$(lcores 1)" --no-huge -m 128 --no-pci \
	--no-shconf --no-telemetry "--file-prefix=$PREFIX-midnight" --vdev net_null0,no-rx=1 \
	--vdev net_null1,no-rx=1 -- --config "$WORK/midnight.ini" >"$WORK/midnight.out" 2>"$WORK/midnight.err" &
box=$!
undo_at_exit
undo stop_pid "$box" 20
check "it starts" wait_for 15 grep -q 'forwarding: ' "$WORK/midnight.err"
check "the last day of an entry counts" test "$(verdict old.example)" = filtered
check "a day before its first an entry is not in force" test "$(verdict new.example)" = "not listed"
check "midnight comes" wait_for 40 grep -q 'entries of 2026-11-23 are in force' "$WORK/midnight.err"
check "an entry that ended is out of force" test "$(verdict old.example)" = "not listed"
check "an entry that begins is in force" test "$(verdict new.example)" = filtered
check "nothing was loaded for that" bash -c \
	"$SHELL_PROGRAM -s $WORK/midnight.sock -j show generation | grep -q '\"generation\":1'"
