/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capacity held for domains that do not run: create="define" on VFs and for MIG-backed vGPUs, and by hand. */
#include "test.h"

#include <string.h>

#include "base/uuid.h"
#include "core/held.h"
#include "core/saved.h"
#include "vf-host.h"

#define DEFINE_4Q "<vgpu:device profile='NVIDIA L40S-4Q' create='define'/>"
#define PLAIN "<vgpu:device profile='vf'/>"
#define DEFINE_PLAIN "<vgpu:device profile='vf' create='define'/>"
#define S7150 "0000:c1:00.0"

static char *
uuid_of(guint n)
{
    g_autofree char *domain = host_nth_uuid(n);

    return vgpu_uuid_for_domain(domain, 0);
}

/* The VF that is held for web@n; "none". */
static void
assert_held(Host *host, guint n, const char *vf)
{
    g_autofree char *uuid = uuid_of(n);
    const VgpuClaim *held = vgpu_held_find(host->manager, uuid);

    if (g_strcmp0(held ? held->parent : "none", vf) != 0)
        fail_msg("%s is held for web%u, not %s", held ? held->parent : "none", n, vf);
}

/* libvirt reports the definition, and it is bound as the guard does it. */
static void
define(Host *host, guint n, const char *name, const char *devices, const char *vfs, bool running)
{
    g_autofree char *uuid = host_nth_uuid(n);
    g_autofree char *xml = xml_on(name, uuid, devices, vfs);
    g_autofree char *bound = NULL;

    vgpu_manager_take_definition(host->manager, host_domain(xml), running);
    bound = bind_xml(host, xml);
}

static void
undefine(Host *host, guint n)
{
    g_autofree char *uuid = host_nth_uuid(n);

    vgpu_manager_forget_definition(host->manager, uuid);
}

static guint
available(Host *host, const char *address, const char *profile)
{
    const VgpuGpu *gpu = vgpu_inventory_find(vgpu_manager_inventory(host->manager), address);
    g_autoptr(VgpuReading) reading = vgpu_manager_read(host->manager);

    return vgpu_reading_available(reading, gpu, vgpu_gpu_find_profile(gpu, profile));
}

/* "STATE PARENT" of the one row of web@n. */
static void
assert_row(Host *host, guint n, const char *wanted)
{
    g_autoptr(GPtrArray) rows = vgpu_manager_list(host->manager, true);
    g_autofree char *uuid = uuid_of(n);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < rows->len; i++) {
        const VgpuRow *row = g_ptr_array_index(rows, i);

        if (g_strcmp0(row->uuid, uuid) == 0)
            g_string_append_printf(text, "%s%s %s", text->len ? "; " : "", row->state,
                                   row->parent);
    }
    if (!g_str_equal(text->str, wanted))
        fail_msg("web%u: '%s', not '%s'", n, text->str, wanted);
}

/* --- from the definition on ----------------------------------------------------------------- */

/* On each interface without a device that could be kept. */
static void
test_held_at_definition(void **state)
{
    Host *host = *state;

    define(host, 1, "web1", DEFINE_4Q, NULL, false);
    assert_held(host, 1, VF0);
    assert_row(host, 1, "planned " VF0);
    define(host, 2, "web2", DEFINE_PLAIN, NULL, false);
    assert_held(host, 2, S7150_VF0);
    assert_int_equal(available(host, S7150, "vf"), 3);
    /* doing it twice changes nothing */
    define(host, 1, "web1", DEFINE_4Q, VF0, false);
    assert_held(host, 1, VF0);
    /* others go elsewhere, and one that names it is refused */
    assert_bound(host, 3, PLAIN, NULL, S7150_VF1);
    assert_refused(host, 4, PLAIN, S7150_VF0, "is being rewritten");
    assert_bound(host, 4, PLAIN, S7150_VF0, S7150_VF2);
    /* nothing was made for it */
    assert_types(host, 0, 0, 0, 0);
    assert_int_equal(host_count_records(host), 0);
}

/* While a domain is off, no other domain gets its room; refusals name the domain for which it is held. */
static void
test_refused_to_others(void **state)
{
    Host *host = *state;
    g_autofree char *why = NULL;

    for (guint n = 1; n <= 4; n++) {
        g_autofree char *name = g_strdup_printf("web%u", n);

        define(host, n, name, DEFINE_PLAIN, NULL, false);
    }
    assert_held(host, 4, S7150_VF3);
    assert_int_equal(available(host, S7150, "vf"), 0);
    assert_refused(host, 5, PLAIN, NULL,
                   "4 of 4 are in use or held; " S7150_VF0 ": it is held for domain 'web1'");
    assert_bound(host, 6, DEFINE_PLAIN, NULL, "cannot reserve room (create='define')");
    assert_held(host, 6, "none");
    /* a restart of the daemon, or of the host, and another domain that starts first */
    host_restart(host);
    assert_held(host, 4, S7150_VF3);
    assert_refused(host, 5, PLAIN, NULL, "no GPU has room");
    assert_starts(host, 4, DEFINE_PLAIN, S7150_VF3);
    assert_row(host, 4, "active " S7150_VF3);
}

/* The refusal names the domain if only its VFs are left. */
static void
test_says_for_whom(void **state)
{
    Host *host = *state;
    g_autofree char *uuid = host_nth_uuid(9);
    g_autofree char *xml = xml_on("web9", uuid, L40S_4Q, NULL);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GPtrArray) forecasts = NULL;

    define(host, 1, "web1", DEFINE_4Q, NULL, false);
    assert_starts(host, 2, L40S_4Q, VF1);
    assert_starts(host, 3, L40S_4Q, VF2);
    define(host, 4, "web4", DEFINE_4Q, NULL, false);
    assert_held(host, 4, VF3);
    forecasts = vgpu_manager_explain(host->manager, domain);
    assert_has(((const VgpuForecast *) g_ptr_array_index(forecasts, 0))->refusal,
               VF0 ": it is held for domain 'web1'");
    /* and of its own domain, that it has it */
    g_clear_pointer(&forecasts, g_ptr_array_unref);
    vgpu_domain_free(g_steal_pointer(&domain));
    g_free(g_steal_pointer(&uuid));
    g_free(g_steal_pointer(&xml));
    uuid = host_nth_uuid(1);
    xml = xml_on("web1", uuid, DEFINE_4Q, VF0);
    domain = host_domain(xml);
    forecasts = vgpu_manager_explain(host->manager, domain);
    assert_has(((const VgpuForecast *) g_ptr_array_index(forecasts, 0))->note,
               "room for NVIDIA L40S-4Q on " VF0 " is held for it");
}

#define DEFINE_MIG "<vgpu:device profile='GRID A100-1-5C' create='define'/>"
#define MIG "<vgpu:device profile='GRID A100-1-5C'/>"

/* A MIG-backed type on each VF of the A100, and @instances GPU instances for it. */
static void
divide(Host *host, guint instances)
{
    static const struct {
        const char *file, *text;
    } files[] = {
        { "name", "GRID A100-1-5C\n" },
        { "available_instances", "1\n" },
        { "device_api", "vfio-pci\n" },
        { "description",
          "num_heads=1, frl_config=60, framebuffer=5120M, max_resolution=4096x2160, "
          "max_instance=7\n" },
    };
    const VgpuGpu *gpu = vgpu_inventory_find(vgpu_manager_inventory(host->manager), A100);
    g_autoptr(GString) gis = g_string_new(NULL);
    g_autofree char *facts = NULL;

    for (guint i = 0; i < gpu->vfs->len; i++) {
        g_autofree char *dir =
            g_build_filename(host->root, "sys/bus/pci/devices", gpu->vfs->pdata[i],
                             "mdev_supported_types/nvidia-474", NULL);

        assert_int_equal(g_mkdir_with_parents(dir, 0755), 0);
        for (gsize j = 0; j < G_N_ELEMENTS(files); j++) {
            g_autofree char *path = g_build_filename(dir, files[j].file, NULL);

            assert_true(g_file_set_contents(path, files[j].text, -1, NULL));
        }
    }
    for (guint i = 0; i < instances; i++)
        g_string_append_printf(
            gis, "%s{'gi': <uint32 %u>, 'profile_id': <uint32 19>, 'profile': <'1g.5gb'>}",
            i ? ", " : "", i + 1);
    facts =
        g_strdup_printf("[{'address': <'" A100
                        "'>, 'mig': <true>, 'gpu_instances': <@aa{sv} [%s]>, "
                        "'types': <@aa{sv} [{'id': <'nvidia-474'>, 'gi_profile': <uint32 19>, "
                        "'max_per_gi': <uint32 1>, 'max_instances': <uint32 7>}]>}]",
                        gis->str);
    vgpu_manager_take_facts(host->manager, g_variant_new_parsed(facts));
}

/* For a MIG-backed vGPU the GPU instance is held. */
static void
test_mig(void **state)
{
    Host *host = *state;
    const char *profile = "nvidia-474";
    g_autofree char *domain = host_nth_uuid(1), *vgpu = uuid_of(1);
    VgpuOwner *run;

    divide(host, 2);
    assert_int_equal(available(host, A100, profile), 2);
    define(host, 1, "web1", DEFINE_MIG, NULL, false);
    assert_held(host, 1, "0000:a1:00.4");
    assert_bound(host, 1, DEFINE_MIG, NULL, "mdev");
    assert_int_equal(available(host, A100, profile), 1);
    /* while it is being made for a run, and its GPU shows nothing yet, it is one all the same */
    run = vgpu_records_need(host->manager, domain, domain, "web1");
    vgpu_reservations_add(host->manager->reservations, run,
                          vgpu_claim_copy_place(vgpu_held_find(host->manager, vgpu)));
    assert_int_equal(available(host, A100, profile), 1);
    vgpu_reservations_drop_owner(host->manager->reservations, run);
    assert_bound(host, 2, MIG, NULL, "mdev"); /* holds nothing */
    assert_int_equal(available(host, A100, profile), 1);
    define(host, 3, "web3", DEFINE_MIG, NULL, false);
    assert_held(host, 3, "0000:a1:00.5");
    assert_int_equal(available(host, A100, profile), 0);
    assert_bound(host, 4, DEFINE_MIG, NULL, "cannot reserve room (create='define')");
    assert_refused(host, 2, MIG, NULL, "no free GPU instance of the right size");
    undefine(host, 3);
    assert_int_equal(available(host, A100, profile), 1);
    define(host, 4, "web4", DEFINE_MIG, NULL, false);
    assert_held(host, 4, "0000:a1:00.5");
}

/* --- a run ---------------------------------------------------------------------------------- */

/* Room and run are one vGPU: before, during and after. */
static void
test_run(void **state)
{
    Host *host = *state;

    define(host, 1, "web1", DEFINE_4Q, NULL, false);
    define(host, 2, "web2", DEFINE_PLAIN, NULL, false);
    assert_starts(host, 1, DEFINE_4Q, VF0);
    assert_starts(host, 2, DEFINE_PLAIN, S7150_VF0);
    assert_types(host, TYPE_4Q, 0, 0, 0);
    assert_row(host, 1, "active " VF0);
    assert_int_equal(available(host, S7150, "vf"), 3);
    stop(host, 1);
    stop(host, 2);
    host_settle(host);
    assert_types(host, 0, 0, 0, 0); /* the device goes, its room stays */
    assert_held(host, 1, VF0);
    assert_row(host, 1, "planned " VF0);
    assert_int_equal(available(host, S7150, "vf"), 3);
    assert_refused(host, 3, L40S_4Q, VF0, "is being rewritten");
    assert_starts(host, 1, DEFINE_4Q, VF0);
}

/* It starts where its room is, also before its definition names it; a transient domain has none. */
static void
test_late_and_transient(void **state)
{
    Host *host = *state;

    define(host, 1, "web1", DEFINE_4Q, NULL, false);
    assert_starts(host, 2, L40S_4Q, VF1);
    assert_starts(host, 1, DEFINE_4Q, NULL);
    assert_row(host, 1, "attaching " VF0);
    assert_refused(host, 3, DEFINE_4Q, NULL, "a transient domain cannot have one");
}

/* The daemon dies while the domain runs, or during its start. */
static void
test_restart_under_it(void **state)
{
    Host *host = *state;
    g_autoptr(GPtrArray) facts = host_facts();
    g_autofree char *uuid = host_nth_uuid(1);
    g_autofree char *xml = xml_on("web1", uuid, DEFINE_4Q, VF0);
    g_autofree char *done = NULL;

    define(host, 1, "web1", DEFINE_4Q, NULL, false);
    assert_starts(host, 1, DEFINE_4Q, VF0);
    host_restart(host);
    assert_held(host, 1, VF0);
    assert_row(host, 1, "active " VF0);
    host_fact(facts, xml, -1); /* it has stopped meanwhile */
    done = host_reconcile(host, facts, false);
    host_settle(host);
    assert_types(host, 0, 0, 0, 0);
    assert_held(host, 1, VF0);
}

/* --- the end of a domain --------------------------------------------------------------------- */

static void
test_released(void **state)
{
    Host *host = *state;
    g_autoptr(GPtrArray) nobody = host_facts();
    g_autofree char *done = NULL, *why = NULL;

    define(host, 1, "web1", DEFINE_4Q, NULL, false);
    define(host, 1, "web1-new", DEFINE_4Q, VF0, false); /* a rename is no end */
    assert_held(host, 1, VF0);
    why = vgpu_saved_refuses(host->manager, VF0, NULL);
    assert_string_equal(why, "it is held for domain 'web1-new'");
    undefine(host, 1);
    assert_held(host, 1, "none");
    assert_starts(host, 2, L40S_4Q, VF0);
    stop(host, 2);
    host_settle(host);
    /* of a running domain, after its stop */
    define(host, 3, "web3", DEFINE_4Q, NULL, false);
    assert_starts(host, 3, DEFINE_4Q, VF0);
    undefine(host, 3);
    assert_held(host, 3, VF0);
    stop(host, 3);
    host_settle(host);
    undefine(host, 3);
    assert_held(host, 3, "none");
    /* while the daemon is down */
    define(host, 4, "web4", DEFINE_4Q, NULL, false);
    host_restart(host);
    assert_held(host, 4, VF0);
    done = host_reconcile(host, nobody, false);
    assert_held(host, 4, "none");
    host_restart(host);
    assert_held(host, 4, "none");
}

/* One that is defined while libvirt's domains are listed is not on the list. */
static void
test_defined_meanwhile(void **state)
{
    Host *host = *state;
    g_autoptr(GPtrArray) nobody = host_facts(), plan = NULL;
    g_autoptr(GHashTable) noted = vgpu_manager_note(host->manager);

    define(host, 1, "web1", DEFINE_4Q, NULL, false);
    plan = vgpu_manager_reconcile(host->manager, noted, nobody, false);
    assert_held(host, 1, VF0);
}

/* The annotation changes while it is off, or runs. */
static void
test_changed(void **state)
{
    Host *host = *state;
    static const char other[] = "<vgpu:device profile='NVIDIA L40S-8Q' create='define'/>";

    define(host, 1, "web1", L40S_4Q, NULL, false);
    assert_held(host, 1, "none");
    define(host, 2, "web2", L40S_4Q, NULL, false);
    define(host, 2, "web2", DEFINE_4Q, VF1, false); /* which it was to have */
    assert_held(host, 2, VF1);
    define(host, 2, "web2", L40S_4Q, VF1, false);
    assert_held(host, 2, "none");
    define(host, 2, "web2", DEFINE_4Q, VF1, false);
    define(host, 2, "web2", other, VF1, false); /* of another size */
    assert_held(host, 2, VF1);
    assert_starts(host, 2, other, VF1);
    define(host, 2, "web2", L40S_4Q, VF1, true);
    assert_held(host, 2, VF1);
    stop(host, 2);
    host_settle(host);
    define(host, 2, "web2", L40S_4Q, VF1, false);
    assert_held(host, 2, "none");
    /* asked for while it runs: where it has it */
    assert_starts(host, 3, L40S_4Q, VF2);
    define(host, 3, "web3", DEFINE_4Q, VF2, true);
    assert_held(host, 3, VF2);
}

/* The held VF or GPU is gone: the start says so, and the domain is given other room. */
static void
test_gone(void **state)
{
    Host *host = *state;
    GHashTable *kept =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_array_unref);
    GArray *first = g_array_new(FALSE, FALSE, sizeof(guint));
    guint one = 1;

    define(host, 1, "web1", DEFINE_PLAIN, NULL, false);
    g_array_append_val(first, one);
    g_hash_table_insert(kept, g_strdup(S7150), first);
    vgpu_manager_take_layout(host->manager, NULL, NULL, NULL, kept);
    assert_refused(host, 1, DEFINE_PLAIN, S7150_VF0,
                   "held for it on " S7150_VF0 " is not available (VF 1 is kept for the host");
    assert_true(asked_to_rewrite(host, 1));
    define(host, 1, "web1", DEFINE_PLAIN, S7150_VF0, false);
    assert_held(host, 1, S7150_VF1);
    /* where there is no other room it stays where it was, for a GPU that comes back */
    for (guint n = 2; n <= 3; n++)
        assert_starts(host, n, PLAIN, NULL);
    kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_array_unref);
    first = g_array_new(FALSE, FALSE, sizeof(guint));
    one = 2;
    g_array_append_val(first, one);
    g_hash_table_insert(kept, g_strdup(S7150), first);
    vgpu_manager_take_layout(host->manager, NULL, NULL, NULL, kept);
    define(host, 1, "web1", DEFINE_PLAIN, S7150_VF1, false);
    assert_held(host, 1, S7150_VF1);
}

/* --- by hand --------------------------------------------------------------------------------- */

static void
on_done(const GError *error, gpointer opaque)
{
    *(char **) opaque = g_strdup(error ? error->message : "done");
}

static char *
keep(Host *host, const char *gpu, const char *profile, const char *uuid)
{
    const char *profiles[] = { profile, NULL };
    const VgpuWant want = { .profiles = (char **) profiles,
                            .gpu = (char *) gpu,
                            .uuid = (char *) uuid,
                            .create_at_define = true };
    g_auto(VgpuKeep) made = { 0 };
    g_autoptr(GError) error = NULL;

    if (!vgpu_manager_keep(host->manager, NULL, NULL, &want, &made, &error))
        return g_strdup(error->message);
    return g_strdup_printf("%s%s", made.parent, made.defined ? "" : " to be defined");
}

static void
test_by_hand(void **state)
{
    static const struct {
        const char *what, *gpu, *profile, *kept;
    } cases[] = {
        { "a plain VF", S7150, "vf", S7150_VF0 },
        { "vendor-specific VFIO", L40S, "L40S-4Q", VF0 },
        { "a mediated device is one for libvirt", A100, "A100-4C", "0000:a1:00.4 to be defined" },
        { "no such profile", L40S, "L40S-5Q", "0000:61:00.0 does not have the profile" },
    };
    Host *host = *state;
    g_autofree char *domains = host_nth_uuid(1);

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *uuid = host_nth_uuid(100 + i);
        g_autofree char *kept = keep(host, cases[i].gpu, cases[i].profile, uuid);
        bool persistent = false;

        if (!g_str_has_prefix(kept, cases[i].kept))
            fail_msg("%s: %s", cases[i].what, kept);
        if (i < 2) {
            g_autofree char *twice = keep(host, cases[i].gpu, cases[i].profile, uuid);
            g_autofree char *gone = NULL;

            assert_string_equal(twice, kept);
            host_restart(host);
            assert_non_null(vgpu_held_find(host->manager, uuid));
            vgpu_manager_destroy(host->manager, uuid, &persistent, on_done, &gone);
            assert_string_equal(gone, "done");
            assert_false(persistent);
            assert_null(vgpu_held_find(host->manager, uuid));
        }
    }
    /* a domain's is not destroyed by hand */
    define(host, 1, "web1", DEFINE_PLAIN, NULL, false);
    {
        g_autofree char *uuid = uuid_of(1);
        g_autofree char *text = NULL;
        bool persistent = false;

        vgpu_manager_destroy(host->manager, uuid, &persistent, on_done, &text);
        assert_has(text, "belongs to domain 'web1'");
    }
    assert_held(host, 1, S7150_VF0);
}

int
main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, vf_host_setup, vf_host_teardown)
    const struct CMUnitTest tests[] = {
        test(test_held_at_definition),
        test(test_refused_to_others),
        test(test_says_for_whom),
        test(test_mig),
        test(test_run),
        test(test_late_and_transient),
        test(test_restart_under_it),
        test(test_released),
        test(test_defined_meanwhile),
        test(test_changed),
        test(test_gone),
        test(test_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
