/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* help.h: verbs as text for people */
#pragma once

#include "cli/command.h"

/* The description of @command with its options and an example; NULL: the list of all verbs. */
void vgpu_help_print(const VgpuCli *cli, const VgpuCommand *command);
