/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "dns/dns_known.h"

#include <limits.h>

#define POINTED_MAX  0x4000u
#define LABELS(from) ((from)&255)
#define OCTETS(from) ((from) >> 8 & 255)
#define HOPS(from)   ((from) >> 16 & 255)
#define STRIDE       4 // of a run's labels every so many are kept; a name finds one of them soon

// A name while it is read, up to where something is known of the rest.
struct walk {
	uint32_t at;      // where it has come to
	uint32_t octets;  // of labels
	unsigned n, hops; // labels and pointers met
	int occupied;     // at the name's place
	uint32_t from;    // what is known of the rest; 0: nothing, the root was met
	uint16_t to;      // where the pointer behind that leads to; 0: none
	uint16_t place[DNS_LABELS_MAX + 1]; // of labels; the last one is for one too many
	// Runs of labels up to a pointer or the root: where they start, and what was met before.
	struct run {
		uint16_t at;
		uint8_t n, octets;
	} run[DNS_HOPS_MAX + 1];
};

static inline unsigned walk_work(const struct walk *walk)
{
	return DNS_WORK_LABEL * walk->n + DNS_WORK_HOP * walk->hops;
}

// Whether something is known from a label on that holds in a run that starts at start, too: a pointer
// must lead to before the run that it ends.
static inline bool is_known(const struct dns_known *known, uint32_t at, uint32_t start)
{
	return known->from[at] && known->to[at] < start;
}

// Labels up to a root label, a pointer, the end, or one that something is known of.
static inline void run_walk(const struct dns_known *known, const uint8_t *msg, uint32_t end,
	struct walk *walk, bool look)
{
	const uint32_t start = walk->at;
	uint32_t at = start;
	unsigned n = walk->n;
	uint8_t c;

	for (; at < end && (uint8_t)((c = msg[at]) - 1) < DNS_LABEL_SIZE_MAX; at += c + 1u) {
		if (look && is_known(known, at, start))
			break;
		walk->place[n++] = (uint16_t)at;
	}
	walk->at = at;
	walk->n = n;
}

enum walked {
	WALKED,
	WALKED_BAD,  // the name cannot be read
	WALKED_OVER, // it takes more than the names of this message may
};

// @param most work that it may take
static enum walked name_walk(const struct dns_known *known, const uint8_t *msg, uint32_t size,
	uint32_t off, unsigned most, struct walk *walk)
{
	walk->at = off;
	walk->octets = walk->n = walk->hops = walk->from = 0;
	for (;;) {
		bool look = walk->hops > 0 && known->n_names > 0;
		uint32_t start = walk->at, to;
		// Behind it there is no room for the root, in the message or in a name.
		uint32_t end = start + DNS_NAME_SIZE_MAX - walk->octets;

		end = end < size ? end : size;
		walk->run[walk->hops] =
			(struct run){(uint16_t)start, (uint8_t)walk->n, (uint8_t)walk->octets};
		if (look)
			run_walk(known, msg, end, walk, true);
		else
			run_walk(known, msg, end, walk, false);
		if (walk->at >= end)
			return WALKED_BAD;
		walk->octets += walk->at - start;
		walk->from = look && is_known(known, walk->at, start) ? known->from[walk->at] : 0;
		if (walk->from || msg[walk->at] == 0)
			break;
		if (msg[walk->at] < 0xc0 || size - walk->at < 2)
			return WALKED_BAD;
		if (walk->hops++ == 0)
			walk->occupied = (int)(walk->at - off) + 2;
		to = load_be16(msg + walk->at) & 0x3fff;
		if (to >= start || to < DNS_HEADER_SIZE || walk->hops > DNS_HOPS_MAX)
			return WALKED_BAD;
		if (walk_work(walk) > most)
			return WALKED_OVER;
		walk->at = to;
	}
	if (walk->hops == 0)
		walk->occupied = (int)(walk->at - off) + 1;
	walk->to = walk->from ? known->to[walk->at] : 0;
	return WALKED;
}

// In lines, so that it takes as many stores as there are.
static void places_clear(struct dns_known *known, uint32_t size)
{
	const unsigned line = 64 / sizeof(known->from[0]);

	for (uint32_t i = 0; i < POINTED_MAX && i < size; i += line)
		memset(&known->from[i], 0, 64);
}

// All labels of a name that was walked.
static void places_get(const struct dns_known *known, const struct walk *walk, uint16_t *places)
{
	unsigned rest = LABELS(walk->from), name = (walk->from >> 24) - 1;

	memcpy(places, walk->place, walk->n * sizeof(*places));
	if (rest > 0)
		memcpy(places + walk->n,
			known->places[name] + dns_ends_labels(known->ends[name]) - rest,
			rest * sizeof(*places));
}

// Keep what was found out from some of a name's labels on, and from where each run starts.
static __attribute__((noinline)) void name_keep(struct dns_known *known, uint32_t size,
	const struct walk *walk, uint32_t whole, uint64_t ends)
{
	if (known->n_names == 0)
		places_clear(known, size);
	known->ends[known->n_names] = ends;
	places_get(known, walk, known->places[known->n_names]);
	whole |= ++known->n_names << 24;
	for (unsigned i = 0; i <= walk->hops; i++) {
		unsigned n = walk->run[i].n, last = i < walk->hops ? walk->run[i + 1].n : walk->n;
		uint32_t start = walk->run[i].at, from;
		uint16_t to = i < walk->hops ? walk->run[i + 1].at : walk->to;

		// Pointers to pointers are counted like labels.
		if ((n == last && i % STRIDE != 0) || start >= POINTED_MAX)
			continue;
		from = whole - (i << 16) - ((uint32_t)walk->run[i].octets << 8);
		if (!known->from[start]) {
			known->from[start] = from - n;
			known->to[start] = to;
		}
		for (n += STRIDE; n < last && walk->place[n] < POINTED_MAX; n += STRIDE) {
			uint16_t at = walk->place[n];

			known->from[at] = from - n - ((at - start) << 8);
			known->to[at] = to;
		}
	}
}

// The last three labels of a name, as in struct dns_run.
static inline uint64_t walk_last(const struct dns_known *known, const struct walk *walk)
{
	unsigned rest = LABELS(walk->from);
	uint64_t last;

	if (rest >= 3)
		return known->ends[(walk->from >> 24) - 1] >> 16;
	// Those of the name itself; what there is not is any number.
	if (walk->n >= 3)
		last = walk->place[walk->n - 3] | (uint64_t)walk->place[walk->n - 2] << 16 |
		       (uint64_t)walk->place[walk->n - 1] << 32;
	else
		last = walk->n == 0 ? 0
		       : walk->n == 1
			       ? (uint64_t)walk->place[0] << 32
			       : (uint64_t)walk->place[0] << 16 | (uint64_t)walk->place[1] << 32;
	if (rest > 0) {
		unsigned bits = 16 * rest;
		uint64_t theirs = known->ends[(walk->from >> 24) - 1] >> 16;

		last = last >> bits | (theirs >> (48 - bits) << (48 - bits));
	}
	return last;
}

// A name that is long in some way, or wrong.
static __attribute__((noinline)) uint64_t long_read(
	struct dns_known *known, const uint8_t *msg, uint32_t size, uint32_t off)
{
	unsigned labels, octets, hops, work;
	enum walked walked;
	struct walk walk;
	uint64_t ends;

	walked = name_walk(known, msg, size, off, known->most - known->work, &walk);
	if (walked == WALKED_OVER)
		return 0;
	labels = walk.n + LABELS(walk.from);
	octets = walk.octets + (walk.from ? OCTETS(walk.from) : 1);
	hops = walk.hops + HOPS(walk.from);
	work = walk_work(&walk);
	known->work += DNS_WORK_LONG + work;
	// What is wrong is told by the one way that counts. A message may go on behind it.
	if (walked == WALKED_BAD || octets > DNS_NAME_SIZE_MAX || hops > DNS_HOPS_MAX) {
		known->work += work + 2 * DNS_WORK_LABEL * LABELS(walk.from) +
			       DNS_WORK_HOP * HOPS(walk.from);
		return dns_msg_ends_read(msg, size, off);
	}
	ends = walk_last(known, &walk) << 16 | labels << 9 | (unsigned)walk.occupied;
	if (work > DNS_KNOWN_DEPTH && known->n_names < DNS_KNOWN_NAMES)
		name_keep(known, size, &walk, labels | octets << 8 | hops << 16, ends);
	return ends;
}

uint64_t dns_known_read(struct dns_known *known, const uint8_t *msg, uint32_t size, uint32_t off)
{
	uint32_t at = off, start = off; // of the run
	unsigned n = 0, hops = 0, octets = 0, occupied = 0;
	uint64_t last = 0;

	if (known->work > known->most)
		return 0;
	// Nearly all names are read here, without anything that goes through memory.
	while (at < size) {
		uint8_t c = msg[at];

		if (n < DNS_KNOWN_LABELS && (uint8_t)(c - 1) < DNS_LABEL_SIZE_MAX) {
			last = last >> 16 | (uint64_t)at << 32;
			n++;
			at += c + 1u;
			continue;
		}
		octets += at - start;
		if (c == 0 && octets < DNS_NAME_SIZE_MAX) {
			occupied = hops ? occupied : at - off + 1;
			known->work += n + hops;
			return last << 16 | n << 9 | occupied;
		}
		if (c < 0xc0 || hops == DNS_KNOWN_HOPS || size - at < 2)
			break;
		occupied = hops++ ? occupied : at - off + 2;
		at = load_be16(msg + at) & 0x3fff;
		if (at >= start || at < DNS_HEADER_SIZE)
			break;
		start = at;
	}
	return long_read(known, msg, size, off);
}

bool dns_known_labels(const struct dns_known *known, const uint8_t *msg, uint32_t size,
	uint32_t off, struct dns_labels *labels)
{
	struct walk walk;
	unsigned octets;

	if (name_walk(known, msg, size, off, UINT_MAX, &walk) != WALKED)
		return dns_msg_labels_read(msg, size, off, labels) > 0;
	octets = walk.octets + (walk.from ? OCTETS(walk.from) : 1);
	if (octets > DNS_NAME_SIZE_MAX)
		return false;
	places_get(known, &walk, labels->at);
	labels->msg = msg;
	labels->msg_size = (uint16_t)size;
	labels->n = (uint8_t)(walk.n + LABELS(walk.from));
	labels->size = (uint8_t)octets;
	return true;
}
