/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which filtered answer a contact comes from. Contacts of a day are read, hour by hour, then the filtered
 * answers of these clients, from a window before the first contact on; each contact looks its answer up.
 */
#include "store_contact_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "dns/dns_name.h"
#include "list/list.h"

#define BATCH_MAX 1000000 // contacts that are joined at once: 80 MB
#define ZONE_DAYS 1       // that a change of zone can put contacts off

// An answer to a client, or several in a minute for one name; under each name that a contact may have.
struct answer {
	struct addr client;
	uint32_t key; // name that it is found by; 0: by the time alone
	uint32_t id, asked;
	int64_t first_ms, last_ms;
};

// Contacts, and what they are shown as.
struct row {
	uint32_t id, asked, name;
	struct addr client;
	uint16_t port, client_port;
	uint8_t protocol, named, basis;
	int64_t first_ms, last_ms;
	uint64_t n;
};

struct join {
	struct store *store;
	const struct store_contact_question *question;
	int64_t window_ms;
	struct store_words words;
	struct store_pile contacts; // struct row, of some hours
	struct store_pile answers;  // struct answer, of the same
	struct store_pile rows;     // struct row, of all days
};

static int addr_compare(const struct addr *a, const struct addr *b)
{
	int order = a->family - b->family;

	return order ? order : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

#define COMPARE(x, y) (((x) > (y)) - ((x) < (y)))

/* ---- contacts -------------------------------------------------------------------------------- */

static int same_compare(const struct row *a, const struct row *b)
{
	int order = addr_compare(&a->client, &b->client);

	order = order ? order : COMPARE(a->name, b->name);
	order = order ? order : COMPARE(a->port, b->port);
	order = order ? order : COMPARE(a->protocol, b->protocol);
	return order ? order : COMPARE(a->named, b->named);
}

static int contact_compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = same_compare(x, y);

	return order ? order
		     : COMPARE(x->first_ms / STORE_MINUTE_MS, y->first_ms / STORE_MINUTE_MS);
}

static int row_compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = same_compare(x, y);

	order = order ? order : COMPARE(x->id, y->id);
	order = order ? order : COMPARE(x->asked, y->asked);
	return order ? order : COMPARE(x->basis, y->basis);
}

static void row_merge(void *into, const void *from)
{
	const struct row *f = from;
	struct row *r = into;

	r->n += f->n;
	r->client_port = f->last_ms > r->last_ms ? f->client_port : r->client_port;
	r->first_ms = f->first_ms < r->first_ms ? f->first_ms : r->first_ms;
	r->last_ms = f->last_ms > r->last_ms ? f->last_ms : r->last_ms;
}

/* ---- answers --------------------------------------------------------------------------------- */

static int answer_compare(const void *a, const void *b)
{
	const struct answer *x = a, *y = b;
	int order = addr_compare(&x->client, &y->client);

	order = order ? order : COMPARE(x->key, y->key);
	order = order ? order
		      : COMPARE(x->first_ms / STORE_MINUTE_MS, y->first_ms / STORE_MINUTE_MS);
	order = order ? order : COMPARE(x->asked, y->asked);
	return order ? order : COMPARE(x->id, y->id);
}

static int answer_order(const void *a, const void *b)
{
	const struct answer *x = a, *y = b;
	int order = addr_compare(&x->client, &y->client);

	order = order ? order : COMPARE(x->key, y->key);
	return order ? order : COMPARE(x->first_ms, y->first_ms);
}

static void answer_merge(void *into, const void *from)
{
	const struct answer *f = from;
	struct answer *a = into;

	a->first_ms = f->first_ms < a->first_ms ? f->first_ms : a->first_ms;
	a->last_ms = f->last_ms > a->last_ms ? f->last_ms : a->last_ms;
}

static bool is_contact(const struct join *join, const struct addr *client)
{
	const struct row *contacts = (const struct row *)join->contacts.at;
	size_t from = 0, to = join->contacts.n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = addr_compare(&contacts[middle].client, client);

		if (order == 0)
			return true;
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return false;
}

static int answer_add(struct join *join, const struct answer *like, uint32_t key)
{
	struct answer answer = *like;

	answer.key = key;
	return store_pile_add(&join->answers, &answer);
}

// Whether the client got an address of the sinkhole, and not that there is none.
static bool led_here(const struct store_record *record)
{
	static const enum reason verdicts[] = {REASON_rewritten, REASON_answered, REASON_fallback};
	bool led = false;

	for (unsigned i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		led = led || strcmp(record->verdict, reason_name(verdicts[i])) == 0;
	return led;
}

static int answer_take(void *ctx, const struct store_record *record)
{
	struct join *join = ctx;
	char text[DNS_NAME_TEXT_SIZE];
	struct answer answer = {.client = record->client.addr,
		.first_ms = record->time_ms,
		.last_ms = record->time_ms};
	uint32_t match;
	int err;

	if (!record->client.addr.family || !is_contact(join, &record->client.addr) ||
		!led_here(record))
		return 0;
	dns_name_format(record->name, text);
	answer.asked = match = store_words_add(&join->words, text);
	answer.id = store_words_add(&join->words, record->id);
	if (record->match_name) {
		dns_name_format(record->match_name, text);
		match = store_words_add(&join->words, text);
	}
	if (answer.asked == STORE_WORD_NONE || answer.id == STORE_WORD_NONE ||
		match == STORE_WORD_NONE)
		return -ENOMEM;
	err = answer_add(join, &answer, 0);
	if (err == 0)
		err = answer_add(join, &answer, answer.asked);
	if (err == 0 && match != answer.asked)
		err = answer_add(join, &answer, match);
	return err;
}

static int answers_read(struct join *join)
{
	const struct row *contacts = (const struct row *)join->contacts.at;
	struct store_question question = {
		.from_ms = INT64_MAX, .rcode = -1, .type = -1, .kinds = STORE_FILTERED};
	const struct store_visitor visitor = {.ctx = join, .visit = answer_take};
	int err;

	question.order = STORE_BY_NAME;
	for (size_t i = 0; i < join->contacts.n; i++) {
		if (contacts[i].first_ms < question.from_ms)
			question.from_ms = contacts[i].first_ms;
		if (contacts[i].last_ms > question.to_ms)
			question.to_ms = contacts[i].last_ms;
	}
	question.from_ms -= join->window_ms;
	question.to_ms += STORE_CONTACT_SLACK_MS + 1;
	err = store_query(join->store, &question, &visitor);
	store_pile_fold(&join->answers);
	// The fold has put them by minutes.
	if (join->answers.n > 0)
		qsort(join->answers.at, join->answers.n, sizeof(struct answer), answer_order);
	return err;
}

/* ---- both ------------------------------------------------------------------------------------ */

// The latest answer before a contact that is found by a key, in the window; or NULL.
static const struct answer *answer_find(
	const struct join *join, const struct row *contact, uint32_t key)
{
	const struct answer *answers = (const struct answer *)join->answers.at;
	const struct answer sought = {.client = contact->client,
		.key = key,
		.first_ms = contact->last_ms + STORE_CONTACT_SLACK_MS};
	size_t from = 0, to = join->answers.n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (answer_order(&answers[middle], &sought) <= 0)
			from = middle + 1;
		else
			to = middle;
	}
	if (from-- == 0 || addr_compare(&answers[from].client, &contact->client) != 0 ||
		answers[from].key != key ||
		answers[from].last_ms < contact->last_ms - join->window_ms)
		return NULL;
	return &answers[from];
}

static int contact_join(struct join *join, const struct row *contact)
{
	const struct answer *answer = NULL;
	struct row row = *contact;

	if (row.name) {
		answer = answer_find(join, contact, row.name);
		row.basis = STORE_BASIS_NAME;
	}
	if (!answer) {
		answer = answer_find(join, contact, 0);
		row.basis = answer ? STORE_BASIS_TIME : STORE_BASIS_NONE;
	}
	if (answer) {
		row.id = answer->id;
		row.asked = answer->asked;
	}
	if (join->question->id && strcmp(join->question->id, join->words.text + row.id) != 0)
		return 0;
	return store_pile_add(&join->rows, &row);
}

// Contacts that are at hand, which are then done with.
static int batch_join(struct join *join)
{
	const struct row *contacts;
	int err;

	store_pile_fold(&join->contacts);
	if (join->contacts.n == 0)
		return 0;
	err = answers_read(join);
	contacts = (const struct row *)join->contacts.at;
	for (size_t i = 0; i < join->contacts.n && err == 0; i++)
		err = contact_join(join, &contacts[i]);
	join->contacts.n = join->answers.n = 0;
	return err;
}

static int contact_take(void *ctx, const struct store_contact *contact)
{
	struct join *join = ctx;
	const struct row row = {.name = store_words_add(&join->words, contact->name),
		.client = contact->client,
		.port = contact->port,
		.client_port = contact->client_port,
		.protocol = contact->protocol,
		.named = contact->named,
		.first_ms = contact->first_ms,
		.last_ms = contact->last_ms,
		.n = contact->n};

	if (row.name == STORE_WORD_NONE || store_pile_add(&join->contacts, &row) != 0)
		return -ENOMEM;
	return join->contacts.n < BATCH_MAX ? 0 : batch_join(join);
}

static int day_join(struct join *join, uint16_t day)
{
	int err = store_contact_walk(join->store, day, join->question, contact_take, join);

	return err ? err : batch_join(join);
}

static int shown_compare(const void *a, const void *b, void *text)
{
	const struct row *x = a, *y = b;
	const char *words = text;
	int order = (x->id == 0) - (y->id == 0);

	order = order ? order : strcmp(words + x->id, words + y->id);
	order = order ? order : addr_compare(&x->client, &y->client);
	order = order ? order : COMPARE(x->port, y->port);
	order = order ? order : strcmp(words + x->name, words + y->name);
	order = order ? order : strcmp(words + x->asked, words + y->asked);
	return order ? order : row_compare(a, b);
}

static int rows_show(struct join *join, store_contact_visit visit, void *ctx)
{
	const char *words = join->words.text;
	const struct row *rows;
	int err = 0;

	if (join->rows.n == 0)
		return 0;
	store_pile_fold(&join->rows);
	qsort_r(join->rows.at, join->rows.n, sizeof(struct row), shown_compare, join->words.text);
	rows = (const struct row *)join->rows.at;
	for (size_t i = 0; i < join->rows.n && err == 0; i++) {
		const struct row *r = &rows[i];
		const struct store_contact_row shown = {.id = words + r->id,
			.asked = words + r->asked,
			.name = words + r->name,
			.client = r->client,
			.client_port = r->client_port,
			.port = r->port,
			.protocol = r->protocol,
			.named = r->named,
			.basis = r->basis,
			.first_ms = r->first_ms,
			.last_ms = r->last_ms,
			.n = r->n};

		err = visit(ctx, &shown);
	}
	return err;
}

static bool day_matters(const struct store_contact_question *q, uint16_t day)
{
	return (!q->from_ms || day + ZONE_DAYS >= list_day_of(q->from_ms / 1000)) &&
	       (!q->to_ms || day <= list_day_of((q->to_ms - 1) / 1000) + ZONE_DAYS);
}

int store_contacts(struct store *store, const struct store_contact_question *question,
	store_contact_visit visit, void *ctx)
{
	struct join join = {.store = store,
		.question = question,
		.window_ms = question->window_ms ? question->window_ms : STORE_CONTACT_WINDOW_MS,
		.contacts = {.size = sizeof(struct row),
			.compare = contact_compare,
			.merge = row_merge},
		.answers = {.size = sizeof(struct answer),
			.compare = answer_compare,
			.merge = answer_merge},
		.rows = {.size = sizeof(struct row), .compare = row_compare, .merge = row_merge}};
	uint16_t *days = NULL;
	int n = store_folders(store, STORE_CONTACTS, &days), err = n < 0 ? n : 0;

	// Word 0 is there also when no contact is.
	if (err == 0 && store_words_add(&join.words, "") == STORE_WORD_NONE)
		err = -ENOMEM;
	for (int i = 0; i < n && err == 0; i++)
		if (day_matters(question, days[i]))
			err = day_join(&join, days[i]);
	if (err == 0)
		err = rows_show(&join, visit, ctx);
	store_words_free(&join.words);
	free(join.contacts.at);
	free(join.answers.at);
	free(join.rows.at);
	free(days);
	return err;
}
