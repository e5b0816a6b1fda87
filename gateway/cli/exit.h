/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * exit: the exit statuses of meshgw. They are part of its interface, as meshgw(8) documents them:
 * a number never changes its meaning.
 *
 * Every failure also has a name for --json: the varlink error's where the daemon sent one, else
 * the one of its status here.
 */
enum exit_status {
	EXIT_DONE,        /* for status, doctor, diagnose: nothing is wrong */
	EXIT_REFUSED,     /* the daemon refused, or the operation failed */
	EXIT_USAGE,       /* the command line */
	EXIT_UNREACHABLE, /* nobody listens on the socket */
	EXIT_TIMEOUT,     /* somebody listens and does not answer */
	EXIT_PERMISSION,
	EXIT_CONFIG,    /* the configuration has mistakes */
	EXIT_FILE,      /* the configuration cannot be read */
	EXIT_CONFLICT,  /* a change waits for its confirmation; or none does */
	EXIT_UNHEALTHY, /* status: a condition of severity error stands; doctor: a check failed */
	EXIT_DOWN,      /* taken down, or nothing is configured yet */
	EXIT_TOO_LARGE, /* the configuration is larger than CONFIG_MAX_BYTES */
	EXIT_PROTOCOL,  /* the daemon's answer was cut off or made no sense */

	/* diagnose: where the cause lies (enum code_class). Nothing is wrong: EXIT_DONE. */
	EXIT_CAUSE_NODE,
	EXIT_CAUSE_LAN,
	EXIT_CAUSE_SERVICE,
	EXIT_CAUSE_TUNNEL,
	EXIT_UNDECIDED, /* the evidence is not enough */

	EXIT_NO_CONSENT, /* fix: nobody said yes */
	EXIT_STATUSES,   /* number of statuses */
};

/* "io.meshgw.Client.Unreachable" */
const char *exit_status_id(enum exit_status status);
/* "meshgwd is not running" */
const char *exit_status_str(enum exit_status status);
