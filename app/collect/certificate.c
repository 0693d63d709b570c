/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Certificates of a small installation: a CA of one's own, and what it signs.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "collect_app.h"
#include "tls/tls_make.h"

#define HOSTS_SIZE 1024

static int fail(const char *error)
{
	log_line(LOG_ERROR, "certificate: %s", error);
	return COLLECT_USAGE;
}

static int show(const char *path)
{
	char error[TLS_ERROR_SIZE];
	struct tls_info info;

	if (tls_info_read(path, &info, error) < 0)
		return fail(error);
	printf("file        %s\n", path);
	printf("name        %s\n", info.name);
	printf("signed by   %s\n", info.issuer);
	printf("for         %s%s%s%s\n", info.ca ? "CA " : "",
		!info.ca && info.server ? "server " : "", !info.ca && info.client ? "client " : "",
		info.hosts);
	printf("good        %s to %s%s\n", info.from, info.to,
		info.to_s < time(NULL) ? ", which is over" : "");
	printf("SHA-256     %s\n", info.sha256);
	printf("public key  %s\n", info.pin);
	return COLLECT_DONE;
}

static int made_show(const char *folder, const char *stem)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.crt", folder, stem);
	return show(path);
}

static bool name_good(const char *name)
{
	size_t size = strlen(name);

	return size >= 1 && size <= HTTP_KEY_NAME_MAX && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
		       size;
}

// Once, and then left alone: all that it has signed depends on it.
static int ca_make(const char *folder, char *error)
{
	const struct tls_wish wish = {.use = TLS_USE_CA, .name = "dnsweir CA", .days = TLS_CA_DAYS};
	char path[PATH_MAX];
	struct stat info;

	snprintf(path, sizeof(path), "%s/" TLS_CA ".crt", folder);
	return stat(path, &info) == 0 ? 0 : tls_make(folder, TLS_CA, &wish, error);
}

// Returns how many, or -EINVAL.
static int hosts_split(char *text, const char **hosts)
{
	char *rest = text, *host;
	int n = 0;

	for (; (host = strtok_r(n ? NULL : text, ", ", &rest)); n++) {
		if (n == TLS_HOSTS_MAX ||
			strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRS"
				     "TUVWXYZ0123456789-.:") != strlen(host))
			return -EINVAL;
		hosts[n] = host;
	}
	return n > 0 ? n : -EINVAL;
}

static int make(const struct collect_args *args)
{
	const char *hosts[TLS_HOSTS_MAX], *name = args->words[1];
	struct tls_wish wish = {.use = TLS_USE_CLIENT,
		.name = name,
		.hosts = hosts,
		.days = args->valid_days ? args->valid_days : TLS_DAYS};
	char text[HOSTS_SIZE], error[TLS_ERROR_SIZE];
	int n;

	if (!name_good(name) || strcmp(name, TLS_CA) == 0 || strcmp(name, "api") == 0)
		return fail("expected a name of 1..31 letters, digits, '-', '_' and '.', "
			    "but neither ca nor api");
	if (args->server) {
		snprintf(text, sizeof(text), "%s", args->server);
		n = strlen(args->server) < sizeof(text) ? hosts_split(text, hosts) : -EINVAL;
		if (n < 0)
			return fail(
				"--server: expected addresses and names of hosts between commas");
		wish.use = TLS_USE_SERVER;
		wish.n_hosts = (unsigned)n;
	}
	if (ca_make(args->store, error) < 0 || tls_make(args->store, name, &wish, error) < 0) {
		log_line(LOG_ERROR, "certificate: %s", error);
		return COLLECT_FAILED;
	}
	return made_show(args->store, name);
}

int certificate_run(const struct collect_args *args)
{
	struct stat info;

	if (strcmp(args->words[0], "show") == 0 && args->n == 2)
		return show(args->words[1]);
	if (stat(args->store, &info) != 0) {
		log_line(LOG_ERROR, "%s: %s", args->store, strerror(errno));
		return COLLECT_USAGE;
	}
	if (strcmp(args->words[0], "show") == 0)
		return made_show(args->store, "api");
	if (strcmp(args->words[0], "make") == 0 && args->n == 2)
		return make(args);
	return fail("expected make NAME or show [FILE] (see --help)");
}
