/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "support/change.h"

#define GROWTH 600 // octets behind a frame: enough for 512 of a message

static struct stats_worker stats;

// What can be said of a second pass.
enum second_pass {
	SECOND_NONE,  // there is no frame left
	SECOND_OTHER, // names may be others now
	SECOND_SAME,  // nothing is left to change
};

static enum second_pass second_pass_of(const struct change *change)
{
	if (change->found->reason == REASON_dropped)
		return SECOND_NONE;
	if (reason_is_filtered(change->found->reason) && change_may_rename(change))
		return SECOND_OTHER;
	return SECOND_SAME;
}

// Run through, and hold what comes out against what came.
static enum second_pass frame_run(struct run_buffer *buffer, const struct pipeline_tables *tables)
{
	struct burst_slot slot;
	uint8_t *before = fuzz_copy(buffer->frame, buffer->size);
	struct change change = {.before = before,
		.after = buffer->frame,
		.before_size = buffer->size,
		.found = &slot};
	uint64_t bytes = stats.rx_bytes;
	enum reason reason = run_buffer(buffer, BURST_FROM_RESOLVERS, tables, &stats, &slot);
	enum second_pass second;

	FUZZ_CHECK(reason > REASON_none && reason < REASON_COUNT);
	FUZZ_CHECK(stats.rx_bytes - bytes == change.before_size);
	change.after_size = buffer->size;
	change.msg_size = buffer->msg_size;
	FUZZ_CHECK(change_error(&change) == NULL);
	second = second_pass_of(&change);
	free(before);
	return second;
}

// The message as one out of a TCP stream, all or the rest of it.
static void message_run(
	const uint8_t *data, uint32_t size, bool partly, const struct pipeline_tables *tables)
{
	uint8_t *frame = fuzz_copy(data, size), *again;
	struct burst_slot slot = {0};
	struct change change = {data, frame, size, size, &slot, 0};
	enum second_pass second = SECOND_SAME;

	run_message(frame, size, partly, tables, &stats, &slot);
	if (slot.protocol == 6) {
		change.msg_size = slot.msg_size;
		FUZZ_CHECK(change_fixed_error(&change) == NULL);
		second = second_pass_of(&change);
	}
	again = fuzz_copy(frame, size);
	run_message(again, size, partly, tables, &stats, &slot);
	FUZZ_CHECK(second != SECOND_SAME || memcmp(again, frame, size) == 0);
	free(again);
	free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pipeline_tables *tables = fuzz_tables(size ? data[0] : 0);
	struct run_buffer buffer = {.frame = malloc(size + GROWTH),
		.size = (uint32_t)size,
		.room = (uint32_t)size + GROWTH};
	enum second_pass second;
	uint8_t *again;
	uint32_t once;

	FUZZ_CHECK(buffer.frame != NULL);
	memset(&stats, 0, sizeof(stats));
	if (size)
		memcpy(buffer.frame, data, size);
	second = frame_run(&buffer, tables);
	if (second != SECOND_NONE) {
		once = buffer.size;
		again = fuzz_copy(buffer.frame, once);
		(void)frame_run(&buffer, tables);
		FUZZ_CHECK(second != SECOND_SAME ||
			   (buffer.size == once && memcmp(again, buffer.frame, once) == 0));
		free(again);
		FUZZ_CHECK(run_verdicts(&stats) == 2 && stats.rx_packets == 2);
	} else {
		FUZZ_CHECK(run_verdicts(&stats) == 1 && stats.rx_packets == 1);
	}
	message_run(data, (uint32_t)size, false, tables);
	message_run(data, (uint32_t)size, true, tables);
	free(buffer.frame);
	return 0;
}
