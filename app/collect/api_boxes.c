/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Boxes on this machine are asked over their control sockets, all at once: a slow one makes nobody wait for longer
 * than itself. And their counters.
 */
#include <assert.h>

#include "api.h"
#include "base/crew.h"
#include "stats/stats_metric.h"

#define TIMEOUT_MS 2000 // for all that a box is asked: Prometheus gives up after ten seconds
#define LABELS_MAX (2 + 2 * STATS_METRIC_LABELS_MAX + 1)

/** Boxes that are asked, each by a thread. */
struct asking {
	const struct endpoints *at;
	const char *const *commands;
	unsigned n;
	json_t **replies;
	_Atomic unsigned next;
};

static void boxes_part(void *ctx, unsigned member)
{
	struct asking *asking = ctx;
	unsigned box;

	while ((box = atomic_fetch_add(&asking->next, 1)) < asking->at->n)
		ctl_ask(asking->at->at[box].path, asking->commands, asking->n, TIMEOUT_MS,
			asking->replies + (size_t)box * asking->n);
}

void api_boxes_ask(
	const struct endpoints *at, const char *const *commands, unsigned n, json_t **replies)
{
	struct asking asking = {at, commands, n, replies, 0};

	static_assert(ENDPOINTS_MAX <= CREW_MAX, "a thread for each");
	crew_run(at->n, boxes_part, &asking);
}

/** A box, and what it said. */
struct box {
	const char *path;
	json_t *stats; /**< NULL: it did not answer */
};

// Values are below an object for each label.
static void level_write(struct metrics *metrics, const struct stats_metric *metric, json_t *value,
	const char **labels, unsigned level)
{
	const char *key;
	json_t *under;

	if (level == STATS_METRIC_LABELS_MAX || !metric->labels[level]) {
		if (json_is_integer(value) && json_integer_value(value) >= 0)
			metrics_sample(
				metrics, metric->name, labels, (uint64_t)json_integer_value(value));
		return;
	}
	labels[2 + 2 * level] = metric->labels[level];
	labels[2 + 2 * level + 2] = NULL;
	json_object_foreach(value, key, under)
	{
		labels[2 + 2 * level + 1] = key;
		level_write(metrics, metric, under, labels, level + 1);
		labels[2 + 2 * level + 2] = NULL;
	}
}

// All samples of a family stand together, of whichever box.
static void metric_write(struct metrics *metrics, const struct stats_metric *metric,
	const struct box *boxes, unsigned n)
{
	const char *labels[LABELS_MAX] = {"box"};
	bool begun = false;

	for (unsigned i = 0; i < n; i++) {
		json_t *value = json_object_get(boxes[i].stats, metric->name);

		if (!value)
			continue;
		if (!begun)
			metrics_family(metrics, metric->name, metric->help);
		begun = true;
		labels[1] = boxes[i].path;
		labels[2] = NULL;
		level_write(metrics, metric, value, labels, 0);
	}
}

void api_boxes_write(struct metrics *metrics, const struct endpoints *at)
{
	static const char *const commands[] = {"show stats"};
	json_t *replies[ENDPOINTS_MAX];
	struct box boxes[ENDPOINTS_MAX];

	if (at->n == 0)
		return;
	api_boxes_ask(at, commands, 1, replies);
	metrics_family(metrics, "dnsweir_box_up", "Whether the box answered.");
	for (unsigned i = 0; i < at->n; i++) {
		boxes[i] = (struct box){at->at[i].path, replies[i]};
		metrics_sample(metrics, "dnsweir_box_up",
			(const char *const[]){"box", boxes[i].path, NULL}, boxes[i].stats != NULL);
	}
	for (const struct stats_metric *metric = stats_metrics; metric->name; metric++)
		metric_write(metrics, metric, boxes, at->n);
	for (unsigned i = 0; i < at->n; i++)
		json_decref(boxes[i].stats);
}
