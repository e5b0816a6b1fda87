/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/suggest.h"
#include <ctype.h>
#include <limits.h>
#include <string.h>

constexpr size_t SUGGEST_MAX_WORD = 32;

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment, three rows of the table at a time. */
unsigned suggest_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned rows[3][SUGGEST_MAX_WORD + 1];

	if (n > SUGGEST_MAX_WORD || m > SUGGEST_MAX_WORD)
		return UINT_MAX;
	for (unsigned j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3];
		const unsigned *above2 = rows[(i + 1) % 3];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = min(above[j], row[j - 1]) + 1;
			row[j] = min(row[j], above[j - 1] + !same(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				row[j] = min(row[j], above2[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

void suggest_offer(struct suggestion *best, const char *typed, const char *candidate)
{
	unsigned distance = suggest_distance(typed, candidate);

	/* More than a third of the word wrong is another word. */
	if (distance > 1 + strlen(candidate) / 3 || distance >= strlen(candidate))
		return;
	if (!best->word || distance < best->distance)
		*best = (struct suggestion){candidate, distance};
}
