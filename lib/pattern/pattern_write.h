/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A name of a message in presentation form, as dns_name_format has it, in lower case.
 */
#include "fqdn/fqdn_table.h"

#define PATTERN_WRITE_ROOM 64 /**< octets behind a name's end that may be written, too */

/**
 * Two ways: for any CPU, and for those of cpu_is_wide.
 *
 * @param name has been read: it has n labels, and its pointers lead somewhere
 * @param to   [out] DNS_NAME_TEXT_SIZE and PATTERN_WRITE_ROOM octets of room
 * @return where it ends
 *
 * Hot path.
 */
char *pattern_write_plain(const struct fqdn_name *name, char *to);
char *pattern_write_wide(const struct fqdn_name *name, char *to);
