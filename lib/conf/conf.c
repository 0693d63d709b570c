/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/conf_private.h"

#include <assert.h>
#include <errno.h>
#include <iniparser/iniparser.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/** What is built while the spots of the file are gone through. */
struct load {
	struct conf_reader reader;
	struct conf_scan scan;
	dictionary *values;
	struct conf *conf;
	struct policy_sinkhole common; /* [sinkhole] */
	enum conf_program program;
	const char *section; /* the template's name, for conf_key_find */
	int list;            /* index of the list whose section it is, or -1 */
};

static char parser_message[256]; // what iniparser said last; its callback takes no context

static int keep_message(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(parser_message, sizeof(parser_message), format, args);
	va_end(args);
	parser_message[strcspn(parser_message, "\n")] = '\0';
	return 0;
}

/** Let iniparser read the scanned text; it takes nothing but a file name. */
static int parse_text(struct load *load)
{
	int fd = memfd_create("dnsweir-conf", MFD_CLOEXEC);
	size_t done = 0;
	char path[64];

	load->reader.line = 0;
	while (fd >= 0 && done < load->scan.size) {
		ssize_t n = write(fd, load->scan.text + done, load->scan.size - done);

		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	if (fd < 0 || done < load->scan.size) {
		conf_fail(&load->reader, "cannot copy: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return -EIO;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	parser_message[0] = '\0';
	iniparser_set_error_callback(keep_message);
	load->values = iniparser_load(path);
	iniparser_set_error_callback(NULL);
	close(fd);
	if (!load->values)
		return conf_fail(&load->reader, "cannot parse: %s", parser_message);
	return 0;
}

/** The struct that a key of the current section belongs to. */
static void *key_home(struct load *load, const struct conf_key *key)
{
	struct policy_list *list = load->list < 0 ? NULL : &load->conf->policy.lists[load->list];

	switch (key->home) {
	case CONF_IN_SINKHOLE:
		return &load->common;
	case CONF_IN_LIST:
		return &load->conf->lists[load->list];
	case CONF_IN_POLICY_LIST:
		return list;
	case CONF_IN_LIST_SINKHOLE:
		return &list->sinkhole;
	default:
		return load->conf;
	}
}

static int set_defaults(struct load *load, const char *section)
{
	load->reader.line = 0;
	for (const struct conf_key *key = conf_key_next(NULL); key; key = conf_key_next(key)) {
		if ((section ? strcmp(key->section, section) != 0
			     : strcmp(key->section, CONF_LIST_SECTION) == 0) ||
			!key->fallback)
			continue;
		if (conf_value_set(&load->reader, key, key->fallback, key_home(load, key)) < 0)
			return -EINVAL;
	}
	return 0;
}

static bool list_name_good(const char *name)
{
	size_t size = strlen(name);

	return size >= 1 && size <= POLICY_LIST_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
		       size;
}

static int begin_list(struct load *load, const char *name)
{
	struct conf *conf = load->conf;
	struct conf_reader *reader = &load->reader;
	char clip[CONF_CLIP_SIZE];
	unsigned line = reader->line;

	if (!list_name_good(name))
		return conf_fail(reader,
			"expected a list name of 1..63 letters, digits, '_', '-' and '.', got %s",
			conf_clip(name, clip));
	static_assert(POLICY_LIST_NAME_MAX == 63, "named in the error above");
	if (strcasecmp(name, POLICY_CANARY) == 0)
		return conf_fail(reader,
			"expected another name than that of the built-in list " POLICY_CANARY
			", got %s",
			conf_clip(name, clip));
	for (unsigned i = 0; i < conf->policy.n_lists; i++)
		if (strcasecmp(conf->policy.lists[i].name, name) == 0)
			return conf_fail(reader,
				"expected each list once, got [list %s] again after line %u", name,
				conf->lists[i].line);
	// One is built in.
	if (conf->policy.n_lists == POLICY_LISTS_MAX - 1)
		return conf_fail(reader, "expected at most %d lists, got [list %s]",
			POLICY_LISTS_MAX - 1, name);
	load->list = conf->policy.n_lists++;
	load->section = CONF_LIST_SECTION;
	snprintf(conf->policy.lists[load->list].name, POLICY_LIST_NAME_MAX + 1, "%s", name);
	conf->policy.lists[load->list].slot = (uint16_t)load->list;
	if (set_defaults(load, CONF_LIST_SECTION) < 0)
		return -EINVAL;
	reader->line = conf->lists[load->list].line = line;
	return 0;
}

static int begin_section(struct load *load, const struct conf_spot *spot)
{
	char names[256], clip[CONF_CLIP_SIZE];
	const char *guess;

	load->list = -1;
	if (load->program == CONF_BOX && strncasecmp(spot->section, "list", 4) == 0 &&
		strpbrk(spot->section, " \t") == spot->section + 4)
		return begin_list(load, spot->section + 4 + strspn(spot->section + 4, " \t"));
	for (const struct conf_key *key = conf_key_next(NULL); key; key = conf_key_next(key)) {
		if (strcasecmp(key->section, spot->section) != 0 ||
			!conf_key_is_of(key, load->program))
			continue;
		load->section = key->section;
		for (const struct conf_spot *s = load->scan.spots; s < spot; s++)
			if (!s->key && strcasecmp(s->section, spot->section) == 0)
				return conf_fail(&load->reader,
					"expected each section once, got [%s] again after line %u",
					spot->section, s->line);
		return 0;
	}
	guess = conf_section_guess(spot->section, load->program);
	if (guess)
		return conf_fail(&load->reader, "unknown section %s, did you mean [%s]?",
			conf_clip(spot->section, clip), guess);
	return conf_fail(&load->reader, "unknown section %s, expected one of %s",
		conf_clip(spot->section, clip),
		conf_names(NULL, load->program, names, sizeof(names)));
}

/** Remember where a file is named. */
static void note_line(struct load *load, const struct conf_key *key, unsigned line)
{
	if (key->line_offset)
		memcpy((char *)key_home(load, key) + key->line_offset, &line, sizeof(line));
}

static int take_key(struct load *load, const struct conf_spot *spot)
{
	const struct conf_key *key = conf_key_find(load->section, spot->key);
	char names[256], clip[CONF_CLIP_SIZE], name[CONF_LINE_MAX + 1];
	const char *value, *guess;

	if (!key) {
		guess = conf_key_guess(load->section, spot->key);
		if (guess)
			return conf_fail(&load->reader, "unknown key %s in [%s], did you mean %s?",
				conf_clip(spot->key, clip), spot->section, guess);
		return conf_fail(&load->reader, "unknown key %s in [%s], expected one of %s",
			conf_clip(spot->key, clip), spot->section,
			conf_names(load->section, load->program, names, sizeof(names)));
	}
	// Sections are unique, so the keys of this one stand directly in front.
	for (const struct conf_spot *s = spot - 1; s->key; s--)
		if (strcmp(s->key, spot->key) == 0)
			return conf_fail(&load->reader,
				"expected each key once, got %s again after line %u", spot->key,
				s->line);
	snprintf(name, sizeof(name), "%s:%s", spot->section, spot->key);
	value = iniparser_getstring(load->values, name, NULL);
	if (!value)
		return conf_fail(
			&load->reader, "%s: expected a value, iniparser found none", spot->key);
	note_line(load, key, spot->line);
	return conf_value_set(&load->reader, key, value, key_home(load, key));
}

/** Lists of patterns are told by the name of their file, and only known where there is Hyperscan. */
static int finish_format(struct load *load, unsigned i)
{
	struct conf_list *list = &load->conf->lists[i];
	size_t size = strlen(list->source);

	if (list->format == CONF_FORMAT_AUTO && size >= 3 &&
		strcasecmp(list->source + size - 3, ".hs") == 0)
		list->format = CONF_FORMAT_PATTERN;
#ifndef DNSWEIR_PATTERNS
	load->reader.line = list->source_line;
	if (list->format == CONF_FORMAT_PATTERN)
		return conf_fail(&load->reader,
			"source: expected a catalogue or names, got a list of patterns; this "
			"program was built without Hyperscan");
#endif
	return 0;
}

/** Where @p key stands in the section of list @p i. @return NULL: nowhere; with NULL the section line */
static const struct conf_spot *list_spot(const struct load *load, unsigned i, const char *key)
{
	const struct conf_spot *spot = load->scan.spots, *end = spot + load->scan.n;

	while (spot->line != load->conf->lists[i].line)
		spot++;
	if (!key)
		return spot;
	for (spot++; spot < end && spot->key; spot++)
		if (strcmp(spot->key, key) == 0)
			return spot;
	return NULL;
}

/** Whether every required key of a list is there, and each that is there is for its action. */
static int check_keys(struct load *load, unsigned i)
{
	const struct policy_list *list = &load->conf->policy.lists[i];
	char names[96];

	for (const struct conf_key *key = conf_key_next(NULL); key; key = conf_key_next(key)) {
		const struct conf_spot *spot;

		if (strcmp(key->section, CONF_LIST_SECTION) != 0)
			continue;
		spot = list_spot(load, i, key->key);
		load->reader.line = spot ? spot->line : load->conf->lists[i].line;
		if (!spot && key->required)
			return conf_fail(&load->reader,
				"expected the key %s in [list %s], got none", key->key, list->name);
		if (spot && key->actions && !(key->actions & 1u << list->action))
			return conf_fail(&load->reader,
				"%s: expected it in lists with action = %s only, got it with "
				"action = %s",
				key->key, conf_actions(key->actions, names, sizeof(names)),
				policy_action_name(list->action));
	}
	if (list->ede_text[0] && list->ede == POLICY_EDE_NONE) {
		load->reader.line = list_spot(load, i, "ede_text")->line;
		return conf_fail(
			&load->reader, "ede_text: expected a code in ede to go with it, got none");
	}
	return 0;
}

/** Give lists without a sinkhole of their own the common one. */
static void finish_sinkhole(struct load *load, unsigned i)
{
	struct policy_list *list = &load->conf->policy.lists[i];
	struct policy_sinkhole *own = &list->sinkhole, *common = &load->common;

	if (!policy_action_sinkholes(list->action))
		return;
	if (!list_spot(load, i, "ipv4")) {
		memcpy(own->ipv4, common->ipv4, sizeof(own->ipv4));
		own->n_ipv4 = common->n_ipv4;
	}
	if (!list_spot(load, i, "ipv6")) {
		memcpy(own->ipv6, common->ipv6, sizeof(own->ipv6));
		own->n_ipv6 = common->n_ipv6;
	}
	if (!list_spot(load, i, "ttl_max"))
		own->ttl_max = common->ttl_max;
	if (list->action != POLICY_SINKHOLE)
		policy_sinkhole_fill(own);
}

/** The list of canary names, behind all others. Its rules are exact exemptions, which beat all rules. */
static void add_canary(struct conf *conf)
{
	static const enum policy_action actions[] = {[CONF_CANARY_PASS] = POLICY_ALLOW,
		[CONF_CANARY_NXDOMAIN] = POLICY_NXDOMAIN,
		[CONF_CANARY_NODATA] = POLICY_NODATA};
	unsigned i = conf->policy.n_lists++;
	struct policy_list *list = &conf->policy.lists[i];

	// No sinkhole: where the action cannot be done the answer passes.
	strcpy(list->name, POLICY_CANARY);
	list->action = actions[conf->canary];
	list->canary = true;
	list->slot = (uint16_t)i;
	strcpy(conf->lists[i].source, "built in");
	conf->lists[i].format = CONF_FORMAT_BUILT_IN;
}

static int load_file(struct load *load)
{
	int result = conf_scan_file(&load->reader, &load->scan);

	if (result == 0)
		result = parse_text(load);
	// Whether sources must be there has to be known before the first of them is met.
	if (result == 0 && !*iniparser_getstring(load->values, "lists:compiled", ""))
		load->reader.sources = true;
	if (result == 0)
		result = set_defaults(load, NULL);
	for (size_t i = 0; result == 0 && i < load->scan.n; i++) {
		const struct conf_spot *spot = &load->scan.spots[i];

		load->reader.line = spot->line;
		result = spot->key ? take_key(load, spot) : begin_section(load, spot);
	}
	for (unsigned i = 0; result == 0 && i < load->conf->policy.n_lists; i++) {
		result = check_keys(load, i);
		if (result == 0)
			result = finish_format(load, i);
		finish_sinkhole(load, i);
	}
	if (result == 0)
		result = conf_check(&load->reader, &load->scan, load->conf);
	if (result == 0 && load->program == CONF_BOX)
		add_canary(load->conf);
	return result;
}

static struct conf *load_path(
	const char *path, enum conf_program program, bool sources, char *error)
{
	struct load load = {.reader = {.path = path, .error = error, .sources = sources},
		.program = program,
		.list = -1};
	int result;

	error[0] = '\0';
	load.conf = calloc(1, sizeof(*load.conf));
	if (!load.conf || strlen(path) >= CONF_PATH_SIZE) {
		conf_fail(&load.reader, "cannot read: %s",
			strerror(load.conf ? ENAMETOOLONG : ENOMEM));
		free(load.conf);
		return NULL;
	}
	strcpy(load.conf->path, path);
	result = load_file(&load);
	if (load.values)
		iniparser_freedict(load.values);
	conf_scan_free(&load.scan);
	if (result < 0) {
		free(load.conf);
		return NULL;
	}
	return load.conf;
}

struct conf *conf_load(const char *path, char *error)
{
	return load_path(path, CONF_BOX, false, error);
}

struct conf *conf_load_sources(const char *path, char *error)
{
	return load_path(path, CONF_BOX, true, error);
}

struct conf *conf_load_collect(const char *path, char *error)
{
	return load_path(path, CONF_COLLECT, false, error);
}

void conf_free(struct conf *conf)
{
	free(conf);
}
