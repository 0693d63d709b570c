/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>

json_t *ctl_error(const char *format, ...)
{
	char text[1024];
	json_t *reply;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	reply = json_pack("{s:s}", "error", text);
	if (!reply) {
		// What is not UTF-8 cannot stand in JSON.
		for (char *p = text; *p; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
		reply = json_pack("{s:s}", "error", text);
	}
	return reply;
}
