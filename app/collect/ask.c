/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options of a question, from text.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "collect_app.h"
#include "dns/dns_name.h"
#include "dns/dns_type.h"
#include "list/list.h"
#include "tls/tls_make.h"

#define SHOWN_MAX 256 // octets of a value in an error

static int expected(
	struct collect_args *args, const char *option, const char *what, const char *got)
{
	snprintf(args->error, sizeof(args->error), "%s: expected %s, got \"%.*s\"", option, what,
		SHOWN_MAX, got);
	return COLLECT_USAGE;
}

// Behind "HH:MM": [":SS"[".mmm"]]. Returns what is behind it, or NULL.
static const char *seconds_parse(const char *text, struct tm *tm, int *ms)
{
	char *end;
	long fraction;

	if (*text != ':')
		return text;
	text = strptime(text, ":%S", tm);
	if (!text || *text != '.')
		return text;
	fraction = strtol(text + 1, &end, 10);
	if (end == text + 1 || end > text + 4 || fraction < 0)
		return NULL;
	for (long digits = end - text - 1; digits < 3; digits++)
		fraction *= 10;
	*ms = (int)fraction;
	return end;
}

// "Z", "+09:00" or "+0900". Returns whether there was one and nothing else.
static bool offset_parse(const char *text, int *seconds)
{
	struct tm tm = {0};
	const char *end;

	*seconds = 0;
	if (strcmp(text, "Z") == 0)
		return true;
	if (*text != '+' && *text != '-')
		return false;
	end = strptime(text + 1, strchr(text, ':') ? "%H:%M" : "%H%M", &tm);
	*seconds = (tm.tm_hour * 3600 + tm.tm_min * 60) * (*text == '-' ? -1 : 1);
	return end && *end == '\0';
}

// A day, or a moment of a day in the zone or with an offset. Returns 0 or -1.
static int moment_parse(const char *text, bool end_of_day, int64_t *ms)
{
	struct tm tm = {.tm_isdst = -1};
	int day = list_day_parse(text, strlen(text)), fraction = 0, offset;
	const char *rest;
	time_t seconds;

	if (day >= 0) {
		*ms = store_day_start_ms((uint16_t)(day + (end_of_day ? 1 : 0)));
		return 0;
	}
	rest = strptime(text, "%Y-%m-%d", &tm);
	if (!rest || (*rest != 'T' && *rest != ' '))
		return -1;
	rest = strptime(rest + 1, "%H:%M", &tm);
	rest = rest ? seconds_parse(rest, &tm, &fraction) : NULL;
	if (!rest)
		return -1;
	if (*rest == '\0') {
		seconds = mktime(&tm);
	} else {
		if (!offset_parse(rest, &offset))
			return -1;
		seconds = timegm(&tm) - offset;
	}
	*ms = (int64_t)seconds * 1000 + fraction;
	return 0;
}

static int time_take(int option, const char *value, struct collect_args *args)
{
	static const char what[] =
		"YYYY-MM-DD, or YYYY-MM-DDTHH:MM[:SS] with Z or +HH:MM or in the zone";
	bool to = option == 't';

	if (moment_parse(value, to, to ? &args->question.to_ms : &args->question.from_ms) == 0)
		return COLLECT_DONE;
	return expected(args, to ? "--to" : "--from", what, value);
}

static int name_take(int option, const char *value, struct collect_args *args)
{
	const char *which = option == 'n' ? "--name" : "--subtree";
	int size = dns_name_parse(value, strlen(value), args->name);

	if (args->question.scope != STORE_ANY_NAME) {
		snprintf(args->error, sizeof(args->error), "%s: expected one name", which);
		return COLLECT_USAGE;
	}
	if (size < 0) {
		snprintf(args->error, sizeof(args->error), "%s: %s, got \"%.*s\"", which,
			dns_name_error(size), SHOWN_MAX, value);
		return COLLECT_USAGE;
	}
	args->question.scope = option == 'n' ? STORE_EXACT : STORE_SUBTREE;
	args->question.name = args->name;
	args->question.name_size = (uint8_t)size;
	return COLLECT_DONE;
}

// A number up to most, perhaps behind a word ("TYPE65"). Returns -1 when it is none.
static int64_t number_parse(const char *text, const char *word, uint64_t most)
{
	unsigned long long number;
	char *end;

	if (strncasecmp(text, word, strlen(word)) == 0)
		text += strlen(word);
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || number > most)
		return -1;
	return (int64_t)number;
}

static int rcode_take(const char *value, struct collect_args *args)
{
	char text[16];

	args->question.rcode = (int)number_parse(value, "RCODE", STORE_RCODE_MAX);
	for (uint16_t i = 0; i < 32 && args->question.rcode < 0; i++)
		if (strcasecmp(collect_rcode(i, text), value) == 0)
			args->question.rcode = i;
	return args->question.rcode >= 0
		       ? COLLECT_DONE
		       : expected(args, "--rcode", "a response code, NXDOMAIN or 3", value);
}

static int type_take(const char *value, struct collect_args *args)
{
	char text[16];

	args->question.type = (int)number_parse(value, "TYPE", UINT16_MAX);
	for (unsigned i = 0; i <= UINT16_MAX && args->question.type < 0; i++)
		if (strcasecmp(dns_type_name((uint16_t)i, text), value) == 0)
			args->question.type = (int)i;
	return args->question.type >= 0
		       ? COLLECT_DONE
		       : expected(args, "--type", "a record type, AAAA or TYPE28", value);
}

static int kinds_take(enum store_kinds kinds, struct collect_args *args)
{
	if (args->question.kinds != STORE_ALL && args->question.kinds != kinds) {
		snprintf(args->error, sizeof(args->error),
			"--filtered and --unfiltered: expected one of them");
		return COLLECT_USAGE;
	}
	args->question.kinds = kinds;
	return COLLECT_DONE;
}

static int format_take(const char *value, struct collect_args *args)
{
	static const char *const names[] = {"text", "ndjson", "csv"};

	for (unsigned i = 0; i < 3; i++)
		if (strcmp(value, names[i]) == 0) {
			args->format = (enum collect_format)i;
			args->has_format = true;
			return COLLECT_DONE;
		}
	return expected(args, "--format", "ndjson, csv or text", value);
}

static int day_take(struct collect_args *args, const char *option, const char *value, int *day)
{
	*day = list_day_parse(value, strlen(value));
	return *day >= 0 ? COLLECT_DONE : expected(args, option, "a day YYYY-MM-DD", value);
}

static int key_take(int option, const char *value, struct collect_args *args)
{
	int64_t number;
	int role;

	if (option == 'x')
		return day_take(args, "--expires", value, &args->key.expires);
	if (option == 'K') {
		args->key.certificate = true;
		return COLLECT_DONE;
	}
	if (option == 'R') {
		role = http_role_parse(value);
		args->key.role = role < 0 ? HTTP_NOBODY : (enum http_role)role;
		return role >= 0 ? COLLECT_DONE
				 : expected(args, "--role", "metrics, pdns, log, analyst or admin",
					   value);
	}
	number = number_parse(value, "", INT64_MAX);
	args->key.quota = (uint64_t)number;
	return number > 0 ? COLLECT_DONE
			  : expected(args, "--quota", "a number of requests a day", value);
}

static int certificate_take(int option, const char *value, struct collect_args *args)
{
	int64_t days;

	if (option == 'v') {
		args->server = value;
		return COLLECT_DONE;
	}
	days = number_parse(value, "", TLS_CA_DAYS);
	args->valid_days = days > 0 ? (unsigned)days : 0;
	return days > 0 ? COLLECT_DONE
			: expected(args, "--valid-days", "a number of days, 1..3650", value);
}

static int shape_take(int option, const char *value, struct collect_args *args)
{
	int64_t number;

	if (option == 'm')
		return format_take(value, args);
	if (option == 'o') {
		args->question.order = strcmp(value, "name") == 0 ? STORE_BY_NAME : STORE_BY_TIME;
		return strcmp(value, "name") == 0 || strcmp(value, "time") == 0
			       ? COLLECT_DONE
			       : expected(args, "--order", "time or name", value);
	}
	if (option == 'w') {
		number = number_parse(value, "", STORE_CONTACT_WINDOW_MAX_MS / 1000);
		args->window_ms = number * 1000;
		return number > 0 ? COLLECT_DONE
				  : expected(args, "--window", "seconds, 1 to 86400", value);
	}
	number = number_parse(value, "", INT64_MAX);
	if (option == 'l') {
		args->limit = (uint64_t)number;
		return number > 0 ? COLLECT_DONE
				  : expected(args, "--limit", "a number of records", value);
	}
	args->eve_version = (unsigned)number;
	return number == 2 || number == 3 ? COLLECT_DONE
					  : expected(args, "--eve-version", "3 or 2", value);
}

int ask_option_take(int option, const char *value, struct collect_args *args)
{
	switch (option) {
	case 'f':
	case 't':
		return time_take(option, value, args);
	case 'n':
	case 'S':
		return name_take(option, value, args);
	case 'C':
		return prefix_parse(value, &args->question.client) == 0
			       ? COLLECT_DONE
			       : expected(args, "--client", "an address or prefix", value);
	case 'i':
		args->question.id = value;
		return strlen(value) <= STORE_TEXT_MAX
			       ? COLLECT_DONE
			       : expected(args, "--id", "at most 255 octets", value);
	case 'r':
		return rcode_take(value, args);
	case 'T':
		return type_take(value, args);
	case 'F':
		return kinds_take(STORE_FILTERED, args);
	case 'U':
		return kinds_take(STORE_UNFILTERED, args);
	case 'd':
		return day_take(args, "--day", value, &args->day);
	case 'b':
		return day_take(args, "--before", value, &args->before);
	case 'K':
	case 'R':
	case 'x':
	case 'q':
		return key_take(option, value, args);
	case 'v':
	case 'D':
		return certificate_take(option, value, args);
	default:
		return shape_take(option, value, args);
	}
}

int collect_zone(const char *zone)
{
	char path[256], magic[4] = "";
	FILE *file = NULL;

	// A zone that the C library does not know would be UTC without a word. Those it knows are files
	// below this folder that begin with "TZif".
	if (*zone && *zone != '/' && !strstr(zone, "..") &&
		snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", zone) < (int)sizeof(path))
		file = fopen(path, "re");
	if (file && fread(magic, 1, sizeof(magic), file) < sizeof(magic))
		magic[0] = '\0';
	if (file)
		fclose(file);
	if (memcmp(magic, "TZif", sizeof(magic)) != 0) {
		log_line(LOG_ERROR,
			"--zone: expected a time zone below /usr/share/zoneinfo, got \"%s\"", zone);
		return COLLECT_USAGE;
	}
	setenv("TZ", zone, 1);
	tzset();
	return COLLECT_DONE;
}

int collect_open(const struct collect_args *args, enum store_mode mode, struct store **store)
{
	int err = store_open(args->store, &(struct store_options){.mode = mode}, store);

	return err == -ENOENT || err == -ENOTDIR ? COLLECT_USAGE : collect_exit_of(err);
}

int collect_exit_of(int err)
{
	return err < 0 ? COLLECT_FAILED : COLLECT_DONE;
}
