/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether what waits is written before its window is over, on machines that are slow, or become so. A machine is made
 * of a clock of our own: it takes what comes, and writes pieces of it, as pdns_flush.c does.
 */
#include <criterion/criterion.h>

#include "pdns/pdns_private.h"

#define STEP_US 10000
#define TICK_US 100000
#define PIECE   400000 // octets of a window that a write is made of
#define RUN_US  300000000ll
#define SIZE    ((size_t)32 << 20)

struct machine {
	uint64_t rate;                     // octets that want to come in a second
	uint64_t (*speed)(int64_t now_us); // octets that it writes in a second
};

struct run {
	struct pdns_pace pace;
	int64_t now_us;
	struct pdns_window filling, emptying; // without what is in them
	size_t written;                       // octets of emptying
	int64_t began_us, done_us;            // of the write that goes on; 0: none does
	int64_t longest_us;
	uint64_t came;
};

static size_t left_of(const struct run *run)
{
	return run->emptying.used - run->written;
}

static size_t piece_of(const struct run *run)
{
	return left_of(run) < PIECE ? left_of(run) : PIECE;
}

static int64_t age_of(const struct run *run, const struct pdns_window *window)
{
	return window->since_us ? run->now_us - window->since_us : 0;
}

static void room(struct run *run)
{
	run->filling.most = pdns_pace_room(&run->pace, age_of(run, &run->filling), left_of(run));
}

static bool is_full(const struct pdns_window *window)
{
	return window->used >= window->most || window->used >= window->size;
}

static void come(struct run *run, const struct machine *machine)
{
	size_t octets = machine->rate * STEP_US / 1000000;

	if (is_full(&run->filling) && run->filling.used > 0)
		return;
	// A message is no longer.
	if (octets > run->filling.most - run->filling.used + DNS_MSG_SIZE_MAX)
		octets = run->filling.most - run->filling.used + DNS_MSG_SIZE_MAX;
	run->filling.used += octets;
	run->came += octets;
	if (pdns_window_wants_age(&run->filling))
		pdns_window_age(&run->filling, run->now_us);
}

static void piece_end(struct run *run)
{
	size_t piece = piece_of(run);

	run->written += piece;
	run->emptying.since_us = pdns_window_since(&run->emptying, run->written);
	pdns_pace_wrote(&run->pace, piece, run->now_us - run->began_us, left_of(run) > 0);
	run->done_us = 0;
	if (left_of(run) == 0) {
		run->emptying = (struct pdns_window){.size = SIZE};
		run->written = 0;
	}
	room(run);
}

static void write_piece(struct run *run, const struct machine *machine)
{
	if (run->done_us && run->now_us >= run->done_us)
		piece_end(run);
	if (left_of(run) == 0 || run->done_us)
		return;
	run->began_us = run->now_us;
	run->done_us =
		run->now_us + (int64_t)(piece_of(run) * 1000000 / machine->speed(run->now_us));
}

static void seal(struct run *run)
{
	if (left_of(run) > 0)
		return;
	room(run);
	if (run->filling.used == 0 || !is_full(&run->filling))
		return;
	run->emptying = run->filling;
	run->filling = (struct pdns_window){.size = SIZE};
	room(run);
}

static void wait_note(struct run *run)
{
	int64_t emptying_us = age_of(run, &run->emptying), filling_us = age_of(run, &run->filling);
	int64_t longest_us = emptying_us > filling_us ? emptying_us : filling_us;

	if (longest_us > run->longest_us)
		run->longest_us = longest_us;
}

static struct run run_it(const struct machine *machine)
{
	struct run run = {.now_us = 1000000, .filling.size = SIZE, .emptying.size = SIZE};

	pdns_pace_init(&run.pace, 10);
	room(&run);
	for (; run.now_us < RUN_US; run.now_us += STEP_US) {
		come(&run, machine);
		write_piece(&run, machine);
		if (run.now_us % TICK_US == 0)
			seal(&run);
		wait_note(&run);
	}
	return run;
}

static uint64_t quick(int64_t now_us)
{
	return 40 << 20;
}

static uint64_t slow(int64_t now_us)
{
	return 1 << 20;
}

static uint64_t very_slow(int64_t now_us)
{
	return 300 << 10;
}

// Others take two thirds of it every other 7 s.
static uint64_t shared(int64_t now_us)
{
	return now_us / 7000000 % 2 ? 4 << 20 : 12 << 20;
}

// A disk that stands still for 1.4 s now and then.
static uint64_t stalled(int64_t now_us)
{
	return now_us % 7700000 < 50000 ? PIECE * 10 / 14 : 12 << 20;
}

Test(pdns_pace, nothing_waits_longer_than_the_window_whatever_comes_and_however_slow_it_is_written)
{
	uint64_t (*const speeds[])(int64_t) = {quick, slow, very_slow, shared, stalled};
	const uint64_t rates[] = {100000, 1 << 20, 12 << 20, 100 << 20};

	for (unsigned i = 0; i < sizeof(speeds) / sizeof(*speeds); i++)
		for (unsigned j = 0; j < sizeof(rates) / sizeof(*rates); j++) {
			const struct machine machine = {rates[j], speeds[i]};
			struct run run = run_it(&machine);

			// The mark that tells of a kill is a second old at most.
			cr_expect_leq(run.longest_us, 9000000, "machine %u, rate %u: %lld us", i, j,
				(long long)run.longest_us);
		}
}

Test(pdns_pace, a_quick_machine_takes_all_that_comes)
{
	const struct machine machine = {.rate = 12 << 20, .speed = quick};
	struct run run = run_it(&machine);

	// But for the first seconds, while it is not known to be.
	cr_expect_geq(run.came, (uint64_t)(RUN_US - 5000000) / 1000000 * machine.rate, "%llu",
		(unsigned long long)run.came / machine.rate);
}

Test(pdns_pace, a_busy_machine_takes_most_of_what_it_can_write)
{
	const struct machine machine = {.rate = 100 << 20, .speed = slow};
	struct run run = run_it(&machine);

	cr_expect_geq(run.came, (uint64_t)RUN_US / 1000000 * (1 << 20) * 8 / 10);
}

Test(pdns_pace, a_machine_is_believed_to_be_slow_at_once_and_quick_by_and_by)
{
	struct pdns_pace pace;
	uint64_t speed;

	pdns_pace_init(&pace, 10);
	for (unsigned i = 0; i < 200; i++)
		pdns_pace_wrote(&pace, 1 << 20, 100000, true);
	speed = pace.speed;
	cr_expect(speed > 9 << 20 && speed <= 10 << 20);
	pdns_pace_wrote(&pace, 1 << 20, 10000000, true);
	cr_expect_leq(pace.speed, speed * 6 / 10);
	pdns_pace_wrote(&pace, 1 << 20, 100000, true);
	cr_expect_leq(pace.speed, speed * 7 / 10);
	// A rest takes as long as what it costs to write at all.
	speed = pace.speed;
	pdns_pace_wrote(&pace, 100, 10000, false);
	cr_expect_eq(pace.speed, speed);
}

Test(pdns_pace, slack_ends_where_room_does)
{
	struct pdns_pace pace;
	size_t octets;

	pdns_pace_init(&pace, 10);
	octets = pdns_pace_room(&pace, 3000000, 0);
	cr_expect_gt(octets, 0);
	cr_expect_leq(llabs(pdns_pace_slack(&pace, 3000000, octets)), 10);
	cr_expect_eq(pdns_pace_room(&pace, 3000000, octets), 0);
	cr_expect_eq(pdns_pace_room(&pace, 10000000, 0), 0);
	cr_expect_lt(pdns_pace_slack(&pace, 10000000, 0), 0);
}
