/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/objects.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *object_state_str(enum object_state state)
{
	static const char *const names[] = {[OBJECT_INSTALLED] = "installed",
		[OBJECT_WAITING] = "waiting",
		[OBJECT_FAILED] = "failed",
		[OBJECT_CONTESTED] = "contested"};
	return names[state];
}

static struct object *push(struct objects *out, const struct op *op)
{
	XGROW(out->list, out->n, out->cap);
	struct object *o = &out->list[out->n++];
	*o = (struct object){.kind = op->kind};
	op_name(op, o->name);
	return o;
}

/* installed: what the observation says. The track knows the rest. */
static void judge(const struct gateway *g, struct object *o, bool installed)
{
	const struct track *t = track_find(&g->tracks, o->name);
	if (t && t->contested) {
		o->state = OBJECT_CONTESTED;
		snprintf(o->reason, sizeof(o->reason),
			"undone %u times; next attempt after a pause", t->n_repairs);
	} else if (installed) {
		o->state = OBJECT_INSTALLED;
	} else {
		o->state = OBJECT_FAILED;
		snprintf(o->reason, sizeof(o->reason), "%s",
			t && t->error ? t->reason : "not tried yet");
	}
}

static void collect_nft(const struct gateway *g, struct objects *out)
{
	struct object *o = push(out, &(struct op){.kind = OP_NFT});
	snprintf(o->wanted, sizeof(o->wanted), "%s%s", g->model->nat ? "masquerade, " : "",
		g->model->allow_list ? "allow list" : "everything allowed");
	judge(g, o, g->seen.nft_current);
}

static void collect_sysctl(
	const struct gateway *g, const struct want_sysctl *w, struct objects *out)
{
	struct op op = {.kind = OP_SYSCTL};
	memcpy(op.sysctl.key, w->key, sizeof(op.sysctl.key));
	struct object *o = push(out, &op);
	snprintf(o->wanted, sizeof(o->wanted), "%d", w->value);
	int now;
	int r = g->kernel->ops->sysctl_get(g->kernel, w->key, &now);
	judge(g, o, r >= 0 && now == w->value);
}

static void collect_route(const struct gateway *g, const struct route *r, struct objects *out)
{
	struct object *o = push(out, &(struct op){.kind = OP_ROUTE, .route = *r});
	const char *mesh = g->config->mesh_interface;
	snprintf(o->wanted, sizeof(o->wanted), "dev %s metric %u", mesh, r->metric);
	judge(g, o, r->oif && observed_has_route(&g->seen, r));
	if (!r->oif && o->state != OBJECT_CONTESTED) {
		bool exists = link_by_name(&g->seen.links, mesh);
		o->state = OBJECT_WAITING;
		snprintf(o->reason, sizeof(o->reason), "interface %s is %s", mesh,
			exists ? "down" : "missing");
	}
}

/* Only where there is something to remedy. */
static void collect_remedies(const struct gateway *g, struct objects *out)
{
	for (enum observed_family f = 0; f < OBSERVED_FAMILIES; f++) {
		const struct nft_foreign *in = &g->seen.inputs[f];
		struct op op = {.kind = OP_REMEDY, .remedy = {.family = f, .n = in->n_dropped}};
		if (!(g->want.remedies & 1U << REMEDY_TAILSCALE_INPUT) || !in->n_dropped)
			continue;
		struct object *o = push(out, &op);
		op_detail(&op, o->wanted);
		judge(g, o, in->passed);
	}
}

void objects_collect(const struct gateway *g, struct objects *out)
{
	objects_clear(out);
	if (!g->config)
		return;
	collect_nft(g, out);
	for (size_t i = 0; i < g->want.n_sysctls; i++)
		collect_sysctl(g, &g->want.sysctls[i], out);
	for (size_t i = 0; i < g->want.routes.n; i++)
		collect_route(g, &g->want.routes.list[i], out);
	collect_remedies(g, out);
}

void objects_clear(struct objects *o)
{
	free(o->list);
	*o = (struct objects){};
}
