/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dnsweir-collect pdns, as a user runs it.
 */
#include "pdns_bed.h"

#include <jansson.h>
#include <sys/wait.h>

#include "tap/tap.h"
#include "tap/tap_control.h"

#define RDATA_MX "\0\12\2mx\7example\3com"

static char output[65536], complaint[8192];

static void file_write(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", bed.folder, name);
	file = fopen(path, "w");
	cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void file_read(const char *path, char *text, size_t room)
{
	FILE *file = fopen(path, "r");

	cr_assert(file, "%s", path);
	text[fread(text, 1, room - 1, file)] = '\0';
	fclose(file);
}

// Runs a command in the folder; "-D" stands for the dataset. Returns its exit code.
static int run(const char *command, const char *words)
{
	char line[2048];
	int status;

	snprintf(line, sizeof(line), "cd '%s' && '%s' pdns %s %s %s%s >out 2>err </dev/null",
		bed.folder, getenv("DNSWEIR_COLLECT"), command, *command ? "-D" : "",
		*command ? "pdns " : "", words);
	status = system(line);
	snprintf(line, sizeof(line), "%s/out", bed.folder);
	file_read(line, output, sizeof(output));
	snprintf(line, sizeof(line), "%s/err", bed.folder);
	file_read(line, complaint, sizeof(complaint));
	cr_assert(WIFEXITED(status), "%s %s: %s", command, words, complaint);
	return WEXITSTATUS(status);
}

static unsigned lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void set_up(void)
{
	bed_up();
	bed_msg("www.example.com");
	bed_rr(BED_ANSWER, "www.example.com", "A", "192.0.2.1");
	bed_rr(BED_ANSWER, "www.example.com", "A", "192.0.2.2");
	bed_observe(PDNS_CLIENT, 1700000000, NULL);
	bed_observe(PDNS_RESOLVER, 1700000500, "example.com");
	bed_msg("example.com");
	bed_rr(BED_ANSWER, "example.com", "MX", "10 mx.example.com.");
	bed_rr(BED_ANSWER, "example.com", "DS", "1 8 2 00");
	bed_rr(BED_ANSWER, "example.com", "TYPE65280", "\\# 2 00ff");
	bed_observe(PDNS_CLIENT, 1700000100, NULL);
	bed_close();
}

TestSuite(collect_pdns, .init = set_up, .fini = bed_down);

Test(collect_pdns, rows_are_objects_of_the_common_output_format)
{
	json_error_t error;
	json_t *o;

	cr_assert_eq(run("query", "--name EXAMPLE.com --type MX"), 0, "%s", complaint);
	cr_expect_str_eq(output,
		"{\"count\":1,\"time_first\":1700000100,\"time_last\":1700000100,\"rrname\":"
		"\"example.com\",\"rrtype\":\"MX\",\"bailiwick\":\"example.com\",\"rdata\":[\"10 "
		"mx.example.com\"]}\n");
	cr_assert_eq(run("query", "--name example.com --type 65280 --sensor client"), 0);
	o = json_loads(output, 0, &error);
	cr_assert(o, "%s", error.text);
	cr_expect_eq(json_integer_value(json_object_get(o, "rrtype")), 65280);
	cr_expect_str_eq(json_string_value(json_object_get(o, "sensor_id")), "client");
	json_decref(o);
	cr_assert_eq(run("query", "--name www.example.com --text"), 0);
	cr_expect_eq(
		strncmp(output,
			"2023-11-14 22:13:20  2023-11-14 22:21:40         2  www.example.com  A  "
			"192.0.2.1\n",
			82),
		0, "%s", output);
}

Test(collect_pdns, questions_are_taken_from_options)
{
	static const struct {
		const char *words;
		unsigned n;
	} rows[] = {
		{"--name www.example.com", 2},
		{"--name www.example.com.", 2},
		{"--name '*.example.com'", 4},
		{"--name '*.'", 4},
		{"--name 'www.example.*'", 2},
		{"--name '*.example.com' --type ALL", 5},
		{"--name '*.example.com' --type any-dnssec", 1},
		{"--name '*.example.com' --type TYPE65280", 1},
		{"--rdata-name mx.example.com", 1},
		{"--rdata-name '*.com'", 1},
		{"--ip 192.0.2.1", 1},
		{"--ip 192.0.2.0/24", 2},
		{"--ip 192.0.2.2-192.0.2.9", 1},
		{"--raw c0000201", 1},
		{"--raw 000A026d78076578616d706c6503636f6d00", 1},
		{"--name www.example.com --sensor resolver", 2},
		{"--name example.com --sensor resolver", 0},
		{"--name www.example.com --group", 1},
		{"--name www.example.com --limit 1", 1},
		{"--name www.example.com --offset 1", 1},
		{"--name www.example.com --last-after 1700000500", 2},
		{"--name www.example.com --last-after 1700000501", 0},
		{"--name www.example.com --first-before 2023-11-14", 0},
		{"--name www.example.com --first-before 2023-11-16", 2},
		{"--name www.example.com --first-after 2023-11-16", 0},
		{"--name www.example.com --last-before 1700000499", 0},
		{"--name www.example.com --bailiwick com", 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(run("query", rows[i].words), 0, "%s: %s", rows[i].words, complaint);
		cr_expect_eq(lines(output), rows[i].n, "%s: %u", rows[i].words, lines(output));
	}
}

Test(collect_pdns, the_cursor_that_is_printed_goes_on)
{
	char words[1024], *cursor;

	cr_assert_eq(run("query", "--name '*.example.com' --type ALL --limit 3"), 0);
	cr_assert_eq(lines(output), 3);
	cursor = strstr(complaint, "--cursor ");
	cr_assert(cursor, "%s", complaint);
	cursor[strcspn(cursor, "\n")] = '\0';
	snprintf(words, sizeof(words), "--name '*.example.com' --type ALL --limit 3 %s", cursor);
	cr_assert_eq(run("query", words), 0, "%s", complaint);
	cr_expect_eq(lines(output), 2);
	cr_expect_str_empty(complaint);
}

Test(collect_pdns, summaries_and_statistics_add_up)
{
	cr_assert_eq(run("summarize", "--name '*.example.com'"), 0);
	cr_expect_str_eq(output, "{\"count\":6,\"num_results\":4,\"time_first\":1700000000,"
				 "\"time_last\":1700000500}\n");
	cr_assert_eq(run("summarize", "--name nothing.example"), 0);
	cr_expect_str_eq(output, "{\"count\":0,\"num_results\":0}\n");
	cr_assert_eq(run("summarize", "--name '*.example.com' --max-count 2"), 0);
	cr_expect(strstr(output, "\"limited\":true"), "%s", output);
	cr_assert_eq(run("stats", ""), 0);
	cr_expect(strstr(output, "{\"tuples\":5,"), "%s", output);
	cr_expect(strstr(output, "\"client\":3,\"resolver\":0,\"both\":2,"), "%s", output);
	cr_expect(strstr(output, "\"types\":{\"A\":2,\"MX\":1,\"DS\":1,\"TYPE65280\":1}"), "%s",
		output);
}

Test(collect_pdns, objects_of_others_are_imported)
{
	file_write("in.cof", "{\"rrname\":\"Dotted.Example.\",\"rrtype\":\"NS\",\"rdata\":[\"a."
			     "example.\",\"b.example\"],"
			     "\"time_first\":\"10\",\"time_last\":20,\"count\":3,\"sensor_id\":"
			     "\"resolver\",\"x\":1}\n\n"
			     "{\"rrname\":\"one.example\",\"rrtype\":99,\"rdata\":\"\\\"x "
			     "y\\\"\",\"time_first\":1,"
			     "\"time_last\":1}\n");
	cr_assert_eq(run("import", "in.cof"), 0, "%s", complaint);
	cr_expect_str_eq(output, "in.cof: 3 read, 2 taken, 0 refused, 0 opted out, 3 tuples\n");
	cr_assert_eq(run("query", "--name dotted.example --sensor resolver"), 0);
	cr_expect_eq(lines(output), 2);
	cr_expect(strstr(output, "\"count\":3,\"time_first\":10,\"time_last\":20"), "%s", output);
	cr_assert_eq(run("query", "--name one.example"), 0);
	cr_expect(strstr(output, "\"rrtype\":\"SPF\""), "%s", output);
	cr_expect(strstr(output, "\"rdata\":[\"\\\"x y\\\"\"]"), "%s", output);
}

/* ---- dnstap ---------------------------------------------------------------------------------- */

static void control_put(FILE *file, fstrm_control_type type)
{
	uint8_t frame[TAP_CONTROL_SIZE];
	size_t size = tap_control_write(type, frame);

	cr_assert(size > 0 && fwrite(frame, 1, size, file) == size);
}

static uint64_t frame_time = 1700000900;

static void frame_put(
	FILE *file, uint32_t type, const char *client, const char *zone, uint32_t action)
{
	struct tap_message m = {.type = type, .response_time.sec = frame_time};
	uint8_t frame[4096], length[4];
	struct addr addr;
	size_t size;

	cr_assert_eq(addr_parse(client, &addr), 0);
	m.query_address = (struct tap_octets){addr.bytes, addr_size(addr.family)};
	m.response_message = (struct tap_octets){bed.msg, bed.size};
	if (zone)
		m.query_zone.data = bed_name(zone, &m.query_zone.size);
	m.has_policy = action != 0;
	m.policy.action = action;
	size = tap_encode(&m, frame);
	cr_assert_leq(size, sizeof(frame));
	store_be32(length, (uint32_t)size);
	cr_assert(fwrite(length, 1, 4, file) == 4 && fwrite(frame, 1, size, file) == size);
}

Test(collect_pdns, frames_of_dnstap_are_imported_but_not_of_who_refused)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "%s/in.tap", bed.folder);
	file = fopen(path, "w");
	control_put(file, FSTRM_CONTROL_START);
	bed_msg("tapped.example");
	bed_rr(BED_ANSWER, "tapped.example", "A", "192.0.2.9");
	bed_rr(BED_ADDITIONAL, "glue.example", "A", "192.0.2.10");
	frame_put(file, TAP_CLIENT_RESPONSE, "203.0.113.7", NULL, 0);
	frame_put(file, TAP_CLIENT_RESPONSE, "203.0.113.7", NULL, TAP_PASS);
	frame_put(file, TAP_CLIENT_RESPONSE, "203.0.113.7", NULL, TAP_LOCAL_DATA);
	frame_put(file, TAP_CLIENT_QUERY, "203.0.113.7", NULL, 0);
	frame_put(file, TAP_RESOLVER_RESPONSE, "198.51.100.1", "example", 0);
	bed_msg("refused.example");
	bed_rr(BED_ANSWER, "refused.example", "A", "192.0.2.11");
	frame_put(file, TAP_CLIENT_RESPONSE, "198.51.100.1", NULL, 0);
	control_put(file, FSTRM_CONTROL_STOP);
	fclose(file);
	file_write("consent.csv", "prefix,filter,log\n198.51.100.0/24,yes,no\n");
	cr_assert_eq(run("import", "--consent consent.csv in.tap"), 0, "%s", complaint);
	cr_expect_str_eq(output, "in.tap: 6 read, 3 taken, 2 refused, 1 opted out, 4 tuples\n");
	cr_assert_eq(run("query", "--name tapped.example --sensor client"), 0);
	cr_expect(strstr(output, "{\"count\":2,\"time_first\":1700000900,"), "%s", output);
	cr_assert_eq(run("query", "--name glue.example --sensor resolver"), 0);
	cr_expect(strstr(output, "\"bailiwick\":\"example\""), "%s", output);
	cr_assert_eq(run("query", "--name refused.example"), 0);
	cr_expect_str_empty(output);
	cr_assert_eq(run("import", "--consent junk --again in.tap"), 2);
}

Test(collect_pdns, frames_without_a_time_were_not_seen_in_1970)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "%s/in.tap", bed.folder);
	file = fopen(path, "w");
	control_put(file, FSTRM_CONTROL_START);
	bed_msg("tapped.example");
	bed_rr(BED_ANSWER, "tapped.example", "A", "192.0.2.9");
	frame_put(file, TAP_CLIENT_RESPONSE, "203.0.113.7", NULL, 0);
	frame_time = 0;
	frame_put(file, TAP_CLIENT_RESPONSE, "203.0.113.7", NULL, 0);
	control_put(file, FSTRM_CONTROL_STOP);
	fclose(file);
	cr_assert_eq(run("import", "in.tap"), 0, "%s", complaint);
	cr_expect_str_eq(output, "in.tap: 2 read, 1 taken, 1 refused, 0 opted out, 1 tuples\n");
	cr_assert_eq(run("query", "--name tapped.example"), 0);
	cr_expect(strstr(output, "{\"count\":1,\"time_first\":1700000900,"), "%s", output);
}

Test(collect_pdns, a_file_with_a_mistake_is_not_taken_at_all)
{
	static const struct {
		const char *line, *complaint;
	} rows[] = {
		{"{", "bad.cof:2: expected a JSON object"},
		{"[]", "bad.cof:2: expected an object"},
		{"{\"rrname\":\"a..b\",\"rrtype\":\"A\",\"rdata\":\"192.0.2.1\",\"time_first\":1,"
		 "\"time_last\":1}",
			"bad.cof:2: expected a name as rrname"},
		{"{\"rrname\":\"a\",\"rrtype\":\"OPT\",\"rdata\":\"\",\"time_first\":1,\"time_"
		 "last\":1}",
			"bad.cof:2: expected a type"},
		{"{\"rrname\":\"a\",\"rrtype\":\"A\",\"rdata\":\"192.0.2\",\"time_first\":1,\"time_"
		 "last\":1}",
			"bad.cof:2: expected RDATA"},
		{"{\"rrname\":\"a\",\"rrtype\":\"A\",\"rdata\":[],\"time_first\":1,\"time_last\":"
		 "1}",
			"bad.cof:2: expected RDATA"},
		{"{\"rrname\":\"a\",\"rrtype\":\"A\",\"rdata\":\"192.0.2.1\",\"time_first\":2,"
		 "\"time_last\":1}",
			"bad.cof:2: expected time_first"},
	};
	char text[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text),
			"{\"rrname\":\"good.example\",\"rrtype\":\"A\",\"rdata\":\"192.0.2.1\","
			"\"time_first\":1,\"time_last\":1}\n%s\n",
			rows[i].line);
		file_write("bad.cof", text);
		cr_expect_eq(run("import", "bad.cof"), 2, "%zu", i);
		cr_expect(strstr(complaint, rows[i].complaint), "%zu: %s", i, complaint);
		cr_expect_eq(run("query", "--name good.example"), 0);
		cr_expect_str_empty(output, "%zu", i);
	}
}

Test(collect_pdns, nothing_is_imported_while_another_process_writes)
{
	file_write("in.cof",
		"{\"rrname\":\"a\",\"rrtype\":\"A\",\"rdata\":\"192.0.2.1\",\"time_first\":1,"
		"\"time_last\":1}\n");
	bed_open(PDNS_WRITE);
	cr_expect_eq(run("import", "in.cof"), 1);
	cr_expect(strstr(complaint, "another process writes to it"), "%s", complaint);
	cr_expect_eq(run("query", "--name www.example.com"), 0);
	cr_expect_eq(lines(output), 2);
	cr_expect_eq(run("backup", "copy"), 0, "%s", complaint);
	bed_close();
	strcpy(strrchr(bed.path, '/'), "/copy");
	bed_open(PDNS_READ);
	cr_expect_eq(bed_everything(), 5);
}

Test(collect_pdns, mistakes_get_one_line_that_names_them)
{
	static const struct {
		const char *command, *words, *complaint;
	} rows[] = {
		{"", "", "pdns: expected query, summarize, export"},
		{"", "frob", "pdns: expected query"},
		{"query", "", "expected --name, --rdata-name, --ip or --raw"},
		{"query", "extra --name a", "pdns query: expected no operand"},
		{"query", "--frob", "--frob: unknown option"},
		{"query", "--name", "--name: expected a value"},
		{"query", "--name a..b", "--name: expected a name without empty labels"},
		{"query", "--name 'a.*.b'", "--name: expected letters"},
		{"query", "--name a --ip 192.0.2.1", "expected one of --name"},
		{"query", "--ip 192.0.2.0/33", "--ip: expected ADDRESS"},
		{"query", "--ip 192.0.2.9-192.0.2.1", "--ip: expected ADDRESS"},
		{"query", "--ip 192.0.2.9-2001:db8::1", "--ip: expected ADDRESS"},
		{"query", "--raw 0", "--raw: expected pairs"},
		{"query", "--raw 0g", "--raw: expected pairs"},
		{"query", "--name a --type FROB", "--type: expected"},
		{"query", "--name a --type 65536", "--type: expected"},
		{"query", "--name a --sensor box", "--sensor: expected client or resolver"},
		{"query", "--name a --last-after yesterday", "--last-after: expected seconds"},
		{"query", "--name a --limit x", "--limit: expected a number"},
		{"query", "--name a --limit -1", "--limit: expected a number"},
		{"query", "--name a --cursor 00", "--cursor: expected one of the same question"},
		{"query", "--name a --again", "--again: no option of pdns query"},
		{"import", "", "pdns import: expected files"},
		{"import", "/nonexistent/x", "/nonexistent/x: No such file"},
		{"import", "junk", "junk: expected a capture, dnstap frames or JSON objects"},
		{"backup", "", "pdns backup: expected a folder"},
		{"backup", "pdns", "pdns: cannot be made: File exists"},
		{"stats", "-D /nonexistent/x", "/nonexistent/x: No such file"},
	};

	file_write("junk", "junk");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(run(rows[i].command, rows[i].words), 2, "%s %s", rows[i].command,
			rows[i].words);
		cr_expect(strstr(complaint, rows[i].complaint), "%s: %s", rows[i].words, complaint);
		cr_expect_eq(lines(complaint), 1, "%s: %s", rows[i].words, complaint);
		cr_expect_str_empty(output);
	}
}
