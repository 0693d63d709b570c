/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files about contacts share; for them and their tests.
 */
#include "base/bytes.h"
#include "store/store_contact.h"
#include "store_private.h"

#define STORE_CONTACT_KEY_MAX    (7 + 16 + STORE_CONTACT_NAME_MAX + 8)
#define STORE_CONTACT_VALUE_SIZE 12

/* ---- store_contact_row.c ---- */

/**
 * Write the row of a contact.
 *
 * @param ms  of the hour, when it was first
 * @param key [out] 8 octets for the chunk have room behind it
 * @return octets of the key, without the chunk
 */
size_t store_contact_row_make(const struct store_contact *contact, uint8_t hour, uint32_t ms,
	uint8_t key[STORE_CONTACT_KEY_MAX], uint8_t value[STORE_CONTACT_VALUE_SIZE]);

/** Read a key. @param name [out] what contact->name is @return whether it is one */
bool store_contact_key_read(const uint8_t *key, size_t size, struct store_contact *contact,
	char name[STORE_CONTACT_NAME_MAX + 1]);

/** Read a value: times, number, port of the client. @return whether it is one */
bool store_contact_value_read(
	const uint8_t *value, size_t size, int64_t hour_ms, struct store_contact *contact);

/* ---- store_contact.c ---- */

/** Takes a contact, borrowed. @return 0, or what the walk shall end with */
typedef int (*store_contact_take)(void *ctx, const struct store_contact *contact);

/** Contacts of a day that meet the question but for the id. @return 0 or -errno, logged */
int store_contact_walk(struct store *store, uint16_t day,
	const struct store_contact_question *question, store_contact_take take, void *ctx);

/* ---- store_words.c ---- */

/** Texts, each of them once; equal ones have the same number. */
struct store_words {
	char *text; /**< of word W: text + W; word 0 is "" */
	size_t used, room;
	uint32_t *slots; /**< 0: free */
	size_t n, n_slots;
};

#define STORE_WORD_NONE UINT32_MAX

/** @return the number of a word, STORE_WORD_NONE without memory */
uint32_t store_words_add(struct store_words *words, const char *text);
void store_words_free(struct store_words *words);

/* ---- store_pile.c ---- */

/** Things of one size, of which those alike are made one when they are too many. */
struct store_pile {
	char *at;
	size_t n, room, size;
	/** Order; 0: alike. */
	int (*compare)(const void *a, const void *b);
	/** Put what @p from has into @p into, which is alike. */
	void (*merge)(void *into, const void *from);
};

/** Take a copy of a thing. @return 0 or -ENOMEM */
int store_pile_add(struct store_pile *pile, const void *thing);

/** Put them in order, and make those alike one. */
void store_pile_fold(struct store_pile *pile);
