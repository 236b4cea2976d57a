/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs about annotations: validate, annotate. They are written through libvirt with the caller's
 * own rights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "cli/annotate-file.h"
#include "cli/annotation-show.h"
#include "cli/bus.h"
#include "cli/command.h"
#include "cli/default-profile.h"
#include "cli/domain-io.h"
#include "cli/host-uri.h"
#include "cli/interrupt.h"
#include "cli/suggest.h"
#include "cli/validate.h"
#include "domain/annotate.h"
#include "libvirt/connection.h"
#include "libvirt/domains.h"

#define COUNT_UNSET -1

static struct {
    char **profiles;
    char *tenant, *pool, *gpu, *uuid, *display, *ramfb, *placement, *create, *late_attach;
    char *driver_iso, *guest_address, *keep_room;
    char *frame_rate_limit, *console_vnc, *unified_memory, *debugging, *profiling, **params;
    char *xml, *output;
    gboolean remove, migratable;
    int count;
} option = { .count = COUNT_UNSET };

static const GOptionEntry annotate_options[] = {
    { "xml", 0, 0, G_OPTION_ARG_FILENAME, &option.xml,
      "a file instead of a domain; '-' is standard input", "FILE" },
    { "output", 0, 0, G_OPTION_ARG_FILENAME, &option.output,
      "with --xml: write the result to FILE [standard output]", "FILE" },
    { "remove", 0, 0, G_OPTION_ARG_NONE, &option.remove, "remove the annotation and its devices",
      NULL },
    { "migratable", 0, 0, G_OPTION_ARG_NONE, &option.migratable,
      "make QEMU save and migrate the vGPUs even without dirty tracking", NULL },
    { "profile", 0, 0, G_OPTION_ARG_STRING_ARRAY, &option.profiles,
      "profile; may be repeated: the first that fits is used", "P" },
    { "pool", 0, 0, G_OPTION_ARG_STRING, &option.pool,
      "take it from this pool; without --profile its default profile", "POOL" },
    { "tenant", 0, 0, G_OPTION_ARG_STRING, &option.tenant, "tenant that the domain belongs to",
      "NAME" },
    { "count", 0, 0, G_OPTION_ARG_INT, &option.count, "number of vGPUs [1]", "N" },
    { "gpu", 0, 0, G_OPTION_ARG_STRING, &option.gpu,
      "only on this GPU, or on this virtual function", "ADDR" },
    { "uuid", 0, 0, G_OPTION_ARG_STRING, &option.uuid,
      "UUID of the mdev that the domain has a <hostdev> for", "UUID" },
    { "display", 0, 0, G_OPTION_ARG_STRING, &option.display, "auto, on or off [auto]", "WHEN" },
    { "ramfb", 0, 0, G_OPTION_ARG_STRING, &option.ramfb, "auto, on or off [auto]", "WHEN" },
    { "guest-address", 0, 0, G_OPTION_ARG_STRING, &option.guest_address,
      "its PCI address in the guest [libvirt's choice]", "ADDR" },
    { "placement", 0, 0, G_OPTION_ARG_STRING, &option.placement, "pack, spread or numa", "HOW" },
    { "driver-iso", 0, 0, G_OPTION_ARG_STRING, &option.driver_iso,
      "yes or no: a cdrom with the pool's guest driver", "WHEN" },
    { "keep-room", 0, 0, G_OPTION_ARG_STRING, &option.keep_room,
      "yes or no: keep its room on the GPU while it is saved", "WHEN" },
    { "create", 0, 0, G_OPTION_ARG_STRING, &option.create,
      "start (and gone after stop) or define (kept while off)", "WHEN" },
    { "late-attach", 0, 0, G_OPTION_ARG_STRING, &option.late_attach,
      "on or off: hotplug it if the definition got it too late [on]", "WHEN" },
    { "frame-rate-limit", 0, 0, G_OPTION_ARG_STRING, &option.frame_rate_limit,
      "on or off: the plugin's limit of frames per second", "WHEN" },
    { "console-vnc", 0, 0, G_OPTION_ARG_STRING, &option.console_vnc,
      "on or off: the plugin's own VNC console", "WHEN" },
    { "unified-memory", 0, 0, G_OPTION_ARG_STRING, &option.unified_memory,
      "on or off: CUDA unified memory", "WHEN" },
    { "debugging", 0, 0, G_OPTION_ARG_STRING, &option.debugging, "on or off: CUDA debuggers",
      "WHEN" },
    { "profiling", 0, 0, G_OPTION_ARG_STRING, &option.profiling, "on or off: CUDA profilers",
      "WHEN" },
    { "param", 0, 0, G_OPTION_ARG_STRING_ARRAY, &option.params,
      "any other parameter of the plugin; may be repeated", "NAME=VALUE" },
    { 0 },
};

static const char *const annotate_values[] = {
    "display auto on off",
    "ramfb auto on off",
    "placement pack spread numa",
    "driver-iso yes no",
    "create start define",
    "late-attach on off",
    "frame-rate-limit on off",
    "console-vnc on off",
    "unified-memory on off",
    "debugging on off",
    "profiling on off",
    "keep-room yes no",
    NULL,
};

/* Whether something was typed that goes into an annotation, --profile and --pool apart. */
static bool
is_setting_typed(void)
{
    const char *const settings[] = {
        option.tenant,         option.gpu,       option.uuid,          option.display,
        option.ramfb,          option.placement, option.create,        option.late_attach,
        option.driver_iso,     option.profiling, option.console_vnc,   option.frame_rate_limit,
        option.unified_memory, option.debugging, option.guest_address, option.keep_room,
    };
    bool any = option.count != COUNT_UNSET || option.params;

    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++)
        any |= settings[i] != NULL;
    return any;
}

/* The annotation of the command line; with --xml alone the existing one is kept. */
static bool
annotation_from_options(VgpuAnnotateOptions *options, GError **error)
{
    bool names_one = option.profiles || option.pool;

    if (!names_one && is_setting_typed()) {
        vgpu_command_usage(error, "--profile or --pool is missing");
        return false;
    }
    if (option.count != COUNT_UNSET && option.count < 1) {
        vgpu_command_usage(error, "--count %d: at least 1", option.count);
        return false;
    }
    if (option.gpu) {
        g_autofree char *typed = option.gpu;

        if (!(option.gpu = vgpu_command_address(typed, error)))
            return false;
    }
    if (option.guest_address) {
        g_autofree char *typed = option.guest_address;

        if (!(option.guest_address = vgpu_command_address(typed, error)))
            return false;
    }
    *options = (VgpuAnnotateOptions) {
        .tenant = option.tenant,
        .keep_room = option.keep_room,
        .pool = option.pool,
        .profile = option.profiles ? option.profiles[0] : NULL,
        .alternatives = option.profiles ? (const char *const *) option.profiles + 1 : NULL,
        .count = option.count == COUNT_UNSET ? 0 : (guint) option.count,
        .gpu = option.gpu,
        .uuid = option.uuid,
        .display = option.display,
        .ramfb = option.ramfb,
        .placement = option.placement,
        .create = option.create,
        .late_attach = option.late_attach,
        .guest_address = option.guest_address,
        .driver_iso = option.driver_iso,
        .frame_rate_limit = option.frame_rate_limit,
        .console_vnc = option.console_vnc,
        .unified_memory = option.unified_memory,
        .debugging = option.debugging,
        .profiling = option.profiling,
        .params = (const char *const *) option.params,
        .keep = !names_one,
        .migratable = option.migratable,
    };
    return true;
}

/* Make the definition follow at once if we can; otherwise the daemon does it by itself, now or
 * when it runs again: then @changes stays NULL and @note says so. */
static bool
inject_if_possible(const VgpuCli *cli, const char *uuid, char ***changes, const char **note,
                   GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, &failure);
    g_autoptr(VgpuInterrupt) interrupt = vgpu_interrupt_new(
        "the annotation has been changed, virtvgpud is still updating the definition; see "
        "'virt-vgpu list --all'");

    if (manager && vgpu_bus_manager1_call_inject_sync(manager, uuid, changes, NULL, &failure))
        return true;
    if (!manager) {
        *note = "its definition follows when virtvgpud runs";
        return true;
    }
    vgpu_bus_failed(&failure);
    if (g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_DENIED)) {
        *note = "its definition follows within a second";
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* The annotation as an element, checked against the domain that it is for. */
static char *
element_for(const VgpuCli *cli, const VgpuDomainState *domain, const char *what,
            const VgpuAnnotateOptions *wanted, GError **error)
{
    g_auto(VgpuDefaultProfile) asked = { .manager = vgpu_bus_open(cli->bus, NULL) };
    VgpuAnnotateOptions options = *wanted;
    g_autofree char *annotated = NULL;
    g_autoptr(VgpuDomain) parsed = NULL;
    g_autoptr(GPtrArray) lints = NULL;
    VgpuLintHost host = vgpu_domain_io_lint_host(asked.manager);

    options.default_profile = vgpu_default_profile_ask;
    options.opaque = &asked;
    options.lints = &lints;
    options.host = &host;
    if (asked.manager && options.pool &&
        !vgpu_suggest_has_pool(asked.manager, options.pool, error))
        return NULL;
    annotated = vgpu_annotate_document(domain->definition, strlen(domain->definition), what,
                                       &options, error);
    if (!annotated || !(parsed = vgpu_domain_parse(annotated, strlen(annotated), what, error)))
        return NULL;
    vgpu_annotate_complete(parsed, &options);
    vgpu_domain_io_warn(asked.manager, parsed, lints, what);
    vgpu_domain_io_print_displays(what, parsed, false);
    return vgpu_annotate_extract(parsed);
}

static int
annotate_domain(const VgpuCli *cli, const char *name, const VgpuAnnotateOptions *options,
                GError **error)
{
    g_autoptr(virConnect) conn = vgpu_domain_io_connect(cli, false, error);
    g_autoptr(VgpuDomainState) domain = conn ? vgpu_domains_find(conn, name, error) : NULL;
    g_autofree char *what = NULL, *element = NULL;
    g_auto(GStrv) changes = NULL;
    const char *note = NULL;

    if (!domain)
        return EXIT_FAILURE;
    what = g_strdup_printf("domain '%s'", domain->name);
    if (!domain->definition) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "%s is transient: annotate the file it is created from, with --xml", what);
        return EXIT_FAILURE;
    }
    /* an annotation that contradicts the domain is refused before anything is changed */
    if (!(element = element_for(cli, domain, what, options, error)) ||
        !vgpu_domains_set_annotation(conn, domain->uuid, element, error) ||
        !inject_if_possible(cli, domain->uuid, &changes, &note, error))
        return EXIT_FAILURE;

    if (!cli->json)
        printf("Domain '%s' annotated%s%s\n", domain->name, note ? "; " : "", note ? note : "");
    vgpu_domain_io_print_changes(cli, domain->name, (const char *const *) changes);
    if (!cli->json && domain->id >= 0)
        printf("  The domain is running: the change applies from its next start.\n");
    return EXIT_SUCCESS;
}

/* Whether a definition has an annotation, be it a bad one; one of another version is refused. */
static bool
has_annotation(const VgpuDomainState *domain, bool *has, GError **error)
{
    g_autoptr(GError) bad = NULL;
    g_autoptr(VgpuDomain) parsed =
        vgpu_domain_parse(domain->definition, strlen(domain->definition), NULL, &bad);

    *has = !parsed || parsed->annotated;
    if (!g_error_matches(bad, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED))
        return true;
    g_propagate_error(error, g_steal_pointer(&bad));
    return false;
}

/* The definition of the domain without annotation; a running one keeps its vGPUs until it stops. */
static int
strip_domain(const VgpuCli *cli, const char *name, GError **error)
{
    g_autoptr(virConnect) conn = vgpu_domain_io_connect(cli, false, error);
    g_autoptr(VgpuDomainState) domain = conn ? vgpu_domains_find(conn, name, error) : NULL;
    g_auto(GStrv) changes = NULL;
    const char *note = NULL;
    bool has = false;

    if (!domain)
        return EXIT_FAILURE;
    if (!domain->definition) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "domain '%s' is transient: its vGPUs are removed when it stops, or with "
                    "'virt-vgpu detach'",
                    domain->name);
        return EXIT_FAILURE;
    }
    /* without one there may still be devices that have to go */
    if (!has_annotation(domain, &has, error) ||
        (has && !vgpu_domains_set_annotation(conn, domain->uuid, NULL, error)) ||
        !inject_if_possible(cli, domain->uuid, &changes, &note, error))
        return EXIT_FAILURE;
    if (!cli->json)
        printf("Domain '%s' %s%s%s\n", domain->name,
               has ? "is no longer annotated" : "had no annotation", note ? "; " : "",
               note ? note : "");
    vgpu_domain_io_print_changes(cli, domain->name, (const char *const *) changes);
    if (!cli->json && has && domain->id >= 0)
        printf("  The domain is running: the change applies from its next start.\n");
    return EXIT_SUCCESS;
}

static int
run_remove(const VgpuCli *cli, const char *domain, GError **error)
{
    if (option.profiles || option.pool || is_setting_typed() || option.migratable)
        return vgpu_command_usage(error, "--remove cannot be combined with other settings");
    return option.xml ? vgpu_annotate_file_strip(cli, option.xml, option.output, error)
                      : strip_domain(cli, domain, error);
}

static int
run_annotate(const VgpuCli *cli, char **args, GError **error)
{
    VgpuAnnotateOptions options;
    g_autofree char *element = NULL;

    if (!vgpu_domain_io_check_source(args[0], option.xml, error) ||
        (args[0] && !vgpu_host_uri_check(cli, cli->uri, error)))
        return VGPU_EXIT_USAGE;
    if (option.output && !option.xml)
        return vgpu_command_usage(error, "--output needs --xml");
    if (cli->json && option.xml && !option.output)
        return vgpu_command_usage(error, "--json with --xml needs --output FILE for the XML");
    if (option.remove)
        return run_remove(cli, args[0], error);
    if (!annotation_from_options(&options, error))
        return VGPU_EXIT_USAGE;
    if (option.migratable && !option.xml && !options.keep)
        return vgpu_command_usage(error, "--migratable of a domain only prints an element: with "
                                         "settings it needs --xml");
    if (option.migratable && !option.xml)
        return vgpu_annotation_show_migratable(cli, args[0], error);
    if (options.keep && !option.xml)
        return vgpu_annotation_show(cli, args[0], error);
    /* a setting with a bad value */
    if (!options.keep && !(element = vgpu_annotate_element(&options, error)))
        return VGPU_EXIT_USAGE;
    if (option.xml)
        return vgpu_annotate_file(cli, option.xml, option.output, &options, error);
    return annotate_domain(cli, args[0], &options, error);
}

const VgpuCommand vgpu_commands_annotation[] = {
    { .name = "validate",
      .synopsis = "FILE",
      .summary = "check the annotation in a file",
      .description =
          "Checks a domain XML, or several that follow each other as virt-install prints them, "
          "or a file with nothing but a <vgpu:devices> element, and prints the line and the "
          "reason of the first mistake. '-' reads standard input. Needs neither the daemon nor "
          "libvirt, so pools and other domains are not checked; 'explain --xml FILE' does that.",
      .example = "virt-vgpu validate web1.xml && virt-vgpu explain --xml web1.xml\nvirsh dumpxml "
                 "web1 | virt-vgpu validate -",
      .min_args = 1,
      .max_args = 1,
      .anywhere = true,
      .run = vgpu_validate_run },
    { .name = "annotate",
      .synopsis = "DOMAIN | --xml FILE [--profile P …] [--pool POOL] [OPTION…] [--remove] "
                  "[--migratable]",
      .summary = "set which vGPU a domain gets",
      .description =
          "Sets the annotation of a domain, replacing the one it has, and makes its definition "
          "follow. DOMAIN alone shows the annotation; --remove removes it together with its "
          "devices. With --xml works on a file: the result also has the UUID and the devices, "
          "so that the first start already has them; without --profile and --pool the "
          "annotation in the file is kept. With --migratable the result also has the "
          "<qemu:override> that makes QEMU migrate the vGPUs even if nothing tracks their dirty "
          "pages; DOMAIN --migratable prints that element for 'virsh edit'. Virtual functions, "
          "and the image with the guest's driver, are left to the daemon, which chooses them "
          "when the domain is defined.",
      .example = "virt-vgpu annotate web1 --profile 'NVIDIA A2-4Q'\n"
                 "virt-vgpu annotate web1 --profile A40-8Q --profile A40-4Q --gpu 41:00.0\n"
                 "virt-vgpu annotate web1 --profile L40S-8Q --frame-rate-limit off\n"
                 "virt-vgpu annotate cad1 --pool design --tenant acme --driver-iso yes\n"
                 "virt-vgpu annotate cad1\n"
                 "virt-vgpu annotate cad1 --remove\n"
                 "virt-vgpu annotate --xml cad1.xml --migratable --output cad1.xml\n"
                 "virt-install … --import --print-xml |\n"
                 "  virt-vgpu annotate --xml - --profile 'NVIDIA A2-4Q' > web1.xml",
      .max_args = 1,
      .options = annotate_options,
      .values = annotate_values,
      .anywhere = true,
      .run = run_annotate },
    { 0 },
};
