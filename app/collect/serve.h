/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of `dnsweir-collect serve` share.
 *
 * Threads: main (signals, commits, retention), one for each connection, one that follows the logs of the
 * sinkhole, if any, and those of the API. The store is written by one at a time: whoever does holds `lock`.
 * What deletes holds `deletion` too, and lets go of `lock` now and then. Questions hold neither.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "anon/anon.h"
#include "collect_app.h"
#include "conf/conf.h"
#include "consent/consent.h"
#include "contact/contact.h"
#include "http/http.h"
#include "tap/tap.h"
#include "tap/tap_extra.h"
#include "tap/tap_listener.h"

#define SERVE_SENDERS_MAX 256
#define SERVE_STARTS_MAX  1024 /**< streams of boxes whose `lost` is known */

/** Why a frame made no record. */
enum serve_refusal {
	SERVE_NO_DNSTAP,   /**< not to be read, or without a response, or over TAP_FRAME_MAX */
	SERVE_OTHER_TYPE,  /**< of another type than a response to a client */
	SERVE_BAD_TIME,    /**< of a clock that is wrong by days */
	SERVE_NO_ROOM,     /**< the store did not take it */
	SERVE_REFUSALS,
};

/** One sender, over all its connections. */
struct serve_sender {
	char peer[TAP_PEER_SIZE];
	_Atomic uint64_t connections, frames, taken, opted_out;
	_Atomic uint64_t refused[SERVE_REFUSALS];
	_Atomic uint64_t lost_mirror; /**< records that boxes lost before they had a number */
};

struct serve {
	struct conf *conf;
	struct store *store; /**< under lock */
	struct consent_table *consent; /**< for senders that have none of their own */
	size_t consent_size;
	struct anon *anon;   /**< under anon_lock; for the same */
	struct tap_listener *listener;
	struct http_server *http;
	_Atomic unsigned sorting; /**< questions of the API in order of time */
	pthread_mutex_t deletion; /**< before lock */
	pthread_mutex_t lock, anon_lock;
	unsigned n_senders;  /**< under lock; a sender stays where it is */
	struct serve_sender senders[SERVE_SENDERS_MAX];
	struct {
		uint64_t start, lost;
	} starts[SERVE_STARTS_MAX]; /**< under lock; the oldest makes room */
	unsigned n_starts;
	struct contact_sink sink;
	struct contact_follow *follow; /**< NULL: no logs of a sinkhole */
	pthread_t follower;
	atomic_bool follower_ends;
};

#define SERVE_BATCH 512       /**< records that are handed to the store at once */
#define SERVE_ARENA (1 << 18) /**< octets of what they point at */
#define SERVE_ROOM  8192      /**< that one record needs at most */

/** A connection, and what it has for the store. All of it is anonymous already. */
struct serve_taker {
	struct serve *serve;
	struct serve_sender *sender;
	uint64_t start, last_seq; /**< of the records in the batch */
	uint64_t lost;            /**< as the box told last */
	size_t n, used;
	struct store_record records[SERVE_BATCH];
	uint8_t arena[SERVE_ARENA] __attribute__((aligned(16)));
};

/** What became of a frame. */
enum serve_result {
	SERVE_TAKEN,
	SERVE_OPTED_OUT,
	SERVE_REFUSED, /**< and here the enum serve_refusal is added */
};

/**
 * Make a record of a message, with all it points at in the arena, which has SERVE_ROOM octets left.
 *
 * @param extra what a box said; NULL: a sender of other software, whose clients are whole
 * @return enum serve_result
 */
unsigned serve_record(struct serve_taker *taker, const struct tap_message *message,
	const struct tap_extra *extra, struct store_record *record);

/** Hooks of the listener; ctx is the struct serve. */
extern const struct tap_listener_hooks serve_hooks;

/** Read the configuration, and the consent that it names. @return enum collect_exit */
int serve_conf(struct serve *serve, const char *path);

/** Free what serve_conf and others made; the store is closed by then. */
void serve_free(struct serve *serve);

/** Begin to follow the logs of the sinkhole, if there are any. @return enum collect_exit */
int serve_follow_start(struct serve *serve);

/** End that. */
void serve_follow_stop(struct serve *serve);

/** "no_dnstap", ... */
const char *serve_refusal_name(enum serve_refusal refusal);

/** Every counter as one JSON object and a newline. */
void serve_counters(struct serve *serve, const struct tap_listener *listener, FILE *out);
