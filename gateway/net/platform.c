/* SPDX-License-Identifier: Apache-2.0 */
#include "net/platform.h"
#include "lib/own.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum dmi { DMI_VENDOR, DMI_PRODUCT, DMI_BIOS_VENDOR, DMI_BIOS_VERSION, DMI_CHASSIS, DMIS };

static const char *const files[DMIS] = {
	[DMI_VENDOR] = "sys_vendor",
	[DMI_PRODUCT] = "product_name",
	[DMI_BIOS_VENDOR] = "bios_vendor",
	[DMI_BIOS_VERSION] = "bios_version",
	[DMI_CHASSIS] = "chassis_asset_tag",
};

/* The first that fits counts. Hyper-V has the vendor of Azure; only Azure has this asset tag (as
 * cloud-init's DataSourceAzure and systemd's detect-virt know it). */
static const struct {
	enum dmi where;
	const char *begins;
	const char *provider;
} signs[] = {
	{DMI_VENDOR, "Amazon EC2", "aws"},
	{DMI_BIOS_VENDOR, "Amazon EC2", "aws"},
	{DMI_PRODUCT, "Google Compute Engine", "gcp"},
	{DMI_CHASSIS, "7783-7084-3265-9085-8269-3286-77", "azure"},
	{DMI_BIOS_VENDOR, "Proxmox", "proxmox"},
	{DMI_VENDOR, "Proxmox", "proxmox"},
};

constexpr size_t DMI_LEN = 64;

static void read_line(int folder, const char *name, char out[DMI_LEN])
{
	out[0] = '\0';
	autoclose int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t len = read(fd, out, DMI_LEN - 1);
	out[len < 0 ? 0 : len] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

static const char *provider_of(char text[DMIS][DMI_LEN])
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (!strncmp(text[signs[i].where], signs[i].begins, strlen(signs[i].begins)))
			return signs[i].provider;
	/* Amazon's older machines are Xen's. */
	return strstr(text[DMI_BIOS_VERSION], "amazon") ? "aws" : "";
}

int platform_read(const char *folder, struct platform *out)
{
	autoclose int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	char text[DMIS][DMI_LEN];
	for (size_t i = 0; i < DMIS; i++)
		read_line(fd, files[i], text[i]);

	*out = (struct platform){.provider = provider_of(text)};
	snprintf(out->vendor, sizeof(out->vendor), "%.31s%s%.31s", text[DMI_VENDOR],
		text[DMI_VENDOR][0] && text[DMI_PRODUCT][0] ? " " : "", text[DMI_PRODUCT]);
	return 0;
}
