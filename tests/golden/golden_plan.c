/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_plan: what a configuration does to a host.
 *
 * CASE.yaml is applied to the kernel of CASE.state (see daemon/kernel_dummy.h), where CASE.from, if
 * there is one, has been applied before; CASE.ops holds the operations of that, with what changes
 * in the nft table, the conditions that stand afterwards, and the operations of taking it down
 * again. Held for every case besides: what is planned is written, and what is written beyond that
 * ("then") is shown; a second plan is empty; taking down leaves the host as it was. With --update
 * CASE.ops is written.
 */
#include "conf/config.h"
#include "daemon/health.h"
#include "daemon/kernel_dummy.h"
#include "lib/log.h"
#include "lib/marks.h"
#include "lib/own.h"
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct run {
	struct kernel_dummy *kernel;
	struct gateway gateway;
	FILE *out;
	const char *broken; /* a property that does not hold */
};

static char *read_beside(const char *dir, const char *name, const char *suffix, char *path)
{
	char *text = nullptr;
	size_t len;
	struct err err = {};

	snprintf(path, PATH_MAX, "%s/%.*s%s", dir, (int)(strlen(name) - strlen(".yaml")), name,
		suffix);
	if (config_read_file(path, &text, &len, &err) < 0)
		fprintf(stderr, "%s\n", err.msg);
	return text;
}

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
static struct config *config_beside(const char *dir, const char *name, const char *suffix)
{
	char path[PATH_MAX];
	autofree char *yaml = read_beside(dir, name, suffix, path);
	struct config *config = nullptr;
	struct config_diags diags = {};

	if (yaml && config_parse(yaml, strlen(yaml), &config, &diags) < 0)
		config = nullptr;
	config_diags_clear(&diags);
	return config;
}

static bool is_beside(const char *dir, const char *name, const char *suffix)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%.*s%s", dir, (int)(strlen(name) - strlen(".yaml")), name,
		suffix);
	return access(path, F_OK) == 0;
}

/* Text of the .ops, or nullptr. */
static char *run_case(const char *dir, const char *name)
{
	char path[PATH_MAX];
	autofree char *state = read_beside(dir, name, ".state", path);
	bool changes = is_beside(dir, name, ".from");
	struct config *config = config_beside(dir, name, ".yaml");
	struct config *from = changes ? config_beside(dir, name, ".from") : nullptr;
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
	fprintf(stderr, "%s: %s\n%s", name, r.broken, text);
	free(text);
	return nullptr;
}

static int check(const char *dir, const char *name, bool updating)
{
	char path[PATH_MAX];
	autofree char *text = run_case(dir, name);
	autofree char *want = updating ? nullptr : read_beside(dir, name, ".ops", path);

	if (!text)
		return -1;
	if (!updating && want && strcmp(text, want) == 0)
		return 0;
	if (!updating) {
		fprintf(stderr, "%s: expected\n%sgot\n%s", name, want ? want : "", text);
		return -1;
	}
	snprintf(path, sizeof(path), "%s/%.*s.ops", dir, (int)(strlen(name) - strlen(".yaml")),
		name);
	autofclose FILE *out = fopen(path, "we");
	if (out && fputs(text, out) != EOF)
		return 0;
	perror(path);
	return -1;
}

static int is_case(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

int main(int argc, char **argv)
{
	bool updating = argc == 3 && strcmp(argv[1], "--update") == 0;
	struct dirent **cases;
	int failed = 0;

	if (argc != 2 && !updating)
		return 2;
	log_set_level(LOG_CRIT);
	int n = scandir(argv[argc - 1], &cases, is_case, alphasort);
	for (int i = 0; i < n; i++) {
		failed += check(argv[argc - 1], cases[i]->d_name, updating) < 0;
		free(cases[i]);
	}
	if (n >= 0)
		free(cases);
	printf("%d cases, %d failed\n", n, failed);
	return n <= 0 || failed > 0;
}
