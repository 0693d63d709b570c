/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Tuples as JSON objects of the passive DNS Common Output Format.
 *
 * Layer:   lib/pdns.
 * Threads: any; pure functions but for the dataset.
 * Source:  draft-dulaunoy-dnsop-passive-dns-cof-13.
 */
#include <jansson.h>

#include "pdns/pdns.h"

/**
 * Make the object of a row.
 *
 * @param sensor sensor_id; NULL: none
 * @param dots   whether names end with a dot
 * @return taken by the caller; NULL: memory is short
 */
json_t *pdns_cof_make(const struct pdns_row *row, const char *sensor, bool dots);

/**
 * Put what an object says into a dataset: a tuple for each RDATA. Members that are not known are
 * passed over.
 *
 * @param pdns  NULL: it is only looked at
 * @param class of objects whose sensor_id is no pdns_class_name()
 * @param why   [out] with -EINVAL: what was expected; static
 * @return tuples, -EINVAL, or what pdns_put returns
 */
int pdns_cof_put(struct pdns *pdns, const json_t *object, enum pdns_class class, const char **why);
