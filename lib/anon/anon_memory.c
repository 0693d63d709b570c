/* SPDX-License-Identifier: BSD-3-Clause */
#include "anon/anon_private.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

void *anon_memory_create(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int err;

	if (memory == MAP_FAILED)
		return NULL;
	if (mlock(memory, size) == 0 && madvise(memory, size, MADV_DONTDUMP) == 0)
		return memory;
	err = errno;
	munmap(memory, size);
	errno = err;
	return NULL;
}

void anon_memory_destroy(void *memory, size_t size)
{
	if (!memory)
		return;
	explicit_bzero(memory, size);
	munmap(memory, size);
}
