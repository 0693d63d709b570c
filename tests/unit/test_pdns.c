/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is taken from answers, and kept.
 */
#include "pdns_bed.h"

#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

TestSuite(pdns, .init = bed_up, .fini = bed_down);

Test(pdns, an_answer_is_taken_with_its_chain)
{
	bed_msg("WWW.Example.com");
	bed_rr(BED_ANSWER, "www.example.com", "CNAME", "web.example.net.");
	bed_rr(BED_ANSWER, "web.example.net", "A", "192.0.2.1");
	bed_rr(BED_ANSWER, "web.example.net", "A", "192.0.2.2");
	cr_expect_eq(bed_observe(PDNS_CLIENT, 1000, NULL), 3);
	cr_expect_eq(bed_everything(), 3);
	cr_expect(bed_has("www.example.com CNAME example.com 1 1000 1000 1 web.example.net"));
	cr_expect(bed_has("web.example.net A example.net 1 1000 1000 1 192.0.2.1"));
	cr_expect(bed_has("web.example.net A example.net 1 1000 1000 1 192.0.2.2"));
}

Test(pdns, times_and_counts_are_merged_for_each_class)
{
	static const int64_t times[] = {2000, 1000, 3000};

	for (unsigned i = 0; i < 3; i++) {
		bed_msg("a.example");
		bed_rr(BED_ANSWER, "a.example", "A", "192.0.2.1");
		bed_observe(PDNS_CLIENT, times[i], NULL);
	}
	bed_observe(PDNS_RESOLVER, 500, NULL);
	cr_assert_eq(bed_owner("a.example"), 1);
	cr_expect_str_eq(bed.found[0], "a.example A a.example 3 500 3000 4 192.0.2.1");
	for (unsigned class = 0; class < PDNS_CLASSES; class ++) {
		struct pdns_question q = bed_by(PDNS_BY_OWNER, PDNS_EXACT, "a.example");

		q.classes = PDNS_CLASS_BIT(class);
		cr_assert_eq(bed_ask(q), 1);
		cr_expect_str_eq(bed.found[0],
			class == PDNS_CLIENT ? "a.example A a.example 1 1000 3000 3 192.0.2.1"
					     : "a.example A a.example 2 500 500 1 192.0.2.1");
	}
}

Test(pdns, what_waits_in_the_window_is_merged_too)
{
	struct pdns_answer answer = {.time_s = 7, .msg = bed.msg};
	struct pdns_stats stats;

	bed_msg("a.example");
	bed_rr(BED_ANSWER, "a.example", "A", "192.0.2.1");
	answer.size = bed.size;
	for (; answer.time_s < 107; answer.time_s++)
		cr_assert_eq(pdns_observe(bed.pdns, &answer), 1);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect(stats.waiting == 1 && stats.messages == 100 && stats.tuples == 100);
	cr_expect_eq(bed_everything(), 0);
	cr_assert_eq(pdns_flush(bed.pdns), 0);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect(stats.waiting == 0 && stats.flushed == 1);
	cr_assert_eq(bed_everything(), 1);
	cr_expect_str_eq(bed.found[0], "a.example A a.example 1 7 106 100 192.0.2.1");
}

Test(pdns, names_in_rdata_are_expanded_and_folded)
{
	// "Mail" and a pointer to the question's name.
	static const uint8_t mx[] = {0, 10, 4, 'M', 'a', 'I', 'L', 0xc0, 12};

	bed_msg("Example.ORG");
	bed_raw(BED_ANSWER, "example.org", 15, mx, sizeof(mx));
	cr_expect_eq(bed_observe(PDNS_CLIENT, 1, NULL), 1);
	cr_assert_eq(bed_ask(bed_by(PDNS_BY_TARGET, PDNS_EXACT, "mail.example.org")), 1);
	cr_expect_str_eq(bed.found[0], "example.org MX example.org 1 1 1 1 10 mail.example.org");
}

Test(pdns, all_types_and_any_octets_are_kept)
{
	bed_msg("x.example");
	bed_rr(BED_ANSWER, "x.example", "TXT", "\"a;\\\"\\000\" \"\"");
	bed_rr(BED_ANSWER, "x.example", "HTTPS", "1 . alpn=h2 ipv4hint=192.0.2.9");
	bed_rr(BED_ANSWER, "x.example", "TYPE65280", "\\# 3 00ff0a");
	bed_rr(BED_ANSWER, "x.example", "DS", "1 8 2 00ff");
	bed_rr(BED_ANSWER, "x.example", "NAPTR", "1 2 \"s\" \"x\" \"\" Target.example.");
	bed_raw(BED_ANSWER, "\\000\\.\\255.example", 16, "\x03zzz", 4);
	cr_expect_eq(bed_observe(PDNS_CLIENT, 1, NULL), 6);
	cr_expect_eq(bed_everything(), 6);
	cr_expect(bed_has("x.example TXT x.example 1 1 1 1 \"a;\\\"\\000\" \"\""));
	cr_expect(bed_has("x.example HTTPS x.example 1 1 1 1 1 . alpn=h2 ipv4hint=192.0.2.9"));
	cr_expect(bed_has("x.example TYPE65280 x.example 1 1 1 1 \\# 3 00ff0a"));
	cr_expect(bed_has("x.example DS x.example 1 1 1 1 1 8 2 00ff"));
	cr_expect(bed_has("x.example NAPTR x.example 1 1 1 1 1 2 \"s\" \"x\" \"\" target.example"));
	cr_expect(bed_has("\\000\\.\\255.example TXT \\000\\.\\255.example 1 1 1 1 \"zzz\""));
}

Test(pdns, what_is_no_data_is_left_out)
{
	bed_msg("a.example");
	bed_raw(BED_ANSWER, "a.example", 250, "x", 1);
	bed_raw(BED_ANSWER, "a.example", 24, "\0\0\1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 19);
	bed_raw(BED_ANSWER, "a.example", 255, "x", 1);
	bed_raw(BED_ANSWER, "a.example", 0, "x", 1);
	bed_rr(BED_ANSWER, "a.example", "A", "192.0.2.1");
	bed_raw(BED_ANSWER, "a.example", 1, "\1\2\3", 3);
	bed_raw(BED_ANSWER, "a.example", 2, "", 0);
	bed_raw(BED_ADDITIONAL, ".", 41, "", 0);
	cr_expect_eq(bed_observe(PDNS_RESOLVER, 1, "example"), 1);
	cr_expect_eq(bed_everything(), 1);
}

Test(pdns, another_class_than_in_is_left_out)
{
	bed_msg("version.bind");
	bed_rr(BED_ANSWER, "version.bind", "TXT", "\"9\"");
	store_be16(bed.msg + bed.size - 10, 3);
	cr_expect_eq(bed_observe(PDNS_CLIENT, 1, NULL), 0);
}

Test(pdns, queries_and_what_cannot_be_read_are_refused)
{
	struct pdns_stats stats;

	bed_msg("a.example");
	bed_rr(BED_ANSWER, "a.example", "A", "192.0.2.1");
	bed.size--;
	cr_expect_eq(bed_observe(PDNS_CLIENT, 1, NULL), PDNS_E_MESSAGE);
	bed.size++;
	bed.msg[2] &= 0x7f;
	cr_expect_eq(bed_observe(PDNS_CLIENT, 1, NULL), PDNS_E_MESSAGE);
	bed.msg[2] |= 0xa0;
	cr_expect_eq(bed_observe(PDNS_CLIENT, 1, NULL), PDNS_E_MESSAGE);
	bed.msg[2] = 0x80;
	bed.msg[7] = 2;
	cr_expect_eq(bed_observe(PDNS_CLIENT, 1, NULL), PDNS_E_MESSAGE);
	bed.msg[7] = 1;
	cr_expect_eq(bed_observe(PDNS_CLIENT, -1, NULL), PDNS_E_TIME);
	cr_expect_eq(bed_observe(PDNS_CLIENT, (int64_t)UINT32_MAX + 1, NULL), PDNS_E_TIME);
	cr_expect_eq(bed_everything(), 0);
	// What is behind the answer may have been cut off.
	bed.msg[9] = 1;
	cr_expect_eq(bed_observe(PDNS_CLIENT, 1, NULL), 1);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect(stats.malformed == 4 && stats.bad_time == 2 && stats.messages == 1);
}

Test(pdns, what_a_policy_made_up_is_refused)
{
	static const uint8_t blocked[] = {0, 15, 0, 2, 0, 15}, stale[] = {0, 15, 0, 2, 0, 3};

	bed_msg("a.example");
	bed_rr(BED_ANSWER, "a.example", "A", "192.0.2.1");
	bed_raw(BED_ADDITIONAL, ".", 41, blocked, sizeof(blocked));
	cr_expect_eq(bed_observe(PDNS_CLIENT, 1, NULL), PDNS_E_MADE_UP);
	bed_msg("a.example");
	bed_rr(BED_ANSWER, "a.example", "A", "192.0.2.1");
	bed_rr(BED_ADDITIONAL, "rpz.example", "SOA", "a. b. 1 2 3 4 5");
	cr_expect_eq(bed_observe(PDNS_CLIENT, 1, NULL), PDNS_E_MADE_UP);
	bed_msg("a.example");
	bed_rr(BED_ANSWER, "a.example", "A", "192.0.2.1");
	bed_raw(BED_ADDITIONAL, ".", 41, stale, sizeof(stale));
	cr_expect_eq(bed_observe(PDNS_CLIENT, 1, NULL), 1);
}

static void referral(void)
{
	bed_msg("www.example.co.jp");
	bed_rr(BED_AUTHORITY, "example.co.jp", "NS", "ns1.example.co.jp.");
	bed_rr(BED_AUTHORITY, "example.co.jp", "NS", "ns.example.net.");
	bed_rr(BED_ADDITIONAL, "ns1.example.co.jp", "A", "192.0.2.53");
	bed_rr(BED_ADDITIONAL, "ns.example.net", "A", "192.0.2.54");
}

Test(pdns, a_resolvers_referrals_are_taken_in_bailiwick)
{
	referral();
	cr_expect_eq(bed_observe(PDNS_RESOLVER, 1, "jp"), 3);
	cr_expect_eq(bed_everything(), 3);
	cr_expect(bed_has("example.co.jp NS jp 2 1 1 1 ns1.example.co.jp"));
	cr_expect(bed_has("ns1.example.co.jp A jp 2 1 1 1 192.0.2.53"));
	cr_expect(!bed_has("ns.example.net A jp 2 1 1 1 192.0.2.54"));
}

Test(pdns, without_a_zone_the_authority_says_it)
{
	referral();
	cr_expect_eq(bed_observe(PDNS_RESOLVER, 1, NULL), 3);
	cr_expect(bed_everything() == 3 &&
		  bed_has("example.co.jp NS example.co.jp 2 1 1 1 ns.example.net"));
}

Test(pdns, whoever_claims_a_suffix_is_not_believed)
{
	bed_msg("evil.example.com");
	bed_rr(BED_AUTHORITY, "com", "NS", "ns.evil.example.com.");
	bed_rr(BED_ADDITIONAL, "www.bank.com", "A", "192.0.2.66");
	cr_expect_eq(bed_observe(PDNS_RESOLVER, 1, NULL), 0);
	bed_msg("evil.example.com");
	bed_rr(BED_ANSWER, "evil.example.com", "CNAME", "www.bank.com.");
	bed_rr(BED_ANSWER, "www.bank.com", "A", "192.0.2.66");
	cr_expect_eq(bed_observe(PDNS_RESOLVER, 1, "example.com"), 1);
}

Test(pdns, behind_a_cache_only_the_answer_section_counts)
{
	referral();
	cr_expect_eq(bed_observe(PDNS_CLIENT, 1, NULL), 0);
}

Test(pdns, the_authority_tells_the_bailiwick_of_an_answer)
{
	bed_msg("www.sub.example.com");
	bed_rr(BED_ANSWER, "www.sub.example.com", "A", "192.0.2.1");
	bed_rr(BED_AUTHORITY, "sub.example.com", "NS", "ns.example.com.");
	cr_expect_eq(bed_observe(PDNS_CLIENT, 1, NULL), 1);
	cr_assert_eq(bed_everything(), 1);
	cr_expect_str_eq(bed.found[0], "www.sub.example.com A sub.example.com 1 1 1 1 192.0.2.1");
}

Test(pdns, base_domains_are_those_of_the_public_suffix_list)
{
	static const struct {
		const char *name;
		unsigned labels;
	} rows[] = {
		{"www.example.com", 2},
		{"example.com", 2},
		{"com", 1},
		{".", 0},
		{"a.b.example.co.jp", 3},
		{"co.jp", 2},
		{"a.b.city.kobe.jp", 3},
		{"x.github.io", 2},
		{"a.b.c.d.e.f.g.example.co.uk", 3},
		{"x.y.nosuchsuffix", 2},
		{"a\\.b.\\000.example.com", 2},
	};
	size_t size;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(pdns_base_labels(bed_name(rows[i].name, &size)), rows[i].labels,
			"%s: %u", rows[i].name, pdns_base_labels(bed_name(rows[i].name, &size)));
}

Test(pdns, data_that_is_none_of_its_type_has_a_text_too)
{
	static const struct {
		uint16_t type;
		const char *text;
		int size;
	} rows[] = {
		{16, "\\# 4 c02cc02a", 4},
		{15, "\\# 1 00", 1},
		{42, "\\# 0", 0}, // RFC 3123 s4: a list of no items
		{65280, "\\# 0", 0},
		{65280, "\\# 3 00 FF0a", 3},
		{65280, "\\# 3 00ff", -EINVAL},
		{65280, "\\# 1 00ff", -EINVAL},
		{65280, "\\# 1 0", -EINVAL},
		{65280, "\\# 1 0g", -EINVAL},
		{65280, "\\# x", -EINVAL},
		{37, "0 1 5 aaaa", -EINVAL},
		{37, "65536 1 5 aaaa", -EINVAL},
		{1, "192.0.2", -EINVAL},
		{1, "192.0.2.1\n", -EINVAL},
	};
	uint8_t rdata[PDNS_RDATA_MAX];
	static char text[PDNS_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int size = pdns_rdata_parse(rows[i].type, rows[i].text, rdata);

		cr_expect_eq(size, rows[i].size, "%zu: %d", i, size);
		if (size < 0 || strchr(rows[i].text, 'F'))
			continue;
		pdns_rdata_text(rows[i].type, rdata, (size_t)size, true, text);
		cr_expect_str_eq(text, rows[i].text);
	}
}

Test(pdns, tuples_of_others_are_put)
{
	struct pdns_tuple t = {.class = PDNS_RESOLVER,
		.type = 2,
		.rdata = (const uint8_t *)"\2NS\7Example",
		.rdata_size = 12,
		.first_s = 10,
		.last_s = 20,
		.count = 7};

	t.owner = bed_name("example.com", &t.owner_size);
	t.bailiwick = bed_name("com", &t.bailiwick_size);
	cr_assert_eq(pdns_put(bed.pdns, &t), 0);
	t.bailiwick = bed_name("org", &t.bailiwick_size);
	cr_assert_eq(pdns_put(bed.pdns, &t), 0);
	cr_assert_eq(pdns_flush(bed.pdns), 0);
	cr_expect_eq(bed_everything(), 2);
	cr_expect(bed_has("example.com NS com 2 10 20 7 ns.example"));
	cr_expect(bed_has("example.com NS example.com 2 10 20 7 ns.example"));
	t.count = 0;
	cr_expect_eq(pdns_put(bed.pdns, &t), -EINVAL);
	t.count = 1;
	t.rdata_size = 11;
	cr_expect_eq(pdns_put(bed.pdns, &t), -EINVAL);
	t.rdata_size = 12;
	t.last_s = 9;
	cr_expect_eq(pdns_put(bed.pdns, &t), -EINVAL);
	t.last_s = 10;
	t.owner = (const uint8_t *)"\xc0\x0c";
	t.owner_size = 2;
	cr_expect_eq(pdns_put(bed.pdns, &t), -EINVAL);
}

Test(pdns, what_was_flushed_is_there_after_the_next_open)
{
	bed_msg("a.example");
	bed_rr(BED_ANSWER, "a.example", "A", "192.0.2.1");
	bed_observe(PDNS_CLIENT, 1, NULL);
	bed_close();
	bed_open(PDNS_WRITE);
	bed_observe(PDNS_CLIENT, 2, NULL);
	bed_close();
	bed_open(PDNS_READ);
	cr_assert_eq(bed_everything(), 1);
	cr_expect_str_eq(bed.found[0], "a.example A a.example 1 1 2 2 192.0.2.1");
}

Test(pdns, a_reader_beside_the_writer_sees_what_was_flushed)
{
	struct pdns *writer = bed.pdns;

	bed_msg("a.example");
	bed_rr(BED_ANSWER, "a.example", "A", "192.0.2.1");
	bed_observe(PDNS_CLIENT, 1, NULL);
	bed_open(PDNS_READ);
	cr_expect_eq(bed_everything(), 1);
	bed_close();
	bed.pdns = writer;
}

Test(pdns, a_second_writer_is_refused_and_nothing_read_where_nothing_is)
{
	struct pdns *other;

	log_threshold(LOG_ERROR);
	cr_expect_eq(
		pdns_open(bed.path, &(struct pdns_options){.mode = PDNS_WRITE}, &other), -EBUSY);
	cr_expect_eq(pdns_open("/nonexistent/x", &(struct pdns_options){.mode = PDNS_READ}, &other),
		-ENOENT);
}

Test(pdns, a_backup_is_whole_and_opens)
{
	char path[96];

	bed_msg("a.example");
	bed_rr(BED_ANSWER, "a.example", "A", "192.0.2.1");
	bed_observe(PDNS_CLIENT, 1, NULL);
	snprintf(path, sizeof(path), "%s/copy", bed.folder);
	cr_assert_eq(pdns_backup(bed.pdns, path), 0);
	cr_expect_eq(pdns_backup(bed.pdns, path), -EEXIST);
	bed_observe(PDNS_CLIENT, 2, NULL);
	bed_close();
	strcpy(bed.path, path);
	bed_open(PDNS_WRITE);
	cr_assert_eq(bed_everything(), 1);
	cr_expect_str_eq(bed.found[0], "a.example A a.example 1 1 1 1 192.0.2.1");
}

Test(pdns, what_cannot_be_written_waits_and_is_not_counted_twice)
{
	const struct rlimit short_of = {.rlim_cur = 1 << 19, .rlim_max = RLIM_INFINITY};
	const struct rlimit plenty = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
	struct pdns_tuple t = {.type = 16, .count = 1};
	uint8_t rdata[256] = {255};
	struct pdns_stats stats;

	t.owner = bed_name("a.example", &t.owner_size);
	t.rdata = rdata;
	t.rdata_size = sizeof(rdata);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &short_of), 0);
	// More than one write of the window.
	for (unsigned i = 0; i < 20000; i++) {
		store_be32(rdata + 1, i);
		cr_assert_eq(pdns_put(bed.pdns, &t), 0);
	}
	cr_expect_lt(pdns_flush(bed.pdns), 0);
	cr_expect_lt(pdns_flush(bed.pdns), 0);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect(stats.failed_flushes == 2 && stats.waiting == 20000);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &plenty), 0);
	cr_assert_eq(pdns_flush(bed.pdns), 0);
	cr_assert_eq(bed_everything(), 20000);
	for (unsigned i = 0; i < bed.n_found; i++)
		cr_assert(strncmp(bed.found[i], "a.example TXT a.example 1 0 0 1 ", 32) == 0);
	cr_assert_eq(bed_ask(bed_by(PDNS_BY_OWNER, PDNS_START, "a")), 20000);
}

Test(pdns, files_are_put_in_order_when_nobody_asks)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned found = 0;

	cr_assert(tasks);
	for (struct dirent *task; (task = readdir(tasks));) {
		char path[300], name[32] = "";
		FILE *comm;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task->d_name);
		comm = fopen(path, "r");
		if (!comm)
			continue;
		cr_assert(fgets(name, sizeof(name), comm));
		fclose(comm);
		if (strcmp(name, "rocksdb:low\n") != 0)
			continue;
		found++;
		cr_expect_geq(getpriority(PRIO_PROCESS, (id_t)atoi(task->d_name)), 5);
	}
	closedir(tasks);
	cr_expect_gt(found, 0);
}

Test(pdns, values_are_read_as_they_were_written)
{
	static const uint32_t lasted[] = {0, 1, 255, 256, 65535, 65536, 1 << 24, UINT32_MAX};
	uint8_t value[PDNS_VALUE_MAX];

	for (unsigned i = 0; i < 8; i++) {
		for (unsigned j = 0; j < 8; j++) {
			const struct pdns_sum sums[PDNS_CLASSES] = {
				{.count = 2 + i, .first = 0, .last = lasted[i]},
				{.count = UINT64_MAX,
					.first = UINT32_MAX - lasted[j],
					.last = UINT32_MAX}};
			struct pdns_sum read[PDNS_CLASSES] = {0};
			size_t size = pdns_value_write(sums, value);

			cr_assert_leq(size, PDNS_VALUE_MAX);
			cr_assert(pdns_value_add(value, size, read));
			cr_expect_eq(memcmp(sums, read, sizeof(sums)), 0, "%u %u", i, j);
			for (size_t less = 0; less < size; less++)
				cr_expect(!pdns_value_add(value, less, read));
		}
	}
}

Test(pdns, a_dataset_of_another_version_is_left_alone)
{
	const struct pdns_options options = {.mode = PDNS_WRITE};
	const char version = PDNS_VERSION - 1;
	struct pdns *pdns;
	char *error = NULL;

	rocksdb_put(bed.pdns->db, bed.pdns->write_options, PDNS_ROW_VERSION, PDNS_ROW_SIZE,
		&version, 1, &error);
	cr_assert_null(error);
	bed_close();
	log_threshold(LOG_ERROR + 1);
	cr_expect_eq(pdns_open(bed.path, &options, &pdns), -EPROTO);
	cr_expect_eq(pdns_open(bed.path, &options, &pdns), -EPROTO);
}

// A child that observes 100 numbered messages, flushes after the 60th, and is killed.
static void child_run(void)
{
	struct pdns_answer answer = {.time_s = 1, .msg = bed.msg, .start = 77};

	bed_open(PDNS_WRITE);
	bed_msg("a.example");
	bed_rr(BED_ANSWER, "a.example", "A", "192.0.2.1");
	answer.size = bed.size;
	for (answer.seq = 1; answer.seq <= 100; answer.seq++) {
		if (pdns_observe(bed.pdns, &answer) != 1)
			_exit(1);
		if (answer.seq == 60 && pdns_flush(bed.pdns) != 0)
			_exit(1);
	}
	kill(getpid(), SIGKILL);
}

Test(pdns, what_a_kill_loses_is_counted_as_lost)
{
	struct pdns_stats stats;
	int status;
	pid_t pid;

	bed_close();
	pid = fork();
	if (pid == 0)
		child_run();
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status));
	bed_open(PDNS_WRITE);
	cr_assert_eq(bed_everything(), 1);
	cr_expect_str_eq(bed.found[0], "a.example A a.example 1 1 1 60 192.0.2.1");
	// The sender goes on with its next number.
	pdns_skip(bed.pdns, 77, 101);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect_eq(stats.numbered, 101);
	cr_expect_eq(stats.lost, 40);
	bed_close();
	bed_open(PDNS_WRITE);
	pdns_stats_get(bed.pdns, &stats);
	cr_expect(stats.numbered == 101 && stats.lost == 40);
}
