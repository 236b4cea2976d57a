/* help.h: all verbs, by name and as text for people */
#pragma once

#include "cli/command.h"

/* The options that every verb takes; they fill in VgpuCli. */
extern const GOptionEntry vgpu_global_options[];

/* NULL when there is no such verb. */
const VgpuCommand *vgpu_help_find(const char *name);

/* The names of all verbs, ended by NULL; only the array is the caller's. */
const char **vgpu_help_verbs(void);

/* There is no verb @name: sets @error, which names the one that may have been meant, and returns
 * VGPU_EXIT_USAGE. */
int vgpu_help_unknown(const char *name, GError **error);

/* What @command does and takes, with an example; NULL: the list of all verbs. */
void vgpu_help_print(const VgpuCommand *command);
