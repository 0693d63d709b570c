/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From dnstap to passive DNS: whose answers, and of whom not.
 */
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "serve.h"

#define S_OLDEST (7 * 86400ll) // as in serve_record.c
#define S_NEWEST 86400ll

#define TICK_US 100000

bool serve_answer(const struct tap_message *message, bool ours, struct pdns_answer *answer)
{
	const struct tap_octets *msg = &message->response_message, *zone = &message->query_zone;
	const struct tap_moment *at =
		message->response_time.sec ? &message->response_time : &message->query_time;

	*answer = (struct pdns_answer){.msg = msg->data, .size = msg->size};
	switch (message->type) {
	case TAP_CLIENT_RESPONSE:
		answer->class = PDNS_CLIENT;
		break;
	case TAP_AUTH_RESPONSE:
	case TAP_RESOLVER_RESPONSE:
	case TAP_FORWARDER_RESPONSE:
		answer->class = PDNS_RESOLVER;
		break;
	default:
		return false;
	}
	if (!msg->data || at->sec > UINT32_MAX)
		return false;
	// A box says what it did, and sends what was there before. Others send what they made of
	// it.
	if (!ours && message->has_policy && message->policy.action != TAP_PASS)
		return false;
	answer->time_s = (int64_t)at->sec;
	answer->zone = zone->data;
	answer->zone_size = zone->size;
	return true;
}

void serve_client(const struct tap_message *message, struct addr *client)
{
	const struct tap_octets *address = &message->query_address;

	*client = (struct addr){.family = ADDR_NONE};
	// Of what resolvers ask, the address is their own.
	if ((message->type != TAP_CLIENT_RESPONSE && message->type != TAP_AUTH_RESPONSE) ||
		!address->data || (address->size != 4 && address->size != 16))
		return;
	client->family = address->size == 4 ? ADDR_IPV4 : ADDR_IPV6;
	memcpy(client->bytes, address->data, address->size);
}

static bool class_wanted(const struct serve *serve, enum pdns_class class)
{
	enum conf_sensors sensors = serve->conf->pdns_sensors;

	return sensors == CONF_SENSORS_ALL ||
	       (sensors == CONF_SENSORS_CLIENT) == (class == PDNS_CLIENT);
}

static bool time_good(struct pdns_answer *answer)
{
	int64_t now = time(NULL);

	if (answer->time_s == 0)
		answer->time_s = now;
	return answer->time_s > now - S_OLDEST && answer->time_s < now + S_NEWEST;
}

unsigned serve_observe(struct serve *serve, const struct tap_message *message,
	const struct tap_extra *extra, unsigned result)
{
	bool recorded = result == SERVE_TAKEN;
	struct pdns_answer answer;

	// What makes a record was looked at for its client's consent; other types have no client.
	if ((recorded || result == SERVE_REFUSED + SERVE_OTHER_TYPE) &&
		serve_answer(message, extra != NULL, &answer) &&
		class_wanted(serve, answer.class) && time_good(&answer)) {
		answer.start = extra ? extra->start : 0;
		answer.seq = extra ? extra->seq : 0;
		pdns_observe(serve->pdns, &answer);
		return recorded ? result : SERVE_OBSERVED;
	}
	if (extra)
		pdns_skip(serve->pdns, extra->start, extra->seq);
	return result;
}

/* ---- writing --------------------------------------------------------------------------------- */

void serve_stand_back(enum serve_nice nice)
{
	// Of Linux, this is of a thread.
	if (getpriority(PRIO_PROCESS, (id_t)gettid()) < (int)nice)
		(void)setpriority(PRIO_PROCESS, (id_t)gettid(), (int)nice);
}

static void *writer_run(void *arg)
{
	struct serve *serve = arg;

	serve_stand_back(SERVE_NICE_INTAKE);
	while (!atomic_load(&serve->writer_ends)) {
		pdns_tick(serve->pdns);
		usleep(TICK_US);
	}
	return NULL;
}

int serve_writer_start(struct serve *serve)
{
	int err = serve->pdns ? -pthread_create(&serve->writer, NULL, writer_run, serve) : 0;

	serve->writing = serve->pdns && err == 0;
	return err;
}

void serve_writer_stop(struct serve *serve)
{
	if (!serve->writing)
		return;
	atomic_store(&serve->writer_ends, true);
	// So that it makes no more pauses.
	pdns_flush(serve->pdns);
	pthread_join(serve->writer, NULL);
	serve->writing = false;
}
