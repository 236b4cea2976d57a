/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* words.h: the possible words at a place of the command line, for the shell's completion
 *
 * The completion script has no list of its own that could grow stale: it asks `virt-vgpu help
 * --words`, which is not for people and may change with the script. */
#pragma once

#include "cli/command.h"

/* Print the words for @what, a line each: a verb, then a line "NAME" for each of its arguments (with "…"
 * when it may be repeated) and a line "--OPTION<Tab>NAME<Tab>VALUE…" for each of its options, where NAME
 * ("-": none) and the values are what it takes; or a NAME of these: VERB, DOMAIN, GPU, PROFILE, POOL,
 * UUID, HOST. Of verbs of two words the first is such a verb; its argument is that word in capitals, a NAME of the
 * second words. Only queries are made, and users are not asked for a password. Nothing is printed if an
 * answer is not available. */
void vgpu_words_print(const VgpuCli *cli, const char *what);
