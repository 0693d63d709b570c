# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The counters' other skin: DPDK's telemetry socket says what the shell says.

# telemetry COMMAND EXPRESSION: whether EXPRESSION is true of the reply, as r
telemetry() {
	"$LIVE/telemetry.py" "$WORK/dpdk/$PREFIX/dpdk_telemetry.v2" "$1" |
		python3 -c "import json, sys; r = json.load(sys.stdin); sys.exit(not ($2))"
}

q4 bad.example A >/dev/null
q6 bad.example AAAA >/dev/null
q4 www.example A >/dev/null
sleep 0.5
check "/dnsweir/stats counts verdicts" telemetry /dnsweir/stats \
	"r['dnsweir_verdicts_total/rewritten'] == 2 and r['dnsweir_verdicts_total/miss'] == 1"
check "/dnsweir/stats adds up" telemetry /dnsweir/stats \
	"sum(v for k, v in r.items() if k.startswith('dnsweir_verdicts_total/')) == r['dnsweir_rx_packets_total']"
check "/dnsweir/stats has each list from the start" telemetry /dnsweir/stats \
	"r['dnsweir_filtered_total/names/sinkhole'] == 2 and r['dnsweir_filtered_total/catalogue/sinkhole'] == 0"
check "/dnsweir/stats has pages" telemetry /dnsweir/stats,100000 "r == {} or r is None"
check "/dnsweir/lists" telemetry /dnsweir/lists \
	"r['names']['filtered'] == 2 and r['good']['action'] == 'allow' and r['canary']['action'] == 'allow'"
check "/dnsweir/ids has those that were met" telemetry /dnsweir/ids \
	"r == {'0': {'list': 'names', 'id': '', 'action': 'sinkhole', 'responses': 2}}"
check "/dnsweir/ids has pages" telemetry /dnsweir/ids,1 "not r"
check "/dnsweir/totals says that none are kept" telemetry /dnsweir/totals "'no totals are kept' in r['error']"
check "/dnsweir/workers" telemetry /dnsweir/workers "r['worker0']['rx_packets'] > 0"
check "/dnsweir/ports" telemetry /dnsweir/ports "r == [0, 1]"
check "/dnsweir/port,0" telemetry /dnsweir/port,0 "r['side'] == 'client' and r['link'] == '$LINK'"
check "/dnsweir/port,1" telemetry /dnsweir/port,1 "r['side'] == 'resolver' and r['rx_packets'] > 0"
check "/dnsweir/port without a port is refused" telemetry /dnsweir/port "r is None"
check "/dnsweir/generation" telemetry /dnsweir/generation "r['generation'] == 1"
