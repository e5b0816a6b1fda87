/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store.h"
#include "conf/config.h"
#include "lib/log.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-json.h>
#include <unistd.h>

#define STATE_FILE "state.json"

struct store {
	int dirfd;
	char dir[256];
};

static const char *const names[] = {[STORE_CONFIRMED] = "confirmed.yaml",
	[STORE_PREVIOUS] = "previous.yaml",
	[STORE_CANDIDATE] = "candidate.yaml"};

int store_open(const char *dir, struct store **out, struct err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "%s: %s", dir, strerror(errno));
	struct store *s = xcalloc(1, sizeof(*s));
	s->dirfd = fd;
	snprintf(s->dir, sizeof(s->dir), "%s", dir);
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	close(s->dirfd);
	free(s);
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_synced(struct store *s, const char *name, const char *data, size_t len)
{
	autoclose int fd = openat(
		s->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -errno;
	int r = write_all(fd, data, len);
	if (r >= 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

/* The rename is what counts, for us and for a restart; a folder that cannot be synced can only lose
 * it with the machine. */
static int rename_synced(struct store *s, const char *from, const char *to)
{
	if (renameat(s->dirfd, from, s->dirfd, to) < 0)
		return -errno;
	if (fsync(s->dirfd) < 0)
		log_warn("store", "%s: fsync: %s", s->dir, strerror(errno));
	return 0;
}

static int replace_file(
	struct store *s, const char *name, const char *data, size_t len, struct err *err)
{
	char temporary[64];
	snprintf(temporary, sizeof(temporary), "%s.new", name);
	int r = write_synced(s, temporary, data, len);
	if (r >= 0)
		r = rename_synced(s, temporary, name);
	if (r < 0) {
		(void)unlinkat(s->dirfd, temporary, 0);
		return err_set(err, -r, "%s/%s: %s", s->dir, name, strerror(-r));
	}
	return 0;
}

int store_write_config(
	struct store *s, enum store_file file, const char *text, size_t len, struct err *err)
{
	return replace_file(s, names[file], text, len, err);
}

int store_read_config(
	struct store *s, enum store_file file, char **text, size_t *len, struct err *err)
{
	char path[320];
	snprintf(path, sizeof(path), "%s/%s", s->dir, names[file]);
	return config_read_file(path, text, len, err);
}

static bool same_text(struct store *s)
{
	autofree char *a = nullptr, *b = nullptr;
	size_t n, m;
	return store_read_config(s, STORE_CONFIRMED, &a, &n, nullptr) >= 0 &&
	       store_read_config(s, STORE_CANDIDATE, &b, &m, nullptr) >= 0 && n == m &&
	       !memcmp(a, b, n);
}

/* A second name, so that there is a confirmed configuration at every moment. */
static int copy_confirmed(struct store *s)
{
	static const char temporary[] = "previous.yaml.new";
	(void)unlinkat(s->dirfd, temporary, 0);
	if (linkat(s->dirfd, names[STORE_CONFIRMED], s->dirfd, temporary, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return rename_synced(s, temporary, names[STORE_PREVIOUS]);
}

int store_promote(struct store *s, struct err *err)
{
	int r = same_text(s) ? 0 : copy_confirmed(s);
	if (r >= 0)
		r = rename_synced(s, names[STORE_CANDIDATE], names[STORE_CONFIRMED]);
	if (r < 0)
		return err_set(err, -r, "%s: %s", s->dir, strerror(-r));
	return 0;
}

/* ---- state.json ---- */

static int boot_id(char out[SD_ID128_STRING_MAX])
{
	sd_id128_t id;
	int r = sd_id128_get_boot(&id);
	if (r < 0)
		return r;
	sd_id128_to_string(id, out);
	return 0;
}

static void append_records(sd_json_variant **v, const struct sysctl_records *records)
{
	for (size_t i = 0; i < records->n; i++) {
		const struct sysctl_record *r = &records->list[i];
		if (sd_json_variant_append_arraybo(v, SD_JSON_BUILD_PAIR_STRING("key", r->key),
			    SD_JSON_BUILD_PAIR_INTEGER("ifindex", r->ifindex),
			    SD_JSON_BUILD_PAIR_INTEGER("before", r->before),
			    SD_JSON_BUILD_PAIR_INTEGER("ours", r->ours)) < 0)
			abort();
	}
}

static void append_begun(sd_json_variant **v, const struct frr_memory *memory)
{
	for (size_t i = 0; i < memory->n_begun; i++) {
		char text[ADDR_STRLEN];
		if (sd_json_variant_append_arrayb(
			    v, SD_JSON_BUILD_STRING(addr_str(&memory->begun[i], text))) < 0)
			abort();
	}
}

int store_save(struct store *s, const struct state *state, struct err *err)
{
	sd_json_variant *records [[gnu::cleanup(sd_json_variant_unrefp)]] = nullptr;
	sd_json_variant *begun [[gnu::cleanup(sd_json_variant_unrefp)]] = nullptr;
	sd_json_variant *v [[gnu::cleanup(sd_json_variant_unrefp)]] = nullptr;
	autofree char *text = nullptr;
	char boot[SD_ID128_STRING_MAX];
	int r = boot_id(boot);
	if (r < 0)
		return err_set(err, -r, "boot id: %s", strerror(-r));
	if (sd_json_variant_new_array(&records, nullptr, 0) < 0 ||
		sd_json_variant_new_array(&begun, nullptr, 0) < 0)
		abort();
	append_records(&records, &state->records);
	append_begun(&begun, &state->frr);
	if (sd_json_buildo(&v, SD_JSON_BUILD_PAIR_INTEGER("version", 1),
		    SD_JSON_BUILD_PAIR_STRING("bootId", boot),
		    SD_JSON_BUILD_PAIR_BOOLEAN("down", state->down),
		    SD_JSON_BUILD_PAIR_UNSIGNED("downSince", state->down_since),
		    SD_JSON_BUILD_PAIR_BOOLEAN("applying", state->applying),
		    SD_JSON_BUILD_PAIR_BOOLEAN("pending", state->pending),
		    SD_JSON_BUILD_PAIR_BOOLEAN("rolledBack", state->rolled_back),
		    SD_JSON_BUILD_PAIR_BOOLEAN("undone", state->undone),
		    SD_JSON_BUILD_PAIR_BOOLEAN("frrTouched", state->frr.touched),
		    SD_JSON_BUILD_PAIR_UNSIGNED("frrRouter", state->frr.router),
		    SD_JSON_BUILD_PAIR_BOOLEAN("frrBfd", state->frr.bfd),
		    SD_JSON_BUILD_PAIR_VARIANT("frrBegun", begun),
		    SD_JSON_BUILD_PAIR_VARIANT("sysctls", records)) < 0 ||
		sd_json_variant_format(v, SD_JSON_FORMAT_NEWLINE, &text) < 0)
		abort();
	return replace_file(s, STATE_FILE, text, strlen(text), err);
}

static int dispatch_key(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *userdata)
{
	const char *text = sd_json_variant_string(v);
	char *key = userdata;
	if (!text || strlen(text) >= SYSCTL_KEY_LEN)
		return -EINVAL;
	memcpy(key, text, strlen(text) + 1);
	return 0;
}

static int read_record(sd_json_variant *v, struct sysctl_record *out)
{
	static const sd_json_dispatch_field fields[] = {
		{"key", SD_JSON_VARIANT_STRING, dispatch_key, offsetof(struct sysctl_record, key),
			SD_JSON_MANDATORY},
		{"ifindex", SD_JSON_VARIANT_INTEGER, sd_json_dispatch_int32,
			offsetof(struct sysctl_record, ifindex), SD_JSON_MANDATORY},
		{"before", SD_JSON_VARIANT_INTEGER, sd_json_dispatch_int32,
			offsetof(struct sysctl_record, before), SD_JSON_MANDATORY},
		{"ours", SD_JSON_VARIANT_INTEGER, sd_json_dispatch_int32,
			offsetof(struct sysctl_record, ours), SD_JSON_MANDATORY},
		{},
	};
	return sd_json_dispatch(v, fields, SD_JSON_ALLOW_EXTENSIONS, out);
}

static int read_records(sd_json_variant *array, struct sysctl_records *out)
{
	for (size_t i = 0; i < sd_json_variant_elements(array); i++) {
		struct sysctl_record record = {};
		int r = read_record(sd_json_variant_by_index(array, i), &record);
		if (r < 0)
			return r;
		XGROW(out->list, out->n, out->cap);
		out->list[out->n++] = record;
	}
	return 0;
}

static bool flag(sd_json_variant *v, const char *key)
{
	sd_json_variant *value = sd_json_variant_by_key(v, key);
	return value && sd_json_variant_is_boolean(value) && sd_json_variant_boolean(value);
}

static uint64_t number(sd_json_variant *v, const char *key)
{
	sd_json_variant *value = sd_json_variant_by_key(v, key);
	return value && sd_json_variant_is_unsigned(value) ? sd_json_variant_unsigned(value) : 0;
}

/* What is no address is none of ours. */
static void read_begun(sd_json_variant *array, struct frr_memory *out)
{
	size_t n = array && sd_json_variant_is_array(array) ? sd_json_variant_elements(array) : 0;
	for (size_t i = 0; i < n && out->n_begun < FRR_BEGUN_MAX; i++) {
		sd_json_variant *v = sd_json_variant_by_index(array, i);
		if (sd_json_variant_is_string(v) &&
			addr_parse(sd_json_variant_string(v), &out->begun[out->n_begun]) == 0)
			out->n_begun++;
	}
}

static int read_state(sd_json_variant *v, struct state *out)
{
	char boot[SD_ID128_STRING_MAX];
	sd_json_variant *id = sd_json_variant_by_key(v, "bootId");
	sd_json_variant *sysctls = sd_json_variant_by_key(v, "sysctls");
	if (!id || !sd_json_variant_is_string(id) || !sysctls || !sd_json_variant_is_array(sysctls))
		return -EINVAL;
	out->down = flag(v, "down");
	out->applying = flag(v, "applying");
	out->pending = flag(v, "pending");
	out->rolled_back = flag(v, "rolledBack");
	out->undone = flag(v, "undone");
	out->down_since = number(v, "downSince");
	out->frr.touched = flag(v, "frrTouched");
	out->frr.bfd = flag(v, "frrBfd");
	out->frr.router = (uint32_t)number(v, "frrRouter");
	read_begun(sd_json_variant_by_key(v, "frrBegun"), &out->frr);
	int r = boot_id(boot);
	if (r < 0 || strcmp(sd_json_variant_string(id), boot) != 0)
		return 0; /* another boot: the sysctls are the system's own again */
	return read_records(sysctls, &out->records);
}

static void set_aside(struct store *s)
{
	log_warn("store", "%s/%s cannot be read and is kept as %s.bad", s->dir, STATE_FILE,
		STATE_FILE);
	(void)renameat(s->dirfd, STATE_FILE, s->dirfd, STATE_FILE ".bad");
}

int store_load(struct store *s, struct state *out, struct err *err)
{
	sd_json_variant *v [[gnu::cleanup(sd_json_variant_unrefp)]] = nullptr;
	*out = (struct state){};
	if (faccessat(s->dirfd, STATE_FILE, R_OK, AT_EACCESS) < 0) {
		if (errno == ENOENT)
			return 0;
		return err_set(err, errno, "%s/%s: %s", s->dir, STATE_FILE, strerror(errno));
	}
	int r = sd_json_parse_file_at(nullptr, s->dirfd, STATE_FILE, 0, &v, nullptr, nullptr);
	if (r >= 0)
		r = read_state(v, out);
	if (r < 0) {
		set_aside(s);
		state_clear(out);
	}
	return 0;
}

void state_clear(struct state *state)
{
	free(state->records.list);
	*state = (struct state){};
}
