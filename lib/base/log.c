/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static const char *program = "dnsweir";
static enum log_level threshold = LOG_INFO;

void log_program(const char *name)
{
	program = name;
}

void log_threshold(enum log_level level)
{
	threshold = level;
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[1024];
	va_list args;
	size_t size;
	int n;

	if (level > threshold)
		return;
	n = snprintf(line, sizeof(line), "%s: %s", program, level == LOG_WARN ? "warning: " : "");
	size = n < 0 ? 0 : (size_t)n;
	va_start(args, format);
	n = vsnprintf(line + size, sizeof(line) - size, format, args);
	va_end(args);
	size += n < 0 ? 0 : (size_t)n;
	if (size > sizeof(line) - 2)
		size = sizeof(line) - 2;
	line[size++] = '\n';
	// One write keeps lines of several threads whole; there is nobody to tell if it fails.
	if (write(STDERR_FILENO, line, size) < 0)
		return;
}
