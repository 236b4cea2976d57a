/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* help.h: verbs as text for people */
#pragma once

#include "cli/command.h"

/* The description of @command with its options and an example; NULL: the list of all verbs, or of those of two words
 * that begin with @noun (NULL: all). */
void vgpu_help_print(const VgpuCli *cli, const VgpuCommand *command, const char *noun);
