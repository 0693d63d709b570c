/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * A question on its way through the tables: store_query.c walks, store_sort.c puts in order.
 */
#include "store/store_private.h"

/** A record that met the question, on its way to being sorted. */
struct store_hit {
	uint32_t ms;     /**< of the hour */
	uint32_t kind;   /**< enum store_kind */
	uint32_t name;   /**< in the bytes: size, wire form */
	uint32_t record; /**< in the bytes: size (2), value */
};

/** Records of one hour, or of some seconds of it. */
struct store_hits {
	struct store_hit *hits;
	size_t n, room, max;
	struct store_hit *spare; /**< for sorting */
	size_t spare_room;
	uint8_t *bytes;
	size_t used, bytes_room, bytes_max;
	uint32_t from_ms, to_ms;           /**< of the hour: only these are taken */
	uint32_t name;                     /**< where the name at hand is in the bytes */
	bool has_name;                     /**< it is there */
	bool full;                         /**< there are more than max: only the seconds are counted */
	uint32_t seconds[STORE_HOUR_MS / 1000]; /**< records in each second of the hour */
};

struct store_walk {
	struct store *store;
	const struct store_question *question;
	const struct store_visitor *visitor;
	struct store_progress progress;
	struct store_shelf *shelf;
	uint8_t hour;
	int64_t hour_ms;          /**< begin of the hour */
	struct store_hits *hits;  /**< NULL: by name */
	struct store_room room;   /**< of the record at hand */
	uint8_t name[DNS_NAME_SIZE_MAX];
	size_t name_size;
};

/** Goes through the tables of an hour and hands over what meets the question. */
int store_walk_hour(struct store_walk *walk);

struct store_hits *store_hits_create(size_t max);
void store_hits_destroy(struct store_hits *hits);

/** Take a record of the name at hand. @return 0 or -ENOMEM */
int store_hits_add(struct store_hits *hits, const struct store_walk *walk, enum store_kind kind,
	uint32_t ms, const uint8_t *value, size_t size);

/** All records of an hour, oldest first. */
int store_hour_by_time(struct store_walk *walk);
