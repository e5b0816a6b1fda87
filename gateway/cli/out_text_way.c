/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_text_way: the way of one flow, there and back, as far as it gets.
 *
 *     Worker ──▶ tunnel ──▶ CloudflareWARP ──▶ gateway ──▶ eth0 ──▶ LAN ──▶ 10.0.1.50:3000
 *     Worker ◀·· tunnel ◀·· CloudflareWARP ◀·✗ gateway ◀── eth0 ◀── LAN ◀── 10.0.1.50:3000
 *
 * The way is one line of arrows, there and back again: what is before the point of failure is
 * drawn whole, the arrow that leaves it has the cross, and what is behind it is never reached. A
 * terminal that is too narrow gets it in pieces. What the gateway sends itself begins there.
 */
#include "cli/out.h"
#include "lib/escape.h"
#include "verdict/verdict.h"
#include <string.h>

constexpr size_t STATIONS = 7;
constexpr size_t ARROW = 4; /* columns, with the space before it */
constexpr size_t INDENT = 2;

enum piece { WHOLE, BROKEN, UNREACHED };

struct way {
	char stations[STATIONS][FLOW_STRLEN];
	size_t n;
	size_t begun; /* so many stations are in front of the first one */
	size_t fault; /* which arrow is broken; 2 * (n - 1) = none */
};

static const char *caller_of(const struct reply_verdict *v)
{
	static const struct {
		const char *class, *name;
	} callers[] = {
		{"workers", "Worker"},
		{"devices", "device"},
		{"load_balancers", "load balancer"},
		{"sites", "site"},
	};

	for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++)
		if (strcmp(callers[i].class, v->from) == 0)
			return callers[i].name;
	return *v->client ? v->client : "caller";
}

static const char *or_words(const char *name, const char *words)
{
	return *name ? name : words;
}

/* "db:5432" of "tcp db:5432 (10.0.1.50)" */
static const char *target_of(const struct reply_verdict *v, char out[static FLOW_STRLEN])
{
	const char *space = strchr(v->flow, ' ');
	const char *target = space ? space + 1 : v->flow;

	snprintf(out, FLOW_STRLEN, "%.*s", (int)strcspn(target, " "), target);
	return or_words(out, "service");
}

static void add_station(struct way *way, const char *name)
{
	escape_text(name, strlen(name), way->stations[way->n], sizeof(way->stations[0]));
	way->n++;
}

/* Is the service one of the gateway's own? */
static bool ends_here(const struct reply_verdict *v)
{
	size_t at = 0;
	const struct fact *f = v->recorded ? evidence_next(&v->record, FACT_CONFIG, &at) : nullptr;

	return f && f->config.own_address;
}

static void add_stations(struct way *way, const struct reply_verdict *v)
{
	char target[FLOW_STRLEN];

	if (strcmp(v->from, FLOW_FROM_GATEWAY) == 0) {
		way->begun = AT_GATEWAY - AT_CALLER;
	} else {
		add_station(way, caller_of(v));
		add_station(way, "tunnel");
		add_station(way, or_words(v->mesh, "mesh interface"));
	}
	if (way->begun || !ends_here(v))
		add_station(way, "gateway");
	if (!ends_here(v)) {
		add_station(way, or_words(v->lan, "LAN interface"));
		add_station(way, "LAN");
	}
	add_station(way, target_of(v, target));
}

static enum verdict_point point_parse(const char *name)
{
	for (enum verdict_point at = 0; at < ATS; at++)
		if (strcmp(verdict_point_str(at), name) == 0)
			return at;
	return AT_NOWHERE;
}

/* The arrow that leaves the point. A way that ends here has no stations behind the interface. */
static size_t fault_of(const struct way *way, enum verdict_point at)
{
	size_t last = way->n - 1, first = AT_CALLER + way->begun;

	if (at == AT_NOWHERE)
		return 2 * last;
	if (at <= AT_SERVICE) {
		size_t from_begin = at > first ? at - first : 0;
		return from_begin < last ? from_begin : last;
	}
	size_t to_the_end = ATS - at > way->begun ? ATS - at - way->begun : 1;
	return to_the_end < last ? 2 * last - to_the_end : last;
}

static enum piece piece_of(const struct way *way, size_t arrow)
{
	if (arrow < way->fault)
		return WHOLE;
	return arrow == way->fault ? BROKEN : UNREACHED;
}

static void print_arrow(const struct term *t, bool back, enum piece piece)
{
	/* by character set and direction */
	static const char *const arrows[2][2][3] = {
		{{" -->", " x.>", " ..>"}, {" <--", " <.x", " <.."}},
		{{" ──▶", " ✗·▶", " ··▶"}, {" ◀──", " ◀·✗", " ◀··"}},
	};

	term_raw(t, piece == BROKEN ? STYLE_BAD : STYLE_DIM, arrows[t->utf8][back][piece]);
}

/* Stations first to last, and behind the last one the arrow to what follows. */
static void print_line(
	const struct term *t, const struct way *way, size_t first, size_t last, bool back)
{
	size_t arrows = 2 * (way->n - 1);

	fprintf(t->file, "%*s", (int)INDENT, "");
	for (size_t i = first; i <= last; i++) {
		size_t leaves = back ? arrows - i : i;
		bool here = leaves == way->fault && way->fault < arrows;
		term_raw(t, STYLE_PLAIN, i > first ? " " : "");
		term_raw(t, here ? STYLE_BAD : STYLE_PLAIN, way->stations[i]);
		if (i + 1 < way->n)
			print_arrow(t, back, piece_of(way, back ? arrows - 1 - i : i));
	}
	term_raw(t, STYLE_PLAIN, "\n");
}

/* How far a line gets that begins with this station. */
static size_t last_that_fits(const struct term *t, const struct way *way, size_t first)
{
	size_t column = INDENT + strlen(way->stations[first]) + ARROW, i = first;

	while (i + 1 < way->n) {
		column += 1 + strlen(way->stations[i + 1]) + (i + 2 < way->n ? ARROW : 0);
		if (t->width && column > t->width)
			break;
		i++;
	}
	return i;
}

void out_text_way(const struct view *v, const struct reply_verdict *verdict)
{
	enum verdict_point at = point_parse(verdict->point);
	struct way way = {};

	/* Nobody knows where it ends, or whether. */
	if (at == AT_NOWHERE && verdict_status(verdict) != EXIT_DONE)
		return;
	add_stations(&way, verdict);
	way.fault = fault_of(&way, at);
	for (size_t first = 0; first < way.n;) {
		size_t last = last_that_fits(&v->out, &way, first);
		term_raw(&v->out, STYLE_PLAIN, "\n");
		print_line(&v->out, &way, first, last, false);
		print_line(&v->out, &way, first, last, true);
		first = last + 1;
	}
}
