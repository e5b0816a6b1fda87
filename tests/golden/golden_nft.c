/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_nft: the table that each shared model becomes in a real kernel, in nft(8)'s words.
 *
 * MODEL.nft is `nft list`, MODEL.json `nft -j list` with one object a line. Left out is what
 * differs from run to run: handles, versions, the owner's name. Runs in a network namespace of its
 * own and skips where it may not make one.
 */
#include "../unit/nft_models.h"
#include "golden.h"
#include "lib/own.h"
#include "net/nl.h"
#include "nft/batch.h"
#include <ctype.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* nullptr if the command fails. */
static char *output_of(const char *command)
{
	FILE *in = popen(command, "re");
	char *text = nullptr;
	size_t len = 0;

	if (!in)
		return nullptr;
	ssize_t n = getdelim(&text, &len, '\0', in);
	if (pclose(in) == 0 && n >= 0)
		return text;
	free(text);
	return nullptr;
}

/* Removes n bytes at `at`. */
static void cut(char *at, size_t n)
{
	memmove(at, at + n, strlen(at + n) + 1);
}

/* Removes every `start` with the letters and digits behind it. */
static void cut_words(char *text, const char *start)
{
	for (char *at = text; (at = strstr(at, start));) {
		size_t n = strlen(start);
		while (isalnum((unsigned char)at[n]) || at[n] == '_')
			n++;
		cut(at, n);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The end of the list item at p: a comma or a closing bracket that belongs to the list. */
static char *item_end(char *p)
{
	for (int depth = 0; *p; p++) {
		if (depth == 0 && strchr(",]}", *p))
			break;
		depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
	}
	return p;
}

/* The kernel lists a hash set in an order that changes from run to run. Sorts the items of the
 * list at p; blanks between them become one. */
static void sort_items(char *p)
{
	char *items[64], *end = p;
	size_t n = 0;

	for (bool more = true; more && n < 64; end += more) {
		char *start = end + strspn(end, " \n\t");
		end = item_end(start);
		more = *end == ',';
		char *last = end;
		while (last > start && isspace((unsigned char)last[-1]))
			last--;
		items[n++] = strndup(start, (size_t)(last - start));
	}
	qsort(items, n, sizeof(items[0]), by_text);
	autofree char *rest = strdup(end);
	for (size_t i = 0; i < n; i++) {
		p = stpcpy(stpcpy(p, i ? ", " : ""), items[i]);
		free(items[i]);
	}
	stpcpy(p, rest);
}

static void sort_lists(char *text, const char *opening)
{
	for (char *at = text; (at = strstr(at, opening));) {
		at += strlen(opening);
		sort_items(at);
	}
}

/* One JSON object a line. */
static void break_lines(char *text)
{
	for (char *at = text; (at = strstr(at, ": {\"family\"")); at++) {
		char *comma = at;
		while (comma > text && *comma != ',' && *comma != '[')
			comma--;
		if (*comma == ',')
			comma[1] = '\n';
	}
}

static char *list_text(void)
{
	char *text = output_of("nft list table inet meshgw");

	if (text) {
		cut_words(text, " # progname ");
		sort_lists(text, "elements = {");
	}
	return text;
}

static char *list_json(void)
{
	char *text = output_of("nft -j list table inet meshgw");
	char *info = text ? strstr(text, "{\"metainfo\"") : nullptr;

	if (info)
		cut(info, (size_t)(item_end(info) - info) + 2);
	if (text) {
		cut_words(text, ", \"handle\": ");
		sort_lists(text, "\"elem\": [");
		break_lines(text);
	}
	return text;
}

static const struct {
	const char *suffix;
	char *(*list)(void);
} forms[] = {{".nft", list_text}, {".json", list_json}};

static void run_case(struct golden *g, struct nft_conn *conn, const struct nft_named_model *m)
{
	struct err err = {};
	bool written = nft_replace(conn, &m->model, nullptr, &err) >= 0;

	if (!written)
		fprintf(stderr, "%s: %s\n", m->name, err.msg);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		autofree char *text = written ? forms[i].list() : nullptr;
		if (written && !text)
			fprintf(stderr, "%s: nft cannot list the table\n", m->name);
		golden_check(g, m->name, forms[i].suffix, text);
	}
}

int main(int argc, char **argv)
{
	struct golden g;
	struct nl_sock *nl = nullptr;
	struct nft_conn *conn = nullptr;
	struct err err = {};

	if (!golden_begin(&g, argc, argv))
		return GOLDEN_USAGE;
	if (unshare(CLONE_NEWNET) < 0) {
		perror("skipped: no network namespace");
		return GOLDEN_SKIP;
	}
	if (nl_open(NETLINK_NETFILTER, &nl, &err) < 0 || nft_conn_new(nl, &conn, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < NFT_MODELS; i++)
		run_case(&g, conn, &nft_models()[i]);
	nft_conn_free(conn);
	nl_close(nl);
	return golden_end(&g);
}
