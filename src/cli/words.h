/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* words.h: what can be typed at a place of the command line, for the shell's completion
 *
 * The completion script has no list of its own that could grow stale: it asks `virt-vgpu help
 * --words`, which is not for people and may change with the script. */
#pragma once

#include "cli/command.h"

/* Print, a line each, what @what stands for: a verb, then a line "NAME" for each of its arguments
 * (with "…" when it may be repeated) and a line "--OPTION<Tab>NAME<Tab>VALUE…" for each of its
 * options, where NAME ("-": none) and the values are what it takes; or a NAME of these: VERB, DOMAIN,
 * GPU, PROFILE, POOL, UUID. What is asked is read-only, and nobody is asked for a password.
 * What cannot be told is not printed. */
void vgpu_words_print(const VgpuCli *cli, const char *what);
