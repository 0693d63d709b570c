/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap/tap_listener_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "tap/tap.h"
#include "tap/tap_control.h"
#include "tap/tap_private.h"
#include "text/text.h"

#define BUFFER_SIZE ((size_t)4 * TAP_FRAME_MAX)
#define BEGIN_MS    10000 // a sender has so long to say what it sends

/** Leave memory that may hold clients' addresses out of core dumps. */
static void secret(void *memory, size_t size)
{
	if (madvise(memory, size, MADV_DONTDUMP) < 0)
		log_line(LOG_WARN, "tap: a core dump would hold what senders sent: %s",
			strerror(errno));
}

static void stack_secret(void)
{
	pthread_attr_t attr;
	void *stack;
	size_t size;

	if (pthread_getattr_np(pthread_self(), &attr) != 0)
		return;
	if (pthread_attr_getstack(&attr, &stack, &size) == 0)
		secret(stack, size);
	pthread_attr_destroy(&attr);
}

static const char *control_send(struct tap_connection *c, fstrm_control_type type)
{
	uint8_t frame[TAP_CONTROL_SIZE];
	size_t size = tap_control_write(type, frame);

	// Nothing else is on its way to the sender, so these few octets have room.
	return size && tap_wire_send(&c->wire, frame, size) == (ssize_t)size
		       ? NULL
		       : "the sender takes no answer";
}

// READY and START, or START alone from a sender that does not listen.
static const char *control_take(struct tap_connection *c, const uint8_t *frame, size_t size)
{
	const struct tap_listener_hooks *hooks = &c->listener->hooks;
	fstrm_control_type type;
	bool ours;

	if (tap_control_read(frame, size, &type, &ours) < 0)
		return "a control frame that is none";
	if (c->begun && type == FSTRM_CONTROL_STOP) {
		c->ended = true;
		return control_send(c, FSTRM_CONTROL_FINISH);
	}
	if (c->begun || (type != FSTRM_CONTROL_READY && type != FSTRM_CONTROL_START))
		return "a control frame where it has no place";
	if (!ours)
		return "another content type than " TAP_CONTENT_TYPE;
	if (type == FSTRM_CONTROL_READY)
		return control_send(c, FSTRM_CONTROL_ACCEPT);
	c->begun = true;
	atomic_store(&c->stranger, false);
	c->ctx = hooks->open(hooks->ctx, c->peer);
	return c->ctx ? NULL : "there is no room for it";
}

/**
 * Take one frame from the buffer.
 *
 * @param taken [out] its octets; 0: it is not all there
 * @return NULL, or what is wrong
 */
static const char *frame_take(
	struct tap_connection *c, const uint8_t *data, size_t size, size_t *taken)
{
	size_t length;

	*taken = 0;
	if (size < TAP_LENGTH_SIZE)
		return NULL;
	length = load_be32(data);
	if (length > 0) {
		if (!c->begun)
			return "data before it was said what";
		if (length > TAP_FRAME_MAX) {
			c->listener->hooks.oversized(c->ctx, length);
			c->skip = length;
			*taken = TAP_LENGTH_SIZE;
		} else if (size - TAP_LENGTH_SIZE >= length) {
			c->listener->hooks.frame(c->ctx, data + TAP_LENGTH_SIZE, length);
			*taken = TAP_LENGTH_SIZE + length;
		}
		return NULL;
	}
	if (size < 2 * TAP_LENGTH_SIZE)
		return NULL;
	length = load_be32(data + TAP_LENGTH_SIZE);
	if (length > FSTRM_CONTROL_FRAME_LENGTH_MAX)
		return "a control frame that is too long";
	if (size - 2 * TAP_LENGTH_SIZE < length)
		return NULL;
	*taken = 2 * TAP_LENGTH_SIZE + length;
	return control_take(c, data + 2 * TAP_LENGTH_SIZE, length);
}

static const char *buffer_take(struct tap_connection *c)
{
	const char *wrong = NULL;
	size_t at = 0, taken = 1;

	while (!wrong && !c->ended && taken > 0) {
		size_t left = c->have - at;

		if (c->skip > 0) {
			taken = c->skip < left ? c->skip : left;
			c->skip -= taken;
		} else {
			wrong = frame_take(c, c->buffer + at, left, &taken);
		}
		at += taken;
	}
	c->have -= at;
	memmove(c->buffer, c->buffer + at, c->have);
	return wrong;
}

// @return 1: something came, 0: nothing yet, negative: the end
static int buffer_fill(struct tap_connection *c)
{
	ssize_t n = tap_wire_receive(&c->wire, c->buffer + c->have, BUFFER_SIZE - c->have);

	if (n > 0) {
		c->have += (size_t)n;
		return 1;
	}
	return n == -EAGAIN ? 0 : n < 0 ? (int)n : -ECONNRESET;
}

/** Until the sender ends, the operator does, or something is wrong. @return what; NULL: in good order */
static const char *connection_read(struct tap_connection *c)
{
	int64_t begin_until = tap_now_ms() + BEGIN_MS;
	const char *wrong = NULL;

	while (!wrong && !c->ended) {
		int64_t end = atomic_load(&c->listener->end_ms);
		int came = buffer_fill(c);
		struct pollfd polled = {c->wire.fd, tap_wire_events(&c->wire, POLLIN), 0};

		if (came > 0)
			wrong = buffer_take(c);
		if (c->ctx)
			c->listener->hooks.pause(c->ctx);
		if (came < 0)
			return c->begun && c->have == 0 && c->skip == 0
				       ? NULL
				       : "the connection broke within a frame";
		// At the end all that has come in is taken, but a sender may go on for ever.
		if (end && (came == 0 || tap_now_ms() >= end))
			return wrong;
		if (!c->begun && tap_now_ms() >= begin_until)
			return "silent for too long";
		if (came == 0)
			poll(&polled, 1, TAP_PAUSE_MS);
	}
	return wrong;
}

// Whether a name stands in the list of those who may send.
static bool may_send(const char *list, const char *name)
{
	size_t size = strlen(name);

	for (const char *at = list; *at; at += strcspn(at, ", \t")) {
		at += strspn(at, ", \t");
		if (size > 0 && strcspn(at, ", \t") == size && memcmp(at, name, size) == 0)
			return true;
	}
	return !*list;
}

static const char *tls_refuse(struct tap_connection *c, enum tls_fault fault, const char *why)
{
	atomic_fetch_add(&c->listener->tls_refused[fault], 1);
	return why;
}

/** Have the sender show who it is. @return NULL, or what is wrong */
static const char *handshake(struct tap_connection *c)
{
	int64_t until = tap_now_ms() + BEGIN_MS;
	const struct tap_listener_tls *tls = &c->listener->tls;
	const char *name;
	int err;

	tls_keeper_refresh(tls->keeper);
	c->wire.tls = tls_stream_open(tls_keeper_get(tls->keeper), c->wire.fd, NULL);
	if (!c->wire.tls)
		return "memory is short";
	while ((err = tls_stream_handshake(c->wire.tls)) == -EAGAIN) {
		struct pollfd polled = {c->wire.fd, tls_stream_events(c->wire.tls), 0};

		if (tap_now_ms() >= until || atomic_load(&c->listener->end_ms))
			return tls_refuse(c, TLS_BROKEN, "silent for too long");
		poll(&polled, 1, TAP_PAUSE_MS);
	}
	if (err)
		return tls_refuse(c, tls_stream_fault(c->wire.tls), tls_stream_why(c->wire.tls));
	name = tls_stream_name(c->wire.tls);
	if (!text_utf8_clean(name, strlen(name)) || !may_send(tls->senders, name) || !*name)
		return tls_refuse(c, TLS_OTHER_NAME, "its certificate's name may not send");
	memset(c->peer, 0, sizeof(c->peer));
	memcpy(c->peer, name, strnlen(name, sizeof(c->peer) - 1));
	return NULL;
}

void *tap_connection_main(void *arg)
{
	struct tap_connection *c = arg;
	struct tap_listener *listener = c->listener;
	const uint64_t one = 1;
	const char *wrong = "memory is short";

	stack_secret();
	c->ctx = NULL;
	c->have = c->skip = 0;
	c->begun = c->ended = false;
	c->buffer =
		mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->buffer != MAP_FAILED) {
		secret(c->buffer, BUFFER_SIZE);
		wrong = c->tls ? handshake(c) : NULL;
		if (!wrong)
			wrong = connection_read(c);
		munmap(c->buffer, BUFFER_SIZE);
	}
	if (c->ctx) {
		listener->hooks.close(c->ctx, wrong);
	} else {
		atomic_fetch_add(&listener->refused, 1);
		log_line(LOG_WARN, "tap: sender %s is refused: %s", c->address,
			wrong ? wrong : "it said nothing");
	}
	tap_wire_close(&c->wire);
	atomic_store(&c->state, TAP_CONNECTION_ENDED);
	if (write(listener->wake, &one, sizeof(one)) < 0)
		return NULL;
	return NULL;
}
