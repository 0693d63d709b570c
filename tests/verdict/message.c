/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/message.h"

#include <string.h>

#include "support/random.h"

#define TYPE_A       1
#define TYPE_CNAME   5
#define TYPE_TXT     16
#define TYPE_DNAME   39
#define POINTERS_MAX 126

static void put16(struct message *m, unsigned value)
{
	m->frame[m->size++] = (uint8_t)(value >> 8);
	m->frame[m->size++] = (uint8_t)value;
}

static void set16(struct message *m, unsigned at, unsigned value)
{
	m->frame[at] = (uint8_t)(value >> 8);
	m->frame[at + 1] = (uint8_t)value;
}

// Where the next octet stands in the DNS message.
static unsigned here(const struct message *m)
{
	return m->size - FRAME_HEADERS;
}

static void put_labels(struct message *m, const struct name *name, unsigned first, unsigned end)
{
	memcpy(m->frame + m->size, name->wire + name->at[first], name->at[end] - name->at[first]);
	m->size += name->at[end] - name->at[first];
}

static void put_pointer(struct message *m, unsigned to)
{
	put16(m, 0xc000 | to);
}

// Where a name is cut, and what is written in its place there: labels up to the first cut, and a
// pointer to where the rest stands.
struct pieces {
	unsigned first; // labels before the pointer
	unsigned rest;  // place of the rest; 0: the name is in one piece
};

// Write all but the first labels of a name, piece by piece from its end, each piece ending with a
// pointer to the one before. A cut may stand at any label, at the root too.
static struct pieces put_pieces(struct message *m, const struct name *name, uint64_t *random)
{
	struct pieces pieces = {name->n, 0};
	// One cut somewhere, or cuts everywhere, or each by chance. A name may be read over 127
	// pointers, and the record behind has one that leads to the first of these.
	uint32_t how = random_below(random, 4);
	unsigned only = random_below(random, name->n + 1u), end = name->n;

	for (unsigned cut = name->n + 1u; cut-- > 0;) {
		bool cut_here = how == 0   ? cut < POINTERS_MAX
				: how == 1 ? random_below(random, 2) && cut < POINTERS_MAX
					   : cut == only;

		if (!cut_here)
			continue;
		unsigned at = here(m);

		put_labels(m, name, cut, end);
		if (pieces.rest)
			put_pointer(m, pieces.rest);
		else
			m->frame[m->size++] = 0;
		pieces = (struct pieces){cut, at};
		end = cut;
	}
	return pieces;
}

static void put_name(struct message *m, const struct name *name, struct pieces pieces)
{
	put_labels(m, name, 0, pieces.first);
	if (pieces.rest)
		put_pointer(m, pieces.rest);
	else
		m->frame[m->size++] = 0;
}

static void put_question(struct message *m, const struct name *name, struct pieces pieces)
{
	put_name(m, name, pieces);
	put16(m, TYPE_A);
	put16(m, 1);
	set16(m, FRAME_HEADERS + 4, m->frame[FRAME_HEADERS + 5] + 1u);
}

// A record up to RDLENGTH, its owner written by the caller. @return where RDLENGTH stands
static unsigned put_record(struct message *m, unsigned type)
{
	put16(m, type);
	put16(m, 1);
	put16(m, 0);
	put16(m, 300);
	put16(m, 0);
	set16(m, FRAME_HEADERS + 6, m->frame[FRAME_HEADERS + 7] + 1u);
	return m->size - 2;
}

static void end_record(struct message *m, unsigned length_at)
{
	set16(m, length_at, m->size - length_at - 2);
}

static void put_address(struct message *m)
{
	unsigned length = put_record(m, TYPE_A);

	m->address_at = m->size;
	memcpy(m->frame + m->size, "\xcb\x00\x71\x09", 4);
	m->size += 4;
	end_record(m, length);
}

// An alias that leads from the name at a place to another one. @return place of the target
static unsigned put_alias(struct message *m, unsigned owner, const struct name *target,
	struct pieces pieces, uint64_t *random)
{
	unsigned length, at;

	put_pointer(m, owner);
	length = put_record(m, random_below(random, 8) ? TYPE_CNAME : TYPE_DNAME);
	at = here(m);
	put_name(m, target, pieces);
	end_record(m, length);
	return at;
}

// A record of a type that nobody looks into, with the pieces of names in it.
static void put_hoard(
	struct message *m, unsigned first, struct pieces pieces[MESSAGE_NAMES], uint64_t *random)
{
	unsigned length;

	put_pointer(m, 12);
	length = put_record(m, TYPE_TXT);
	for (unsigned i = first; i < m->n_names; i++)
		pieces[i] = put_pieces(m, &m->names[i], random);
	end_record(m, length);
}

static struct pieces whole(const struct name *name)
{
	return (struct pieces){name->n, 0};
}

// Two questions, the second one ending in the first, which becomes names[0].
static void questions_make(struct message *m, uint64_t *random)
{
	struct name last = m->names[0];
	unsigned cut = random_below(random, last.n);

	name_clear(&m->names[0]);
	name_add_labels(&m->names[0], &last, cut, last.n);
	m->names[1] = last;
	m->n_names = 2;
	put_question(m, &m->names[0], whole(&m->names[0]));
	put_question(m, &last, (struct pieces){cut, 12});
	put_pointer(m, 12);
	put_address(m);
}

// Another name is asked for; ours is an owner, or what an alias leads to.
static void answer_make(struct message *m, uint64_t *random)
{
	struct pieces pieces[MESSAGE_NAMES];
	struct name ours = m->names[0];
	bool owner = random_below(random, 2);

	name_from(&m->names[0], "www.asked.for.invalid");
	m->names[1] = ours;
	m->n_names = 2;
	pieces[1] = whole(&ours);
	put_question(m, &m->names[0], whole(&m->names[0]));
	if (random_below(random, 4))
		put_hoard(m, 1, pieces, random);
	if (owner) {
		put_name(m, &ours, pieces[1]);
	} else {
		unsigned target = put_alias(m, 12, &ours, pieces[1], random);

		// An address without the alias before it counts too.
		put_pointer(m, random_below(random, 4) ? target : 12);
	}
	put_address(m);
}

// A question and a chain of aliases, all of them names to be judged.
static void chain_make(struct message *m, uint64_t *random)
{
	struct pieces pieces[MESSAGE_NAMES];
	unsigned owner = 12;

	for (unsigned i = 0; i < m->n_names; i++)
		pieces[i] = whole(&m->names[i]);
	put_question(m, &m->names[0], pieces[0]);
	if (random_below(random, 4))
		put_hoard(m, 1, pieces, random);
	for (unsigned i = 1; i < m->n_names; i++)
		owner = put_alias(m, owner, &m->names[i], pieces[i], random);
	put_pointer(m, owner);
	put_address(m);
}

void message_init(struct message *m)
{
	static const uint8_t headers[FRAME_HEADERS] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0,
		0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 53, 198, 51, 100, 7, 0, 53,
		0x9c, 0x40};

	memcpy(m->frame, headers, sizeof(headers));
}

void message_make(struct message *m, uint64_t *random)
{
	static const uint8_t header[12] = {0, 1, 0x81, 0x80};
	uint32_t shape = random_below(random, 8);

	memcpy(m->frame + FRAME_HEADERS, header, sizeof(header));
	m->size = FRAME_HEADERS + sizeof(header);
	if (m->n_names > 1) {
		chain_make(m, random);
	} else if (shape < 3) {
		put_question(m, &m->names[0], whole(&m->names[0]));
		put_pointer(m, 12);
		put_address(m);
	} else if (shape == 3) {
		questions_make(m, random);
	} else {
		answer_make(m, random);
	}
	set16(m, 16, m->size - 14);
	set16(m, 38, m->size - 34);
}

bool message_name(const uint8_t *msg, unsigned size, unsigned at, struct name *name)
{
	name_clear(name);
	for (unsigned steps = 0; steps < 256 && at + 1 < size; steps++) {
		if (msg[at] == 0)
			return true;
		if (msg[at] >= 0xc0) {
			at = (msg[at] & 0x3fu) << 8 | msg[at + 1];
			continue;
		}
		if (at + 1 + msg[at] > size || !name_add(name, msg + at + 1, msg[at]))
			return false;
		at += msg[at] + 1u;
	}
	return false;
}
