/* SPDX-License-Identifier: BSD-3-Clause */
// Queries over UDP: a window of them under way, each sent again until it is answered.
#include "traffic/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "traffic/traffic.h"

#define SOCKETS      16
#define RECEIVE_ROOM (4 << 20) // octets
#define TICK_MS      10

enum state {
	WAITING,
	UNDER_WAY,
	DONE,
};

struct asked {
	enum state state;
	unsigned tries;
	uint64_t first_ms, last_ms;
};

struct udp {
	struct ask *ask;
	struct asked *asked;
	struct pollfd sockets[SOCKETS];
	unsigned next, under_way, done;
};

static int sockets_open(struct udp *udp)
{
	struct ask *ask = udp->ask;
	int room = RECEIVE_ROOM;

	for (unsigned i = 0; i < SOCKETS; i++) {
		int fd =
			socket(ask->server.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		const struct sockaddr_storage *source =
			ask->n_sources ? &ask->sources[i % ask->n_sources] : NULL;

		udp->sockets[i] = (struct pollfd){fd, POLLIN, 0};
		if (fd < 0)
			return -errno;
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
		if (source &&
			bind(fd, (const struct sockaddr *)source, ask_address_size(source)) < 0)
			return -errno;
		if (connect(fd, (struct sockaddr *)&ask->server, ask_address_size(&ask->server)) <
			0)
			return -errno;
	}
	return 0;
}

static void query_send(struct udp *udp, unsigned i)
{
	const struct ask_query *q = &udp->ask->queries[i];
	struct asked *asked = &udp->asked[i];
	uint8_t message[MESSAGE_QUERY_MAX];
	int size = message_query(q->name, q->type, (uint16_t)i, udp->ask->edns, message);
	// A socket that is told of an error has it once; the query is sent again in time.
	ssize_t sent = send(udp->sockets[i % SOCKETS].fd, message, (size_t)size, 0);

	(void)sent;
	asked->last_ms = traffic_now_ms();
	if (asked->tries++ == 0) {
		asked->first_ms = asked->last_ms;
		udp->ask->counts.asked++;
		udp->under_way++;
	} else {
		udp->ask->counts.again++;
	}
	asked->state = UNDER_WAY;
}

// Queries whose time is over, and new ones as far as the window goes.
static void tick(struct udp *udp)
{
	struct ask *ask = udp->ask;
	uint64_t now = traffic_now_ms();

	for (unsigned i = 0; i < udp->next; i++) {
		struct asked *asked = &udp->asked[i];

		if (asked->state != UNDER_WAY || now - asked->last_ms < ask->wait_ms)
			continue;
		if (asked->tries < ask->tries) {
			query_send(udp, i);
			continue;
		}
		asked->state = DONE;
		ask->counts.unanswered++;
		udp->under_way--;
		udp->done++;
	}
	while (udp->next < ask->n && udp->under_way < ask->window)
		query_send(udp, udp->next++);
}

// Everything that has come to a socket. A second answer has to be as right as the first.
static void take(struct udp *udp, unsigned s)
{
	static uint8_t answer[MESSAGE_SIZE_MAX];
	uint8_t query[MESSAGE_QUERY_MAX];
	ssize_t size;

	while ((size = recv(udp->sockets[s].fd, answer, sizeof(answer), 0)) >= 0) {
		unsigned i = size < MESSAGE_HEADER ? UINT16_MAX : load_be16(answer);
		const struct ask_query *q;
		struct asked *asked;

		if (i >= udp->next || i % SOCKETS != s)
			continue;
		q = &udp->ask->queries[i];
		asked = &udp->asked[i];
		message_query(q->name, q->type, (uint16_t)i, udp->ask->edns, query);
		if (!message_answers(query, answer, (size_t)size))
			continue;
		ask_take(udp->ask, i, answer, (size_t)size, traffic_now_ms() - asked->first_ms);
		if (asked->state == UNDER_WAY) {
			udp->under_way--;
			udp->done++;
		}
		asked->state = DONE;
	}
}

int ask_udp(struct ask *ask)
{
	struct udp udp = {.ask = ask};
	int r;

	if (ask->n >= UINT16_MAX)
		return -E2BIG;
	udp.asked = calloc(ask->n, sizeof(*udp.asked));
	if (!udp.asked)
		return -ENOMEM;
	for (unsigned i = 0; i < SOCKETS; i++)
		udp.sockets[i].fd = -1;
	r = sockets_open(&udp);
	while (r == 0 && udp.done < ask->n && !traffic_stopped) {
		tick(&udp);
		poll(udp.sockets, SOCKETS, TICK_MS);
		for (unsigned i = 0; i < SOCKETS; i++)
			take(&udp, i);
	}
	for (unsigned i = 0; i < SOCKETS; i++) {
		if (udp.sockets[i].fd >= 0)
			close(udp.sockets[i].fd);
	}
	free(udp.asked);
	return r;
}
