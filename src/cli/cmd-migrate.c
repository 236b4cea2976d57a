/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verb migrate: checks both hosts, then has libvirt migrate the domain, with the caller's own rights. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/printable.h"
#include "cli/bus.h"
#include "cli/command.h"
#include "cli/domain-io.h"
#include "cli/migration.h"
#include "libvirt/connection.h"
#include "libvirt/transfer.h"
#include "libvirt/virerror.h"

#define LOOK_MS 500   /* between two looks at the progress */
#define FREE_TRIES 25 /* a fifth of a second each, until the vGPUs are gone here */

static struct {
    int bandwidth;
} option;

static const GOptionEntry migrate_options[] = {
    { "bandwidth", 0, 0, G_OPTION_ARG_INT, &option.bandwidth,
      "speed of the link to it, in MiB/s [" G_STRINGIFY(VGPU_MIGRATION_BANDWIDTH) "]", "MIB" },
    { 0 },
};

/* Names of domains are others', and the details of checks may quote them. */
static void G_GNUC_PRINTF(2, 3) print_lines(FILE *to, const char *format, ...)
{
    g_autofree char *text = NULL, *shown = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    shown = vgpu_printable_lines(text);
    fputs(shown, to);
}

/* --- the checks ------------------------------------------------------------------------------ */

/* The first that has failed is why. */
static bool
refuse(const VgpuMigration *self, GError **error)
{
    for (guint i = 0; i < self->checks->len; i++) {
        const VgpuMigrationCheck *check = g_ptr_array_index(self->checks, i);
        bool is_room = g_str_equal(check->check, "room");

        if (check->status == VGPU_MIGRATION_FAILED)
            return vgpu_error_set(error, is_room ? VGPU_ERROR_NO_CAPACITY : VGPU_ERROR_FAILED,
                                  "cannot migrate domain '%s' to %s: %s: %s", self->state->name,
                                  self->uri, check->check, check->detail);
    }
    return true;
}

/* What may still go wrong does not keep it from being tried: then the domain runs on here. */
static void
warn(const VgpuMigration *self)
{
    for (guint i = 0; i < self->checks->len; i++) {
        const VgpuMigrationCheck *check = g_ptr_array_index(self->checks, i);

        if (check->status != VGPU_MIGRATION_OK)
            print_lines(stderr, "virt-vgpu: %s: %s: %s: %s\n", self->state->name, check->check,
                        vgpu_migration_checks_word(check->status), check->detail);
    }
}

/* --- the migration --------------------------------------------------------------------------- */

/* It runs in a thread of its own, so that the main loop can show progress, abort it, and hear from the destination. */
typedef struct {
    virDomainPtr domain;
    virConnectPtr there;
    VgpuTransferPlan plan;
    const char *name, *uri;
    GMainLoop *loop;
    guint looks;
    bool is_allowed, is_aborted;
    bool ok; /* this and the following: of the thread, until it has ended */
    GError *error;
} Job;

static volatile sig_atomic_t interrupted;

static void
on_signal(int number)
{
    interrupted = 1;
}

static gboolean
on_end(gpointer job)
{
    g_main_loop_quit(((const Job *) job)->loop);
    return G_SOURCE_REMOVE;
}

static gpointer
job_thread(gpointer data)
{
    Job *job = data;

    job->ok = vgpu_transfer_run(job->domain, job->there, &job->plan, &job->error);
    g_idle_add(on_end, job);
    return NULL;
}

/* On a terminal in one line that is written again and again, else once. */
static void
show_progress(const Job *job)
{
    guint64 done, total;

    if (!isatty(STDERR_FILENO)) {
        if (job->looks == 2)
            print_lines(stderr, "Domain '%s' is being migrated …\n", job->name);
    } else if (vgpu_transfer_progress(job->domain, &done, &total)) {
        fputc('\r', stderr);
        print_lines(stderr, "Domain '%s': %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " MiB ",
                    job->name, done, total);
    }
}

static void
abort_transfer(Job *job)
{
    if (job->is_aborted)
        return;
    print_lines(stderr, "%svirt-vgpu: the migration of domain '%s' is being aborted\n",
                isatty(STDERR_FILENO) ? "\n" : "", job->name);
    vgpu_transfer_abort(job->domain);
    job->is_aborted = true;
}

/* Twice a second. */
static gboolean
on_look(gpointer opaque)
{
    Job *job = opaque;

    job->looks++;
    job->is_allowed = job->is_allowed || vgpu_transfer_allow(job->domain, &job->plan);
    show_progress(job);
    if (interrupted)
        abort_transfer(job);
    return G_SOURCE_CONTINUE;
}

static void
on_lost(gpointer opaque)
{
    Job *job = opaque;

    print_lines(stderr, "%svirt-vgpu: the connection to %s has ended\n",
                isatty(STDERR_FILENO) ? "\n" : "", job->uri);
    abort_transfer(job);
}

/* One that is ignored stays so; a second one ends the program. */
static void
catch_signal(int number)
{
    const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
    struct sigaction before;

    if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
        (void) sigaction(number, &action, NULL);
}

/* Ctrl-C and SIGTERM abort the migration, and so does the end of the connection to the destination. */
static bool
run_job(Job *job, GError **error)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    GThread *thread;
    guint looking = g_timeout_add(LOOK_MS, on_look, job);

    job->loop = loop;
    catch_signal(SIGINT);
    catch_signal(SIGTERM);
    (void) vgpu_transfer_watch(job->there, on_lost, job);
    thread = g_thread_new("migrate", job_thread, job);
    g_main_loop_run(loop);
    g_thread_join(thread);
    vgpu_transfer_unwatch(job->there);
    g_source_remove(looking);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\n");
    if (job->error)
        g_propagate_error(error, g_steal_pointer(&job->error));
    return job->ok;
}

static bool
migrate(virConnectPtr here, const VgpuMigration *self, GError **error)
{
    g_autoptr(virConnect) there = vgpu_connection_open_once(self->uri, error);
    g_autoptr(virDomain) domain = NULL;
    VgpuTransferFacts facts = {
        .libvirt_here = vgpu_connection_version(here),
        .persistent = self->state->persistent,
        .stun_ms = self->estimate.stun_ms,
        .bandwidth = (guint64) option.bandwidth,
    };
    Job job = { .name = self->state->name, .uri = self->uri };

    if (!there)
        return false;
    facts.libvirt_there = vgpu_connection_version(there);
    (void) virConnectGetVersion(here, &facts.qemu_here);
    if (!(domain = virDomainLookupByUUIDString(here, self->state->uuid)))
        return vgpu_virerror_take(error, "cannot find domain '%s'", self->state->name);
    job.domain = domain;
    job.there = there;
    job.plan = vgpu_transfer_plan(&facts);
    return run_job(&job, error);
}

/* --- afterwards ------------------------------------------------------------------------------ */

/* How many vGPUs of it are still on this host. */
static guint
count_here(VgpuBusManager1 *manager, const char *domain_uuid)
{
    g_autoptr(GVariant) rows =
        vgpu_bus_query(manager, "ListVgpus", g_variant_new("(b)", FALSE), NULL);
    guint n = 0;

    for (gsize i = 0; rows && i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        const char *domain = NULL;

        n += g_variant_lookup(row, "domain_uuid", "&s", &domain) &&
             g_str_equal(domain, domain_uuid);
    }
    return n;
}

static void
report(const VgpuCli *cli, const VgpuMigration *self)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, NULL);
    bool is_free = false;

    if (cli->json) {
        vgpu_migration_print(cli, self);
        return;
    }
    for (guint i = 0; manager && !is_free && i < FREE_TRIES; i++) {
        if (i)
            g_usleep(G_USEC_PER_SEC / 5);
        is_free = count_here(manager, self->state->uuid) == 0;
    }
    print_lines(stdout, "Domain '%s' now runs at %s; %s\n", self->state->name, self->uri,
                is_free ? "its vGPUs on this host are removed"
                        : "its vGPUs on this host are not removed yet");
}

static int
run_migrate(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuMigration) migration = NULL;
    g_autoptr(virConnect) conn = NULL;

    if (option.bandwidth < 0)
        return vgpu_command_usage(error, "--bandwidth %d: at least 1", option.bandwidth);
    vgpu_connection_init();
    if (!(migration =
              vgpu_migration_look(cli, args[0], args[1], (guint64) option.bandwidth, error)) ||
        !refuse(migration, error))
        return EXIT_FAILURE;
    warn(migration);
    if (!(conn = vgpu_domain_io_connect(cli, false, error)) || !migrate(conn, migration, error))
        return EXIT_FAILURE;
    report(cli, migration);
    return EXIT_SUCCESS;
}

const VgpuCommand vgpu_commands_migrate[] = {
    { .name = "migrate",
      .synopsis = "DOMAIN URI [--bandwidth MIB]",
      .summary = "migrate a running domain with its vGPUs",
      .description =
          "Makes the checks of 'explain DOMAIN --migrate URI', and if none of them fails, has "
          "libvirt migrate the running domain to URI with your own rights on both hosts. QEMU "
          "is allowed to pause the guest for as long as its frame buffers need. A persistent "
          "domain is defined there, and no longer here. Ctrl-C aborts the migration. If it "
          "fails, the domain keeps running here.",
      .example = "virt-vgpu migrate web1 qemu+ssh://root@host2/system\n"
                 "virt-vgpu migrate web1 qemu+ssh://root@host2/system --bandwidth 2500",
      .min_args = 2,
      .max_args = 2,
      .options = migrate_options,
      .run = run_migrate },
    { 0 },
};
