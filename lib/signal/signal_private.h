/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * What the files of lib/signal share.
 */
#include "signal/signal.h"

/** Names by their hashes. All zeroes: none. */
struct signal_set {
	uint64_t *slots; /**< 0: free */
	size_t n, n_slots;
};

/** @return 1: it is new, 0: it was there, or -ENOMEM */
int signal_set_add(struct signal_set *set, const uint8_t *name, size_t size);

/** Have none, keep the room. */
void signal_set_clear(struct signal_set *set);
void signal_set_free(struct signal_set *set);

/** Where the base domain of a name is in it, octets. @param name wire form, lower case */
size_t signal_base_at(const uint8_t *name);
