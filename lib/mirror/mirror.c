/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "mirror/mirror.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

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
	uint8_t msg[DNS_MSG_SIZE_MAX + 1]; // consumer: a message that wraps round the ring's end
};

struct mirror_ring *mirror_ring_create(unsigned slots, int node)
{
	struct mirror_ring *mirror = calloc(1, sizeof(*mirror));
	ssize_t size = rte_ring_get_memsize_elem(MIRROR_SLOT_SIZE, slots);

	if (!mirror || size < 0) {
		errno = mirror ? EINVAL : ENOMEM;
		goto fail;
	}
	mirror->size = (size_t)size;
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
	const struct rte_ring *ring = mirror->ring;
	uint32_t taken = __atomic_load_n(&ring->cons.tail, __ATOMIC_ACQUIRE);
	uint32_t given = __atomic_load_n(&ring->prod.tail, __ATOMIC_ACQUIRE);
	uint32_t used = given - taken;

	return used > ring->capacity ? ring->capacity : used;
}

static inline unsigned msg_slots(uint16_t size)
{
	return (size + MIRROR_SLOT_SIZE - 1u) / MIRROR_SLOT_SIZE;
}

static inline bool is_mirrored(const struct burst_slot *slot)
{
	return slot->response && !(slot->refused & CONSENT_NO_LOG);
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

static void record_write(
	struct mirror_record *record, const struct burst_slot *slot, const struct mirror_meta *meta)
{
	const struct fqdn_rule *rule = slot->block ? slot->block : slot->log;

	// Sizes that the compiler knows make these plain moves.
	if (slot->family == ADDR_IPV4) {
		memset(record->client, 0, sizeof(record->client));
		memset(record->server, 0, sizeof(record->server));
		memcpy(record->client, pipeline_client(slot), 4);
		memcpy(record->server, pipeline_server(slot), 4);
	} else {
		memcpy(record->client, pipeline_client(slot), 16);
		memcpy(record->server, pipeline_server(slot), 16);
	}
	record->tsc = meta->tsc;
	record->generation = meta->generation;
	record->rule = rule ? fqdn_table_rule_number(meta->names, rule) : MIRROR_NO_RULE;
	record->stored_size = wants_msg(slot) ? slot->msg_size : 0;
	record->msg_size = slot->msg_size;
	record->qtype = slot->qtype;
	record->match = rule ? slot->match : 0;
	record->client_port = slot->dst_port;
	record->server_port = slot->src_port;
	record->family = slot->family;
	record->rcode = slot->rcode;
	record->reason = (uint8_t)slot->reason;
	record->refused = slot->refused;
}

static void msg_write(
	const struct rte_ring_zc_data *zone, unsigned at, const struct burst_slot *slot)
{
	const uint8_t *msg = slot->frame + slot->msg;
	unsigned left = slot->msg_size;

	for (; left > 0; at++) {
		unsigned n = left < MIRROR_SLOT_SIZE ? left : MIRROR_SLOT_SIZE;

		memcpy(zone_slot(zone, at), msg, n);
		msg += n;
		left -= n;
	}
}

void mirror_push_burst(struct mirror_ring *mirror, const struct burst *burst,
	const struct mirror_meta *meta, struct stats_worker *stats)
{
	struct rte_ring_zc_data zone = {0};
	unsigned wanted = 0, room, used = 0, pushed = 0, lost = 0;

	for (unsigned i = 0; i < burst->n; i++)
		if (is_mirrored(&burst->slot[i]))
			wanted +=
				1 + (wants_msg(&burst->slot[i]) ? msg_slots(burst->slot[i].msg_size)
								: 0);
	if (wanted == 0)
		return;
	room = rte_ring_enqueue_zc_burst_elem_start(
		mirror->ring, MIRROR_SLOT_SIZE, wanted, &zone, NULL);
	for (unsigned i = 0; i < burst->n; i++) {
		const struct burst_slot *slot = &burst->slot[i];
		unsigned need;

		if (!is_mirrored(slot))
			continue;
		need = 1 + (wants_msg(slot) ? msg_slots(slot->msg_size) : 0);
		if (need > room - used) {
			lost++;
			continue;
		}
		record_write((struct mirror_record *)(void *)zone_slot(&zone, used), slot, meta);
		if (need > 1)
			msg_write(&zone, used + 1, slot);
		used += need;
		pushed++;
	}
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
