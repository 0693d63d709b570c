/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/crew.h"

#include <pthread.h>
#include <sched.h>

struct member {
	void (*part)(void *ctx, unsigned member);
	void *ctx;
	unsigned number;
	pthread_t thread;
};

unsigned crew_size(void)
{
	cpu_set_t cpus;
	int n = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;

	return n < 1 ? 1 : n > CREW_MAX ? CREW_MAX : (unsigned)n;
}

static void *member_main(void *arg)
{
	struct member *member = arg;

	member->part(member->ctx, member->number);
	return NULL;
}

void crew_run(unsigned members, void (*part)(void *ctx, unsigned member), void *ctx)
{
	struct member others[CREW_MAX];
	unsigned n = 1;

	for (; n < members && n < CREW_MAX; n++) {
		others[n] = (struct member){part, ctx, n, 0};
		if (pthread_create(&others[n].thread, NULL, member_main, &others[n]) != 0)
			break;
		pthread_setname_np(others[n].thread, "crew");
	}
	part(ctx, 0);
	while (--n > 0)
		pthread_join(others[n].thread, NULL);
}
