/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/running.h"
#include "frr/text.h"
#include "frr/want.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void frr_running_clear(struct frr_running *running)
{
	if (running->text)
		explicit_bzero(running->text, running->len);
	free(running->text);
	free(running->list);
	free(running->neighbors);
	*running = (struct frr_running){};
}

/* ---- Lines ---- */

static char *cut_line(char *line, char *limit)
{
	char *end = memchr(line, '\n', (size_t)(limit - line));
	char *next = end ? end + 1 : limit;
	end = end ? end : limit;
	while (end > line && (end[-1] == ' ' || end[-1] == '\r'))
		end--;
	*end = '\0'; /* at the limit there is room for it */
	return next;
}

/* What FRR shows between statements. */
static bool is_statement(const char *text)
{
	return *text && *text != '!' && *text != '#' && strcmp(text, "exit") != 0 &&
	       !text_begins(text, "exit-");
}

struct reader {
	struct frr_running *out;
	size_t cap;
	const char *block, *part; /* heads that an indented line belongs to */
};

static void read_line(struct reader *r, const char *line)
{
	size_t indent = strspn(line, " ");
	const char *text = line + indent;
	if (!is_statement(text))
		return;
	XGROW(r->out->list, r->out->n, r->cap);
	r->out->list[r->out->n++] = (struct frr_statement){
		.block = indent > 0 ? r->block : "",
		.part = indent > 1 ? r->part : "",
		.text = text,
		.in_bgpd = true,
		.in_mgmtd = true,
	};
	if (indent == 0)
		r->block = text;
	if (indent <= 1)
		r->part = indent ? text : "?";
}

/* Between the heading, which may be missing, and the line "end". */
static bool read_lines(struct frr_running *out)
{
	/* An indented line without a head stands in no block that we know, but in one. */
	struct reader r = {.out = out, .block = "?", .part = "?"};
	char *limit = out->text + out->len - 1;
	for (char *line = out->text, *next; line < limit; line = next) {
		next = cut_line(line, limit);
		if (strcmp(line, "end") == 0)
			return true;
		if (text_begins(line, "Building configuration") ||
			text_begins(line, "Current configuration"))
			continue;
		read_line(&r, line);
	}
	return false;
}

/* ---- Whose ---- */

/* RFC 5396: 65010, or 1.10. */
static bool parse_asn(const char *text, uint32_t *out, const char **rest)
{
	uint32_t high, low;
	char word[16];
	size_t n = text_word_len(text), dot = strcspn(text, ". ");
	if (text_take_u32(text, out, rest))
		return true;
	if (n >= sizeof(word) || text[dot] != '.')
		return false;
	memcpy(word, text, n);
	word[n] = word[dot] = '\0';
	if (!text_take_u32(word, &high, rest) || !text_take_u32(word + dot + 1, &low, rest) ||
		high > UINT16_MAX || low > UINT16_MAX)
		return false;
	*out = high << 16 | low;
	*rest = text_next(text);
	return true;
}

static void find_bgp(struct frr_running *running)
{
	for (size_t i = 0; i < running->n && !running->bgp; i++) {
		const struct frr_statement *s = &running->list[i];
		const char *rest = text_after(s->text, "router bgp");
		uint32_t asn;
		if (s->block[0] || !rest || !parse_asn(rest, &asn, &rest) || !text_is_plain(rest) ||
			text_has(rest, "vrf") || text_has(rest, "view"))
			continue;
		running->bgp = s->text;
		running->asn = asn;
	}
}

bool frr_statement_neighbor(const char *text, const char **peer, const char **setting)
{
	const char *positive = text_after(text, "no");
	const char *rest = text_after(positive ? positive : text, "neighbor");
	if (!rest || !*rest)
		return false;
	*peer = rest;
	*setting = text_next(rest);
	return true;
}

static bool in_bgp(const struct frr_running *running, const struct frr_statement *s)
{
	return running->bgp && strcmp(s->block, running->bgp) == 0;
}

static bool describes_ours(const char *setting)
{
	const char *text = text_after(setting, "description");
	return text && (strcmp(text, MARK_FRR_DESCRIPTION) == 0 ||
			       text_begins(text, MARK_FRR_DESCRIPTION ":"));
}

static int addr_cmp_void(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

static void find_neighbors(struct frr_running *running)
{
	size_t cap = 0;
	for (size_t i = 0; i < running->n; i++) {
		const struct frr_statement *s = &running->list[i];
		const char *peer, *setting;
		struct addr address;
		if (!in_bgp(running, s) || s->part[0] ||
			!frr_statement_neighbor(s->text, &peer, &setting) ||
			!describes_ours(setting) || !text_take_addr(peer, &address, &setting))
			continue;
		XGROW(running->neighbors, running->n_neighbors, cap);
		running->neighbors[running->n_neighbors++] = address;
	}
	if (running->n_neighbors)
		qsort(running->neighbors, running->n_neighbors, sizeof(struct addr), addr_cmp_void);
}

bool frr_running_is_ours(const struct frr_running *running, const struct addr *neighbor)
{
	return running->n_neighbors && bsearch(neighbor, running->neighbors, running->n_neighbors,
					       sizeof(struct addr), addr_cmp_void);
}

/* One in another table is somebody else's, whatever its tag. */
static bool is_our_static(const char *text)
{
	const char *rest = text_after(text, "ip route");
	uint32_t tag;
	if (!rest)
		rest = text_after(text, "ipv6 route");
	for (; rest && *rest; rest = text_next(rest)) {
		const char *value = text_after(rest, "tag");
		if (value)
			return text_take_u32(value, &tag, &value) && tag == MARK_FRR_TAG &&
			       !strstr(text, " table ");
	}
	return false;
}

static bool top_is_ours(const char *text)
{
	return text_begins(text, "ip prefix-list " MARK_FRR_NAME) ||
	       text_begins(text, "ipv6 prefix-list " MARK_FRR_NAME) ||
	       text_begins(text, "route-map " MARK_FRR_NAME) || is_our_static(text);
}

static bool bgp_is_ours(const struct frr_running *running, const struct frr_statement *s)
{
	const char *peer, *setting;
	struct addr address;
	if (text_begins(s->text, "network ") && text_has(s->text, "route-map " FRR_NAME_NETWORK))
		return true;
	return frr_statement_neighbor(s->text, &peer, &setting) &&
	       text_take_addr(peer, &address, &setting) && frr_running_is_ours(running, &address);
}

static bool is_ours(const struct frr_running *running, const struct frr_statement *s)
{
	static const char PROFILE[] = "profile " MARK_FRR_NAME;
	if (!text_is_plain(s->block) || !text_is_plain(s->part) || !text_is_plain(s->text))
		return false;
	if (!s->block[0])
		return top_is_ours(s->text);
	if (strcmp(s->block, "bfd") == 0)
		return text_begins(s->part[0] ? s->part : s->text, PROFILE);
	if (in_bgp(running, s))
		return bgp_is_ours(running, s);
	return text_begins(s->block, "route-map " MARK_FRR_NAME);
}

int frr_running_read(const char *text, size_t len, struct frr_running *out, struct err *err)
{
	*out = (struct frr_running){};
	if (len > FRR_RUNNING_MAX)
		return err_set(err, EFBIG, "the running configuration of FRR is too large");
	out->text = xcalloc(len + 1, 1);
	out->len = len + 1;
	if (len)
		memcpy(out->text, text, len);
	if (!read_lines(out)) {
		frr_running_clear(out);
		return err_set(
			err, EINVAL, "FRR's running configuration does not end with \"end\"");
	}
	find_bgp(out);
	find_neighbors(out);
	for (size_t i = 0; i < out->n; i++)
		out->list[i].ours = is_ours(out, &out->list[i]);
	return 0;
}

/* Is the statement about that neighbour of `router bgp`? */
static bool is_about(const struct frr_running *running, const struct frr_statement *s,
	const struct addr *neighbor, const char **setting)
{
	const char *peer, *rest;
	struct addr address;
	return in_bgp(running, s) && frr_statement_neighbor(s->text, &peer, setting) &&
	       text_take_addr(peer, &address, &rest) && addr_cmp(&address, neighbor) == 0;
}

static bool has_just_begun(const struct frr_running *running, const struct addr *neighbor)
{
	bool begun = false;
	for (size_t i = 0; i < running->n; i++) {
		const struct frr_statement *s = &running->list[i];
		const char *setting;
		if (!is_about(running, s, neighbor, &setting))
			continue;
		bool first = text_after(setting, "remote-as");
		if (!first && !(text_begins(s->text, "no ") && strcmp(setting, "activate") == 0))
			return false;
		begun |= first;
	}
	return begun;
}

void frr_running_claim(struct frr_running *running, const struct addr *neighbor)
{
	size_t cap = running->n_neighbors;
	if (frr_running_is_ours(running, neighbor) || !has_just_begun(running, neighbor))
		return;
	XGROW(running->neighbors, running->n_neighbors, cap);
	running->neighbors[running->n_neighbors++] = *neighbor;
	qsort(running->neighbors, running->n_neighbors, sizeof(struct addr), addr_cmp_void);
	for (size_t i = 0; i < running->n; i++)
		running->list[i].ours = is_ours(running, &running->list[i]);
}

static int statement_cmp(const struct frr_statement *a, const struct frr_statement *b)
{
	int c = strcmp(a->block, b->block);
	c = c ? c : strcmp(a->part, b->part);
	return c ? c : strcmp(a->text, b->text);
}

static int statement_cmp_void(const void *a, const void *b)
{
	return statement_cmp(a, b);
}

void frr_running_confirm(
	struct frr_running *running, enum frr_daemon daemon, const char *text, size_t len)
{
	struct frr_running own;
	if (frr_running_read(text, len, &own, nullptr) < 0)
		return;
	if (own.n)
		qsort(own.list, own.n, sizeof(*own.list), statement_cmp_void);
	for (size_t i = 0; i < running->n; i++) {
		struct frr_statement *s = &running->list[i];
		bool found = own.n &&
			     bsearch(s, own.list, own.n, sizeof(*own.list), statement_cmp_void);
		if (daemon == FRR_BGPD)
			s->in_bgpd = found;
		else if (daemon == FRR_MGMTD)
			s->in_mgmtd = found;
	}
	frr_running_clear(&own);
}

bool frr_running_has_ours(const struct frr_running *running)
{
	for (size_t i = 0; i < running->n; i++)
		if (running->list[i].ours)
			return true;
	return false;
}
