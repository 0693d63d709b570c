/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines of the sinkhole's logs: what is read of them is a contact that can be stored and read back.
 */
#include <stdlib.h>
#include <string.h>

#include "contact/contact.h"
#include "fuzz/fuzz.h"
#include "store/store_contact_private.h"

static void stored_check(const struct store_contact *contact)
{
	uint8_t key[STORE_CONTACT_KEY_MAX], value[STORE_CONTACT_VALUE_SIZE];
	uint32_t ms = (uint32_t)(contact->first_ms % STORE_HOUR_MS);
	char name[STORE_CONTACT_NAME_MAX + 1];
	struct store_contact again;
	size_t size = store_contact_row_make(contact, 0, ms, key, value);

	store_be64(key + size, 7);
	FUZZ_CHECK(size + 8 <= sizeof(key));
	FUZZ_CHECK(store_contact_key_read(key, size + 8, &again, name));
	FUZZ_CHECK(store_contact_value_read(value, sizeof(value), contact->first_ms - ms, &again));
	FUZZ_CHECK(strcmp(again.name, contact->name) == 0 && again.named == contact->named);
	FUZZ_CHECK(memcmp(&again.client, &contact->client, sizeof(again.client)) == 0);
	FUZZ_CHECK(again.first_ms == contact->first_ms && again.last_ms == contact->last_ms);
	FUZZ_CHECK(again.port == contact->port && again.client_port == contact->client_port);
	FUZZ_CHECK(again.protocol == contact->protocol && again.n == 1);
}

static bool name_is_clean(const char *name)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-:[]?") == strlen(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[STORE_CONTACT_NAME_MAX + 1];
	uint8_t *line = fuzz_copy(data, size);
	struct store_contact contact;

	if (contact_line_parse((const char *)line, size, &contact, name) == 0) {
		FUZZ_CHECK(contact.first_ms > 0 && contact.first_ms == contact.last_ms);
		FUZZ_CHECK(contact.port != 0 && contact.n == 1);
		FUZZ_CHECK(contact.protocol == 6 || contact.protocol == 17);
		FUZZ_CHECK((contact.named == STORE_NAMED_NONE) == (*contact.name == '\0'));
		FUZZ_CHECK(name_is_clean(contact.name));
		stored_check(&contact);
	}
	free(line);
	return 0;
}
