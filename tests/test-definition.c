/* What the manager makes of libvirt's definitions: whose devices they explain, and what may be in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

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

/* --- the user's own devices ----------------------------------------------------------------- */

/* Of an alias only what is ours in full means us. */
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

/* --- what libvirt can ----------------------------------------------------------------------- */

/* What counts is the libvirt that is connected, not the library that was there first. */
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
        cmocka_unit_test_setup_teardown(test_aliases, setup, teardown),
        cmocka_unit_test_setup_teardown(test_libvirt, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
