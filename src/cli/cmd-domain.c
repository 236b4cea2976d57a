/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs about domains: explain, inject, start. The daemon gets their XML, never a path; they are
 * started through libvirt with the caller's own rights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/xml-stream.h"
#include "cli/bus.h"
#include "cli/command.h"
#include "cli/doctor-manager.h"
#include "cli/domain-io.h"
#include "cli/explanation.h"
#include "cli/interrupt.h"
#include "cli/migration-here.h"
#include "cli/migration.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "cli/xml-file.h"
#include "domain/domain.h"
#include "domain/excerpt.h"
#include "libvirt/connection.h"
#include "libvirt/domains.h"

static struct {
    char *xml, *migrate;
    gboolean host;
    int bandwidth;
} option;

static const GOptionEntry explain_options[] = {
    { "xml", 0, 0, G_OPTION_ARG_FILENAME, &option.xml,
      "a file instead of a domain; '-' is standard input", "FILE" },
    { "migrate", 0, 0, G_OPTION_ARG_STRING, &option.migrate,
      "whether the running domain can be migrated to that libvirt", "URI" },
    { "bandwidth", 0, 0, G_OPTION_ARG_INT, &option.bandwidth,
      "with --migrate: speed of the link to it, in MiB/s [" G_STRINGIFY(
          VGPU_MIGRATION_BANDWIDTH) "]",
      "MIB" },
    { "host", 0, 0, G_OPTION_ARG_NONE, &option.host,
      "with --json: also what another host needs to know before a migration", NULL },
    { 0 },
};

/* The XML that a start of the domain would use. */
static char *
domain_xml(const VgpuCli *cli, const char *name, GError **error)
{
    g_autoptr(VgpuDomainState) domain = vgpu_domain_io_find(cli, name, error);

    if (!domain)
        return NULL;
    return g_strdup(domain->definition ? domain->definition : domain->live);
}

/* Suggest names for unknown ones in the annotation. */
static void
print_guesses(VgpuBusManager1 *manager, const VgpuDomain *domain)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);
        const char *const none[] = { NULL, NULL };
        const char *const *profile = (const char *const *) want->profiles;

        for (profile = profile && *profile ? profile : none; profile == none || *profile;
             profile++) {
            g_autofree char *name = vgpu_suggest_name(manager, *profile, want->pool);

            if (name)
                printf("\nDid you mean '%s'?\n", name);
            if (name || profile == none)
                break;
        }
    }
}

/* The domain in a file. virt-install prints a domain twice, for the installation and for the time after
 * it, without a difference for its vGPUs: *@xml becomes the first. Several domains are an error. */
static VgpuDomain *
read_domain(char **xml, gsize len, const char *what, GError **error)
{
    g_autoptr(GPtrArray) documents = vgpu_xml_stream_split(*xml, len);
    g_autoptr(VgpuDomain) first = NULL;

    for (guint i = 0; i < documents->len; i++) {
        const char *text = documents->pdata[i];
        g_autoptr(VgpuDomain) domain = vgpu_domain_parse(text, strlen(text), what, error);

        if (!domain)
            return NULL;
        if (!first) {
            first = g_steal_pointer(&domain);
        } else if (!g_str_equal(domain->name, first->name)) {
            g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                        "%s has several domains, '%s' and '%s': explain them one by one", what,
                        first->name, domain->name);
            return NULL;
        }
    }
    g_free(*xml);
    *xml = g_strdup(documents->pdata[0]);
    return g_steal_pointer(&first);
}

/* Of the GPUs, which -o and --noheadings leave of an explanation. */
static const VgpuColumn *
explain_table(void)
{
    return option.migrate ? vgpu_migration_columns : vgpu_explanation_columns;
}

/* The part of it that virtvgpud needs, as the size of users' calls is limited (daemon/limits.h). */
static GVariant *
arguments_of(const VgpuDomain *domain)
{
    g_autofree char *xml = vgpu_excerpt_make(domain);

    return g_variant_new("(s)", xml);
}

/* Its libvirt may be off, or not for this user. */
static void
print_json(const VgpuCli *cli, VgpuBusManager1 *manager, GVariant *result)
{
    g_autoptr(virConnect) conn = option.host ? vgpu_domain_io_connect(cli, true, NULL) : NULL;

    vgpu_explanation_print_json(result, option.host ? vgpu_migration_here_describe(conn, manager,
                                                                                   cli->root)
                                                    : NULL);
}

static int
explain_migration(const VgpuCli *cli, const char *name, GError **error)
{
    g_autoptr(VgpuMigration) migration = NULL;

    if (option.xml || option.host)
        return vgpu_command_usage(error, "--migrate cannot be combined with --xml or --host");
    if (!name)
        return vgpu_command_usage(error, "--migrate needs a DOMAIN");
    if (option.bandwidth < 0)
        return vgpu_command_usage(error, "--bandwidth %d: at least 1", option.bandwidth);
    if (!(migration =
              vgpu_migration_look(cli, name, option.migrate, (guint64) option.bandwidth, error)))
        return EXIT_FAILURE;
    vgpu_migration_print(cli, migration);
    return migration->verdict == VGPU_TRUTH_YES  ? EXIT_SUCCESS
           : migration->verdict == VGPU_TRUTH_NO ? EXIT_FAILURE
                                                 : VGPU_EXIT_UNKNOWN;
}

static int
run_explain(const VgpuCli *cli, char **args, GError **error)
{
    const char *what = option.xml ? vgpu_xml_file_source(option.xml) : args[0];
    g_autoptr(VgpuBusManager1) manager = NULL;
    g_autofree char *xml = NULL;
    g_autoptr(VgpuDomain) domain = NULL;
    g_autoptr(GVariant) result = NULL;
    gboolean possible = FALSE;
    gsize len = 0;

    if (option.migrate)
        return explain_migration(cli, args[0], error);
    if (!vgpu_domain_io_check_source(args[0], option.xml, error))
        return VGPU_EXIT_USAGE;
    if (option.bandwidth)
        return vgpu_command_usage(error, "--bandwidth needs --migrate");
    if (option.host && !cli->json)
        return vgpu_command_usage(error, "--host needs --json");
    if (!(xml = option.xml ? vgpu_xml_file_read(option.xml, &len, error)
                           : domain_xml(cli, args[0], error)))
        return EXIT_FAILURE;
    /* if it is not a domain at all, an error with the file's name is better */
    domain = read_domain(&xml, option.xml ? len : strlen(xml), what, error);
    if (!domain || !(manager = vgpu_bus_open(cli->bus, error)) ||
        !(result = vgpu_bus_query(manager, "Explain", arguments_of(domain), error)))
        return EXIT_FAILURE;

    g_variant_lookup(result, "possible", "b", &possible);
    vgpu_domain_io_print_warnings(what, domain, manager);
    if (cli->json) {
        print_json(cli, manager, result);
    } else if (vgpu_table_is_alone()) {
        vgpu_explanation_print_table(result, cli->wide);
    } else if (!domain->wants->len) {
        printf("%s asks for no vGPU (see 'virt-vgpu annotate')\n", what);
    } else {
        vgpu_explanation_print(what, result, cli->wide);
        if (!possible)
            print_guesses(manager, domain);
    }
    if (!possible && vgpu_explanation_is_unknown(result))
        return VGPU_EXIT_UNKNOWN;
    return possible ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Make the definition of the domain follow its annotation; returns the changes. */
static GVariant *
inject(VgpuBusManager1 *manager, const VgpuDomainState *domain, GError **error)
{
    g_autofree char *doing =
        g_strdup_printf("The definition of domain '%s' is being changed", domain->name);

    return vgpu_bus_call(manager, "Inject", g_variant_new("(s)", domain->uuid), doing, error);
}

/* Warn of contents of the definition that conflict with its vGPUs. */
static void
print_warnings(const VgpuDomainState *state, VgpuBusManager1 *manager)
{
    g_autoptr(VgpuDomain) domain =
        state->definition
            ? vgpu_domain_parse(state->definition, strlen(state->definition), NULL, NULL)
            : NULL;

    if (domain)
        vgpu_domain_io_print_warnings(domain->what, domain, manager);
}

static int
run_inject(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuDomainState) domain = vgpu_domain_io_find(cli, args[0], error);
    g_autoptr(VgpuBusManager1) manager = domain ? vgpu_bus_open(cli->bus, error) : NULL;
    g_autoptr(GVariant) changes = manager ? inject(manager, domain, error) : NULL;
    g_autofree const char **lines = NULL;

    if (!changes)
        return EXIT_FAILURE;
    print_warnings(domain, manager);
    lines = g_variant_get_strv(changes, NULL);
    if (!cli->json)
        printf("Domain '%s': %s\n", domain->name,
               *lines ? "definition changed" : "nothing to change");
    vgpu_domain_io_print_changes(cli, domain->name, lines);
    return EXIT_SUCCESS;
}

/* A start in a thread of its own, so that progress can be shown if it takes long. */
typedef struct {
    virConnectPtr conn;
    const char *uuid;
    GMutex lock;
    GCond finished;
    bool is_done; /* guarded by lock */
    bool ok;
    GError *error;
} Start;

static gpointer
start_thread(gpointer data)
{
    Start *start = data;
    g_autoptr(GError) error = NULL;
    bool ok = vgpu_domains_start(start->conn, start->uuid, &error);

    g_mutex_lock(&start->lock);
    start->ok = ok;
    start->error = g_steal_pointer(&error);
    start->is_done = true;
    g_cond_signal(&start->finished);
    g_mutex_unlock(&start->lock);
    return NULL;
}

/* QEMU only says "Input/output error" where NVIDIA's manager did not start the vGPU; that has logged why. */
static void
add_reason(GError **error, gint64 since)
{
    g_autofree char *reason = vgpu_doctor_manager_said(since);
    g_autofree char *text = NULL;

    if (!error || !*error || !reason)
        return;
    text = g_strdup_printf("%s; nvidia-vgpu-mgr reports: %s", (*error)->message, reason);
    g_free((*error)->message);
    (*error)->message = g_steal_pointer(&text);
}

static bool
start_domain(virConnectPtr conn, const VgpuDomainState *domain, GError **error)
{
    Start start = { .conn = conn, .uuid = domain->uuid };
    g_autofree char *last_words =
        g_strdup_printf("Domain '%s' is still being started by libvirt; see 'virt-vgpu list', "
                        "cancel it with 'virsh destroy %s'",
                        domain->name, domain->uuid);
    g_autoptr(VgpuInterrupt) interrupt = vgpu_interrupt_new(last_words);
    gint64 deadline = g_get_monotonic_time() + G_TIME_SPAN_SECOND;
    gint64 began = g_get_real_time() / G_USEC_PER_SEC;
    GThread *thread = g_thread_new("start", start_thread, &start);

    g_mutex_lock(&start.lock);
    while (!start.is_done) {
        if (g_cond_wait_until(&start.finished, &start.lock, deadline))
            continue;
        fprintf(stderr, "Domain '%s' is being started …\n", domain->name);
        deadline = G_MAXINT64;
    }
    g_mutex_unlock(&start.lock);
    g_thread_join(thread);

    if (start.error) {
        g_propagate_error(error, start.error);
        add_reason(error, began);
    }
    return start.ok;
}

static int
run_start(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(virConnect) conn = vgpu_domain_io_connect(cli, false, error);
    g_autoptr(VgpuDomainState) domain = conn ? vgpu_domains_find(conn, args[0], error) : NULL;
    g_autoptr(VgpuBusManager1) manager = domain ? vgpu_bus_open(cli->bus, error) : NULL;
    g_autoptr(GVariant) changes = manager ? inject(manager, domain, error) : NULL;
    g_autofree const char **lines = NULL;

    if (changes) /* before QEMU may say the same in its own words */
        print_warnings(domain, manager);
    if (!changes || !start_domain(conn, domain, error))
        return EXIT_FAILURE;
    if (!cli->json)
        printf("Domain '%s' started\n", domain->name);
    lines = g_variant_get_strv(changes, NULL);
    vgpu_domain_io_print_changes(cli, domain->name, lines);
    return EXIT_SUCCESS;
}

const VgpuCommand vgpu_commands_domain[] = {
    { .name = "explain",
      .synopsis = "DOMAIN [--migrate URI] | --xml FILE",
      .summary = "what a start would do now, or why it would fail",
      .description =
          "Shows which GPU each annotated vGPU of the domain would get if the domain were "
          "started now, why each GPU fits or not, the error that the start would report, and "
          "how many more of each profile fit now. Changes nothing. The exit status is 1 if a "
          "start is not possible, 8 if a GPU that does not answer might have room. With "
          "--migrate "
          "shows whether the running domain can be migrated to the libvirt of another host, "
          "which "
          "is asked through ssh, and for how long the guest would be paused; the exit status is "
          "8 "
          "if something could not be checked.",
      .example = "virt-vgpu explain web1\nvirt-vgpu explain --xml web1.xml --json\n"
                 "virt-vgpu explain web1 --migrate qemu+ssh://root@host2/system",
      .max_args = 1,
      .options = explain_options,
      .columns = explain_table,
      .run = run_explain },
    { .name = "inject",
      .synopsis = "DOMAIN",
      .summary = "make the definition follow its annotation now",
      .description =
          "Makes the daemon put the annotated vGPUs into the persistent definition and waits "
          "until that is done. The daemon does so by itself within a second of every change; "
          "this is for scripts that need to be sure.",
      .example = "virt-vgpu inject web1",
      .min_args = 1,
      .max_args = 1,
      .run = run_inject },
    { .name = "start",
      .synopsis = "DOMAIN",
      .summary = "inject, then start the domain",
      .description =
          "Makes the definition follow its annotation, waits for that, and starts the domain "
          "through libvirt with your own rights, so that its vGPU, display included, is there "
          "from the beginning.",
      .example = "virt-vgpu start web1",
      .min_args = 1,
      .max_args = 1,
      .run = run_start },
    { 0 },
};
