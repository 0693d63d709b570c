/* SPDX-License-Identifier: BSD-3-Clause */
#include "contact/contact.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <xxhash.h>

#define DAY_MS INT64_C(86400000)

static int line_take(const struct contact_sink *sink, struct contact_gather *gather,
	const char *line, size_t size, struct contact_counts *counts)
{
	char name[STORE_CONTACT_NAME_MAX + 1];
	struct store_contact contact;
	int64_t now = (int64_t)time(NULL) * 1000;

	counts->lines++;
	if (contact_line_parse(line, size, &contact, name) != 0) {
		counts->bad++;
		return 0;
	}
	if (contact.first_ms > now + DAY_MS || contact.first_ms < now - sink->days * DAY_MS) {
		counts->bad_time++;
		return 0;
	}
	if (sink->refuses(sink->ctx, &contact.client)) {
		counts->opted_out++;
		return 0;
	}
	return contact_gather_add(gather, &contact);
}

static void counts_add(struct contact_counts *to, const struct contact_counts *counts)
{
	to->lines += counts->lines;
	to->bad += counts->bad;
	to->bad_time += counts->bad_time;
	to->opted_out += counts->opted_out;
	to->stored += counts->stored;
	to->left_out += counts->left_out;
}

int contact_chunk_put(const struct contact_sink *sink, uint64_t chunk, const char *text,
	size_t size, struct contact_counts *counts)
{
	struct contact_gather *gather = contact_gather_create();
	struct contact_counts here = {0};
	struct store_contacts_done done = {0};
	const struct store_contact *contacts = NULL;
	int err = gather ? 0 : -ENOMEM;
	size_t n, line;

	for (size_t at = 0; at < size && err == 0; at += line + 1) {
		const char *end = memchr(text + at, '\n', size - at);

		line = end ? (size_t)(end - text) - at : size - at;
		if (line > 0)
			err = line_take(sink, gather, text + at, line, &here);
	}
	if (err == 0) {
		contacts = contact_gather_all(gather, &n);
		err = contacts ? 0 : -ENOMEM;
	}
	if (err == 0 && n > 0)
		err = sink->put(sink->ctx, chunk, contacts, n, &done);
	contact_gather_destroy(gather);
	if (err)
		return err;
	here.stored = done.stored;
	here.left_out = done.left_out;
	counts_add(counts, &here);
	return 0;
}

// Fills the room behind what is there. @return octets there are now, or -errno
static int64_t fill(int fd, char *text, size_t n)
{
	ssize_t got;

	while (n < CONTACT_CHUNK_MAX) {
		got = read(fd, text + n, CONTACT_CHUNK_MAX - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (int64_t)n;
}

int contact_file_put(const struct contact_sink *sink, int fd, struct contact_counts *counts)
{
	char *text = malloc(CONTACT_CHUNK_MAX);
	int64_t n = 0;
	size_t size;
	int err = text ? 0 : -ENOMEM;

	while (err == 0 && (n = fill(fd, text, (size_t)n)) > 0) {
		const char *end = memrchr(text, '\n', (size_t)n);

		// The last line may have no end; one that does not fit is none.
		size = end && n == CONTACT_CHUNK_MAX ? (size_t)(end - text) + 1 : (size_t)n;
		err = contact_chunk_put(sink, XXH3_64bits(text, size), text, size, counts);
		n -= (int64_t)size;
		memmove(text, text + size, (size_t)n);
	}
	free(text);
	return err ? err : n < 0 ? (int)n : 0;
}
