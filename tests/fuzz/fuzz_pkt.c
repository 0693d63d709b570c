/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "base/addr.h"
#include "fuzz/fuzz.h"
#include "pkt/pkt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *frame = fuzz_copy(data, size);
	struct burst_slot slot = {.frame = frame, .frame_size = (uint32_t)size};
	enum reason reason = pkt_parse(&slot);

	FUZZ_CHECK((size > UINT16_MAX) == (reason == REASON_oversize));
	if (reason == REASON_none) {
		FUZZ_CHECK(slot.family == ADDR_IPV4 || slot.family == ADDR_IPV6);
		FUZZ_CHECK(frame[slot.l3] >> 4 == slot.family && slot.protocol == 17);
		FUZZ_CHECK(
			slot.l3 >= 14 && slot.l4 >= slot.l3 + (slot.family == ADDR_IPV4 ? 20 : 40));
		FUZZ_CHECK(slot.msg == slot.l4 + 8 && (size_t)slot.msg + slot.msg_size <= size);
		FUZZ_CHECK(load_be16(frame + slot.l4) == slot.src_port);
		FUZZ_CHECK(load_be16(frame + slot.l4 + 4) == slot.msg_size + 8);
	} else if (reason != REASON_not_udp) {
		FUZZ_CHECK(slot.src_port == 0 && slot.dst_port == 0);
	}
	free(frame);
	return 0;
}
