/* SPDX-License-Identifier: BSD-3-Clause */
#include "port.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_ethdev.h>

#define PORT_DESCRIPTORS 1024 // where neither the operator nor the driver says

static uint16_t descriptors(uint16_t wanted, uint16_t preferred, const struct rte_eth_desc_lim *lim)
{
	uint16_t n = wanted ? wanted : preferred ? preferred : PORT_DESCRIPTORS;

	if (lim->nb_max && n > lim->nb_max)
		n = lim->nb_max;
	if (n < lim->nb_min)
		n = lim->nb_min;
	return n;
}

uint32_t port_descriptors(uint16_t id, const struct port_options *options)
{
	struct rte_eth_dev_info info;

	if (rte_eth_dev_info_get(id, &info) != 0)
		return 0;
	return options->n_queues *
	       ((uint32_t)descriptors(options->rx_descriptors, info.default_rxportconf.ring_size,
			&info.rx_desc_lim) +
		       descriptors(options->tx_descriptors, info.default_txportconf.ring_size,
			       &info.tx_desc_lim));
}

// The key that hashes both directions of a flow alike: a 16-bit pattern over and over
// (Woo and Park, "Scalable TCP Session Monitoring with Symmetric Receive-side Scaling", 2012).
static void rss_key_fill(uint8_t *key, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		key[i] = i & 1 ? 0x5a : 0x6d;
}

static void eth_conf_fill(const struct rte_eth_dev_info *info, uint16_t n_queues, uint8_t *key,
	struct rte_eth_conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	// Frames of several mbufs come and go where the port can; no offload touches their bytes.
	conf->rxmode.offloads = info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	conf->txmode.offloads = info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	if (n_queues < 2 || info->flow_type_rss_offloads == 0)
		return;
	rss_key_fill(key, info->hash_key_size ? info->hash_key_size : 40);
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf.rss_key = key;
	conf->rx_adv_conf.rss_conf.rss_key_len = info->hash_key_size ? info->hash_key_size : 40;
	// Fragments have no ports: a port spreads them by their addresses, so that all of a datagram meet.
	conf->rx_adv_conf.rss_conf.rss_hf =
		info->flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP);
}

static int queues_set_up(
	struct port *port, const struct port_options *options, const struct rte_eth_dev_info *info)
{
	int socket = rte_eth_dev_socket_id(port->id), err;
	struct rte_eth_txconf txconf = info->default_txconf;
	struct rte_eth_rxconf rxconf = info->default_rxconf;

	port->rx_descriptors = descriptors(
		options->rx_descriptors, info->default_rxportconf.ring_size, &info->rx_desc_lim);
	port->tx_descriptors = descriptors(
		options->tx_descriptors, info->default_txportconf.ring_size, &info->tx_desc_lim);
	rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &port->rx_descriptors, &port->tx_descriptors);
	rxconf.offloads = info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	txconf.offloads = info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	for (uint16_t q = 0; q < options->n_queues; q++) {
		err = rte_eth_rx_queue_setup(port->id, q, port->rx_descriptors, (unsigned)socket,
			&rxconf, options->pool);
		if (err == 0)
			err = rte_eth_tx_queue_setup(
				port->id, q, port->tx_descriptors, (unsigned)socket, &txconf);
		if (err != 0)
			return err;
	}
	return 0;
}

// Ports that are a kernel interface underneath: their link is read, and set, there.
static int interface_flags(const char *ifname, short *flags, bool set)
{
	struct ifreq request = {0};
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (sock < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%.*s", IFNAMSIZ - 1, ifname);
	request.ifr_flags = *flags;
	if (ioctl(sock, set ? SIOCSIFFLAGS : SIOCGIFFLAGS, &request) < 0)
		err = -errno;
	*flags = request.ifr_flags;
	close(sock);
	return err;
}

static int interface_set(const char *ifname, bool up)
{
	short flags = 0;
	int err = interface_flags(ifname, &flags, false);

	if (err < 0)
		return err;
	flags = (short)(up ? flags | IFF_UP : flags & ~IFF_UP);
	return interface_flags(ifname, &flags, true);
}

int port_open(uint16_t id, const struct port_options *options, struct port *port, char *error,
	size_t error_size)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf;
	uint8_t key[256];
	int err;

	memset(port, 0, sizeof(*port));
	port->id = id;
	err = rte_eth_dev_info_get(id, &info);
	if (err != 0) {
		snprintf(error, error_size, "port %u: cannot be asked what it can do: %s", id,
			strerror(-err));
		return err;
	}
	snprintf(port->driver, sizeof(port->driver), "%s", info.driver_name);
	rte_eth_dev_get_name_by_port(id, port->name);
	if (info.if_index)
		if_indextoname(info.if_index, port->ifname);
	if (info.max_rx_queues < options->n_queues || info.max_tx_queues < options->n_queues) {
		snprintf(error, error_size,
			"port %u (%s): has %u receive and %u transmit queues, %u workers need as "
			"many each",
			id, port->name, info.max_rx_queues, info.max_tx_queues, options->n_queues);
		port->name[0] = '\0';
		return -EINVAL;
	}
	port->n_queues = options->n_queues;
	eth_conf_fill(&info, options->n_queues, key, &conf);
	port->rss = conf.rxmode.mq_mode == RTE_ETH_MQ_RX_RSS;
	err = rte_eth_dev_configure(id, options->n_queues, options->n_queues, &conf);
	if (err == 0 && options->mtu) {
		err = rte_eth_dev_set_mtu(id, options->mtu);
		if (err != 0) {
			snprintf(error, error_size,
				"port %u (%s): does not take [ports] mtu = %u: %s", id, port->name,
				options->mtu, strerror(-err));
			return err;
		}
	}
	if (err == 0)
		err = queues_set_up(port, options, &info);
	if (err == 0)
		err = rte_eth_dev_start(id);
	if (err != 0) {
		snprintf(error, error_size, "port %u (%s): cannot be started: %s", id, port->name,
			strerror(-err));
		return err;
	}
	// A port that has no filter of addresses need not support these.
	rte_eth_promiscuous_enable(id);
	rte_eth_allmulticast_enable(id);
	if (port->ifname[0])
		interface_set(port->ifname, true);
	rte_eth_dev_get_mtu(id, &port->mtu);
	return 0;
}

void port_close(struct port *port)
{
	if (!port->name[0])
		return;
	if (port->down_by_us)
		port_link_set(port, true);
	rte_eth_dev_stop(port->id);
	rte_eth_dev_close(port->id);
	port->name[0] = '\0';
}

void port_read(const struct port *port, struct port_state *state)
{
	struct rte_eth_stats stats = {0};
	struct rte_eth_link link = {0};

	memset(state, 0, sizeof(*state));
	rte_eth_stats_get(port->id, &stats);
	rte_eth_link_get_nowait(port->id, &link);
	state->up = port_link(port);
	state->mbps = link.link_speed;
	state->rx_packets = stats.ipackets;
	state->tx_packets = stats.opackets;
	state->rx_bytes = stats.ibytes;
	state->tx_bytes = stats.obytes;
	state->rx_missed = stats.imissed;
	state->rx_no_mbuf = stats.rx_nombuf;
	state->rx_errors = stats.ierrors;
	state->tx_errors = stats.oerrors;
}

bool port_link(const struct port *port)
{
	struct rte_eth_link link = {0};
	short flags = 0;

	// net_af_xdp says "up" whatever the interface says.
	if (port->ifname[0])
		return interface_flags(port->ifname, &flags, false) == 0 && (flags & IFF_UP) &&
		       (flags & IFF_RUNNING);
	return rte_eth_link_get_nowait(port->id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

int port_link_set(struct port *port, bool up)
{
	int err;

	if (port->ifname[0])
		err = interface_set(port->ifname, up);
	else
		err = up ? rte_eth_dev_set_link_up(port->id) : rte_eth_dev_set_link_down(port->id);
	if (err == 0)
		port->down_by_us = !up;
	return err;
}
