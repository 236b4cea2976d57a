/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PCI functions of the host that are passed through to domains: which domain has a whole GPU. */
#include "test.h"

#include <string.h>

#include "core/passed.h"
#include "daemon/passing.h"
#include "vf-host.h"

#define S7150 "0000:c1:00.0"

#define HOSTDEV(bus, slot, alias)                                                                \
    "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0' "          \
    "bus='0x" bus "' slot='" slot "' function='0'/></source>" alias "</hostdev>"
#define DOMAIN(devices)                                                                          \
    "<domain type='kvm'><name>db</name><uuid>" HOST_WEB1 "</uuid><devices>" devices              \
    "</devices></domain>"

static void
test_list(void **state)
{
    static const struct {
        const char *what, *definition, *live, *functions;
    } cases[] = {
        { "nothing", DOMAIN(""), NULL, "" },
        { "a PF", DOMAIN(HOSTDEV("c1", "0", "")), NULL, S7150 },
        { "a PF of the running domain that its definition lacks", NULL,
          DOMAIN(HOSTDEV("c1", "0", "")), S7150 },
        { "a PF, and a hostdev that virt-vgpu added",
          DOMAIN(HOSTDEV("c1", "2", "<alias name='ua-vgpu-0'/>") HOSTDEV("c1", "0", "")), NULL,
          S7150 },
        { "a PF with an alias that the user chose",
          DOMAIN(HOSTDEV("c1", "0", "<alias name='ua-gpu'/>")), NULL, S7150 },
        { "an mdev",
          DOMAIN("<hostdev mode='subsystem' type='mdev'><source><address uuid='" HOST_WEB1_0
                 "'/></source></hostdev>"),
          NULL, "" },
        { "XML that cannot be parsed", "<hostdev", NULL, "" },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const VgpuDomainState domain = { .definition = (char *) cases[i].definition,
                                         .live = (char *) cases[i].live };
        g_autoptr(GPtrArray) functions = vgpu_passing_list(&domain);
        const char *first = functions ? g_ptr_array_index(functions, 0) : "";

        if (strcmp(first, cases[i].functions) != 0)
            fail_msg("%s: '%s'", cases[i].what, first);
    }
}

static void
take(Host *host, const char *uuid, const char *name, const char *function)
{
    g_autoptr(GPtrArray) functions = g_ptr_array_new();

    if (function)
        g_ptr_array_add(functions, (gpointer) function);
    vgpu_manager_take_passed(host->manager, uuid, name, functions);
}

static void
assert_to(const Host *host, const char *wanted)
{
    g_autofree char *who = vgpu_passed_to(host->manager, S7150);

    if (g_strcmp0(who, wanted) != 0)
        fail_msg("'%s', not '%s'", who ? who : "no domain", wanted ? wanted : "no domain");
}

static void
test_who(void **state)
{
    Host *host = *state;
    g_autoptr(GPtrArray) listed =
        g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_listed_free);
    VgpuListed *unreadable = g_new0(VgpuListed, 1);

    assert_to(host, NULL);
    take(host, "1", "db", S7150);
    take(host, "2", "cad", S7150);
    take(host, "3", "other", L40S);
    assert_to(host, "domains 'cad' and 'db'");
    take(host, "2", "cad", NULL);
    assert_to(host, "domain 'db'");
    /* a domain that cannot be read keeps what it passed through; one that no longer exists does not */
    unreadable->uuid = g_strdup("1");
    unreadable->name = g_strdup("db");
    unreadable->is_unreadable = true;
    g_ptr_array_add(listed, unreadable);
    vgpu_passed_take_all(host->manager, listed);
    assert_to(host, "domain 'db'");
    g_ptr_array_set_size(listed, 0);
    vgpu_passed_take_all(host->manager, listed);
    assert_to(host, NULL);
}

/* Pool rows and explain name the domain that has the GPU. */
static void
test_told(void **state)
{
    Host *host = *state;
    g_autofree char *uuid = host_nth_uuid(1);
    g_autofree char *xml = xml_on("web1", uuid, "<vgpu:device profile='vf'/>", NULL);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(VgpuPoolRow) pool = NULL;
    g_autoptr(GPtrArray) forecasts = NULL;
    const VgpuPassedGpu *passed;
    VgpuManager *copy;

    take(host, "1", "db", S7150);
    pool = vgpu_manager_get_pool(host->manager, "default");
    assert_int_equal(pool->passed->len, 1);
    passed = pool->passed->pdata[0];
    assert_string_equal(passed->gpu, S7150);
    assert_string_equal(passed->to, "domain 'db'");
    copy = vgpu_manager_copy(host->manager, NULL);
    forecasts = (vgpu_manager_explain) (copy, domain);
    assert_has(((const VgpuForecast *) g_ptr_array_index(forecasts, 0))->chosen->reason,
               "on " S7150_VF0
               ", until domain 'db' starts: its definition passes the whole GPU through");
    g_clear_pointer(&forecasts, g_ptr_array_unref);
    vgpu_manager_copy_free(copy);
}

int
main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, vf_host_setup, vf_host_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        test(test_who),
        test(test_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
