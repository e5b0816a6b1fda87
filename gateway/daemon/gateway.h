/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * gateway: keeps one host's path true. Observed state is compared with what the configuration
 * wants, and the difference is applied, again at every event.
 *
 * Truth is what a dump says; events are hints that mark what must be looked at again. Interfaces,
 * addresses and netconfs are re-read at every event that concerns them. A full route dump is dear
 * (the kernel walks the whole table), so an event about one of our routes only forgets that
 * route: adding it again is the question whether it is there (EEXIST). Dumps of routes come when
 * something was lost, slowly by timer, and GATEWAY_VERIFY_US after anything was believed unseen.
 *
 * The gateway has no event loop, no socket and no file: whoever owns it feeds events and time
 * (CLOCK_MONOTONIC, microseconds), and asks it for passes. It borrows kernel and configuration.
 * Destroying it changes nothing in the kernel (fail-static): only GATEWAY_DOWN removes.
 *
 * The fields may be read by everyone and are written by gateway*.c alone.
 */
#include "daemon/check.h"
#include "daemon/kernel.h"
#include "daemon/plan.h"
#include "daemon/track.h"
#include "net/watch.h"
#include "proof/prove.h"

enum gateway_phase {
	GATEWAY_UNCONFIGURED, /* no configuration yet: look, touch nothing */
	GATEWAY_UP,
	GATEWAY_DOWN, /* nothing of ours may remain */
};
constexpr uint64_t GATEWAY_VERIFY_US = 1'000'000;
constexpr size_t GATEWAY_WITNESSES = 2 * NFT_WITNESSES; /* both families */

const char *gateway_phase_str(enum gateway_phase phase);

enum gateway_dirty {
	DIRTY_PASS = 1 << 0,   /* something of ours changed */
	DIRTY_LINKS = 1 << 1,  /* interfaces, addresses, netconfs */
	DIRTY_ROUTES = 1 << 2, /* our routes, by a dump */
	DIRTY_NFT = 1 << 3,
	DIRTY_CHECK = 1 << 4,   /* somebody's routes or rules changed */
	DIRTY_FOREIGN = 1 << 5, /* others' routes inside the ranges, by a dump of the whole table */
	DIRTY_INPUT = 1 << 6,   /* Tailscale's filter */
	DIRTY_TABLES = 1 << 7,  /* others' rules, and the tables that they lead to */
	DIRTY_OURS = DIRTY_PASS | DIRTY_LINKS | DIRTY_ROUTES | DIRTY_NFT | DIRTY_CHECK |
		     DIRTY_INPUT,
	DIRTY_ALL = DIRTY_OURS | DIRTY_FOREIGN | DIRTY_TABLES,
};

/* Stores the sysctl records durably; called before a sysctl is changed. */
typedef int (*gateway_save)(void *arg, const struct sysctl_records *records, struct err *err);

struct gateway {
	struct kernel *kernel;
	enum gateway_phase phase;
	const struct config *config; /* nullptr unless GATEWAY_UP */
	uint64_t entered;            /* how often a phase was entered: tells configurations apart */
	struct nft_model *model;
	struct prove prove; /* of networks in mode auto; gateway_switch() does what it decides */
	bool stirred;       /* something happened that may have changed the way back */
	bool adopted;       /* what the table masquerades has been looked at, or written by us */
	bool interrupted;   /* the table found at start may be of a change that was given up */
	struct want_bridge bridge; /* gateway_set_bridge() */
	bool hears_bgp;            /* somebody listens for the ends of BGP sessions (net/nflog.h) */
	struct want want;
	struct observed seen;
	struct tracks tracks;
	struct sysctl_records records;
	bool ip_forward; /* net.ipv4.ip_forward as last seen, true before that */
	struct check_result checks;
	uint64_t nft_digest;            /* of the table as read back after our last write */
	unsigned dirty;                 /* enum gateway_dirty */
	unsigned unread;                /* the same, for the next pass: could not be read */
	uint64_t passes, repairs, lost; /* since start, for status */
	uint64_t filter_events;         /* the packet filter changed, or may have, since start */
	uint64_t link_events;           /* of interfaces of the configuration, since start */
	uint64_t frr_losses; /* routes inside the ranges that FRR has lost, since start */
	uint64_t nft_writes; /* since start: each sends us notifications as well */
	uint64_t nft_tables; /* of these, whole tables */
	int observe_error;   /* positive errno: something could not be read in the last pass */
	unsigned observe_failures; /* in a row */
	unsigned route_dumps;      /* of our routes, in this pass */
	bool doubt;                /* what is remembered of our routes may be wrong … */
	uint64_t verify_us;        /* … and a dump at this time will tell; 0 = none is due */
	gateway_save save;
	void *save_arg;
	int save_error; /* positive errno of the last save */
};

void gateway_init(struct gateway *g, struct kernel *kernel, gateway_save save, void *arg);
void gateway_clear(struct gateway *g);

/* Enters a phase. config is needed for GATEWAY_UP, must outlive its use, and is otherwise
 * nullptr. Takes effect with the next pass. */
void gateway_enter(struct gateway *g, enum gateway_phase phase, const struct config *config);

/* A notification: only marks. */
void gateway_event(struct gateway *g, enum watch_kind kind, const struct nlmsghdr *nlh);
void gateway_mark(struct gateway *g, unsigned dirty);
/* Who the HTTP bridge is, and what the names of its upstreams stand for; takes bridge->resolved.
 * The table follows with the next pass. */
void gateway_set_bridge(struct gateway *g, const struct want_bridge *take_bridge);
/* Nobody knows what happened meanwhile: everything is doubtful. */
void gateway_doubt(struct gateway *g);
/* Has something happened, since the last call, that may have changed the way back? */
bool gateway_was_stirred(struct gateway *g);

/* One pass over what is marked. Returns the time at which something is due again by itself,
 * 0 = only at the next event. Errors stay in the tracks. */
uint64_t gateway_pass(struct gateway *g, uint64_t now_us);

/* A round has ended with these changes (enum prove_change): the table masquerades as was decided,
 * and flows that can only win by it begin anew. */
void gateway_switch(struct gateway *g, const struct prove_network *n, unsigned change);

/* What a pass under this phase and configuration would do, without doing it; ops is filled, and
 * explained by what changes from the configuration of current, which may be nullptr. 0 or -errno
 * when the kernel cannot be observed. */
[[nodiscard]] int gateway_plan(struct kernel *k, enum gateway_phase phase,
	const struct config *config, const struct gateway *current, struct ops *ops,
	struct err *err);

/* The first write that failed for good, nullptr = none. A route that waits for its interface has
 * not failed, and what another program's table refuses is no failure of ours. */
const struct track *gateway_failure(const struct gateway *g);
