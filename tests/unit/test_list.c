/* SPDX-License-Identifier: BSD-3-Clause */
#include "list/list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#define HEADER "id,fqdn,behaviour,start,end\n"

// What one reading gave: good entries as "line scope name first..last id behaviour;" and bad lines.
struct taken {
	char good[4096];
	char bad[8192];
	unsigned last_bad; // line
	unsigned stop_at;  // entry() fails at this line
	unsigned lanes;    // threads that read
	struct list_counts counts;
};

static int entry_take(void *ctx, unsigned lane, const struct list_entry *e)
{
	struct taken *t = ctx;
	char name[256] = "", first[11], last[11];
	size_t used = strlen(t->good);

	if (t->stop_at == e->line)
		return -ECANCELED;
	cr_assert(e->name[e->name_size - 1] == 0);
	for (const uint8_t *l = e->name; *l; l += *l + 1) {
		strncat(name, (const char *)l + 1, *l);
		if (l[*l + 1])
			strcat(name, ".");
	}
	snprintf(t->good + used, sizeof(t->good) - used, "%u %c%s %s..%s %s|%s;", e->line,
		"=*."[e->scope], name, list_day_format(e->first_day, first),
		list_day_format(e->last_day, last), e -> id, e -> behaviour);
	return 0;
}

static void bad_take(void *ctx, unsigned line, const char *what)
{
	struct taken *t = ctx;
	size_t used = strlen(t->bad);

	cr_assert(strncmp(what, "expected ", 9) == 0, "%s", what);
	cr_assert(strstr(what, ", got \""), "%s", what);
	snprintf(t->bad + used, sizeof(t->bad) - used, "%u: %s\n", line, what);
	t->last_bad = line;
}

static int file_read(const char *suffix, const char *data, size_t size, enum list_format format,
	struct taken *taken)
{
	const struct list_options options = {
		.format = format, .min_labels = 2, .lanes = taken->lanes};
	const struct list_sink sink = {.ctx = taken, .entry = entry_take, .bad_line = bad_take};
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/tmp/test_list.XXXXXX%s", suffix);
	fd = mkstemps(path, (int)strlen(suffix));
	cr_assert(fd >= 0);
	cr_assert(write(fd, data, size) == (ssize_t)size);
	close(fd);
	err = list_read(path, &options, &sink, &taken->counts);
	unlink(path);
	return err;
}

static int text_read(const char *data, enum list_format format, struct taken *taken)
{
	return file_read(".txt", data, strlen(data), format, taken);
}

Test(list_names, names_comments_and_blanks)
{
	struct taken t = {.good = ""};
	int err = text_read("\xef\xbb\xbf# a list\r\n\r\n  Example.com.\t# why\r\n \t# x\n"
			    "*.evil.example\n.bad.example   \n\n_x.b\xc3\xbc"
			    "cher.example",
		LIST_AUTO, &t);

	cr_assert(err == 0);
	cr_assert_str_eq(t.bad, "");
	cr_assert_str_eq(t.good, "3 =example.com .. |;5 *evil.example .. |;6 .bad.example .. |;"
				 "8 =_x.xn--bcher-kva.example .. |;");
	cr_assert(t.counts.lines == 8 && t.counts.good == 4 && t.counts.bad == 0);
	cr_assert(t.counts.format == LIST_NAMES);
}

Test(list_names, bad_lines_say_what_was_expected_and_do_not_stop_the_reading)
{
	static const char data[] =
		"0.0.0.0 ads.example\n127.0.0.1\n2001:db8::1\n10.0.0.0/8\nhttp://a.example/\n"
		"||a.example^\n.com\n*.com\n.\na.*.example\n*\nname#x\n1.2.3\na\x1b[2J.example\n"
		"good.example\n";
	struct taken t = {.good = ""};

	cr_assert(text_read(data, LIST_NAMES, &t) == 0);
	cr_assert_str_eq(t.good, "13 =1.2.3 .. |;15 =good.example .. |;");
	cr_assert_str_eq(t.bad,
		"1: expected one name, got \"0.0.0.0 ads.example\"\n"
		"2: expected a name, not an address, got \"127.0.0.1\"\n"
		"3: expected a name, not an address, got \"2001:db8::1\"\n"
		"4: expected a name, not an address, got \"10.0.0.0/8\"\n"
		"5: expected letters, digits, \"-\", \"_\" and dots, others escaped as \\DDD, "
		"got \"http://a.example/\"\n"
		"6: expected letters, digits, \"-\", \"_\" and dots, others escaped as \\DDD, "
		"got \"||a.example^\"\n"
		"7: expected at least 2 labels for a whole subtree, got \".com\"\n"
		"8: expected at least 2 labels for a whole subtree, got \"*.com\"\n"
		"9: expected a name, not the root, got \".\"\n"
		"10: expected \"*\" only in front, as in *.name, got \"a.*.example\"\n"
		"11: expected \"*\" only in front, as in *.name, got \"*\"\n"
		"12: expected letters, digits, \"-\", \"_\" and dots, others escaped as \\DDD, "
		"got \"name#x\"\n"
		"14: expected letters, digits, \"-\", \"_\" and dots, others escaped as \\DDD, "
		"got \"a\\x1b[2J.example\"\n");
	cr_assert(t.counts.good == 2 && t.counts.bad == 13 && t.counts.lines == 15);
}

Test(list_names, a_line_of_any_length_is_one_line)
{
	static const size_t sizes[] = {256, 4095, 4096, 4097, 65536, 300000};
	char *data = malloc(300100);

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct taken t = {.good = ""};

		memset(data, 'a', sizes[i]);
		memcpy(data + sizes[i], "\nok.example\n", 12);
		cr_assert(file_read(".txt", data, sizes[i] + 12, LIST_AUTO, &t) == 0);
		cr_assert_str_eq(t.good, "2 =ok.example .. |;");
		cr_assert(t.counts.bad == 1 && t.counts.lines == 2 && t.last_bad == 1);
	}
	free(data);
}

Test(list_names, octets_of_any_value_are_no_harm)
{
	struct taken t = {.good = ""};
	char data[2048];

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 167 >> 3);
	cr_assert(file_read(".txt", data, sizeof(data), LIST_AUTO, &t) == 0);
	cr_assert(t.counts.bad > 0);
}

Test(list_names, an_empty_file_is_read_and_has_no_entry)
{
	struct taken t = {.good = ""};

	cr_assert(text_read("", LIST_AUTO, &t) == 0);
	cr_assert(t.counts.lines == 0 && t.counts.good == 0 && t.counts.bad == 0);
	cr_assert(text_read("# only\n\n", LIST_NAMES, &t) == 0);
	cr_assert(t.counts.lines == 2 && t.counts.good == 0 && t.counts.bad == 0);
}

Test(list_names, min_labels_is_about_subtrees_only)
{
	const struct list_options options = {.format = LIST_NAMES, .min_labels = 3};
	struct taken t = {.good = ""};
	const struct list_sink sink = {.ctx = &t, .entry = entry_take, .bad_line = bad_take};
	char path[] = "/tmp/test_list.XXXXXX";
	int fd = mkstemp(path);

	cr_assert(write(fd, "com\n.co.jp\n*.a.co.jp\n", 21) == 21);
	close(fd);
	cr_assert(list_read(path, &options, &sink, &t.counts) == 0);
	unlink(path);
	cr_assert_str_eq(t.good, "1 =com .. |;3 *a.co.jp .. |;");
	cr_assert_str_eq(
		t.bad, "2: expected at least 3 labels for a whole subtree, got \".co.jp\"\n");
}

Test(list_read, a_missing_file_is_an_error)
{
	const struct list_options options = {.format = LIST_AUTO};
	struct taken t = {.good = ""};
	const struct list_sink sink = {.ctx = &t, .entry = entry_take, .bad_line = bad_take};

	cr_assert(list_read("/nonexistent/x", &options, &sink, &t.counts) == -ENOENT);
	cr_assert(list_read("/tmp", &options, &sink, &t.counts) == -EISDIR);
}

Test(list_read, entry_stops_the_reading)
{
	struct taken t = {.good = "", .stop_at = 2};

	cr_assert(text_read("a.example\nb.example\nc.example\n", LIST_AUTO, &t) == -ECANCELED);
	cr_assert_str_eq(t.good, "1 =a.example .. |;");
	t = (struct taken){.stop_at = 3};
	cr_assert(text_read(HEADER "i,a.example,,2026-01-01,\ni,b.example,,2026-01-01,\n",
			  LIST_AUTO, &t) == -ECANCELED);
	cr_assert_str_eq(t.good, "2 =a.example 2026-01-01.. i|;");
}

Test(list_catalogue, good_lines_of_every_shape)
{
	static const char data[] =
		"\xef\xbb\xbf# exported\r\n\r\n"
		" ID , \"Fqdn\",BEHAVIOUR,start,End \r\n"
		"EX-1,c2.example,Steals \xe6\x83\x85\xe5\xa0\xb1,2026-07-01,2026-07-31\r\n"
		"# removed\r\n \r\n"
		"EX-2 ,\t*.evil.example. ,\"a \"\"b\"\", c\",\"2000-02-29\",\r\n"
		"\"EX,3\",.bad.example,,2000-01-01,2179-06-05\r\n"
		"EX-4,x.example,one day,2026-07-01,2026-07-01";
	struct taken t = {.good = ""};

	cr_assert(text_read(data, LIST_AUTO, &t) == 0);
	cr_assert_str_eq(t.bad, "");
	cr_assert_str_eq(t.good,
		"4 =c2.example 2026-07-01..2026-07-31 EX-1|Steals \xe6\x83\x85\xe5\xa0\xb1;"
		"7 *evil.example 2000-02-29.. EX-2|a \"b\", c;"
		"8 .bad.example ..2179-06-05 EX,3|;"
		"9 =x.example 2026-07-01..2026-07-01 EX-4|one day;");
	cr_assert(t.counts.format == LIST_CATALOGUE);
	cr_assert(t.counts.lines == 9 && t.counts.good == 4);
}

Test(list_catalogue, a_bad_field_makes_a_bad_line)
{
	static const char *const bad[] = {
		"EX,a.example,b,2026-07-01",
		"EX,a.example,b,2026-07-01,,",
		"a.example",
		",a.example,b,2026-07-01,",
		"  ,a.example,b,2026-07-01,",
		"EX,,b,2026-07-01,",
		"EX,a b,c,2026-07-01,",
		"EX,192.0.2.1,b,2026-07-01,",
		"EX,.com,b,2026-07-01,",
		"EX,a.example,b,,",
		"EX,a.example,b,2026/07/01,",
		"EX,a.example,b,2026-7-1,",
		"EX,a.example,b,2026-02-29,",
		"EX,a.example,b,2026-04-31,",
		"EX,a.example,b,1999-12-31,",
		"EX,a.example,b,2179-06-06,",
		"EX,a.example,b,2026-07-01,never",
		"EX,a.example,b,2026-07-02,2026-07-01",
		"EX,a.example,\"b,2026-07-01,",
		"EX,a.example,b \"c\",2026-07-01,",
		"E\xffX,a.example,b,2026-07-01,",
		"E\tX,a.example,b,2026-07-01,",
		"EX,a.example,\x8a\xb4\x90\xf5,2026-07-01,",
		"EX,a.example,b\x7f,2026-07-01,",
		" # note,a.example,b,2026-07-01",
		HEADER,
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct taken t = {.good = ""};
		char data[256];

		snprintf(data, sizeof(data), HEADER "%s\nEX,ok.example,,2026-07-01,\n", bad[i]);
		cr_assert(text_read(data, LIST_CATALOGUE, &t) == 0);
		cr_assert(t.counts.bad == 1 && t.last_bad == 2, "vector %u: %s", i, t.bad);
		cr_assert(t.counts.good == 1, "vector %u", i);
	}
}

Test(list_catalogue, id_and_behaviour_have_at_most_255_octets)
{
	char data[1024], text[257];

	memset(text, 'x', sizeof(text));
	for (unsigned size = 255; size <= 256; size++) {
		struct taken t = {.good = ""};

		snprintf(data, sizeof(data),
			HEADER "%.*s,a.example,,2026-07-01,\n"
			       "i,a.example,%.*s,2026-07-01,\n",
			(int)size, text, (int)size, text);
		cr_assert(text_read(data, LIST_AUTO, &t) == 0);
		cr_assert(t.counts.good == (size == 255 ? 2 : 0));
		cr_assert(t.counts.bad == (size == 255 ? 0 : 2));
	}
}

Test(list_catalogue, the_header_is_required)
{
	static const struct {
		const char *suffix, *data;
		enum list_format format;
		int result;
		unsigned line;
	} vectors[] = {
		{".csv", "a.example\n", LIST_AUTO, -EBADMSG, 1},
		{".CSV", "# c\n\na.example\n", LIST_AUTO, -EBADMSG, 3},
		{".csv", "", LIST_AUTO, -EBADMSG, 1},
		{".csv", "# only\n", LIST_AUTO, -EBADMSG, 1},
		{".txt", "EX,a.example,b,2026-07-01,\n", LIST_CATALOGUE, -EBADMSG, 1},
		{".txt", "id,fqdn,behavior,start,end\n", LIST_CATALOGUE, -EBADMSG, 1},
		{".txt", "id,fqdn,behaviour,start,end,more\n", LIST_CATALOGUE, -EBADMSG, 1},
		{".csv", HEADER, LIST_AUTO, 0, 0},
		{".txt", HEADER, LIST_AUTO, 0, 0},
		{".csv", "a.example\n", LIST_NAMES, 0, 0},
		{".txt", HEADER, LIST_NAMES, 0, 1},
	};

	for (unsigned i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct taken t = {.good = ""};
		int err = file_read(vectors[i].suffix, vectors[i].data, strlen(vectors[i].data),
			vectors[i].format, &t);

		cr_assert(err == vectors[i].result, "vector %u gave %d", i, err);
		cr_assert(t.last_bad == vectors[i].line, "vector %u: %s", i, t.bad);
		if (err < 0)
			cr_assert(strstr(
				t.bad, "expected the header \"id,fqdn,behaviour,start,end\""));
	}
}

Test(list_day, every_day_there_and_back)
{
	char text[11];

	for (unsigned day = 1; day < LIST_DAY_LAST; day++) {
		list_day_format((uint16_t)day, text);
		cr_assert(list_day_parse(text, 10) == (int)day, "%u: %s", day, text);
	}
	cr_assert(list_day_parse("2000-01-01", 10) == 0);
	cr_assert(list_day_parse("2000-03-01", 10) == 60);
	cr_assert(list_day_parse("2179-06-05", 10) == 65534);
	cr_assert_str_eq(list_day_format(65534, text), "2179-06-05");
	cr_assert_str_eq(list_day_format(LIST_DAY_FIRST, text), "");
	cr_assert_str_eq(list_day_format(LIST_DAY_LAST, text), "");
}

Test(list_day, what_is_no_date_is_refused)
{
	static const char *const bad[] = {"", "2026-07-1", "2026-07-001", "2026-00-01",
		"2026-13-01", "2026-01-00", "2026-01-32", "2100-02-29", "20 6-07-01", "2026-+7-01",
		"2026-07-01 ", " 2026-07-01", "2026.07.01", "1999-12-31", "2179-06-06",
		"9999-12-31"};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert(list_day_parse(bad[i], strlen(bad[i])) == -1, "%s", bad[i]);
}

Test(list_day, the_day_changes_at_midnight_of_the_zone)
{
	const uint16_t day = (uint16_t)list_day_parse("2026-07-01", 10);

	setenv("TZ", "JST-9", 1);
	tzset();
	// 2026-06-30 15:00 UTC is midnight in Japan.
	cr_assert(list_day_of(1782831600 - 1) == day - 1);
	cr_assert(list_day_of(1782831600) == day);
	setenv("TZ", "UTC0", 1);
	tzset();
	cr_assert(list_day_of(1782831600) == day - 1);
	cr_assert(list_day_of(1782864000) == day);
	cr_assert(list_day_of(-1) == 0);
	cr_assert(list_day_of(0) == 0);
	cr_assert(list_day_of(INT64_MAX) == 0);
	cr_assert(list_day_of(7258118400) == 65534);
}
