/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "conf/suggest.h"
#include "lib/api.h"
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

constexpr uint64_t TIMEOUT_US = 10'000'000;
constexpr double TIMEOUT_MIN_S = 0.01;
constexpr double TIMEOUT_MAX_S = 3600;

/* As Diagnose has it (api.c). */
constexpr unsigned long LIMIT_MIN_MS = 500;
constexpr unsigned long LIMIT_MAX_MS = 60'000;
constexpr unsigned long LIMIT_MS = 10'000;

const struct cli_option cli_options[] = {
	{"json", nullptr, "One JSON object instead of text", 0, 0},
	{"timeout", "SECONDS", "Wait so long for meshgwd (10)", 0, 0},
	{"help", nullptr, "Show how to use a command", 0, 'h'},
	{"version", nullptr, "Show the version of this program", 0, 0},
	{"print", nullptr, "Print the configuration with every default", CLI_PRINT, 0},
	{"confirm", "SECONDS", "Go back after so long without meshgw confirm", CLI_CONFIRM, 0},
	{"down", nullptr, "What meshgw down would change", CLI_DOWN, 0},
	{"verbose", nullptr, "All objects and ranges, and every remedy", CLI_VERBOSE, 'v'},
	{"from", "WHO", "Whose flow: workers, devices, gateway, or an address", CLI_FROM, 0},
	{"passive", nullptr, "Send nothing, only look", CLI_PASSIVE, 0},
	{"limit", "MS", "End after so many milliseconds (10000)", CLI_LIMIT, 0},
	{"from-bundle", "BUNDLE", "The evidence in a bundle, without a daemon", CLI_BUNDLE, 0},
	{"yes", nullptr, "Do it without asking", CLI_YES, 'y'},
	{},
};

/* Indexes of the rows above that mean something to the parser. */
enum { OPTION_JSON, OPTION_TIMEOUT, OPTION_HELP, OPTION_VERSION, OPTIONS = 13 };

const struct command *command_find(const struct command *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return nullptr;
}

const struct command *command_next(const struct command *command)
{
	const struct command *next = command + 1;

	return next->name && strcmp(next->name, command->name) == 0 ? next : nullptr;
}

static uint64_t realtime_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1'000'000 + (uint64_t)t.tv_nsec / 1000;
}

/* Before anything can fail: a failure is shown in the form that was asked for. */
static const struct out *choose_out(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return &out_json;
	return &out_text;
}

/* ---- Options ---- */

struct parsed {
	bool help, version;
};

static enum exit_status take_confirm(struct cli *cli, const char *text)
{
	char *end;

	errno = 0;
	unsigned long n = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || n < 1 || n > API_CONFIRM_MAX_S)
		return failure_set(&cli->failure, EXIT_USAGE,
			"--confirm takes a number of seconds, 1 to %u", API_CONFIRM_MAX_S);
	cli->confirm_s = n;
	return EXIT_DONE;
}

static enum exit_status take_timeout(struct cli *cli, const char *text)
{
	char *end;
	double s = strtod(text, &end);

	/* No exponents, hexadecimals, infinities. */
	if (!*text || text[strspn(text, "0123456789.")] || *end || s < TIMEOUT_MIN_S ||
		s > TIMEOUT_MAX_S)
		return failure_set(&cli->failure, EXIT_USAGE,
			"--timeout takes a number of seconds, %g to %g", TIMEOUT_MIN_S,
			TIMEOUT_MAX_S);
	cli->timeout_us = (uint64_t)(s * 1e6);
	return EXIT_DONE;
}

static enum exit_status take_limit(struct cli *cli, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || n < LIMIT_MIN_MS || n > LIMIT_MAX_MS)
		return failure_set(&cli->failure, EXIT_USAGE,
			"--limit takes a number of milliseconds, %lu to %lu", LIMIT_MIN_MS,
			LIMIT_MAX_MS);
	cli->limit_ms = n;
	return EXIT_DONE;
}

static enum exit_status take_from(struct cli *cli, const char *text)
{
	cli->from = text;
	return EXIT_DONE;
}

static enum exit_status take_bundle(struct cli *cli, const char *text)
{
	cli->bundle = text;
	return EXIT_DONE;
}

/* Those with an argument, by their bit. */
static const struct taker {
	unsigned bit;
	enum exit_status (*take)(struct cli *cli, const char *text);
} takers[] = {
	{CLI_CONFIRM, take_confirm},
	{CLI_LIMIT, take_limit},
	{CLI_FROM, take_from},
	{CLI_BUNDLE, take_bundle},
};

static enum exit_status take_option(struct cli *cli, int index, struct parsed *parsed)
{
	const struct cli_option *option = &cli_options[index];

	cli->given |= option->bit;
	parsed->help |= index == OPTION_HELP;
	parsed->version |= index == OPTION_VERSION;
	if (index == OPTION_TIMEOUT)
		return take_timeout(cli, optarg);
	for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++)
		if (option->bit == takers[i].bit)
			return takers[i].take(cli, optarg);
	return EXIT_DONE;
}

static void make_getopt(struct option longs[static OPTIONS + 1], char letters[static 2 * OPTIONS])
{
	size_t n = 0;

	letters[n++] = ':'; /* getopt(3): tell a missing argument from an unknown option */
	for (int i = 0; i < OPTIONS; i++) {
		const struct cli_option *o = &cli_options[i];
		int arg = o->argument ? required_argument : no_argument;
		longs[i] = (struct option){o->name, arg, nullptr, 256 + i};
		if (o->letter)
			letters[n++] = o->letter;
	}
	letters[n] = '\0';
	longs[OPTIONS] = (struct option){};
}

static int option_index(int c)
{
	for (int i = 0; i < OPTIONS; i++)
		if (c == 256 + i || (cli_options[i].letter && c == cli_options[i].letter))
			return i;
	return -1;
}

static enum exit_status parse_options(struct cli *cli, int argc, char **argv, struct parsed *parsed)
{
	struct option longs[OPTIONS + 1];
	char letters[2 * OPTIONS];
	enum exit_status status = EXIT_DONE;
	int c;

	make_getopt(longs, letters);
	opterr = 0;
	while (status == EXIT_DONE && (c = getopt_long(argc, argv, letters, longs, nullptr)) >= 0) {
		int index = option_index(c);
		if (index >= 0)
			status = take_option(cli, index, parsed);
		else if (c == ':')
			status = failure_set(&cli->failure, EXIT_USAGE,
				"%s needs an argument; see meshgw help", argv[optind - 1]);
		else
			status = failure_set(&cli->failure, EXIT_USAGE,
				"unknown option %s; see meshgw help", argv[optind - 1]);
	}
	return status;
}

/* ---- Command and argument ---- */

static enum exit_status fail_unknown(struct cli *cli, const char *name)
{
	struct suggestion best = {};

	for (const struct command *c = cli->commands; c->name; c++)
		suggest_offer(&best, name, c->name);
	if (best.word)
		return failure_set(&cli->failure, EXIT_USAGE,
			"unknown command \"%s\"; did you mean %s?", name, best.word);
	return failure_set(
		&cli->failure, EXIT_USAGE, "unknown command \"%s\"; see meshgw help", name);
}

static enum exit_status check_usage(struct cli *cli, int arguments)
{
	const struct command *command = cli->command;

	for (const struct cli_option *o = cli_options; o->name; o++)
		if (cli->given & o->bit & ~command->options)
			return failure_set(&cli->failure, EXIT_USAGE,
				"%s does not take --%s; see meshgw help %s", command->name, o->name,
				command->name);
	if (arguments > command->max_arguments)
		return failure_set(&cli->failure, EXIT_USAGE,
			"too many arguments for %s; see meshgw help %s", command->name,
			command->name);
	return EXIT_DONE;
}

static bool take_verb(struct cli *cli, const char *verb)
{
	const struct command *c = cli->command;

	while (verb && c && strcmp(c->verb, verb) != 0)
		c = command_next(c);
	if (verb && c)
		cli->command = c;
	return verb && c;
}

static enum exit_status fail_verb(struct cli *cli)
{
	char verbs[64] = "";
	size_t n = 0;

	for (const struct command *c = cli->command; c; c = command_next(c))
		n += (size_t)snprintf(
			verbs + n, sizeof(verbs) - n, "%s%s", n ? " or " : "", c->verb);
	return failure_set(
		&cli->failure, EXIT_USAGE, "%s is followed by %s", cli->command->name, verbs);
}

/* --help and --version win over what else stands on the line. */
static void answer_options(struct cli *cli, const struct parsed *parsed, const char *name)
{
	cli->command = command_find(cli->commands, parsed->help ? "help" : "version");
	cli->argument = parsed->help ? name : nullptr;
}

enum exit_status cli_parse(struct cli *cli, const struct command *commands, int argc, char **argv)
{
	struct parsed parsed = {};

	*cli = (struct cli){
		.commands = commands,
		.timeout_us = TIMEOUT_US,
		.limit_ms = LIMIT_MS,
		.out = choose_out(argc, argv),
		.view = {.out = term_of(stdout), .err = term_of(stderr), .now_us = realtime_us()},
	};
	enum exit_status status = parse_options(cli, argc, argv, &parsed);
	if (status != EXIT_DONE)
		return status;
	cli->view.verbose = cli->given & CLI_VERBOSE;
	const char *name = argv[optind];
	if (parsed.help || parsed.version) {
		answer_options(cli, &parsed, name);
		return EXIT_DONE;
	}
	if (!name)
		return failure_set(&cli->failure, EXIT_USAGE, "no command; see meshgw help");
	cli->command = command_find(commands, name);
	if (!cli->command)
		return fail_unknown(cli, name);
	int first = optind + 1 + (cli->command->verb != nullptr);
	if (cli->command->verb && !take_verb(cli, argv[optind + 1]))
		return fail_verb(cli);
	cli->argument = argv[first];
	cli->second = cli->argument ? argv[first + 1] : nullptr;
	return check_usage(cli, argc - first);
}

/* What was printed may be lost only now, on a full disk. */
static enum exit_status flush_output(struct cli *cli, enum exit_status status)
{
	FILE *out = cli->view.out.file;

	if (fflush(out) == 0 && !ferror(out))
		return status;
	int code = errno;
	failure_clear(&cli->failure);
	failure_set(&cli->failure, EXIT_REFUSED, "standard output: %s", strerror(code));
	out_text.failure(&cli->view, &cli->failure);
	return EXIT_REFUSED;
}

int cli_finish(struct cli *cli, enum exit_status status)
{
	if (cli->failure.status != EXIT_DONE)
		cli->out->failure(&cli->view, &cli->failure);
	status = flush_output(cli, status);
	failure_clear(&cli->failure);
	return (int)status;
}
