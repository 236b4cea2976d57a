/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What virtvgpud is told about the fleet, for what the store says and what runs here. */
#include "test.h"

#include "fleet/promises.h"

#define HERE "0a0a0a0a-0000-4000-8000-000000000001"
#define THERE "0a0a0a0a-0000-4000-8000-000000000002"
#define NAMELESS "0a0a0a0a-0000-4000-8000-000000000003"
#define VM "aaaaaaaa-0000-4000-8000-000000000001"
#define WALL 1700000000

typedef struct {
    const char *host; /* NULL: the store, or the host, does not have it */
    VgpuHoldingState state;
    const char *id;
} Has;

static const struct {
    const char *about;
    Has reserved, elsewhere, local; /* of VM */
    const char *told;               /* about VM; "": nothing */
} rows[] = {
    { "nothing", { 0 }, { 0 }, { 0 }, "" },
    { "reserved here",
      { HERE, VGPU_HOLDING_RESERVED, "7" },
      { 0 },
      { 0 },
      "here reserved 7 480" },
    { "given up", { HERE, VGPU_HOLDING_RESERVED, NULL }, { 0 }, { 0 }, "" },
    { "runs here, says the store, but it does not",
      { HERE, VGPU_HOLDING_RUNNING, NULL },
      { 0 },
      { 0 },
      "" },
    { "runs here", { 0 }, { 0 }, { HERE, VGPU_HOLDING_RUNNING, NULL }, "here running - -" },
    { "is saved here", { 0 }, { 0 }, { HERE, VGPU_HOLDING_SAVED, NULL }, "here saved - -" },
    { "has been started here",
      { HERE, VGPU_HOLDING_RESERVED, "7" },
      { 0 },
      { HERE, VGPU_HOLDING_RUNNING, NULL },
      "here running - -" },
    { "reserved there",
      { 0 },
      { THERE, VGPU_HOLDING_RESERVED, "7" },
      { 0 },
      "there h2 reserved 7" },
    { "runs there", { 0 }, { THERE, VGPU_HOLDING_RUNNING, NULL }, { 0 }, "there h2 running -" },
    { "runs on a host without a name",
      { 0 },
      { NAMELESS, VGPU_HOLDING_RUNNING, NULL },
      { 0 },
      "there " NAMELESS " running -" },
    { "moves here", { THERE, VGPU_HOLDING_MOVING, NULL }, { 0 }, { 0 }, "there h2 moving -" },
    { "runs on both",
      { 0 },
      { THERE, VGPU_HOLDING_RUNNING, NULL },
      { HERE, VGPU_HOLDING_RUNNING, NULL },
      "here running - -" },
    { "reserved here since it was read",
      { HERE, VGPU_HOLDING_RESERVED, "7" },
      { THERE, VGPU_HOLDING_RESERVED, "6" },
      { 0 },
      "here reserved 7 480" },
    { "not here any longer", { 0 }, { HERE, VGPU_HOLDING_RESERVED, "7" }, { 0 }, "" },
};

static VgpuHolding *
make(const Has *has, gint64 since)
{
    VgpuHolding *holding = vgpu_holding_new(VM, has->host, has->state);

    holding->id = g_strdup(has->id);
    holding->since = since;
    return holding;
}

static GHashTable *
table(const Has *has, gint64 since)
{
    GHashTable *out =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) vgpu_holding_free);

    if (has->host)
        g_hash_table_insert(out, (gpointer) VM, make(has, since));
    return out;
}

/* The entries of FleetGrant's first argument, in words. */
static char *
describe(GVariant *domains)
{
    GString *out = g_string_new(NULL);

    for (gsize i = 0; i < g_variant_n_children(domains); i++) {
        g_autoptr(GVariant) dict = NULL;
        const char *domain, *state = "-", *id = "-", *host = "-";
        gboolean is_here = FALSE;
        g_autofree char *left = NULL;
        guint32 lasts = 0;

        g_variant_get_child(domains, i, "(&s@a{sv})", &domain, &dict);
        assert_string_equal(domain, VM);
        assert_true(g_variant_lookup(dict, "here", "b", &is_here));
        assert_true(g_variant_lookup(dict, "state", "&s", &state));
        (void) g_variant_lookup(dict, "id", "&s", &id);
        left = g_variant_lookup(dict, "lasts", "u", &lasts) ? g_strdup_printf("%u", lasts)
                                                            : g_strdup("-");
        assert_int_equal(g_variant_lookup(dict, "host", "&s", &host), !is_here);
        if (is_here)
            g_string_append_printf(out, "here %s %s %s", state, id, left);
        else
            g_string_append_printf(out, "there %s %s %s", host, state, id);
    }
    return g_string_free(out, FALSE);
}

static void
test_domains(void **state)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    g_hash_table_insert(names, (gpointer) THERE, (gpointer) "h2");
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GHashTable) reserved = table(&rows[i].reserved, WALL);
        g_autoptr(GHashTable) elsewhere = table(&rows[i].elsewhere, WALL);
        g_autoptr(GHashTable) local = table(&rows[i].local, WALL);
        g_autoptr(VgpuPromises) promises = vgpu_promises_new(HERE);
        g_autoptr(GVariant) domains = NULL;
        g_autofree char *told = NULL;

        vgpu_promises_read(promises, reserved, 1000, WALL);
        domains = g_variant_ref_sink(
            vgpu_promises_domains(promises, &(VgpuPromisesView) { reserved, elsewhere, local },
                                  names, 1000));
        told = describe(domains);
        if (g_strcmp0(told, rows[i].told) != 0)
            fail_msg("%s: %s", rows[i].about, told);
    }
}

/* How long a grant lasts, in s; @before: resv/HOST/ was read without it, NEVER: it was not */
#define NEVER (-1)
static const struct {
    const char *about;
    gint64 before, read, now; /* s */
    gint64 since; /* by the clock of the planner's host, s after WALL; WALL is ours at 0 */
    guint lasts;
} ages[] = {
    { "just made", NEVER, 100, 100, 100, 480 },
    { "some time later", NEVER, 100, 300, 100, 280 },
    { "over", NEVER, 100, 700, 100, 0 },
    { "made before the agent", NEVER, 100, 100, -200, 180 },
    { "made long before the agent", NEVER, 100, 100, -5000, 0 },
    { "by a clock that is ahead", NEVER, 100, 100, 5000, 480 },
    { "made since the last reading", 90, 100, 100, 100, 480 },
    { "the same by a clock that is behind", 90, 100, 100, -5000, 470 },
    { "the same by a clock that is ahead", 90, 100, 100, 5000, 480 },
};

static void
test_ages(void **state)
{
    const Has has = { HERE, VGPU_HOLDING_RESERVED, "7" }, nothing = { 0 };
    g_autoptr(GHashTable) none = table(&nothing, 0);
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (gsize i = 0; i < G_N_ELEMENTS(ages); i++) {
        g_autoptr(GHashTable) reserved = table(&has, WALL + ages[i].since);
        g_autoptr(VgpuPromises) promises = vgpu_promises_new(HERE);
        g_autoptr(GVariant) domains = NULL;
        g_autofree char *told = NULL, *expected = NULL;

        if (ages[i].before != NEVER)
            vgpu_promises_read(promises, none, ages[i].before * 1000, WALL + ages[i].before);
        vgpu_promises_read(promises, reserved, ages[i].read * 1000, WALL + ages[i].read);
        vgpu_promises_read(promises, reserved, ages[i].now * 1000, WALL + ages[i].now);
        domains = g_variant_ref_sink(
            vgpu_promises_domains(promises, &(VgpuPromisesView) { reserved, none, NULL }, names,
                                  ages[i].now * 1000));
        told = describe(domains);
        expected = g_strdup_printf("here reserved 7 %u", ages[i].lasts);
        if (g_strcmp0(told, expected) != 0)
            fail_msg("%s: %s", ages[i].about, told);
    }
}

static const struct {
    const char *about;
    gint64 answered, now; /* ms */
    guint lasts;
} answers[] = {
    { "never", 0, 5000, 0 },          { "just now", 5000, 5000, 60 },
    { "before", 5000, 25000, 40 },    { "a lease ago", 5000, 65000, 0 },
    { "long ago", 5000, 6500000, 0 },
};

static void
test_options(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autoptr(GVariant) options =
            g_variant_ref_sink(vgpu_promises_options(answers[i].answered, answers[i].now));
        gboolean is_connected = FALSE;
        guint32 lasts = 0;

        assert_true(g_variant_lookup(options, "connected", "b", &is_connected));
        assert_true(g_variant_lookup(options, "lasts", "u", &lasts));
        if (lasts != answers[i].lasts || is_connected != (lasts > 0))
            fail_msg("%s: %d, %u", answers[i].about, is_connected, lasts);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_ages),
        cmocka_unit_test(test_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
