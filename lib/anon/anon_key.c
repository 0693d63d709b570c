/* SPDX-License-Identifier: BSD-3-Clause */
#include "anon/anon_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_DIGITS (2 * ANON_KEY_SIZE)
#define FILE_ROOM  (KEY_DIGITS + 3) // CR, LF, and one more: what is longer is no key file

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/** Open the file, and look whose it is. @return the descriptor, or -errno with @p error set */
static int key_open(const char *path, char *error, size_t size)
{
	// Non-blocking, so that a pipe does not hold up the start.
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		err = -errno;
		snprintf(error, size, "%s: cannot read: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		err = -EINVAL;
		snprintf(error, size, "%s: expected a plain file", path);
	} else if (st.st_mode & 077) {
		err = -EACCES;
		snprintf(error, size, "%s: expected mode 0600 (nobody's but its owner's), got %04o",
			path, (unsigned)st.st_mode & 07777);
	} else if (st.st_uid != geteuid() && st.st_uid != 0) {
		err = -EACCES;
		snprintf(error, size,
			"%s: expected root or the user of this program as its owner, got user %u",
			path, (unsigned)st.st_uid);
	}
	if (err < 0 && fd >= 0)
		close(fd);
	return err < 0 ? err : fd;
}

static int key_parse(const char *text, size_t used, uint8_t key[ANON_KEY_SIZE])
{
	if (used > KEY_DIGITS && text[used - 1] == '\n')
		used--;
	if (used > KEY_DIGITS && text[used - 1] == '\r')
		used--;
	if (used != KEY_DIGITS)
		return -EINVAL;
	for (size_t i = 0; i < ANON_KEY_SIZE; i++) {
		int high = digit_value(text[2 * i]), low = digit_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

int anon_key_read(const char *path, uint8_t key[ANON_KEY_SIZE], char *error, size_t size)
{
	char text[FILE_ROOM];
	int fd = key_open(path, error, size), err = 0;
	size_t used = 0;
	ssize_t n = 1;

	if (fd < 0)
		return fd;
	while (err == 0 && n > 0 && used < sizeof(text)) {
		n = read(fd, text + used, sizeof(text) - used);
		if (n > 0)
			used += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			err = -errno;
	}
	close(fd);
	if (err < 0) {
		snprintf(error, size, "%s: cannot read: %s", path, strerror(-err));
	} else if (key_parse(text, used, key) < 0) {
		// What is there is not shown: it may be a key with a slip in it.
		err = -EINVAL;
		snprintf(error, size, "%s:1: expected %d hexadecimal digits and nothing else", path,
			KEY_DIGITS);
	}
	explicit_bzero(text, sizeof(text));
	return err;
}
