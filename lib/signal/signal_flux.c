/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names whose addresses come and go and lie in many networks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dns/dns_const.h"
#include "signal/signal_private.h"

/** A pass over addresses, which come by owner. */
struct pass {
	const struct signal_flux_question *question;
	int (*visit)(void *ctx, const struct signal_flux *flux);
	void *ctx;
	uint8_t name[DNS_NAME_SIZE_MAX];
	struct signal_flux flux; // of the last owner; size 0: none yet
	struct signal_set addresses, networks;
};

static int name_end(struct pass *pass)
{
	struct signal_flux *flux = &pass->flux;
	int err = 0;

	flux->addresses = (unsigned)pass->addresses.n;
	flux->networks = (unsigned)pass->networks.n;
	if (flux->addresses > 1)
		flux->score = (unsigned)(100.0 * (flux->networks - 1) / (flux->addresses - 1) *
					 flux->brief / flux->addresses);
	if (flux->size > 0 && flux->addresses > 0 && flux->addresses >= pass->question->least)
		err = pass->visit(pass->ctx, flux);
	signal_set_clear(&pass->addresses);
	signal_set_clear(&pass->networks);
	*flux = (struct signal_flux){.name = pass->name, .first_s = INT64_MAX};
	return err;
}

static int network_note(struct pass *pass, const struct addr *addr)
{
	uint32_t asn =
		pass->question->networks ? signal_networks_find(pass->question->networks, addr) : 0;
	uint8_t key[6] = {addr->family};

	if (asn)
		memcpy(key + 2, &asn, sizeof(asn));
	else
		memcpy(key + 2, addr->bytes, addr->family == ADDR_IPV4 ? 2 : 4);
	key[1] = asn != 0;
	// A system has both families.
	key[0] = asn ? 0 : key[0];
	return signal_set_add(&pass->networks, key, sizeof(key));
}

static int address_take(struct pass *pass, const struct pdns_row *row)
{
	struct addr addr = {.family = row->type == DNS_TYPE_A ? ADDR_IPV4 : ADDR_IPV6};
	struct signal_flux *flux = &pass->flux;
	int is_new;

	if (row->rdata[0].size != addr_size(addr.family))
		return 0;
	memcpy(addr.bytes, row->rdata[0].data, row->rdata[0].size);
	flux->first_s = row->first_s < flux->first_s ? row->first_s : flux->first_s;
	flux->last_s = row->last_s > flux->last_s ? row->last_s : flux->last_s;
	is_new = signal_set_add(&pass->addresses, row->rdata[0].data, row->rdata[0].size);
	if (is_new <= 0)
		return is_new;
	flux->brief += row->last_s - row->first_s < SIGNAL_BRIEF_S;
	is_new = network_note(pass, &addr);
	return is_new < 0 ? is_new : 0;
}

static int row_take(void *ctx, const struct pdns_row *row)
{
	struct pass *pass = ctx;
	int err = 0;

	if (row->type != DNS_TYPE_A && row->type != DNS_TYPE_AAAA)
		return 0;
	if (pass->flux.size != row->owner_size ||
		memcmp(pass->name, row->owner, row->owner_size) != 0) {
		err = name_end(pass);
		memcpy(pass->name, row->owner, row->owner_size);
		pass->flux.size = row->owner_size;
	}
	return err ? err : address_take(pass, row);
}

static int progress_tell(void *ctx, const struct pdns_result *result)
{
	struct pass *pass = ctx;

	return pass->question->progress ? pass->question->progress(pass->ctx) : 0;
}

int signal_flux_find(struct pdns *pdns, const struct signal_flux_question *question,
	int (*visit)(void *ctx, const struct signal_flux *flux), void *ctx)
{
	const struct pdns_question q = {.by = question->name ? PDNS_BY_OWNER : PDNS_BY_EVERYTHING,
		.scope = PDNS_SUBTREE,
		.name = question->name,
		.name_size = question->size,
		.last_after = question->last_after};
	struct pass *pass = calloc(1, sizeof(*pass));
	const struct pdns_visitor visitor = {pass, row_take, progress_tell};
	struct pdns_result result;
	int err;

	if (!pass)
		return -ENOMEM;
	pass->question = question;
	pass->visit = visit;
	pass->ctx = ctx;
	err = pdns_query(pdns, &q, &visitor, &result);
	if (err == 0)
		err = name_end(pass);
	signal_set_free(&pass->addresses);
	signal_set_free(&pass->networks);
	free(pass);
	return err;
}
