/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters as text: OpenMetrics 1.0, and version 0.0.4 of Prometheus's own format, which differ in names of
 * families of counters and in the end.
 */
#include <inttypes.h>
#include <string.h>

#include "api.h"
#include "text/text.h"

static bool is_counter(const char *name)
{
	size_t size = strlen(name);

	return size > 6 && strcmp(name + size - 6, "_total") == 0;
}

void metrics_family(struct metrics *metrics, const char *name, const char *help)
{
	bool counter = is_counter(name);
	int size = (int)strlen(name) - (counter && metrics->open ? 6 : 0);

	fprintf(metrics->out, "# HELP %.*s %s\n# TYPE %.*s %s\n", size, name, help, size, name,
		counter ? "counter" : "gauge");
}

// What is no UTF-8 becomes U+FFFD.
static void label_write(FILE *out, const char *text)
{
	size_t size = strlen(text), n;
	uint32_t code;

	for (size_t at = 0; at < size; at += n) {
		n = text_utf8_char(text + at, size - at, &code);
		if (n == 0) {
			fputs("\xef\xbf\xbd", out);
			n = 1;
		} else if (code == '"' || code == '\\') {
			fprintf(out, "\\%c", (char)code);
		} else if (code == '\n') {
			fputs("\\n", out);
		} else {
			fwrite(text + at, 1, n, out);
		}
	}
}

void metrics_sample(
	struct metrics *metrics, const char *name, const char *const *labels, uint64_t value)
{
	FILE *out = metrics->out;

	fputs(name, out);
	for (unsigned i = 0; labels && labels[i]; i += 2) {
		fprintf(out, "%s%s=\"", i ? "," : "{", labels[i]);
		label_write(out, labels[i + 1]);
		putc('"', out);
	}
	fprintf(out, "%s %" PRIu64 "\n", labels && labels[0] ? "}" : "", value);
}

void metrics_value(struct metrics *metrics, const char *name, const char *help, uint64_t value)
{
	metrics_family(metrics, name, help);
	metrics_sample(metrics, name, NULL, value);
}

void metrics_end(struct metrics *metrics)
{
	if (metrics->open)
		fputs("# EOF\n", metrics->out);
}
