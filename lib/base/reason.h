/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Why a packet left as it did. Each packet gets exactly one reason, so their counters add up to the
 * packets received. The list gives the enum, the counter, its name and the words for the operator.
 *
 * Order: how far the packet got on its way through the pipeline.
 */
#include <stdbool.h>

#define REASONS(REASON)                                                                            \
	REASON(oversize, "frame larger than 65,535 bytes, not inspected")                          \
	REASON(snapped, "frame ends before its headers or its IP packet do")                       \
	REASON(non_ip, "neither IPv4 nor IPv6 (ARP, LLDP, STP, MPLS, ...)")                        \
	REASON(bad_ip, "IP header that contradicts itself")                                        \
	REASON(fragment, "IP fragment of something else than a DNS response over UDP")             \
	REASON(fragment_bad, "IP fragment with a size or offset that receivers do not take")       \
	REASON(fragment_incomplete, "IP fragment of a datagram whose rest did not come in time")   \
	REASON(fragment_limit, "IP fragment, more datagrams or packets of them than are held")     \
	REASON(fragment_overlap, "IP fragments that contradict each other, dropped (RFC 5722)")    \
	REASON(fragment_repeated, "IP fragment, not sent: a copy, maybe, of one that was changed")  \
	REASON(fragment_cut, "IP fragment behind the end of an answer that got shorter, dropped")  \
	REASON(ipsec, "authenticated by AH, a rewrite would break it")                             \
	REASON(source_routed, "IPv6 with segments left in a routing header")                       \
	REASON(not_udp, "IP, but neither UDP nor DNS over TCP")                                    \
	REASON(tcp_dns, "TCP from or to a DNS port, without octets of a response")                 \
	REASON(bad_tcp, "TCP header that contradicts the IP packet")                               \
	REASON(stream_unknown, "TCP from a DNS port, inside a message whose begin was not seen")   \
	REASON(stream_repeated, "TCP with octets that went before, changed as the first time")     \
	REASON(stream_partial, "TCP with the begin of a message, sent before there was a record")  \
	REASON(stream_gap, "TCP, unfiltered: octets before it were missing for too long")          \
	REASON(stream_limit, "TCP, unfiltered: there was no room left to follow it")               \
	REASON(stream_framing, "TCP, unfiltered: what it carries is not DNS messages")             \
	REASON(bad_udp, "UDP length that contradicts the IP packet")                               \
	REASON(other_port, "UDP, not from a DNS port")                                             \
	REASON(other_server, "from a DNS port of a server that is not watched")                    \
	REASON(short_message, "UDP payload shorter than a DNS header")                             \
	REASON(query, "DNS query")                                                                 \
	REASON(client_side, "DNS response that came from the client side")                         \
	REASON(no_log, "DNS response to a client that refused logging")                            \
	REASON(opcode, "DNS response with an opcode other than QUERY")                             \
	REASON(bad_label, "label type that RFC 1035 reserves")                                     \
	REASON(bad_pointer, "compression pointer that does not point back, or too many in a row")  \
	REASON(long_name, "name of more than 255 octets")                                          \
	REASON(short_record, "message ends inside a question or an answer record")                 \
	REASON(name_limit, "more names, or deeper ones, than are looked up in one message")        \
	REASON(no_filter, "DNS response to a client that refused filtering")                       \
	REASON(miss, "DNS response without a listed name")                                         \
	REASON(allowed, "listed name that an allow list exempts")                                  \
	REASON(logged, "listed name, and the list only logs")                                      \
	REASON(signed_message, "listed name, but signed as a whole (TSIG, SIG(0))")                \
	REASON(signed_answer, "listed name, but DNSSEC signatures that its list leaves alone")     \
	REASON(transfer, "listed name, but in a zone transfer (AXFR, IXFR)")                       \
	REASON(over_tcp, "listed name over TCP, where its list lets it pass")                      \
	REASON(no_address, "listed name, but no address in the response")                          \
	REASON(no_sinkhole, "listed name, but no sinkhole of its address family")                  \
	REASON(fallback, "listed name, addresses replaced, since TCP has no room for the action")  \
	REASON(rewritten, "listed name, its addresses replaced by the sinkhole's")                 \
	REASON(answered, "listed name without an address, answered with the sinkhole's")           \
	REASON(truncated, "listed name, emptied so that the client asks over TCP")                 \
	REASON(nodata, "listed name, emptied: there is no such record")                            \
	REASON(nxdomain, "listed name, emptied: the name does not exist")                          \
	REASON(dropped, "listed name, not sent on")

enum reason {
	REASON_none, /**< not decided yet; never leaves the pipeline */
#define REASON_ENUM(name, text) REASON_##name,
	REASONS(REASON_ENUM)
#undef REASON_ENUM
		REASON_COUNT,
};

/** Whether a response was changed, or not sent at all: the reasons from `fallback` on. */
static inline bool reason_is_filtered(enum reason reason)
{
	return reason >= REASON_fallback;
}

/** Name as in counters ("bad_ip"); "none" for REASON_none. */
const char *reason_name(enum reason reason);

/** One sentence for the operator. */
const char *reason_text(enum reason reason);
