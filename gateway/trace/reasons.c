/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/reasons.h"
#include "lib/xmalloc.h"
#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of the core; subsystems have theirs above (include/net/dropreason.h). */
constexpr uint32_t REASONS_MAX = 1024;

struct reasons {
	char *names[REASONS_MAX];
};

/* SKB_DROP_REASON_X is X; what is no drop keeps its whole name. */
static const char *bare(const char *name)
{
	static const char prefix[] = "SKB_DROP_REASON_";
	return strncmp(name, prefix, sizeof(prefix) - 1) ? name : name + sizeof(prefix) - 1;
}

static struct reasons *read_enum(const struct btf *btf, const struct btf_type *type)
{
	struct reasons *r = xcalloc(1, sizeof(*r));
	const struct btf_enum *e = btf_enum(type);
	for (unsigned i = 0; i < btf_vlen(type); i++) {
		uint32_t value = (uint32_t)e[i].val;
		if (value < REASONS_MAX && !r->names[value])
			r->names[value] = xstrdup(bare(btf__name_by_offset(btf, e[i].name_off)));
	}
	return r;
}

int reasons_read(struct reasons **out, struct err *err)
{
	struct btf *btf = btf__load_vmlinux_btf();
	if (!btf)
		return err_set(err, errno, "the kernel's type information: %s", strerror(errno));
	int id = btf__find_by_name_kind(btf, "skb_drop_reason", BTF_KIND_ENUM);
	if (id > 0)
		*out = read_enum(btf, btf__type_by_id(btf, (uint32_t)id));
	btf__free(btf);
	return id > 0 ? 0 : err_set(err, ENOENT, "this kernel tells no drop reasons");
}

void reasons_free(struct reasons *r)
{
	if (!r)
		return;
	for (uint32_t i = 0; i < REASONS_MAX; i++)
		free(r->names[i]);
	free(r);
}

const char *reasons_name(const struct reasons *r, uint32_t reason)
{
	return reason < REASONS_MAX && r->names[reason] ? r->names[reason] : "UNKNOWN";
}
