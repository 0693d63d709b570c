/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs the tests of a binary without Criterion, each in a process of its own; output is TAP. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"

#define TEST_SECONDS 300

static struct test_plain *tests;
static bool failed;

void test_plain_add(struct test_plain *test)
{
	struct test_plain **end = &tests;

	while (*end)
		end = &(*end)->next;
	*end = test;
}

void test_plain_failed(
	bool fatal, const char *place, const char *condition, const char *format, ...)
{
	va_list args;

	failed = true;
	fprintf(stderr, "%s: %s is false. ", place, condition);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	if (fatal)
		exit(1);
}

static bool test_passes(const struct test_plain *test)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		alarm(TEST_SECONDS);
		test->run();
		// By way of exit: the sanitizer has its findings then.
		exit(failed);
	}
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

int main(void)
{
	unsigned n = 0, bad = 0;

	for (const struct test_plain *test = tests; test; test = test->next)
		n++;
	printf("1..%u\n", n);
	for (const struct test_plain *test = tests; test; test = test->next) {
		bool good;

		fflush(stdout);
		good = test_passes(test);
		printf("%s - %s::%s\n", good ? "ok" : "not ok", test->suite, test->name);
		bad += !good;
	}
	return bad > 0;
}
