/* virt-vgpu: find the verb, read the options, run it. The verbs are in cmd-*.c. */
#include "config.h"

#include <libvirt/virterror.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/help.h"

#define DEFAULT_URI "qemu:///system"

static struct {
    gboolean json, wide, help, version;
    char *uri, *bus, *root;
} global;

static const GOptionEntry global_options[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &global.json, "print JSON instead of a table", NULL },
    { "wide", 0, 0, G_OPTION_ARG_NONE, &global.wide, "all columns, nothing cut", NULL },
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

/* Where the verb is: the first argument that is no option. Behind an option of a verb, whose value
 * may follow, it is the first that is a verb. 0: there is none. */
static int
find_verb(const VgpuCli *cli, int argc, char **argv)
{
    bool verb_option = false;
    int first = 0;

    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        bool takes_next = false;

        if (argv[i][0] == '-' && argv[i][1]) {
            verb_option |= !is_global_option(argv[i], &takes_next);
            i += takes_next;
            continue;
        }
        if (!verb_option || vgpu_command_find(cli, argv[i]))
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

/* Take all options out of *@args, those of every verb and those of @command. */
static bool
parse_options(char ***args, const VgpuCommand *command, VgpuCli *cli, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    const char *bus;

    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_add_main_entries(context, global_options, NULL);
    if (command && command->options)
        g_option_context_add_main_entries(context, command->options, NULL);
    if (!g_option_context_parse_strv(context, args, error))
        return false;
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

static int
dispatch(char ***argv, GError **error)
{
    int argc = (int) g_strv_length(*argv);
    VgpuCli cli = { .groups = groups, .options = global_options };
    int at = find_verb(&cli, argc, *argv);
    g_autofree char *verb = NULL;
    const VgpuCommand *command = NULL;
    int n_args;

    if (at) {
        verb = (*argv)[at];
        memmove(*argv + at, *argv + at + 1, sizeof(char *) * (gsize) (argc - at));
        if (!(command = vgpu_command_find(&cli, verb)))
            return vgpu_command_unknown(&cli, verb, error);
    }
    if (!parse_options(argv, command, &cli, error))
        return VGPU_EXIT_USAGE;

    if (global.version) {
        printf("virt-vgpu " PACKAGE_VERSION "\n");
        return EXIT_SUCCESS;
    }
    if (global.help) {
        vgpu_help_print(&cli, command);
        return EXIT_SUCCESS;
    }
    if (!command)
        return vgpu_command_usage(error, "no verb given");

    n_args = (int) g_strv_length(*argv) - 1; /* less the program's name */
    if (n_args < command->min_args)
        return vgpu_command_usage(error, "%s: an argument is missing: %s", verb,
                                  command->synopsis);
    if (n_args > command->max_args)
        return vgpu_command_usage(error, "%s: unexpected argument '%s'", verb,
                                  (*argv)[1 + command->max_args]);
    return command->run(&cli, *argv + 1, error);
}

/* libvirt prints errors by itself unless it is told not to; ours carry its text already. */
static void
ignore_libvirt_error(void *opaque, virErrorPtr error)
{
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) args = g_strdupv(argv);
    int status;

    setlocale(LC_ALL, "");
    virSetErrorFunc(NULL, ignore_libvirt_error);

    status = dispatch(&args, &error);
    if (error) {
        g_autofree char *text = vgpu_error_text(error);

        fprintf(stderr, "virt-vgpu: %s\n", text);
    }
    if (status == VGPU_EXIT_USAGE)
        fprintf(stderr, "See 'virt-vgpu help'.\n");
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_SUCCESS) {
        perror("virt-vgpu: cannot write the output");
        status = EXIT_FAILURE;
    }

    g_free(global.uri);
    g_free(global.bus);
    g_free(global.root);
    return status;
}
