/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Octets from one thread to another, in pieces that are never cut: a ring whose memory is mapped twice,
 * one mapping behind the other, so that what runs over its end goes on at its begin.
 *
 * Threads: one producer (reserve, commit), one consumer (peek, take); used by any.
 */
#include <stddef.h>
#include <stdint.h>

struct tap_ring {
	uint8_t *memory; /**< size octets, and the same again */
	size_t size;
	uint64_t kept;                            /**< producer: the consumer's `tail` as last seen */
	uint64_t head __attribute__((aligned(64))); /**< producer: w, consumer: r */
	uint64_t tail __attribute__((aligned(64))); /**< consumer: w, producer: r */
};

/** @param size power of two, at least a page  @return 0 or -errno */
int tap_ring_init(struct tap_ring *ring, size_t size);

/** All zero is fine, too. */
void tap_ring_free(struct tap_ring *ring);

/** Place for @p size octets in one piece. @return NULL: there is no room */
static inline uint8_t *tap_ring_reserve(struct tap_ring *ring, size_t size)
{
	if (ring->head - ring->kept + size > ring->size) {
		ring->kept = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
		if (ring->head - ring->kept + size > ring->size)
			return NULL;
	}
	return ring->memory + (ring->head & (ring->size - 1));
}

/** Hand over the first @p size octets of what was reserved. */
static inline void tap_ring_commit(struct tap_ring *ring, size_t size)
{
	__atomic_store_n(&ring->head, ring->head + size, __ATOMIC_RELEASE);
}

/** All that is there, in one piece. @param size [out] octets, may be 0 */
static inline const uint8_t *tap_ring_peek(const struct tap_ring *ring, size_t *size)
{
	*size = (size_t)(__atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) - ring->tail);
	return ring->memory + (ring->tail & (ring->size - 1));
}

/** The first @p size octets are done with. */
static inline void tap_ring_take(struct tap_ring *ring, size_t size)
{
	__atomic_store_n(&ring->tail, ring->tail + size, __ATOMIC_RELEASE);
}

/** Octets in it, a moment's value. */
static inline size_t tap_ring_used(const struct tap_ring *ring)
{
	uint64_t tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);

	return (size_t)(__atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) - tail);
}
