/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/conf_private.h"

#include <stdio.h>
#include <string.h>

#define AT(member) .home = CONF_IN_CONF, .offset = offsetof(struct conf, member)
#define AT_SINKHOLE(member) \
	.home = CONF_IN_SINKHOLE, .offset = offsetof(struct policy_sinkhole, member)
#define AT_LIST(member) .home = CONF_IN_LIST, .offset = offsetof(struct conf_list, member)
#define AT_POLICY(member) \
	.home = CONF_IN_POLICY_LIST, .offset = offsetof(struct policy_list, member)
#define AT_OWN(member) \
	.home = CONF_IN_LIST_SINKHOLE, .offset = offsetof(struct policy_sinkhole, member)
#define LIST CONF_LIST_SECTION

#define BIT(action) (1u << POLICY_##action)
#define SINKHOLES   (BIT(SINKHOLE) | BIT(NXDOMAIN) | BIT(NODATA) | BIT(DROP))
#define FILTERS     (SINKHOLES | BIT(TCP_ONLY))

static const struct {
	const char *section, *help;
} sections[] = {
	{"ports", "The DPDK ports that the box joins."},
	{"workers", "The lcores that move packets."},
	{"filter", "Which responses are looked at."},
	{"streams", "DNS over TCP: connections are followed, and their responses filtered wherever "
		    "segments cut them. Bounds are for each worker and pair of ports; what is over "
		    "them passes unfiltered."},
	{"fragments", "Responses over UDP that come in IP fragments: held until all are there. "
		      "Bounds are for each worker and pair of ports; what is over them passes as "
		      "it came."},
	{"sinkhole", "What is put into the answers of listed names; a list may have its own."},
	{"lists", "All lists together."},
	{"canary", "Names by which clients ask whether they may use encrypted DNS, or where: "
		   "use-application-dns.net, mask.icloud.com, mask-h2.icloud.com, "
		   "_dns.resolver.arpa. They are never sinkholed, whatever lists say."},
	{LIST, "A list of names; as many sections as there are lists, taken in the order of the "
	       "file. NAME is 1 to 63 letters, digits, '_', '-' and '.'."},
	{"consent", "Which clients refuse filtering or logging."},
	{"time", "When a day of the lists begins."},
	{"mirror", "What workers tell the statistics lcore."},
	{"anonymise",
		"What is done to the addresses of clients before anything leaves the process. "
		"Those of responses that were changed stay whole."},
	{"tap", "Where the statistics lcore sends each response as dnstap, over Frame Streams. "
		"Without "
		"a destination it sends nothing."},
	{"collect", "Where dnsweir-collect takes dnstap from, and what it keeps."},
	{"api", "The HTTP API and /metrics of dnsweir-collect. Loopback addresses are plain HTTP, "
		"all others TLS."},
	{"pdns",
		"Passive DNS: what names resolved to, when first, when last and how often, without "
		"who asked."},
	{"totals",
		"Where it is kept what was counted, by hour of the time zone above: responses by "
		"response code and type, and what was filtered by list, malware id and action."},
	{"control", "The socket of dnsweir-shell."},
};

const struct conf_key conf_keys[] = {
	{"ports", "pairs", CONF_PAIRS, "", 0, 65534, "",
		"Ports in pairs, client side : resolver side, as in 0:1 2:3. Empty: all ports in "
		"order.",
		AT(n_pairs)},
	{"ports", "rx_descriptors", CONF_NUMBER, "0", 0, 32768, "descriptors",
		"Size of each receive queue. 0: what the port prefers.", AT(rx_descriptors)},
	{"ports", "tx_descriptors", CONF_NUMBER, "0", 0, 32768, "descriptors",
		"Size of each transmit queue. 0: what the port prefers.", AT(tx_descriptors)},
	{"ports", "mbufs", CONF_NUMBER, "0", 0, 16777216, "packets",
		"Size of the packet pool, beside packets that may be held. 0: reckoned from ports "
		"and workers.",
		AT(mbufs)},
	{"ports", "mbuf_size", CONF_NUMBER, "2048", 2048, 65407, "bytes",
		"Bytes of a frame that fit one buffer of the pool; a larger frame takes several.",
		AT(mbuf_size)},
	{"ports", "mtu", CONF_NUMBER, "0", 0, 65535, "bytes",
		"Largest IP packet that each port is to take. 0: as the port has it; what DPDK "
		"drives "
		"itself has 1500 then, and larger packets do not get through.",
		AT(mtu)},
	{"ports", "link_state", CONF_FLAG, "propagate", 0, 0, "",
		"Whether a link that is down on one side is taken down on the other.",
		.words = "off|propagate", AT(link_propagate)},

	{"workers", "idle", CONF_WORD, "auto", 0, 0, "",
		"What a worker without packets does: spin, or back off by sleeping ever longer. "
		"auto: spin where the lcore has an isolated CPU to itself, else back off.",
		.words = "auto|spin|backoff", AT(idle)},
	{"workers", "idle_sleep_max_us", CONF_NUMBER, "200", 1, 100000, "microseconds",
		"Longest sleep of a worker that backs off.", AT(idle_sleep_max_us)},

	{"filter", "ports", CONF_UDP_PORTS, "53", 1, UINT16_MAX, "",
		"Ports of DNS servers, over UDP and TCP.", AT(policy)},
	{"filter", "servers", CONF_PREFIXES, "", 0, 0, "",
		"Resolvers whose responses are looked at. Empty: any.", AT(policy)},
	{"filter", "allow", CONF_FLAG, "name", 0, 0, "",
		"What an allow list lets pass. name: each name is judged by itself. message: an "
		"allowed question name passes the whole response.",
		.words = "name|message", AT(policy.allow_message)},

	{"streams", "connections", CONF_NUMBER, "65536", 16, 16777216, "connections",
		"Connections that are followed at once; 132 bytes each. Beyond, the one that was "
		"silent for longest is forgotten.",
		AT(stream_connections)},
	{"streams", "memory", CONF_NUMBER, "16", 1, 4096, "MiB",
		"Memory for messages of which only a part has come, and for edits that the client "
		"has not acknowledged.",
		AT(stream_memory)},
	{"streams", "segments", CONF_NUMBER, "8192", 16, 16384, "packets",
		"Segments held at once, at most a quarter of them for one connection of which one "
		"was "
		"lost. Each takes a buffer of [ports] mbuf_size from EAL's memory.",
		AT(stream_segments)},
	{"streams", "hold_ms", CONF_NUMBER, "10", 1, 1000, "milliseconds",
		"Longest that the begin of a message waits for its end. Then the records that are "
		"there are judged, and it goes on.",
		AT(stream_hold_ms)},
	{"streams", "gap_ms", CONF_NUMBER, "15000", 10, 60000, "milliseconds",
		"Longest that segments wait for one before them that was lost. Then the connection "
		"passes unfiltered up to its next query.",
		AT(stream_gap_ms)},

	{"fragments", "datagrams", CONF_NUMBER, "4096", 0, 65536, "datagrams",
		"Datagrams of which a part is there, at once; 1.1 KiB each. 0: fragments pass as "
		"they come.",
		AT(fragment_datagrams)},
	{"fragments", "packets", CONF_NUMBER, "2048", 1, 2048, "packets", "Fragments held at once.",
		AT(fragment_packets)},
	{"fragments", "hold_ms", CONF_NUMBER, "1000", 1, 60000, "milliseconds",
		"Longest that fragments wait for the rest of their datagram.",
		AT(fragment_hold_ms)},

	{"sinkhole", "ipv4", CONF_IPV4, "", 0, 0, "",
		"Addresses for A records. Empty: A records are left as they are.",
		AT_SINKHOLE(ipv4)},
	{"sinkhole", "ipv6", CONF_IPV6, "", 0, 0, "",
		"Addresses for AAAA records. Empty: AAAA records are left as they are.",
		AT_SINKHOLE(ipv6)},
	{"sinkhole", "ttl_max", CONF_NUMBER, "60", 0, INT32_MAX, "seconds",
		"Longest time to live of a rewritten answer.", AT_SINKHOLE(ttl_max)},

	{"lists", "compiled", CONF_FILE, "", 0, 0, "",
		"File that 'dnsweir-list compile' wrote out of the lists below; it is read instead "
		"of "
		"their sources, which need not be there then. Empty: the sources are read.",
		AT(compiled), .line_offset = offsetof(struct conf, compiled_line)},

	{"canary", "action", CONF_WORD, "pass", 0, 0, "",
		"pass: leave the answers. nxdomain: say that the names do not exist, which is how "
		"a network asks clients to stay with its own resolvers. nodata: say that they have "
		"no "
		"such record.",
		.words = "pass|nxdomain|nodata", AT(canary)},

	{LIST, "source", CONF_FILE, NULL, 0, 0, "",
		"File with the names; a relative path starts in the folder of this file.",
		.example = "/etc/dnsweir/c2.csv", .required = true, AT_LIST(source),
		.line_offset = offsetof(struct conf_list, source_line)},
	{LIST, "action", CONF_ACTION, NULL, 0, 0, "",
		"sinkhole: put the sinkhole's addresses into the answer. log: count and log only. "
		"allow: never filter these names. nxdomain: the name does not exist. nodata: it "
		"has "
		"no such record. drop: no answer. tcp-only: over UDP an empty answer that makes "
		"the "
		"client ask over TCP.",
		.example = "sinkhole", .required = true, AT_POLICY(action)},
	{LIST, "format", CONF_WORD, "auto", 0, 0, "",
		"Form of the file: a catalogue (CSV with dates), plain names, or patterns "
		"(Hyperscan expressions). auto: patterns if its name ends in .hs, a catalogue if "
		"the first line is its header.",
		.words = "auto|catalogue|names|pattern", .example = "auto", AT_LIST(format)},
	{LIST, "min_labels", CONF_NUMBER, "2", 1, 127, "labels",
		"Fewest labels of a name that stands for everything below it; guards against "
		"'.com'.",
		.example = "2", AT_LIST(min_labels)},
	{LIST, "ipv4", CONF_IPV4, NULL, 0, 0, "", "The list's own sinkhole for A records.",
		.example = "192.0.2.1", .actions = SINKHOLES, AT_OWN(ipv4)},
	{LIST, "ipv6", CONF_IPV6, NULL, 0, 0, "", "The list's own sinkhole for AAAA records.",
		.example = "2001:db8::1", .actions = SINKHOLES, AT_OWN(ipv6)},
	{LIST, "ttl_max", CONF_NUMBER, NULL, 0, INT32_MAX, "seconds",
		"The list's own longest time to live.", .example = "60", .actions = SINKHOLES,
		AT_OWN(ttl_max)},
	{LIST, "on_empty", CONF_FLAG, "pass", 0, 0, "",
		"Answers of listed names that have no address (NXDOMAIN, NODATA) to questions for "
		"one: pass them, or answer with the sinkhole's.",
		.words = "pass|answer", .example = "pass", .actions = BIT(SINKHOLE),
		AT_POLICY(answer_empty)},
	{LIST, "dnssec", CONF_WORD, "rewrite", 0, 0, "",
		"Answers with signatures to clients that asked for them. rewrite: as all others; "
		"signatures of what was changed are taken out. skip-signed: pass.",
		.words = "rewrite|skip-signed", .example = "rewrite", .actions = FILTERS,
		AT_POLICY(dnssec)},
	{LIST, "ede", CONF_WORD, "none", 0, 0, "",
		"Extended DNS Error that tells EDNS clients why: 4 (forged answer), 15 (blocked), "
		"16 (censored), 17 (filtered).",
		.words = "none|4|15|16|17", .example = "none", .actions = SINKHOLES,
		AT_POLICY(ede)},
	{LIST, "ede_text", CONF_TEXT, "", 0, POLICY_EDE_TEXT_MAX, "",
		"Text that goes with it, for people.", .actions = SINKHOLES, AT_POLICY(ede_text)},

	{"consent", "source", CONF_FILE, "", 0, 0, "",
		"CSV file with client prefixes and what they agree to. Empty: everybody consents.",
		AT(consent_source), .line_offset = offsetof(struct conf, consent_source_line),
		.use = CONF_USE_BOTH},

	{"time", "zone", CONF_ZONE, "", 0, 0, "",
		"Time zone of the dates in lists, as in Asia/Tokyo. Empty: the system's.",
		AT(time_zone), .use = CONF_USE_BOTH},

	{"mirror", "enabled", CONF_FLAG, "yes", 0, 0, "",
		"Whether each response makes a record. no: counters stay exact, but there are no "
		"hits to show.",
		.words = "no|yes", AT(mirror_enabled)},
	{"mirror", "ring_slots", CONF_POWER_OF_TWO, "65536", 64, 16777216, "slots of 64 bytes",
		"Size of each worker's ring of records.", AT(mirror_ring_slots)},

	{"anonymise", "mode", CONF_WORD, "truncate", 0, 0, "",
		"truncate: the first bits stay, the others are gone. pseudonym: another address, "
		"under a random key that is only in memory and replaced at midnight. crypto-pan, "
		"ipcrypt-pfx: another address, equal prefixes stay equal; whoever has the key file "
		"can go back to the client.",
		.words = "truncate|pseudonym|crypto-pan|ipcrypt-pfx", AT(anonymise.mode),
		.use = CONF_USE_BOTH},
	{"anonymise", "ipv4_bits", CONF_BITS, "", 0, 32, "bits",
		"How much of an IPv4 address is looked at; the rest is cut off in every mode. "
		"Empty: 22 with truncate, 32 with the others.",
		AT(anonymise.ipv4_bits), .use = CONF_USE_BOTH},
	{"anonymise", "ipv6_bits", CONF_BITS, "", 0, 128, "bits",
		"The same for IPv6. Empty: 40 with truncate, 128 with the others.",
		AT(anonymise.ipv6_bits), .use = CONF_USE_BOTH},
	{"anonymise", "key_file", CONF_FILE, "", 0, 0, "",
		"Key of crypto-pan and ipcrypt-pfx: 64 hexadecimal digits in a file of mode 0600. "
		"The other modes have none.",
		AT(anonymise_key_file), .line_offset = offsetof(struct conf, anonymise_key_line),
		.use = CONF_USE_BOTH},
	{"tap", "socket", CONF_PATHS, "", 0, 0, "",
		"Unix sockets of collectors, each of which gets every response. Empty: none.",
		AT(tap_sockets)},
	{"tap", "tcp", CONF_ADDRESSES, "", 0, 0, "",
		"The same over TCP. It is not encrypted: a network of one's own is needed. Empty: "
		"none.",
		AT(tap_tcp)},
	{"tap", "tls", CONF_ADDRESSES, "", 0, 0, "",
		"The same over TLS, where both sides show a certificate. Empty: none.",
		AT(tap_tls)},
	{"tap", "tls_ca", CONF_FILE, "", 0, 0, "",
		"Certificates in PEM of those who may have signed that of the collector.",
		AT(tap_tls_ca)},
	{"tap", "tls_certificate", CONF_FILE, "", 0, 0, "",
		"This box's own certificate in PEM. Files that change are read when the next "
		"connection begins.",
		AT(tap_tls_certificate)},
	{"tap", "tls_key", CONF_FILE, "", 0, 0, "", "Key of the certificate in PEM.",
		AT(tap_tls_key)},
	{"tap", "tls_name", CONF_TEXT, "", 0, 255, "",
		"Name that the collector's certificate has to have. Empty: its address.",
		AT(tap_tls_name)},
	{"tap", "connections", CONF_NUMBER, "1", 1, 16, "connections",
		"Connections to each destination; responses take them in turn.",
		AT(tap_connections)},
	{"tap", "queue", CONF_POWER_OF_TWO, "8", 1, 1024, "MiB",
		"What waits for a connection that is slow or gone. What does not fit is lost and "
		"counted.",
		AT(tap_queue)},
	{"tap", "sample", CONF_NUMBER, "1", 1, 1000000, "",
		"Of the responses that no rule was hit by 1 in so many is sent; of the others all. "
		"Totals do not depend on it.",
		AT(tap_sample)},
	{"tap", "identity", CONF_TEXT, "", 0, 63, "",
		"Name of this box in what it sends. Empty: the host's name.", AT(tap_identity)},

	{"collect", "socket", CONF_PATHS, "/run/dnsweir-collect/tap.sock", 0, 0, "",
		"Unix sockets for senders on this machine, mode 0660. Empty: none.",
		.use = CONF_USE_COLLECT, AT(collect_sockets)},
	{"collect", "tcp", CONF_ADDRESSES, "", 0, 0, "",
		"Addresses for senders elsewhere. Whoever gets there can write into the log: a "
		"network "
		"of one's own is needed. Empty: none.",
		.use = CONF_USE_COLLECT, AT(collect_tcp)},
	{"collect", "tls", CONF_ADDRESSES, "", 0, 0, "",
		"The same over TLS, where both sides show a certificate. Empty: none.",
		.use = CONF_USE_COLLECT, AT(collect_tls)},
	{"collect", "tls_ca", CONF_FILE, "", 0, 0, "",
		"Certificates in PEM of those who may have signed that of a sender.",
		.use = CONF_USE_COLLECT, AT(collect_tls_ca)},
	{"collect", "tls_certificate", CONF_FILE, "", 0, 0, "",
		"The collector's certificate in PEM, for its address or name. Files that change "
		"are "
		"read when the next connection begins.",
		.use = CONF_USE_COLLECT, AT(collect_tls_certificate)},
	{"collect", "tls_key", CONF_FILE, "", 0, 0, "", "Key of the certificate in PEM.",
		.use = CONF_USE_COLLECT, AT(collect_tls_key)},
	{"collect", "tls_senders", CONF_TEXT, "", 0, 1023, "",
		"Common Names of the certificates that may send. Empty: all that tls_ca signed.",
		.use = CONF_USE_COLLECT, AT(collect_tls_senders)},
	{"collect", "group", CONF_GROUP, "", 0, 0, "",
		"Group that may use the sockets. Empty: that of the process.",
		.use = CONF_USE_COLLECT, AT(collect_group)},
	{"collect", "store", CONF_FOLDER, "/var/lib/dnsweir/collect", 0, 0, "",
		"Folder of the query log; made when it is not there.", .use = CONF_USE_COLLECT,
		AT(collect_store)},
	{"collect", "days", CONF_NUMBER, "60", 1, 3650, "days",
		"How long the log is kept: what is older is removed, day by day.",
		.use = CONF_USE_COLLECT, AT(collect_days)},
	{"collect", "sinkhole", CONF_PATHS, "", 0, 0, "",
		"Logs of the sinkhole host that are followed, as config/sinkhole makes them: of "
		"nginx and of ulogd2, in JSON. They need not be there yet. Empty: none.",
		.use = CONF_USE_COLLECT, AT(collect_sinkhole)},

	{"api", "listen", CONF_ADDRESSES, "127.0.0.1:8053", 0, 0, "",
		"Where to listen. Empty: nowhere.", .use = CONF_USE_COLLECT, AT(api_listen)},
	{"api", "certificate", CONF_FILE, "", 0, 0, "",
		"Certificate in PEM, with those that lead to its root behind it. Empty: one that "
		"signs itself is made at the first start, api.crt in the folder of the log.",
		.use = CONF_USE_COLLECT, AT(api_certificate)},
	{"api", "key", CONF_FILE, "", 0, 0, "", "Key of the certificate in PEM.",
		.use = CONF_USE_COLLECT, AT(api_key)},
	{"api", "client_ca", CONF_FILE, "", 0, 0, "",
		"Certificates in PEM of those who may have signed that of a client. One whose name "
		"has a key of the kind certificate needs no other key. Empty: clients are asked "
		"for none.",
		.use = CONF_USE_COLLECT, AT(api_client_ca)},
	{"api", "client_certificates", CONF_FLAG, "optional", 0, 0, "",
		"required: nobody is served over TLS without one.", .words = "optional|required",
		.use = CONF_USE_COLLECT, AT(api_client_required)},
	{"api", "boxes", CONF_PATHS, "", 0, 0, "",
		"Control sockets of boxes on this machine, whose counters are to be in /metrics.",
		.use = CONF_USE_COLLECT, AT(api_boxes)},
	{"api", "connections", CONF_NUMBER, "64", 4, 4096, "",
		"How many connections each address takes at once; a client on another machine at "
		"most a quarter of them.",
		.use = CONF_USE_COLLECT, AT(api_connections)},
	{"api", "rate", CONF_NUMBER, "50", 1, 100000, "requests a second",
		"What each key may ask, and each address without one. More is refused with "
		"status 429.",
		.use = CONF_USE_COLLECT, AT(api_rate)},

	{"pdns", "store", CONF_FOLDER, "", 0, 0, "",
		"Folder of the dataset; made when it is not there. Empty: no passive DNS is kept.",
		.use = CONF_USE_COLLECT, AT(pdns_store)},
	{"pdns", "window", CONF_NUMBER, "10", 1, 10, "seconds",
		"How long what was observed waits, each tuple once, before it is written. A "
		"process "
		"that is killed loses as much, and counts it.",
		.use = CONF_USE_COLLECT, AT(pdns_window_s)},
	{"pdns", "memory", CONF_NUMBER, "64", 16, 4096, "MiB",
		"What may wait; when it is full it is written earlier.", .use = CONF_USE_COLLECT,
		AT(pdns_memory)},
	{"pdns", "sensors", CONF_WORD, "all", 0, 0, "",
		"Whose answers are taken. client: those that clients get, from boxes and from "
		"other "
		"software. resolver: those that resolvers get from authorities, and authorities "
		"give. Both are counted apart.",
		.words = "all|client|resolver", .use = CONF_USE_COLLECT, AT(pdns_sensors)},
	{"pdns", "networks", CONF_FILE, "", 0, 0, "",
		"CSV file prefix,asn, for /v1/flux: which autonomous systems addresses are in. "
		"Read at the "
		"start.",
		.use = CONF_USE_COLLECT, AT(pdns_networks)},
	{"pdns", "feed_size", CONF_NUMBER, "1024", 0, 1048576, "MiB",
		"What the feed may take on the disk: what was written is kept for readers that "
		"come back, and the oldest goes. 0: there is no feed.",
		.use = CONF_USE_COLLECT, AT(pdns_feed_size)},
	{"pdns", "feed_days", CONF_NUMBER, "7", 1, 365, "days",
		"How long the feed is kept, if it has the room.", .use = CONF_USE_COLLECT,
		AT(pdns_feed_days)},
	{"pdns", "dump_days", CONF_NUMBER, "7", 0, 3650, "days",
		"How long daily dumps are kept. They are made after midnight, of the day that "
		"ended. 0: none are made.",
		.use = CONF_USE_COLLECT, AT(pdns_dump_days)},

	{"totals", "file", CONF_OUTPUT, "", 0, 0, "",
		"SQLite file, which is made if need be; dnsweir-report reads it. What was counted "
		"is in "
		"it after 5 seconds. Empty: counters are in memory only.",
		AT(totals_file)},
	{"totals", "box", CONF_TEXT, "", 0, CONF_BOX_SIZE - 1, "",
		"Name of this box in the file. Empty: the host's name when the file was made.",
		AT(totals_box)},

	{"control", "socket", CONF_SOCKET, "/run/dnsweir/control.sock", 0, 0, "",
		"Unix socket for dnsweir-shell. none: no socket.", AT(control_socket)},
	{"control", "group", CONF_GROUP, "", 0, 0, "",
		"Group that may use the socket. Empty: that of the process.", AT(control_group)},
	{NULL},
};

const char *conf_section_help(const char *section)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (strcmp(sections[i].section, section) == 0)
			return sections[i].help;
	return NULL;
}

bool conf_section_is_of(const char *section, enum conf_program program)
{
	for (const struct conf_key *k = conf_keys; k->section; k++)
		if (strcmp(k->section, section) == 0)
			return conf_key_is_of(k, program);
	return false;
}

const struct conf_key *conf_key_find(const char *section, const char *key)
{
	for (const struct conf_key *k = conf_keys; k->section; k++)
		if (strcmp(k->section, section) == 0 && strcmp(k->key, key) == 0)
			return k;
	return NULL;
}

/** Levenshtein distance of two words; long ones are far from everything. */
static unsigned edit_distance(const char *a, const char *b)
{
	unsigned row[65];
	size_t m = strlen(a), n = strlen(b);

	if (m >= 64 || n >= 64)
		return 64;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; i <= m; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

#define GUESS_DISTANCE 2 /* slips of one or two letters; more is another word */

const char *conf_key_guess(const char *section, const char *key)
{
	unsigned best = GUESS_DISTANCE + 1;
	const char *guess = NULL;

	for (const struct conf_key *k = conf_keys; k->section; k++) {
		unsigned d = strcmp(k->section, section) == 0 ? edit_distance(k->key, key) : 64;

		if (d < best) {
			best = d;
			guess = k->key;
		}
	}
	return guess;
}

const char *conf_section_guess(const char *name, enum conf_program program)
{
	unsigned best = GUESS_DISTANCE + 1;
	const char *guess = NULL, *blank = strpbrk(name, " \t");
	char first[16];

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		unsigned d = edit_distance(sections[i].section, name);

		if (d < best && conf_section_is_of(sections[i].section, program)) {
			best = d;
			guess = sections[i].section;
		}
	}
	// "[lists c2]" is a slip of "[list c2]", whatever the list is called.
	snprintf(first, sizeof(first), "%.*s", blank ? (int)(blank - name) : 0, name);
	if (program == CONF_BOX && !guess && blank && blank - name < 8 &&
		edit_distance("list", first) <= GUESS_DISTANCE)
		guess = CONF_LIST_SECTION;
	return guess;
}

char *conf_actions(unsigned actions, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (enum policy_action action = 0; action < POLICY_ACTIONS && used < size; action++)
		if (actions & 1u << action)
			used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "",
				policy_action_name(action));
	return text;
}

char *conf_names(const char *section, enum conf_program program, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; !section && i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (!conf_section_is_of(sections[i].section, program))
			continue;
		used += (size_t)snprintf(
			text + used, size - used, "%s[%s]", used ? ", " : "", sections[i].section);
		if (used >= size)
			return text;
	}
	for (const struct conf_key *k = conf_keys; section && k->section; k++) {
		if (strcmp(k->section, section) != 0)
			continue;
		used += (size_t)snprintf(
			text + used, size - used, "%s%s", used ? ", " : "", k->key);
		if (used >= size)
			return text;
	}
	return text;
}
