/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dnsweir-collect pdns import: files of three kinds, told apart by how they begin.
 */
#define XXH_INLINE_ALL
#include <errno.h>
#include <fstrm.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/block.h"
#include "base/bytes.h"
#include "base/log.h"
#include "pdns_app.h"
#include "serve.h"
#include "tap/tap.h"
#include "tap/tap_extra.h"

#define BUFFER_SIZE (1 << 16)

void pdns_import_progress(struct pdns_import *import)
{
	int64_t now = time(NULL);

	// What waits goes to the disk meanwhile, as it does with the collector.
	if (now == import->told_s)
		return;
	import->told_s = now;
	pdns_tick(import->pdns);
	if (import->terminal)
		fprintf(stderr, "\r%s: %" PRIu64 " read, %" PRIu64 " tuples\x1b[K", import->path,
			import->messages, import->tuples);
}

int pdns_import_cut(const struct pdns_import *import, const char *why)
{
	bool some = import->messages > 0;

	log_line(some ? LOG_WARN : LOG_ERROR, "%s: behind %" PRIu64 " read: %s%s", import->path,
		import->messages, why, some ? "; what was read is kept" : "");
	return some ? COLLECT_DONE : COLLECT_USAGE;
}

void pdns_import_message(
	struct pdns_import *import, struct pdns_answer *answer, const struct addr *client)
{
	uint8_t refused = 0;
	int n;

	if (import->consent && client && client->family != ADDR_NONE)
		refused = client->family == ADDR_IPV4
				  ? consent_lookup_ipv4(import->consent, client->bytes)
				  : consent_lookup_ipv6(import->consent, client->bytes);
	if (refused & CONSENT_NO_LOG) {
		import->opted_out++;
		return;
	}
	n = pdns_observe(import->pdns, answer);
	if (n < 0) {
		import->refused++;
		import->err = n == PDNS_E_ROOM ? -ENOSPC : import->err;
		return;
	}
	import->responses++;
	import->tuples += (uint64_t)n;
}

/* ---- dnstap ---------------------------------------------------------------------------------- */

static void frame_take(struct pdns_import *import, const uint8_t *frame, size_t size)
{
	struct tap_message message;
	struct pdns_answer answer;
	struct tap_extra extra;
	struct addr client;
	bool ours;

	import->messages++;
	if (tap_decode(frame, size, &message) < 0) {
		import->refused++;
		return;
	}
	ours = message.extra.data &&
	       tap_extra_read(message.extra.data, message.extra.size, &extra) == 0;
	// When a file was written nobody knows, so what has no time was seen at none.
	if (!serve_answer(&message, ours, &answer) || answer.time_s == 0) {
		import->refused++;
		return;
	}
	if (import->args->has_class)
		answer.class = import->args->class;
	// A box leaves out who refused, and has cut the addresses of the others.
	serve_client(&message, &client);
	pdns_import_message(import, &answer, ours ? NULL : &client);
}

int pdns_import_tap(struct pdns_import *import)
{
	struct fstrm_file_options *options = fstrm_file_options_init();
	struct fstrm_reader *reader;
	fstrm_res res = fstrm_res_failure;
	const uint8_t *frame;
	size_t size;

	fstrm_file_options_set_file_path(options, import->path);
	reader = fstrm_file_reader_init(options, NULL);
	fstrm_file_options_destroy(&options);
	if (reader)
		res = fstrm_reader_open(reader);
	while (res == fstrm_res_success && import->err == 0) {
		res = fstrm_reader_read(reader, &frame, &size);
		if (res == fstrm_res_success)
			frame_take(import, frame, size);
		pdns_import_progress(import);
	}
	fstrm_reader_destroy(&reader);
	if (res == fstrm_res_stop || import->err)
		return COLLECT_DONE;
	return pdns_import_cut(import, "expected dnstap frames up to a STOP");
}

/* ---- Common Output Format -------------------------------------------------------------------- */

// @p pdns NULL: it is only looked at
static int line_take(struct pdns_import *import, struct pdns *pdns, const char *line, size_t size)
{
	const char *why = "expected a JSON object";
	json_error_t error;
	json_t *object = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);
	int n = object ? pdns_cof_put(pdns, object, import->args->class, &why) : -EINVAL;

	json_decref(object);
	if (n == -EINVAL) {
		log_line(LOG_ERROR, "%s:%" PRIu64 ": %s", import->path, import->messages, why);
		return COLLECT_USAGE;
	}
	if (n < 0) {
		import->err = n;
		return COLLECT_FAILED;
	}
	import->responses++;
	import->tuples += (uint64_t)n;
	return COLLECT_DONE;
}

static int lines_take(struct pdns_import *import, struct pdns *pdns)
{
	FILE *file = fopen(import->path, "re");
	int err = file ? COLLECT_DONE : COLLECT_USAGE;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while (file && err == COLLECT_DONE && (n = getline(&line, &room, file)) >= 0) {
		import->messages++;
		if (line[strspn(line, " \t\r\n")] != '\0')
			err = line_take(import, pdns, line, (size_t)n);
		pdns_import_progress(import);
	}
	if (file && ferror(file)) {
		log_line(LOG_ERROR, "%s: %s", import->path, strerror(errno));
		err = COLLECT_FAILED;
	}
	free(line);
	if (file)
		fclose(file);
	return err;
}

// All lines or none: half of a file would count twice when it is mended.
int pdns_import_cof(struct pdns_import *import)
{
	int err = lines_take(import, NULL);

	if (err != COLLECT_DONE)
		return err;
	import->messages = import->responses = import->tuples = 0;
	return lines_take(import, import->pdns);
}

/* ---- files ----------------------------------------------------------------------------------- */

// Hash of a whole file, and how it begins. Returns 0 or -errno.
static int file_look(const char *path, uint8_t id[PDNS_IMPORT_ID], uint8_t begin[4])
{
	XXH3_state_t *state = XXH3_createState();
	FILE *file = fopen(path, "re");
	uint8_t *buffer = malloc(BUFFER_SIZE);
	int err = !file ? -errno : state && buffer ? 0 : -ENOMEM;
	XXH128_canonical_t hash;
	size_t n;

	memset(begin, 0, 4);
	if (err == 0) {
		XXH3_128bits_reset(state);
		for (bool first = true; (n = fread(buffer, 1, BUFFER_SIZE, file)) > 0;
			first = false) {
			if (first)
				memcpy(begin, buffer, n < 4 ? n : 4);
			XXH3_128bits_update(state, buffer, n);
		}
		err = ferror(file) ? -errno : 0;
		XXH128_canonicalFromHash(&hash, XXH3_128bits_digest(state));
		memcpy(id, hash.digest, PDNS_IMPORT_ID);
	}
	if (file)
		fclose(file);
	free(buffer);
	XXH3_freeState(state);
	return err;
}

static int kind_take(struct pdns_import *import, const uint8_t begin[4])
{
	static const uint32_t captures[] = {
		0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0x0a0d0d0a};
	uint32_t magic = load_be32(begin);

	for (size_t i = 0; i < sizeof(captures) / sizeof(captures[0]); i++)
		if (captures[i] == magic)
			return pdns_import_capture(import);
	// A control frame is announced by a length of 0.
	if (magic == 0)
		return pdns_import_tap(import);
	if (begin[0] == '{' || begin[0] == ' ' || begin[0] == '\t' || begin[0] == '\n')
		return pdns_import_cof(import);
	log_line(LOG_ERROR, "%s: expected a capture, dnstap frames or JSON objects", import->path);
	return COLLECT_USAGE;
}

// Whether it is to be taken: not twice. @return enum collect_exit
static int file_check(struct pdns_import *import, const uint8_t id[PDNS_IMPORT_ID])
{
	int64_t time_s;
	time_t at;
	char text[32];
	struct tm tm;

	if (pdns_import_time(import->pdns, id, &time_s) < 0)
		return COLLECT_FAILED;
	if (time_s == 0 || import->args->again)
		return COLLECT_DONE;
	at = (time_t)time_s;
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", localtime_r(&at, &tm));
	log_line(LOG_ERROR, "%s: was imported on %s; --again counts it once more", import->path,
		text);
	return COLLECT_USAGE;
}

static int file_import(struct pdns_import *import)
{
	uint8_t id[PDNS_IMPORT_ID], begin[4];
	int err = file_look(import->path, id, begin);

	if (err) {
		log_line(LOG_ERROR, "%s: %s", import->path, strerror(-err));
		return COLLECT_USAGE;
	}
	err = file_check(import, id);
	if (err == COLLECT_DONE)
		err = kind_take(import, begin);
	if (import->terminal)
		fputs("\r\x1b[K", stderr);
	if (import->err) {
		log_line(LOG_ERROR, "%s: %s", import->path, strerror(-import->err));
		return COLLECT_FAILED;
	}
	if (err == COLLECT_DONE && pdns_import_note(import->pdns, id) < 0)
		return COLLECT_FAILED;
	if (err == COLLECT_DONE)
		printf("%s: %" PRIu64 " read, %" PRIu64 " taken, %" PRIu64 " refused, %" PRIu64
		       " opted out, %" PRIu64 " tuples\n",
			import->path, import->messages, import->responses, import->refused,
			import->opted_out, import->tuples);
	return err;
}

static void bad_line(void *ctx, unsigned line, const char *what)
{
	log_line(LOG_WARN, "%s:%u: %s", (const char *)ctx, line, what);
}

static int consent_take(const char *path, struct consent_table **table, size_t *size)
{
	struct consent_rules rules = {0};
	struct consent_counts counts;
	char *name = strdup(path);
	int err = name ? consent_read(path, &rules, bad_line, name, &counts) : -ENOMEM;

	if (err == 0) {
		*table = consent_table_build(rules.rules, rules.n, size);
		err = *table ? 0 : -errno;
	}
	consent_rules_free(&rules);
	free(name);
	if (err == 0)
		return COLLECT_DONE;
	log_line(LOG_ERROR, "--consent: %s: %s", path,
		err == -EBADMSG ? "expected the header prefix,filter,log" : strerror(-err));
	return COLLECT_USAGE;
}

int pdns_import_run(struct pdns_args *args)
{
	struct consent_table *consent = NULL;
	size_t consent_size = 0;
	struct pdns *pdns;
	int err =
		args->consent ? consent_take(args->consent, &consent, &consent_size) : COLLECT_DONE;

	if (err != COLLECT_DONE)
		return err;
	err = pdns_app_open(args, PDNS_WRITE, &pdns);
	for (int i = 0; i < args->n && err == COLLECT_DONE; i++) {
		struct pdns_import import = {.args = args,
			.pdns = pdns,
			.path = args->words[i],
			.consent = consent,
			.terminal = isatty(STDERR_FILENO)};

		err = file_import(&import);
		if (i + 1 == args->n || err != COLLECT_DONE)
			err = pdns_close(pdns) < 0 && err == COLLECT_DONE ? COLLECT_FAILED : err;
	}
	block_free(consent, consent_size);
	return err;
}
