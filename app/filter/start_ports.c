/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "base/log.h"
#include "hush.h"
#include "port_pool.h"
#include "start.h"

#define POOL_CACHE  256
#define AF_XDP_FILL 4096 // mbufs that a net_af_xdp queue keeps in its fill and completion rings

// Pairs from the configuration, or all ports two by two.
int start_pairs(char *error)
{
	struct conf_pair *pairs = app.pairs;
	unsigned available = rte_eth_dev_count_avail(), n = 0;
	uint16_t id;

	if (available == 0) {
		snprintf(error, APP_ERROR_SIZE,
			"no port: bind a NIC to a DPDK driver or give EAL a --vdev or -a");
		return -1;
	}
	if (available % 2) {
		snprintf(error, APP_ERROR_SIZE,
			"expected an even number of ports, a client and a resolver side each, EAL "
			"has %u",
			available);
		return -1;
	}
	if (app.conf->n_pairs > 0) {
		app.n_pairs = app.conf->n_pairs;
		memcpy(pairs, app.conf->pairs, sizeof(app.conf->pairs));
		for (unsigned i = 0; i < 2 * app.n_pairs; i++) {
			id = i % 2 ? pairs[i / 2].resolver : pairs[i / 2].client;
			if (!rte_eth_dev_is_valid_port(id)) {
				snprintf(error, APP_ERROR_SIZE,
					"%s: [ports] pairs: expected ports that EAL has (0 to %u), "
					"got %u",
					app.conf->path, available - 1, id);
				return -1;
			}
		}
		return 0;
	}
	if (available > APP_PORTS_MAX) {
		snprintf(error, APP_ERROR_SIZE, "expected at most %u ports, EAL has %u",
			APP_PORTS_MAX, available);
		return -1;
	}
	RTE_ETH_FOREACH_DEV(id)
	{
		if (n % 2)
			pairs[n / 2].resolver = id;
		else
			pairs[n / 2].client = id;
		n++;
	}
	app.n_pairs = n / 2;
	return 0;
}

static uint32_t pool_size(const struct port_options *options)
{
	uint32_t held = app.n_workers * app.n_pairs *
			(app.conf->fragment_packets + app.conf->stream_segments);
	uint32_t n = app.n_workers * (2 * POOL_CACHE + 4 * BURST_MAX * (app.n_pairs + 1)) + held;

	// What is held must not leave ports without buffers, whatever size was asked for.
	if (app.conf->mbufs)
		return app.conf->mbufs + held;
	for (unsigned i = 0; i < 2 * app.n_pairs; i++) {
		uint16_t id = i % 2 ? app.pairs[i / 2].resolver : app.pairs[i / 2].client;

		n += port_descriptors(id, options);
		if (port_needs_umem(id))
			n += options->n_queues * AF_XDP_FILL;
	}
	return n;
}

// One pool for all ports: a frame leaves by another than it came in by.
static int pool_make(const struct port_options *options, char *error)
{
	uint32_t n = pool_size(options), object_size;
	bool umem = false;

	for (unsigned i = 0; i < 2 * app.n_pairs; i++)
		umem |= port_needs_umem(
			i % 2 ? app.pairs[i / 2].resolver : app.pairs[i / 2].client);
	object_size = port_pool_object_size((uint16_t)app.conf->mbuf_size, umem);
	if (object_size == 0) {
		snprintf(error, APP_ERROR_SIZE,
			"[ports] mbuf_size = %u: a buffer of an AF_XDP port has to fit into a page",
			app.conf->mbuf_size);
		return -1;
	}
	app.pool = port_pool_create("packets", n, POOL_CACHE, (uint16_t)app.conf->mbuf_size, umem);
	if (app.pool)
		return 0;
	snprintf(error, APP_ERROR_SIZE,
		"packet pool of %u mbufs (about %u MiB): %s; give EAL more memory (-m) or set "
		"[ports] mbufs or rx_descriptors",
		n, (unsigned)((uint64_t)n * object_size >> 20), rte_strerror(rte_errno));
	return -1;
}

static int ports_open(const struct port_options *options, char *error)
{
	for (unsigned i = 0; i < 2 * app.n_pairs; i++) {
		uint16_t id = i % 2 ? app.pairs[i / 2].resolver : app.pairs[i / 2].client;

		app.n_ports = i + 1;
		if (port_open(id, options, &app.ports[i], error, APP_ERROR_SIZE) < 0)
			return -1;
	}
	return 0;
}

static void mtus_compare(void)
{
	for (unsigned i = 0; i < app.n_ports; i += 2)
		if (app.ports[i].mtu != app.ports[i + 1].mtu)
			log_line(LOG_WARN,
				"ports %u and %u: MTU %u and %u, frames above the smaller one "
				"cannot pass",
				app.ports[i].id, app.ports[i + 1].id, app.ports[i].mtu,
				app.ports[i + 1].mtu);
}

int start_ports(char *error)
{
	struct port_options options = {
		.n_queues = (uint16_t)app.n_workers,
		.rx_descriptors = (uint16_t)app.conf->rx_descriptors,
		.tx_descriptors = (uint16_t)app.conf->tx_descriptors,
		.mtu = (uint16_t)app.conf->mtu,
	};
	char said[APP_ERROR_SIZE / 2];
	int err;

	if (pool_make(&options, error) < 0)
		return -1;
	options.pool = app.pool;
	// Drivers and the libraries under them talk a lot; it is worth reading when they fail.
	hush_begin();
	err = ports_open(&options, error);
	hush_end(said, sizeof(said));
	if (err < 0 && said[0])
		snprintf(error + strlen(error), APP_ERROR_SIZE - strlen(error), " (%s)", said);
	if (err == 0)
		mtus_compare();
	return err;
}

void stop_ports(void)
{
	char said[256];

	hush_begin();
	for (unsigned i = 0; i < app.n_ports; i++)
		port_close(&app.ports[i]);
	hush_end(said, sizeof(said));
	app.n_ports = 0;
	rte_mempool_free(app.pool);
	app.pool = NULL;
}
