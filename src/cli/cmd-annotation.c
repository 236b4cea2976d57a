/* Verbs about annotations: validate, annotate. They are written through libvirt with the caller's
 * own rights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/xml.h"
#include "cli/bus.h"
#include "cli/command.h"
#include "cli/default-profile.h"
#include "cli/domain-io.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "cli/xml-file.h"
#include "domain/annotate.h"
#include "domain/inject.h"
#include "libvirt/connection.h"
#include "libvirt/domains.h"

#define COUNT_UNSET -1

static struct {
    char **profiles;
    char *tenant, *pool, *gpu, *uuid, *display, *ramfb, *placement, *create, *late_attach;
    char *driver_iso;
    char *frame_rate_limit, *console_vnc, *unified_memory, *debugging, *profiling, **params;
    char *xml, *output;
    int count;
} option = { .count = COUNT_UNSET };

static const GOptionEntry annotate_options[] = {
    { "xml", 0, 0, G_OPTION_ARG_FILENAME, &option.xml,
      "a file instead of a domain; '-' is standard input", "FILE" },
    { "output", 0, 0, G_OPTION_ARG_FILENAME, &option.output,
      "with --xml: where the result goes [standard output]", "FILE" },
    { "profile", 0, 0, G_OPTION_ARG_STRING_ARRAY, &option.profiles,
      "profile; given again: an alternative, first that fits wins", "P" },
    { "pool", 0, 0, G_OPTION_ARG_STRING, &option.pool,
      "from this pool; without --profile its default profile", "POOL" },
    { "tenant", 0, 0, G_OPTION_ARG_STRING, &option.tenant, "whose domain this is", "NAME" },
    { "count", 0, 0, G_OPTION_ARG_INT, &option.count, "that many vGPUs [1]", "N" },
    { "gpu", 0, 0, G_OPTION_ARG_STRING, &option.gpu, "only on this GPU", "ADDR" },
    { "uuid", 0, 0, G_OPTION_ARG_STRING, &option.uuid,
      "UUID of the mdev that the domain has a <hostdev> for", "UUID" },
    { "display", 0, 0, G_OPTION_ARG_STRING, &option.display, "auto, on or off [auto]", "WHEN" },
    { "ramfb", 0, 0, G_OPTION_ARG_STRING, &option.ramfb, "auto, on or off [auto]", "WHEN" },
    { "placement", 0, 0, G_OPTION_ARG_STRING, &option.placement, "pack, spread or numa", "HOW" },
    { "driver-iso", 0, 0, G_OPTION_ARG_STRING, &option.driver_iso,
      "yes or no: a cdrom with the pool's guest driver", "WHEN" },
    { "create", 0, 0, G_OPTION_ARG_STRING, &option.create,
      "start (and gone after stop) or define (kept while off)", "WHEN" },
    { "late-attach", 0, 0, G_OPTION_ARG_STRING, &option.late_attach,
      "on or off: hot-plug it if the definition had it too late [on]", "WHEN" },
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
      "any other parameter of the plugin; may be given again", "NAME=VALUE" },
    { 0 },
};

static const char *const annotate_values[] = {
    "display auto on off",     "ramfb auto on off",   "placement pack spread numa",
    "driver-iso yes no",       "create start define", "late-attach on off",
    "frame-rate-limit on off", "console-vnc on off",  "unified-memory on off",
    "debugging on off",        "profiling on off",    NULL,
};

/* A file that holds a bare <vgpu:devices> is read as that of a domain. */
static bool
count_in_bare_annotation(const char *xml, gsize len, const char *what, bool *is_bare, guint *n,
                         GError **error)
{
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, len, what, error);
    g_autoptr(GPtrArray) wants = NULL;
    g_autofree char *tenant = NULL;
    xmlNode *root, *domain;
    bool annotated;

    if (!doc)
        return false;
    root = xmlDocGetRootElement(doc);
    *is_bare = root->ns && g_str_has_prefix((const char *) root->ns->href, VGPU_XMLNS_FAMILY);
    if (!*is_bare)
        return true;

    domain = xmlNewDocNode(doc, NULL, BAD_CAST "domain", NULL);
    xmlDocSetRootElement(doc, domain);
    xmlAddChild(xmlNewChild(domain, NULL, BAD_CAST "metadata", NULL), root);
    if (!vgpu_annotation_parse(domain, NULL, what, &annotated, &wants, &tenant, error))
        return false;
    *n = wants->len;
    return true;
}

static bool
count_vgpus(const char *xml, gsize len, const char *what, guint *n, GError **error)
{
    g_autoptr(VgpuDomain) domain = NULL;
    bool is_bare;

    if (!count_in_bare_annotation(xml, len, what, &is_bare, n, error))
        return false;
    if (is_bare)
        return true;
    if (!(domain = vgpu_domain_parse(xml, len, what, error)))
        return false;
    if (domain->uuid) {
        g_autoptr(GPtrArray) changes = vgpu_inject_plan(domain, 0, error);

        if (!changes)
            return false;
    }
    vgpu_domain_io_print_displays(what, domain, false);
    *n = domain->wants->len;
    return true;
}

/* "line" is left out where the error has none. */
static void
print_verdict_json(const char *file, const GError *failure)
{
    static const VgpuColumn columns[] = {
        { .key = "file" }, { .key = "valid" }, { .key = "line" }, { .key = "reason" }, { 0 },
    };
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "file", "s", file);
    g_variant_dict_insert(&dict, "valid", "b", failure == NULL);
    if (failure) {
        long line = vgpu_error_line(failure);

        if (line > 0)
            g_variant_dict_insert(&dict, "line", "t", (guint64) line);
        g_variant_dict_insert(&dict, "reason", "s", failure->message);
    }
    vgpu_table_print_object(columns, g_variant_dict_end(&dict));
}

static int
run_validate(const VgpuCli *cli, char **args, GError **error)
{
    const char *what = vgpu_xml_file_source(args[0]);
    g_autoptr(GError) failure = NULL;
    gsize len = 0;
    g_autofree char *xml = vgpu_xml_file_read(args[0], &len, error);
    guint n = 0;
    bool valid;

    if (!xml)
        return EXIT_FAILURE;
    valid = count_vgpus(xml, len, what, &n, &failure);
    if (cli->json)
        print_verdict_json(what, failure);
    else if (valid)
        printf("%s: valid, %u vGPU%s\n", what, n, n == 1 ? "" : "s");
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return valid ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What was typed; an annotation that is there is kept when only --xml was. */
static bool
annotation_from_options(VgpuAnnotateOptions *options, GError **error)
{
    const char *const settings[] = {
        option.tenant,         option.gpu,       option.uuid,        option.display,
        option.ramfb,          option.placement, option.create,      option.late_attach,
        option.driver_iso,     option.profiling, option.console_vnc, option.frame_rate_limit,
        option.unified_memory, option.debugging,
    };
    bool names_one = option.profiles || option.pool;
    bool any = option.count != COUNT_UNSET || option.params;

    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++)
        any |= settings[i] != NULL;

    if (!names_one && (any || !option.xml)) {
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
    *options = (VgpuAnnotateOptions) {
        .tenant = option.tenant,
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
        .driver_iso = option.driver_iso,
        .frame_rate_limit = option.frame_rate_limit,
        .console_vnc = option.console_vnc,
        .unified_memory = option.unified_memory,
        .debugging = option.debugging,
        .profiling = option.profiling,
        .params = (const char *const *) option.params,
        .keep = !names_one,
    };
    return true;
}

/* Whether a GPU of this host has what is wanted (without a profile: anything), and every one that
 * has it makes it on virtual functions. */
static bool
is_on_vfs(GVariant *profiles, const VgpuWant *want)
{
    bool found = false;

    for (gsize i = 0; i < g_variant_n_children(profiles); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(profiles, i);
        const char *id = "", *name = NULL, *gpu = NULL, *interface = "";
        g_autoptr(VgpuProfile) profile = NULL;

        (void) !g_variant_lookup(row, "id", "&s", &id);
        (void) !g_variant_lookup(row, "name", "&s", &name);
        (void) !g_variant_lookup(row, "gpu", "&s", &gpu);
        (void) !g_variant_lookup(row, "interface", "&s", &interface);
        profile = vgpu_profile_new(id, name);
        if ((want->gpu && g_strcmp0(want->gpu, gpu) != 0) ||
            (want->profiles[0] &&
             !vgpu_profile_matches_any(profile, (const char *const *) want->profiles)))
            continue;
        if (vgpu_interface_from_string(interface) == VGPU_INTERFACE_MDEV)
            return false;
        found = true;
    }
    return found;
}

static bool
is_plain_vf(const VgpuDomain *domain)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);

        if (g_strv_contains((const char *const *) want->profiles, VGPU_VF_PROFILE))
            return true;
    }
    return false;
}

/* Whether the devices of @domain are VFs, as far as the daemon, if it runs, can tell: which VF it
 * is to be is then the daemon's choice, once the domain is defined. */
static bool
wants_vfs(VgpuBusManager1 *manager, const VgpuDomain *domain)
{
    g_autoptr(GVariant) profiles = NULL;

    if (is_plain_vf(domain)) /* which needs nobody to say so */
        return true;
    if (!manager ||
        !vgpu_bus_manager1_call_list_profiles_sync(manager, "", &profiles, NULL, NULL))
        return false;
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);

        if (!want->uuid_is_users && is_on_vfs(profiles, want))
            return true;
    }
    return false;
}

/* The file's XML with annotation and, unless only the daemon can tell them, devices. */
static char *
annotate_xml(const VgpuCli *cli, const char *xml, gsize len, const char *what,
             const VgpuAnnotateOptions *wanted, GError **error)
{
    g_auto(VgpuDefaultProfile) asked = { .manager = vgpu_bus_open(cli->bus, NULL) };
    VgpuAnnotateOptions options = *wanted;
    g_autofree char *annotated = NULL;
    g_autoptr(VgpuDomain) domain = NULL;
    bool on_vfs;

    options.no_hostdev = true;
    options.default_profile = vgpu_default_profile_ask;
    options.opaque = &asked;
    if (!(annotated = vgpu_annotate_document(xml, len, what, &options, error)) ||
        !(domain = vgpu_domain_parse(annotated, strlen(annotated), what, error)))
        return NULL;
    vgpu_annotate_complete(domain, &options);
    on_vfs = wants_vfs(asked.manager, domain);
    vgpu_domain_io_print_displays(what, domain, !on_vfs);
    options.no_hostdev = false;
    if (!on_vfs)
        return vgpu_annotate_document(xml, len, what, &options, error);
    fprintf(stderr,
            "virt-vgpu: %s: its vGPU is a virtual function, which virtvgpud chooses when the "
            "domain is defined\n",
            what);
    return g_steal_pointer(&annotated);
}

static int
annotate_file(const VgpuCli *cli, const VgpuAnnotateOptions *options, GError **error)
{
    const char *what = vgpu_xml_file_source(option.xml);
    const char *const written[] = { "annotation and devices written", NULL };
    g_autofree char *xml = NULL, *result = NULL;
    gsize len;

    if (cli->json && !option.output)
        return vgpu_command_usage(error, "--json with --xml needs --output FILE for the XML");
    if (!(xml = vgpu_xml_file_read(option.xml, &len, error)) ||
        !(result = annotate_xml(cli, xml, len, what, options, error)))
        return EXIT_FAILURE;
    if (!option.output) {
        fputs(result, stdout);
        return EXIT_SUCCESS;
    }
    if (!g_file_set_contents(option.output, result, -1, error))
        return EXIT_FAILURE;
    if (!cli->json)
        printf("%s written\n", option.output);
    else
        vgpu_domain_io_print_changes(cli, what, strcmp(xml, result) == 0 ? written + 1 : written);
    return EXIT_SUCCESS;
}

/* Make the definition follow at once if we can; otherwise the daemon does it by itself, now or
 * when it runs again: then @changes stays NULL and @note says so. */
static bool
inject_if_possible(const VgpuCli *cli, const char *uuid, char ***changes, const char **note,
                   GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, &failure);

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

    options.default_profile = vgpu_default_profile_ask;
    options.opaque = &asked;
    annotated = vgpu_annotate_document(domain->definition, strlen(domain->definition), what,
                                       &options, error);
    if (!annotated || !(parsed = vgpu_domain_parse(annotated, strlen(annotated), what, error)))
        return NULL;
    vgpu_annotate_complete(parsed, &options);
    vgpu_domain_io_print_displays(what, parsed, false);
    return vgpu_annotate_extract(parsed);
}

static int
annotate_domain(const VgpuCli *cli, const char *name, const VgpuAnnotateOptions *options,
                GError **error)
{
    g_autoptr(virConnect) conn = vgpu_connection_open_once(cli->uri, error);
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
    /* what contradicts the domain is refused before anything is changed */
    if (!(element = element_for(cli, domain, what, options, error)) ||
        !vgpu_domains_set_annotation(conn, domain->uuid, element, error) ||
        !inject_if_possible(cli, domain->uuid, &changes, &note, error))
        return EXIT_FAILURE;

    if (!cli->json)
        printf("Domain '%s' annotated%s%s\n", domain->name, note ? "; " : "", note ? note : "");
    vgpu_domain_io_print_changes(cli, domain->name, (const char *const *) changes);
    if (!cli->json && domain->id >= 0)
        printf("  It runs: the change counts from its next start.\n");
    return EXIT_SUCCESS;
}

static int
run_annotate(const VgpuCli *cli, char **args, GError **error)
{
    VgpuAnnotateOptions options;

    if (!vgpu_domain_io_check_source(args[0], option.xml, error) ||
        !annotation_from_options(&options, error))
        return VGPU_EXIT_USAGE;
    if (option.output && !option.xml)
        return vgpu_command_usage(error, "--output goes with --xml");
    vgpu_suggest_warn(cli->bus, (const char *const *) option.profiles, option.pool);
    if (option.xml)
        return annotate_file(cli, &options, error);
    return annotate_domain(cli, args[0], &options, error);
}

const VgpuCommand vgpu_commands_annotation[] = {
    { .name = "validate",
      .synopsis = "FILE",
      .summary = "check the annotation in a file",
      .description =
          "Checks a domain XML, or a file with nothing but a <vgpu:devices> element, and prints "
          "the line and the reason of the first mistake. '-' reads standard input. Needs "
          "neither the daemon nor libvirt.",
      .example = "virt-vgpu validate web1.xml\nvirsh dumpxml web1 | virt-vgpu validate -",
      .min_args = 1,
      .max_args = 1,
      .run = run_validate },
    { .name = "annotate",
      .synopsis = "DOMAIN | --xml FILE [--profile P …] [--pool POOL] [OPTION…]",
      .summary = "say which vGPU a domain shall have",
      .description =
          "Writes the annotation of a domain, in place of one that is there, and makes its "
          "definition follow. With --xml works on a file: the result also has the UUID and the "
          "devices, so that the very first start has them from the beginning; without --profile "
          "and --pool the annotation that is in the file is kept. Devices that are virtual "
          "functions, and the guest's driver, are left to the daemon, which chooses them when "
          "the domain is defined.",
      .example = "virt-vgpu annotate web1 --profile 'NVIDIA A2-4Q'\n"
                 "virt-vgpu annotate web1 --profile A40-8Q --profile A40-4Q --gpu 41:00.0\n"
                 "virt-vgpu annotate web1 --profile L40S-8Q --frame-rate-limit off\n"
                 "virt-vgpu annotate cad1 --pool design --tenant acme --driver-iso yes\n"
                 "virt-install … --print-xml |\n"
                 "  virt-vgpu annotate --xml - --profile 'NVIDIA A2-4Q' > web1.xml",
      .max_args = 1,
      .options = annotate_options,
      .values = annotate_values,
      .run = run_annotate },
    { 0 },
};
