/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host-uri.h: libvirt's URIs, of this host and of others
 *
 * The daemon that virt-vgpu asks is this host's, so the domains must be, too. */
#pragma once

#include <stdbool.h>

#include "cli/command.h"

/* Whether @uri is of this host, as far as it says; else VGPU_ERROR_ARGUMENT with the command for the other
 * one. */
bool vgpu_host_uri_check(const VgpuCli *cli, const char *uri, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
