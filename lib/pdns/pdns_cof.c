/* SPDX-License-Identifier: BSD-3-Clause */
#include "pdns_cof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dns/dns_name.h"
#include "pdns_private.h"

/* ---- writing --------------------------------------------------------------------------------- */

static json_t *name_json(const uint8_t *name, bool dots)
{
	char text[DNS_NAME_TEXT_SIZE];
	size_t n = dns_name_format(name, text);

	if (dots && *name)
		text[n++] = '.';
	return json_stringn(text, n);
}

static json_t *rdata_json(const struct pdns_row *row, bool dots)
{
	json_t *array = json_array();
	char *text = malloc(PDNS_TEXT_SIZE);

	for (unsigned i = 0; array && text && i < row->n_rdata; i++) {
		int n = pdns_rdata_text(
			row->type, row->rdata[i].data, row->rdata[i].size, dots, text);

		if (n < 0 || json_array_append_new(array, json_stringn(text, (size_t)n)) < 0) {
			json_decref(array);
			array = NULL;
		}
	}
	if (!text) {
		json_decref(array);
		array = NULL;
	}
	free(text);
	return array;
}

json_t *pdns_cof_make(const struct pdns_row *row, const char *sensor, bool dots)
{
	const char *type = pdns_type_name(row->type);
	json_t *object = json_object();
	int bad = 0;

	if (!object)
		return NULL;
	bad |= json_object_set_new(object, "count",
		json_integer((json_int_t)(row->count > INT64_MAX ? INT64_MAX : row->count)));
	bad |= json_object_set_new(object, "time_first", json_integer(row->first_s));
	bad |= json_object_set_new(object, "time_last", json_integer(row->last_s));
	bad |= json_object_set_new(object, "rrname", name_json(row->owner, dots));
	bad |= json_object_set_new(
		object, "rrtype", type ? json_string(type) : json_integer(row->type));
	bad |= json_object_set_new(object, "bailiwick", name_json(row->bailiwick, dots));
	bad |= json_object_set_new(object, "rdata", rdata_json(row, dots));
	if (sensor)
		bad |= json_object_set_new(object, "sensor_id", json_string(sensor));
	if (!bad)
		return object;
	json_decref(object);
	return NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

// A name as anybody writes it: octets that stand for themselves there may need an escape here.
static int name_read(const json_t *json, uint8_t *name)
{
	const char *text = json_string_value(json);
	uint8_t rdata[PDNS_RDATA_MAX];
	int size;

	if (!text)
		return -EINVAL;
	size = dns_name_parse(text, strlen(text), name);
	if (size > 0)
		return size;
	if (!*text || strpbrk(text, " \t\n\r"))
		return -EINVAL;
	size = pdns_rdata_parse(PDNS_TYPE_NS, text, rdata);
	if (size <= 0 || size > DNS_NAME_SIZE_MAX)
		return -EINVAL;
	memcpy(name, rdata, (size_t)size);
	return size;
}

static int type_read(const json_t *json)
{
	if (json_is_integer(json))
		return json_integer_value(json) > 0 && json_integer_value(json) <= UINT16_MAX
			       ? (int)json_integer_value(json)
			       : -EINVAL;
	return json_is_string(json) ? pdns_type_parse(json_string_value(json)) : -EINVAL;
}

// Numbers, which some write as strings. Returns -1: there is none.
static int64_t number_read(const json_t *object, const char *key)
{
	const json_t *json = json_object_get(object, key);
	char *end;
	long long n;

	if (json_is_integer(json))
		return json_integer_value(json) >= 0 ? json_integer_value(json) : -1;
	if (json_is_real(json))
		return json_real_value(json) >= 0 && json_real_value(json) < 1e18
			       ? (int64_t)json_real_value(json)
			       : -1;
	if (!json_is_string(json))
		return -1;
	n = strtoll(json_string_value(json), &end, 10);
	return *json_string_value(json) && !*end && n >= 0 ? n : -1;
}

static int rdata_put(
	struct pdns *pdns, struct pdns_tuple *tuple, const json_t *json, uint8_t *rdata)
{
	int size = json_is_string(json)
			   ? pdns_rdata_parse(tuple->type, json_string_value(json), rdata)
			   : -EINVAL;

	if (size < 0)
		return -EINVAL;
	tuple->rdata = rdata;
	tuple->rdata_size = (size_t)size;
	return pdns_put(pdns, tuple);
}

// All but RDATA. Returns what was expected, or NULL.
static const char *head_read(
	const json_t *object, struct pdns_tuple *tuple, uint8_t *owner, uint8_t *bailiwick)
{
	const char *sensor = json_string_value(json_object_get(object, "sensor_id"));
	int64_t count = number_read(object, "count");
	int size = name_read(json_object_get(object, "rrname"), owner);
	int type = type_read(json_object_get(object, "rrtype"));

	if (size < 0)
		return "expected a name as rrname";
	if (type <= 0 || !pdns_type_is_data((uint16_t)type))
		return "expected a type of records as rrtype";
	tuple->owner = owner;
	tuple->owner_size = (size_t)size;
	tuple->type = (uint16_t)type;
	size = name_read(json_object_get(object, "bailiwick"), bailiwick);
	tuple->bailiwick = size > 0 ? bailiwick : NULL;
	tuple->bailiwick_size = size > 0 ? (size_t)size : 0;
	tuple->first_s = number_read(object, "time_first");
	tuple->last_s = number_read(object, "time_last");
	// What was learned from zone files has times of its own.
	if (tuple->first_s < 0 && tuple->last_s < 0) {
		tuple->first_s = number_read(object, "zone_time_first");
		tuple->last_s = number_read(object, "zone_time_last");
	}
	if (tuple->first_s < 0 || tuple->last_s < tuple->first_s || tuple->last_s > UINT32_MAX)
		return "expected time_first and time_last, seconds since 1970";
	tuple->count = count > 0 ? (uint64_t)count : 1;
	for (unsigned class = 0; sensor && class < PDNS_CLASSES; class ++)
		if (strcmp(sensor, pdns_class_name(class)) == 0)
			tuple->class = class;
	return NULL;
}

int pdns_cof_put(struct pdns *pdns, const json_t *object, enum pdns_class class, const char **why)
{
	uint8_t owner[DNS_NAME_SIZE_MAX], bailiwick[DNS_NAME_SIZE_MAX], rdata[PDNS_RDATA_MAX];
	struct pdns_tuple tuple = {.class = class};
	const json_t *data = json_object_get(object, "rdata"), *each;
	size_t i;
	int err, n = 0;

	*why = json_is_object(object) ? head_read(object, &tuple, owner, bailiwick)
				      : "expected an object";
	if (*why)
		return -EINVAL;
	*why = "expected RDATA of its type as rdata";
	if (!json_is_array(data)) {
		err = rdata_put(pdns, &tuple, data, rdata);
		return err ? err : 1;
	}
	json_array_foreach(data, i, each)
	{
		err = rdata_put(pdns, &tuple, each, rdata);
		if (err)
			return err;
		n++;
	}
	return n > 0 ? n : -EINVAL;
}
