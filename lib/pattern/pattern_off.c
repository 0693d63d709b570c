/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In the place of pattern_set.c and pattern_scan.c where the program is built without Hyperscan: no
 * expression is taken and no set can be made, so nobody gets as far as to use one.
 */
#include <errno.h>
#include <stdio.h>

#include "pattern/pattern_private.h"

static const char without[] = "this program was built without Hyperscan";

bool pattern_supported(void)
{
	return false;
}

const char *pattern_refusal(const char *expression, uint32_t flags, char error[PATTERN_ERROR_SIZE])
{
	return without;
}

struct pattern_set *pattern_builder_finish(
	const struct pattern_builder *builder, int64_t *at, char *error)
{
	*at = -1;
	snprintf(error, PATTERN_ERROR_SIZE, "%s", without);
	return NULL;
}

struct pattern_set *pattern_set_open(const void *book, int64_t *at, char *error)
{
	return pattern_builder_finish(NULL, at, error);
}

void pattern_set_free(struct pattern_set *set)
{
}

struct pattern_set *pattern_set_copy(const struct pattern_set *set, int node)
{
	errno = ENOTSUP;
	return NULL;
}

uint32_t pattern_set_count(const struct pattern_set *set)
{
	return 0;
}

void pattern_set_get(const struct pattern_set *set, uint32_t i, struct pattern *pattern)
{
}

size_t pattern_set_size(const struct pattern_set *set)
{
	return 0;
}

const void *pattern_set_book(const struct pattern_set *set, size_t *size)
{
	*size = 0;
	return NULL;
}

struct pattern_scan *pattern_scan_create(const struct pattern_set *set, int node)
{
	errno = ENOTSUP;
	return NULL;
}

void pattern_scan_free(struct pattern_scan *scan)
{
}

uint64_t pattern_match(struct pattern_scan *scan, const struct fqdn_table *names,
	const struct fqdn_name *each, unsigned n, struct fqdn_match *found, uint64_t hits,
	struct pattern_effort *effort)
{
	if (effort)
		effort->over = 0;
	return hits;
}

bool pattern_match_one(struct pattern_scan *scan, const struct fqdn_table *names,
	const struct dns_labels *name, struct fqdn_match *found, bool hit)
{
	return hit;
}

int pattern_match_each(
	struct pattern_scan *scan, const struct dns_labels *name, pattern_taker *take, void *ctx)
{
	return 0;
}
