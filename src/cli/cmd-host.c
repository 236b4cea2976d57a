/* Verbs about the host as a whole: reconcile, doctor, events. */
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/bus.h"
#include "cli/command.h"
#include "cli/doctor.h"
#include "cli/table.h"
#include "cli/terminal.h"

static struct {
    gboolean dry_run;
} option;

static const GOptionEntry reconcile_options[] = {
    { "dry-run", 0, 0, G_OPTION_ARG_NONE, &option.dry_run, "only say what would be done", NULL },
    { 0 },
};

static int
run_reconcile(const VgpuCli *cli, char **args, GError **error)
{
    static const VgpuColumn columns[] = {
        { .key = "action", .header = "Action", .fit = VGPU_FIT_CUT },
        { .key = "uuid", .header = "UUID" },
        { .key = "reason", .header = "Reason", .fit = VGPU_FIT_WRAP },
        { 0 },
    };
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autoptr(GVariant) actions =
        manager ? vgpu_bus_call(manager, "Reconcile", g_variant_new("(b)", option.dry_run),
                                "Devices and domains are being compared", error)
                : NULL;

    if (!actions)
        return EXIT_FAILURE;
    vgpu_table_print(columns, actions, cli->json, cli->wide);
    return EXIT_SUCCESS;
}

/* --- doctor ------------------------------------------------------------------------------- */

static const VgpuColumn doctor_columns[] = {
    { .key = "check" }, { .key = "status" }, { .key = "detail" }, { .key = "fix" }, { 0 },
};

static void
add_rows(GVariantBuilder *rows, GVariant *more)
{
    for (gsize i = 0; i < g_variant_n_children(more); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(more, i);

        g_variant_builder_add_value(rows, row);
    }
}

/* Whether the daemon answers; and what it has found. */
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
run_doctor(const VgpuCli *cli, char **args, GError **error)
{
    g_autofree char *program = vgpu_command_program("virt-vgpu-driver");
    GVariantBuilder builder, of_daemon;
    g_autoptr(GVariant) found = NULL;
    g_autoptr(GVariant) rows = NULL;
    int status = EXIT_SUCCESS;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    g_variant_builder_init(&of_daemon, G_VARIANT_TYPE("aa{sv}"));
    /* while the daemon runs, no process but its own is to be stuck in a driver */
    vgpu_doctor_local(cli->root, program, !check_daemon(cli, &of_daemon), &builder);
    found = g_variant_ref_sink(g_variant_builder_end(&of_daemon));
    add_rows(&builder, found);
    rows = g_variant_ref_sink(g_variant_builder_end(&builder));

    if (cli->json)
        vgpu_table_print(doctor_columns, rows, true, cli->wide);
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

/* --- events ------------------------------------------------------------------------------- */

typedef struct {
    const VgpuCli *cli;
    GMainLoop *loop;
    GError *error; /* why it ended, NULL: it was asked to */
} Events;

static const VgpuColumn event_columns[] = {
    { .key = "time" },    { .key = "event" },  { .key = "domain" },      { .key = "domain_uuid" },
    { .key = "uuid" },    { .key = "gpu" },    { .key = "parent" },      { .key = "profile" },
    { .key = "outcome" }, { .key = "reason" }, { .key = "duration_ms" }, { 0 },
};

static void
end_events(Events *self, const char *why)
{
    if (!self->error)
        g_set_error_literal(&self->error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE, why);
    g_main_loop_quit(self->loop);
}

/* "TIME EVENT key=value …", with what the event has. */
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
        end_events(self, "cannot write the output");
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
    end_events(opaque, "the bus is gone");
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
      .synopsis = "",
      .summary = "is this host set up for vGPUs?",
      .description =
          "Checks the host (IOMMU, VFIO), the GPUs with their drivers, modes and virtual "
          "functions, the hook and whether libvirt knows it, other hooks and tools that may "
          "clash, pools, and what was left behind, and says what to do. The exit status is 1 "
          "when a check failed; warnings do not count.",
      .example =
          "virt-vgpu doctor\nvirt-vgpu doctor --json | jq '.[] | select(.status != \"ok\")'",
      .run = run_doctor },
    { .name = "reconcile",
      .synopsis = "[--dry-run]",
      .summary = "compare records, devices and domains, and repair",
      .description =
          "Compares what virt-vgpu has recorded with the devices that exist and the domains "
          "that run, removes leftovers of its own and completes what was interrupted. Devices "
          "of others are never touched. The daemon does so by itself when it starts and when "
          "libvirt comes back.",
      .example = "virt-vgpu reconcile --dry-run",
      .options = reconcile_options,
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
