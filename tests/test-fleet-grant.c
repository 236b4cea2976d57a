/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The arguments of FleetGrant: what is taken, and what is refused as a whole. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "daemon/fleet-grant.h"

#define A "aaaaaaaa-0000-4000-8000-000000000001"
#define B "aaaaaaaa-0000-4000-8000-000000000002"
#define ALL "{'connected': <true>, 'lasts': <uint32 60>}"
#define NOW G_GUINT64_CONSTANT(5000000000000)
#define S G_GUINT64_CONSTANT(1000000000)
#define HERE "('" A "', {'here': <true>, 'state': <'running'>})"

static const struct {
    const char *what;
    const char *domains, *options; /* GVariant text */
    const char *refused;           /* the reason; NULL: taken */
    guint here, elsewhere;         /* how many domains it has then */
} cases[] = {
    { "no domain", "@a(sa{sv}) []", ALL, NULL, 0, 0 },
    { "one of each",
      "[" HERE ", ('" B "', {'here': <false>, 'host': <'node7'>, 'state': <'saved'>})]", ALL,
      NULL, 1, 1 },
    { "all that can be told",
      "[('" A "', {'here': <true>, 'host': <'me'>, 'state': <'reserved'>, 'id': <'r1'>, "
      "'lasts': <uint32 480>})]",
      ALL, NULL, 1, 0 },
    { "an agent that is cut off", "[" HERE "]", "{'connected': <false>, 'lasts': <uint32 0>}",
      NULL, 1, 0 },
    { "as long as possible", "@a(sa{sv}) []", "{'connected': <true>, 'lasts': <uint32 3600>}",
      NULL, 0, 0 },

    { "for longer", "@a(sa{sv}) []", "{'connected': <true>, 'lasts': <uint32 3601>}",
      "'lasts' is more than 3600 s", 0, 0 },
    { "no options", "@a(sa{sv}) []", "@a{sv} {}", "the options have no 'connected' or 'lasts'", 0,
      0 },
    { "not for how long", "@a(sa{sv}) []", "{'connected': <true>}",
      "the options have no 'connected' or 'lasts'", 0, 0 },
    { "an unknown option", "@a(sa{sv}) []",
      "{'connected': <true>, 'lasts': <uint32 60>, 'mode': <'off'>}",
      "the options: unknown key 'mode' (known: connected, lasts)", 0, 0 },
    { "an option of another type", "@a(sa{sv}) []", "{'connected': <true>, 'lasts': <60>}",
      "the options: 'lasts' is of type 'i', not 'u'", 0, 0 },
    { "no UUID", "[('vm1', {'here': <true>, 'state': <'running'>})]", ALL,
      "a domain's UUID is invalid", 0, 0 },
    { "not where", "[('" A "', {'state': <'running'>})]", ALL, A ": no key 'here'", 0, 0 },
    { "no state", "[('" A "', {'here': <true>})]", ALL,
      A ": 'state' is not reserved, running, saved or moving", 0, 0 },
    { "another state", "[('" A "', {'here': <true>, 'state': <'gone'>})]", ALL,
      A ": 'state' is not reserved, running, saved or moving", 0, 0 },
    { "elsewhere without a host", "[('" A "', {'here': <false>, 'state': <'saved'>})]", ALL,
      "domain " A ": the host that has it has no valid name", 0, 0 },
    { "twice", "[" HERE ", " HERE "]", ALL, "domain " A ": it is named twice", 0, 0 },
    { "an unknown key", "[('" A "', {'here': <true>, 'state': <'running'>, 'gpu': <'x'>})]", ALL,
      A ": unknown key 'gpu' (known: here, host, state, id, lasts)", 0, 0 },
    { "a key of another type", "[('" A "', {'here': <'yes'>, 'state': <'running'>})]", ALL,
      A ": 'here' is of type 's', not 'b'", 0, 0 },
};

static VgpuFleetPicture *
read_text(const char *domains, const char *options, GError **error)
{
    g_autoptr(GVariant) list = g_variant_ref_sink(g_variant_new_parsed(domains));
    g_autoptr(GVariant) dict = g_variant_ref_sink(g_variant_new_parsed(options));

    return vgpu_fleet_grant_read(list, dict, NOW, error);
}

static void
test_arguments(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuFleetPicture) picture =
            read_text(cases[i].domains, cases[i].options, &error);

        if (!picture == !error || !error != !cases[i].refused)
            fail_msg("%s: %s", cases[i].what, error ? error->message : "taken");
        if (error && (strcmp(error->message, cases[i].refused) != 0 ||
                      !g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST)))
            fail_msg("%s: %s (%d)", cases[i].what, error->message, error->code);
        if (picture && (vgpu_fleet_picture_count(picture, true) != cases[i].here ||
                        vgpu_fleet_picture_count(picture, false) != cases[i].elsewhere))
            fail_msg("%s: the domains are others", cases[i].what);
    }
}

/* The times are counted from the call on. */
static void
test_times(void **state)
{
    g_autoptr(VgpuFleetPicture) picture =
        read_text("[('" A "', {'here': <true>, 'state': <'reserved'>, 'lasts': <uint32 480>})]",
                  ALL, NULL);
    VgpuFleetQuestion question = { .mode = VGPU_RESERVATION_REQUIRED,
                                   .refuse_when_parted = true,
                                   .picture = picture,
                                   .domain_uuid = A,
                                   .now = NOW + 480 * S - 1 };

    (void) state;
    assert_true(vgpu_fleet_picture_is_valid(picture, NOW + 60 * S - 1));
    assert_false(vgpu_fleet_picture_is_valid(picture, NOW + 60 * S));
    assert_int_equal(vgpu_fleet_picture_judge(&question), VGPU_FLEET_GO);
    question.now++;
    assert_int_equal(vgpu_fleet_picture_judge(&question), VGPU_FLEET_IS_PARTED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_arguments),
                                        cmocka_unit_test(test_times) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
