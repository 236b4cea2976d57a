/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* annotation-show.h: the annotation that a domain has */
#pragma once

#include "cli/command.h"

/* Print the annotation of the domain @name: as it is written, or as JSON what it means. One that has
 * mistakes is printed as well, and @error says what they are. Returns the exit status. */
int vgpu_annotation_show(const VgpuCli *cli, const char *name, GError **error);
