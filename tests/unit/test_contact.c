/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contact/contact.h"

#define BEGIN                                                                                   \
	"{\"time\":1795374339.441,\"client\":\"192.0.2.9\",\"client_port\":46780,\"protocol\":" \
	"\"tcp\","

static struct store_contact contact;
static char name[STORE_CONTACT_NAME_MAX + 1];

static int parse(const char *line)
{
	return contact_line_parse(line, strlen(line), &contact, name);
}

static void client_is(const char *address)
{
	char text[ADDR_TEXT_SIZE];

	cr_expect_str_eq(addr_format(&contact.client, text), address);
}

Test(contact_line, nginx_tells_the_name_of_a_tls_connection)
{
	cr_assert_eq(parse(BEGIN "\"port\":443,\"sni\":\"C2.Example.\"}"), 0);
	client_is("192.0.2.9");
	cr_expect_eq(contact.first_ms, 1795374339441);
	cr_expect_eq(contact.last_ms, 1795374339441);
	cr_expect_eq(contact.client_port, 46780);
	cr_expect_eq(contact.port, 443);
	cr_expect_eq(contact.protocol, 6);
	cr_expect_eq(contact.n, 1);
	cr_expect_eq(contact.named, STORE_NAMED_SNI);
	cr_expect_str_eq(contact.name, "c2.example");
}

Test(contact_line, nginx_tells_the_host_of_a_request)
{
	static const struct {
		const char *host, *name;
	} rows[] = {{"Bad.Example:8080", "bad.example"}, {"[2001:db8::1]:80", "[2001:db8::1]"},
		{"[2001:db8::1]", "[2001:db8::1]"}, {"bad.example.:80", "bad.example"}};
	char line[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(line, sizeof(line), BEGIN "\"port\":80,\"host\":\"%s\"}", rows[i].host);
		cr_assert_eq(parse(line), 0, "%s", line);
		cr_expect_eq(contact.named, STORE_NAMED_HOST);
		cr_expect_str_eq(contact.name, rows[i].name);
	}
}

Test(contact_line, a_connection_without_a_name_is_a_contact)
{
	cr_assert_eq(parse(BEGIN "\"port\":80}"), 0);
	cr_expect_eq(contact.named, STORE_NAMED_NONE);
	cr_expect_str_eq(contact.name, "");
	cr_assert_eq(parse(BEGIN "\"port\":443,\"sni\":\"\"}"), 0);
	cr_expect_eq(contact.named, STORE_NAMED_NONE);
	cr_assert_eq(parse(BEGIN "\"port\":443,\"sni\":\"-\"}"), 0);
	cr_expect_eq(contact.named, STORE_NAMED_NONE);
}

Test(contact_line, ulogd_tells_of_packets)
{
	cr_assert_eq(
		parse("{\"timestamp\": \"2026-11-22T19:05:49.863598\", \"dvc\": \"Netfilter\", "
		      "\"oob.prefix\": \"sinkhole\", \"oob.time.sec\": 1795374349, "
		      "\"oob.time.usec\": 863598, \"ip.protocol\": 6, \"ip6.nexthdr\": 6, "
		      "\"src_port\": 46822, \"dest_port\": 6667, \"tcp.syn\": 1, "
		      "\"src_ip\": \"2001:db8:5::9\", \"dest_ip\": \"2001:db8:5::1\"}"),
		0);
	client_is("2001:db8:5::9");
	cr_expect_eq(contact.first_ms, 1795374349864);
	cr_expect_eq(contact.port, 6667);
	cr_expect_eq(contact.protocol, 6);
	cr_assert_eq(parse("{\"timestamp\":\"2026-11-22T19:05:49.5+0900\",\"src_ip\":\"192.0.2.9\","
			   "\"dest_port\":443,\"ip6.nexthdr\":60,\"udp.len\":12}"),
		0);
	cr_expect_eq(contact.first_ms, 1795341949500);
	cr_expect_eq(contact.protocol, 17);
	cr_expect_eq(contact.client_port, 0);
}

Test(contact_line, an_ipv4_client_of_an_ipv6_socket_is_an_ipv4_client)
{
	cr_assert_eq(parse("{\"time\":1,\"client\":\"::ffff:192.0.2.9\",\"protocol\":\"tcp\","
			   "\"port\":80}"),
		0);
	cr_expect_eq(contact.client.family, ADDR_IPV4);
	client_is("192.0.2.9");
}

Test(contact_line, what_a_name_must_not_have_becomes_a_question_mark)
{
	cr_assert_eq(parse(BEGIN "\"port\":80,\"host\":\"\xff\xfe\\\"\\u0000\\u0001,\nx\"}"), 0);
	cr_expect_str_eq(contact.name, "???????x");
}

Test(contact_line, a_long_name_is_cut)
{
	char line[4096];
	int size = snprintf(line, sizeof(line), BEGIN "\"port\":443,\"sni\":\"");

	memset(line + size, 'a', 2000);
	strcpy(line + size + 2000, "\"}");
	cr_assert_eq(parse(line), 0);
	cr_expect_eq(strlen(contact.name), STORE_CONTACT_NAME_MAX);
}

Test(contact_line, lines_that_say_too_little_are_bad)
{
	static const char *const lines[] = {"", "{", "[]", "7", "{}", BEGIN "\"sni\":\"a\"}",
		BEGIN "\"port\":0}", BEGIN "\"port\":65536}", BEGIN "\"port\":-1}",
		BEGIN "\"port\":\"80x\"}", BEGIN "\"port\":1e999}", BEGIN "\"port\":\"nan\"}",
		"{\"client\":\"192.0.2.9\",\"protocol\":\"tcp\",\"port\":80}",
		"{\"time\":-5,\"client\":\"192.0.2.9\",\"protocol\":\"tcp\",\"port\":80}",
		"{\"time\":1e300,\"client\":\"192.0.2.9\",\"protocol\":\"tcp\",\"port\":80}",
		"{\"timestamp\":\"2026\",\"client\":\"::1\",\"protocol\":\"tcp\",\"port\":7}",
		"{\"time\":1,\"client\":\"unix:\",\"protocol\":\"tcp\",\"port\":80}",
		"{\"time\":1,\"client\":7,\"protocol\":\"tcp\",\"port\":80}",
		"{\"time\":1,\"client\":\"192.0.2.9\",\"protocol\":\"icmp\",\"port\":80}",
		"{\"time\":1,\"client\":\"192.0.2.9\",\"port\":80}"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cr_expect_eq(parse(lines[i]), -EBADMSG, "%s", lines[i]);
}

/* ---- gathering ------------------------------------------------------------------------------- */

static struct store_contact at(int64_t ms, const char *client, uint16_t port, const char *of)
{
	struct store_contact c = {.first_ms = ms,
		.last_ms = ms,
		.n = 1,
		.client_port = (uint16_t)(1024 + ms % 1000),
		.port = port,
		.protocol = 6,
		.named = *of ? STORE_NAMED_SNI : STORE_NAMED_NONE,
		.name = of};

	cr_assert_eq(addr_parse(client, &c.client), 0);
	return c;
}

static void add(struct contact_gather *gather, struct store_contact c)
{
	cr_assert_eq(contact_gather_add(gather, &c), 0);
}

Test(contact_gather, contacts_of_a_minute_that_are_alike_are_one)
{
	struct contact_gather *gather = contact_gather_create();
	const struct store_contact *all;
	size_t n;

	for (int i = 0; i < 1000; i++)
		add(gather, at(60000 + (i * 7) % 1000, "192.0.2.9", 443, "a.example"));
	add(gather, at(120000, "192.0.2.9", 443, "a.example"));
	add(gather, at(60000, "192.0.2.9", 443, "b.example"));
	add(gather, at(60000, "192.0.2.10", 443, "a.example"));
	add(gather, at(60000, "192.0.2.9", 8443, "a.example"));
	all = contact_gather_all(gather, &n);
	cr_assert_eq(n, 5);
	for (size_t i = 0, sum = 0; i < n; i++) {
		sum += all[i].n;
		cr_expect(i == 0 || all[i].first_ms >= all[i - 1].first_ms);
		cr_expect_eq(all[i].first_ms / 60000, all[i].last_ms / 60000);
		if (i == n - 1)
			cr_expect_eq(sum, 1004);
		if (all[i].n > 1) {
			cr_expect_eq(all[i].n, 1000);
			cr_expect_eq(all[i].first_ms, 60000);
			cr_expect_eq(all[i].last_ms, 60999);
			cr_expect_eq(all[i].client_port, 1024 + 999);
		}
	}
	contact_gather_clear(gather);
	contact_gather_all(gather, &n);
	cr_expect_eq(n, 0);
	contact_gather_destroy(gather);
}

Test(contact_gather, a_client_that_tries_all_ports_takes_a_bounded_room)
{
	struct contact_gather *gather = contact_gather_create();
	const struct store_contact *all;
	uint64_t sum = 0, others = 0;
	size_t n;

	for (unsigned port = 1; port <= 65535; port++)
		add(gather, at(60000, "192.0.2.9", (uint16_t)port, ""));
	add(gather, at(60000, "192.0.2.10", 6667, ""));
	all = contact_gather_all(gather, &n);
	cr_assert_eq(n, CONTACT_KEPT_MAX + 2);
	for (size_t i = 0; i < n; i++) {
		sum += all[i].n;
		if (all[i].port == 0) {
			others += all[i].n;
			cr_expect_eq(all[i].protocol, 0);
		} else {
			cr_expect(all[i].port <= CONTACT_KEPT_MAX || all[i].port == 6667);
		}
	}
	cr_expect_eq(sum, 65536);
	cr_expect_eq(others, 65535 - CONTACT_KEPT_MAX);
	contact_gather_destroy(gather);
}
