/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Names of which the place of every label is known: against the labels of a deep record, and looked up
 * one at a time.
 */
#include "fqdn/fqdn_table_private.h"

/** Labels of a record and of a name, from the right, on their way to be compared. */
struct fqdn_labels {
	const uint8_t *listed, *end; /**< of the record; FQDN_SLACK bytes behind them can be read */
	const struct dns_labels *name;
	unsigned left; /**< labels of the name that are not compared yet: the leftmost ones */
};

/** Pass over labels that are the same, up to an end or to one that differs. Hot path. */
void fqdn_labels_pass(const struct fqdn_table *table, struct fqdn_labels *labels);

/** A name as look-ups take it; it borrows the same message. */
struct fqdn_name fqdn_name_of(const struct dns_labels *labels);
