# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Lists change while the box runs; a list that broke changes nothing.

is "not listed yet" 203.0.113.81 q4 reloaded.example A
put names.txt reloaded.example
check "the shell's reload succeeds" reload
is "listed after the shell's reload" "$SINK4" q4 reloaded.example A
is "and what was taken off is not any more" 203.0.113.66 q4 bad.example A

put names.txt bad.example
kill -HUP "$BOX_PID"
answers() { [[ $(q4 "$1" A) == "$2" ]]; }
check "listed after SIGHUP" wait_for 5 answers bad.example "$SINK4"
is "and the other one not any more" 203.0.113.81 q4 reloaded.example A

rm "$WORK/names.txt"
reload || true
is "a list that vanished stays in force" "$SINK4" q4 bad.example A
put names.txt '!!' '??? ???'
reload || true
is "a list without a good line leaves the old one in force" "$SINK4" q4 bad.example A
put names.txt 'not a name!' reloaded.example
reload || true
is "a bad line is skipped, the rest counts" "$SINK4" q4 reloaded.example A
