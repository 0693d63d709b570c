/* SPDX-License-Identifier: BSD-3-Clause */
#include "anon/anon_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int keyed_create(struct anon *anon, const char *key_file, char *error, size_t size)
{
	uint8_t key[ANON_KEY_SIZE];
	int err = anon_key_read(key_file, key, error, size);

	if (err == 0 && anon->mode == ANON_IPCRYPT_PFX && memcmp(key, key + 16, 16) == 0) {
		// The two halves would cancel each other out: every address would stay as it is.
		snprintf(error, size,
			"%s: expected two halves that differ (ipcrypt-pfx), got the same twice",
			key_file);
		err = -EINVAL;
	} else if (err == 0) {
		err = anon_bits_create(anon, key);
		if (err < 0)
			snprintf(error, size, "AES of OpenSSL: %s", strerror(-err));
	}
	explicit_bzero(key, sizeof(key));
	return err;
}

struct anon *anon_create(
	const struct anon_config *config, const char *key_file, char *error, size_t size)
{
	struct anon *anon = calloc(1, sizeof(*anon));
	int err = 0;

	if (!anon) {
		snprintf(error, size, "%s", strerror(ENOMEM));
		return NULL;
	}
	anon->mode = config->mode;
	anon->ipv4_bits = anon_bits(config, ADDR_IPV4);
	anon->ipv6_bits = anon_bits(config, ADDR_IPV6);
	if (anon_mode_keyed(anon->mode)) {
		err = keyed_create(anon, key_file, error, size);
	} else if (anon->mode == ANON_PSEUDONYM) {
		anon->daily = anon_daily_create();
		if (!anon->daily) {
			err = -errno;
			snprintf(error, size,
				"memory for the key of the day, kept out of swap space and core "
				"dumps: %s",
				strerror(errno));
		}
	}
	if (err < 0) {
		anon_destroy(anon);
		return NULL;
	}
	return anon;
}

void anon_destroy(struct anon *anon)
{
	if (!anon)
		return;
	anon_bits_destroy(anon);
	anon_daily_destroy(anon->daily);
	explicit_bzero(anon, sizeof(*anon));
	free(anon);
}

int anon_set_day(struct anon *anon, uint16_t day)
{
	int err;

	if (anon->mode != ANON_PSEUDONYM || (anon->day_known && anon->day == day))
		return 0;
	err = anon_daily_renew(anon->daily);
	anon->day = day;
	anon->day_known = err == 0;
	return err;
}

static void truncate_burst(
	const struct anon *anon, const struct addr *in, struct prefix *out, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint8_t bits = anon_kept(anon, in[i].family);

		anon_store(out[i].addr.bytes, anon_load(in[i].bytes) & anon_mask(bits));
		out[i].addr.family = in[i].family;
		out[i].length = bits;
	}
}

void anon_burst(const struct anon *anon, const struct addr *in, struct prefix *out, unsigned n)
{
	if (anon->mode == ANON_TRUNCATE)
		truncate_burst(anon, in, out, n);
	else if (anon->mode == ANON_PSEUDONYM)
		anon_daily_burst(anon, in, out, n);
	else
		anon_bits_burst(anon, in, out, n);
}
