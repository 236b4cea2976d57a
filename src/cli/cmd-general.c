/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs about virt-vgpu itself: help, version. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/bus.h"
#include "cli/help.h"
#include "cli/table.h"
#include "cli/words.h"

static struct {
    gboolean words;
} option;

static const GOptionEntry help_options[] = {
    { "words", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &option.words, NULL, NULL },
    { 0 },
};

static int
run_help(const VgpuCli *cli, char **args, GError **error)
{
    g_autofree char *verb = g_strjoinv(" ", args);
    const VgpuCommand *command = vgpu_command_find(cli, verb);
    bool is_noun = vgpu_command_is_noun(cli, verb);

    if (option.words) {
        vgpu_words_print(cli, *verb ? verb : "VERB");
        return EXIT_SUCCESS;
    }
    if (cli->json)
        return vgpu_command_usage(error, "help is not available as JSON");
    if (*verb && !command && !is_noun)
        return vgpu_command_unknown(cli, verb, error);
    vgpu_help_print(cli, command, is_noun ? verb : NULL);
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

const VgpuCommand vgpu_commands_general[] = {
    { .name = "help",
      .synopsis = "[VERB…]",
      .summary = "list the verbs, or explain one",
      .description =
          "Without VERB lists all verbs; with VERB describes it and its options, and shows an "
          "example.",
      .example = "virt-vgpu help annotate\nvirt-vgpu help fleet place",
      .max_args = 2,
      .options = help_options,
      .anywhere = true,
      .run = run_help },
    { .name = "version",
      .synopsis = "",
      .summary = "versions of this program and of the daemon",
      .description =
          "Prints the version of virt-vgpu and, if virtvgpud runs, that of the daemon and "
          "whether it is connected to libvirt.",
      .example = "virt-vgpu version",
      .anywhere = true,
      .run = run_version },
    { 0 },
};
