/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/conf_private.h"

#include "text/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define ITEM_SIZE 64 /* room for one item of a list; the longest is a prefix, PREFIX_TEXT_SIZE */

int conf_fail_value(const struct conf_reader *reader, const struct conf_key *key,
	const char *expected, const char *value)
{
	char clip[CONF_CLIP_SIZE];

	return conf_fail(
		reader, "%s: expected %s, got %s", key->key, expected, conf_clip(value, clip));
}

/** Read decimal digits up to @p max. @return false when there is anything else */
static bool number_parse(const char *text, uint64_t max, uint64_t *value)
{
	*value = 0;
	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		*value = *value * 10 + (uint64_t)(*text - '0');
		if (*value > max)
			return false;
	}
	return true;
}

static int set_number(
	struct conf_reader *reader, const struct conf_key *key, const char *value, void *to)
{
	bool power = key->type == CONF_POWER_OF_TWO;
	char expected[96];
	unsigned result;
	uint64_t n;

	if (key->type == CONF_BITS && !*value) {
		result = ANON_BITS_AUTO;
		memcpy(to, &result, sizeof(result));
		return 0;
	}
	if (!number_parse(value, key->max, &n) || n < key->min || (power && (n & (n - 1)) != 0)) {
		snprintf(expected, sizeof(expected), "a %s %u..%u%s%s%s",
			power ? "power of two" : "number", key->min, key->max,
			*key->unit ? " (" : "", key->unit, *key->unit ? ")" : "");
		return conf_fail_value(reader, key, expected, value);
	}
	result = (unsigned)n;
	memcpy(to, &result, sizeof(result));
	return 0;
}

/** Take the next item of a list separated by blanks and commas. @return false at the end */
static bool next_item(const char **list, char *item, size_t item_size)
{
	size_t size;

	*list += strspn(*list, " \t,");
	size = strcspn(*list, " \t,");
	snprintf(item, item_size, "%.*s", (int)size, *list);
	*list += size;
	return size > 0;
}

static int set_word(
	struct conf_reader *reader, const struct conf_key *key, const char *value, void *to)
{
	char expected[96] = "one of ", *end = expected + strlen(expected);
	const char *word = key->words;

	for (unsigned i = 0; *word; i++) {
		size_t size = strcspn(word, "|");

		if (strlen(value) == size && memcmp(word, value, size) == 0) {
			if (key->type == CONF_FLAG)
				*(bool *)to = i == 1;
			else
				memcpy(to, &i, sizeof(i));
			return 0;
		}
		end += snprintf(end, (size_t)(expected + sizeof(expected) - end), "%s%.*s",
			i ? ", " : "", (int)size, word);
		word += size;
		word += *word == '|';
	}
	return conf_fail_value(reader, key, expected, value);
}

static int set_action(
	struct conf_reader *reader, const struct conf_key *key, const char *value, void *to)
{
	char expected[96], actions[80];

	for (enum policy_action action = 0; action < POLICY_ACTIONS; action++)
		if (strcmp(value, policy_action_name(action)) == 0) {
			memcpy(to, &action, sizeof(action));
			return 0;
		}
	snprintf(expected, sizeof(expected), "one of %s",
		conf_actions((1u << POLICY_ACTIONS) - 1, actions, sizeof(actions)));
	return conf_fail_value(reader, key, expected, value);
}

static int set_text(
	struct conf_reader *reader, const struct conf_key *key, const char *value, char *to)
{
	size_t size = strlen(value);
	char expected[96];

	if (size > key->max || !text_utf8_clean(value, size)) {
		snprintf(expected, sizeof(expected),
			"UTF-8 text of at most %u octets without control characters", key->max);
		return conf_fail_value(reader, key, expected, value);
	}
	memcpy(to, value, size + 1);
	return 0;
}

/** Read "CLIENT:RESOLVER". */
static bool pair_parse(const char *item, uint32_t max, struct conf_pair *pair)
{
	const char *colon = strchr(item, ':');
	char client[ITEM_SIZE];
	uint64_t a, b;

	if (!colon)
		return false;
	snprintf(client, sizeof(client), "%.*s", (int)(colon - item), item);
	if (!number_parse(client, max, &a) || !number_parse(colon + 1, max, &b))
		return false;
	*pair = (struct conf_pair){.client = (uint16_t)a, .resolver = (uint16_t)b};
	return true;
}

static int set_pairs(struct conf_reader *reader, const struct conf_key *key, const char *value,
	struct conf *conf)
{
	char item[ITEM_SIZE];
	struct conf_pair p;

	for (conf->n_pairs = 0; next_item(&value, item, sizeof(item));
		conf->pairs[conf->n_pairs++] = p) {
		if (!pair_parse(item, key->max, &p))
			return conf_fail_value(reader, key, "pairs of ports as in 0:1 2:3", item);
		if (conf->n_pairs == CONF_PAIRS_MAX)
			return conf_fail_value(reader, key, "at most 16 pairs", item);
		if (p.client == p.resolver)
			return conf_fail_value(reader, key, "each port once", item);
		for (unsigned i = 0; i < conf->n_pairs; i++) {
			const struct conf_pair *q = &conf->pairs[i];

			if (q->client == p.client || q->client == p.resolver ||
				q->resolver == p.client || q->resolver == p.resolver)
				return conf_fail_value(reader, key, "each port once", item);
		}
	}
	static_assert(CONF_PAIRS_MAX == 16, "named in the error above");
	return 0;
}

static int set_udp_ports(struct conf_reader *reader, const struct conf_key *key, const char *value,
	struct policy *policy)
{
	char item[ITEM_SIZE];
	uint64_t port;

	for (policy->n_ports = 0; next_item(&value, item, sizeof(item));
		policy->ports[policy->n_ports++] = (uint16_t)port) {
		if (!number_parse(item, key->max, &port) || port < key->min)
			return conf_fail_value(reader, key, "UDP ports 1..65535", item);
		if (policy->n_ports == POLICY_PORTS_MAX)
			return conf_fail_value(reader, key, "at most 16 ports", item);
		for (unsigned i = 0; i < policy->n_ports; i++)
			if (policy->ports[i] == port)
				return conf_fail_value(reader, key, "each port once", item);
	}
	static_assert(POLICY_PORTS_MAX == 16, "named in the error above");
	return policy->n_ports > 0 ? 0 : conf_fail_value(reader, key, "UDP ports 1..65535", "");
}

static int set_prefixes(struct conf_reader *reader, const struct conf_key *key, const char *value,
	struct policy *policy)
{
	char item[ITEM_SIZE];
	struct prefix prefix;

	for (policy->n_servers = 0; next_item(&value, item, sizeof(item));
		policy->servers[policy->n_servers++] = prefix) {
		if (prefix_parse(item, &prefix) < 0)
			return conf_fail_value(reader, key, "addresses or prefixes", item);
		if (policy->n_servers == POLICY_SERVERS_MAX)
			return conf_fail_value(reader, key, "at most 64 servers", item);
	}
	static_assert(POLICY_SERVERS_MAX == 64, "named in the error above");
	return 0;
}

static int set_addresses(struct conf_reader *reader, const struct conf_key *key, const char *value,
	struct policy_sinkhole *sinkhole)
{
	bool v4 = key->type == CONF_IPV4;
	uint8_t *n = v4 ? &sinkhole->n_ipv4 : &sinkhole->n_ipv6;
	char item[ITEM_SIZE];
	struct addr addr;

	for (*n = 0; next_item(&value, item, sizeof(item)); ++*n) {
		if (addr_parse(item, &addr) < 0 || addr.family != (v4 ? ADDR_IPV4 : ADDR_IPV6))
			return conf_fail_value(
				reader, key, v4 ? "IPv4 addresses" : "IPv6 addresses", item);
		if (*n == POLICY_SINKHOLES_MAX)
			return conf_fail_value(reader, key, "at most 16 addresses", item);
		memcpy(v4 ? sinkhole->ipv4[*n] : sinkhole->ipv6[*n], addr.bytes,
			addr_size(addr.family));
	}
	static_assert(POLICY_SINKHOLES_MAX == 16, "named in the error above");
	return 0;
}

static int set_endpoints(struct conf_reader *reader, const struct conf_key *key, const char *value,
	struct endpoints *endpoints)
{
	bool paths = key->type == CONF_PATHS;
	struct endpoint at;
	char item[ENDPOINT_TEXT_SIZE + 1];

	for (endpoints->n = 0; next_item(&value, item, sizeof(item));
		endpoints->at[endpoints->n++] = at) {
		if (endpoint_parse(item, &at) < 0 || (at.path[0] != '\0') != paths)
			return conf_fail_value(reader, key,
				paths ? "absolute paths of at most 107 bytes"
				      : "an address, not a name, and a port as in 192.0.2.7:6000 "
					"or [2001:db8::7]:6000",
				item);
		if (endpoints->n == ENDPOINTS_MAX)
			return conf_fail_value(reader, key, "at most 8 of them", item);
	}
	static_assert(ENDPOINTS_MAX == 8, "named in the error above");
	return 0;
}

int conf_value_set(
	struct conf_reader *reader, const struct conf_key *key, const char *value, void *home)
{
	void *to = (char *)home + key->offset;

	switch (key->type) {
	case CONF_NUMBER:
	case CONF_POWER_OF_TWO:
	case CONF_BITS:
		return set_number(reader, key, value, to);
	case CONF_WORD:
	case CONF_FLAG:
		return set_word(reader, key, value, to);
	case CONF_ACTION:
		return set_action(reader, key, value, to);
	case CONF_PAIRS:
		return set_pairs(reader, key, value, home);
	case CONF_UDP_PORTS:
		return set_udp_ports(reader, key, value, to);
	case CONF_PREFIXES:
		return set_prefixes(reader, key, value, to);
	case CONF_IPV4:
	case CONF_IPV6:
		return set_addresses(reader, key, value, home);
	case CONF_TEXT:
		return set_text(reader, key, value, to);
	case CONF_FILE:
	case CONF_OUTPUT:
	case CONF_FOLDER:
	case CONF_ZONE:
	case CONF_SOCKET:
	case CONF_GROUP:
		return conf_value_set_system(reader, key, value, home);
	case CONF_PATHS:
	case CONF_ADDRESSES:
		return set_endpoints(reader, key, value, to);
	}
	return conf_fail(reader, "%s: no such type", key->key);
}
