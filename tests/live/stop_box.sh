# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# After each test with the shared box: it stops cleanly, and each of its packets has one verdict.
# Sourced by run_live.

stop_status=0
box_down || stop_status=$?
if ((stop_status == 0)); then
	ok "the box stops on SIGTERM with exit status 0"
else
	not_ok "the box stops on SIGTERM with exit status 0" \
		"exit status $stop_status"$'\n'"$(tail -n 20 "$WORK/box.err")"
fi
check "each packet received has one verdict and was sent" \
	python3 "$TOP/scripts/counters.py" check "$WORK/box.out"
