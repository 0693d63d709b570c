/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <time.h>

#include "base/reason.h"
#include "dns/dns_msg.h"
#include "serve.h"

#define MS_OLDEST (7 * 86400000ll) // what waited for us may be old
#define MS_NEWEST 86400000ll

/* ---- what a record points at ----------------------------------------------------------------- */

static void *keep(struct serve_batch *batch, const void *data, size_t size)
{
	void *to = batch->arena + batch->used;

	memcpy(to, data, size);
	batch->used += size;
	return to;
}

// Cut at what the store keeps.
static const char *keep_text(struct serve_batch *batch, const void *text, size_t size)
{
	char *to;

	if (size > STORE_TEXT_MAX)
		size = STORE_TEXT_MAX;
	to = keep(batch, text, size);
	to[size] = '\0';
	batch->used++;
	return to;
}

/* ---- the client ------------------------------------------------------------------------------ */

static void bits_cut(struct prefix *prefix, uint8_t bits)
{
	uint8_t most = prefix->addr.family == ADDR_IPV4 ? 32 : 128;

	prefix->length = bits < most ? bits : most;
	for (unsigned i = 0; i < sizeof(prefix->addr.bytes); i++) {
		unsigned first = i * 8;

		if (first >= prefix->length)
			prefix->addr.bytes[i] = 0;
		else if (prefix->length - first < 8)
			prefix->addr.bytes[i] &= (uint8_t)(0xff00 >> (prefix->length - first));
	}
}

/** @return whether the client lets us log */
static bool client_take(struct serve *serve, const struct tap_octets *address, bool whole,
	uint8_t bits, struct prefix *client)
{
	struct addr addr = {.family = address->size == 4    ? ADDR_IPV4
				      : address->size == 16 ? ADDR_IPV6
							    : ADDR_NONE};
	uint8_t refused = 0;

	memset(client, 0, sizeof(*client));
	if (!address->data || addr.family == ADDR_NONE)
		return true;
	memcpy(addr.bytes, address->data, address->size);
	if (!whole) {
		client->addr = addr;
		bits_cut(client, bits);
		return true;
	}
	if (serve->consent)
		refused = addr.family == ADDR_IPV4
				  ? consent_lookup_ipv4(serve->consent, addr.bytes)
				  : consent_lookup_ipv6(serve->consent, addr.bytes);
	pthread_mutex_lock(&serve->anon_lock);
	anon_address(serve->anon, &addr, client);
	pthread_mutex_unlock(&serve->anon_lock);
	return !(refused & CONSENT_NO_LOG);
}

/* ---- the message ----------------------------------------------------------------------------- */

static void question_take(
	struct serve_batch *batch, const struct tap_octets *msg, struct store_record *record)
{
	uint32_t size = (uint32_t)msg->size;
	struct dns_name name;
	int taken;

	record->rcode = dns_msg_rcode(msg->data);
	record->name = (const uint8_t *)"";
	record->name_size = 1;
	if (dns_msg_qdcount(msg->data) == 0)
		return;
	taken = dns_msg_name_read(msg->data, size, DNS_HEADER_SIZE, &name);
	if (taken < 0 || size - DNS_HEADER_SIZE - (uint32_t)taken < 4)
		return;
	record->name = keep(batch, name.bytes, name.size);
	record->name_size = name.size;
	record->type = load_be16(msg->data + DNS_HEADER_SIZE + taken);
}

static bool step_question(const struct tap_octets *msg, uint32_t *off)
{
	uint32_t size = (uint32_t)msg->size;

	*off = DNS_HEADER_SIZE;
	for (unsigned i = dns_msg_qdcount(msg->data); i > 0; i--) {
		int name = dns_msg_name_skip(msg->data, size, *off);

		if (name < 0 || size - *off - (uint32_t)name < 4)
			return false;
		*off += (uint32_t)name + 4;
	}
	return true;
}

// Where the client would have gone.
static void addresses_take(
	struct serve_batch *batch, const struct tap_octets *msg, struct store_record *record)
{
	struct addr addresses[STORE_ADDRESSES_MAX];
	unsigned n = 0;
	uint32_t off;

	if (!step_question(msg, &off))
		return;
	for (unsigned i = dns_msg_ancount(msg->data); i > 0 && n < STORE_ADDRESSES_MAX; i--) {
		struct dns_rr rr;
		int taken = dns_msg_rr_read(msg->data, (uint32_t)msg->size, off, &rr);
		bool v4;

		if (taken < 0)
			break;
		off += (uint32_t)taken;
		v4 = rr.type == DNS_TYPE_A && rr.rdata_size == 4;
		if (rr.class != DNS_CLASS_IN ||
			(!v4 && (rr.type != DNS_TYPE_AAAA || rr.rdata_size != 16)))
			continue;
		addresses[n] = (struct addr){.family = v4 ? ADDR_IPV4 : ADDR_IPV6};
		memcpy(addresses[n++].bytes, msg->data + rr.rdata, rr.rdata_size);
	}
	record->addresses = keep(batch, addresses, n * sizeof(addresses[0]));
	record->n_addresses = (uint8_t)n;
}

/* ---- the rule -------------------------------------------------------------------------------- */

static bool verdict_filters(const char *verdict)
{
	for (enum reason reason = REASON_none + 1; reason < REASON_COUNT; reason++)
		if (reason_is_filtered(reason) && strcmp(reason_name(reason), verdict) == 0)
			return true;
	return false;
}

static bool name_good(const struct tap_octets *name)
{
	size_t at = 0;

	if (!name->data || name->size == 0 || name->size > DNS_NAME_SIZE_MAX)
		return false;
	while (at < name->size && name->data[at] > 0 && name->data[at] <= DNS_LABEL_SIZE_MAX)
		at += 1u + name->data[at];
	return at == name->size - 1 && name->data[at] == 0;
}

static void rule_take(struct serve_batch *batch, const struct tap_message *message,
	const struct tap_extra *extra, struct store_record *record)
{
	const struct tap_policy *policy = &message->policy;

	record->generation = extra->generation;
	record->list = keep_text(batch, extra->list, strlen(extra->list));
	record->action = keep_text(batch, extra->action, strlen(extra->action));
	record->verdict = keep_text(batch, extra->verdict, strlen(extra->verdict));
	if (!message->has_policy)
		return;
	if (policy->rule.data)
		record->id = keep_text(batch, policy->rule.data, policy->rule.size);
	record->match = policy->match == TAP_QNAME ? STORE_MATCH_QNAME : STORE_MATCH_ANSWER;
	if (!name_good(&policy->value))
		return;
	record->match_name = keep(batch, policy->value.data, policy->value.size);
	record->match_name_size = (uint8_t)policy->value.size;
}

static bool time_take(const struct tap_message *message, struct store_record *record)
{
	const struct tap_moment *at =
		message->response_time.sec ? &message->response_time : &message->query_time;
	struct timespec now;
	int64_t now_ms;

	clock_gettime(CLOCK_REALTIME, &now);
	now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	record->time_ms = now_ms;
	if (at->sec == 0)
		return true;
	if (at->sec > INT64_MAX / 2000)
		return false;
	record->time_ms = (int64_t)at->sec * 1000 + at->nsec / 1000000;
	return record->time_ms > now_ms - MS_OLDEST && record->time_ms < now_ms + MS_NEWEST;
}

unsigned serve_record(struct serve *serve, struct serve_batch *batch,
	const struct tap_message *message, const struct tap_extra *extra,
	struct store_record *record)
{
	const struct tap_octets *msg = &message->response_message;

	memset(record, 0, sizeof(*record));
	// An authority's clients are resolvers; they are clients all the same.
	if (message->type != TAP_CLIENT_RESPONSE && message->type != TAP_AUTH_RESPONSE)
		return SERVE_REFUSED + SERVE_OTHER_TYPE;
	if (!msg->data || msg->size < DNS_HEADER_SIZE || msg->size > DNS_MSG_SIZE_MAX)
		return SERVE_REFUSED + SERVE_NO_DNSTAP;
	if (!time_take(message, record))
		return SERVE_REFUSED + SERVE_BAD_TIME;
	if (!client_take(serve, &message->query_address, !extra, extra ? extra->bits : 0,
		    &record->client))
		return SERVE_OPTED_OUT;
	record->tcp = message->protocol != 0 && message->protocol != TAP_UDP &&
		      message->protocol != TAP_DNSCRYPT_UDP && message->protocol != TAP_DOQ;
	batch->used = (batch->used + 15) & ~(size_t)15;
	if (extra && extra->verdict[0] && verdict_filters(extra->verdict)) {
		record->filtered = true;
		record->client_port = (uint16_t)message->query_port;
		addresses_take(batch, msg, record);
	}
	question_take(batch, msg, record);
	if (extra && extra->verdict[0])
		rule_take(batch, message, extra, record);
	return SERVE_TAKEN;
}
