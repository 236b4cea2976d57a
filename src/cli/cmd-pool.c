/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs about pools, named and worded as virsh's verbs about storage pools. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"
#include "base/xml.h"
#include "cli/bus.h"
#include "cli/command.h"
#include "cli/pool-edit.h"
#include "cli/rows.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "cli/xml-file.h"

static struct {
    gboolean all, inactive, configured, disable;
} option;

static const GOptionEntry list_options[] = {
    { "all", 0, 0, G_OPTION_ARG_NONE, &option.all, "active and inactive pools (the default)",
      NULL },
    { "inactive", 0, 0, G_OPTION_ARG_NONE, &option.inactive, "only inactive pools", NULL },
    { 0 },
};

static const GOptionEntry dumpxml_options[] = {
    { "configured", 0, 0, G_OPTION_ARG_NONE, &option.configured,
      "as it was defined, without its current usage", NULL },
    { 0 },
};

static const GOptionEntry autostart_options[] = {
    { "disable", 0, 0, G_OPTION_ARG_NONE, &option.disable, "do not start the pool at boot",
      NULL },
    { 0 },
};

/* The answer to @method about pool @name; a misspelt name gets a suggestion. */
static GVariant *
call(VgpuBusManager1 *manager, const char *method, const char *name, GVariant *parameters,
     GError **error)
{
    g_autofree char *doing = g_strdup_printf("Pool %s: waiting for virtvgpud", name);
    GVariant *answer = vgpu_bus_call(manager, method, parameters, doing, error);

    if (!answer)
        vgpu_suggest(manager, NULL, name, error);
    return answer;
}

/* A pool by a verb's answer; as JSON all of it as it is now, else "Pool NAME WHAT". */
static int
print_pool(const VgpuCli *cli, VgpuBusManager1 *manager, const char *name, const char *what,
           GError **error)
{
    g_autoptr(GVariant) pool = NULL;

    if (!cli->json) {
        printf("Pool %s %s\n", name, what);
        return EXIT_SUCCESS;
    }
    if (!(pool = vgpu_bus_query(manager, "GetPool", g_variant_new("(s)", name), error)))
        return EXIT_FAILURE;
    vgpu_table_print_object(vgpu_rows_pool, pool);
    return EXIT_SUCCESS;
}

static void
print_users(GVariant *users)
{
    g_autofree const char **names = g_variant_get_strv(users, NULL);
    g_autofree char *joined = g_strjoinv(", ", (char **) names);

    if (*joined)
        printf("  still used by: %s; running domains are not affected\n", joined);
}

/* --- looking ------------------------------------------------------------------------------ */

static GVariant *
only_inactive(GVariant *pools)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (gsize i = 0; i < g_variant_n_children(pools); i++) {
        g_autoptr(GVariant) pool = g_variant_get_child_value(pools, i);
        const char *state = "";

        (void) !g_variant_lookup(pool, "state", "&s", &state);
        if (strcmp(state, "inactive") == 0)
            g_variant_builder_add_value(&builder, pool);
    }
    return g_variant_ref_sink(g_variant_builder_end(&builder));
}

static const VgpuColumn *
list_columns(void)
{
    return vgpu_rows_pool;
}

static int
run_list(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autoptr(GVariant) pools =
        manager ? vgpu_bus_query(manager, "ListPools", g_variant_new("()"), error) : NULL;

    if (!pools)
        return EXIT_FAILURE;
    if (option.inactive && !option.all) {
        g_autoptr(GVariant) inactive = only_inactive(pools);

        vgpu_table_print(vgpu_rows_pool, inactive, cli->json, cli->wide);
    } else {
        vgpu_table_print(vgpu_rows_pool, pools, cli->json, cli->wide);
    }
    return EXIT_SUCCESS;
}

static int
run_info(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autoptr(GVariant) pool =
        manager ? call(manager, "GetPool", args[0], g_variant_new("(s)", args[0]), error) : NULL;
    g_autofree char *text = NULL;

    if (!pool)
        return EXIT_FAILURE;
    if (cli->json) {
        vgpu_table_print_object(vgpu_rows_pool, pool);
        return EXIT_SUCCESS;
    }
    text = vgpu_table_fields(vgpu_rows_pool, pool);
    fputs(text, stdout);
    vgpu_table_print_list(vgpu_rows_pool_profile, pool, "profiles", cli->wide);
    vgpu_table_print_list(vgpu_rows_pool_tenant, pool, "tenants", cli->wide);
    return EXIT_SUCCESS;
}

/* Its XML; a misspelt name gets a suggestion. */
static char *
pool_xml(VgpuBusManager1 *manager, const char *name, bool configured, GError **error)
{
    g_autoptr(GVariant) xml =
        call(manager, "GetPoolXml", name, g_variant_new("(sb)", name, configured), error);

    return xml ? g_variant_dup_string(xml, NULL) : NULL;
}

static int
run_dumpxml(const VgpuCli *cli, char **args, GError **error)
{
    static const VgpuColumn columns[] = { { .key = "name" }, { .key = "xml" }, { 0 } };
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autofree char *xml = manager ? pool_xml(manager, args[0], option.configured, error) : NULL;

    if (!xml)
        return EXIT_FAILURE;
    if (cli->json) {
        vgpu_table_print_object(columns, g_variant_new_parsed("{'name': <%s>, 'xml': <%s>}",
                                                              args[0], xml));
    } else {
        printf("%s%s", xml, g_str_has_suffix(xml, "\n") ? "" : "\n");
    }
    return EXIT_SUCCESS;
}

/* --- defining ----------------------------------------------------------------------------- */

/* Warn of names in the pool that this host does not have: a pool may be defined before its cards are
 * installed. */
static void
warn_missing(VgpuBusManager1 *manager, xmlDoc *doc, GVariant *pool)
{
    g_autoptr(GPtrArray) profiles = vgpu_xml_nodes(doc, NULL, "/vgpupool/profiles/profile");
    g_autoptr(GPtrArray) gpus = vgpu_xml_nodes(doc, NULL, "/vgpupool/source/gpu");
    g_autoptr(GVariant) found = g_variant_lookup_value(pool, "gpus", G_VARIANT_TYPE_STRING_ARRAY);

    for (guint i = 0; i < gpus->len; i++) {
        g_autofree char *typed = vgpu_xml_attr(gpus->pdata[i], "address");
        g_autofree char *address = vgpu_pciaddr_canonical(typed);
        VgpuSuggestNames names = { .gpu = address };

        vgpu_suggest_warn(manager, &names, NULL);
    }
    for (guint i = 0; i < profiles->len; i++) {
        g_autofree char *name = vgpu_xml_attr(profiles->pdata[i], "name");
        const char *const one[] = { name, NULL };
        VgpuSuggestNames names = { .profiles = one };

        vgpu_suggest_warn(manager, &names, NULL);
    }
    if (!gpus->len && found && g_variant_n_children(found) == 0)
        fprintf(stderr, "virt-vgpu: warning: the pool has no GPU of this host (see 'virt-vgpu "
                        "gpu-list')\n");
}

static int
run_define(const VgpuCli *cli, char **args, GError **error)
{
    const char *what = vgpu_xml_file_source(args[0]), *name = "";
    gsize len = 0;
    g_autofree char *xml = vgpu_xml_file_read(args[0], &len, error);
    /* if it is not XML at all, the error has the file's name */
    g_autoptr(xmlDoc) doc = xml ? vgpu_xml_parse(xml, len, what, error) : NULL;
    g_autoptr(VgpuBusManager1) manager = doc ? vgpu_bus_open(cli->bus, error) : NULL;
    g_autoptr(GVariant) pool = NULL;
    g_autoptr(GVariant) users = NULL;

    if (!manager)
        return EXIT_FAILURE;
    pool = vgpu_bus_call(manager, "DefinePool", g_variant_new("(s)", xml),
                         "The pool is being defined", error);
    if (!pool) {
        if (error && g_error_matches(*error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST))
            g_prefix_error(error, "%s: ", what);
        return EXIT_FAILURE;
    }
    warn_missing(manager, doc, pool);
    if (cli->json) {
        vgpu_table_print_object(vgpu_rows_pool, pool);
        return EXIT_SUCCESS;
    }
    (void) !g_variant_lookup(pool, "name", "&s", &name);
    printf("Pool %s defined from %s\n", name, what);
    users = g_variant_lookup_value(pool, "users", G_VARIANT_TYPE_STRING_ARRAY);
    if (users)
        print_users(users);
    return EXIT_SUCCESS;
}

static int
run_edit(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autofree char *xml = manager ? pool_xml(manager, args[0], true, error) : NULL;
    bool changed = false;

    if (xml && strstr(xml, VGPU_POOL_IN_PART)) {
        vgpu_error_set(
            error, VGPU_ERROR_DENIED,
            "you see only part of pool %s, and the rest would be lost; edit it as root", args[0]);
        return EXIT_FAILURE;
    }
    if (!xml || !vgpu_pool_edit(manager, args[0], xml, &changed, error))
        return EXIT_FAILURE;
    return print_pool(cli, manager, args[0],
                      changed ? "XML configuration edited" : "XML configuration not changed",
                      error);
}

static int
run_undefine(const VgpuCli *cli, char **args, GError **error)
{
    static const VgpuColumn columns[] = {
        { .key = "name" },
        { .key = "done" },
        { .key = "users" },
        { 0 },
    };
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autoptr(GVariant) users =
        manager ? call(manager, "UndefinePool", args[0], g_variant_new("(s)", args[0]), error)
                : NULL;

    if (!users)
        return EXIT_FAILURE;
    if (cli->json) {
        vgpu_table_print_object(
            columns, g_variant_new_parsed("{'name': <%s>, 'done': <true>, 'users': <%@as>}",
                                          args[0], users));
        return EXIT_SUCCESS;
    }
    printf("Pool %s has been undefined\n", args[0]);
    print_users(users);
    return EXIT_SUCCESS;
}

/* --- running ------------------------------------------------------------------------------ */

static int
run_start(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autoptr(GVariant) done =
        manager ? call(manager, "StartPool", args[0], g_variant_new("(s)", args[0]), error)
                : NULL;

    if (!done)
        return EXIT_FAILURE;
    return print_pool(cli, manager, args[0], "started", error);
}

static int
run_destroy(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autoptr(GVariant) users =
        manager ? call(manager, "DestroyPool", args[0], g_variant_new("(s)", args[0]), error)
                : NULL;
    int status;

    if (!users)
        return EXIT_FAILURE;
    status = print_pool(cli, manager, args[0], "destroyed", error);
    if (!cli->json)
        print_users(users);
    return status;
}

static int
run_autostart(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autoptr(GVariant) done = manager
                                   ? call(manager, "SetPoolAutostart", args[0],
                                          g_variant_new("(sb)", args[0], !option.disable), error)
                                   : NULL;

    if (!done)
        return EXIT_FAILURE;
    return print_pool(cli, manager, args[0],
                      option.disable ? "unmarked as autostarted" : "marked as autostarted",
                      error);
}

static int
run_refresh(const VgpuCli *cli, char **args, GError **error)
{
    static const VgpuColumn columns[] = { { .key = "name" }, { .key = "changes" }, { 0 } };
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    g_autoptr(GVariant) changes =
        manager ? call(manager, "RefreshPool", args[0], g_variant_new("(s)", args[0]), error)
                : NULL;
    g_autofree const char **lines = NULL;

    if (!changes)
        return EXIT_FAILURE;
    if (cli->json) {
        vgpu_table_print_object(columns, g_variant_new_parsed("{'name': <%s>, 'changes': <%@as>}",
                                                              args[0], changes));
        return EXIT_SUCCESS;
    }
    printf("Pool %s refreshed\n", args[0]);
    lines = g_variant_get_strv(changes, NULL);
    for (const char **line = lines; *line; line++)
        printf("  %s\n", *line);
    return EXIT_SUCCESS;
}

const VgpuCommand vgpu_commands_pool[] = {
    { .name = "pool-list",
      .synopsis = "[--all] [--inactive]",
      .summary = "the pools of GPUs",
      .description =
          "Lists the pools with their state and their GPUs, active or not. The pool 'default' "
          "always exists and has the GPUs of no other pool.",
      .example = "virt-vgpu pool-list\nvirt-vgpu pool-list --json | jq '.[].profiles'",
      .options = list_options,
      .columns = list_columns,
      .run = run_list },
    { .name = "pool-info",
      .synopsis = "POOL",
      .summary = "one pool: its GPUs, room, tenants and users",
      .description =
          "Shows one pool with, for each of its profiles, how many its GPUs can hold, how many "
          "there are and how many more fit now, how much of its limit each tenant uses, and "
          "which plugin parameters its devices may ask for.",
      .example = "virt-vgpu pool-info design",
      .min_args = 1,
      .max_args = 1,
      .run = run_info },
    { .name = "pool-dumpxml",
      .synopsis = "POOL [--configured]",
      .summary = "the XML of a pool",
      .description =
          "Prints the pool's XML, with capacity, allocated and available of each profile; with "
          "--configured as it was defined. Users who may not manage pools do not see what "
          "<driverISO> says.",
      .example = "virt-vgpu pool-dumpxml design --configured > design.xml",
      .min_args = 1,
      .max_args = 1,
      .options = dumpxml_options,
      .run = run_dumpxml },
    { .name = "pool-define",
      .synopsis = "FILE",
      .summary = "define or change a pool",
      .description =
          "Defines the pool that the <vgpupool> in FILE describes, or changes the one of that "
          "name. A new pool has to be started. '-' reads standard input. Running domains are "
          "not affected.",
      .example = "virt-vgpu pool-define design.xml && virt-vgpu pool-start design",
      .min_args = 1,
      .max_args = 1,
      .run = run_define },
    { .name = "pool-edit",
      .synopsis = "POOL",
      .summary = "change a pool in an editor",
      .description = "Opens the pool's XML in $VISUAL, $EDITOR or vi. Errors are reported and "
                     "you can edit again; the pool changes only when the result is valid.",
      .example = "virt-vgpu pool-edit design",
      .min_args = 1,
      .max_args = 1,
      .run = run_edit },
    { .name = "pool-start",
      .synopsis = "POOL",
      .summary = "start a pool: vGPUs can be made on its GPUs",
      .description = "Activates a pool that was defined or stopped.",
      .example = "virt-vgpu pool-start design",
      .min_args = 1,
      .max_args = 1,
      .run = run_start },
    { .name = "pool-destroy",
      .synopsis = "POOL",
      .summary = "stop a pool: no new vGPU is made on its GPUs",
      .description =
          "Stops a pool: it keeps its GPUs, but no new vGPU is made on them. Domains that have "
          "one keep it; they are listed.",
      .example = "virt-vgpu pool-destroy design",
      .min_args = 1,
      .max_args = 1,
      .run = run_destroy },
    { .name = "pool-undefine",
      .synopsis = "POOL",
      .summary = "undefine a pool",
      .description =
          "Removes a stopped pool; its GPUs go to the next pool that matches them, or to "
          "'default'. Domains that still name the pool can no longer be started; they are "
          "listed.",
      .example = "virt-vgpu pool-destroy design && virt-vgpu pool-undefine design",
      .min_args = 1,
      .max_args = 1,
      .run = run_undefine },
    { .name = "pool-autostart",
      .synopsis = "POOL [--disable]",
      .summary = "start a pool when the host boots",
      .description = "Starts the pool when the host boots; --disable turns this off.",
      .example = "virt-vgpu pool-autostart design",
      .min_args = 1,
      .max_args = 1,
      .options = autostart_options,
      .run = run_autostart },
    { .name = "pool-refresh",
      .synopsis = "POOL",
      .summary = "reread a pool's file and find its GPUs again",
      .description = "Reads the pool's file again, finds the GPUs that it matches, and "
                     "rebuilds its driver image from its bundle.",
      .example = "virt-vgpu pool-refresh design",
      .min_args = 1,
      .max_args = 1,
      .run = run_refresh },
    { 0 },
};
