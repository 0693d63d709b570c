/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "stream/stream_frag_private.h"

#include <string.h>

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// Keyed: nobody outside can make trains that share a bucket.
static uint32_t key_bucket(const struct stream_frag *f, const struct frag_key *key)
{
	uint64_t word[6], hash;

	memcpy(word, key, sizeof(word));
	hash = fold(word[0] ^ f->seed[0], word[1] ^ f->seed[1]) +
	       fold(word[2] ^ f->seed[2], word[3] ^ f->seed[3]) +
	       fold(word[4] ^ f->seed[4], word[5] ^ f->seed[5]);
	return (uint32_t)(hash >> 32) & f->bucket_mask;
}

struct frag_train *frag_find(const struct stream_frag *f, const struct frag_key *key)
{
	for (uint32_t i = f->buckets[key_bucket(f, key)]; i; i = f->trains[i].chain)
		if (memcmp(&f->trains[i].key, key, sizeof(*key)) == 0)
			return &f->trains[i];
	return NULL;
}

static void age_append(struct stream_frag *f, struct frag_train *train)
{
	uint32_t i = (uint32_t)(train - f->trains);

	train->older = f->newest;
	train->newer = 0;
	if (f->newest)
		f->trains[f->newest].newer = i;
	else
		f->oldest = i;
	f->newest = i;
}

static void age_remove(struct stream_frag *f, const struct frag_train *train)
{
	if (train->older)
		f->trains[train->older].newer = train->newer;
	else
		f->oldest = train->newer;
	if (train->newer)
		f->trains[train->newer].older = train->older;
	else
		f->newest = train->older;
}

struct frag_train *frag_begin(struct stream_frag *f, const struct frag_key *key)
{
	struct frag_train *train;
	uint32_t *bucket;

	if (!f->free_train)
		frag_evict(f, REASON_fragment_limit);
	train = &f->trains[f->free_train];
	f->free_train = train->chain;
	train->key = *key;
	train->bucket = key_bucket(f, key);
	train->deadline = f->stream->now + f->hold_cycles;
	bucket = &f->buckets[train->bucket];
	train->chain = *bucket;
	*bucket = (uint32_t)(train - f->trains);
	age_append(f, train);
	return train;
}

void frag_forget(struct stream_frag *f, struct frag_train *train)
{
	uint32_t i = (uint32_t)(train - f->trains), *link = &f->buckets[train->bucket];

	while (*link != i)
		link = &f->trains[*link].chain;
	*link = train->chain;
	age_remove(f, train);
	// Units beyond the farthest piece are 0 already.
	memset(train->units, 0, (train->end + 511u) / 512 * sizeof(train->units[0]));
	memset(train, 0, offsetof(struct frag_train, units));
	train->chain = f->free_train;
	f->free_train = i;
}

void frag_hold(struct stream_frag *f, struct frag_train *train, const struct pkt_fragment *at,
	void *packet)
{
	uint32_t i = f->free_piece;
	struct frag_piece *piece = &f->pieces[i];

	f->free_piece = piece->next;
	*piece = (struct frag_piece){.packet = packet, .at = *at};
	if (train->tail)
		f->pieces[train->tail].next = i;
	else
		train->head = i;
	train->tail = i;
	if (at->offset == 0 && !train->first)
		train->first = i;
	train->n_pieces++;
	f->held++;
	stream_held(f->stream, 1);
}

void *frag_unhold(struct stream_frag *f, struct frag_train *train)
{
	uint32_t i = train->head;
	void *packet = f->pieces[i].packet;

	train->head = f->pieces[i].next;
	if (!train->head)
		train->tail = 0;
	f->pieces[i].next = f->free_piece;
	f->free_piece = i;
	f->held--;
	return packet;
}

void frag_release(struct stream_frag *f, struct frag_train *train, enum reason reason)
{
	if (train->changed)
		frag_drop(f, train, REASON_fragment_repeated);
	while (train->head)
		stream_send(f->stream, frag_unhold(f, train), reason);
}

void frag_drop(struct stream_frag *f, struct frag_train *train, enum reason reason)
{
	while (train->head)
		stream_drop(f->stream, frag_unhold(f, train), reason);
}

void frag_evict(struct stream_frag *f, enum reason reason)
{
	struct frag_train *train = &f->trains[f->oldest];

	frag_release(f, train, reason);
	frag_forget(f, train);
}
