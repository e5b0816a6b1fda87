/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frr_driver with a program in vtysh's place: it never runs twice at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/frr_driver.h"
#include "frr_site.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

constexpr uint64_t PATIENCE_US = 20'000'000;

struct driver_site {
	struct frr_site *site;
	sd_event *event;
	struct frr_driver *driver;
	char dir[64], program[96];
	int log;
	unsigned done;
};

static void on_changed(void *)
{
}

static void on_read(void *arg, const struct frr_view *view, const struct err *err)
{
	struct driver_site *d = arg;

	assert_null(view);
	assert_true(err->code != 0);
	d->done++;
}

/* Says when it begins and ends, and ends when the file `go` is there. */
static void write_program(struct driver_site *d)
{
	snprintf(d->program, sizeof(d->program), "%s/vtysh", d->dir);
	FILE *f = fopen(d->program, "we");

	assert_non_null(f);
	fprintf(f,
		"#!/bin/sh\ncd %s\necho begin >>log\nwhile [ ! -e go ]; do sleep 0.01; done\n"
		"echo end >>log\n",
		d->dir);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(d->program, 0755), 0);
}

/* What the program said so far; the file is there from the beginning. */
static const char *log_of(const struct driver_site *d)
{
	static char text[256];
	ssize_t n = pread(d->log, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static void touch_go(const struct driver_site *d)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/go", d->dir);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
	struct driver_site *d = calloc(1, sizeof(*d));
	void *site;
	char path[96];
	struct err err = {};

	assert_non_null(d);
	assert_int_equal(frr_site_setup(&site), 0);
	d->site = site;
	strcpy(d->dir, "/tmp/frr-driver-XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	write_program(d);
	snprintf(path, sizeof(path), "%s/log", d->dir);
	d->log = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(d->log >= 0);
	assert_true(sd_event_new(&d->event) >= 0);
	struct frr_driver_options options = {
		.program = d->program, .dir = d->dir, .changed = on_changed};
	assert_int_equal(frr_driver_new(d->event, &d->site->sync, &options, &d->driver, &err), 0);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = {"vtysh", "log", "go"};
	struct driver_site *d = *state;
	void *site = d->site;
	char path[96];

	frr_driver_free(d->driver);
	sd_event_unref(d->event);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", d->dir, files[i]);
		(void)unlink(path);
	}
	(void)close(d->log);
	(void)rmdir(d->dir);
	free(d);
	return frr_site_teardown(&site);
}

static void run_until(struct driver_site *d, unsigned done)
{
	while (d->done < done)
		assert_true(sd_event_run(d->event, PATIENCE_US) > 0);
}

static void test_readings_take_turns(void **state)
{
	struct driver_site *d = *state;
	struct frr_model model = {};

	for (size_t i = 0; i < 3; i++)
		frr_driver_read(d->driver, &model, on_read, d);
	while (!*log_of(d))
		(void)sd_event_run(d->event, 1000);
	assert_string_equal(log_of(d), "begin\n");
	touch_go(d);
	run_until(d, 3);
	assert_string_equal(log_of(d), "begin\nend\nbegin\nend\nbegin\nend\n");
}

static void test_freed_while_they_wait(void **state)
{
	struct driver_site *d = *state;
	struct frr_model model = {};

	for (size_t i = 0; i < 2; i++)
		frr_driver_read(d->driver, &model, on_read, d);
	frr_driver_free(d->driver);
	d->driver = nullptr;
	assert_int_equal(d->done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_readings_take_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_freed_while_they_wait, setup, teardown),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
