/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * dnstap: what was seen of a DNS message, as octets and back. dnstap.proto beside this file has the
 * schema.
 *
 * Octets are written and read where they stand, without copies or allocation: the statistics core
 * makes hundreds of thousands of frames a second, and of what the collector reads nothing may stay
 * anywhere that holds a client's address.
 *
 * Layer:   lib/tap; no EAL, no allocation.
 * Threads: pure functions, any thread.
 * Source:  dnstap.info; the encoding of Protocol Buffers (varint, fixed32, length-delimited).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAP_CONTENT_TYPE "protobuf:dnstap.Dnstap"

/** Longest frame that is taken: two DNS messages of 64 KiB, names and words, and as much again. */
#define TAP_FRAME_MAX 262144

/** Octets that belong to somebody else. */
struct tap_octets {
	const uint8_t *data; /**< NULL: the field is not there */
	size_t size;
};

enum tap_type {
	TAP_AUTH_QUERY = 1,
	TAP_AUTH_RESPONSE = 2,
	TAP_RESOLVER_QUERY = 3,
	TAP_RESOLVER_RESPONSE = 4,
	TAP_CLIENT_QUERY = 5,
	TAP_CLIENT_RESPONSE = 6,
	TAP_FORWARDER_QUERY = 7,
	TAP_FORWARDER_RESPONSE = 8,
	TAP_STUB_QUERY = 9,
	TAP_STUB_RESPONSE = 10,
	TAP_TOOL_QUERY = 11,
	TAP_TOOL_RESPONSE = 12,
	TAP_UPDATE_QUERY = 13,
	TAP_UPDATE_RESPONSE = 14,
};

enum tap_family {
	TAP_INET = 1,
	TAP_INET6 = 2,
};

enum tap_protocol {
	TAP_UDP = 1,
	TAP_TCP = 2,
	TAP_DOT = 3,
	TAP_DOH = 4,
	TAP_DNSCRYPT_UDP = 5,
	TAP_DNSCRYPT_TCP = 6,
	TAP_DOQ = 7,
};

enum tap_action {
	TAP_NXDOMAIN = 1,
	TAP_NODATA = 2,
	TAP_PASS = 3,
	TAP_DROP = 4,
	TAP_TRUNCATE = 5,
	TAP_LOCAL_DATA = 6,
};

enum tap_match {
	TAP_QNAME = 1,
	TAP_CLIENT_IP = 2,
	TAP_RESPONSE_IP = 3,
	TAP_NS_NAME = 4,
	TAP_NS_IP = 5,
};

/** A moment since 1970; not there when sec is 0. */
struct tap_moment {
	uint64_t sec;
	uint32_t nsec;
};

/** What a policy did. */
struct tap_policy {
	struct tap_octets type; /**< text */
	struct tap_octets rule;
	struct tap_octets value;
	uint32_t action; /**< enum tap_action; 0: not there */
	uint32_t match;  /**< enum tap_match; 0: not there */
};

/**
 * One frame. Numbers in host byte order; 0 means that the field is not there. Values of enums may be
 * ones that these do not know.
 */
struct tap_message {
	struct tap_octets identity, version, extra;
	uint32_t type;     /**< enum tap_type; has to be there */
	uint32_t family;   /**< enum tap_family */
	uint32_t protocol; /**< enum tap_protocol */
	uint32_t query_port, response_port;
	uint32_t http_protocol;
	struct tap_octets query_address, response_address; /**< network byte order, 4 or 16 octets */
	struct tap_moment query_time, response_time;
	struct tap_octets query_message, query_zone, response_message;
	bool has_policy;
	struct tap_policy policy;
};

/** Octets that @p message takes. */
size_t tap_size(const struct tap_message *message);

/**
 * Write @p message.
 *
 * @param to room for tap_size() octets
 * @return octets written
 */
size_t tap_encode(const struct tap_message *message, uint8_t *to);

/**
 * Read a frame. Fields that are not known are passed over.
 *
 * @param frame   borrowed; @p message points into it
 * @param message [out] undefined on error
 * @return 0, or -EINVAL: no dnstap frame, or one without a message or its type
 */
int tap_decode(const uint8_t *frame, size_t size, struct tap_message *message)
	__attribute__((warn_unused_result));
