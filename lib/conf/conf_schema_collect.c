/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/conf_private.h"

#define AT(member) \
	.use = CONF_USE_COLLECT, .home = CONF_IN_CONF, .offset = offsetof(struct conf, member)

static const struct conf_section sections[] = {
	{"collect", "Where dnsweir-collect takes dnstap from, and what it keeps."},
	{"api", "The HTTP API and /metrics of dnsweir-collect. Loopback addresses are plain HTTP, "
		"all others TLS."},
	{"pdns", "Passive DNS: what names resolved to, when first, when last and how often, "
		 "without who asked."},
};

static const struct conf_key keys[] = {
	{"collect", "socket", CONF_PATHS, "/run/dnsweir-collect/tap.sock", 0, 0, "",
		"Unix sockets for senders on this machine, mode 0660. Empty: none.",
		AT(collect_sockets)},
	{"collect", "tcp", CONF_ADDRESSES, "", 0, 0, "",
		"Addresses for senders elsewhere. Whoever gets there can write into the log: a "
		"network of one's own is needed. Empty: none.",
		AT(collect_tcp)},
	{"collect", "tls", CONF_ADDRESSES, "", 0, 0, "",
		"The same over TLS, where both sides show a certificate. Empty: none.",
		AT(collect_tls)},
	{"collect", "tls_ca", CONF_FILE, "", 0, 0, "",
		"Certificates in PEM of those who may have signed that of a sender.",
		AT(collect_tls_ca)},
	{"collect", "tls_certificate", CONF_FILE, "", 0, 0, "",
		"The collector's certificate in PEM, for its address or name. Files that change "
		"are read when the next connection begins.",
		AT(collect_tls_certificate)},
	{"collect", "tls_key", CONF_FILE, "", 0, 0, "", "Key of the certificate in PEM.",
		AT(collect_tls_key)},
	{"collect", "tls_senders", CONF_TEXT, "", 0, 1023, "",
		"Common Names of the certificates that may send. Empty: all that tls_ca signed.",
		AT(collect_tls_senders)},
	{"collect", "group", CONF_GROUP, "", 0, 0, "",
		"Group that may use the sockets. Empty: that of the process.", AT(collect_group)},
	{"collect", "store", CONF_FOLDER, "/var/lib/dnsweir/collect", 0, 0, "",
		"Folder of the query log; made when it is not there.", AT(collect_store)},
	{"collect", "days", CONF_NUMBER, "60", 1, 3650, "days",
		"How long the log is kept: what is older is removed, day by day.",
		AT(collect_days)},
	{"collect", "sinkhole", CONF_PATHS, "", 0, 0, "",
		"Logs of the sinkhole host that are followed, as config/sinkhole makes them: of "
		"nginx and of ulogd2, in JSON. They need not be there yet. Empty: none.",
		AT(collect_sinkhole)},

	{"api", "listen", CONF_ADDRESSES, "127.0.0.1:8053", 0, 0, "",
		"Where to listen. Empty: nowhere.", AT(api_listen)},
	{"api", "certificate", CONF_FILE, "", 0, 0, "",
		"Certificate in PEM, with those that lead to its root behind it. Empty: one that "
		"signs itself is made at the first start, api.crt in the folder of the log.",
		AT(api_certificate)},
	{"api", "key", CONF_FILE, "", 0, 0, "", "Key of the certificate in PEM.", AT(api_key)},
	{"api", "client_ca", CONF_FILE, "", 0, 0, "",
		"Certificates in PEM of those who may have signed that of a client. One whose name "
		"has a key of the kind certificate needs no other key. Empty: clients are asked "
		"for none.",
		AT(api_client_ca)},
	{"api", "client_certificates", CONF_FLAG, "optional", 0, 0, "",
		"required: nobody is served over TLS without one.", .words = "optional|required",
		AT(api_client_required)},
	{"api", "boxes", CONF_PATHS, "", 0, 0, "",
		"Control sockets of boxes on this machine, whose counters are to be in /metrics.",
		AT(api_boxes)},
	{"api", "connections", CONF_NUMBER, "64", 4, 4096, "",
		"How many connections each address takes at once; a client on another machine at "
		"most a quarter of them.",
		AT(api_connections)},
	{"api", "rate", CONF_NUMBER, "50", 1, 100000, "requests a second",
		"What each key may ask, and each address without one. More is refused with status "
		"429.",
		AT(api_rate)},

	{"pdns", "store", CONF_FOLDER, "", 0, 0, "",
		"Folder of the dataset; made when it is not there. Empty: no passive DNS is kept.",
		AT(pdns_store)},
	{"pdns", "window", CONF_NUMBER, "10", 1, 10, "seconds",
		"How long what was observed waits, each tuple once, before it is written. A "
		"process that is killed loses as much, and counts it.",
		AT(pdns_window_s)},
	{"pdns", "memory", CONF_NUMBER, "64", 16, 4096, "MiB",
		"What may wait; when it is full it is written earlier.", AT(pdns_memory)},
	{"pdns", "cache", CONF_NUMBER, "1024", 32, 1048576, "MiB",
		"Of what was read, for those who ask: at most. Questions are quick where most of "
		"the dataset has room; unpacked it takes four times what it takes on the disk.",
		AT(pdns_cache)},
	{"pdns", "sensors", CONF_WORD, "all", 0, 0, "",
		"Whose answers are taken. client: those that clients get, from boxes and from "
		"other software. resolver: those that resolvers get from authorities, and "
		"authorities give. Both are counted apart.",
		.words = "all|client|resolver", AT(pdns_sensors)},
	{"pdns", "networks", CONF_FILE, "", 0, 0, "",
		"CSV file prefix,asn, for /v1/flux: which autonomous systems addresses are in. "
		"Read at the start.",
		AT(pdns_networks)},
	{"pdns", "feed_size", CONF_NUMBER, "1024", 0, 1048576, "MiB",
		"What the feed may take on the disk: what was written is kept for readers that "
		"come back, and the oldest goes. 0: there is no feed.",
		AT(pdns_feed_size)},
	{"pdns", "feed_days", CONF_NUMBER, "7", 1, 365, "days",
		"How long the feed is kept, if it has the room.", AT(pdns_feed_days)},
	{"pdns", "dump_days", CONF_NUMBER, "7", 0, 3650, "days",
		"How long daily dumps are kept. They are made after midnight, of the day that "
		"ended. 0: none are made.",
		AT(pdns_dump_days)},
};

const struct conf_table conf_collect = {
	sections, sizeof(sections) / sizeof(sections[0]), keys, sizeof(keys) / sizeof(keys[0])};
