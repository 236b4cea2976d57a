/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the manager interprets libvirt's definitions: which devices belong to them, and what they may contain. */
#include "test.h"

#include <string.h>

#include "base/uuid.h"
#include "manager-host.h"

#define STRANGER "12345678-1234-4234-8234-123456789abc"

static int
setup(void **state)
{
    *state = host_new();
    return 0;
}

static int
teardown(void **state)
{
    host_free(*state);
    return 0;
}

static void
define(Host *host, const char *xml)
{
    VgpuDomain *domain = host_domain(xml);

    g_clear_pointer(&domain->doc, xmlFreeDoc);
    vgpu_manager_take_definition(host->manager, domain, false);
}

/* --- the owner of a device ------------------------------------------------------------------ */

static void
assert_of(Host *host, const char *what, const char *uuid, const char *domain_uuid)
{
    g_autofree char *found = vgpu_manager_domain_of_orphan(host->manager, uuid);

    if (g_strcmp0(found, domain_uuid) != 0)
        fail_msg("%s: %s", what, found ? found : "no owner");
}

static void
test_orphan(void **state)
{
    Host *host = *state;
    g_autofree char *web2 = host_nth_uuid(2);
    g_autofree char *web2_0 = vgpu_uuid_for_domain(web2, 0);
    g_autofree char *web1_1 = vgpu_uuid_for_domain(HOST_WEB1, 1);
    g_autofree char *one = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
    g_autofree char *two = host_xml("web1", HOST_WEB1, HOST_DEVICE() HOST_DEVICE(), 1);
    g_autofree char *other = host_xml("web2", web2, HOST_DEVICE(), 1);
    g_autofree char *refusal = NULL;

    assert_of(host, "no definition at all", HOST_WEB1_0, NULL);
    define(host, two);
    define(host, other);
    assert_of(host, "the first device", HOST_WEB1_0, HOST_WEB1);
    assert_of(host, "the second device", web1_1, HOST_WEB1);
    assert_of(host, "another domain", web2_0, web2);
    assert_of(host, "a foreign one", STRANGER, NULL);
    define(host, one);
    assert_of(host, "still in the annotation", HOST_WEB1_0, HOST_WEB1);
    assert_of(host, "no longer in the annotation", web1_1, NULL);
    vgpu_manager_forget_definition(host->manager, web2);
    assert_of(host, "of an undefined domain", web2_0, NULL);
    assert_of(host, "of one that is still defined", HOST_WEB1_0, HOST_WEB1);

    refusal = host_start(host, one);
    assert_null(refusal);
    assert_of(host, "recorded", HOST_WEB1_0, NULL);
    host_release(host, HOST_WEB1);
    host_settle(host);
    assert_of(host, "no longer recorded", HOST_WEB1_0, HOST_WEB1);
    vgpu_manager_forget_definition(host->manager, HOST_WEB1);
    assert_of(host, "the last one is undefined", HOST_WEB1_0, NULL);
}

/* A UUID that the user chose does not identify the owner of the device. */
static void
test_orphan_of_user(void **state)
{
    Host *host = *state;
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE("uuid='" STRANGER "'"), 0);

    define(host, xml);
    assert_of(host, "its own device", STRANGER, NULL);
    assert_of(host, "the one that it would have", HOST_WEB1_0, NULL);
}

static void
test_orphan_kept(void **state)
{
    Host *host = *state;
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE("create='define'"), 1);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_auto(VgpuKeep) where = { 0 };

    define(host, xml);
    assert_of(host, "not defined yet", HOST_WEB1_0, HOST_WEB1);
    assert_true(vgpu_manager_keep(host->manager, HOST_WEB1, "web1",
                                  g_ptr_array_index(domain->wants, 0), &where, NULL));
    assert_of(host, "it outlives its runs", HOST_WEB1_0, NULL);
}

/* --- the user's own devices ----------------------------------------------------------------- */

/* Only an alias that matches our scheme completely is ours. */
static void
test_aliases(void **state)
{
    static const struct {
        const char *alias;
        bool is_ours;
    } cases[] = {
        { "ua-vgpu-foo", false },  { "ua-vgpu-", false },   { "ua-vgpu-01", false },
        { "ua-vgpu--1", false },   { "ua-vgpu-1x", false }, { "ua-vgpu-99999999999", false },
        { "ua-vgpu-my-1", false }, { "ua-vgpu-1", true },   { "ua-vgpu-77", true },
    };
    Host *host = *state;
    g_autofree char *plain = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *hostdev =
            g_strdup_printf("<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>"
                            "<address uuid='" STRANGER "'/></source><alias name='%s'/></hostdev>"
                            "</devices>",
                            cases[i].alias);
        g_auto(GStrv) parts = g_strsplit(plain, "</devices>", 2);
        g_autofree char *xml = g_strjoinv(hostdev, parts);
        g_autofree char *refusal = host_start(host, xml);

        if (cases[i].is_ours != (refusal != NULL) ||
            (refusal && !strstr(refusal, "is being rewritten")))
            fail_msg("%s: %s", cases[i].alias, refusal ? refusal : "it starts");
        host_release(host, HOST_WEB1);
        host_settle(host);
    }
}

/* --- the vGPU that an error names ----------------------------------------------------------- */

static char *told_uuid;

static void
on_refusal(GVariant *event, gpointer opaque G_GNUC_UNUSED)
{
    g_autoptr(GVariant) owned = g_variant_ref_sink(event);
    const char *name = "";

    (void) g_variant_lookup(owned, "event", "&s", &name);
    assert_string_equal(name, "start-refused");
    g_clear_pointer(&told_uuid, g_free);
    (void) g_variant_lookup(owned, "uuid", "s", &told_uuid);
}

static void
test_reason(void **state)
{
    static const struct {
        const char *what;
        const char *devices;
        guint cold;
        int index; /* -1: no vGPU is named */
        const char *reason;
    } cases[] = {
        { "the second cannot come late", HOST_DEVICE() HOST_DEVICE("lateAttach='off'"), 1, 1,
          "no hostdev for vGPU 1" },
        { "the first cannot", HOST_DEVICE("lateAttach='off'") HOST_DEVICE(), 0, 0,
          "no hostdev for vGPU 0" },
        { "one lacks its hostdev", HOST_DEVICE(), 2, -1, "is being rewritten" },
    };
    Host *host = *state;

    host->manager->ops.event = on_refusal;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = host_xml("web1", HOST_WEB1, cases[i].devices, cases[i].cold);
        g_autofree char *refusal = host_start(host, xml);
        g_autofree char *uuid =
            cases[i].index < 0 ? NULL : vgpu_uuid_for_domain(HOST_WEB1, (guint) cases[i].index);

        if (!refusal || !strstr(refusal, cases[i].reason))
            fail_msg("%s: %s", cases[i].what, refusal ? refusal : "it starts");
        if (g_strcmp0(told_uuid, uuid) != 0)
            fail_msg("%s: %s is named", cases[i].what, told_uuid ? told_uuid : "none");
    }
    g_clear_pointer(&told_uuid, g_free);
}

/* --- libvirt's capabilities ----------------------------------------------------------------- */

/* The version of the connected libvirt counts, not that of the library. */
static void
test_libvirt(void **state)
{
    static const char *const boards[] = { "l40s", NULL };
    Host *host = *state;
    g_autofree char *xml =
        host_xml("web1", HOST_WEB1, "<vgpu:device profile='L40S-4Q' lateAttach='on'/>", 0);
    g_autofree char *before = NULL, *after = NULL, *again = NULL;

    host->libvirt = 9000000;
    host_add_boards(host, boards);
    define(host, xml);
    before = host_start(host, xml);
    assert_non_null(before);
    assert_non_null(strstr(before, "needs libvirt 9.7"));
    vgpu_manager_take_libvirt(host->manager, 0);
    again = host_start(host, xml);
    assert_string_equal(again, before);
    vgpu_manager_take_libvirt(host->manager, 11003000);
    after = host_start(host, xml);
    assert_null(after);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_orphan, setup, teardown),
        cmocka_unit_test_setup_teardown(test_orphan_of_user, setup, teardown),
        cmocka_unit_test_setup_teardown(test_orphan_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_aliases, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(test_libvirt, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
