/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lifecycle.c: the rules
 *
 * A rule names, for each part of the situation that matters to it, the values that it is for. No two
 * rules match one situation, and each situation has one: test-lifecycle walks them all. */
#include "core/lifecycle.h"

#include "domain/refusals.h"

typedef struct {
    VgpuLifeRule rule;
    guint8 hold, phase, call, seen, wanted, run, room; /* sets of values; 0: any */
    guint8 params, reason;                             /* sets of false (1) and true (2) */
} Rule;

/* Sets of values. */
#define B(value) (1u << (value))
#define ALL_BUT(set, n) ((guint8) (((1u << (n)) - 1) & ~(set)))

#define NO B(0)
#define YES B(1)

#define OURS B(VGPU_HOLD_OURS)
#define OTHERS (B(VGPU_HOLD_ADOPTED) | B(VGPU_HOLD_PERSISTENT))
#define KEPT B(VGPU_HOLD_KEPT)
#define RUNS_OWN (OURS | OTHERS) /* holds that end with one run, or are removed by their maker */

#define NONE B(VGPU_PHASE_NONE)
#define CREATING B(VGPU_PHASE_CREATING)
#define READY B(VGPU_PHASE_READY)
#define ATTACHING B(VGPU_PHASE_ATTACHING)
#define RELEASING B(VGPU_PHASE_RELEASING)
#define FAILED B(VGPU_PHASE_FAILED)
#define HAD (CREATING | READY | ATTACHING)

#define IDLE B(VGPU_CALL_NONE)
#define BUSY ALL_BUT(IDLE, VGPU_N_CALLS)

#define UNKNOWN B(VGPU_SEEN_UNKNOWN)
#define ABSENT B(VGPU_SEEN_ABSENT)
#define MAYBE B(VGPU_SEEN_MAYBE)
#define FREE B(VGPU_SEEN_FREE)
#define RESTING B(VGPU_SEEN_RESTING)
#define UNUSABLE B(VGPU_SEEN_UNUSABLE)
#define IN_USE (B(VGPU_SEEN_USED) | B(VGPU_SEEN_UNTOLD))
#define THERE (FREE | RESTING | UNUSABLE | IN_USE)
#define PERHAPS ALL_BUT(ABSENT, VGPU_N_SEENS)

#define GONE B(VGPU_WANTED_GONE)
#define KEEP B(VGPU_WANTED_KEEP)
#define TAKE B(VGPU_WANTED_TAKE)
#define OTHER B(VGPU_WANTED_OTHER)
#define LATE B(VGPU_WANTED_LATE)

#define NOT_TOLD B(VGPU_RUN_UNKNOWN)
#define STARTING B(VGPU_RUN_STARTING)
#define WITH B(VGPU_RUN_WITH)
#define WITHOUT B(VGPU_RUN_WITHOUT)
#define OFF B(VGPU_RUN_OFF)

#define ROOM(name) B(VGPU_ROOM_##name)

#define DO(name, next, why)                                                                      \
    {                                                                                            \
        name, VGPU_NEXT_##next, why                                                              \
    }

/* clang-format off */
static const Rule rules[] = {
    { DO("too-late", REFUSE, NULL),
      .wanted = LATE },

    /* --- a start wants one, and there is no record --- */
    { DO("ask-its-driver", WAIT, NULL),
      .phase = NONE, .call = IDLE, .seen = UNKNOWN | MAYBE, .wanted = TAKE | OTHER },
    { DO("ask-for-room", WAIT, NULL),
      .phase = NONE, .call = IDLE, .seen = ABSENT, .wanted = TAKE | OTHER, .room = ROOM(UNKNOWN) },
    { DO("place", PLACE, NULL),
      .phase = NONE, .call = IDLE, .seen = ABSENT, .wanted = TAKE | OTHER, .room = ROOM(YES) },
    { DO("make-a-gpu-instance", INSTANCE, NULL),
      .phase = NONE, .call = IDLE, .seen = ABSENT, .wanted = TAKE | OTHER, .room = ROOM(INSTANCE) },
    { DO("no-room", REFUSE, NULL),
      .phase = NONE, .call = IDLE, .seen = ABSENT, .wanted = TAKE | OTHER, .room = ROOM(NO) },
    { DO("use-what-exists", ADOPT, NULL),
      .phase = NONE, .call = IDLE, .seen = THERE, .wanted = TAKE },
    { DO("replace-what-exists", CLAIM, "a left-over vGPU of another profile is being removed"),
      .hold = OURS, .phase = NONE, .call = IDLE, .seen = THERE, .wanted = OTHER },
    { DO("is-another-one", REFUSE, NULL),
      .hold = OTHERS | KEPT, .phase = NONE, .call = IDLE, .seen = THERE, .wanted = OTHER },

    /* --- there is neither --- */
    { DO("not-placed-yet", WAIT, NULL),
      .phase = NONE, .call = BUSY, .wanted = GONE | KEEP | TAKE | OTHER },
    { DO("record-lost", ADOPT, "the domain runs with it, but its record is lost"),
      .hold = OURS, .phase = NONE, .call = IDLE, .seen = THERE, .wanted = GONE | KEEP, .run = WITH },
    { DO("orphan", CLAIM, "it is the domain's, which does not use it"),
      .hold = OURS, .phase = NONE, .call = IDLE, .seen = THERE, .wanted = GONE | KEEP, .run = WITHOUT | OFF },
    { DO("orphan-so-far", NOTHING, NULL),
      .hold = OURS, .phase = NONE, .call = IDLE, .seen = THERE, .wanted = GONE | KEEP, .run = NOT_TOLD | STARTING },
    { DO("not-ours", NOTHING, NULL),
      .hold = OTHERS | KEPT, .phase = NONE, .call = IDLE, .seen = THERE, .wanted = GONE | KEEP },
    { DO("nothing-there", NOTHING, NULL),
      .phase = NONE, .call = IDLE, .seen = UNKNOWN | MAYBE | ABSENT, .wanted = GONE | KEEP },

    /* --- a start takes over an existing vGPU --- */
    { DO("wait-for-its-call", WAIT, NULL),
      .hold = RUNS_OWN, .phase = HAD | RELEASING, .call = BUSY, .wanted = TAKE },
    { DO("look-before-use", LOOK, NULL),
      .hold = RUNS_OWN, .phase = HAD | RELEASING, .call = IDLE, .seen = UNKNOWN, .wanted = TAKE },
    { DO("not-usable-yet", LOOK_LATER, NULL),
      .hold = RUNS_OWN, .phase = HAD | RELEASING, .call = IDLE, .seen = MAYBE | IN_USE, .wanted = TAKE },
    { DO("is-unusable", REPLACE, NULL),
      .hold = RUNS_OWN, .phase = HAD | RELEASING, .call = IDLE, .seen = UNUSABLE, .wanted = TAKE },
    { DO("use-with-parameters", PARAMS, NULL),
      .hold = RUNS_OWN, .phase = HAD | RELEASING, .call = IDLE, .seen = FREE | RESTING, .wanted = TAKE, .params = YES },
    { DO("use", TAKE, NULL),
      .hold = RUNS_OWN, .phase = HAD | RELEASING, .call = IDLE, .seen = FREE | RESTING, .wanted = TAKE, .params = NO },
    { DO("nothing-to-use", DROP, NULL),
      .hold = RUNS_OWN, .phase = HAD | RELEASING, .call = IDLE, .seen = ABSENT, .wanted = TAKE },

    /* --- its domain gets it --- */
    { DO("make", MAKE, NULL),
      .hold = RUNS_OWN, .phase = CREATING, .call = IDLE, .seen = ABSENT, .wanted = KEEP, .run = STARTING },
    { DO("cannot-be-told", WAIT, NULL),
      .hold = RUNS_OWN, .phase = CREATING, .call = IDLE, .seen = PERHAPS, .wanted = KEEP, .run = STARTING },
    { DO("being-made", WAIT, NULL),
      .hold = RUNS_OWN, .phase = CREATING, .call = BUSY, .wanted = KEEP, .run = STARTING | WITH | WITHOUT },
    { DO("wait-for-libvirt", WAIT, NULL),
      .hold = RUNS_OWN, .phase = CREATING | ATTACHING, .wanted = KEEP, .run = NOT_TOLD },
    { DO("runs-with-it", CONFIRM, "the domain runs with it"),
      .hold = RUNS_OWN, .phase = CREATING, .call = IDLE, .wanted = KEEP, .run = WITH },
    { DO("is-plugged", CONFIRM, "the domain runs with it"),
      .hold = RUNS_OWN, .phase = ATTACHING, .wanted = KEEP, .run = WITH },
    { DO("never-plugged", LET_GO, "it was made for the running domain, but never hotplugged"),
      .hold = RUNS_OWN, .phase = CREATING, .call = IDLE, .wanted = KEEP, .run = WITHOUT },
    { DO("plug-when-it-runs", WAIT, NULL),
      .hold = RUNS_OWN, .phase = ATTACHING, .wanted = KEEP, .run = STARTING },
    { DO("plug", PLUG, "the domain runs and waits for it"),
      .hold = RUNS_OWN, .phase = ATTACHING, .wanted = KEEP, .run = WITHOUT },
    { DO("in-place", NOTHING, NULL),
      .hold = RUNS_OWN, .phase = READY, .wanted = KEEP, .run = NOT_TOLD | STARTING | WITH },
    { DO("detached", LET_GO, "it was detached from the running domain"),
      .hold = RUNS_OWN, .phase = READY, .wanted = KEEP, .run = WITHOUT },
    { DO("tells-why", NOTHING, NULL),
      .hold = RUNS_OWN, .phase = FAILED, .wanted = KEEP, .run = NOT_TOLD | STARTING | WITH | WITHOUT },
    { DO("domain-is-off", LET_GO, "the domain does not run"),
      .hold = RUNS_OWN, .phase = HAD | FAILED, .wanted = KEEP, .run = OFF },
    { DO("is-to-go-already", LET_GO, NULL),
      .hold = RUNS_OWN, .phase = RELEASING, .wanted = KEEP },

    /* --- it is to go --- */
    { DO("release-after-its-call", RELEASE, NULL),
      .hold = RUNS_OWN, .phase = HAD, .call = BUSY, .wanted = GONE | OTHER },
    { DO("release", RELEASE, NULL),
      .hold = OURS, .phase = HAD, .call = IDLE, .seen = PERHAPS, .wanted = GONE | OTHER },
    { DO("leave-it-there", DROP, NULL),
      .hold = OTHERS, .phase = HAD | RELEASING, .call = IDLE, .wanted = GONE | OTHER, .reason = NO },
    { DO("leave-it-there-and-tell-why", FAIL, NULL),
      .hold = OTHERS, .phase = HAD | RELEASING, .call = IDLE, .wanted = GONE | OTHER, .reason = YES },
    { DO("wait-for-its-last-call", WAIT, NULL),
      .hold = RUNS_OWN, .phase = RELEASING, .call = BUSY, .wanted = GONE | OTHER },
    { DO("not-removable-yet", LOOK_LATER, NULL),
      .hold = OURS, .phase = RELEASING, .call = IDLE, .seen = MAYBE | RESTING | IN_USE, .wanted = GONE | OTHER },
    { DO("remove-if-free", REMOVE, NULL),
      .hold = OURS, .phase = RELEASING, .call = IDLE, .seen = UNKNOWN | FREE | UNUSABLE, .wanted = GONE | OTHER },
    { DO("is-gone", DROP, "the device no longer exists"),
      .hold = OURS, .phase = HAD | RELEASING, .call = IDLE, .seen = ABSENT, .wanted = GONE | OTHER, .reason = NO },
    { DO("is-gone-and-tells-why", FAIL, NULL),
      .hold = OURS, .phase = HAD | RELEASING, .call = IDLE, .seen = ABSENT, .wanted = GONE | OTHER, .reason = YES },
    { DO("is-told", DROP, NULL),
      .hold = RUNS_OWN, .phase = FAILED, .wanted = GONE | TAKE | OTHER },

    /* --- one that outlives runs --- */
    { DO("define", DEFINE, NULL),
      .hold = KEPT, .phase = CREATING, .wanted = KEEP | TAKE },
    { DO("defined", NOTHING, NULL),
      .hold = KEPT, .phase = READY | ATTACHING | RELEASING | FAILED, .wanted = KEEP | TAKE },
    { DO("undefine", UNDEFINE, NULL),
      .hold = KEPT, .phase = HAD | RELEASING | FAILED, .wanted = GONE | OTHER, .run = OFF },
    { DO("undefine-after-its-stop", WAIT, NULL),
      .hold = KEPT, .phase = HAD | RELEASING | FAILED, .wanted = GONE | OTHER, .run = NOT_TOLD | STARTING | WITH | WITHOUT },
};
/* clang-format on */

static bool
has(guint8 set, guint value)
{
    return !set || (set & B(value));
}

bool
vgpu_lifecycle_matches(guint rule, const VgpuSituation *situation)
{
    const Rule *self = &rules[rule];

    return has(self->hold, situation->hold) && has(self->phase, situation->phase) &&
           has(self->call, situation->call) && has(self->seen, situation->seen) &&
           has(self->wanted, situation->wanted) && has(self->run, situation->run) &&
           has(self->room, situation->room) && has(self->params, situation->params) &&
           has(self->reason, situation->reason);
}

guint
vgpu_lifecycle_n_rules(void)
{
    return G_N_ELEMENTS(rules);
}

const VgpuLifeRule *
vgpu_lifecycle_next(const VgpuSituation *situation)
{
    for (guint i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (vgpu_lifecycle_matches(i, situation))
            return &rules[i].rule;
    }
    g_assert_not_reached();
}

/* For a start that takes over an existing vGPU. */
static const char *
waits_to_take(const VgpuSituation *situation)
{
    switch (situation->call) {
    case VGPU_CALL_MAKING:
        return "its vGPU of a previous start is still being made";
    case VGPU_CALL_REMOVING:
        return VGPU_REFUSAL_STILL_REMOVED;
    default:
        if (situation->hold != VGPU_HOLD_OURS)
            return "a process holds its vGPU open";
        return situation->seen == VGPU_SEEN_MAYBE
                   ? "its vGPU of a previous start may still be made"
                   : "its vGPU is still held open by a process of its previous run";
    }
}

const char *
vgpu_lifecycle_waits_for(const VgpuSituation *situation)
{
    if (situation->call == VGPU_CALL_INSTANCE)
        return "a MIG GPU instance is still being made for it";
    if (situation->phase == VGPU_PHASE_NONE)
        return VGPU_REFUSAL_NO_ANSWER_YET;
    if (situation->wanted == VGPU_WANTED_OTHER)
        return "its vGPU of another profile is still being removed";
    return situation->wanted == VGPU_WANTED_TAKE ? waits_to_take(situation) : NULL;
}
