/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Several threads for one piece of control work, as many as there are CPUs for it.
 *
 * Threads of a crew run on the CPUs of the thread that calls, and with its priority: a loader that
 * keeps away from the workers' CPUs keeps its crew away, too.
 *
 * Layer:   lib/base; no EAL.
 * Threads: any thread but a worker; the call returns when all members have.
 */

#define CREW_MAX 8 /**< memory is what more threads would wait for */

/** CPUs that the calling thread may run on: as many members are worth having. @return 1..CREW_MAX */
unsigned crew_size(void);

/**
 * Run @p part in up to @p members threads at once, the calling one among them (it is member 0).
 *
 * There may be fewer, where threads cannot be started: a part takes what is to be done next from a
 * place that all share, until nothing is left.
 */
void crew_run(unsigned members, void (*part)(void *ctx, unsigned member), void *ctx);
