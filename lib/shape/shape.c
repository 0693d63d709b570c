/* SPDX-License-Identifier: BSD-3-Clause */
#include "shape/shape.h"

#include <idn2.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/uspoof.h>
#include <unicode/utf8.h>

#define LABEL_MAX 63 // RFC 1035 s2.3.4
#define CHAR_NAME 128

static USpoofChecker *checker;
static pthread_once_t checker_once = PTHREAD_ONCE_INIT;

static void checker_open(void)
{
	UErrorCode error = U_ZERO_ERROR;

	checker = uspoof_open(&error);
	if (U_FAILURE(error))
		checker = NULL;
}

static uint8_t lower(uint8_t c)
{
	return (uint8_t)(c + ((uint8_t)(c - 'A') < 26 ? 32 : 0));
}

size_t shape_text(const uint8_t *label, char text[SHAPE_TEXT_SIZE])
{
	size_t n = label[0] < LABEL_MAX ? label[0] : LABEL_MAX;
	char *decoded = NULL;

	for (size_t i = 0; i < n; i++)
		text[i] = (char)lower(label[1 + i]);
	text[n] = '\0';
	// An octet 0 would end the text for everybody who reads it.
	if (n < 4 || strncmp(text, "xn--", 4) != 0 || strlen(text) != n)
		return strlen(text);
	if (idn2_to_unicode_8z8z(text, &decoded, 0) == IDN2_OK && *decoded &&
		strlen(decoded) < SHAPE_TEXT_SIZE) {
		n = strlen(decoded);
		memcpy(text, decoded, n + 1);
	}
	idn2_free(decoded);
	return n;
}

// The letter that a character's name says it is one of: "LATIN SMALL LETTER O WITH HORN".
static char letter_named(UChar32 c)
{
	static const char *const starts[] = {"LATIN SMALL LETTER SCRIPT ",
		"LATIN SMALL LETTER DOTLESS ", "LATIN SMALL LETTER ",
		"LATIN LETTER SMALL CAPITAL "};
	UErrorCode error = U_ZERO_ERROR;
	char name[CHAR_NAME];

	u_charName(c, U_UNICODE_CHAR_NAME, name, sizeof(name), &error);
	if (U_FAILURE(error))
		return 0;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		size_t n = strlen(starts[i]);

		if (strncmp(name, starts[i], n) == 0 && (uint8_t)(name[n] - 'A') < 26 &&
			(name[n + 1] == '\0' || name[n + 1] == ' '))
			return (char)lower((uint8_t)name[n]);
	}
	return 0;
}

// Letters that are taken for others although neither their names nor the skeletons say so.
static char letter_odd(UChar32 c)
{
	static const struct {
		uint16_t c;
		char letter;
	} odd[] = {
		{0x0251, 'a'}, {0x0259, 'a'},                // alpha, schwa
		{0x0185, 'b'}, {0x044c, 'b'}, {0x0432, 'b'}, // tone six, soft sign, ve
		{0x0269, 'i'}, {0x01bf, 'p'},                // iota, wynn
		{0x0138, 'k'}, {0x043a, 'k'}, {0x03ba, 'k'}, // kra, ka, kappa
		{0x043c, 'm'}, {0x043d, 'h'}, {0x0442, 't'}, // em, en, te
		{0x050d, 'g'}, {0x04cf, 'l'}, {0x0475, 'v'}, {0x051b, 'q'}, // komi sje ... qa
		{0x051d, 'w'}, {0x0501, 'd'}, {0x04bb, 'h'},                // we, komi de, shha
		{0x01bb, '2'}, {0x01bd, '5'}, // two with stroke, tone five
	};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		if (odd[i].c == c)
			return odd[i].letter;
	return 0;
}

// Returns octets, 0: the character stays.
static size_t skeleton_of(const char *c, size_t size, char *to, size_t room)
{
	UErrorCode error = U_ZERO_ERROR;
	char letter;
	UChar32 first;
	int32_t n, at = 0;

	pthread_once(&checker_once, checker_open);
	if (!checker)
		return 0;
	n = uspoof_getSkeletonUTF8(checker, 0, c, (int32_t)size, to, (int32_t)room, &error);
	if (U_FAILURE(error) || n <= 0 || (size_t)n > room)
		return 0;
	U8_NEXT(to, at, n, first);
	if (first >= 0 && first < 0x80) {
		for (int32_t i = 0; i < n; i++)
			to[i] = (char)lower((uint8_t)to[i]);
		return (size_t)n;
	}
	letter = first < 0 ? 0 : letter_odd(first);
	if (!letter && first >= 0)
		letter = letter_named(first);
	to[0] = letter;
	return letter != 0;
}

size_t shape_fold(const char *text, char folded[SHAPE_TEXT_SIZE])
{
	int32_t size = (int32_t)strlen(text), at = 0;
	size_t n = 0;

	while (at < size && n + 1 < SHAPE_TEXT_SIZE) {
		int32_t start = at;
		size_t room = SHAPE_TEXT_SIZE - 1 - n, got = 0;
		UChar32 c;

		U8_NEXT(text, at, size, c);
		if (c >= 0x80) {
			folded[n] = letter_odd(c);
			if (!folded[n])
				folded[n] = letter_named(c);
			got = folded[n] ? 1
					: skeleton_of(text + start, (size_t)(at - start),
						  folded + n, room);
		}
		if (got == 0 && (size_t)(at - start) <= room) {
			got = (size_t)(at - start);
			memcpy(folded + n, text + start, got);
		} else if (got == 0) {
			break;
		}
		n += got;
	}
	folded[n] = '\0';
	return n;
}
