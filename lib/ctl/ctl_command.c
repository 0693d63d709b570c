/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctl/ctl.h"

#include <stdio.h>
#include <string.h>

const struct ctl_command ctl_commands[] = {
	{"show version", "", "Version, process, uptime.", false, 5},
	{"show stats", "", "Every counter, with its labels.", false, 5},
	{"show verdicts", "", "What happened to packets, by reason.", false, 5},
	{"show responses", "", "DNS responses by response code and type.", false, 5},
	{"show lists", "", "Lists: action, names, names active today, filtered.", false, 5},
	{"show list", "NAME", "One list with its source, sinkholes and bad lines.", false, 5},
	{"show ports", "", "Ports: link, packets, drops.", false, 5},
	{"show workers", "", "Workers: lcore, load, packets, mirror ring.", false, 5},
	{"show mirror", "", "Mirror records: produced, taken, lost.", false, 5},
	{"show consent", "", "Consent table: prefixes, source, bad lines.", false, 5},
	{"show generation", "", "The tables in force and the last reload.", false, 5},
	{"show hits", "[N]", "The last N filtered responses, newest first (default 20).", false, 5},
	{"explain", "NAME", "Would NAME be filtered, by which list and rule?", false, 5},
	{"consent", "ADDRESS", "What the client at ADDRESS refuses, if anything.", false, 5},
	{"reload", "", "Read lists and consent again; answers when it is done.", true, 600},
	{NULL, NULL, NULL, false, 0},
};

