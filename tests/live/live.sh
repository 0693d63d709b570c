# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034
# What a live test uses: the box's network, and TAP-like lines. Sourced by run_live, before each
# *.test.sh in a process of its own.

LIVE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$LIVE/../../scripts/lib.sh"
# shellcheck source=scripts/testnet.sh
. "$TOP/scripts/testnet.sh"

SINK4=192.0.2.1
SINK6=2001:db8:5::1
OWN4=192.0.2.77 # the sinkhole of the list "catalogue"
LINK_STATE=propagate LINK=up
SHELL_PROGRAM=$BUILD/app/dnsweir-shell

N=0 N_OK=0 N_FAILED=0 N_SKIPPED=0

# box_option OPTION: what drives the box's ports, if OPTION says so; see testnet.sh.
#   --taps    two workers on TAP devices of two queues, instead of one on AF_XDP
#   --jumbo   AF_PACKET sockets, for frames of up to 9,000 octets
box_option() {
	case $1 in
	--taps) BOX_PORTS=tap BOX_WORKERS=2 ;;
	--jumbo) BOX_PORTS=packet ;;
	*) return 1 ;;
	esac
	export BOX_PORTS BOX_WORKERS
	box_link
}

# The interface of a TAP port is in another namespace, where the box cannot see its link.
box_link() {
	[[ $BOX_PORTS == xdp ]] || LINK_STATE='off' LINK='down'
}
box_link

# box_config TTL_MAX [LINE...]: $WORK/dnsweir.ini, by which the names of $WORK/listed.txt are
# sinkholed; each LINE goes into [ports].
box_config() {
	local ttl_max=$1
	shift
	{
		printf '[ports]\n'
		printf '%s\n' "$@"
		cat <<-END
			[sinkhole]
			ipv4 = $SINK4
			ipv6 = $SINK6
			ttl_max = $ttl_max
			[list listed]
			source = listed.txt
			action = sinkhole
			[control]
			socket = $WORK/control.sock
		END
	} >"$WORK/dnsweir.ini"
}

# ok SENTENCE / not_ok SENTENCE [WHY]
ok() {
	N=$((N + 1)) N_OK=$((N_OK + 1))
	say "ok $N - $1"
}

not_ok() {
	N=$((N + 1)) N_FAILED=$((N_FAILED + 1))
	say "not ok $N - $1"
	[[ -z ${2:-} ]] || say "# ${2//$'\n'/$'\n'# }"
}

skip() {
	N=$((N + 1)) N_SKIPPED=$((N_SKIPPED + 1))
	say "ok $N - $1 # SKIP $2"
}

# is SENTENCE WANTED COMMAND...: the output of a command.
is() {
	local sentence=$1 wanted=$2 got
	shift 2
	got=$("$@" 2>&1) || true
	if [[ $got == "$wanted" ]]; then
		ok "$sentence"
	else
		not_ok "$sentence" "expected: $wanted"$'\n'"got: $got"
	fi
}

# check SENTENCE COMMAND...: it succeeds.
check() {
	local sentence=$1 got
	shift
	if got=$("$@" 2>&1); then
		ok "$sentence"
	else
		not_ok "$sentence" "$*"$'\n'"$got"
	fi
}

# Answers as lines in one, through the box.
q() { in_clients dig +short +time=3 +tries=2 "$@" | paste -sd' ' -; }
q4() { q "@$RESOLVER4" "$@"; }
q6() { q "@$RESOLVER6" "$@"; }

# TTLs of the answer section, through the box.
ttls() { in_clients dig +noall +answer +time=3 "@$RESOLVER4" "$@" | awk '{ print $2 }' | paste -sd' ' -; }

wire() { python3 "$LIVE/wire.py" "$@"; }

# The same question through the box and beside it.
changes_of() {
	wire changes "$(in_resolvers python3 "$LIVE/wire.py" ask "$@")" \
		"$(in_clients python3 "$LIVE/wire.py" ask "$@")"
}

shell() { in_box "$SHELL_PROGRAM" -s "$WORK/control.sock" "$@"; }

# counter METRIC [LABEL]...: its value now.
counter() {
	shell -j show stats >"$WORK/counters.$BASHPID" && python3 "$TOP/scripts/counters.py" get \
		"$WORK/counters.$BASHPID" "$@"
}

# moved METRIC [LABEL]... -- COMMAND...: how far a counter moves while a command runs. What the
# statistics core shows may be a moment old.
moved() {
	local path=() before after i
	while [[ $1 != -- ]]; do
		path+=("$1")
		shift
	done
	shift
	sleep 0.3
	before=$(counter "${path[@]}")
	"$@" >/dev/null 2>&1 || true
	for ((i = 0; i < 10; i++)); do
		after=$(counter "${path[@]}")
		((after == before)) || break
		sleep 0.1
	done
	sleep 0.3
	after=$(counter "${path[@]}")
	echo $((after - before))
}

# wire_drops: frames that the kernel has dropped on the wires, outside of the box.
wire_drops() {
	{
		in_clients cat /sys/class/net/wire/statistics/tx_dropped
		in_resolvers cat /sys/class/net/wire/statistics/tx_dropped
		[[ $BOX_PORTS == tap ]] || in_box cat /sys/class/net/{clients,resolvers}/statistics/tx_dropped
	} | awk '{ n += $1 } END { print n }'
}

# reload: read the lists again, and wait for it.
reload() { shell reload >/dev/null; }

# summary: the closing line; fails if a test has.
summary() {
	say
	if ((N_SKIPPED)); then
		say "$N_OK passed, $N_FAILED failed, $N_SKIPPED skipped"
	else
		say "$N_OK passed, $N_FAILED failed"
	fi
	((N_FAILED == 0))
}

# put FILE LINE...: replace a file of the box in one step.
put() {
	local file=$1
	shift
	printf '%s\n' "$@" >"$WORK/$file.new"
	mv "$WORK/$file.new" "$WORK/$file"
}
