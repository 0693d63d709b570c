/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The collector's way in: a frame becomes a record, the record octets of the log, and these are read
 * back. What was taken is there again, and nothing else: neither the rest of a client's address nor
 * the answer to a client whose response was left as it was.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "anon/anon.h"
#include "base/reason.h"
#include "dns/dns_msg.h"
#include "dns/dns_name.h"
#include "fuzz/fuzz.h"
#include "serve.h"
#include "store/store_private.h"

#define HOUR STORE_HOUR_BIAS

/** What the log would have of a record. */
struct stored {
	uint8_t key[STORE_KEY_MAX], value[STORE_VALUE_MAX];
	size_t key_size, size;
	uint32_t ms;
};

// Clients in 203.0.113.0/24 refused a log, as far as this collector knows.
static struct serve *serve_get(void)
{
	static const struct consent_rule rule = {
		{{.family = ADDR_IPV4, .bytes = {203, 0, 113}}, 24}, CONSENT_NO_LOG};
	static const struct anon_config config = {ANON_TRUNCATE, ANON_BITS_AUTO, ANON_BITS_AUTO};
	static struct serve serve = {.anon_lock = PTHREAD_MUTEX_INITIALIZER};
	char why[256];

	if (!serve.anon) {
		serve.consent = consent_table_build(&rule, 1, &serve.consent_size);
		serve.anon = anon_create(&config, "", why, sizeof(why));
		FUZZ_CHECK(serve.consent && serve.anon);
	}
	return &serve;
}

static bool text_same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static void record_check(
	const struct store_record *r, const struct store_record *again, const struct stored *stored)
{
	uint8_t name[DNS_NAME_SIZE_MAX];
	size_t size = store_key_name(stored->key, stored->key_size, name);

	FUZZ_CHECK(size == r->name_size);
	for (size_t i = 0; i < size; i++)
		FUZZ_CHECK(name[i] == dns_fold(r->name[i]));
	FUZZ_CHECK(again->time_ms == stored->ms && again->tcp == r->tcp);
	FUZZ_CHECK(again->type == r->type && again->rcode == r->rcode);
	FUZZ_CHECK(again->filtered == r->filtered);
	FUZZ_CHECK(again->client.length == r->client.length);
	FUZZ_CHECK(memcmp(&again->client.addr, &r->client.addr, sizeof(r->client.addr)) == 0);
	FUZZ_CHECK(text_same(again->list, r->list) && text_same(again->id, r->id));
	FUZZ_CHECK(text_same(again->action, r->action) && text_same(again->verdict, r->verdict));
	FUZZ_CHECK(again->generation == r->generation && again->match == r->match);
	FUZZ_CHECK(again->client_port == r->client_port && again->n_addresses == r->n_addresses);
	if (r->n_addresses > 0)
		FUZZ_CHECK(memcmp(again->addresses, r->addresses,
				   r->n_addresses * sizeof(r->addresses[0])) == 0);
	FUZZ_CHECK(again->match_name_size == r->match_name_size);
	for (size_t i = 0; i < r->match_name_size; i++)
		FUZZ_CHECK(again->match_name[i] == dns_fold(r->match_name[i]));
}

/** @return whether there is a record, which is in @p stored then */
static bool store(
	const struct tap_message *message, const struct tap_extra *extra, struct stored *stored)
{
	static struct serve_batch batch;
	struct store_record record, again;
	struct store_room room;

	batch.used = SERVE_ARENA - SERVE_ROOM;
	if (serve_record(serve_get(), &batch, message, extra, &record) != SERVE_TAKEN)
		return false;
	FUZZ_CHECK(batch.used <= SERVE_ARENA);
	stored->ms = (uint32_t)(record.time_ms % STORE_HOUR_MS);
	stored->key_size = store_key_make(HOUR, record.name, record.name_size, stored->key);
	FUZZ_CHECK(stored->key_size > 0);
	stored->size = store_record_encode(&record, stored->ms, stored->value);
	FUZZ_CHECK(stored->size <= sizeof(stored->value));
	FUZZ_CHECK(store_record_decode(record.filtered ? STORE_CHANGED : STORE_LOG, stored->value,
			   stored->size, &again, &room) == stored->size);
	record_check(&record, &again, stored);
	if (!record.filtered)
		FUZZ_CHECK(record.client_port == 0 && record.n_addresses == 0);
	if (!extra)
		FUZZ_CHECK(
			!record.filtered &&
			record.client.length <= (record.client.addr.family == ADDR_IPV4 ? 22 : 40));
	return true;
}

static size_t question_end(const struct tap_octets *msg)
{
	int name = dns_msg_qdcount(msg->data) > 0
			   ? dns_msg_name_skip(msg->data, (uint32_t)msg->size, DNS_HEADER_SIZE)
			   : 0;
	size_t end = DNS_HEADER_SIZE + (name > 0 ? (size_t)name + 4 : 0);

	return name < 0 || end > msg->size ? msg->size : end;
}

// Of a response that was left as it was: another client with the same bits, its port, what the answer
// says. None of it makes a difference to the log.
static void secrets_check(const struct tap_message *message, const struct tap_extra *extra,
	const struct stored *stored, unsigned bits)
{
	uint8_t address[16],
		*msg = fuzz_copy(message->response_message.data, message->response_message.size);
	struct tap_message other = *message;
	size_t end = question_end(&message->response_message);
	struct stored again;

	if (message->query_address.data && message->query_address.size <= sizeof(address)) {
		memcpy(address, message->query_address.data, message->query_address.size);
		for (size_t i = bits; i < message->query_address.size * 8; i++)
			address[i / 8] ^= (uint8_t)(0x80 >> i % 8);
		other.query_address.data = address;
	}
	other.query_port ^= 0x5555;
	memset(msg + end, 0xff, message->response_message.size - end);
	other.response_message.data = msg;
	FUZZ_CHECK(store(&other, extra, &again));
	FUZZ_CHECK(again.key_size == stored->key_size && again.size == stored->size);
	FUZZ_CHECK(memcmp(again.key, stored->key, stored->key_size) == 0);
	FUZZ_CHECK(memcmp(again.value, stored->value, stored->size) == 0);
	free(msg);
}

static bool refused_log(const struct tap_octets *address)
{
	static const uint8_t refused[] = {203, 0, 113};

	return address->data && address->size == 4 && memcmp(address->data, refused, 3) == 0;
}

static bool left_as_it_was(const struct tap_extra *extra)
{
	for (enum reason reason = REASON_none + 1; extra && reason < REASON_COUNT; reason++)
		if (reason_is_filtered(reason) && strcmp(reason_name(reason), extra->verdict) == 0)
			return false;
	return true;
}

static void message_check(struct tap_message *message, const struct tap_extra *extra)
{
	const struct tap_octets *address = &message->query_address;
	unsigned bits = extra ? extra->bits : address->size == 4 ? 22 : 40;
	struct stored stored;

	// A moment that is given, or two ways of telling one would not come out alike.
	if (message->response_time.sec == 0 && message->query_time.sec == 0)
		message->response_time.sec = (uint64_t)time(NULL);
	if (!store(message, extra, &stored)) {
		message->response_time.sec = (uint64_t)time(NULL);
		if (!store(message, extra, &stored))
			return;
	}
	FUZZ_CHECK(extra || !refused_log(address));
	// One of these has a neighbour that refused.
	if (!extra && address->data && address->size == 4 && address->data[0] == 203)
		return;
	if (left_as_it_was(extra))
		secrets_check(message, extra, &stored, bits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *frame = fuzz_copy(data, size);
	struct tap_message message;
	struct tap_extra extra;
	int said = -ENOENT;

	if (tap_decode(frame, size, &message) == 0) {
		if (message.extra.data)
			said = tap_extra_read(message.extra.data, message.extra.size, &extra);
		if (said != -EINVAL)
			message_check(&message, said == 0 ? &extra : NULL);
	}
	free(frame);
	return 0;
}
