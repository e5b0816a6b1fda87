/* SPDX-License-Identifier: Apache-2.0 */
#include "trouble.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include "pump.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

constexpr size_t ENTRIES = 64;
constexpr size_t WHO_MAX = 64;
constexpr size_t TEXT_MAX = 160;
constexpr uint64_t SECOND_NS = 1'000'000'000;
/* What is looked at with each report is renewed while it lasts; the rest happens and is over. */
constexpr uint64_t STATE_NS = 15 * SECOND_NS;
constexpr uint64_t EVENT_NS = 600 * SECOND_NS;

struct trouble {
	uint64_t until_ns; /* 0 = free */
	enum trouble_kind kind;
	char who[WHO_MAX];
	char text[TEXT_MAX];
};

struct troubles {
	void (*changed)(void *arg);
	void *arg;
	struct trouble list[ENTRIES];
};

static const struct {
	const char *name;
	uint64_t keep_ns;
} kinds[TROUBLE_KINDS] = {
	[TROUBLE_FLOODED] = {"flooded", STATE_NS},
	[TROUBLE_BREACH] = {"breach", EVENT_NS},
	[TROUBLE_EXCESS] = {"excess", EVENT_NS},
	[TROUBLE_SPOOFED] = {"spoofed", EVENT_NS},
	[TROUBLE_DEAF] = {"deaf", EVENT_NS},
	[TROUBLE_SILENT] = {"silent", STATE_NS},
	[TROUBLE_LOSSY] = {"lossy", STATE_NS},
	[TROUBLE_NARROW] = {"narrow", STATE_NS},
	[TROUBLE_UNREACHED] = {"unreached", STATE_NS},
	[TROUBLE_STRANGE] = {"strange", STATE_NS},
	[TROUBLE_INVALID] = {"invalid", STATE_NS},
	[TROUBLE_UNWELCOME] = {"unwelcome", STATE_NS},
	[TROUBLE_REFUSED] = {"refused", STATE_NS},
};

struct troubles *troubles_new(void (*changed)(void *arg), void *arg)
{
	struct troubles *t = xcalloc(1, sizeof(*t));

	t->changed = changed;
	t->arg = arg;
	return t;
}

void troubles_free(struct troubles *t)
{
	free(t);
}

static struct trouble *find(struct troubles *t, enum trouble_kind kind, const char *who)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		struct trouble *e = &t->list[i];
		if (e->until_ns && e->kind == kind && strncmp(e->who, who, WHO_MAX - 1) == 0)
			return e;
	}
	return nullptr;
}

/* A free place, or that of whom would be forgotten first. */
static struct trouble *place(struct troubles *t)
{
	struct trouble *first = &t->list[0];

	for (size_t i = 1; i < ENTRIES; i++)
		if (t->list[i].until_ns < first->until_ns)
			first = &t->list[i];
	return first;
}

void trouble_note(struct troubles *t, enum trouble_kind kind, const char *who, const char *fmt, ...)
{
	uint64_t now_ns = pump_now_ns();
	struct trouble *e = find(t, kind, who);
	bool fresh = !e || e->until_ns <= now_ns;
	va_list args;

	e = e ? e : place(t);
	*e = (struct trouble){.until_ns = now_ns + kinds[kind].keep_ns, .kind = kind};
	snprintf(e->who, sizeof(e->who), "%s", who);
	va_start(args, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);
	if (!fresh)
		return;
	log_warn("trouble", "%s %s: %s", kinds[kind].name, e->who, e->text);
	t->changed(t->arg);
}

void trouble_end(struct troubles *t, enum trouble_kind kind, const char *who)
{
	struct trouble *e = find(t, kind, who);

	if (e)
		*e = (struct trouble){};
}

void troubles_keep(struct troubles *t, bool (*is_one)(void *arg, const char *who), void *arg)
{
	for (size_t i = 0; i < ENTRIES; i++)
		if (t->list[i].until_ns && !is_one(arg, t->list[i].who))
			t->list[i] = (struct trouble){};
}

int troubles_report(struct troubles *t, sd_json_variant **out)
{
	uint64_t now_ns = pump_now_ns();
	int r = sd_json_variant_new_array(out, nullptr, 0);

	for (size_t i = 0; i < ENTRIES && r >= 0; i++) {
		const struct trouble *e = &t->list[i];
		if (e->until_ns > now_ns)
			r = sd_json_variant_append_arraybo(out,
				SD_JSON_BUILD_PAIR_STRING("kind", kinds[e->kind].name),
				SD_JSON_BUILD_PAIR_STRING("who", e->who),
				SD_JSON_BUILD_PAIR_STRING("text", e->text));
	}
	return r;
}
