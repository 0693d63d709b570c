/* SPDX-License-Identifier: BSD-3-Clause */
#include "contact/contact.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#define SECONDS_MAX 4102444800.0 // 2100: days have 16 bits
#define NO_NUMBER   (-1.0)

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}; // RFC 4291 s2.5.5.2

// A number, also one in quotation marks. NO_NUMBER: there is none.
static double number_of(const json_t *line, const char *member)
{
	const json_t *value = json_object_get(line, member);
	const char *text = json_string_value(value);
	char *end;
	double number;

	if (json_is_number(value))
		return json_number_value(value);
	if (!text || *text < '0' || *text > '9')
		return NO_NUMBER;
	number = strtod(text, &end);
	return *end == '\0' && isfinite(number) ? number : NO_NUMBER;
}

static bool port_read(const json_t *line, const char *member, uint16_t *port)
{
	double number = number_of(line, member);

	if (!(number >= 1 && number <= UINT16_MAX))
		return false;
	*port = (uint16_t)number;
	return true;
}

// "2026-11-22T12:00:00.123456+0900", as ulogd2 has it. Seconds, or NO_NUMBER.
static double timestamp_read(const char *text)
{
	const char *rest;
	struct tm tm = {0}, zone = {0};
	double fraction = 0, offset;
	char *end;

	rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	if (!rest)
		return NO_NUMBER;
	if (*rest == '.') {
		fraction = strtod(rest, &end);
		rest = end;
	}
	if (!(fraction >= 0 && fraction < 1) || (*rest != '+' && *rest != '-'))
		return NO_NUMBER;
	end = strptime(rest + 1, strchr(rest, ':') ? "%H:%M" : "%H%M", &zone);
	if (!end || *end)
		return NO_NUMBER;
	offset = (zone.tm_hour * 60.0 + zone.tm_min) * 60.0 * (*rest == '-' ? -1 : 1);
	return (double)timegm(&tm) + fraction - offset;
}

static bool time_read(const json_t *line, struct store_contact *contact)
{
	double seconds = number_of(line, "time");
	double part = number_of(line, "oob.time.usec");

	if (seconds < 0)
		seconds = number_of(line, "oob.time.sec");
	if (seconds >= 0 && part >= 0 && part < 1000000)
		seconds += part / 1000000;
	if (seconds < 0)
		seconds = timestamp_read(json_string_value(json_object_get(line, "timestamp")));
	if (!(seconds >= 0.001 && seconds < SECONDS_MAX))
		return false;
	contact->first_ms = contact->last_ms = (int64_t)(seconds * 1000 + 0.5);
	return true;
}

static bool client_read(const json_t *line, struct store_contact *contact)
{
	const char *text = json_string_value(json_object_get(line, "client"));
	struct addr *client = &contact->client;

	if (!text)
		text = json_string_value(json_object_get(line, "src_ip"));
	if (!text || addr_parse(text, client) != 0)
		return false;
	if (client->family == ADDR_IPV6 && memcmp(client->bytes, mapped, sizeof(mapped)) == 0) {
		struct addr v4 = {.family = ADDR_IPV4};

		memcpy(v4.bytes, client->bytes + sizeof(mapped), 4);
		*client = v4;
	}
	if (!port_read(line, "client_port", &contact->client_port) &&
		!port_read(line, "src_port", &contact->client_port))
		contact->client_port = 0;
	return true;
}

// IPv6 with extension headers has no number of the protocol where ulogd2 looks for it; the fields of the
// header behind them tell.
static bool protocol_read(const json_t *line, struct store_contact *contact)
{
	const char *text = json_string_value(json_object_get(line, "protocol"));
	double number = number_of(line, "ip.protocol");

	if (number < 0)
		number = number_of(line, "ip6.nexthdr");
	if ((text && strcmp(text, "tcp") == 0) || number == IPPROTO_TCP)
		contact->protocol = IPPROTO_TCP;
	else if ((text && strcmp(text, "udp") == 0) || number == IPPROTO_UDP)
		contact->protocol = IPPROTO_UDP;
	else if (json_object_get(line, "tcp.window"))
		contact->protocol = IPPROTO_TCP;
	else if (json_object_get(line, "udp.len"))
		contact->protocol = IPPROTO_UDP;
	return contact->protocol != 0;
}

static char name_octet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
		c == ':' || c == '[' || c == ']')
		return c;
	return '?';
}

// Without the dot at the end and, of a Host, without the port.
static void name_clean(
	const char *text, size_t size, bool host, char name[STORE_CONTACT_NAME_MAX + 1])
{
	const char *colon = host && size > 0 ? memrchr(text, ':', size) : NULL;

	if (colon && !memchr(colon, ']', size - (size_t)(colon - text)))
		size = (size_t)(colon - text);
	if (size > 0 && text[size - 1] == '.')
		size--;
	if (size > STORE_CONTACT_NAME_MAX)
		size = STORE_CONTACT_NAME_MAX;
	for (size_t i = 0; i < size; i++)
		name[i] = name_octet(text[i]);
	name[size] = '\0';
}

static void name_read(
	const json_t *line, struct store_contact *contact, char name[STORE_CONTACT_NAME_MAX + 1])
{
	const json_t *sni = json_object_get(line, "sni"), *host = json_object_get(line, "host");
	const json_t *value = json_string_length(sni) > 0 ? sni : host;
	const char *text = json_string_value(value);

	// A dash is how nginx writes that there is nothing, if not told otherwise.
	name[0] = '\0';
	if (text && strcmp(text, "-") != 0)
		name_clean(text, json_string_length(value), value == host, name);
	contact->name = name;
	if (*name)
		contact->named = value == sni ? STORE_NAMED_SNI : STORE_NAMED_HOST;
}

static bool object_read(
	const json_t *line, struct store_contact *contact, char name[STORE_CONTACT_NAME_MAX + 1])
{
	if (!json_is_object(line) || !time_read(line, contact) || !client_read(line, contact) ||
		!protocol_read(line, contact) ||
		(!port_read(line, "port", &contact->port) &&
			!port_read(line, "dest_port", &contact->port)))
		return false;
	name_read(line, contact, name);
	return true;
}

int contact_line_parse(const char *line, size_t size, struct store_contact *contact,
	char name[STORE_CONTACT_NAME_MAX + 1])
{
	char text[CONTACT_LINE_MAX];
	json_t *object;
	bool good;

	*contact = (struct store_contact){.n = 1, .name = ""};
	if (size > sizeof(text))
		return -EBADMSG;
	// Who sends a name that is no UTF-8 shall not make the whole line unreadable.
	for (size_t i = 0; i < size; i++)
		text[i] = line[i] < 0x20 || line[i] > 0x7e ? '?' : line[i];
	object = json_loadb(text, size, JSON_ALLOW_NUL, NULL);
	good = object_read(object, contact, name);
	json_decref(object);
	return good ? 0 : -EBADMSG;
}
