/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs for migrating to virt-vgpu, and away from it: import, uninstall-check. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/printable.h"
#include "cli/boot-lines.h"
#include "cli/bus.h"
#include "cli/command.h"
#include "cli/domain-io.h"
#include "cli/leavings.h"
#include "cli/line-diff.h"
#include "cli/table.h"
#include "cli/takeover.h"
#include "domain/hostdev.h"
#include "libvirt/connection.h"

static struct {
    gboolean all, dry_run;
    char *profile;
} option;

static const GOptionEntry import_options[] = {
    { "all", 0, 0, G_OPTION_ARG_NONE, &option.all, "with --dry-run: every domain of the host",
      NULL },
    { "dry-run", 0, 0, G_OPTION_ARG_NONE, &option.dry_run,
      "only print how the definition would change", NULL },
    { "profile", 0, 0, G_OPTION_ARG_STRING, &option.profile,
      "profile of vGPUs whose profile cannot be determined", "P" },
    { 0 },
};

static const VgpuColumn vgpu_columns[] = {
    { .key = "index" }, { .key = "profile" }, { .key = "gpu" },
    { .key = "uuid" },  { .key = "hostdev" }, { 0 },
};

static const VgpuColumn columns[] = {
    { .key = "domain", .header = "Domain", .fit = VGPU_FIT_CUT },
    { .key = "domain_uuid" },
    { .key = "possible" },
    { .key = "vgpus", .nested = vgpu_columns },
    { .key = "found", .header = "vGPUs made by hand", .fit = VGPU_FIT_WRAP },
    { .key = "reason", .header = "Not possible because", .fit = VGPU_FIT_WRAP },
    { .key = "changes" },
    { .key = "todo" },
    { .key = "diff" },
    { 0 },
};

/* The data for judging all domains. */
typedef struct {
    virConnectPtr conn;
    VgpuBusManager1 *manager;
    VgpuSysfs *fs;
    VgpuHandmade *host;
    GPtrArray *boot_lines; /* of VgpuBootLine; NULL: not looked for yet */
} Import;

static void
import_clear(Import *self)
{
    g_clear_pointer(&self->boot_lines, g_ptr_array_unref);
    g_clear_pointer(&self->host, vgpu_handmade_free);
    g_clear_pointer(&self->fs, vgpu_sysfs_free);
    g_clear_object(&self->manager);
    g_clear_pointer(&self->conn, virConnectClose);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Import, import_clear)

static bool
import_open(Import *self, const VgpuCli *cli, GError **error)
{
    return (self->conn = vgpu_connection_open_once(cli->uri, error)) &&
           (self->manager = vgpu_bus_open(cli->bus, error)) &&
           (self->fs = vgpu_sysfs_new(cli->root, error)) &&
           (self->host = vgpu_handmade_new(self->manager, self->fs, error));
}

static VgpuTakeover *
plan(const Import *self, const VgpuDomainState *domain, GError **error)
{
    return vgpu_takeover_plan(self->host, domain, option.profile,
                              vgpu_connection_version(self->conn), error);
}

/* --- output --------------------------------------------------------------------------- */

/* The text quotes scripts, definitions and mdevctl's files. */
static void say(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void
say(const char *format, ...)
{
    g_autofree char *text = NULL, *shown = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    shown = vgpu_printable_lines(text);
    fputs(shown, stdout);
}

static const VgpuHostdev *
hostdev_of(const VgpuTakeover *takeover, const VgpuTakeoverDevice *device)
{
    return takeover->domain->hostdevs->pdata[device->hostdev];
}

/* "NVIDIA A2-4Q on 0000:41:00.4, mdev UUID" */
static char *
device_text(const VgpuTakeover *takeover, const VgpuTakeoverDevice *device)
{
    const VgpuHostdev *hostdev = hostdev_of(takeover, device);

    return g_strdup_printf("%s%s%s%s%s", device->device.profile, device->device.gpu ? " on " : "",
                           device->device.gpu ? device->device.gpu : "",
                           hostdev->uuid ? ", mdev " : "", hostdev->uuid ? hostdev->uuid : "");
}

static char *
found_text(const VgpuTakeover *takeover)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < takeover->devices->len; i++) {
        g_autofree char *device = device_text(takeover, takeover->devices->pdata[i]);

        g_string_append_printf(text, "%s%s", i ? "; " : "", device);
    }
    return g_string_free(text, FALSE);
}

/* The steps left to do besides the import; of char *, ended by NULL. */
static GPtrArray *
list_todo(Import *self, const VgpuTakeover *takeover)
{
    GPtrArray *todo = g_ptr_array_new_with_free_func(g_free);

    if (takeover->devices->len && !self->boot_lines)
        self->boot_lines = vgpu_boot_lines_find(self->fs);
    for (guint i = 0; i < takeover->devices->len; i++) {
        const VgpuTakeoverDevice *device = takeover->devices->pdata[i];

        if (device->device.advice)
            g_ptr_array_add(todo, g_strdup(device->device.advice));
    }
    for (guint i = 0; takeover->devices->len && i < self->boot_lines->len; i++)
        g_ptr_array_add(todo, vgpu_boot_line_advice(self->boot_lines->pdata[i]));
    g_ptr_array_add(todo, NULL);
    return todo;
}

static GVariant *
device_row(const VgpuTakeover *takeover, guint number)
{
    const VgpuTakeoverDevice *device = takeover->devices->pdata[number];
    const VgpuHostdev *hostdev = hostdev_of(takeover, device);
    guint index = takeover->plan ? takeover->plan->numbers[number] : number;
    GVariantDict row;

    g_variant_dict_init(&row, NULL);
    g_variant_dict_insert(&row, "index", "u", index);
    g_variant_dict_insert(&row, "profile", "s", device->device.profile);
    if (device->device.gpu)
        g_variant_dict_insert(&row, "gpu", "s", device->device.gpu);
    if (hostdev->uuid)
        g_variant_dict_insert(&row, "uuid", "s", hostdev->uuid);
    g_variant_dict_insert(&row, "hostdev", "s", hostdev->uuid ? "kept" : "replaced");
    return g_variant_dict_end(&row);
}

static GVariant *
row_of(Import *self, const VgpuDomainState *domain, const VgpuTakeover *takeover,
       const char *reason)
{
    GVariantDict row;
    GVariantBuilder vgpus;

    g_variant_dict_init(&row, NULL);
    g_variant_dict_insert(&row, "domain", "s", domain->name);
    g_variant_dict_insert(&row, "domain_uuid", "s", domain->uuid);
    g_variant_dict_insert(&row, "possible", "b", takeover != NULL);
    if (reason)
        g_variant_dict_insert(&row, "reason", "s", reason);
    if (!takeover)
        return g_variant_dict_end(&row);

    g_variant_builder_init(&vgpus, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < takeover->devices->len; i++)
        g_variant_builder_add_value(&vgpus, device_row(takeover, i));
    g_variant_dict_insert_value(&row, "vgpus", g_variant_builder_end(&vgpus));
    if (takeover->plan) {
        g_autoptr(GPtrArray) todo = list_todo(self, takeover);
        g_autofree char *found = found_text(takeover);
        g_autofree char *diff =
            vgpu_line_diff(domain->name, takeover->plan->before, takeover->plan->after);

        g_variant_dict_insert(&row, "found", "s", found);
        g_variant_dict_insert(&row, "diff", "s", diff);
        g_variant_dict_insert_value(&row, "todo",
                                    g_variant_new_strv((const char *const *) todo->pdata, -1));
    }
    return g_variant_dict_end(&row);
}

/* --- one domain ----------------------------------------------------------------------------- */

/* Make the definition follow at once if possible; returns the daemon's changes, NULL with @note if there
 * were none. */
static GVariant *
inject(const Import *self, const char *uuid, char **note)
{
    g_autoptr(GError) error = NULL;
    GVariant *changes = vgpu_bus_call(self->manager, "Inject", g_variant_new("(s)", uuid),
                                      "The definition is being changed", &error);

    if (!changes)
        *note = g_error_matches(error, VGPU_ERROR, VGPU_ERROR_DENIED)
                    ? g_strdup("its definition follows within a second")
                    : g_strdup_printf("its definition follows later: %s", error->message);
    return changes;
}

static void
print_imported(const VgpuTakeover *takeover)
{
    for (guint i = 0; i < takeover->devices->len; i++) {
        const VgpuTakeoverDevice *device = takeover->devices->pdata[i];
        g_autofree char *text = device_text(takeover, device);

        say("  vGPU %u: %s; its <hostdev> %s\n", takeover->plan->numbers[i], text,
            hostdev_of(takeover, device)->uuid
                ? "stays, and the annotation names its UUID"
                : "is replaced by one of virt-vgpu's on the same VF");
    }
}

static void
print_todo(Import *self, const VgpuDomainState *domain, const VgpuTakeover *takeover)
{
    g_autoptr(GPtrArray) todo = list_todo(self, takeover);

    if (domain->id >= 0)
        say("  The domain is running and keeps its devices until it stops.\n");
    if (todo->len > 1)
        say("Left to do:\n");
    for (guint i = 0; i + 1 < todo->len; i++)
        say("  %s\n", (const char *) todo->pdata[i]);
}

static void
print_json(Import *self, const VgpuDomainState *domain, const VgpuTakeover *takeover,
           GVariant *changes)
{
    GVariantDict row;

    g_variant_dict_init(&row, row_of(self, domain, takeover, NULL));
    if (changes)
        g_variant_dict_insert_value(&row, "changes", changes);
    vgpu_table_print_object(columns, g_variant_dict_end(&row));
}

static void
show(const VgpuCli *cli, Import *self, const VgpuDomainState *domain,
     const VgpuTakeover *takeover)
{
    g_autofree char *diff = NULL;

    if (cli->json) {
        print_json(self, domain, takeover, NULL);
        return;
    }
    say("Domain '%s': %u vGPU%s would be imported\n", domain->name, takeover->devices->len,
        takeover->devices->len == 1 ? "" : "s");
    print_imported(takeover);
    diff = vgpu_line_diff(domain->name, takeover->plan->before, takeover->plan->after);
    say("%s", diff);
    print_todo(self, domain, takeover);
}

static void
warn(const VgpuTakeover *takeover, VgpuBusManager1 *manager)
{
    g_autoptr(VgpuDomain) after =
        vgpu_domain_parse(takeover->plan->after, strlen(takeover->plan->after), takeover->what,
                          NULL);

    if (after)
        vgpu_domain_io_print_warnings(takeover->what, after, manager);
}

static bool
take_over(const VgpuCli *cli, Import *self, const VgpuDomainState *domain,
          const VgpuTakeover *takeover, GError **error)
{
    g_autoptr(GVariant) changes = NULL;
    g_autofree char *note = NULL;

    if (!vgpu_takeover_apply(takeover, self->conn, error))
        return false;
    changes = inject(self, domain->uuid, &note);
    if (cli->json) {
        if (note)
            fprintf(stderr, "virt-vgpu: %s: %s\n", takeover->what, note);
        print_json(self, domain, takeover, changes);
        return true;
    }
    say("Domain '%s': %u vGPU%s imported%s%s\n", domain->name, takeover->devices->len,
        takeover->devices->len == 1 ? "" : "s", note ? "; " : "", note ? note : "");
    print_imported(takeover);
    print_todo(self, domain, takeover);
    return true;
}

static int
import_one(const VgpuCli *cli, Import *self, const char *name, GError **error)
{
    g_autoptr(VgpuDomainState) domain = vgpu_domains_find(self->conn, name, error);
    g_autoptr(VgpuTakeover) takeover = domain ? plan(self, domain, error) : NULL;

    if (!takeover)
        return EXIT_FAILURE;
    if (!takeover->plan) {
        if (cli->json)
            print_json(self, domain, takeover, NULL);
        else
            say("Domain '%s' has no vGPU that was made by hand\n", domain->name);
        return EXIT_SUCCESS;
    }
    warn(takeover, self->manager);
    if (option.dry_run)
        show(cli, self, domain, takeover);
    else if (!take_over(cli, self, domain, takeover, error))
        return EXIT_FAILURE;
    return EXIT_SUCCESS;
}

/* --- all of them ---------------------------------------------------------------------------- */

/* Whether the domain has anything to import: others are left out of a list of all domains. */
static bool
is_concerned(const VgpuTakeover *takeover)
{
    return !takeover || takeover->plan;
}

static int
list_all(const VgpuCli *cli, Import *self, GError **error)
{
    g_autoptr(GPtrArray) domains = vgpu_domains_list(self->conn, error);
    g_autoptr(GVariant) rows = NULL;
    GVariantBuilder builder;

    if (!domains)
        return EXIT_FAILURE;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < domains->len; i++) {
        const VgpuDomainState *domain = domains->pdata[i];
        g_autoptr(GError) why = NULL;
        g_autoptr(VgpuTakeover) takeover = domain->definition ? plan(self, domain, &why) : NULL;
        g_autofree char *reason = why ? vgpu_error_reason(why) : NULL;

        if (domain->definition && is_concerned(takeover))
            g_variant_builder_add_value(&builder, row_of(self, domain, takeover, reason));
    }
    rows = g_variant_ref_sink(g_variant_builder_end(&builder));
    if (!cli->json && !vgpu_table_is_alone() && !g_variant_n_children(rows))
        printf("No domain has a vGPU that was made by hand\n");
    else
        vgpu_table_print(columns, rows, cli->json, cli->wide);
    return EXIT_SUCCESS;
}

static const VgpuColumn *
import_columns(void)
{
    return columns;
}

static int
run_import(const VgpuCli *cli, char **args, GError **error)
{
    g_auto(Import) import = { 0 };

    if (option.all && !option.dry_run)
        return vgpu_command_usage(error, "--all needs --dry-run; import domains one by one");
    if (option.all && args[0])
        return vgpu_command_usage(error, "either DOMAIN or --all, not both");
    if (!option.all && !args[0])
        return vgpu_command_usage(error, "DOMAIN, or --all --dry-run, is missing");
    if (!option.all && vgpu_table_is_alone())
        return vgpu_command_usage(error, "-o and --noheadings apply to the table of --all");
    if (!import_open(&import, cli, error))
        return EXIT_FAILURE;
    return option.all ? list_all(cli, &import, error) : import_one(cli, &import, args[0], error);
}

const VgpuCommand vgpu_commands_import[] = {
    { .name = "import",
      .synopsis = "DOMAIN | --all [--dry-run] [--profile P]",
      .summary = "take over vGPUs that were made by hand",
      .description =
          "Takes over the vGPUs that a domain has <hostdev>s for and that were made by hand, "
          "through sysfs or mdevctl: its definition gets an annotation that asks for the same "
          "profiles in the same places. An mdev keeps its <hostdev> and its UUID; the <hostdev> "
          "of a virtual function is replaced by one of virt-vgpu's, at the same address in the "
          "guest. Either all vGPUs of the domain are imported or none. A running domain keeps "
          "its devices until it stops. Anything else that makes these vGPUs at boot is reported "
          "and left alone. With --dry-run nothing is changed.",
      .example = "virt-vgpu import --all --dry-run\nvirt-vgpu import cad1 --dry-run\n"
                 "virt-vgpu import cad1",
      .max_args = 1,
      .options = import_options,
      .columns = import_columns,
      .run = run_import },
    { .name = "uninstall-check",
      .synopsis = "",
      .summary = "what removing virt-vgpu would break or leave",
      .description =
          "Lists what would stop working or be left behind if virt-vgpu were removed from this "
          "host: domains that are annotated or have its devices, running domains, existing "
          "vGPUs, records, the host layout and the hook, with what to do about each "
          "beforehand. The exit status is 0 when nothing is left to do, and 1 otherwise. "
          "Changes nothing.",
      .example = "virt-vgpu uninstall-check && apt remove virt-vgpu",
      .columns = vgpu_leavings_columns,
      .run = vgpu_leavings_run },
    { 0 },
};
