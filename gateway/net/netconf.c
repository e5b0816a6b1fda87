/* SPDX-License-Identifier: Apache-2.0 */
#include "net/netconf.h"
#include "lib/ip.h"
#include "lib/own.h"
#include "net/attr.h"
#include "net/nl.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

constexpr size_t NETCONF_ATTRS = NETCONFA_RP_FILTER + 1;

static const enum mnl_attr_data_type netconf_policy[NETCONF_ATTRS] = {
	[NETCONFA_IFINDEX] = MNL_TYPE_U32,
	[NETCONFA_FORWARDING] = MNL_TYPE_U32,
	[NETCONFA_RP_FILTER] = MNL_TYPE_U32,
};

int netconf_read(const struct nlmsghdr *nlh, struct netconf *out)
{
	const struct nlattr *tb[NETCONF_ATTRS];

	if (nlh->nlmsg_type != RTM_NEWNETCONF && nlh->nlmsg_type != RTM_DELNETCONF)
		return -EBADMSG;
	if (attr_parse(nlh, sizeof(struct netconfmsg), netconf_policy, tb, NETCONF_ATTRS) < 0)
		return -EBADMSG;
	const struct netconfmsg *ncm = mnl_nlmsg_get_payload(nlh);
	if (addr_bits(ncm->ncm_family) == 0 || !tb[NETCONFA_IFINDEX])
		return -EBADMSG;

	*out = (struct netconf){
		.family = ncm->ncm_family,
		.ifindex = attr_int(tb[NETCONFA_IFINDEX], 0),
		.forwarding = attr_int(tb[NETCONFA_FORWARDING], -1),
		.rp_filter = attr_int(tb[NETCONFA_RP_FILTER], -1),
	};
	return 0;
}

static int netconf_dump_read(const struct nlmsghdr *nlh, void *element, void *)
{
	return netconf_read(nlh, element);
}

int netconf_dump(struct nl_sock *s, uint8_t family, struct netconf_set *out, struct err *err)
{
	struct nl_message m;
	struct netconfmsg ncm = {.ncm_family = family};
	struct nlmsghdr *nlh = nl_begin(&m, RTM_GETNETCONF, 0, &ncm, sizeof(ncm));

	struct nl_list found = {};
	int r = nl_dump_list(
		s, nlh, sizeof(struct netconf), netconf_dump_read, nullptr, &found, err);
	/* A kernel without this family (ipv6.disable=1) has nobody to ask. */
	if (r < 0 && r != -EOPNOTSUPP) {
		err_ctx(err, "interface settings");
		return r;
	}
	netconf_set_clear(out);
	*out = (struct netconf_set){.list = found.list, .n = found.n};
	return 0;
}

void netconf_set_clear(struct netconf_set *set)
{
	free(set->list);
	*set = (struct netconf_set){};
}

const struct netconf *netconf_find(const struct netconf_set *set, uint8_t family, int ifindex)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->list[i].family == family && set->list[i].ifindex == ifindex)
			return &set->list[i];
	}
	return nullptr;
}

/* Every part of the key must be a plain name: an interface may be called "a..b", not "..". */
static bool sysctl_key_ok(const char *key)
{
	for (;;) {
		size_t len = strcspn(key, "/");
		if (len == 0 || strncmp(key, ".", len) == 0 || strncmp(key, "..", len) == 0)
			return false;
		if (key[len] == '\0')
			return true;
		key += len + 1;
	}
}

/* A descriptor or -errno. */
static int sysctl_open(const char *key, int flags)
{
	static const char root[] = "/proc/sys/net/";
	char path[sizeof(root) + SYSCTL_KEY_LEN];

	if (strlen(key) >= SYSCTL_KEY_LEN || !sysctl_key_ok(key))
		return -EINVAL;
	snprintf(path, sizeof(path), "%s%s", root, key);
	int fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int sysctl_get(const char *key, int *value)
{
	autoclose int fd = sysctl_open(key, O_RDONLY);
	if (fd < 0)
		return fd;
	char text[32];
	ssize_t len = read(fd, text, sizeof(text) - 1);
	if (len < 0)
		return -errno;
	text[len] = '\0';

	char *end;
	errno = 0;
	long number = strtol(text, &end, 10);
	if (errno || end == text || strcmp(end, "\n") != 0 || number != (int)number)
		return -EINVAL;
	*value = (int)number;
	return 0;
}

int sysctl_set(const char *key, int value)
{
	autoclose int fd = sysctl_open(key, O_WRONLY);
	if (fd < 0)
		return fd;
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", value);
	ssize_t written = write(fd, text, (size_t)len);
	if (written < 0)
		return -errno;
	return written == len ? 0 : -EIO;
}
