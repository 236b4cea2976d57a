/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs that set one GPU up: gpu-enable, gpu-disable, mig-list, mig-apply, mig-clear, scheduler.
 * The daemon has it done, and gets no path from here. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/bus.h"
#include "cli/command.h"
#include "cli/mig-list.h"
#include "cli/modprobe.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "cli/terminal.h"

static struct {
    gboolean persistent, profiles, off, next_load;
    char *vfs;
    char *timeslice, *averaging, *frequency, *strict, *gpu_instance, *modprobe_file;
} option;

static const GOptionEntry enable_options[] = {
    { "vfs", 0, 0, G_OPTION_ARG_STRING, &option.vfs, "number of virtual functions, or max [max]",
      "N" },
    { "persistent", 0, 0, G_OPTION_ARG_NONE, &option.persistent,
      "also after a reboot: write it to /etc/virt-vgpu/host.xml", NULL },
    { 0 },
};

static const GOptionEntry disable_options[] = {
    { "persistent", 0, 0, G_OPTION_ARG_NONE, &option.persistent,
      "also after a reboot: write it to /etc/virt-vgpu/host.xml", NULL },
    { 0 },
};

static const GOptionEntry mig_apply_options[] = {
    { "persistent", 0, 0, G_OPTION_ARG_NONE, &option.persistent,
      "also after a reboot: write it to /etc/virt-vgpu/host.xml", NULL },
    { 0 },
};

static const GOptionEntry mig_clear_options[] = {
    { "off", 0, 0, G_OPTION_ARG_NONE, &option.off, "turn MIG mode off as well", NULL },
    { "persistent", 0, 0, G_OPTION_ARG_NONE, &option.persistent,
      "also after a reboot: write it to /etc/virt-vgpu/host.xml", NULL },
    { 0 },
};

static const GOptionEntry mig_list_options[] = {
    { "profiles", 0, 0, G_OPTION_ARG_NONE, &option.profiles,
      "the MIG profiles that the GPU supports, instead of its instances", NULL },
    { 0 },
};

static const GOptionEntry scheduler_options[] = {
    { "timeslice", 0, 0, G_OPTION_ARG_STRING, &option.timeslice,
      "time slice of a vGPU in microseconds [the driver's choice]", "US" },
    { "strict", 0, 0, G_OPTION_ARG_STRING, &option.strict,
      "yes, no or default: strict round robin [default]", "WHEN" },
    { "averaging", 0, 0, G_OPTION_ARG_STRING, &option.averaging,
      "averaging factor of strict round robin, 1 to 60", "N" },
    { "frequency", 0, 0, G_OPTION_ARG_STRING, &option.frequency,
      "frequency of strict round robin, 63 to 960 Hz", "HZ" },
    { "gpu-instance", 0, 0, G_OPTION_ARG_STRING, &option.gpu_instance,
      "only for this MIG GPU instance, if the driver supports it", "GI" },
    { "next-load", 0, 0, G_OPTION_ARG_NONE, &option.next_load,
      "change nothing now, only for the next load of the driver", NULL },
    { "persistent", 0, 0, G_OPTION_ARG_NONE, &option.persistent,
      "also after a reboot: write it to /etc/virt-vgpu/host.xml", NULL },
    { "modprobe-file", 0, 0, G_OPTION_ARG_FILENAME, &option.modprobe_file,
      "write the line that makes it permanent to FILE", "FILE" },
    { 0 },
};

static const char *const scheduler_values[] = { "strict yes no default", NULL };

/* --- virtual functions -------------------------------------------------------------------- */

static const VgpuColumn vfs_columns[] = {
    { .key = "address" },
    { .key = "vfs_total" },
    { .key = "vfs_enabled" },
    { 0 },
};

/* Handle the daemon's error about the GPU @address. */
static int
failed(VgpuBusManager1 *manager, const char *address, GError **error)
{
    if (manager)
        vgpu_suggest_gpu(manager, address, error);
    return EXIT_FAILURE;
}

static int
set_vfs(const VgpuCli *cli, const char *address, const char *method, GVariant *parameters,
        GError **error)
{
    g_autoptr(GVariant) owned = g_variant_ref_sink(parameters);
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autofree char *doing =
        g_strdup_printf("The virtual functions of GPU %s are being changed", address);
    g_autoptr(GVariant) gpu =
        manager ? vgpu_bus_call(manager, method, owned, doing, error) : NULL;
    guint32 total = 0, enabled = 0;

    if (!gpu)
        return failed(manager, address, error);
    if (cli->json) {
        vgpu_table_print_object(vfs_columns, gpu);
        return EXIT_SUCCESS;
    }
    g_variant_lookup(gpu, "vfs_total", "u", &total);
    g_variant_lookup(gpu, "vfs_enabled", "u", &enabled);
    printf("GPU %s: %u of %u virtual functions are enabled\n", address, enabled, total);
    return EXIT_SUCCESS;
}

static int
run_gpu_enable(const VgpuCli *cli, char **args, GError **error)
{
    g_autofree char *typed = g_steal_pointer(&option.vfs);
    g_autofree char *address = vgpu_command_address(args[0], error);
    guint64 vfs = 0;

    if (!address)
        return VGPU_EXIT_USAGE;
    if (typed && strcmp(typed, "max") != 0 &&
        !g_ascii_string_to_unsigned(typed, 10, 1, G_MAXUINT16, &vfs, NULL))
        return vgpu_command_usage(error, "--vfs %s: a number from 1, or max", typed);
    return set_vfs(cli, address, "EnableGpu",
                   g_variant_new_parsed("(%s, {'vfs': <%u>, 'persistent': <%b>})", address,
                                        (guint32) vfs, option.persistent),
                   error);
}

static int
run_gpu_disable(const VgpuCli *cli, char **args, GError **error)
{
    g_autofree char *address = vgpu_command_address(args[0], error);

    if (!address)
        return VGPU_EXIT_USAGE;
    return set_vfs(cli, address, "DisableGpu",
                   g_variant_new_parsed("(%s, {'persistent': <%b>})", address, option.persistent),
                   error);
}

/* --- MIG ---------------------------------------------------------------------------------- */

static const VgpuColumn *
mig_list_columns(void)
{
    return vgpu_mig_list_columns(option.profiles);
}

static int
run_mig_list(const VgpuCli *cli, char **args, GError **error)
{
    g_autofree char *address = vgpu_command_address(args[0], error);
    g_autoptr(VgpuBusManager1) manager = NULL;

    if (!address)
        return VGPU_EXIT_USAGE;
    if (!(manager = vgpu_bus_open(cli->bus, error)))
        return EXIT_FAILURE;
    return vgpu_mig_list_print(cli, manager, address, option.profiles, error)
               ? EXIT_SUCCESS
               : failed(manager, address, error);
}

static int
change_mig(const VgpuCli *cli, const char *address, const char *method, GVariant *parameters,
           GError **error)
{
    static const VgpuColumn columns[] = { { .key = "gpu" }, { .key = "changes" }, { 0 } };
    g_autoptr(GVariant) owned = g_variant_ref_sink(parameters);
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autofree char *doing = g_strdup_printf("GPU %s is being divided", address);
    g_autoptr(GVariant) changes =
        manager ? vgpu_bus_call(manager, method, owned, doing, error) : NULL;

    if (!changes)
        return failed(manager, address, error);
    if (cli->json) {
        vgpu_table_print_object(columns, g_variant_new_parsed("{'gpu': <%s>, 'changes': <%@as>}",
                                                              address, changes));
        return EXIT_SUCCESS;
    }
    printf("GPU %s: %s\n", address,
           g_variant_n_children(changes) ? "MIG layout changed" : "nothing to change");
    for (gsize i = 0; i < g_variant_n_children(changes); i++) {
        const char *line;

        g_variant_get_child(changes, i, "&s", &line);
        printf("  %s\n", line);
    }
    return EXIT_SUCCESS;
}

static int
run_mig_apply(const VgpuCli *cli, char **args, GError **error)
{
    g_autofree char *address = vgpu_command_address(args[0], error);

    if (!address)
        return VGPU_EXIT_USAGE;
    if (!g_ascii_isdigit(*args[1]))
        return vgpu_command_usage(error, "'%s' is not a MIG layout like 1g.12gb:4,2g.24gb:1",
                                  args[1]);
    return change_mig(cli, address, "ApplyMig",
                      g_variant_new("(ss@a{sv})", address, args[1],
                                    g_variant_new_parsed("{'persistent': <%b>}",
                                                         option.persistent)),
                      error);
}

static int
run_mig_clear(const VgpuCli *cli, char **args, GError **error)
{
    g_autofree char *address = vgpu_command_address(args[0], error);

    if (!address)
        return VGPU_EXIT_USAGE;
    return change_mig(cli, address, "ClearMig",
                      g_variant_new("(s@a{sv})", address,
                                    g_variant_new_parsed("{'persistent': <%b>, 'off': <%b>}",
                                                         option.persistent, option.off)),
                      error);
}

/* --- scheduler ---------------------------------------------------------------------------- */

static const VgpuColumn policy_columns[] = {
    { .key = "policy", .header = "Policy" },
    { .key = "strict", .header = "Strict round robin" },
    { .key = "timeslice_us", .header = "Time slice (us)" },
    { .key = "averaging_factor", .header = "Averaging factor" },
    { .key = "frequency", .header = "Frequency (Hz)" },
    { .key = "supported", .header = "Can be set now" },
    { .key = "modprobe" },
    { .key = "note" },
    { 0 },
};

/* The options of the command line for SetScheduler, empty when there were none; NULL with a usage error. */
static GVariant *
scheduler_wanted(const char *policy, GError **error)
{
    static const char *const policies[] = { "best-effort", "equal-share", "fixed-share", NULL };
    static const char *const stricts[] = { "yes", "no", "default", NULL };
    const struct {
        const char *key, *value;
        bool is_number;
    } words[] = {
        { "policy", policy },
        { "timeslice_us", option.timeslice, true },
        { "averaging_factor", option.averaging, true },
        { "frequency", option.frequency, true },
        { "strict", option.strict },
        { "gi", option.gpu_instance, true },
        { "set", option.next_load ? "no" : NULL },
        { "persistent", option.persistent ? "yes" : NULL },
    };
    GVariantBuilder wanted;

    if (policy && !g_strv_contains(policies, policy)) {
        vgpu_command_usage(error, "'%s' is not best-effort, equal-share or fixed-share", policy);
        return NULL;
    }
    if (option.strict && !g_strv_contains(stricts, option.strict)) {
        vgpu_command_usage(error, "--strict %s: yes, no or default", option.strict);
        return NULL;
    }
    if (option.persistent && (option.next_load || option.gpu_instance)) {
        vgpu_command_usage(error, "--persistent cannot be combined with --next-load or "
                                  "--gpu-instance");
        return NULL;
    }
    g_variant_builder_init(&wanted, G_VARIANT_TYPE("a{ss}"));
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!words[i].value)
            continue;
        if (!policy ||
            (words[i].is_number &&
             !g_ascii_string_to_unsigned(words[i].value, 10, 0, G_MAXUINT, NULL, NULL))) {
            g_variant_builder_clear(&wanted);
            if (!policy)
                vgpu_command_usage(error, "these options need a POLICY");
            else
                vgpu_command_usage(error, "%s: '%s' is not a number", words[i].key,
                                   words[i].value);
            return NULL;
        }
        g_variant_builder_add(&wanted, "{ss}", words[i].key, words[i].value);
    }
    return g_variant_ref_sink(g_variant_builder_end(&wanted));
}

static bool
write_modprobe(const char *path, const char *line, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autofree char *text = NULL, *merged = NULL;

    if (!g_file_get_contents(path, &text, NULL, &failure) &&
        !g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    merged = vgpu_modprobe_merge(text ? text : "", line);
    return g_strcmp0(text, merged) == 0 ||
           g_file_set_contents_full(path, merged, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644,
                                    error);
}

static void
print_scheduler(GVariant *scheduler)
{
    g_autofree char *text = vgpu_table_fields(policy_columns, scheduler);
    const char *line = NULL, *note = NULL;

    if (!option.next_load)
        fputs(text, stdout);
    if (!g_variant_lookup(scheduler, "modprobe", "&s", &line) || !*line)
        return;
    if (option.modprobe_file)
        printf("%sWritten to %s:\n  %s\n", option.next_load ? "" : "\n", option.modprobe_file,
               line);
    else if (option.persistent)
        printf("\nWritten to /etc/virt-vgpu/host.xml, which is applied at each boot\n");
    else if (option.next_load)
        printf("For a file in /etc/modprobe.d:\n  %s\n", line);
    else
        printf("\nThis lasts until the driver is reloaded; to keep it, put this in "
               "/etc/modprobe.d:\n  %s\n",
               line);
    if (g_variant_lookup(scheduler, "note", "&s", &note)) {
        g_autoptr(GPtrArray) lines = vgpu_table_wrap(note, vgpu_terminal_width());

        for (guint i = 0; i < lines->len; i++)
            printf("%s\n", (const char *) g_ptr_array_index(lines, i));
    }
}

static int
run_scheduler(const VgpuCli *cli, char **args, GError **error)
{
    g_autofree char *address = vgpu_command_address(args[0], error);
    g_autoptr(GVariant) wanted = address ? scheduler_wanted(args[1], error) : NULL;
    g_autoptr(VgpuBusManager1) manager = NULL;
    g_autoptr(GVariant) scheduler = NULL;
    const char *line = NULL;

    if (!wanted)
        return VGPU_EXIT_USAGE;
    if (!(manager = vgpu_bus_open(cli->bus, error)))
        return EXIT_FAILURE;
    if (args[1])
        scheduler =
            vgpu_bus_call(manager, "SetScheduler", g_variant_new("(s@a{ss})", address, wanted),
                          "The scheduler is being set", error);
    else
        scheduler = vgpu_bus_call(manager, "GetScheduler", g_variant_new("(s)", address),
                                  "Waiting for the driver", error);
    if (!scheduler)
        return failed(manager, address, error);
    if (option.modprobe_file) {
        if (!g_variant_lookup(scheduler, "modprobe", "&s", &line) || !*line) {
            g_set_error(error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED,
                        "GPU %s: there is no line to write to %s", address, option.modprobe_file);
            return EXIT_FAILURE;
        }
        if (!write_modprobe(option.modprobe_file, line, error))
            return EXIT_FAILURE;
    }
    if (cli->json)
        vgpu_table_print_object(policy_columns, scheduler);
    else
        print_scheduler(scheduler);
    return EXIT_SUCCESS;
}

const VgpuCommand vgpu_commands_setup[] = {
    { .name = "gpu-enable",
      .synopsis = "GPU [--vfs N] [--persistent]",
      .summary = "turn its virtual functions on",
      .description =
          "Turns the virtual functions of an SR-IOV GPU on, with the vendor's own tool where "
          "there is one, and checks that they appear. Lasts until the host reboots or the "
          "driver is reloaded, unless --persistent is given. Refused while a vGPU of that GPU "
          "exists.",
      .example = "virt-vgpu gpu-enable 41:00.0\n"
                 "virt-vgpu gpu-enable 41:00.0 --vfs 8 --persistent",
      .min_args = 1,
      .max_args = 1,
      .options = enable_options,
      .run = run_gpu_enable },
    { .name = "gpu-disable",
      .synopsis = "GPU [--persistent]",
      .summary = "turn its virtual functions off",
      .description =
          "Turns the virtual functions of an SR-IOV GPU off. Refused while a vGPU of that GPU "
          "exists.",
      .example = "virt-vgpu gpu-disable 41:00.0",
      .min_args = 1,
      .max_args = 1,
      .options = disable_options,
      .run = run_gpu_disable },
    { .name = "mig-list",
      .synopsis = "GPU [--profiles]",
      .summary = "the MIG GPU instances of a GPU",
      .description =
          "Lists the GPU instances that a GPU in MIG mode is divided into, or with --profiles "
          "the MIG profiles that it supports, with their memory and engines, and how many more "
          "of each fit now. --profiles also works while MIG mode is off.",
      .example = "virt-vgpu mig-list e1:00.0\nvirt-vgpu mig-list e1:00.0 --profiles",
      .min_args = 1,
      .max_args = 1,
      .options = mig_list_options,
      .columns = mig_list_columns,
      .run = run_mig_list },
    { .name = "mig-apply",
      .synopsis = "GPU SPEC [--persistent]",
      .summary = "divide a GPU into MIG GPU instances",
      .description =
          "Gives the GPU exactly the GPU instances of SPEC, a list of names or ids from "
          "'mig-list --profiles' with counts. Instances that match are kept, and those in use "
          "are never touched: if they are in the way, nothing is changed. MIG mode is turned "
          "on if necessary; \"reset required\" means that it is not on yet. Lasts until the "
          "host reboots, unless --persistent is given.",
      .example = "virt-vgpu mig-apply e1:00.0 1g.12gb:4,2g.24gb:1 --persistent",
      .min_args = 2,
      .max_args = 2,
      .options = mig_apply_options,
      .run = run_mig_apply },
    { .name = "mig-clear",
      .synopsis = "GPU [--off] [--persistent]",
      .summary = "remove all MIG GPU instances",
      .description =
          "Removes all GPU instances of the GPU. Refused while a vGPU is on one of them. With "
          "--off MIG mode is turned off as well, so that the GPU has its time-sliced profiles "
          "again; its virtual functions must be off for that.",
      .example = "virt-vgpu mig-clear e1:00.0\n"
                 "virt-vgpu gpu-disable e1:00.0; virt-vgpu mig-clear e1:00.0 --off --persistent",
      .min_args = 1,
      .max_args = 1,
      .options = mig_clear_options,
      .run = run_mig_clear },
    { .name = "scheduler",
      .synopsis = "GPU [POLICY [OPTION…]]",
      .summary = "how vGPUs share the time of a GPU",
      .description =
          "Shows how the vGPUs of a GPU share its time; with POLICY (best-effort, equal-share "
          "or fixed-share) sets the policy until the driver is reloaded. Refused while a vGPU "
          "of that GPU exists. The line that makes it permanent is printed, and with "
          "--modprobe-file written to a file in /etc/modprobe.d. With --next-load nothing is "
          "changed now, so this also works while vGPUs run.",
      .example = "virt-vgpu scheduler 41:00.0\n"
                 "virt-vgpu scheduler 41:00.0 fixed-share --timeslice 2000\n"
                 "virt-vgpu scheduler 41:00.0 equal-share \\\n"
                 "  --modprobe-file /etc/modprobe.d/virt-vgpu.conf",
      .min_args = 1,
      .max_args = 2,
      .options = scheduler_options,
      .values = scheduler_values,
      .run = run_scheduler },
    { 0 },
};
