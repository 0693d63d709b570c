/* SPDX-License-Identifier: BSD-3-Clause */
// A stub resolver as programs have it, by c-ares: asks for what stands on stdin, a line each, NAME TYPE
// with A or AAAA, several at once, and prints what came as dig would: owner, TTL, class, type, data;
// then "lost NAME TYPE why" for each that was not answered.
#include <arpa/inet.h>
#include <ares.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

#define USAGE       "usage: stub ADDRESS udp|tcp <QUERIES\n"
#define UNDER_WAY   32
#define RECORDS_MAX 4096
#define TRIES       8
#define UDP_WAIT_MS 5000  // also all that an answer may take which does not fit, and is asked for over TCP
#define TCP_WAIT_MS 20000 // c-ares sends nothing again on a connection
#define CLASS_IN    1
#define TYPE_A      1
#define TYPE_AAAA   28

static unsigned under_way, lost;

struct asked {
	char name[256];
	int type;
};

static int answer_print(const struct asked *asked, const unsigned char *answer, int size)
{
	static struct ares_addrttl v4[RECORDS_MAX];
	static struct ares_addr6ttl v6[RECORDS_MAX];
	char text[INET6_ADDRSTRLEN];
	int n = RECORDS_MAX;
	int status = asked->type == TYPE_A ? ares_parse_a_reply(answer, size, NULL, v4, &n)
					   : ares_parse_aaaa_reply(answer, size, NULL, v6, &n);

	for (int i = 0; status == ARES_SUCCESS && i < n; i++) {
		if (asked->type == TYPE_A)
			inet_ntop(AF_INET, &v4[i].ipaddr, text, sizeof(text));
		else
			inet_ntop(AF_INET6, &v6[i].ip6addr, text, sizeof(text));
		printf("%s. %d IN %s %s\n", asked->name,
			asked->type == TYPE_A ? v4[i].ttl : v6[i].ttl,
			asked->type == TYPE_A ? "A" : "AAAA", text);
	}
	return status;
}

static void answered(void *ctx, int status, int timeouts, unsigned char *answer, int size)
{
	struct asked *asked = ctx;

	(void)timeouts;
	if (status == ARES_SUCCESS)
		status = answer_print(asked, answer, size);
	// A name without such a record is an answer.
	if (status != ARES_SUCCESS && status != ARES_ENODATA && status != ARES_ENOTFOUND) {
		printf("lost %s %s %s\n", asked->name, asked->type == TYPE_A ? "A" : "AAAA",
			ares_strerror(status));
		lost++;
	}
	under_way--;
	free(asked);
}

static void wait_for(ares_channel channel, unsigned most)
{
	while (under_way > most) {
		fd_set reads, writes;
		struct timeval most_wait = {1, 0}, wait;
		int n;

		FD_ZERO(&reads);
		FD_ZERO(&writes);
		n = ares_fds(channel, &reads, &writes);
		select(n, &reads, &writes, NULL, ares_timeout(channel, &most_wait, &wait));
		ares_process(channel, &reads, &writes);
	}
}

int main(int argc, char **argv)
{
	struct ares_options options = {
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_STAYOPEN,
		.timeout = UDP_WAIT_MS,
		.tries = TRIES,
		.lookups = (char[]){"b"}};
	ares_channel channel;
	struct asked asked;
	char type[8];

	if (argc != 3 || (strcmp(argv[2], "udp") != 0 && strcmp(argv[2], "tcp") != 0)) {
		fputs(USAGE, stderr);
		return 2;
	}
	if (strcmp(argv[2], "tcp") == 0) {
		options.flags |= ARES_FLAG_USEVC;
		options.timeout = TCP_WAIT_MS;
	}
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
		ares_init_options(&channel, &options,
			ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS) !=
			ARES_SUCCESS ||
		ares_set_servers_csv(channel, argv[1]) != ARES_SUCCESS) {
		fprintf(stderr, "stub: %s: no such server\n", argv[1]);
		return 2;
	}
	while (scanf("%255s %7s%*[^\n]", asked.name, type) == 2) {
		struct asked *copy = malloc(sizeof(*copy));

		asked.type = strcmp(type, "AAAA") == 0 ? TYPE_AAAA : TYPE_A;
		if (!copy)
			break;
		*copy = asked;
		under_way++;
		ares_query(channel, copy->name, CLASS_IN, copy->type, answered, copy);
		wait_for(channel, UNDER_WAY);
	}
	wait_for(channel, 0);
	ares_destroy(channel);
	ares_library_cleanup();
	return lost ? 1 : 0;
}
