/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence_build.h"
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "verdict/fact_table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const same[FACT_KINDS][4] = {
	[FACT_LINK] = {"role"},
	[FACT_SYSCTL] = {"key"},
	[FACT_LOOKUP] = {"question"},
	[FACT_NEIGHBOUR] = {"address"},
	[FACT_PACKET] = {"origin", "point", "packet", "toTarget"},
	[FACT_CALL] = {"source", "port"},
	[FACT_COUNTER] = {"name"},
	[FACT_PROBE] = {"probe"},
	[FACT_BGP_NEIGHBOUR] = {"address"},
	[FACT_BGP_PREFIX] = {"prefix", "neighbour"},
};
static const bool only_one[FACT_KINDS] = {
	[FACT_CONFIG] = true, [FACT_PLATFORM] = true, [FACT_BGP] = true, [FACT_SOCKET] = true};

[[noreturn]] static void wrong(const char *what, const char *text)
{
	fprintf(stderr, "evidence_build: %s: %s\n", what, text);
	abort();
}

static void must(int r, const char *text)
{
	if (r < 0)
		wrong(strerror(-r), text);
}

static void put(sd_json_variant **v, const struct fact_shape *shape, char *word)
{
	char *value = strchr(word, '=');
	if (value)
		*value++ = '\0';
	const struct field *field = field_find(shape->fields, word);
	if (!field)
		wrong("no such field", word);
	if (field->type == FIELD_BOOL)
		must(sd_json_variant_set_field_boolean(v, word, !value || strcmp(value, "no") != 0),
			word);
	else if (!value)
		wrong("no value", word);
	else if (field->type == FIELD_INT)
		must(sd_json_variant_set_field_integer(v, word, strtoll(value, nullptr, 10)), word);
	else
		must(sd_json_variant_set_field_string(v, word, value), word);
}

/* The next word of *at, in which a part may stand in quotes. */
static bool word_next(char **at, char *out, size_t size)
{
	bool quoted = false;
	size_t n = 0;
	while (**at == ' ')
		(*at)++;
	for (; **at && (quoted || **at != ' '); (*at)++) {
		if (**at == '\'')
			quoted = !quoted;
		else if (n + 1 < size)
			out[n++] = **at;
	}
	out[n] = '\0';
	return n > 0;
}

static enum fact_kind kind_of(const char *name)
{
	enum fact_kind kind = 0;
	while (kind < FACT_KINDS && strcmp(fact_kind_str(kind), name) != 0)
		kind++;
	if (kind == FACT_KINDS)
		wrong("no such kind", name);
	return kind;
}

static bool field_same(sd_json_variant *a, sd_json_variant *b, const char *name)
{
	autojson sd_json_variant *no = nullptr;
	must(sd_json_variant_new_boolean(&no, false), name);
	sd_json_variant *x = sd_json_variant_by_key(a, name), *y = sd_json_variant_by_key(b, name);
	if (x && y)
		return sd_json_variant_equal(x, y);
	/* What is not written is not so. */
	return (!x || sd_json_variant_equal(x, no)) && (!y || sd_json_variant_equal(y, no));
}

static bool is_same(enum fact_kind kind, sd_json_variant *a, sd_json_variant *b)
{
	for (size_t i = 0; i < 4 && same[kind][i]; i++)
		if (!field_same(a, b, same[kind][i]))
			return false;
	return same[kind][0] || only_one[kind];
}

static bool includes(sd_json_variant *all, sd_json_variant *part)
{
	/* An object's elements are its keys and values in turn. */
	for (size_t i = 0; i + 1 < sd_json_variant_elements(part); i += 2)
		if (!field_same(
			    all, part, sd_json_variant_string(sd_json_variant_by_index(part, i))))
			return false;
	return true;
}

static void fact_read(sd_json_variant *v, struct fact *out, const char *text)
{
	struct err err = {};
	if (fact_from_json(v, out, &err) < 0)
		wrong(err.msg, text);
}

static void change_one(struct evidence *e, char *text)
{
	char word[256], sign = 0;
	autojson sd_json_variant *v = nullptr;

	while (*text == ' ')
		text++;
	if (*text == '+' || *text == '-')
		sign = *text++;
	if (!word_next(&text, word, sizeof(word)))
		return;
	enum fact_kind kind = kind_of(word);
	must(sd_json_variant_set_field_string(&v, "kind", word), word);
	while (word_next(&text, word, sizeof(word)))
		put(&v, &fact_shapes[kind], word);
	for (size_t i = 0; i < e->n;) {
		if (e->facts[i].kind != kind) {
			i++;
			continue;
		}
		autojson sd_json_variant *old = nullptr;
		must(fact_to_json(&e->facts[i], &old), word);
		if (sign == '-' && includes(old, v)) {
			evidence_remove(e, i);
			continue;
		}
		if (!sign && is_same(kind, old, v)) {
			must(sd_json_variant_merge_object(&old, v), word);
			fact_read(old, &e->facts[i], word);
			return;
		}
		i++;
	}
	if (sign != '-')
		fact_read(v, evidence_add(e, kind), word);
}

void evidence_change(struct evidence *e, const char *text)
{
	autofree char *copy = xstrdup(text);
	char *rest = copy;
	for (char *part; (part = strsep(&rest, "|"));)
		change_one(e, part);
}

void evidence_remove(struct evidence *e, size_t i)
{
	memmove(&e->facts[i], &e->facts[i + 1], (e->n - i - 1) * sizeof(*e->facts));
	e->n--;
}

void evidence_copy(const struct evidence *e, struct evidence *out)
{
	*out = *e;
	out->cap = e->n + 1;
	out->facts = xcalloc(out->cap, sizeof(*out->facts));
	memcpy(out->facts, e->facts, e->n * sizeof(*e->facts));
}

void evidence_shuffle(struct evidence *e, unsigned seed)
{
	for (size_t i = e->n; i > 1; i--) {
		seed = seed * 1103515245 + 12345;
		size_t j = (seed >> 16) % i;
		struct fact swap = e->facts[i - 1];
		e->facts[i - 1] = e->facts[j];
		e->facts[j] = swap;
	}
}

static const char everywhere[] =
	"link role=mesh interface=CloudflareWARP exists up carrier mtu=1280 type=tun hasAddress|"
	"link role=lan interface=eth0 exists up carrier mtu=1500 type=veth hasAddress|"
	"platform vendor=QEMU|bgp asn=65010|"
	"probe probe=injected outcome=answered port=3000 sent=2 answered=2|"
	"probe probe=injected-other outcome=refused port=9 sent=1 answered=1|"
	"probe probe=injected-echo outcome=answered sent=1 answered=1|"
	"probe probe=own outcome=answered port=3000 sent=1 answered=1|"
	"probe probe=own-other outcome=refused port=9 sent=1 answered=1|"
	"probe probe=own-echo outcome=answered sent=1 answered=1|"
	"probe probe=link outcome=answered sent=1 answered=1|"
	"packet origin=injected point=tun-in packet=syn toTarget count=2 distinct=2 ttlMin=64 "
	"ttlMax=64 mss=1220|"
	"packet origin=injected point=lan-out packet=syn toTarget count=2 distinct=2 ttlMin=63 "
	"ttlMax=63 mss=1220|"
	"packet origin=injected point=lan-in packet=syn-ack count=2 distinct=2 ttlMin=64 ttlMax=64|"
	"packet origin=injected point=tun-out packet=syn-ack count=2 distinct=2 ttlMin=63 "
	"ttlMax=63|"
	"counter name=nf_conntrack.drop delta=0 value=0|"
	"counter name=nf_conntrack.invalid delta=0 value=7|"
	"counter name=nf_conntrack.insert_failed delta=0 value=0|"
	"counter name=nf_conntrack_count delta=0 value=120|"
	"counter name=nf_conntrack_max delta=0 value=65536|"
	"counter name=CloudflareWARP.tx_dropped delta=0 value=0|"
	"counter name=eth0.tx_packets delta=12 value=900";

static const char v4[] =
	"sysctl key=net.ipv4.ip_forward value=1|"
	"sysctl key=net.ipv4.conf.CloudflareWARP.forwarding value=1|"
	"sysctl key=net.ipv4.conf.eth0.forwarding value=1|"
	"sysctl key=net.ipv4.conf.all.rp_filter value=0|"
	"sysctl key=net.ipv4.conf.CloudflareWARP.rp_filter value=0|"
	"sysctl key=net.ipv4.conf.eth0.rp_filter value=0|"
	"sysctl key=net.ipv4.conf.all.src_valid_mark value=0|"
	"lookup question=forward from=100.64.0.9 to=10.0.1.50 iif=CloudflareWARP oif=eth0 "
	"type=unicast entry match=10.0.1.0/24 table=254 protocolName=kernel rulePriority=32766|"
	"lookup question=forward-bare to=10.0.1.50 oif=eth0 type=unicast entry match=10.0.1.0/24 "
	"table=254|"
	"lookup question=reverse from=10.0.1.50 to=100.64.0.9 iif=eth0 oif=CloudflareWARP "
	"type=unicast entry match=100.64.0.0/12 table=254 protocolName=meshgw rulePriority=32766|"
	"lookup question=reverse-bare to=100.64.0.9 oif=CloudflareWARP type=unicast entry "
	"match=100.64.0.0/12 table=254|"
	"neighbour address=10.0.1.50 interface=eth0 state=reachable lladdr=02:00:00:00:01:50|"
	"config up sourceKnown networkKnown allowed mode=route configured=route "
	"range=100.64.0.0/12 network=10.0.1.0/24 interface=eth0|";

static const char v6[] =
	"sysctl key=net.ipv6.conf.all.forwarding value=1|"
	"sysctl key=net.ipv6.conf.CloudflareWARP.disable_ipv6 value=0|"
	"sysctl key=net.ipv6.conf.eth0.disable_ipv6 value=0|"
	"lookup question=forward from=2606:4700:cf1:5000::9 to=2001:db8:1::50 iif=CloudflareWARP "
	"oif=eth0 type=unicast entry match=2001:db8:1::/64 table=254 protocolName=kernel|"
	"lookup question=forward-bare to=2001:db8:1::50 oif=eth0 type=unicast entry "
	"match=2001:db8:1::/64 table=254|"
	"lookup question=reverse from=2001:db8:1::50 to=2606:4700:cf1:5000::9 iif=eth0 "
	"oif=CloudflareWARP type=unicast entry match=2606:4700:cf1:5000::/64 table=254 "
	"protocolName=meshgw|"
	"lookup question=reverse-bare to=2606:4700:cf1:5000::9 oif=CloudflareWARP type=unicast "
	"entry match=2606:4700:cf1:5000::/64 table=254|"
	"neighbour address=2001:db8:1::50 interface=eth0 state=reachable lladdr=02:00:00:00:01:50|"
	"config up sourceKnown networkKnown allowed mode=route configured=route "
	"range=2606:4700:cf1:5000::/64 network=2001:db8:1::/64 interface=eth0|";

void evidence_healthy(struct evidence *e, uint8_t family)
{
	bool six = family == AF_INET6;
	*e = (struct evidence){.id = "test", .mesh = "CloudflareWARP", .lan = "eth0"};
	e->flow = (struct flow){.proto = IPPROTO_TCP, .port = 3000, .from = "workers"};
	must(addr_parse(six ? "2606:4700:cf1:5000::9" : "100.64.0.9", &e->flow.client), "client");
	must(addr_parse(six ? "2001:db8:1::50" : "10.0.1.50", &e->flow.target), "target");
	evidence_change(e, six ? v6 : v4);
	evidence_change(e, everywhere);
}
