/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UUIDs: the canonical form, and computed UUIDs. */
#include "test.h"

#include <string.h>

#include "base/uuid.h"

#define UUID "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"

static void
test_canonical(void **state)
{
    static const struct {
        const char *what;
        const char *text;
        const char *canonical; /* NULL: refused */
    } cases[] = {
        { "as it should be", UUID, UUID },
        { "upper case", "6F0C5C1E-7A0B-4B57-9C1D-3B1F0A7C9E10", UUID },
        { "mixed case", "6f0C5c1e-7A0b-4b57-9c1D-3b1f0a7c9E10", UUID },
        { "all zeroes", "00000000-0000-0000-0000-000000000000",
          "00000000-0000-0000-0000-000000000000" },
        { "nothing", NULL, NULL },
        { "empty", "", NULL },
        { "without dashes", "6f0c5c1e7a0b4b579c1d3b1f0a7c9e10", NULL },
        { "in braces", "{" UUID "}", NULL },
        { "blank before", " " UUID, NULL },
        { "line end behind", UUID "\n", NULL },
        { "too short", "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e1", NULL },
        { "too long", UUID "0", NULL },
        { "no hexadecimal digit", "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e1g", NULL },
        { "dashes elsewhere", "6f0c5c1e7-a0b-4b57-9c1d-3b1f0a7c9e10", NULL },
        { "a path of that length", "../../../../../../../../../etc/passwd", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *canonical = vgpu_uuid_canonical(cases[i].text);

        if (g_strcmp0(canonical, cases[i].canonical) != 0)
            fail_msg("%s: %s", cases[i].what, canonical ? canonical : "refused");
    }
}

static void
test_from_xml(void **state)
{
    static const struct {
        const char *what;
        const char *text;
        const char *canonical; /* NULL: refused */
    } cases[] = {
        { "as libvirt writes it", UUID, UUID },
        { "without dashes", "6f0c5c1e7a0b4b579c1d3b1f0a7c9e10", UUID },
        { "dashes elsewhere", "6f0c-5c1e-7a0b-4b57-9c1d-3b1f-0a7c-9e10", UUID },
        { "a dash before and blanks between", "-6F0C5C1E 7A0B 4B57 9C1D 3B1F0A7C9E10", UUID },
        { "blanks and line ends around", "\n\t 6f0c5c1e7a0b4b579c1d3b1f0a7c9e10\n ", UUID },
        { "nothing", NULL, NULL },
        { "empty", "", NULL },
        { "blanks only", "  ", NULL },
        { "a dash within a byte", "6-f0c5c1e7a0b4b579c1d3b1f0a7c9e10", NULL },
        { "too short", "6f0c5c1e7a0b4b579c1d3b1f0a7c9e1", NULL },
        { "too long", UUID "0", NULL },
        { "a dash behind", UUID "-", NULL },
        { "no hexadecimal digit", "6f0c5c1e7a0b4b579c1d3b1f0a7c9e1g", NULL },
        { "a path", "../../../../../../../../../etc/passwd", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *canonical = vgpu_uuid_from_xml(cases[i].text);

        if (g_strcmp0(canonical, cases[i].canonical) != 0)
            fail_msg("%s: %s", cases[i].what, canonical ? canonical : "refused");
    }
}

/* Computed by another program:
 * uuidgen --sha1 --namespace 6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10 --name virt-vgpu:0 */
static void
test_for_domain(void **state)
{
    static const struct {
        const char *what;
        const char *domain;
        unsigned index;
        const char *uuid;
    } cases[] = {
        { "the first", UUID, 0, "251e8969-0e28-5c92-b0e8-c8bd34136128" },
        { "the second", UUID, 1, "fa08193e-3000-5592-b694-36dd62ade913" },
        { "two digits", UUID, 15, "2eb78e47-5db8-5bcc-a621-73b9894b175d" },
        { "another domain's first", "11111111-2222-4333-8444-555555555555", 0,
          "b54c96a5-ca41-5fc5-9431-b92fa223c0e6" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *uuid = vgpu_uuid_for_domain(cases[i].domain, cases[i].index);

        if (!g_str_equal(uuid, cases[i].uuid))
            fail_msg("%s: %s", cases[i].what, uuid);
    }
}

/* The same program with another namespace, and the name as it is. */
static void
test_from_name(void **state)
{
    g_autofree char *uuid = vgpu_uuid_from_name(UUID, "design");

    assert_string_equal(uuid, "ce7b8daf-1aa5-5472-be97-e392cf7ae7ef");
}

/* The result must not change: vGPUs of older versions are recognized by it. */
static void
test_for_trial(void **state)
{
    g_autofree char *uuid = vgpu_uuid_for_trial("0000:84:00.0");

    assert_string_equal(uuid, "8e633873-fa96-59bb-806c-b3b1d519e46d");
}

static void
test_random(void **state)
{
    g_autofree char *one = vgpu_uuid_random();
    g_autofree char *other = vgpu_uuid_random();
    g_autofree char *canonical = vgpu_uuid_canonical(one);

    assert_string_equal(canonical, one);
    assert_int_equal(one[14], '4');
    assert_string_not_equal(one, other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical),  cmocka_unit_test(test_from_xml),
        cmocka_unit_test(test_for_domain), cmocka_unit_test(test_from_name),
        cmocka_unit_test(test_for_trial),  cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
