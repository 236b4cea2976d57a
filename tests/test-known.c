/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The UUID of a domain's vGPU belongs to it, even if another domain names it. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "base/uuid.h"
#include "core/known.h"
#include "manager-host.h"

#define A2 "0000:41:00.0"

/* A domain that names a device of that UUID as its own hostdev. */
static char *
naming_xml(const char *name, const char *domain_uuid, const char *uuid, const char *attributes)
{
    g_autofree char *device =
        g_strdup_printf("<vgpu:device profile='A2-4Q' uuid='%s' %s/>", uuid, attributes);
    g_autofree char *xml = host_xml(name, domain_uuid, device, 0);
    g_autofree char *hostdev =
        g_strdup_printf("<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>"
                        "<address uuid='%s'/></source></hostdev></devices>",
                        uuid);
    g_auto(GStrv) halves = g_strsplit(xml, "</devices>", 2);

    return g_strjoinv(hostdev, halves);
}

static void
assert_says(const char *what, const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("%s: '%s' is not in '%s'", what, part, text ? text : "(nothing)");
}

/* Set the domains that libvirt lists. */
static void
list(Host *host, const char *const *xmls)
{
    GPtrArray *facts = host_facts();

    for (gsize i = 0; xmls[i]; i++)
        host_fact(facts, xmls[i], -1);
    g_free(host_reconcile(host, facts, false));
    g_ptr_array_unref(facts);
}

static char *
bind_to(Host *host, const char *xml)
{
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GError) error = NULL;

    return vgpu_manager_bind(host->manager, domain, &error) ? g_strdup("bound")
                                                            : vgpu_error_text(error);
}

static char *
explain(Host *host, const char *xml)
{
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GPtrArray) forecasts = vgpu_manager_explain(host->manager, domain);
    const VgpuForecast *forecast = g_ptr_array_index(forecasts, 0);

    return g_strdup(forecast->refusal ? forecast->refusal : "possible");
}

static void
note(const GError *error, gpointer opaque)
{
    char **answer = opaque;

    *answer = g_strdup(error ? error->message : "done");
}

static char *
create(Host *host, const char *uuid)
{
    char *answer = NULL;

    vgpu_manager_create(host->manager, A2, "A2-4Q", uuid, note, &answer);
    host_settle(host);
    return answer;
}

static char *
keep(Host *host, const char *domain_uuid, const char *uuid)
{
    char *profiles[] = { (char *) "A2-4Q", NULL };
    VgpuWant want = { .uuid = (char *) uuid,
                      .profiles = profiles,
                      .uuid_is_users = domain_uuid != NULL };
    g_auto(VgpuKeep) kept = { 0 };
    g_autoptr(GError) error = NULL;

    return g_strdup(vgpu_manager_keep(host->manager, domain_uuid, domain_uuid ? "thief" : NULL,
                                      &want, &kept, &error)
                        ? "done"
                        : error->message);
}

enum { PLAIN, ANNOTATED };

/* For each way in which the daemon can learn of such a domain, annotated or not. */
static void
test_named_by_another(void **state)
{
    enum { LISTED, LOOKED_AT, DEFINED };
    static const struct {
        const char *what;
        int owner, known_by;
        unsigned index;
    } cases[] = {
        { "libvirt lists its owner", ANNOTATED, LISTED, 0 },
        { "libvirt lists its owner, which is not annotated", PLAIN, LISTED, 0 },
        { "the last that it can have", PLAIN, LISTED, 15 },
        { "its owner was looked at", PLAIN, LOOKED_AT, 3 },
        { "its owner is defined", ANNOTATED, DEFINED, 0 },
        { "its owner is defined, and has none of that number", ANNOTATED, DEFINED, 1 },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = host_new();
        g_autofree char *uuid = vgpu_uuid_for_domain(HOST_WEB1, cases[i].index);
        g_autofree char *thief_uuid = host_nth_uuid(2);
        g_autofree char *thief = naming_xml("thief", thief_uuid, uuid, "");
        g_autofree char *owner =
            host_xml("web1", HOST_WEB1, cases[i].owner == PLAIN ? "" : HOST_DEVICE(),
                     cases[i].owner != PLAIN);
        const char *const listed[] = { thief, owner, NULL };
        g_autofree char *why = g_strdup_printf("the vGPU %s belongs to domain 'web1'", uuid);
        const char *what = cases[i].what;
        g_autofree char *bound = NULL, *told = NULL, *started = NULL, *made = NULL, *kept = NULL;
        g_autofree char *kept_by_hand = NULL;

        /* the thief was there first */
        vgpu_manager_take_definition(host->manager, host_domain(thief), false);
        if (cases[i].known_by == LISTED)
            list(host, listed);
        else if (cases[i].known_by == LOOKED_AT)
            vgpu_manager_take_passed(host->manager, HOST_WEB1, "web1", NULL);
        else
            vgpu_manager_take_definition(host->manager, host_domain(owner), false);
        assert_says(what, bound = bind_to(host, thief), why);
        assert_says(what, told = explain(host, thief), why);
        assert_says(what, started = host_start(host, thief), why);
        assert_says(what, made = create(host, uuid), "belongs to domain '");
        assert_says(what, kept = keep(host, thief_uuid, uuid), why);
        assert_says(what, kept_by_hand = keep(host, NULL, uuid), why);
        assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
    }
}

/* The domain starts, defined or not, even if an older domain names its vGPU. */
static void
test_owner_wins(void **state)
{
    static const char *const whats[] = { "it is transient", "it was defined last" };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(whats); i++) {
        g_autoptr(Host) host = host_new();
        g_autofree char *thief_uuid = host_nth_uuid(2);
        g_autofree char *thief = naming_xml("thief", thief_uuid, HOST_WEB1_0, "");
        g_autofree char *owner = host_xml("web1", HOST_WEB1, HOST_DEVICE(), 1);
        g_autofree char *told = NULL, *refused = NULL;

        vgpu_manager_take_definition(host->manager, host_domain(thief), false);
        if (i)
            vgpu_manager_take_definition(host->manager, host_domain(owner), false);
        told = explain(host, owner);
        refused = host_start(host, owner);
        if (refused || !g_str_equal(told, "possible"))
            fail_msg("%s: %s, %s", whats[i], told, refused);
        g_clear_pointer(&refused, g_free);
        /* while it runs its record is in the way, too */
        assert_says(whats[i], refused = host_start(host, thief), "belongs to domain 'web1'");
        host_release(host, HOST_WEB1);
        host_settle(host);
        assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
    }
}

/* Once a domain is undefined its UUIDs are free. User-chosen UUIDs are never reserved. */
static void
test_free_to_name(void **state)
{
    static const struct {
        const char *what;
        const char *uuid;
        bool forgotten;
    } cases[] = {
        { "a random one", "11111111-2222-4333-8444-555555555555", false },
        { "of no known domain", "11111111-2222-5333-8444-555555555555", false },
        { "of a domain that is gone", HOST_WEB1_0, true },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Host) host = host_new();
        g_autofree char *user_uuid = host_nth_uuid(2);
        g_autofree char *user = naming_xml("user", user_uuid, cases[i].uuid, "");
        g_autofree char *bound = NULL, *refused = NULL;

        vgpu_manager_take_passed(host->manager, HOST_WEB1, "web1", NULL);
        if (cases[i].forgotten)
            vgpu_manager_take_passed(host->manager, HOST_WEB1, NULL, NULL);
        bound = bind_to(host, user);
        refused = host_start(host, user);
        if (refused || !g_str_equal(bound, "bound"))
            fail_msg("%s: %s, %s", cases[i].what, bound, refused);
    }
}

/* A domain may name its own UUIDs. */
static void
test_table(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *after = vgpu_uuid_for_domain(HOST_WEB1, 16);

    (void) state;
    vgpu_known_take(host->manager, HOST_WEB1, "web1");
    assert_string_equal(vgpu_known_owner(host->manager, HOST_WEB1_0, NULL), "web1");
    assert_null(vgpu_known_owner(host->manager, HOST_WEB1_0, HOST_WEB1));
    assert_null(vgpu_known_owner(host->manager, after, NULL));
    vgpu_known_take(host->manager, HOST_WEB1, "renamed");
    assert_string_equal(vgpu_known_owner(host->manager, HOST_WEB1_0, NULL), "renamed");
    vgpu_known_take(host->manager, HOST_WEB1, NULL);
    assert_null(vgpu_known_owner(host->manager, HOST_WEB1_0, NULL));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_named_by_another),
        cmocka_unit_test(test_owner_wins),
        cmocka_unit_test(test_free_to_name),
        cmocka_unit_test(test_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
