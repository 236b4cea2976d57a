/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* validate.h: checks the annotation in a file */
#pragma once

#include "cli/command.h"

/* The verb validate, see VgpuCommand.run: on a domain, or on a bare annotation. */
int vgpu_validate_run(const VgpuCli *cli, char **args, GError **error);
