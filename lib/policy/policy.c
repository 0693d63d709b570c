/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/policy.h"

#include <string.h>

const char *policy_action_name(enum policy_action action)
{
	static const char *const names[POLICY_ACTIONS] = {
		[POLICY_SINKHOLE] = "sinkhole",
		[POLICY_LOG] = "log",
		[POLICY_ALLOW] = "allow",
		[POLICY_NXDOMAIN] = "nxdomain",
		[POLICY_NODATA] = "nodata",
		[POLICY_DROP] = "drop",
		[POLICY_TCP_ONLY] = "tcp-only",
	};

	return names[action];
}

void policy_sinkhole_fill(struct policy_sinkhole *sinkhole)
{
	if (sinkhole->n_ipv4 == 0)
		memset(sinkhole->ipv4[sinkhole->n_ipv4++], 0, sizeof(sinkhole->ipv4[0]));
	if (sinkhole->n_ipv6 == 0)
		memset(sinkhole->ipv6[sinkhole->n_ipv6++], 0, sizeof(sinkhole->ipv6[0]));
}
