/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/conf_private.h"

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

static const struct conf_section sections[] = {
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
	{"anonymise", "What is done to the addresses of clients before anything leaves the "
		      "process. Those of responses that were changed stay whole."},
	{"tap", "Where the statistics lcore sends each response as dnstap, over Frame Streams. "
		"Without a destination it sends nothing."},
	{"totals",
		"Where it is kept what was counted, by hour of the time zone above: responses by "
		"response code and type, and what was filtered by list, malware id and action."},
	{"control", "The socket of dnsweir-shell."},
};

// Those with CONF_USE_BOTH are the collector's, too.
static const struct conf_key keys[] = {
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
		"drives itself has 1500 then, and larger packets do not get through.",
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
		"was lost. Each takes a buffer of [ports] mbuf_size from EAL's memory. Beside them "
		"32 times as many in frames of up to 126 octets are held as copies, in other memory: "
		"160 bytes each, as they are needed.",
		AT(stream_segments)},
	{"streams", "hold_ms", CONF_NUMBER, "10", 1, 1000, "milliseconds",
		"Longest that the begin of a message waits for its end. Then the records that are "
		"there are judged, and it goes on.",
		AT(stream_hold_ms)},
	{"streams", "gap_ms", CONF_NUMBER, "15000", 10, 60000, "milliseconds",
		"Longest that segments wait for one before them that was lost. Then the connection "
		"passes unfiltered up to the next query or response that begins.",
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
		"of their sources, which need not be there then. Empty: the sources are read.",
		AT(compiled), .line_offset = offsetof(struct conf, compiled_line)},

	{"canary", "action", CONF_WORD, "pass", 0, 0, "",
		"pass: leave the answers. nxdomain: say that the names do not exist, which is how "
		"a network asks clients to stay with its own resolvers. nodata: say that they have "
		"no such record.",
		.words = "pass|nxdomain|nodata", AT(canary)},

	{LIST, "source", CONF_FILE, NULL, 0, 0, "",
		"File with the names; a relative path starts in the folder of this file.",
		.example = "/etc/dnsweir/c2.csv", .required = true, AT_LIST(source),
		.line_offset = offsetof(struct conf_list, source_line)},
	{LIST, "action", CONF_ACTION, NULL, 0, 0, "",
		"sinkhole: put the sinkhole's addresses into the answer. log: count and log only. "
		"allow: never filter these names. nxdomain: the name does not exist. nodata: it "
		"has no such record. drop: no answer. tcp-only: over UDP an empty answer that "
		"makes the client ask over TCP.",
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

	{"totals", "file", CONF_OUTPUT, "", 0, 0, "",
		"SQLite file, which is made if need be; dnsweir-report reads it. What was counted "
		"is in it after 5 seconds. Empty: counters are in memory only.",
		AT(totals_file)},
	{"totals", "box", CONF_TEXT, "", 0, CONF_BOX_SIZE - 1, "",
		"Name of this box in the file. Empty: the host's name when the file was made.",
		AT(totals_box)},

	{"control", "socket", CONF_SOCKET, "/run/dnsweir/control.sock", 0, 0, "",
		"Unix socket for dnsweir-shell. none: no socket.", AT(control_socket)},
	{"control", "group", CONF_GROUP, "", 0, 0, "",
		"Group that may use the socket. Empty: that of the process.", AT(control_group)},
};

const struct conf_table conf_box = {
	sections, sizeof(sections) / sizeof(sections[0]), keys, sizeof(keys) / sizeof(keys[0])};
