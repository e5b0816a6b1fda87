/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_plan: what a configuration does to a host.
 *
 * CASE.yaml is applied to the kernel of CASE.state (see daemon/kernel_dummy.h), where CASE.from, if
 * there is one, has been applied before; CASE.ops holds the operations of that, with what changes
 * in the nft table, the conditions that stand afterwards, and the operations of taking it down
 * again. Held for every case besides: what is planned is written, and what is written beyond that
 * ("then") is shown; a second plan is empty; taking down leaves the host as it was.
 */
#include "conf/config.h"
#include "daemon/health.h"
#include "daemon/kernel_dummy.h"
#include "golden.h"
#include "lib/log.h"
#include "lib/marks.h"
#include "lib/own.h"
#include <stdio.h>
#include <string.h>

struct run {
	struct kernel_dummy *kernel;
	struct gateway gateway;
	FILE *out;
	const char *broken; /* a property that does not hold */
};

static char *kernel_text(const struct run *r)
{
	char *text = nullptr;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	dummy_print(r->kernel, out);
	fclose(out);
	return text;
}

/* Does the kernel hold anything that carries our marks? */
static bool holds_ours(const struct run *r)
{
	for (size_t i = 0; i < r->kernel->routes.n; i++)
		if (r->kernel->routes.list[i].protocol == MARK_RTPROT)
			return true;
	return r->kernel->nft.exists || r->kernel->tailscale.n_ours;
}

/* Does it change anything in the kernel? */
static bool is_kernels(const struct op *op)
{
	return op->kind != OP_PROOF && op->kind != OP_WATCH && op->kind != OP_BRIDGE;
}

static void print_ops(FILE *out, const struct ops *ops)
{
	char name[OP_NAME_LEN], detail[OP_NAME_LEN];

	for (size_t i = 0; i < ops->n; i++) {
		const struct op *op = &ops->list[i];
		op_detail(op, detail);
		fprintf(out, "  %s %s%s%s\n", op_action_str(op->action), op_name(op, name),
			detail[0] ? " " : "", detail);
		bool explained = op->kind == OP_NFT || !is_kernels(op);
		for (size_t j = 0; explained && j < ops->changes.n; j++) {
			const struct config_change *c = &ops->changes.list[j];
			fprintf(out, "    %c %s %s\n", c->added ? '+' : '-',
				config_change_kind_str(c->kind), c->text);
		}
	}
}

static void print_conditions(const struct run *r)
{
	struct conditions found = {}, sorted = {};

	health_collect(&r->gateway, false, &found);
	conditions_commit(&sorted, &found, 0);
	for (size_t i = 0; i < sorted.n; i++) {
		const struct condition *c = &sorted.list[i];
		fprintf(r->out, "  %s %s %s: %s\n",
			condition_severity_str(condition_severity(c->code)),
			condition_code_str(c->code), c->subject, c->message);
	}
	conditions_clear(&sorted);
}

/* What no plan can know, because it follows from what the first steps change. */
static void print_more(const struct run *r, size_t from)
{
	for (size_t i = from; i < r->kernel->n_log; i++)
		fprintf(r->out, "  then %s\n", r->kernel->log[i]);
}

/* Plans, prints, and does it. */
static size_t for_kernel(const struct ops *ops)
{
	size_t n = 0;
	for (size_t i = 0; i < ops->n; i++)
		n += is_kernels(&ops->list[i]);
	return n;
}

static void enter(struct run *r, enum gateway_phase phase, const struct config *config)
{
	struct ops ops = {}, again = {};
	struct err err = {};
	struct gateway *g = &r->gateway;
	struct kernel *k = g->kernel;
	size_t before = r->kernel->n_log;

	if (gateway_plan(k, phase, config, g, &ops, &err) < 0)
		r->broken = "cannot be planned";
	print_ops(r->out, &ops);
	if (r->kernel->n_log != before)
		r->broken = "planning has changed something";
	gateway_enter(g, phase, config);
	if (gateway_pass(g, 1'000'000) != 0)
		r->broken = "one pass was not enough";
	if (r->kernel->n_log < before + for_kernel(&ops))
		r->broken = "not all of the plan was done";
	print_more(r, before + ops.n);
	if (gateway_plan(k, phase, config, g, &again, &err) < 0 || again.n)
		r->broken = "a second plan is not empty";
	ops_clear(&ops);
	ops_clear(&again);
}

/* What runs before the change that is looked at; its own plan is another case's business. */
static void run_before(struct run *r, const struct config *config)
{
	gateway_enter(&r->gateway, GATEWAY_UP, config);
	if (gateway_pass(&r->gateway, 0) != 0)
		r->broken = "one pass was not enough";
}

static void run_config(struct run *r, const struct config *from, const struct config *config)
{
	autofree char *before = kernel_text(r);
	bool ours = holds_ours(r);

	if (from)
		run_before(r, from);
	fputs("up\n", r->out);
	enter(r, GATEWAY_UP, config);
	fputs("conditions\n", r->out);
	print_conditions(r);
	fputs("down\n", r->out);
	enter(r, GATEWAY_DOWN, nullptr);
	autofree char *after = kernel_text(r);
	if (holds_ours(r))
		r->broken = "taking down has left something of ours";
	else if (!ours && strcmp(before, after) != 0)
		r->broken = "taking down has not left the host as it was";
}

/* nullptr when it does not parse. */
static struct config *read_config(const char *path)
{
	autofree char *yaml = nullptr;
	size_t len;
	struct err err = {};
	struct config *config = nullptr;
	struct config_diags diags = {};

	if (config_read_file(path, &yaml, &len, &err) < 0)
		fprintf(stderr, "%s\n", err.msg);
	else if (config_parse(yaml, len, &config, &diags) < 0)
		config = nullptr;
	config_diags_clear(&diags);
	return config;
}

/* Text of the .ops, or nullptr. */
static char *make_text(const struct golden *g, const char *stem)
{
	char path[PATH_MAX];
	struct config *config = read_config(golden_path(g, stem, ".yaml", path));
	autofree char *state = golden_read(golden_path(g, stem, ".state", path), nullptr);
	bool changes = access(golden_path(g, stem, ".from", path), F_OK) == 0;
	struct config *from = changes ? read_config(path) : nullptr;
	char *text = nullptr;
	size_t len;
	struct run r = {.kernel = dummy_new()};

	if (!config || (changes && !from))
		r.broken = "does not parse";
	else if (!state || dummy_load(r.kernel, state) != 0)
		r.broken = "its state cannot be read";
	r.out = open_memstream(&text, &len);
	gateway_init(&r.gateway, &r.kernel->base, nullptr, nullptr);
	if (!r.broken)
		run_config(&r, from, config);
	fclose(r.out);
	gateway_clear(&r.gateway);
	config_free(config);
	config_free(from);
	r.kernel->base.ops->close(&r.kernel->base);
	if (!r.broken)
		return text;
	fprintf(stderr, "%s: %s\n%s", stem, r.broken, text);
	free(text);
	return nullptr;
}

static void run_case(struct golden *g, const char *stem, const void *)
{
	autofree char *text = make_text(g, stem);

	golden_check(g, stem, ".ops", text);
}

int main(int argc, char **argv)
{
	struct golden g;

	if (!golden_begin(&g, argc, argv))
		return GOLDEN_USAGE;
	log_set_level(LOG_CRIT);
	golden_each(&g, "*.yaml", run_case, nullptr);
	return golden_end(&g);
}
