/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * trouble: what the tunnel suffers from others, in words for people.
 *
 * One entry for each kind and whom it comes from, with what was said last; it is logged when it is
 * new, and forgotten some time after it was said last. meshgwd makes conditions of the entries
 * (meshgwd(8)). Who says the same again and again costs nothing, and nobody can make us keep more
 * than a few.
 */
#include <stdint.h>
#include <systemd/sd-json.h>

enum trouble_kind {
	TROUBLE_FLOODED, /* datagrams that begin no connection; from nobody in particular */
	TROUBLE_BREACH,  /* against the protocol, so that the request was ended */
	TROUBLE_EXCESS,  /* more routes or addresses than are taken */
	TROUBLE_SPOOFED, /* packets from addresses that are not its own */
	TROUBLE_DEAF,    /* it acknowledges nothing */
	TROUBLE_SILENT,  /* nothing is heard of it */
	TROUBLE_LOSSY,   /* a path that loses packets */
	TROUBLE_NARROW,  /* a path that carries less than the interface's MTU */
	/* Of a connector: why an edge cannot be used. */
	TROUBLE_UNREACHED, /* it does not answer at all */
	TROUBLE_STRANGE,   /* its key is none of the pins */
	TROUBLE_INVALID,   /* its certificate is not valid */
	TROUBLE_UNWELCOME, /* ours is not accepted by it */
	TROUBLE_REFUSED,   /* the request */
	TROUBLE_KINDS
};

struct troubles;

/* changed: there is a new entry. */
struct troubles *troubles_new(void (*changed)(void *arg), void *arg);
void troubles_free(struct troubles *t); /* nullptr is allowed */
[[gnu::format(printf, 4, 5)]] void trouble_note(
	struct troubles *t, enum trouble_kind kind, const char *who, const char *fmt, ...);
void trouble_end(struct troubles *t, enum trouble_kind kind, const char *who);
/* What was noted of others is forgotten. */
void troubles_keep(struct troubles *t, bool (*is_one)(void *arg, const char *who), void *arg);
/* An array of {kind, who, text}. */
[[nodiscard]] int troubles_report(struct troubles *t, sd_json_variant **out);
