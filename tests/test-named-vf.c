/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpu= and create with the address of a virtual function, with the daemon's core and the fake driver: the vGPU is on
 * that VF, or refused with a reason; and the refusals of vGPUs created by hand. */
#include "test.h"

#include <string.h>

#include "base/uuid.h"
#include "manager-host.h"

#define A2 "0000:41:00.0"
#define A2_VF2 "0000:41:00.6"
#define M10 "0000:84:00.0"
#define L40S "0000:61:00.0"
#define VF0 "0000:61:00.4"
#define VF1 "0000:61:00.5"
#define VF2 "0000:61:00.6"
#define TYPE_4Q "1150"
#define BY_HAND "12345678-1234-4234-8234-123456789abc"
#define ON(profile, gpu) "<vgpu:device profile='" profile "' gpu='" gpu "'/>"

static int
setup(void **state)
{
    static const char *const boards[] = { "l40s", NULL };
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

/* --- by hand -------------------------------------------------------------------------------- */

typedef struct {
    bool done;
    char *why;
} Answer;

static void
on_done(const GError *error, gpointer opaque)
{
    Answer *self = opaque;

    self->done = true;
    self->why = error ? g_strdup(error->message) : NULL;
}

/* Returns NULL if it is created. */
static char *
create(Host *host, const char *address, const char *profile)
{
    Answer answer = { 0 };

    vgpu_manager_create(host->manager, address, profile, BY_HAND, on_done, &answer);
    while (!answer.done)
        g_main_context_iteration(host->context, TRUE);
    host_settle(host);
    return answer.why;
}

static char *
keep(Host *host, guint nth, const char *address, const char *profile)
{
    const char *profiles[] = { profile, NULL };
    g_autofree char *uuid = host_nth_uuid(nth);
    const VgpuWant want = {
        .profiles = (char **) profiles,
        .gpu = (char *) address,
        .uuid = uuid,
        .create_at_define = true,
    };
    g_auto(VgpuKeep) kept = { 0 };
    g_autoptr(GError) error = NULL;

    return vgpu_manager_keep(host->manager, NULL, NULL, &want, &kept, &error)
               ? g_strdup_printf("on %s", kept.parent)
               : g_strdup(error->message);
}

static void
test_create(void **state)
{
    static const struct {
        const char *what;
        const char *address;
        const char *profile;
        const char *parent; /* NULL: it cannot be made */
        const char *why;
    } cases[] = {
        { "a VF of a GPU with mdevs", A2_VF2, "A2-4Q", A2_VF2, NULL },
        { "of NVIDIA's vendor-specific VFIO", VF1, "L40S-4Q", VF1, NULL },
        { "the GPU: any of them", L40S, "L40S-4Q", VF0, NULL },
        { "one with a foreign type", VF2, "L40S-4Q", NULL,
          VF2 " cannot take a vGPU 'L40S-4Q': " VF2
              " carries NVIDIA L40S-4Q, which virt-vgpu did not set" },
        { "a GPU without the profile", M10, "A2-4Q", NULL,
          M10 " does not have the profile 'A2-4Q'; " A2 " has it" },
        { "a VF without it", VF0, "A2-4Q", NULL,
          VF0 " does not have the profile 'A2-4Q'; " A2 " has it" },
        { "no GPU", "0000:99:00.0", "A2-4Q", NULL, "there is no GPU 0000:99:00.0" },
    };
    Host *host = *state;

    assert_int_equal(host_set_vf_type(host, VF2, TYPE_4Q), 0);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *why = NULL;
        const VgpuOwner *owner;
        bool persistent;
        Answer gone = { 0 };

        g_string_truncate(host->log, 0);
        why = create(host, cases[i].address, cases[i].profile);
        owner = vgpu_records_find(host->manager, BY_HAND);
        if (!cases[i].parent) {
            if (!why || owner)
                fail_msg("%s: it is made", cases[i].what);
            assert_has(why, cases[i].why);
            assert_has(host->log->str, "create-refused " BY_HAND " "); /* there is no domain */
            continue;
        }
        if (why || strcmp(((VgpuClaim *) g_ptr_array_index(owner->claims, 0))->parent,
                          cases[i].parent) != 0)
            fail_msg("%s: %s", cases[i].what, why ? why : "it is elsewhere");
        vgpu_manager_destroy(host->manager, BY_HAND, &persistent, on_done, &gone);
        while (!gone.done)
            g_main_context_iteration(host->context, TRUE);
        assert_null(gone.why);
        host_settle(host);
    }
}

static void
test_create_persistent(void **state)
{
    Host *host = *state;
    g_autofree char *vf = keep(host, 101, VF1, "L40S-4Q");
    g_autofree char *gpu = keep(host, 102, L40S, "L40S-4Q");
    g_autofree char *mdev = keep(host, 103, A2_VF2, "A2-4Q");

    assert_string_equal(vf, "on " VF1);
    assert_has(gpu, "on 0000:61:00.");
    assert_string_equal(mdev, "on " A2_VF2);
}

static void
test_held_by_hand(void **state)
{
    Host *host = *state;
    g_autofree char *vf = keep(host, 101, VF1, "L40S-4Q");
    g_autofree char *again = keep(host, 102, VF1, "L40S-4Q");

    assert_string_equal(vf, "on " VF1);
    assert_has(again, VF1 ": it is held for a vGPU that was made by hand");
}

/* --- gpu= ----------------------------------------------------------------------------------- */

/* The VF that the definition of that domain has to name, "mdev", or the reason why it does not change. */
static char *
bound(Host *host, guint n, const char *device)
{
    g_autofree char *uuid = host_nth_uuid(n);
    g_autofree char *name = g_strdup_printf("web%u", n);
    g_autofree char *xml = host_xml(name, uuid, device, 0);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GError) error = NULL;
    const VgpuWant *want;

    if (!vgpu_manager_bind(host->manager, domain, &error))
        return g_strdup(error->message);
    want = g_ptr_array_index(domain->wants, 0);
    return g_strdup(want->vf ? want->vf : vgpu_interface_to_string(want->interface));
}

/* Start by the annotation, before the definition follows; returns "on PARENT", or the refusal. */
static char *
started(Host *host, guint n, const char *device)
{
    g_autofree char *uuid = host_nth_uuid(n);
    g_autofree char *name = g_strdup_printf("web%u", n);
    g_autofree char *xml = host_xml(name, uuid, device, 0);
    char *refused = host_start(host, xml);
    const VgpuOwner *owner = vgpu_records_find(host->manager, uuid);

    if (refused)
        return refused;
    return g_strdup_printf("on %s", ((VgpuClaim *) g_ptr_array_index(owner->claims, 0))->parent);
}

static void
test_bind(void **state)
{
    static const struct {
        const char *device;
        const char *wanted;
    } cases[] = {
        { ON("L40S-4Q", VF1), VF1 },
        { ON("L40S-4Q", VF1),
          VF1 " is planned for domain 'web0'; the definition is not changed" },
        { ON("L40S-4Q", VF0), VF0 },
        { "<vgpu:device profile='L40S-4Q'/>", VF2 },
        { ON("A2-4Q", A2_VF2), "mdev" },
        { ON("A2-4Q", VF1), "no GPU has the profile" },
    };
    Host *host = *state;
    g_autofree char *refused = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = bound(host, i, cases[i].device);

        assert_has(text, cases[i].wanted);
    }
    /* another GPU's VF, by an edit: its definition follows */
    {
        g_autofree char *text = bound(host, 0, ON("L40S-4Q", "0000:61:00.7"));

        assert_string_equal(text, "0000:61:00.7");
    }
    refused = started(host, 1, ON("L40S-4Q", VF0));
    assert_has(refused, VF0 ", which gpu= names, cannot take a vGPU 'L40S-4Q': " VF0
                            " is planned for domain 'web2'");
}

static void
test_start(void **state)
{
    static const struct {
        const char *device;
        const char *result;
    } cases[] = {
        { ON("A2-4Q", A2_VF2), "on " A2_VF2 },
        { ON("A2-4Q", A2_VF2), A2_VF2 " is in use by domain 'web0'" },
        { ON("L40S-4Q", VF1), "on " VF1 },
        { ON("L40S-4Q", VF1), VF1 " is in use by domain 'web2'" },
        { ON("L40S-4Q", "0000:61:01.7"),
          "there is no GPU 0000:61:01.7 on this host (see 'virt-vgpu gpu-list')" },
        { ON("L40S-4Q", M10),
          M10 ", which gpu= names, does not have the profile 'L40S-4Q'; " L40S " has it" },
    };
    Host *host = *state;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = started(host, i, cases[i].device);

        assert_has(text, cases[i].result);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_create, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_persistent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_held_by_hand, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
