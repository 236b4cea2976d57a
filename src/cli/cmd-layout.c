/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs about the layout of the whole host: host-apply, host-diff, host-export. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xml.h"
#include "cli/bus.h"
#include "cli/command.h"
#include "cli/table.h"
#include "cli/xml-file.h"

static struct {
    char *output;
} option;

static const GOptionEntry export_options[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &option.output,
      "write it to FILE, which is replaced only on success", "FILE" },
    { 0 },
};

static const VgpuColumn step_columns[] = {
    { .key = "gpu", .header = "GPU" },
    { .key = "step", .header = "Step", .fit = VGPU_FIT_CUT },
    { .key = "result", .header = "Result", .state = true },
    { .key = "text", .header = "What", .fit = VGPU_FIT_WRAP },
    { 0 },
};

static const VgpuColumn difference_columns[] = {
    { .key = "gpu", .header = "GPU" },
    { .key = "what", .header = "What", .fit = VGPU_FIT_CUT },
    { .key = "wanted", .header = "Wanted", .fit = VGPU_FIT_WRAP },
    { .key = "actual", .header = "Actual", .fit = VGPU_FIT_WRAP },
    { 0 },
};

/* The answer to @method with the layout in @path; if that is not XML, the error has its name. */
static GVariant *
send_layout(const VgpuCli *cli, const char *path, const char *method, const char *doing,
            GError **error)
{
    gsize len = 0;
    g_autofree char *xml = vgpu_xml_file_read(path, &len, error);
    g_autoptr(xmlDoc) doc =
        xml ? vgpu_xml_parse(xml, len, vgpu_xml_file_source(path), error) : NULL;
    g_autoptr(VgpuBusManager1) manager = doc ? vgpu_bus_open(cli->bus, error) : NULL;

    if (!manager)
        return NULL;
    return vgpu_bus_call(manager, method, g_variant_new("(s)", xml), doing, error);
}

static const VgpuColumn *
apply_columns(void)
{
    return step_columns;
}

static int
run_host_apply(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(GVariant) steps =
        send_layout(cli, args[0], "ApplyHost", "The host is being set up", error);
    int status = EXIT_SUCCESS;

    if (!steps)
        return EXIT_FAILURE;
    vgpu_table_print(step_columns, steps, cli->json, cli->wide);
    for (gsize i = 0; i < g_variant_n_children(steps); i++) {
        g_autoptr(GVariant) step = g_variant_get_child_value(steps, i);
        const char *result = "";

        g_variant_lookup(step, "result", "&s", &result);
        if (strcmp(result, "failed") == 0)
            status = EXIT_FAILURE;
    }
    return status;
}

static const VgpuColumn *
diff_columns(void)
{
    return difference_columns;
}

static int
run_host_diff(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(GVariant) differences =
        send_layout(cli, args[0], "DiffHost", "The host is being examined", error);

    if (!differences)
        return EXIT_FAILURE;
    if (!cli->json && !g_variant_n_children(differences)) {
        puts("The host is as the layout says.");
        return EXIT_SUCCESS;
    }
    vgpu_table_print(difference_columns, differences, cli->json, cli->wide);
    return g_variant_n_children(differences) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int
run_host_export(const VgpuCli *cli, char **args, GError **error)
{
    static const VgpuColumn columns[] = { { .key = "xml" }, { 0 } };
    g_autofree char *output = g_steal_pointer(&option.output);
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autoptr(GVariant) xml = manager ? vgpu_bus_call(manager, "ExportHost", g_variant_new("()"),
                                                      "The host is being examined", error)
                                      : NULL;
    const char *text;

    if (!xml)
        return EXIT_FAILURE;
    text = g_variant_get_string(xml, NULL);
    if (output &&
        !g_file_set_contents_full(output, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error))
        return EXIT_FAILURE;
    if (cli->json)
        vgpu_table_print_object(columns, g_variant_new_parsed("{'xml': <%s>}", text));
    else if (output)
        printf("The layout of this host was written to %s\n", output);
    else
        printf("%s%s", text, g_str_has_suffix(text, "\n") ? "" : "\n");
    return EXIT_SUCCESS;
}

const VgpuCommand vgpu_commands_layout[] = {
    { .name = "host-apply",
      .synopsis = "FILE",
      .summary = "set the GPUs up as a layout says",
      .description =
          "Sets virtual functions, modes, MIG instances and schedulers of the GPUs named in a "
          "<vgpuhost> file as the file says; other GPUs are not touched. '-' reads standard "
          "input. If one GPU fails, the others are still set up, and the exit status is 1. To "
          "keep the layout across reboots, put it in /etc/virt-vgpu/host.xml.",
      .example = "virt-vgpu host-apply /etc/virt-vgpu/host.xml",
      .min_args = 1,
      .max_args = 1,
      .columns = apply_columns,
      .run = run_host_apply },
    { .name = "host-diff",
      .synopsis = "FILE",
      .summary = "show how the GPUs differ from a layout",
      .description =
          "Lists what 'host-apply' would change, and changes nothing. The exit status is 1 when "
          "there is a difference. '-' reads standard input.",
      .example = "virt-vgpu host-diff /etc/virt-vgpu/host.xml",
      .min_args = 1,
      .max_args = 1,
      .columns = diff_columns,
      .run = run_host_diff },
    { .name = "host-export",
      .synopsis = "[--output FILE]",
      .summary = "print the layout of this host",
      .description =
          "Prints the state of the GPUs as a <vgpuhost> file, which can be edited and applied "
          "again. With --output it is written to FILE, which is left unchanged on failure.",
      .example = "virt-vgpu host-export --output /etc/virt-vgpu/host.xml",
      .options = export_options,
      .run = run_host_export },
    { 0 },
};
