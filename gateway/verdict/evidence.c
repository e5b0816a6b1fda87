/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/evidence.h"
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "verdict/field.h"
#include <errno.h>
#include <stdlib.h>

static const char *const protocols[] = {
	[IPPROTO_ICMP] = "icmp",
	[IPPROTO_TCP] = "tcp",
	[IPPROTO_UDP] = "udp",
	[IPPROTO_ICMPV6] = "icmpv6",
};
static const char *const schemes[SCHEMES] = {
	[SCHEME_NONE] = "none",
	[SCHEME_HTTP] = "http",
	[SCHEME_HTTPS] = "https",
};

static const struct field flow_fields[] = {
	FIELD_ONE_OF(struct flow, "protocol", proto, protocols),
	FIELD(struct flow, "client", client),
	FIELD(struct flow, "from", from),
	FIELD(struct flow, "target", target),
	FIELD(struct flow, "port", port),
	FIELD_ONE_OF(struct flow, "scheme", scheme, schemes),
	FIELD(struct flow, "host", host),
	FIELD(struct flow, "path", path),
	{},
};
static const struct field evidence_fields[] = {
	FIELD(struct evidence, "id", id),
	FIELD(struct evidence, "atUs", at_us),
	FIELD(struct evidence, "tookUs", took_us),
	FIELD(struct evidence, "meshInterface", mesh),
	FIELD(struct evidence, "lanInterface", lan),
	FIELD(struct evidence, "passive", passive),
	FIELD(struct evidence, "changed", changed),
	{},
};

struct fact *evidence_add(struct evidence *e, enum fact_kind kind)
{
	if (e->n == e->cap) {
		e->cap = e->cap ? 2 * e->cap : 64;
		e->facts = xreallocarray(e->facts, e->cap, sizeof(*e->facts));
	}
	/* Beyond the limit there is one place, which is written again and again and not counted. */
	struct fact *f = &e->facts[e->n];
	if (e->n < EVIDENCE_FACTS_MAX)
		e->n++;
	fact_init(f, kind);
	return f;
}

void evidence_take(struct evidence *to, const struct evidence *from)
{
	for (size_t i = 0; i < from->n; i++)
		*evidence_add(to, from->facts[i].kind) = from->facts[i];
}

void evidence_clear(struct evidence *e)
{
	free(e->facts);
	*e = (struct evidence){};
}

const struct fact *evidence_next(const struct evidence *e, enum fact_kind kind, size_t *at)
{
	while (*at < e->n) {
		const struct fact *f = &e->facts[(*at)++];
		if (f->kind == kind)
			return f;
	}
	return nullptr;
}

int flow_to_json(const struct flow *f, sd_json_variant **out)
{
	autojson sd_json_variant *v = nullptr;
	int r = fields_to_json(flow_fields, f, &v);

	if (r >= 0)
		*out = TAKE_PTR(v);
	return r;
}

static int facts_to_json(const struct evidence *e, sd_json_variant **out)
{
	sd_json_variant **list = xcalloc(e->n, sizeof(*list));
	int r = 0;

	for (size_t i = 0; i < e->n && r >= 0; i++)
		r = fact_to_json(&e->facts[i], &list[i]);
	if (r >= 0)
		r = sd_json_variant_new_array(out, list, e->n);
	for (size_t i = 0; i < e->n; i++)
		sd_json_variant_unref(list[i]);
	free(list);
	return r;
}

int evidence_to_json(const struct evidence *e, sd_json_variant **out)
{
	autojson sd_json_variant *v = nullptr, *flow = nullptr, *facts = nullptr;
	int r = sd_json_variant_set_field_integer(&v, "version", EVIDENCE_VERSION);

	if (r >= 0)
		r = fields_to_json(evidence_fields, e, &v);
	if (r >= 0)
		r = flow_to_json(&e->flow, &flow);
	if (r >= 0)
		r = sd_json_variant_set_field(&v, "flow", flow);
	if (r >= 0)
		r = facts_to_json(e, &facts);
	if (r >= 0)
		r = sd_json_variant_set_field(&v, "facts", facts);
	if (r < 0)
		return r;
	*out = TAKE_PTR(v);
	return 0;
}

static int facts_from_json(sd_json_variant *v, struct evidence *e, struct err *err)
{
	if (!v || !sd_json_variant_is_array(v))
		return err_set(err, EINVAL, "facts: no list");
	size_t n = sd_json_variant_elements(v);
	if (n > EVIDENCE_FACTS_MAX)
		return err_set(
			err, E2BIG, "facts: %zu, at most %zu are read", n, EVIDENCE_FACTS_MAX);
	for (size_t i = 0; i < n; i++) {
		struct fact *f = evidence_add(e, FACT_MISSING);
		if (fact_from_json(sd_json_variant_by_index(v, i), f, err) < 0)
			return err_ctx(err, "facts: %zu", i);
	}
	return 0;
}

static int version_check(sd_json_variant *v, struct err *err)
{
	sd_json_variant *version = sd_json_variant_is_object(v)
					   ? sd_json_variant_by_key(v, "version")
					   : nullptr;

	if (!version || !sd_json_variant_is_integer(version))
		return err_set(err, EINVAL, "this is no record of a diagnosis");
	if (sd_json_variant_integer(version) != EVIDENCE_VERSION)
		return err_set(err, EPROTONOSUPPORT, "version %lld of the record, %lld is known",
			(long long)sd_json_variant_integer(version), (long long)EVIDENCE_VERSION);
	return 0;
}

int evidence_from_json(sd_json_variant *v, struct evidence *out, struct err *err)
{
	struct evidence e = {};
	int r = version_check(v, err);

	if (r >= 0)
		r = fields_from_json(evidence_fields, v, &e, err);
	if (r >= 0) {
		sd_json_variant *flow = sd_json_variant_by_key(v, "flow");
		r = flow ? fields_from_json(flow_fields, flow, &e.flow, err)
			 : err_set(err, EINVAL, "missing");
		if (r < 0)
			err_ctx(err, "flow");
	}
	if (r >= 0)
		r = facts_from_json(sd_json_variant_by_key(v, "facts"), &e, err);
	if (r < 0) {
		evidence_clear(&e);
		return r;
	}
	*out = e;
	return 0;
}
