/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs about the host as a whole: reconcile, doctor, events. */
#include <errno.h>
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/helper.h"
#include "cli/bus.h"
#include "cli/capture.h"
#include "cli/command.h"
#include "cli/doctor-guests.h"
#include "cli/doctor.h"
#include "cli/patience.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "cli/trial.h"
#include "domain/refusals.h"
#include "gpu/stats.h"
#include "iso/output.h"

static struct {
    gboolean dry_run;
} option;

static const GOptionEntry reconcile_options[] = {
    { "dry-run", 0, 0, G_OPTION_ARG_NONE, &option.dry_run, "only print what would be done",
      NULL },
    { 0 },
};

static const VgpuColumn action_columns[] = {
    { .key = "action", .header = "Action", .fit = VGPU_FIT_CUT },
    { .key = "uuid", .header = "UUID" },
    { .key = "reason", .header = "Reason", .fit = VGPU_FIT_WRAP },
    { 0 },
};

static const VgpuColumn *
reconcile_columns(void)
{
    return action_columns;
}

static int
run_reconcile(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autoptr(GVariant) actions =
        manager ? vgpu_bus_call(manager, "Reconcile", g_variant_new("(b)", option.dry_run),
                                "Devices and domains are being compared", error)
                : NULL;

    if (!actions)
        return EXIT_FAILURE;
    vgpu_table_print(action_columns, actions, cli->json, cli->wide);
    return EXIT_SUCCESS;
}

/* --- doctor ------------------------------------------------------------------------------- */

static struct {
    char *capture;
    gboolean try;
} doctor_option;

static const GOptionEntry doctor_options[] = {
    { "capture", 0, 0, G_OPTION_ARG_FILENAME, &doctor_option.capture,
      "instead of checking, write an anonymised capture of the GPUs to FILE; - is stdout",
      "FILE" },
    { "try", 0, 0, G_OPTION_ARG_NONE, &doctor_option.try,
      "with --capture, also make and remove one vGPU on this GPU, which must be idle", NULL },
    { 0 },
};

static const VgpuColumn doctor_columns[] = {
    { .key = "check", .header = "Check" },
    { .key = "status", .header = "Status", .state = true },
    { .key = "detail", .header = "Detail", .fit = VGPU_FIT_WRAP },
    { .key = "fix", .header = "What to do", .fit = VGPU_FIT_WRAP },
    { 0 },
};

/* Of the table that there is with -o or --noheadings; its usual form is text to read. */
static const VgpuColumn *
doctor_table(void)
{
    return doctor_columns;
}

static void
add_rows(GVariantBuilder *rows, GVariant *more)
{
    for (gsize i = 0; i < g_variant_n_children(more); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(more, i);

        g_variant_builder_add_value(rows, row);
    }
}

/* The figures of the vendor's library about running vGPUs; it is not asked if there are none. */
static void
check_guests(VgpuBusManager1 *manager, GVariantBuilder *rows)
{
    g_autoptr(GVariant) listed =
        vgpu_bus_query(manager, "ListVgpus", g_variant_new("(b)", FALSE), NULL);
    bool any = listed && g_variant_n_children(listed) > 0;
    g_autoptr(GVariant) gpus =
        any ? vgpu_bus_query(manager, "GetGpuStats", g_variant_new("()"), NULL) : NULL;
    g_autoptr(GVariant) stats =
        gpus ? vgpu_bus_query(manager, "GetStats", g_variant_new("()"), NULL) : NULL;
    g_autoptr(GVariant) vgpus = stats ? vgpu_stats_join(listed, stats) : NULL;

    if (vgpus)
        vgpu_doctor_guests(vgpus, gpus, g_get_real_time() / G_USEC_PER_SEC, rows);
}

/* Whether the daemon answers, and its checks. */
static bool
check_daemon(const VgpuCli *cli, GVariantBuilder *rows)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, &error);
    g_autoptr(GVariant) found =
        manager ? vgpu_bus_query(manager, "Doctor", g_variant_new("()"), &error) : NULL;

    if (!found) {
        g_variant_builder_add_value(rows, vgpu_doctor_row_new("daemon", "fail", error->message,
                                                              "systemctl start virtvgpud"));
        return false;
    }
    g_variant_builder_add_value(rows,
                                vgpu_doctor_row_new("daemon", "ok", "virtvgpud answers", NULL));
    add_rows(rows, found);
    check_guests(manager, rows);
    return true;
}

static void
print_checks(GVariant *rows, bool wide)
{
    VgpuTableStyle style = {
        .wide = wide,
        .width = vgpu_terminal_width(),
        .colour = vgpu_terminal_has_colour(),
    };
    g_autofree char *text = vgpu_doctor_text(rows, &style);

    printf("%s", text);
}

static int
check_host(const VgpuCli *cli)
{
    const char *program = vgpu_helper_path("virt-vgpu-driver");
    GVariantBuilder builder, of_daemon;
    g_autoptr(GVariant) found = NULL;
    g_autoptr(GVariant) rows = NULL;
    int status = EXIT_SUCCESS;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    g_variant_builder_init(&of_daemon, G_VARIANT_TYPE("aa{sv}"));
    /* while the daemon runs, only its own processes may get stuck in a driver */
    vgpu_doctor_local(cli->root, program, !check_daemon(cli, &of_daemon), &builder);
    found = g_variant_ref_sink(g_variant_builder_end(&of_daemon));
    add_rows(&builder, found);
    rows = g_variant_ref_sink(g_variant_builder_end(&builder));

    if (cli->json || vgpu_table_is_alone())
        vgpu_table_print(doctor_columns, rows, cli->json, cli->wide);
    else
        print_checks(rows, cli->wide);
    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        const char *result = "";

        g_variant_lookup(row, "status", "&s", &result);
        if (strcmp(result, "fail") == 0)
            status = EXIT_FAILURE;
    }
    return status;
}

/* Print what is missing in the bundle. */
static void
report_gaps(const VgpuCaptureJson *json)
{
    g_autoptr(GPtrArray) gaps = vgpu_capture_json_gaps(json);

    for (guint i = 0; i < gaps->len; i++)
        fprintf(stderr, "virt-vgpu: warning: not captured: %s\n", (const char *) gaps->pdata[i]);
}

static bool
write_capture(const char *path, const VgpuCaptureJson *json, GError **error)
{
    static const char *const inputs[] = { NULL };
    g_autofree char *text = vgpu_capture_json_text(json);
    g_autoptr(VgpuIsoOutput) output = NULL;
    guint64 size;

    if (strcmp(path, "-") == 0) {
        printf("%s", text);
        return true;
    }
    output = vgpu_iso_output_new(path, inputs, error);
    if (!output)
        return false;
    for (gsize done = 0, len = strlen(text); done < len;) {
        ssize_t n = write(output->fd, text + done, len - done);

        if (n < 0 && errno != EINTR)
            return vgpu_error_errno(error, vgpu_error_code_of(errno), errno, "cannot write %s",
                                    path);
        done += n > 0 ? (gsize) n : 0;
    }
    if (!vgpu_iso_output_finish(output, &size, error))
        return false;
    printf("%s: %" G_GUINT64_FORMAT " bytes; docs/hardware.md describes its contents\n", path,
           size);
    return true;
}

typedef struct {
    const VgpuCli *cli;
    VgpuDoctorDriver *driver;
    const VgpuInventory *inventory;
    VgpuDisguise *disguise;
    VgpuCaptureJson *json;
} Trip;

/* A failed trial is also recorded in the bundle, as it is of special interest. False: there was no
 * trial. */
static bool
try_gpu(const Trip *trip, const char *address, GError **error)
{
    const VgpuGpu *gpu = address ? vgpu_inventory_find(trip->inventory, address) : NULL;
    g_autoptr(GError) failure = NULL;

    if (!address)
        return true;
    if (!gpu)
        return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, VGPU_REFUSAL_NO_GPU, address);
    if (vgpu_trial_run(trip->cli, trip->driver, gpu, trip->disguise, trip->json, &failure))
        return true;
    if (!vgpu_capture_json_has(trip->json, "trial")) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    fprintf(stderr, "virt-vgpu: warning: the trial on GPU %s failed: %s\n", address,
            failure->message);
    return true;
}

static int
capture_host(const VgpuCli *cli, const char *gpu, GError **error)
{
    const char *program = vgpu_helper_path("virt-vgpu-driver");
    g_autoptr(VgpuDoctorDriver) driver = vgpu_doctor_driver_new(program, cli->root);
    g_autoptr(VgpuDisguise) disguise = vgpu_disguise_new(g_get_host_name());
    g_autoptr(VgpuPatience) patience = vgpu_patience_new("The host is being examined");
    g_autoptr(GVariant) details = NULL;
    g_autoptr(VgpuInventory) inventory = vgpu_doctor_driver_discover(driver, &details, error);
    g_autoptr(VgpuCaptureJson) json =
        inventory ? vgpu_capture_host(cli, driver, inventory, disguise) : NULL;

    if (!json || !try_gpu(&(Trip) { cli, driver, inventory, disguise, json }, gpu, error))
        return EXIT_FAILURE;
    report_gaps(json);
    return write_capture(doctor_option.capture, json, error) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Check the arguments besides --capture. *@gpu: the GPU to try, NULL: none. */
static bool
check_doctor_options(char **args, char **gpu, GError **error)
{
    if (doctor_option.try && !doctor_option.capture)
        vgpu_command_usage(error, "--try needs --capture FILE");
    else if (doctor_option.try && !args[0])
        vgpu_command_usage(error, "--try needs the address of an idle GPU");
    else if (!doctor_option.try && args[0])
        vgpu_command_usage(error, "the GPU '%s' is for --try only", args[0]);
    else
        return !args[0] || (*gpu = vgpu_command_address(args[0], error));
    return false;
}

static int
run_doctor(const VgpuCli *cli, char **args, GError **error)
{
    g_autofree char *gpu = NULL;
    int status = VGPU_EXIT_USAGE;

    if (check_doctor_options(args, &gpu, error))
        status = doctor_option.capture ? capture_host(cli, gpu, error) : check_host(cli);
    g_clear_pointer(&doctor_option.capture, g_free);
    doctor_option.try = FALSE;
    return status;
}

/* --- events ------------------------------------------------------------------------------- */

typedef struct {
    const VgpuCli *cli;
    GMainLoop *loop;
    GError *error; /* why it ended, NULL: it was asked to */
} Events;

static const VgpuColumn event_columns[] = {
    { .key = "time" },
    { .key = "event" },
    { .key = "domain" },
    { .key = "domain_uuid" },
    { .key = "uuid" },
    { .key = "gpu" },
    { .key = "parent" },
    { .key = "profile" },
    { .key = "pool" },
    { .key = "outcome" },
    { .key = "reason" },
    { .key = "duration_ms" },
    { .key = "libvirt_ms" },
    { .key = "downtime_ms" },
    { .key = "data_bytes" },
    { .key = "xid" },
    { .key = "action" },
    { .key = "text" },
    { 0 },
};

static void
end_events(Events *self, VgpuError code, const char *why)
{
    if (!self->error)
        g_set_error_literal(&self->error, VGPU_ERROR, (int) code, why);
    g_main_loop_quit(self->loop);
}

/* "TIME EVENT key=value …", with the keys of the event. */
static char *
event_line(GVariant *event)
{
    GString *line = g_string_new(NULL);

    for (const VgpuColumn *column = event_columns; column->key; column++) {
        g_autoptr(GVariant) value = g_variant_lookup_value(event, column->key, NULL);
        g_autofree char *text = NULL;

        if (!value)
            continue;
        text = g_variant_is_of_type(value, G_VARIANT_TYPE_STRING) &&
                       !strpbrk(g_variant_get_string(value, NULL), " '\n")
                   ? g_variant_dup_string(value, NULL)
                   : g_variant_print(value, FALSE);
        if (column < event_columns + 2) /* time and event speak for themselves */
            g_string_append_printf(line, "%s%s", line->len ? " " : "", text);
        else
            g_string_append_printf(line, " %s=%s", column->key, text);
    }
    return g_string_free(line, FALSE);
}

static void
on_event(VgpuBusManager1 *manager, GVariant *event, gpointer opaque)
{
    Events *self = opaque;
    g_autofree char *line =
        self->cli->json ? vgpu_table_json_object(event_columns, event, false) : event_line(event);

    printf("%s\n", line);
    if (fflush(stdout) != 0)
        end_events(self, VGPU_ERROR_FAILED, "cannot write the output");
}

/* The daemon may be restarted under us: its next life is listened to as well. */
static void
on_owner(GObject *proxy, GParamSpec *pspec, gpointer opaque)
{
    g_autofree char *owner = g_dbus_proxy_get_name_owner(G_DBUS_PROXY(proxy));

    fprintf(stderr, "virt-vgpu: virtvgpud %s\n",
            owner ? "is back" : "is gone; waiting for it to come back");
}

static void
on_bus_closed(GDBusConnection *connection, gboolean vanished, GError *reason, gpointer opaque)
{
    end_events(opaque, VGPU_ERROR_UNAVAILABLE, "the connection to the bus was lost");
}

static gboolean
on_signal(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static int
run_events(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Events self = { .cli = cli, .loop = loop };

    if (!manager)
        return EXIT_FAILURE;
    g_signal_connect(manager, "event", G_CALLBACK(on_event), &self);
    g_signal_connect(manager, "notify::g-name-owner", G_CALLBACK(on_owner), NULL);
    g_signal_connect(g_dbus_proxy_get_connection(G_DBUS_PROXY(manager)), "closed",
                     G_CALLBACK(on_bus_closed), &self);
    g_unix_signal_add(SIGINT, on_signal, loop);
    g_unix_signal_add(SIGTERM, on_signal, loop);
    g_main_loop_run(loop);

    if (self.error) {
        g_propagate_error(error, self.error);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

const VgpuCommand vgpu_commands_host[] = {
    { .name = "doctor",
      .synopsis = "[--capture FILE [--try GPU]]",
      .summary = "is this host set up for vGPUs?",
      .description =
          "Checks the host (IOMMU, VFIO), the GPUs with their drivers, modes and virtual "
          "functions, the hook and whether libvirt knows it, other hooks and tools that may "
          "conflict, pools and leftovers, and says how to fix what it finds. The exit status "
          "is 1 if a check failed; warnings do not count. With --capture it writes a bundle "
          "(JSON) that describes the host: the files in sysfs of GPUs, VFs and their vGPU "
          "types, libvirt's node devices, what the vendor's library reports, and versions; "
          "without UUIDs, MAC addresses, serial numbers, and names of host and domains. "
          "docs/hardware.md says how bundles are used. With --try the bundle also has the "
          "files of an idle GPU before, with and after one vGPU, which virtvgpud makes and "
          "removes, and how long that took.",
      .example =
          "virt-vgpu doctor\nvirt-vgpu doctor --json | jq '.[] | select(.status != \"ok\")'\n"
          "virt-vgpu doctor --capture host.json --try 41:00.0",
      .max_args = 1,
      .options = doctor_options,
      .columns = doctor_table,
      .run = run_doctor },
    { .name = "reconcile",
      .synopsis = "[--dry-run]",
      .summary = "compare records, devices and domains, and repair",
      .description =
          "Compares what virt-vgpu has recorded with the devices that exist and the domains "
          "that run, removes leftovers of its own and completes interrupted operations. "
          "Foreign devices are never touched. The daemon does so by itself when it starts and "
          "when libvirt comes back.",
      .example = "virt-vgpu reconcile --dry-run",
      .options = reconcile_options,
      .columns = reconcile_columns,
      .run = run_reconcile },
    { .name = "events",
      .synopsis = "",
      .summary = "print what happens, as it happens",
      .description =
          "Prints one line per event (vGPU made, removed, attached or failed, start refused, "
          "GPU appeared or gone, …) until it is interrupted; with --json one object per line.",
      .example = "virt-vgpu events --json | jq -c 'select(.event == \"start-refused\")'",
      .run = run_events },
    { 0 },
};
