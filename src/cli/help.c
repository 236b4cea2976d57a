#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "cli/table.h"
#include "cli/terminal.h"

/* @text in lines as wide as those of a table, at most as those of a page; the first goes on at
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
print_options(const GOptionEntry *entry)
{
    for (; entry && entry->long_name; entry++) {
        g_autofree char *text = NULL;

        if (entry->flags & G_OPTION_FLAG_HIDDEN)
            continue;
        text = g_strdup_printf("%c%c%s--%s%s%s", entry->short_name ? '-' : ' ',
                               entry->short_name ? entry->short_name : ' ',
                               entry->short_name ? ", " : "  ", entry->long_name,
                               entry->arg_description ? " " : "",
                               entry->arg_description ? entry->arg_description : "");
        if (strlen(text) > 23) /* what it is begins on the next line */
            printf("  %s\n%26s", text, "");
        else
            printf("  %-23s ", text);
        print_wrapped(entry->description, 26);
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
    print_options(cli->options);
    printf("\nExample:\n");
    print_indented(command->example);
}

static void
print_all(const VgpuCli *cli)
{
    printf("Usage: virt-vgpu VERB [ARGUMENT…] [OPTION…]\n\n"
           "Gives libvirt domains their vGPUs and shows what this host has.\n");
    for (const VgpuCommandGroup *group = cli->groups; group->title; group++) {
        printf("\n%s:\n", group->title);
        for (const VgpuCommand *command = group->commands; command->name; command++)
            printf("  %-15s %s\n", command->name, command->summary);
    }
    printf("\nOptions of every verb:\n");
    print_options(cli->options);
    printf(
        "\n'virt-vgpu help VERB' explains one verb. Exit status: 0 done, 1 failed, 2 usage.\n");
}

void
vgpu_help_print(const VgpuCli *cli, const VgpuCommand *command)
{
    if (command)
        print_verb(cli, command);
    else
        print_all(cli);
}
