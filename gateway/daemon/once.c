/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/once.h"
#include "daemon/clock.h"
#include "daemon/frr_once.h"
#include "daemon/once_int.h"
#include "daemon/reload.h"
#include "daemon/reply.h"
#include "daemon/tunnel_device.h"
#include "lib/api.h"
#include "lib/own.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int print_operations(const struct ops *ops, struct conditions *found)
{
	for (size_t i = 0; i < found->n; i++)
		found->list[i].since_us = clock_realtime_us();
	autojson sd_json_variant *list = reply_operations(ops);
	autojson sd_json_variant *conditions = reply_conditions(found);
	autojson sd_json_variant *v = nullptr;
	if (sd_json_buildo(&v, SD_JSON_BUILD_PAIR_VARIANT("operations", list),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    found->n != 0, "conditions", SD_JSON_BUILD_VARIANT(conditions))) < 0)
		abort();
	return once_print(v, 0);
}

/* The file named, else what a start would apply. */
static int read_wanted(const struct once_options *o, struct store *store, char **text, size_t *len,
	const char **name, struct err *err)
{
	*name = o->config_path;
	if (o->config_path)
		return config_read_file(o->config_path, text, len, err);
	*name = "confirmed.yaml";
	int r = store_read_config(store, STORE_CONFIRMED, text, len, err);
	if (r != -ENOENT)
		return r;
	*name = o->etc_path;
	return config_read_file(o->etc_path, text, len, err);
}

/* What the table was written for, as far as this is known: not while it is taken down, nor when a
 * daemon died in the middle of a change. */
static struct config *read_running(const struct state *state, struct store *store)
{
	autofree char *text = nullptr;
	size_t len;
	struct config *config = nullptr;
	struct config_diags diags = {};
	if (state->down || state->applying ||
		store_read_config(store, STORE_CONFIRMED, &text, &len, nullptr) < 0)
		return nullptr;
	if (config_parse(text, len, &config, &diags) < 0)
		config = nullptr;
	config_diags_clear(&diags);
	return config;
}

static int plan_config(const struct once_options *o, struct gateway *g, const struct state *state,
	const struct config *config)
{
	struct ops ops = {};
	struct conditions found = {};
	struct err err = {};
	enum gateway_phase phase = config ? GATEWAY_UP : GATEWAY_DOWN;
	int r = gateway_plan(g->kernel, phase, config, g, &ops, &err);
	if (r >= 0)
		frr_once_plan(o->vtysh, config, g->config, &state->frr, &ops, &found);
	r = r < 0 ? once_print_failure(API_ERROR_APPLY_FAILED, &err)
		  : print_operations(&ops, &found);
	conditions_clear(&found);
	ops_clear(&ops);
	return r;
}

static int plan_text(const struct once_options *o, struct gateway *g, const struct state *state,
	struct store *store)
{
	autofree char *text = nullptr;
	const char *name;
	size_t len;
	struct err err = {};
	struct config *config = nullptr;
	struct config_diags diags = {};
	int r = read_wanted(o, store, &text, &len, &name, &err);
	if (r < 0)
		return o->config_path ? once_print_failure(API_ERROR_APPLY_FAILED, &err)
				      : once_print_error(API_ERROR_NOT_CONFIGURED, nullptr);
	if (config_parse(text, len, &config, &diags) < 0) {
		autojson sd_json_variant *parameters = reply_invalid(&diags, name);
		r = once_print_error(API_ERROR_CONFIG_INVALID, parameters);
	} else {
		r = plan_config(o, g, state, config);
	}
	config_diags_clear(&diags);
	config_free(config);
	return r;
}

int once_plan(const struct once_options *o, struct kernel *kernel, struct store *store)
{
	struct gateway g;
	struct state state = {};
	struct err err = {};
	if (store_load(store, &state, &err) < 0)
		return once_print_failure(API_ERROR_APPLY_FAILED, &err);
	gateway_init(&g, kernel, nullptr, nullptr);
	g.records = state.records;
	struct config *running = read_running(&state, store);
	if (running)
		gateway_enter(&g, GATEWAY_UP, running);
	int r = o->down ? plan_config(o, &g, &state, nullptr) : plan_text(o, &g, &state, store);
	gateway_clear(&g);
	config_free(running);
	return r;
}

/* After the kernel's part: what FRR holds. before: what ran, to know where to look. */
static int remove_frr(const struct once_options *o, struct reload *reload,
	const struct config *before, struct ops *ops, struct err *err)
{
	struct frr_sync frr;
	frr_sync_init(&frr, reload->gateway, reload_save_frr, reload);
	frr.memory = frr.kept = reload_frr_memory(reload);
	int r = frr_once_remove(o->vtysh, nullptr, &frr, before, err);
	if (r < 0)
		(void)err_ctx(err, "everything is removed but what FRRouting holds");
	ops_append(ops, &frr.ops);
	frr_sync_clear(&frr);
	return r;
}

int once_down(const struct once_options *o, struct kernel *kernel, struct store *store)
{
	struct gateway g;
	struct reload reload;
	struct ops ops = {};
	struct conditions none = {};
	struct config *before = nullptr;
	struct err err = {};
	gateway_init(&g, kernel, reload_save_records, &reload);
	reload_init(&reload, &g, store, o->etc_path);
	int r = store_load(store, &reload.state, &err);
	if (r >= 0) {
		before = read_running(&reload.state, store);
		g.records = reload.state.records;
		reload.state.records = (struct sysctl_records){};
		r = reload_down(&reload, clock_monotonic_us(), clock_realtime_us(), &ops, &err);
	}
	if (r >= 0)
		r = remove_frr(o, &reload, before, &ops, &err);
	if (r >= 0 && before && before->tunnel.role != TUNNEL_NONE)
		r = tunnel_device_remove_named(before->mesh_interface, &err);
	r = r < 0 ? once_print_failure(API_ERROR_DOWN_INCOMPLETE, &err)
		  : print_operations(&ops, &none);
	ops_clear(&ops);
	config_free(before);
	reload_clear(&reload);
	gateway_clear(&g);
	return r;
}
