# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# box: own
# A start that fails says why in one line, exits with 2, and leaves nothing behind.

# start CONFIG_LINES EAL_ARGUMENTS...: sets status; output in start.out, start.err.
start() {
	local config=$1
	shift
	printf '%s\n' "$config" >"$WORK/start.ini"
	status=0
	timeout 20 ip netns exec "$NS_BOX" "$BUILD/app/dnsweir" "$@" -- --config "$WORK/start.ini" \
		</dev/null >"$WORK/start.out" 2>"$WORK/start.err" || status=$?
}

# refuses SENTENCE PATTERN: after a start; the line has to match.
refuses() {
	local why=''
	((status == 2)) || why+="exit status $status"$'\n'
	[[ $(wc -l <"$WORK/start.err") == 1 ]] || why+="not one line on stderr"$'\n'
	grep -Eq "$2" "$WORK/start.err" || why+="no line with: $2"$'\n'
	[[ ! -s $WORK/start.out ]] || why+="something on stdout"$'\n'
	[[ ! -e $WORK/start.sock ]] || why+="the control socket is left"$'\n'
	! ip -n "$NS_BOX" -details link show | grep -q 'xdp' || why+="an XDP program is left"$'\n'
	[[ $(ip netns pids "$NS_BOX") == '' ]] || why+="a process is left"$'\n'
	if [[ -z $why ]]; then
		ok "$1"
	else
		not_ok "$1" "$why$(cat "$WORK/start.err" "$WORK/start.out")"
	fi
}

mapfile -t eal < <(box_arguments "$PREFIX-start")
plain=("${eal[@]:0:${#eal[@]}-4}")
good="[sinkhole]
ipv4 = 192.0.2.1
[control]
socket = $WORK/start.sock"

start "$good" "${plain[@]}" --vdev net_af_xdp0,iface=clients --vdev net_af_xdp1,iface=nosuch
refuses "an unknown interface" 'nosuch|port|vdev|EAL'
start "$good" "${plain[@]}" --vdev net_af_xdp0,iface=clients
refuses "one port" 'port'
start "$good" "${plain[@]}"
refuses "no port" 'port'
start "$good
[ports]
pairs = 0:7" "${eal[@]}"
refuses "a pair with a port that is not there" '7'
start "$good
[ports]
pairs = 0:0" "${eal[@]}"
refuses "a pair of one port" 'start.ini:6'
if [[ $(cat /sys/devices/system/node/node*/hugepages/hugepages-*/nr_hugepages | sort -u) == 0 ]]; then
	start "$good" "${eal[@]/--no-huge/--no-telemetry}"
	refuses "no huge pages" 'huge'
else
	skip "no huge pages" "this machine has some"
fi
start "$good" "${eal[@]}" --nonsense
refuses "an EAL argument that does not exist" 'nonsense|EAL|argument'
start "$good" "${eal[@]/--lcores/--no-telemetry}"
refuses "a lcore list that is not one" 'EAL|argument|lcore'
start "$good" --lcores '0@0' "${plain[@]:2}" "${eal[@]: -4}"
refuses "a single lcore" 'lcore'

start "$good"$'\n[ports]\nmtu = 60000' "${eal[@]}"
# That it has no list and has loaded none it says first.
sed -i '1,2d' "$WORK/start.err"
refuses "an MTU that a port cannot have" 'port 0 .*\[ports\] mtu = 60000'

start "$good"$'\n[ports]\nmbuf_size = 4000' "${eal[@]}"
sed -i '1,2d' "$WORK/start.err"
refuses "buffers that an AF_XDP port cannot have" '\[ports\] mbuf_size = 4000'

# Ten different mistakes, ten different lines that name file and line.
lines=0
mistake() {
	start "$2" "${eal[@]}"
	refuses "$1" "$3"
	sed 's/.*start\.ini[:0-9]* *//' "$WORK/start.err" >>"$WORK/mistakes"
	lines=$((lines + 1))
}
: >"$WORK/mistakes"
mistake "an unknown section" $'[nonsense]\nkey = 1' 'start\.ini:1: .*nonsense'
mistake "an unknown key" $'[sinkhole]\nipv5 = 192.0.2.1' 'start\.ini:2: .*ipv5'
mistake "a bad address" $'[sinkhole]\nipv4 = 192.0.2.300' 'start\.ini:2: .*192\.0\.2\.300'
mistake "a number out of range" $'[workers]\nidle_sleep_max_us = 0' 'start\.ini:2: '
mistake "not a number" $'[sinkhole]\nttl_max = long' 'start\.ini:2: .*long'
mistake "a word that is none of the choices" $'[workers]\nidle = sleepy' 'start\.ini:2: .*sleepy'
mistake "an odd pair" $'[ports]\npairs = 0' 'start\.ini:2: '
mistake "an action that does not exist" $'[list x]\nsource = names.txt\naction = explode' \
	'start\.ini:3: .*explode'
mistake "a list without a source" $'[list x]\naction = sinkhole' 'start\.ini:1: .*source'
mistake "a list file that is not there" $'[list x]\nsource = nosuch.txt\naction = sinkhole' \
	'start\.ini:2: .*nosuch'
mistake "a time zone that does not exist" $'[time]\nzone = Mars/Olympus' 'start\.ini:2: .*Mars'
mistake "a mode that wants a key and has none" $'[anonymise]\nmode = crypto-pan' 'start\.ini:2: .*key_file'
printf '%064d\n' 0 >"$WORK/open.key"
chmod 644 "$WORK/open.key"
mistake "a key that anybody can read" $'[anonymise]\nmode = crypto-pan\nkey_file = open.key' \
	'start\.ini:3: key_file: .*open\.key: expected mode 0600'
mistake "a bad prefix of servers" $'[filter]\nservers = 192.0.2.0/40' 'start\.ini:2: '
is "as many different lines as mistakes" "$lines" bash -c "sort -u '$WORK/mistakes' | wc -l"

status=0
"$BUILD/app/dnsweir" --config "$WORK/nosuch.ini" >"$WORK/start.out" 2>"$WORK/start.err" || status=$?
refuses "a configuration that is not there" 'nosuch.ini'
status=0
"$BUILD/app/dnsweir" --nonsense >"$WORK/start.out" 2>"$WORK/start.err" || status=$?
refuses "an option that does not exist" 'nonsense'

write_config
is "--check of a good configuration" 0 \
	bash -c "'$BUILD/app/dnsweir' --config '$WORK/dnsweir.ini' --check >'$WORK/start.out' 2>&1; echo \$?"
printf '[sinkhole]\nipv5 = 1\n' >"$WORK/start.ini"
is "--check of a bad one" 2 \
	bash -c "'$BUILD/app/dnsweir' --config '$WORK/start.ini' --check >'$WORK/start.out' 2>&1; echo \$?"

# After all that the interfaces are free: a box starts and works, and a second one is refused.
box_up "$PREFIX" "$WORK" "$WORK/dnsweir.ini"
is "after failed starts a start works" "$SINK4" q4 bad.example A
# unlocked: code of the program and its libraries that the kernel may drop.
unlocked() {
	awk '/^[0-9a-f]+-[0-9a-f]+ / { code = $2 == "r-xp" && $6 ~ /^\//; name = $6 }
		code && /^VmFlags:/ && !/ lo/ { print name }' "/proc/$BOX_PID/smaps" | sort -u | head -n 5
}
is "the program stays in memory" '' unlocked
status=0
"$BUILD/app/dnsweir" --lcores "$(lcores 1)" --no-huge -m 64 --no-pci --no-shconf --no-telemetry \
	--log-level=error "--file-prefix=$PREFIX-second" --vdev net_null0 --vdev net_null1 -- \
	--config "$WORK/dnsweir.ini" >"$WORK/start.out" 2>"$WORK/start.err" </dev/null || status=$?
is "a second box on the same control socket is refused" 2 echo "$status"
is "and the first one goes on" "$SINK4" q4 bad.example A
kill -INT "$BOX_PID"
status=0
wait "$BOX_PID" || status=$?
is "SIGINT stops it with exit status 0" 0 echo "$status"
check "no control socket is left" test ! -e "$WORK/control.sock"
is "no XDP program is left" '' bash -c "ip -n $NS_BOX -details link show | grep xdp"
