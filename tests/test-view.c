/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cached view of the GPUs between decisions: what changes, and what stays the same. */
#include "test.h"

#include "manager-host.h"

#define A2 "0000:41:00.0"
#define S7150 "0000:c1:00.0"
#define VF0 "0000:c1:02.0"
#define WEB2 "aaaaaaaa-0000-4000-8000-000000000002"

#define ON_VF0                                                                                   \
    "<domain type='kvm'><name>web1</name><uuid>" HOST_WEB1                                       \
    "</uuid><metadata><vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'>"                        \
    "<vgpu:device profile='vf'/></vgpu:devices></metadata><os><type>hvm</type></os><devices>"    \
    "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' "       \
    "bus='0xc1' slot='0x02' function='0x0'/></source><alias name='ua-vgpu-0'/></hostdev>"        \
    "</devices></domain>"

static int
setup(void **state)
{
    static const char *const boards[] = { "l40s", "s7150", NULL };
    Host *host = host_new();

    host_add_boards(host, boards);
    *state = host;
    return 0;
}

static int
teardown(void **state)
{
    host_free(*state);
    return 0;
}

static const VgpuGpu *
gpu(const VgpuManager *manager, const char *address)
{
    return vgpu_inventory_find(manager->inventory, address);
}

/* The owner of the VF, as far as it is known. */
static const char *
user(const VgpuManager *manager)
{
    const VgpuInstance *instance =
        vgpu_parent_first_instance(vgpu_gpu_find_parent(gpu(manager, S7150), VF0));

    return instance ? instance->uuid : NULL;
}

static void
test_records_in_place(void **state)
{
    Host *host = *state;
    const VgpuGpu *other = gpu(host->manager, A2);
    g_autofree char *refusal = host_start(host, ON_VF0);

    assert_null(refusal);
    (void) (vgpu_manager_inventory) (host->manager);
    assert_string_equal(user(host->manager), HOST_WEB1_0);
    assert_ptr_equal(gpu(host->manager, A2), other);
    host_release(host, HOST_WEB1);
    host_settle(host);
    (void) (vgpu_manager_inventory) (host->manager);
    assert_null(user(host->manager));
}

static void
test_copy_stays(void **state)
{
    Host *host = *state;
    g_autofree char *refusal = host_start(host, ON_VF0);
    VgpuManager *copy = vgpu_manager_copy(host->manager, NULL);

    assert_null(refusal);
    assert_ptr_equal(gpu(copy, S7150), gpu(host->manager, S7150));
    host_release(host, HOST_WEB1);
    host_settle(host);
    (void) (vgpu_manager_inventory) (host->manager);
    assert_null(user(host->manager));
    assert_string_equal(user(copy), HOST_WEB1_0);
    vgpu_manager_copy_free(copy);
}

/* The copy is queried on another thread while the records change. */
static gpointer
explain(gpointer data)
{
    g_autoptr(VgpuDomain) domain = host_domain(ON_VF0);

    for (guint i = 0; i < 200; i++) {
        g_autoptr(GPtrArray) forecasts = (vgpu_manager_explain) (data, domain);

        if (forecasts->len != 1)
            return (gpointer) "no forecast";
    }
    return NULL;
}

static void
test_copy_on_another_thread(void **state)
{
    Host *host = *state;

    for (guint round = 0; round < 3; round++) {
        VgpuManager *copy = vgpu_manager_copy(host->manager, NULL);
        GThread *thread = g_thread_new("explain", explain, copy);
        g_autofree char *refusal = host_start(host, ON_VF0);

        assert_null(refusal);
        host_release(host, HOST_WEB1);
        host_settle(host);
        assert_null(g_thread_join(thread));
        vgpu_manager_copy_free(copy);
    }
}

static void
test_discovery_of_others(void **state)
{
    static const char *const boards[] = { "l40s-2", NULL };
    Host *host = *state;
    VgpuGpu *known = vgpu_gpu_ref((VgpuGpu *) gpu(host->manager, S7150));

    host_plug_boards(host, boards);
    vgpu_drivers_rediscover(host->manager->drivers);
    host_see(host->manager);
    assert_non_null(gpu(host->manager, "0000:62:00.0"));
    assert_ptr_equal(gpu(host->manager, S7150), known);
    host_check_view(host->manager);
    vgpu_gpu_free(known);
}

static guint
n_wanting(const VgpuManager *manager, const char *uuid)
{
    const GPtrArray *wanting = vgpu_definitions_wanting(manager, uuid);

    return wanting ? wanting->len : 0;
}

static void
define(Host *host, const char *name, const char *uuid, const char *devices)
{
    g_autofree char *xml = host_xml(name, uuid, devices, 0);

    vgpu_manager_take_definition(host->manager, host_domain(xml), false);
}

static void
test_wanting(void **state)
{
    static const char *const two = HOST_DEVICE("") HOST_DEVICE("");
    static const char *const theirs = HOST_DEVICE("uuid='" HOST_WEB1_0 "'");
    Host *host = *state;

    assert_int_equal(n_wanting(host->manager, HOST_WEB1_0), 0);
    define(host, "web1", HOST_WEB1, two);
    define(host, "web2", WEB2, theirs);
    assert_int_equal(n_wanting(host->manager, HOST_WEB1_0), 2);
    define(host, "web1", HOST_WEB1, "");
    assert_int_equal(n_wanting(host->manager, HOST_WEB1_0), 1);
    define(host, "web1", HOST_WEB1, two);
    vgpu_manager_forget_definition(host->manager, HOST_WEB1);
    vgpu_manager_forget_definition(host->manager, HOST_WEB1);
    assert_int_equal(n_wanting(host->manager, HOST_WEB1_0), 1);
    vgpu_manager_forget_definition(host->manager, WEB2);
    assert_int_equal(n_wanting(host->manager, HOST_WEB1_0), 0);
}

/* A vGPU with a domain's UUID but without a record is removed once its owner is certain. */
static void
test_orphan(void **state)
{
    Host *host = *state;

    assert_int_equal(host_make_device(host, "0000:84:00.0", "nvidia-39", HOST_WEB1_0), 0);
    host_see(host->manager);
    define(host, "web1", HOST_WEB1, HOST_DEVICE(""));
    host_settle(host);
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_records_in_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copy_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copy_on_another_thread, setup, teardown),
        cmocka_unit_test_setup_teardown(test_discovery_of_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wanting, setup, teardown),
        cmocka_unit_test_setup_teardown(test_orphan, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
