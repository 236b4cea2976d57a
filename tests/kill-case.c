/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kill-case.h"

#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "base/uuid.h"

#define SETTLE_S 10
#define POLL_US 500
#define VM 1
#define FRESH_VM 2

/* --- sequences ------------------------------------------------------------------------------------ */

#define DEVICE(gpu, profile) "<vgpu:device gpu='" gpu "' profile='" profile "'/>"
#define DEVICE_WITH(gpu, profile, value)                                                         \
    "<vgpu:device gpu='" gpu "' profile='" profile "'><vgpu:param name='loglevel' value='" value \
    "'/></vgpu:device>"
#define M10(profile) DEVICE(LIFE_M10, "GRID M10-" profile)
#define M10_WITH(profile, value) DEVICE_WITH(LIFE_M10, "GRID M10-" profile, value)
#define L40S(profile) DEVICE(LIFE_L40S, "NVIDIA L40S-" profile)
#define L40S_WITH(profile, value) DEVICE_WITH(LIFE_L40S, "NVIDIA L40S-" profile, value)

static const KillAsk asks[] = {
    { "mdev", 1, 0, M10("8Q"), "nvidia-45", "", M10("1Q"), "nvidia-39", M10_WITH("8Q", "5"),
      "loglevel=5", M10("8Q") M10("8Q") },
    { "mdevs", 2, 0, M10("4Q") M10("4Q"), "nvidia-43 nvidia-43", "", M10("2Q") M10("2Q"),
      "nvidia-41 nvidia-41", M10_WITH("4Q", "5") M10("4Q"), "loglevel=5",
      M10("4Q") M10("4Q") M10("4Q") },
    { "mdev-params", 1, 0, M10_WITH("8Q", "1"), "nvidia-45", "loglevel=1", M10_WITH("1Q", "1"),
      "nvidia-39", M10_WITH("8Q", "5"), "loglevel=5", M10_WITH("8Q", "1") M10("8Q") },
    { "vf", 0, 1, L40S("48Q"), "1156", "", L40S("4Q"), "1150", L40S_WITH("48Q", "5"),
      "loglevel=5", L40S("48Q") L40S("48Q") },
    { "vfs", 0, 2, L40S("8Q") L40S("8Q"), "1152 1152", "", L40S("4Q") L40S("4Q"), "1150 1150",
      L40S_WITH("8Q", "5") L40S("8Q"), "loglevel=5", L40S("8Q") L40S("8Q") L40S("8Q") },
    { "vf-params", 0, 1, L40S_WITH("48Q", "1"), "1156", "loglevel=1", L40S_WITH("4Q", "1"),
      "1150", L40S_WITH("48Q", "5"), "loglevel=5", L40S_WITH("48Q", "1") L40S("48Q") },
    { "late", 0, 0, M10("8Q"), "nvidia-45", "", M10("1Q"), "nvidia-39", M10_WITH("8Q", "5"),
      "loglevel=5", M10("8Q") M10("8Q") },
};

G_STATIC_ASSERT(KILL_SEQUENCES == 2 * G_N_ELEMENTS(asks));

KillSequence
kill_sequence(guint n)
{
    return (KillSequence) { &asks[n / 2], n % 2 };
}

char *
kill_sequence_name(KillSequence sequence)
{
    return g_strconcat(sequence.stops ? "stop-" : "start-", sequence.ask->name, NULL);
}

/* --- who is killed, and when ---------------------------------------------------------------------- */

const KillWay kill_ways[KILL_WAYS] = {
    { "daemon-before", KILL_DAEMON, KILL_DAEMON, 0, 0 },
    { "daemon-after", KILL_DAEMON, KILL_DAEMON, 1, 0 },
    { "driver-before", KILL_DRIVER, KILL_DRIVER, 0, 0 },
    { "driver-after", KILL_DRIVER, KILL_DRIVER, 1, 0 },
    { "both-before", KILL_DAEMON | KILL_DRIVER, KILL_DAEMON, 0, 0 },
    { "both-after", KILL_DAEMON | KILL_DRIVER, KILL_DAEMON, 1, 0 },
    { "both-before-driver's", KILL_DAEMON | KILL_DRIVER, KILL_DRIVER, 0, 0 },
    { "both-after-driver's", KILL_DAEMON | KILL_DRIVER, KILL_DRIVER, 1, 0 },
    { "daemon-before-driver's", KILL_DAEMON, KILL_DRIVER, 0, 200 },
    { "daemon-after-driver's", KILL_DAEMON, KILL_DRIVER, 1, 0 },
};

/* --- a case --------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static bool
fail(KillCase *self, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (!self->why->len)
        g_string_append_vprintf(self->why, format, args);
    va_end(args);
    return false;
}

static char *
xml_of(const KillCase *self, guint vm, const char *devices)
{
    return life_xml(vm, devices, self->sequence.ask->mdevs, self->sequence.ask->vfs);
}

static bool
up(KillCase *self)
{
    return life_runs(self->life) || life_up(self->life) ||
           fail(self, "the daemon does not start");
}

/* The types of the existing devices; NULL: not all have a complete claim. */
static char *
types_of(const KillCase *self)
{
    g_autoptr(GPtrArray) devices = life_devices(self->life);
    g_autofree char *claim = life_claim(self->life, VM);
    GString *types = g_string_new(NULL);

    for (guint i = 0; i < devices->len; i++) {
        g_auto(GStrv) words = g_strsplit(g_ptr_array_index(devices, i), " ", 4);

        g_string_append_printf(types, "%s%s", i ? " " : "", words[2]);
    }
    if (!claim || strstr(claim, "phase=creating") || strstr(claim, "phase=releasing") ||
        !strstr(claim, "complete=true")) {
        g_string_append_printf(types, " with the claim:\n%s\n", claim ? claim : "(none)");
    }
    return g_string_free(types, FALSE);
}

/* The parameters of vGPU 0. */
static char *
params_of(const KillCase *self)
{
    g_autofree char *uuid = life_uuid(VM);
    g_autofree char *mdev = vgpu_uuid_for_domain(uuid, 0);
    char *params = life_params(self->life, self->sequence.ask->vfs ? LIFE_VF : mdev);

    return params ? params : g_strdup("(none)");
}

static bool
is_of_a_dead_driver(const char *said)
{
    return strstr(said, "it has ended") || strstr(said, "cannot send it a request");
}

/* The daemon does not restart a killed driver process at once: a start that needs it can be refused
 * meanwhile. */
static char *
starts_in_time(const KillCase *self, guint vm, const char *devices)
{
    gint64 deadline = g_get_monotonic_time() + SETTLE_S * G_USEC_PER_SEC;
    g_autofree char *xml = xml_of(self, vm, devices);

    for (;;) {
        char *said = life_start(self->life, vm, xml);

        if (!said || self->way->who != KILL_DRIVER || !is_of_a_dead_driver(said) ||
            g_get_monotonic_time() > deadline)
            return said;
        g_free(said);
        g_usleep(20 * POLL_US);
    }
}

/* Check that it starts and has what it asks for. */
static bool
starts(KillCase *self, const char *devices, const char *types, const char *params)
{
    g_autofree char *said = starts_in_time(self, VM, devices);
    g_autofree char *is = NULL;
    g_autofree char *has = NULL;

    if (said)
        return fail(self, "the next start: %s", said);
    is = types_of(self);
    has = params_of(self);
    if (strcmp(is, types) != 0)
        return fail(self, "after the next start there is '%s', not '%s'", is, types);
    return strcmp(has, params) == 0 ||
           fail(self, "after the next start the parameters are '%s', not '%s'", has, params);
}

static bool
stops(KillCase *self)
{
    g_autofree char *xml = xml_of(self, VM, self->sequence.ask->wanted);
    g_autofree char *said = life_stop(self->life, VM, xml);

    return !said || fail(self, "the release: %s", said);
}

/* Tell libvirt about the domain: running, off, or unknown. */
static bool
restarts_with_libvirt(KillCase *self, const char *runstate)
{
    g_autofree char *xml = xml_of(self, VM, self->sequence.ask->wanted);
    g_auto(GStrv) halves = g_strsplit(xml, "</domain>", 2);
    g_autofree char *with = g_strdup_printf(
        "%s<test:runstate xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>"
        "%s</test:runstate></domain>",
        halves[0], runstate);

    life_kill(self->life);
    life_libvirt(self->life, *runstate ? with : "");
    self->has_libvirt = true;
    return up(self);
}

/* --- what happens next ---------------------------------------------------------------------------- */

static bool
next_same(KillCase *self)
{
    const KillAsk *ask = self->sequence.ask;

    return starts(self, ask->wanted, ask->types, ask->params) && stops(self);
}

static bool
next_other(KillCase *self)
{
    const KillAsk *ask = self->sequence.ask;

    return starts(self, ask->other, ask->other_types, ask->params) && stops(self);
}

static bool
next_params(KillCase *self)
{
    const KillAsk *ask = self->sequence.ask;

    return starts(self, ask->with, ask->types, ask->with_params) && stops(self);
}

/* The release that libvirt runs afterwards is not needed: nothing may be left before it. */
static bool
is_refused(KillCase *self, const char *devices)
{
    g_autofree char *xml = xml_of(self, VM, devices);
    g_autofree char *said = life_start(self->life, VM, xml);

    if (!said)
        return fail(self, "a start that should be refused is not");
    return true;
}

static bool
next_crowded(KillCase *self)
{
    return is_refused(self, self->sequence.ask->crowded);
}

static bool
next_unknown(KillCase *self)
{
    return is_refused(self, DEVICE(LIFE_M10, "GRID M10-3X")) && stops(self);
}

/* The hook is killed, some effects after it has come. */
static bool
next_cancelled(KillCase *self)
{
    KillBoard *board = self->life->board;
    g_autofree char *xml = xml_of(self, VM, self->sequence.ask->wanted);
    g_autofree char *said = NULL;
    LifeHook hook;
    int status;

    memset(board, 0, sizeof(*board));
    board->of = KILL_DAEMON;
    board->armed = 1;
    hook = life_hook(self->life, VM, xml, "prepare");
    while (!life_hook_ended(&hook, &status, &said)) {
        if (g_atomic_int_get(&board->count) > (int) (self->n % 5))
            kill(hook.pid, SIGKILL);
        g_usleep(POLL_US / 5);
    }
    board->armed = 0;
    if (status > 0)
        return fail(self, "the next start: %s", said);
    /* it may have gone before its XML was read: then nothing was begun, and nothing is undone */
    return stops(self);
}

static bool
next_release(KillCase *self)
{
    return stops(self);
}

/* A release that has been answered is completed, whatever happens. */
static bool
next_nothing(KillCase *self)
{
    return (self->sequence.stops && self->is_answered) || stops(self);
}

/* Now libvirt says that it does not run. */
static bool
next_off(KillCase *self)
{
    return restarts_with_libvirt(self, "5");
}

static bool
next_gone(KillCase *self)
{
    return restarts_with_libvirt(self, "");
}

/* It runs, with or without its vGPU. */
static bool
next_running(KillCase *self)
{
    return restarts_with_libvirt(self, "1") && stops(self);
}

/* Kill again during the recovery. */
static bool
next_again(KillCase *self)
{
    KillBoard *board = self->life->board;
    bool is_up;

    life_kill(self->life);
    memset(board, 0, sizeof(*board));
    board->of = board->who = KILL_DAEMON;
    board->at = (int) (1 + (self->n * 7) % 11);
    board->armed = 1;
    is_up = life_up(self->life);
    if (is_up) {
        g_autofree char *xml = xml_of(self, VM, self->sequence.ask->wanted);
        g_autofree char *said = life_start(self->life, VM, xml);

        is_up = said == NULL;
    }
    board->armed = 0;
    if (!is_up && !board->fired)
        return fail(self, "the daemon that is to be killed again does not come, or start it");
    if (board->fired)
        life_bury(self->life);
    return up(self) && next_same(self);
}

const KillNext kill_nexts[KILL_NEXTS] = {
    { "same", next_same },       { "release", next_release }, { "nothing", next_nothing },
    { "other", next_other },     { "crowded", next_crowded }, { "cancelled", next_cancelled },
    { "off", next_off },         { "params", next_params },   { "again", next_again },
    { "unknown", next_unknown }, { "gone", next_gone },       { "running", next_running },
};

/* --- the whole case -------------------------------------------------------------------------------- */

static bool
nothing_left(KillCase *self, const char *when)
{
    g_autofree char *left = life_wait_for_nothing(self->life, SETTLE_S);

    return !left || fail(self, "%s, left: %s", when, left);
}

/* Another domain can use the whole GPU; or this domain, if its VFs are reserved. */
static bool
answers_a_fresh_start(KillCase *self)
{
    guint vm = self->has_libvirt ? VM : FRESH_VM;
    g_autofree char *xml = xml_of(self, vm, self->sequence.ask->wanted);
    g_autofree char *said = starts_in_time(self, vm, self->sequence.ask->wanted);

    if (said)
        return fail(self, "a fresh start: %s", said);
    if ((said = life_stop(self->life, vm, xml)))
        return fail(self, "a fresh release: %s", said);
    return nothing_left(self, "after a fresh start");
}

/* Whether it has happened, or will. */
static bool
is_killed(const KillCase *self)
{
    const KillBoard *board = self->life->board;

    if (g_atomic_int_get(&board->count) < board->at)
        return false;
    while (!g_atomic_int_get(&board->fired))
        g_usleep(POLL_US);
    return true;
}

/* A daemon that survives finishes its work. */
static bool
runs_until_killed(KillCase *self, char **said)
{
    KillBoard *board = self->life->board;
    g_autofree char *xml = xml_of(self, VM, self->sequence.ask->wanted);
    gint64 deadline = g_get_monotonic_time() + SETTLE_S * G_USEC_PER_SEC;
    bool killed;

    memset(board, 0, sizeof(*board));
    board->who = self->way->who;
    board->of = self->way->of;
    board->after = self->way->after;
    board->linger_ms = self->way->linger_ms;
    board->at = (int) self->n;
    board->armed = 1;
    *said =
        self->sequence.stops ? life_stop(self->life, VM, xml) : life_start(self->life, VM, xml);
    while (!is_killed(self) && self->sequence.stops && g_get_monotonic_time() < deadline) {
        g_autofree char *left = life_leftovers(self->life);

        if (!left)
            break;
        g_usleep(POLL_US);
    }
    board->armed = 0;
    killed = is_killed(self); /* by the last of them, perhaps, after it was looked */
    if (killed && self->way->who & KILL_DAEMON)
        life_bury(self->life);
    return killed;
}

bool
kill_case_run(KillCase *self, const KillNext *next)
{
    const KillAsk *ask = self->sequence.ask;
    g_autofree char *said = NULL;
    bool killed;

    life_kill(self->life);
    life_forget(self->life);
    life_libvirt(self->life, NULL);
    if (!up(self) ||
        (self->sequence.stops && !starts(self, ask->wanted, ask->types, ask->params)))
        return true;
    killed = runs_until_killed(self, &said);
    if (self->n >= 1 && self->n <= KILL_LOG)
        self->effect = g_strdup(self->life->board->log[self->n - 1]);
    if (!killed) {
        if (said)
            fail(self, "without a kill: %s", said);
        return !stops(self) || !nothing_left(self, "without a kill") || self->why->len;
    }
    self->is_answered = !said;
    (void) (up(self) && next->run(self) && nothing_left(self, "in the end") &&
            answers_a_fresh_start(self));
    return true;
}
