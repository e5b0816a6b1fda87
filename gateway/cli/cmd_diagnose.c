/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_diagnose: asks the daemon, or its code without a daemon, why a flow does not complete; or
 * decides once more about the evidence in a bundle.
 */
#include "cli/bundle.h"
#include "cli/change.h"
#include "cli/progress.h"
#include "cli/reply_verdict.h"
#include "lib/xmalloc.h"
#include "verdict/verdict.h"
#include <errno.h>
#include <inttypes.h>

static sd_json_variant *parameters(const struct cli *cli)
{
	sd_json_variant *v = nullptr;

	if (sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("target", cli->argument),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    cli->from != nullptr, "from", SD_JSON_BUILD_STRING(cli->from)),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    cli->given & CLI_PASSIVE, "passive", SD_JSON_BUILD_BOOLEAN(true)),
		    SD_JSON_BUILD_PAIR_UNSIGNED("timeoutMs", cli->limit_ms)) < 0)
		out_of_memory();
	return v;
}

/* The same as arguments of meshgwd --once. */
static struct once arguments(const struct cli *cli, const char *limit)
{
	struct once once = {.verb = {"diagnose", "--limit", limit}};
	size_t n = 3;

	if (cli->from) {
		once.verb[n++] = "--from";
		once.verb[n++] = cli->from;
	}
	if (cli->given & CLI_PASSIVE)
		once.verb[n++] = "--passive";
	once.verb[n] = cli->argument;
	return once;
}

static enum exit_status ask(struct cli *cli, sd_json_variant **reply)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *p = parameters(cli);
	struct progress progress;
	char limit[24], text[FLOW_STRLEN + 16];
	struct change change = {
		.method = "Diagnose",
		.parameters = p,
		.reads = true,
		.timeout_us = cli->limit_ms * 1000 + cli->timeout_us,
		.waiting = progress_tick,
		.arg = &progress,
	};

	snprintf(limit, sizeof(limit), "%" PRIu64, cli->limit_ms);
	snprintf(text, sizeof(text), "Asking %s", cli->argument);
	change.once = arguments(cli, limit);
	change.once.timeout_us = change.timeout_us;
	progress_begin(&progress, &cli->view.err, text);
	enum exit_status status = change_call_anyway(cli, &change, reply);
	progress_end(&progress);
	return status;
}

static enum exit_status show(struct cli *cli, sd_json_variant *reply)
{
	struct reply_verdict verdict;

	if (verdict_read(reply, &verdict) < 0)
		return failure_set(
			&cli->failure, EXIT_PROTOCOL, "the answer of meshgwd makes no sense");
	verdict.target = cli->argument;
	/* A bundle is mostly of another machine. */
	verdict.remedy.applicable &= !cli->bundle;
	cli->out->verdict(&cli->view, &verdict);
	enum exit_status status = verdict_status(&verdict);
	verdict_clear(&verdict);
	return status;
}

static sd_json_variant *decide(const struct evidence *e)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *json = nullptr, *record = nullptr;
	sd_json_variant *reply = nullptr;
	struct verdict verdict;

	verdict_decide(e, &verdict);
	if (verdict_to_json(&verdict, e, &json) < 0 || evidence_to_json(e, &record) < 0 ||
		sd_json_buildo(&reply, SD_JSON_BUILD_PAIR_VARIANT("verdict", json),
			SD_JSON_BUILD_PAIR_VARIANT("record", record)) < 0)
		out_of_memory();
	return reply;
}

static enum exit_status decide_again(struct cli *cli)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *reply = nullptr;
	struct evidence evidence = {};
	struct err err;

	if (cli->argument || cli->given & (CLI_FROM | CLI_PASSIVE | CLI_LIMIT))
		return failure_set(
			&cli->failure, EXIT_USAGE, "--from-bundle is not for asking anew");
	int r = bundle_read_file(cli->bundle, &evidence, &err);
	if (r < 0)
		return failure_set(
			&cli->failure, r == -EFBIG ? EXIT_TOO_LARGE : EXIT_FILE, "%s", err.msg);
	reply = decide(&evidence);
	evidence_clear(&evidence);
	return show(cli, reply);
}

enum exit_status cmd_diagnose(struct cli *cli)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *reply = nullptr;
	struct flow flow;
	struct err err;

	if (cli->bundle)
		return decide_again(cli);
	if (!cli->argument)
		return failure_set(&cli->failure, EXIT_USAGE,
			"diagnose needs a TARGET, such as 10.0.1.50:3000; see meshgw help diagnose");
	if (flow_parse(cli->argument, &flow, &err) < 0)
		return failure_set(&cli->failure, EXIT_USAGE, "%s", err.msg);
	enum exit_status status = ask(cli, &reply);
	return status == EXIT_DONE ? show(cli, reply) : status;
}
