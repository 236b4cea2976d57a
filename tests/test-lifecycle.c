/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life cycle's rules over the whole product of what can be: each situation has one rule and no
 * more, and what must never happen follows from none of them. */
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
        assert_true(used[i]); /* one that matches nothing is dead */
}

/* --- what must never happen --------------------------------------------------------------- */

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

/* Removed is only what is ours, on record as to be removed, at rest, and not seen to be in use; whether it is free
 * is looked at by the process that removes it (test-performer). */
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

/* What is not ours is not set on the way to removal, whatever happens. */
static bool
leaves_what_is_not_ours(const VgpuSituation *s, VgpuNext next)
{
    return s->hold == VGPU_HOLD_OURS ||
           (next != VGPU_NEXT_REMOVE && next != VGPU_NEXT_CLAIM &&
            (next != VGPU_NEXT_RELEASE || s->call != VGPU_CALL_NONE));
}

/* The record of what is ours goes only once the device is known to be gone. */
static bool
keeps_a_record_of_each_device(const VgpuSituation *s, VgpuNext next)
{
    bool forgets = next == VGPU_NEXT_DROP || next == VGPU_NEXT_FAIL;

    return !forgets || s->hold != VGPU_HOLD_OURS || s->phase == VGPU_PHASE_FAILED ||
           (s->seen == VGPU_SEEN_ABSENT && s->call == VGPU_CALL_NONE);
}

/* A device is made only with its record there, and where nothing is. */
static bool
makes_only_with_a_record(const VgpuSituation *s, VgpuNext next)
{
    return next != VGPU_NEXT_MAKE ||
           (s->phase == VGPU_PHASE_CREATING && s->seen == VGPU_SEEN_ABSENT &&
            s->call == VGPU_CALL_NONE && s->wanted == VGPU_WANTED_KEEP);
}

/* There is one record for a device, and it is not given to a second owner. */
static bool
has_one_record(const VgpuSituation *s, VgpuNext next)
{
    bool records = next == VGPU_NEXT_ADOPT || next == VGPU_NEXT_CLAIM ||
                   next == VGPU_NEXT_PLACE || next == VGPU_NEXT_INSTANCE;

    return !records || !is_recorded(s);
}

/* A start takes over only what no process of the run before has open. */
static bool
takes_only_what_is_free(const VgpuSituation *s, VgpuNext next)
{
    bool takes = next == VGPU_NEXT_TAKE || next == VGPU_NEXT_PARAMS;

    return !takes || ((s->seen == VGPU_SEEN_FREE || s->seen == VGPU_SEEN_RESTING) &&
                      s->call == VGPU_CALL_NONE && is_recorded(s));
}

/* Nothing is done to one that a domain runs with, as long as that domain wants it. */
static bool
leaves_running_guests_alone(const VgpuSituation *s, VgpuNext next)
{
    bool runs = s->run == VGPU_RUN_WITH && s->phase == VGPU_PHASE_READY &&
                s->hold != VGPU_HOLD_KEPT && s->wanted == VGPU_WANTED_KEEP;

    return !runs || next == VGPU_NEXT_NOTHING;
}

/* While libvirt has not told, nothing that a domain may run with is let go. */
static bool
waits_for_libvirt(const VgpuSituation *s, VgpuNext next)
{
    return s->run != VGPU_RUN_UNKNOWN || s->wanted != VGPU_WANTED_KEEP ||
           s->phase == VGPU_PHASE_RELEASING || next != VGPU_NEXT_LET_GO;
}

/* While a call is under way no other one is begun. */
static bool
has_one_call(const VgpuSituation *s, VgpuNext next)
{
    bool begins = next == VGPU_NEXT_LOOK || next == VGPU_NEXT_MAKE || next == VGPU_NEXT_PARAMS ||
                  next == VGPU_NEXT_REMOVE || next == VGPU_NEXT_INSTANCE;

    return !begins || s->call == VGPU_CALL_NONE;
}

/* What nothing wants goes on until it is gone, unless it waits for a call that will tell. */
static bool
never_forgets_to_remove(const VgpuSituation *s, VgpuNext next)
{
    bool ours = s->hold == VGPU_HOLD_OURS && is_recorded(s);

    return !ours || s->wanted != VGPU_WANTED_GONE || s->call != VGPU_CALL_NONE ||
           (next != VGPU_NEXT_NOTHING && next != VGPU_NEXT_WAIT);
}

/* Only what exists is adopted, and only what is wanted or used. */
static bool
adopts_only_what_exists(const VgpuSituation *s, VgpuNext next)
{
    return next != VGPU_NEXT_ADOPT ||
           (exists(s) && (s->wanted == VGPU_WANTED_TAKE || s->run == VGPU_RUN_WITH));
}

/* It is not taken for plugged, or for made, while its driver is at it. */
static bool
confirms_only_what_is_there(const VgpuSituation *s, VgpuNext next)
{
    return next != VGPU_NEXT_CONFIRM ||
           (s->run == VGPU_RUN_WITH &&
            (s->phase == VGPU_PHASE_ATTACHING ||
             (s->phase == VGPU_PHASE_CREATING && s->call == VGPU_CALL_NONE)));
}

/* Only what waits for its domain to run is plugged, and only once it runs without it. */
static bool
plugs_only_what_waits_for_it(const VgpuSituation *s, VgpuNext next)
{
    return next != VGPU_NEXT_PLUG ||
           (s->phase == VGPU_PHASE_ATTACHING && s->run == VGPU_RUN_WITHOUT &&
            s->wanted == VGPU_WANTED_KEEP);
}

/* What libvirt has not reported may be a running domain's. */
static bool
claims_only_what_is_unused(const VgpuSituation *s, VgpuNext next)
{
    return next != VGPU_NEXT_CLAIM || s->wanted == VGPU_WANTED_OTHER ||
           s->run == VGPU_RUN_WITHOUT || s->run == VGPU_RUN_OFF;
}

/* That it is to go is written down at once, also while a call is under way. */
static bool
writes_down_what_is_to_go(const VgpuSituation *s, VgpuNext next)
{
    bool had = s->phase == VGPU_PHASE_CREATING || s->phase == VGPU_PHASE_READY ||
               s->phase == VGPU_PHASE_ATTACHING;

    return !had || s->hold == VGPU_HOLD_KEPT ||
           (s->wanted != VGPU_WANTED_GONE && s->wanted != VGPU_WANTED_OTHER) ||
           next == VGPU_NEXT_RELEASE || next == VGPU_NEXT_DROP || next == VGPU_NEXT_FAIL;
}

/* Parameters are given before it is used, and only where there are some. */
static bool
gives_parameters(const VgpuSituation *s, VgpuNext next)
{
    return s->params ? next != VGPU_NEXT_TAKE : next != VGPU_NEXT_PARAMS;
}

/* A record that tells why it failed is kept for a domain that goes on, and for no other. */
static bool
keeps_what_tells_why(const VgpuSituation *s, VgpuNext next)
{
    return next != VGPU_NEXT_FAIL || s->reason;
}

/* libvirt is asked to remove only what no domain has that runs, or may run. */
static bool
undefines_only_what_is_off(const VgpuSituation *s, VgpuNext next)
{
    return next != VGPU_NEXT_UNDEFINE ||
           (s->hold == VGPU_HOLD_KEPT && s->run == VGPU_RUN_OFF &&
            (s->wanted == VGPU_WANTED_GONE || s->wanted == VGPU_WANTED_OTHER));
}

/* What a start waits for comes by itself, or is looked for; else it is told. */
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
