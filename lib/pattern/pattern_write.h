/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A name of a message in presentation form, as dns_name_format has it, in lower case.
 */
#include "fqdn/fqdn_table.h"

#define PATTERN_WRITE_ROOM 16 /**< octets behind a name's end that may be written, too */

/**
 * @param name has been read: it has n labels, and its pointers lead somewhere
 * @param to   [out] DNS_NAME_TEXT_SIZE and PATTERN_WRITE_ROOM octets of room
 * @return where it ends
 *
 * Hot path.
 */
char *pattern_write(const struct fqdn_name *name, char *to);
