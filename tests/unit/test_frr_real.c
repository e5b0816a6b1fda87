/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frr/ against the FRR that is installed: what is written is what is read, a second look finds
 * nothing to do, and in the end the configuration of others is what it was, byte by byte.
 *
 * FRR runs in a network and a process namespace of its own, with sockets in a folder of its own
 * below /run/frr, and ends with them. Without root or without FRR the test is skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "frr/diff.h"
#include "frr/output.h"
#include "frr/render.h"
#include "frr/show.h"
#include "frr_models.h"
#include "lib/own.h"
#include "netns.h"
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* In commands: the name of this run's FRR, and its folder. In the environment of the shells. */
#define VTYSH "vtysh -N $MESHGW_TEST_FRR"
#define FOLDER "/run/frr/$MESHGW_TEST_FRR"

static char folder[64], script_path[80];

/* ---- FRR ---- */

static bool start(enum frr_daemon daemon)
{
	char command[160];
	(void)snprintf(command, sizeof(command),
		"/usr/lib/frr/%s -N $MESHGW_TEST_FRR -d -F traditional -A 127.0.0.1 --log stdout "
		">/dev/null 2>&1 </dev/null",
		frr_daemon_str(daemon));
	return system(command) == 0;
}

static void end(enum frr_daemon daemon)
{
	char path[96], text[16] = {};
	(void)snprintf(path, sizeof(path), "%s/%s.pid", folder, frr_daemon_str(daemon));
	FILE *file = fopen(path, "re");
	assert_true(file && fgets(text, sizeof(text), file) && fclose(file) == 0);
	pid_t pid = (pid_t)strtol(text, nullptr, 10);
	assert_true(pid > 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, nullptr, 0), pid); /* ours, as the first process */
}

/* ---- vtysh ---- */

static char *run(const char *command, size_t *len)
{
	char *text = nullptr;
	FILE *in = popen(command, "re"), *out = open_memstream(&text, len);
	assert_true(in && out);
	for (int c; (c = fgetc(in)) != EOF;)
		fputc(c, out);
	assert_int_equal(pclose(in), 0);
	fclose(out);
	return text;
}

/* As README.md in frr/ says. */
static char *run_vtysh(const char *input, size_t n, size_t *len)
{
	FILE *script = fopen(script_path, "we");
	assert_true(script && fwrite(input, 1, n, script) == n && fclose(script) == 0);
	return run("env -i TERM=dumb COLUMNS=10000 HOME=/ INPUTRC=/dev/null " VTYSH
		   " -H /dev/null <" FOLDER "/script 2>/dev/null",
		len);
}

static char *running_text(void)
{
	size_t len;
	return run(VTYSH " -c 'show running-config' 2>/dev/null", &len);
}

struct look {
	struct frr_show show;
	struct frr_running running;
};

static void look_clear(struct look *look)
{
	frr_show_clear(&look->show);
	frr_running_clear(&look->running);
}

static struct look look_at(const struct frr_model *model)
{
	struct frr_script commands = {};
	struct look look;
	struct err err = {};
	size_t n, len;
	frr_show_commands(model, &commands);
	autofree char *input = frr_script_input(&commands, &n);
	autofree char *text = run_vtysh(input, n, &len);
	frr_show_read(model, &commands, text, len, &look.show);
	if (frr_show_running(&look.show, &look.running, &err) < 0)
		fail_msg("%s", err.msg);
	frr_script_clear(&commands);
	return look;
}

/* The statics of every model are those of "full". */
static void diff_now(
	const struct frr_model *model, const struct frr_created *created, struct frr_diff *diff)
{
	struct look look = look_at(frr_model("full"));
	struct prefix installed[16];
	size_t n = 0;
	for (size_t i = 0; i < look.show.n_prefixes; i++)
		if (look.show.prefixes[i].static_ours)
			installed[n++] = look.show.prefixes[i].prefix;
	struct frr_diff_input input = {
		.model = model,
		.running = &look.running,
		.created = *created,
		.installed = installed,
		.n_installed = n,
		.installed_interface = "mesh0",
	};
	frr_diff(&input, diff);
	look_clear(&look);
}

static void fail_script(const struct frr_diff *diff, const char *name)
{
	autofree char *text = frr_script_text(&diff->script, false, nullptr);
	fail_msg("%s is not in place after one script; the next would be:\n%s", name, text);
}

/* Writes the script that leads to the model; *refused of its lines are refused. Then the diff that
 * is left. */
static void write_once(const struct frr_model *model, struct frr_created *created, size_t *refused,
	struct frr_diff *left)
{
	struct frr_diff diff;
	size_t n, len;
	diff_now(model, created, &diff);
	autofree char *input = frr_script_input(&diff.script, &n);
	autofree char *text = run_vtysh(input, n, &len);
	*refused = frr_output_read(&diff.script, text, len, nullptr, 0);
	*created = diff.created;
	frr_diff_clear(&diff);
	diff_now(model, created, left);
}

/* Brings FRR to the model by one script, of which no line is refused. */
static void apply(const char *name, struct frr_created *created)
{
	struct frr_diff left;
	size_t refused;
	write_once(frr_model(name), created, &refused, &left);
	if (left.script.n)
		fail_script(&left, name);
	assert_int_equal(refused, 0);
	frr_diff_clear(&left);
}

/* The same while mgmtd, begun anew, still refuses: "could not lock running DS". */
static void apply_soon(const char *name, struct frr_created *created)
{
	time_t limit = time(nullptr) + 20;
	for (bool done = false; !done;) {
		struct frr_diff left;
		size_t refused;
		write_once(frr_model(name), created, &refused, &left);
		done = left.script.n == 0;
		if (!done && time(nullptr) > limit)
			fail_script(&left, name);
		frr_diff_clear(&left);
	}
}

static struct look look_until_announced(const struct frr_model *model)
{
	for (time_t end = time(nullptr) + 10;;) {
		struct look look = look_at(model);
		const struct frr_prefix_state *p = look.show.prefixes;
		if ((p->in_bgp && p->static_installed) || time(nullptr) > end)
			return look;
		look_clear(&look);
	}
}

static void look_until_there(enum frr_daemon daemon)
{
	time_t limit = time(nullptr) + 20;
	for (bool there = false; !there;) {
		struct look look = look_at(nullptr);
		there = look.show.daemon[daemon];
		look_clear(&look);
		assert_true(time(nullptr) < limit);
	}
}

/* ---- Tests ---- */

static void test_alone(void **)
{
	struct frr_created created = {};
	autofree char *before = running_text();
	for (size_t i = 0; i < FRR_MODELS; i++)
		apply(frr_models()[i].name, &created);
	apply("none", &created);
	autofree char *after = running_text();
	assert_string_equal(after, before);
	assert_false(created.bgp || created.bfd);
}

/* A configuration that redistributes everything, originates a default, and has neighbours. */
static const char foreign[] = "configure terminal\n"
			      "ip prefix-list THEIRS seq 5 permit 10.0.0.0/8 le 32\n"
			      "route-map ANY permit 10\n"
			      "ip route 10.50.0.0/16 blackhole\n"
			      "bfd\n profile THEIRS\n  receive-interval 500\n"
			      "router bgp 65010\n"
			      " bgp router-id 9.9.9.9\n"
			      " neighbor GROUP peer-group\n"
			      " neighbor GROUP remote-as external\n"
			      " neighbor 10.0.1.30 peer-group GROUP\n"
			      " neighbor 10.0.1.31 remote-as 65031\n"
			      " neighbor 10.0.1.31 password theirs\n"
			      " address-family ipv4 unicast\n"
			      "  redistribute connected\n"
			      "  redistribute static\n"
			      "  redistribute kernel\n"
			      "  neighbor GROUP route-map ANY out\n"
			      "  neighbor GROUP default-originate\n"
			      "  neighbor 10.0.1.31 prefix-list THEIRS out\n"
			      " exit-address-family\n"
			      "end\n";

static void test_beside_others(void **)
{
	struct frr_created created = {};
	size_t len;
	autofree char *output = run_vtysh(foreign, strlen(foreign), &len);
	assert_null(strstr(output, "% "));
	autofree char *before = running_text();
	apply("full", &created);
	apply("changed", &created);
	apply("none", &created);
	autofree char *after = running_text();
	assert_string_equal(after, before);
	assert_false(created.bgp || created.bfd);
	autofree char *gone = run(VTYSH
		" -c 'configure terminal' -c 'no router bgp 65010' "
		"-c 'no bfd' -c 'no ip route 10.50.0.0/16 blackhole' 2>/dev/null",
		&len);
}

/* An administrator puts a neighbour of ours into a group that originates a default, and opens our
 * policies. */
static void test_attacked(void **)
{
	static const char attack[] = "configure terminal\nrouter bgp 65010\n"
				     " neighbor GROUP peer-group\n"
				     " neighbor 10.0.1.1 peer-group GROUP\n"
				     " bgp default ipv4-vpn\n"
				     " address-family ipv4 unicast\n"
				     "  neighbor GROUP default-originate\n"
				     "  neighbor 10.0.1.1 unsuppress-map ANY\n"
				     "  neighbor 10.0.1.1 advertise-map ANY exist-map ANY\n"
				     " exit-address-family\n"
				     " address-family l2vpn evpn\n"
				     "  neighbor 2001:db8:1::1 activate\n"
				     " exit-address-family\nexit\n"
				     "ip prefix-list MESHGW-RANGES description mine\n"
				     "ip prefix-list MESHGW-RANGES seq 1 permit any\n"
				     "route-map MESHGW-OUT-10.0.1.1 permit 10\n"
				     " description mine\n on-match goto 40\n"
				     "exit\nroute-map MESHGW-OUT-10.0.1.1 permit 40\n"
				     "end\n";
	struct frr_created created = {};
	size_t len;
	apply("full", &created);
	autofree char *output = run_vtysh(attack, strlen(attack), &len);
	assert_null(strstr(output, "% "));
	apply("full", &created);
	autofree char *after = running_text();
	assert_null(strstr(after, "neighbor 10.0.1.1 peer-group"));
	assert_null(strstr(after, "unsuppress-map"));
	assert_null(strstr(after, "advertise-map"));
	assert_null(strstr(after, "l2vpn"));
	assert_null(strstr(after, "mine"));
	assert_null(strstr(after, "on-match"));
	assert_null(strstr(after, "MESHGW-OUT-10.0.1.1 permit 40"));
	assert_non_null(strstr(after, " address-family ipv4 vpn\n"
				      "  no neighbor GROUP activate\n"
				      "  no neighbor 10.0.1.1 activate\n"
				      "  no neighbor 2001:db8:1::1 activate\n"
				      " exit-address-family\n"));
	autofree char *gone = run(VTYSH " -c 'configure terminal' -c 'router bgp 65010' "
					"-c 'no neighbor GROUP peer-group' "
					"-c 'no bgp default ipv4-vpn' 2>/dev/null",
		&len);
	apply("none", &created);
}

static void test_facts(void **)
{
	const struct frr_model *model = frr_model("full");
	struct frr_created created = {};
	apply("full", &created);
	struct look look = look_until_announced(model);
	for (size_t i = 0; i < FRR_DAEMONS; i++)
		assert_true(look.show.daemon[i]);
	for (size_t i = 0; i < look.show.n_prefixes; i++) {
		const struct frr_prefix_state *p = &look.show.prefixes[i];
		assert_true(p->static_ours && p->static_selected && p->static_installed);
		assert_int_equal(p->in_bgp, model->statics[i].announce);
		assert_string_equal(p->interface, "mesh0");
	}
	for (size_t i = 0; i < look.show.n_sessions; i++)
		assert_int_not_equal(look.show.sessions[i].state, FRR_SESSION_UNKNOWN);
	look_clear(&look);
	apply("none", &created);
}

/* Each loses what it knew: one script brings it back, and nothing is left in the end. Not zebra:
 * the others look for it again after ten seconds only. */
static void test_daemons_die(void **)
{
	static const enum frr_daemon mortal[] = {FRR_STATICD, FRR_BGPD, FRR_BFDD, FRR_MGMTD};
	const struct frr_model *model = frr_model("full");
	struct frr_created created = {};
	autofree char *before = running_text();
	for (size_t i = 0; i < COUNT(mortal); i++) {
		apply("full", &created);
		end(mortal[i]);
		assert_true(start(mortal[i]));
		look_until_there(mortal[i]);
		if (mortal[i] != FRR_MGMTD)
			apply_soon("full", &created);
		struct look look = look_until_announced(model);
		look_clear(&look);
	}
	apply_soon("none", &created);
	autofree char *after = running_text();
	assert_string_equal(after, before);
	struct look look = look_at(model);
	for (size_t i = 0; i < look.show.n_prefixes; i++)
		assert_false(look.show.prefixes[i].static_ours);
	look_clear(&look);
}

static void write_rendered(const struct frr_model *model)
{
	struct frr_script script = {};
	size_t n;
	frr_render(model, true, &script);
	autofree char *text = frr_script_text(&script, true, &n);
	FILE *file = fopen(script_path, "we");
	assert_true(file && fwrite(text, 1, n, file) == n && fclose(file) == 0);
	frr_script_clear(&script);
}

static void test_rendered_is_accepted(void **)
{
	for (size_t i = 0; i < FRR_MODELS; i++) {
		size_t len;
		write_rendered(&frr_models()[i].model);
		autofree char *output = run(VTYSH " -C -f " FOLDER "/script 2>/dev/null", &len);
		assert_string_equal(output, "");
	}
}

/* What FRR makes of the file is what a script would have made. */
static void test_rendered_is_in_place(void **)
{
	struct frr_created created = {.bgp = true, .bfd = true};
	struct frr_diff diff;
	size_t len;
	write_rendered(frr_model("full"));
	autofree char *output = run(VTYSH " -f " FOLDER "/script 2>/dev/null", &len);
	diff_now(frr_model("full"), &created, &diff);
	if (diff.script.n)
		fail_script(&diff, "the file");
	frr_diff_clear(&diff);
	apply("none", &created);
}

/* ---- A machine ---- */

static int setup(void **state)
{
	const struct passwd *frr = getpwnam("frr");
	if (!frr || netns_setup(state) != 0)
		return -1;
	(void)mkdir("/run/frr", 0755); /* FRR's own start makes it, where there is one */
	if (mkdir(folder, 0755) < 0 || chown(folder, frr->pw_uid, frr->pw_gid) < 0)
		return -1;
	for (size_t i = 0; i < FRR_DAEMONS; i++)
		if (!start((enum frr_daemon)i))
			return -1;
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(system("rm -rf " FOLDER), 0);
	return netns_teardown(state);
}

static int test_in_namespace(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_daemons_die), /* others would lose something, too */
		cmocka_unit_test(test_beside_others),
		cmocka_unit_test(test_attacked),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_rendered_is_accepted),
		cmocka_unit_test(test_rendered_is_in_place),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

int main(void)
{
	if (geteuid() != 0 || access("/usr/lib/frr/mgmtd", X_OK) < 0) {
		fprintf(stderr, "skipped: needs root, and FRR with mgmtd\n");
		return NETNS_SKIP;
	}
	char name[32];
	(void)snprintf(name, sizeof(name), "meshgw-test-%d", getpid());
	(void)snprintf(folder, sizeof(folder), "/run/frr/%s", name);
	(void)snprintf(script_path, sizeof(script_path), "%s/script", folder);
	setenv("MESHGW_TEST_FRR", name, 1);
	if (!netns_may() || unshare(CLONE_NEWPID) < 0)
		return NETNS_SKIP;
	pid_t pid = fork(); /* the first process of the namespace takes the daemons along */
	if (pid == 0)
		_exit(test_in_namespace());
	int status;
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return EXIT_FAILURE;
	/* Not exit(3): nothing can be started in a PID namespace whose first process has ended, and
	 * a leak checker would start one. */
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}
