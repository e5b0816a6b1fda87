/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_rules: other programs' rules in words (nft/rule.h), as a real kernel holds them.
 *
 * NAME.nft is read by nft(8), NAME.iptables and NAME.ip6tables by iptables-nft-restore(8) and its
 * twin, each into a network namespace of its own; NAME.rules is what every rule then says.
 * Skips where it may not make a namespace.
 */
#include "golden.h"
#include "lib/own.h"
#include "net/nl.h"
#include "nft/rule.h"
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct loader {
	const char *suffix, *command;
} loaders[] = {
	{".nft", "nft -f"},
	{".iptables", "iptables-nft-restore"},
	{".ip6tables", "ip6tables-nft-restore"},
};

static int print_rule(const struct nlmsghdr *nlh, void *arg)
{
	FILE *out = arg;
	char source[PREFIX_STRLEN];
	struct nft_rule r;

	if (nft_rule_read(nlh, &r) < 0)
		return MNL_CB_ERROR;
	fprintf(out, "%s %s %s: %s\n", nft_family_str(r.family), r.table, r.chain, r.text);
	if (r.rejects || r.fib || r.ct_invalid || r.source_nat)
		fprintf(out, "\t%s%s%s%s\n", r.rejects ? " rejects" : "", r.fib ? " fib" : "",
			r.ct_invalid ? " ct-invalid" : "", r.source_nat ? " source-nat" : "");
	if (r.oif_term != NFT_TERM_ABSENT)
		fprintf(out, "\t leaves%s by %s%s\n", r.oif_term == NFT_TERM_IS ? "" : " not",
			r.oif, r.oif_prefix ? "*" : "");
	if (r.source_term != NFT_TERM_ABSENT)
		fprintf(out, "\t comes%s from %s\n", r.source_term == NFT_TERM_IS ? "" : " not",
			prefix_str(&r.source, source));
	return MNL_CB_OK;
}

static int print_rules(FILE *out)
{
	struct nfgenmsg header = {.version = NFNETLINK_V0};
	struct nl_sock *nl = nullptr;
	struct nl_message m;
	struct err err = {};
	int r = nl_open(NETLINK_NETFILTER, &nl, &err);

	if (r == 0) {
		struct nlmsghdr *nlh = nl_begin(&m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, 0,
			&header, sizeof(header));
		r = nl_dump(nl, nlh, print_rule, nullptr, out, &err);
	}
	nl_close(nl);
	if (r < 0)
		fprintf(stderr, "%s\n", err.msg);
	return r;
}

/* The rules of one file in words; nullptr on failure. */
static char *render(const char *path, const char *command)
{
	char line[PATH_MAX + 64], *text = nullptr;
	size_t len;

	snprintf(line, sizeof(line), "%s '%s'", command, path);
	if (unshare(CLONE_NEWNET) < 0 || system(line) != 0) {
		fprintf(stderr, "failed: %s\n", line);
		return nullptr;
	}
	FILE *out = open_memstream(&text, &len);
	int r = print_rules(out);
	fclose(out);
	if (r == 0)
		return text;
	free(text);
	return nullptr;
}

static void run_case(struct golden *g, const char *stem, const void *arg)
{
	const struct loader *loader = arg;
	char path[PATH_MAX];
	autofree char *text = render(golden_path(g, stem, loader->suffix, path), loader->command);

	golden_check(g, stem, ".rules", text);
}

int main(int argc, char **argv)
{
	struct golden g;
	char pattern[32];

	if (!golden_begin(&g, argc, argv))
		return GOLDEN_USAGE;
	if (unshare(CLONE_NEWNET) < 0) {
		perror("skipped: no network namespace");
		return GOLDEN_SKIP;
	}
	for (size_t i = 0; i < sizeof(loaders) / sizeof(loaders[0]); i++) {
		snprintf(pattern, sizeof(pattern), "*%s", loaders[i].suffix);
		golden_each(&g, pattern, run_case, &loaders[i]);
	}
	return golden_end(&g);
}
