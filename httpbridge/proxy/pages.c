/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/pages.h"
#include "answer/asked_about.h"
#include "answer/budget.h"
#include "answer/metrics.h"
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "proxy/exchange_int.h"
#include "route/access.h"
#include <errno.h>
#include <string.h>

#define PREFIX "/.well-known/meshgw/"

typedef bool page_server(
	struct exchange *x, const struct http_request *q, const struct http_target *t);

static bool serve_health(
	struct exchange *x, const struct http_request *, const struct http_target *)
{
	const struct answer_page page = {200, "text/plain", "ok\n", 3};
	return exchange_answer(x, &page);
}

/* Diagnoses. */

static bool answer_verdict(struct exchange *x, sd_json_variant *verdict)
{
	struct answer_sending sending;
	char *out = x->worker->loop.scratch;

	if (!verdict)
		return exchange_fail(x, ANSWER_NO_DIAGNOSIS, nullptr);
	exchange_begin_own(x, &sending);
	x->status = 200;
	return exchange_end_with(
		x, answer_diagnosis(verdict, x->config->reveal, &sending, out, LOOP_SCRATCH));
}

static void on_told(struct ask_waiter *waiter, sd_json_variant *verdict)
{
	(void)answer_verdict(
		(struct exchange *)((char *)waiter - offsetof(struct exchange, waiter)), verdict);
}

/* What the bridge would not ask about is one answer, whether it exists or not. */
static bool may_ask_about(const struct exchange *x, const char *target)
{
	return x->worker->put_question && bridge_config_allows_target(x->config, target) &&
	       (x->client->admin || bridge_source_known(x->config, &x->client->peer));
}

/* Without a token meshgwd only looks; with a wrong one nothing is done. */
static bool serve_diagnosis(
	struct exchange *x, const struct http_request *q, const struct http_target *t)
{
	char question[sizeof(WORKER_ACTIVE) + ASKED_ABOUT_MAX] = WORKER_ACTIVE;
	char *target = question + strlen(WORKER_ACTIVE);
	autojson sd_json_variant *verdict = nullptr;

	if (!budget_take(x->worker->budget, &x->client->peer, worker_now_us(x->worker)))
		return exchange_fail(x, ANSWER_TOO_MANY_QUESTIONS, nullptr);
	if (asked_about(t->query, t->query_len, target) < 0 || !may_ask_about(x, target))
		return exchange_fail(x, ANSWER_TARGET_UNKNOWN, nullptr);
	enum bridge_access access = bridge_token_check(&x->config->diagnose_tokens, &q->head);
	if (access == BRIDGE_TOKEN_WRONG)
		return exchange_fail(x, ANSWER_TOKEN_WRONG, nullptr);
	return exchange_ask(x, access == BRIDGE_ALLOWED ? question : target, on_told, &verdict) ||
	       answer_verdict(x, verdict);
}

/* Statistics. */

static bool serve_statistics(struct exchange *x, bool status)
{
	struct worker *w = x->worker;
	struct page *page = xcalloc(1, sizeof(*page));

	*page = (struct page){.exchange = x,
		.metrics = metrics_new(MESHGW_VERSION, (loop_clock_us() - w->began_us) / 1'000'000),
		.status = status};
	x->page = page;
	x->state = EXCHANGE_ASK;
	w->collect(w, page);
	return true;
}

static bool serve_metrics(
	struct exchange *x, const struct http_request *, const struct http_target *)
{
	return serve_statistics(x, false);
}

static bool serve_status(
	struct exchange *x, const struct http_request *, const struct http_target *)
{
	return serve_statistics(x, true);
}

void page_add(struct page *page, const struct worker *w)
{
	struct stats_thread stats = w->stats;

	stats.log_lines_lost = w->log.lost;
	metrics_add_thread(page->metrics, &stats);
	for (const struct route_stats *r = w->route_stats; r; r = r->next)
		metrics_add_route(page->metrics, r->host, r->path, &r->stats);
	for (const struct verdict_stats *v = w->verdict_stats; v; v = v->next)
		metrics_add_verdict(page->metrics, v->code, v->n);
	for (size_t i = 0; i < w->config->n_upstreams; i++)
		metrics_add_upstream(
			page->metrics, w->upstreams[i]->of->name, &w->upstreams[i]->stats);
}

void page_leave(struct page *page)
{
	if (page)
		page->exchange = nullptr;
}

void page_done(struct page *page)
{
	struct exchange *x = page->exchange;
	size_t len = 0;

	if (x) {
		autofree char *body = page->status ? metrics_status(page->metrics, &len)
						   : metrics_text(page->metrics, &len);
		const struct answer_page answer = {
			200, page->status ? "application/json" : metrics_type, body, len};
		x->page = nullptr;
		(void)exchange_answer(x, &answer);
	}
	metrics_free(page->metrics);
	free(page);
}

/* Which page. */

static const struct {
	const char *path;
	bool admin; /* there only */
	page_server *serve;
} pages[] = {
	{PREFIX "health", false, serve_health},
	{PREFIX "diagnose", false, serve_diagnosis},
	{"/metrics", true, serve_metrics},
	{"/status", true, serve_status},
};

bool pages_serve(const struct client *c, const struct http_target *t)
{
	return c->admin || (t->path_len >= sizeof(PREFIX) - 1 &&
				   memcmp(t->path, PREFIX, sizeof(PREFIX) - 1) == 0);
}

bool page_begin(struct exchange *x, const struct http_request *q, const struct http_target *t)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (t->path_len != strlen(pages[i].path) ||
			memcmp(t->path, pages[i].path, t->path_len) != 0 ||
			(pages[i].admin && !x->client->admin))
			continue;
		if (q->method != HTTP_METHOD_GET && q->method != HTTP_METHOD_HEAD)
			return exchange_fail(x, ANSWER_WRONG_METHOD, nullptr);
		return pages[i].serve(x, q, t);
	}
	return exchange_fail(x, ANSWER_NOT_FOUND, nullptr);
}
