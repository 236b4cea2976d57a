/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of the life cycle over all combinations of states: exactly one rule applies to each
 * situation, and no rule violates an invariant. */
#include "test.h"

#include "core/lifecycle.h"

/* Call @func for every situation there is. */
static void
walk(void (*func)(const VgpuSituation *s, gpointer data), gpointer data)
{
    static const guint n[] = { VGPU_N_HOLDS,
                               VGPU_N_PHASES,
                               VGPU_N_CALLS,
                               VGPU_N_SEENS,
                               VGPU_N_WANTEDS,
                               VGPU_N_RUNS,
                               VGPU_N_ROOMS,
                               2,
                               2 };
    guint v[G_N_ELEMENTS(n)] = { 0 };
    gsize i;

    do {
        VgpuSituation s = {
            .hold = (VgpuHold) v[0],
            .phase = (VgpuPhase) v[1],
            .call = (VgpuCall) v[2],
            .seen = (VgpuSeenState) v[3],
            .wanted = (VgpuWanted) v[4],
            .run = (VgpuRun) v[5],
            .room = (VgpuRoom) v[6],
            .params = v[7],
            .reason = v[8],
        };

        func(&s, data);
        for (i = 0; i < G_N_ELEMENTS(n) && ++v[i] == n[i]; i++)
            v[i] = 0;
    } while (i < G_N_ELEMENTS(n));
}

static void
tell(const char *what, const VgpuSituation *s)
{
    print_error("%s: hold %d phase %d call %d seen %d wanted %d run %d room %d params %d "
                "reason %d\n",
                what, (int) s->hold, (int) s->phase, (int) s->call, (int) s->seen,
                (int) s->wanted, (int) s->run, (int) s->room, s->params, s->reason);
}

typedef struct {
    guint wrong;
    bool *used;
} Count;

static void
count_rules(const VgpuSituation *s, gpointer data)
{
    Count *count = data;
    guint matches = 0;

    for (guint i = 0; i < vgpu_lifecycle_n_rules(); i++) {
        if (vgpu_lifecycle_matches(i, s)) {
            count->used[i] = true;
            matches++;
        }
    }
    if (matches != 1 && count->wrong++ < 20)
        tell(matches ? "several rules" : "no rule", s);
}

static void
test_one_rule_each(void **state)
{
    guint n = vgpu_lifecycle_n_rules();
    g_autofree bool *used = g_new0(bool, n);
    Count count = { .used = used };

    (void) state;
    assert_true(n <= 50);
    walk(count_rules, &count);
    assert_int_equal(count.wrong, 0);
    for (guint i = 0; i < n; i++)
        assert_true(used[i]); /* a rule that never matches is dead */
}

/* --- invariants --------------------------------------------------------------------------- */

static bool
is_recorded(const VgpuSituation *s)
{
    return s->phase != VGPU_PHASE_NONE;
}

static bool
exists(const VgpuSituation *s)
{
    return s->seen >= VGPU_SEEN_FREE;
}

/* A device is removed only if it is ours, recorded for removal, without a pending call, and not seen in use; the
 * process that removes it checks whether it is free (test-performer). */
static bool
removes_only_what_is_free(const VgpuSituation *s, VgpuNext next)
{
    return next != VGPU_NEXT_REMOVE ||
           ((s->seen == VGPU_SEEN_UNKNOWN || s->seen == VGPU_SEEN_FREE ||
             s->seen == VGPU_SEEN_UNUSABLE) &&
            s->phase == VGPU_PHASE_RELEASING && s->hold == VGPU_HOLD_OURS &&
            s->call == VGPU_CALL_NONE &&
            (s->wanted == VGPU_WANTED_GONE || s->wanted == VGPU_WANTED_OTHER));
}

/* A foreign device is never scheduled for removal. */
static bool
leaves_what_is_not_ours(const VgpuSituation *s, VgpuNext next)
{
    return s->hold == VGPU_HOLD_OURS ||
           (next != VGPU_NEXT_REMOVE && next != VGPU_NEXT_CLAIM &&
            (next != VGPU_NEXT_RELEASE || s->call != VGPU_CALL_NONE));
}

/* The record of our device is dropped only once the device is known to be gone. */
static bool
keeps_a_record_of_each_device(const VgpuSituation *s, VgpuNext next)
{
    bool forgets = next == VGPU_NEXT_DROP || next == VGPU_NEXT_FAIL;

    return !forgets || s->hold != VGPU_HOLD_OURS || s->phase == VGPU_PHASE_FAILED ||
           (s->seen == VGPU_SEEN_ABSENT && s->call == VGPU_CALL_NONE);
}

/* A device is created only with a record, and only where none exists. */
static bool
makes_only_with_a_record(const VgpuSituation *s, VgpuNext next)
{
    return next != VGPU_NEXT_MAKE ||
           (s->phase == VGPU_PHASE_CREATING && s->seen == VGPU_SEEN_ABSENT &&
            s->call == VGPU_CALL_NONE && s->wanted == VGPU_WANTED_KEEP);
}

/* A device has one record, which is not given to a second owner. */
static bool
has_one_record(const VgpuSituation *s, VgpuNext next)
{
    bool records = next == VGPU_NEXT_ADOPT || next == VGPU_NEXT_CLAIM ||
                   next == VGPU_NEXT_PLACE || next == VGPU_NEXT_INSTANCE;

    return !records || !is_recorded(s);
}

/* A start takes over a device only if no process of the previous run has it open. */
static bool
takes_only_what_is_free(const VgpuSituation *s, VgpuNext next)
{
    bool takes = next == VGPU_NEXT_TAKE || next == VGPU_NEXT_PARAMS;

    return !takes || ((s->seen == VGPU_SEEN_FREE || s->seen == VGPU_SEEN_RESTING) &&
                      s->call == VGPU_CALL_NONE && is_recorded(s));
}

/* A device that a running domain has and wants is left alone. */
static bool
leaves_running_guests_alone(const VgpuSituation *s, VgpuNext next)
{
    bool runs = s->run == VGPU_RUN_WITH && s->phase == VGPU_PHASE_READY &&
                s->hold != VGPU_HOLD_KEPT && s->wanted == VGPU_WANTED_KEEP;

    return !runs || next == VGPU_NEXT_NOTHING;
}

/* Until libvirt has reported the domain, a device that it may run with is kept. */
static bool
waits_for_libvirt(const VgpuSituation *s, VgpuNext next)
{
    return s->run != VGPU_RUN_UNKNOWN || s->wanted != VGPU_WANTED_KEEP ||
           s->phase == VGPU_PHASE_RELEASING || next != VGPU_NEXT_LET_GO;
}

/* While a call is under way, no other one is started. */
static bool
has_one_call(const VgpuSituation *s, VgpuNext next)
{
    bool begins = next == VGPU_NEXT_LOOK || next == VGPU_NEXT_MAKE || next == VGPU_NEXT_PARAMS ||
                  next == VGPU_NEXT_REMOVE || next == VGPU_NEXT_INSTANCE;

    return !begins || s->call == VGPU_CALL_NONE;
}

/* The removal of an unwanted device continues until it is gone, unless it waits for the result of a call. */
static bool
never_forgets_to_remove(const VgpuSituation *s, VgpuNext next)
{
    bool ours = s->hold == VGPU_HOLD_OURS && is_recorded(s);

    return !ours || s->wanted != VGPU_WANTED_GONE || s->call != VGPU_CALL_NONE ||
           (next != VGPU_NEXT_NOTHING && next != VGPU_NEXT_WAIT);
}

/* A device is adopted only if it exists and is wanted or in use. */
static bool
adopts_only_what_exists(const VgpuSituation *s, VgpuNext next)
{
    return next != VGPU_NEXT_ADOPT ||
           (exists(s) && (s->wanted == VGPU_WANTED_TAKE || s->run == VGPU_RUN_WITH));
}

/* A device does not count as plugged, or as created, while its driver works on it. */
static bool
confirms_only_what_is_there(const VgpuSituation *s, VgpuNext next)
{
    return next != VGPU_NEXT_CONFIRM ||
           (s->run == VGPU_RUN_WITH &&
            (s->phase == VGPU_PHASE_ATTACHING ||
             (s->phase == VGPU_PHASE_CREATING && s->call == VGPU_CALL_NONE)));
}

/* A device is plugged only if it waits for its domain to run, and only once the domain runs without it. */
static bool
plugs_only_what_waits_for_it(const VgpuSituation *s, VgpuNext next)
{
    return next != VGPU_NEXT_PLUG ||
           (s->phase == VGPU_PHASE_ATTACHING && s->run == VGPU_RUN_WITHOUT &&
            s->wanted == VGPU_WANTED_KEEP);
}

/* A device that libvirt has not reported may belong to a running domain. */
static bool
claims_only_what_is_unused(const VgpuSituation *s, VgpuNext next)
{
    return next != VGPU_NEXT_CLAIM || s->wanted == VGPU_WANTED_OTHER ||
           s->run == VGPU_RUN_WITHOUT || s->run == VGPU_RUN_OFF;
}

/* The decision to remove a device is recorded at once, even while a call is under way. */
static bool
writes_down_what_is_to_go(const VgpuSituation *s, VgpuNext next)
{
    bool had = s->phase == VGPU_PHASE_CREATING || s->phase == VGPU_PHASE_READY ||
               s->phase == VGPU_PHASE_ATTACHING;

    return !had || s->hold == VGPU_HOLD_KEPT ||
           (s->wanted != VGPU_WANTED_GONE && s->wanted != VGPU_WANTED_OTHER) ||
           next == VGPU_NEXT_RELEASE || next == VGPU_NEXT_DROP || next == VGPU_NEXT_FAIL;
}

/* Parameters are set before the device is used, and only if there are any. */
static bool
gives_parameters(const VgpuSituation *s, VgpuNext next)
{
    return s->params ? next != VGPU_NEXT_TAKE : next != VGPU_NEXT_PARAMS;
}

/* A record with the reason of a failure is kept only for a domain that continues to run. */
static bool
keeps_what_tells_why(const VgpuSituation *s, VgpuNext next)
{
    return next != VGPU_NEXT_FAIL || s->reason;
}

/* libvirt is asked to remove a device only if no domain that runs, or may run, has it. */
static bool
undefines_only_what_is_off(const VgpuSituation *s, VgpuNext next)
{
    return next != VGPU_NEXT_UNDEFINE ||
           (s->hold == VGPU_HOLD_KEPT && s->run == VGPU_RUN_OFF &&
            (s->wanted == VGPU_WANTED_GONE || s->wanted == VGPU_WANTED_OTHER));
}

/* A start waits only for events that will come, or are polled for; otherwise it is answered. */
static bool
waits_only_for_what_comes(const VgpuSituation *s, VgpuNext next)
{
    bool waits = next == VGPU_NEXT_WAIT || next == VGPU_NEXT_NOTHING;

    return !waits || s->wanted != VGPU_WANTED_TAKE || s->hold == VGPU_HOLD_KEPT ||
           s->call != VGPU_CALL_NONE || s->phase == VGPU_PHASE_NONE;
}

static const struct {
    const char *name;
    bool (*holds)(const VgpuSituation *s, VgpuNext next);
} invariants[] = {
    { "removes only what is ours, free and recorded", removes_only_what_is_free },
    { "leaves what is not ours", leaves_what_is_not_ours },
    { "no device without a record", keeps_a_record_of_each_device },
    { "makes only with a record", makes_only_with_a_record },
    { "one record for each device", has_one_record },
    { "takes only what is free", takes_only_what_is_free },
    { "leaves running guests alone", leaves_running_guests_alone },
    { "waits for libvirt", waits_for_libvirt },
    { "one call at a time", has_one_call },
    { "never forgets to remove", never_forgets_to_remove },
    { "adopts only what exists", adopts_only_what_exists },
    { "confirms only what is there", confirms_only_what_is_there },
    { "plugs only what waits for it", plugs_only_what_waits_for_it },
    { "claims only what is unused", claims_only_what_is_unused },
    { "writes down what is to go", writes_down_what_is_to_go },
    { "gives parameters", gives_parameters },
    { "keeps what tells why", keeps_what_tells_why },
    { "undefines only what is off", undefines_only_what_is_off },
    { "waits only for what comes", waits_only_for_what_comes },
};

static void
check_invariants(const VgpuSituation *s, gpointer data)
{
    Count *count = data;
    VgpuNext next = vgpu_lifecycle_next(s)->next;

    for (gsize i = 0; i < G_N_ELEMENTS(invariants); i++) {
        if (!invariants[i].holds(s, next) && count->wrong++ < 20)
            tell(invariants[i].name, s);
    }
}

static void
test_invariants(void **state)
{
    Count count = { 0 };

    (void) state;
    walk(check_invariants, &count);
    assert_int_equal(count.wrong, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_rule_each),
        cmocka_unit_test(test_invariants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
