/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* annotation-show.h: the annotation that a domain has */
#pragma once

#include "cli/command.h"

/* Print the annotation of the domain @name: its XML, or its parsed content as JSON. An invalid one is
 * printed as well, and @error has the reason. Returns the exit status. */
int vgpu_annotation_show(const VgpuCli *cli, const char *name, GError **error);

/* Print the <qemu:override> that makes the vGPUs of the domain @name migratable, see domain/migratable.h; with
 * what its definition has in one already. */
int vgpu_annotation_show_migratable(const VgpuCli *cli, const char *name, GError **error);
