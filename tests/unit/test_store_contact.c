/* SPDX-License-Identifier: BSD-3-Clause */
#include "store_bed.h"

#include <errno.h>

#include "store/store_contact_private.h"

static struct {
	struct store_contact_row row;
	char id[64], asked[256], name[256], client[ADDR_TEXT_SIZE];
} rows[256];
static unsigned n_rows;

static void utc(void)
{
	bed_up("UTC");
	bed_open(STORE_WRITE);
}

TestSuite(store_contact, .init = utc, .fini = bed_down);

static int64_t at(const char *clock)
{
	char text[32];

	snprintf(text, sizeof(text), "2026-11-22 %s", clock);
	return bed_ms(text);
}

static struct store_contact contact(int64_t ms, const char *client, uint16_t port, const char *sni)
{
	struct store_contact c = {.first_ms = ms,
		.last_ms = ms,
		.n = 1,
		.client_port = 4096,
		.port = port,
		.protocol = 6,
		.named = *sni ? STORE_NAMED_SNI : STORE_NAMED_NONE,
		.name = sni};

	cr_assert_eq(addr_parse(client, &c.client), 0);
	return c;
}

static uint64_t chunks;

static void put(struct store_contact c)
{
	struct store_contacts_done done;

	cr_assert_eq(store_contacts_put(bed.store, ++chunks, &c, 1, &done), 0);
	cr_assert_eq(done.stored, 1);
}

static int row_take(void *ctx, const struct store_contact_row *row)
{
	unsigned i = n_rows++;

	cr_assert_lt(i, sizeof(rows) / sizeof(rows[0]));
	rows[i].row = *row;
	strcpy(rows[i].id, row->id);
	strcpy(rows[i].asked, row->asked);
	strcpy(rows[i].name, row->name);
	addr_format(&row->client, rows[i].client);
	return 0;
}

static unsigned ask(struct store_contact_question question)
{
	n_rows = 0;
	cr_assert_eq(store_contacts(bed.store, &question, row_take, NULL), 0);
	return n_rows;
}

static void filtered(const char *name, const char *clock, const char *client, const char *id)
{
	bed_put(bed_filtered(name, at(clock), client, id));
}

Test(store_contact, a_contact_has_the_id_of_the_answer_before_it)
{
	filtered("c2.example", "10:00:00", "203.0.113.9", "EX-1");
	put(contact(at("10:00:02"), "203.0.113.9", 6667, ""));
	cr_assert_eq(ask((struct store_contact_question){0}), 1);
	cr_expect_str_eq(rows[0].id, "EX-1");
	cr_expect_str_eq(rows[0].asked, "c2.example");
	cr_expect_str_eq(rows[0].client, "203.0.113.9");
	cr_expect_eq(rows[0].row.basis, STORE_BASIS_TIME);
	cr_expect_eq(rows[0].row.port, 6667);
	cr_expect_eq(rows[0].row.client_port, 4096);
	cr_expect_eq(rows[0].row.protocol, 6);
	cr_expect_eq(rows[0].row.first_ms, at("10:00:02"));
	cr_expect_eq(rows[0].row.n, 1);
}

Test(store_contact, the_name_of_the_contact_goes_before_the_time)
{
	filtered("a.example", "10:00:00", "203.0.113.9", "EX-A");
	filtered("b.example", "10:00:10", "203.0.113.9", "EX-B");
	put(contact(at("10:00:20"), "203.0.113.9", 443, "a.example"));
	put(contact(at("10:00:20"), "203.0.113.9", 443, "other.example"));
	put(contact(at("10:00:20"), "203.0.113.9", 6667, ""));
	cr_assert_eq(ask((struct store_contact_question){0}), 3);
	cr_expect_str_eq(rows[0].id, "EX-A");
	cr_expect_str_eq(rows[0].name, "a.example");
	cr_expect_eq(rows[0].row.basis, STORE_BASIS_NAME);
	cr_expect_str_eq(rows[1].name, "other.example");
	cr_expect_str_eq(rows[1].id, "EX-B");
	cr_expect_eq(rows[1].row.basis, STORE_BASIS_TIME);
	cr_expect_str_eq(rows[2].id, "EX-B");
}

Test(store_contact, the_listed_name_behind_an_alias_is_found_too)
{
	struct store_record r =
		bed_filtered("www.alias.example", at("10:00:00"), "203.0.113.9", "EX-1");
	struct store_record listed = bed_record("listed.example", 0);

	r.match = STORE_MATCH_ANSWER;
	r.match_name = listed.name;
	r.match_name_size = listed.name_size;
	bed_put(r);
	filtered("z.example", "10:00:01", "203.0.113.9", "EX-2");
	put(contact(at("10:00:02"), "203.0.113.9", 443, "listed.example"));
	put(contact(at("10:00:02"), "203.0.113.9", 443, "www.alias.example"));
	cr_assert_eq(ask((struct store_contact_question){.id = "EX-1"}), 2);
	cr_expect_str_eq(rows[0].asked, "www.alias.example");
	cr_expect_str_eq(rows[1].asked, "www.alias.example");
}

Test(store_contact, answers_without_an_address_lead_nowhere)
{
	struct store_record r = bed_filtered("c2.example", at("10:00:01"), "203.0.113.9", "EX-1");

	r.verdict = "nxdomain";
	bed_put(r);
	put(contact(at("10:00:02"), "203.0.113.9", 443, "c2.example"));
	cr_assert_eq(ask((struct store_contact_question){0}), 1);
	cr_expect_eq(rows[0].row.basis, STORE_BASIS_NONE);
	filtered("other.example", "10:00:00", "203.0.113.9", "EX-2");
	cr_assert_eq(ask((struct store_contact_question){0}), 1);
	cr_expect_str_eq(rows[0].id, "EX-2");
}

Test(store_contact, an_answer_counts_within_the_window_only)
{
	filtered("c2.example", "10:00:00", "203.0.113.9", "EX-1");
	put(contact(at("11:00:00"), "203.0.113.9", 1, ""));
	put(contact(at("11:00:01"), "203.0.113.9", 2, ""));
	put(contact(at("09:59:55"), "203.0.113.9", 3, ""));
	put(contact(at("09:59:54"), "203.0.113.9", 4, ""));
	put(contact(at("10:00:01"), "203.0.113.10", 5, ""));
	cr_assert_eq(ask((struct store_contact_question){0}), 5);
	cr_expect_eq(rows[0].row.port, 1);
	cr_expect_eq(rows[1].row.port, 3, "a clock that is a little off");
	for (unsigned i = 2; i < 5; i++) {
		cr_expect_str_eq(rows[i].id, "");
		cr_expect_str_eq(rows[i].asked, "");
		cr_expect_eq(rows[i].row.basis, STORE_BASIS_NONE);
	}
	cr_assert_eq(ask((struct store_contact_question){.id = "EX-1", .window_ms = 3601000}), 3);
	cr_assert_eq(ask((struct store_contact_question){.id = "EX-1", .window_ms = 1000}), 1);
}

Test(store_contact, the_answer_may_be_of_the_day_before)
{
	bed_put(bed_filtered("c2.example", bed_ms("2026-11-21 23:59:50"), "203.0.113.9", "EX-1"));
	put(contact(at("00:00:05"), "203.0.113.9", 443, ""));
	cr_assert_eq(ask((struct store_contact_question){.from_ms = at("00:00:00")}), 1);
	cr_expect_str_eq(rows[0].id, "EX-1");
}

Test(store_contact, contacts_that_are_alike_are_one_row)
{
	filtered("c2.example", "10:00:00", "203.0.113.9", "EX-1");
	for (int i = 0; i < 30; i++)
		put(contact(at("10:00:01") + i * 90000, "203.0.113.9", 443, "c2.example"));
	put(contact(at("10:30:00"), "203.0.113.9", 443, ""));
	put(contact(at("10:30:00"), "203.0.113.9", 8443, "c2.example"));
	put(contact(at("10:30:00"), "2001:db8::9", 443, "c2.example"));
	cr_assert_eq(ask((struct store_contact_question){0}), 4);
	cr_expect_eq(rows[1].row.n, 30);
	cr_expect_str_eq(rows[1].name, "c2.example");
	cr_expect_eq(rows[1].row.first_ms, at("10:00:01"));
	cr_expect_eq(rows[1].row.last_ms, at("10:00:01") + 29 * 90000);
	cr_expect_str_eq(rows[3].client, "2001:db8::9");
	cr_expect_str_eq(rows[3].id, "");
}

Test(store_contact, a_question_takes_times_and_clients)
{
	for (int i = 0; i < 5; i++) {
		put(contact(at("10:00:00") + i * 3600000, "203.0.113.9", (uint16_t)(1 + i), ""));
		put(contact(at("10:00:00") + i * 3600000, "203.0.114.9", (uint16_t)(1 + i), ""));
	}
	cr_expect_eq(ask((struct store_contact_question){
			     .from_ms = at("11:00:00"), .to_ms = at("13:00:00")}),
		4);
	cr_expect_eq(
		ask((struct store_contact_question){.client = bed_prefix("203.0.113.0/24")}), 5);
	cr_expect_eq(
		ask((struct store_contact_question){.client = bed_prefix("2001:db8::/32")}), 0);
}

Test(store_contact, a_chunk_that_comes_again_replaces_what_it_was)
{
	struct store_contact c[2] = {contact(at("10:00:01"), "203.0.113.9", 443, "a.example"),
		contact(at("10:00:02"), "203.0.113.9", 80, "")};
	struct store_contacts_done done;

	c[0].n = 5;
	cr_assert_eq(store_contacts_put(bed.store, 77, c, 1, &done), 0);
	c[0].n = 7;
	c[0].last_ms += 5000;
	cr_assert_eq(store_contacts_put(bed.store, 77, c, 2, &done), 0);
	cr_assert_eq(ask((struct store_contact_question){0}), 2);
	cr_expect_eq(rows[1].row.n, 7);
	cr_expect_eq(rows[1].row.last_ms, at("10:00:06"));
	c[0].n = 1;
	cr_assert_eq(store_contacts_put(bed.store, 78, c, 1, &done), 0);
	cr_assert_eq(ask((struct store_contact_question){0}), 2);
	cr_expect_eq(rows[1].row.n, 8);
}

Test(store_contact, contacts_of_several_days_go_where_they_belong)
{
	struct store_contact c[3];
	struct store_contacts_done done;
	struct store_day *days;

	for (int i = 0; i < 3; i++)
		c[i] = contact(
			at("10:00:00") + (i - 2) * INT64_C(86400000), "203.0.113.9", 443, "");
	cr_assert_eq(store_contacts_put(bed.store, 1, c, 3, &done), 0);
	cr_expect_eq(done.stored, 3);
	put(contact(at("10:00:00"), "203.0.113.9", 80, ""));
	cr_assert_eq(store_days(bed.store, &days), 3);
	cr_expect_eq(days[0].records[2], 1);
	cr_expect_eq(days[2].records[2], 2);
	cr_expect_gt(days[2].bytes[2], 0);
	free(days);
	cr_expect_eq(ask((struct store_contact_question){0}), 2);
}

Test(store_contact, everything_is_there_after_a_restart_and_beside_the_writer)
{
	struct store *writer = bed.store;

	filtered("c2.example", "10:00:00", "203.0.113.9", "EX-1");
	put(contact(at("10:00:02"), "203.0.113.9", 443, "c2.example"));
	bed_open(STORE_READ);
	cr_assert_eq(ask((struct store_contact_question){.id = "EX-1"}), 1);
	bed_close();
	bed.store = writer;
	bed_close();
	bed_open(STORE_WRITE);
	cr_assert_eq(ask((struct store_contact_question){.id = "EX-1"}), 1);
}

Test(store_contact, who_may_mend_can_put_what_no_writer_has_open)
{
	const struct store_options options = {.mode = STORE_MEND};
	struct store_contact c = contact(at("10:00:02"), "203.0.113.9", 443, "");
	struct store_contacts_done done;
	struct store *mender;

	// The writer has the day's records open, but no contacts.
	filtered("c2.example", "10:00:00", "203.0.113.9", "EX-1");
	cr_assert_eq(store_open(bed.path, &options, &mender), 0);
	cr_expect_eq(store_contacts_put(mender, 5, &c, 1, &done), 0);
	cr_assert_eq(store_close(mender), 0);
	put(contact(at("10:00:03"), "203.0.113.9", 80, ""));
	cr_assert_eq(store_open(bed.path, &options, &mender), 0);
	cr_expect_eq(store_contacts_put(mender, 6, &c, 1, &done), -EBUSY);
	cr_assert_eq(store_close(mender), 0);
	cr_expect_eq(ask((struct store_contact_question){.id = "EX-1"}), 2);
}

Test(store_contact, days_are_removed_with_their_contacts)
{
	struct store_dropped dropped;
	char path[160];

	put(contact(at("10:00:02"), "203.0.113.9", 443, ""));
	put(contact(at("10:00:02") - INT64_C(86400000) * 60, "203.0.113.9", 443, ""));
	cr_assert_eq(store_oldest_ms(bed.store), bed_ms("2026-09-23 00:00:00"));
	cr_assert_eq(store_drop_before(bed.store, list_day_of(at("00:00:00") / 1000),
			     &(struct store_actor){"me"}, &dropped),
		0);
	cr_expect_eq(dropped.days, 1);
	cr_expect_eq(dropped.records, 1);
	snprintf(path, sizeof(path), "%s/sinkhole/2026-09-23", bed.path);
	cr_expect_neq(access(path, F_OK), 0);
	cr_expect_eq(ask((struct store_contact_question){0}), 1);
	// And what comes for that day again is kept.
	put(contact(at("10:00:02") - INT64_C(86400000) * 60, "203.0.113.9", 443, ""));
	cr_expect_eq(ask((struct store_contact_question){.to_ms = at("00:00:00")}), 1);
}

Test(store_contact, a_client_that_is_forgotten_is_forgotten_here_too)
{
	const struct prefix prefix = bed_prefix("203.0.113.0/24");
	struct store_dropped dropped;
	struct store_day *days;

	filtered("c2.example", "10:00:00", "203.0.113.9", "EX-1");
	put(contact(at("10:00:02"), "203.0.113.9", 443, ""));
	put(contact(at("10:00:03"), "203.0.113.10", 443, "secret.example"));
	put(contact(at("10:00:03"), "203.0.114.10", 443, ""));
	put(contact(at("10:00:03"), "2001:db8::1", 443, ""));
	cr_assert_eq(store_forget(bed.store, &prefix, &(struct store_actor){"me"}, &dropped), 0);
	cr_expect_eq(dropped.records, 3);
	cr_expect_eq(dropped.days, 1);
	cr_assert_eq(ask((struct store_contact_question){0}), 2);
	cr_expect_str_eq(rows[0].client, "203.0.114.10");
	cr_assert_eq(store_days(bed.store, &days), 1);
	cr_expect_eq(days[0].records[1], 0);
	cr_expect_eq(days[0].records[2], 2);
	free(days);
	put(contact(at("10:00:04"), "203.0.113.10", 443, ""));
	cr_expect_eq(ask((struct store_contact_question){0}), 3);
}

Test(store_contact, nobody_but_the_owner_may_read)
{
	struct stat info;
	char path[160];

	put(contact(at("10:00:02"), "203.0.113.9", 443, ""));
	snprintf(path, sizeof(path), "%s/sinkhole", bed.path);
	cr_assert_eq(stat(path, &info), 0);
	cr_expect_eq(info.st_mode & 0777, 0700);
	strcat(path, "/2026-11-22");
	cr_assert_eq(stat(path, &info), 0);
	cr_expect_eq(info.st_mode & 0777, 0700);
	strcat(path, "/CURRENT");
	cr_assert_eq(stat(path, &info), 0);
	cr_expect_eq(info.st_mode & 0777, 0600);
}

Test(store_contact, many_contacts_and_answers_are_joined_right)
{
	enum { CLIENTS = 200, EACH = 100 };
	static struct store_contact c[CLIENTS * EACH];
	struct store_contacts_done done;
	char client[ADDR_TEXT_SIZE], id[16], name[32];
	uint64_t sum = 0;

	// Each client asks for one name each minute, and connects a second later.
	for (unsigned i = 0; i < CLIENTS; i++) {
		snprintf(client, sizeof(client), "10.0.0.%u", i);
		for (unsigned m = 0; m < EACH; m++) {
			struct store_record r;

			snprintf(id, sizeof(id), "EX-%u", (i + m) % 5);
			snprintf(name, sizeof(name), "c%u.example", (i + m) % 5);
			r = bed_filtered(name, at("10:00:00") + m * 60000, client, id);
			cr_assert_eq(bed_append(&r, 1, 0, 0), 0);
			c[i * EACH + m] = contact(at("10:00:01") + m * 60000, client, 6667, "");
		}
	}
	cr_assert_eq(store_commit(bed.store), 0);
	cr_assert_eq(store_contacts_put(bed.store, 1, c, CLIENTS * EACH, &done), 0);
	cr_assert_eq(done.stored, CLIENTS * EACH);
	for (unsigned i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "EX-%u", i);
		snprintf(name, sizeof(name), "c%u.example", i);
		cr_assert_eq(ask((struct store_contact_question){.id = id}), CLIENTS);
		for (unsigned row = 0; row < n_rows; row++) {
			cr_assert_eq(rows[row].row.n, EACH / 5);
			cr_assert_str_eq(rows[row].asked, name);
			sum += rows[row].row.n;
		}
	}
	cr_expect_eq(sum, CLIENTS * EACH);
}

Test(store_contact, odd_keys_are_no_contacts)
{
	uint8_t key[STORE_CONTACT_KEY_MAX], value[STORE_CONTACT_VALUE_SIZE];
	struct store_contact c = contact(1000, "2001:db8::9", 443, "c2.example"), read;
	char name[STORE_CONTACT_NAME_MAX + 1];
	size_t size = store_contact_row_make(&c, 32, 1000, key, value) + 8;

	cr_assert(store_contact_key_read(key, size, &read, name));
	cr_expect_str_eq(read.name, "c2.example");
	cr_expect_eq(read.port, 443);
	cr_expect_eq(memcmp(&read.client, &c.client, sizeof(c.client)), 0);
	for (size_t i = 0; i < size - strlen(c.name); i++)
		cr_expect_not(store_contact_key_read(key, i, &read, name), "%zu", i);
	key[1] = 5;
	cr_expect_not(store_contact_key_read(key, size, &read, name));
	cr_expect_not(store_contact_value_read(value, sizeof(value) - 1, 0, &read));
}
