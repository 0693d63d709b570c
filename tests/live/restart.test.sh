# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# box: own
# After a crash the next start works, on the same interfaces and the same control socket.

write_config
box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini"
is "the box works" "$SINK4" q4 bad.example A
kill -KILL "$BOX_PID"
wait "$BOX_PID" || true
box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini"
is "after SIGKILL and a new start it works again" "$SINK4" q4 bad.example A
check "the shell reaches the new one" shell show version
status=0
box_down || status=$?
is "and it stops with exit status 0" 0 echo "$status"
