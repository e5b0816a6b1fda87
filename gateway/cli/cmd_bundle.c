/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_bundle: what somebody else needs to look into a fault of this node, in one file.
 *
 *     NAME/verdict.json, record.json    of the last diagnosis
 *     NAME/status.json, doctor.json     of the daemon
 *     NAME/tasks/TASK/output.txt        what a command printed or a file held (collector.c)
 *     NAME/tasks/TASK/task-result.json  how that went; for what the daemon was asked, too
 *
 * Everything has passed redact.h. That something cannot be had does not stop the rest.
 */
#include "cli/bundle.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/collector.h"
#include "cli/progress.h"
#include "cli/redact.h"
#include "cli/tar.h"
#include "lib/api.h"
#include "lib/escape.h"
#include "lib/json.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

constexpr uint64_t TASK_US = 10'000'000; /* of one command */

struct bundle {
	struct cli *cli;
	struct tar *tar;
	char file[PATH_MAX], folder[64];
	struct bundle_summary summary;
	struct progress progress;
};

/* ---- One file of it ---- */

static int add(struct bundle *b, const char *name, const char *data, size_t len, struct err *err)
{
	autofree char *clean = nullptr;
	char path[sizeof(b->folder) + 128];
	size_t n = redact_text(data, len, &clean);

	snprintf(path, sizeof(path), "%s/%s", b->folder, name);
	return tar_add(b->tar, path, clean, n, err);
}

static int add_json(struct bundle *b, const char *name, sd_json_variant *v, struct err *err)
{
	autojson sd_json_variant *clean = redact_json(v);
	autofree char *text = nullptr;
	char path[sizeof(b->folder) + 128];

	if (sd_json_variant_format(clean, SD_JSON_FORMAT_PRETTY, &text) < 0)
		out_of_memory();
	snprintf(path, sizeof(path), "%s/%s", b->folder, name);
	return tar_add(b->tar, path, text, strlen(text), err);
}

static int add_result(
	struct bundle *b, const struct collector *c, const struct collected *r, struct err *err)
{
	autojson sd_json_variant *result = collected_json(c, r);
	char name[96];

	b->summary.tasks++;
	b->summary.failed += *r->why != '\0';
	snprintf(name, sizeof(name), "tasks/%s/task-result.json", c->name);
	return add_json(b, name, result, err);
}

/* ---- What the daemon knows ---- */

static const struct question {
	const char *method, *socket;
	/* Of the answer, by its key; nullptr = all of it. */
	const struct {
		const char *file, *key;
	} files[2];
} questions[] = {
	{"Recall", API_CONTROL_SOCKET, {{"verdict.json", "verdict"}, {BUNDLE_RECORD, "record"}}},
	{"GetStatus", API_STATUS_SOCKET, {{"status.json", nullptr}}},
	{"Doctor", API_CONTROL_SOCKET, {{"doctor.json", nullptr}}},
};

static int add_answer(
	struct bundle *b, const struct question *q, sd_json_variant *reply, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < 2 && q->files[i].file; i++) {
		sd_json_variant *part = q->files[i].key
						? sd_json_variant_by_key(reply, q->files[i].key)
						: reply;
		r = part ? add_json(b, q->files[i].file, part, err) : 0;
	}
	return r;
}

static int ask(struct bundle *b, const struct question *q, struct err *err)
{
	autojson sd_json_variant *reply = nullptr;
	struct client_call call = {.socket = q->socket,
		.method = q->method,
		.timeout_us = b->cli->timeout_us,
		.waiting = progress_tick,
		.arg = &b->progress};
	const char *const argv[] = {"varlink", q->method, nullptr};
	struct collector c = {.name = q->method, .argv = argv};
	struct collected result = {.status = -1};
	struct failure failure = {};

	if (client_call(&call, &reply, &failure) != EXIT_DONE)
		snprintf(result.why, sizeof(result.why), "%s", failure.message);
	int r = reply ? add_answer(b, q, reply, err) : 0;
	b->summary.has_verdict |= reply && strcmp(q->method, "Recall") == 0;
	failure_clear(&failure);
	return r < 0 ? r : add_result(b, &c, &result, err);
}

/* ---- What the machine says ---- */

static int collect(struct bundle *b, const struct collector *c, struct err *err)
{
	struct collected result;
	char name[96];
	int r = 0;

	b->progress.text = c->name;
	progress_tick(&b->progress);
	collector_run(c, TASK_US, &result);
	snprintf(name, sizeof(name), "tasks/%s/output.txt", c->name);
	if (result.len > 0)
		r = add(b, name, result.text, result.len, err);
	if (r >= 0)
		r = add_result(b, c, &result, err);
	free(result.text);
	return r;
}

static int fill(struct bundle *b, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < sizeof(questions) / sizeof(questions[0]); i++)
		r = ask(b, &questions[i], err);
	for (const struct collector *c = collectors; r >= 0 && c->name; c++)
		r = collect(b, c, err);
	return r;
}

/* ---- The file ---- */

static void name_it(struct bundle *b, int64_t now_s)
{
	time_t s = (time_t)now_s;
	struct tm tm = {};

	gmtime_r(&s, &tm);
	strftime(b->folder, sizeof(b->folder), "meshgw-bundle-%Y%m%dT%H%M%SZ", &tm);
	if (b->cli->argument)
		snprintf(b->file, sizeof(b->file), "%s", b->cli->argument);
	else
		snprintf(b->file, sizeof(b->file), "%s.tar", b->folder);
}

/* root's $PATH may be that of a user. */
static void extend_path(void)
{
	const char *path = getenv("PATH");
	char all[PATH_MAX];

	snprintf(all, sizeof(all), "%s%s/usr/sbin:/usr/bin:/sbin:/bin", path ? path : "",
		path ? ":" : "");
	setenv("PATH", all, 1);
	setenv("LC_ALL", "C.UTF-8", 1);
}

static enum exit_status fail(struct cli *cli, const struct err *err)
{
	return failure_set(&cli->failure, EXIT_REFUSED, "%s", err->msg);
}

enum exit_status cmd_bundle(struct cli *cli)
{
	struct bundle b = {.cli = cli};
	int64_t now_s = (int64_t)(cli->view.now_us / 1'000'000);
	struct err err = {};

	name_it(&b, now_s);
	if (tar_create(b.file, now_s, &b.tar, &err) < 0)
		return fail(cli, &err);
	extend_path();
	progress_begin(&b.progress, &cli->view.err, "Asking meshgwd");
	int r = fill(&b, &err);
	progress_end(&b.progress);
	if (r < 0) {
		tar_abandon(b.tar);
		return fail(cli, &err);
	}
	if (tar_finish(b.tar, &err) < 0)
		return fail(cli, &err);
	b.summary.file = b.file;
	cli->out->bundle(&cli->view, &b.summary);
	return EXIT_DONE;
}
