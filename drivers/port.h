/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Ethernet ports: open with one queue pair for each worker, watch the link, read what the port counts.
 *
 * Layer:   drivers; DPDK ethdev.
 * Threads: control only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mempool.h>

#define PORT_NAME_SIZE 64

struct port_options {
	uint16_t n_queues;       /**< receive and transmit queues, one of each for a worker */
	uint16_t rx_descriptors; /**< 0: what the port prefers */
	uint16_t tx_descriptors; /**< 0: what the port prefers */
	uint16_t mtu;            /**< bytes; 0: as the port has it */
	struct rte_mempool *pool;
};

/** What port_open settled on. */
struct port {
	uint16_t id;
	char name[PORT_NAME_SIZE]; /**< DPDK's device name */
	char driver[PORT_NAME_SIZE];
	char ifname[PORT_NAME_SIZE]; /**< kernel interface behind it, "" if none */
	uint16_t n_queues, rx_descriptors, tx_descriptors, mtu;
	bool rss; /**< symmetric RSS spreads packets over the queues */
	bool down_by_us; /**< taken down because its partner is down */
};

/** Descriptors that port @p id would use in all its queues: for the size of the packet pool. */
uint32_t port_descriptors(uint16_t id, const struct port_options *options);

/**
 * Configure and start a port: promiscuous, all multicast, no offload that changes a frame,
 * symmetric RSS where there are several queues and the port has it.
 *
 * @param port  [out]
 * @param error [out] one line on failure
 * @return 0, or -errno
 */
int port_open(uint16_t id, const struct port_options *options, struct port *port, char *error,
	size_t error_size);

/** Stop and close; a port that was not opened (name "") is left alone. */
void port_close(struct port *port);

struct port_state {
	bool up;
	uint32_t mbps;          /**< UINT32_MAX: unknown */
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes; /**< as the port counts */
	uint64_t rx_missed;     /**< no descriptor was free: the port dropped them */
	uint64_t rx_no_mbuf;    /**< the packet pool was empty */
	uint64_t rx_errors, tx_errors;
};

void port_read(const struct port *port, struct port_state *state);

/** Whether there is a link. */
bool port_link(const struct port *port);

/** Take the port's link up or down, so that what is plugged in sees it. @return 0, or -errno */
int port_link_set(struct port *port, bool up);
