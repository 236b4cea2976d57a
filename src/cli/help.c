#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "cli/guess.h"
#include "cli/table.h"
#include "cli/terminal.h"

static const struct {
    const char *title;
    const VgpuCommand *commands;
} groups[] = {
    { "GPUs", vgpu_commands_gpu },
    { "GPU set-up", vgpu_commands_setup },
    { "Host layout", vgpu_commands_layout },
    { "Pools", vgpu_commands_pool },
    { "vGPUs", vgpu_commands_vgpu },
    { "Annotations", vgpu_commands_annotation },
    { "Domains", vgpu_commands_domain },
    { "Running domains", vgpu_commands_attach },
    { "Guests", vgpu_commands_iso },
    { "Host", vgpu_commands_host },
    { "Other programs", vgpu_commands_inventory },
    { "General", vgpu_commands_general },
};

const VgpuCommand *
vgpu_help_find(const char *name)
{
    for (gsize g = 0; g < G_N_ELEMENTS(groups); g++)
        for (const VgpuCommand *command = groups[g].commands; command->name; command++)
            if (strcmp(command->name, name) == 0)
                return command;
    return NULL;
}

const char **
vgpu_help_verbs(void)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (gsize g = 0; g < G_N_ELEMENTS(groups); g++)
        for (const VgpuCommand *command = groups[g].commands; command->name; command++)
            g_ptr_array_add(names, (gpointer) command->name);
    g_ptr_array_add(names, NULL);
    return (const char **) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

int
vgpu_help_unknown(const char *name, GError **error)
{
    g_autofree const char **verbs = vgpu_help_verbs();
    const char *nearest = vgpu_guess(name, verbs);

    if (nearest)
        return vgpu_usage(error, "unknown verb '%s'; did you mean '%s'?", name, nearest);
    return vgpu_usage(error, "unknown verb '%s'", name);
}

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
print_verb(const VgpuCommand *command)
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
    print_options(vgpu_global_options);
    printf("\nExample:\n");
    print_indented(command->example);
}

static void
print_all(void)
{
    printf("Usage: virt-vgpu VERB [ARGUMENT…] [OPTION…]\n\n"
           "Gives libvirt domains their vGPUs and shows what this host has.\n");
    for (gsize g = 0; g < G_N_ELEMENTS(groups); g++) {
        printf("\n%s:\n", groups[g].title);
        for (const VgpuCommand *command = groups[g].commands; command->name; command++)
            printf("  %-15s %s\n", command->name, command->summary);
    }
    printf("\nOptions of every verb:\n");
    print_options(vgpu_global_options);
    printf(
        "\n'virt-vgpu help VERB' explains one verb. Exit status: 0 done, 1 failed, 2 usage.\n");
}

void
vgpu_help_print(const VgpuCommand *command)
{
    if (command)
        print_verb(command);
    else
        print_all();
}
