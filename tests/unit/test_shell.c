/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctl/ctl_private.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 20000 // Longer than anything here takes; then the test fails.

static char folder[] = "/tmp/test_shell_XXXXXX";
static char path[64], out[16384], err[4096];
static const char *shell;
static struct ctl_server *server;
static pid_t box; // the process that plays dnsweir

static const struct {
	const char *path, *reply;
} replies[] = {
	{"show version", "{\"version\":\"1.2\",\"pid\":42,\"load\":0.25,\"primary\":true,\"note\":"
			 "null,\"lcores\":[1,2]}"},
	{"show stats",
		"{\"rx\":7,\"responses\":{\"noerror\":{\"a\":12,\"aaaa\":3},\"nxdomain\":{}}}"},
	{"show lists", "{\"lists\":[{\"name\":\"c2\",\"action\":\"sinkhole\",\"names\":1000000,"
		       "\"today\":{\"a\":1}},{\"name\":\"botnet\",\"action\":\"log\",\"names\":9,"
		       "\"bad\":2}]}"},
	{"show list", "{\"name\":\"c2\",\"sinkholes\":[],\"bad\":[{\"line\":3,\"what\":\"x\"}],"
		      "\"sources\":[{\"path\":\"/a\"},{\"path\":\"/b\"}]}"},
	{"show hits", "{\"hits\":[{\"name\":\"\\u001b[2Jevil\\u009b\",\"id\":\"\\u60aa\",\"n\":1},"
		      "{\"name\":\"b\",\"id\":\"x\",\"n\":20}]}"},
	{"explain", "{\"error\":\"no such name\"}"},
	{"show ports", "{\"ports\":[]}"},
};

static json_t *handle(void *ctx, const struct ctl_command *command, const char *args,
	const struct ctl_peer *peer, unsigned request_id)
{
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		if (strcmp(command->path, replies[i].path) == 0)
			return json_loads(replies[i].reply, 0, NULL);
	return json_pack("{s:s, s:s}", "path", command->path, "args", args);
}

static void set_up(void)
{
	char error[256];

	shell = getenv("DNSWEIR_SHELL");
	cr_assert(shell, "DNSWEIR_SHELL: path of the program");
	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/sock", folder);
	server = ctl_server_open(path, "", handle, NULL, error, sizeof(error));
	cr_assert(server, "%s", error);
	box = fork();
	cr_assert_geq(box, 0);
	while (box == 0) {
		struct pollfd fd = {.fd = ctl_server_fd(server), .events = POLLIN};

		// Not for ever, should the test die without its end.
		if (poll(&fd, 1, 10 * WAIT_MS) <= 0)
			_exit(1);
		ctl_server_poll(server);
	}
}

static void tear_down(void)
{
	char command[128];

	kill(box, SIGKILL);
	waitpid(box, NULL, 0);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	cr_assert_eq(system(command), 0);
}

TestSuite(shell, .init = set_up, .fini = tear_down);

static void read_back(const char *name, char *text, size_t size)
{
	char file_path[128];
	FILE *file;

	snprintf(file_path, sizeof(file_path), "%s/%s", folder, name);
	file = fopen(file_path, "r");
	cr_assert(file);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
}

/** Run the shell with @p args, as sh reads them. @return its exit code; fills out and err */
static int run(const char *args)
{
	char command[1024];
	int status;

	snprintf(command, sizeof(command), "exec <&-; cd %s; : >out; %s -s %s %s >out 2>err",
		folder, shell, path, args);
	status = system(command);
	read_back("out", out, sizeof(out));
	read_back("err", err, sizeof(err));
	cr_assert(WIFEXITED(status), "%s", args);
	return WEXITSTATUS(status);
}

Test(shell, an_object_is_rows_of_key_and_value)
{
	cr_assert_eq(run("show version"), 0);
	cr_assert_str_eq(out, "version  1.2\n"
			      "pid      42\n"
			      "load     0.25\n"
			      "primary  yes\n"
			      "note     -\n"
			      "lcores   1, 2\n");
	cr_assert_str_empty(err);
}

Test(shell, nested_objects_are_dotted_rows)
{
	cr_assert_eq(run("sh st"), 0);
	cr_assert_str_eq(out, "rx                      7\n"
			      "responses.noerror.a     12\n"
			      "responses.noerror.aaaa  3\n"
			      "responses.nxdomain      -\n");
}

Test(shell, an_array_of_objects_is_a_table_with_numbers_to_the_right)
{
	cr_assert_eq(run("show lists"), 0);
	cr_assert_str_eq(out, "name    action      names  today.a  bad\n"
			      "c2      sinkhole  1000000        1    -\n"
			      "botnet  log             9        -    2\n");
	cr_assert_eq(run("show ports"), 0);
	cr_assert_str_eq(out, "ports  -\n");
}

Test(shell, rows_come_before_named_tables)
{
	cr_assert_eq(run("show list c2"), 0);
	cr_assert_str_eq(out, "name       c2\n"
			      "sinkholes  -\n"
			      "\nbad:\n"
			      "line  what\n"
			      "   3  x\n"
			      "\nsources:\n"
			      "path\n"
			      "/a\n"
			      "/b\n");
}

Test(shell, nothing_from_outside_steers_the_terminal)
{
	cr_assert_eq(run("show hits 2"), 0);
	// The ideograph takes two columns.
	cr_assert_str_eq(out, "name                 id   n\n"
			      "\\x1b[2Jevil\\xc2\\x9b  \u60aa   1\n"
			      "b                    x   20\n");
}

Test(shell, json_comes_as_it_was_said)
{
	cr_assert_eq(run("-j show stats"), 0);
	cr_assert_str_eq(out, "{\"rx\":7,\"responses\":{\"noerror\":{\"a\":12,\"aaaa\":3},"
			      "\"nxdomain\":{}}}\n");
	cr_assert_eq(run("-j explain x"), 1);
	cr_assert_str_eq(out, "{\"error\":\"no such name\"}\n");
	cr_assert_str_eq(err, "dnsweir-shell: no such name\n");
}

Test(shell, exit_codes_tell_failure_from_wrong_usage)
{
	static const struct {
		const char *args;
		int code;
		const char *err;
	} rows[] = {
		{"reload", 0, ""},
		{"explain x", 1, "dnsweir-shell: no such name\n"},
		{"-s /nonexistent show stats", 1,
			"dnsweir-shell: /nonexistent: No such file or directory "
			"(is dnsweir running?)\n"},
		{"show nothing", 2,
			"dnsweir-shell: unknown command 'show nothing', expected one of "
			"version, stats, verdicts, responses, lists, list, ports, workers, mirror, "
			"tap, "
			"consent, "
			"ids, totals, generation, loading, hits\n"},
		{"show lis", 2,
			"dnsweir-shell: ambiguous command 'show lis', expected one of lists, "
			"list\n"},
		{"explain", 2, "dnsweir-shell: explain needs NAME, got nothing\n"},
		{"-x", 2, "dnsweir-shell: unknown option '-x', see --help\n"},
		{"--what show", 2, "dnsweir-shell: unknown option '--what', see --help\n"},
		{"-s", 2, "dnsweir-shell: option '-s' needs a value\n"},
		{"-w 0 show stats", 2,
			"dnsweir-shell: -w: expected 0.1 to 86400 seconds, got '0'\n"},
		{"-w 1", 2, "dnsweir-shell: -w: expected a command, got nothing\n"},
		{"watch", 2, "dnsweir-shell: watch: expected a command, got nothing\n"},
		{"watch 1 watch", 2, "dnsweir-shell: watch: expected a command, got 'watch'\n"},
		{"help nothing", 2, "dnsweir-shell: no command begins with 'nothing'\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int code = run(rows[i].args);

		cr_expect_eq(code, rows[i].code, "%s: %d", rows[i].args, code);
		cr_expect_str_eq(err, rows[i].err, "%s: %s", rows[i].args, err);
	}
}

Test(shell, output_that_cannot_be_written_is_a_failure)
{
	// What run() adds behind it is never reached.
	cr_assert_eq(run("show stats >/dev/full 2>err; exit $?; :"), 1);
	cr_assert_str_eq(err, "dnsweir-shell: cannot write: No space left on device\n");
}

Test(shell, a_command_that_does_not_fit_a_request_is_not_sent)
{
	char args[700] = "explain ";

	memset(args + 8, 'x', 600);
	cr_assert_eq(run(args), 1);
	cr_assert_str_eq(err, "dnsweir-shell: a command has at most 511 bytes\n");
}

Test(shell, help_and_version_need_no_box)
{
	kill(box, SIGSTOP);
	cr_assert_eq(run("--help"), 0);
	cr_assert(
		strstr(out, "usage: dnsweir-shell [-s SOCKET] [-j] [-w SECONDS] [COMMAND ...]\n"));
	cr_assert(strstr(out, "  show hits [N] "));
	cr_assert_eq(run("--version"), 0);
	cr_assert_str_eq(out, "dnsweir-shell " DNSWEIR_VERSION "\n");
	cr_assert_eq(run("help show list"), 0);
	cr_assert(strstr(out, "show list NAME "));
	cr_assert_not(strstr(out, "reload"));
}

Test(shell, standard_input_is_read_up_to_the_first_failure)
{
	char command[512];
	FILE *pipe;

	snprintf(command, sizeof(command),
		"printf '# c\\n\\n show ports\\nexplain x\\nreload\\n' | %s -s %s 2>%s/err", shell,
		path, folder);
	pipe = popen(command, "r");
	cr_assert(pipe);
	out[fread(out, 1, sizeof(out) - 1, pipe)] = '\0';
	cr_assert_eq(WEXITSTATUS(pclose(pipe)), 1);
	cr_assert_str_eq(out, "ports  -\n");
	read_back("err", err, sizeof(err));
	cr_assert_str_eq(err, "dnsweir-shell: no such name\n");
}

Test(shell, watching_repeats_until_interrupted)
{
	char command[512];
	int lines = 0, status;
	FILE *pipe;
	pid_t pid;

	snprintf(command, sizeof(command), "%s -s %s -j -w 0.1 show ports & echo $!; wait $!",
		shell, path);
	pipe = popen(command, "r");
	cr_assert(pipe);
	cr_assert(fgets(out, sizeof(out), pipe));
	pid = atoi(out);
	cr_assert_gt(pid, 1);
	while (lines < 3 && fgets(out, sizeof(out), pipe))
		lines += strcmp(out, "{\"ports\":[]}\n") == 0;
	cr_assert_eq(lines, 3);
	cr_assert_eq(kill(pid, SIGINT), 0);
	while (fgets(out, sizeof(out), pipe))
		;
	status = pclose(pipe);
	cr_assert_eq(WEXITSTATUS(status), 0);
}

/** Read from the terminal until @p text was seen; what is behind it is for the next time. */
static void expect(int terminal, const char *text)
{
	static char seen[16384];
	static size_t size;
	int64_t end = ctl_now_ms() + WAIT_MS;
	char *found;

	while (!(found = strstr(seen, text))) {
		struct pollfd fd = {.fd = terminal, .events = POLLIN};
		ssize_t n = 0;

		cr_assert_lt(ctl_now_ms(), end, "no '%s' in '%s'", text, seen);
		if (poll(&fd, 1, 100) > 0)
			n = read(terminal, seen + size, sizeof(seen) - 1 - size);
		cr_assert_geq(n, 0, "no '%s' in '%s'", text, seen);
		size += (size_t)n;
		seen[size] = '\0';
	}
	found += strlen(text);
	size -= (size_t)(found - seen);
	memmove(seen, found, size + 1);
}

static void type(int terminal, const char *text)
{
	cr_assert_eq(write(terminal, text, strlen(text)), (ssize_t)strlen(text));
}

Test(shell, the_interactive_shell_completes_and_keeps_its_history)
{
	char history[128];
	struct stat st;
	int terminal, status;
	pid_t pid = forkpty(&terminal, NULL, NULL, NULL);

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		setenv("HOME", folder, 1);
		setenv("TERM", "dumb", 1);
		execl(shell, shell, "-s", path, (char *)NULL);
		_exit(127);
	}
	expect(terminal, "dnsweir> ");
	type(terminal, "sho\tvers\t\n");
	expect(terminal, "version  1.2\r\n");
	expect(terminal, "dnsweir> ");
	// Names of lists come from the box.
	type(terminal, "show list \t");
	expect(terminal, "c2  botnet");
	type(terminal, "b\t\n");
	expect(terminal, "sinkholes  -\r\n");
	expect(terminal, "dnsweir> ");
	type(terminal, "nonsense\n");
	expect(terminal, "unknown command 'nonsense'");
	expect(terminal, "dnsweir> ");
	// Ctrl-C gives up the line and ends a watch, not the shell.
	type(terminal, "nons\003");
	expect(terminal, "dnsweir> ");
	type(terminal, "watch 0.1 show ports\n");
	expect(terminal, "ports  -\r\n\r\nports  -\r\n");
	type(terminal, "\003");
	expect(terminal, "dnsweir> ");
	type(terminal, "quit\n");
	while (read(terminal, out, sizeof(out)) > 0)
		;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), 0);
	snprintf(history, sizeof(history), "%s/.dnsweir_history", folder);
	cr_assert_eq(stat(history, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	read_back(".dnsweir_history", out, sizeof(out));
	cr_assert(strstr(out, "show\\040version"), "%s", out);
}

Test(shell, every_command_word_is_in_completion_and_manual)
{
	static const char *const files[] = {
		"config/dnsweir-shell.bash-completion", "doc/man/dnsweir-shell.1", "doc/shell.md"};
	const char *source = getenv("DNSWEIR_SOURCE");
	char command[512], words[64];

	cr_assert(source, "DNSWEIR_SOURCE: top of the source tree");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		for (const struct ctl_command *c = ctl_commands; c->path; c++) {
			const char *last = strrchr(c->path, ' ');

			snprintf(words, sizeof(words), "%s", i == 0 && last ? last + 1 : c->path);
			snprintf(command, sizeof(command), "grep -qw '%s' '%s/%s'", words, source,
				files[i]);
			cr_expect_eq(system(command), 0, "%s is not in %s", words, files[i]);
		}
}
