/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What names look like, and which imitate others.
 */
#include "pdns_bed.h"

#include <errno.h>

#include "shape/shape.h"
#include "signal/signal.h"

static const char *folded(const char *text)
{
	static char out[SHAPE_TEXT_SIZE];

	shape_fold(text, out);
	return out;
}

static const char *read_label(const char *text)
{
	static char out[SHAPE_TEXT_SIZE];
	uint8_t label[64];

	label[0] = (uint8_t)strlen(text);
	memcpy(label + 1, text, label[0]);
	shape_text(label, out);
	return out;
}

Test(shape, an_a_label_is_read_as_people_see_it)
{
	cr_expect_str_eq(read_label("Example"), "example");
	cr_expect_str_eq(read_label("xn--bcher-kva"), "bücher");
	cr_expect_str_eq(read_label("xn--wgv71a119e"), "日本語");
	cr_expect_str_eq(read_label("xn--"), "xn--");
	cr_expect_str_eq(read_label("xn--99999999999"), "xn--99999999999");
	cr_expect_str_eq(read_label(""), "");
}

Test(shape, marks_small_capitals_and_other_scripts_become_latin_letters)
{
	cr_expect_str_eq(folded("éxàmplę"), "example");
	cr_expect_str_eq(folded("ɢᴏᴏɢʟᴇ"), "google");
	cr_expect_str_eq(folded("раураl"), "paypal");
	cr_expect_str_eq(folded("ѕᴄоре"), "scope");
	cr_expect_str_eq(folded("ɑəƅɩƿƻƽ"), "aabip25");
	cr_expect_str_eq(folded("m0"), "m0", "letters of ASCII stay");
	cr_expect_str_eq(folded("日本"), "日本");
}

Test(shape, letters_that_are_taken_for_others_look_alike)
{
	static const char *const pairs[][2] = {{"example", "example"}, {"example", "exarnple"},
		{"example", "examp1e"}, {"google", "g00gle"}, {"google", "qooqle"},
		{"twitter", "tvvitter"}, {"kraken", "lkralken"}, {"hulu", "1hulu"},
		{"amazon", "ammazom"}, {"paypal", "раура1"}, {"instagram", "imstagramm"}};
	static const char *const others[][2] = {{"example", "exampl"}, {"example", "sample"},
		{"google", "goggle"}, {"nice", "mlec"}, {"a", ""}, {"", "a"}, {"abc", "abcd"}};
	char one[SHAPE_TEXT_SIZE], two[SHAPE_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		cr_expect(shape_alike(pairs[i][0], pairs[i][1]), "%s", pairs[i][1]);
		shape_key(pairs[i][0], one);
		shape_key(pairs[i][1], two);
		cr_expect_str_eq(one, two, "%s: one key has both", pairs[i][1]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_expect_not(shape_alike(others[i][0], others[i][1]), "%s", others[i][1]);
}

Test(shape, the_longest_labels_are_compared_in_bounded_time)
{
	char one[64], two[64];

	memset(one, 'k', 63);
	memset(two, 'l', 63);
	one[63] = two[63] = '\0';
	cr_expect_not(shape_alike(one, two));
	two[62] = 'k';
	cr_expect_not(shape_alike(one, two));
	memset(one, 'm', 63);
	memset(two, 'r', 62);
	two[62] = 'x';
	cr_expect_not(shape_alike(one, two));
}

Test(signal, distances_are_those_of_optimal_string_alignment)
{
	static const struct {
		const char *a, *b;
		unsigned distance;
	} rows[] = {{"a", "a", 0}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {"ca", "abc", 3},
		{"example", "exmaple", 1}, {"日本", "日木", 1}, {"abcdef", "a", 5}};
	struct signal_label a, b;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_eq(signal_label_read(rows[i].a, &a), 0);
		cr_assert_eq(signal_label_read(rows[i].b, &b), 0);
		cr_expect_eq(signal_distance(&a, &b), rows[i].distance, "%s", rows[i].b);
		cr_expect_eq(signal_distance(&b, &a), rows[i].distance, "%s", rows[i].b);
	}
	cr_expect_eq(signal_label_read("", &a), -EINVAL);
	cr_expect_eq(signal_label_read("\xff", &a), -EINVAL);
}

Test(signal, a_mistake_has_the_name_of_its_class)
{
	static const struct {
		const char *label, *other, *class;
	} rows[] = {{"example", "example", "tld"}, {"example", "example7", "addition"},
		{"example", "uxample", "vowel-swap"}, {"example", "kxample", "distance"},
		{"example", "mxample", "bitsquatting"}, {"example", "3xample", "replacement"},
		{"example", "ex-ample", "hyphenation"}, {"example", "exampple", "repetition"},
		{"example", "exsample", "insertion"}, {"example", "exapmle", "transposition"},
		{"example", "xample", "omission"}, {"bookshop", "bookbshop", "distance"},
		{"windows", "winsdows", "insertion"}, {"youtube", "youstube", "plural"},
		{"example", "exarnple", "homoglyph"}, {"apple", "аррӏе", "cyrillic"},
		{"example", "sampler", "unlike"}, {"", "a", "unlike"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_str_eq(signal_class_name(signal_classify(rows[i].label, rows[i].other)),
			rows[i].class, "%s", rows[i].other);
}

struct edits {
	const char *label;
	unsigned n, bad;
};

static int edit_count(void *ctx, enum signal_class class, const char *text)
{
	struct edits *edits = ctx;
	struct signal_label a, b;

	edits->n++;
	signal_label_read(edits->label, &a);
	edits->bad += signal_label_read(text, &b) < 0 || signal_distance(&a, &b) != 1;
	return 0;
}

Test(signal, all_labels_one_letter_away_are_made_once)
{
	struct edits edits = {"abb", 0, 0};

	// Left out: a, b. Replaced: 3 * 36. Exchanged: ab. More: 37 + 3 * 36.
	cr_assert_eq(signal_edits(edits.label, edit_count, &edits), 0);
	cr_expect_eq(edits.bad, 0);
	cr_expect_eq(edits.n, 2 + 3 * 36 + 1 + 37 + 3 * 36);
}

/* ---- in a dataset ---------------------------------------------------------------------------- */

TestSuite(similar, .init = bed_up, .fini = bed_down);

static char likes[4096];

static int like_note(void *ctx, const struct signal_like *like)
{
	char name[DNS_NAME_TEXT_SIZE];
	size_t n = strlen(likes);

	dns_name_format(like->name, name);
	snprintf(likes + n, sizeof(likes) - n, "%s %s %u\n", name, signal_class_name(like->class),
		like->distance);
	return ctx ? *(int *)ctx : 0;
}

static void plant(const char *name)
{
	bed_msg(name);
	bed_rr(BED_ANSWER, name, "A", "192.0.2.1");
	bed_observe(PDNS_CLIENT, 1000, NULL);
}

static void ask(const char *name, const char *word, const char *wanted)
{
	struct signal_like_question q = {.words = &word, .n_words = word ? 1 : 0};

	likes[0] = '\0';
	q.name = bed_name(name, &q.size);
	cr_assert_eq(signal_similar(bed.pdns, &q, like_note, NULL), 0);
	cr_expect_str_eq(likes, wanted, "%s", name);
}

Test(similar, names_are_found_in_every_suffix_and_each_once)
{
	plant("www.example.com");
	plant("a.b.examp1e.com");
	plant("mail.examp1e.com");
	plant("example.co.jp");
	plant("exmaple.net");
	plant("unrelated.com");
	ask("www.example.com", NULL,
		"examp1e.com homoglyph 1\nexample.co.jp tld 0\nexmaple.net transposition 1\n");
	ask("example", NULL,
		"examp1e.com homoglyph 1\nexample.co.jp tld 0\nexample.com tld 0\n"
		"exmaple.net transposition 1\n");
	ask("nobody.example", NULL, "");
}

Test(similar, words_suffixes_plurals_and_subdomains_are_found)
{
	plant("login-taxi.com");
	plant("taxicom.com");
	plant("taxesi.com");
	plant("www.ta.xi.com");
	plant("taxi-co-jp.com");
	ask("taxi.com", "login",
		"taxesi.com plural 2\ntaxicom.com various 3\nlogin-taxi.com dictionary 6\n"
		"ta.xi.com subdomain 0\n");
	plant("taxi.co.jp");
	ask("taxi.co.jp", NULL, "taxesi.com plural 2\ntaxi-co-jp.com various 6\n");
}

Test(similar, imitations_in_other_scripts_are_found)
{
	plant("xn--80ak6aa92e.com");
	plant("xn--bcher-kva.example");
	ask("apple.com", NULL, "xn--80ak6aa92e.com cyrillic 5\n");
	ask("bucher.example", NULL, "xn--bcher-kva.example homoglyph 1\n");
	ask("xn--bcher-kva.example", NULL, "");
	plant("xn--bchr-0ra.example");
	ask("xn--bcher-kva.example", NULL, "xn--bchr-0ra.example omission 1\n");
}

Test(similar, a_visit_can_stop_it_and_the_root_is_no_brand)
{
	struct signal_like_question q = {0};
	int stop = 7;

	plant("examp1e.com");
	plant("example.net");
	likes[0] = '\0';
	q.name = bed_name("example.com", &q.size);
	cr_expect_eq(signal_similar(bed.pdns, &q, like_note, &stop), 7);
	cr_expect_str_eq(likes, "examp1e.com homoglyph 1\n");
	q.name = bed_name(".", &q.size);
	cr_expect_eq(signal_similar(bed.pdns, &q, like_note, NULL), -EINVAL);
}

/* ---- what is shared ---------------------------------------------------------------------------- */

static void plant_at(const char *name, const char *type, const char *rdata, int64_t time_s)
{
	bed_msg(name);
	bed_rr(BED_ANSWER, name, type, rdata);
	bed_observe(PDNS_CLIENT, time_s, NULL);
}

static int shared_note(void *ctx, const struct signal_shared *shared)
{
	char name[DNS_NAME_TEXT_SIZE], what[DNS_NAME_TEXT_SIZE];
	size_t n = strlen(likes);

	dns_name_format(shared->name, name);
	if (shared->server)
		dns_name_format(shared->server, what);
	else
		prefix_format(&shared->block, what);
	snprintf(likes + n, sizeof(likes) - n, "%s %s\n", name, what);
	return 0;
}

Test(similar, domains_share_name_servers_and_blocks)
{
	struct signal_shared_question q = {0};

	plant_at("bad.example", "NS", "ns.host.example.", 1000);
	plant_at("www.bad.example", "A", "192.0.2.200", 1000);
	plant_at("www.bad.example", "AAAA", "2001:db8:1:2::1", 1000);
	plant_at("other.example", "NS", "ns.host.example.", 1000);
	plant_at("a.near.example", "A", "192.0.2.1", 1000);
	plant_at("b.near.example", "A", "192.0.2.2", 1000);
	plant_at("far.example", "A", "192.0.3.1", 1000);
	plant_at("six.example", "AAAA", "2001:db8:1:ffff::1", 1000);
	plant_at("seven.example", "AAAA", "2001:db8:2::1", 1000);
	likes[0] = '\0';
	q.name = bed_name("www.bad.example", &q.size);
	cr_assert_eq(signal_shared_find(bed.pdns, &q, shared_note, NULL), 0);
	cr_expect_str_eq(likes, "other.example ns.host.example\nnear.example 192.0.2.0/24\n"
				"six.example 2001:db8:1::/48\n");
	likes[0] = '\0';
	q.ipv4_length = 23;
	q.ipv6_length = 64;
	q.name = bed_name("bad.example", &q.size);
	cr_assert_eq(signal_shared_find(bed.pdns, &q, shared_note, NULL), 0);
	cr_expect_str_eq(likes, "other.example ns.host.example\nnear.example 192.0.2.0/23\n"
				"far.example 192.0.2.0/23\n");
	q.ipv4_length = 33;
	cr_expect_eq(signal_shared_find(bed.pdns, &q, shared_note, NULL), -EINVAL);
}

static int flux_note(void *ctx, const struct signal_flux *flux)
{
	char name[DNS_NAME_TEXT_SIZE];
	size_t n = strlen(likes);

	dns_name_format(flux->name, name);
	snprintf(likes + n, sizeof(likes) - n, "%s %u/%u/%u %u %lld-%lld\n", name, flux->addresses,
		flux->networks, flux->brief, flux->score, (long long)flux->first_s,
		(long long)flux->last_s);
	return 0;
}

static void networks_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert(f);
	fputs(text, f);
	fclose(f);
}

Test(similar, addresses_that_come_and_go_in_many_networks_have_a_score)
{
	struct signal_flux_question q = {0};
	struct signal_networks *networks;
	char path[96];

	plant_at("flux.example", "A", "192.0.2.1", 1000);
	plant_at("flux.example", "A", "198.51.100.1", 2000);
	plant_at("flux.example", "AAAA", "2001:db8::1", 3000);
	plant_at("stays.example", "A", "192.0.2.1", 1000);
	plant_at("stays.example", "A", "192.0.2.1", 1000 + SIGNAL_BRIEF_S);
	plant_at("stays.example", "A", "198.51.100.1", 1000);
	plant_at("stays.example", "TXT", "x", 1);
	likes[0] = '\0';
	cr_assert_eq(signal_flux_find(bed.pdns, &q, flux_note, NULL), 0);
	cr_expect_str_eq(
		likes, "flux.example 3/3/3 100 1000-3000\nstays.example 2/2/1 50 1000-87400\n");

	snprintf(path, sizeof(path), "%s/asn.csv", bed.folder);
	networks_write(path, "prefix,asn\n192.0.0.0/8,64500\n2001:db8::/32,AS64500\n");
	cr_assert_eq(signal_networks_read(path, &networks), 0);
	q.networks = networks;
	q.least = 3;
	likes[0] = '\0';
	cr_assert_eq(signal_flux_find(bed.pdns, &q, flux_note, NULL), 0);
	cr_expect_str_eq(likes, "flux.example 3/2/3 50 1000-3000\n");
	q.least = 0;
	q.last_after = 2500;
	q.name = bed_name("flux.example", &q.size);
	likes[0] = '\0';
	cr_assert_eq(signal_flux_find(bed.pdns, &q, flux_note, NULL), 0);
	cr_expect_str_eq(likes, "flux.example 1/1/1 0 3000-3000\n");
	signal_networks_free(networks);
}

Test(similar, the_longest_prefix_says_the_network)
{
	static const struct {
		const char *addr;
		uint32_t asn;
	} rows[] = {{"10.0.0.0", 1}, {"10.1.0.0", 2}, {"10.1.2.255", 3}, {"10.1.3.0", 2},
		{"10.2.0.0", 1}, {"11.0.0.0", 0}, {"9.255.255.255", 0}, {"10.255.255.255", 1},
		{"2001:db8::1", 4}, {"2001:db9::", 0}, {"::", 0}};
	struct signal_networks *networks;
	struct addr addr;
	char path[96];

	snprintf(path, sizeof(path), "%s/asn.csv", bed.folder);
	networks_write(path, "prefix,asn\n10.1.2.0/24,3\n10.0.0.0/8,1\n10.1.0.0/16,2\n"
			     "2001:db8::/32,4\n");
	cr_assert_eq(signal_networks_read(path, &networks), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_eq(addr_parse(rows[i].addr, &addr), 0);
		cr_expect_eq(
			signal_networks_find(networks, &addr), rows[i].asn, "%s", rows[i].addr);
	}
	signal_networks_free(networks);
	log_threshold(LOG_ERROR);
	networks_write(path, "prefix\n");
	cr_expect_eq(signal_networks_read(path, &networks), -EINVAL);
	networks_write(path, "prefix,asn\n10.0.0.0/33,1\n");
	cr_expect_eq(signal_networks_read(path, &networks), -EINVAL);
	networks_write(path, "prefix,asn\n10.0.0.0/8,x\n");
	cr_expect_eq(signal_networks_read(path, &networks), -EINVAL);
	networks_write(path, "prefix,asn\n10.0.0.0/8,-1\n");
	cr_expect_eq(signal_networks_read(path, &networks), -EINVAL);
	cr_expect_eq(signal_networks_read("/nonexistent", &networks), -ENOENT);
}
