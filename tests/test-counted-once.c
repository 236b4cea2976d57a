/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A vGPU counts once, no matter how it was created and which records mention it: in the list, from which metrics and
 * inventories are made, and in its pool. */
#include "test.h"

#include <string.h>

#include "manager-host.h"

#define A2 "0000:41:00.0"
#define BY_HAND "11111111-2222-4333-8444-555555555555"
#define MAX_4Q 4

static void
on_done(const GError *error, gpointer opaque)
{
    (void) opaque;
    assert_null(error);
}

static void
make_by_hand(Host *host)
{
    vgpu_manager_create(host->manager, A2, "A2-4Q", BY_HAND, on_done, NULL);
    host_settle(host);
}

/* Start web1 with the device that its XML names. */
static void
start_with_its_uuid(Host *host)
{
    g_autofree char *bare =
        host_xml("web1", HOST_WEB1, "<vgpu:device profile='A2-4Q' uuid='" BY_HAND "'/>", 0);
    g_auto(GStrv) halves = g_strsplit(bare, "</devices>", 2);
    g_autofree char *xml =
        g_strjoinv("<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>"
                   "<address uuid='" BY_HAND "'/></source></hostdev></devices>",
                   halves);
    g_autofree char *refused = host_start(host, xml);

    assert_null(refused);
}

static void
hand_made(Host *host)
{
    make_by_hand(host);
}

static void
hand_made_and_used(Host *host)
{
    make_by_hand(host);
    start_with_its_uuid(host);
}

static void
hand_made_used_and_restarted(Host *host)
{
    hand_made_and_used(host);
    host_restart(host);
}

static void
foreign_and_used(Host *host)
{
    assert_int_equal(host_make_device(host, "0000:41:00.6", "nvidia-746", BY_HAND), 0);
    start_with_its_uuid(host);
}

static char *
defined(void)
{
    return host_xml("web1", HOST_WEB1, HOST_DEVICE("create='define'"), 1);
}

static void
keep(Host *host)
{
    g_autofree char *xml = defined();
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_auto(VgpuKeep) kept = { 0 };

    assert_true(vgpu_manager_keep(host->manager, domain->uuid, domain->name,
                                  g_ptr_array_index(domain->wants, 0), &kept, NULL));
    vgpu_manager_kept(host->manager, HOST_WEB1_0);
}

static void
kept_and_running(Host *host)
{
    g_autofree char *xml = defined();
    g_autofree char *refused = NULL;

    keep(host);
    refused = host_start(host, xml);
    assert_null(refused);
}

static void
kept_running_and_restarted(Host *host)
{
    kept_and_running(host);
    host_restart(host);
}

static void
kept_and_off_again(Host *host)
{
    kept_and_running(host);
    host_release(host, HOST_WEB1);
    host_settle(host);
}

static Prepare starting;

/* It is in two records, and not on its GPU yet. */
static void
kept_and_being_made(Host *host)
{
    g_autofree char *xml = defined();

    keep(host);
    host_knob(host, "hang_create-" A2, "");
    host_prepare(host, xml, 30000, &starting);
    host_run(host, 100);
}

/* @count of them, of which @cold are in the XML that runs. */
static void
plug(Host *host, const char *devices, guint cold, guint index, const char *uuid)
{
    g_autofree char *xml = host_xml("web1", HOST_WEB1, devices, cold);
    VgpuDomain *domain = host_domain(xml);

    domain->id = 7;
    vgpu_manager_plug(host->manager, domain, index, 5000, on_done, NULL);
    host_settle(host);
    if (uuid)
        vgpu_manager_attached(host->manager, HOST_WEB1,
                              vgpu_manager_since(host->manager, HOST_WEB1), uuid, NULL);
}

static void
plugged(Host *host)
{
    plug(host, HOST_DEVICE(), 0, 0, HOST_WEB1_0);
}

static void
being_plugged(Host *host)
{
    plug(host, HOST_DEVICE(), 0, 0, NULL);
}

static void
plugged_and_defined(Host *host)
{
    g_autofree char *xml = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);

    plugged(host);
    vgpu_manager_take_definition(host->manager, host_domain(xml), true);
}

static void
check(Host *host, const char *what, guint devices)
{
    g_autoptr(GHashTable) uuids = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) rows = vgpu_manager_list(host->manager, true);
    g_autoptr(VgpuPoolRow) pool = vgpu_manager_get_pool(host->manager, "default");

    assert_int_equal(host_count_devices(host), devices);
    for (guint i = 0; i < rows->len; i++) {
        const VgpuRow *row = g_ptr_array_index(rows, i);

        if (!g_hash_table_add(uuids, row->uuid))
            fail_msg("%s: two rows of %s", what, row->uuid);
    }
    if (rows->len != 1)
        fail_msg("%s: %u rows", what, rows->len);
    for (guint i = 0; i < pool->profiles->len; i++) {
        const VgpuPoolRoom *room = g_ptr_array_index(pool->profiles, i);

        if (g_str_equal(room->name, "NVIDIA A2-4Q") &&
            (room->allocated != 1 || room->available != MAX_4Q - 1 || room->capacity != MAX_4Q))
            fail_msg("%s: %u of %u, %u are left", what, room->allocated, room->capacity,
                     room->available);
    }
}

static void
test_each(void **state)
{
    static const struct {
        const char *what;
        void (*come)(Host *host);
        guint devices;
    } cases[] = {
        { "made by hand", hand_made, 1 },
        { "made by hand, used by a domain", hand_made_and_used, 1 },
        { "the same after a restart", hand_made_used_and_restarted, 1 },
        { "a foreign one, used by a domain", foreign_and_used, 1 },
        { "kept for a domain that is off", keep, 0 },
        { "kept for a domain that runs", kept_and_running, 1 },
        { "the same after a restart", kept_running_and_restarted, 1 },
        { "kept for a domain that starts", kept_and_being_made, 0 },
        { "kept for one that has run", kept_and_off_again, 1 },
        { "hotplugged", plugged, 1 },
        { "being hotplugged", being_plugged, 1 },
        { "hotplugged, and in the definition", plugged_and_defined, 1 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = host_new();

        cases[i].come(host);
        check(host, cases[i].what, cases[i].devices);
        host_unknob(host, "hang_create-" A2);
        host_settle(host);
        prepare_clear(&starting);
    }
    (void) state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
