/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap/tap_wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t tap_wire_send(struct tap_wire *wire, const void *data, size_t size)
{
	ssize_t n;

	if (wire->tls)
		return tls_stream_send(wire->tls, data, size);
	n = send(wire->fd, data, size, MSG_NOSIGNAL);
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? -EAGAIN : -errno;
}

ssize_t tap_wire_receive(struct tap_wire *wire, void *data, size_t size)
{
	ssize_t n;

	if (wire->tls)
		return tls_stream_receive(wire->tls, data, size);
	n = recv(wire->fd, data, size, 0);
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? -EAGAIN : -errno;
}

short tap_wire_events(const struct tap_wire *wire, short events)
{
	return wire->tls ? tls_stream_events(wire->tls) : events;
}

void tap_wire_close(struct tap_wire *wire)
{
	if (wire->tls) {
		tls_stream_bye(wire->tls);
		tls_stream_close(wire->tls);
		wire->tls = NULL;
	}
	if (wire->fd >= 0)
		close(wire->fd);
	wire->fd = -1;
}
