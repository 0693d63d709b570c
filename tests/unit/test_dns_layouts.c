/* SPDX-License-Identifier: BSD-3-Clause */
/* Where names stand in RDATA, held against what ldns knows of each type. */
#include <string.h>

#include <criterion/criterion.h>
#include <ldns/ldns.h>

#include "dns/dns_rdata.h"

// RFC 3597 s4: types whose names were ever compressed.
static const uint16_t listed[] = {LDNS_RR_TYPE_NS, LDNS_RR_TYPE_MD, LDNS_RR_TYPE_MF,
	LDNS_RR_TYPE_CNAME, LDNS_RR_TYPE_SOA, LDNS_RR_TYPE_MB, LDNS_RR_TYPE_MG, LDNS_RR_TYPE_MR,
	LDNS_RR_TYPE_PTR, LDNS_RR_TYPE_MINFO, LDNS_RR_TYPE_MX, LDNS_RR_TYPE_RP, LDNS_RR_TYPE_AFSDB,
	LDNS_RR_TYPE_RT, LDNS_RR_TYPE_SIG, LDNS_RR_TYPE_PX, LDNS_RR_TYPE_NXT, LDNS_RR_TYPE_NAPTR,
	LDNS_RR_TYPE_SRV};

// RDATA with a sample of each field up to the last name.
struct sample {
	uint8_t bytes[256];
	uint16_t size;
	uint16_t names[8];
	int n_names;
};

static unsigned field_size(ldns_rdf_type type)
{
	switch (type) {
	case LDNS_RDF_TYPE_INT8:
	case LDNS_RDF_TYPE_ALG:
		return 1;
	case LDNS_RDF_TYPE_INT16:
	case LDNS_RDF_TYPE_TYPE:
	case LDNS_RDF_TYPE_CERT_ALG:
		return 2;
	case LDNS_RDF_TYPE_A:
	case LDNS_RDF_TYPE_INT32:
	case LDNS_RDF_TYPE_TIME:
	case LDNS_RDF_TYPE_PERIOD:
		return 4;
	default:
		return 0;
	}
}

// @return whether ldns knows the place of every name
static bool sample_make(uint16_t type, struct sample *sample)
{
	const ldns_rr_descriptor *row = ldns_rr_descript(type);

	memset(sample, 0, sizeof(*sample));
	for (size_t i = 0; i < ldns_rr_descriptor_maximum(row); i++) {
		ldns_rdf_type field = ldns_rr_descriptor_field_type(row, i);

		if (i >= row->_minimum && row->_variable == LDNS_RDF_TYPE_NONE)
			break;
		if (field == LDNS_RDF_TYPE_DNAME) {
			sample->names[sample->n_names++] = sample->size;
			memcpy(sample->bytes + sample->size, "\3www\xc0\x0c", 6);
			sample->size += 6;
		} else if (field == LDNS_RDF_TYPE_STR) {
			memcpy(sample->bytes + sample->size, "\2ab", 3);
			sample->size += 3;
		} else if (field_size(field)) {
			memset(sample->bytes + sample->size, 1, field_size(field));
			sample->size = (uint16_t)(sample->size + field_size(field));
		} else {
			return true;
		}
		if (sample->n_names == 8 || sample->size > 200 || i > 16)
			return true;
	}
	return true;
}

static int names_find(uint16_t type, const struct sample *sample, uint16_t at[DNS_RDATA_NAMES_MAX])
{
	uint8_t msg[300] = {0};
	const struct dns_rr rr = {
		.type = type, .class = DNS_CLASS_IN, .rdata = 30, .rdata_size = sample->size};

	memcpy(msg + 30, sample->bytes, sample->size);
	return dns_rdata_names(msg, &rr, at);
}

Test(dns_layouts, names_stand_where_ldns_has_them)
{
	unsigned n_types = 0;

	for (unsigned type = 1; type < 260; type++) {
		uint16_t at[DNS_RDATA_NAMES_MAX];
		struct sample sample;
		int n;

		sample_make((uint16_t)type, &sample);
		n = names_find((uint16_t)type, &sample, at);
		// Types that may not be compressed need not be known; OPT and the like have no names.
		if (n <= 0)
			continue;
		// Of these ldns knows nothing but octets.
		if (sample.n_names == 0 && (type == DNS_TYPE_SVCB || type == DNS_TYPE_HTTPS))
			continue;
		cr_expect(n == sample.n_names, "type %u: %d names, ldns has %d", type, n,
			sample.n_names);
		for (int i = 0; i < n && i < sample.n_names; i++)
			cr_expect(at[i] == 30 + sample.names[i], "type %u: name %d at %u, not %u",
				type, i, at[i] - 30, sample.names[i]);
		n_types++;
	}
	cr_expect(n_types >= sizeof(listed) / sizeof(listed[0]), "%u types", n_types);
}

Test(dns_layouts, every_type_of_rfc_3597_is_known)
{
	for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]); i++) {
		uint16_t at[DNS_RDATA_NAMES_MAX];
		struct sample sample;

		sample_make(listed[i], &sample);
		cr_expect(sample.n_names > 0 && names_find(listed[i], &sample, at) > 0,
			"type %u has no name", listed[i]);
	}
}
