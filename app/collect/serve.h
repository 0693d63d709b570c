/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of `dnsweir-collect serve` share.
 *
 * Threads: main (signals, retention), one for each connection, the keeper, who puts into the log what
 * connections hand over, one that writes passive DNS, one that follows the logs of the sinkhole, if any, and those of the API. The store is
 * written by one at a time: whoever does holds `lock`. Connections do not: while a commit goes on they fill
 * further batches. What deletes holds `deletion` too, and lets go of `lock` now and then. Questions hold neither.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "anon/anon.h"
#include "collect_app.h"
#include "conf/conf.h"
#include "consent/consent.h"
#include "contact/contact.h"
#include "http/http.h"
#include "pdns/pdns.h"
#include "signal/signal.h"
#include "tap/tap.h"
#include "tap/tap_extra.h"
#include "tap/tap_listener.h"
#include "tls/tls.h"

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

/** Why a reader of the feed was refused, or sent away. */
enum serve_feed_refusal {
	SERVE_FEED_TOO_MANY, /**< as many as may read it did */
	SERVE_FEED_TOO_LATE, /**< what would have come next is kept no more */
	SERVE_FEED_OTHER,    /**< it came with a cursor of another feed */
	SERVE_FEED_NO_KEY,   /**< its key was removed, or ended */
	SERVE_FEED_REFUSALS,
};

/** One sender, over all its connections. */
struct serve_sender {
	char peer[TAP_PEER_SIZE];
	_Atomic uint64_t connections, frames, taken, opted_out;
	_Atomic uint64_t observed; /**< frames that make no record, but passive DNS */
	_Atomic uint64_t refused[SERVE_REFUSALS];
	_Atomic uint64_t lost_mirror; /**< records that boxes lost before they had a number */
};

struct serve_batch;

/** Batches on their way to the log, and empty ones. */
struct serve_queue {
	pthread_mutex_t lock;
	pthread_cond_t filled, freed;
	struct serve_batch *first, **last; /**< full ones, oldest first */
	struct serve_batch *empty;
	unsigned n_made;
	bool end;                          /**< no more will come */
	pthread_t keeper;
};

struct serve {
	struct conf *conf;
	struct pdns *pdns; /**< NULL: no passive DNS is kept; has locks of its own */
	struct signal_networks *networks; /**< of `[pdns] networks`; NULL: none. Never changes */
	struct store *store; /**< under lock */
	struct consent_table *consent; /**< for senders that have none of their own */
	size_t consent_size;
	struct anon *anon;   /**< under anon_lock; for the same */
	struct tls_keeper *tls; /**< of senders; NULL: none come over TLS */
	struct tap_listener *listener;
	struct http_server *http;
	_Atomic unsigned sorting; /**< questions of the API in order of time */
	_Atomic unsigned passes;  /**< and that read all of passive DNS */
	_Atomic unsigned feeding; /**< readers of the feed */
	_Atomic uint64_t feed_refused[SERVE_FEED_REFUSALS];
	pthread_mutex_t deletion; /**< before lock */
	pthread_mutex_t lock, anon_lock, sender_lock;
	struct serve_queue queue;
	bool keeping;        /**< the keeper runs */
	bool writing;        /**< the writer of passive DNS runs */
	pthread_t writer;
	atomic_bool writer_ends;
	unsigned n_senders;  /**< under sender_lock; a sender stays where it is */
	struct serve_sender senders[SERVE_SENDERS_MAX];
	struct {
		uint64_t start, lost;
	} starts[SERVE_STARTS_MAX]; /**< under sender_lock; the oldest makes room */
	unsigned n_starts;
	struct contact_sink sink;
	struct contact_follow *follow; /**< NULL: no logs of a sinkhole */
	pthread_t follower;
	atomic_bool follower_ends;
	bool dumping; /**< the thread of daily dumps runs */
	pthread_t dumper;
	atomic_bool dumper_ends;
	_Atomic uint64_t dump_failures;
};

#define SERVE_BATCH     512       /**< records that are handed to the store at once */
#define SERVE_BATCHES   512       /**< that wait at most: 0.9 s at 300,000 records a second, up to 80 MiB */
#define SERVE_ARENA     (1 << 16) /**< octets of what the records of a batch point at */
#define SERVE_ROOM      8192      /**< that one record needs at most */

/** What a connection has for the store. All of it is anonymous already. */
struct serve_batch {
	struct serve_batch *next;
	struct serve_sender *sender;
	uint64_t start, last_seq; /**< of the stream; start 0: without numbers */
	uint64_t n_refused;       /**< frames with numbers that made no record */
	size_t n, used;
	struct store_record records[SERVE_BATCH];
	uint8_t arena[SERVE_ARENA] __attribute__((aligned(16)));
};

/** A connection. */
struct serve_taker {
	struct serve *serve;
	struct serve_sender *sender;
	struct serve_batch *batch; /**< that is being filled */
	uint64_t lost;             /**< as the box told last */
};

/* ---- serve_keeper.c ---- */

/** Start the thread. @return 0 or -errno */
int serve_keeper_start(struct serve *serve);

/** Put all that was handed over into the log, and end the thread; nobody hands over any more. */
void serve_keeper_stop(struct serve *serve);

/** An empty batch. @return NULL when memory is short */
struct serve_batch *serve_batch_get(struct serve *serve);

/**
 * Hand a batch over, and get an empty one for it.
 *
 * @param wait until there is one; else nothing is done when there is none
 * @return NULL: it could not be handed over
 */
struct serve_batch *serve_batch_hand(struct serve *serve, struct serve_batch *batch, bool wait);

/** Hand over the last batch of a connection. */
void serve_batch_end(struct serve *serve, struct serve_batch *batch);

/** What became of a frame. */
enum serve_result {
	SERVE_TAKEN,
	SERVE_OPTED_OUT,
	SERVE_OBSERVED, /**< no record, but passive DNS */
	SERVE_REFUSED, /**< and here the enum serve_refusal is added */
};

/**
 * Make a record of a message, with all it points at in the batch's arena, which has SERVE_ROOM octets left.
 *
 * @param extra what a box said; NULL: a sender of other software, whose clients are whole
 * @return enum serve_result
 */
unsigned serve_record(struct serve *serve, struct serve_batch *batch,
	const struct tap_message *message, const struct tap_extra *extra, struct store_record *record);

/**
 * Hand what a message says to passive DNS, if its client lets us. A client's address goes no further than this.
 *
 * @param result what serve_record said
 * @return the same, or SERVE_OBSERVED for messages of types that make no record
 */
unsigned serve_observe(struct serve *serve, const struct tap_message *message,
	const struct tap_extra *extra, unsigned result);

/**
 * What a message says, for passive DNS.
 *
 * @param ours   a box sent it, so it is the original answer whatever was done to it
 * @param answer [out] time_s is 0 if it has no time; start and seq are not set
 * @return false: it is no response of a kind that says anything, or a policy made it up
 */
bool serve_answer(const struct tap_message *message, bool ours, struct pdns_answer *answer);

/**
 * How nice threads are beside those that answer questions: who asks waits himself, what comes in can wait in its window
 * and on its wire, and a daily dump is for another day.
 */
enum serve_nice {
	SERVE_NICE_INTAKE = 3, /**< half of the CPU that an answer gets */
	SERVE_NICE_DUMP = 15,
};

/** Set how nice the calling thread is. It stays what it is if that is more. */
void serve_stand_back(enum serve_nice nice);

/** Start the thread that writes what waits in passive DNS, if that is kept. @return 0 or -errno */
int serve_writer_start(struct serve *serve);

/** Write what waits, and end it. */
void serve_writer_stop(struct serve *serve);

/** The client that a message is for; ADDR_NONE if it is not for a client, or not known. */
void serve_client(const struct tap_message *message, struct addr *client);

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

/** Begin to make daily dumps, if there are to be any. @return enum collect_exit */
int serve_dump_start(struct serve *serve);

/** End that; one that is being written is left out. */
void serve_dump_stop(struct serve *serve);

/** "no_dnstap", ... */
const char *serve_refusal_name(enum serve_refusal refusal);

/** "too_many", ... */
const char *serve_feed_refusal_name(enum serve_feed_refusal refusal);

/** Every counter as one JSON object and a newline. */
void serve_counters(
	struct serve *serve, const struct tap_listener_stats *connections, FILE *out);
