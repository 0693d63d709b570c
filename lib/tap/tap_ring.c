/* SPDX-License-Identifier: BSD-3-Clause */
#include "tap/tap_ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int tap_ring_init(struct tap_ring *ring, size_t size)
{
	int fd = memfd_create("dnsweir-tap", MFD_CLOEXEC), err = 0;
	uint8_t *memory;

	memset(ring, 0, sizeof(*ring));
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	// Both halves are put into one piece of address space that is kept free for them.
	memory = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		err = -errno;
	for (unsigned i = 0; i < 2 && err == 0; i++)
		if (mmap(memory + i * size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			    fd, 0) == MAP_FAILED)
			err = -errno;
	close(fd);
	if (err < 0) {
		if (memory != MAP_FAILED)
			munmap(memory, 2 * size);
		return err;
	}
	ring->memory = memory;
	ring->size = size;
	return 0;
}

void tap_ring_free(struct tap_ring *ring)
{
	if (ring->memory)
		munmap(ring->memory, 2 * ring->size);
	ring->memory = NULL;
}
