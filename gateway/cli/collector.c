/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/collector.h"
#include "cli/child.h"
#include "lib/escape.h"
#include "lib/json.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

constexpr size_t KEPT = 2 * 1024 * 1024; /* of each one's output */

#define COMMAND(name, ...) {name, (const char *const[]){__VA_ARGS__, nullptr}, nullptr}
#define TEXT_FILE(name, path) {name, nullptr, path}

const struct collector collectors[] = {
	COMMAND("uname", "uname", "-a"),
	TEXT_FILE("os-release", "/etc/os-release"),
	COMMAND("ip-version", "ip", "-V"),
	COMMAND("nft-version", "nft", "--version"),
	COMMAND("frr-version", "vtysh", "-c", "show version"),
	COMMAND("systemd-version", "systemctl", "--version"),
	COMMAND("ip-link", "ip", "-d", "-s", "link", "show"),
	COMMAND("ip-address", "ip", "-d", "address", "show"),
	COMMAND("ip-rule", "ip", "-d", "rule", "show"),
	COMMAND("ip-rule-6", "ip", "-6", "-d", "rule", "show"),
	COMMAND("ip-route", "ip", "-d", "route", "show", "table", "all"),
	COMMAND("ip-route-6", "ip", "-6", "-d", "route", "show", "table", "all"),
	COMMAND("ip-neigh", "ip", "-s", "neigh", "show"),
	COMMAND("ip-netconf", "ip", "netconf", "show"),
	COMMAND("tc-qdisc", "tc", "-s", "qdisc", "show"),
	COMMAND("bridge-link", "bridge", "-d", "link", "show"),
	TEXT_FILE("rt-tables", "/etc/iproute2/rt_tables"),
	COMMAND("nft-ruleset", "nft", "-a", "list", "ruleset"),
	COMMAND("iptables-legacy", "iptables-legacy-save", "-c"),
	COMMAND("ip6tables-legacy", "ip6tables-legacy-save", "-c"),
	TEXT_FILE("ip-tables-names", "/proc/net/ip_tables_names"),
	TEXT_FILE("ip6-tables-names", "/proc/net/ip6_tables_names"),
	COMMAND("conntrack-statistics", "conntrack", "-S"),
	COMMAND("conntrack", "conntrack", "-L", "-o", "extended"),
	TEXT_FILE("nf-conntrack-statistics", "/proc/net/stat/nf_conntrack"),
	TEXT_FILE("rt-cache-statistics", "/proc/net/stat/rt_cache"),
	TEXT_FILE("arp-cache-statistics", "/proc/net/stat/arp_cache"),
	TEXT_FILE("ndisc-cache-statistics", "/proc/net/stat/ndisc_cache"),
	TEXT_FILE("snmp", "/proc/net/snmp"),
	TEXT_FILE("snmp6", "/proc/net/snmp6"),
	TEXT_FILE("netstat", "/proc/net/netstat"),
	TEXT_FILE("softnet", "/proc/net/softnet_stat"),
	COMMAND("sysctl-net", "sysctl", "-a", "-e", "-r", "^net\\."),
	COMMAND("sockets", "ss", "-tulpn"),
	TEXT_FILE("modules", "/proc/modules"),
	TEXT_FILE("meshgw-yaml", "/etc/meshgw/meshgw.yaml"),
	COMMAND("frr-config", "vtysh", "-c", "show running-config"),
	COMMAND("bgp-summary", "vtysh", "-c", "show bgp summary json"),
	COMMAND("bgp-neighbors", "vtysh", "-c", "show bgp neighbors json"),
	COMMAND("warp-status", "warp-cli", "status"),
	COMMAND("journal", "journalctl", "-u", "meshgwd", "-n", "500", "--no-pager", "-o",
		"short-iso-precise"),
	COMMAND("journal-kernel", "journalctl", "-k", "-n", "200", "--no-pager", "-o",
		"short-iso-precise"),
	{},
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1'000'000 + (uint64_t)t.tv_nsec / 1000;
}

static void fail(struct collected *out, int code)
{
	const char *text = code == ETIME    ? "did not end in time"
			   : code == ENOENT ? "not there"
					    : strerror(code);

	snprintf(out->why, sizeof(out->why), "%s", text);
}

static void run_command(const struct collector *c, uint64_t timeout_us, struct collected *out)
{
	struct child child = {.argv = c->argv, .timeout_us = timeout_us, .output_max = KEPT};
	struct child_result result;
	int r = child_run(&child, &result);

	if (r < 0) {
		fail(out, -r);
		return;
	}
	const char *words = *result.last_words ? result.last_words : "failed";
	out->text = result.output;
	out->len = result.len;
	out->cut = result.cut;
	out->status = result.code;
	if (result.code != 0 && !result.cut)
		escape_text(words, strlen(words), out->why, sizeof(out->why));
}

/* Files of /proc have no size, and come in pieces. */
static void read_file(const struct collector *c, struct collected *out)
{
	autofree char *text = xcalloc(KEPT + 1, 1);
	autoclose int fd = open(c->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : 0;

	while (fd >= 0 && out->len <= KEPT) {
		n = read(fd, text + out->len, KEPT + 1 - out->len);
		if (n <= 0)
			break;
		out->len += (size_t)n;
	}
	if (n < 0)
		fail(out, errno);
	out->cut = out->len > KEPT;
	out->len = out->cut ? KEPT : out->len;
	out->text = TAKE_PTR(text);
}

void collector_run(const struct collector *c, uint64_t timeout_us, struct collected *out)
{
	uint64_t begun = now_us();

	*out = (struct collected){.status = -1};
	if (c->argv)
		run_command(c, timeout_us, out);
	else
		read_file(c, out);
	if (!out->text)
		out->text = xstrdup("");
	out->took_ms = (now_us() - begun) / 1000;
}

static sd_json_variant *command_json(const char *const *argv)
{
	sd_json_variant *list = nullptr;

	if (sd_json_variant_new_array_strv(&list, (char **)(uintptr_t)argv) < 0)
		out_of_memory();
	return list;
}

sd_json_variant *collected_json(const struct collector *c, const struct collected *result)
{
	autojson sd_json_variant *command = c->argv ? command_json(c->argv) : nullptr;
	sd_json_variant *v = nullptr;

	if (sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("name", c->name),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    c->argv != nullptr, "command", SD_JSON_BUILD_VARIANT(command)),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    c->file != nullptr, "file", SD_JSON_BUILD_STRING(c->file)),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    result->status >= 0, "status", SD_JSON_BUILD_INTEGER(result->status)),
		    SD_JSON_BUILD_PAIR_UNSIGNED("ms", result->took_ms),
		    SD_JSON_BUILD_PAIR_UNSIGNED("bytes", result->len),
		    SD_JSON_BUILD_PAIR_BOOLEAN("cut", result->cut),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    *result->why, "why", SD_JSON_BUILD_STRING(result->why))) < 0)
		out_of_memory();
	return v;
}
