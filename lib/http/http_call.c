/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a command asks of the server beside it, in HTTP/1.0: the answer ends with the connection.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/http_private.h"

#define ANSWER_MAX (1u << 20) // octets; ours: a status or a sentence

char *http_escape(const char *text, char *out, size_t size)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~";
	size_t used = 0;

	for (; *text && used + 4 <= size; text++)
		used += (size_t)snprintf(out + used, size - used,
			strchr(plain, *text) ? "%c" : "%%%02X", (unsigned char)*text);
	out[used] = '\0';
	return out;
}

static int folder_connect(const char *folder)
{
	struct sockaddr_un address;
	int at = http_socket_address(folder, &address), fd, err = 0;

	if (at < 0)
		return at;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		// A socket that nobody listens at is left of one that was killed.
		err = errno == ECONNREFUSED ? -ENOENT : -errno;
	close(at);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

static int all_send(int fd, const char *data, size_t size)
{
	for (ssize_t n; size > 0; data += n, size -= (size_t)n) {
		n = send(fd, data, size, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return -errno;
	}
	return 0;
}

static int all_receive(int fd, char **answer)
{
	size_t used = 0, room = 4096;
	char *data = malloc(room + 1), *more;
	ssize_t n = 1;

	while (data && n != 0 && used < ANSWER_MAX) {
		n = recv(fd, data + used, room - used, 0);
		if (n < 0 && errno != EINTR)
			break;
		used += n > 0 ? (size_t)n : 0;
		if (used < room)
			continue;
		more = realloc(data, 2 * room + 1);
		if (!more)
			break;
		data = more;
		room *= 2;
	}
	if (!data)
		return -ENOMEM;
	if (n != 0) {
		free(data);
		return -EIO;
	}
	data[used] = '\0';
	*answer = data;
	return 0;
}

// Leaves the body of an answer. Returns its status, or -EPROTO.
static int answer_split(char *answer)
{
	char *body = strstr(answer, "\r\n\r\n");
	int status = 0;

	if (!body || sscanf(answer, "HTTP/1.%*d %d", &status) != 1)
		return -EPROTO;
	memmove(answer, body + 4, strlen(body + 4) + 1);
	return status;
}

int http_call(const char *folder, const char *target, const char *form, char **answer)
{
	char request[HTTP_BODY_MAX + 1024];
	int fd = folder_connect(folder), err;

	*answer = NULL;
	if (fd < 0)
		return fd;
	if (form)
		snprintf(request, sizeof(request),
			"POST %s HTTP/1.0\r\nHost: localhost\r\nContent-Type: "
			"application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n%s",
			target, strlen(form), form);
	else
		snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n",
			target);
	err = all_send(fd, request, strlen(request));
	if (err == 0)
		err = all_receive(fd, answer);
	close(fd);
	if (err == 0)
		err = answer_split(*answer);
	if (err < 0) {
		free(*answer);
		*answer = NULL;
	}
	return err;
}

// Reads up to the begin of the body. Returns the status, or -EPROTO.
static int head_read(FILE *answer)
{
	char *line = NULL;
	size_t room = 0;
	int status = -EPROTO;

	if (getline(&line, &room, answer) <= 0 || sscanf(line, "HTTP/1.%*d %d", &status) != 1)
		status = -EPROTO;
	while (status > 0 && strcmp(line, "\r\n") != 0)
		if (getline(&line, &room, answer) <= 0)
			status = -EPROTO;
	free(line);
	return status;
}

int http_open(const char *folder, const char *target, FILE **body)
{
	int fd = folder_connect(folder), status;
	char *request = NULL;

	*body = NULL;
	if (fd < 0)
		return fd;
	if (asprintf(&request, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", target) < 0)
		request = NULL;
	status = request ? all_send(fd, request, strlen(request)) : -ENOMEM;
	free(request);
	if (status == 0)
		*body = fdopen(fd, "r");
	if (!*body) {
		status = status ? status : -errno;
		close(fd);
		return status;
	}
	status = head_read(*body);
	if (status < 0) {
		fclose(*body);
		*body = NULL;
	}
	return status;
}
