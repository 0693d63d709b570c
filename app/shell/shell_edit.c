/* SPDX-License-Identifier: BSD-3-Clause */
#include "shell.h"

#include <fcntl.h>
#include <histedit.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#define HISTORY_LINES 500
#define WORDS_MAX     256 /* lists there can be, see POLICY_LISTS_MAX */

/** Words found for the one that is being typed. */
struct words {
	char *word[WORDS_MAX];
	unsigned n;
};

static char *prompt(EditLine *edit)
{
	static char text[] = "dnsweir> ";

	return text;
}

static void add_word(void *ctx, const char *word)
{
	struct words *words = ctx;

	if (words->n < WORDS_MAX && (words->word[words->n] = strdup(word)))
		words->n++;
}

/** Bytes that all words begin with. */
static size_t common_size(const struct words *words)
{
	size_t size = strlen(words->word[0]);

	for (unsigned i = 1; i < words->n; i++)
		for (size_t j = 0; j < size; j++)
			if (words->word[i][j] != words->word[0][j])
				size = j;
	return size;
}

/** Tab: complete the word as far as it is clear, show the words when it is not. */
static unsigned char complete(EditLine *edit, int ch)
{
	const LineInfo *info = el_line(edit);
	struct words words = {0};
	unsigned char result = CC_ERROR;
	size_t typed, size = 0;
	struct shell *shell;
	char *line, *insert;

	el_get(edit, EL_CLIENTDATA, &shell);
	line = strndup(info->buffer, (size_t)(info->cursor - info->buffer));
	if (!line)
		return CC_ERROR;
	shell_complete(shell, line, add_word, &words);
	typed = strlen(line) - (strrchr(line, ' ') ? (size_t)(strrchr(line, ' ') + 1 - line) : 0);
	if (words.n > 0)
		size = common_size(&words);
	if (size >= typed && words.n > 0 && (size > typed || words.n == 1) &&
		asprintf(&insert, "%.*s%s", (int)(size - typed), words.word[0] + typed,
			words.n == 1 ? " " : "") >= 0) {
		result = el_insertstr(edit, insert) == 0 ? CC_REFRESH : CC_ERROR;
		free(insert);
	} else if (words.n > 1) {
		for (unsigned i = 0; i < words.n; i++)
			printf("%s%s", i ? "  " : "\n", words.word[i]);
		printf("\n");
		fflush(stdout);
		result = CC_REDISPLAY;
	}
	for (unsigned i = 0; i < words.n; i++)
		free(words.word[i]);
	free(line);
	return result;
}

/** Path of the history. @return false when there is no home */
static bool history_path(char *path, size_t size)
{
	const char *home = getenv("HOME");
	const struct passwd *user = home && *home ? NULL : getpwuid(getuid());
	int n;

	if (!home || !*home)
		home = user ? user->pw_dir : NULL;
	n = home ? snprintf(path, size, "%s/.dnsweir_history", home) : -1;
	return n > 0 && (size_t)n < size;
}

static void save_history(History *lines, const char *path)
{
	HistEvent event;
	int fd;

	// Made before it is written, so that nobody but the user ever can read it.
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	close(fd);
	history(lines, &event, H_SAVE, path);
}

/**
 * Give libedit a character. Its own reader starts again after a signal, so that Ctrl-C would only
 * work the second time.
 */
static int read_char(EditLine *edit, wchar_t *c)
{
	struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
	sigset_t interrupt, before;
	mbstate_t state = {0};
	char byte;

	for (;;) {
		int ready = -1;

		// Blocked but while we wait, so that an interrupt in between is not lost.
		sigemptyset(&interrupt);
		sigaddset(&interrupt, SIGINT);
		sigprocmask(SIG_BLOCK, &interrupt, &before);
		if (!shell_interrupted)
			ready = ppoll(&fd, 1, NULL, &before);
		sigprocmask(SIG_SETMASK, &before, NULL);
		if (shell_interrupted)
			return -1;
		if (ready < 0)
			continue;
		if (read(STDIN_FILENO, &byte, 1) <= 0)
			return 0;
		switch (mbrtowc(c, &byte, 1, &state)) {
		case (size_t)-2:
			break; // The rest of the character follows.
		case (size_t)-1:
			state = (mbstate_t){0};
			break;
		default:
			return 1;
		}
	}
}

/** Read a line. @return it, borrowed until the next; NULL at the end */
static const char *read_line(EditLine *edit)
{
	const char *line;
	int size;

	for (;;) {
		shell_interrupted = 0;
		line = el_gets(edit, &size);
		if (line && size > 0)
			return line;
		// Ctrl-C gives up the line, not the shell.
		if (!shell_interrupted)
			return NULL;
		el_reset(edit);
		printf("\n");
	}
}

enum shell_result shell_interactive(const struct shell *shell)
{
	EditLine *edit = el_init(SHELL_NAME, stdin, stdout, stderr);
	History *lines = history_init();
	enum shell_result result;
	HistEvent event;
	char path[1024];
	bool kept = history_path(path, sizeof(path));
	const char *line;

	if (!edit || !lines)
		return shell_fail(SHELL_FAILED, "cannot set up the terminal");
	shell_catch_interrupt();
	history(lines, &event, H_SETSIZE, HISTORY_LINES);
	history(lines, &event, H_SETUNIQUE, 1);
	if (kept)
		history(lines, &event, H_LOAD, path);
	el_set(edit, EL_GETCFN, read_char);
	el_set(edit, EL_PROMPT, prompt);
	el_set(edit, EL_EDITOR, "emacs");
	el_set(edit, EL_HIST, history, lines);
	el_set(edit, EL_CLIENTDATA, shell);
	// The wide form; the other one copies its strings and loses the copies.
	el_wset(edit, EL_ADDFN, L"complete", L"Complete the word", complete);
	el_set(edit, EL_BIND, "^I", "complete", NULL);
	do {
		result = SHELL_QUIT;
		line = read_line(edit);
		if (!line) {
			printf("\n");
			break;
		}
		if (line[strspn(line, " \t\r\n")])
			history(lines, &event, H_ENTER, line);
		result = shell_run(shell, line);
	} while (result != SHELL_QUIT);
	if (kept)
		save_history(lines, path);
	history_end(lines);
	el_end(edit);
	return SHELL_DONE;
}
