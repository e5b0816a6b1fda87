/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_rules: other programs' rules in words (nft/rule.h), as a real kernel holds them.
 *
 * NAME.nft is read by nft(8), NAME.iptables and NAME.ip6tables by iptables-nft-restore(8) and its
 * twin, each into a network namespace of its own; NAME.rules is what every rule then says. With
 * --update what came out is written. Skips where it may not make a namespace.
 */
#include "lib/own.h"
#include "net/nl.h"
#include "nft/rule.h"
#include <dirent.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

constexpr int SKIP = 77;

static const struct {
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

static char *read_file(const char *path)
{
	autofclose FILE *in = fopen(path, "re");
	char *text = nullptr;
	size_t len = 0;

	if (in && getdelim(&text, &len, '\0', in) >= 0)
		return text;
	free(text);
	return nullptr;
}

static bool update(const char *path, const char *text)
{
	autofclose FILE *out = fopen(path, "we");

	return out && fputs(text, out) != EOF;
}

static bool compare(const char *path, const char *text)
{
	autofree char *want = read_file(path);
	bool same = want && strcmp(want, text) == 0;

	if (!same)
		fprintf(stderr, "%s: expected\n%sgot\n%s", path, want ? want : "", text);
	return same;
}

static bool run_case(const char *dir, const char *name, size_t stem, const char *command,
	bool (*check)(const char *path, const char *text))
{
	char in[PATH_MAX], out[PATH_MAX];

	snprintf(in, sizeof(in), "%s/%s", dir, name);
	snprintf(out, sizeof(out), "%s/%.*s.rules", dir, (int)stem, name);
	autofree char *text = render(in, command);
	return text && check(out, text);
}

int main(int argc, char **argv)
{
	bool updating = argc == 3 && strcmp(argv[1], "--update") == 0, good = true;
	struct dirent **list;

	if (argc != (updating ? 3 : 2)) {
		fprintf(stderr, "usage: golden_rules [--update] FOLDER\n");
		return EXIT_FAILURE;
	}
	if (unshare(CLONE_NEWNET) < 0) {
		perror("skipped: no network namespace");
		return SKIP;
	}
	int n = scandir(argv[argc - 1], &list, nullptr, alphasort), cases = 0;
	for (int i = 0; i < n; i++) {
		const char *suffix = strrchr(list[i]->d_name, '.');
		for (size_t j = 0; j < sizeof(loaders) / sizeof(loaders[0]); j++) {
			if (!suffix || strcmp(suffix, loaders[j].suffix) != 0)
				continue;
			good &= run_case(argv[argc - 1], list[i]->d_name,
				(size_t)(suffix - list[i]->d_name), loaders[j].command,
				updating ? update : compare);
			cases++;
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return good && cases ? EXIT_SUCCESS : EXIT_FAILURE;
}
