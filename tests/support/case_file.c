/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/case_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "support/csum_full.h"

#define LINE_ROOM 16384

enum section {
	SECTION_NONE,
	SECTION_POLICY,
	SECTION_IN,
	SECTION_OUT,
	SECTION_PIECES,
	SECTION_COUNTERS,
};

struct reader {
	enum section section;
	struct case_step step;
	struct case_frame frame; // wire is NULL between steps
	struct case_frame out;   // a message described anew; its wire is NULL where there is none
	bool out_given, checksum_given;
	uint16_t checksum;
	case_taker take;
	void *ctx;
};

_Noreturn void case_die(const struct case_words *words, const char *what)
{
	fprintf(stderr, "%s:%u: %s\n", words->path, words->line, what);
	abort();
}

static const char *word(const struct case_words *words, unsigned i)
{
	if (i >= words->n)
		case_die(words, "words are missing");
	return words->word[i];
}

static bool is(const struct case_words *words, unsigned i, const char *text)
{
	return i < words->n && strcmp(words->word[i], text) == 0;
}

static void list_line(struct tables *t, const struct case_words *words)
{
	for (enum policy_action action = 0; action < POLICY_ACTIONS; action++)
		if (strcmp(word(words, 2), policy_action_name(action)) == 0) {
			if (strcmp(words->word[1], POLICY_CANARY) == 0)
				tables_canary(t, action);
			else
				tables_list(t, words->word[1], action);
			for (unsigned i = 3; i < words->n; i++)
				tables_sinkhole(t, words->word[1], words->word[i]);
			return;
		}
	case_die(words, "no such action");
}

// "on_empty=answer", "dnssec=skip-signed", "ede=15", "ede_text=why"
static void list_setting(struct policy_list *list, const struct case_words *words, unsigned i)
{
	static const char *const codes[] = {"none", "4", "15", "16", "17"};
	const char *word = words->word[i];

	if (strcmp(word, "on_empty=answer") == 0)
		list->answer_empty = true;
	else if (strcmp(word, "dnssec=skip-signed") == 0)
		list->dnssec = POLICY_DNSSEC_SKIP_SIGNED;
	else if (strncmp(word, "ede_text=", 9) == 0)
		snprintf(list->ede_text, sizeof(list->ede_text), "%s", word + 9);
	else if (strncmp(word, "ede=", 4) == 0)
		for (enum policy_ede ede = 0; ede < sizeof(codes) / sizeof(codes[0]); ede++)
			list->ede = strcmp(word + 4, codes[ede]) == 0 ? ede : list->ede;
	else
		case_die(words, "no such setting of a list");
}

static void consent_line(struct tables *t, const struct case_words *words)
{
	// As in a consent file: prefix, filter, log.
	unsigned refused = (is(words, 2, "no") ? CONSENT_NO_FILTER : 0) |
			   (is(words, 3, "no") ? CONSENT_NO_LOG : 0);

	if (words->n != 4)
		case_die(words, "expected consent PREFIX yes|no yes|no");
	tables_consent(t, words->word[1], (uint8_t)refused);
}

static void policy_line(struct reader *r, const struct case_words *words)
{
	struct tables *t = r->step.tables;
	struct policy *policy = tables_policy(t);

	if (is(words, 0, "today")) {
		tables_today(t, word(words, 1));
	} else if (is(words, 0, "ttl_max")) {
		tables_ttl_max(t, (uint32_t)case_number(words, word(words, 1)));
	} else if (is(words, 0, "sinkhole")) {
		for (unsigned i = 1; i < words->n; i++)
			tables_sinkhole(t, NULL, words->word[i]);
	} else if (is(words, 0, "list")) {
		list_line(t, words);
	} else if (is(words, 0, "with")) {
		for (unsigned i = 1; i < words->n; i++)
			list_setting(&policy->lists[policy->n_lists - 1], words, i);
	} else if (is(words, 0, "name")) {
		tables_entry(t, word(words, 1), words->n > 2 ? words->word[2] : NULL,
			words->n > 3 ? words->word[3] : NULL);
	} else if (is(words, 0, "pattern")) {
		tables_pattern(t, word(words, 1));
	} else if (is(words, 0, "consent")) {
		consent_line(t, words);
	} else if (is(words, 0, "ports")) {
		policy->n_ports = 0;
		for (unsigned i = 1; i < words->n && i <= POLICY_PORTS_MAX; i++)
			policy->ports[policy->n_ports++] =
				(uint16_t)case_number(words, words->word[i]);
	} else if (is(words, 0, "servers")) {
		policy->n_servers = 0;
		for (unsigned i = 1; i < words->n && i <= POLICY_SERVERS_MAX; i++)
			if (prefix_parse(words->word[i], &policy->servers[policy->n_servers++]) < 0)
				case_die(words, "expected prefixes");
	} else if (is(words, 0, "allow_scope")) {
		policy->allow_message = is(words, 1, "message");
	} else {
		case_die(words, "no such line in a policy");
	}
}

static void out_answer(struct reader *r, const struct case_words *words)
{
	const struct wire *w = r->frame.wire;
	unsigned long n = case_number(words, word(words, 1));
	const struct wire_record *record = &w->records[n - 1];
	struct addr addr;
	unsigned i = 2;

	if (n == 0 || n > w->n_records)
		case_die(words, "no such record");
	if (addr_parse(word(words, i), &addr) == 0) {
		if (record->rdata_size != addr_size(addr.family))
			case_die(words, "not an address of the record's family");
		memcpy(r->step.out + record->rdata, addr.bytes, record->rdata_size);
		i++;
	}
	if (is(words, i, "ttl"))
		store_be32(r->step.out + record->ttl,
			(uint32_t)case_number(words, word(words, i + 1)));
	else if (i < words->n)
		case_die(words, "expected ADDRESS, ttl NUMBER, or both");
}

static void out_line(struct reader *r, struct case_words *words)
{
	struct wire *hex;

	r->out_given = true;
	if (is(words, 0, "unchanged") || is(words, 0, "dropped"))
		return;
	if (is(words, 0, "dns"))
		r->out = case_frame_headers(&r->frame, words);
	if (r->out.wire) {
		case_frame_line(&r->out, words);
		return;
	}
	if (is(words, 0, "answer")) {
		out_answer(r, words);
	} else if (is(words, 0, "flags")) {
		store_be16(r->step.out + r->frame.wire->dns + 2,
			(uint16_t)case_number(words, word(words, 1)));
	} else if (is(words, 0, "checksum")) {
		r->checksum = (uint16_t)case_number(words, word(words, 1));
		r->checksum_given = true;
	} else if (is(words, 0, "hex")) {
		hex = wire_create();
		for (unsigned i = 1; i < words->n; i++)
			wire_hex(hex, words->word[i]);
		if (hex->size != r->frame.wire->size)
			case_die(words, "a frame out is as long as the frame in");
		memcpy(r->step.out, hex->bytes, hex->size);
		wire_destroy(hex);
	} else {
		case_die(words, "no such line in an output");
	}
}

static void counter_line(struct reader *r, const struct case_words *words)
{
	struct case_counter *counter = &r->step.counters[r->step.n_counters++];
	size_t n = 0;

	if (r->step.n_counters == CASE_COUNTERS || words->n < 2)
		case_die(words, "expected a counter and its value");
	for (unsigned i = 0; i + 1 < words->n; i++)
		n += (size_t)snprintf(counter->key + n, sizeof(counter->key) - n, "%s%s",
			i ? " " : "", words->word[i]);
	counter->value = case_number(words, words->word[words->n - 1]);
}

// The checksum that the frame out has to have, from scratch.
static void checksum_expect(struct reader *r, const struct case_words *words)
{
	const struct wire *w = r->frame.wire;
	struct csum_udp in = {w->bytes + w->ip + (w->version == 4 ? 12 : 8),
		w->version == 4 ? 8 : 32, w->bytes + w->l4, 0};
	struct csum_udp out = in;
	uint16_t field;
	uint32_t sum;

	r->step.good = false;
	if (!w->l4 || w->size < w->l4 + 8 || memcmp(w->bytes, r->step.out, w->size) == 0)
		return;
	in.size = out.size = load_be16(in.udp + 4);
	out.udp = r->step.out + w->l4;
	field = load_be16(in.udp + 6);
	r->step.good = csum_full_udp_good(&in);
	if (field != 0) {
		sum = csum_full_udp(&out);
		sum += csum_full_minus(field, csum_full_udp(&in));
		sum = (sum & 0xffff) + (sum >> 16);
		field = sum ? (uint16_t)sum : 0xffff;
	}
	store_be16(r->step.out + w->l4 + 6, field);
	if (r->checksum_given && field != r->checksum)
		case_die(words, "the checksum given is not the one computed from scratch");
}

// The frame out is the one described.
static void out_finish(struct reader *r)
{
	const struct wire *w;

	case_frame_finish(&r->out);
	w = r->out.wire;
	free(r->step.out);
	r->step.out = malloc(w->size);
	if (!r->step.out)
		abort();
	memcpy(r->step.out, w->bytes, w->size);
	r->step.out_size = w->size;
	r->step.good = w->csum == WIRE_CSUM_RIGHT;
}

static void step_end(struct reader *r, const struct case_words *words)
{
	if (!r->frame.wire)
		return;
	if (!r->out_given)
		case_die(words, "a step without an output");
	r->step.out_size = r->frame.wire->size;
	if (r->out.wire)
		out_finish(r);
	else
		checksum_expect(r, words);
	r->step.in = r->frame.wire;
	r->step.side = r->frame.side;
	r->step.stream = r->frame.stream;
	r->step.part = r->frame.part;
	r->take(r->ctx, &r->step);
	case_frame_free(&r->frame);
	case_frame_free(&r->out);
	free(r->step.out);
	r->step.out = NULL;
}

enum reason case_reason(const struct case_words *words, const char *name)
{
	for (enum reason reason = REASON_none + 1; reason < REASON_COUNT; reason++)
		if (strcmp(reason_name(reason), name) == 0)
			return reason;
	case_die(words, "no such reason");
}

static void out_begin(struct reader *r, const struct case_words *words)
{
	struct wire *w = r->frame.wire;

	if (!w || r->step.out)
		case_die(words, "an output without a frame before it");
	case_frame_finish(&r->frame);
	r->step.out = malloc(w->size + 1);
	if (!r->step.out)
		case_die(words, "no memory");
	memcpy(r->step.out, w->bytes, w->size);
	r->step.reason = case_reason(words, word(words, 1));
}

static void section_begin(struct reader *r, const struct case_words *words)
{
	if (is(words, 0, "about")) {
		if (words->n < 3)
			case_die(words, "expected a sentence");
	} else if (is(words, 0, "policy")) {
		step_end(r, words);
		r->section = SECTION_POLICY;
	} else if (is(words, 0, "in")) {
		step_end(r, words);
		r->section = SECTION_IN;
		r->frame = (struct case_frame){.wire = wire_create(), .side = BURST_FROM_RESOLVERS};
		r->out_given = r->checksum_given = false;
		r->step.line = words->line;
		r->step.n_counters = r->step.pieces.n = 0;
	} else if (is(words, 0, "out")) {
		out_begin(r, words);
		r->section = SECTION_OUT;
	} else if (is(words, 0, "pieces")) {
		r->section = SECTION_PIECES;
	} else if (is(words, 0, "counters")) {
		r->section = SECTION_COUNTERS;
	} else {
		case_die(words, "no such section");
	}
}

static void line_take(struct reader *r, char *line, struct case_words *words)
{
	bool indented = line[0] == ' ' || line[0] == '\t';

	words->n = 0;
	for (char *at = strtok(line, " \t\r\n"); at; at = strtok(NULL, " \t\r\n")) {
		if (words->n == sizeof(words->word) / sizeof(words->word[0]))
			case_die(words, "too many words");
		words->word[words->n++] = at;
	}
	if (words->n == 0 || words->word[0][0] == '#')
		return;
	if (!indented)
		section_begin(r, words);
	else if (r->section == SECTION_POLICY)
		policy_line(r, words);
	else if (r->section == SECTION_IN)
		case_frame_line(&r->frame, words);
	else if (r->section == SECTION_OUT)
		out_line(r, words);
	else if (r->section == SECTION_PIECES)
		case_pieces_line(&r->step.pieces, words);
	else if (r->section == SECTION_COUNTERS)
		counter_line(r, words);
	else
		case_die(words, "a line outside any section");
}

void case_read(const char *path, case_taker take, void *ctx)
{
	struct reader r = {.take = take, .ctx = ctx};
	struct case_words words = {.path = path};
	FILE *file = fopen(path, "r");
	char line[LINE_ROOM];
	unsigned steps = 0;

	if (!file)
		case_die(&words, "cannot read");
	r.step.tables = tables_create();
	while (fgets(line, sizeof(line), file)) {
		words.line++;
		steps += strncmp(line, "in", 2) == 0;
		line_take(&r, line, &words);
	}
	step_end(&r, &words);
	if (steps == 0)
		case_die(&words, "no frame in it");
	tables_destroy(r.step.tables);
	fclose(file);
}
