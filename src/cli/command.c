/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

#include <string.h>

#include "base/error.h"
#include "base/pciaddr.h"
#include "cli/guess.h"

const VgpuCommand *
vgpu_command_find(const VgpuCli *cli, const char *name)
{
    for (const VgpuCommandGroup *group = cli->groups; group->title; group++)
        for (const VgpuCommand *command = group->commands; command->name; command++)
            if (strcmp(command->name, name) == 0)
                return command;
    return NULL;
}

bool
vgpu_command_has_noun(const VgpuCommand *command, const char *word)
{
    gsize len = strlen(word);

    return strncmp(command->name, word, len) == 0 && command->name[len] == ' ';
}

bool
vgpu_command_is_noun(const VgpuCli *cli, const char *word)
{
    for (const VgpuCommandGroup *group = cli->groups; group->title; group++)
        for (const VgpuCommand *command = group->commands; command->name; command++)
            if (vgpu_command_has_noun(command, word))
                return true;
    return false;
}

bool
vgpu_command_is_word(const VgpuCli *cli, const char *noun, const char *word)
{
    g_autofree char *name = noun ? g_strdup_printf("%s %s", noun, word) : g_strdup(word);

    return vgpu_command_find(cli, name) || (!noun && vgpu_command_is_noun(cli, word));
}

const char **
vgpu_command_names(const VgpuCli *cli)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (const VgpuCommandGroup *group = cli->groups; group->title; group++)
        for (const VgpuCommand *command = group->commands; command->name; command++)
            g_ptr_array_add(names, (gpointer) command->name);
    g_ptr_array_add(names, NULL);
    return (const char **) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

bool
vgpu_command_takes(const VgpuCommand *command, const GOptionEntry *option)
{
    bool is_of_tables =
        strcmp(option->long_name, "columns") == 0 || strcmp(option->long_name, "noheadings") == 0;

    return !is_of_tables || !command || command->columns;
}

int
vgpu_command_unknown(const VgpuCli *cli, const char *name, GError **error)
{
    g_autofree const char **verbs = vgpu_command_names(cli);
    const char *nearest = vgpu_guess(name, verbs);

    g_autofree char *alike = nearest ? NULL : vgpu_guess_words(name, verbs);

    if (nearest)
        return vgpu_command_usage(error, "unknown verb '%s'; did you mean '%s'?", name, nearest);
    if (alike)
        return vgpu_command_usage(error, "unknown verb '%s'; did you mean %s?", name, alike);
    return vgpu_command_usage(error, "unknown verb '%s'", name);
}

int
vgpu_command_usage(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_ARGUMENT, text);
    return VGPU_EXIT_USAGE;
}

char *
vgpu_command_address(const char *text, GError **error)
{
    char *address = vgpu_pciaddr_canonical(text);

    if (!address)
        vgpu_command_usage(error,
                           "'%s' is not a PCI address (0000:41:00.0, 41:00.0, pci_0000_41_00_0)",
                           text);
    return address;
}
