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
#define DNS_FLAG_AA 0x0400 /**< RFC 1035 s4.1.1: authoritative answer */
#define DNS_FLAG_TC 0x0200 /**< RFC 1035 s4.1.1: truncated */
#define DNS_FLAG_AD 0x0020 /**< RFC 4035 s3.2.3: authentic data */

#define DNS_RCODE_NOERROR  0 /**< RFC 1035 s4.1.1 */
#define DNS_RCODE_NXDOMAIN 3 /**< RFC 1035 s4.1.1 */

#define DNS_OPCODE_QUERY 0 /**< RFC 1035 s4.1.1 */

#define DNS_CLASS_IN 1 /**< RFC 1035 s3.2.4 */

/* RFC 1035 s3.2.2 unless said */
#define DNS_TYPE_A     1
#define DNS_TYPE_CNAME 5
#define DNS_TYPE_SIG   24  /**< RFC 2535 s4; as SIG(0): RFC 2931 s3 */
#define DNS_TYPE_AAAA  28  /**< RFC 3596 */
#define DNS_TYPE_DNAME 39  /**< RFC 6672 */
#define DNS_TYPE_OPT   41  /**< RFC 6891 s6.1.1 */
#define DNS_TYPE_RRSIG 46  /**< RFC 4034 s3 */
#define DNS_TYPE_SVCB  64  /**< RFC 9460 s2 */
#define DNS_TYPE_HTTPS 65  /**< RFC 9460 s9 */
#define DNS_TYPE_TSIG  250 /**< RFC 8945 s4.2 */
#define DNS_TYPE_IXFR  251 /**< RFC 1995 */
#define DNS_TYPE_AXFR  252 /**< RFC 5936 */

#define DNS_OPT_SIZE        11     /**< RFC 6891 s6.1.2: the root, and what every record has */
#define DNS_OPT_DO          0x8000 /**< RFC 3225 s3: in the lower half of the TTL */
#define DNS_OPTION_SIZE     4      /**< RFC 6891 s6.1.2: code and length */
#define DNS_OPTION_PADDING  12     /**< RFC 7830 s3 */
#define DNS_OPTION_EDE      15     /**< RFC 8914 s2 */
#define DNS_UDP_SIZE_MIN    512    /**< RFC 1035 s2.3.4: what every client takes; RFC 6891 s6.2.3 */
