/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which changes of licences in successive statistics are reported. */
#include "test.h"

#include "daemon/licenses.h"

#define ROW(rest) "{'gpu': <'0000:41:00.0'>, " rest "}"
#define M1 "'mdev_uuid': <'M1'>, 'vm_uuid': <'D1'>, "
#define M2 "'mdev_uuid': <'M2'>, 'vm_uuid': <'D1'>, "
#define NEXT_RUN "'mdev_uuid': <'M1'>, 'vm_uuid': <'D2'>, "
#define VF "'vf': <'0000:41:00.4'>, 'vm_uuid': <'D1'>, "
#define STATE(state) "'license_state': <'" state "'>"
#define NONE "@aa{sv} []"

static void
note(const VgpuEvent *event, gpointer opaque)
{
    GString *told = opaque;

    assert_string_equal(event->event, "license-changed");
    assert_string_equal(event->gpu, "0000:41:00.0");
    g_string_append_printf(told, "%s %s: %s;", event->uuid ? event->uuid : event->parent,
                           event->domain_uuid, event->reason);
}

static void
test_changes(void **state)
{
    static const struct {
        const char *what;
        const char *stats[4]; /* one after the other */
        const char *told;
    } cases[] = {
        { "a vGPU that comes", { NONE, "[" ROW(M1 STATE("unlicensed")) "]" }, "" },
        { "it gets a licence",
          { "[" ROW(M1 STATE("unlicensed")) "]", "[" ROW(M1 STATE("licensed")) "]" },
          "M1 D1: licensed, was unlicensed;" },
        { "it keeps its licence",
          { "[" ROW(M1 STATE("licensed")) "]", "[" ROW(M1 STATE("licensed")) "]" },
          "" },
        { "one of two changes",
          { "[" ROW(M1 STATE("licensed")) ", " ROW(M2 STATE("licensed")) "]",
            "[" ROW(M1 STATE("licensed")) ", " ROW(M2 STATE("unlicensed")) "]" },
          "M2 D1: unlicensed, was licensed;" },
        { "a while without reports",
          { "[" ROW(M1 STATE("licensed")) "]",
            "[" ROW("'mdev_uuid': <'M1'>, 'vm_uuid': <'D1'>") "]",
            "[" ROW(M1 STATE("unlicensed")) "]" },
          "M1 D1: unlicensed, was licensed;" },
        { "the vGPU goes, and comes again",
          { "[" ROW(M1 STATE("licensed")) "]", NONE, "[" ROW(M1 STATE("unlicensed")) "]" },
          "" },
        { "another domain has it",
          { "[" ROW(M1 STATE("licensed")) "]", "[" ROW(NEXT_RUN STATE("unlicensed")) "]" },
          "" },
        { "on a VF",
          { "[" ROW(VF STATE("licensed")) "]", "[" ROW(VF STATE("unlicensed")) "]" },
          "0000:41:00.4 D1: unlicensed, was licensed;" },
        { "one that is not told apart",
          { "[" ROW(STATE("licensed")) "]", "[" ROW(STATE("unlicensed")) "]" },
          "" },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuLicenses) licenses = vgpu_licenses_new();
        g_autoptr(GString) told = g_string_new(NULL);

        for (gsize j = 0; j < G_N_ELEMENTS(cases[i].stats) && cases[i].stats[j]; j++) {
            g_autoptr(GVariant) stats =
                g_variant_ref_sink(g_variant_new_parsed(cases[i].stats[j]));

            vgpu_licenses_take(licenses, stats, note, told);
        }
        if (!g_str_equal(told->str, cases[i].told))
            fail_msg("%s: '%s'", cases[i].what, told->str);
    }
    vgpu_licenses_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_changes) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
