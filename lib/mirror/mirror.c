/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "mirror/mirror.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <rte_errno.h>
#include <rte_ring_elem.h>

#include "base/addr.h"
#include "base/block.h"
#include "consent/consent.h"
#include "dns/dns_const.h"
#include "pipeline/pipeline.h"

static_assert(sizeof(struct mirror_record) == MIRROR_SLOT_SIZE, "one cache line");

struct mirror_ring {
	struct rte_ring *ring;
	size_t size;
	uint32_t whole;                    // all ones: every record has its message
	uint8_t msg[DNS_MSG_SIZE_MAX + 1]; // consumer: a message that wraps round the ring's end
};

struct mirror_ring *mirror_ring_create(unsigned slots, int node, bool whole)
{
	struct mirror_ring *mirror = calloc(1, sizeof(*mirror));
	ssize_t size = rte_ring_get_memsize_elem(MIRROR_SLOT_SIZE, slots);

	if (!mirror || size < 0) {
		errno = mirror ? EINVAL : ENOMEM;
		goto fail;
	}
	mirror->size = (size_t)size;
	mirror->whole = whole ? UINT32_MAX : 0;
	mirror->ring = block_alloc(mirror->size, node);
	if (!mirror->ring)
		goto fail;
	if (rte_ring_init(mirror->ring, "mirror", slots, RING_F_SP_ENQ | RING_F_SC_DEQ) < 0) {
		errno = EINVAL;
		goto fail;
	}
	return mirror;
fail:
	mirror_ring_destroy(mirror);
	return NULL;
}

void mirror_ring_destroy(struct mirror_ring *mirror)
{
	if (!mirror)
		return;
	block_free(mirror->ring, mirror->size);
	free(mirror);
}

// rte_ring_count reads what other threads write with plain loads, so it is not for this. The order
// makes it too much rather than too little while records come and go.
unsigned mirror_ring_used(const struct mirror_ring *mirror)
{
	const struct rte_ring *ring = mirror ? mirror->ring : NULL;
	uint32_t taken, used;

	if (!ring)
		return 0;
	taken = __atomic_load_n(&ring->cons.tail, __ATOMIC_ACQUIRE);
	used = __atomic_load_n(&ring->prod.tail, __ATOMIC_ACQUIRE) - taken;
	return used > ring->capacity ? ring->capacity : used;
}

static inline unsigned msg_slots(uint16_t size)
{
	return (size + MIRROR_SLOT_SIZE - 1u) / MIRROR_SLOT_SIZE;
}

static inline bool wants_msg(const struct burst_slot *slot)
{
	return slot->block || slot->log;
}

// Slot i of a reservation, which may wrap round the ring's end.
static inline uint8_t *zone_slot(const struct rte_ring_zc_data *zone, unsigned i)
{
	return i < zone->n1 ? (uint8_t *)zone->ptr1 + (size_t)i * MIRROR_SLOT_SIZE
			    : (uint8_t *)zone->ptr2 + (size_t)(i - zone->n1) * MIRROR_SLOT_SIZE;
}

static inline uint32_t load_raw32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

// A slot goes past the caches: the consumer's CPU had its line last, and will have it next. Written in
// the usual way it would have to come from there first, which costs more than all else here.
static inline void slot_write(void *to, const uint64_t from[8])
{
#ifdef __SSE2__
	for (unsigned i = 0; i < 4; i++)
		_mm_stream_si128((__m128i *)to + i,
			_mm_set_epi64x((long long)from[2 * i + 1], (long long)from[2 * i]));
#else
	memcpy(to, from, MIRROR_SLOT_SIZE);
#endif
}

// Slots written so far are there before the ring says so.
static inline void slots_fence(void)
{
#ifdef __SSE2__
	_mm_sfence();
#endif
}

// Fields that stand side by side are put together in registers.
static_assert(
	offsetof(struct mirror_record, rule) == offsetof(struct mirror_record, generation) + 4 &&
		offsetof(struct mirror_record, msg_size) ==
			offsetof(struct mirror_record, stored_size) + 2 &&
		offsetof(struct mirror_record, qtype) ==
			offsetof(struct mirror_record, stored_size) + 4 &&
		offsetof(struct mirror_record, match) ==
			offsetof(struct mirror_record, stored_size) + 6 &&
		offsetof(struct mirror_record, server_port) ==
			offsetof(struct mirror_record, client_port) + 2 &&
		offsetof(struct mirror_record, family) ==
			offsetof(struct mirror_record, client_port) + 4 &&
		offsetof(struct mirror_record, rcode) ==
			offsetof(struct mirror_record, client_port) + 6 &&
		offsetof(struct mirror_record, protocol) ==
			offsetof(struct mirror_record, client_port) + 5 &&
		offsetof(struct mirror_record, reason) ==
			offsetof(struct mirror_record, client_port) + 7,
	"as they are put together below");
static_assert(offsetof(struct mirror_record, client) == 8 &&
		      offsetof(struct mirror_record, server) == 24 &&
		      offsetof(struct mirror_record, generation) == 40 &&
		      offsetof(struct mirror_record, stored_size) == 48 &&
		      offsetof(struct mirror_record, client_port) == 56,
	"as they are put together below");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "as they are put together below");

static inline void record_write(struct mirror_record *record, const struct burst_slot *slot,
	const struct mirror_meta *meta, uint64_t stored)
{
	uint64_t which = meta->generation | (uint64_t)MIRROR_NO_RULE << 32;
	uint64_t sizes = (uint64_t)slot->msg_size << 16 | (uint64_t)slot->qtype << 32;
	uint64_t rest = slot->dst_port | (uint64_t)slot->src_port << 16 |
			(uint64_t)slot->family << 32 | (uint64_t)slot->protocol << 40 |
			(uint64_t)slot->rcode << 48 | (uint64_t)(uint8_t)slot->reason << 56;
	uint64_t client[2] = {0}, server[2] = {0};

	// Whoever has a rule has the message, too.
	if (__builtin_expect(stored > 0, 0)) {
		const struct fqdn_rule *rule = slot->block ? slot->block : slot->log;

		sizes |= stored;
		if (rule) {
			which = meta->generation |
				(uint64_t)fqdn_table_rule_number(meta->names, rule) << 32;
			sizes |= (uint64_t)slot->match << 48;
		}
	}
	// Sizes that the compiler knows make these plain moves.
	if (slot->family == ADDR_IPV4) {
		client[0] = load_raw32(pipeline_client(slot));
		server[0] = load_raw32(pipeline_server(slot));
	} else {
		memcpy(client, pipeline_client(slot), sizeof(client));
		memcpy(server, pipeline_server(slot), sizeof(server));
	}
	slot_write(record, (const uint64_t[]){meta->tsc, client[0], client[1], server[0], server[1],
				   which, sizes, rest});
}

static void msg_write(
	const struct rte_ring_zc_data *zone, unsigned at, const struct burst_slot *slot)
{
	const uint8_t *msg = slot->frame + slot->msg;
	uint64_t line[MIRROR_SLOT_SIZE / sizeof(uint64_t)] = {0};
	unsigned left = slot->msg_size;

	for (; left >= MIRROR_SLOT_SIZE; at++) {
		memcpy(line, msg, MIRROR_SLOT_SIZE);
		slot_write(zone_slot(zone, at), line);
		msg += MIRROR_SLOT_SIZE;
		left -= MIRROR_SLOT_SIZE;
	}
	if (left == 0)
		return;
	memcpy(line, msg, left);
	slot_write(zone_slot(zone, at), line);
}

void mirror_push_burst(struct mirror_ring *mirror, const struct burst *burst,
	const struct mirror_meta *meta, struct stats_worker *stats)
{
	struct rte_ring_zc_data zone = {0};
	unsigned wanted, room, used = 0, pushed = 0, lost = 0;
	uint32_t mirrored = burst->responses, whole = 0;

	if (!mirror)
		return;
	for (uint32_t left = burst->responses; left; left &= left - 1)
		if (__builtin_expect(burst->slot[__builtin_ctz(left)].refused & CONSENT_NO_LOG, 0))
			mirrored &= ~(left & -left);
	wanted = (unsigned)__builtin_popcount(mirrored);
	for (uint32_t left = (burst->ruled | mirror->whole) & mirrored; left; left &= left - 1) {
		const struct burst_slot *slot = &burst->slot[__builtin_ctz(left)];

		if (mirror->whole || wants_msg(slot)) {
			wanted += msg_slots(slot->msg_size);
			whole |= left & -left;
		}
	}
	if (wanted == 0)
		return;
	room = rte_ring_enqueue_zc_burst_elem_start(
		mirror->ring, MIRROR_SLOT_SIZE, wanted, &zone, NULL);
	for (uint32_t left = mirrored; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left), need = 1;
		const struct burst_slot *slot = &burst->slot[i];
		uint16_t stored = 0;

		if (__builtin_expect(whole >> i & 1, 0)) {
			stored = slot->msg_size;
			need += msg_slots(stored);
		}
		if (__builtin_expect(need > room - used, 0)) {
			lost++;
			continue;
		}
		record_write(
			(struct mirror_record *)(void *)zone_slot(&zone, used), slot, meta, stored);
		if (__builtin_expect(need > 1, 0))
			msg_write(&zone, used + 1, slot);
		used += need;
		pushed++;
	}
	slots_fence();
	if (room > 0)
		rte_ring_enqueue_zc_elem_finish(mirror->ring, used);
	counter_add(&stats->mirrored, pushed);
	counter_add(&stats->mirror_lost, lost);
}

unsigned mirror_drain(struct mirror_ring *mirror, mirror_taker take, void *ctx)
{
	struct rte_ring_zc_data zone = {0};
	unsigned n, taken = 0, count = mirror_ring_used(mirror);

	// The producer hands over whole records, so whatever is in the ring ends with one.
	n = count ? rte_ring_dequeue_zc_burst_elem_start(
			    mirror->ring, MIRROR_SLOT_SIZE, count, &zone, NULL)
		  : 0;
	if (n == 0)
		return 0;
	for (unsigned i = 0; i < n; taken++) {
		const struct mirror_record *record = (const void *)zone_slot(&zone, i++);
		unsigned slots = msg_slots(record->stored_size);

		for (unsigned j = 0; j < slots; j++)
			memcpy(mirror->msg + j * MIRROR_SLOT_SIZE, zone_slot(&zone, i + j),
				MIRROR_SLOT_SIZE);
		i += slots;
		take(ctx, record, slots ? mirror->msg : NULL);
	}
	rte_ring_dequeue_zc_elem_finish(mirror->ring, n);
	return taken;
}
