/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/conf.h"
#include "support/folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_conf_XXXXXX";
static char error[CONF_ERROR_SIZE];

static const char *in_folder(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_bytes(const char *name, const void *bytes, size_t size)
{
	FILE *file = fopen(in_folder(name), "w");

	cr_assert(file);
	cr_assert_eq(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

static void set_up(void)
{
	cr_assert(mkdtemp(folder));
	write_bytes("a.csv", "x\n", 2);
	write_bytes("b;c.csv", "x\n", 2);
}

static void tear_down(void)
{
	folder_remove(folder);
}

/** Load @p text as a file of the folder. */
static struct conf *load(const char *text)
{
	write_bytes("t.ini", text, strlen(text));
	return conf_load(in_folder("t.ini"), error);
}

/** The error of @p text, without the folder; "" when there is none. */
static const char *error_of(const char *text)
{
	struct conf *conf = load(text);

	conf_free(conf);
	if (conf)
		return "";
	cr_assert_eq(strncmp(error, in_folder(""), strlen(in_folder(""))), 0, "%s", error);
	return error + strlen(in_folder(""));
}

TestSuite(conf, .init = set_up, .fini = tear_down);

Test(conf, an_empty_file_is_all_defaults)
{
	struct conf *conf = load("");

	cr_assert(conf, "%s", error);
	cr_assert_eq(conf->n_pairs, 0);
	cr_assert_eq(conf->rx_descriptors, 0);
	cr_assert_eq(conf->mtu, 0);
	cr_assert_eq(conf->tx_descriptors, 0);
	cr_assert_eq(conf->mbufs, 0);
	cr_assert(conf->link_propagate);
	cr_assert_eq(conf->idle, CONF_IDLE_AUTO);
	cr_assert_eq(conf->idle_sleep_max_us, 200);
	cr_assert_eq(conf->stream_connections, 65536);
	cr_assert_eq(conf->stream_memory, 16);
	cr_assert_eq(conf->stream_segments, 8192);
	cr_assert_eq(conf->stream_hold_ms, 10);
	cr_assert_eq(conf->stream_gap_ms, 15000);
	cr_assert_eq(conf->fragment_datagrams, 4096);
	cr_assert_eq(conf->fragment_packets, 2048);
	cr_assert_eq(conf->fragment_hold_ms, 1000);
	cr_assert(conf->mirror_enabled);
	cr_assert_eq(conf->mirror_ring_slots, 65536);
	cr_assert_eq(conf->anonymise.mode, ANON_TRUNCATE);
	cr_assert_eq(conf->anonymise.ipv4_bits, ANON_BITS_AUTO);
	cr_assert_eq(conf->anonymise.ipv6_bits, ANON_BITS_AUTO);
	cr_assert_str_empty(conf->anonymise_key_file);
	cr_assert_not(conf_taps(conf));
	cr_assert_eq(conf->tap_connections, 1);
	cr_assert_eq(conf->tap_sample, 1);
	cr_assert_str_empty(conf->totals_file);
	cr_assert_str_empty(conf->totals_box);
	cr_assert_str_empty(conf->time_zone);
	cr_assert_str_eq(conf->control_socket, "/run/dnsweir/control.sock");
	cr_assert_str_empty(conf->control_group);
	cr_assert_str_empty(conf->consent_source);
	cr_assert_eq(conf->policy.n_lists, 1, "the canary names");
	cr_assert_eq(conf->policy.n_servers, 0);
	cr_assert_eq(conf->policy.n_ports, 1);
	cr_assert_eq(conf->policy.ports[0], 53);
	cr_assert_not(conf->policy.allow_message);
	cr_assert_str_eq(conf->path, in_folder("t.ini"));
	conf_free(conf);
}

Test(conf, every_key_is_read)
{
	struct conf *conf = load(
		"[ports]\npairs = 0:1, 3:2 ; c\nrx_descriptors=32768\n"
		"tx_descriptors = 1\nmbufs = 16777216\nmtu = 9000\nlink_state = off\n"
		"[workers]\nidle = backoff\nidle_sleep_max_us = 100000\n"
		"[filter]\nports = 53 5353,65535\nservers = 192.0.2.9/24, 2001:db8::1\nallow = "
		"message\n"
		"[consent]\nsource = a.csv\n[time]\nzone = Asia/Tokyo\n[mirror]\nenabled = no\n"
		"ring_slots = 64\n"
		"[streams]\nconnections = 16\nmemory = 4096\nsegments = 16\nhold_ms = 1\ngap_ms = "
		"60000\n"
		"[fragments]\ndatagrams = 0\npackets = 1\nhold_ms = 60000\n"
		"[control]\nsocket = none\ngroup = root\n"
		"[anonymise]\nmode = ipcrypt-pfx\nipv4_bits = 0\nipv6_bits = 128\n"
		"key_file = not/there.key\n"
		"[totals]\nfile = totals.db\nbox = tokyo-1\n");
	char text[PREFIX_TEXT_SIZE];

	cr_assert(conf, "%s", error);
	cr_assert_eq(conf->n_pairs, 2);
	cr_assert_eq(conf->pairs[1].client, 3);
	cr_assert_eq(conf->pairs[1].resolver, 2);
	cr_assert_eq(conf->rx_descriptors, 32768);
	cr_assert_eq(conf->tx_descriptors, 1);
	cr_assert_eq(conf->mbufs, 16777216);
	cr_assert_eq(conf->mtu, 9000);
	cr_assert_not(conf->link_propagate);
	cr_assert_eq(conf->idle, CONF_IDLE_BACKOFF);
	cr_assert_eq(conf->stream_connections, 16);
	cr_assert_eq(conf->stream_memory, 4096);
	cr_assert_eq(conf->stream_segments, 16);
	cr_assert_eq(conf->stream_hold_ms, 1);
	cr_assert_eq(conf->stream_gap_ms, 60000);
	cr_assert_eq(conf->fragment_datagrams, 0);
	cr_assert_eq(conf->fragment_packets, 1);
	cr_assert_eq(conf->fragment_hold_ms, 60000);
	cr_assert_eq(conf->idle_sleep_max_us, 100000);
	cr_assert_eq(conf->policy.n_ports, 3);
	cr_assert_eq(conf->policy.ports[2], 65535);
	cr_assert_eq(conf->policy.n_servers, 2);
	cr_assert_str_eq(prefix_format(&conf->policy.servers[0], text), "192.0.2.0/24");
	cr_assert_str_eq(prefix_format(&conf->policy.servers[1], text), "2001:db8::1/128");
	cr_assert(conf->policy.allow_message);
	cr_assert_str_eq(conf->consent_source, in_folder("a.csv"));
	cr_assert_eq(conf->consent_source_line, 16);
	cr_assert_str_eq(conf->time_zone, "Asia/Tokyo");
	cr_assert_not(conf->mirror_enabled);
	cr_assert_eq(conf->mirror_ring_slots, 64);
	cr_assert_eq(conf->anonymise.mode, ANON_IPCRYPT_PFX);
	cr_assert_eq(conf->anonymise.ipv4_bits, 0);
	cr_assert_eq(conf->anonymise.ipv6_bits, 128);
	cr_assert_str_eq(conf->anonymise_key_file, in_folder("not/there.key"));
	cr_assert_eq(conf->anonymise_key_line, 39);
	cr_assert_str_eq(conf->totals_file, in_folder("totals.db"));
	cr_assert_str_eq(conf->totals_box, "tokyo-1");
	cr_assert_str_empty(conf->control_socket);
	cr_assert_str_eq(conf->control_group, "root");
	conf_free(conf);
}

Test(conf, lists_keep_their_case_and_inherit_sinkholes_by_family)
{
	struct conf *conf = load(
		"[LIST  Botnet-C2.x]   ; behind a section\nsource = a.csv\n"
		"ACTION = sinkhole ; | log\nipv4 = 198.51.100.1 198.51.100.2\n"
		"[list "
		"own]\nsource=a.csv\naction=sinkhole\nformat=names\nmin_labels=1\nipv6=\nttl_max="
		"0\n"
		"[list l]\nsource=a.csv\naction=log\n[list a]\naction=allow\nsource='b;c.csv' # c\n"
		"[sinkhole]\nipv4 = 192.0.2.1\nipv6 = 2001:db8::1\nttl_max = 2147483647\n");
	const struct policy_list *lists;

	cr_assert(conf, "%s", error);
	lists = conf->policy.lists;
	cr_assert_eq(conf->policy.n_lists, 5);
	cr_assert_str_eq(lists[0].name, "Botnet-C2.x");
	cr_assert_eq(lists[0].sinkhole.n_ipv4, 2);
	cr_assert_eq(lists[0].sinkhole.ipv4[1][3], 2);
	cr_assert_eq(lists[0].sinkhole.n_ipv6, 1);
	cr_assert_eq(lists[0].sinkhole.ipv6[0][15], 1);
	cr_assert_eq(lists[0].sinkhole.ttl_max, INT32_MAX);
	cr_assert_eq(conf->lists[0].line, 1);
	cr_assert_eq(conf->lists[0].source_line, 2);
	cr_assert_eq(conf->lists[0].format, CONF_FORMAT_AUTO);
	cr_assert_eq(conf->lists[0].min_labels, 2);
	cr_assert_eq(lists[1].sinkhole.n_ipv4, 1);
	cr_assert_eq(lists[1].sinkhole.n_ipv6, 0, "an empty value is an answer too");
	cr_assert_eq(lists[1].sinkhole.ttl_max, 0);
	cr_assert_eq(lists[1].slot, 1);
	cr_assert_eq(conf->lists[1].format, CONF_FORMAT_NAMES);
	cr_assert_eq(conf->lists[1].min_labels, 1);
	cr_assert_eq(lists[2].action, POLICY_LOG);
	cr_assert_eq(lists[2].sinkhole.n_ipv4, 0);
	cr_assert_eq(lists[3].action, POLICY_ALLOW);
	cr_assert_eq(lists[3].slot, 3);
	cr_assert_str_eq(conf->lists[3].source, in_folder("b;c.csv"));
	conf_free(conf);
}

Test(conf, lists_say_what_is_done_and_what_the_client_is_told)
{
	struct conf *conf = load("[list a]\nsource=a.csv\naction=nxdomain\nede=15\n"
				 "ede_text=\"blocked; by \303\244 list\"\nipv4=192.0.2.9\n"
				 "[list b]\nsource=a.csv\naction=sinkhole\non_empty=answer\n"
				 "dnssec=skip-signed\n[list c]\nsource=a.csv\naction=tcp-only\n"
				 "[list d]\nsource=a.csv\naction=drop\nede=17\nede_text=\n");
	const struct policy_list *lists;

	cr_assert(conf, "%s", error);
	lists = conf->policy.lists;
	cr_assert_eq(lists[0].action, POLICY_NXDOMAIN);
	cr_assert_eq(policy_ede_code(lists[0].ede), 15);
	cr_assert_str_eq(lists[0].ede_text, "blocked; by \303\244 list");
	cr_assert_eq(lists[0].dnssec, POLICY_DNSSEC_REWRITE);
	// What it falls back on has both families.
	cr_assert_eq(lists[0].sinkhole.n_ipv4, 1);
	cr_assert_eq(lists[0].sinkhole.ipv4[0][3], 9);
	cr_assert_eq(lists[0].sinkhole.n_ipv6, 1);
	cr_assert_eq(lists[0].sinkhole.ipv6[0][15], 0);
	cr_assert(lists[1].answer_empty);
	cr_assert_eq(lists[1].dnssec, POLICY_DNSSEC_SKIP_SIGNED);
	cr_assert_eq(lists[1].ede, POLICY_EDE_NONE);
	cr_assert_eq(lists[1].sinkhole.n_ipv4, 0);
	cr_assert_eq(lists[2].action, POLICY_TCP_ONLY);
	cr_assert(!lists[2].answer_empty);
	cr_assert_eq(lists[3].action, POLICY_DROP);
	cr_assert_eq(policy_ede_code(lists[3].ede), 17);
	cr_assert_eq(policy_ede_code(POLICY_EDE_FORGED), 4);
	conf_free(conf);
}

Test(conf, destinations_of_dnstap_are_paths_and_addresses)
{
	struct conf *conf = load("[tap]\nsocket = /run/a.sock, /run/b.sock\n"
				 "tcp = 192.0.2.7:6000 [2001:db8::7]:65535\nconnections = 3\n"
				 "queue = 16\nsample = 10\nidentity = box 1\n");
	char text[ENDPOINT_TEXT_SIZE];

	cr_assert(conf && conf_taps(conf));
	cr_assert(conf->tap_sockets.n == 2 && conf->tap_tcp.n == 2);
	cr_assert_str_eq(endpoint_format(&conf->tap_sockets.at[1], text), "/run/b.sock");
	cr_assert_str_eq(endpoint_format(&conf->tap_tcp.at[0], text), "192.0.2.7:6000");
	cr_assert_str_eq(endpoint_format(&conf->tap_tcp.at[1], text), "[2001:db8::7]:65535");
	cr_assert(conf->tap_connections == 3 && conf->tap_queue == 16 && conf->tap_sample == 10);
	cr_assert_str_eq(conf->tap_identity, "box 1");
	conf_free(conf);
}

Test(conf, every_mistake_has_its_line)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		// The shape of the file.
		{"pairs = 0:1\n",
			"t.ini:1: expected a [SECTION] before the first key, got key 'pairs'"},
		{"\n[ports]\nnonsense\n",
			"t.ini:3: expected 'key = value' or [SECTION], got 'nonsense'"},
		{"[ports]\n = 3\n", "t.ini:2: expected 'key = value' or [SECTION], got '= 3'"},
		{"[ports\n", "t.ini:1: expected [SECTION], got '[ports'"},
		{"[ports] x\n", "t.ini:1: expected [SECTION], got '[ports] x'"},
		{"x", "t.ini:1: expected 'key = value' or [SECTION], got 'x'"},
		{"[time]\nzone = \"UTC\n", "t.ini:2: expected a closing \", got '\"UTC'"},
		{"[time]\nzone = 'UTC' x\n",
			"t.ini:2: expected nothing behind the closing ', got ' x'"},
		{"[time]\nzone = UTC \\\n",
			"t.ini:2: expected a line behind the closing backslash, got the end"},
		{"[time]\n \\\nzone = UTC\n", "t.ini:2: expected text before the backslash"},
		// Sections and keys.
		{"[]\n", "t.ini:1: unknown section nothing, expected one of [ports], [workers], "
			 "[filter], [streams], [fragments], [sinkhole], [lists], [canary], "
			 "[list NAME], [consent], [time], [mirror], [anonymise], [tap], "
			 "[totals], [control]"},
		{"[prots]\n", "t.ini:1: unknown section 'prots', did you mean [ports]?"},
		{"[lists c2]\n", "t.ini:1: unknown section 'lists c2', did you mean [list NAME]?"},
		{"[list]\n", "t.ini:1: unknown section 'list', did you mean [lists]?"},
		{"[lists]\ncompiled = gone.gen\n",
			"t.ini:2: compiled: expected a readable file, got "
			"'gone.gen': No such file or directory"},
		{"[list c2]\nsource = gone.csv\naction = log\n[lists]\ncompiled =\n",
			"t.ini:2: source: expected a readable file, got 'gone.csv': No such file "
			"or "
			"directory"},
		{"[time]\n[ports]\n[TIME]\n",
			"t.ini:3: expected each section once, got [TIME] again after line 1"},
		{"[ports]\nrx_descriptor = 1\n", "t.ini:2: unknown key 'rx_descriptor' in [ports], "
						 "did you mean rx_descriptors?"},
		{"[time]\n# c\n\ncolour = red\n",
			"t.ini:4: unknown key 'colour' in [time], expected one of zone"},
		{"[ports]\nmbufs = 1\n\nMBUFS = 2\n",
			"t.ini:4: expected each key once, got mbufs again after line 2"},
		// Values.
		{"[ports]\nmbufs = many\n",
			"t.ini:2: mbufs: expected a number 0..16777216 (packets), got 'many'"},
		{"[ports]\nmbufs =\n",
			"t.ini:2: mbufs: expected a number 0..16777216 (packets), got nothing"},
		{"[ports]\nmbufs = 16777217\n",
			"t.ini:2: mbufs: expected a number 0..16777216 (packets), got '16777217'"},
		{"[ports]\nmbufs = 99999999999999999999999\n",
			"t.ini:2: mbufs: expected a number "
			"0..16777216 (packets), got '99999999999999999999999'"},
		{"[ports]\nmbufs = -1\n",
			"t.ini:2: mbufs: expected a number 0..16777216 (packets), got '-1'"},
		{"[workers]\nidle_sleep_max_us = 0\n",
			"t.ini:2: idle_sleep_max_us: expected a number "
			"1..100000 (microseconds), got '0'"},
		{"[mirror]\nenabled = on\n", "t.ini:2: enabled: expected one of no, yes, got 'on'"},
		{"[tap]\nsocket = tap.sock\n", "t.ini:2: socket: expected absolute paths of at "
					       "most 107 bytes, got 'tap.sock'"},
		{"[tap]\nsocket = 192.0.2.1:53\n",
			"t.ini:2: socket: expected absolute paths of at most 107 bytes, got "
			"'192.0.2.1:53'"},
		{"[tap]\ntcp = collector:6000\n",
			"t.ini:2: tcp: expected an address, not a name, and a port as in "
			"192.0.2.7:6000 or [2001:db8::7]:6000, got 'collector:6000'"},
		{"[tap]\ntcp = 2001:db8::7:6000\n",
			"t.ini:2: tcp: expected an address, not a name, and a port as in "
			"192.0.2.7:6000 or [2001:db8::7]:6000, got '2001:db8::7:6000'"},
		{"[tap]\ntcp = 192.0.2.7:0\n",
			"t.ini:2: tcp: expected an address, not a name, and a port as in "
			"192.0.2.7:6000 or [2001:db8::7]:6000, got '192.0.2.7:0'"},
		{"[tap]\nsocket = /1 /2 /3 /4 /5 /6 /7 /8 /9\n",
			"t.ini:2: socket: expected at most 8 of them, got '/9'"},
		{"[mirror]\nenabled = no\n[tap]\nsocket = /tap\n",
			"t.ini:2: enabled: expected yes with a destination in [tap], got no"},
		{"[mirror]\nring_slots = 100\n", "t.ini:2: ring_slots: expected a power of two "
						 "64..16777216 (slots of 64 bytes), got '100'"},
		{"[workers]\nidle = Spin\n",
			"t.ini:2: idle: expected one of auto, spin, backoff, got 'Spin'"},
		{"[ports]\nlink_state = on\n",
			"t.ini:2: link_state: expected one of off, propagate, got 'on'"},
		{"[ports]\npairs = 0:1 2\n",
			"t.ini:2: pairs: expected pairs of ports as in 0:1 2:3, got '2'"},
		{"[ports]\npairs = 0:65535\n",
			"t.ini:2: pairs: expected pairs of ports as in 0:1 2:3, got '0:65535'"},
		{"[ports]\npairs = 0:0\n", "t.ini:2: pairs: expected each port once, got '0:0'"},
		{"[ports]\npairs = 0:1 2:0\n",
			"t.ini:2: pairs: expected each port once, got '2:0'"},
		{"[filter]\nports = 53 0\n",
			"t.ini:2: ports: expected UDP ports 1..65535, got '0'"},
		{"[filter]\nports = ,\n",
			"t.ini:2: ports: expected UDP ports 1..65535, got nothing"},
		{"[filter]\nports = 53 53\n", "t.ini:2: ports: expected each port once, got '53'"},
		{"[filter]\nports = 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n",
			"t.ini:2: ports: expected at most 16 ports, got '17'"},
		{"[filter]\nservers = 192.0.2.0/33\n",
			"t.ini:2: servers: expected addresses or prefixes, got '192.0.2.0/33'"},
		{"[sinkhole]\nipv4 = 192.0.2.1 \\\n 2001:db8::1\n",
			"t.ini:2: ipv4: expected IPv4 addresses, got '2001:db8::1'"},
		{"[sinkhole]\nipv6 = 192.0.2.1\n",
			"t.ini:2: ipv6: expected IPv6 addresses, got '192.0.2.1'"},
		{"[sinkhole]\nttl_max = 2147483648\n", "t.ini:2: ttl_max: expected a number "
						       "0..2147483647 (seconds), got '2147483648'"},
		{"[time]\nzone = Mars/Phobos\n", "t.ini:2: zone: expected a time zone below "
						 "/usr/share/zoneinfo, got 'Mars/Phobos'"},
		{"[time]\nzone = ../zoneinfo/UTC\n", "t.ini:2: zone: expected a time zone below "
						     "/usr/share/zoneinfo, got '../zoneinfo/UTC'"},
		{"[time]\nzone = Asia\n", "t.ini:2: zone: expected a time zone below "
					  "/usr/share/zoneinfo, got 'Asia'"},
		{"[anonymise]\nmode = pseudonyms\n",
			"t.ini:2: mode: expected one of truncate, pseudonym, crypto-pan, "
			"ipcrypt-pfx, got 'pseudonyms'"},
		{"[anonymise]\nipv4_bits = 33\n",
			"t.ini:2: ipv4_bits: expected a number 0..32 (bits), got '33'"},
		{"[anonymise]\nipv6_bits = 129\n",
			"t.ini:2: ipv6_bits: expected a number 0..128 (bits), got '129'"},
		{"[Anonymise]\nipv4_bits =\nmode = crypto-pan\nkey_file =\n",
			"t.ini:3: mode: expected key_file to go with crypto-pan, got none"},
		{"[anonymise]\nmode = ipcrypt-pfx\n[time]\n",
			"t.ini:2: mode: expected key_file to go with ipcrypt-pfx, got none"},
		{"[tap]\ntls = 192.0.2.7:6514\ntls_ca = a.csv\ntls_key = a.csv\n",
			"t.ini:2: tls: expected tls_certificate to go with it, got none"},
		{"[tap]\ntls_ca = gone.crt\n", "t.ini:2: tls_ca: expected a readable file, got "
					       "'gone.crt': No such file or directory"},
		{"[control]\nsocket =\n", "t.ini:2: socket: expected a path of at most 107 bytes, "
					  "or none, got nothing"},
		{"[control]\ngroup = no-such-group\n",
			"t.ini:2: group: expected the name of a group of "
			"this system, got 'no-such-group'"},
		{"[consent]\nsource = gone.csv\n", "t.ini:2: source: expected a readable file, got "
						   "'gone.csv': No such file or directory"},
		{"[totals]\nfile = nowhere/totals.db\n",
			"t.ini:2: file: expected a file in a folder that is there, got "
			"'nowhere/totals.db'"},
		{"[totals]\nfile = .\n",
			"t.ini:2: file: expected a file in a folder that is there, got '.'"},
		{"[consent]\nsource = ../\n",
			"t.ini:2: source: expected a readable file, got '../': Is a directory"},
		// Lists.
		{"[list a b]\n",
			"t.ini:1: expected a list name of 1..63 letters, digits, '_', '-' and "
			"'.', got 'a b'"},
		{"[list c2]\nsource=a.csv\naction=log\n[list C2]\n",
			"t.ini:4: expected each list once, got [list C2] again after line 1"},
		{"\n[list c2]\naction = log\n[time]\nzone=UTC\n",
			"t.ini:2: expected the key source in [list c2], got none"},
		{"[list c2]\nsource = a.csv\n",
			"t.ini:1: expected the key action in [list c2], got none"},
		{"[list c2]\nsource =\n",
			"t.ini:2: source: expected the path of a file, at most 1023 "
			"bytes, got nothing"},
		{"[list c2]\naction = block\n",
			"t.ini:2: action: expected one of sinkhole, log, allow, nxdomain, nodata, "
			"drop, tcp-only, got 'block'"},
		{"[list c2]\nmin_labels = 128\n",
			"t.ini:2: min_labels: expected a number 1..127 (labels), got '128'"},
		{"[list c2]\nsource = a.csv\nttl_max = 3\naction = log\n",
			"t.ini:3: ttl_max: expected it "
			"in lists with action = sinkhole, nxdomain, nodata, drop only, got it with "
			"action = log"},
		{"[list c2]\nsource = a.csv\nipv4 = 192.0.2.1\naction = allow\n",
			"t.ini:3: ipv4: "
			"expected it in lists with action = sinkhole, nxdomain, nodata, drop only, "
			"got it with action = allow"},
		{"[list c2]\nsource = a.csv\naction = nxdomain\non_empty = answer\n",
			"t.ini:4: on_empty: expected it in lists with action = sinkhole only, got "
			"it with action = nxdomain"},
		{"[list c2]\nsource = a.csv\naction = allow\ndnssec = skip-signed\n",
			"t.ini:4: dnssec: expected it in lists with action = sinkhole, nxdomain, "
			"nodata, drop, tcp-only only, got it with action = allow"},
		{"[list c2]\nede = 18\n",
			"t.ini:2: ede: expected one of none, 4, 15, 16, 17, got '18'"},
		{"[list c2]\nede_text = 'a\tb'\n",
			"t.ini:2: ede_text: expected UTF-8 text of at most 128 octets without "
			"control characters, got 'a?b'"},
		{"[list c2]\nsource = a.csv\nede_text = why\naction = sinkhole\n[list d]\n"
		 "source = a.csv\naction = sinkhole\n",
			"t.ini:3: ede_text: expected a code in ede to go with it, got none"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_str_eq(error_of(rows[i].text), rows[i].error, "row %zu: got \"%s\"", i,
			error_of(rows[i].text));
}

Test(conf, errors_of_the_file_itself_have_no_line)
{
	cr_assert_null(conf_load(in_folder("gone.ini"), error));
	cr_assert_str_eq(
		error + strlen(folder), "/gone.ini: cannot read: No such file or directory");
	cr_assert_null(conf_load(folder, error));
	cr_assert_str_eq(error + strlen(folder), ": cannot read: Is a directory");
	cr_assert_null(conf_load("/dev/zero", error));
	cr_assert_str_eq(error, "/dev/zero: expected at most 1048576 bytes, got more");
}

Test(conf, comments_quotes_and_continued_lines_do_what_they_look_like)
{
	struct conf *conf =
		load("\xef\xbb\xbf; byte order mark, CRLF\r\n# not continued \\\r\n[time]\r\n"
		     "zone = \"UTC\" ; quoted \\\r\n[filter]\r\nservers = 192.0.2.1 \\\r\n"
		     "  192.0.2.2 # last\r\n[sinkhole]\r\nipv4 = ''\r\nttl_max = 5;seconds");

	cr_assert(conf, "%s", error);
	cr_assert_str_eq(conf->time_zone, "UTC");
	cr_assert_eq(conf->policy.n_servers, 2);
	conf_free(conf);
}

Test(conf, a_line_is_as_long_as_iniparser_takes)
{
	char text[4096];
	struct conf *conf;

	// 7 bytes in front of the value; 1022 bytes are the most.
	for (int continued = 0; continued < 2; continued++) {
		snprintf(text, sizeof(text), "[time]\nzone = %s%*sUTC\n", continued ? "\\\n" : "",
			1022 - 10, "");
		conf = load(text);
		cr_assert(conf, "%s", error);
		cr_assert_str_eq(conf->time_zone, "UTC");
		conf_free(conf);
		snprintf(text, sizeof(text), "[time]\nzone = %s%*sUTC\n", continued ? "\\\n" : "",
			1023 - 10, "");
		cr_assert_str_eq(error_of(text),
			"t.ini:2: expected at most 1022 bytes in a line with "
			"what continues it, got 1023");
	}
}

Test(conf, bytes_that_are_no_text_are_told_and_never_repeated)
{
	write_bytes("t.ini", "[time]\nzone = U\0TC\n", 19);
	cr_assert_null(conf_load(in_folder("t.ini"), error));
	cr_assert_str_eq(error + strlen(folder), "/t.ini:2: expected text, got a NUL byte");
	cr_assert_str_eq(error_of("[time]\n\x1b[2J = 1\n"),
		"t.ini:2: unknown key '?[2j' in [time], expected one of zone");
}

Test(conf, long_names_and_many_lists_end_at_their_limits)
{
	char name[65], text[512];
	char *many = calloc(257, 64);

	memset(name, 'n', 64);
	name[64] = '\0';
	snprintf(text, sizeof(text), "[list %s]\n", name);
	cr_assert(strstr(error_of(text), "t.ini:1: expected a list name of 1..63"));
	snprintf(text, sizeof(text), "[list %s]\nsource=a.csv\naction=log\n", name + 1);
	cr_assert_str_eq(error_of(text), "");
	for (int i = 0; i < 256; i++)
		sprintf(many + strlen(many), "[list l%d]\nsource=a.csv\naction=log\n", i);
	cr_assert_str_eq(error_of(many), "t.ini:766: expected at most 255 lists, got [list l255]");
	many[strlen(many) - strlen("[list l255]\nsource=a.csv\naction=log\n")] = '\0';
	cr_assert_str_eq(error_of(many), "");
	free(many);
}

Test(conf, what_is_hardly_meant_is_a_warning)
{
	static const struct {
		const char *text, *warnings;
	} rows[] = {
		{"", "no list: nothing is filtered\n"},
		{"[list a]\nsource=a.csv\naction=allow\n",
			"allow lists alone: nothing is filtered\n"},
		{"[list a]\nsource=a.csv\naction=log\n", ""},
		{"[list a]\nsource=a.csv\naction=log\n[anonymise]\nipv4_bits=32\nipv6_bits=128\n",
			"anonymise: all bits of IPv4 are kept, clients are not anonymous\n"
			"anonymise: all bits of IPv6 are kept, clients are not anonymous\n"},
		{"[list c2]\nsource=a.csv\naction=sinkhole\n[list "
		 "d]\nsource=a.csv\naction=sinkhole\n"
		 "ipv6=2001:db8::1\n",
			"list c2: no ipv4 sinkhole, A answers of its names are left as they are\n"
			"list c2: no ipv6 sinkhole, AAAA answers of its names are left as they "
			"are\n"
			"list d: no ipv4 sinkhole, A answers of its names are left as they are\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conf *conf = load(rows[i].text);
		char all[1024] = "", line[CONF_ERROR_SIZE];

		cr_assert(conf, "%s", error);
		for (unsigned n = 0; conf_warning(conf, n, line); n++)
			snprintf(all + strlen(all), sizeof(all) - strlen(all), "%.500s\n", line);
		cr_expect_str_eq(all, rows[i].warnings);
		conf_free(conf);
	}
}

/** What conf_print writes. @return taken by the caller */
static char *printed(enum conf_program program)
{
	static char *text;
	static size_t size;
	FILE *out = open_memstream(&text, &size);

	conf_print(out, program);
	fclose(out);
	return text;
}

Test(conf, the_printed_file_loads_to_the_defaults_it_names)
{
	struct conf *empty = load(""), *conf;
	char *text = printed(CONF_BOX), *list = strstr(text, "\n#[list c2]"), *end, *p;

	cr_assert(list);
	conf = load(text);
	cr_assert(conf, "%s", error);
	cr_assert_eq(memcmp(conf, empty, sizeof(*conf)), 0);
	conf_free(conf);
	// Take the mark off every key but those of the list, whose file is not there.
	end = strstr(list, "\n[consent]");
	cr_assert(end);
	memset(list, '\n', (size_t)(end - list));
	for (p = text; (p = strstr(p, "\n#")); p++)
		if (p[2] >= 'a' && p[2] <= 'z')
			p[1] = ' ';
	conf = load(text);
	cr_assert(conf, "%s", error);
	cr_assert_neq(conf->consent_source_line, 0);
	cr_assert_neq(conf->compiled_line, 0);
	cr_assert_neq(conf->anonymise_key_line, 0);
	// They stand in this file, if empty.
	conf->consent_source_line = conf->compiled_line = conf->anonymise_key_line = 0;
	cr_assert_eq(memcmp(conf, empty, sizeof(*conf)), 0);
	conf_free(conf);
	conf_free(empty);
	free(text);
}

Test(conf, sources_need_not_be_there_where_a_compiled_file_is_read)
{
	static const char text[] = "[list c2]\nsource = gone.csv\naction = log\n"
				   "[lists]\ncompiled = a.csv\n";
	struct conf *conf = load(text);

	cr_assert(conf, "%s", error);
	cr_assert_str_eq(conf->compiled, in_folder("a.csv"));
	cr_assert_str_eq(conf->lists[0].source, in_folder("gone.csv"));
	conf_free(conf);
	cr_assert_null(conf_load_sources(in_folder("t.ini"), error));
	cr_assert(strstr(error, "t.ini:2: source: expected a readable file, got 'gone.csv'"), "%s",
		error);
}

Test(conf, a_source_that_ends_in_hs_has_patterns)
{
	static const char text[] = "[list by-name]\nsource = a.HS\naction = log\n"
				   "[list said]\nsource = a.csv\nformat = pattern\naction = log\n"
				   "[list not]\nsource = a.hs\nformat = names\naction = log\n"
				   "[list plain]\nsource = a.csv\naction = log\n";
	struct conf *conf;

	write_bytes("a.hs", "x\n", 2);
	write_bytes("a.HS", "x\n", 2);
	conf = load(text);
#ifdef DNSWEIR_PATTERNS
	cr_assert(conf, "%s", error);
	cr_assert_eq(conf->lists[0].format, CONF_FORMAT_PATTERN);
	cr_assert_eq(conf->lists[1].format, CONF_FORMAT_PATTERN);
	cr_assert_eq(conf->lists[2].format, CONF_FORMAT_NAMES);
	cr_assert_eq(conf->lists[3].format, CONF_FORMAT_AUTO);
	conf_free(conf);
#else
	cr_assert_null(conf);
	cr_assert(strstr(error, "t.ini:2: source: expected a catalogue or names, got a list of "
				"patterns; this program was built without Hyperscan"),
		"%s", error);
#endif
}

Test(conf, a_compiled_file_need_not_be_there_where_sources_are_read)
{
	struct conf *conf;

	cr_assert_null(load("[list c2]\nsource = a.csv\naction = log\n"
			    "[lists]\ncompiled = gone.gen\n"));
	conf = conf_load_sources(in_folder("t.ini"), error);
	cr_assert(conf, "%s", error);
	cr_assert_str_eq(conf->compiled, in_folder("gone.gen"));
	conf_free(conf);
}

Test(conf, the_printed_list_loads)
{
	char *text = printed(CONF_BOX), *p, *q;
	struct conf *conf;

	for (p = text; (p = strstr(p, "\n#")); p++)
		if ((p[2] >= 'a' && p[2] <= 'z') || p[2] == '[')
			p[1] = ' ';
	p = strstr(text, "/etc/dnsweir/c2.csv");
	cr_assert(p);
	memcpy(p, "a.csv              ", 19);
	conf = load(text);
	cr_assert(conf, "%s", error);
	cr_assert_eq(conf->policy.n_lists, 2);
	cr_assert_str_eq(conf->policy.lists[0].name, "c2");
	cr_assert_eq(conf->policy.lists[0].sinkhole.n_ipv6, 1);
	conf_free(conf);
	for (q = text; *q; q += strcspn(q, "\n") + 1)
		cr_expect_leq(strcspn(q, "\n"), 80);
	free(text);
}

static void shipped_check(const char *name, enum conf_program program)
{
	const char *source = getenv("DNSWEIR_SOURCE");
	char path[512], shipped[32768], *text = printed(program);
	FILE *file;
	size_t size;

	cr_assert(source, "DNSWEIR_SOURCE: top of the source tree");
	snprintf(path, sizeof(path), "%s/config/%s", source, name);
	file = fopen(path, "r");
	cr_assert(file, "%s", path);
	size = fread(shipped, 1, sizeof(shipped) - 1, file);
	shipped[size] = '\0';
	fclose(file);
	cr_assert_str_eq(shipped, text);
	free(text);
}

Test(conf, the_files_that_are_shipped_are_what_is_printed)
{
	shipped_check("dnsweir.ini", CONF_BOX);
	shipped_check("collect.ini", CONF_COLLECT);
}

static struct conf *load_collect(const char *text)
{
	write_bytes("t.ini", text, strlen(text));
	return conf_load_collect(in_folder("t.ini"), error);
}

Test(conf, the_collector_has_a_file_of_its_own)
{
	struct conf *conf = load_collect("[collect]\ntcp = 192.0.2.7:6000\nstore = log\ndays = 3\n"
					 "[anonymise]\nipv4_bits = 16\n[time]\nzone = UTC\n");

	cr_assert(conf, "%s", error);
	cr_assert(conf->collect_sockets.n == 1 && conf->collect_tcp.n == 1);
	cr_assert(conf->collect_days == 3 && conf->anonymise.ipv4_bits == 16);
	cr_assert_str_eq(conf->collect_store, in_folder("log"));
	cr_assert_str_eq(conf->time_zone, "UTC");
	conf_free(conf);
	cr_assert_null(load_collect("[ports]\npairs = 0:1\n"));
	cr_assert(strstr(error, "t.ini:1: unknown section 'ports', expected one of [consent], "
				"[time], [anonymise], [collect]"));
	cr_assert_null(load_collect("[list a]\nsource = a\n"));
	cr_assert(strstr(error, "t.ini:1: unknown section 'list a'"));
	cr_assert_null(load_collect("[collect]\nday = 3\n"));
	cr_assert(strstr(error, "t.ini:2: unknown key 'day' in [collect], did you mean days?"));
	cr_assert_null(load_collect("[collect]\ntls = 192.0.2.7:6514\n"));
	cr_assert_str_eq(
		strstr(error, "t.ini:2"), "t.ini:2: tls: expected tls_ca to go with it, got none");
	cr_assert_null(
		load_collect("[collect]\nsocket = /1 /2 /3 /4\ntcp = 192.0.2.7:1 192.0.2.7:2 "
			     "192.0.2.7:3 192.0.2.7:4 192.0.2.7:5\n"));
	cr_assert_str_eq(strstr(error, "t.ini:3"),
		"t.ini:3: expected at most 8 of socket, tcp and tls together, got 9");
	cr_assert_null(load_collect("[api]\nclient_certificates = required\n"));
	cr_assert_str_eq(strstr(error, "t.ini:2"),
		"t.ini:2: client_certificates: expected client_ca to go with it, got none");
	cr_assert_null(load_collect("[collect]\ndays = 0\n"));
	cr_assert(strstr(error, "t.ini:2: days: expected a number 1..3650"));
	cr_assert_null(load("[collect]\ndays = 3\n"));
	cr_assert(strstr(error, "t.ini:1: unknown section 'collect'"));
}

Test(conf, canary_names_are_the_last_list)
{
	static const struct {
		const char *text;
		enum policy_action action;
	} rows[] = {
		{"", POLICY_ALLOW},
		{"[canary]\naction = pass\n", POLICY_ALLOW},
		{"[canary]\naction = nxdomain\n", POLICY_NXDOMAIN},
		{"[canary]\naction = nodata\n", POLICY_NODATA},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conf *conf = load(rows[i].text);
		const struct policy_list *list;

		cr_assert(conf, "%s", error);
		list = &conf->policy.lists[0];
		cr_assert_eq(conf->policy.n_lists, 1);
		cr_expect_str_eq(list->name, "canary");
		cr_expect_eq(list->action, rows[i].action);
		cr_expect(list->canary);
		cr_expect_eq(list->sinkhole.n_ipv4 + list->sinkhole.n_ipv6, 0);
		conf_free(conf);
	}
}

Test(conf, the_name_of_the_built_in_list_is_taken)
{
	cr_expect_str_eq(error_of("[list Canary]\nsource=a.csv\naction=log\n"),
		"t.ini:1: expected another name than that of the built-in list canary, got "
		"'Canary'");
}
