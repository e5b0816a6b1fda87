/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dispatch: what the QUIC endpoint tells, to whom it concerns: connections and requests to the
 * role, a stream's bytes and datagrams to its lane, room for packets to the cargo. It decides
 * nothing and owns nothing; a stream's data is its lane.
 */
#include "cargo.h"
#include "pump.h"
#include "quic/endpoint.h"
#include "role.h"

/* The endpoint's `user`; complete before it tells anything. All is borrowed. */
struct dispatch {
	const struct role *role;
	void *role_data;
	struct cargo *cargo;
	const struct pump *pump;
};

extern const struct quic_events dispatch_events;
