/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* disguise.h: text of a host that others may read
 *
 * UUIDs (of vGPUs, domains and GPUs, also with "_") and MAC addresses are replaced, each by the same thing
 * wherever it stands. PCI addresses, which are alike on many hosts, stay. */
#pragma once

#include <glib.h>

typedef struct VgpuDisguise VgpuDisguise;

/* @host: the name of the host; of one with dots the first part goes, too. */
VgpuDisguise *vgpu_disguise_new(const char *host);
void vgpu_disguise_free(VgpuDisguise *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuDisguise, vgpu_disguise_free)

/* A text of a driver or the kernel in a known format. */
char *vgpu_disguise_ids(VgpuDisguise *self, const char *text);
/* A text with arbitrary content: the name of the host is replaced, too, by "host". */
char *vgpu_disguise_text(VgpuDisguise *self, const char *text);
