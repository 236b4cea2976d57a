/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a host publishes, for what its virtvgpud says. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "fleet/holding.h"
#include "fleet/publish.h"

#define MACHINE "0123456789abcdef0123456789abcdef"
#define VM1 "aaaaaaaa-0000-4000-8000-000000000001"
#define VM2 "aaaaaaaa-0000-4000-8000-000000000002"
#define NOW 1700000000

/* Parts of the answer to GetState. */
#define PROFILE(name, mib, max, capacity, available)                                             \
    "{'name': <'" name "'>, 'framebuffer_mib': <uint32 " mib ">, 'max_instances': <uint32 " max  \
    ">, 'capacity': <uint32 " capacity ">" available "}"
#define AVAILABLE(n) ", 'available': <uint32 " n ">"
#define GPU(address, mixed, profiles)                                                            \
    "{'address': <'" address "'>, 'mixed': <" mixed ">, 'profiles': <[" profiles "]>}"
#define POOL(name, state, gpus, profiles)                                                        \
    "{'name': <'" name "'>, 'state': <'" state "'>, 'gpus': <@as [" gpus                         \
    "]>, 'profiles': <@aa{sv} [" profiles "]>}"
#define NAME(name) "{'name': <'" name "'>}"
#define VGPU(domain, name, state, profile)                                                       \
    "{'domain_uuid': <'" domain "'>, 'domain': <'" name "'>, 'state': <'" state                  \
    "'>, 'gpu': <'A'>, 'profile': <'" profile "'>, 'tenant': <'acme'>}"
#define STATE(gpus, pools, vgpus)                                                                \
    "{'libvirt_connected': <true>, 'gpus': <@aa{sv} [" gpus "]>, 'pools': <@aa{sv} [" pools      \
    "]>, 'vgpus': <@aa{sv} [" vgpus "]>}"

#define A_FREE GPU("A", "false", PROFILE("4Q", "4096", "4", "4", AVAILABLE("3")))
#define B_FREE GPU("B", "true", PROFILE("4Q", "4096", "8", "8", AVAILABLE("5")))
#define ALL POOL("default", "active", "'A', 'B'", NAME("4Q"))

static void
get_publisher(VgpuPublisher *publisher)
{
    const char *labels[] = { "rack=r1", NULL };
    const VgpuFleetConfig config = { .labels = (char **) labels };
    g_autoptr(GError) error = NULL;

    assert_true(vgpu_publish_who(&config, MACHINE "\n", "h1", NOW, publisher, &error));
}

static GVariant *
get_state(const char *text)
{
    g_autoptr(GError) error = NULL;
    GVariant *state =
        text ? g_variant_parse(G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error) : NULL;

    g_assert_no_error(error);
    return state;
}

/* --- fits ------------------------------------------------------------------------------------- */

static const struct {
    const char *about, *state, *fit; /* of 4Q; NULL: none */
} fits[] = {
    { "two GPUs", STATE(A_FREE "," B_FREE, ALL, ""),
      "{\"n\":8,\"block\":5,\"gpu\":8,\"mib\":4096,\"pools\":[\"default\"],"
      "\"labels\":[\"rack=r1\"]}" },
    { "a GPU that takes different sizes", STATE(B_FREE, ALL, ""),
      "{\"n\":5,\"block\":5,\"gpu\":8,\"mib\":4096,\"mixed\":1,\"pools\":[\"default\"],"
      "\"labels\":[\"rack=r1\"]}" },
    { "no room",
      STATE(GPU("A", "false", PROFILE("4Q", "4096", "4", "4", AVAILABLE("0"))), ALL, ""), NULL },
    { "room whose end is not known",
      STATE(GPU("A", "false", PROFILE("4Q", "4096", "4", "4", "")), ALL, ""),
      "{\"n\":1,\"block\":1,\"gpu\":4,\"mib\":4096,\"pools\":[\"default\"],"
      "\"labels\":[\"rack=r1\"]}" },
    { "an inactive pool", STATE(A_FREE, POOL("default", "inactive", "'A'", NAME("4Q")), ""),
      NULL },
    { "another profile in the pool",
      STATE(A_FREE, POOL("default", "active", "'A'", NAME("8Q")), ""), NULL },
    { "a GPU in no pool", STATE(A_FREE, POOL("default", "active", "'B'", NAME("4Q")), ""), NULL },
    { "two pools",
      STATE(A_FREE "," B_FREE,
            POOL("default", "active", "'A'", NAME("4Q")) "," POOL("cad", "active", "'B'",
                                                                  NAME("4Q")),
            ""),
      "{\"n\":8,\"block\":5,\"gpu\":8,\"mib\":4096,\"pools\":[\"default\",\"cad\"],"
      "\"labels\":[\"rack=r1\"]}" },
    { "no GPU", STATE("", "", ""), NULL },
    { "rows without the keys", "{'gpus': <[{'x': <1>}]>, 'pools': <[{'state': <'active'>}]>}",
      NULL },
    { "no rows", "{'gpus': <1>}", NULL },
};

static void
test_fits(void **state)
{
    g_auto(VgpuPublisher) publisher = { 0 };

    get_publisher(&publisher);
    for (gsize i = 0; i < G_N_ELEMENTS(fits); i++) {
        g_autoptr(GVariant) answer = get_state(fits[i].state);
        g_auto(VgpuPublication) out = { 0 };
        const VgpuFit *fit;
        g_autofree char *text = NULL;

        vgpu_publish_make(&publisher, &(VgpuPublishView) { .state = answer, .now = NOW }, &out);
        fit = g_hash_table_lookup(out.fits, "4Q");
        text = fit ? vgpu_fit_encode(fit, NULL) : NULL;
        if (g_strcmp0(text, fits[i].fit) != 0)
            fail_msg("%s: %s", fits[i].about, text);
    }
}

/* What no value has room for is left out. */
static void
test_too_many_pools(void **state)
{
    g_auto(VgpuPublisher) publisher = { 0 };
    g_autoptr(GString) pools = g_string_new(NULL);
    g_autofree char *text = NULL, *value = NULL;
    g_autoptr(GVariant) answer = NULL;
    g_auto(VgpuPublication) out = { 0 };

    get_publisher(&publisher);
    for (guint i = 0; i < 100; i++)
        g_string_append_printf(pools, "%s" POOL("pool-%u", "active", "'A'", NAME("4Q")),
                               i ? "," : "", i);
    text = g_strdup_printf("{'gpus': <[" A_FREE "]>, 'pools': <[%s]>}", pools->str);
    answer = get_state(text);
    vgpu_publish_make(&publisher, &(VgpuPublishView) { .state = answer, .now = NOW }, &out);
    value = vgpu_fit_encode(g_hash_table_lookup(out.fits, "4Q"), NULL);
    assert_non_null(value);
    assert_in_range(out.left_out, 1, 99);
}

/* --- the host --------------------------------------------------------------------------------- */

static const struct {
    const char *about, *state;
    bool is_draining;
    const char *summary;
} summaries[] = {
    { "active", STATE(A_FREE "," B_FREE, ALL, ""), false,
      "{\"name\":\"h1\",\"uri\":\"qemu+ssh://h1/"
      "system\",\"state\":\"active\",\"epoch\":1700000000,"
      "\"free\":32768,\"total\":49152}" },
    { "asked to take nothing new", STATE(A_FREE, ALL, ""), true,
      "{\"name\":\"h1\",\"uri\":\"qemu+ssh://h1/system\",\"state\":\"draining\","
      "\"epoch\":1700000000,\"free\":12288,\"total\":16384}" },
    { "no virtvgpud", NULL, true,
      "{\"name\":\"h1\",\"uri\":\"qemu+ssh://h1/system\",\"state\":\"down\",\"epoch\":1700000000,"
      "\"free\":0,\"total\":0}" },
};

static void
test_summaries(void **state)
{
    g_auto(VgpuPublisher) publisher = { 0 };

    get_publisher(&publisher);
    for (gsize i = 0; i < G_N_ELEMENTS(summaries); i++) {
        g_autoptr(GVariant) answer = get_state(summaries[i].state);
        const VgpuPublishView view = { .state = answer,
                                       .is_draining = summaries[i].is_draining,
                                       .now = NOW };
        g_auto(VgpuPublication) out = { 0 };
        g_autofree char *text = NULL;

        vgpu_publish_make(&publisher, &view, &out);
        text = vgpu_summary_encode(out.summary, NULL);
        if (g_strcmp0(text, summaries[i].summary) != 0)
            fail_msg("%s: %s", summaries[i].about, text);
    }
}

/* --- domains ---------------------------------------------------------------------------------- */

static const struct {
    const char *about, *vgpus;
    bool is_moving;      /* VM1 */
    const char *holding; /* of VM1; NULL: it has none */
    bool is_idle;        /* VM1 */
} domains[] = {
    { "runs", VGPU(VM1, "vm1", "active", "4Q"), false, "running 1x4Q/4096", false },
    { "runs with two of one size and one of another",
      VGPU(VM1, "vm1", "active", "8Q") "," VGPU(VM1, "vm1", "active",
                                                "4Q") "," VGPU(VM1, "vm1", "active", "8Q"),
      false, "running 1x4Q/4096 2x8Q/0", false },
    { "starts", VGPU(VM1, "vm1", "attaching", "4Q"), false, "running 1x4Q/4096", false },
    { "runs without its vGPU", VGPU(VM1, "vm1", "failed", "4Q"), false, "running 1x4Q/4096",
      false },
    { "is saved", VGPU(VM1, "vm1", "saved", "4Q"), false, "saved 1x4Q/4096", false },
    { "is off", VGPU(VM1, "vm1", "planned", "4Q"), false, NULL, true },
    { "has stopped", VGPU(VM1, "vm1", "releasing", "4Q"), false, NULL, true },
    { "runs, and asks for one more",
      VGPU(VM1, "vm1", "planned", "4Q") "," VGPU(VM1, "vm1", "active", "4Q"), false,
      "running 1x4Q/4096", false },
    { "migrates", VGPU(VM1, "vm1", "active", "4Q"), true, "moving 1x4Q/4096", false },
    { "has migrated away", VGPU(VM1, "vm1", "releasing", "4Q"), true, NULL, true },
    { "another one", VGPU(VM2, "vm2", "active", "4Q"), false, NULL, false },
    { "no UUID", VGPU("vm1", "vm1", "active", "4Q"), false, NULL, false },
    { "of nobody", "{'state': <'foreign'>, 'profile': <'4Q'>}", false, NULL, false },
};

static char *
describe(const VgpuHolding *holding)
{
    GString *out = g_string_new(vgpu_holding_state_name(holding->state));

    for (guint i = 0; i < holding->wants->len; i++) {
        const VgpuWant *want = &g_array_index(holding->wants, VgpuWant, i);

        g_string_append_printf(out, " %ux%s/%u", want->count, want->profile, want->fb_mib);
    }
    return g_string_free(out, FALSE);
}

static void
test_domains(void **state)
{
    g_auto(VgpuPublisher) publisher = { 0 };
    g_autoptr(GHashTable) moving = g_hash_table_new(g_str_hash, g_str_equal);

    get_publisher(&publisher);
    g_hash_table_add(moving, (gpointer) VM1);
    for (gsize i = 0; i < G_N_ELEMENTS(domains); i++) {
        g_autofree char *text = g_strdup_printf(STATE(A_FREE, ALL, "%s"), domains[i].vgpus);
        g_autoptr(GVariant) answer = get_state(text);
        const VgpuPublishView view = { .state = answer,
                                       .moving = domains[i].is_moving ? moving : NULL,
                                       .now = NOW };
        g_auto(VgpuPublication) out = { 0 };
        const VgpuHolding *holding;
        g_autofree char *found = NULL;

        vgpu_publish_make(&publisher, &view, &out);
        holding = g_hash_table_lookup(out.domains, VM1);
        found = holding ? describe(holding) : NULL;
        if (g_strcmp0(found, domains[i].holding) != 0 ||
            g_hash_table_contains(out.idle, VM1) != domains[i].is_idle)
            fail_msg("%s: %s", domains[i].about, found);
        if (!holding)
            continue;
        assert_string_equal(holding->tenant, "acme");
        assert_string_equal(holding->host, publisher.host);
        assert_string_equal(g_hash_table_lookup(out.names, VM1), "vm1");
    }
}

/* Without libvirt virtvgpud cannot be sure that a domain does not run, and without virtvgpud nobody knows. */
static void
test_unknown_domains(void **state)
{
    g_auto(VgpuPublisher) publisher = { 0 };
    g_autoptr(GVariant) answer = get_state("{'libvirt_connected': <false>}");
    g_auto(VgpuPublication) unsure = { 0 }, silent = { 0 };

    get_publisher(&publisher);
    vgpu_publish_make(&publisher, &(VgpuPublishView) { .state = answer, .now = NOW }, &unsure);
    assert_null(unsure.domains);
    vgpu_publish_make(&publisher, &(VgpuPublishView) { .now = NOW }, &silent);
    assert_null(silent.domains);
}

/* --- who -------------------------------------------------------------------------------------- */

#define TEN "xxxxxxxxxx"

static const struct {
    const char *about, *machine, *name, *label, *uri;
    const char *shown; /* NULL: it is refused */
} names[] = {
    { "a name", MACHINE, "h1.example.org", "rack=r1", NULL, "qemu+ssh://h1.example.org/system" },
    { "a URI", MACHINE, "h1", "rack=r1", "qemu+tls://h1/system", "qemu+tls://h1/system" },
    { "a name of any bytes", MACHINE, "h\xc3\"1", "a=", NULL, "qemu+ssh://h??1/system" },
    { "no machine-id", "", "h1", "rack=r1", NULL, NULL },
    { "one that is not made yet", "uninitialized\n", "h1", "rack=r1", NULL, NULL },
    { "a label without a value", MACHINE, "h1", "rack", NULL, NULL },
    { "no URI", MACHINE, "h1", "rack=r1", "qemu:// h1", NULL },
    { "a URI that is too long", MACHINE, "h1", "rack=r1",
      "qemu://" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN, NULL },
};

static void
test_who(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *labels[] = { names[i].label, NULL };
        const VgpuFleetConfig config = { .labels = (char **) labels,
                                         .uri = (char *) names[i].uri };
        g_auto(VgpuPublisher) publisher = { 0 };
        g_autoptr(GError) error = NULL;
        bool is_right =
            vgpu_publish_who(&config, names[i].machine, names[i].name, NOW, &publisher, &error);

        if (is_right != !!names[i].shown || g_strcmp0(publisher.uri, names[i].shown) != 0)
            fail_msg("%s: %s", names[i].about, publisher.uri);
        if (is_right)
            assert_null(strstr(publisher.host, "0123456789ab")); /* it is confidential */
    }
}

/* The longest name with the longest URI has room beside all numbers. */
static void
test_longest(void **state)
{
    g_autofree char *name = g_strnfill(200, 'x'), *uri = g_strnfill(VGPU_PUBLISH_URI, 'x');
    const char *labels[] = { NULL };
    const VgpuFleetConfig config = { .labels = (char **) labels, .uri = uri };
    g_auto(VgpuPublisher) publisher = { 0 };
    g_auto(VgpuPublication) out = { 0 };
    g_autofree char *text = NULL;

    assert_true(vgpu_publish_who(&config, MACHINE, name, G_MAXINT32, &publisher, NULL));
    vgpu_publish_make(&publisher, &(VgpuPublishView) { .now = NOW }, &out);
    out.summary->state = VGPU_SUMMARY_DRAINING;
    out.summary->fb_free_mib = out.summary->fb_total_mib = G_MAXUINT32;
    text = vgpu_summary_encode(out.summary, NULL);
    assert_non_null(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fits),
        cmocka_unit_test(test_too_many_pools),
        cmocka_unit_test(test_summaries),
        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_unknown_domains),
        cmocka_unit_test(test_who),
        cmocka_unit_test(test_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
