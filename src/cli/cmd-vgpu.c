/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs about vGPUs: list, create, destroy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/uuid.h"
#include "cli/bus.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "gpu/stats.h"

#define RESTART_MARK "*"

/* The columns of vgpu_rows_vgpu, and the figures; those of less interest are shown only with --wide. */
static const VgpuColumn stats_columns[] = {
    { .key = "domain", .header = "Domain", .fit = VGPU_FIT_CUT },
    { .key = "domain_uuid", .header = "Domain UUID", .wide = true },
    { .key = "index", .header = "#", .spare = true },
    { .key = "uuid", .header = "UUID", .wide = true, .tells = true },
    { .key = "gpu", .header = "GPU", .spare = true },
    { .key = "parent", .header = "Parent" },
    { .key = "profile", .header = "Profile", .fit = VGPU_FIT_FRONT },
    { .key = "profile_id", .header = "Profile ID", .wide = true },
    { .key = "interface", .header = "Interface", .wide = true },
    { .key = "pool", .header = "Pool", .wide = true },
    { .key = "tenant", .header = "Tenant", .wide = true },
    { .key = "restart_needed", .header = "Restart needed", .wide = true },
    { .key = "state", .header = "State", .state = true },
    { .key = "fb_mib", .header = "MiB", .wide = true },
    { .key = "fb_used_mib", .header = "Used MiB" },
    { .key = "gpu_util", .header = "GPU %" },
    { .key = "mem_util", .header = "Memory %", .wide = true },
    { .key = "enc_util", .header = "Encoder %", .wide = true },
    { .key = "dec_util", .header = "Decoder %", .wide = true },
    { .key = "license_state", .header = "License", .fit = VGPU_FIT_CUT },
    { .key = "license_expiry", .header = "Expires", .wide = true },
    { .key = "driver_version", .header = "Driver", .wide = true },
    { 0 },
};

static struct {
    gboolean all;
    gboolean stats;
    gboolean persistent;
    char *uuid;
} option;

static const GOptionEntry list_options[] = {
    { "all", 0, 0, G_OPTION_ARG_NONE, &option.all,
      "also planned vGPUs of domains that are off, and foreign ones", NULL },
    { "stats", 0, 0, G_OPTION_ARG_NONE, &option.stats,
      "with frame buffer, utilisation and licence, where they are reported", NULL },
    { 0 },
};

static const GOptionEntry create_options[] = {
    { "uuid", 0, 0, G_OPTION_ARG_STRING, &option.uuid, "its UUID [a random one]", "UUID" },
    { "persistent", 0, 0, G_OPTION_ARG_NONE, &option.persistent,
      "keep it across reboots of the host", NULL },
    { 0 },
};

/* Missing statistics are not an error: a host need not have the vendor's library. */
static GVariant *
with_stats(VgpuBusManager1 *manager, GVariant *vgpus)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) stats =
        vgpu_bus_call(manager, "GetStats", g_variant_new("()"), "Waiting for the driver", &error);

    if (!stats)
        fprintf(stderr, "virt-vgpu: cannot get statistics: %s\n", error->message);
    return vgpu_stats_join(vgpus, stats);
}

/* Mark the states of vGPUs whose domains need a restart: only --wide has a column for that. */
static GVariant *
with_marks(GVariant *vgpus, bool *any)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (gsize i = 0; i < g_variant_n_children(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);
        gboolean needed = FALSE;
        const char *state = "";
        GVariantDict dict;

        g_variant_dict_init(&dict, vgpu);
        (void) !g_variant_lookup(vgpu, "state", "&s", &state);
        if (g_variant_lookup(vgpu, "restart_needed", "b", &needed) && needed) {
            g_autofree char *text = g_strconcat(state, " " RESTART_MARK, NULL);

            g_variant_dict_insert(&dict, "state", "s", text);
            *any = true;
        }
        g_variant_builder_add_value(&builder, g_variant_dict_end(&dict));
    }
    return g_variant_ref_sink(g_variant_builder_end(&builder));
}

/* "destroy" needs the UUID of a vGPU without a domain: show that column if there is such a vGPU. */
static void
print_vgpus(const VgpuColumn *columns, GVariant *vgpus)
{
    VgpuColumn shown[32] = { 0 };
    bool nameless = false;

    for (gsize i = 0; i < g_variant_n_children(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);
        const char *domain = "", *uuid;

        (void) !g_variant_lookup(vgpu, "domain", "&s", &domain);
        nameless |= !*domain && g_variant_lookup(vgpu, "uuid", "&s", &uuid);
    }
    for (guint c = 0; columns[c].key; c++) {
        g_assert(c + 1 < G_N_ELEMENTS(shown));
        shown[c] = columns[c];
        if (nameless && strcmp(shown[c].key, "uuid") == 0)
            shown[c].wide = false;
    }
    vgpu_table_print(shown, vgpus, false, false);
}

static const VgpuColumn *
list_columns(void)
{
    return option.stats ? stats_columns : vgpu_rows_vgpu;
}

static int
run_list(const VgpuCli *cli, char **args, GError **error)
{
    const VgpuColumn *columns = list_columns();
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autoptr(GVariant) listed =
        manager ? vgpu_bus_query(manager, "ListVgpus", g_variant_new("(b)", option.all), error)
                : NULL;
    g_autoptr(GVariant) vgpus = NULL, marked = NULL;
    bool any = false;

    if (!listed)
        return EXIT_FAILURE;
    vgpus = option.stats ? with_stats(manager, listed) : g_variant_ref(listed);
    if (cli->json || cli->wide || vgpu_table_is_chosen()) {
        vgpu_table_print(columns, vgpus, cli->json, cli->wide);
        return EXIT_SUCCESS;
    }
    marked = with_marks(vgpus, &any);
    print_vgpus(columns, marked);
    if (any && !vgpu_table_is_alone())
        printf("\n" RESTART_MARK " the domain's vGPUs differ from its definition until it is "
               "restarted\n");
    return EXIT_SUCCESS;
}

/* The canonical form of a UUID that the user typed; NULL with a usage error. */
static char *
uuid_arg(const char *text, GError **error)
{
    char *uuid = vgpu_uuid_canonical(text);

    if (!uuid)
        vgpu_command_usage(error, "'%s' is not a UUID", text);
    return uuid;
}

static GVariant *
wanted_options(const char *uuid)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);

    if (uuid)
        g_variant_dict_insert(&options, "uuid", "s", uuid);
    g_variant_dict_insert(&options, "persistent", "b", option.persistent);
    return g_variant_dict_end(&options);
}

static int
run_create(const VgpuCli *cli, char **args, GError **error)
{
    g_autofree char *typed_uuid = g_steal_pointer(&option.uuid);
    g_autofree char *address = vgpu_command_address(args[0], error);
    g_autofree char *uuid = NULL;
    g_autoptr(VgpuBusManager1) manager = NULL;
    g_autoptr(GVariant) vgpu = NULL;
    const char *made = NULL, *parent = NULL;

    if (!address)
        return VGPU_EXIT_USAGE;
    if (typed_uuid && !(uuid = uuid_arg(typed_uuid, error)))
        return VGPU_EXIT_USAGE;
    if (!(manager = vgpu_bus_open(cli->bus, error)))
        return EXIT_FAILURE;
    vgpu = vgpu_bus_call(manager, "CreateVgpu",
                         g_variant_new("(ss@a{sv})", address, args[1], wanted_options(uuid)),
                         "The vGPU is being made", error);
    if (!vgpu) {
        vgpu_suggest(manager, args[1], NULL, error);
        return EXIT_FAILURE;
    }

    if (cli->json) {
        vgpu_table_print_object(vgpu_rows_vgpu, vgpu);
        return EXIT_SUCCESS;
    }
    g_variant_lookup(vgpu, "uuid", "&s", &made);
    g_variant_lookup(vgpu, "parent", "&s", &parent);
    printf("vGPU %s created on %s\n", made ? made : "", parent ? parent : address);
    return EXIT_SUCCESS;
}

static int
run_destroy(const VgpuCli *cli, char **args, GError **error)
{
    static const VgpuColumn columns[] = { { .key = "uuid" }, { .key = "done" }, { 0 } };
    g_autofree char *uuid = uuid_arg(args[0], error);
    g_autoptr(VgpuBusManager1) manager = NULL;
    g_autoptr(GVariant) done = NULL;

    if (!uuid)
        return VGPU_EXIT_USAGE;
    if (!(manager = vgpu_bus_open(cli->bus, error)))
        return EXIT_FAILURE;
    done = vgpu_bus_call(manager, "DestroyVgpu", g_variant_new("(s)", uuid),
                         "The vGPU is being removed", error);
    if (!done)
        return EXIT_FAILURE;

    if (cli->json)
        vgpu_table_print_object(columns,
                                g_variant_new_parsed("{'uuid': <%s>, 'done': <true>}", uuid));
    else
        printf("vGPU %s destroyed\n", uuid);
    return EXIT_SUCCESS;
}

const VgpuCommand vgpu_commands_vgpu[] = {
    { .name = "list",
      .synopsis = "[--all] [--stats]",
      .summary = "the vGPUs that exist, and their domains",
      .description =
          "Lists the vGPUs of this host with domain, profile and state. With --all also those "
          "planned for domains that are off (planned) and those that were not made by "
          "virt-vgpu (foreign). With --stats also what the vendor's library reports for each: "
          "frame buffer in use, utilisation, the state of the guest's licence and when it "
          "expires, and the guest's driver. Values that it does not report are shown as unknown, "
          "not zero.",
      .example = "virt-vgpu list\nvirt-vgpu list --all --wide\nvirt-vgpu list --stats",
      .options = list_options,
      .columns = list_columns,
      .run = run_list },
    { .name = "create",
      .synopsis = "GPU|VF PROFILE [--uuid UUID] [--persistent]",
      .summary = "make a vGPU without a domain",
      .description =
          "Makes a vGPU of PROFILE (a name or an id of profile-list) on GPU, or on the "
          "virtual function VF. Starts and stops of domains do not affect it; it stays "
          "until 'destroy' or, without --persistent, until the host reboots. On a GPU "
          "without mediated devices, or for a MIG-backed profile, --persistent reserves room for "
          "a vGPU instead of making one.",
      .example = "virt-vgpu create 41:00.0 'NVIDIA A2-4Q'\n"
                 "virt-vgpu create 41:00.0 nvidia-746 --persistent",
      .min_args = 2,
      .max_args = 2,
      .options = create_options,
      .run = run_create },
    { .name = "destroy",
      .synopsis = "UUID",
      .summary = "remove a vGPU that 'create' made",
      .description =
          "Removes a vGPU that was made with 'create'. Refused while a domain uses it. With the "
          "UUID that 'list --wide' shows for a saved vGPU, gives up the room that is reserved "
          "for its domain.",
      .example = "virt-vgpu destroy 6f8d9a34-9a0e-4b0c-8a55-0a8a3b6f3d10",
      .min_args = 1,
      .max_args = 1,
      .run = run_destroy },
    { 0 },
};
