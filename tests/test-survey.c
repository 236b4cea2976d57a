/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What people see of a fleet: the hosts with the reason of each, tenants with their limits; and planners that are told
 * one host, or to reserve nothing. On the stand-in for etcd. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "fleet/key.h"
#include "fleet/planner.h"
#include "fleet/survey.h"
#include "fleet/tenant.h"
#include "model-store.h"

#define P "NVIDIA A2-4Q"
#define D1 "0b0b0b0b-0000-4000-8000-000000000001"

static const char *const ids[] = {
    "0a0a0a0a-0000-4000-8000-000000000000", "0a0a0a0a-0000-4000-8000-000000000001",
    "0a0a0a0a-0000-4000-8000-000000000002", "0a0a0a0a-0000-4000-8000-000000000003",
    "0a0a0a0a-0000-4000-8000-000000000004", "0a0a0a0a-0000-4000-8000-000000000005",
};

typedef struct {
    Model *model;
    VgpuStore *store;
} Fleet;

static void
clear_fleet(Fleet *self)
{
    vgpu_store_close(self->store);
    model_free(self->model);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fleet, clear_fleet)

static void
put(const Fleet *self, char *key, const char *value)
{
    g_autoptr(VgpuTxn) txn = vgpu_txn_new();
    VgpuStoreOutcome outcome = { 0 };

    vgpu_txn_put(txn, key, value, 0);
    assert_true(vgpu_store_txn(self->store, txn, &outcome, NULL) && outcome.done);
    g_free(key);
}

static void
put_host(const Fleet *self, const char *id, VgpuSummaryState state, guint available)
{
    const char *pools[] = { "default", NULL }, *labels[] = { "rack=r1", NULL };
    VgpuSummary summary = { .name = (char *) "one", .state = state };
    VgpuFit fit = { available, 4, 4, 4096, false, (char **) pools, (char **) labels };
    g_autofree char *text = vgpu_summary_encode(&summary, NULL);
    g_autofree char *fits = vgpu_fit_encode(&fit, NULL);

    put(self, vgpu_key_host(id), text);
    if (available)
        put(self, vgpu_key_fit(P, id), fits);
}

static VgpuHolding *
wanted(const char *tenant)
{
    VgpuHolding *self = vgpu_holding_new(D1, NULL, VGPU_HOLDING_RESERVED);

    vgpu_holding_add(self, P, 1, 4096);
    self->tenant = g_strdup(tenant);
    return self;
}

static Fleet
make_fleet(void)
{
    Fleet self = { .model = model_new(5) };

    self.store = model_open(self.model);
    put_host(&self, ids[0], VGPU_SUMMARY_ACTIVE, 2);
    put_host(&self, ids[1], VGPU_SUMMARY_ACTIVE, 0);
    put_host(&self, ids[2], VGPU_SUMMARY_DRAINING, 0);
    put_host(&self, ids[3], VGPU_SUMMARY_ACTIVE,
             3); /* its agent has not read yet that it is drained */
    put(&self, vgpu_key_drain(ids[3]), "{}");
    put(&self, vgpu_key_gen(ids[4]), ""); /* vanished with a domain */
    put(&self, vgpu_key_on(ids[4], D1), "");
    put(&self, vgpu_key_gen(ids[5]), ""); /* forgotten */
    return self;
}

static void
test_survey(void **state)
{
    static const struct {
        const char *about;
        guint domains;
        bool is_there;
        VgpuSummaryState state;
        VgpuChoice choice, over;
    } rows[] = {
        { "has room", 0, true, VGPU_SUMMARY_ACTIVE, VGPU_CHOICE_FITS, VGPU_CHOICE_QUOTA },
        { "is full", 0, true, VGPU_SUMMARY_ACTIVE, VGPU_CHOICE_NO_PROFILE,
          VGPU_CHOICE_NO_PROFILE },
        { "is draining", 0, true, VGPU_SUMMARY_DRAINING, VGPU_CHOICE_DRAINING,
          VGPU_CHOICE_DRAINING },
        { "will be drained", 0, true, VGPU_SUMMARY_DRAINING, VGPU_CHOICE_DRAINING,
          VGPU_CHOICE_DRAINING },
        { "has vanished", 1, true, VGPU_SUMMARY_DOWN, VGPU_CHOICE_DOWN, VGPU_CHOICE_DOWN },
        { "was forgotten", 0, false, VGPU_SUMMARY_DOWN, VGPU_CHOICE_DOWN, VGPU_CHOICE_DOWN },
    };
    static const VgpuSurveyParts parts[] = { VGPU_SURVEY_FITS,
                                             VGPU_SURVEY_FITS | VGPU_SURVEY_DOMAINS };
    g_auto(Fleet) fleet = make_fleet();
    g_autoptr(VgpuHolding) holding = wanted(NULL);
    VgpuAsk ask = { .holding = holding };

    for (gsize p = 0; p < G_N_ELEMENTS(parts); p++) {
        g_autoptr(VgpuSurvey) survey = vgpu_survey_read(fleet.store, holding, parts[p], NULL);

        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
            const VgpuSurveyHost *host = vgpu_survey_find(survey, ids[i]);
            g_autofree char *why = NULL, *none = NULL;

            if ((host != NULL) != rows[i].is_there)
                fail_msg("%s: %s", rows[i].about, host ? "it is there" : "it is not there");
            if (!host)
                continue;
            if (host->domains != (parts[p] & VGPU_SURVEY_DOMAINS ? rows[i].domains : 0) ||
                vgpu_survey_state(host) != rows[i].state ||
                vgpu_survey_judge(host, &ask, NULL, NULL, &none) != rows[i].choice ||
                vgpu_survey_judge(host, &ask, "no more", NULL, &why) != rows[i].over ||
                (rows[i].choice != VGPU_CHOICE_FITS) != (none != NULL) || !why)
                fail_msg("%s: %u domains, %s, %s", rows[i].about, host->domains,
                         vgpu_summary_state_name(vgpu_survey_state(host)), none);
        }
    }
}

static VgpuHolding *
plan(const Fleet *fleet, const char *host, bool dry_run, GError **error)
{
    g_autoptr(VgpuHolding) holding = wanted("acme");
    VgpuAsk ask = { .holding = holding };
    VgpuPlannerOptions options = { .by = "test", .now = 1, .host = host, .dry_run = dry_run };

    return vgpu_planner_reserve(fleet->store, &ask, &options, error);
}

static void
test_planner(void **state)
{
    g_auto(Fleet) fleet = make_fleet();
    gint64 revision = model_revision(fleet.model);
    g_autoptr(VgpuHolding) chosen = plan(&fleet, NULL, true, NULL);
    g_autoptr(VgpuHolding) one = NULL;
    g_autoptr(GError) full = NULL, absent = NULL;

    assert_string_equal(chosen->host, ids[0]);
    assert_null(chosen->id);
    assert_int_equal(model_revision(fleet.model), revision);
    assert_null(plan(&fleet, ids[1], false, &full));
    assert_int_equal(full->code, VGPU_ERROR_NO_CAPACITY);
    assert_string_equal(full->message,
                        "host 0a0a0a0a-0000-4000-8000-000000000001 does not take it: it has no "
                        "room for '" P "', or no such profile");
    put(&fleet, vgpu_key_fit(P, ids[5]), "{\"n\":1}"); /* of a host that is not there */
    assert_null(plan(&fleet, ids[5], false, &absent));
    assert_int_equal(absent->code, VGPU_ERROR_BUSY);
    one = plan(&fleet, ids[3], false, NULL);
    assert_string_equal(one->host, ids[3]);
}

static const VgpuTenant *
only(GPtrArray *tenants, const char *name)
{
    const VgpuTenant *tenant = tenants->len == 1 ? g_ptr_array_index(tenants, 0) : NULL;

    assert_non_null(tenant);
    assert_string_equal(tenant->name, name);
    return tenant;
}

static void
test_tenants(void **state)
{
    const guint four = 4, none = 0;
    const guint64 mib = 4096;
    g_auto(Fleet) fleet = make_fleet();
    g_autoptr(GPtrArray) limited = NULL, used = NULL, after = NULL;
    g_autoptr(VgpuHolding) one = NULL, another = wanted("acme");
    g_autoptr(GError) error = NULL;
    gint64 changed, read;

    assert_true(vgpu_tenant_limit(fleet.store, "acme", &four, &mib, NULL));
    assert_true(vgpu_tenant_limit(fleet.store, "acme", &none, NULL, NULL));
    limited = vgpu_tenant_list(fleet.store, NULL);
    assert_int_equal(only(limited, "acme")->max.devices, 0);
    assert_int_equal(only(limited, "acme")->max.mib, 4096);
    one = plan(&fleet, NULL, false, NULL);
    assert_non_null(one);
    used = vgpu_tenant_list(fleet.store, NULL);
    assert_true(only(used, "acme")->is_limited);
    assert_int_equal(only(used, "acme")->used.devices, 1);
    assert_int_equal(only(used, "acme")->used.mib, 4096);

    assert_true(
        vgpu_tenant_check(fleet.store, another, &changed, &read, NULL)); /* the same domain */
    another->domain[0] = 'a';
    assert_false(vgpu_tenant_check(fleet.store, another, &changed, &read, &error));
    assert_int_equal(error->code, VGPU_ERROR_NO_CAPACITY);
    assert_true(vgpu_tenant_unlimit(fleet.store, "acme", NULL));
    assert_true(vgpu_tenant_check(fleet.store, another, &changed, &read, NULL));
    g_clear_error(&error);
    assert_false(vgpu_tenant_unlimit(fleet.store, "acme", &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_FOUND);
    after = vgpu_tenant_list(fleet.store, NULL);
    assert_false(only(after, "acme")->is_limited);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_survey),
        cmocka_unit_test(test_planner),
        cmocka_unit_test(test_tenants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
