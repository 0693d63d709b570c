/* SPDX-License-Identifier: BSD-3-Clause */
/* hot */
#include "rewrite/rewrite_private.h"

#define OPT_RDLENGTH 9 // from its start: RFC 6891 s6.1.2
#define OPT_OPTIONS  DNS_OPT_SIZE
#define EDE_CODE     DNS_OPTION_SIZE // INFO-CODE, from the option's start: RFC 8914 s2
#define EDE_TEXT     (DNS_OPTION_SIZE + 2)

static uint32_t option_size(const uint8_t *option)
{
	return DNS_OPTION_SIZE + (uint32_t)load_be16(option + 2);
}

// Octets that padding options take of the options from @p at on. They have been checked.
static uint32_t padding_count(const uint8_t *msg, uint32_t at, uint32_t end)
{
	uint32_t padding = 0;

	for (; at < end; at += option_size(msg + at))
		if (load_be16(msg + at) == DNS_OPTION_PADDING)
			padding += option_size(msg + at);
	return padding;
}

uint32_t rewrite_opt_padding(const uint8_t *msg, const struct dns_rest *rest)
{
	if (rest->opt_size == 0)
		return 0;
	return padding_count(msg, rest->opt + OPT_OPTIONS, (uint32_t)rest->opt + rest->opt_size);
}

bool rewrite_opt_fits(const struct rewrite_message *m, const struct dns_rest *rest, uint32_t size)
{
	uint32_t left;

	if (!m->fixed)
		return size <= m->room;
	size -= rewrite_opt_padding(m->msg, rest);
	if (size > m->size)
		return false;
	left = m->size - size;
	return left == 0 || (rest->opt_size && left >= DNS_OPTION_SIZE);
}

static uint32_t ede_size(const struct policy_list *list)
{
	return list->ede == POLICY_EDE_NONE ? 0 : EDE_TEXT + (uint32_t)strlen(list->ede_text);
}

// Whether the very option is there, from a box on the way.
static bool ede_there(const struct rewrite_message *m, uint32_t at)
{
	uint32_t size = ede_size(m->list);

	for (; at < m->size; at += option_size(m->msg + at))
		if (load_be16(m->msg + at) == DNS_OPTION_EDE && option_size(m->msg + at) == size &&
			load_be16(m->msg + at + EDE_CODE) == policy_ede_code(m->list->ede) &&
			memcmp(m->msg + at + EDE_TEXT, m->list->ede_text, size - EDE_TEXT) == 0)
			return true;
	return false;
}

// The first of @p size octets of a new option at the message's end; the OPT grows by it.
static uint8_t *option_open(struct rewrite_message *m, uint32_t opt, uint16_t code, uint32_t size)
{
	uint8_t *option = m->msg + m->size, *rdlength = m->msg + opt + OPT_RDLENGTH;

	store_be16(option, code);
	store_be16(option + 2, (uint16_t)(size - DNS_OPTION_SIZE));
	store_be16(rdlength, (uint16_t)(load_be16(rdlength) + size));
	m->size = (uint16_t)(m->size + size);
	return option;
}

static void ede_put(struct rewrite_message *m, uint32_t opt)
{
	uint32_t size = ede_size(m->list);
	uint8_t *option = option_open(m, opt, DNS_OPTION_EDE, size);

	store_be16(option + EDE_CODE, policy_ede_code(m->list->ede));
	memcpy(option + EDE_TEXT, m->list->ede_text, size - EDE_TEXT);
}

// Take all padding out: there must be one such option at most (RFC 7830 s3).
static void padding_strip(struct rewrite_message *m, uint32_t opt)
{
	uint8_t *rdlength = m->msg + opt + OPT_RDLENGTH;
	uint32_t to = opt + OPT_OPTIONS, size;

	for (uint32_t at = to; at < m->size; at += size) {
		size = option_size(m->msg + at);
		if (load_be16(m->msg + at) == DNS_OPTION_PADDING)
			continue;
		memmove(m->msg + to, m->msg + at, size);
		to += size;
	}
	store_be16(rdlength, (uint16_t)(to - opt - OPT_OPTIONS));
	m->size = (uint16_t)to;
}

void rewrite_opt_finish(
	struct rewrite_message *m, uint32_t opt, uint32_t target, struct rewrite_counts *counts)
{
	uint32_t ede = ede_size(m->list), left;
	bool there = opt && ede && ede_there(m, opt + OPT_OPTIONS);

	if (!opt)
		return;
	if (m->fixed)
		padding_strip(m, opt);
	left = (m->fixed ? target : m->room) - m->size;
	if (ede && !there) {
		bool fits = m->fixed ? left == ede || left >= ede + DNS_OPTION_SIZE : left >= ede;

		if (fits)
			ede_put(m, opt);
		left -= fits ? ede : 0;
		counts->ede_added += fits;
		counts->ede_left += !fits;
	}
	if (m->fixed && left > 0) {
		uint8_t *option = option_open(m, opt, DNS_OPTION_PADDING, left);

		// Zeroes, as it should be (RFC 7830 s3).
		memset(option + DNS_OPTION_SIZE, 0, left - DNS_OPTION_SIZE);
	}
}

void rewrite_opt_ede(struct rewrite_message *m, struct rewrite_counts *counts)
{
	uint64_t before = csum_sum(m->msg, m->size);
	struct dns_rest rest;

	dns_msg_rest_read(m->msg, m->size, m->behind, &rest);
	// An OPT in front of other records would move these, and what points at them.
	counts->ede_left = rest.opt_size && rest.opt + (uint32_t)rest.opt_size != m->size;
	if (!rest.opt_size || counts->ede_left)
		return;
	rewrite_opt_finish(m, rest.opt, m->size, counts);
	csum_replace(&m->delta, before, csum_sum(m->msg, m->size));
}
