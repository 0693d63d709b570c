/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Sizes and code points of DNS, each with its source.
 */

#define DNS_HEADER_SIZE    12    /**< RFC 1035 s4.1.1 */
#define DNS_NAME_SIZE_MAX  255   /**< RFC 1035 s2.3.4, root label included */
#define DNS_LABEL_SIZE_MAX 63    /**< RFC 1035 s2.3.4 */
#define DNS_LABELS_MAX     127   /**< (255 - 1) / 2: one-byte labels and the root */
#define DNS_MSG_SIZE_MAX   65535 /**< RFC 1035 s4.2.2 */

#define DNS_FLAG_QR 0x8000 /**< RFC 1035 s4.1.1: response */
#define DNS_FLAG_TC 0x0200 /**< RFC 1035 s4.1.1: truncated */
#define DNS_FLAG_AD 0x0020 /**< RFC 4035 s3.2.3: authentic data */

#define DNS_OPCODE_QUERY 0 /**< RFC 1035 s4.1.1 */

#define DNS_CLASS_IN 1 /**< RFC 1035 s3.2.4 */

/* RFC 1035 s3.2.2 unless said */
#define DNS_TYPE_A     1
#define DNS_TYPE_CNAME 5
#define DNS_TYPE_AAAA  28 /**< RFC 3596 */
#define DNS_TYPE_DNAME 39 /**< RFC 6672 */
