/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-vgpu: find the verb, read the options, run it. The verbs are in cmd-*.c. */
#include "config.h"

#include <errno.h>
#include <langinfo.h>
#include <libvirt/virterror.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/failure.h"
#include "cli/guarded.h"
#include "cli/guess.h"
#include "cli/help.h"
#include "cli/host-uri.h"
#include "cli/overview.h"
#include "cli/table.h"

#define DEFAULT_URI "qemu:///system"

static struct {
    gboolean json, wide, bare, help, version;
    char *columns, *uri, *bus, *root;
} global;

static const GOptionEntry global_options[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &global.json, "print JSON instead of a table", NULL },
    { "wide", 0, 0, G_OPTION_ARG_NONE, &global.wide, "all columns, nothing truncated", NULL },
    { "columns", 'o', 0, G_OPTION_ARG_STRING, &global.columns,
      "only these columns of a table, in this order", "COLUMN,…" },
    { "noheadings", 0, 0, G_OPTION_ARG_NONE, &global.bare, "a table without headings", NULL },
    { "connect", 'c', 0, G_OPTION_ARG_STRING, &global.uri, "libvirt to talk to [" DEFAULT_URI "]",
      "URI" },
    { "bus", 0, 0, G_OPTION_ARG_STRING, &global.bus,
      "bus that virtvgpud is on, system or session [system]", "BUS" },
    { "root", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &global.root, NULL, "DIR" },
    { "help", 'h', 0, G_OPTION_ARG_NONE, &global.help, "help, also on one verb", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &global.version, "print the version", NULL },
    { 0 },
};

static const VgpuCommandGroup groups[] = {
    { "GPUs", vgpu_commands_gpu },
    { "GPU set-up", vgpu_commands_setup },
    { "GPU maintenance", vgpu_commands_cordon },
    { "Host layout", vgpu_commands_layout },
    { "Pools", vgpu_commands_pool },
    { "vGPUs", vgpu_commands_vgpu },
    { "Annotations", vgpu_commands_annotation },
    { "Domains", vgpu_commands_domain },
    { "Running domains", vgpu_commands_attach },
    { "Migration", vgpu_commands_migrate },
    { "Import and removal", vgpu_commands_import },
    { "Guests", vgpu_commands_iso },
    { "Host", vgpu_commands_host },
    { "Other programs", vgpu_commands_inventory },
    { "Fleet", vgpu_commands_fleet },
    { "Placement in the fleet", vgpu_commands_fleet_place },
    { "Maintenance of the fleet", vgpu_commands_fleet_host },
    { "Tenants in the fleet", vgpu_commands_fleet_quota },
    { "General", vgpu_commands_general },
    { 0 },
};

/* Whether @arg is an option of every verb, and whether its value is the next argument. */
static bool
is_global_option(const char *arg, bool *takes_next)
{
    for (const GOptionEntry *entry = global_options; entry->long_name; entry++) {
        bool is_short = arg[1] != '-' && entry->short_name && arg[1] == entry->short_name;
        gsize len = strlen(entry->long_name);

        if (is_short || (arg[1] == '-' && strncmp(arg + 2, entry->long_name, len) == 0 &&
                         (arg[2 + len] == '\0' || arg[2 + len] == '='))) {
            *takes_next = entry->arg != G_OPTION_ARG_NONE && arg[is_short ? 2 : 2 + len] == '\0';
            return true;
        }
    }
    return false;
}

/* Where the verb is, from argument @from on: the first that is no option. Behind an option of a verb, whose value
 * may follow, it is the first that is a verb. @noun: the first word of a verb of two; NULL: none. 0: there is none. */
static int
find_verb(const VgpuCli *cli, int from, int argc, char **argv, const char *noun)
{
    bool verb_option = false;
    int first = 0;

    for (int i = from; i < argc && strcmp(argv[i], "--") != 0; i++) {
        bool takes_next = false;

        if (argv[i][0] == '-' && argv[i][1]) {
            verb_option |= !is_global_option(argv[i], &takes_next);
            i += takes_next;
            continue;
        }
        if (!verb_option || vgpu_command_is_word(cli, noun, argv[i]))
            return i;
        first = first ? first : i;
    }
    return first;
}

/* GLib leaves a "--" where it is when what follows begins with a hyphen. */
static void
drop_separator(char **args)
{
    while (*args && strcmp(*args, "--") != 0)
        args++;
    g_free(*args);
    for (; *args; args++)
        args[0] = args[1];
}

/* The long names of the options that @command, or with NULL every verb, takes; ended by NULL, borrowed. */
static const char **
option_names(const VgpuCommand *command)
{
    const GOptionEntry *const lists[] = { global_options, command ? command->options : NULL };
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
        for (const GOptionEntry *entry = lists[i]; entry && entry->long_name; entry++)
            if (!(entry->flags & G_OPTION_FLAG_HIDDEN))
                g_ptr_array_add(names, (gpointer) entry->long_name);
    g_ptr_array_add(names, NULL);
    return (const char **) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

/* GLib has found an unknown option: add a suggestion, if there is one. */
static void
suggest_option(char **args, const VgpuCommand *command, GError **error)
{
    g_autofree const char **names = option_names(command);

    for (; *args && strcmp(*args, "--") != 0; args++) {
        g_autofree char *name = g_strndup(*args, strcspn(*args, "="));
        const char *nearest;

        if (!g_str_has_prefix(name, "--") || g_strv_contains(names, name + 2))
            continue;
        nearest = vgpu_guess(name + 2, names);
        if (nearest) {
            g_clear_error(error);
            vgpu_command_usage(error, "unknown option %s; did you mean --%s?", name, nearest);
        }
        return;
    }
}

/* Whether JSON is wanted, also where the options cannot be read. */
static bool
wants_json(char *const *args)
{
    bool json = global.json;

    for (args++; !json && *args && strcmp(*args, "--") != 0; args++)
        json = strcmp(*args, "--json") == 0;
    return json;
}

/* Letters that a verb gives to options of its @own, as -o of host-export, are theirs alone. */
static void
take_own_letters(GOptionEntry *common, const GOptionEntry *own)
{
    for (; own && own->long_name; own++)
        for (GOptionEntry *entry = common; entry->long_name; entry++)
            if (entry->short_name == own->short_name)
                entry->short_name = 0;
}

/* Take all options out of *@args, those of every verb and those of @command. */
static bool
parse_options(char ***args, const VgpuCommand *command, VgpuCli *cli, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autofree GOptionEntry *common = g_memdup2(global_options, sizeof(global_options));
    g_auto(GStrv) typed = g_strdupv(*args);
    const char *bus;

    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_ignore_unknown_options(context, command && command->any_options);
    take_own_letters(common, command ? command->options : NULL);
    g_option_context_add_main_entries(context, common, NULL);
    if (command && command->options)
        g_option_context_add_main_entries(context, command->options, NULL);
    if (!g_option_context_parse_strv(context, args, error)) {
        if (g_error_matches(*error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION))
            suggest_option(typed, command, error);
        return false;
    }
    drop_separator(*args);

    for (char **arg = *args; *arg; arg++) {
        if (!g_utf8_validate(*arg, -1, NULL)) {
            vgpu_command_usage(error, "an argument is not UTF-8");
            return false;
        }
    }
    bus = global.bus ? global.bus : g_getenv("VIRT_VGPU_BUS");
    if (bus && strcmp(bus, "system") != 0 && strcmp(bus, "session") != 0) {
        vgpu_command_usage(error, "unknown bus '%s': system or session", bus);
        return false;
    }
    cli->uri_is_typed = global.uri != NULL;
    if (!global.uri)
        global.uri = g_strdup(g_getenv("LIBVIRT_DEFAULT_URI"));
    if (!global.root)
        global.root = g_strdup(g_getenv("VIRT_VGPU_ROOT"));
    cli->json = global.json;
    cli->wide = global.wide;
    cli->uri = global.uri && *global.uri ? global.uri : DEFAULT_URI;
    cli->bus = g_strcmp0(bus, "session") == 0 ? G_BUS_TYPE_SESSION : G_BUS_TYPE_SYSTEM;
    cli->root = global.root ? global.root : "/";
    return true;
}

/* -o and --noheadings are about the table of @command. */
static bool
choose_columns(const VgpuCommand *command, GError **error)
{
    const char *typed = global.columns ? "-o" : "--noheadings";

    if (!global.columns && !global.bare)
        return true;
    if (global.json || !command->columns) {
        vgpu_command_usage(error,
                           global.json ? "%s applies to tables, and --json prints none"
                                       : "%s applies to verbs that print a single table",
                           typed);
        return false;
    }
    if (global.bare)
        vgpu_table_hide_headings();
    return !global.columns || vgpu_table_choose(command->columns(), global.columns, error);
}

/* Take the argument at @at out of @args. */
static char *
take(char **args, int at)
{
    char *arg = args[at];

    for (char **next = args + at; *next; next++)
        next[0] = next[1];
    return arg;
}

/* Take the verb, of one word or of two, out of @args. NULL: there is none; of one of two words perhaps only the
 * first. */
static char *
take_verb(const VgpuCli *cli, char **args)
{
    int at = find_verb(cli, 1, (int) g_strv_length(args), args, NULL);
    g_autofree char *verb = at ? take(args, at) : NULL;
    g_autofree char *second = NULL;
    int next = verb && vgpu_command_is_noun(cli, verb)
                   ? find_verb(cli, at, (int) g_strv_length(args), args, verb)
                   : 0;

    if (!next)
        return g_steal_pointer(&verb);
    second = take(args, next);
    return g_strdup_printf("%s %s", verb, second);
}

/* *@chosen: the verb, NULL: there is none. */
static int
dispatch(char ***argv, const VgpuCommand **chosen, GError **error)
{
    g_auto(GStrv) typed = g_strdupv(*argv);
    VgpuCli cli = { .groups = groups, .options = global_options, .typed = typed };
    g_autofree char *verb = take_verb(&cli, *argv);
    const char *noun = verb && vgpu_command_is_noun(&cli, verb) ? verb : NULL;
    const VgpuCommand *command = verb ? vgpu_command_find(&cli, verb) : NULL;
    int n_args;

    if (verb && !command && !noun)
        return vgpu_command_unknown(&cli, verb, error);
    *chosen = command;
    if (!parse_options(argv, command, &cli, error))
        return VGPU_EXIT_USAGE;

    if (global.version) {
        printf("virt-vgpu " PACKAGE_VERSION "\n");
        return EXIT_SUCCESS;
    }
    if (global.help) {
        vgpu_help_print(&cli, command, noun);
        return EXIT_SUCCESS;
    }
    if (noun)
        return vgpu_command_usage(error, "%s: a verb is missing: see 'virt-vgpu help %s'", noun,
                                  noun);
    if (!(command && command->anywhere) && !vgpu_host_uri_check(&cli, cli.uri, error))
        return VGPU_EXIT_USAGE;
    if (!command && global.json)
        return vgpu_command_usage(error, "--json needs a verb");
    if (!command)
        return vgpu_overview_print(&cli, error);

    n_args = (int) g_strv_length(*argv) - 1; /* less the program's name */
    if (n_args < command->min_args)
        return vgpu_command_usage(error, "%s: an argument is missing: %s", verb,
                                  command->synopsis);
    if (n_args > command->max_args)
        return vgpu_command_usage(error, "%s: unexpected argument '%s'", verb,
                                  (*argv)[1 + command->max_args]);
    if (!choose_columns(command, error))
        return VGPU_EXIT_USAGE;
    return command->run(&cli, *argv + 1, error);
}

/* libvirt prints errors by itself by default; ours already contain its text. */
static void
ignore_libvirt_error(void *opaque, virErrorPtr error)
{
}

/* cron, Ansible and ssh run programs in the C locale, where GLib accepts only ASCII in options; but
 * names of domains, pools and tenants are UTF-8. */
static void
set_locale(void)
{
    setlocale(LC_ALL, "");
    if (strcmp(nl_langinfo(CODESET), "ANSI_X3.4-1968") == 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

/* The reader has closed the pipe, as 'head' does: end as other programs do, without a word. GLib ignores
 * SIGPIPE. */
static void
end_with_reader(void)
{
    struct pollfd output = { .fd = STDOUT_FILENO };

    if (!ferror(stdout) || poll(&output, 1, 0) != 1 || !(output.revents & POLLERR))
        return;
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) args = g_strdupv(argv);
    const VgpuCommand *command = NULL;
    int status, why;

    set_locale();
    vgpu_guarded_begin();
    virSetErrorFunc(NULL, ignore_libvirt_error);

    status = dispatch(&args, &command, &error);
    why = fflush(stdout) ? errno : 0;
    end_with_reader();
    if (error) {
        /* what is wrong in a document is so in the options where they are all that there is */
        if (status == VGPU_EXIT_USAGE &&
            g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST))
            error->code = VGPU_ERROR_ARGUMENT;
        status = (int) vgpu_exit_status(error);
        vgpu_failure_print(error, wants_json(argv));
        why = fflush(stdout) ? errno : why;
    }
    if (status == VGPU_EXIT_USAGE)
        fprintf(stderr, "See 'virt-vgpu help%s%s'.\n", command ? " " : "",
                command ? command->name : "");
    if (ferror(stdout) && status == EXIT_SUCCESS) {
        fprintf(stderr, "virt-vgpu: cannot write the output: %s\n", g_strerror(why));
        status = EXIT_FAILURE;
    }

    g_free(global.columns);
    g_free(global.uri);
    g_free(global.bus);
    g_free(global.root);
    return status;
}
