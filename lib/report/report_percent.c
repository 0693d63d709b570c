/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/report.h"

__extension__ typedef unsigned __int128 uint128; // the largest integer there is; no other spelling

char *report_percent(uint64_t part, uint64_t whole, char text[REPORT_PERCENT_SIZE])
{
	uint128 units = part;
	char digits[REPORT_PERCENT_SIZE];
	unsigned n = 0;
	char *to = text;

	// 10^17 of the share are one unit of the 15th decimal of a percentage. 2^64 * 10^17 is less
	// than 2^121, so nothing is lost but what the division cuts off.
	for (unsigned i = 0; i < REPORT_DECIMALS + 2; i++)
		units *= 10;
	units /= whole;
	do {
		digits[n++] = (char)('0' + (unsigned)(units % 10));
		units /= 10;
	} while (units || n <= REPORT_DECIMALS);
	while (n > 0) {
		*to++ = digits[--n];
		if (n == REPORT_DECIMALS)
			*to++ = '.';
	}
	*to++ = '%';
	*to = '\0';
	return text;
}
