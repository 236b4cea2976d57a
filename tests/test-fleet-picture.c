/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fleet's agent has told, as a value; and whether a domain may start by it. */
#include "test.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "core/fleet-picture.h"

#define DOMAIN "aaaaaaaa-0000-4000-8000-000000000001"
#define OTHER "aaaaaaaa-0000-4000-8000-000000000002"
#define S G_GUINT64_CONSTANT(1000000000)
#define TAKEN (1000 * S)
#define LASTS 60
#define IN_TIME (TAKEN + 59 * S)
#define TOO_LATE (TAKEN + 60 * S)

/* The picture at the time of the question. */
typedef enum {
    NONE,    /* the agent has never called */
    VALID,   /* it has */
    EXPIRED, /* it has, and is away since */
    CUT_OFF, /* it calls, but has no answer of etcd */
} Picture;

/* What it says of the domain. */
typedef enum { NOBODY, GRANT, OVER, HERE, THERE } Entry;

#define OFF VGPU_RESERVATION_OFF
#define ADVISORY VGPU_RESERVATION_ADVISORY
#define REQUIRED VGPU_RESERVATION_REQUIRED
#define RESERVED VGPU_FLEET_RESERVED
#define RUNNING VGPU_FLEET_RUNNING
#define SAVED VGPU_FLEET_SAVED
#define MOVING VGPU_FLEET_MOVING
#define GO VGPU_FLEET_GO
#define CONFLICT VGPU_FLEET_GO_IN_CONFLICT
#define PARTITION VGPU_FLEET_GO_IN_PARTITION
#define ELSEWHERE VGPU_FLEET_IS_ELSEWHERE
#define NOT_RESERVED VGPU_FLEET_IS_NOT_RESERVED
#define LAPSED VGPU_FLEET_HAS_LAPSED
#define PARTED VGPU_FLEET_IS_PARTED

/* GRANT: a reservation for this host that is not over; OVER: one that is; HERE: otherwise on this host. */
static const struct {
    const char *what;
    VgpuReservationMode mode;
    Picture picture;
    Entry entry;
    VgpuFleetState state;
    VgpuFleetVerdict start, parted, arrival; /* parted: a start with onPartition=refuse */
} cases[] = {
    { "off, without an agent", OFF, NONE, NOBODY, RESERVED, GO, GO, GO },
    { "off, nobody has it", OFF, VALID, NOBODY, RESERVED, GO, GO, GO },
    { "off, reserved for another host", OFF, VALID, THERE, RESERVED, GO, GO, GO },
    { "off, runs on another host", OFF, VALID, THERE, RUNNING, GO, GO, GO },
    { "off, the agent is away", OFF, EXPIRED, THERE, RUNNING, GO, GO, GO },

    { "advisory, without an agent", ADVISORY, NONE, NOBODY, RESERVED, GO, GO, GO },
    { "advisory, nobody has it", ADVISORY, VALID, NOBODY, RESERVED, GO, GO, GO },
    { "advisory, with a grant", ADVISORY, VALID, GRANT, RESERVED, GO, GO, GO },
    { "advisory, its grant is over", ADVISORY, VALID, OVER, RESERVED, GO, GO, GO },
    { "advisory, runs here", ADVISORY, VALID, HERE, RUNNING, GO, GO, GO },
    { "advisory, reserved for another host", ADVISORY, VALID, THERE, RESERVED, CONFLICT, CONFLICT,
      CONFLICT },
    { "advisory, runs on another host", ADVISORY, VALID, THERE, RUNNING, CONFLICT, CONFLICT,
      CONFLICT },
    { "advisory, saved on another host", ADVISORY, VALID, THERE, SAVED, CONFLICT, CONFLICT,
      CONFLICT },
    { "advisory, moves from another host", ADVISORY, VALID, THERE, MOVING, CONFLICT, CONFLICT,
      GO },
    { "advisory, the agent is away", ADVISORY, EXPIRED, THERE, RUNNING, GO, GO, GO },
    { "advisory, etcd is away", ADVISORY, CUT_OFF, THERE, RUNNING, GO, GO, GO },

    { "required, without an agent", REQUIRED, NONE, NOBODY, RESERVED, PARTITION, PARTED,
      PARTITION },
    { "required, nobody has it", REQUIRED, VALID, NOBODY, RESERVED, NOT_RESERVED, NOT_RESERVED,
      NOT_RESERVED },
    { "required, nobody had it, the agent is away", REQUIRED, EXPIRED, NOBODY, RESERVED,
      PARTITION, PARTED, PARTITION },
    { "required, nobody had it, etcd is away", REQUIRED, CUT_OFF, NOBODY, RESERVED, PARTITION,
      PARTED, PARTITION },
    { "required, with a grant", REQUIRED, VALID, GRANT, RESERVED, GO, GO, GO },
    { "required, with a grant, the agent is away", REQUIRED, EXPIRED, GRANT, RESERVED, GO, GO,
      GO },
    { "required, with a grant, etcd is away", REQUIRED, CUT_OFF, GRANT, RESERVED, GO, GO, GO },
    { "required, its grant is over", REQUIRED, VALID, OVER, RESERVED, LAPSED, LAPSED, LAPSED },
    { "required, its grant is over, the agent is away", REQUIRED, EXPIRED, OVER, RESERVED,
      PARTITION, PARTED, PARTITION },
    { "required, its grant is over, etcd is away", REQUIRED, CUT_OFF, OVER, RESERVED, PARTITION,
      PARTED, PARTITION },
    { "required, runs here", REQUIRED, VALID, HERE, RUNNING, GO, GO, GO },
    { "required, saved here", REQUIRED, VALID, HERE, SAVED, GO, GO, GO },
    { "required, moves from here", REQUIRED, VALID, HERE, MOVING, GO, GO, GO },
    { "required, ran here, the agent is away", REQUIRED, EXPIRED, HERE, RUNNING, GO, GO, GO },
    { "required, saved here, etcd is away", REQUIRED, CUT_OFF, HERE, SAVED, GO, GO, GO },
    { "required, reserved for another host", REQUIRED, VALID, THERE, RESERVED, ELSEWHERE,
      ELSEWHERE, ELSEWHERE },
    { "required, runs on another host", REQUIRED, VALID, THERE, RUNNING, ELSEWHERE, ELSEWHERE,
      ELSEWHERE },
    { "required, saved on another host", REQUIRED, VALID, THERE, SAVED, ELSEWHERE, ELSEWHERE,
      ELSEWHERE },
    { "required, moves from another host", REQUIRED, VALID, THERE, MOVING, ELSEWHERE, ELSEWHERE,
      GO },
    { "required, ran on another host, the agent is away", REQUIRED, EXPIRED, THERE, RUNNING,
      PARTITION, PARTED, PARTITION },
    { "required, moved from another host, the agent is away", REQUIRED, EXPIRED, THERE, MOVING,
      PARTITION, PARTED, PARTITION },
    { "required, ran on another host, etcd is away", REQUIRED, CUT_OFF, THERE, RUNNING, PARTITION,
      PARTED, PARTITION },
};

static void
add(VgpuFleetPicture *picture, const char *uuid, const VgpuFleetEntry *entry)
{
    g_autoptr(GError) error = NULL;

    if (!vgpu_fleet_picture_add(picture, uuid, entry, &error))
        fail_msg("%s", error->message);
}

static VgpuFleetPicture *
picture_of(gsize i)
{
    VgpuFleetPicture *picture = vgpu_fleet_picture_new(cases[i].picture != CUT_OFF, TAKEN, LASTS);
    const VgpuFleetEntry entry = {
        .here = cases[i].entry != THERE,
        .host = cases[i].entry == THERE ? "node7" : NULL,
        .state = cases[i].state,
        .until = cases[i].entry == GRANT  ? TOO_LATE + 1
                 : cases[i].entry == OVER ? IN_TIME
                                          : 0,
    };

    add(picture, OTHER, &(VgpuFleetEntry) { .here = true, .state = RUNNING });
    if (cases[i].entry != NOBODY)
        add(picture, DOMAIN, &entry);
    return picture;
}

static void
expect(gsize i, const VgpuFleetQuestion *question, const char *what, VgpuFleetVerdict expected)
{
    VgpuFleetVerdict verdict = vgpu_fleet_picture_judge(question);
    g_autofree char *reason = vgpu_fleet_picture_reason(question, verdict);

    if (verdict != expected)
        fail_msg("%s, %s: %d, not %d (%s)", cases[i].what, what, verdict, expected, reason);
    if (!reason != (verdict == GO))
        fail_msg("%s, %s: the reason is %s", cases[i].what, what, reason);
    if (vgpu_fleet_verdict_refuses(verdict) != (verdict >= ELSEWHERE))
        fail_msg("%s, %s: refused?", cases[i].what, what);
}

static void
test_decisions(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuFleetPicture) picture = cases[i].picture == NONE ? NULL : picture_of(i);
        VgpuFleetQuestion question = {
            .mode = cases[i].mode,
            .picture = picture,
            .domain_uuid = DOMAIN,
            .now = cases[i].picture == EXPIRED ? TOO_LATE : IN_TIME,
        };

        expect(i, &question, "a start", cases[i].start);
        question.arrives = true;
        expect(i, &question, "an arrival", cases[i].arrival);
        question.arrives = false;
        question.refuse_when_parted = true;
        expect(i, &question, "onPartition=refuse", cases[i].parted);
    }
}

/* --- what people are told --------------------------------------------------------------------- */

static const struct {
    VgpuReservationMode mode;
    Picture picture;
    Entry entry;
    VgpuFleetState state;
    const char *said;
} sayings[] = {
    { ADVISORY, VALID, THERE, RESERVED, "it is reserved for host 'node7' of the fleet" },
    { ADVISORY, VALID, THERE, RUNNING, "it is running on host 'node7' of the fleet" },
    { REQUIRED, VALID, THERE, RESERVED,
      "it is reserved for host 'node7' of the fleet: start it there, or give the reservation up "
      "with 'virt-vgpu fleet release " DOMAIN "'" },
    { REQUIRED, VALID, THERE, RUNNING,
      "it is running on host 'node7' of the fleet; if that host is lost for good and certainly "
      "off, 'virt-vgpu fleet forget node7' gives its domains up" },
    { REQUIRED, VALID, NOBODY, RESERVED,
      "it is not reserved for this host in the fleet: reserve it with 'virt-vgpu fleet place' or "
      "'virt-vgpu fleet reserve'" },
    { REQUIRED, VALID, OVER, RESERVED,
      "its reservation for this host has lapsed: renew it with 'virt-vgpu fleet reserve'" },
    { REQUIRED, NONE, NOBODY, RESERVED,
      "it has no reservation, and it is not known whether another host of the fleet has it "
      "(virt-vgpu-fleet has not called since virtvgpud was started; onPartition=refuse): see "
      "'systemctl status virt-vgpu-fleet'" },
    { REQUIRED, EXPIRED, NOBODY, RESERVED, "(virt-vgpu-fleet has not called for 60 s; " },
    { REQUIRED, CUT_OFF, NOBODY, RESERVED, "(etcd has not answered virt-vgpu-fleet for 59 s; " },
};

static VgpuFleetPicture *
picture_for(Picture kind, Entry kept, VgpuFleetState state)
{
    VgpuFleetPicture *picture = vgpu_fleet_picture_new(kind != CUT_OFF, TAKEN, LASTS);

    if (kept != NOBODY)
        add(picture, DOMAIN,
            &(VgpuFleetEntry) {
                .here = kept != THERE, .host = kept == THERE ? "node7" : NULL, .state = state });
    return picture;
}

static void
test_reasons(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(sayings); i++) {
        g_autoptr(VgpuFleetPicture) picture =
            sayings[i].picture == NONE
                ? NULL
                : picture_for(sayings[i].picture, sayings[i].entry, sayings[i].state);
        const VgpuFleetQuestion question = {
            .mode = sayings[i].mode,
            .refuse_when_parted = true,
            .picture = picture,
            .domain_uuid = DOMAIN,
            .now = sayings[i].picture == EXPIRED ? TOO_LATE : IN_TIME,
        };
        g_autofree char *said =
            vgpu_fleet_picture_reason(&question, vgpu_fleet_picture_judge(&question));

        if (!strstr(said, sayings[i].said))
            fail_msg("'%s' instead of '%s'", said, sayings[i].said);
    }
}

/* A partition tells what was known before. */
static void
test_last_known(void **state)
{
    g_autoptr(VgpuFleetPicture) picture = picture_for(EXPIRED, THERE, SAVED);
    const VgpuFleetQuestion question = {
        .mode = REQUIRED, .picture = picture, .domain_uuid = DOMAIN, .now = TOO_LATE
    };
    g_autofree char *said = vgpu_fleet_picture_reason(&question, PARTITION);

    (void) state;
    assert_string_equal(
        said, "virt-vgpu-fleet has not called for 60 s; it was saved on host 'node7' then");
}

/* The time since which the agent is connected goes on over calls, but not over a gap. */
static void
test_since(void **state)
{
    static const struct {
        bool before, now;
        guint after_s;
        const char *said;
    } steps[] = {
        { true, true, 60, "virt-vgpu-fleet has been connected to etcd for 60 s" },
        { true, true, 61, "virt-vgpu-fleet has been connected to etcd for 0 s" },
        { true, false, 20, "etcd has not answered virt-vgpu-fleet for 0 s" },
        { false, true, 20, "virt-vgpu-fleet has been connected to etcd for 0 s" },
        { false, false, 20, "etcd has not answered virt-vgpu-fleet for 20 s" },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        guint64 now = TAKEN + steps[i].after_s * S;
        g_autoptr(VgpuFleetPicture) before =
            vgpu_fleet_picture_new(steps[i].before, TAKEN, LASTS);
        g_autoptr(VgpuFleetPicture) after = vgpu_fleet_picture_new(steps[i].now, now, LASTS);
        g_autofree char *said = NULL;

        vgpu_fleet_picture_follow(after, before);
        said = vgpu_fleet_picture_describe(after, now);
        assert_string_equal(said, steps[i].said);
    }
}

static void
test_durations(void **state)
{
    static const struct {
        guint s;
        const char *said;
    } durations[] = { { 119, "for 119 s" },
                      { 120, "for 2 min" },
                      { 7199, "for 119 min" },
                      { 7200, "for 2 h" },
                      { 90000, "for 25 h" } };
    g_autoptr(VgpuFleetPicture) picture = vgpu_fleet_picture_new(true, TAKEN, 1);

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(durations); i++) {
        g_autofree char *said = vgpu_fleet_picture_describe(picture, TAKEN + durations[i].s * S);

        assert_true(g_str_has_suffix(said, durations[i].said));
    }
}

/* --- as a file -------------------------------------------------------------------------------- */

static VgpuFleetPicture *
full(void)
{
    VgpuFleetPicture *picture = vgpu_fleet_picture_new(true, TAKEN, LASTS);

    add(picture, DOMAIN, &(VgpuFleetEntry) { true, NULL, RESERVED, "r-17", TAKEN + 480 * S });
    add(picture, OTHER, &(VgpuFleetEntry) { false, "node7, east [é]", MOVING, NULL, 0 });
    return picture;
}

/* The next daemon decides as this one did. */
static void
test_file(void **state)
{
    g_autoptr(VgpuFleetPicture) picture = full();
    g_autofree char *text = vgpu_fleet_picture_to_text(picture), *again = NULL, *reason = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuFleetPicture) read = vgpu_fleet_picture_from_text(text, TAKEN + 30 * S, &error);
    VgpuFleetQuestion question = {
        .mode = REQUIRED, .picture = read, .domain_uuid = DOMAIN, .now = TAKEN + 479 * S
    };

    (void) state;
    assert_null(error);
    again = vgpu_fleet_picture_to_text(read);
    assert_int_equal(strlen(again), strlen(text));
    assert_int_equal(vgpu_fleet_picture_count(read, true), 1);
    assert_int_equal(vgpu_fleet_picture_count(read, false), 1);
    assert_int_equal(vgpu_fleet_picture_judge(&question), GO);
    question.now += S;
    assert_int_equal(vgpu_fleet_picture_judge(&question), PARTITION);
    question.domain_uuid = OTHER;
    question.now = IN_TIME;
    assert_int_equal(vgpu_fleet_picture_judge(&question), ELSEWHERE);
    reason = vgpu_fleet_picture_reason(&question, ELSEWHERE);
    assert_non_null(strstr(reason, "'node7, east [é]'"));
}

static const struct {
    const char *what;
    const char *from, *to; /* a change of the file; NULL: nothing is replaced */
    guint64 now;
    const char *refused; /* part of the reason */
} damages[] = {
    { "of a boot that has lasted longer", NULL, NULL, TAKEN - 1, "not of this boot" },
    { "cut off", "[end]", "[and]", IN_TIME, "not complete" },
    { "without a time", "taken=", "took=", IN_TIME, "not of this boot" },
    { "true for too long", "until=1060000000000", "until=9960000000000", IN_TIME,
      "not of this boot" },
    { "a state of a later version", "=moving", "=floating", IN_TIME, "its state is invalid" },
    { "no host", "host=", "hast=", IN_TIME, "the host that has it has no valid name" },
    { "no domain", "[" DOMAIN "]", "[x]", IN_TIME, "UUID is invalid" },
    { "no key file", "complete=true", "complete", IN_TIME, "" },
};

static void
test_damage(void **state)
{
    g_autoptr(VgpuFleetPicture) picture = full();
    g_autofree char *text = vgpu_fleet_picture_to_text(picture);

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(damages); i++) {
        g_autoptr(GString) damaged = g_string_new(text);
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuFleetPicture) read = NULL;

        if (damages[i].from && !g_string_replace(damaged, damages[i].from, damages[i].to, 1))
            fail_msg("%s: there is no %s", damages[i].what, damages[i].from);
        read = vgpu_fleet_picture_from_text(damaged->str, damages[i].now, &error);
        if (read)
            fail_msg("%s: it is read", damages[i].what);
        if (!strstr(error->message, damages[i].refused))
            fail_msg("%s: %s", damages[i].what, error->message);
    }
}

/* --- what is refused -------------------------------------------------------------------------- */

static const struct {
    const char *what;
    const char *uuid;
    VgpuFleetEntry entry;
    const char *refused; /* part of the reason, NULL: it is taken */
} entries[] = {
    { "a domain here", DOMAIN, { true, NULL, RUNNING, NULL, 0 }, NULL },
    { "one with a name of its host that does not matter",
      DOMAIN,
      { true, "\n", RUNNING, NULL, 0 },
      NULL },
    { "one elsewhere", DOMAIN, { false, "node7", SAVED, "r-1", 0 }, NULL },
    { "no UUID", "vm1", { true, NULL, RUNNING, NULL, 0 }, "UUID is invalid" },
    { "a second time", OTHER, { true, NULL, RUNNING, NULL, 0 }, OTHER ": it is named twice" },
    { "a second time in another form",
      "AAAAAAAA-0000-4000-8000-000000000002",
      { true, NULL, RUNNING, NULL, 0 },
      "it is named twice" },
    { "no host", DOMAIN, { false, NULL, SAVED, NULL, 0 }, "no valid name" },
    { "an empty host", DOMAIN, { false, "", SAVED, NULL, 0 }, "no valid name" },
    { "a host of two lines", DOMAIN, { false, "a\nb", SAVED, NULL, 0 }, "no valid name" },
    { "an empty id", DOMAIN, { true, NULL, RESERVED, "", 0 }, "the id of its reservation" },
    { "an id that a terminal takes for a command",
      DOMAIN,
      { true, NULL, RESERVED, "\x1b[2J", 0 },
      "the id of its reservation" },
};

static void
test_entries(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(entries); i++) {
        g_autoptr(VgpuFleetPicture) picture = vgpu_fleet_picture_new(true, TAKEN, LASTS);
        g_autoptr(GError) error = NULL;
        bool taken;

        add(picture, OTHER, &(VgpuFleetEntry) { true, NULL, RUNNING, NULL, 0 });
        taken = vgpu_fleet_picture_add(picture, entries[i].uuid, &entries[i].entry, &error);
        if (taken != !entries[i].refused ||
            (error && !strstr(error->message, entries[i].refused)))
            fail_msg("%s: %s", entries[i].what, error ? error->message : "taken");
        if (error && !g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST))
            fail_msg("%s: code %d", entries[i].what, error->code);
    }
}

static void
test_limits(void **state)
{
    g_autoptr(VgpuFleetPicture) picture = vgpu_fleet_picture_new(true, TAKEN, LASTS);
    g_autofree char *longest = g_strnfill(256, 'x'), *too_long = g_strnfill(257, 'x');
    VgpuFleetEntry entry = { false, longest, SAVED, longest, 0 };
    g_autoptr(GError) error = NULL;

    (void) state;
    for (guint i = 0; i < VGPU_FLEET_PICTURE_DOMAINS; i++) {
        g_autofree char *uuid = g_strdup_printf("aaaaaaaa-0000-4000-8000-%012u", i);

        add(picture, uuid, &entry);
    }
    assert_false(
        vgpu_fleet_picture_add(picture, "bbbbbbbb-0000-4000-8000-000000000000", &entry, &error));
    assert_string_equal(error->message, "more than 4096 domains");
    g_clear_error(&error);
    g_clear_pointer(&picture, vgpu_fleet_picture_unref);
    picture = vgpu_fleet_picture_new(true, TAKEN, LASTS);
    entry.host = too_long;
    assert_false(vgpu_fleet_picture_add(picture, DOMAIN, &entry, &error));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decisions),  cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_last_known), cmocka_unit_test(test_since),
        cmocka_unit_test(test_durations),  cmocka_unit_test(test_file),
        cmocka_unit_test(test_damage),     cmocka_unit_test(test_entries),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
