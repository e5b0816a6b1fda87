/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prove_text: the decisions in words.
 */
#include "proof/prove.h"
#include <inttypes.h>
#include <stdio.h>

const char *prove_verdict_str(enum prove_verdict verdict)
{
	static const char *const names[PROVE_VERDICTS] = {[PROVE_NOTHING] = "nothing",
		[PROVE_GOOD] = "good",
		[PROVE_WEAK] = "weak",
		[PROVE_BAD] = "bad",
		[PROVE_OPEN] = "open",
		[PROVE_SILENT] = "silent",
		[PROVE_FILTERED] = "filtered"};
	return names[verdict];
}

const char *prove_network_state(const struct prove_network *n)
{
	if (n->route)
		return n->adopted ? "adopted" : "proven";
	return n->lost_us ? "lost" : "unproven";
}

/* What the last round said; the counts are of hosts, whether asked in it or before. Without any it
 * was the site's router who decided. */
static const char *verdict_why(const struct prove_network *n, char buf[static PROVE_WHY_LEN])
{
	const struct prove_known *k = &n->known;
	unsigned spoke = k->yes + k->no;
	switch (n->verdict) {
	case PROVE_NOTHING:
		return n->rounds && n->witnesses.n ? "no witness could be asked"
						   : "no witness is known";
	case PROVE_GOOD:
		if (!spoke)
			return "the site's router answers the mesh range";
		snprintf(buf, PROVE_WHY_LEN, "%u of %u hosts answer the mesh range", k->yes, spoke);
		break;
	case PROVE_WEAK:
		return "only the site's router answers the mesh range, which does not speak for "
		       "its hosts";
	case PROVE_BAD:
		if (!spoke)
			return "the site's router does not answer the mesh range";
		snprintf(buf, PROVE_WHY_LEN,
			"%u of %u hosts answer the gateway and not the mesh range%s", k->no, spoke,
			n->tally.astray ? " by this interface" : "");
		break;
	case PROVE_OPEN:
		snprintf(buf, PROVE_WHY_LEN,
			"%u of %u hosts answer the mesh range, %u were not asked yet", k->yes,
			spoke, k->unasked);
		break;
	case PROVE_SILENT:
		return "no witness answers, neither the gateway nor the mesh range";
	case PROVE_FILTERED:
		return "probes from the mesh range do not leave this host";
	case PROVE_VERDICTS:
		break;
	}
	return buf;
}

const char *prove_why(
	const struct prove *p, const struct prove_network *n, char buf[static PROVE_WHY_LEN])
{
	if (!n->rounds)
		return n->asking ? "the first round is under way" : "nobody was asked yet";
	if (n->route || n->verdict != PROVE_GOOD)
		return verdict_why(n, buf);
	if (n->row < p->probe.proven_rounds)
		snprintf(buf, PROVE_WHY_LEN, "answered in %u of %u rounds in a row", n->row,
			p->probe.proven_rounds);
	else
		snprintf(buf, PROVE_WHY_LEN,
			"answered again, in %u rounds in a row; the proof was lost less than "
			"%" PRIu64 " s ago",
			n->row, p->probe.proven_hold_us / 1'000'000);
	return buf;
}
