/* vGPUs on virtual functions, whose addresses are in the domain's XML: which VF a definition gets, and
 * what its start does with it. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "base/uuid.h"
#include "manager-host.h"

#define L40S "0000:61:00.0"
#define VF0 "0000:61:00.4"
#define VF1 "0000:61:00.5"
#define VF2 "0000:61:00.6"
#define VF3 "0000:61:00.7"
#define S7150_VF0 "0000:c1:02.0"
#define S7150_VF1 "0000:c1:02.1"
#define S7150_VF2 "0000:c1:02.2"
#define S7150_VF3 "0000:c1:02.3"
#define A100 "0000:a1:00.0"

#define L40S_4Q "<vgpu:device profile='NVIDIA L40S-4Q'/>"
#define TYPE_4Q 1150

static int
setup(void **state)
{
    static const char *const boards[] = { "l40s", "a100", "s7150", NULL };
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

static void
assert_has(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("'%s' is not in '%s'", part, text ? text : "(none)");
}

/* A domain whose definition names these VFs, a blank between two; NULL: none. */
static char *
xml_on(const char *name, const char *uuid, const char *devices, const char *vfs)
{
    g_autofree char *plain = host_xml(name, uuid, devices, 0);
    g_auto(GStrv) words = g_strsplit(vfs ? vfs : "", " ", -1);
    g_autoptr(GString) hostdevs = g_string_new(NULL);
    g_auto(GStrv) halves = g_strsplit(plain, "</devices></domain>", 2);

    for (guint i = 0; vfs && words[i]; i++) {
        guint domain, bus, slot, function;

        assert_int_equal(sscanf(words[i], "%x:%x:%x.%x", &domain, &bus, &slot, &function), 4);
        g_string_append_printf(
            hostdevs,
            "<hostdev mode='subsystem' type='pci' managed='%s'><source><address domain='0x%04x' "
            "bus='0x%02x' slot='0x%02x' function='0x%x'/></source><alias name='ua-vgpu-%u'/>"
            "</hostdev>",
            bus == 0xc1 ? "yes" : "no", domain, bus, slot, function, i);
    }
    return g_strconcat(halves[0], hostdevs->str, "</devices></domain>", NULL);
}

/* "VF VF …" that the definition is to name, "mdev" for a vGPU that is one, or the refusal. */
static char *
bind_xml(Host *host, const char *xml)
{
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GError) error = NULL;
    GString *text = g_string_new(NULL);

    if (!vgpu_manager_bind(host->manager, domain, &error)) {
        g_string_append(text, error->message);
        return g_string_free(text, FALSE);
    }
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);

        g_string_append_printf(text, "%s%s", i ? " " : "",
                               want->vf ? want->vf : vgpu_interface_to_string(want->interface));
    }
    return g_string_free(text, FALSE);
}

static void
assert_bound(Host *host, guint n, const char *devices, const char *present, const char *wanted)
{
    g_autofree char *uuid = host_nth_uuid(n);
    g_autofree char *name = g_strdup_printf("web%u", n);
    g_autofree char *xml = xml_on(name, uuid, devices, present);
    g_autofree char *bound = bind_xml(host, xml);

    if (!strstr(bound, wanted) || (wanted[0] == '0' && strcmp(bound, wanted) != 0))
        fail_msg("%s: bound to '%s', not '%s'", name, bound, wanted);
}

static char *
start_on(Host *host, guint n, const char *devices, const char *vfs)
{
    g_autofree char *uuid = host_nth_uuid(n);
    g_autofree char *name = g_strdup_printf("web%u", n);
    g_autofree char *xml = xml_on(name, uuid, devices, vfs);

    return host_start(host, xml);
}

static void
assert_starts(Host *host, guint n, const char *devices, const char *vfs)
{
    g_autofree char *refused = start_on(host, n, devices, vfs);

    if (refused)
        fail_msg("web%u: %s", n, refused);
}

static void
assert_refused(Host *host, guint n, const char *devices, const char *vfs, const char *why)
{
    g_autofree char *refused = start_on(host, n, devices, vfs);

    assert_has(refused, why);
}

static void
stop(Host *host, guint n)
{
    g_autofree char *uuid = host_nth_uuid(n);

    host_release(host, uuid);
}

static void
assert_types(const Host *host, int type0, int type1, int type2, int type3)
{
    assert_int_equal(host_vf_type(host, VF0), type0);
    assert_int_equal(host_vf_type(host, VF1), type1);
    assert_int_equal(host_vf_type(host, VF2), type2);
    assert_int_equal(host_vf_type(host, VF3), type3);
}

static bool
asked_to_rewrite(Host *host, guint n)
{
    g_autofree char *uuid = host_nth_uuid(n);
    g_autofree char *line = g_strdup_printf("rewrite %s", uuid);
    bool asked = strstr(host->log->str, line) != NULL;

    g_string_truncate(host->log, 0);
    return asked;
}

/* --- what a definition gets ----------------------------------------------------------------- */

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
    /* all four are somebody's plan: which one it gets is not so important as that it gets one */
    assert_bound(host, 6, L40S_4Q, NULL, VF0);
    /* a definition from elsewhere that names what nobody is to have */
    done = host_reconcile(host, nobody, false);
    assert_bound(host, 7, L40S_4Q, VF2, VF2);
    /* and one that names what somebody else is to have */
    assert_bound(host, 8, L40S_4Q, VF2, VF0);
    /* wanted no more, it is free for others */
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
        { "before that only: it has gone", true, false, false },
        { "meanwhile", false, true, true },
        { "before, and again meanwhile", true, true, true },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = NULL;
        g_autoptr(GPtrArray) nobody = host_facts(), plan = NULL;
        g_autoptr(GHashTable) noted = NULL;
        g_autofree char *uuid = host_nth_uuid(1), *of_vgpu = vgpu_uuid_for_domain(uuid, 0);

        (void) setup((void **) &host);
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

static void
test_create_at_define(void **state)
{
    assert_bound(*state, 1, "<vgpu:device profile='NVIDIA L40S-4Q' create='define'/>", NULL,
                 "is for mediated devices");
}

/* While no GPU has the profile, what the definition has already stays. */
static void
test_gpu_is_away(void **state)
{
    assert_bound(*state, 1, "<vgpu:device profile='NVIDIA L40S-5Q'/>", VF1, VF1);
}

/* --- what a start does ---------------------------------------------------------------------- */

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
    assert_refused(host, 2, L40S_4Q, VF0, "is being rewritten, start again");
    assert_true(asked_to_rewrite(host, 2));
    assert_refused(host, 2, "", VF1, "is being rewritten, start again");
    assert_types(host, 0, 0, 0, 0);
    /* a transient domain may name one that is nobody's */
    assert_starts(host, 3, L40S_4Q, VF1);
}

static void
test_taken(void **state)
{
    static const struct {
        const char *what;
        const char *type; /* that somebody else has set */
        bool open;
        bool is_moved; /* else there is nowhere to move to */
        const char *why;
    } cases[] = {
        { "of another size: the whole GPU has it now", "1152", false, false, "another size" },
        { "of another profile of that size", "1160", false, true,
          "(VF " VF0
          " carries nvidia-1160, set by somebody else); the definition is being moved" },
        { "of the same profile, and in use", "1150", true, true, "being moved" },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = NULL;

        (void) setup((void **) &host);
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
    assert_types(host, TYPE_4Q, 0, 0, 0); /* who set it may reset it */
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

/* QEMU may close the device only after libvirt has told of its end, and a reset may take several. */
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

/* What the driver keeps instead, or whether it can be read at all; of a VF and of an mdev. */
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

/* --- other families, and hosts with several ------------------------------------------------- */

/* Domain @n has the VF, as the inventory tells; 0: nobody has it. */
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

/* What exists already goes, too, when the start fails before anything was done to it. */
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

/* An mdev that the user's own <hostdev> names is not to be had on a VF. */
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

/* A domain that was in another's way may start again where it was. */
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

/* What could not be had is tried again by whoever names it. */
static void
test_again(void **state)
{
    Host *host = *state;

    host_open(host, S7150_VF0);
    assert_refused(host, 1, "<vgpu:device profile='vf'/>", S7150_VF0, "being moved");
    host_close(host, S7150_VF0);
    assert_starts(host, 1, "<vgpu:device profile='vf'/>", S7150_VF0);
}

/* A start that cannot be had where the definition says, whatever device that is, is refused once: then the
 * definition says where it can be had. */
static void
test_moved_once(void **state)
{
    static const char either[] = "<vgpu:device><vgpu:profile name='NVIDIA L40S-4Q'/>"
                                 "<vgpu:profile name='NVIDIA A2-4Q'/></vgpu:device>";
    static const struct {
        const char *what;
        const char *devices;
        const char *from; /* NULL: mdev */
        const char *to;   /* likewise */
        const char *type; /* that somebody else has set on VF0; NULL: none */
        const char
            *mdev; /* that somebody else has made, so that no other size fits; NULL: none */
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

        (void) setup((void **) &host);
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

/* Not the one that another of its vGPUs is to have. */
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

/* What its driver has refused is not for others before something has changed there that can be seen, however
 * long that takes. */
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

/* Web1's plain VF was in use by another process when it was started, and is not any more, which nothing tells. */
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
    assert_bound(host, 3, ANY_VF, S7150_VF0, S7150_VF3);
    assert_starts(host, 2, ANY_VF, S7150_VF2);
    stop(host, 2);
    host_settle(host);
    assert_bound(host, 4, ANY_VF, NULL, S7150_VF0);
    assert_starts(host, 4, ANY_VF, S7150_VF0);
}

/* A type that somebody has set in place of ours is his. */
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
filter(Host *host, guint n, const char *vfs)
{
    g_autofree char *uuid = host_nth_uuid(n);
    g_autofree char *name = g_strdup_printf("web%u", n);
    g_autofree char *xml = xml_on(name, uuid, L40S_4Q, vfs);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GError) error = NULL;
    char *out = NULL;

    if (!vgpu_manager_filter(host->manager, domain, &out, &error))
        fail_msg("%s", error->message);
    return out;
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
    /* kept for it, until it comes or does not */
    assert_starts(host, 3, L40S_4Q, NULL);
    assert_types(host, 0, 0, TYPE_4Q, 0);
    assert_starts(host, 2, L40S_4Q, VF1);
    assert_types(host, 0, TYPE_4Q, TYPE_4Q, 0);
}

/* It comes now, so a VF that it cannot have now is of no use. */
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

/* One that does not come leaves nothing behind. */
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
    /* it is over in a moment: no reason to move a definition */
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

/* The layout says so at boot, before NVML has said anything. */
static void
test_mixed_by_layout(void **state)
{
    Host *host = *state;
    GHashTable *mixed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const VgpuInventory *inventory;

    g_hash_table_add(mixed, g_strdup(L40S));
    vgpu_manager_take_layout(host->manager, NULL, NULL, mixed);
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
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(test_bind),
        test(test_undefined),
        cmocka_unit_test(test_defined_meanwhile),
        test(test_create_at_define),
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
        test(test_params_kept),
        test(test_params_refused),
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
        test(test_replaced),
        test(test_filter),
        test(test_filter_taken),
        test(test_filter_lapses),
        test(test_setup),
        test(test_mixed_by_layout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
