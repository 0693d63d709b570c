/* SPDX-License-Identifier: BSD-3-Clause */
// The traffic tool: makes wires bad, and makes, answers and checks DNS traffic, for live tests.
#include "traffic/traffic.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

volatile bool traffic_stopped;

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *does;
} commands[] = {
	{"impair", traffic_impair, "a wire between two interfaces that is not as it should be"},
	{"ask", traffic_ask, "ask over UDP or TCP and look at every answer"},
	{"serve", traffic_serve, "answer over UDP and TCP"},
	{"flood", traffic_flood, "half-open TCP flows, or first fragments"},
};

static void stop(int signal)
{
	(void)signal;
	traffic_stopped = true;
}

uint64_t traffic_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool traffic_number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *value <= max;
}

int traffic_usage(const char *usage)
{
	fprintf(stderr, "usage: traffic %s\n", usage);
	return 2;
}

int main(int argc, char **argv)
{
	// Calls that wait come back from a signal.
	struct sigaction action = {.sa_handler = stop};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (argc > 1 && strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	fprintf(stderr, "usage: traffic COMMAND [OPTION...]\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(stderr, "  %-8s %s\n", commands[i].name, commands[i].does);
	return 2;
}
