/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Daily dumps: which there are, and each of them, also from an octet on.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dump/dump.h"
#include "face.h"
#include "list/list.h"

#define PIECE (32 << 10)

static void list_write(struct http_request *request, const struct serve *serve)
{
	FILE *out = http_out(request);
	struct dump_entry *entries;
	int n = dump_list(serve->conf->pdns_store, &entries);
	char day[11];

	if (n < 0) {
		http_fail(request, 500, "the dumps cannot be read: %s", strerror(-n));
		return;
	}
	fputs("{\"files\":[", out);
	for (int i = 0; i < n; i++)
		fprintf(out, "%s{\"name\":\"%s\",\"day\":\"%s\",\"size\":%" PRIu64 "}",
			i ? "," : "", entries[i].name, list_day_format(entries[i].day, day),
			entries[i].size);
	fputs("]}\n", out);
	free(entries);
}

/** A file on its way out. */
struct sending {
	struct http_request *request;
	int fd;
	struct stat info;
	char tag[64];
	off_t from;
};

// "bytes=N-": the only range that is known, as those who go on ask for it. Others get all of it (RFC 9110 s14.2).
// Returns whether it can be met; else the request was answered.
static bool range_take(struct sending *sending)
{
	char text[64], condition[HTTP_HEAD_MAX], number[96], *end;
	unsigned long long from;

	if (!http_header(sending->request, "Range", text, sizeof(text)) ||
		strncmp(text, "bytes=", 6) != 0 || text[6] < '0' || text[6] > '9')
		return true;
	// What is there now may be another one than what the reader has the begin of (RFC 9110 s13.1.5).
	if (http_header(sending->request, "If-Range", condition, sizeof(condition)) &&
		strcmp(condition, sending->tag) != 0)
		return true;
	from = strtoull(text + 6, &end, 10);
	if (strcmp(end, "-") != 0)
		return true;
	if (from >= (unsigned long long)sending->info.st_size) {
		snprintf(number, sizeof(number), "bytes */%lld", (long long)sending->info.st_size);
		http_header_add(sending->request, "Content-Range", number);
		http_fail(sending->request, 416, "Range: the file has %lld octets",
			(long long)sending->info.st_size);
		return false;
	}
	sending->from = (off_t)from;
	snprintf(number, sizeof(number), "bytes %llu-%lld/%lld", from,
		(long long)sending->info.st_size - 1, (long long)sending->info.st_size);
	http_header_add(sending->request, "Content-Range", number);
	http_begin(sending->request, 206, "application/gzip");
	return true;
}

static void octets_send(const struct sending *sending)
{
	FILE *out = http_out(sending->request);
	char piece[PIECE];
	off_t at = sending->from;
	ssize_t n = 1;

	while (n > 0 && at < sending->info.st_size && !ferror(out)) {
		n = pread(sending->fd, piece, sizeof(piece), at);
		if (n > 0)
			fwrite(piece, 1, (size_t)n, out);
		at += n;
	}
	if (n <= 0 && at < sending->info.st_size)
		http_fail(sending->request, 500, "the file cannot be read");
}

static void file_send(struct http_request *request, const struct serve *serve, const char *name)
{
	struct sending sending = {
		.request = request, .fd = dump_open(serve->conf->pdns_store, name)};

	if (sending.fd == -ENOENT) {
		http_fail(request, 404, "no such dump");
		return;
	}
	if (sending.fd < 0 || fstat(sending.fd, &sending.info) < 0) {
		http_fail(request, 500, "the dump cannot be read");
		if (sending.fd >= 0)
			close(sending.fd);
		return;
	}
	snprintf(sending.tag, sizeof(sending.tag), "\"%llx-%llx\"",
		(unsigned long long)sending.info.st_ino, (unsigned long long)sending.info.st_size);
	http_begin(request, 200, "application/gzip");
	http_header_add(request, "ETag", sending.tag);
	http_header_add(request, "Accept-Ranges", "bytes");
	if (range_take(&sending))
		octets_send(&sending);
	close(sending.fd);
}

void face_dumps(struct http_request *request, void *ctx)
{
	const struct serve *serve = ctx;
	const char *name = http_rest(request);

	if (!serve->pdns)
		http_fail(request, 404, "no passive DNS is kept here: [pdns] store is not set");
	else if (*name)
		file_send(request, serve, name);
	else
		list_write(request, serve);
}
