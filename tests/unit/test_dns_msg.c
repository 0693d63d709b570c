/* SPDX-License-Identifier: BSD-3-Clause */
#include "dns/dns_msg.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "dns/dns_name.h"
#include "support/random.h"

#define LABEL_63 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

// A header of zeros and then @p bytes, in a heap block of exactly that size.
static uint8_t *message(const void *bytes, size_t size)
{
	uint8_t *msg = calloc(1, DNS_HEADER_SIZE + size);

	cr_assert_not_null(msg);
	memcpy(msg + DNS_HEADER_SIZE, bytes, size);
	return msg;
}

// Read and step over the name at @p off behind the header: both must find it to be as long.
static int name_at(const void *bytes, size_t size, uint32_t off, struct dns_name *name)
{
	uint8_t *msg = message(bytes, size);
	uint32_t total = DNS_HEADER_SIZE + (uint32_t)size;
	int read = dns_msg_name_read(msg, total, DNS_HEADER_SIZE + off, name);
	int skipped = dns_msg_name_skip(msg, total, DNS_HEADER_SIZE + off);

	if (read > 0)
		cr_expect(read == skipped, "read %d, skipped %d", read, skipped);
	free(msg);
	return read;
}

static int skip_at(const void *bytes, size_t size, uint32_t off)
{
	uint8_t *msg = message(bytes, size);
	int skipped =
		dns_msg_name_skip(msg, DNS_HEADER_SIZE + (uint32_t)size, DNS_HEADER_SIZE + off);

	free(msg);
	return skipped;
}

struct name_row {
	const char *about, *bytes;
	size_t size;
	uint32_t off;
	int result;       // of reading
	const char *text; // of the name, NULL on error
	int skipped;      // of stepping over
};

#define BYTES(text) text, sizeof(text) - 1

// Offsets in pointers count from the message's start: 12 is the first octet here.
static const struct name_row name_rows[] = {
	{"root", BYTES("\0"), 0, 1, ".", 1},
	{"plain", BYTES("\1a\2bc\0"), 0, 6, "a.bc", 6},
	{"folded", BYTES("\3A-Z\2[`\0"), 0, 8, "a-z.\\[\\`", 8},
	{"pointer", BYTES("\1a\0\xc0\x0c"), 3, 2, "a", 2},
	{"labels and a pointer", BYTES("\1a\0\2bc\xc0\x0c"), 3, 5, "bc.a", 5},
	{"pointer into the middle", BYTES("\1a\2bc\0\1x\xc0\x0e"), 6, 4, "x.bc", 4},
	{"pointer to a pointer", BYTES("\1a\0\xc0\x0c\xc0\x0f"), 5, 2, "a", 2},
	{"pointer to the root", BYTES("\0\1x\xc0\x0c"), 1, 4, "x", 4},
	{"octets behind it", BYTES("\1a\0\377"), 0, 3, "a", 3},
	{"pointer to itself", BYTES("\xc0\x0c"), 0, DNS_E_POINTER, NULL, 2},
	{"label and pointer to that label", BYTES("\1a\xc0\x0c"), 0, DNS_E_POINTER, NULL, 4},
	{"pointer into the label run", BYTES("\1a\1b\xc0\x0e"), 0, DNS_E_POINTER, NULL, 6},
	{"pointer forward", BYTES("\xc0\x0e\1a\0"), 0, DNS_E_POINTER, NULL, 2},
	{"pointer past the end", BYTES("\xff\xff"), 0, DNS_E_POINTER, NULL, 2},
	{"pointer to the last header octet", BYTES("\xc0\x0b"), 0, DNS_E_POINTER, NULL, 2},
	{"pointer to the first octet", BYTES("\xc0\x00"), 0, DNS_E_POINTER, NULL, 2},
	{"two pointers in a circle", BYTES("\xc0\x0e\xc0\x0c"), 2, DNS_E_POINTER, NULL, 2},
	{"label type 01", BYTES("\x40\0"), 0, DNS_E_LABEL, NULL, DNS_E_LABEL},
	{"label type 10", BYTES("\xbf\0"), 0, DNS_E_LABEL, NULL, DNS_E_LABEL},
	{"reserved type behind a pointer", BYTES("\x80\1a\xc0\x0c"), 1, DNS_E_LABEL, NULL, 4},
	{"label of 63", BYTES("\x3f" LABEL_63 "\0"), 0, 65, LABEL_63, 65},
	{"nothing", BYTES(""), 0, DNS_E_SHORT, NULL, DNS_E_SHORT},
	{"no root", BYTES("\1a"), 0, DNS_E_SHORT, NULL, DNS_E_SHORT},
	{"label cut", BYTES("\2a"), 0, DNS_E_SHORT, NULL, DNS_E_SHORT},
	{"label ends with the message", BYTES("\3abc"), 0, DNS_E_SHORT, NULL, DNS_E_SHORT},
	{"pointer cut", BYTES("\1a\0\xc0"), 3, DNS_E_SHORT, NULL, DNS_E_SHORT},
	{"labels and a pointer cut", BYTES("\1a\0\1b\xc0"), 3, DNS_E_SHORT, NULL, DNS_E_SHORT},
	{"pointer to a name that is cut", BYTES("\5a\xc0\x0c"), 2, DNS_E_SHORT, NULL, 2},
};

Test(dns_msg_name, every_form_is_read_or_refused)
{
	for (size_t i = 0; i < sizeof(name_rows) / sizeof(name_rows[0]); i++) {
		const struct name_row *row = &name_rows[i];
		char text[DNS_NAME_TEXT_SIZE];
		struct dns_name name;
		int result = name_at(row->bytes, row->size, row->off, &name);

		cr_expect(result == row->result, "%s: %d", row->about, result);
		cr_expect(
			skip_at(row->bytes, row->size, row->off) == row->skipped, "%s", row->about);
		if (result < 0 || !row->text)
			continue;
		dns_name_format(name.bytes, text);
		cr_expect_str_eq(text, row->text, "%s", row->about);
	}
}

// n pointers, each to the one before it, the first to a name. @return what reading the last gives
static int chain_read(unsigned n)
{
	uint8_t bytes[3 + 2 * 200] = {1, 'a', 0};
	uint32_t size = 3, target = DNS_HEADER_SIZE;
	struct dns_name name;

	for (; n > 0; n--) {
		store_be16(bytes + size, (uint16_t)(0xc000 | target));
		target = DNS_HEADER_SIZE + size;
		size += 2;
	}
	return name_at(bytes, size, size - 2, &name);
}

Test(dns_msg_name, as_many_pointers_are_followed_as_a_name_can_have_labels)
{
	cr_assert(chain_read(1) == 2);
	cr_assert(chain_read(DNS_HOPS_MAX) == 2);
	cr_assert(chain_read(DNS_HOPS_MAX + 1) == DNS_E_POINTER);
}

// Labels of 63, 63, 63 and @p last, with the root: 194 + last octets.
static uint32_t long_name(uint8_t *bytes, unsigned last)
{
	uint32_t at = 0;

	for (unsigned i = 0; i < 4; i++) {
		unsigned length = i < 3 ? 63 : last;

		bytes[at] = (uint8_t)length;
		memset(bytes + at + 1, 'a' + (int)i, length);
		at += length + 1;
	}
	bytes[at] = 0;
	return at + 1;
}

Test(dns_msg_name, a_name_has_at_most_255_octets)
{
	uint8_t bytes[300];
	struct dns_name name;
	uint32_t size = long_name(bytes, 61);

	cr_assert(size == 255);
	cr_assert(name_at(bytes, size, 0, &name) == 255);
	cr_assert(name.size == 255 && name.n_labels == 4);
	size = long_name(bytes, 62);
	cr_assert(name_at(bytes, size, 0, &name) == DNS_E_LONG);
	cr_assert(skip_at(bytes, size, 0) == DNS_E_LONG);
}

Test(dns_msg_name, a_pointer_can_make_a_name_too_long)
{
	// 61 octets of label behind a root to point at: 3 * 64 + 62 and the root are 255.
	uint8_t bytes[600] = {0};
	struct dns_name name;
	uint32_t size = 1 + long_name(bytes + 1, 61);

	// The root becomes a pointer to the root in front: the name stays at 255, in 256 octets.
	bytes[size - 1] = 0xc0;
	bytes[size++] = DNS_HEADER_SIZE;
	cr_assert(name_at(bytes, size, 1, &name) == 256);
	cr_assert(name.size == 255);
	// One octet more of label, and it is too long.
	size = 1 + long_name(bytes + 1, 62);
	bytes[size - 1] = 0xc0;
	bytes[size++] = DNS_HEADER_SIZE;
	cr_assert(name_at(bytes, size, 1, &name) == DNS_E_LONG);
	cr_assert(skip_at(bytes, size, 1) == DNS_E_LONG);
	// A label in front of 255 octets that are pointed at.
	size = long_name(bytes, 61);
	memcpy(bytes + size, "\1x\xc0\x0c", 4);
	cr_assert(name_at(bytes, size + 4, size, &name) == DNS_E_LONG);
}

Test(dns_msg_name, a_name_has_at_most_127_labels)
{
	uint8_t bytes[300];
	struct dns_name name;

	for (unsigned i = 0; i < 128; i++)
		memcpy(bytes + 2 * i, "\1a", 2);
	bytes[254] = 0;
	cr_assert(name_at(bytes, 255, 0, &name) == 255);
	cr_assert(name.n_labels == DNS_LABELS_MAX);
	for (unsigned i = 0; i < DNS_LABELS_MAX; i++)
		cr_assert(name.label[i] == 2 * i);
	bytes[254] = 1;
	bytes[256] = 0;
	cr_assert(name_at(bytes, 257, 0, &name) == DNS_E_LONG);
}

Test(dns_msg_name, folding_changes_letters_and_nothing_else)
{
	for (unsigned c = 0; c < 256; c++) {
		uint8_t bytes[3] = {1, (uint8_t)c, 0};
		struct dns_name name;

		cr_assert(name_at(bytes, 3, 0, &name) == 3);
		cr_assert(name.bytes[1] == (c >= 'A' && c <= 'Z' ? c + 32 : c), "%u", c);
	}
}

static const uint8_t record[] = {1, 'a', 0, 0x12, 0x34, 0x56, 0x78, 1, 2, 3, 4, 0, 3, 7, 8, 9};

Test(dns_msg_rr, a_record_is_read_and_any_shorter_one_refused)
{
	for (size_t size = 0; size <= sizeof(record); size++) {
		uint8_t *msg = message(record, size);
		struct dns_rr rr;
		int result = dns_msg_rr_read(
			msg, DNS_HEADER_SIZE + (uint32_t)size, DNS_HEADER_SIZE, &rr);

		if (size < sizeof(record)) {
			cr_expect(result == DNS_E_SHORT, "%zu bytes: %d", size, result);
		} else {
			cr_expect(result == sizeof(record));
			cr_expect(rr.name == 12 && rr.type == 0x1234 && rr.class == 0x5678);
			cr_expect(rr.ttl == 19 && rr.rdata == 25 && rr.rdata_size == 3);
		}
		free(msg);
	}
}

Test(dns_msg_rr, the_owner_is_stepped_over_and_its_errors_are_told)
{
	static const uint8_t forward[] = {0xff, 0xff, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0};
	static const uint8_t reserved[] = {0x40, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0};
	uint8_t *msg = message(forward, sizeof(forward));
	struct dns_rr rr;

	cr_assert(dns_msg_rr_read(msg, 12 + sizeof(forward), 12, &rr) == sizeof(forward));
	free(msg);
	msg = message(reserved, sizeof(reserved));
	cr_assert(dns_msg_rr_read(msg, 12 + sizeof(reserved), 12, &rr) == DNS_E_LABEL);
	free(msg);
}

Test(dns_msg_rr, a_record_at_the_end_of_the_largest_message)
{
	uint8_t *msg = calloc(1, DNS_MSG_SIZE_MAX);
	struct dns_rr rr;

	cr_assert_not_null(msg);
	// Root, type, class, TTL, and RDATA up to the last octet.
	store_be16(msg + 12 + 9, DNS_MSG_SIZE_MAX - 12 - 11);
	cr_assert(dns_msg_rr_read(msg, DNS_MSG_SIZE_MAX, 12, &rr) == DNS_MSG_SIZE_MAX - 12);
	store_be16(msg + 12 + 9, DNS_MSG_SIZE_MAX - 12 - 10);
	cr_assert(dns_msg_rr_read(msg, DNS_MSG_SIZE_MAX, 12, &rr) == DNS_E_SHORT);
	free(msg);
}

Test(dns_msg_name, random_octets_are_read_within_bounds)
{
	// Octets that make structures, so that many are followed for a while.
	static const uint8_t octets[] = {
		0, 1, 2, 3, 12, 13, 14, 20, 63, 64, 0x80, 0xc0, 0xc0, 'a', 'Z'};
	uint64_t state = RANDOM_SEED;
	struct dns_name name;
	unsigned good = 0;

	for (unsigned round = 0; round < 100000; round++) {
		uint8_t bytes[40];
		uint32_t size = random_below(&state, sizeof(bytes) + 1);
		int result;

		for (uint32_t i = 0; i < size; i++)
			bytes[i] = octets[random_below(&state, sizeof(octets))];
		result = name_at(bytes, size, random_below(&state, size + 1), &name);
		cr_assert(result != 0 && result >= DNS_E_LONG && result <= (int)size);
		good += result > 0;
		cr_assert(result < 0 || name.bytes[name.size - 1] == 0);
	}
	cr_assert(good > 5000, "only %u names could be read", good);
}
