/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Domains that share name servers or networks: what one has, and who else has that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dns/dns_const.h"
#include "signal/signal_private.h"

#define TYPE_NS     2 // RFC 1035 s3.2.2
#define IPV4_LENGTH 24
#define IPV6_LENGTH 48

/** A search under way. */
struct search {
	const struct signal_shared_question *question;
	struct pdns *pdns;
	int (*visit)(void *ctx, const struct signal_shared *shared);
	void *ctx;
	const uint8_t *base;
	size_t base_size;
	uint8_t servers[SIGNAL_SERVERS_MAX][DNS_NAME_SIZE_MAX];
	size_t server_sizes[SIGNAL_SERVERS_MAX];
	unsigned n_servers;
	struct prefix blocks[SIGNAL_BLOCKS_MAX];
	unsigned n_blocks;
	const struct signal_shared *via; // what is looked at just now
	struct signal_set found;         // whom it was told of
};

static int progress_tell(void *ctx, const struct pdns_result *result)
{
	struct search *search = ctx;

	return search->question->progress ? search->question->progress(search->ctx) : 0;
}

/* ---- what it has ----------------------------------------------------------------------------- */

static int server_note(void *ctx, const struct pdns_row *row)
{
	struct search *search = ctx;
	const struct pdns_rdata *server = &row->rdata[0];

	if (search->n_servers == SIGNAL_SERVERS_MAX || server->size == 0 ||
		server->size > DNS_NAME_SIZE_MAX)
		return 0;
	memcpy(search->servers[search->n_servers], server->data, server->size);
	search->server_sizes[search->n_servers++] = server->size;
	return 0;
}

static void cut(struct addr *addr, unsigned length)
{
	for (unsigned i = 0; i < sizeof(addr->bytes); i++, length -= length < 8 ? length : 8)
		if (length < 8)
			addr->bytes[i] &= (uint8_t)(0xff00 >> length);
}

static int block_note(void *ctx, const struct pdns_row *row)
{
	struct search *search = ctx;
	const struct signal_shared_question *q = search->question;
	bool ipv4 = row->type == DNS_TYPE_A;
	struct prefix block = {.addr.family = ipv4 ? ADDR_IPV4 : ADDR_IPV6};

	if (row->rdata[0].size != addr_size(block.addr.family))
		return 0;
	block.length = ipv4 ? q->ipv4_length : q->ipv6_length;
	if (block.length == 0)
		block.length = ipv4 ? IPV4_LENGTH : IPV6_LENGTH;
	memcpy(block.addr.bytes, row->rdata[0].data, row->rdata[0].size);
	cut(&block.addr, block.length);
	for (unsigned i = 0; i < search->n_blocks; i++)
		if (search->blocks[i].addr.family == block.addr.family &&
			memcmp(search->blocks[i].addr.bytes, block.addr.bytes,
				sizeof(block.addr.bytes)) == 0)
			return 0;
	if (search->n_blocks < SIGNAL_BLOCKS_MAX)
		search->blocks[search->n_blocks++] = block;
	return 0;
}

static int own_read(struct search *search)
{
	static const uint16_t types[] = {TYPE_NS, DNS_TYPE_A, DNS_TYPE_AAAA};
	struct pdns_question q = {.by = PDNS_BY_OWNER,
		.name = search->base,
		.name_size = search->base_size,
		.types = PDNS_ONE};
	struct pdns_result result;
	int err = 0;

	for (unsigned i = 0; i < 3 && err == 0; i++) {
		const struct pdns_visitor visitor = {
			search, i == 0 ? server_note : block_note, progress_tell};

		q.type = types[i];
		q.scope = i == 0 ? PDNS_EXACT : PDNS_SUBTREE;
		err = pdns_query(search->pdns, &q, &visitor, &result);
	}
	return err;
}

/* ---- who has it ------------------------------------------------------------------------------ */

static int owner_tell(void *ctx, const struct pdns_row *row)
{
	struct search *search = ctx;
	struct signal_shared shared = *search->via;
	size_t at = signal_base_at(row->owner);
	int is_new;

	shared.name = row->owner + at;
	shared.size = row->owner_size - at;
	if (shared.size == search->base_size && memcmp(shared.name, search->base, shared.size) == 0)
		return 0;
	is_new = signal_set_add(&search->found, shared.name, shared.size);
	return is_new > 0 ? search->visit(search->ctx, &shared) : is_new;
}

static int via_ask(
	struct search *search, const struct signal_shared *via, const struct pdns_question *q)
{
	const struct pdns_visitor visitor = {search, owner_tell, progress_tell};
	struct pdns_result result;

	search->via = via;
	signal_set_clear(&search->found);
	return pdns_query(search->pdns, q, &visitor, &result);
}

static int servers_ask(struct search *search)
{
	int err = 0;

	for (unsigned i = 0; i < search->n_servers && err == 0; i++) {
		const struct signal_shared via = {.server = search->servers[i]};
		const struct pdns_question q = {.by = PDNS_BY_TARGET,
			.name = search->servers[i],
			.name_size = search->server_sizes[i],
			.types = PDNS_ONE,
			.type = TYPE_NS};

		err = via_ask(search, &via, &q);
	}
	return err;
}

static int blocks_ask(struct search *search)
{
	int err = 0;

	for (unsigned i = 0; i < search->n_blocks && err == 0; i++) {
		const struct signal_shared via = {.block = search->blocks[i]};
		struct pdns_question q = {.by = PDNS_BY_ADDRESS,
			.from = via.block.addr,
			.to = via.block.addr,
			.types = PDNS_ANY_AT_ALL};

		for (unsigned bit = via.block.length; bit < 8u * addr_size(q.to.family); bit++)
			q.to.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		err = via_ask(search, &via, &q);
	}
	return err;
}

int signal_shared_find(struct pdns *pdns, const struct signal_shared_question *question,
	int (*visit)(void *ctx, const struct signal_shared *shared), void *ctx)
{
	struct search *search;
	size_t at;
	int err;

	if (question->size < 2 || question->ipv4_length > 32 || question->ipv6_length > 128)
		return -EINVAL;
	search = calloc(1, sizeof(*search));
	if (!search)
		return -ENOMEM;
	at = signal_base_at(question->name);
	search->question = question;
	search->pdns = pdns;
	search->visit = visit;
	search->ctx = ctx;
	search->base = question->name + at;
	search->base_size = question->size - at;
	err = own_read(search);
	if (err == 0)
		err = servers_ask(search);
	if (err == 0)
		err = blocks_ask(search);
	signal_set_free(&search->found);
	free(search);
	return err;
}
