/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * The configuration file: one INI file, read whole, every key checked.
 *
 * One table for the box and one for the collector (conf_schema_*.c) say of each key its section, type, default,
 * limits and meaning. The loader, `--print-config` and the files in config/ come from them.
 *
 * Layer:   lib/conf; no EAL.
 * Threads: control only.
 */
#include <stdint.h>
#include <stdio.h>

#include "anon/anon.h"
#include "base/endpoint.h"
#include "policy/policy.h"

#define CONF_PATH_SIZE  1024 /**< file names, NUL included; iniparser's longest line is 1024 */
#define CONF_PAIRS_MAX  16   /**< port pairs */
#define CONF_ERROR_SIZE 4096
#define CONF_BOX_SIZE 256 /**< NUL included */

/** Whose file it is. */
enum conf_program {
	CONF_BOX,     /**< dnsweir, dnsweir-list */
	CONF_COLLECT, /**< dnsweir-collect */
};

enum conf_idle {
	CONF_IDLE_AUTO, /**< spin where the lcore has an isolated CPU to itself, else back off */
	CONF_IDLE_SPIN,
	CONF_IDLE_BACKOFF,
};

/** Whose answers make passive DNS. */
enum conf_sensors {
	CONF_SENSORS_ALL,
	CONF_SENSORS_CLIENT,   /**< those that clients get */
	CONF_SENSORS_RESOLVER, /**< those that resolvers get */
};

enum conf_canary {
	CONF_CANARY_PASS,
	CONF_CANARY_NXDOMAIN,
	CONF_CANARY_NODATA,
};

enum conf_format {
	CONF_FORMAT_AUTO, /**< a catalogue if the first line is its header, else names; never in a
			       list whose source ends in .hs: those have CONF_FORMAT_PATTERN */
	CONF_FORMAT_CATALOGUE,
	CONF_FORMAT_NAMES,
	CONF_FORMAT_PATTERN, /**< Hyperscan expressions */
	CONF_FORMAT_BUILT_IN, /**< the list of canary names; it has no source */
};

/** A pair of DPDK ports: what comes in at one side leaves at the other. */
struct conf_pair {
	uint16_t client;   /**< port id towards the clients */
	uint16_t resolver; /**< port id towards the resolvers */
};

/** What one [list NAME] section says besides its struct policy_list (same index). */
struct conf_list {
	char source[CONF_PATH_SIZE]; /**< absolute, or relative to the working directory */
	unsigned line;               /**< where the section starts */
	unsigned source_line;        /**< where `source` stands */
	enum conf_format format;
	unsigned min_labels; /**< fewest labels of a rule for a whole subtree */
};

struct conf {
	char path[CONF_PATH_SIZE];

	/* [ports] */
	unsigned n_pairs; /**< 0: all ports in order, 0:1 2:3 ... */
	struct conf_pair pairs[CONF_PAIRS_MAX];
	unsigned rx_descriptors; /**< 0: what the port prefers */
	unsigned tx_descriptors; /**< 0: what the port prefers */
	unsigned mbufs;          /**< in the packet pool; 0: reckoned from ports and workers */
	unsigned mbuf_size;      /**< bytes of a frame that fit one mbuf */
	unsigned mtu;            /**< of each port, bytes; 0: as the port has it */
	bool link_propagate;     /**< show the link state of one side to the other */

	/* [workers] */
	enum conf_idle idle;
	unsigned idle_sleep_max_us;

	/* [streams]; each for every worker and port pair */
	unsigned stream_connections; /**< followed at once */
	unsigned stream_memory;      /**< MiB for messages of which a part came, and edits to repeat */
	unsigned stream_segments;    /**< held at once */
	unsigned stream_hold_ms;     /**< longest that a message's part is held for the rest */
	unsigned stream_gap_ms;      /**< longest that segments wait for one before them */

	/* [fragments]; each for every worker and port pair */
	unsigned fragment_datagrams; /**< of which a part came, at once */
	unsigned fragment_packets;   /**< held at once */
	unsigned fragment_hold_ms;   /**< longest that they are held */

	/* [mirror] */
	bool mirror_enabled;        /**< no: workers have no ring */
	unsigned mirror_ring_slots; /**< 64-byte slots of each worker's ring, a power of two */

	/* [anonymise] */
	struct anon_config anonymise;
	char anonymise_key_file[CONF_PATH_SIZE]; /**< not looked at here; empty: none */
	unsigned anonymise_key_line;
	/* [tap] */
	struct endpoints tap_sockets, tap_tcp, tap_tls; /**< destinations; none: nothing is sent */
	char tap_tls_ca[CONF_PATH_SIZE], tap_tls_certificate[CONF_PATH_SIZE], tap_tls_key[CONF_PATH_SIZE];
	char tap_tls_name[256];                /**< in a collector's certificate; empty: its address */
	unsigned tap_connections;              /**< to each destination */
	unsigned tap_queue;                    /**< MiB, of each connection; a power of two */
	unsigned tap_sample;                   /**< 1 in so many of the responses without a rule */
	char tap_identity[64];                 /**< empty: the host's name */

	/* [time] */
	char time_zone[128]; /**< tz database name; empty: the system's */

	/* [collect] */
	struct endpoints collect_sockets, collect_tcp, collect_tls; /**< where senders come to; at most ENDPOINTS_MAX */
	char collect_tls_ca[CONF_PATH_SIZE], collect_tls_certificate[CONF_PATH_SIZE];
	char collect_tls_key[CONF_PATH_SIZE];
	char collect_tls_senders[CONF_PATH_SIZE];      /**< names between blanks or commas; empty: all of the CA */
	char collect_group[64];                        /**< group that may use the sockets */
	char collect_store[CONF_PATH_SIZE];            /**< folder */
	unsigned collect_days;                         /**< kept */
	struct endpoints collect_sinkhole;             /**< paths of logs that are followed */

	/* [api] */
	struct endpoints api_listen;          /**< TLS but on loopback; none: no API */
	char api_certificate[CONF_PATH_SIZE]; /**< empty: one of our own */
	char api_key[CONF_PATH_SIZE];         /**< of the certificate; both or none */
	char api_client_ca[CONF_PATH_SIZE];   /**< empty: clients are asked for no certificate */
	bool api_client_required;             /**< they have to show one */
	struct endpoints api_boxes;           /**< control sockets whose counters are shown */
	unsigned api_connections;             /**< at once, to each address */
	unsigned api_rate;                    /**< requests a second of each who asks */

	/* [pdns] */
	char pdns_store[CONF_PATH_SIZE]; /**< folder of the dataset; empty: none is kept */
	unsigned pdns_window_s;          /**< longest that anything waits, seconds */
	unsigned pdns_memory;            /**< of what waits, MiB */
	unsigned pdns_cache;             /**< of what was read, MiB */
	enum conf_sensors pdns_sensors;
	char pdns_networks[CONF_PATH_SIZE]; /**< CSV file; empty: none */
	unsigned pdns_feed_size;         /**< of the feed on the disk, MiB; 0: there is none */
	unsigned pdns_feed_days;         /**< that its rows are kept */
	unsigned pdns_dump_days;         /**< that daily dumps are kept; 0: none are made */

	/* [totals] */
	char totals_file[CONF_PATH_SIZE]; /**< empty: none are kept */
	char totals_box[CONF_BOX_SIZE]; /**< empty: as lib/totals has it */

	/* [control] */
	char control_socket[108]; /**< empty: none */
	char control_group[64];   /**< group that may use the socket; empty: root's */

	/* [lists] */
	char compiled[CONF_PATH_SIZE]; /**< compiled generation; empty: the lists' sources are read */
	unsigned compiled_line;

	/* [consent] */
	char consent_source[CONF_PATH_SIZE]; /**< empty: everybody consents */
	unsigned consent_source_line;

	/* [canary] */
	enum conf_canary canary; /**< is the action of the last list, which holds these names */

	/* [sinkhole], [filter], [list NAME] */
	struct policy policy;
	struct conf_list lists[POLICY_LISTS_MAX];
};

/**
 * Read and check a configuration.
 *
 * Relative file names in it are taken from the folder of the file. Files named by `source` must
 * exist and be readable; with `compiled` set it is that file instead of the lists' sources.
 *
 * @param path   the INI file
 * @param error  [out] on failure one line without a newline: "FILE:LINE: what was expected, what
 *               was there"; CONF_ERROR_SIZE bytes
 * @return the configuration (taken, free with conf_free), or NULL
 */
struct conf *conf_load(const char *path, char *error);

/** The same for a program that reads the lists' sources, whatever `compiled` says. */
struct conf *conf_load_sources(const char *path, char *error);

/** The same for dnsweir-collect, whose file has other sections. */
struct conf *conf_load_collect(const char *path, char *error);

/** Whether responses are sent as dnstap. */
static inline bool conf_taps(const struct conf *conf)
{
	return conf->tap_sockets.n + conf->tap_tcp.n + conf->tap_tls.n > 0;
}

/** Free @p conf; NULL is allowed. */
void conf_free(struct conf *conf);

/** Words for the operator about what is legal but hardly meant, one line each, until it returns NULL.
 * @param i 0, 1, ...   @param text CONF_ERROR_SIZE bytes */
const char *conf_warning(const struct conf *conf, unsigned i, char *text);

/** Write the commented file with every key at its default: config/dnsweir.ini is this text. */
void conf_print(FILE *out, enum conf_program program);
