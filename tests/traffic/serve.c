/* SPDX-License-Identifier: BSD-3-Clause */
// traffic serve: answers over UDP and TCP on one port, with an address that depends on the name;
// keeps as many connections as come and never closes one first.
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "traffic/message.h"
#include "traffic/traffic.h"

#define USAGE        "serve [--port N] ADDRESS..."
#define ADDRESSES    8
#define BACKLOG      4096
#define EVENTS       256
#define WAIT_MS      200
#define DESCRIPTORS  65536
#define LENGTH_SIZE  2
#define QUERIES_ROOM 4096 // octets of queries that have come in part
#define ANSWER_MORE  64   // octets that an answer is longer than its query
#define UDP_ROOM     (8 << 20)

// A socket: one that is listened on, or a connection.
struct end {
	enum { UDP, LISTENER, CONNECTION } kind;
	int fd;
	size_t n;
	uint8_t queries[]; // of a connection: QUERIES_ROOM
};

static struct end *end_add(int epoll, int fd, int kind, size_t room)
{
	struct end *end = calloc(1, sizeof(*end) + room);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = end};

	if (!end || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		free(end);
		close(fd);
		return NULL;
	}
	end->kind = kind;
	end->fd = fd;
	return end;
}

static int address_open(int epoll, const struct sockaddr_storage *a, int kind)
{
	socklen_t size =
		a->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	int type = kind == UDP ? SOCK_DGRAM : SOCK_STREAM, one = 1, room = UDP_ROOM;
	int fd = socket(a->ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	// A wire that comes with the box is not there yet.
	setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one));
	if (kind == UDP)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (bind(fd, (const struct sockaddr *)a, size) < 0 ||
		(kind == LISTENER && listen(fd, BACKLOG) < 0)) {
		int r = -errno;

		close(fd);
		return r;
	}
	return end_add(epoll, fd, kind, 0) ? 0 : -ENOMEM;
}

static void accept_all(int epoll, const struct end *listener)
{
	int fd;

	while ((fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		end_add(epoll, fd, CONNECTION, QUERIES_ROOM);
}

static void udp_answer(const struct end *end)
{
	uint8_t query[MESSAGE_QUERY_MAX * 2], answer[sizeof(query) + ANSWER_MORE];
	struct sockaddr_storage from;
	socklen_t from_size = sizeof(from);
	ssize_t size;

	while ((size = recvfrom(end->fd, query, sizeof(query), 0, (struct sockaddr *)&from,
			&from_size)) >= 0) {
		size_t n = message_answer(query, (size_t)size, answer);

		if (n > 0)
			sendto(end->fd, answer, n, 0, (struct sockaddr *)&from, from_size);
		from_size = sizeof(from);
	}
}

// Answers whole queries in the buffer. @return false: the connection is of no use any more
static bool queries_answer(struct end *end)
{
	uint8_t answer[LENGTH_SIZE + QUERIES_ROOM + ANSWER_MORE];
	size_t at = 0;

	while (end->n - at >= LENGTH_SIZE) {
		size_t size = load_be16(end->queries + at), n;

		if (size > QUERIES_ROOM - LENGTH_SIZE)
			return false;
		if (end->n - at < LENGTH_SIZE + size)
			break;
		n = message_answer(end->queries + at + LENGTH_SIZE, size, answer + LENGTH_SIZE);
		store_be16(answer, (uint16_t)n);
		// So little is always taken by a socket that is read at the other end.
		if (n == 0 || send(end->fd, answer, LENGTH_SIZE + n, MSG_NOSIGNAL) !=
				      (ssize_t)(LENGTH_SIZE + n))
			return false;
		at += LENGTH_SIZE + size;
	}
	end->n -= at;
	memmove(end->queries, end->queries + at, end->n);
	return true;
}

static void connection_answer(struct end *end)
{
	ssize_t size = recv(end->fd, end->queries + end->n, QUERIES_ROOM - end->n, 0);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size > 0) {
		end->n += (size_t)size;
		if (queries_answer(end))
			return;
	}
	close(end->fd);
	free(end);
}

static int serve(int epoll)
{
	struct epoll_event events[EVENTS];

	printf("ready\n");
	fflush(stdout);
	while (!traffic_stopped) {
		int n = epoll_wait(epoll, events, EVENTS, WAIT_MS);

		for (int i = 0; i < n; i++) {
			struct end *end = events[i].data.ptr;

			if (end->kind == UDP)
				udp_answer(end);
			else if (end->kind == LISTENER)
				accept_all(epoll, end);
			else
				connection_answer(end);
		}
	}
	return 0;
}

static bool address_parse(const char *text, uint16_t port, struct sockaddr_storage *a)
{
	*a = (struct sockaddr_storage){0};
	if (inet_pton(AF_INET, text, &((struct sockaddr_in *)a)->sin_addr) == 1)
		a->ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)a)->sin6_addr) == 1)
		a->ss_family = AF_INET6;
	// The same place in both families.
	((struct sockaddr_in *)a)->sin_port = htons(port);
	return a->ss_family != 0;
}

int traffic_serve(int argc, char **argv)
{
	static const struct option options[] = {{"port", required_argument, NULL, 'p'}, {0}};
	const struct rlimit limit = {DESCRIPTORS, DESCRIPTORS};
	struct sockaddr_storage address;
	uint64_t port = 53;
	int o, epoll, r;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == '?' || !traffic_number(optarg, UINT16_MAX, &port))
			return traffic_usage(USAGE);
	}
	if (optind == argc || argc - optind > ADDRESSES)
		return traffic_usage(USAGE);
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		fprintf(stderr, "traffic: no more sockets: %s\n", strerror(errno));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	for (; optind < argc; optind++) {
		if (!address_parse(argv[optind], (uint16_t)port, &address))
			return traffic_usage(USAGE);
		r = address_open(epoll, &address, UDP);
		r = r < 0 ? r : address_open(epoll, &address, LISTENER);
		if (r < 0) {
			fprintf(stderr, "traffic: %s: %s\n", argv[optind], strerror(-r));
			return 1;
		}
	}
	// Sockets and their memory go with the process.
	return serve(epoll);
}
