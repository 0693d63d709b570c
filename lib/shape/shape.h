/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What a label looks like: without accents, in Latin letters where those of another script look
 * so, and as a key that look-alikes have in common.
 *
 * Layer:   lib/shape; ICU and libidn2.
 * Threads: any.
 * Source:  Unicode names of letters; UTS 39 s4 (skeletons of confusable text); RFC 3492 (Punycode).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Text of a label in UTF-8, its NUL among it: 63 characters of 4 octets. */
#define SHAPE_TEXT_SIZE 256

/**
 * Read a label as people see it.
 *
 * @param label wire form: its length, then as many octets; any case
 * @param text  [out] UTF-8, lower case; an A-label that cannot be decoded stays as it is
 * @return octets, NUL not counted
 */
size_t shape_text(const uint8_t *label, char text[SHAPE_TEXT_SIZE]);

/**
 * Replace what looks like Latin letters by these: letters with accents and other marks, small
 * capitals, and those of other scripts.
 *
 * @param text   UTF-8
 * @param folded [out] UTF-8; what looks like no Latin letter stays
 * @return octets, NUL not counted
 */
size_t shape_fold(const char *text, char folded[SHAPE_TEXT_SIZE]);

/**
 * The key that a text has in common with all that shape_alike() finds like it, and with others.
 *
 * @param text UTF-8
 * @param key  [out] UTF-8, not longer than what it is folded to; may be empty
 * @return octets, NUL not counted
 */
size_t shape_key(const char *text, char key[SHAPE_TEXT_SIZE]);

/**
 * Whether two texts look alike: one comes from the other if letters are taken for those that they
 * are folded to, and up to two kinds of letters in ASCII for others that look so ("m" for "rn").
 *
 * @param text  UTF-8, what is imitated
 * @param other UTF-8
 */
bool shape_alike(const char *text, const char *other);
