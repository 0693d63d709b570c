# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# box: own
# Totals in the file are those of the queries, to the unit: over reloads, after SIGKILL, and when the
# disk was full for a while. Clients that refused logging are in none of them.

HIDDEN=198.51.100.201  # no log, but filtered
NOBODY=198.51.100.200  # neither
NO_FILTER=$OPTOUT4     # not filtered
for address in "$HIDDEN" "$NOBODY"; do
	ip -n "$NS_CLIENTS" address replace "$address/24" dev wire
done

# Behind a small disk, where that can be had.
mkdir "$WORK/disk"
undo_at_exit
DISK=no
if mount -t tmpfs -o size=1m dnsweir-live "$WORK/disk" 2>/dev/null; then
	undo umount "$WORK/disk"
	DISK=yes
fi
FILE=$WORK/disk/totals.db

# catalogues LINE...: two lists that share an identifier; further lines give the first one others.
catalogues() {
	put first.csv id,fqdn,behaviour,start,end "$@" 'M-1,bad.example,C2 server,2020-01-01,' \
		'M-2,many.example,C2 server,2020-01-01,' 'M-2,*.botnet.example,C2 server,2020-01-01,'
	put second.csv id,fqdn,behaviour,start,end 'M-1,dated.example,C2 server,2020-01-01,'
}

write_config
catalogues
sed -i -e 's/^source = names.txt/source = first.csv/' -e 's/^source = catalogue.csv/source = second.csv/' \
	"$WORK/dnsweir.ini"
cat >>"$WORK/dnsweir.ini" <<-END
	[time]
	zone = Asia/Kolkata
	[totals]
	file = disk/totals.db
	box = tokyo-1
END
cat >"$WORK/table" <<-END
	150 www.example A udp 4 0
	40 www.example AAAA udp 6 0
	30 missing.example A udp 4 3
	20 missing.example TXT udp 6 3
	10 www.example A tcp 4 0
	90 bad.example A udp 4 0 names/M-1/sinkhole
	35 bad.example AAAA udp 6 0 names/M-1/sinkhole
	15 bad.example A tcp 4 0 names/M-1/sinkhole
	25 many.example A udp 4 0 names/M-2/sinkhole
	12 gate.botnet.example A udp 4 0 names/M-2/sinkhole
	60 dated.example A udp 4 0 catalogue/M-1/sinkhole
	22 logged.example A udp 4 0 logged//log
	18 denied.example A udp 4 0 denied//nxdomain
	8 denied.example A tcp 4 0 denied//sinkhole
	14 empty.example A udp 4 0 empty//nodata
	9 dropped.example A quiet 4 0 dropped//drop
	16 overtcp.example A udp 4 0 overtcp//tcp-only
	50 bad.example A udp $HIDDEN -
	50 www.example A udp $NOBODY -
	45 bad.example A udp $NO_FILTER 0
END

ask() { in_clients python3 "$LIVE/totals.py" ask "$RESOLVER4" "$RESOLVER6" "$WORK/table"; }
expect() { python3 "$LIVE/totals.py" expect "$WORK/table" "$1"; }
sums() { python3 "$LIVE/totals.py" sums "$FILE" tokyo-1; }
are() { [[ $(sums) == "$(expect "$1")" ]]; }
number() { shell -j show totals | python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }
first_id() {
	shell -j show ids 1 | python3 -c "import json, sys; print(*json.load(sys.stdin)['ids'][0].values())"
}
writes_reach() { (($(number writes) >= $1)); }

box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini"

# Lists are read again while queries are answered; identifiers get other numbers each time.
ask >"$WORK/asked" 2>&1 &
asking=$!
for i in 1 2 3 4; do
	catalogues "M-0$i,nobody$i.example,C2 server,2020-01-01,"
	reload
done
status=0
wait "$asking" || status=$?
is "every query is answered" 0 echo "$status"
check "the file has them within 10 seconds" wait_for 10 are 1
is "all of them, by response code, type, list, id and action" "$(expect 1)" sums
is "hours are those of the operator's zone" 0 python3 "$LIVE/totals.py" hours "$FILE" 1800
is "show ids has the most first" "names M-1 sinkhole 140" first_id
is "so do the counters" 60 counter dnsweir_filtered_ids_total catalogue M-1 sinkhole

if [[ $DISK == yes ]]; then
	dd if=/dev/zero of="$WORK/disk/filler" bs=4k 2>/dev/null || true
	check "answers go on while the disk is full" ask
	failed() { (($(number errors) >= 1)); }
	check "it is told" wait_for 20 failed
	check "in the log, too" grep -q 'totals: .*tried again' "$WORK/box.err"
	check "and what waits" test "$(number responses_waiting)" -gt 0
	rm "$WORK/disk/filler"
	check "when there is room again the file has all" wait_for 20 are 2
	is "to the unit" "$(expect 2)" sums
else
	skip "a full disk" "no tmpfs can be mounted here"
	check "further queries are answered" ask
fi

# What a crash loses came in the last 10 seconds.
done=$(number writes)
check "the next writes" wait_for 15 writes_reach $((done + 2))
check "queries before a crash" ask
kill -KILL "$BOX_PID"
wait "$BOX_PID" || true
check "after SIGKILL the file has all that was there before, and nothing twice" \
	python3 "$LIVE/totals.py" between "$FILE" "$WORK/table" 2 3
rm "$FILE"*

box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini"
check "queries after it" ask
sleep 11
check "11 seconds later" ask
kill -KILL "$BOX_PID"
wait "$BOX_PID" || true
check "a crash takes nothing that is older than 10 seconds" \
	python3 "$LIVE/totals.py" between "$FILE" "$WORK/table" 1 2
rm "$FILE"*

box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini"
check "queries before the end" ask
status=0
box_down || status=$?
is "it stops with exit status 0" 0 echo "$status"
is "the file has all" "$(expect 1)" sums
box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini"
check "queries after a new start" ask
box_down || true
is "they are added" "$(expect 2)" sums

echo 'no database' >"$WORK/disk/other"
sed -i 's,^file = .*,file = disk/other,' "$WORK/dnsweir.ini"
status=0
box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini" 2>/dev/null || status=$?
is "a file that is none of totals is refused" \
	"dnsweir: cannot start: totals: $WORK/disk/other: expected a file of totals" tail -n 1 "$WORK/box.err"
is "and left alone" 'no database' cat "$WORK/disk/other"
