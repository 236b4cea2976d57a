/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vGPUs on virtual functions, whose addresses are in the domain's XML: which VF a definition gets, and
 * how a start uses it. */
#include "test.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/names.h"
#include "base/uuid.h"
#include "vf-host.h"

/* --- binding definitions -------------------------------------------------------------------- */

static void
test_bind(void **state)
{
    Host *host = *state;
    g_autoptr(GPtrArray) nobody = host_facts();
    g_autofree char *done = NULL;

    assert_bound(host, 1, "<vgpu:device profile='A2-4Q'/>", NULL, "mdev");
    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    assert_bound(host, 2, L40S_4Q, NULL, VF1);
    assert_bound(host, 1, L40S_4Q, VF0, VF0);
    assert_bound(host, 3, L40S_4Q L40S_4Q, NULL, VF2 " " VF3);
    assert_bound(host, 4, "<vgpu:device profile='vf'/>", NULL, S7150_VF0);
    assert_bound(host, 5, "<vgpu:device profile='L40S-5Q'/>", NULL, "no GPU has the profile");
    host_restart(host);
    assert_bound(host, 3, L40S_4Q L40S_4Q, NULL, VF2 " " VF3);
    /* all four are planned for others: it gets any of them */
    assert_bound(host, 6, L40S_4Q, NULL, VF0);
    /* a definition from another host that names an unplanned VF */
    done = host_reconcile(host, nobody, false);
    assert_bound(host, 7, L40S_4Q, VF2, VF2);
    /* and one that names a VF planned for another domain */
    assert_bound(host, 8, L40S_4Q, VF2, VF0);
    /* no longer wanted, it is free for others */
    assert_bound(host, 8, "<vgpu:device profile='A2-4Q'/>", VF0, "mdev");
    assert_bound(host, 9, L40S_4Q, NULL, VF0);
}

static void
test_undefined(void **state)
{
    Host *host = *state;
    g_autofree char *uuid = host_nth_uuid(1);
    g_autofree char *xml = xml_on("web1", uuid, L40S_4Q, VF0);

    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    vgpu_manager_take_definition(host->manager, host_domain(xml), false);
    vgpu_manager_forget_definition(host->manager, uuid);
    assert_bound(host, 2, L40S_4Q, NULL, VF0);
}

/* A domain that was defined while libvirt's domains were listed is not on the list; its VF is its plan all the
 * same. */
static void
test_defined_meanwhile(void **state)
{
    static const struct {
        const char *what;
        bool before, meanwhile; /* when the definition is bound */
        bool kept;
    } cases[] = {
        { "before the list only: it was undefined", true, false, false },
        { "meanwhile", false, true, true },
        { "before, and again meanwhile", true, true, true },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = NULL;
        g_autoptr(GPtrArray) nobody = host_facts(), plan = NULL;
        g_autoptr(GHashTable) noted = NULL;
        g_autofree char *uuid = host_nth_uuid(1), *of_vgpu = vgpu_uuid_for_domain(uuid, 0);

        (void) vf_host_setup((void **) &host);
        if (cases[i].before)
            assert_bound(host, 1, L40S_4Q, NULL, VF0);
        noted = vgpu_manager_note(host->manager);
        if (cases[i].meanwhile)
            assert_bound(host, 1, L40S_4Q, cases[i].before ? VF0 : NULL, VF0);
        plan = vgpu_manager_reconcile(host->manager, noted, nobody, false);
        if (!vgpu_plan_find(host->manager, uuid, of_vgpu) == cases[i].kept)
            fail_msg("defined %s", cases[i].what);
        assert_bound(host, 2, L40S_4Q, NULL, cases[i].kept ? VF1 : VF0);
    }
}

/* While no GPU has the profile, what the definition has already stays. */
static void
test_gpu_is_away(void **state)
{
    assert_bound(*state, 1, "<vgpu:device profile='NVIDIA L40S-5Q'/>", VF1, VF1);
}

/* --- starts --------------------------------------------------------------------------------- */

static void
test_start_and_stop(void **state)
{
    Host *host = *state;

    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    assert_starts(host, 1, L40S_4Q, VF0);
    assert_types(host, TYPE_4Q, 0, 0, 0);
    assert_int_equal(host_count_records(host), 1);
    stop(host, 1);
    host_settle(host);
    assert_types(host, 0, 0, 0, 0);
    assert_int_equal(host_count_records(host), 0);
}

static void
test_late(void **state)
{
    Host *host = *state;
    g_autofree char *uuid = host_nth_uuid(1);
    g_autofree char *line = g_strdup_printf("attach %s 7 0 " VF0 "\n", uuid);

    assert_starts(host, 1, L40S_4Q, NULL);
    vgpu_manager_started(host->manager, uuid, 7);
    assert_has(host->log->str, line);
    /* from then on the definition is to name it, too */
    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    assert_bound(host, 2, L40S_4Q, NULL, VF1);
}

static void
test_not_its_own(void **state)
{
    Host *host = *state;

    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    assert_refused(host, 2, L40S_4Q, VF0, "is being rewritten, start it again");
    assert_true(asked_to_rewrite(host, 2));
    assert_refused(host, 2, "", VF1, "is being rewritten, start it again");
    assert_types(host, 0, 0, 0, 0);
    /* a transient domain may name an unowned one */
    assert_starts(host, 3, L40S_4Q, VF1);
}

static void
test_taken(void **state)
{
    static const struct {
        const char *what;
        const char *type; /* a foreign type on the VF */
        bool open;
        bool is_moved; /* else there is nowhere to move to */
        const char *why;
    } cases[] = {
        { "of another size: the whole GPU has it now", "1152", false, false, "another size" },
        { "of another profile of that size", "1160", false, true,
          "(VF " VF0
          " carries nvidia-1160, which virt-vgpu did not set); the definition is being moved" },
        { "of the same profile, and in use", "1150", true, true, "being moved" },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = NULL;

        (void) vf_host_setup((void **) &host);
        assert_bound(host, 1, L40S_4Q, NULL, VF0);
        assert_int_equal(host_set_vf_type(host, VF0, cases[i].type), 0);
        if (cases[i].open)
            host_open(host, VF0);
        assert_refused(host, 1, L40S_4Q, VF0, cases[i].why);
        if (asked_to_rewrite(host, 1) != cases[i].is_moved)
            fail_msg("a type %s", cases[i].what);
        assert_int_equal(host_vf_type(host, VF0), atoi(cases[i].type));
        if (!cases[i].is_moved)
            continue;
        assert_bound(host, 1, L40S_4Q, VF0, VF1);
        assert_starts(host, 1, L40S_4Q, VF1);
        assert_types(host, atoi(cases[i].type), TYPE_4Q, 0, 0);
    }
}

static void
test_taken_by_another_domain(void **state)
{
    Host *host = *state;

    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    assert_starts(host, 2, L40S_4Q, NULL); /* one that is defined and started at once */
    assert_types(host, 0, TYPE_4Q, 0, 0);
    assert_bound(host, 3, L40S_4Q, NULL, VF2);
    assert_bound(host, 4, L40S_4Q, NULL, VF3);
    assert_starts(host, 5, L40S_4Q, NULL); /* no other is left: it takes what is only a plan */
    assert_types(host, TYPE_4Q, TYPE_4Q, 0, 0);
    assert_refused(host, 1, L40S_4Q, VF0, "in use by domain 'web5'");
    assert_true(asked_to_rewrite(host, 1));
}

static void
test_gone(void **state)
{
    Host *host = *state;

    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    assert_refused(host, 1, L40S_4Q, "0000:61:01.7", "0000:61:01.7");
    assert_true(asked_to_rewrite(host, 1));
}

static void
test_reused(void **state)
{
    Host *host = *state;

    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    assert_int_equal(host_set_vf_type(host, VF0, "1150"), 0);
    assert_starts(host, 1, L40S_4Q, VF0);
    stop(host, 1);
    host_settle(host);
    assert_types(host, TYPE_4Q, 0, 0, 0); /* its creator may reset it */
    assert_int_equal(host_count_records(host), 0);
}

static void
test_full(void **state)
{
    Host *host = *state;

    for (guint n = 1; n <= 3; n++)
        assert_starts(host, n, L40S_4Q, NULL);
    assert_types(host, TYPE_4Q, TYPE_4Q, TYPE_4Q, 0);
    /* a driver that lists only what could be made still has that profile */
    assert_refused(host, 4, L40S_4Q, NULL, "no GPU has room for a vGPU 'NVIDIA L40S-4Q'");
    host_restart(host);
    assert_refused(host, 4, L40S_4Q, NULL, "no GPU has room for a vGPU 'NVIDIA L40S-4Q'");
    assert_bound(host, 4, L40S_4Q, NULL, VF3);
    stop(host, 2);
    host_settle(host);
    assert_starts(host, 4, L40S_4Q, VF3);
}

/* QEMU can close the device later than libvirt reports its end, and a reset can need several attempts. */
static void
test_reset_later(void **state)
{
    Host *host = *state;

    assert_starts(host, 1, L40S_4Q, NULL);
    host_knob(host, "reset_busy_next", "2");
    host_open(host, VF0);
    stop(host, 1);
    host_run(host, 100);
    assert_types(host, TYPE_4Q, 0, 0, 0);
    host_close(host, VF0);
    host_settle(host);
    assert_types(host, 0, 0, 0, 0);
}

static void
test_restart_in_place(void **state)
{
    Host *host = *state;

    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    assert_starts(host, 1, L40S_4Q, VF0);
    stop(host, 1);
    assert_starts(host, 1, L40S_4Q, VF0);
    assert_starts(host, 1, "<vgpu:device profile='NVIDIA L40S-8Q'/>", VF0);
    assert_types(host, 1152, 0, 0, 0);
}

static void
test_daemon_dies(void **state)
{
    Host *host = *state;
    g_autoptr(GPtrArray) facts = host_facts();
    g_autofree char *uuid = host_nth_uuid(1);
    g_autofree char *xml = xml_on("web1", uuid, L40S_4Q, VF0);
    g_autofree char *done = NULL;

    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    assert_starts(host, 1, L40S_4Q, VF0);
    host_restart(host);
    host_fact(facts, xml, 3);
    done = host_reconcile(host, facts, false);
    assert_has(done, "confirm");
    assert_types(host, TYPE_4Q, 0, 0, 0);
    vgpu_manager_release(host->manager, uuid, vgpu_clock_now());
    host_settle(host);
    assert_types(host, 0, 0, 0, 0);
}

/* /run was lost, the domain runs. */
static void
test_lost_record(void **state)
{
    Host *host = *state;
    g_autoptr(GPtrArray) facts = host_facts();
    g_autofree char *uuid = host_nth_uuid(1);
    g_autofree char *xml = xml_on("web1", uuid, L40S_4Q, VF0);
    g_autofree char *done = NULL;

    assert_int_equal(host_set_vf_type(host, VF0, "1150"), 0);
    host_fact(facts, xml, 3);
    done = host_reconcile(host, facts, false);
    assert_has(done, "adopt");
    stop(host, 1);
    host_settle(host);
    assert_types(host, 0, 0, 0, 0);
}

/* --- plugin parameters ---------------------------------------------------------------------- */

static char *
read_params(const Host *host, const char *vf)
{
    g_autofree char *path = g_strdup_printf("sys/bus/pci/devices/%s/nvidia/vgpu_params", vf);

    return vgpu_sysfs_read(host->sysfs, path, NULL);
}

static void
test_params(void **state)
{
    static const char with[] =
        "<vgpu:device profile='NVIDIA L40S-4Q' frameRateLimit='off' consoleVNC='off'/>";
    Host *host = *state;
    g_autofree char *first = NULL;
    g_autofree char *again = NULL;

    assert_bound(host, 1, with, NULL, VF0);
    assert_starts(host, 1, with, VF0);
    first = read_params(host, VF0);
    assert_string_equal(first, "frame_rate_limiter=0,disable_vnc=1");
    stop(host, 1);
    assert_starts(host, 1, "<vgpu:device profile='NVIDIA L40S-4Q' unifiedMemory='on'/>", VF0);
    again = read_params(host, VF0);
    assert_string_equal(again, "enable_uvm=1");
}

/* Lists whose last character matters, on both interfaces. */
static void
test_params_whole(void **state)
{
    static const struct {
        const char *attributes, *param, *wanted;
    } cases[] = {
        { "frameRateLimit='off'", "", "frame_rate_limiter=0" },
        { "consoleVNC='off'", "", "disable_vnc=1" },
        { "unifiedMemory='on'", "", "enable_uvm=1" },
        { "", "<vgpu:param name='vgpu-placement-id' value='12'/>", "vgpu-placement-id=12" },
        { "frameRateLimit='off' consoleVNC='off'",
          "<vgpu:param name='vgpu-placement-id' value='12'/>",
          "frame_rate_limiter=0,disable_vnc=1,vgpu-placement-id=12" },
        { "frameRateLimit='on' debugging='on' profiling='on'", "",
          "frame_rate_limiter=1,enable_debugging=1,enable_profiling=1" },
    };
    Host *host = *state;

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *on_vf =
            g_strdup_printf("<vgpu:device profile='NVIDIA L40S-4Q' %s>%s</vgpu:device>",
                            cases[i].attributes, cases[i].param);
        g_autofree char *mediated =
            g_strdup_printf("<vgpu:device profile='A2-4Q' %s>%s</vgpu:device>",
                            cases[i].attributes, cases[i].param);
        g_autofree char *domain = host_nth_uuid(2);
        g_autofree char *uuid = vgpu_uuid_for_domain(domain, 0);
        g_autofree char *path =
            g_strdup_printf("%s/sys/bus/mdev/devices/%s/nvidia/vgpu_params", host->root, uuid);
        g_autofree char *of_vf = NULL, *of_mdev = NULL;

        assert_starts(host, 1, on_vf, VF0);
        of_vf = read_params(host, VF0);
        assert_string_equal(of_vf, cases[i].wanted);
        assert_starts(host, 2, mediated, NULL);
        assert_true(g_file_get_contents(path, &of_mdev, NULL, NULL));
        assert_string_equal(g_strstrip(of_mdev), cases[i].wanted);
        stop(host, 1);
        stop(host, 2);
        host_settle(host);
    }
}

/* The driver keeps other parameters, or they cannot be read; on a VF and on an mdev. */
static void
test_params_kept(void **state)
{
    static const struct {
        const char *what;
        const char *knob;
        const char *text;
        const char *refused; /* NULL: it starts, with an event */
        const char *event;
    } cases[] = {
        { "cut off", "params_keep", "vgpu-placement-id=1",
          "the driver kept only 'vgpu-placement-id=1' of the plugin parameters "
          "'vgpu-placement-id=12' of ",
          NULL },
        { "other ones", "params_keep", "vgpu-placement-id=120", NULL,
          "wanted 'vgpu-placement-id=12', read 'vgpu-placement-id=120'\n" },
        { "not to be read", "params_eio", "", NULL,
          "wanted 'vgpu-placement-id=12', cannot open /sys/bus/" },
    };
    static const char *const profiles[] = { "NVIDIA L40S-4Q", "A2-4Q" };

    for (gsize i = 0; i < G_N_ELEMENTS(cases) * G_N_ELEMENTS(profiles); i++) {
        gsize c = i / G_N_ELEMENTS(profiles);
        Host *host = *state;
        g_autofree char *with =
            g_strdup_printf("<vgpu:device profile='%s'><vgpu:param name='vgpu-placement-id' "
                            "value='12'/></vgpu:device>",
                            profiles[i % G_N_ELEMENTS(profiles)]);

        g_string_truncate(host->log, 0);
        host_knob(host, cases[c].knob, cases[c].text);
        if (cases[c].refused) {
            assert_refused(host, 1, with, NULL, cases[c].refused);
        } else {
            assert_starts(host, 1, with, NULL);
            assert_has(host->log->str, "params-unverified ");
            assert_has(host->log->str, cases[c].event);
            stop(host, 1);
        }
        host_settle(host);
        assert_int_equal(host_count_devices(host), 0);
        assert_int_equal(host_count_records(host), 0);
        assert_types(host, 0, 0, 0, 0);
        host_unknob(host, cases[c].knob);
    }
}

static void
test_params_refused(void **state)
{
    static const char with[] = "<vgpu:device profile='A2-4Q' debugging='on'/>";
    Host *host = *state;

    host_knob(host, "no_params", "");
    assert_refused(host, 1, with, NULL, "parameters");
    host_settle(host);
    assert_int_equal(host_count_devices(host), 0);
    assert_int_equal(host_count_records(host), 0);
    host_unknob(host, "no_params");
    assert_starts(host, 1, with, NULL);
    assert_int_equal(host_count_devices(host), 1);
}

/* --- profiles of a full GPU --------------------------------------------------------------------- */

static char *
boards_file(const Host *host)
{
    return g_build_filename(host->root, VGPU_PATH_BOARDS, NULL);
}

/* The driver lists no types for the VFs of a full GPU; the next daemon knows those that it listed before. */
static void
test_full_after_restart(void **state)
{
    static const char big[] = "<vgpu:device profile='NVIDIA L40S-48Q'/>";
    static const char other_size[] = L40S ": vGPUs of another size are on it (NVIDIA L40S-48Q";
    Host *host = *state;
    g_autofree char *boards = boards_file(host);

    assert_starts(host, 1, big, VF0);
    assert_refused(host, 2, L40S_4Q, NULL, other_size);
    host_restart(host);
    assert_refused(host, 2, L40S_4Q, NULL, other_size);
    host_restart(host); /* nothing was lost by a daemon that only saw a full GPU */
    assert_refused(host, 2, L40S_4Q, NULL, other_size);
    assert_refused(host, 3, "<vgpu:device profile='NVIDIA L40S-5Q'/>", NULL,
                   "no GPU has the profile");

    assert_true(g_file_set_contents(boards, "[end]\ncomp", -1, NULL)); /* damaged */
    host_restart(host);
    assert_refused(host, 2, L40S_4Q, NULL, "no GPU has the profile");
    stop(host, 1);
    host_settle(host);
    assert_bound(host, 2, L40S_4Q, NULL, VF0);
    host_restart(host);
    assert_bound(host, 2, L40S_4Q, VF0, VF0);
}

/* A boot unit has set types, and the daemon has never seen the GPU without them: its profiles are unknown, not
 * missing. */
static void
test_types_of_others(void **state)
{
    static const char *const vfs[] = { VF0, VF1, VF2, VF3 };
    Host *host = *state;
    g_autofree char *boards = boards_file(host);

    for (gsize i = 0; i < G_N_ELEMENTS(vfs); i++)
        assert_int_equal(host_set_vf_type(host, vfs[i], "1147"), 0);
    assert_int_equal(unlink(boards), 0);
    host_restart(host);
    assert_refused(host, 1, L40S_4Q, NULL,
                   L40S ": all its VFs carry types (nvidia-1147) set by something else");
    assert_int_equal(host_set_vf_type(host, VF3, "0"), 0);
    host_restart(host);
    assert_bound(host, 1, "<vgpu:device profile='NVIDIA L40S-1Q'/>", NULL, VF3);
}

/* --- other families, and hosts with several ------------------------------------------------- */

/* Check in the inventory that domain @n has the VF; 0: it is free. */
static void
assert_user_of_vf(Host *host, const char *vf, guint n)
{
    const VgpuInventory *inventory = vgpu_manager_inventory(host->manager);
    const VgpuGpu *gpu = vgpu_inventory_find_by_function(inventory, vf);
    const VgpuParent *parent = vgpu_gpu_find_parent(gpu, vf);
    g_autofree char *domain = host_nth_uuid(n);
    g_autofree char *uuid = vgpu_uuid_for_domain(domain, 0);

    assert_int_equal(parent->instances->len, n ? 1 : 0);
    if (n)
        assert_string_equal(((VgpuInstance *) g_ptr_array_index(parent->instances, 0))->uuid,
                            uuid);
}

static void
test_plain_vf(void **state)
{
    static const char any[] = "<vgpu:device profile='vf'/>";
    Host *host = *state;

    assert_bound(host, 1, any, NULL, S7150_VF0);
    assert_starts(host, 1, any, S7150_VF0);
    assert_int_equal(host_count_records(host), 1);
    assert_user_of_vf(host, S7150_VF0, 1);
    assert_starts(host, 2, any, NULL);
    stop(host, 1);
    stop(host, 2);
    host_settle(host);
    assert_int_equal(host_count_records(host), 0);
    assert_user_of_vf(host, S7150_VF0, 0);
}

static void
on_made(const GError *error, gpointer opaque)
{
    char **text = opaque;

    *text = g_strdup(error ? error->message : "made");
}

static void
test_more_vfs_than_room(void **state)
{
    Host *host = *state;

    for (guint n = 1; n <= 11; n++) {
        g_autofree char *uuid = host_nth_uuid(n);
        g_autofree char *text = NULL;

        vgpu_manager_create(host->manager, A100, "GRID A100-4C", uuid, on_made, &text);
        while (!text)
            host_run(host, 1);
        assert_has(text, n <= 10 ? "made" : "10 of 10 are in use");
    }
    assert_int_equal(host_count_devices(host), 10);
}

static void
test_old_libvirt(void **state)
{
    Host *host = *state;

    host->libvirt = 9000000;
    host_restart(host);
    assert_refused(host, 1, L40S_4Q, NULL, "needs libvirt 9.7");
    assert_starts(host, 2, "<vgpu:device profile='A2-4Q'/>", NULL);
    assert_types(host, 0, 0, 0, 0);
}

/* An existing vGPU is removed, too, if the start fails before it has touched the vGPU. */
static void
test_left_over_with_params(void **state)
{
    Host *host = *state;
    g_autofree char *domain = host_nth_uuid(1);
    g_autofree char *uuid = vgpu_uuid_for_domain(domain, 0);

    assert_int_equal(host_make_device(host, "0000:41:00.4", "nvidia-746", uuid), 0);
    assert_refused(host, 1,
                   "<vgpu:device profile='A2-4Q' debugging='on'/><vgpu:device profile='none'/>",
                   NULL, "profile");
    host_settle(host);
    assert_int_equal(host_count_devices(host), 0);
    assert_int_equal(host_count_records(host), 0);
}

/* An mdev that the user's own <hostdev> names cannot be on a VF. */
static void
test_users_uuid(void **state)
{
    Host *host = *state;
    g_autofree char *uuid = host_nth_uuid(1);
    g_autofree char *plain =
        host_xml("web1", uuid, "<vgpu:device profile='NVIDIA L40S-4Q' uuid='" HOST_WEB1_0 "'/>",
                 0);
    g_auto(GStrv) halves = g_strsplit(plain, "</devices></domain>", 2);
    g_autofree char *xml =
        g_strconcat(halves[0],
                    "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address "
                    "uuid='" HOST_WEB1_0 "'/></source></hostdev></devices></domain>",
                    NULL);
    g_autofree char *refused = host_start(host, xml);

    assert_has(refused, "L40S-4Q");
    assert_false(asked_to_rewrite(host, 1));
    assert_types(host, 0, 0, 0, 0);
}

/* A domain that blocked another one can start again in its old place. */
static void
test_in_the_way(void **state)
{
    Host *host = *state;

    assert_bound(host, 1, L40S_4Q L40S_4Q L40S_4Q, NULL, VF0 " " VF1 " " VF2);
    assert_bound(host, 2, L40S_4Q, NULL, VF3);
    assert_starts(host, 3, L40S_4Q, NULL);
    assert_types(host, TYPE_4Q, 0, 0, 0);
    assert_bound(host, 3, L40S_4Q, NULL, VF0);
    assert_refused(host, 1, L40S_4Q L40S_4Q L40S_4Q, VF0 " " VF1 " " VF2, "by domain 'web3'");
    stop(host, 3);
    host_settle(host);
    assert_bound(host, 3, L40S_4Q, VF0, VF0);
    assert_starts(host, 3, L40S_4Q, VF0);
}

/* A VF that was not available is tried again by the next start that names it. */
static void
test_again(void **state)
{
    Host *host = *state;

    host_open(host, S7150_VF0);
    assert_refused(host, 1, "<vgpu:device profile='vf'/>", S7150_VF0, "being moved");
    host_close(host, S7150_VF0);
    assert_starts(host, 1, "<vgpu:device profile='vf'/>", S7150_VF0);
}

/* If the device that the definition names is unavailable, the start is refused once: then the definition names
 * an available one. */
static void
test_moved_once(void **state)
{
    static const char either[] = "<vgpu:device><vgpu:profile name='NVIDIA L40S-4Q'/>"
                                 "<vgpu:profile name='NVIDIA A2-4Q'/></vgpu:device>";
    static const struct {
        const char *what;
        const char *devices;
        const char *from; /* NULL: mdev */
        const char *to;   /* the same */
        const char *type; /* a foreign type on VF0; NULL: none */
        const char *mdev; /* a foreign mdev, so that no other size fits; NULL: none */
    } cases[] = {
        { "VF to VF", L40S_4Q, VF0, VF1, "1160", NULL },
        { "VF to mdev", either, VF0, NULL, "1152", NULL },
        { "mdev to VF", either, NULL, VF0, NULL, "nvidia-747" },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = NULL;
        g_autofree char *uuid = host_nth_uuid(1), *other = host_nth_uuid(9);
        g_autofree char *mdev = host_xml("web1", uuid, cases[i].devices, 1);
        g_autofree char *old = cases[i].from
                                   ? xml_on("web1", uuid, cases[i].devices, cases[i].from)
                                   : g_strdup(mdev);
        g_autofree char *new =
            cases[i].to ? xml_on("web1", uuid, cases[i].devices, cases[i].to) : g_strdup(mdev);
        g_autofree char *refused = NULL, *bound = NULL, *again = NULL;

        (void) vf_host_setup((void **) &host);
        if (cases[i].type)
            assert_int_equal(host_set_vf_type(host, VF0, cases[i].type), 0);
        if (cases[i].mdev)
            assert_int_equal(host_make_device(host, "0000:41:00.4", cases[i].mdev, other), 0);
        refused = host_start(host, old);
        assert_has(refused, "being moved");
        assert_true(asked_to_rewrite(host, 1));
        host_restart(host); /* it is on record */
        bound = bind_xml(host, old);
        assert_string_equal(bound, cases[i].to ? cases[i].to : "mdev");
        again = host_start(host, new);
        if (again)
            fail_msg("%s: %s", cases[i].what, again);
        assert_false(asked_to_rewrite(host, 1));
    }
}

/* Not the VF that is planned for another of its vGPUs. */
static void
test_moved_beside_its_own(void **state)
{
    Host *host = *state;

    assert_bound(host, 1, L40S_4Q L40S_4Q, NULL, VF0 " " VF1);
    assert_int_equal(host_set_vf_type(host, VF0, "1160"), 0);
    assert_refused(host, 1, L40S_4Q L40S_4Q, VF0 " " VF1, "being moved");
    assert_bound(host, 1, L40S_4Q L40S_4Q, VF0 " " VF1, VF2 " " VF1);
    assert_starts(host, 1, L40S_4Q L40S_4Q, VF2 " " VF1);
}

/* A VF that its driver has refused to one domain is used last for others, until a visible change on it, however long
 * that takes. */
static void
test_refused_until_changed(void **state)
{
    Host *host = *state;

    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    assert_int_equal(host_set_vf_type(host, VF0, "1150"), 0);
    host_open(host, VF0);
    assert_refused(host, 1, L40S_4Q, VF0, "being moved");
    assert_bound(host, 2, L40S_4Q, NULL, VF2);
    assert_bound(host, 2, L40S_4Q, VF0, VF2);
    host_close(host, VF0);
    assert_int_equal(host_set_vf_type(host, VF0, "0"), 0);
    assert_bound(host, 3, L40S_4Q, NULL, VF0);
    assert_starts(host, 3, L40S_4Q, VF0);
}

#define ANY_VF "<vgpu:device profile='vf'/>"

/* web1's plain VF was in use by another process at the start, and no longer is, without any event. */
static void
refuse_plain_vf(Host *host)
{
    host_open(host, S7150_VF0);
    assert_refused(host, 1, ANY_VF, S7150_VF0, "being moved");
    host_close(host, S7150_VF0);
    assert_bound(host, 1, ANY_VF, S7150_VF0, S7150_VF1);
}

/* The GPU has another driver. */
static void
test_refused_until_replaced(void **state)
{
    Host *host = *state;
    g_autofree char *module =
        g_build_filename(host->root, "sys/bus/pci/drivers/gim/module", NULL);
    g_autofree char *version = g_build_filename(module, "version", NULL);

    refuse_plain_vf(host);
    assert_bound(host, 2, ANY_VF, NULL, S7150_VF2);
    assert_int_equal(g_mkdir_with_parents(module, 0755), 0);
    assert_true(g_file_set_contents(version, "2.0\n", -1, NULL));
    vgpu_drivers_rediscover(host->manager->drivers);
    assert_bound(host, 3, ANY_VF, NULL, S7150_VF0);
}

static void
test_refused_until_removed(void **state)
{
    Host *host = *state;

    refuse_plain_vf(host);
    assert_bound(host, 2, ANY_VF, NULL, S7150_VF2);
    assert_bound(host, 3, ANY_VF, NULL, S7150_VF3);
    assert_starts(host, 2, ANY_VF, S7150_VF2);
    stop(host, 2);
    host_settle(host);
    assert_bound(host, 4, ANY_VF, NULL, S7150_VF0);
    assert_starts(host, 4, ANY_VF, S7150_VF0);
}

/* Short-lived domains can cause each VF to be refused to themselves: other domains still have room. */
static void
test_refused_to_one(void **state)
{
    static const char *const vfs[] = { S7150_VF0, S7150_VF1, S7150_VF2, S7150_VF3 };
    Host *host = *state;
    g_autofree char *uuid = host_nth_uuid(2);
    g_autofree char *xml = xml_on("web2", uuid, ANY_VF, NULL);
    g_autofree char *bound = NULL;

    for (guint i = 0; i < 20 * G_N_ELEMENTS(vfs); i++) {
        const char *vf = vfs[i % G_N_ELEMENTS(vfs)];
        g_autofree char *attacker = host_nth_uuid(10 + i);

        host_open(host, vf);
        assert_refused(host, 10 + i, ANY_VF, vf, "open");
        host_close(host, vf);
        vgpu_manager_forget_definition(host->manager, attacker);
    }
    assert_int_equal(vgpu_reservations_count(host->manager->reservations, VGPU_KINDS(REFUSED)),
                     16 * 4);
    bound = bind_xml(host, xml);
    if (!g_str_has_prefix(bound, "0000:c1:02."))
        fail_msg("%s", bound);
    assert_bound(host, 3, ANY_VF, S7150_VF2, S7150_VF2);
    assert_starts(host, 3, ANY_VF, S7150_VF2);
}

/* A refusal by our placement is not one by the driver, and is not noted for the VF. */
static void
test_not_refused_by_driver(void **state)
{
    Host *host = *state;

    assert_starts(host, 1, L40S_4Q, VF0);
    for (guint i = 2; i < 6; i++) {
        g_autofree char *refused = start_on(host, i, L40S_4Q, VF0);

        assert_non_null(refused);
    }
    assert_int_equal(vgpu_reservations_count(host->manager->reservations, VGPU_KINDS(REFUSED)),
                     0);
}

/* A foreign type set in place of ours is left alone. */
static void
test_replaced(void **state)
{
    Host *host = *state;

    assert_starts(host, 1, L40S_4Q, VF0);
    assert_int_equal(host_set_vf_type(host, VF0, "0"), 0);
    assert_int_equal(host_set_vf_type(host, VF0, "1160"), 0);
    stop(host, 1);
    host_settle(host);
    assert_types(host, 1160, 0, 0, 0);
    assert_int_equal(host_count_records(host), 0);
}

/* --- migrate and restore -------------------------------------------------------------------- */

static char *
filter_devices(Host *host, guint n, const char *devices, const char *vfs)
{
    g_autofree char *uuid = host_nth_uuid(n);
    g_autofree char *name = g_strdup_printf("web%u", n);
    g_autofree char *xml = xml_on(name, uuid, devices, vfs);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GError) error = NULL;
    char *out = NULL;

    if (!vgpu_manager_filter(host->manager, domain, false, &out, &error))
        fail_msg("%s", error->message);
    return out;
}

static char *
filter(Host *host, guint n, const char *vfs)
{
    return filter_devices(host, n, L40S_4Q, vfs);
}

static void
test_filter(void **state)
{
    Host *host = *state;
    g_autofree char *same = NULL;
    g_autofree char *other = NULL;

    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    same = filter(host, 1, VF0);
    assert_null(same);
    other = filter(host, 2, VF0); /* from a host where that was its VF */
    assert_has(other, "function=\"0x5\"");
    /* reserved until it arrives, or fails to */
    assert_starts(host, 3, L40S_4Q, NULL);
    assert_types(host, 0, 0, TYPE_4Q, 0);
    assert_starts(host, 2, L40S_4Q, VF1);
    assert_types(host, 0, TYPE_4Q, TYPE_4Q, 0);
}

/* Its second VF is free here, but its first vGPU gets that one. */
static void
test_filter_two(void **state)
{
    Host *host = *state;
    g_autofree char *other = NULL;

    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    other = filter_devices(host, 2, L40S_4Q L40S_4Q, VF0 " " VF1);
    assert_has(other, "function=\"0x5\"");
    assert_has(other, "function=\"0x6\"");
    assert_starts(host, 2, L40S_4Q L40S_4Q, VF1 " " VF2);
    assert_types(host, 0, TYPE_4Q, TYPE_4Q, 0);
}

/* It arrives now, so a VF that is not available now is useless. */
static void
test_filter_taken(void **state)
{
    Host *host = *state;
    g_autofree char *other = NULL;

    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    assert_int_equal(host_set_vf_type(host, VF0, "1160"), 0);
    other = filter(host, 1, VF0);
    assert_has(other, "function=\"0x5\"");
    assert_starts(host, 1, L40S_4Q, VF1);
}

/* A migration that never arrives leaves nothing behind. */
static void
test_filter_lapses(void **state)
{
    Host *host = *state;
    g_autofree char *out = NULL;

    assert_bound(host, 1, L40S_4Q, NULL, VF0);
    host->manager->lapse_ms = 50;
    out = filter(host, 2, VF0);
    assert_has(out, "function=\"0x5\"");
    host_run(host, 200);
    assert_starts(host, 3, L40S_4Q, NULL);
    assert_types(host, 0, TYPE_4Q, 0, 0);
    assert_bound(host, 4, L40S_4Q, NULL, VF2);
}

/* --- host set-up ---------------------------------------------------------------------------- */

static void
test_setup(void **state)
{
    Host *host = *state;
    g_autoptr(GError) used = NULL;
    g_autoptr(GError) twice = NULL;

    assert_starts(host, 1, L40S_4Q, NULL);
    assert_false(vgpu_manager_begin_setup(host->manager, L40S, true, &used));
    assert_has(used->message, "of domain 'web1'");
    assert_true(vgpu_manager_begin_setup(host->manager, L40S, false, NULL));
    assert_false(vgpu_manager_begin_setup(host->manager, L40S, false, &twice));
    assert_refused(host, 2, L40S_4Q, NULL, "being set up");
    /* temporary, so the definition is not moved */
    vgpu_manager_end_setup(host->manager, L40S);
    assert_bound(host, 3, L40S_4Q, NULL, VF1);
    assert_true(vgpu_manager_begin_setup(host->manager, L40S, false, NULL));
    g_string_truncate(host->log, 0);
    assert_refused(host, 3, L40S_4Q, VF1, "being set up");
    assert_false(asked_to_rewrite(host, 3));
    vgpu_manager_end_setup(host->manager, L40S);
    assert_starts(host, 3, L40S_4Q, VF1);
    assert_starts(host, 2, L40S_4Q, NULL);
}

/* The layout applies at boot, before NVML has reported anything. */
static void
test_mixed_by_layout(void **state)
{
    Host *host = *state;
    GHashTable *mixed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const VgpuInventory *inventory;

    g_hash_table_add(mixed, g_strdup(L40S));
    vgpu_manager_take_layout(host->manager, NULL, NULL, mixed, NULL);
    inventory = vgpu_manager_inventory(host->manager);
    assert_true(vgpu_inventory_find(inventory, L40S)->is_mixed);
    assert_false(vgpu_inventory_find(inventory, A100)->is_mixed);
    vgpu_manager_take_facts(host->manager,
                            g_variant_new_parsed("[{'address': <%s>, 'mixed': <false>}]", L40S));
    inventory = vgpu_manager_inventory(host->manager);
    assert_false(vgpu_inventory_find(inventory, L40S)->is_mixed);
}

int
main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, vf_host_setup, vf_host_teardown)
    const struct CMUnitTest tests[] = {
        test(test_bind),
        test(test_undefined),
        cmocka_unit_test(test_defined_meanwhile),
        test(test_gpu_is_away),
        test(test_start_and_stop),
        test(test_late),
        test(test_not_its_own),
        cmocka_unit_test(test_taken),
        test(test_taken_by_another_domain),
        test(test_gone),
        test(test_reused),
        test(test_full),
        test(test_reset_later),
        test(test_restart_in_place),
        test(test_daemon_dies),
        test(test_lost_record),
        test(test_params),
        test(test_params_whole),
        test(test_params_kept),
        test(test_params_refused),
        test(test_full_after_restart),
        test(test_types_of_others),
        test(test_plain_vf),
        test(test_more_vfs_than_room),
        test(test_old_libvirt),
        test(test_left_over_with_params),
        test(test_users_uuid),
        test(test_in_the_way),
        test(test_again),
        cmocka_unit_test(test_moved_once),
        test(test_moved_beside_its_own),
        test(test_refused_until_changed),
        test(test_refused_until_replaced),
        test(test_refused_until_removed),
        test(test_refused_to_one),
        test(test_not_refused_by_driver),
        test(test_replaced),
        test(test_filter),
        test(test_filter_two),
        test(test_filter_taken),
        test(test_filter_lapses),
        test(test_setup),
        test(test_mixed_by_layout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
