/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * dnsweir-shell: asks the box over its control socket, once, line by line or interactively.
 *
 * Threads: one.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <jansson.h>

#define SHELL_NAME "dnsweir-shell"

/** Exit codes; also results of a command. */
enum shell_result {
	SHELL_DONE = 0,
	SHELL_FAILED = 1, /**< the box is not there, or could not do it */
	SHELL_USAGE = 2,  /**< what was asked for does not exist */
	SHELL_QUIT = 3,   /**< only inside: no more commands */
};

struct shell {
	const char *socket; /**< path, kept */
	bool json;          /**< print replies as they are */
	bool terminal;      /**< stdout is one */
};

/** Set by SIGINT once shell_catch_interrupt was called. */
extern volatile sig_atomic_t shell_interrupted;

/** Let SIGINT end what is being waited for instead of the program. */
void shell_catch_interrupt(void);

/** Write "dnsweir-shell: text" to stderr. @return @p result */
enum shell_result shell_fail(enum shell_result result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Carry out one line, print the reply. Empty lines and those that start with "#" do nothing. */
enum shell_result shell_run(const struct shell *shell, const char *line);

/** Carry out a command every @p seconds until SIGINT or a failure. */
enum shell_result shell_watch(const struct shell *shell, double seconds, const char *line);

/** Read a number of seconds, 0.1 to 86400. @return false when it is none */
bool shell_seconds_parse(const char *text, double *seconds);

/** The words of the shell itself, ending with NULL. */
extern const char *const shell_words[];

/**
 * Words that may stand where the last, perhaps empty, word of @p line is.
 *
 * @param line  what stands in front of the cursor, borrowed
 * @param found called with each one, borrowed
 */
void shell_complete(const struct shell *shell, const char *line,
	void (*found)(void *ctx, const char *word), void *ctx);

/** Read commands from the terminal until the end. */
enum shell_result shell_interactive(const struct shell *shell);

/** Write a reply as text: rows "key  value", and a table for each array of objects. */
void shell_render(FILE *out, const json_t *reply);
