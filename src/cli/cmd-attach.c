/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs about domains that run: attach, detach. The daemon does it, with the caller's rights in
 * libvirt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bus.h"
#include "cli/command.h"
#include "cli/domain-io.h"
#include "cli/rows.h"
#include "cli/suggest.h"
#include "cli/table.h"

#define COUNT_UNSET -1
#define FLAG_LIVE 1u
#define FLAG_CONFIG 2u

static struct {
    char *profile, *pool, *gpu, *placement, *display, *ramfb;
    int count;
    gboolean driver_iso, live, config;
} option = { .count = COUNT_UNSET };

static const GOptionEntry attach_options[] = {
    { "profile", 0, 0, G_OPTION_ARG_STRING, &option.profile,
      "profile [the default profile of the pool]", "PROFILE" },
    { "pool", 0, 0, G_OPTION_ARG_STRING, &option.pool, "take it from this pool [default]",
      "POOL" },
    { "count", 0, 0, G_OPTION_ARG_INT, &option.count, "number of vGPUs [1]", "N" },
    { "gpu", 0, 0, G_OPTION_ARG_STRING, &option.gpu,
      "only on this GPU, or on this virtual function", "ADDR" },
    { "placement", 0, 0, G_OPTION_ARG_STRING, &option.placement,
      "pack, spread or numa [that of the pool]", "HOW" },
    { "display", 0, 0, G_OPTION_ARG_STRING, &option.display, "auto, on or off [auto]", "WHEN" },
    { "ramfb", 0, 0, G_OPTION_ARG_STRING, &option.ramfb, "auto, on or off [auto]", "WHEN" },
    { "driver-iso", 0, 0, G_OPTION_ARG_NONE, &option.driver_iso,
      "with the pool's image of the guest driver as a cdrom", NULL },
    { "live", 0, 0, G_OPTION_ARG_NONE, &option.live, "the running domain", NULL },
    { "config", 0, 0, G_OPTION_ARG_NONE, &option.config, "its definition, from the next start",
      NULL },
    { 0 },
};

static const char *const attach_values[] = {
    "placement pack spread numa",
    "display auto on off",
    "ramfb auto on off",
    NULL,
};

static const GOptionEntry detach_options[] = {
    { "live", 0, 0, G_OPTION_ARG_NONE, &option.live, "the running domain", NULL },
    { "config", 0, 0, G_OPTION_ARG_NONE, &option.config, "its definition, from the next start",
      NULL },
    { 0 },
};

/* The wanted states of the domain, running or defined; without either option, its present one. */
static guint32
wanted_flags(const VgpuDomainState *domain)
{
    if (option.live || option.config)
        return (option.live ? FLAG_LIVE : 0) | (option.config ? FLAG_CONFIG : 0);
    return domain->id >= 0 ? FLAG_LIVE : FLAG_CONFIG;
}

static const char *
flags_text(guint32 flags)
{
    switch (flags) {
    case FLAG_LIVE:
        return "the running domain";
    case FLAG_CONFIG:
        return "the definition, for the next start";
    default:
        return "the running domain and the definition";
    }
}

/* The device of the command line, in the daemon's format; NULL with a usage error. */
static GVariant *
wanted_device(GError **error)
{
    static const char *const placements[] = { "pack", "spread", "numa", NULL };
    g_autofree char *gpu = NULL;
    GVariantDict dict;

    if (!option.profile && !option.pool) {
        vgpu_command_usage(error, "--profile or --pool is missing");
        return NULL;
    }
    if (option.count != COUNT_UNSET && option.count < 1) {
        vgpu_command_usage(error, "--count %d: at least 1", option.count);
        return NULL;
    }
    if (option.placement && !g_strv_contains(placements, option.placement)) {
        vgpu_command_usage(error, "--placement %s: pack, spread or numa", option.placement);
        return NULL;
    }
    if (option.gpu && !(gpu = vgpu_command_address(option.gpu, error)))
        return NULL;

    g_variant_dict_init(&dict, NULL);
    if (option.profile)
        g_variant_dict_insert(&dict, "profile", "s", option.profile);
    if (option.pool)
        g_variant_dict_insert(&dict, "pool", "s", option.pool);
    if (gpu)
        g_variant_dict_insert(&dict, "gpu", "s", gpu);
    if (option.placement)
        g_variant_dict_insert(&dict, "placement", "s", option.placement);
    if (option.display)
        g_variant_dict_insert(&dict, "display", "s", option.display);
    if (option.ramfb)
        g_variant_dict_insert(&dict, "ramfb", "s", option.ramfb);
    if (option.count != COUNT_UNSET)
        g_variant_dict_insert(&dict, "count", "u", (guint32) option.count);
    if (option.driver_iso)
        g_variant_dict_insert(&dict, "driver_iso", "b", TRUE);
    return g_variant_ref_sink(g_variant_dict_end(&dict));
}

/* "  vGPU 1: NVIDIA A2-4Q on 0000:41:00.0 (UUID)" */
static void
print_vgpus(GVariant *vgpus)
{
    for (gsize i = 0; i < g_variant_n_children(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);
        const char *profile = "vGPU", *gpu = NULL, *uuid = NULL;
        guint32 index = 0;

        (void) !g_variant_lookup(vgpu, "index", "u", &index);
        (void) !g_variant_lookup(vgpu, "profile", "&s", &profile);
        (void) !g_variant_lookup(vgpu, "gpu", "&s", &gpu);
        (void) !g_variant_lookup(vgpu, "uuid", "&s", &uuid);
        printf("  vGPU %u: %s%s%s%s%s%s\n", index, profile, gpu ? " on " : "", gpu ? gpu : "",
               uuid ? " (" : "", uuid ? uuid : "", uuid ? ")" : "");
    }
}

static void
print_done(const VgpuCli *cli, const VgpuDomainState *domain, guint32 flags, const char *key,
           GVariant *value)
{
    static const VgpuColumn columns[] = {
        { .key = "domain" },
        { .key = "domain_uuid" },
        { .key = "live" },
        { .key = "config" },
        { .key = "changes" },
        { .key = "vgpus", .nested = vgpu_rows_vgpu },
        { 0 },
    };
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "domain", "s", domain->name);
    g_variant_dict_insert(&dict, "domain_uuid", "s", domain->uuid);
    g_variant_dict_insert(&dict, "live", "b", (flags & FLAG_LIVE) != 0);
    g_variant_dict_insert(&dict, "config", "b", (flags & FLAG_CONFIG) != 0);
    g_variant_dict_insert_value(&dict, key, value);
    vgpu_table_print_object(columns, g_variant_dict_end(&dict));
}

/* Warn of contents of the domain that conflict with its new vGPU. */
static void
print_warnings(const VgpuCli *cli, VgpuBusManager1 *manager, const char *uuid, guint32 flags)
{
    g_autoptr(VgpuDomainState) state = vgpu_domain_io_find(cli, uuid, NULL);
    const char *xml = !state                                       ? NULL
                      : state->definition && (flags & FLAG_CONFIG) ? state->definition
                                                                   : state->live;
    g_autoptr(VgpuDomain) domain = xml ? vgpu_domain_parse(xml, strlen(xml), NULL, NULL) : NULL;

    if (domain)
        vgpu_domain_io_print_warnings(domain->what, domain, manager);
}

/* As options of the methods. */
static GVariant *
where(guint32 flags)
{
    return g_variant_new_parsed("{'live': <%b>, 'config': <%b>}", (flags & FLAG_LIVE) != 0,
                                (flags & FLAG_CONFIG) != 0);
}

static int
run_attach(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(GVariant) device = wanted_device(error);
    g_autoptr(VgpuDomainState) domain = NULL;
    g_autoptr(VgpuBusManager1) manager = NULL;
    g_autoptr(GVariant) vgpus = NULL;
    g_autofree char *doing = NULL;
    guint32 flags;

    if (!device)
        return VGPU_EXIT_USAGE;
    if (!(domain = vgpu_domain_io_find(cli, args[0], error)) ||
        !(manager = vgpu_bus_open(cli->bus, error)))
        return EXIT_FAILURE;
    flags = wanted_flags(domain);
    doing = g_strdup_printf("Domain '%s' is getting its vGPU", domain->name);
    vgpus = vgpu_bus_call(manager, "Attach",
                          g_variant_new("(s@a{sv}@a{sv})", domain->uuid, device, where(flags)),
                          doing, error);
    if (!vgpus) {
        vgpu_suggest(manager, option.profile, option.pool, error);
        return EXIT_FAILURE;
    }
    print_warnings(cli, manager, domain->uuid, flags);
    if (cli->json) {
        print_done(cli, domain, flags, "vgpus", vgpus);
        return EXIT_SUCCESS;
    }
    printf("Domain '%s': %s attached to %s\n", domain->name, option.count > 1 ? "vGPUs" : "vGPU",
           flags_text(flags));
    print_vgpus(vgpus);
    return EXIT_SUCCESS;
}

static int
run_detach(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuDomainState) domain = NULL;
    g_autoptr(VgpuBusManager1) manager = NULL;
    g_autoptr(GVariant) changes = NULL;
    g_autofree const char **lines = NULL;
    g_autofree char *doing = NULL;
    guint64 index = 0;
    guint32 flags;

    if (!g_ascii_string_to_unsigned(args[1], 10, 0, G_MAXUINT16, &index, NULL))
        return vgpu_command_usage(
            error, "'%s' is not the index of a vGPU (0, 1, …; see 'virt-vgpu list')", args[1]);
    if (!(domain = vgpu_domain_io_find(cli, args[0], error)) ||
        !(manager = vgpu_bus_open(cli->bus, error)))
        return EXIT_FAILURE;
    flags = wanted_flags(domain);
    doing = flags & FLAG_LIVE
                ? g_strdup_printf("Waiting for the guest of domain '%s' to release vGPU %u",
                                  domain->name, (guint) index)
                : g_strdup_printf("Domain '%s' is being changed", domain->name);
    changes =
        vgpu_bus_call(manager, "Detach",
                      g_variant_new("(su@a{sv})", domain->uuid, (guint32) index, where(flags)),
                      doing, error);
    if (!changes)
        return EXIT_FAILURE;
    if (cli->json) {
        print_done(cli, domain, flags, "changes", changes);
        return EXIT_SUCCESS;
    }
    printf("Domain '%s': vGPU %u detached from %s\n", domain->name, (guint) index,
           flags_text(flags));
    lines = g_variant_get_strv(changes, NULL);
    for (const char **line = lines; *line; line++)
        printf("  %s\n", *line);
    return EXIT_SUCCESS;
}

const VgpuCommand vgpu_commands_attach[] = {
    { .name = "attach",
      .synopsis =
          "DOMAIN --profile PROFILE | --pool POOL [--count N] [--gpu ADDR] [--placement HOW] "
          "[--display WHEN] [--ramfb WHEN] [--driver-iso] [--live] [--config]",
      .summary = "give a domain one more vGPU",
      .description =
          "Adds a vGPU to the annotation of the domain and hotplugs it (--live), adds it to "
          "the definition for the next start (--config), or both. Without either option: "
          "hotplugs it if the domain is running, else adds it to the definition. On failure "
          "all changes are rolled back. A vGPU that is hotplugged has no display, ramfb or "
          "cdrom; those need --config.",
      .example = "virt-vgpu attach web1 --profile 'NVIDIA A2-4Q'\n"
                 "virt-vgpu attach web1 --pool design --live --config",
      .min_args = 1,
      .max_args = 1,
      .options = attach_options,
      .values = attach_values,
      .run = run_attach },
    { .name = "detach",
      .synopsis = "DOMAIN INDEX [--live] [--config]",
      .summary = "remove a vGPU from a domain",
      .description =
          "Detaches vGPU INDEX (see 'virt-vgpu list --wide') from the running domain (--live), "
          "which needs the cooperation of the guest, from its definition (--config), or from "
          "both. Without either option: from the running domain or, if it is off, from the "
          "definition.",
      .example = "virt-vgpu detach web1 0\nvirt-vgpu detach web1 1 --live --config",
      .min_args = 2,
      .max_args = 2,
      .options = detach_options,
      .run = run_detach },
    { 0 },
};
