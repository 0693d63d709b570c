/* SPDX-License-Identifier: BSD-3-Clause */
#include "list_app.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "list/list.h"

#define MIN_LABELS 2 // the default of [list NAME] min_labels

static int entry_pass(void *ctx, const struct list_entry *entry)
{
	return 0;
}

static void bad_show(void *ctx, unsigned line, const char *what)
{
	printf("%s:%u: %s\n", (const char *)ctx, line, what);
}

static int check(char *path)
{
	const struct list_options options = {LIST_AUTO, MIN_LABELS};
	const struct list_sink sink = {path, entry_pass, bad_show};
	struct list_counts counts = {0};
	int err = list_read(path, &options, &sink, &counts);

	// The line that is no header has been shown.
	if (err == -EBADMSG)
		return LIST_USAGE;
	if (err < 0) {
		log_line(LOG_ERROR, "%s: cannot read: %s", path, strerror(-err));
		return LIST_USAGE;
	}
	printf("%s: %s, %" PRIu64 " good lines, %" PRIu64 " bad\n", path,
		counts.format == LIST_CATALOGUE ? "catalogue" : "names", counts.good, counts.bad);
	return counts.good > 0 ? LIST_DONE : LIST_USAGE;
}

int check_run(const struct list_args *args)
{
	int err = LIST_DONE;

	for (int i = 0; i < args->n; i++)
		if (check(args->words[i]) != LIST_DONE)
			err = LIST_USAGE;
	return err;
}
