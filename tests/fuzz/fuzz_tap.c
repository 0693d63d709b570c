/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "tap/tap.h"
#include "tap/tap_extra.h"

static bool octets_same(const struct tap_octets *a, const struct tap_octets *b)
{
	return (a->data != NULL) == (b->data != NULL) && a->size == b->size &&
	       (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

// What a text says is said again by the text that is made of it.
static void extra_check(const struct tap_octets *text)
{
	struct tap_extra extra, again;
	char written[TAP_EXTRA_SIZE];
	size_t size;

	if (!text->data || tap_extra_read(text->data, text->size, &extra) < 0)
		return;
	size = tap_extra_write(&extra, written);
	FUZZ_CHECK(size <= sizeof(written));
	FUZZ_CHECK(tap_extra_read((const uint8_t *)written, size, &again) == 0);
	FUZZ_CHECK(extra.start == again.start && extra.seq == again.seq &&
		   extra.bits == again.bits && extra.lost == again.lost);
	FUZZ_CHECK(strcmp(extra.list, again.list) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *frame = fuzz_copy(data, size), *written;
	struct tap_message message, again;

	if (tap_decode(frame, size, &message) == 0) {
		size_t n = tap_size(&message);

		written = malloc(n);
		FUZZ_CHECK(written && tap_encode(&message, written) == n);
		FUZZ_CHECK(tap_decode(written, n, &again) == 0);
		FUZZ_CHECK(octets_same(&message.identity, &again.identity));
		FUZZ_CHECK(octets_same(&message.query_address, &again.query_address));
		FUZZ_CHECK(octets_same(&message.response_message, &again.response_message));
		FUZZ_CHECK(octets_same(&message.policy.value, &again.policy.value));
		FUZZ_CHECK(message.type == again.type && message.query_port == again.query_port);
		FUZZ_CHECK(message.response_time.sec == again.response_time.sec);
		FUZZ_CHECK(message.has_policy == again.has_policy);
		extra_check(&message.extra);
		free(written);
	}
	extra_check(&(struct tap_octets){frame, size});
	free(frame);
	return 0;
}
