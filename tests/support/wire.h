/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Frames for tests, written layer by layer as one would describe them: Ethernet, tags, PPPoE, IP,
 * UDP, DNS. Lengths, counts and checksums are filled in by wire_finish, right unless a test asks
 * for something else.
 *
 *   struct wire *w = wire_create();
 *   wire_ether(w);
 *   wire_ip(w, "192.0.2.53", "203.0.113.7");
 *   wire_udp(w, 53, 40000);
 *   wire_dns(w, 0x8180);
 *   wire_question(w, "evil.example", DNS_TYPE_A);
 *   wire_record_address(w, "^q", 300, "198.51.100.1");
 *   wire_finish(w);
 *
 * A mistake in the description (an address that is none, a frame without end) aborts the test.
 *
 * Names are text: labels with dots between, "." for the root, \DDD for any octet, x{63} for 63
 * times x. A name that ends with ^MARK, ^MARK+N or ^N ends with a compression pointer: to where a
 * mark was set, N bytes behind it, or to offset N of the message. "hex:0161c0" is taken as it is. The first
 * question's name has the mark q.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/dns_const.h"

#define WIRE_ROOM    80000 /**< bytes; more than the largest frame that is inspected */
#define WIRE_MARKS   16
#define WIRE_RECORDS 4096

enum wire_csum {
	WIRE_CSUM_RIGHT,
	WIRE_CSUM_NONE,  /**< 0 */
	WIRE_CSUM_WRONG, /**< the right one plus csum_by, in ones' complement */
};

enum wire_section {
	WIRE_ANSWER,
	WIRE_AUTHORITY,
	WIRE_ADDITIONAL,
	WIRE_SECTIONS,
};

/** Where a record of the message stands, from the frame's start. */
struct wire_record {
	size_t ttl, rdata, rdata_size;
};

struct wire {
	size_t size;
	uint8_t bytes[WIRE_ROOM];

	/* layers met; 0: none. All from the frame's start */
	size_t type_at; /**< EtherType or PPP protocol that the next layer fills in */
	size_t next_at; /**< IPv4 protocol or IPv6 next header that the next layer fills in */
	size_t pppoe, ip, l4, dns;
	uint8_t version;                /**< 4, 6 */
	uint16_t n_questions;           /**< written so far */
	enum wire_section section;      /**< what records go to now */
	uint16_t counts[WIRE_SECTIONS]; /**< records of each section */
	struct wire_record
		records[WIRE_RECORDS]; /**< of all sections, in the order of the message */
	unsigned n_records;
	struct {
		char name[16];
		size_t at;
	} marks[WIRE_MARKS];
	unsigned n_marks;

	/* what a test wants to be wrong; set before wire_finish */
	int add_ip;           /**< added to the total or payload length */
	int add_udp;          /**< added to the UDP length */
	int qdcount, ancount; /**< -1: as many as there are */
	enum wire_csum csum;
	uint16_t csum_by;
};

struct wire *wire_create(void);
struct wire *wire_copy(const struct wire *w);
void wire_destroy(struct wire *w);

void wire_put(struct wire *w, const void *bytes, size_t size);
void wire_u8(struct wire *w, uint8_t v);
void wire_u16(struct wire *w, uint16_t v);
void wire_u32(struct wire *w, uint32_t v);
void wire_zeros(struct wire *w, size_t n);

/** Octets written as hexadecimal digits, with spaces or colons between if wanted. */
void wire_hex(struct wire *w, const char *text);

/* --- Ethernet to UDP: wire_frame.c --- */

void wire_ether(struct wire *w);
/** EtherType, PPP protocol or IP protocol of what follows, where no layer below fills it in. */
void wire_type(struct wire *w, uint16_t type);
void wire_tag(struct wire *w, uint16_t ether_type, uint16_t vid);
void wire_pppoe(struct wire *w);
/** IPv4 or IPv6, as the addresses are. */
void wire_ip(struct wire *w, const char *src, const char *dst);
/** IPv4 options, a multiple of 4 bytes; right behind wire_ip. */
void wire_ip_options(struct wire *w, const uint8_t *options, size_t size);
/**
 * IPv6 extension header (RFC 8200 s4, RFC 4302): its octets without the first, which names what
 * follows.
 */
void wire_ext(struct wire *w, uint8_t protocol, const uint8_t *body, size_t size);
void wire_udp(struct wire *w, uint16_t src, uint16_t dst);
void wire_tcp(struct wire *w, uint16_t src, uint16_t dst);
/** Fill in lengths, counts, checksums. */
void wire_finish(struct wire *w);

/* --- DNS: wire_dns.c --- */

void wire_dns(struct wire *w, uint16_t flags);
void wire_mark(struct wire *w, const char *name);
void wire_name(struct wire *w, const char *name);
void wire_question(struct wire *w, const char *name, uint16_t type);
void wire_question_class(struct wire *w, const char *name, uint16_t type, uint16_t class);
/** A record up to RDLENGTH; RDATA follows, then wire_record_end, which fills RDLENGTH in. */
void wire_record(struct wire *w, const char *owner, uint32_t ttl, uint16_t type, uint16_t class);
void wire_record_end(struct wire *w);
/** A or AAAA, as the address is. */
void wire_record_address(struct wire *w, const char *owner, uint32_t ttl, const char *address);
/** CNAME, DNAME, or any other type whose RDATA is one name. */
void wire_record_name(
	struct wire *w, const char *owner, uint32_t ttl, uint16_t type, const char *target);
/**
 * RDATA of @p n compression pointers: the first to mark @p to, each other to the one before it.
 * Sets the mark @p last where the last one stands.
 */
void wire_pointers(struct wire *w, unsigned n, const char *to, const char *last);
/** The usual response up to its question: Ethernet, IP, UDP from port 53 to 40000. */
void wire_response(
	struct wire *w, const char *src, const char *dst, const char *name, uint16_t type);
