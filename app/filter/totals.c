/* SPDX-License-Identifier: BSD-3-Clause */
#include "totals/totals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "start.h"

#define PERIOD_S 5 // a crash loses what came since the last time

struct recorder {
	pthread_t thread;
	bool runs;
	char path[CONF_PATH_SIZE], box[CONF_BOX_SIZE]; // as the process was started with
	struct stats_worker *sum;

	// of the thread
	struct totals *file; // NULL: it could not be opened
	dev_t device;
	ino_t inode;
	int64_t taken_at; // when counters were looked at last

	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;          // under lock, as is all that follows
	int64_t written_at; // 0: never
	uint64_t writes, errors;
	bool failing; // the last write was none
	char error[TOTALS_ERROR_SIZE];
};

// @return 0, or as totals_open with the error
static int file_open(struct recorder *r, char error[TOTALS_ERROR_SIZE])
{
	struct stat status;
	int err = totals_open(r->path, TOTALS_CREATE, r->box[0] ? r->box : NULL, &r->file, error);

	if (err < 0)
		return err;
	if (stat(r->path, &status) == 0) {
		r->device = status.st_dev;
		r->inode = status.st_ino;
	}
	return 0;
}

// A file that was moved away takes what is written with it: it is made anew.
static void file_watch(struct recorder *r)
{
	struct stat status;

	if (!r->file)
		return;
	if (stat(r->path, &status) == 0 && status.st_dev == r->device && status.st_ino == r->inode)
		return;
	log_line(LOG_WARN, "totals: %s is another file now", r->path);
	totals_close(r->file);
	r->file = NULL;
}

static int file_write(struct recorder *r, char error[TOTALS_ERROR_SIZE])
{
	int err;

	file_watch(r);
	err = r->file ? 0 : file_open(r, error);
	if (err < 0)
		return err;
	err = tally_write(app.tally, r->file);
	if (err < 0) {
		snprintf(error, TOTALS_ERROR_SIZE, "%.200s: %s", r->path,
			err == -EIO ? totals_error(r->file) : strerror(-err));
		totals_close(r->file);
		r->file = NULL;
	}
	return err;
}

// What came of a write, for who asks; the operator is told when it begins to fail and when it ends.
static void result_note(struct recorder *r, int err, const char *error)
{
	bool changed;

	pthread_mutex_lock(&r->lock);
	changed = r->failing != (err < 0);
	r->failing = err < 0;
	if (err < 0) {
		r->errors++;
		snprintf(r->error, sizeof(r->error), "%s", error);
	} else {
		r->writes++;
		r->written_at = time(NULL);
		r->error[0] = '\0';
	}
	pthread_mutex_unlock(&r->lock);
	if (changed && err < 0)
		log_line(LOG_ERROR, "totals: %s; tried again until it succeeds", error);
	else if (changed)
		log_line(LOG_INFO, "totals: %s is written to again", r->path);
}

static void turn(struct recorder *r)
{
	char error[TOTALS_ERROR_SIZE] = "";
	struct timespec now;

	// What is counted from now on may be of the next hour; what was is of the last one.
	clock_gettime(CLOCK_REALTIME, &now);
	show_sum(r->sum);
	if (tally_take(app.tally, r->sum, totals_hour(r->taken_at)) < 0)
		log_line(LOG_WARN, "totals: no memory for all that came; it is noted later");
	r->taken_at = now.tv_sec;
	result_note(r, file_write(r, error), error);
}

// When to look next: after the period, but at the end of an hour, so that no count gets into another.
static struct timespec next_turn(void)
{
	struct timespec now, at;
	int64_t seconds = PERIOD_S, nanoseconds = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	// An hour of a zone ends where its clock says so, also where it is put on or back.
	for (int64_t i = 1; i <= PERIOD_S + 1; i++)
		if (totals_hour(now.tv_sec + i) != totals_hour(now.tv_sec)) {
			seconds = i - 1;
			nanoseconds = 1000000000 - now.tv_nsec;
			break;
		}
	clock_gettime(CLOCK_MONOTONIC, &at);
	nanoseconds += at.tv_nsec;
	at.tv_sec += seconds + nanoseconds / 1000000000;
	at.tv_nsec = nanoseconds % 1000000000;
	return at;
}

static void *recorder_main(void *arg)
{
	struct recorder *r = arg;
	bool stop = false;

	loader_cpus(true, NULL);
	while (!stop) {
		const struct timespec at = next_turn();
		int err = 0;

		pthread_mutex_lock(&r->lock);
		while (!r->stop && err != ETIMEDOUT)
			err = pthread_cond_timedwait(&r->wake, &r->lock, &at);
		stop = r->stop;
		pthread_mutex_unlock(&r->lock);
		turn(r);
	}
	return NULL;
}

static void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	totals_close(r->file);
	free(r->sum);
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static struct recorder *recorder_make(const struct conf *conf)
{
	struct recorder *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;

	if (!r)
		return NULL;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->wake, &attr);
	pthread_condattr_destroy(&attr);
	snprintf(r->path, sizeof(r->path), "%s", conf->totals_file);
	snprintf(r->box, sizeof(r->box), "%s", conf->totals_box);
	r->sum = aligned_alloc(64, sizeof(*r->sum));
	r->taken_at = time(NULL);
	if (r->sum)
		return r;
	recorder_free(r);
	return NULL;
}

int start_totals(char *error)
{
	char why[TOTALS_ERROR_SIZE] = "";
	struct recorder *r;
	int err;

	if (!app.conf->totals_file[0])
		return 0;
	r = app.recorder = recorder_make(app.conf);
	if (!r) {
		snprintf(error, APP_ERROR_SIZE, "totals: %s", strerror(ENOMEM));
		return -1;
	}
	err = file_open(r, why);
	// A disk that fails is no reason not to filter; a file that is none of ours is a slip.
	if (err < 0 && err != -EIO) {
		snprintf(error, APP_ERROR_SIZE, "totals: %s", why);
		return -1;
	}
	if (err < 0)
		result_note(r, err, why);
	if (pthread_create(&r->thread, NULL, recorder_main, r) != 0) {
		snprintf(error, APP_ERROR_SIZE, "totals: thread cannot be started");
		return -1;
	}
	r->runs = true;
	pthread_setname_np(r->thread, "totals");
	return 0;
}

void totals_finish(void)
{
	struct recorder *r = app.recorder;
	struct tally_waiting waiting;

	if (!r || !r->runs)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	r->runs = false;
	waiting = tally_waiting(app.tally);
	if (waiting.hours > 0)
		log_line(LOG_ERROR, "totals: %llu responses could not be written: %s",
			(unsigned long long)waiting.responses, r->error);
}

void stop_totals(void)
{
	totals_finish();
	recorder_free(app.recorder);
	app.recorder = NULL;
}

json_t *totals_show(void)
{
	struct recorder *r = app.recorder;
	struct tally_waiting waiting;
	char zone[TOTALS_TEXT_MAX + 1];
	json_t *object;

	if (!r)
		return ctl_error("no totals are kept: [totals] file is empty");
	waiting = tally_waiting(app.tally);
	if (totals_zone_name(zone) < 0)
		zone[0] = '\0';
	pthread_mutex_lock(&r->lock);
	object = json_pack("{s:s, s:s, s:s, s:o, s:I, s:I, s:i, s:I, s:s}", "file", r->path, "box",
		r->box, "zone", zone, "written", show_moment(r->written_at), "writes",
		(json_int_t)r->writes, "errors", (json_int_t)r->errors, "hours_waiting",
		(int)waiting.hours, "responses_waiting", (json_int_t)waiting.responses,
		"last_error", r->error);
	pthread_mutex_unlock(&r->lock);
	return object;
}

void totals_stats(json_t *stats)
{
	struct recorder *r = app.recorder;
	uint64_t writes = 0, errors = 0;

	if (r) {
		pthread_mutex_lock(&r->lock);
		writes = r->writes;
		errors = r->errors;
		pthread_mutex_unlock(&r->lock);
	}
	json_object_set_new(stats, "dnsweir_totals_writes_total", json_integer((json_int_t)writes));
	json_object_set_new(stats, "dnsweir_totals_errors_total", json_integer((json_int_t)errors));
}
