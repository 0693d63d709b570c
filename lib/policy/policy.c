/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/policy.h"

const char *policy_action_name(enum policy_action action)
{
	static const char *const names[POLICY_ACTIONS] = {
		[POLICY_SINKHOLE] = "sinkhole",
		[POLICY_LOG] = "log",
		[POLICY_ALLOW] = "allow",
	};

	return names[action];
}
