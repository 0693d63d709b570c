/* SPDX-License-Identifier: BSD-3-Clause */
// Queries over many TCP connections at once, pipelined; answers in any order (RFC 7766 s6.2.1.1).
//
// The queries are dealt out to the connections. Each round asks all of them once more, on the same
// connections, after all have been answered and a pause; with more connections than queries each
// connection has one a round. A connection that has all its answers is closed from this end first.
#include "traffic/ask.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/bytes.h"
#include "traffic/traffic.h"

#define OPENING_MAX 256 // connections that wait for their SYN+ACK
#define EVENTS      256
#define TICK_MS     20
#define LENGTH_SIZE 2 // octets before each message: RFC 1035 s4.2.2
#define READ_SIZE   4096

enum state {
	NEW,
	CONNECTING,
	OPEN,
	ENDING, // our FIN is out
	GONE,
};

// A query on a connection.
struct asked {
	uint64_t ms;
	bool answered;
};

struct connection {
	int fd;
	enum state state;
	unsigned number, asked, answered;
	uint64_t progress_ms;
	struct asked *queries;
	uint8_t *out, *in;
	size_t out_size, in_size, in_room;
};

struct tcp {
	struct ask *ask;
	struct connection *connections;
	int epoll;
	unsigned share;   // queries of a connection in a round
	unsigned allowed; // how many it may have asked by now
	unsigned total;   // and in the end
	unsigned started, opening, open, gone;
	uint64_t round_ms; // when the pause began; 0: it has not
};

static unsigned query_of(const struct tcp *tcp, const struct connection *c, unsigned k)
{
	unsigned round = k / tcp->share;

	return (c->number + k % tcp->share * tcp->ask->connections + round * 7) % tcp->ask->n;
}

static void state_set(struct tcp *tcp, struct connection *c, enum state state)
{
	tcp->opening -= c->state == CONNECTING;
	tcp->open -= c->state == OPEN || c->state == ENDING;
	c->state = state;
	c->progress_ms = traffic_now_ms();
	tcp->opening += state == CONNECTING;
	tcp->open += state == OPEN || state == ENDING;
	tcp->gone += state == GONE;
	if (tcp->open > tcp->ask->counts.most)
		tcp->ask->counts.most = tcp->open;
}

static void drop(struct tcp *tcp, struct connection *c, uint64_t *why)
{
	if (why)
		(*why)++;
	tcp->ask->counts.unanswered += tcp->total - c->answered;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	state_set(tcp, c, GONE);
}

static void watch(struct tcp *tcp, struct connection *c, bool write)
{
	struct epoll_event event = {
		.events = write ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.u32 = c->number};

	epoll_ctl(tcp->epoll, EPOLL_CTL_MOD, c->fd, &event);
}

static void begin(struct tcp *tcp, struct connection *c)
{
	const struct ask *ask = tcp->ask;
	const struct sockaddr_storage *source =
		ask->n_sources ? &ask->sources[c->number % ask->n_sources] : NULL;
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u32 = c->number};
	int one = 1, r;

	c->fd = socket(ask->server.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	state_set(tcp, c, CONNECTING);
	if (c->fd < 0) {
		drop(tcp, c, &tcp->ask->counts.resets);
		return;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (source) {
		// The port is chosen by connect(): each source has all of them for each server.
		setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
		r = bind(c->fd, (const struct sockaddr *)source, ask_address_size(source));
		if (r < 0) {
			drop(tcp, c, &tcp->ask->counts.resets);
			return;
		}
	}
	r = connect(c->fd, (const struct sockaddr *)&ask->server, ask_address_size(&ask->server));
	if (r < 0 && errno != EINPROGRESS) {
		drop(tcp, c, &tcp->ask->counts.resets);
		return;
	}
	epoll_ctl(tcp->epoll, EPOLL_CTL_ADD, c->fd, &event);
}

// As many queries as may be under way; what the socket does not take now goes later.
static void push(struct tcp *tcp, struct connection *c)
{
	struct ask *ask = tcp->ask;
	ssize_t sent;

	while (c->asked < tcp->allowed && c->asked - c->answered < ask->window) {
		const struct ask_query *q = &ask->queries[query_of(tcp, c, c->asked)];
		uint8_t *at = c->out + c->out_size;
		int size = message_query(
			q->name, q->type, (uint16_t)c->asked, ask->edns, at + LENGTH_SIZE);

		store_be16(at, (uint16_t)size);
		c->out_size += LENGTH_SIZE + (size_t)size;
		c->queries[c->asked].ms = traffic_now_ms();
		// The clock of a connection that had nothing to wait for starts now.
		if (c->asked == c->answered)
			c->progress_ms = c->queries[c->asked].ms;
		c->asked++;
		ask->counts.asked++;
		if (c->out_size + LENGTH_SIZE + MESSAGE_QUERY_MAX >
			(LENGTH_SIZE + MESSAGE_QUERY_MAX) * (ask->window + 1ul))
			break;
	}
	if (c->out_size == 0)
		return;
	sent = send(c->fd, c->out, c->out_size, MSG_NOSIGNAL);
	if (sent > 0) {
		c->out_size -= (size_t)sent;
		memmove(c->out, c->out + sent, c->out_size);
	}
	watch(tcp, c, c->out_size > 0);
}

static void take(struct tcp *tcp, struct connection *c, const uint8_t *message, size_t size)
{
	unsigned k = size < MESSAGE_HEADER ? UINT16_MAX : load_be16(message), i;
	uint8_t query[MESSAGE_QUERY_MAX];
	const struct ask_query *q;

	// An answer to nothing that was asked here is a wrong one.
	if (k >= c->asked || c->queries[k].answered) {
		tcp->ask->counts.verdicts[MESSAGE_WRONG]++;
		return;
	}
	i = query_of(tcp, c, k);
	q = &tcp->ask->queries[i];
	message_query(q->name, q->type, (uint16_t)k, tcp->ask->edns, query);
	if (!message_answers(query, message, size)) {
		tcp->ask->counts.verdicts[MESSAGE_WRONG]++;
		return;
	}
	c->queries[k].answered = true;
	c->answered++;
	ask_take(tcp->ask, i, message, size, traffic_now_ms() - c->queries[k].ms);
}

// Whole messages at the start of what has come.
static void messages(struct tcp *tcp, struct connection *c)
{
	size_t at = 0;

	while (c->in_size - at >= LENGTH_SIZE) {
		size_t size = LENGTH_SIZE + load_be16(c->in + at);

		if (c->in_size - at < size)
			break;
		take(tcp, c, c->in + at + LENGTH_SIZE, size - LENGTH_SIZE);
		at += size;
	}
	c->in_size -= at;
	if (at > 0)
		memmove(c->in, c->in + at, c->in_size);
}

static void input(struct tcp *tcp, struct connection *c)
{
	struct ask_counts *counts = &tcp->ask->counts;
	ssize_t size;

	if (c->in_room - c->in_size < READ_SIZE) {
		size_t room = c->in_room ? c->in_room * 2 : READ_SIZE;
		uint8_t *more = realloc(c->in, room);

		if (!more) {
			drop(tcp, c, &counts->resets);
			return;
		}
		c->in = more;
		c->in_room = room;
	}
	size = recv(c->fd, c->in + c->in_size, c->in_room - c->in_size, 0);
	if (size < 0) {
		if (errno != EAGAIN && errno != EINTR)
			drop(tcp, c, errno == ETIMEDOUT ? &counts->stalls : &counts->resets);
		return;
	}
	if (size == 0) {
		drop(tcp, c, c->state == ENDING ? NULL : &counts->resets);
		return;
	}
	c->in_size += (size_t)size;
	c->progress_ms = traffic_now_ms();
	messages(tcp, c);
	push(tcp, c);
	if (c->answered == tcp->total && c->state == OPEN) {
		shutdown(c->fd, SHUT_WR);
		state_set(tcp, c, ENDING);
	}
}

static void event(struct tcp *tcp, struct connection *c, uint32_t events)
{
	if (c->state == CONNECTING && events & EPOLLOUT && !(events & (EPOLLERR | EPOLLHUP))) {
		state_set(tcp, c, OPEN);
		push(tcp, c);
	} else if (c->state == OPEN && events & EPOLLOUT) {
		push(tcp, c);
	}
	if (c->fd >= 0 && events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		input(tcp, c);
}

// Connections that get nowhere, and new ones.
static void tick(struct tcp *tcp)
{
	struct ask *ask = tcp->ask;
	uint64_t now = traffic_now_ms();
	bool idle = tcp->started == ask->connections;

	for (unsigned i = 0; i < tcp->started; i++) {
		struct connection *c = &tcp->connections[i];
		bool waits = c->state == CONNECTING || c->state == ENDING ||
			     (c->state == OPEN && c->asked > c->answered);

		if (waits && now - c->progress_ms > ask->limit_ms)
			drop(tcp, c, &ask->counts.stalls);
		else if (c->state == CONNECTING || (c->state == OPEN && c->answered < tcp->allowed))
			idle = false;
	}
	while (tcp->started < ask->connections && tcp->opening < OPENING_MAX)
		begin(tcp, &tcp->connections[tcp->started++]);
	if (!idle || tcp->allowed == tcp->total)
		return;
	if (tcp->round_ms == 0)
		tcp->round_ms = now;
	if (now - tcp->round_ms < ask->pause_ms)
		return;
	tcp->round_ms = 0;
	tcp->allowed += tcp->share;
	for (unsigned i = 0; i < ask->connections; i++) {
		if (tcp->connections[i].state == OPEN)
			push(tcp, &tcp->connections[i]);
	}
}

static int set_up(struct tcp *tcp)
{
	struct ask *ask = tcp->ask;

	tcp->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (tcp->epoll < 0)
		return -errno;
	tcp->connections = calloc(ask->connections, sizeof(*tcp->connections));
	if (!tcp->connections)
		return -ENOMEM;
	for (unsigned i = 0; i < ask->connections; i++) {
		struct connection *c = &tcp->connections[i];

		c->fd = -1;
		c->number = i;
		c->queries = calloc(tcp->total, sizeof(*c->queries));
		c->out = calloc(ask->window + 1, LENGTH_SIZE + MESSAGE_QUERY_MAX);
		if (!c->queries || !c->out)
			return -ENOMEM;
	}
	return 0;
}

static void take_down(struct tcp *tcp)
{
	for (unsigned i = 0; tcp->connections && i < tcp->ask->connections; i++) {
		struct connection *c = &tcp->connections[i];

		if (c->fd >= 0)
			close(c->fd);
		free(c->queries);
		free(c->out);
		free(c->in);
	}
	free(tcp->connections);
	if (tcp->epoll >= 0)
		close(tcp->epoll);
}

int ask_tcp(struct ask *ask)
{
	struct epoll_event events[EVENTS];
	struct tcp tcp = {.ask = ask};
	uint64_t ticked = 0;
	int r;

	tcp.share = (ask->n + ask->connections - 1) / ask->connections;
	tcp.allowed = tcp.share;
	tcp.total = tcp.share * ask->rounds;
	// The number of a query on its connection is its ID.
	if (tcp.total >= UINT16_MAX)
		return -E2BIG;
	r = set_up(&tcp);
	while (r == 0 && tcp.gone < ask->connections && !traffic_stopped) {
		if (traffic_now_ms() - ticked >= TICK_MS) {
			ticked = traffic_now_ms();
			tick(&tcp);
		}
		int n = epoll_wait(tcp.epoll, events, EVENTS, TICK_MS);

		for (int i = 0; i < n; i++)
			event(&tcp, &tcp.connections[events[i].data.u32], events[i].events);
	}
	take_down(&tcp);
	return r;
}
