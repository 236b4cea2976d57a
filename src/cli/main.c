/* virt-vgpu: find the verb, read the options, run it. The verbs are in cmd-*.c. */
#include "config.h"

#include <libvirt/virterror.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/pciaddr.h"
#include "cli/bus.h"
#include "cli/command.h"
#include "cli/table.h"

#define DEFAULT_URI "qemu:///system"
#define FARTHEST_GUESS 2u /* letters between a misspelt verb and one that is suggested */

static int run_help(const VgpuCli *cli, char **args, GError **error);
static int run_version(const VgpuCli *cli, char **args, GError **error);

static const VgpuCommand general_commands[] = {
    { .name = "help",
      .synopsis = "[VERB]",
      .summary = "list the verbs, or explain one",
      .description =
          "Without VERB lists all verbs; with VERB says what it does, what it takes, and shows "
          "an example.",
      .example = "virt-vgpu help annotate",
      .max_args = 1,
      .run = run_help },
    { .name = "version",
      .synopsis = "",
      .summary = "versions of this program and of the daemon",
      .description =
          "Prints the version of virt-vgpu and, if virtvgpud runs, the daemon's and whether "
          "that is connected to libvirt.",
      .example = "virt-vgpu version",
      .run = run_version },
    { 0 },
};

static const struct {
    const char *title;
    const VgpuCommand *commands;
} groups[] = {
    { "GPUs", vgpu_commands_gpu },
    { "GPU set-up", vgpu_commands_setup },
    { "Host layout", vgpu_commands_layout },
    { "vGPUs", vgpu_commands_vgpu },
    { "Annotations", vgpu_commands_annotation },
    { "Domains", vgpu_commands_domain },
    { "Host", vgpu_commands_host },
    { "General", general_commands },
};

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

int
vgpu_usage(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, text);
    return VGPU_EXIT_USAGE;
}

char *
vgpu_address_arg(const char *text, GError **error)
{
    char *address = vgpu_pciaddr_canonical(text);

    if (!address)
        vgpu_usage(error, "'%s' is not a PCI address (0000:41:00.0, 41:00.0, pci_0000_41_00_0)",
                   text);
    return address;
}

static const VgpuCommand *
find_command(const char *name)
{
    for (gsize g = 0; g < G_N_ELEMENTS(groups); g++)
        for (const VgpuCommand *command = groups[g].commands; command->name; command++)
            if (strcmp(command->name, name) == 0)
                return command;
    return NULL;
}

/* Letters to insert, drop, change or swap with a neighbour to make @b of @a. */
static guint
edit_distance(const char *a, const char *b)
{
    gsize n = strlen(b), width = n + 1;
    g_autofree guint *rows = g_new0(guint, 3 * width);
    guint *before = rows, *last = rows + width, *now = rows + 2 * width;

    for (gsize j = 0; j <= n; j++)
        last[j] = (guint) j;
    for (gsize i = 1; a[i - 1]; i++) {
        guint *spare = before;

        now[0] = (guint) i;
        for (gsize j = 1; j <= n; j++) {
            now[j] = last[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = MIN(now[j], MIN(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = MIN(now[j], before[j - 2] + 1);
        }
        before = last;
        last = now;
        now = spare;
    }
    return last[n];
}

static int
unknown_verb(const char *name, GError **error)
{
    const char *nearest = NULL;
    guint least = FARTHEST_GUESS + 1;

    for (gsize g = 0; g < G_N_ELEMENTS(groups); g++) {
        for (const VgpuCommand *command = groups[g].commands; command->name; command++) {
            guint distance = edit_distance(name, command->name);

            if (distance < least) {
                least = distance;
                nearest = command->name;
            }
        }
    }
    if (nearest)
        return vgpu_usage(error, "unknown verb '%s'; did you mean '%s'?", name, nearest);
    return vgpu_usage(error, "unknown verb '%s'", name);
}

/* @text in lines that end at VGPU_TABLE_WIDTH; the first goes on at column @indent, where the
 * others begin. */
static void
print_wrapped(const char *text, guint indent)
{
    g_autoptr(GPtrArray) lines = vgpu_table_wrap(text, VGPU_TABLE_WIDTH - indent);

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

static void
print_verb_help(const VgpuCommand *command)
{
    printf("Usage: virt-vgpu %s%s%s\n\n", command->name, *command->synopsis ? " " : "",
           command->synopsis);
    print_wrapped(command->description, 0);
    if (command->options) {
        printf("\nOptions:\n");
        print_options(command->options);
    }
    printf("\nOptions of every verb:\n");
    print_options(global_options);
    printf("\nExample:\n");
    print_indented(command->example);
}

static void
print_help(void)
{
    printf("Usage: virt-vgpu VERB [ARGUMENT…] [OPTION…]\n\n"
           "Gives libvirt domains their vGPUs and shows what this host has.\n");
    for (gsize g = 0; g < G_N_ELEMENTS(groups); g++) {
        printf("\n%s:\n", groups[g].title);
        for (const VgpuCommand *command = groups[g].commands; command->name; command++)
            printf("  %-14s %s\n", command->name, command->summary);
    }
    printf("\nOptions of every verb:\n");
    print_options(global_options);
    printf(
        "\n'virt-vgpu help VERB' explains one verb. Exit status: 0 done, 1 failed, 2 usage.\n");
}

static int
run_help(const VgpuCli *cli, char **args, GError **error)
{
    const VgpuCommand *command = NULL;

    if (args[0] && !(command = find_command(args[0])))
        return unknown_verb(args[0], error);
    if (command)
        print_verb_help(command);
    else
        print_help();
    return EXIT_SUCCESS;
}

static int
run_version(const VgpuCli *cli, char **args, GError **error)
{
    static const VgpuColumn columns[] = {
        { .key = "version", .header = "virt-vgpu" },
        { .key = "daemon_version", .header = "virtvgpud" },
        { .key = "libvirt_connected", .header = "connected to libvirt" },
        { 0 },
    };
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, NULL);
    g_autoptr(GVariant) row = NULL;
    g_autofree char *text = NULL;
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "version", "s", PACKAGE_VERSION);
    if (manager && vgpu_bus_manager1_get_version(manager)) {
        g_variant_dict_insert(&dict, "daemon_version", "s",
                              vgpu_bus_manager1_get_version(manager));
        g_variant_dict_insert(&dict, "libvirt_connected", "b",
                              vgpu_bus_manager1_get_libvirt_connected(manager));
    }
    row = g_variant_ref_sink(g_variant_dict_end(&dict));
    text =
        cli->json ? vgpu_table_json_object(columns, row, true) : vgpu_table_fields(columns, row);
    printf("%s%s", text, cli->json ? "\n" : "");
    return EXIT_SUCCESS;
}

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
find_verb(int argc, char **argv)
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
        if (!verb_option || find_command(argv[i]))
            return i;
        first = first ? first : i;
    }
    return first;
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

    for (char **arg = *args; *arg; arg++) {
        if (!g_utf8_validate(*arg, -1, NULL)) {
            vgpu_usage(error, "an argument is not UTF-8");
            return false;
        }
    }
    bus = global.bus ? global.bus : g_getenv("VIRT_VGPU_BUS");
    if (bus && strcmp(bus, "system") != 0 && strcmp(bus, "session") != 0) {
        vgpu_usage(error, "unknown bus '%s': system or session", bus);
        return false;
    }
    if (!global.uri)
        global.uri = g_strdup(g_getenv("LIBVIRT_DEFAULT_URI"));
    if (!global.root)
        global.root = g_strdup(g_getenv("VIRT_VGPU_ROOT"));
    *cli = (VgpuCli) {
        .json = global.json,
        .wide = global.wide,
        .uri = global.uri && *global.uri ? global.uri : DEFAULT_URI,
        .bus = g_strcmp0(bus, "session") == 0 ? G_BUS_TYPE_SESSION : G_BUS_TYPE_SYSTEM,
        .root = global.root ? global.root : "/",
    };
    return true;
}

static int
dispatch(char ***argv, GError **error)
{
    int argc = (int) g_strv_length(*argv);
    int at = find_verb(argc, *argv);
    g_autofree char *verb = NULL;
    const VgpuCommand *command = NULL;
    VgpuCli cli;
    int n_args;

    if (at) {
        verb = (*argv)[at];
        memmove(*argv + at, *argv + at + 1, sizeof(char *) * (gsize) (argc - at));
        if (!(command = find_command(verb)))
            return unknown_verb(verb, error);
    }
    if (!parse_options(argv, command, &cli, error))
        return VGPU_EXIT_USAGE;

    if (global.version) {
        printf("virt-vgpu " PACKAGE_VERSION "\n");
        return EXIT_SUCCESS;
    }
    if (global.help) {
        if (command)
            print_verb_help(command);
        else
            print_help();
        return EXIT_SUCCESS;
    }
    if (!command)
        return vgpu_usage(error, "no verb given");

    n_args = (int) g_strv_length(*argv) - 1; /* less the program's name */
    if (n_args < command->min_args)
        return vgpu_usage(error, "%s: an argument is missing: %s", verb, command->synopsis);
    if (n_args > command->max_args)
        return vgpu_usage(error, "%s: unexpected argument '%s'", verb,
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
    if (error)
        fprintf(stderr, "virt-vgpu: %s\n", error->message);
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
