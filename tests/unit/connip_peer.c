/* SPDX-License-Identifier: Apache-2.0 */
#include "connip_peer.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void wire_bytes(struct wire *w, const void *p, size_t n)
{
	assert(n <= sizeof(w->b) - w->n);
	memcpy(w->b + w->n, p, n);
	w->n += n;
}

void wire_octet(struct wire *w, unsigned octet)
{
	wire_bytes(w, &(uint8_t){(uint8_t)octet}, 1);
}

void wire_varint_in(struct wire *w, uint64_t value, size_t size)
{
	static const unsigned marks[] = {[1] = 0, [2] = 1, [4] = 2, [8] = 3};

	for (size_t i = 0; i < size; i++) {
		unsigned octet = (unsigned)(value >> 8 * (size - 1 - i)) & 0xff;
		wire_octet(w, i == 0 ? octet | marks[size] << 6 : octet);
	}
}

void wire_varint(struct wire *w, uint64_t value)
{
	wire_varint_in(w, value, value < 64 ? 1 : value < 16384 ? 2 : value < 1 << 30 ? 4 : 8);
}

/* Version and address. */
static void put_addr(struct wire *w, const char *text, bool version)
{
	uint8_t b[16];
	bool v6 = strchr(text, ':');

	assert(inet_pton(v6 ? AF_INET6 : AF_INET, text, b) == 1);
	if (version)
		wire_octet(w, v6 ? 6 : 4);
	wire_bytes(w, b, v6 ? 16 : 4);
}

void wire_addresses(struct wire *w, const char *text)
{
	autofree char *copy = xstrdup(text);
	char *save = nullptr;

	for (char *item = strtok_r(copy, ",", &save); item; item = strtok_r(nullptr, ",", &save)) {
		char *addr = nullptr;
		wire_varint(w, strtoull(item, &addr, 10));
		char *len = strchr(addr, '/');
		*len = '\0';
		put_addr(w, addr + 1, true);
		wire_octet(w, (unsigned)strtoul(len + 1, nullptr, 10));
	}
}

void wire_ranges(struct wire *w, const char *text)
{
	autofree char *copy = xstrdup(text);
	char *save = nullptr;

	for (char *item = strtok_r(copy, ", ", &save); item;
		item = strtok_r(nullptr, ", ", &save)) {
		char *last = strchr(item, '-'), *proto = strchr(item, '/');
		*last = *proto = '\0';
		put_addr(w, item, true);
		put_addr(w, last + 1, false);
		wire_octet(w, (unsigned)strtoul(proto + 1, nullptr, 10));
	}
}

void wire_capsule(struct wire *w, uint64_t type, const struct wire *value)
{
	wire_varint(w, type);
	wire_varint(w, value->n);
	wire_bytes(w, value->b, value->n);
}

void wire_assign(struct wire *w, const char *addresses)
{
	struct wire value = {};

	wire_addresses(&value, addresses);
	wire_capsule(w, 1, &value);
}

void wire_request(struct wire *w, const char *addresses)
{
	struct wire value = {};

	wire_addresses(&value, addresses);
	wire_capsule(w, 2, &value);
}

void wire_advertise(struct wire *w, const char *ranges)
{
	struct wire value = {};

	wire_ranges(&value, ranges);
	wire_capsule(w, 3, &value);
}

[[gnu::format(printf, 2, 3)]] static void say(struct peer *p, const char *fmt, ...)
{
	size_t n = strlen(p->log);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->log + n, sizeof(p->log) - n, fmt, ap);
	va_end(ap);
}

static void say_addresses(
	struct peer *p, const char *word, const struct connip_address *list, size_t n)
{
	char buf[PREFIX_STRLEN];

	if (n)
		say(p, "%s", word);
	for (size_t i = 0; i < n; i++)
		say(p, "%s%llu %s", i ? ", " : "", (unsigned long long)list[i].request,
			prefix_str(&list[i].prefix, buf));
}

static void on_assigned(void *user, const struct connip_assigned *what)
{
	say(user, "assigned[");
	say_addresses(user, "", what->accepted, what->n_accepted);
	say_addresses(user, "; denied ", what->denied, what->n_denied);
	say_addresses(user, "; refused ", what->refused, what->n_refused);
	say(user, "] ");
}

static void on_requested(void *user, const struct connip_address *list, size_t n)
{
	struct peer *p = user;

	say(p, "requested[");
	say_addresses(p, "", list, n);
	say(p, "] ");
	if (p->give)
		connip_session_assign(p->s, p->give, p->n_give);
}

static void on_advertised(void *user, const struct connip_advertised *what)
{
	say(user, "routes[");
	for (size_t i = 0; i < what->n_accepted; i++) {
		const struct connip_range *r = &what->accepted[i];
		struct addr first = number_addr(r->family, r->first);
		struct addr last = number_addr(r->family, r->last);
		char a[ADDR_STRLEN], b[ADDR_STRLEN];
		say(user, "%s-%s/%u ", addr_str(&first, a), addr_str(&last, b), r->proto);
	}
	say(user, "of %zu", what->announced);
	if (what->narrowed)
		say(user, " narrowed %zu", what->narrowed);
	say(user, "] ");
}

static void on_exceeded(void *user, enum connip_excess what, size_t most)
{
	say(user, "exceeded[%s %zu] ", connip_excess_str(what), most);
}

static void on_datagram(void *user, const uint8_t *payload, size_t n)
{
	say(user, "datagram[%zu", n);
	if (n)
		say(user, " %02x..%02x", payload[0], payload[n - 1]);
	say(user, "] ");
}

static void on_probed(void *user, bool answered)
{
	say(user, "probed[%s] ", answered ? "yes" : "no");
}

static const struct connip_events events = {
	.assigned = on_assigned,
	.requested = on_requested,
	.advertised = on_advertised,
	.exceeded = on_exceeded,
	.datagram = on_datagram,
	.probed = on_probed,
};

void peer_init(struct peer *p, enum connip_role role, const struct connip_policy *policy)
{
	*p = (struct peer){};
	p->s = connip_session_new(role, policy, &events, p);
}

void peer_clear(struct peer *p)
{
	connip_session_free(p->s);
	p->s = nullptr;
}

int peer_receive(struct peer *p, const struct wire *w, size_t step, bool fin)
{
	size_t at = 0;

	do {
		size_t n = step < w->n - at ? step : w->n - at;
		autofree uint8_t *piece = xcalloc(n, 1);
		memcpy(piece, w->b + at, n);
		at += n;
		int r = connip_session_receive(p->s, piece, n, fin && at == w->n, 0);
		if (r < 0)
			return r;
	} while (at < w->n);
	return 0;
}

struct wire peer_sent(struct peer *p, size_t step)
{
	struct wire out = {};
	size_t n;

	for (;;) {
		const uint8_t *bytes = connip_session_pending(p->s, &n);
		if (n == 0)
			return out;
		n = n < step ? n : step;
		wire_bytes(&out, bytes, n);
		connip_session_sent(p->s, n);
	}
}

struct prefix pfx(const char *text)
{
	struct prefix p = {};
	int r = prefix_parse(text, &p);

	assert(r == 0);
	return p;
}
