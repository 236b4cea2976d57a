/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* annotation-show.h: the annotation that a domain has */
#pragma once

#include "cli/command.h"

/* Print the annotation of the domain @name: its XML, or its parsed content as JSON. An invalid one is
 * printed as well, and @error has the reason. Returns the exit status. */
int vgpu_annotation_show(const VgpuCli *cli, const char *name, GError **error);
