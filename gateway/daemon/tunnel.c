/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tunnel.h"
#include "daemon/attached.h"
#include "daemon/clock.h"
#include "daemon/fd_store.h"
#include "daemon/secret_text.h"
#include "daemon/tunnel_json.h"
#include "daemon/tunnel_memory.h"
#include "daemon/tunnel_names.h"
#include "daemon/tunnel_trouble.h"
#include "lib/api.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* At most so often: filters change many times when a program writes its own. */
constexpr uint64_t FILTERS_US = 500'000;

#define STORE_DEVICE "tunnel-tun"
#define STORE_MEMORY "tunnel-memory"
#define STORE_PREFIX "tunnel-"

/* One of the files that the section names. */
struct file {
	char *path;         /* nullptr = none is named */
	char *text;         /* what it holds, or held when it could be used; nullptr = never */
	struct err problem; /* why it cannot be used now; of code 0 = it can */
};

enum { FILE_CERTIFICATE, FILE_KEY, FILE_CA, FILES };

struct tunnel {
	struct server_context *context;
	struct attached_user user;
	struct attached attached;
	const struct config *config; /* in force, if it has a tunnel */
	uint64_t entered;            /* the configuration that was looked at (struct gateway) */
	struct file files[FILES];
	struct tunnel_device device;
	struct tunnel_sockets sockets;
	struct tunnel_memory memory;
	struct tunnel_proposal proposal; /* the last one, ours; judged anew by each configuration */
	bool heard;                      /* it is one of this daemon's life */
	struct tunnel_near near;
	struct tunnel_verdict verdict;
	sd_json_variant *json; /* what is told; nullptr = there is nothing to do */
	uint64_t generation;
	uint64_t filters, filters_told_us; /* changes of the packet filter that were told of */
	struct tunnel_report report;
	struct tunnel_wish wish;
	struct tunnel_names *names;
};

/* ---- telling ---- */

/* There is a tunnel to be told of. */
static bool may_begin(const struct tunnel *t)
{
	return t->json && t->device.fd >= 0;
}

/* The descriptors travel with the message that is sent next. */
static sd_json_variant *push_sockets(const struct tunnel *t, sd_varlink *link)
{
	sd_json_variant *v = nullptr;
	char address[ADDR_STRLEN];

	if (sd_json_variant_new_array(&v, nullptr, 0) < 0)
		out_of_memory();
	for (size_t i = 0; i < t->sockets.n; i++) {
		const struct tunnel_socket *s = &t->sockets.list[i];
		int index = s->fd >= 0 ? sd_varlink_push_dup_fd(link, s->fd) : -1;
		if (index < 0)
			continue;
		if (sd_json_variant_append_arraybo(&v,
			    SD_JSON_BUILD_PAIR_STRING("address", addr_str(&s->address, address)),
			    SD_JSON_BUILD_PAIR_UNSIGNED("port", s->port),
			    SD_JSON_BUILD_PAIR_INTEGER("fd", index)) < 0)
			out_of_memory();
	}
	return v;
}

static sd_json_variant *message(const void *arg, sd_varlink *link)
{
	const struct tunnel *t = arg;
	sd_json_variant *v = nullptr;
	bool ready = may_begin(t);
	int tun = ready ? sd_varlink_push_dup_fd(link, t->device.fd) : -1;
	autojson sd_json_variant *sockets = push_sockets(t, link),
				 *promote = tunnel_wish_json(&t->wish);
	int memory = ready && t->memory.fd >= 0 ? sd_varlink_push_dup_fd(link, t->memory.fd) : -1;

	if (sd_json_buildo(&v, SD_JSON_BUILD_PAIR_UNSIGNED("generation", t->generation),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    tun >= 0, "tunnel", SD_JSON_BUILD_VARIANT(t->json)),
		    SD_JSON_BUILD_PAIR_CONDITION(tun >= 0, "tun", SD_JSON_BUILD_INTEGER(tun)),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    memory >= 0, "memory", SD_JSON_BUILD_INTEGER(memory)),
		    SD_JSON_BUILD_PAIR_VARIANT("sockets", sockets),
		    SD_JSON_BUILD_PAIR_UNSIGNED("filters", t->filters),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    promote != nullptr, "promote", SD_JSON_BUILD_VARIANT(promote))) < 0)
		out_of_memory();
	return v;
}

int tunnel_reply(struct tunnel *t, sd_varlink *link)
{
	autojson sd_json_variant *v = message(t, link);
	return sd_varlink_reply(link, v);
}

int tunnel_attach(struct tunnel *t, sd_varlink *link, void *client)
{
	int r = attached_add(&t->attached, link, client);

	if (r >= 0)
		tunnel_step(t);
	return r;
}

/* What was reported holds no more. */
static void on_gone(void *arg)
{
	struct tunnel *t = arg;

	tunnel_report(t, &(struct tunnel_report){});
	tunnel_wish_fail(&t->wish);
}

bool tunnel_admits(const struct tunnel *t, uid_t uid)
{
	return attached_user_admits(&t->user, uid);
}

gid_t tunnel_group(const struct tunnel *t)
{
	return t->user.known ? t->user.gid : (gid_t)-1;
}

/* ---- files ---- */

static void file_clear(struct file *f)
{
	secret_text_free(f->text);
	free(f->path);
	*f = (struct file){};
}

static void forget_files(struct tunnel *t)
{
	for (size_t i = 0; i < FILES; i++)
		file_clear(&t->files[i]);
}

static bool is_same_path(const struct file *a, const struct file *b)
{
	return a->path && b->path && strcmp(a->path, b->path) == 0;
}

/* Files that belong together. If one of them cannot be used, what they held when all could goes on:
 * bad input does not end what works, and nor does half of what is new. renamed: also where they are
 * called otherwise now. */
static void renew_files(struct file *files, struct file *take_now, size_t n, bool renamed)
{
	bool usable = true, held = true;

	for (size_t i = 0; i < n; i++) {
		usable &= !take_now[i].problem.code;
		held &= !take_now[i].path ||
			(files[i].text && (renamed || is_same_path(&files[i], &take_now[i])));
	}
	for (size_t i = 0; i < n; i++) {
		if (!usable && held) {
			secret_text_free(take_now[i].text);
			take_now[i].text = TAKE_PTR(files[i].text);
		}
		file_clear(&files[i]);
		files[i] = take_now[i];
	}
}

static void read_files(struct tunnel *t, const struct config_tunnel *config)
{
	static const enum secret_text_kind kinds[FILES] = {
		SECRET_TEXT_CERTIFICATE, SECRET_TEXT_KEY, SECRET_TEXT_CERTIFICATE};
	const char *const paths[FILES] = {
		config->certificate_file, config->key_file, config->connector.ca_file};
	struct file now[FILES] = {};

	for (size_t i = 0; i < FILES; i++)
		if (paths[i]) {
			now[i].path = xstrdup(paths[i]);
			(void)secret_text_read(kinds[i], paths[i], &now[i].text, &now[i].problem);
		}
	static_assert(FILE_KEY == FILE_CERTIFICATE + 1);
	renew_files(&t->files[FILE_CERTIFICATE], &now[FILE_CERTIFICATE], 2, true);
	/* Who names other authorities does not trust the former ones any more. */
	renew_files(&t->files[FILE_CA], &now[FILE_CA], 1, false);
}

/* Without its CA a connector would trust too many, without its key it is nobody. */
static bool has_files(const struct tunnel *t)
{
	for (size_t i = 0; i < FILES; i++)
		if (t->files[i].path && !t->files[i].text)
			return false;
	return true;
}

static sd_json_variant *make_json(const struct tunnel *t)
{
	const struct tunnel_files files = {
		t->files[FILE_CERTIFICATE].text, t->files[FILE_KEY].text, t->files[FILE_CA].text};

	return t->config && has_files(t) ? tunnel_json(t->config, &files) : nullptr;
}

/* ---- what there is ---- */

static void forget_proposal(struct tunnel *t)
{
	free(t->proposal.addresses);
	free(t->proposal.routes);
	t->proposal = (struct tunnel_proposal){};
	tunnel_verdict_clear(&t->verdict);
}

static struct prefix *copy_prefixes(const struct prefix *list, size_t n)
{
	struct prefix *copy = xcalloc(n, sizeof(*copy));

	if (n)
		memcpy(copy, list, n * sizeof(*copy));
	return copy;
}

/* The tunnel is not told anew of most that changes, and would not propose again. */
static void judge(struct tunnel *t)
{
	if (t->config && t->config->tunnel.role == TUNNEL_CONNECTOR)
		tunnel_judge(t->config, &t->near, &t->proposal, &t->verdict);
	else
		forget_proposal(t);
	if (t->config && t->config->tunnel.role == TUNNEL_EDGE)
		tunnel_judge_edge(t->config, &t->verdict);
}

/* The interface may be there, and not be ours yet. */
static int mesh_ifindex(const struct tunnel *t, const struct observed *seen)
{
	const struct link *l = link_by_name(&seen->links, t->config->mesh_interface);

	return t->device.fd >= 0 ? t->device.ifindex : l ? l->ifindex : 0;
}

/* True: other networks are near than before. */
static bool look_around(struct tunnel *t, const struct observed *seen)
{
	return t->config &&
	       tunnel_near_update(&t->near, t->config, &seen->addresses, mesh_ifindex(t, seen));
}

/* True: what is told has changed. */
static bool look(struct tunnel *t, const struct gateway *g)
{
	bool up = g->phase == GATEWAY_UP && g->config && g->config->tunnel.role != TUNNEL_NONE;

	if (t->config == (up ? g->config : nullptr) && t->entered == g->entered)
		return false;
	if (!t->config && up)
		t->attached.alone_us = clock_monotonic_us();
	t->config = up ? g->config : nullptr;
	t->entered = g->entered;
	if (t->config)
		read_files(t, &t->config->tunnel);
	else
		forget_files(t);
	(void)look_around(t, &g->seen);
	judge(t);
	sd_json_variant *v = make_json(t);
	bool same = v && t->json ? sd_json_variant_equal(v, t->json) : !v && !t->json;
	sd_json_variant_unref(t->json);
	t->json = v;
	return !same;
}

/* Of a daemon that has just begun the tunnel has to say first what its addresses are. */
static void update_addresses(struct tunnel *t, const struct ifaddr_set *seen)
{
	bool known = t->heard || t->config->tunnel.role != TUNNEL_CONNECTOR;

	tunnel_device_addresses(
		&t->device, seen, t->verdict.addresses, t->verdict.n_addresses, known);
}

static bool update_device(struct tunnel *t, const struct gateway *g)
{
	if (!t->config) {
		bool was = t->device.fd >= 0;
		if (was)
			fd_store_drop("tunnel", STORE_DEVICE);
		tunnel_device_remove(&t->device);
		return was;
	}
	bool made = tunnel_device_want(
		&t->device, t->config->mesh_interface, t->config->tunnel.mtu, clock_monotonic_us());
	if (made)
		fd_store_keep("tunnel", STORE_DEVICE, t->device.fd);
	update_addresses(t, &g->seen.addresses);
	return made;
}

/* A filter that has just begun to track connections takes what comes from the peer for new, and
 * refuses it, until it has seen this host send. True: the tunnel is told. */
static bool look_at_filters(struct tunnel *t, const struct gateway *g)
{
	uint64_t now = clock_monotonic_us();

	if (t->filters == g->filter_events || now < t->filters_told_us + FILTERS_US)
		return false;
	t->filters = g->filter_events;
	t->filters_told_us = now;
	return true;
}

void tunnel_step(struct tunnel *t)
{
	const struct gateway *g = t->context->reload->gateway;
	bool changed = look(t, g);

	if (look_around(t, &g->seen))
		judge(t);
	changed |= update_device(t, g);
	changed |= tunnel_sockets_update(
		&t->sockets, t->config ? &t->config->tunnel : nullptr, clock_monotonic_us());
	changed |= tunnel_memory_want(
		&t->memory, t->config && t->config->tunnel.role == TUNNEL_EDGE);
	if (!may_begin(t))
		tunnel_report_clear(&t->report); /* of a tunnel that is no more */
	if (changed)
		t->generation++;
	changed |= look_at_filters(t, g);
	attached_tell(&t->attached, changed);
}

int tunnel_propose(
	struct tunnel *t, const struct tunnel_proposal *proposal, const struct tunnel_verdict **out)
{
	const struct gateway *g = t->context->reload->gateway;

	if (!t->config || t->config->tunnel.role != TUNNEL_CONNECTOR)
		return -ENOENT;
	forget_proposal(t);
	t->proposal = (struct tunnel_proposal){
		copy_prefixes(proposal->addresses, proposal->n_addresses),
		copy_prefixes(proposal->routes, proposal->n_routes), proposal->n_addresses,
		proposal->n_routes};
	t->heard = true;
	judge(t);
	update_addresses(t, &g->seen.addresses);
	t->context->changed(t->context->arg);
	*out = &t->verdict;
	return 0;
}

int tunnel_resolve(struct tunnel *t, sd_varlink *link, void *client, const char *name)
{
	if (!t->config || t->config->tunnel.role != TUNNEL_EDGE)
		return -ENOENT;
	return tunnel_names_ask(t->names, link, client, name);
}

void tunnel_report(struct tunnel *t, struct tunnel_report *take_report)
{
	tunnel_report_clear(&t->report);
	if (may_begin(t))
		t->report = *take_report;
	else
		tunnel_report_clear(take_report);
	*take_report = (struct tunnel_report){};
}

int tunnel_promote(
	struct tunnel *t, sd_varlink *link, void *client, const char *node, const char *replica)
{
	const struct tunnel_node_state *now = tunnel_report_node(&t->report, node, 0);

	if (!t->attached.n)
		return tunnel_wish_refuse(link, "no-tunnel", "meshgw-tunnel is not attached");
	const struct tunnel_wish_words wish = {node, replica, now ? now->active : ""};
	if (tunnel_wish_begin(&t->wish, link, client, &wish) < 0)
		return sd_varlink_errorbo(link, API_ERROR_BUSY,
			SD_JSON_BUILD_PAIR_STRING("message", "another promotion is under way"));
	t->generation++;
	attached_tell(&t->attached, true);
	return 0;
}

void tunnel_promoted(struct tunnel *t, uint64_t id, const char *result)
{
	tunnel_wish_end(&t->wish, id, result);
}

/* ---- life ---- */

struct tunnel *tunnel_new(
	struct server_context *context, const char *user, const char *probe_socket)
{
	struct tunnel *t = xcalloc(1, sizeof(*t));

	t->context = context;
	t->user = attached_user_find("tunnel", user);
	t->attached = (struct attached){.token = "tunnel",
		.message = message,
		.gone = on_gone,
		.arg = t,
		.alone_us = clock_monotonic_us()};
	tunnel_device_init(&t->device);
	t->names = tunnel_names_new(probe_socket);
	t->memory.fd = -1;
	return t;
}

void tunnel_free(struct tunnel *t)
{
	if (!t)
		return;
	attached_clear(&t->attached);
	tunnel_names_free(t->names);
	tunnel_device_clear(&t->device);
	tunnel_sockets_clear(&t->sockets);
	tunnel_memory_clear(&t->memory);
	forget_proposal(t);
	tunnel_near_clear(&t->near);
	forget_files(t);
	sd_json_variant_unref(t->json);
	tunnel_report_clear(&t->report);
	tunnel_wish_clear(&t->wish);
	free(t);
}

bool tunnel_stored(const char *name)
{
	return strncmp(name, STORE_PREFIX, strlen(STORE_PREFIX)) == 0;
}

void tunnel_adopt(struct tunnel *t, const char *name, int take_fd)
{
	if (strcmp(name, STORE_DEVICE) == 0)
		tunnel_device_adopt(&t->device, take_fd);
	else if (strcmp(name, STORE_MEMORY) == 0)
		tunnel_memory_adopt(&t->memory, take_fd);
	else if (!tunnel_sockets_adopt(&t->sockets, name, take_fd))
		fd_store_drop("tunnel", name);
}

void tunnel_take_back(struct tunnel *t, int take_fd)
{
	if (!t->config) {
		close(take_fd);
	} else if (t->device.fd < 0 && tunnel_device_is(take_fd, t->config->mesh_interface)) {
		tunnel_device_adopt(&t->device, take_fd);
		fd_store_keep("tunnel", STORE_DEVICE, t->device.fd);
	} else {
		tunnel_sockets_take_back(&t->sockets, take_fd);
	}
}

/* ---- showing ---- */

struct tunnel_view tunnel_view(const struct tunnel *t)
{
	return (struct tunnel_view){.config = t->config,
		.attached = t->attached.n > 0,
		.generation = t->generation,
		.device = &t->device,
		.sockets = &t->sockets,
		.verdict = &t->verdict,
		.report = &t->report};
}

/* An address comes with the connection, or with the answer to a request for one. */
constexpr uint64_t ADDRESSLESS_S = 3;

static void socket_health(const struct tunnel_sockets *all, struct conditions *out)
{
	char name[TUNNEL_SOCKET_STRLEN];

	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].error)
			conditions_add(out, COND_TUNNEL_NO_SOCKET,
				tunnel_socket_str(&all->list[i], name), "cannot be opened: %s",
				strerror(all->list[i].error));
}

static bool has_socket(const struct tunnel_sockets *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (!all->list[i].error)
			return true;
	return false;
}

/* What there is no tunnel for want of: the subject of the condition that tells of it. */
static const char *missing(const struct tunnel *t, char name[static TUNNEL_SOCKET_STRLEN])
{
	if (t->device.fd < 0 && t->device.problem.code)
		return t->config->mesh_interface;
	for (size_t i = 0; i < FILES; i++)
		if (t->files[i].path && !t->files[i].text)
			return t->files[i].path;
	if (t->sockets.n && !has_socket(&t->sockets))
		return tunnel_socket_str(&t->sockets.list[0], name);
	return TUNNEL_USER;
}

static void refusal_health(const struct tunnel_verdict *v, struct conditions *out)
{
	char prefix[PREFIX_STRLEN];

	for (size_t i = 0; i < v->n_refused && i < TUNNEL_REFUSED_MAX; i++)
		conditions_add(out, COND_TUNNEL_PROPOSAL_REFUSED,
			prefix_str(&v->refused[i].prefix, prefix), "the edge proposes this %s; %s",
			v->refused[i].route ? "route" : "address", v->refused[i].reason);
}

static const struct tunnel_peer *open_peer(const struct tunnel_report *r)
{
	for (size_t i = 0; i < r->n_peers; i++)
		if (r->peers[i].open)
			return &r->peers[i];
	return nullptr;
}

static void file_health(const struct file *f, struct conditions *out)
{
	if (f->problem.code)
		conditions_add(out, COND_TUNNEL_FILE_UNUSABLE, f->path, "%.180s%s", f->problem.msg,
			f->text ? "; what was read before is used on" : "");
}

/* The file that meshgw-tunnel cannot use though it can be read; nullptr: it is no file's fault. */
static const struct file *refused_file(const struct tunnel *t)
{
	const char *name = t->report.problem.file;
	const struct file *f = strcmp(name, "certificate") == 0 ? &t->files[FILE_CERTIFICATE]
			       : strcmp(name, "ca") == 0        ? &t->files[FILE_CA]
								: nullptr;

	return f && f->path ? f : nullptr;
}

/* What meshgw-tunnel says of what it was told. */
static void problem_health(const struct tunnel *t, struct conditions *out)
{
	const struct tunnel_problem *p = &t->report.problem;
	const struct file *f = refused_file(t);

	if (!*p->text)
		return;
	if (f)
		conditions_add(out, COND_TUNNEL_FILE_UNUSABLE, f->path, "%s%s", p->text,
			p->stands ? "; the former are used on, and nothing of what is new" : "");
	if (!p->stands)
		conditions_add(out, COND_TUNNEL_NOT_BEGUN, f ? f->path : TUNNEL_USER,
			"there is no tunnel: %s", p->text);
}

/* Of a connector: without its edge, or without an address of its own, the whole mesh is away. */
static void peer_health(const struct tunnel *t, struct conditions *out)
{
	const char *name = t->config->mesh_interface, *why = t->report.dial.error;
	const struct tunnel_peer *peer = open_peer(&t->report);

	if (t->config->tunnel.role != TUNNEL_CONNECTOR || !t->attached.n || !may_begin(t))
		return;
	if (!peer)
		conditions_add(out, COND_TUNNEL_DISCONNECTED, name, "no edge is connected%s%s",
			*why ? ": " : "; see journalctl -u meshgw-tunnel", why);
	else if (t->verdict.n_addresses == 0 && peer->seconds >= ADDRESSLESS_S)
		conditions_add(out, COND_TUNNEL_NO_ADDRESS, name,
			"%s is connected and has given no address that is taken", peer->address);
}

void tunnel_health(const struct tunnel *t, struct conditions *out)
{
	char name[TUNNEL_SOCKET_STRLEN];

	if (!t || !t->config)
		return;
	if (!t->attached.n && clock_monotonic_us() >= t->attached.alone_us + TUNNEL_MISSING_US)
		conditions_add(out, COND_TUNNEL_NOT_ATTACHED, TUNNEL_USER,
			"meshgw-tunnel has not fetched its configuration; nothing is carried");
	if (t->device.problem.code)
		conditions_add(out, COND_TUNNEL_NO_INTERFACE, t->config->mesh_interface, "%.200s",
			t->device.problem.msg);
	for (size_t i = 0; i < FILES; i++)
		file_health(&t->files[i], out);
	if (!may_begin(t) || !has_socket(&t->sockets))
		conditions_add(out, COND_TUNNEL_NOT_BEGUN, missing(t, name),
			"there is no tunnel: what it needs to begin with is not there");
	problem_health(t, out);
	socket_health(&t->sockets, out);
	refusal_health(&t->verdict, out);
	peer_health(t, out);
	if (t->report.json)
		tunnel_trouble_health(sd_json_variant_by_key(t->report.json, "troubles"),
			t->config->mesh_interface, out);
}
