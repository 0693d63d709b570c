# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# box: own
# With mirroring off responses are filtered and counted as ever, and no record of them is made.

write_config
printf '[mirror]\nenabled = no\n' >>"$WORK/dnsweir.ini"
box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini"
is "a listed answer is replaced" "$SINK4" q4 bad.example A
is "another one is not" 203.0.113.80 q4 www.example A
is "it is counted" 1 moved dnsweir_verdicts_total rewritten -- q4 bad.example A
is "the list's own counter, too" 1 moved dnsweir_filtered_total names sinkhole -- q4 bad.example A
is "no record is made" 0 counter dnsweir_mirror_records_total
is "and none is lost" 0 counter dnsweir_mirror_lost_total
check "show mirror says that it is off" grep -q '^enabled  *no$' <(shell show mirror)
is "show hits says why there are none" \
	"dnsweir-shell: no hits are kept: mirroring is off ([mirror] enabled = no)" shell show hits
sed -i 's/^enabled = no/enabled = yes/' "$WORK/dnsweir.ini"
reload
check "a reload says that the switch waits for the next start" \
	grep -q 'changes in \[mirror\] take effect at the next start' "$WORK/box.err"
check "and changes nothing" grep -q '^enabled  *no$' <(shell show mirror)
status=0
box_down || status=$?
is "it stops with exit status 0" 0 echo "$status"
check "each packet received has one verdict and was sent" \
	python3 "$TOP/scripts/counters.py" check "$WORK/box.out"
