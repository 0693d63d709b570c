/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "dns/dns_known.h"

#define POINTED_MAX  0x4000u // where a pointer may lead to
#define LABELS(from) ((from)&255)
#define OCTETS(from) ((from) >> 8 & 255)
#define HOPS(from)   ((from) >> 16 & 255)
#define STRIDE       8 // of labels and runs every so many are kept; a name finds one of them soon

// A name while it is read, up to where something is known of the rest.
struct walk {
	unsigned n, hops; // labels and pointers met
	uint32_t octets;  // of labels
	int occupied;     // at the name's place
	uint32_t from;    // what is known of the rest; 0: nothing, the root was met
	uint16_t place[DNS_LABELS_MAX + 1]; // of labels; the last one is for one too many
	// Runs of labels up to a pointer or the root: where they start, how many labels were met before,
	// and how many octets a name has left. Behind them where the last one's pointer leads to, 0 for
	// none, and the number of all labels.
	uint32_t run_at[DNS_HOPS_MAX + 2];
	uint8_t run_n[DNS_HOPS_MAX + 2], run_left[DNS_HOPS_MAX + 2];
};

static inline unsigned walk_work(const struct walk *walk)
{
	return DNS_WORK_LABEL * walk->n + DNS_WORK_HOP * walk->hops;
}

static inline bool is_label(unsigned c)
{
	return c - 1 < DNS_LABEL_SIZE_MAX;
}

// Whether something is known from a label on that holds in a run that starts at start, too: a pointer
// must lead to before the run that it ends.
static inline bool is_known(const struct dns_known *known, size_t at, size_t start)
{
	return known->from[at] && known->to[at] < start;
}

enum walked {
	WALKED,
	WALKED_BAD,  // the name cannot be read
	WALKED_OVER, // it takes more than the names of this message may
};

// The dear part of dear messages: a label and a pointer in turn.
//
// @param most pointers that may be followed, 0..DNS_HOPS_MAX
// @param look whether anything is known of the message
static inline __attribute__((always_inline)) enum walked runs_walk(const struct dns_known *known,
	const uint8_t *msg, uint32_t size, uint32_t off, unsigned most, bool look,
	struct walk *walk)
{
	// Where the name has no room for a root any more, and where the message has none for a pointer.
	size_t at = off, limit = off + DNS_NAME_SIZE_MAX, last = size - 1;
	size_t end = limit < last ? limit : last;
	// A pointer leads to before its run, and not into the header.
	size_t start = off - DNS_HEADER_SIZE;
	size_t n = 0, hops = 0;
	enum walked walked = WALKED;
	uint32_t from = 0;
	unsigned c = msg[at < end ? at : last];

	walk->run_at[0] = off;
	walk->run_n[0] = 0;
	walk->run_left[0] = DNS_NAME_SIZE_MAX;
	while (at < end && is_label(c)) {
		walk->place[n++] = (uint16_t)at;
		at += c + 1;
		c = msg[at < end ? at : last];
	}
	walk->occupied = (int)(at - off) + 2;
	while (at < end && c >= 0xc0) {
		size_t to = load_be16(msg + at) & 0x3fffu;

		if (to - DNS_HEADER_SIZE >= start) {
			walked = WALKED_BAD;
			break;
		}
		if (hops == most) {
			walked = most < DNS_HOPS_MAX ? WALKED_OVER : WALKED_BAD;
			break;
		}
		start = to - DNS_HEADER_SIZE;
		hops++;
		limit -= at;
		walk->run_at[hops] = (uint32_t)to;
		walk->run_n[hops] = (uint8_t)n;
		walk->run_left[hops] = (uint8_t)limit;
		limit += to;
		end = limit < last ? limit : last;
		at = to;
		if (look && is_known(known, at, to)) {
			from = known->from[at];
			break;
		}
		// There is an octet, as a pointer stands behind it and the name has room for a root.
		for (c = msg[at]; is_label(c); c = msg[at]) {
			walk->place[n++] = (uint16_t)at;
			at += c + 1;
			if (at >= end)
				break;
			if (look && msg[at] < 0xc0 && is_known(known, at, to)) {
				from = known->from[at];
				break;
			}
		}
		if (look && from)
			break;
	}
	walk->n = (unsigned)n;
	walk->hops = (unsigned)hops;
	walk->from = from;
	if (walked != WALKED)
		return walked;
	// The root may be the last octet of the message.
	if (!from && (at >= limit || at >= size || msg[at] != 0))
		return WALKED_BAD;
	walk->octets = (uint32_t)(DNS_NAME_SIZE_MAX - (limit - at));
	walk->occupied -= hops == 0;
	walk->run_at[hops + 1] = from ? known->to[at] : 0;
	walk->run_n[hops + 1] = (uint8_t)n;
	return WALKED;
}

// In functions of their own, so that the loop has all registers.
static __attribute__((noinline)) enum walked first_walk(
	const uint8_t *msg, uint32_t size, uint32_t off, unsigned most, struct walk *walk)
{
	return runs_walk(NULL, msg, size, off, most, false, walk);
}

static __attribute__((noinline)) enum walked next_walk(const struct dns_known *known,
	const uint8_t *msg, uint32_t size, uint32_t off, unsigned most, struct walk *walk)
{
	return runs_walk(known, msg, size, off, most, true, walk);
}

static inline enum walked name_walk(const struct dns_known *known, const uint8_t *msg,
	uint32_t size, uint32_t off, unsigned most, struct walk *walk)
{
	return known->n_names > 0 ? next_walk(known, msg, size, off, most, walk)
				  : first_walk(msg, size, off, most, walk);
}

// In lines, so that it takes as many stores as there are.
static void places_clear(struct dns_known *known, uint32_t size)
{
	const unsigned line = 64 / sizeof(known->from[0]);

	for (uint32_t i = 0; i < DNS_KNOWN_PLACES && i < size; i += line)
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

// Keep what was found out from where a run starts.
static inline void run_keep(
	struct dns_known *known, const struct walk *walk, uint32_t whole, unsigned i)
{
	uint32_t at = walk->run_at[i];

	if (at >= POINTED_MAX)
		return;
	known->from[at] = whole - (i << 16) -
			  ((DNS_NAME_SIZE_MAX - (uint32_t)walk->run_left[i]) << 8) - walk->run_n[i];
	known->to[at] = (uint16_t)walk->run_at[i + 1];
}

// The same from some labels of a run on.
static void labels_keep(
	struct dns_known *known, const struct walk *walk, uint32_t whole, unsigned i)
{
	uint32_t start = walk->run_at[i];

	whole -= (i << 16) + ((DNS_NAME_SIZE_MAX - (uint32_t)walk->run_left[i]) << 8);
	for (unsigned n = walk->run_n[i] + STRIDE; n < walk->run_n[i + 1]; n += STRIDE) {
		uint32_t at = walk->place[n];

		if (at >= POINTED_MAX)
			return;
		known->from[at] = whole - ((at - start) << 8) - n;
		known->to[at] = (uint16_t)walk->run_at[i + 1];
	}
}

// Keep what was found out from some of a name's labels and pointers on.
static __attribute__((noinline)) void name_keep(struct dns_known *known, uint32_t size,
	const struct walk *walk, uint32_t whole, uint64_t ends)
{
	if (known->n_names == 0)
		places_clear(known, size);
	known->ends[known->n_names] = ends;
	places_get(known, walk, known->places[known->n_names]);
	whole |= ++known->n_names << 24;
	for (unsigned i = 0; i <= walk->hops; i += STRIDE) {
		unsigned end = i + STRIDE < walk->hops + 1 ? i + STRIDE : walk->hops + 1;

		run_keep(known, walk, whole, i);
		if (walk->run_n[end] - walk->run_n[i] <= 2 * STRIDE)
			continue;
		for (unsigned j = i; j < end; j++)
			labels_keep(known, walk, whole, j);
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

// What names may take is left for so many pointers of a name.
static inline unsigned hops_left(const struct dns_known *known)
{
	unsigned hops = (known->most - known->work) / DNS_WORK_HOP;

	return hops < DNS_HOPS_MAX ? hops : DNS_HOPS_MAX;
}

// A name that is long in some way, or wrong.
static __attribute__((noinline)) uint64_t long_read(
	struct dns_known *known, const uint8_t *msg, uint32_t size, uint32_t off)
{
	unsigned labels, octets, hops, work;
	enum walked walked;
	struct walk walk;
	uint64_t ends;

	walked = name_walk(known, msg, size, off, hops_left(known), &walk);
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
	unsigned hops = 0;
	uint64_t ends;

	if (known->work > known->most)
		return 0;
	// Nearly all names are read here, without anything that goes through memory.
	ends = dns_ends_quick(msg, size, off, &hops);
	if (ends == 0)
		return long_read(known, msg, size, off);
	known->work += DNS_WORK_LABEL * dns_ends_labels(ends) + DNS_WORK_HOP * hops;
	return ends;
}

bool dns_known_labels(struct dns_known *known, const uint8_t *msg, uint32_t size, uint32_t off,
	struct dns_labels *labels)
{
	struct walk walk;
	unsigned octets;

	// Nearly all that are asked for are kept from where they start.
	if (known->n_names > 0 && off < POINTED_MAX && is_known(known, off, off)) {
		walk.n = walk.hops = walk.octets = 0;
		walk.from = known->from[off];
	} else if (name_walk(known, msg, size, off, DNS_HOPS_MAX, &walk) != WALKED) {
		return dns_msg_labels_read(msg, size, off, labels) > 0;
	}
	known->work += DNS_WORK_LABELS + walk_work(&walk);
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
