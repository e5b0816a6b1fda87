/* SPDX-License-Identifier: Apache-2.0 */
#include "ask_pin.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "quic/pin.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define USER "meshgw-tunnel"

/* Of a chain and its key; whole stores of authorities have a quarter of it. */
constexpr size_t INPUT_MAX = 1 << 20;

static int become_user(struct err *err)
{
	const struct passwd *pw = getpwnam(USER);
	uid_t uid = pw ? pw->pw_uid : 65'534; /* nobody's */
	gid_t gid = pw ? pw->pw_gid : 65'534;

	if (setgroups(0, nullptr) < 0 || setresgid(gid, gid, gid) < 0 ||
		setresuid(uid, uid, uid) < 0)
		return err_set(err, errno, "cannot become user %s: %s; run it as another user",
			pw ? USER : "nobody", strerror(errno));
	return 0;
}

static int settle(struct err *err)
{
	int r = geteuid() == 0 ? become_user(err) : 0;

	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_set(err, errno, "prctl: %s", strerror(errno));
	return r;
}

static int read_input(char *text, size_t *n, struct err *err)
{
	ssize_t got;

	*n = 0;
	while ((got = read(STDIN_FILENO, text + *n, INPUT_MAX - *n)) != 0 && *n < INPUT_MAX)
		if (got > 0)
			*n += (size_t)got;
		else if (errno != EINTR)
			return err_set(err, errno, "standard input: %s", strerror(errno));
	return 0;
}

static int print_pin(char *text, struct err *err)
{
	char pin[QUIC_PIN_STRLEN];
	size_t n;
	int r = settle(err);

	if (r == 0)
		r = read_input(text, &n, err);
	if (r == 0)
		r = quic_pin_read(text, n, pin, err);
	if (r == 0 && (puts(pin) < 0 || fflush(stdout) != 0))
		r = err_set(err, errno, "standard output: %s", strerror(errno));
	explicit_bzero(text, INPUT_MAX); /* it may be a private key */
	return r;
}

int ask_pin(void)
{
	autofree char *text = xcalloc(INPUT_MAX, 1);
	struct err err = {};

	if (print_pin(text, &err) == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "%s\n", err.msg);
	return EXIT_FAILURE;
}
