/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The end of a name in a message: where its last two labels stand, which is all that nearly every
 * look-up needs to know of it. Found in two ways that agree: label by label, which is what counts,
 * and 64 octets at once on CPUs that have the instructions.
 *
 * Layer:   lib/dns; no EAL, no allocation.
 * Threads: pure functions, any thread. Messages are borrowed and not changed.
 * Source:  RFC 1035 s4.1.4.
 */
#include "base/cpu.h"
#include "dns/dns_msg.h"

/**
 * What reading a name gives, in one register: a structure would go through memory.
 *
 *   bits  0..8   octets that the name occupies, or a negative enum dns_err: then that is all
 *   bits  9..15  labels without the root, 0..127
 *   bits 16..31  where the third-to-last label stands, bytes from msg[0]; from three labels on
 *   bits 32..47  where the second-to-last stands; from two labels on
 *   bits 48..63  where the last one stands; from one label on
 */
static inline int dns_ends_occupied(uint64_t ends)
{
	unsigned occupied = ends & 511;

	// A name occupies 257 octets at most: labels, and a pointer to nothing.
	return occupied < 512 + DNS_E_LONG ? (int)occupied : (int)occupied - 512;
}

static inline uint8_t dns_ends_labels(uint64_t ends)
{
	return ends >> 9 & 127;
}

/** Where the label stands that has @p behind labels behind it, 0..2. */
static inline uint16_t dns_ends_label(uint64_t ends, unsigned behind)
{
	return (uint16_t)(ends >> (48 - 16 * behind));
}

/** @param last the last three labels, the last one last; what there is not is any number */
static inline uint64_t dns_ends_make(int occupied, unsigned n, const uint16_t last[3])
{
	return ((unsigned)occupied & 511) | n << 9 | (uint64_t)last[0] << 16 |
	       (uint64_t)last[1] << 32 | (uint64_t)last[2] << 48;
}

/**
 * Read the name at @p off, label by label.
 *
 * Parameters as dns_msg_labels_read. @return see above
 */
uint64_t dns_msg_ends_read(const uint8_t *msg, uint32_t size, uint32_t off);

/**
 * Names of so many labels and pointers are read at once, in registers. Ours: nearly all names are, and
 * what takes no more is read again as quickly as looked up.
 */
#define DNS_QUICK_LABELS 8
#define DNS_QUICK_HOPS   3

/**
 * The same for a name that is short in every way.
 *
 * @param hops [out] pointers followed
 * @return 0: it is none, or wrong
 */
static inline uint64_t dns_ends_quick(
	const uint8_t *msg, uint32_t size, uint32_t off, unsigned *hops)
{
	uint32_t at = off, start = off; // of the run
	unsigned n = 0, octets = 0, occupied = 0;
	uint64_t last = 0;

	for (*hops = 0; at < size;) {
		uint8_t c = msg[at];

		if (n < DNS_QUICK_LABELS && (uint8_t)(c - 1) < DNS_LABEL_SIZE_MAX) {
			last = last >> 16 | (uint64_t)at << 32;
			n++;
			at += c + 1u;
			continue;
		}
		octets += at - start;
		if (c == 0 && octets < DNS_NAME_SIZE_MAX) {
			occupied = *hops ? occupied : at - off + 1;
			return last << 16 | n << 9 | occupied;
		}
		if (c < 0xc0 || *hops == DNS_QUICK_HOPS || size - at < 2)
			break;
		occupied = (*hops)++ ? occupied : at - off + 2;
		at = load_be16(msg + at) & 0x3fff;
		if (at >= start || at < DNS_HEADER_SIZE)
			break;
		start = at;
	}
	return 0;
}

/** Labels in a row, from an offset up to the root label or a pointer. */
struct dns_run {
	uint64_t last; /**< where the last three stand, bytes from where the run starts, 16 bits each, the
			    last one highest, at bit 32; 0 for what there is not */
	uint32_t end;  /**< where the run ends, bytes from where it starts */
	unsigned n;    /**< labels */
	bool whole;    /**< it ends with the root label */
};

/**
 * Read a run of at most 64 octets, its end included.
 *
 * @param left octets that may be read
 * @return false: there is none, or it is longer; @p run is undefined then
 */
static inline bool dns_run_plain(const uint8_t *from, uint32_t left, struct dns_run *run)
{
	uint32_t at = 0, end = left < 64 ? left : 64;

	run->last = 0;
	for (run->n = 0; at < end && (uint8_t)(from[at] - 1) < DNS_LABEL_SIZE_MAX; run->n++) {
		run->last = run->last >> 16 | (uint64_t)at << 32;
		at += from[at] + 1u;
	}
	run->end = at;
	run->whole = at < end && from[at] == 0;
	return at < end && (from[at] == 0 || from[at] >= 0xc0);
}

#ifdef CPU_WIDE
/**
 * The same in one go, on CPUs of cpu_is_wide. It may also refuse runs that the other way reads, those
 * with odd octets, with labels over 44 or with more than 15 labels.
 *
 * Length octets of up to 44 are the only octets below "-" in a host name, so they are seen without
 * going from one to the next. Whether they really are a chain is then checked for all together: each
 * must lead to the next one seen.
 */
CPU_WIDE __attribute__((always_inline)) static inline bool dns_run_wide(
	const uint8_t *from, uint32_t left, struct dns_run *run)
{
	const __m512i counting = _mm512_set_epi64(0x3f3e3d3c3b3a3938, 0x3736353433323130,
		0x2f2e2d2c2b2a2928, 0x2726252423222120, 0x1f1e1d1c1b1a1918, 0x1716151413121110,
		0x0f0e0d0c0b0a0908, 0x0706050403020100);
	// Added to the number of labels: the places of the last three, each in 16 bits.
	const __m128i last_three = _mm_set_epi64x(
		(long long)0x8080808080808080, (long long)0x808080ff80fe80fd);
	uint64_t readable = _bzhi_u64(~0ull, left < 64 ? left : 64);
	__m512i v = _mm512_maskz_loadu_epi8(readable, from);
	uint64_t low = _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8('-'));
	uint64_t pointer = _mm512_cmpge_epu8_mask(v, _mm512_set1_epi8((char)0xc0));
	uint64_t zero = _mm512_testn_epi8_mask(v, v) & readable;
	uint64_t stop = zero | pointer;
	uint64_t seen = (low | pointer) & _blsmsk_u64(stop);
	__m128i octets = _mm512_castsi512_si128(_mm512_maskz_compress_epi8(seen, v));
	__m128i places = _mm512_castsi512_si128(_mm512_maskz_compress_epi8(seen, counting));
	// A label's place, the octet itself, and one more for it, are the next label's place.
	__m128i next = _mm_sub_epi8(_mm_add_epi8(places, octets), _mm_set1_epi8(-1));
	uint32_t leads =
		(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(next, _mm_srli_si128(places, 1)));
	unsigned n = (unsigned)_mm_popcnt_u64(seen) - 1;

	run->end = (uint32_t)_tzcnt_u64(stop);
	run->n = n;
	run->whole = zero & _blsi_u64(stop);
	run->last = (uint64_t)_mm_cvtsi128_si64(
		_mm_shuffle_epi8(places, _mm_add_epi8(last_three, _mm_set1_epi8((char)n))));
	// All but the last must lead on; the first stands at the start.
	return stop != 0 && n < 16 && (seen & 1) && _bzhi_u32(~leads, n) == 0;
}
#endif

/** What a run that is a whole name at @p off gives. */
static inline uint64_t dns_run_ends(const struct dns_run *run, uint32_t off)
{
	return (run->last + off * (uint64_t)0x000100010001) << 16 | run->n << 9 | (run->end + 1);
}
