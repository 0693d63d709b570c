/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters of boxes on this machine, over their control sockets.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "base/log.h"
#include "ctl/ctl.h"
#include "stats/stats_metric.h"

#define TIMEOUT_S  1 // all of them are to answer before Prometheus gives up
#define LABELS_MAX (2 + 2 * STATS_METRIC_LABELS_MAX + 1)

/** A box, and what it said. */
struct box {
	const char *path;
	json_t *stats; /**< NULL: it did not answer */
};

static json_t *box_ask(const char *path)
{
	char error[CTL_REQUEST_MAX];
	int sock = ctl_connect(path);
	json_t *stats;

	if (sock < 0)
		return NULL;
	stats = ctl_call(sock, "show stats", TIMEOUT_S, error, sizeof(error));
	close(sock);
	return stats;
}

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
	struct box boxes[ENDPOINTS_MAX];

	if (at->n == 0)
		return;
	metrics_family(metrics, "dnsweir_box_up", "Whether the box answered.");
	for (unsigned i = 0; i < at->n; i++) {
		boxes[i] = (struct box){at->at[i].path, box_ask(at->at[i].path)};
		metrics_sample(metrics, "dnsweir_box_up",
			(const char *const[]){"box", boxes[i].path, NULL}, boxes[i].stats != NULL);
	}
	for (const struct stats_metric *metric = stats_metrics; metric->name; metric++)
		metric_write(metrics, metric, boxes, at->n);
	for (unsigned i = 0; i < at->n; i++)
		json_decref(boxes[i].stats);
}
