/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/reason.h"

static const struct {
	const char *name, *text;
} reasons[REASON_COUNT] = {[REASON_none] = {"none", "not decided"},
#define REASON_ROW(name, text) [REASON_##name] = {#name, text},
	REASONS(REASON_ROW)
#undef REASON_ROW
};

const char *reason_name(enum reason reason)
{
	return reasons[reason].name;
}

const char *reason_text(enum reason reason)
{
	return reasons[reason].text;
}
