/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap/tap.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/** Wire types of Protocol Buffers. */
enum wire {
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_OCTETS = 2,
	WIRE_FIXED32 = 5,
};

enum kind {
	OCTETS,  // struct tap_octets
	NUMBER,  // uint32_t, as a varint
	SECONDS, // struct tap_moment, its sec as a varint
	NANOS,   // struct tap_moment, its nsec as a fixed32; there when sec is
};

/** A field of one of the schema's messages, and where it stands in struct tap_message. */
struct field {
	uint8_t number;
	uint8_t kind;
	uint16_t offset;
};

#define AT(member) offsetof(struct tap_message, member)

// In the order of their numbers, which is the one that they are written in.
static const struct field dnstap_fields[] = {
	{1, OCTETS, AT(identity)},
	{2, OCTETS, AT(version)},
	{3, OCTETS, AT(extra)},
	{0},
};

static const struct field message_fields[] = {
	{1, NUMBER, AT(type)},
	{2, NUMBER, AT(family)},
	{3, NUMBER, AT(protocol)},
	{4, OCTETS, AT(query_address)},
	{5, OCTETS, AT(response_address)},
	{6, NUMBER, AT(query_port)},
	{7, NUMBER, AT(response_port)},
	{8, SECONDS, AT(query_time)},
	{9, NANOS, AT(query_time)},
	{10, OCTETS, AT(query_message)},
	{11, OCTETS, AT(query_zone)},
	{12, SECONDS, AT(response_time)},
	{13, NANOS, AT(response_time)},
	{14, OCTETS, AT(response_message)},
	{16, NUMBER, AT(http_protocol)},
	{0},
};

static const struct field policy_fields[] = {
	{1, OCTETS, AT(policy.type)},
	{2, OCTETS, AT(policy.rule)},
	{3, NUMBER, AT(policy.action)},
	{4, NUMBER, AT(policy.match)},
	{5, OCTETS, AT(policy.value)},
	{0},
};

#define DNSTAP_MESSAGE 14 // field of Dnstap: the message
#define DNSTAP_TYPE    15 // field of Dnstap: which of its messages is there
#define TYPE_MESSAGE   1  // the only one there is
#define MESSAGE_POLICY 15 // field of Message
#define NOTHING        UINT_MAX

/* ---- writing -------------------------------------------------------------------------------- */

static inline size_t varint_size(uint64_t value)
{
	return (size_t)(63 - __builtin_clzll(value | 1)) / 7 + 1;
}

static inline uint8_t *varint_write(uint8_t *to, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*to++ = (uint8_t)(value | 0x80);
	*to++ = (uint8_t)value;
	return to;
}

static inline uint8_t *key_write(uint8_t *to, unsigned number, enum wire wire)
{
	return varint_write(to, number << 3 | wire);
}

static inline const void *value_at(const struct tap_message *message, const struct field *field)
{
	return (const char *)message + field->offset;
}

static size_t fields_size(const struct tap_message *message, const struct field *field)
{
	size_t size = 0;

	for (; field->number; field++) {
		const void *at = value_at(message, field);
		const struct tap_octets *octets = at;
		const struct tap_moment *moment = at;
		size_t key = field->number < 16 ? 1 : 2;

		switch ((enum kind)field->kind) {
		case OCTETS:
			if (octets->data)
				size += key + varint_size(octets->size) + octets->size;
			break;
		case NUMBER:
			if (*(const uint32_t *)at)
				size += key + varint_size(*(const uint32_t *)at);
			break;
		case SECONDS:
			if (moment->sec)
				size += key + varint_size(moment->sec);
			break;
		case NANOS:
			if (moment->sec)
				size += key + 4;
			break;
		}
	}
	return size;
}

static inline uint8_t *octets_write(uint8_t *to, unsigned number, const struct tap_octets *octets)
{
	to = varint_write(key_write(to, number, WIRE_OCTETS), octets->size);
	memcpy(to, octets->data, octets->size);
	return to + octets->size;
}

static inline uint8_t *fixed32_write(uint8_t *to, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
	return to + 4;
}

static uint8_t *fields_write(
	const struct tap_message *message, const struct field *field, uint8_t *to)
{
	for (; field->number; field++) {
		const void *at = value_at(message, field);
		const struct tap_octets *octets = at;
		const struct tap_moment *moment = at;

		switch ((enum kind)field->kind) {
		case OCTETS:
			if (octets->data)
				to = octets_write(to, field->number, octets);
			break;
		case NUMBER:
			if (*(const uint32_t *)at)
				to = varint_write(key_write(to, field->number, WIRE_VARINT),
					*(const uint32_t *)at);
			break;
		case SECONDS:
			if (moment->sec)
				to = varint_write(
					key_write(to, field->number, WIRE_VARINT), moment->sec);
			break;
		case NANOS:
			if (moment->sec)
				to = fixed32_write(
					key_write(to, field->number, WIRE_FIXED32), moment->nsec);
			break;
		}
	}
	return to;
}

/** Octets of the two nested messages. */
struct nested {
	size_t message, policy;
};

static struct nested nested_size(const struct tap_message *message)
{
	struct nested size = {.message = fields_size(message, message_fields)};

	if (message->has_policy) {
		size.policy = fields_size(message, policy_fields);
		size.message += 1 + varint_size(size.policy) + size.policy;
	}
	return size;
}

size_t tap_size(const struct tap_message *message)
{
	size_t nested = nested_size(message).message;

	return fields_size(message, dnstap_fields) + 1 + varint_size(nested) + nested + 2;
}

size_t tap_encode(const struct tap_message *message, uint8_t *to)
{
	struct nested size = nested_size(message);
	uint8_t *at = fields_write(message, dnstap_fields, to);

	at = varint_write(key_write(at, DNSTAP_MESSAGE, WIRE_OCTETS), size.message);
	at = fields_write(message, message_fields, at);
	if (message->has_policy) {
		at = varint_write(key_write(at, MESSAGE_POLICY, WIRE_OCTETS), size.policy);
		at = fields_write(message, policy_fields, at);
	}
	at = varint_write(key_write(at, DNSTAP_TYPE, WIRE_VARINT), TYPE_MESSAGE);
	return (size_t)(at - to);
}

/* ---- reading -------------------------------------------------------------------------------- */

struct cursor {
	const uint8_t *at, *end;
};

/** What stands behind a key. */
struct value {
	uint64_t number; // varint, fixed32
	struct tap_octets octets;
	enum wire wire;
};

static bool varint_read(struct cursor *cursor, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 70 && cursor->at < cursor->end; shift += 7) {
		uint8_t octet = *cursor->at++;

		*value |= (uint64_t)(octet & 0x7f) << shift;
		if (octet < 0x80)
			return true;
	}
	return false;
}

static bool value_read(struct cursor *cursor, uint64_t key, struct value *value)
{
	size_t left, size;

	value->wire = key & 7;
	if (value->wire == WIRE_VARINT)
		return varint_read(cursor, &value->number);
	if (value->wire == WIRE_OCTETS) {
		if (!varint_read(cursor, &value->number))
			return false;
	} else if (value->wire == WIRE_FIXED32 || value->wire == WIRE_FIXED64) {
		value->number = value->wire == WIRE_FIXED32 ? 4 : 8;
	} else {
		return false;
	}
	left = (size_t)(cursor->end - cursor->at);
	if (value->number > left)
		return false;
	size = (size_t)value->number;
	value->octets = (struct tap_octets){cursor->at, size};
	cursor->at += size;
	if (value->wire == WIRE_FIXED32) {
		value->number = 0;
		for (unsigned i = 0; i < 4; i++)
			value->number |= (uint64_t)value->octets.data[i] << 8 * i;
	}
	return true;
}

// A value of another wire type than the schema's is none of ours, as with a field that is not known.
static void field_set(
	struct tap_message *message, const struct field *field, const struct value *value)
{
	void *at = (char *)message + field->offset;
	struct tap_moment *moment = at;
	uint32_t number = (uint32_t)value->number;

	switch ((enum kind)field->kind) {
	case OCTETS:
		if (value->wire == WIRE_OCTETS)
			*(struct tap_octets *)at = value->octets;
		break;
	case NUMBER:
		if (value->wire == WIRE_VARINT)
			*(uint32_t *)at = number;
		break;
	case SECONDS:
		if (value->wire == WIRE_VARINT)
			moment->sec = value->number;
		break;
	case NANOS:
		if (value->wire == WIRE_FIXED32)
			moment->nsec = number;
		break;
	}
}

static const struct field *field_find(const struct field *field, uint64_t number)
{
	while (field->number && field->number != number)
		field++;
	return field->number ? field : NULL;
}

/** Take the fields that @p fields has; what stands in field @p inner, if anything, into @p nested. */
static bool fields_read(struct cursor cursor, const struct field *fields, unsigned inner,
	struct tap_message *message, struct tap_octets *nested, uint64_t *type)
{
	while (cursor.at < cursor.end) {
		const struct field *field;
		struct value value;
		uint64_t key;

		if (!varint_read(&cursor, &key) || !value_read(&cursor, key, &value))
			return false;
		field = field_find(fields, key >> 3);
		if (field)
			field_set(message, field, &value);
		else if (key >> 3 == inner && value.wire == WIRE_OCTETS)
			*nested = value.octets;
		else if (type && key >> 3 == DNSTAP_TYPE && value.wire == WIRE_VARINT)
			*type = value.number;
	}
	return true;
}

static struct cursor cursor_of(const struct tap_octets *octets)
{
	return (struct cursor){octets->data, octets->data + octets->size};
}

int tap_decode(const uint8_t *frame, size_t size, struct tap_message *message)
{
	const struct tap_octets all = {frame, size};
	struct tap_octets inner = {0}, policy = {0};
	uint64_t type = 0;

	memset(message, 0, sizeof(*message));
	if (!fields_read(cursor_of(&all), dnstap_fields, DNSTAP_MESSAGE, message, &inner, &type) ||
		type != TYPE_MESSAGE || !inner.data)
		return -EINVAL;
	if (!fields_read(
		    cursor_of(&inner), message_fields, MESSAGE_POLICY, message, &policy, NULL) ||
		message->type == 0)
		return -EINVAL;
	if (!policy.data)
		return 0;
	message->has_policy = true;
	return fields_read(cursor_of(&policy), policy_fields, NOTHING, message, &inner, NULL)
		       ? 0
		       : -EINVAL;
}
