/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap/tap_sender_private.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/counter.h"
#include "base/log.h"
#include "tap/tap_control.h"
#include "tap/tap_private.h"

#define ANSWER_MS    5000 // the other side has so long to connect, and to answer control frames
#define AGAIN_MS     100  // first pause before the next try; each one after is twice as long
#define AGAIN_MAX_MS 2000
#define WRITE_MAX    262144

static bool ending(const struct tap_lane *lane)
{
	return atomic_load(&lane->end_ms) != 0;
}

static int64_t end_of(const struct tap_lane *lane, int64_t limit)
{
	int64_t end = atomic_load(&lane->end_ms);

	return end && end < limit ? end : limit;
}

/**
 * Wait for the socket, or to be woken; not beyond @p limit.
 *
 * @param fd -1: for being woken alone
 * @return events of the socket
 */
static short lane_wait(struct tap_lane *lane, int fd, short events, int64_t limit)
{
	struct pollfd polled[] = {{lane->wake, POLLIN, 0}, {fd, events, 0}};
	int64_t left = end_of(lane, limit) - tap_now_ms();
	uint64_t count;

	if (poll(polled, 2, left < 0 ? 0 : (int)left) <= 0)
		return 0;
	if (polled[0].revents && read(lane->wake, &count, sizeof(count)) < 0)
		return 0;
	return polled[1].revents;
}

/* ---- connecting ----------------------------------------------------------------------------- */

static int connected_wait(struct tap_lane *lane)
{
	int64_t limit = tap_now_ms() + ANSWER_MS;
	int err = 0;
	socklen_t size = sizeof(err);

	while (!(lane_wait(lane, lane->wire.fd, POLLOUT, limit) & (POLLOUT | POLLERR | POLLHUP)))
		if (tap_now_ms() >= end_of(lane, limit))
			return -ETIMEDOUT;
	if (getsockopt(lane->wire.fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0)
		return -errno;
	return -err;
}

// Both sides show who they are; done in vain, the lane says why.
static int handshake(struct tap_lane *lane)
{
	int64_t limit = tap_now_ms() + ANSWER_MS;
	int err;

	tls_keeper_refresh(lane->tls);
	lane->wire.tls = tls_stream_open(tls_keeper_get(lane->tls), lane->wire.fd, lane->tls_name);
	if (!lane->wire.tls)
		return -ENOMEM;
	while ((err = tls_stream_handshake(lane->wire.tls)) == -EAGAIN) {
		lane_wait(lane, lane->wire.fd, tls_stream_events(lane->wire.tls), limit);
		if (tap_now_ms() >= end_of(lane, limit))
			return -ETIMEDOUT;
	}
	return err;
}

static int control_send(struct tap_lane *lane, fstrm_control_type type)
{
	uint8_t frame[TAP_CONTROL_SIZE];
	size_t size = tap_control_write(type, frame);
	ssize_t n = size ? tap_wire_send(&lane->wire, frame, size) : -EPIPE;

	// A socket without data on its way has room for these few octets.
	return n == (ssize_t)size ? 0 : n < 0 ? (int)n : -EPIPE;
}

static int exactly_read(struct tap_lane *lane, uint8_t *to, size_t size, int64_t limit)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = tap_wire_receive(&lane->wire, to + have, size - have);

		if (n == 0)
			return -ECONNRESET;
		if (n < 0 && n != -EAGAIN)
			return (int)n;
		have += n > 0 ? (size_t)n : 0;
		if (n < 0 &&
			!lane_wait(
				lane, lane->wire.fd, tap_wire_events(&lane->wire, POLLIN), limit) &&
			tap_now_ms() >= end_of(lane, limit))
			return -ETIMEDOUT;
	}
	return 0;
}

static int control_await(struct tap_lane *lane, fstrm_control_type wanted)
{
	int64_t limit = tap_now_ms() + ANSWER_MS;
	uint8_t head[2 * TAP_LENGTH_SIZE], frame[FSTRM_CONTROL_FRAME_LENGTH_MAX];
	fstrm_control_type type;
	int err = exactly_read(lane, head, sizeof(head), limit);
	uint32_t size;
	bool ours;

	if (err < 0)
		return err;
	size = load_be32(head + TAP_LENGTH_SIZE);
	if (load_be32(head) != 0 || size > sizeof(frame))
		return -EPROTO;
	err = exactly_read(lane, frame, size, limit);
	if (err < 0)
		return err;
	if (tap_control_read(frame, size, &type, &ours) < 0 || type != wanted || !ours)
		return -EPROTO;
	return 0;
}

static int stream_begin(struct tap_lane *lane)
{
	int err = endpoint_connect(&lane->to, &lane->wire.fd);

	lane->why[0] = '\0';
	if (err == -EINPROGRESS)
		err = connected_wait(lane);
	if (err == 0 && lane->tls)
		err = handshake(lane);
	if (err == 0)
		err = control_send(lane, FSTRM_CONTROL_READY);
	if (err == 0)
		err = control_await(lane, FSTRM_CONTROL_ACCEPT);
	if (err == 0)
		err = control_send(lane, FSTRM_CONTROL_START);
	if (err < 0) {
		// In TLS 1.3 what a server thinks of our certificate comes behind the handshake.
		if (lane->wire.tls && tls_stream_fault(lane->wire.tls) != TLS_GOOD) {
			counter_add(&lane->refused, 1);
			snprintf(
				lane->why, sizeof(lane->why), "%s", tls_stream_why(lane->wire.tls));
		}
		tap_wire_close(&lane->wire);
	}
	return err;
}

/* ---- writing -------------------------------------------------------------------------------- */

// Whole frames that are written leave the queue; one that went in part is written anew by the next
// connection, for which it starts there.
static void written_take(struct tap_lane *lane, const uint8_t *data, size_t n)
{
	size_t whole = 0, frames = 0;

	lane->done += n;
	for (;;) {
		size_t next;

		if (lane->done - whole < TAP_LENGTH_SIZE)
			break;
		next = whole + TAP_LENGTH_SIZE + load_be32(data + whole);
		if (next > lane->done)
			break;
		whole = next;
		frames++;
	}
	tap_ring_take(&lane->ring, whole);
	lane->done -= whole;
	counter_add(&lane->sent, frames);
}

// @return 1: something was written, 0: the socket takes no more now, or negative: it is gone
static int queue_write(struct tap_lane *lane, const uint8_t *data, size_t size)
{
	size_t left = size - lane->done;
	ssize_t n =
		tap_wire_send(&lane->wire, data + lane->done, left > WRITE_MAX ? WRITE_MAX : left);

	if (n < 0)
		return n == -EAGAIN ? 0 : (int)n;
	written_take(lane, data, (size_t)n);
	return 1;
}

static size_t queue_left(const struct tap_lane *lane)
{
	return tap_ring_used(&lane->ring) - lane->done;
}

// Nothing to do: until the producer has something, or the other side is gone.
static int queue_sleep(struct tap_lane *lane)
{
	short events;
	uint8_t octet;
	ssize_t n;

	atomic_store(&lane->asleep, true);
	atomic_thread_fence(memory_order_seq_cst);
	if (queue_left(lane) > 0 || ending(lane)) {
		atomic_store(&lane->asleep, false);
		return 0;
	}
	events = lane_wait(lane, lane->wire.fd, POLLIN, tap_now_ms() + ANSWER_MS);
	atomic_store(&lane->asleep, false);
	if (!events)
		return 0;
	// A reader has nothing to say before it is asked to finish; but TLS has, of its own.
	n = tap_wire_receive(&lane->wire, &octet, 1);
	return n == -EAGAIN ? 0 : -ECONNRESET;
}

// Until the other side is gone, or the end.
static int stream_write(struct tap_lane *lane)
{
	int err = 0;

	while (err >= 0) {
		size_t size;
		const uint8_t *data = tap_ring_peek(&lane->ring, &size);

		if (ending(lane) &&
			(size == lane->done || tap_now_ms() >= atomic_load(&lane->end_ms)))
			return 0;
		if (size == lane->done) {
			err = queue_sleep(lane);
			continue;
		}
		err = queue_write(lane, data, size);
		if (err == 0 &&
			lane_wait(lane, lane->wire.fd, tap_wire_events(&lane->wire, POLLOUT),
				tap_now_ms() + ANSWER_MS) &
				POLLERR)
			err = -ECONNRESET;
	}
	return err;
}

// The reader is told that this was all, unless a frame stuck halfway.
static void stream_end(struct tap_lane *lane)
{
	if (lane->done == 0 && control_send(lane, FSTRM_CONTROL_STOP) == 0)
		control_await(lane, FSTRM_CONTROL_FINISH);
}

/* ---- the thread ----------------------------------------------------------------------------- */

static void tell(struct tap_lane *lane, int err)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (err == 0)
		log_line(LOG_INFO, "tap: connected to %s", endpoint_format(&lane->to, text));
	else if (!lane->complained)
		log_line(LOG_WARN, "tap: %s: %s; trying again", endpoint_format(&lane->to, text),
			lane->why[0] ? lane->why : strerror(-err));
	// Once, not with each try; but again when there was a connection between.
	lane->complained = err < 0;
}

static void pause_for(struct tap_lane *lane, int64_t ms)
{
	int64_t until = tap_now_ms() + ms;

	while (!ending(lane) && tap_now_ms() < until)
		lane_wait(lane, -1, 0, until);
}

static void lost_count(struct tap_lane *lane)
{
	size_t size, frames = 0;
	const uint8_t *data = tap_ring_peek(&lane->ring, &size);

	for (size_t at = 0; at < size; frames++)
		at += TAP_LENGTH_SIZE + load_be32(data + at);
	tap_ring_take(&lane->ring, size);
	counter_add(&lane->lost_stop, frames);
}

void *tap_lane_main(void *arg)
{
	struct tap_lane *lane = arg;
	int64_t again_ms = AGAIN_MS;

	if (lane->thread_start)
		lane->thread_start();
	while (!ending(lane) ||
		(tap_ring_used(&lane->ring) > 0 && tap_now_ms() < atomic_load(&lane->end_ms))) {
		int err = stream_begin(lane);

		tell(lane, err);
		if (err < 0) {
			// With the end near, there is nobody to wait for.
			if (ending(lane))
				break;
			pause_for(lane, again_ms);
			again_ms = again_ms * 2 > AGAIN_MAX_MS ? AGAIN_MAX_MS : again_ms * 2;
			continue;
		}
		again_ms = AGAIN_MS;
		counter_add(&lane->connects, 1);
		atomic_store(&lane->connected, true);
		lane->done = 0;
		err = stream_write(lane);
		if (err == 0)
			stream_end(lane);
		else
			tell(lane, err);
		atomic_store(&lane->connected, false);
		tap_wire_close(&lane->wire);
	}
	lost_count(lane);
	return NULL;
}
