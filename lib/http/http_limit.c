/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>

#include <xxhash.h>

#include "http/http_private.h"

void http_limits_init(struct http_limits *limits)
{
	pthread_mutex_init(&limits->lock, NULL);
	// Nobody shall be able to choose whose slot theirs is.
	if (getrandom(&limits->seed, sizeof(limits->seed), 0) != sizeof(limits->seed))
		limits->seed = (uint64_t)http_now_ms();
}

// Who has one address of IPv6 has a /64.
static uint64_t address_hash(const struct http_limits *limits, const struct sockaddr *address)
{
	uint8_t octets[8] = {0};

	if (address->sa_family == AF_INET)
		memcpy(octets, &((const struct sockaddr_in *)address)->sin_addr, 4);
	else if (address->sa_family == AF_INET6)
		memcpy(octets, &((const struct sockaddr_in6 *)address)->sin6_addr, 8);
	return XXH3_64bits_withSeed(octets, sizeof(octets), limits->seed);
}

bool http_limits_take(
	struct http_limits *limits, const struct sockaddr *address, int64_t now_ms, unsigned rate)
{
	uint64_t slot = address_hash(limits, address) % HTTP_LIMIT_SLOTS;
	bool may;

	pthread_mutex_lock(&limits->lock);
	may = http_rate_take(&limits->slots[slot], now_ms, rate);
	pthread_mutex_unlock(&limits->lock);
	return may;
}
