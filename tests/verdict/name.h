/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Names as the verdict test makes, bends and writes them. Nothing here is shared with lib/dns or
 * lib/fqdn: a mistake there must not be repeated here.
 */
#include <stdbool.h>
#include <stdint.h>

#define NAME_LABELS    127
#define NAME_SIZE      255
#define NAME_TEXT_SIZE 1024

/** A name in wire form; always ends with the root label. */
struct name {
	uint8_t n;    /**< labels without the root */
	uint8_t size; /**< octets, root label included */
	uint8_t at[NAME_LABELS + 1]; /**< length octet of each label; at[n] is the root */
	uint8_t wire[NAME_SIZE + 1];
};

void name_clear(struct name *name);

/** Add a label at the end. @return false where it is empty or too long: the name is as it was */
bool name_add(struct name *name, const void *octets, unsigned size);

/** Add labels first..end-1 of another name. @return false where they do not fit */
bool name_add_labels(struct name *name, const struct name *from, unsigned first, unsigned end);

/** A name out of uncompressed wire form that is right. */
void name_read(struct name *name, const uint8_t *wire);

/** "www.example.com" without escapes, to begin with. */
void name_from(struct name *name, const char *plain);

/**
 * Canonical text: letters in lower case, every octet but letters, digits, "-" and "_" as \DDD, dots
 * between labels and nowhere else. Two names are the same if and only if their texts are.
 *
 * @param start [out] where the text of each label starts
 */
void name_text(const struct name *name, char text[NAME_TEXT_SIZE], uint16_t start[NAME_LABELS]);
