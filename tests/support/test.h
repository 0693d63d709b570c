/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Criterion, or under ThreadSanitizer the few of its macros that tests of suite tsan use: Criterion
 * wants memory at fixed addresses, where that sanitizer has its own, and does not start.
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TEST_PLAIN
#endif
#elif defined(__SANITIZE_THREAD__)
#define TEST_PLAIN
#endif

#ifndef TEST_PLAIN
#include <criterion/criterion.h>
#else
#include <stdbool.h>

/** A test of a binary: made and registered by Test(). */
struct test_plain {
	const char *suite, *name;
	void (*run)(void);
	struct test_plain *next;
};

void test_plain_add(struct test_plain *test);

/** Note a failure with its place and words; @p fatal ends the test. */
void test_plain_failed(bool fatal, const char *place, const char *condition, const char *format,
	...) __attribute__((format(printf, 4, 5)));

// The third and further arguments of Test are Criterion's options: here every test has 300 seconds.
#define Test(suite_, name_, ...)                                                           \
	static void test_##suite_##_##name_(void);                                         \
	__attribute__((constructor)) static void test_add_##suite_##_##name_(void)         \
	{                                                                                  \
		static struct test_plain test = {                                          \
			.suite = #suite_, .name = #name_, .run = test_##suite_##_##name_}; \
                                                                                           \
		test_plain_add(&test);                                                     \
	}                                                                                  \
	static void test_##suite_##_##name_(void)

#define TEST_STRING(line)  TEST_STRING_(line)
#define TEST_STRING_(line) #line
#define TEST_PLACE         __FILE__ ":" TEST_STRING(__LINE__)
#define TEST_CHECK(fatal, condition, ...)                                                 \
	do {                                                                              \
		if (!(condition))                                                         \
			test_plain_failed(fatal, TEST_PLACE, #condition, "" __VA_ARGS__); \
	} while (0)

#define cr_assert(condition, ...)      TEST_CHECK(true, condition, __VA_ARGS__)
#define cr_expect(condition, ...)      TEST_CHECK(false, condition, __VA_ARGS__)
#define cr_assert_null(value, ...)     TEST_CHECK(true, !(value), __VA_ARGS__)
#define cr_assert_not_null(value, ...) TEST_CHECK(true, value, __VA_ARGS__)
#endif
