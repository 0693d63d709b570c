/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The certificate: the operator's, or one of our own, which signs itself.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "http/http_private.h"
#include "tls/tls_make.h"

#define STEM      "api"
#define LEFT_DAYS 30 // a certificate of our own is made anew so long before it ends
#define AGAIN_MS  3600000
#define HOST_SIZE 256

/** Whom a certificate of our own is for. */
struct hosts {
	char texts[TLS_HOSTS_MAX][HOST_SIZE];
	const char *list[TLS_HOSTS_MAX];
	unsigned n;
};

static void host_add(struct hosts *hosts, const char *text)
{
	if (hosts->n == TLS_HOSTS_MAX)
		return;
	snprintf(hosts->texts[hosts->n], HOST_SIZE, "%s", text);
	hosts->list[hosts->n] = hosts->texts[hosts->n];
	hosts->n++;
}

static bool is_any(const struct addr *addr)
{
	static const uint8_t none[16];

	return memcmp(addr->bytes, none, sizeof(none)) == 0;
}

// This host's name, and the addresses that stand in the configuration.
static void hosts_given(const struct http_server *server, struct hosts *hosts)
{
	char host[HOST_SIZE] = "localhost", text[ADDR_TEXT_SIZE];

	gethostname(host, sizeof(host) - 1);
	host_add(hosts, host);
	for (unsigned i = 0; i < server->at.n; i++)
		if (!is_any(&server->at.at[i].addr))
			host_add(hosts, addr_format(&server->at.at[i].addr, text));
}

// With 0.0.0.0 or :: among them, the addresses of this host.
static void hosts_found(const struct http_server *server, struct hosts *hosts)
{
	struct ifaddrs *all = NULL;
	char text[ADDR_TEXT_SIZE];
	bool any = false;

	for (unsigned i = 0; i < server->at.n; i++)
		any = any || is_any(&server->at.at[i].addr);
	if (!any || getifaddrs(&all) != 0)
		return;
	for (const struct ifaddrs *each = all; each; each = each->ifa_next) {
		struct addr addr = {.family = ADDR_NONE};

		if (each->ifa_addr && each->ifa_addr->sa_family == AF_INET) {
			addr.family = ADDR_IPV4;
			memcpy(addr.bytes,
				&((const struct sockaddr_in *)(void *)each->ifa_addr)->sin_addr, 4);
		} else if (each->ifa_addr && each->ifa_addr->sa_family == AF_INET6) {
			addr.family = ADDR_IPV6;
			memcpy(addr.bytes,
				&((const struct sockaddr_in6 *)(void *)each->ifa_addr)->sin6_addr,
				16);
		}
		if (addr.family != ADDR_NONE)
			host_add(hosts, addr_format(&addr, text));
	}
	freeifaddrs(all);
}

// Addresses that come and go are no reason to make it anew.
static int own_make(const struct http_server *server, char *error)
{
	struct hosts *hosts = calloc(1, sizeof(*hosts));
	struct tls_wish wish = {.use = TLS_USE_SERVER, .days = TLS_DAYS, .own = true};
	const char *folder = server->options.folder;
	int err = 0;

	snprintf(error, HTTP_ERROR_SIZE, "out of memory");
	if (!hosts)
		return -ENOMEM;
	hosts_given(server, hosts);
	wish.name = hosts->list[0];
	wish.hosts = hosts->list;
	wish.n_hosts = hosts->n;
	if (!tls_is_current(folder, STEM, &wish, LEFT_DAYS)) {
		hosts_found(server, hosts);
		wish.n_hosts = hosts->n;
		err = tls_make(folder, STEM, &wish, error);
		if (err == 0)
			log_line(LOG_INFO, "%s/" STEM ".crt: made, good for %u days", folder,
				wish.days);
	}
	free(hosts);
	return err;
}

int http_tls_open(struct http_server *server, char *error)
{
	const struct http_options *options = &server->options;
	char certificate[PATH_MAX], key[PATH_MAX];
	const struct tls_files files = {certificate, key, options->client_ca};
	int err = 0;

	if (*options->certificate) {
		snprintf(certificate, sizeof(certificate), "%s", options->certificate);
		snprintf(key, sizeof(key), "%s", options->key);
	} else {
		snprintf(certificate, sizeof(certificate), "%s/" STEM ".crt", options->folder);
		snprintf(key, sizeof(key), "%s/" STEM ".key", options->folder);
		server->own_certificate = true;
		err = own_make(server, error);
	}
	return err ? err : tls_keeper_open(&files, &server->tls, error);
}

void http_tls_tick(struct http_server *server)
{
	char error[HTTP_ERROR_SIZE];

	if (!server->tls)
		return;
	if (server->own_certificate &&
		tls_keeper_expires(server->tls) < time(NULL) + (time_t)LEFT_DAYS * 86400 &&
		(!server->made_ms || http_now_ms() >= server->made_ms + AGAIN_MS)) {
		server->made_ms = http_now_ms();
		if (own_make(server, error) < 0)
			log_line(LOG_WARN, "%s", error);
	}
	tls_keeper_refresh(server->tls);
}
