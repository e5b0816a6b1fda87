/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/reload.h"
#include "daemon/reload_int.h"
#include "lib/log.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void reload_init(struct reload *r, struct gateway *g, struct store *store, const char *path)
{
	*r = (struct reload){.gateway = g, .store = store, .path = path};
}

static void drop_running(struct reload *r)
{
	config_free(TAKE_PTR(r->running));
	free(TAKE_PTR(r->running_text));
	r->running_len = 0;
}

static void drop_before(struct reload *r)
{
	config_free(TAKE_PTR(r->before));
	free(TAKE_PTR(r->before_text));
	r->before_len = 0;
	r->deadline_us = 0;
}

void reload_clear(struct reload *r)
{
	drop_running(r);
	drop_before(r);
	*r = (struct reload){};
}

/* The records belong to the gateway; the file needs both halves. */
int reload_save(struct reload *r, struct err *err)
{
	struct state all = r->state;
	all.records = r->gateway->records;
	int e = store_save(r->store, &all, err);
	r->gateway->save_error = e < 0 ? -e : 0;
	return e;
}

int reload_save_records(void *arg, const struct sysctl_records *, struct err *err)
{
	return reload_save(arg, err);
}

int reload_save_frr(void *arg, const struct frr_memory *memory, struct err *err)
{
	struct reload *r = arg;
	r->state.frr = *memory;
	return reload_save(r, err);
}

struct frr_memory reload_frr_memory(const struct reload *r)
{
	return r->state.frr;
}

static void log_diags(const struct config_diags *diags, const char *name)
{
	for (size_t i = 0; i < diags->n; i++) {
		const struct config_diag *d = &diags->list[i];
		log_err("config", "%s:%u:%u: %s%s%s", name, d->mark.line, d->mark.column, d->path,
			*d->path ? ": " : "", d->message);
	}
}

/* Every mistake is logged, the first one is kept. */
int reload_parse(const char *name, const char *text, size_t len, struct config **out,
	char problem[static 256])
{
	struct config_diags diags = {};
	int e = config_parse(text, len, out, &diags);
	log_diags(&diags, name);
	if (e < 0 && diags.n)
		snprintf(problem, 256, "%s:%u:%u: %.150s", name, diags.list[0].mark.line,
			diags.list[0].mark.column, diags.list[0].message);
	else if (e < 0)
		snprintf(problem, 256, "%s: %s", name, strerror(-e));
	config_diags_clear(&diags);
	return e;
}

void reload_note_unreadable(struct reload *r, const struct err *why)
{
	r->file = why->code == ENOENT ? RELOAD_FILE_MISSING : RELOAD_FILE_UNREADABLE;
	snprintf(r->file_problem, sizeof(r->file_problem), "cannot be read: %.230s", why->msg);
}

void reload_keep_first(struct reload *r)
{
	struct err err = {};
	int e = store_write_config(
		r->store, STORE_CANDIDATE, r->running_text, r->running_len, &err);
	if (e >= 0)
		e = store_promote(r->store, &err);
	if (e < 0)
		log_err("reload", "the configuration cannot be kept: %s", err.msg);
	r->unkept = e < 0;
	r->gateway->save_error = e < 0 ? -e : 0;
	if (e >= 0 && (r->state.rolled_back || r->state.undone)) {
		r->state.rolled_back = r->state.undone = false;
		(void)reload_save(r, nullptr);
	}
}

/* ---- apply ---- */

struct candidate {
	struct config *config;
	char *text;
	size_t len;
};

static void candidate_clear(struct candidate *c)
{
	config_free(c->config);
	free(c->text);
}

/* The candidate becomes what runs; what ran becomes `before`. */
static void switch_to(struct reload *r, struct candidate *c)
{
	r->before = r->running;
	r->before_text = r->running_text;
	r->before_len = r->running_len;
	r->before_phase = r->gateway->phase;
	r->running = TAKE_PTR(c->config);
	r->running_text = TAKE_PTR(c->text);
	r->running_len = c->len;
	gateway_enter(r->gateway, GATEWAY_UP, r->running);
}

static void switch_back(struct reload *r, uint64_t now_us)
{
	/* Where nothing was configured, nothing of ours may stay behind. */
	gateway_enter(r->gateway, r->before ? GATEWAY_UP : GATEWAY_DOWN, r->before);
	drop_running(r);
	r->running = TAKE_PTR(r->before);
	r->running_text = TAKE_PTR(r->before_text);
	r->running_len = r->before_len;
	r->deadline_us = 0;
	r->file_seen = false;
	gateway_pass(r->gateway, now_us);
	bool clean = !r->gateway->observe_error && !gateway_failure(r->gateway);
	if (!r->running && r->before_phase == GATEWAY_UNCONFIGURED && clean)
		gateway_enter(r->gateway, GATEWAY_UNCONFIGURED, nullptr);
}

/* Once it has its new name it is kept, also by a start (end_interrupted); if the rest cannot be
 * saved now, it is a condition, and saved later. */
static int keep(struct reload *r, struct err *err)
{
	int e = store_promote(r->store, err);
	if (e < 0)
		return e;
	r->state.down = r->state.applying = r->state.pending = false;
	r->state.rolled_back = r->state.undone = false;
	(void)reload_save(r, nullptr);
	r->unkept = false;
	r->kept_problem[0] = '\0';
	drop_before(r);
	return 0;
}

/* On disk before the kernel changes: a full disk is found out while nothing has happened yet, and
 * a crash finds the mark of a pending change. */
static int prepare(struct reload *r, const struct candidate *c, bool pending, struct err *err)
{
	int e = store_write_config(r->store, STORE_CANDIDATE, c->text, c->len, err);
	if (e < 0)
		return e;
	r->state.applying = true;
	r->state.pending = pending;
	e = reload_save(r, err);
	if (e < 0)
		r->state.applying = r->state.pending = false;
	return e;
}

static int abandon(struct reload *r, uint64_t now_us, struct err *err)
{
	int code = err->code;
	switch_back(r, now_us);
	r->state.applying = r->state.pending = false;
	(void)reload_save(r, nullptr);
	return -code;
}

static int apply_candidate(struct reload *r, struct candidate *c, unsigned window_s,
	uint64_t now_us, uint64_t boottime_us, struct ops *ops, struct err *err)
{
	struct gateway *g = r->gateway;
	int e = gateway_plan(g->kernel, GATEWAY_UP, c->config, g, ops, err);
	if (e >= 0)
		e = prepare(r, c, window_s > 0, err);
	if (e < 0)
		return e;
	switch_to(r, c);
	gateway_pass(g, now_us);
	const struct track *failed = gateway_failure(g);
	if (g->observe_error) {
		err_set(err, g->observe_error, "the kernel's state cannot be read: %s",
			strerror(g->observe_error));
		return abandon(r, now_us, err);
	}
	if (failed) {
		err_set(err, failed->error, "%s: %s", failed->name, failed->reason);
		return abandon(r, now_us, err);
	}
	if (window_s) {
		r->deadline_us = boottime_us + window_s * 1'000'000ULL;
		log_info("reload", "applied, pending window=%us", window_s);
		return 0;
	}
	e = keep(r, err);
	if (e < 0)
		return abandon(r, now_us, err);
	log_info("reload", "applied and kept");
	return 0;
}

int reload_apply(struct reload *r, const char *text, size_t len, unsigned window_s, uint64_t now_us,
	uint64_t boottime_us, struct ops *ops, struct config_diags *diags, struct err *err)
{
	struct candidate c = {};
	int e = config_parse(text, len, &c.config, diags);
	if (e < 0)
		return err_set(err, -e, "the configuration has mistakes");
	if (r->deadline_us) {
		config_free(c.config);
		return err_set(err, EBUSY, "another change waits for its confirmation");
	}
	c.text = xcalloc(len + 1, 1);
	memcpy(c.text, text, len);
	c.len = len;
	e = apply_candidate(r, &c, window_s, now_us, boottime_us, ops, err);
	candidate_clear(&c);
	r->file_seen = false;
	return e;
}

/* ---- the file in /etc ---- */

/* Looks into the file only when it is another one than last time. */
static bool file_changed(struct reload *r)
{
	struct stat st;
	bool exists = stat(r->path, &st) == 0;
	if (!exists)
		st = (struct stat){};
	bool same = r->file_seen && r->file_inode == st.st_ino &&
		    r->file_ctime.tv_sec == st.st_ctim.tv_sec &&
		    r->file_ctime.tv_nsec == st.st_ctim.tv_nsec;
	r->file_seen = true;
	r->file_inode = st.st_ino;
	r->file_ctime = st.st_ctim;
	return !same;
}

static void look_at_file(struct reload *r)
{
	autofree char *text = nullptr;
	size_t len;
	struct err err = {};
	struct config *config = nullptr;
	/* Whether it can be read is more than the file itself can tell. */
	if (!file_changed(r) && r->file != RELOAD_FILE_UNREADABLE)
		return;
	if (config_read_file(r->path, &text, &len, &err) < 0) {
		reload_note_unreadable(r, &err);
		return;
	}
	r->file = RELOAD_FILE_INVALID;
	if (reload_parse(r->path, text, len, &config, r->file_problem) < 0)
		return;
	bool differs = r->running && !config_equal(config, r->running);
	r->file = differs ? RELOAD_FILE_DIFFERS : RELOAD_FILE_FINE;
	config_free(config);
}

void reload_file(struct reload *r, uint64_t now_us, uint64_t boottime_us)
{
	autofree char *text = nullptr;
	size_t len;
	struct err err = {};
	struct config_diags diags = {};
	struct ops ops = {};
	int e = config_read_file(r->path, &text, &len, &err);
	if (e >= 0)
		e = reload_apply(r, text, len, 0, now_us, boottime_us, &ops, &diags, &err);
	r->file_seen = false;
	look_at_file(r); /* which says what is wrong with it */
	if (e < 0)
		log_err("reload", "reload refused, nothing changed: %s", err.msg);
	config_diags_clear(&diags);
	ops_clear(&ops);
}

int reload_confirm(struct reload *r, struct err *err)
{
	if (!r->deadline_us)
		return err_set(err, ENOENT, "nothing waits for a confirmation");
	int e = keep(r, err);
	if (e >= 0)
		log_info("reload", "confirmed");
	return e;
}

/* Ends a window without a confirmation. */
static void roll_back(struct reload *r, bool undone, uint64_t now_us)
{
	if (undone)
		log_info("reload", "undone, before it was confirmed");
	else
		log_warn("reload", "rolled back: nobody confirmed in time");
	switch_back(r, now_us);
	r->state.applying = r->state.pending = false;
	r->state.rolled_back = !undone;
	r->state.undone = undone;
	(void)reload_save(r, nullptr);
}

int reload_undo(
	struct reload *r, uint64_t now_us, uint64_t boottime_us, struct ops *ops, struct err *err)
{
	autofree char *text = nullptr;
	size_t len;
	struct config_diags diags = {};
	if (r->deadline_us) {
		struct gateway *g = r->gateway;
		int e = gateway_plan(
			g->kernel, r->before ? GATEWAY_UP : GATEWAY_DOWN, r->before, g, ops, err);
		if (e >= 0)
			roll_back(r, true, now_us);
		return e;
	}
	enum store_file file = r->state.down ? STORE_CONFIRMED : STORE_PREVIOUS;
	int e = store_read_config(r->store, file, &text, &len, err);
	if (e >= 0)
		e = reload_apply(r, text, len, 0, now_us, boottime_us, ops, &diags, err);
	config_diags_clear(&diags);
	return e;
}

/* ---- down ---- */

int reload_down(
	struct reload *r, uint64_t now_us, uint64_t realtime_us, struct ops *ops, struct err *err)
{
	struct gateway *g = r->gateway;
	int e = gateway_plan(g->kernel, GATEWAY_DOWN, nullptr, g, ops, err);
	if (e < 0)
		return e;
	/* Remembered first: a crash half way must not bring it back. A disk that cannot remember
	 * is no reason to leave the path open. */
	r->state.down = true;
	r->state.down_since = realtime_us;
	r->state.applying = r->state.pending = false;
	r->file_seen = false;
	struct err unsaved = {};
	int saved = reload_save(r, &unsaved);
	gateway_enter(g, GATEWAY_DOWN, nullptr);
	gateway_pass(g, now_us);
	drop_running(r);
	drop_before(r);
	const struct track *failed = gateway_failure(g);
	if (g->observe_error)
		return err_set(err, g->observe_error, "the kernel's state cannot be read: %s",
			strerror(g->observe_error));
	if (failed)
		return err_set(err, failed->error, "%s: %s", failed->name, failed->reason);
	if (saved < 0)
		return err_set(err, -saved,
			"everything is removed, but the next start will not "
			"know it: %s",
			unsaved.msg);
	log_info("reload", "taken down");
	return 0;
}

/* ---- what time and others see ---- */

void reload_tick(struct reload *r, uint64_t now_us, uint64_t boottime_us)
{
	if (r->deadline_us && boottime_us >= r->deadline_us)
		roll_back(r, false, now_us);
	if (r->unkept && !r->deadline_us)
		reload_keep_first(r);
	else if (r->gateway->save_error)
		(void)reload_save(r, nullptr);
	look_at_file(r);
}

unsigned reload_remaining(const struct reload *r, uint64_t boottime_us)
{
	if (!r->deadline_us)
		return 0;
	if (boottime_us >= r->deadline_us)
		return 1;
	return (unsigned)((r->deadline_us - boottime_us + 999'999) / 1'000'000);
}

static void file_health(const struct reload *r, struct conditions *out)
{
	if (r->file == RELOAD_FILE_INVALID)
		conditions_add(out, COND_CONFIG_INVALID, r->path, "%s", r->file_problem);
	else if (r->file == RELOAD_FILE_UNREADABLE)
		conditions_add(out, COND_CONFIG_UNREADABLE, r->path, "%s", r->file_problem);
	else if (r->file == RELOAD_FILE_MISSING && r->running)
		conditions_add(out, COND_CONFIG_MISSING, r->path,
			"there is no %s; what was confirmed last runs", r->path);
	else if (r->file == RELOAD_FILE_DIFFERS && r->running)
		conditions_add(out, COND_CONFIG_NOT_APPLIED, r->path, "%s differs from what runs",
			r->path);
}

void reload_health(const struct reload *r, struct conditions *out)
{
	if (!r->running && !r->state.down)
		conditions_add(out, COND_UNCONFIGURED, "", "no configuration has been applied");
	if (r->state.down)
		conditions_add(out, COND_TAKEN_DOWN, "", "taken down by command");
	if (r->state.rolled_back)
		conditions_add(out, COND_ROLLED_BACK, "",
			"the last change was not confirmed and has been rolled back");
	if (r->deadline_us)
		conditions_add(
			out, COND_CONFIRM_PENDING, "", "a change waits for its confirmation");
	if (r->kept_problem[0])
		conditions_add(out, COND_CONFIG_INVALID, "confirmed.yaml", "%s", r->kept_problem);
	file_health(r, out);
}
