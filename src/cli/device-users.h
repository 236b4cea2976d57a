/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* device-users.h: which domain names which device of the host, annotated or not */
#pragma once

#include "cli/command.h"

/* UUID of an mdev, or address of a PCI function → name of a domain, from definitions and running domains of libvirt. A
 * domain that cannot be read is named on standard error. */
GHashTable *vgpu_device_users_read(const VgpuCli *cli, GError **error) G_GNUC_WARN_UNUSED_RESULT;
