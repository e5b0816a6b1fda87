/* SPDX-License-Identifier: Apache-2.0 */
#include "net/counter.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "net/link.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list ---- */

[[gnu::format(printf, 3, 4)]] static void counter_add(
	struct counter_set *set, uint64_t value, const char *fmt, ...)
{
	XGROW(set->list, set->n, set->cap);
	struct counter *c = &set->list[set->n];
	va_list ap;
	va_start(ap, fmt);
	int len = vsnprintf(c->name, sizeof(c->name), fmt, ap);
	va_end(ap);
	if (len <= 0 || (size_t)len >= sizeof(c->name))
		return; /* no counter of the kernel has such a name */
	c->value = value;
	set->n++;
}

static int counter_compare(const void *a, const void *b)
{
	const struct counter *x = a, *y = b;
	return strcmp(x->name, y->name);
}

void counter_sort(struct counter_set *set)
{
	if (set->n)
		qsort(set->list, set->n, sizeof(*set->list), counter_compare);
}

void counter_set_clear(struct counter_set *set)
{
	free(set->list);
	*set = (struct counter_set){};
}

static int name_compare(const void *name, const void *counter)
{
	return strcmp(name, ((const struct counter *)counter)->name);
}

const struct counter *counter_find(const struct counter_set *set, const char *name)
{
	if (set->n == 0)
		return nullptr;
	return bsearch(name, set->list, set->n, sizeof(*set->list), name_compare);
}

uint64_t counter_growth(
	const struct counter_set *before, const struct counter_set *after, const char *name)
{
	const struct counter *from = counter_find(before, name), *to = counter_find(after, name);
	return from && to && to->value > from->value ? to->value - from->value : 0;
}

/* ---- text ---- */

/* A piece of the text, without its end. */
struct piece {
	const char *at;
	size_t len;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The next line; false at the end. */
static bool next_line(const char **text, struct piece *out)
{
	if (**text == '\0')
		return false;
	*out = (struct piece){*text, strcspn(*text, "\n")};
	*text += out->len;
	if (**text == '\n')
		(*text)++;
	return true;
}

/* The next word of a line; false at its end. */
static bool next_word(struct piece *line, struct piece *out)
{
	while (line->len && (*line->at == ' ' || *line->at == '\t')) {
		line->at++;
		line->len--;
	}
	size_t len = 0;
	while (len < line->len && line->at[len] != ' ' && line->at[len] != '\t')
		len++;
	*out = (struct piece){line->at, len};
	line->at += len;
	line->len -= len;
	return len > 0;
}

/* All of the word, of this base; a negative number (Tcp's MaxConn) is none. */
static bool read_number(const struct piece *word, int base, uint64_t *out)
{
	char digits[24], *end;
	if (word->len >= sizeof(digits) || (base == 10 && !is_digit(*word->at)))
		return false;
	memcpy(digits, word->at, word->len);
	digits[word->len] = '\0';
	errno = 0;
	*out = strtoull(digits, &end, base);
	return errno == 0 && *end == '\0' && end != digits && digits[0] != '-';
}

/* "Ip: Forwarding DefaultTTL …" above "Ip: 1 64 …". */
void counter_parse_columns(const char *text, struct counter_set *out)
{
	struct piece names, values, table, again, name, word;
	uint64_t value;

	while (next_line(&text, &names) && next_line(&text, &values)) {
		if (!next_word(&names, &table) || !next_word(&values, &again) ||
			table.len != again.len || memcmp(table.at, again.at, table.len) != 0)
			return;
		while (next_word(&names, &name) && next_word(&values, &word))
			if (read_number(&word, 10, &value))
				counter_add(out, value, "%.*s%.*s", (int)(table.len - 1), table.at,
					(int)name.len, name.at);
	}
}

/* "Ip6InReceives    12" */
void counter_parse_lines(const char *text, struct counter_set *out)
{
	struct piece line, name, word;
	uint64_t value;

	while (next_line(&text, &line))
		if (next_word(&line, &name) && next_word(&line, &word) &&
			read_number(&word, 10, &value))
			counter_add(out, value, "%.*s", (int)name.len, name.at);
}

/* A column of a line, both counted from 0; false when there is none. */
static bool column_of(struct piece line, size_t column, struct piece *out)
{
	for (size_t i = 0; next_word(&line, out); i++)
		if (i == column)
			return true;
	return false;
}

/* Names above one line of hexadecimal numbers a processor. */
void counter_parse_cpus(const char *text, const char *prefix, struct counter_set *out)
{
	struct piece names, line, name, word;

	if (!next_line(&text, &names))
		return;
	for (size_t column = 0; column_of(names, column, &name); column++) {
		uint64_t sum = 0, value;
		bool found = false;
		for (const char *rest = text; next_line(&rest, &line);)
			if (column_of(line, column, &word) && read_number(&word, 16, &value)) {
				found = true;
				sum += value;
			}
		/* "entries" is the same number for each of them, and no counter. */
		if (found && column > 0)
			counter_add(out, sum, "%s.%.*s", prefix, (int)name.len, name.at);
	}
}

/* ---- the kernel ---- */

constexpr size_t COUNTER_FILE_MAX = 256 * 1024;

/* The whole file as text, or nullptr with errno. */
static char *read_file(const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return nullptr;
	char *text = nullptr;
	size_t n = 0, cap = 0;
	for (;;) {
		if (cap - n < 2) {
			cap = cap ? 2 * cap : 8 * 1024;
			text = xreallocarray(text, cap, 1);
		}
		ssize_t len = read(fd, text + n, cap - n - 1);
		if (len <= 0 || n + (size_t)len > COUNTER_FILE_MAX)
			break;
		n += (size_t)len;
	}
	text[n] = '\0';
	return text;
}

static void parse_gauge(const char *text, const char *name, struct counter_set *out)
{
	struct piece line, word;
	uint64_t value;
	if (next_line(&text, &line) && next_word(&line, &word) && read_number(&word, 10, &value))
		counter_add(out, value, "%s", name);
}

static void parse_columns(const char *text, const char *, struct counter_set *out)
{
	counter_parse_columns(text, out);
}

static void parse_lines(const char *text, const char *, struct counter_set *out)
{
	counter_parse_lines(text, out);
}

int counter_read(struct counter_set *out, struct err *err)
{
	static const struct {
		const char *path, *name;
		void (*parse)(const char *text, const char *name, struct counter_set *out);
	} files[] = {
		{"/proc/self/net/snmp", "", parse_columns},
		{"/proc/self/net/netstat", "", parse_columns},
		{"/proc/self/net/snmp6", "", parse_lines},
		{"/proc/self/net/stat/nf_conntrack", "nf_conntrack", counter_parse_cpus},
		{"/proc/self/net/stat/rt_cache", "rt_cache", counter_parse_cpus},
		{"/proc/self/net/stat/arp_cache", "arp_cache", counter_parse_cpus},
		{"/proc/self/net/stat/ndisc_cache", "ndisc_cache", counter_parse_cpus},
		{"/proc/sys/net/netfilter/nf_conntrack_count", "nf_conntrack_count", parse_gauge},
		{"/proc/sys/net/netfilter/nf_conntrack_max", "nf_conntrack_max", parse_gauge},
	};
	struct counter_set next = {};
	int first = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		autofree char *text = read_file(files[i].path);
		if (text)
			files[i].parse(text, files[i].name, &next);
		else if (!first)
			first = errno;
	}
	if (next.n == 0) {
		counter_set_clear(&next);
		return err_set(err, first ? first : EBADMSG, "counters: %s",
			strerror(first ? first : EBADMSG));
	}
	counter_set_clear(out);
	*out = next;
	counter_sort(out);
	return 0;
}

int counter_add_link(
	struct nl_sock *s, int ifindex, const char *name, struct counter_set *out, struct err *err)
{
	struct link_counters c;
	int r = link_counters_read(s, ifindex, &c, err);
	if (r < 0)
		return r;
	counter_add(out, c.rx_packets, "%s.rx_packets", name);
	counter_add(out, c.tx_packets, "%s.tx_packets", name);
	counter_add(out, c.rx_errors, "%s.rx_errors", name);
	counter_add(out, c.tx_errors, "%s.tx_errors", name);
	counter_add(out, c.rx_dropped, "%s.rx_dropped", name);
	counter_add(out, c.tx_dropped, "%s.tx_dropped", name);
	return 0;
}
