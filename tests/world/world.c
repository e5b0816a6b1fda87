/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"
#include "lib/log.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

const char world_host[] = "link 1 lo up mtu 65536\n"
			  "link 2 eth0 up mtu 1500\n"
			  "link 3 CloudflareWARP up mtu 1280\n"
			  "address 2 10.0.1.11/24\n"
			  "address 2 2001:db8:1::11/64\n"
			  "address 3 100.96.0.18/32\n"
			  "route 0.0.0.0/0 dev 2 proto 16 metric 100\n"
			  "route 10.0.1.0/24 dev 2 proto 2 metric 100\n"
			  "route 100.64.0.0/10 dev 2 proto 4 metric 50\n"
			  "route ::/0 dev 2 proto 9 metric 1024\n"
			  "route 2001:db8:1::/64 dev 2 proto 2 metric 256\n";

#define LAN                     \
	"lan:\n"                \
	"  - interface: eth0\n" \
	"    networks: [10.0.1.0/24, 10.0.2.0/24, \"2001:db8:1::/64\", \"2001:db8:2::/64\"]\n"

const char world_masquerade[] = LAN "return_path: masquerade\n";
const char world_route[] = LAN "return_path: route\n";
const char world_allow[] = LAN "return_path: masquerade\n"
			       "allow:\n"
			       "  - {from: workers, to: 10.0.1.50, tcp: [3000]}\n";

/* Not assert(): what is asked here also acts. */
static void must(bool done)
{
	if (!done)
		abort();
}

static void make_directory(struct world *w)
{
	/* In memory where there is such a place: the store syncs every file. */
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(w->dir, sizeof(w->dir), "%s/meshgw-test.XXXXXX", base);
	must(mkdtemp(w->dir));
	snprintf(w->state_dir, sizeof(w->state_dir), "%s/state", w->dir);
	snprintf(w->etc, sizeof(w->etc), "%s/meshgw.yaml", w->dir);
	must(mkdir(w->state_dir, 0700) == 0);
}

static void remove_files(const char *path)
{
	DIR *dir = opendir(path);
	must(dir);
	for (const struct dirent *e; (e = readdir(dir));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
			unlinkat(dirfd(dir), e->d_name, 0) < 0)
			must(unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR) == 0);
	closedir(dir);
	must(rmdir(path) == 0);
}

static void start(struct world *w)
{
	struct err err = {};
	must(store_open(w->state_dir, &w->store, &err) == 0);
	gateway_init(&w->gateway, &w->kernel->base, reload_save_records, &w->reload);
	reload_init(&w->reload, &w->gateway, w->store, w->etc);
}

static void stop(struct world *w)
{
	reload_clear(&w->reload);
	gateway_clear(&w->gateway);
	config_free(TAKE_PTR(w->config));
	store_close(TAKE_PTR(w->store));
}

void world_init(struct world *w, const char *host)
{
	*w = (struct world){.now_us = 1000 * WORLD_SECOND, .kernel = dummy_new()};
	log_set_level(getenv("MESHGW_TEST_LOG") ? LOG_DEBUG : LOG_CRIT);
	must(dummy_load(w->kernel, host) == 0);
	make_directory(w);
	start(w);
}

void world_clear(struct world *w)
{
	stop(w);
	w->kernel->base.ops->close(&w->kernel->base);
	remove_files(w->state_dir);
	remove_files(w->dir);
}

int world_setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	world_init(w, world_host);
	*state = w;
	return 0;
}

int world_teardown(void **state)
{
	world_clear(*state);
	free(*state);
	return 0;
}

void world_restart(struct world *w)
{
	struct err err = {};
	stop(w);
	w->kernel->base.nft_owned = false;
	start(w);
	must(reload_start(&w->reload, &err) == 0);
}

struct config *world_config(const char *text)
{
	struct config *config = nullptr;
	struct config_diags diags = {};
	int r = config_parse(text, strlen(text), &config, &diags);
	for (size_t i = 0; i < diags.n; i++)
		fprintf(stderr, "%s: %s\n", diags.list[i].path, diags.list[i].message);
	config_diags_clear(&diags);
	must(r == 0);
	return config;
}

void world_enter(struct world *w, const char *text)
{
	struct config *before = w->config;
	w->config = world_config(text);
	gateway_enter(&w->gateway, GATEWAY_UP, w->config);
	config_free(before);
}

int world_apply(struct world *w, const char *text, unsigned window_s)
{
	struct ops ops = {};
	struct config_diags diags = {};
	struct err err = {};
	int r = reload_apply(
		&w->reload, text, strlen(text), window_s, w->now_us, w->now_us, &ops, &diags, &err);
	must(r >= 0 || err.msg[0]);
	ops_clear(&ops);
	config_diags_clear(&diags);
	return r;
}

int world_undo(struct world *w)
{
	struct ops ops = {};
	struct err err = {};
	int r = reload_undo(&w->reload, w->now_us, w->now_us, &ops, &err);
	must(r >= 0 || err.msg[0]);
	ops_clear(&ops);
	return r;
}

int world_down(struct world *w)
{
	struct ops ops = {};
	struct err err = {};
	int r = reload_down(&w->reload, w->now_us, 1, &ops, &err);
	must(r >= 0 || err.msg[0]);
	ops_clear(&ops);
	return r;
}

uint64_t world_run(struct world *w, uint64_t duration_us)
{
	uint64_t end = w->now_us + duration_us;
	for (;;) {
		uint64_t next = gateway_pass(&w->gateway, w->now_us);
		w->passes++;
		if (!next || next > end) {
			w->now_us = end;
			return next;
		}
		must(next > w->now_us);
		w->now_us = next;
	}
}

char *world_text(const struct world *w)
{
	char *text = nullptr;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	must(out);
	dummy_print(w->kernel, out);
	must(fclose(out) == 0);
	return text;
}

bool world_condition(const struct world *w, enum condition_code code, const char *subject)
{
	struct conditions all = {};
	bool found = false;
	health_collect(&w->gateway, false, &all);
	reload_health(&w->reload, &all);
	for (size_t i = 0; i < all.n; i++)
		found |= all.list[i].code == code &&
			 (!subject || !strcmp(all.list[i].subject, subject));
	conditions_clear(&all);
	return found;
}

void world_disk_full(bool full)
{
	static struct rlimit before;
	struct rlimit none;
	if (full) {
		must(getrlimit(RLIMIT_FSIZE, &before) == 0);
		none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
		signal(SIGXFSZ, SIG_IGN); /* write(2) then answers EFBIG */
	}
	must(setrlimit(RLIMIT_FSIZE, full ? &none : &before) == 0);
}
