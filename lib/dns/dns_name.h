/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Names in canonical form: uncompressed wire form, ASCII letters in lower case.
 *
 * Layer:   lib/dns; no EAL, no allocation.
 * Threads: pure functions, any thread.
 * Source:  RFC 1035 s2.3.4 (sizes), s3.1 (wire form), s5.1 (escapes in text); RFC 4343 (case).
 */
#include <stddef.h>
#include <stdint.h>

#include "dns/dns_const.h"

/** Longest presentation form: 254 octets of labels as \DDD and the dots, and a NUL. */
#define DNS_NAME_TEXT_SIZE 1024

/** Why a text is no name; dns_name_error() has the words. */
enum dns_name_err {
	DNS_NAME_E_EMPTY = -1,  /**< no label, or an empty one ("a..b") */
	DNS_NAME_E_LABEL = -2,  /**< label over DNS_LABEL_SIZE_MAX */
	DNS_NAME_E_LONG = -3,   /**< name over DNS_NAME_SIZE_MAX */
	DNS_NAME_E_CHAR = -4,   /**< a character that a host name has not and no escape stands for */
	DNS_NAME_E_ESCAPE = -5, /**< "\" without a character or three digits up to 255 behind it */
};

/**
 * Read a name from text. Letters, digits, "-" and "_" stand for themselves (letters in lower case);
 * any other octet must be escaped, as RFC 1035 s5.1 has it. A trailing dot is allowed. "." is the
 * root.
 *
 * @param text  borrowed, need not end with NUL
 * @param size  bytes of text
 * @param name  [out] canonical wire form, DNS_NAME_SIZE_MAX bytes of room
 * @return bytes of name (1..255), or a negative enum dns_name_err
 */
int dns_name_parse(const char *text, size_t size, uint8_t *name) __attribute__((warn_unused_result));

/** What a negative result of dns_name_parse means, as "expected ..." words. */
const char *dns_name_error(int err);

/**
 * Write the presentation form, without the trailing dot ("." for the root); octets other than
 * letters, digits, "-" and "_" are escaped.
 *
 * @param name canonical and valid, borrowed
 * @return bytes written, NUL not counted
 */
size_t dns_name_format(const uint8_t *name, char text[DNS_NAME_TEXT_SIZE]);

/** ASCII lower case (RFC 4343): other octets are left as they are. */
static inline uint8_t dns_fold(uint8_t c)
{
	return (uint8_t)(c + ((uint8_t)(c - 'A') < 26 ? 32 : 0));
}
