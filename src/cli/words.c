/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/words.h"

#include <libvirt/libvirt.h>
#include <stdio.h>
#include <string.h>

#include "cli/bus.h"
#include "cli/domain-io.h"
#include "cli/fleet-names.h"
#include "cli/table.h"

static const GOptionEntry *
find_option(const GOptionEntry *entry, const char *name)
{
    for (; entry && entry->long_name; entry++)
        if (strcmp(entry->long_name, name) == 0)
            return entry;
    return NULL;
}

/* Whether it is another word for the one before it: "GPU|VF". */
static bool
is_alternative(const VgpuCommand *command, const char *word)
{
    g_autofree char *there = g_strconcat("|", word, NULL);

    return strstr(command->synopsis, there);
}

/* The arguments are the words in capitals of the synopsis, less those that belong to an option. */
static void
print_arguments(const VgpuCommand *command)
{
    g_auto(GStrv) words = g_strsplit_set(command->synopsis, " []|", -1);
    const GOptionEntry *option = NULL;

    for (char **word = words; *word; word++) {
        if (!**word)
            continue;
        if (g_str_has_prefix(*word, "--"))
            option = find_option(command->options, *word + 2);
        else if (option && option->arg != G_OPTION_ARG_NONE)
            option = NULL;
        else if (g_ascii_isupper(**word) && !g_str_has_prefix(*word, "OPTION") &&
                 !is_alternative(command, *word))
            printf("%s\n", *word);
    }
}

static const char *
find_values(const char *const *values, const char *option)
{
    gsize len = strlen(option);

    for (; values && *values; values++)
        if (strncmp(*values, option, len) == 0 && (*values)[len] == ' ')
            return *values + len + 1;
    return "";
}

static void
print_options(const GOptionEntry *entry, const VgpuCommand *command, const char *const *values)
{
    for (; entry && entry->long_name; entry++)
        if (!(entry->flags & G_OPTION_FLAG_HIDDEN) && vgpu_command_takes(command, entry))
            printf("--%s\t%s\t%s\n", entry->long_name,
                   entry->arg_description ? entry->arg_description : "-",
                   find_values(values, entry->long_name));
}

/* The options of every verb; the columns are those of @command's table. */
static void
print_common(const VgpuCli *cli, const VgpuCommand *command)
{
    g_autofree char *names =
        command && command->columns ? vgpu_table_names(command->columns()) : g_strdup("");
    g_auto(GStrv) words = g_strsplit(names, ", ", -1);
    g_autofree char *joined = g_strjoinv(" ", words);
    g_autofree char *columns = g_strconcat("columns ", joined, NULL);
    const char *const values[] = { "bus system session", columns, NULL };

    print_options(cli->options, command, values);
}

static void
print_domains(const VgpuCli *cli)
{
    g_autoptr(virConnect) conn = virConnectOpenReadOnly(cli->uri);
    virDomainPtr *domains = NULL;
    int n = conn ? virConnectListAllDomains(conn, &domains, 0) : 0;

    for (int i = 0; i < n; i++) {
        printf("%s\n", virDomainGetName(domains[i]));
        virDomainFree(domains[i]);
    }
    free(domains);
}

/* @key of each of @rows, which this takes, each once. */
static void
print_column(GVariant *rows, const char *key)
{
    g_autoptr(GVariant) owned = rows;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (gsize i = 0; owned && i < g_variant_n_children(owned); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(owned, i);
        const char *text = NULL;

        if (g_variant_lookup(row, key, "&s", &text) && g_hash_table_add(seen, g_strdup(text)))
            printf("%s\n", text);
    }
}

/* The method for a kind of names, and the column of its answer. */
static const struct {
    const char *what;
    const char *method;
    const char *parameters; /* GVariant text */
    const char *key;
} name_lists[] = {
    { "GPU", "ListGpus", "()", "address" },
    { "PROFILE", "ListProfiles", "('',)", "name" },
    { "POOL", "ListPools", "()", "name" },
    { "UUID", "ListVgpus", "(false,)", "uuid" },
};

static void
print_names(const VgpuCli *cli, const char *what)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, NULL);

    for (gsize i = 0; manager && i < G_N_ELEMENTS(name_lists); i++) {
        if (strcmp(name_lists[i].what, what) == 0)
            print_column(vgpu_bus_query(manager, name_lists[i].method,
                                        g_variant_new_parsed(name_lists[i].parameters), NULL),
                         name_lists[i].key);
    }
}

/* The verbs; of those of two words the first, once. */
static void
print_verbs(const VgpuCli *cli)
{
    g_autofree const char **verbs = vgpu_command_names(cli);
    g_autofree char *last = NULL;

    for (const char **verb = verbs; *verb; verb++) {
        g_autofree char *first = g_strndup(*verb, strcspn(*verb, " "));

        if (g_strcmp0(first, last) != 0)
            printf("%s\n", first);
        g_free(last);
        last = g_steal_pointer(&first);
    }
}

/* The second words of those that begin with @noun. */
static void
print_second(const VgpuCli *cli, const char *noun)
{
    g_autofree const char **verbs = vgpu_command_names(cli);

    for (const char **verb = verbs; *verb; verb++)
        if (vgpu_command_has_noun(vgpu_command_find(cli, *verb), noun))
            printf("%s\n", *verb + strlen(noun) + 1);
}

void
vgpu_words_print(const VgpuCli *cli, const char *what)
{
    const VgpuCommand *command = vgpu_command_find(cli, what);
    g_autofree char *noun = g_ascii_strdown(what, -1);

    if (command) {
        print_arguments(command);
        print_options(command->options, NULL, command->values);
        print_common(cli, command);
    } else if (strcmp(what, "VERB") == 0) {
        print_verbs(cli);
        print_common(cli, NULL);
    } else if (vgpu_command_is_noun(cli, what)) {
        g_autofree char *kind = g_ascii_strup(what, -1);

        printf("%s\n", kind);
        print_common(cli, NULL);
    } else if (vgpu_command_is_noun(cli, noun)) {
        print_second(cli, noun);
    } else if (strcmp(what, "HOST") == 0) {
        vgpu_fleet_names_print_hosts(cli);
    } else if (strcmp(what, "DOMAIN") == 0) {
        print_domains(cli);
    } else {
        print_names(cli, what);
    }
}
