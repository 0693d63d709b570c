/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "dns/dns_name.h"
#include "list/list.h"
#include "load/load_private.h"

// Firefox asks for the first before it turns on DNS over HTTPS, Apple's devices for the two next before
// they use iCloud Private Relay, and RFC 9462 s4 has the last for finding a resolver's encrypted
// services. An address in the answer means "go ahead" to all of them, so a sinkhole's is worse than none.
static const char *const names[] = {
	"use-application-dns.net",
	"mask.icloud.com",
	"mask-h2.icloud.com",
	"_dns.resolver.arpa",
};

int load_canary(struct load_source *source)
{
	struct fqdn_rule rule = source->rule;
	int err = 0;

	rule.first_day = LIST_DAY_FIRST;
	rule.last_day = LIST_DAY_LAST;
	rule.scope = FQDN_EXACT;
	source->state->names = 0;
	for (unsigned i = 0; err == 0 && i < sizeof(names) / sizeof(names[0]); i++) {
		uint8_t name[DNS_NAME_SIZE_MAX + FQDN_NAME_AHEAD] = {0};
		int size = dns_name_parse(names[i], strlen(names[i]), name);

		if (size < 0)
			return -EINVAL;
		err = fqdn_lane_add(fqdn_builder_lane(source->builder, 0), name, (uint8_t)size,
			&rule, "", i + 1);
		source->state->names++;
	}
	return err;
}
