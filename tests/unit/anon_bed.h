/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What tests of lib/anon share: keys, a folder for the key file, addresses.
 */
#include "anon/anon.h"
#include "support/folder.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PAN_KEY                                            \
	"1522178d33a4cf80130a5b1649907d10d8988f8379796527" \
	"62574c2d2a842202"
#define PFX_KEY_1 "0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301"
#define PFX_KEY_2 "2b7e151628aed2a6abf7158809cf4f3ca9f5ba40db214c3798f2e1c23456789a"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static char folder[] = "/tmp/test_anon_XXXXXX";
static char error[512];

static inline void bed_make(void)
{
	cr_assert(mkdtemp(folder));
}

static inline void bed_remove(void)
{
	folder_remove(folder);
}

static inline const char *key_write(const char *text, mode_t mode)
{
	static char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/key", folder);
	unlink(path);
	file = fopen(path, "w");
	cr_assert(file);
	fputs(text, file);
	fclose(file);
	cr_assert_eq(chmod(path, mode), 0);
	return path;
}

static inline struct anon *make_bits(enum anon_mode mode, const char *key, unsigned v4, unsigned v6)
{
	struct anon_config config = {mode, v4, v6};
	struct anon *anon =
		anon_create(&config, key ? key_write(key, 0600) : "", error, sizeof(error));

	cr_assert(anon, "%s", error);
	return anon;
}

static inline struct anon *make(enum anon_mode mode, const char *key)
{
	return make_bits(mode, key, ANON_BITS_AUTO, ANON_BITS_AUTO);
}

static inline struct addr addr_of(const char *text)
{
	struct addr addr;

	cr_assert_eq(addr_parse(text, &addr), 0, "%s", text);
	return addr;
}

static inline void random_addr(uint64_t *seed, uint8_t family, struct addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->family = family;
	for (unsigned i = 0; i < addr_size(family); i++)
		addr->bytes[i] = (uint8_t)random_next(seed);
}

/** The first @p bits of @p addr, bit by bit. */
static inline struct prefix slow_prefix(const struct addr *addr, unsigned bits)
{
	struct prefix out = {.addr.family = addr->family, .length = (uint8_t)bits};

	for (unsigned i = 0; i < bits; i++)
		out.addr.bytes[i / 8] |= addr->bytes[i / 8] & (uint8_t)(0x80 >> i % 8);
	return out;
}

static inline bool prefix_same(const struct prefix *a, const struct prefix *b)
{
	return a->length == b->length && a->addr.family == b->addr.family &&
	       memcmp(a->addr.bytes, b->addr.bytes, sizeof(a->addr.bytes)) == 0;
}
