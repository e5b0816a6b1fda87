/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/model.h"
#include <string.h>

constexpr size_t PASSWORD_MAX = 80; /* bgpd/bgpd.h: PEER_PASSWORD_MAXLEN */

static const char *const daemons[FRR_DAEMONS] = {
	[FRR_MGMTD] = "mgmtd",
	[FRR_ZEBRA] = "zebra",
	[FRR_STATICD] = "staticd",
	[FRR_BGPD] = "bgpd",
	[FRR_BFDD] = "bfdd",
};

const char *frr_daemon_str(enum frr_daemon daemon)
{
	return daemons[daemon];
}

bool frr_line_ok(const char *text)
{
	char last = ' ';
	for (; *text; last = *text++) {
		if (*text < ' ' || *text > '~')
			return false;
		if (*text == ' ' && (last == ' ' || last == '|'))
			return false;
	}
	return last != ' ';
}

bool frr_word_ok(const char *text)
{
	return frr_line_ok(text) && !strchr(text, ' ');
}

bool frr_password_ok(const char *text)
{
	return frr_word_ok(text) && strlen(text) <= PASSWORD_MAX;
}
