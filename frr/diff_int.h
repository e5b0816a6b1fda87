/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * diff_int: what the parts of diff share.
 *
 * diff.c pairs the wanted statements with the running ones and writes the script; diff_neighbor.c
 * knows the settings of a neighbour; diff_found.c looks at what is foreign; leak.c at what a
 * foreign neighbour would be sent.
 */
#include "frr/diff.h"
#include "frr/want.h"

struct diff {
	const struct frr_diff_input *input;
	const struct frr_model *model; /* nullptr = none */
	const struct frr_running *running;
	struct frr_diff *out;
	struct frr_wants wants;
	struct frr_spelling spelling;
	bool *done; /* per want: it runs already, or something foreign stands for it */
	const struct frr_statement **as; /* per want: the running statement, nullptr = none */
	bool *kept;                      /* per running statement: it is wanted */
	bool *skip;                      /* per neighbour of the model: it is another's */
	bool *rebuilt;    /* per neighbour of the model: removed first, then written anew */
	bool bgp_removed; /* the running `router bgp` goes as a whole */
};

struct frr_finding *diff_find(struct diff *d, enum frr_finding_code code, struct frr_mark mark);

/* Puts the statement, safe to show, into the finding. */
void diff_show(struct frr_finding *finding, const struct frr_statement *s);

/* In the running `router bgp` of the default VRF, or in a part of it? */
bool diff_in_bgp(const struct diff *d, const struct frr_statement *s);
/* Does a `router bgp` run, and stay, that has another number than the model wants? */
bool diff_has_other_asn(const struct diff *d);
/* May it be removed: ours by its mark, of an adopted neighbour, or of a block that we created? */
bool diff_is_mine(const struct diff *d, const struct frr_statement *s);
/* The neighbour of the model at that address, nullptr if there is none or it is another's. */
const struct frr_neighbor *diff_wanted_neighbor(const struct diff *d, const struct addr *address);

/* Does the block hold anything that is not mine? */
bool diff_has_foreign(const struct diff *d, const char *block);
/* Of "ip prefix-list NAME seq N permit …": what follows the number, and in *head the length up to
 * "seq". nullptr for another statement. */
const char *diff_split_entry(const char *text, size_t *head);

/* Of a prefix-list or a route-map? */
bool diff_is_policy(const struct frr_statement *s);

/* diff_script.c: the script, and what of the shared blocks is ours after it. */
void diff_write(struct diff *d);

/* diff_found.c: fills skip, rebuilt, spelling; then, with the wants there, done. */
void diff_find_neighbors(struct diff *d);
void diff_find_bgp(struct diff *d);
void diff_find_foreign(struct diff *d);

/* leak.c: FRR_FOUND_LEAK for each foreign neighbour. */
void diff_find_leaks(struct diff *d);

/* diff_neighbor.c. What is done about a running setting of a neighbour of ours. */
enum diff_setting { SETTING_KEEP, SETTING_REPORT, SETTING_REMOVE, SETTING_REMOVE_REPORT };
enum diff_setting diff_judge_setting(
	const struct diff *d, const struct frr_statement *s, const char *setting);
/* Do two statements of one place set the same thing, so that the one replaces the other? */
bool diff_same_thing(const char *a, const char *b);
/* How much of it may be shown, and is needed to remove it: all but a password. */
size_t diff_shown_len(const char *text);
