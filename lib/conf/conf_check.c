/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/conf_private.h"

#include <stdio.h>
#include <string.h>

/** The line of a key that was given. */
static unsigned line_of(const struct conf_scan *scan, const char *section, const char *key)
{
	const struct conf_spot *spot = scan->spots;

	while (!spot->key || strcasecmp(spot->section, section) != 0 || strcmp(spot->key, key) != 0)
		spot++;
	return spot->line;
}

/** Files that go with addresses of TLS. */
struct tls_keys {
	const char *section;
	const struct endpoints *at;
	const char *ca, *certificate, *key;
};

static int tls_check(
	struct conf_reader *reader, const struct conf_scan *scan, const struct tls_keys *keys)
{
	const char *missing = !keys->ca[0]            ? "tls_ca"
			      : !keys->certificate[0] ? "tls_certificate"
			      : !keys->key[0]         ? "tls_key"
						      : NULL;

	if (keys->at->n == 0 || !missing)
		return 0;
	reader->line = line_of(scan, keys->section, "tls");
	return conf_fail(reader, "tls: expected %s to go with it, got none", missing);
}

static int collect_check(
	struct conf_reader *reader, const struct conf_scan *scan, const struct conf *conf)
{
	const struct tls_keys tls = {"collect", &conf->collect_tls, conf->collect_tls_ca,
		conf->collect_tls_certificate, conf->collect_tls_key};
	unsigned n = conf->collect_sockets.n + conf->collect_tcp.n + conf->collect_tls.n;

	if (n > ENDPOINTS_MAX) {
		reader->line = line_of(scan, "collect", conf->collect_tls.n ? "tls" : "tcp");
		return conf_fail(reader,
			"expected at most %u of socket, tcp and tls together, got %u",
			ENDPOINTS_MAX, n);
	}
	if (conf->api_client_required && !conf->api_client_ca[0]) {
		reader->line = line_of(scan, "api", "client_certificates");
		return conf_fail(
			reader, "client_certificates: expected client_ca to go with it, got none");
	}
	return tls_check(reader, scan, &tls);
}

int conf_check(struct conf_reader *reader, const struct conf_scan *scan, const struct conf *conf)
{
	const struct tls_keys tap = {"tap", &conf->tap_tls, conf->tap_tls_ca,
		conf->tap_tls_certificate, conf->tap_tls_key};
	int err = tls_check(reader, scan, &tap);

	if (err == 0)
		err = collect_check(reader, scan, conf);
	if (err)
		return err;
	// Neither is the default, so it was given.
	if (anon_mode_keyed(conf->anonymise.mode) && !conf->anonymise_key_file[0]) {
		reader->line = line_of(scan, "anonymise", "mode");
		return conf_fail(reader, "mode: expected key_file to go with %s, got none",
			anon_mode_name(conf->anonymise.mode));
	}
	if (!conf->api_certificate[0] != !conf->api_key[0]) {
		const char *given = conf->api_key[0] ? "key" : "certificate";

		reader->line = line_of(scan, "api", given);
		return conf_fail(reader, "%s: expected %s to go with it, got none", given,
			conf->api_key[0] ? "certificate" : "key");
	}
	if (conf_taps(conf) && !conf->mirror_enabled) {
		reader->line = line_of(scan, "mirror", "enabled");
		return conf_fail(
			reader, "enabled: expected yes with a destination in [tap], got no");
	}
	return 0;
}

const char *conf_warning(const struct conf *conf, unsigned i, char *text)
{
	const struct policy *policy = &conf->policy;
	unsigned n = 0, blocking = 0;

	for (const struct policy_list *l = policy->lists; l < policy->lists + policy->n_lists;
		l++) {
		blocking += l->action != POLICY_ALLOW && !l->canary;
		if (l->action == POLICY_SINKHOLE && l->sinkhole.n_ipv4 == 0 && n++ == i) {
			snprintf(text, CONF_ERROR_SIZE,
				"list %s: no ipv4 sinkhole, A answers of its names are left as "
				"they are",
				l->name);
			return text;
		}
		if (l->action == POLICY_SINKHOLE && l->sinkhole.n_ipv6 == 0 && n++ == i) {
			snprintf(text, CONF_ERROR_SIZE,
				"list %s: no ipv6 sinkhole, AAAA answers of its names are left as "
				"they are",
				l->name);
			return text;
		}
	}
	for (unsigned v6 = 0; v6 < 2; v6++)
		if (conf->anonymise.mode == ANON_TRUNCATE &&
			anon_bits(&conf->anonymise, v6 ? ADDR_IPV6 : ADDR_IPV4) ==
				(v6 ? 128 : 32) &&
			n++ == i) {
			snprintf(text, CONF_ERROR_SIZE,
				"anonymise: all bits of IPv%c are kept, clients are not anonymous",
				v6 ? '6' : '4');
			return text;
		}
	for (unsigned t = 0; t < conf->tap_tcp.n; t++)
		if (!addr_is_loopback(&conf->tap_tcp.at[t].addr) && n++ == i) {
			char at[ENDPOINT_TEXT_SIZE];

			snprintf(text, CONF_ERROR_SIZE,
				"[tap] tcp: what goes to %s can be read and changed on its way, "
				"tls cannot",
				endpoint_format(&conf->tap_tcp.at[t], at));
			return text;
		}
	if (blocking == 0 && n == i) {
		snprintf(text, CONF_ERROR_SIZE, "%s: nothing is filtered",
			policy->n_lists <= 1 ? "no list" : "allow lists alone");
		return text;
	}
	return NULL;
}
