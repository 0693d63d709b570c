/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dnsweir-collect's commands on a log, as a user runs them.
 */
#include "store_bed.h"
#include "store/store_contact.h"

#include <jansson.h>
#include <sys/wait.h>

static char output[65536], complaint[4096];

static int64_t at(int seconds)
{
	return bed_ms("2026-11-22 03:00:00") + (int64_t)seconds * 1000;
}

static void contacts_put(void)
{
	struct store_contact c[] = {{.first_ms = at(3),
					    .last_ms = at(8),
					    .n = 3,
					    .client_port = 4711,
					    .port = 443,
					    .protocol = 6,
					    .named = STORE_NAMED_SNI,
					    .name = "c2.example"},
		{.first_ms = at(10),
			.last_ms = at(10),
			.n = 1,
			.port = 6667,
			.protocol = 17,
			.name = ""},
		{.first_ms = at(11),
			.last_ms = at(11),
			.n = 1,
			.port = 80,
			.protocol = 6,
			.named = STORE_NAMED_HOST,
			.name = "x.example"}};
	struct store_contacts_done done;

	addr_parse("203.0.113.9", &c[0].client);
	addr_parse("203.0.113.9", &c[1].client);
	addr_parse("2001:db8::9", &c[2].client);
	cr_assert_eq(store_contacts_put(bed.store, 1, c, 3, &done), 0);
}

static void set_up(void)
{
	static const struct addr original[] = {{.family = ADDR_IPV4, .bytes = {198, 51, 100, 7}}};
	struct store_record r;

	bed_up("Asia/Tokyo");
	bed_open(STORE_WRITE);
	bed_put(bed_record("www.example", at(0)));
	r = bed_record("a\\.b\\000\\\"c.example", at(1));
	r.type = 65280;
	r.rcode = 3;
	r.tcp = true;
	bed_put(r);
	r = bed_filtered("c2.example", at(2), "203.0.113.9", "EX-1,\"日\"");
	r.generation = 7;
	r.match = STORE_MATCH_QNAME;
	r.match_name = r.name;
	r.match_name_size = r.name_size;
	r.client_port = 4096;
	r.n_addresses = 1;
	r.addresses = original;
	bed_put(r);
	bed_put(bed_filtered("c2.example", at(9), "203.0.113.9", "EX-1,\"日\""));
	bed_put(bed_record("old.example", at(-90 * 86400)));
	contacts_put();
	bed_close();
}

TestSuite(collect, .init = set_up, .fini = bed_down);

static void file_read(const char *path, char *text, size_t room)
{
	FILE *file = fopen(path, "r");

	cr_assert(file, "%s", path);
	text[fread(text, 1, room - 1, file)] = '\0';
	fclose(file);
}

// Runs the program with these words. Returns its exit code; output and complaint have what it said.
static int run_plain(const char *words)
{
	char command[1280], out[96], err[96];
	int status;

	snprintf(out, sizeof(out), "%s/out", bed.folder);
	snprintf(err, sizeof(err), "%s/err", bed.folder);
	snprintf(command, sizeof(command), "'%s' %s >'%s' 2>'%s'", getenv("DNSWEIR_COLLECT"), words,
		out, err);
	status = system(command);
	file_read(out, output, sizeof(output));
	file_read(err, complaint, sizeof(complaint));
	cr_assert(WIFEXITED(status), "%s: %s", words, complaint);
	return WEXITSTATUS(status);
}

// The same behind the folder.
static int run(const char *words)
{
	char all[1024];

	snprintf(all, sizeof(all), "--store '%s' %s", bed.path, words);
	return run_plain(all);
}

static unsigned lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

// Line n of the output as JSON.
static json_t *line_json(unsigned n)
{
	char *line = output;
	json_error_t error;
	json_t *json;

	while (n-- > 0)
		line = strchr(line, '\n') + 1;
	json = json_loadb(line, strcspn(line, "\n"), 0, &error);
	cr_assert(json, "%s: %.200s", error.text, line);
	return json;
}

static const char *member(json_t *json, const char *object, const char *name)
{
	return json_string_value(
		json_object_get(object ? json_object_get(json, object) : json, name));
}

Test(collect, records_are_shown_as_suricata_does)
{
	json_t *json, *query;

	cr_assert_eq(run("query --from 2026-11-22 --to 2026-11-22"), 0, "%s", complaint);
	cr_assert_eq(lines(output), 4);
	json = line_json(0);
	cr_expect_str_eq(member(json, NULL, "timestamp"), "2026-11-22T12:00:00.000000+0900");
	cr_expect_str_eq(member(json, NULL, "event_type"), "dns");
	cr_expect_str_eq(member(json, NULL, "src_ip"), "203.0.112.0");
	cr_expect_eq(json_integer_value(json_object_get(json, "src_mask")), 22);
	cr_expect_str_eq(member(json, "dns", "type"), "response");
	cr_expect_str_eq(member(json, "dns", "rcode"), "NOERROR");
	cr_expect_str_eq(member(json, "filter", "action"), "none");
	json_decref(json);

	json = line_json(1);
	query = json_array_get(json_object_get(json_object_get(json, "dns"), "queries"), 0);
	cr_expect_str_eq(member(query, NULL, "rrname"), "a\\.b\\000\\\"c.example");
	cr_expect_str_eq(member(query, NULL, "rrtype"), "TYPE65280");
	cr_expect_str_eq(member(json, NULL, "proto"), "TCP");
	json_decref(json);

	json = line_json(2);
	cr_expect_str_eq(member(json, "filter", "id"), "EX-1,\"日\"");
	cr_expect_str_eq(member(json, "filter", "list"), "c2");
	cr_expect_str_eq(member(json, "filter", "verdict"), "rewritten");
	cr_expect_str_eq(member(json, "filter", "match"), "qname");
	cr_expect_eq(json_integer_value(json_object_get(json, "src_port")), 4096);
	query = json_array_get(json_object_get(json_object_get(json, "dns"), "answers"), 0);
	cr_expect_str_eq(member(query, NULL, "rdata"), "198.51.100.7");
	json_decref(json);
}

Test(collect, older_readers_get_version_2)
{
	json_t *json;

	cr_assert_eq(run("query --name c2.example --limit 1 --eve-version 2"), 0);
	cr_assert_eq(lines(output), 1);
	json = line_json(0);
	cr_expect_str_eq(member(json, "dns", "type"), "answer");
	cr_expect_str_eq(member(json, "dns", "rrname"), "c2.example");
	cr_expect_str_eq(member(json, "dns", "rrtype"), "A");
	cr_expect_null(json_object_get(json_object_get(json, "dns"), "queries"));
	json_decref(json);
}

Test(collect, csv_has_a_column_for_every_field)
{
	cr_assert_eq(run("query --format csv --id 'EX-1,\"日\"' --limit 1"), 0);
	cr_expect_str_eq(output,
		"time,name,type,rcode,client,bits,port,proto,filtered,action,verdict,list,id,match,"
		"match_name,generation,addresses\n"
		"2026-11-22T12:00:02.000000+0900,c2.example,A,NOERROR,203.0.113.9,32,4096,UDP,yes,"
		"sinkhole,rewritten,c2,\"EX-1,\"\"日\"\"\",qname,c2.example,7,198.51.100.7\n");
}

Test(collect, questions_are_taken_from_options)
{
	static const struct {
		const char *words;
		unsigned n;
	} rows[] = {
		{"query", 5},
		{"query --subtree example", 5},
		{"query --subtree EXAMPLE. --filtered", 2},
		{"query --unfiltered", 3},
		{"query --name 'a\\.b\\000\\\"c.example'", 1},
		{"query --rcode nxdomain", 1},
		{"query --rcode 3 --type TYPE65280", 1},
		{"query --type aaaa", 0},
		{"query --client 203.0.113.9", 2},
		{"query --client 203.0.112.0/20", 5},
		{"query --to 2026-11-21", 1},
		{"query --from 2026-11-22T12:00:02 --to '2026-11-22 12:00:02.001'", 1},
		{"query --from 2026-11-22T03:00:02Z --to 2026-11-22T04:00+01:00", 0},
		{"query --from 2026-11-22T03:00:01Z", 3},
		{"query --zone UTC --from 2026-11-22T03:00:09", 1},
		{"query --order name --from 2026-11-22", 4},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(
			run(rows[i].words), i == 12 ? 2 : 0, "%s: %s", rows[i].words, complaint);
		cr_expect_eq(lines(output), rows[i].n, "%s: %u", rows[i].words, lines(output));
	}
}

Test(collect, infected_clients_are_listed)
{
	json_t *json;

	cr_assert_eq(run("infected --day 2026-11-22"), 0);
	cr_expect_str_eq(output, "id,client,first,last,count,contacts\n"
				 "\"EX-1,\"\"日\"\"\",203.0.113.9,2026-11-22T12:00:02.000000+0900,"
				 "2026-11-22T12:00:09.000000+0900,2,4\n");
	cr_assert_eq(run("infected --day 2026-11-22 --format ndjson"), 0);
	cr_expect_eq(lines(output), 1);
	json = line_json(0);
	cr_expect_eq(json_integer_value(json_object_get(json, "contacts")), 4);
	json_decref(json);
	cr_assert_eq(run("infected --day 2026-11-21"), 0);
	cr_expect_eq(lines(output), 1);
}

Test(collect, contacts_of_the_sinkhole_are_listed)
{
	json_t *json;

	cr_assert_eq(run("contacts --from 2026-11-22 --to 2026-11-22"), 0, "%s", complaint);
	cr_expect_str_eq(output,
		"id,client,proto,port,named,name,asked,basis,first,last,count,client_port\n"
		"\"EX-1,\"\"日\"\"\",203.0.113.9,TCP,443,sni,c2.example,c2.example,name,"
		"2026-11-22T12:00:03.000000+0900,2026-11-22T12:00:08.000000+0900,3,4711\n"
		"\"EX-1,\"\"日\"\"\",203.0.113.9,UDP,6667,,,c2.example,time,"
		"2026-11-22T12:00:10.000000+0900,2026-11-22T12:00:10.000000+0900,1,\n"
		",2001:db8::9,TCP,80,host,x.example,,none,"
		"2026-11-22T12:00:11.000000+0900,2026-11-22T12:00:11.000000+0900,1,\n");
	cr_assert_eq(run("contacts --client 2001:db8::/32 --format ndjson"), 0);
	cr_assert_eq(lines(output), 1);
	json = line_json(0);
	cr_expect_str_eq(member(json, NULL, "host"), "x.example");
	cr_expect_str_eq(member(json, NULL, "basis"), "none");
	cr_expect_eq(json_integer_value(json_object_get(json, "port")), 80);
	json_decref(json);
	cr_assert_eq(run("contacts --id 'EX-1,\"日\"' --window 1"), 0);
	cr_expect_eq(lines(output), 3, "clocks may differ by seconds");
	cr_assert_eq(run("contacts --id EX-2"), 0);
	cr_expect_eq(lines(output), 1);
}

Test(collect, a_log_of_the_sinkhole_is_taken_once)
{
	long long now = (long long)time(NULL);
	char conf[128], log[128], words[512];
	FILE *file;

	snprintf(conf, sizeof(conf), "%s/collect.ini", bed.folder);
	snprintf(log, sizeof(log), "%s/flows.json", bed.folder);
	file = fopen(log, "w");
	for (int i = 0; i < 3; i++)
		fprintf(file,
			"{\"time\":%lld.%d,\"client\":\"198.51.100.%d\",\"protocol\":\"tcp\","
			"\"port\":443,\"sni\":\"a.example\"}\n",
			now, i, i);
	fputs("no line\n", file);
	fclose(file);
	snprintf(words, sizeof(words), "%s/consent.csv", bed.folder);
	file = fopen(words, "w");
	fputs("prefix,filter,log\n198.51.100.2,yes,no\n", file);
	fclose(file);
	file = fopen(conf, "w");
	fprintf(file, "[collect]\nstore = %s\n[consent]\nsource = consent.csv\n", bed.path);
	fclose(file);
	snprintf(words, sizeof(words), "sinkhole --config '%s' '%s'", conf, log);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(run_plain(words), 0, "%s", complaint);
		cr_expect_str_eq(output,
			"4 lines: 2 rows stored, 1 lines not to be read, 0 of a time that is not "
			"kept, 1 of clients that refused logging, 0 contacts over a day's bound\n");
	}
	snprintf(words, sizeof(words), "sinkhole --config '%s' - <'%s'", conf, log);
	cr_assert_eq(run_plain(words), 0, "%s", complaint);
	cr_assert_eq(run("contacts --client 198.51.100.0/24 --format ndjson"), 0);
	cr_assert_eq(lines(output), 2, "%s", output);
	cr_expect(strstr(output, "\"count\":1"), "%s", output);
	cr_expect_null(strstr(output, "\"count\":2"), "%s", output);
	snprintf(words, sizeof(words), "sinkhole --config '%s' /nonexistent", conf);
	cr_expect_eq(run_plain(words), 2);
	cr_expect(strstr(complaint, "/nonexistent: No such file"), "%s", complaint);
}

Test(collect, servers_of_malware_are_counted)
{
	cr_assert_eq(run("addresses --from 2026-11-01 --to 2026-11-30"), 0);
	cr_expect_str_eq(output, "id,addresses\n\"EX-1,\"\"日\"\"\",1\n");
	cr_assert_eq(run("addresses --to 2026-11-01"), 0);
	cr_expect_str_eq(output, "id,addresses\n");
}

Test(collect, days_are_shown_removed_and_clients_forgotten)
{
	json_t *json;

	cr_assert_eq(run("days --format ndjson"), 0);
	cr_assert_eq(lines(output), 2);
	json = line_json(1);
	cr_expect_str_eq(member(json, NULL, "day"), "2026-11-22");
	cr_expect_eq(json_integer_value(json_object_get(json, "log")), 2);
	cr_expect_eq(json_integer_value(json_object_get(json, "filtered")), 2);
	cr_expect_eq(json_integer_value(json_object_get(json, "sinkhole")), 3);
	json_decref(json);
	cr_assert_eq(run("purge --before 2026-11-22"), 0);
	cr_expect(strstr(output, "1 days removed, 1 records, "), "%s", output);
	cr_assert_eq(run("forget 203.0.113.9"), 0);
	cr_expect_str_eq(output,
		"4 records of 1 days forgotten; 2 of wider prefixes, which cannot be "
		"told apart, are left\n");
	cr_assert_eq(run("query"), 0);
	cr_expect_eq(lines(output), 2);
}

Test(collect, mistakes_get_one_line_that_names_them)
{
	static const struct {
		const char *words, *complaint;
	} rows[] = {
		{"", "expected a command"},
		{"frob", "frob: unknown command"},
		{"query extra", "query: expected no operand"},
		{"query --frob", "--frob: unknown option"},
		{"query --name", "--name: expected a value"},
		{"query --name a..b", "--name: expected a name without empty labels, got \"a..b\""},
		{"query --name a --subtree b", "--subtree: expected one name"},
		{"query --from yesterday", "--from: expected YYYY-MM-DD"},
		{"query --from 2026-13-01", "--from: expected YYYY-MM-DD"},
		{"query --to 2026-11-22T25:00", "--to: expected YYYY-MM-DD"},
		{"query --client 203.0.113.0/33", "--client: expected an address or prefix"},
		{"query --rcode 4096", "--rcode: expected"},
		{"query --type 65536", "--type: expected"},
		{"query --limit 0", "--limit: expected"},
		{"query --format xml", "--format: expected ndjson, csv or text"},
		{"query --format text", "--format: expected ndjson or csv"},
		{"query --eve-version 1", "--eve-version: expected 3 or 2"},
		{"query --order size", "--order: expected time or name"},
		{"query --filtered --unfiltered", "expected one of them"},
		{"query --from 2026-11-22 --to 2026-11-21", "--to: expected a time behind --from"},
		{"query --zone Mars/Olympus", "--zone: expected a time zone"},
		{"contacts --window 0", "--window: expected seconds"},
		{"contacts --window 86401", "--window: expected seconds"},
		{"contacts --format text", "--format: expected ndjson or csv"},
		{"contacts x", "contacts: expected no operand"},
		{"sinkhole x", "--store: no option of sinkhole"},
		{"infected", "infected: expected --day"},
		{"infected --day 22", "--day: expected a day"},
		{"purge", "purge: expected --before"},
		{"purge --day 2026-11-22 --before 2026-11-22", "--day: no option of purge"},
		{"forget", "forget: expected PREFIX"},
		{"forget everybody", "forget: expected an address or prefix, got \"everybody\""},
		{"days --store /nonexistent/log", "/nonexistent/log: No such file"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(run(rows[i].words), 2, "%s", rows[i].words);
		cr_expect(strstr(complaint, rows[i].complaint), "%s: %s", rows[i].words, complaint);
		cr_expect_eq(lines(complaint), 1, "%s: %s", rows[i].words, complaint);
		cr_expect_eq(output[0], '\0', "%s: %s", rows[i].words, output);
	}
}
