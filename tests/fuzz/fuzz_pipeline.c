/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const enum burst_side side = BURST_FROM_RESOLVERS;
	uint8_t *frame = fuzz_copy(data, size), *again;
	static struct stats_worker stats;
	struct burst_slot slot;
	struct run_change change = {data, frame, (uint32_t)size, &slot};
	enum reason reason;

	memset(&stats, 0, sizeof(stats));
	reason = run_frame(frame, (uint32_t)size, side, fuzz_tables(), &stats, &slot);
	FUZZ_CHECK(reason > REASON_none && reason < REASON_COUNT);
	FUZZ_CHECK(run_verdicts(&stats) == 1 && stats.rx_packets == 1 && stats.rx_bytes == size);
	FUZZ_CHECK(run_change_error(&change) == NULL);
	// What came out goes through once more: there is nothing left to change.
	again = fuzz_copy(frame, size);
	run_frame(again, (uint32_t)size, side, fuzz_tables(), &stats, &slot);
	FUZZ_CHECK(memcmp(again, frame, size) == 0 && run_verdicts(&stats) == 2);
	free(again);
	free(frame);
	return 0;
}
