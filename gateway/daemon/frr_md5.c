/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_md5.h"
#include "lib/own.h"
#include <inttypes.h>
#include <string.h>

static const struct {
	const char *name;
	bool unexpected;
} counters[] = {{"TCPMD5NotFound", false}, {"TCPMD5Failure", false}, {"TCPMD5Unexpected", true}};

static void add(const char *name, size_t len, uint64_t value, struct frr_md5 *out)
{
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		if (len == strlen(counters[i].name) && !strncmp(name, counters[i].name, len))
			*(counters[i].unexpected ? &out->unexpected : &out->wrong) += value;
}

/* Names in one line, values in the next, both behind the same word. */
void frr_md5_read(const char *text, struct frr_md5 *out)
{
	static const char word[] = "TcpExt:";
	*out = (struct frr_md5){};
	const char *names = strstr(text, word);
	const char *values = names ? strstr(names + 1, word) : nullptr;
	if (!values)
		return;
	names += sizeof(word) - 1;
	values += sizeof(word) - 1;
	while (*names == ' ' && *values == ' ') {
		size_t n = strcspn(++names, " \n");
		add(names, n, strtoull(++values, nullptr, 10), out);
		names += n;
		values += strcspn(values, " \n");
	}
}

bool frr_md5_look(struct frr_md5 *out)
{
	char text[16384];
	autofclose FILE *f = fopen("/proc/net/netstat", "re");
	if (!f)
		return false;
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	frr_md5_read(text, out);
	return true;
}
