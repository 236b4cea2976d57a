/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fault-daemon.c (fault-private.h): the daemon of a case, its faults, and libvirt's events */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault-private.h"

#define EVERY_FURTHER 100000
#define FAULTS_US (1500 * 1000) /* the longest that faults last in one step */
#define TOLD_US (4 * G_USEC_PER_SEC)

guint
fault_below(FaultRun *self, guint n)
{
    return (guint) g_rand_int_range(self->rand, 0, (gint32) n);
}

__attribute__((format(printf, 2, 3))) void
fault_tell(FaultRun *self, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_string_append_vprintf(self->out->story, format, args);
    va_end(args);
    g_string_append_c(self->out->story, '\n');
}

/* The first one counts. */
__attribute__((format(printf, 2, 3))) bool
fault_fail(FaultRun *self, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (!self->out->why->len)
        g_string_append_vprintf(self->out->why, format, args);
    va_end(args);
    return false;
}

/* --- faults --------------------------------------------------------------------------------------- */

/* Most calls have large numbers: a start of the daemon makes some hundreds. */
static guint
choose_at(FaultRun *self, FaultCall call)
{
    guint most = call == FAULT_OPEN || call == FAULT_READ ? 400 : call == FAULT_WRITE ? 60 : 12;
    double scale = g_rand_double(self->rand);

    return 1 + (guint) (most * scale * scale * scale);
}

static int
choose_row(FaultRun *self, int err)
{
    guint row = fault_below(self, 8);

    if (err == EINTR || row < 4) /* EINTR does not last for ever */
        return 1 + (int) fault_below(self, 2);
    return row < 7 ? 2 + (int) fault_below(self, 6) : EVERY_FURTHER;
}

void
fault_arm(FaultRun *self)
{
    static const int errors[] = { EIO, ENOSPC, EMFILE, EINTR, ENOMEM };

    memset(self->board, 0, sizeof(*self->board));
    self->logged = 0;
    if (fault_below(self, 4) == 0)
        return;
    for (guint i = 0; i < 1 + fault_below(self, FAULT_MOST); i++) {
        Fault *fault = &self->board->faults[i];

        fault->program = (int) fault_below(self, FAULT_PROGRAMS);
        fault->call = (int) fault_below(self, FAULT_CALLS);
        fault->err = errors[fault_below(self, G_N_ELEMENTS(errors))];
        fault->at = (int) choose_at(self, (FaultCall) fault->call);
        fault->row = choose_row(self, fault->err);
    }
    self->armed = g_get_monotonic_time();
    __atomic_store_n(&self->board->armed, 1, __ATOMIC_SEQ_CST);
}

void
fault_disarm(FaultRun *self)
{
    int fired;

    __atomic_store_n(&self->board->armed, 0, __ATOMIC_SEQ_CST);
    self->armed = 0;
    fired = MIN(self->board->fired, FAULT_LOG);
    for (; self->logged < fired; self->logged++)
        fault_tell(self, "  failed: %s", self->board->log[self->logged]);
    self->out->fired += (guint) self->board->fired;
    self->board->fired = 0;
}

/* A moment of the step has passed. */
void
fault_poll(FaultRun *self)
{
    if (self->armed && g_get_monotonic_time() - self->armed > FAULTS_US)
        fault_disarm(self);
    g_usleep(FAULT_POLL_US);
}

/* --- the daemon, and libvirt ------------------------------------------------------------------------ */

/* What libvirt would say, from the next daemon on. */
void
fault_write_libvirt(FaultRun *self)
{
    GString *xml = g_string_new(NULL);

    for (guint i = 0; i < FAULT_VMS; i++) {
        const FaultVm *vm = &self->vms[i];
        g_auto(GStrv) halves = vm->ask ? g_strsplit(vm->xml, "</domain>", 2) : NULL;

        if (vm->ask)
            g_string_append_printf(
                xml,
                "%s<test:runstate xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>"
                "%d</test:runstate></domain>",
                halves[0], vm->runs ? 1 : 5);
    }
    life_libvirt(self->life, xml->str);
    g_string_free(xml, TRUE);
}

/* Without faults the daemon serves hooks, the bus, and libvirt, which Reconcile needs. Returns why it does not;
 * NULL: it does, or has ended. */
static const char *
find_lacking(FaultRun *self)
{
    gint64 deadline = g_get_monotonic_time() + FAULT_SETTLE_US;
    const char *why = NULL;

    while (life_runs(self->life) && g_get_monotonic_time() < deadline) {
        g_autoptr(GVariant) actions =
            fault_host_call(self->out->host, "Reconcile", g_variant_new("(b)", TRUE), &why);

        if (actions)
            return NULL;
        g_usleep(20 * FAULT_POLL_US);
    }
    return life_runs(self->life) ? why : NULL;
}

bool
fault_becomes_whole(FaultRun *self)
{
    const char *why = find_lacking(self);

    if (why)
        return fault_fail(self, "the daemon works by halves: %s", why);
    return life_runs(self->life) ||
           fault_fail(self, "the daemon has ended: %d", self->life->ended);
}

bool
fault_has_reconciled(FaultRun *self)
{
    gint64 deadline = g_get_monotonic_time() + FAULT_SETTLE_US;

    while (g_get_monotonic_time() < deadline) {
        g_autoptr(GVariant) metrics = fault_host_call(self->out->host, "GetMetrics", NULL, NULL);
        const char *text = "";

        if (metrics)
            g_variant_get(metrics, "(&s)", &text);
        if (strstr(text, "\nvirtvgpu_last_reconcile_timestamp_seconds "))
            return true;
        g_usleep(20 * FAULT_POLL_US);
    }
    return fault_fail(self, "the daemon does not reconcile by itself");
}

/* It may end instead, as the service manager starts it again; but not crash. */
static bool
up(FaultRun *self)
{
    bool is_up;
    const char *why;

    fault_write_libvirt(self);
    is_up = life_up(self->life);
    fault_disarm(self);
    why = is_up ? find_lacking(self) : NULL;
    if (why)
        return fault_fail(self, "the daemon works by halves: %s", why);
    if (life_runs(self->life))
        return is_up || fault_fail(self, "the daemon neither works nor ends");
    fault_tell(self, "  the daemon has ended: %d", self->life->ended);
    if (!WIFEXITED(self->life->ended) || WEXITSTATUS(self->life->ended) != EXIT_FAILURE)
        return fault_fail(self, "the daemon has crashed: %d", self->life->ended);
    return life_up(self->life)
               ? fault_becomes_whole(self)
               : fault_fail(self, "the daemon does not start, with the fault gone");
}

bool
fault_restart(FaultRun *self, int signal)
{
    gint64 deadline = g_get_monotonic_time() + FAULT_SETTLE_US;

    if (life_runs(self->life))
        kill(self->life->daemon, signal);
    while (life_runs(self->life)) {
        if (g_get_monotonic_time() > deadline)
            return fault_fail(self, "the daemon does not end");
        fault_poll(self);
    }
    return up(self);
}

/* Send libvirt's events. A daemon that has lost libvirt would get them after it has reconnected, which libvirt's test
 * driver cannot simulate; such a daemon is restarted. */
bool
fault_libvirt(FaultRun *self, const char *verb, const char *name)
{
    gint64 deadline = g_get_monotonic_time() + TOLD_US;
    g_autofree char *text = g_strdup_printf("%s %s\n", verb, name);
    g_autofree char *path = g_build_filename(self->life->root, "knobs/tell", NULL);
    g_autofree char *next = g_build_filename(self->life->root, "knobs/next", NULL);

    life_knob(self->life, "next", text);
    if (rename(next, path) < 0)
        g_error("%s cannot be renamed", next);
    while (access(path, F_OK) == 0) {
        if (!life_runs(self->life) || g_get_monotonic_time() > deadline) {
            fault_disarm(self);
            (void) unlink(path);
            fault_tell(self, "  it does not hear of '%s %s'", verb, name);
            return life_runs(self->life) ? fault_restart(self, SIGKILL) : true;
        }
        fault_poll(self);
    }
    return true;
}
