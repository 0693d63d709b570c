/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * DNS messages as they stand on the wire: header, questions, records, and the names inside them,
 * which may be compressed.
 *
 * Layer:   lib/dns; no EAL, no allocation.
 * Threads: pure functions, any thread. Messages are borrowed and not changed.
 * Source:  RFC 1035 s4.1; RFC 9267 for what goes wrong in such code.
 */
#include <stdbool.h>

#include "base/bytes.h"
#include "dns/dns_const.h"

/** Why a message cannot be read further. */
enum dns_err {
	DNS_E_SHORT = -1,   /**< a label, pointer, question or record leaves the message */
	DNS_E_LABEL = -2,   /**< label type 01 or 10 (RFC 1035 s4.1.4 reserves them) */
	DNS_E_POINTER = -3, /**< pointer not backward, into the header, or over DNS_HOPS_MAX */
	DNS_E_LONG = -4,    /**< more than DNS_NAME_SIZE_MAX octets */
};

/**
 * Pointers followed for one name. Ours: a name has at most 127 labels, and a pointer that leads to
 * another pointer serves nobody but an attacker.
 */
#define DNS_HOPS_MAX DNS_LABELS_MAX

/**
 * A name as it lies in a message: where its labels are. Nothing is copied; letters are in whatever
 * case the sender chose.
 */
struct dns_labels {
	const uint8_t *msg; /**< borrowed */
	uint16_t msg_size;  /**< bytes that may be read */
	uint8_t size;       /**< octets of the name, root label included, 1..255 */
	uint8_t n;          /**< labels without the root, 0..127 */
	uint16_t at[DNS_LABELS_MAX + 1]; /**< length octet of each, bytes from msg[0], leftmost first;
					      the last place is for one too many, met before it is
					      refused */
};

/** A name in canonical form, with the places of its labels. */
struct dns_name {
	uint8_t size;                   /**< bytes, root label included, 1..255 */
	uint8_t n_labels;               /**< without the root label, 0..127 */
	uint8_t label[DNS_LABELS_MAX];  /**< where each label's length octet stands, leftmost first */
	uint8_t bytes[DNS_NAME_SIZE_MAX];
};

#define DNS_RR_FIXED_SIZE 10 /**< TYPE, CLASS, TTL, RDLENGTH: RFC 1035 s4.1.3 */

/** A resource record; offsets are bytes from the message's start. */
struct dns_rr {
	uint16_t name;       /**< owner name, may be compressed */
	uint16_t type;
	uint16_t class;
	uint16_t ttl;        /**< offset of the TTL, 4 bytes */
	uint16_t rdata;      /**< offset of RDATA */
	uint16_t rdata_size; /**< bytes, all inside the message */
};

static inline uint16_t dns_msg_flags(const uint8_t *msg)
{
	return load_be16(msg + 2);
}

static inline uint8_t dns_msg_opcode(const uint8_t *msg)
{
	return (msg[2] >> 3) & 15;
}

static inline uint8_t dns_msg_rcode(const uint8_t *msg)
{
	return msg[3] & 15;
}

static inline uint16_t dns_msg_qdcount(const uint8_t *msg)
{
	return load_be16(msg + 4);
}

static inline uint16_t dns_msg_ancount(const uint8_t *msg)
{
	return load_be16(msg + 6);
}

static inline uint16_t dns_msg_nscount(const uint8_t *msg)
{
	return load_be16(msg + 8);
}

static inline uint16_t dns_msg_arcount(const uint8_t *msg)
{
	return load_be16(msg + 10);
}

/** Whether a question asks for a zone: what follows is data of a server's, not an answer for a client. */
static inline bool dns_type_is_transfer(uint16_t qtype)
{
	return qtype == DNS_TYPE_AXFR || qtype == DNS_TYPE_IXFR;
}

/**
 * Find the labels of the name at @p off, following pointers.
 *
 * Each pointer must lead to before the labels that led to it, so work is bounded by
 * DNS_LABELS_MAX labels and DNS_HOPS_MAX pointers whatever the message holds.
 *
 * @param msg    message bytes, kept while @p labels is used
 * @param size   message size, bytes, DNS_HEADER_SIZE..DNS_MSG_SIZE_MAX
 * @param off    first label, bytes from msg[0], at most size
 * @param labels [out] undefined on error
 * @return bytes the name occupies at @p off (1..255), or a negative enum dns_err
 */
int dns_msg_labels_read(const uint8_t *msg, uint32_t size, uint32_t off, struct dns_labels *labels)
	__attribute__((warn_unused_result));

/** Read the name at @p off into canonical form: dns_msg_labels_read, then a copy in lower case.
 *
 * @param msg  message bytes
 * @param size message size, bytes, at least DNS_HEADER_SIZE
 * @param off  first label, bytes from msg[0], at most size
 * @param name [out] undefined on error
 * @return bytes the name occupies at @p off (1..256: a pointer to the root is longer than the root),
 *         or a negative enum dns_err
 */
int dns_msg_name_read(const uint8_t *msg, uint32_t size, uint32_t off, struct dns_name *name)
	__attribute__((warn_unused_result));

/** The labels of a canonical name: its bytes are the message. @p labels borrows @p name. */
void dns_name_labels(const uint8_t *name, struct dns_labels *labels);

/**
 * Step over the name at @p off without following a pointer.
 *
 * @return bytes the name occupies at @p off (1..256: a pointer to the root is longer than the root),
 *         or a negative enum dns_err
 */
int dns_msg_name_skip(const uint8_t *msg, uint32_t size, uint32_t off)
	__attribute__((warn_unused_result));

/**
 * Whether two names in a message are the same, in any case of letters (RFC 4343) and however
 * compressed. Names that cannot be read are the same as none.
 *
 * @param a, b first labels, bytes from msg[0], at most size
 */
bool dns_msg_names_equal(const uint8_t *msg, uint32_t size, uint32_t a, uint32_t b);

/** The same for names that have been read. */
bool dns_labels_equal(const struct dns_labels *a, const struct dns_labels *b);

/** What stands behind the answer section. */
struct dns_rest {
	bool whole;          /**< all records that are counted are there; else nothing below is known */
	bool is_signed;      /**< the last record is a TSIG (RFC 8945) or a SIG(0) (RFC 2931) */
	bool addresses;      /**< the additional section has A, AAAA, SVCB or HTTPS records */
	bool rrsig;          /**< the authority section has RRSIG records */
	bool dnssec_ok;      /**< the DO bit: the client asked for signatures (RFC 3225) */
	uint16_t additional; /**< where the additional section starts */
	uint16_t end;        /**< behind the last record */
	uint16_t opt;        /**< the one OPT record */
	uint16_t opt_size;   /**< its bytes; 0: none, or several, or its options are malformed */
};

/**
 * Walk the authority and additional sections.
 *
 * @param off where the answer section ends
 */
void dns_msg_rest_read(const uint8_t *msg, uint32_t size, uint32_t off, struct dns_rest *rest);

/**
 * Read what follows the owner name of the record at @p off.
 *
 * @param name bytes that the owner name occupies, all inside the message
 * @return bytes of the record, or DNS_E_SHORT
 */
static inline int dns_msg_rr_read_behind(
	const uint8_t *msg, uint32_t size, uint32_t off, int name, struct dns_rr *rr)
{
	uint32_t at = off + (uint32_t)name;

	if (size - at < DNS_RR_FIXED_SIZE)
		return DNS_E_SHORT;
	rr->name = (uint16_t)off;
	rr->type = load_be16(msg + at);
	rr->class = load_be16(msg + at + 2);
	rr->ttl = (uint16_t)(at + 4);
	rr->rdata_size = load_be16(msg + at + 8);
	rr->rdata = (uint16_t)(at + DNS_RR_FIXED_SIZE);
	if (size - at - DNS_RR_FIXED_SIZE < rr->rdata_size)
		return DNS_E_SHORT;
	return name + (int)DNS_RR_FIXED_SIZE + rr->rdata_size;
}

/**
 * Read the record at @p off; its owner name is stepped over, not read.
 *
 * @return bytes of the record, or a negative enum dns_err
 */
static inline int dns_msg_rr_read(
	const uint8_t *msg, uint32_t size, uint32_t off, struct dns_rr *rr)
{
	// Nearly every owner name is a pointer.
	int name = size - off >= 2 && msg[off] >= 0xc0 ? 2 : dns_msg_name_skip(msg, size, off);

	return name < 0 ? name : dns_msg_rr_read_behind(msg, size, off, name, rr);
}
