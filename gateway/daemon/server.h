/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * server: io.meshgw.Gateway on its four sockets. The status socket binds only the methods that
 * read; the control socket all that an operator has; those of the HTTP bridge and of the tunnel
 * theirs: the list of bound methods is the allow-list, the sockets' modes decide who may connect.
 * Replies are made in api_*.c.
 *
 * A client that sends garbage is disconnected by sd-varlink, one that asks and does not listen by
 * server_drops(), and one that makes no call for SERVER_SILENCE_US by a timer: it may hold one of
 * a bounded number of connections of its uid, or have begun a message without end, of which
 * sd-varlink keeps 16 MiB. The last connections of each socket are for root.
 */
#include "daemon/frr_driver.h"
#include "daemon/reload.h"
#include <systemd/sd-event.h>
#include <systemd/sd-varlink.h>

struct server;

/* What the handlers work on; belongs to the loop. */
struct server_context {
	struct reload *reload;
	const struct frr_sync *frr;    /* nullptr = none, in tests */
	struct frr_driver *frr_driver; /* likewise */
	struct answers *answers;       /* made with the server */
	struct diagnoses *diagnoses;   /* likewise */
	const struct conditions *conditions;
	struct flow_watch *flow_watch; /* nullptr = none */
	struct bridge *bridge;         /* likewise: its socket is not made then */
	struct tunnel *tunnel;         /* likewise */
	/* Called after a method has changed something: conditions are made anew. */
	void (*changed)(void *arg);
	void *arg;
	uint64_t silence_us; /* 0 = SERVER_SILENCE_US; for tests */
};

/* After everything else: while a client has more messages waiting, its source is always ready, and
 * sd-event takes it before whatever else of the same priority became ready later. */
constexpr int64_t SERVER_PRIORITY = SD_EVENT_PRIORITY_NORMAL + 1;

enum server_socket { SERVER_STATUS, SERVER_CONTROL, SERVER_BRIDGE, SERVER_TUNNEL, SERVER_SOCKETS };

/* Of the first two sockets; all together stay below the 1024 descriptors that a unit has by
 * default. */
constexpr unsigned SERVER_CONNECTIONS_MAX = 480;
constexpr unsigned SERVER_CONNECTIONS_WORKER = 16; /* of each of the others */
constexpr unsigned SERVER_CONNECTIONS_ROOT = 8;
constexpr unsigned SERVER_CONNECTIONS_PER_UID = 8;
constexpr uint64_t SERVER_SILENCE_US = 10'000'000;
constexpr int SERVER_UNREAD_MAX = 64 * 1024; /* bytes of answers */

/* dir: where the sockets are made ("/run/meshgw"). context is borrowed. */
[[nodiscard]] int server_new(sd_event *event, const char *dir, struct server_context *context,
	struct server **out, struct err *err);
/* Closes the sockets and removes their files. Connections that still stand end with the process:
 * libsystemd keeps them until their client goes. */
void server_free(struct server *s);

/* One end of a socket pair as a client of this socket, for tests and fuzzing. Takes fd on
 * success. */
[[nodiscard]] int server_add_connection(struct server *s, enum server_socket which, int fd);

/* The answer to whoever may not ask this, or does not listen. */
int server_deny(sd_varlink *link);
/* Has the client left more than SERVER_UNREAD_MAX unread? Then nothing is sent to it any more. */
[[nodiscard]] bool server_drops(sd_varlink *link);

/* Each handler's first step: what it works on; and its client has made a call. */
struct server_context *server_heard(void *userdata);
/* The first step of those that take none: anything but 0 is what the handler returns. */
[[nodiscard]] int server_no_parameters(sd_varlink *link, sd_json_variant *parameters);
/* The answer to its call takes a while, at most this long; its silence begins after that. */
void server_takes(void *userdata, uint64_t us);
/* What is to be let go of if the client goes before its answer, or asks something else that waits;
 * nullptr = nothing. */
void server_on_gone(void *userdata, void (*gone)(void *arg), void *arg);

/* Handlers. */
int api_get_status(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
	void *userdata);
int api_plan(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
	void *userdata);
int api_apply(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
	void *userdata);
int api_confirm(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
	void *userdata);
int api_undo(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
	void *userdata);
int api_down(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
	void *userdata);
int api_diagnose(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
	void *userdata);
int api_recall(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
	void *userdata);
int api_doctor(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
	void *userdata);
int api_fix(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
	void *userdata);
int api_follow(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
	void *userdata);
int api_edge_promote(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
	void *userdata);
int api_bridge_attach(sd_varlink *link, sd_json_variant *parameters,
	sd_varlink_method_flags_t flags, void *userdata);
int api_bridge_report(sd_varlink *link, sd_json_variant *parameters,
	sd_varlink_method_flags_t flags, void *userdata);
int api_diagnose_target(sd_varlink *link, sd_json_variant *parameters,
	sd_varlink_method_flags_t flags, void *userdata);
int api_tunnel_attach(sd_varlink *link, sd_json_variant *parameters,
	sd_varlink_method_flags_t flags, void *userdata);
int api_tunnel_propose(sd_varlink *link, sd_json_variant *parameters,
	sd_varlink_method_flags_t flags, void *userdata);
int api_tunnel_resolve(sd_varlink *link, sd_json_variant *parameters,
	sd_varlink_method_flags_t flags, void *userdata);
int api_tunnel_report(sd_varlink *link, sd_json_variant *parameters,
	sd_varlink_method_flags_t flags, void *userdata);
