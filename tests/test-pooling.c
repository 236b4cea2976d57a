/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manager enforces pools and tenants. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "core/pooling.h"
#include "manager-host.h"
#include "pools-verbs.h"

#define A2 "0000:41:00.0"

#define POOL(inner)                                                                              \
    "<vgpupool><name>design</name><source><gpu address='" A2 "'/></source>" inner "</vgpupool>"

static void
define(Host *host, const char *xml)
{
    g_autoptr(GError) error = NULL;
    VgpuPools *pools = vgpu_manager_pools(host->manager);

    if (!pools_define(pools, xml, strlen(xml), &error))
        fail_msg("%s", error->message);
    assert_true(vgpu_pools_set_active(pools, "design", true, NULL));
}

static void
assert_text_has(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("'%s' is not in '%s'", part, text ? text : "(none)");
}

/* The XML of domain number @n, with the tenant; its vGPUs are plugged after the start. */
static char *
domain_xml(guint n, const char *tenant, const char *devices)
{
    g_autofree char *name = g_strdup_printf("web%u", n);
    g_autofree char *uuid = host_nth_uuid(n);
    g_autofree char *xml = host_xml(name, uuid, devices, 0);
    g_auto(GStrv) halves = NULL;
    g_autofree char *attribute = NULL;

    if (!tenant)
        return g_steal_pointer(&xml);
    attribute = g_strdup_printf("<vgpu:devices tenant='%s' ", tenant);
    halves = g_strsplit(xml, "<vgpu:devices ", 2);
    return g_strjoinv(attribute, halves);
}

static char *
start(Host *host, guint n, const char *tenant, const char *devices)
{
    g_autofree char *xml = domain_xml(n, tenant, devices);

    return host_start(host, xml);
}

static void
stop(Host *host, guint n)
{
    g_autofree char *uuid = host_nth_uuid(n);

    host_release(host, uuid);
    host_settle(host);
}

static const struct {
    const char *what;
    const char *pool;
    const char *tenant;
    const char *devices;
    const char *refused; /* part of the text; NULL: it starts */
} starts[] = {
    { "a pool's GPU is not for those who name no pool", POOL(), NULL,
      "<vgpu:device profile='A2-4Q'/>", "pool 'design'" },
    { "a domain that names the pool gets it", POOL(), NULL,
      "<vgpu:device profile='A2-4Q' pool='design'/>", NULL },
    { "a pool that is not there", POOL(), NULL, "<vgpu:device profile='A2-4Q' pool='other'/>",
      "there is no pool 'other'" },
    { "the pool's own profile", POOL("<profiles><profile name='A2-4Q'/></profiles>"), NULL,
      "<vgpu:device pool='design'/>", NULL },
    { "a pool without a profile of its own", POOL(), NULL, "<vgpu:device pool='design'/>",
      "profile" },
    { "a profile that the pool does not offer",
      POOL("<profiles><profile name='A2-4Q'/></profiles>"), NULL,
      "<vgpu:device pool='design' profile='A2-8Q'/>", "does not offer" },
    { "its tenant", POOL("<tenants><tenant name='acme' max='2'/></tenants>"), "acme",
      "<vgpu:device pool='design' profile='A2-4Q'/>", NULL },
    { "no tenant", POOL("<tenants><tenant name='acme' max='2'/></tenants>"), NULL,
      "<vgpu:device pool='design' profile='A2-4Q'/>", "acme" },
    { "another tenant", POOL("<tenants><tenant name='acme' max='2'/></tenants>"), "evil",
      "<vgpu:device pool='design' profile='A2-4Q'/>", "evil" },
    { "more than its share at once", POOL("<tenants><tenant name='acme' max='2'/></tenants>"),
      "acme", "<vgpu:device pool='design' profile='A2-4Q' count='3'/>", "acme" },
    { "more than its frame buffer at once",
      POOL("<tenants><tenant name='acme' maxMiB='8192'/></tenants>"), "acme",
      "<vgpu:device pool='design' profile='A2-4Q' count='3'/>", "has 8192 of the 8192 MiB" },
    { "another version of the driver", POOL("<driver version='999'/>"), NULL,
      "<vgpu:device pool='design' profile='A2-4Q'/>", "needs driver 999" },
};

static void
test_starts(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(starts); i++) {
        g_autoptr(Host) host = host_new();
        g_autofree char *refused = NULL;

        define(host, starts[i].pool);
        refused = start(host, 1, starts[i].tenant, starts[i].devices);
        if (starts[i].refused ? !refused || !strstr(refused, starts[i].refused) : !!refused)
            fail_msg("%s: %s", starts[i].what, refused ? refused : "(it has started)");
        if (starts[i].refused)
            assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
    }
}

/* The limit counts existing vGPUs, across restarts of the daemon, too, and the refusal names their domains. */
static void
test_tenant_limit(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *first = NULL, *second = NULL, *third = NULL;
    const char *device = "<vgpu:device pool='design' profile='A2-4Q'/>";

    (void) state;
    define(host,
           POOL("<tenants><tenant name='acme' max='1'/><tenant name='beta' max='1'/></tenants>"));
    first = start(host, 1, "acme", device);
    assert_null(first);
    host_restart(host);
    second = start(host, 2, "acme", device);
    assert_text_has(second, "tenant 'acme' has 1 of");
    assert_text_has(second, "web1");
    third = start(host, 3, "beta", device);
    assert_null(third);
    stop(host, 1);
    g_free(second);
    second = start(host, 2, "acme", device);
    assert_null(second);
}

/* So does the one on frame buffer, whatever the profiles. */
static void
test_tenant_mib(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *first = NULL, *second = NULL, *third = NULL;

    (void) state;
    define(host, POOL("<tenants><tenant name='acme' maxMiB='6144'/></tenants>"));
    first = start(host, 1, "acme", "<vgpu:device pool='design' profile='A2-4Q'/>");
    assert_null(first);
    host_restart(host);
    second = start(host, 2, "acme", "<vgpu:device pool='design' profile='A2-4Q'/>");
    assert_text_has(second, "tenant 'acme' has 4096 of the 6144 MiB");
    assert_text_has(second, "web1");
    stop(host, 1);
    third = start(host, 2, "acme", "<vgpu:device pool='design' profile='A2-4Q'/>");
    assert_null(third);
}

static const VgpuPoolRoom *
find_room(const VgpuPoolRow *row, const char *name)
{
    for (guint i = 0; i < row->profiles->len; i++) {
        const VgpuPoolRoom *room = g_ptr_array_index(row->profiles, i);

        if (strstr(room->name, name))
            return room;
    }
    return NULL;
}

static void
test_rows(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *refused = NULL, *planned = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    const VgpuPoolRow *row;
    const VgpuPoolRoom *room;
    const VgpuTenantUse *acme, *beta;

    (void) state;
    define(host, POOL("<tenants><tenant name='acme' max='3'/>"
                      "<tenant name='beta' maxMiB='9'/></tenants>"));
    refused = start(host, 1, "acme", "<vgpu:device pool='design' profile='A2-4Q'/>");
    assert_null(refused);
    planned = domain_xml(2, "acme", "<vgpu:device pool='design' profile='A2-4Q'/>");
    vgpu_manager_take_definition(host->manager, host_domain(planned), false);
    rows = vgpu_manager_list_pools(host->manager);
    assert_int_equal(rows->len, 2);
    row = g_ptr_array_index(rows, 0);
    assert_string_equal(row->name, "default");
    assert_null(row->uuid);
    assert_true(row->active && row->autostart);
    assert_false(g_ptr_array_find_with_equal_func(row->gpus, A2, g_str_equal, NULL));
    row = g_ptr_array_index(rows, 1);
    assert_string_equal(row->name, "design");
    assert_true(row->active);
    assert_false(row->autostart);
    assert_int_equal(row->gpus->len, 1);
    room = find_room(row, "A2-4Q");
    assert_non_null(room);
    assert_int_equal(room->capacity, 4);
    assert_int_equal(room->allocated, 1);
    assert_int_equal(room->available, 3);
    assert_int_equal(find_room(row, "A2-8Q")->available, 0); /* another size is on it */
    acme = row->tenants->pdata[0];
    assert_true(acme->used == 1 && acme->used_mib == 4096 && acme->max == 3);
    assert_true(acme->max_mib == VGPU_POOL_NO_LIMIT);
    beta = row->tenants->pdata[1];
    assert_true(beta->used == 0 && beta->used_mib == 0 && beta->max_mib == 9);
    assert_true(beta->max == VGPU_POOL_NO_LIMIT);
    assert_int_equal(row->users->len, 2);
    assert_string_equal(row->users->pdata[1], "web2");
}

/* Stopping a pool does not disturb running domains; no new ones start, and its GPU is not given to others. */
static void
test_stopped_pool(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *first = NULL, *second = NULL, *third = NULL;
    const char *device = "<vgpu:device pool='design' profile='A2-4Q'/>";

    (void) state;
    define(host, POOL());
    first = start(host, 1, NULL, device);
    assert_null(first);
    assert_true(vgpu_pools_set_active(vgpu_manager_pools(host->manager), "design", false, NULL));
    second = start(host, 2, NULL, device);
    assert_text_has(second, "not active");
    third = start(host, 2, NULL, "<vgpu:device profile='A2-4Q'/>");
    assert_non_null(third);
    assert_int_equal(host_count_devices(host), 1);
    stop(host, 1);
    assert_int_equal(host_count_devices(host) + host_count_records(host), 0);
}

/* If a pool is missing for a while, the vGPUs kept for it are not dropped. */
static void
test_kept_without_pool(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = domain_xml(1, NULL, "<vgpu:device pool='design' create='define'/>");
    g_autofree char *uuid = host_nth_uuid(1);
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GPtrArray) unwanted = NULL;
    g_auto(VgpuKeep) keep = { 0 };
    VgpuPools *pools = vgpu_manager_pools(host->manager);

    (void) state;
    define(host, POOL("<profiles><profile name='A2-4Q'/></profiles>"));
    assert_true(vgpu_pooling_complete(host->manager, domain, NULL));
    vgpu_manager_take_definition(host->manager, host_domain(xml), false);
    assert_true(
        vgpu_manager_keep(host->manager, uuid, "web1", domain->wants->pdata[0], &keep, NULL));
    assert_true(vgpu_pools_set_active(pools, "design", false, NULL));
    assert_true(pools_undefine(pools, "design", NULL));
    vgpu_manager_take_definition(host->manager, host_domain(xml), false);
    unwanted = vgpu_manager_unwanted(host->manager, uuid);
    assert_int_equal(unwanted->len, 0);
}

/* Explain and the start give the same reason. */
static void
test_explain(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = domain_xml(1, NULL, "<vgpu:device profile='A2-4Q'/>");
    g_autofree char *unknown = domain_xml(1, NULL, "<vgpu:device pool='none' profile='A2-4Q'/>");
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(VgpuDomain) other = host_domain(unknown);
    g_autoptr(GPtrArray) forecasts = NULL, forecasts_unknown = NULL;
    g_autofree char *refused = NULL;
    const VgpuForecast *forecast;

    (void) state;
    define(host, POOL());
    forecasts = vgpu_manager_explain(host->manager, domain);
    forecast = g_ptr_array_index(forecasts, 0);
    assert_null(forecast->chosen);
    refused = host_start(host, xml);
    assert_text_has(refused, forecast->refusal);
    forecasts_unknown = vgpu_manager_explain(host->manager, other);
    forecast = g_ptr_array_index(forecasts_unknown, 0);
    assert_text_has(forecast->refusal, "there is no pool 'none'");
}

/* A definition that no GPU can serve does not change, and its line is reported once. */
static void
test_bind(void **state)
{
    g_autoptr(Host) host = host_new();
    g_autofree char *xml = domain_xml(1, NULL, "<vgpu:device profile='A2-4Q' gpu='" A2 "'/>");
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    const char *line;

    (void) state;
    define(host, POOL());
    assert_false(vgpu_manager_bind(host->manager, domain, &error));
    text = vgpu_error_text(error);
    assert_text_has(text, A2
                    ", which gpu= names, cannot take a vGPU 'A2-4Q': belongs to pool 'design'");
    line = strstr(text, "line ");
    assert_non_null(line);
    assert_null(strstr(line + 1, "line "));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starts),
        cmocka_unit_test(test_tenant_limit),
        cmocka_unit_test(test_tenant_mib),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_stopped_pool),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_kept_without_pool),
        cmocka_unit_test(test_bind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
