/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "cli/cells.h"
#include "cli/table.h"
#include "cli/terminal.h"

/* @text in lines as wide as those of a table, at most as those of a page; the first line continues at
 * column @indent, where the others begin. */
static void
print_wrapped(const char *text, guint indent)
{
    guint width = MIN(vgpu_terminal_width(), VGPU_TERMINAL_WIDTH);
    g_autoptr(GPtrArray) lines = vgpu_table_wrap(text, MAX(width, indent + 20) - indent);

    for (guint i = 0; i < lines->len; i++)
        printf("%*s%s\n", i ? (int) indent : 0, "", (const char *) lines->pdata[i]);
}

static void
print_option(const GOptionEntry *entry, char letter)
{
    g_autofree char *text =
        g_strdup_printf("%c%c%s--%s%s%s", letter ? '-' : ' ', letter ? letter : ' ',
                        letter ? ", " : "  ", entry->long_name, entry->arg_description ? " " : "",
                        entry->arg_description ? entry->arg_description : "");
    guint width = vgpu_cells_width(text);

    if (width > 23) /* the description begins on the next line */
        printf("  %s\n%26s", text, "");
    else
        printf("  %s%*s", text, (int) (24 - width), "");
    print_wrapped(entry->description, 26);
}

static void
print_options(const GOptionEntry *entry)
{
    for (; entry && entry->long_name; entry++)
        if (!(entry->flags & G_OPTION_FLAG_HIDDEN))
            print_option(entry, entry->short_name);
}

/* Whether @command has an option of its own with that letter, which is then no longer every verb's. */
static bool
has_letter(const VgpuCommand *command, char letter)
{
    for (const GOptionEntry *own = command->options; own && own->long_name; own++)
        if (letter && own->short_name == letter)
            return true;
    return false;
}

/* The options of every verb, less those about a table where @command prints none. */
static void
print_common_options(const VgpuCli *cli, const VgpuCommand *command)
{
    for (const GOptionEntry *entry = cli->options; entry->long_name; entry++) {
        if ((entry->flags & G_OPTION_FLAG_HIDDEN) || !vgpu_command_takes(command, entry))
            continue;
        print_option(entry, has_letter(command, entry->short_name) ? 0 : entry->short_name);
    }
    if (command->columns) {
        g_autofree char *names = vgpu_table_names(command->columns());
        g_autofree char *text = g_strconcat("Columns for -o: ", names, NULL);

        printf("\n");
        print_wrapped(text, 2);
    }
}

static void
print_indented(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++)
        printf("  %s\n", *line);
}

static bool
has_visible_options(const GOptionEntry *entry)
{
    for (; entry && entry->long_name; entry++)
        if (!(entry->flags & G_OPTION_FLAG_HIDDEN))
            return true;
    return false;
}

static void
print_verb(const VgpuCli *cli, const VgpuCommand *command)
{
    g_autofree char *usage =
        g_strdup_printf("Usage: virt-vgpu %s%s", command->name, *command->synopsis ? " " : "");

    fputs(usage, stdout);
    print_wrapped(command->synopsis, (guint) strlen(usage));
    printf("\n");
    print_wrapped(command->description, 0);
    if (has_visible_options(command->options)) {
        printf("\nOptions:\n");
        print_options(command->options);
    }
    printf("\nOptions of every verb:\n");
    print_common_options(cli, command);
    printf("\nExample:\n");
    print_indented(command->example);
}

/* Its verbs, or those that begin with @noun; nothing if there are none. */
static void
print_group(const VgpuCommandGroup *group, const char *noun)
{
    bool is_titled = false;

    for (const VgpuCommand *command = group->commands; command->name; command++) {
        if (noun && !vgpu_command_has_noun(command, noun))
            continue;
        if (!is_titled)
            printf("\n%s:\n", group->title);
        is_titled = true;
        printf("  %-16s %s\n", command->name, command->summary);
    }
}

static void
print_all(const VgpuCli *cli, const char *noun)
{
    if (noun)
        printf("Usage: virt-vgpu %s VERB [ARGUMENT…] [OPTION…]\n", noun);
    else
        printf("Usage: virt-vgpu VERB [ARGUMENT…] [OPTION…]\n\n"
               "Gives libvirt domains their vGPUs and shows what this host has.\n");
    for (const VgpuCommandGroup *group = cli->groups; group->title; group++)
        print_group(group, noun);
    printf("\nOptions of every verb:\n");
    print_options(cli->options);
    printf(
        "\n'virt-vgpu help VERB' explains one verb. Exit status: 0 done or yes, 1 failed or no,\n"
        "2 usage, 3 not found, 4 no room, 5 busy, 6 not reachable, 7 not allowed, 8 unknown.\n");
}

void
vgpu_help_print(const VgpuCli *cli, const VgpuCommand *command, const char *noun)
{
    if (command)
        print_verb(cli, command);
    else
        print_all(cli, noun);
}
