/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * 10,000 questions made by chance, each held against a plain walk over an array of texts: which
 * rows, their order, limit, offset, pages by cursor, groups and summaries.
 */
#include "pdns_bed.h"

#include "support/random.h"

#define TUPLES    1200
#define PUTS      4000
#define QUESTIONS 10000
#define TIMES     40 // few, so that fences lie on them

/** A tuple as the array has it: names are texts with a dot in front, "." is the root. */
struct model {
	char owner[64], target[2][64];
	unsigned n_targets;
	char bailiwick[64];
	uint16_t type;
	uint8_t rdata[128];
	size_t rdata_size;
	struct {
		int64_t first, last;
		uint64_t count;
	} sums[PDNS_CLASSES];
	char line[512]; // as bed_visit writes it, without the number of the class
};

static struct model *models;
static unsigned n_models;
static uint64_t seed = RANDOM_SEED;

static unsigned below(unsigned n)
{
	return random_below(&seed, n);
}

/* ---- the array ------------------------------------------------------------------------------- */

static void name_random(char text[64])
{
	static const char *const hosts[] = {
		"", ".a", ".b", ".www", ".ns1", ".www.a", ".x.b", ".a.a.a"};
	static const char *const zones[] = {".example.com", ".example.net", ".b.example", ".co.jp",
		".example", ".a.co.jp", ".com", ""};

	snprintf(text, 64, "%s%s", hosts[below(8)], zones[below(8)]);
	if (!*text)
		strcpy(text, ".");
}

static size_t name_octets(const char *text, uint8_t *to)
{
	size_t size;
	const uint8_t *name = bed_name(strcmp(text, ".") ? text + 1 : text, &size);

	memcpy(to, name, size);
	return size;
}

static void target_add(struct model *m)
{
	char *text = m->target[m->n_targets++];

	name_random(text);
	m->rdata_size += name_octets(text, m->rdata + m->rdata_size);
}

static void octets_add(struct model *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		m->rdata[m->rdata_size++] = (uint8_t)below(3);
}

static void rdata_random(struct model *m)
{
	static const uint16_t types[] = {
		1, 1, 1, 28, 28, 2, 5, 6, 15, 33, 12, 16, 43, 46, 65280, 99};

	m->type = types[below(16)];
	switch (m->type) {
	case 1:
		memcpy(m->rdata, "\xc0\0", m->rdata_size = 2);
		octets_add(m, 2);
		break;
	case 28:
		octets_add(m, 16);
		memset(m->rdata + 2, 0, 13);
		break;
	case 6:
		target_add(m);
		target_add(m);
		octets_add(m, 2);
		memset(m->rdata + m->rdata_size, 0, 18);
		m->rdata_size += 18;
		break;
	case 33:
	case 15:
		octets_add(m, m->type == 33 ? 6 : 2);
		target_add(m);
		break;
	case 2:
	case 5:
	case 12:
		target_add(m);
		break;
	case 46:
		octets_add(m, 18);
		m->rdata_size += name_octets(".example", m->rdata + m->rdata_size);
		break;
	default:
		octets_add(m, 1 + below(3));
	}
}

static const char *tail_random(const char *owner)
{
	unsigned skip = below(4);

	while (skip-- > 0 && strchr(owner + 1, '.'))
		owner = strchr(owner + 1, '.');
	return owner;
}

static struct model *model_find(const struct model *like)
{
	for (unsigned i = 0; i < n_models; i++)
		if (models[i].type == like->type && strcmp(models[i].owner, like->owner) == 0 &&
			strcmp(models[i].bailiwick, like->bailiwick) == 0 &&
			models[i].rdata_size == like->rdata_size &&
			memcmp(models[i].rdata, like->rdata, like->rdata_size) == 0)
			return &models[i];
	models[n_models] = *like;
	return &models[n_models++];
}

static void put_random(void)
{
	struct pdns_tuple t = {.class = below(3) == 0 ? PDNS_RESOLVER : PDNS_CLIENT};
	struct model made = {0}, *m;

	if (n_models == TUPLES || (n_models > 0 && below(3) == 0)) {
		m = &models[below(n_models)];
	} else {
		name_random(made.owner);
		strcpy(made.bailiwick, tail_random(made.owner));
		rdata_random(&made);
		m = model_find(&made);
	}
	t.type = m->type;
	t.owner = bed_name(strcmp(m->owner, ".") ? m->owner + 1 : ".", &t.owner_size);
	t.bailiwick =
		bed_name(strcmp(m->bailiwick, ".") ? m->bailiwick + 1 : ".", &t.bailiwick_size);
	t.rdata = m->rdata;
	t.rdata_size = m->rdata_size;
	t.first_s = 1 + below(TIMES);
	t.last_s = t.first_s + below(TIMES);
	t.count = 1 + below(5);
	cr_assert_eq(pdns_put(bed.pdns, &t), 0);
	if (m->sums[t.class].count == 0 || t.first_s < m->sums[t.class].first)
		m->sums[t.class].first = t.first_s;
	if (t.last_s > m->sums[t.class].last)
		m->sums[t.class].last = t.last_s;
	m->sums[t.class].count += t.count;
	if (below(700) == 0)
		cr_assert_eq(pdns_flush(bed.pdns), 0);
}

/* ---- what a question means ------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), k = strlen(end);

	return strcmp(end, ".") == 0 || (n >= k && strcmp(text + n - k, end) == 0);
}

static bool name_meets(enum pdns_scope scope, const char *name, const char *asked)
{
	size_t n = strlen(asked);

	switch (scope) {
	case PDNS_EXACT:
		return strcmp(name, asked) == 0;
	case PDNS_SUBTREE:
		return ends_with(name, asked);
	case PDNS_BELOW:
		return ends_with(name, asked) && strcmp(name, asked) != 0;
	case PDNS_START:
		if (strcmp(asked, ".") == 0)
			return true;
		return strncmp(name, asked, n) == 0 && (name[n] == '.' || name[n] == '\0');
	}
	return false;
}

static bool type_meets(const struct pdns_question *q, uint16_t type)
{
	bool dnssec = type == 43 || type == 46;

	return q->types == PDNS_ANY_AT_ALL || (q->types == PDNS_ONE && q->type == type) ||
	       (q->types == PDNS_ANY && !dnssec) || (q->types == PDNS_ANY_DNSSEC && dnssec);
}

static bool rdata_meets(const struct pdns_question *q, const struct model *m)
{
	if (q->by == PDNS_BY_RAW)
		return m->rdata_size == q->raw_size && memcmp(m->rdata, q->raw, q->raw_size) == 0;
	return m->rdata_size == addr_size(q->from.family) &&
	       m->type == (q->from.family == ADDR_IPV4 ? 1 : 28) &&
	       memcmp(m->rdata, q->from.bytes, m->rdata_size) >= 0 &&
	       memcmp(m->rdata, q->to.bytes, m->rdata_size) <= 0;
}

// Whether it meets the question; writes its line then.
static bool meets(
	const struct pdns_question *q, const char *asked, const char *bailiwick, struct model *m)
{
	int64_t first = INT64_MAX, last = 0;
	unsigned classes = 0;
	uint64_t count = 0;
	bool found = q->by == PDNS_BY_EVERYTHING;

	for (unsigned c = 0; c < PDNS_CLASSES; c++) {
		if (m->sums[c].count == 0 || (q->classes && !(q->classes & 1u << c)))
			continue;
		classes |= 1u << c;
		first = m->sums[c].first < first ? m->sums[c].first : first;
		last = m->sums[c].last > last ? m->sums[c].last : last;
		count += m->sums[c].count;
	}
	if (q->by == PDNS_BY_OWNER)
		found = name_meets(q->scope, m->owner, asked);
	for (unsigned i = 0; i < m->n_targets && q->by == PDNS_BY_TARGET; i++)
		found |= name_meets(q->scope, m->target[i], asked);
	if (q->by == PDNS_BY_ADDRESS || q->by == PDNS_BY_RAW)
		found = rdata_meets(q, m);
	found = found && classes && type_meets(q, m->type) &&
		(!bailiwick || strcmp(bailiwick, m->bailiwick) == 0) &&
		(!q->first_after || first >= q->first_after) &&
		(!q->first_before || first <= q->first_before) &&
		(!q->last_after || last >= q->last_after) &&
		(!q->last_before || last <= q->last_before);
	if (found)
		snprintf(m->line, sizeof(m->line), "%s %u %s %u %lld %lld %llu", m->owner, m->type,
			m->bailiwick, classes, (long long)first, (long long)last,
			(unsigned long long)count);
	return found;
}

/* ---- what is found --------------------------------------------------------------------------- */

/** The rows of a question, each a line with its RDATA in hexadecimal. */
struct rows {
	char **line;
	unsigned n, room;
	uint8_t cursor[4096];
	size_t cursor_size;
	uint64_t count;
};

static void rows_add(struct rows *rows, const char *line, const uint8_t *rdata, size_t size)
{
	char *text = malloc(strlen(line) + 2 + 2 * size);
	size_t n = (size_t)sprintf(text, "%s ", line);

	for (size_t i = 0; i < size; i++)
		n += (size_t)sprintf(text + n, "%02x", rdata[i]);
	if (rows->n == rows->room) {
		rows->room = rows->room ? 2 * rows->room : 64;
		rows->line = realloc(rows->line, rows->room * sizeof(*rows->line));
	}
	rows->line[rows->n++] = text;
}

static void rows_free(struct rows *rows)
{
	while (rows->n > 0)
		free(rows->line[--rows->n]);
	free(rows->line);
	*rows = (struct rows){0};
}

static void dotted(const uint8_t *name, char text[DNS_NAME_TEXT_SIZE + 1])
{
	text[0] = '.';
	dns_name_format(name, *name ? text + 1 : text);
}

static int visit(void *ctx, const struct pdns_row *row)
{
	char owner[DNS_NAME_TEXT_SIZE + 1], bailiwick[DNS_NAME_TEXT_SIZE + 1];
	char line[2 * DNS_NAME_TEXT_SIZE + 128];
	struct rows *rows = ctx;

	dotted(row->owner, owner);
	dotted(row->bailiwick, bailiwick);
	snprintf(line, sizeof(line), "%s %u %s %u %lld %lld %llu", owner, row->type, bailiwick,
		row->classes, (long long)row->first_s, (long long)row->last_s,
		(unsigned long long)row->count);
	cr_assert_eq(row->n_rdata, 1);
	rows_add(rows, line, row->rdata[0].data, row->rdata[0].size);
	cr_assert_leq(row->cursor_size, sizeof(rows->cursor));
	memcpy(rows->cursor, row->cursor, row->cursor_size);
	rows->cursor_size = row->cursor_size;
	rows->count += row->count;
	return 0;
}

static void ask(const struct pdns_question *q, struct rows *rows, struct pdns_result *result)
{
	const struct pdns_visitor visitor = {.ctx = rows, .visit = visit};

	cr_assert_eq(pdns_query(bed.pdns, q, &visitor, result), 0);
	cr_assert_eq(result->rows, rows->n);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void same_rows(const struct rows *found, const struct rows *wanted, unsigned question)
{
	char **sorted = malloc((found->n + 1) * sizeof(*sorted));

	cr_assert_eq(
		found->n, wanted->n, "question %u: %u rows, not %u", question, found->n, wanted->n);
	if (found->n > 0)
		memcpy(sorted, found->line, found->n * sizeof(*sorted));
	if (found->n > 0)
		qsort(sorted, found->n, sizeof(*sorted), by_text);
	if (wanted->n > 0)
		qsort(wanted->line, wanted->n, sizeof(*sorted), by_text);
	for (unsigned i = 0; i < found->n; i++)
		cr_assert_str_eq(sorted[i], wanted->line[i], "question %u", question);
	free(sorted);
}

// Limit and offset are slices of the whole; pages by cursor put together are the whole.
static void slices_check(struct pdns_question q, const struct rows *all, unsigned question)
{
	struct rows rows = {0};
	struct pdns_result result;
	unsigned n = 0;

	q.limit = 1 + below(all->n + 2);
	q.offset = below(all->n + 2);
	ask(&q, &rows, &result);
	cr_assert_eq(result.limited, q.offset + q.limit < all->n, "question %u", question);
	for (unsigned i = 0; i < rows.n; i++)
		cr_assert_str_eq(rows.line[i], all->line[q.offset + i], "question %u", question);
	cr_assert_eq(rows.n, q.offset > all->n             ? 0
			     : q.offset + q.limit < all->n ? q.limit
							   : all->n - q.offset);
	rows_free(&rows);
	q.offset = 0;
	q.limit = 1 + all->n / (1 + below(6));
	do {
		uint8_t cursor[4096];

		ask(&q, &rows, &result);
		for (unsigned i = 0; i < rows.n; i++, n++)
			cr_assert_str_eq(rows.line[i], all->line[n], "question %u", question);
		memcpy(cursor, rows.cursor, rows.cursor_size);
		q.cursor_size = rows.cursor_size;
		rows_free(&rows);
		memcpy(rows.cursor, cursor, q.cursor_size);
		q.cursor = rows.cursor;
	} while (result.limited);
	cr_assert_eq(n, all->n, "question %u", question);
	rows_free(&rows);
}

/* ---- chance ---------------------------------------------------------------------------------- */

static void what_random(struct pdns_question *q, char asked[64], char bailiwick[64])
{
	const struct model *m = &models[below(n_models)];

	*q = (struct pdns_question){.by = (enum pdns_by)below(5),
		.scope = (enum pdns_scope)below(4),
		.types = (enum pdns_types)below(4)};
	if (q->by == PDNS_BY_EVERYTHING && below(20) > 0)
		q->by = PDNS_BY_TARGET;
	q->type = m->type;
	q->raw = m->rdata;
	q->raw_size = m->rdata_size;
	name_random(asked);
	if (below(2))
		strcpy(asked, q->by == PDNS_BY_TARGET && m->n_targets ? tail_random(m->target[0])
								      : tail_random(m->owner));
	if (q->scope == PDNS_START && below(2) && strrchr(asked, '.') != asked)
		*strrchr(asked, '.') = '\0';
	while (m->type != 1 && m->type != 28)
		m = &models[below(n_models)];
	q->from.family = q->to.family = m->type == 1 ? ADDR_IPV4 : ADDR_IPV6;
	memcpy(q->from.bytes, m->rdata, m->rdata_size);
	memcpy(q->to.bytes, m->rdata, m->rdata_size);
	if (below(2))
		q->to.bytes[m->rdata_size - 1] += (uint8_t)below(3);
	if (below(2))
		q->from.bytes[below(3)] = 0;
	name_random(bailiwick);
	if (below(2))
		strcpy(bailiwick, m->bailiwick);
}

static void fences_random(struct pdns_question *q)
{
	int64_t *fences[] = {&q->first_after, &q->first_before, &q->last_after, &q->last_before};

	for (unsigned i = 0; i < 4; i++)
		if (below(4) == 0)
			*fences[i] = 1 + below(2 * TIMES);
	if (below(3) == 0)
		q->classes = 1 + below(3);
}

static void question_run(unsigned number)
{
	char asked[64], bailiwick[64];
	struct rows found = {0}, wanted = {0};
	struct pdns_question q;
	struct pdns_result result;
	struct pdns_summary summary;
	bool in_bailiwick = below(5) == 0;

	what_random(&q, asked, bailiwick);
	fences_random(&q);
	q.name = bed_name(strcmp(asked, ".") ? asked + 1 : ".", &q.name_size);
	if (in_bailiwick)
		q.bailiwick =
			bed_name(strcmp(bailiwick, ".") ? bailiwick + 1 : ".", &q.bailiwick_size);
	for (unsigned i = 0; i < n_models; i++)
		if (meets(&q, asked, in_bailiwick ? bailiwick : NULL, &models[i]))
			rows_add(&wanted, models[i].line, models[i].rdata, models[i].rdata_size);
	ask(&q, &found, &result);
	cr_assert(!result.limited);
	same_rows(&found, &wanted, number);
	slices_check(q, &found, number);
	cr_assert_eq(pdns_summarise(bed.pdns, &q, 0, NULL, &summary), 0);
	cr_assert(summary.rows == found.n && summary.count == found.count);
	rows_free(&found);
	rows_free(&wanted);
}

Test(pdns_model, answers_equal_those_of_a_plain_walk, .init = bed_up, .fini = bed_down)
{
	models = calloc(TUPLES + 1, sizeof(*models));
	for (unsigned i = 0; i < PUTS; i++)
		put_random();
	cr_assert_eq(pdns_flush(bed.pdns), 0);
	cr_expect_gt(n_models, 1000);
	for (unsigned i = 0; i < QUESTIONS; i++)
		question_run(i);
	free(models);
}
