/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/events.h"

static const char *const CAUSES[] = {
	[QUIC_CAUSE_LOCAL] = "closed here",
	[QUIC_CAUSE_PEER] = "closed by the peer",
	[QUIC_CAUSE_RESET] = "stateless reset",
	[QUIC_CAUSE_IDLE] = "idle timeout",
	[QUIC_CAUSE_HANDSHAKE] = "handshake timeout",
	[QUIC_CAUSE_VERSION] = "no common version",
	[QUIC_CAUSE_IDENTITY] = "identity not accepted",
	[QUIC_CAUSE_CERTIFICATE] = "certificate not valid",
	[QUIC_CAUSE_DEAF] = "nothing is acknowledged",
	[QUIC_CAUSE_SETTINGS] = "unsuitable settings",
};

static const char *const ENDS[] = {
	[QUIC_END_FINISHED] = "finished",
	[QUIC_END_PEER] = "reset by the peer",
	[QUIC_END_LOCAL] = "aborted here",
	[QUIC_END_CLOSED] = "connection closed",
};

const char *quic_cause_str(enum quic_cause cause)
{
	return CAUSES[cause];
}

const char *quic_end_str(enum quic_end end)
{
	return ENDS[end];
}
