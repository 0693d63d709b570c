# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A list of patterns comes and goes while the box runs.

put patterns.hs '# hosts of a kit' 'EX-7:/^w{3}\.example$/' 'EX-8:/no such (/' 'EX-9:/(^|\.)middle\./i'
printf '\n[list patterns]\nsource = patterns.hs\naction = sinkhole\n' >>"$WORK/dnsweir.ini"
is "not listed yet" 203.0.113.80 q4 www.example A
if ! "$BUILD/app/dnsweir-list" check "$WORK/patterns.hs" >/dev/null 2>&1; then
	check "a list of patterns is refused by a program without Hyperscan" bash -c "! $SHELL_PROGRAM -s $WORK/control.sock reload"
	is "and what was there stays in force" "$SINK4" q4 bad.example A
	return 0
fi
check "a reload compiles them" reload
is "a name that one matches is replaced" "$SINK4" q4 www.example A
is "in letters of any case" "$SINK4" q4 WwW.eXample A
is "a name that none matches is not" 203.0.113.81 q4 reloaded.example A
is "and it is counted for the list" 1 moved dnsweir_filtered_total patterns sinkhole -- q4 www.example A
sleep 0.5
check "a hit has the identifier of the line" bash -c "$SHELL_PROGRAM -s $WORK/control.sock -j show hits 5 | grep -q EX-7"
check "explain names the expression" bash -c "$SHELL_PROGRAM -s $WORK/control.sock -j explain www.example | grep -q 'w{3}'"
check "expressions are counted" bash -c "$SHELL_PROGRAM -s $WORK/control.sock -j show list patterns | grep -q '\"names\": *2'"
put patterns.hs 'EX-7:/(/'
reload || true
is "a list without a good line leaves the old one in force" "$SINK4" q4 www.example A
put patterns.hs 'EX-7:/^nobody\./'
check "another list is taken" reload
is "and the name is not listed any more" 203.0.113.80 q4 www.example A
