/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "base/log.h"
#include "hush.h"
#include "start.h"

static bool eal_up;

// Some failures have one usual cause, and it is not in what EAL says.
static const char *advice(const char *said)
{
	if (strstr(said, "hugepage"))
		return "no huge pages: reserve some (sysctl vm.nr_hugepages) or start with "
		       "--no-huge "
		       "-m 256: ";
	return "";
}

// EAL goes on without a --vdev that does not come up; a wire with one end is no wire.
static int vdevs_check(int argc, char **argv, const char *said, char *error)
{
	for (int i = 1; i < argc; i++) {
		const char *device = NULL;
		char name[RTE_ETH_NAME_MAX_LEN];
		uint16_t id;

		if (strncmp(argv[i], "--vdev=", 7) == 0)
			device = argv[i] + 7;
		else if (strcmp(argv[i], "--vdev") == 0 && i + 1 < argc)
			device = argv[++i];
		if (!device || strncmp(device, "net_", 4) != 0)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, ","), device);
		if (rte_eth_dev_get_port_by_name(name, &id) == 0)
			continue;
		snprintf(error, APP_ERROR_SIZE, "--vdev %s: the device did not come up%s%s", device,
			said[0] ? ": " : "", said);
		return -1;
	}
	return 0;
}

// Of one object what is the same as in its file. @return 0: go on with the next
static int object_lock(struct dl_phdr_info *object, size_t size, void *ctx)
{
	(void)size;
	(void)ctx;
	for (unsigned i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];

		if (part->p_type == PT_LOAD && !(part->p_flags & PF_W) &&
			mlock((const void *)(object->dlpi_addr + part->p_vaddr), part->p_memsz) < 0)
			return errno;
	}
	return 0;
}

// Code that was not run for long the kernel may drop; then a worker waits for a disk. Drivers are loaded by now.
static void program_lock(void)
{
	int err = dl_iterate_phdr(object_lock, NULL);

	if (err)
		log_line(LOG_WARN,
			"the program may have to be read from disk again while packets wait: mlock: %s; "
			"expected a higher limit of locked memory (ulimit -l)",
			strerror(err));
}

int start_eal(int argc, char **argv, char *error)
{
	char said[APP_ERROR_SIZE / 2] = "";
	bool help = false;
	int n;

	for (int i = 1; i < argc; i++)
		help |= strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0;
	if (!help)
		hush_begin();
	n = rte_eal_init(argc, argv);
	if (!help)
		hush_end(said, sizeof(said));
	if (n < 0) {
		snprintf(error, APP_ERROR_SIZE, "%s%s", advice(said),
			said[0] ? said : rte_strerror(rte_errno));
		return -1;
	}
	eal_up = true;
	program_lock();
	if (n + 1 < argc) {
		snprintf(error, APP_ERROR_SIZE, "%s: EAL does not know this argument", argv[n + 1]);
		return -1;
	}
	return vdevs_check(argc, argv, said, error);
}

void stop_eal(void)
{
	if (eal_up)
		rte_eal_cleanup();
	eal_up = false;
}
