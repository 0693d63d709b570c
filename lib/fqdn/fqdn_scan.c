/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "fqdn/fqdn_scan.h"

#include "base/cpu.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

// The last two labels where a pointer stands between them, the message ends soon, or they are long.
static __attribute__((noinline)) uint64_t hash_apart(
	const struct fqdn_table *table, const struct fqdn_name *name)
{
	const uint8_t *first = name->msg + name->last[1], *last = name->msg + name->last[2];
	uint8_t both[2 * (DNS_LABEL_SIZE_MAX + 1) + FQDN_PIECE] = {0};

	memcpy(both, first, first[0] + 1u);
	memcpy(both + first[0] + 1, last, last[0] + 1u);
	return fqdn_hash_labels(
		&table->key, table->key.seed, both, first[0] + last[0] + 2u, sizeof(both));
}

uint64_t fqdn_hash_last_two(const struct fqdn_table *table, const struct fqdn_name *name)
{
	unsigned first = name->last[1], last = name->last[2];
	const uint8_t *labels = name->msg + first;
	unsigned size = last + name->msg[last] + 1u - first;
	uint64_t piece[4];

	if (__builtin_expect((first + labels[0] + 1u != last) | (size > FQDN_PIECE) |
				     (first + FQDN_PIECE > name->msg_size),
		    0))
		return hash_apart(table, name);
	fqdn_piece(labels, size, piece);
	return fqdn_mix(&table->key, table->key.seed, piece);
}

static uint64_t hash_last_one(const struct fqdn_table *table, const struct fqdn_name *name)
{
	const uint8_t *label = name->msg + name->last[2];

	return fqdn_hash_labels(&table->key, table->key.seed, label, *label + 1u,
		name->msg_size - (unsigned)name->last[2]);
}

// Below a passage a name has a rule only if it has a node of one label more: that is looked for.
static __attribute__((noinline)) void aim_below(
	const struct fqdn_table *table, const struct fqdn_name *name, struct fqdn_aim *aim)
{
	const uint8_t *label = name->msg + name->last[0];
	uint64_t hash = fqdn_hash_labels(&table->key, aim->hash, label, *label + 1u,
		(unsigned)(name->msg + name->msg_size - label));

	aim->tag = fqdn_tag_of(hash);
	aim->bucket = fqdn_bucket_aim(table, fqdn_part_of(aim->hash), hash);
}

static ALWAYS_INLINE void aim(const struct fqdn_table *table, const struct fqdn_name *names,
	unsigned n, unsigned start, struct fqdn_aim *aims,
	uint64_t (*hash)(const struct fqdn_table *, const struct fqdn_name *))
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t h;

		if (__builtin_expect(names[i].n < start, 0)) {
			aims[i] = (struct fqdn_aim){.tag = 1};
			continue;
		}
		h = hash(table, &names[i]);
		aims[i].hash = h;
		if (start == 2 && __builtin_expect(table->passage[fqdn_passage_of(h)] == h, 0) &&
			names[i].n > 2) {
			aim_below(table, &names[i], &aims[i]);
			continue;
		}
		aims[i].tag = fqdn_tag_of(h);
		aims[i].bucket = fqdn_bucket_aim(table, fqdn_part_of(h), h);
	}
}

static ALWAYS_INLINE uint64_t scan(const struct fqdn_table *table, unsigned n,
	const struct fqdn_aim *aims, uint32_t (*match)(const struct fqdn_bucket *, uint16_t))
{
	uint64_t may = 0;

	for (unsigned i = 0; i < n; i++)
		may |= (uint64_t)(match(fqdn_bucket_at(table, aims[i].bucket), aims[i].tag) != 0)
		       << i;
	return may;
}

void fqdn_aim_plain(const struct fqdn_table *table, const struct fqdn_name *names, unsigned n,
	struct fqdn_aim *aims)
{
	aim(table, names, n, 2, aims, fqdn_hash_last_two);
}

uint64_t fqdn_scan_plain(const struct fqdn_table *table, unsigned n, const struct fqdn_aim *aims)
{
	return scan(table, n, aims, fqdn_bucket_match);
}

#ifdef CPU_WIDE
// The same hash; what must not be read is masked.
CPU_WIDE static ALWAYS_INLINE uint64_t hash_last_two_wide(
	const struct fqdn_table *table, const struct fqdn_name *name)
{
	unsigned first = name->last[1], last = name->last[2];
	const uint8_t *labels = name->msg + first;
	unsigned size = last + name->msg[last] + 1u - first;
	const struct fqdn_key *key = &table->key;
	__mmask32 mask;
	__m256i v;
	__m128i low, high;

	if (__builtin_expect((first + labels[0] + 1u != last) | (size > FQDN_PIECE), 0))
		return hash_apart(table, name);
	mask = _bzhi_u32(~0u, size);
	v = _mm256_maskz_loadu_epi8(mask, labels);
	v = _mm256_or_si256(v, _mm256_maskz_set1_epi8(mask, 0x20));
	low = _mm256_castsi256_si128(v);
	high = _mm256_extracti128_si256(v, 1);
	return fqdn_fold((uint64_t)_mm_cvtsi128_si64(low) ^ key->seed,
		       (uint64_t)_mm_extract_epi64(low, 1) ^ key->factor[0]) +
	       fqdn_fold((uint64_t)_mm_cvtsi128_si64(high) ^ key->factor[1],
		       (uint64_t)_mm_extract_epi64(high, 1) ^ key->factor[2]);
}

CPU_WIDE static ALWAYS_INLINE uint32_t bucket_match_wide(
	const struct fqdn_bucket *bucket, uint16_t tag)
{
	uint32_t match = _mm512_cmpeq_epi16_mask(
		_mm512_load_si512((const void *)bucket), _mm512_set1_epi16((short)tag));

	// The two places in front are those of base.
	return match >> 2 | (bucket->base & FQDN_BASE_MORE);
}

CPU_WIDE void fqdn_aim_wide(const struct fqdn_table *table, const struct fqdn_name *names,
	unsigned n, struct fqdn_aim *aims)
{
	aim(table, names, n, 2, aims, hash_last_two_wide);
}

CPU_WIDE uint64_t fqdn_scan_wide(
	const struct fqdn_table *table, unsigned n, const struct fqdn_aim *aims)
{
	return scan(table, n, aims, bucket_match_wide);
}
#else
void fqdn_aim_wide(const struct fqdn_table *table, const struct fqdn_name *names, unsigned n,
	struct fqdn_aim *aims)
{
	fqdn_aim_plain(table, names, n, aims);
}

uint64_t fqdn_scan_wide(const struct fqdn_table *table, unsigned n, const struct fqdn_aim *aims)
{
	return fqdn_scan_plain(table, n, aims);
}
#endif

void fqdn_aim_single(const struct fqdn_table *table, const struct fqdn_name *names, unsigned n,
	struct fqdn_aim *aims)
{
	aim(table, names, n, 1, aims, hash_last_one);
}

void fqdn_lookup_aim(const struct fqdn_table *table, const struct fqdn_name *names, unsigned n,
	struct fqdn_aim *aims)
{
	if (cpu_is_wide())
		fqdn_aim_wide(table, names, n, aims);
	else
		fqdn_aim_plain(table, names, n, aims);
}

uint64_t fqdn_scan(const struct fqdn_table *table, unsigned n, const struct fqdn_aim *aims)
{
	return cpu_is_wide() ? fqdn_scan_wide(table, n, aims) : fqdn_scan_plain(table, n, aims);
}
