/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * platform: whose machine this is, by what its firmware tells (DMI, as sysfs has it for everybody).
 *
 * Only providers matter that by default drop packets whose source is not the machine's own. What
 * DMI does not tell (a Proxmox guest with SeaBIOS calls itself QEMU) stays unknown.
 */
#include <stddef.h>

#define PLATFORM_DMI "/sys/class/dmi/id"

struct platform {
	char vendor[64];      /* "Amazon EC2 t3.small": vendor and product, "" = not told */
	const char *provider; /* "aws", "gcp", "azure", "proxmox"; "" = none of these */
};

/* Reads from a folder like PLATFORM_DMI. 0, or -errno when there is none. */
[[nodiscard]] int platform_read(const char *folder, struct platform *out);
