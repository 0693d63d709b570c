/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys, rates and parameters of lib/http; what a server does is tested by tests/collect.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "http/http_private.h"
#include "list/list.h"

static char folder[64];

static void set_up(void)
{
	log_threshold(LOG_ERROR);
	strcpy(folder, "/tmp/test_http_XXXXXX");
	cr_assert(mkdtemp(folder));
}

static int path_remove(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	return remove(path);
}

static void tear_down(void)
{
	nftw(folder, path_remove, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(http, .init = set_up, .fini = tear_down);

static struct http_key key_of(const char *name, enum http_role role)
{
	struct http_key key = {.role = role, .expires = HTTP_NO_DAY};

	snprintf(key.name, sizeof(key.name), "%s", name);
	return key;
}

static void keys_write(const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/" HTTP_KEYS_FILE, folder);
	file = fopen(path, "w");
	fputs(text, file);
	fclose(file);
}

Test(http, keys_are_read_as_they_were_added)
{
	struct http_key a = key_of("a", HTTP_LOG), b = key_of("b-2", HTTP_ADMIN), *keys;
	char text[2][HTTP_KEY_SIZE];

	cr_assert_eq(http_keys_read(folder, &keys), 0);
	b.expires = list_day_parse("2030-01-31", 10);
	b.quota = 7;
	cr_assert_eq(http_key_add(folder, &a, text[0]), 0);
	cr_assert_eq(http_key_add(folder, &b, text[1]), 0);
	cr_expect_eq(http_key_add(folder, &a, text[0]), -EEXIST);
	cr_assert_eq(http_keys_read(folder, &keys), 2);
	cr_expect_str_eq(keys[1].name, "b-2");
	cr_expect_eq(keys[1].role, HTTP_ADMIN);
	cr_expect_eq(keys[1].expires, b.expires);
	cr_expect_eq(keys[1].quota, 7);
	cr_expect_eq(memcmp(keys[1].hash, b.hash, sizeof(b.hash)), 0);
	free(keys);
	cr_expect_eq(strlen(text[1]), 64);
	cr_assert_eq(http_key_remove(folder, "a"), 0);
	cr_expect_eq(http_key_remove(folder, "a"), -ENOENT);
	cr_assert_eq(http_keys_read(folder, &keys), 1);
	cr_expect_str_eq(keys[0].name, "b-2");
	free(keys);
}

Test(http, names_that_are_none_are_refused)
{
	static const char *const names[] = {"", "a b", "a\n", "ä", "\"", "a/b"};
	char text[HTTP_KEY_SIZE];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct http_key key = key_of(names[i], HTTP_LOG);

		cr_expect_eq(http_key_add(folder, &key, text), -EINVAL, "%s", names[i]);
	}
}

Test(http, a_line_that_is_none_makes_the_file_none)
{
#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	static const char *const lines[] = {"a\n", "a log - -\n", "a log - - " HASH " b\n",
		"a nobody - - " HASH "\n", "a root - - " HASH "\n", "a log soon - " HASH "\n",
		"a log - -1 " HASH "\n", "a log - 1x " HASH "\n", "a log - - 00\n",
		"a log - - " HASH "0\n", "a/ log - - " HASH "\n"};
	struct http_key *keys;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		keys_write(lines[i]);
		cr_expect_eq(http_keys_read(folder, &keys), -EINVAL, "%s", lines[i]);
	}
	keys_write("# a comment\n\na log 2030-01-31 99 " HASH "\n");
	cr_assert_eq(http_keys_read(folder, &keys), 1);
	cr_expect_eq(keys[0].quota, 99);
	free(keys);
}

Test(http, a_key_is_known_counted_and_forgotten)
{
	struct http_key key = key_of("a", HTTP_LOG), found;
	char text[HTTP_KEY_SIZE];
	struct http_keys *keys;

	key.quota = 3;
	cr_assert_eq(http_key_add(folder, &key, text), 0);
	cr_assert_eq(http_keys_open(folder, &keys), 0);
	cr_expect_eq(http_keys_check(keys, text, 1000, 2, true, &found), HTTP_KEY_GOOD);
	cr_expect_str_eq(found.name, "a");
	cr_expect_eq(http_keys_check(keys, "", 1000, 2, true, &found), HTTP_KEY_UNKNOWN);
	cr_expect_eq(http_keys_check(keys, text, 1000, 2, true, &found), HTTP_KEY_GOOD);
	cr_expect_eq(http_keys_check(keys, text, 1001, 2, true, &found), HTTP_KEY_RATE);
	cr_expect_eq(http_keys_check(keys, text, 2000, 2, true, &found), HTTP_KEY_GOOD);
	cr_expect_eq(http_keys_check(keys, text, 4000, 2, true, &found), HTTP_KEY_QUOTA);

	// Another key makes the file new; what this one has done counts on.
	key = key_of("b", HTTP_LOG);
	cr_assert_eq(http_key_add(folder, &key, (char[HTTP_KEY_SIZE]){0}), 0);
	http_keys_refresh(keys);
	cr_expect_eq(http_keys_check(keys, text, 6000, 2, true, &found), HTTP_KEY_QUOTA);

	keys_write("broken\n");
	http_keys_refresh(keys);
	cr_expect_eq(http_keys_check(keys, text, 8000, 2, true, &found), HTTP_KEY_QUOTA);
	keys_write("");
	http_keys_refresh(keys);
	cr_expect_eq(http_keys_check(keys, text, 10000, 2, true, &found), HTTP_KEY_UNKNOWN);
	http_keys_close(keys);
}

Test(http, a_certificate_is_known_by_its_name_and_by_nothing_else)
{
	struct http_key key = key_of("box", HTTP_PDNS), found;
	char text[HTTP_KEY_SIZE] = "x";
	struct http_keys *keys;

	key.certificate = true;
	key.quota = 2;
	cr_assert_eq(http_key_add(folder, &key, text), 0);
	cr_expect_str_eq(text, "");
	cr_assert_eq(http_keys_open(folder, &keys), 0);
	cr_expect_eq(http_keys_check_certificate(keys, "box", 0, 9, true, &found), HTTP_KEY_GOOD);
	cr_expect(found.role == HTTP_PDNS && found.certificate);
	cr_expect_str_eq(found.name, "box");
	cr_expect_eq(
		http_keys_check_certificate(keys, "Box", 0, 9, true, &found), HTTP_KEY_UNKNOWN);
	cr_expect_eq(http_keys_check_certificate(keys, "", 0, 9, true, &found), HTTP_KEY_UNKNOWN);
	cr_expect_eq(http_keys_check(keys, "", 0, 9, true, &found), HTTP_KEY_UNKNOWN);
	cr_expect_eq(http_keys_check(keys, "box", 0, 9, true, &found), HTTP_KEY_UNKNOWN);
	cr_expect_eq(http_keys_check_certificate(keys, "box", 0, 9, true, &found), HTTP_KEY_GOOD);
	cr_expect_eq(http_keys_check_certificate(keys, "box", 0, 9, true, &found), HTTP_KEY_QUOTA);
	http_keys_save(keys, 0, true);
	http_keys_close(keys);
	cr_assert_eq(http_keys_open(folder, &keys), 0);
	cr_expect_eq(http_keys_check_certificate(keys, "box", 0, 9, true, &found), HTTP_KEY_QUOTA);
	http_keys_close(keys);
	key = key_of("word", HTTP_LOG);
	cr_assert_eq(http_key_add(folder, &key, text), 0);
	cr_assert_eq(http_keys_open(folder, &keys), 0);
	cr_expect_eq(http_keys_check_certificate(keys, "word", 0, 9, true, &found),
		HTTP_KEY_UNKNOWN, "a key that is a word is none for a certificate");
	http_keys_close(keys);
}

Test(http, what_a_key_asked_today_is_kept_over_restarts)
{
	struct http_key key = key_of("a", HTTP_PDNS), found;
	char text[HTTP_KEY_SIZE];
	struct http_keys *keys;

	key.quota = 2;
	cr_assert_eq(http_key_add(folder, &key, text), 0);
	cr_assert_eq(http_keys_open(folder, &keys), 0);
	cr_expect_eq(http_keys_check(keys, text, 0, 9, true, &found), HTTP_KEY_GOOD);
	cr_expect_eq(http_keys_check(keys, text, 0, 9, false, &found), HTTP_KEY_GOOD);
	cr_expect_eq(http_keys_used(keys, &found), 1, "what does not count does not");
	http_keys_save(keys, 1000, false);
	http_keys_close(keys);

	cr_assert_eq(http_keys_open(folder, &keys), 0);
	cr_expect_eq(http_keys_used(keys, &found), 0, "10 s had not passed");
	cr_expect_eq(http_keys_check(keys, text, 0, 9, true, &found), HTTP_KEY_GOOD);
	cr_expect_eq(http_keys_check(keys, text, 0, 9, true, &found), HTTP_KEY_GOOD);
	http_keys_save(keys, 20000, false);
	http_keys_close(keys);

	cr_assert_eq(http_keys_open(folder, &keys), 0);
	cr_expect_eq(http_keys_used(keys, &found), 2);
	cr_expect_eq(http_keys_check(keys, text, 0, 9, true, &found), HTTP_KEY_QUOTA);
	cr_expect_eq(http_keys_check(keys, text, 0, 9, false, &found), HTTP_KEY_GOOD);
	http_keys_close(keys);
}

Test(http, a_key_is_good_on_its_last_day_and_not_behind_it)
{
	struct http_key key = key_of("a", HTTP_LOG), found;
	char today[HTTP_KEY_SIZE], yesterday[HTTP_KEY_SIZE];
	struct http_keys *keys;

	key.expires = list_day_of(time(NULL));
	cr_assert_eq(http_key_add(folder, &key, today), 0);
	strcpy(key.name, "b");
	key.expires--;
	cr_assert_eq(http_key_add(folder, &key, yesterday), 0);
	cr_assert_eq(http_keys_open(folder, &keys), 0);
	cr_expect_eq(http_keys_check(keys, yesterday, 0, 9, true, &found), HTTP_KEY_UNKNOWN);
	cr_expect_eq(http_keys_check(keys, today, 0, 9, true, &found), HTTP_KEY_GOOD);
	http_keys_close(keys);
}

Test(http, a_rate_is_had_at_once_and_then_bit_by_bit)
{
	struct http_rate rate = {0};
	unsigned n = 0;

	for (int i = 0; i < 100; i++)
		n += (unsigned)http_rate_take(&rate, 5000, 10);
	cr_expect_eq(n, 10);
	cr_expect_eq(http_rate_take(&rate, 5099, 10), 0);
	cr_expect_eq(http_rate_take(&rate, 5100, 10), 1);
	cr_expect_eq(http_rate_take(&rate, 5100, 10), 0);
	for (n = 0; http_rate_take(&rate, 99000, 10); n++)
		;
	cr_expect_eq(n, 10);
}

static const char *form(struct http_request *request, const char *text)
{
	char copy[256];

	*request = (struct http_request){0};
	strcpy(copy, text);
	return http_form_take(request, copy);
}

Test(http, forms_are_taken_apart)
{
	struct http_request request;

	cr_assert_null(form(&request, "client=2001%3Adb8%3a%3A1%2F48&&flag&a=b=c&plus=x+y&empty="));
	cr_expect_str_eq(http_param(&request, "client"), "2001:db8::1/48");
	cr_expect_str_eq(http_param(&request, "flag"), "");
	cr_expect_str_eq(http_param(&request, "a"), "b=c");
	cr_expect_str_eq(http_param(&request, "plus"), "x y");
	cr_expect_str_eq(http_param(&request, "empty"), "");
	cr_expect_null(http_param(&request, "none"));
	http_params_free(&request);
	cr_expect(form(&request, "a=%00"));
	http_params_free(&request);
	cr_expect(form(&request, "a=1&a=2"));
	http_params_free(&request);
	cr_expect(form(&request, "a=%0a"));
	http_params_free(&request);
	cr_expect(form(&request, "a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q&r&s&t&u&v&w&x&y"));
	http_params_free(&request);
}

Test(http, what_was_escaped_is_the_same_again)
{
	char text[256], escaped[1024];

	for (unsigned i = 1; i < 256; i++) {
		text[i - 1] = (char)i;
		text[i] = '\0';
	}
	http_escape(text, escaped, sizeof(escaped));
	cr_expect_eq(strcspn(escaped, "&=+ \n"), strlen(escaped));
	MHD_http_unescape(escaped);
	cr_expect_str_eq(escaped, text);
	http_escape(text, escaped, 16);
	cr_expect_lt(strlen(escaped), 16);
}

Test(http, parameters_are_those_of_the_route)
{
	const struct http_route route = {"GET", "/", HTTP_LOG, false, "from day! id", NULL};
	char why[HTTP_ERROR_SIZE];
	struct http_request request;

	form(&request, "day=1&id=2");
	request.route = &route;
	cr_expect(http_params_check(&request, why));
	http_params_free(&request);
	form(&request, "day=1&da=2");
	request.route = &route;
	cr_expect_not(http_params_check(&request, why));
	cr_expect_str_eq(why, "unknown parameter \"da\"");
	http_params_free(&request);
	form(&request, "from=1");
	request.route = &route;
	cr_expect_not(http_params_check(&request, why));
	cr_expect_str_eq(why, "expected the parameter day");
	http_params_free(&request);
}
