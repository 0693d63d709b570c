# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The operator's shell against the running box.

for command in "show version" "show stats" "show verdicts" "show responses" "show lists" \
	"show list names" "show ports" "show workers" "show mirror" "show consent" "show generation" \
	"show hits" "show hits 5" "explain bad.example" "explain www.example" \
	"consent $OPTOUT4" "consent $CLIENT6" reload; do
	# shellcheck disable=SC2086 # words
	check "$command" shell $command
	# shellcheck disable=SC2086 # words
	check "$command as JSON" bash -o pipefail -c "$SHELL_PROGRAM -s $WORK/control.sock -j $command | python3 -m json.tool"
done
q4 deep.evil.example A >/dev/null
sleep 0.5
check "explain names the list" bash -c "$SHELL_PROGRAM -s $WORK/control.sock explain deep.evil.example | grep -q names"
check "a hit is shown" bash -c "$SHELL_PROGRAM -s $WORK/control.sock show hits | grep -q deep.evil.example"
check "a command that does not exist fails" bash -c "! $SHELL_PROGRAM -s $WORK/control.sock nonsense"
check "a list that does not exist fails" bash -c "! $SHELL_PROGRAM -s $WORK/control.sock show list nonsense"
