/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reload_start: which configuration a start applies, and what becomes of a change in whose middle
 * the process before it died.
 */
#include "daemon/reload.h"
#include "daemon/reload_int.h"
#include "lib/log.h"
#include "lib/own.h"
#include <errno.h>
#include <stdio.h>

/* problem is written when it cannot be used. */
static bool start_with(
	struct reload *r, const char *name, char *text, size_t len, char problem[static 256])
{
	struct config *config = nullptr;
	if (reload_parse(name, text, len, &config, problem) < 0) {
		free(text);
		return false;
	}
	r->running = config;
	r->running_text = text;
	r->running_len = len;
	gateway_enter(r->gateway, GATEWAY_UP, config);
	log_info("reload", "start from=%s", name);
	return true;
}

/* Is it what was undone, or what nobody confirmed? Another comment is no other configuration. */
static bool is_turned_down(struct reload *r, const char *text, size_t len)
{
	autofree char *candidate = nullptr;
	size_t n;
	struct config *a = nullptr, *b = nullptr;
	struct config_diags diags = {};
	if (!r->state.rolled_back && !r->state.undone)
		return false;
	bool same = store_read_config(r->store, STORE_CANDIDATE, &candidate, &n, nullptr) >= 0 &&
		    config_parse(text, len, &a, &diags) >= 0 &&
		    config_parse(candidate, n, &b, &diags) >= 0 && config_equal(a, b);
	config_diags_clear(&diags);
	config_free(a);
	config_free(b);
	return same;
}

/* No configuration was ever confirmed: the file in /etc counts, unless it is the very one whose
 * confirmation never came. What an interrupted apply left must go. */
static void start_from_file(struct reload *r, bool interrupted)
{
	char *text;
	size_t len;
	struct err err = {};
	if (config_read_file(r->path, &text, &len, &err) < 0) {
		log_warn("reload", "no configuration: %s", err.msg);
		reload_note_unreadable(r, &err);
		gateway_enter(
			r->gateway, interrupted ? GATEWAY_DOWN : GATEWAY_UNCONFIGURED, nullptr);
		return;
	}
	if (is_turned_down(r, text, len)) {
		free(text);
		gateway_enter(r->gateway, GATEWAY_DOWN, nullptr);
	} else if (start_with(r, r->path, text, len, r->file_problem)) {
		reload_keep_first(r);
	} else {
		r->file = RELOAD_FILE_INVALID;
		gateway_enter(r->gateway, GATEWAY_UNCONFIGURED, nullptr);
	}
}

/* Died in the middle of an apply. Its candidate's new name is the moment from which it counts. */
static void end_interrupted(struct reload *r)
{
	autofree char *text = nullptr;
	size_t len;
	if (store_read_config(r->store, STORE_CANDIDATE, &text, &len, nullptr) == -ENOENT) {
		r->state.down = r->state.rolled_back = r->state.undone = false;
	} else {
		r->gateway->interrupted = true;
		if (r->state.pending) {
			log_warn("reload", "a change died before it was confirmed: rolled back");
			r->state.rolled_back = true;
			r->state.undone = false;
		}
	}
	r->state.applying = r->state.pending = false;
	(void)reload_save(r, nullptr);
}

int reload_start(struct reload *r, struct err *err)
{
	char *text;
	size_t len;
	int e = store_load(r->store, &r->state, err);
	if (e < 0)
		return e;
	r->gateway->records = r->state.records;
	r->state.records = (struct sysctl_records){};
	bool interrupted = r->state.applying;
	if (interrupted)
		end_interrupted(r);
	if (r->state.down) {
		gateway_enter(r->gateway, GATEWAY_DOWN, nullptr);
		return 0;
	}
	struct err why = {};
	e = store_read_config(r->store, STORE_CONFIRMED, &text, &len, &why);
	if (e >= 0 && start_with(r, "confirmed.yaml", text, len, r->kept_problem))
		return 0;
	if (e == -ENOENT) {
		start_from_file(r, interrupted);
		return 0;
	}
	if (e < 0)
		snprintf(r->kept_problem, sizeof(r->kept_problem), "cannot be read: %.230s",
			why.msg);
	gateway_enter(r->gateway, GATEWAY_UNCONFIGURED, nullptr);
	return 0;
}
