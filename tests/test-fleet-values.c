/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys and values that hosts share: the same after they were written and read again, and within their limits. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "fleet/details.h"
#include "fleet/holding.h"
#include "fleet/key.h"
#include "fleet/quota.h"
#include "fleet/store.h"
#include "fleet/summary.h"

#define HOST "0a0a0a0a-0000-4000-8000-000000000001"
#define DOMAIN "0b0b0b0b-0000-4000-8000-000000000001"

static void
assert_key(char *key, const char *expected)
{
    assert_string_equal(key, expected);
    g_free(key);
}

static void
test_keys(void **state)
{
    assert_key(vgpu_key_host("H"), "/virt-vgpu/1/hosts/H/s");
    assert_key(vgpu_key_gen("H"), "/virt-vgpu/1/gen/H");
    assert_key(vgpu_key_details("H"), "/virt-vgpu/1/details/H");
    assert_key(vgpu_key_domain("D"), "/virt-vgpu/1/domains/D");
    assert_key(vgpu_key_fit("NVIDIA A2-4Q", "H"), "/virt-vgpu/1/fit/NVIDIA+A2-4Q/H");
    assert_key(vgpu_key_fit("a+b/c", "H"), "/virt-vgpu/1/fit/a%2Bb%2Fc/H");
    assert_key(vgpu_key_fit("a", NULL), "/virt-vgpu/1/fit/a/");
    assert_key(vgpu_key_on("H", "D"), "/virt-vgpu/1/on/H/D");
    assert_key(vgpu_key_resv("H", "D"), "/virt-vgpu/1/resv/H/D");
    assert_key(vgpu_key_tenant("ac me", "D"), "/virt-vgpu/1/tenants/ac+me/D");
    assert_key(vgpu_key_quota("ac me"), "/virt-vgpu/1/quota/ac+me");
    assert_key(vgpu_key_quota("\xc3\xa4"), "/virt-vgpu/1/quota/%C3%A4");
    assert_key(vgpu_key_drain("H"), "/virt-vgpu/1/drain/H");
    assert_key(vgpu_key_details("H"), "/virt-vgpu/1/details/H");
    assert_key(vgpu_key_name("/virt-vgpu/1/fit/a%2Bb%2Fc/H"), "a+b/c");
    assert_key(vgpu_key_name("/virt-vgpu/1/tenants/ac+me/D"), "ac me");
    assert_key(vgpu_key_name("/virt-vgpu/1/quota/%C3%A4"), "\xc3\xa4");
    assert_null(vgpu_key_name("/virt-vgpu/1/quota/%zz"));
    assert_null(vgpu_key_name("/other/quota/a"));
    assert_string_equal(vgpu_key_last("/virt-vgpu/1/on/H/D"), "D");
}

static void
test_holding(void **state)
{
    g_autoptr(VgpuHolding) holding = vgpu_holding_new(DOMAIN, HOST, VGPU_HOLDING_MOVING),
                           again = NULL;
    g_autofree char *text = NULL, *second = NULL;

    vgpu_holding_add(holding, "NVIDIA A2-4Q", 2, 4096);
    vgpu_holding_add(holding, "a \"b\"", 1, 0);
    holding->tenant = g_strdup("acme");
    holding->since = 17;
    holding->by = g_strdup("me");
    holding->id = g_strdup("7");
    text = vgpu_holding_encode(holding);
    again = vgpu_holding_decode("x/" DOMAIN, text);
    assert_non_null(again);
    second = vgpu_holding_encode(again);
    assert_string_equal(text, second);
    assert_string_equal(again->domain, DOMAIN);
    assert_int_equal(vgpu_holding_count(again), 3);
    assert_int_equal(vgpu_holding_mib(again), 8192);
}

static void
test_no_holdings(void **state)
{
    static const struct {
        const char *about, *key, *text;
    } rows[] = {
        { "no JSON", DOMAIN, "x" },
        { "no object", DOMAIN, "[]" },
        { "no state", DOMAIN, "{\"host\":\"" HOST "\"}" },
        { "unknown state", DOMAIN, "{\"host\":\"" HOST "\",\"state\":\"gone\"}" },
        { "no host", DOMAIN, "{\"state\":\"running\"}" },
        { "no UUID", DOMAIN, "{\"host\":\"../x\",\"state\":\"running\"}" },
        { "no UUID in the key", "x", "{\"host\":\"" HOST "\",\"state\":\"running\"}" },
        { "no count", DOMAIN,
          "{\"host\":\"" HOST "\",\"state\":\"running\",\"profiles\":[{\"profile\":\"a\"}]}" },
        { "count too large", DOMAIN,
          "{\"host\":\"" HOST
          "\",\"state\":\"running\",\"profiles\":[{\"profile\":\"a\",\"count\":99999}]}" },
        { "no profile", DOMAIN,
          "{\"host\":\"" HOST "\",\"state\":\"running\",\"profiles\":[{\"count\":1}]}" },
        { "empty tenant", DOMAIN,
          "{\"host\":\"" HOST "\",\"state\":\"running\",\"tenant\":\"\"}" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        VgpuHolding *holding = vgpu_holding_decode(rows[i].key, rows[i].text);

        if (holding)
            fail_msg("%s", rows[i].about);
    }
}

static void
test_summary(void **state)
{
    VgpuSummary summary = { .name = (char *) "h1.example.org",
                            .uri = (char *) "qemu+ssh://root@h1.example.org/system",
                            .state = VGPU_SUMMARY_DRAINING,
                            .epoch = 1700000000,
                            .driver = (char *) "550.54.16",
                            .libvirt = (char *) "9.0.0",
                            .fb_free_mib = 8 * 49140,
                            .fb_total_mib = 8 * 49140 };
    g_autofree char *text = vgpu_summary_encode(&summary, NULL), *second = NULL;
    g_autoptr(VgpuSummary) again = vgpu_summary_decode(text);
    g_autofree char *longest = g_strnfill(VGPU_SUMMARY_MAX, 'x');
    g_autoptr(GError) error = NULL;

    assert_non_null(again);
    assert_true(strlen(text) <= VGPU_SUMMARY_MAX);
    second = vgpu_summary_encode(again, NULL);
    assert_string_equal(text, second);
    summary.uri = longest;
    assert_null(vgpu_summary_encode(&summary, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST));
    assert_null(vgpu_summary_decode("{}"));
    assert_null(vgpu_summary_decode("{\"state\":\"active\"}"));
    assert_null(vgpu_summary_decode("{\"state\":\"?\",\"name\":\"x\"}"));
}

static void
test_fit(void **state)
{
    const char *pools[] = { "default", "design", NULL }, *labels[] = { "rack=r1", NULL };
    VgpuFit fit = { .available = 12,
                    .block = 4,
                    .per_gpu = 8,
                    .fb_mib = 4096,
                    .mixed = true,
                    .pools = (char **) pools,
                    .labels = (char **) labels };
    g_autofree char *text = vgpu_fit_encode(&fit, NULL), *second = NULL;
    g_autoptr(VgpuFit) again = vgpu_fit_decode(text), odd = NULL;

    assert_string_equal(text, "{\"n\":12,\"block\":4,\"gpu\":8,\"mib\":4096,\"mixed\":1,"
                              "\"pools\":[\"default\",\"design\"],\"labels\":[\"rack=r1\"]}");
    second = vgpu_fit_encode(again, NULL);
    assert_string_equal(text, second);
    odd = vgpu_fit_decode(
        "{\"n\":-5,\"block\":\"x\",\"gpu\":99999999999,\"pools\":[1,{}],\"labels\":7}");
    assert_int_equal(odd->available, 0);
    assert_int_equal(g_strv_length(odd->pools), 0);
    assert_null(vgpu_fit_decode("7"));
}

static void
test_labels(void **state)
{
    static const struct {
        const char *text;
        bool is_label;
    } rows[] = {
        { "rack=r1", true },
        { "rack=", true },
        { "rack", false },
        { "=r1", false },
        { "a b=c", false },
        { "a=b,c=d", false },
        { "a=\xc3\xa4", false },
        { "", false },
        { "a2345678901234567890=12345678901234567890", false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        assert_int_equal(vgpu_summary_is_label(rows[i].text), rows[i].is_label);
}

static void
test_quota(void **state)
{
    static const struct {
        const char *about;
        VgpuQuota quota, used, more;
        bool fits;
    } rows[] = {
        { "no limits", { 0, 0 }, { 100, 100 }, { 100, 100 }, true },
        { "the last one", { 4, 0 }, { 3, 9 }, { 1, 9 }, true },
        { "one too many", { 4, 0 }, { 3, 0 }, { 2, 0 }, false },
        { "more than there can be", { 4, 0 }, { G_MAXINT32, 0 }, { G_MAXINT32, 0 }, false },
        { "all memory", { 0, 100 }, { 9, 60 }, { 9, 40 }, true },
        { "too much memory", { 9, 100 }, { 1, 60 }, { 1, 41 }, false },
    };
    VgpuQuota quota = { 7, 8 }, same;
    g_autofree char *text = vgpu_quota_encode(&quota);

    assert_true(vgpu_quota_decode(text, &same));
    assert_int_equal(same.devices, quota.devices);
    assert_int_equal(same.mib, quota.mib);
    assert_false(vgpu_quota_decode("x", &same));
    assert_false(vgpu_quota_decode("{\"devices\":-1}", &same));
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        if (vgpu_quota_check(&rows[i].quota, "acme", &rows[i].used, &rows[i].more, &error) !=
            rows[i].fits)
            fail_msg("%s", rows[i].about);
    }
}

static GBytes *
encode(const char *state, GError **error)
{
    g_autoptr(GVariant) variant =
        g_variant_parse(G_VARIANT_TYPE_VARDICT, state, NULL, NULL, NULL);

    return vgpu_details_encode(variant, error);
}

/* All of it comes back, and the same state makes the same value, with which the agent compares. */
static void
test_details(void **state)
{
    static const char *const answer = "{'gpus': <[{'address': <'A'>, 'vgpus': <uint32 7>}]>}";
    g_autoptr(GBytes) value = encode(answer, NULL), again = encode(answer, NULL);
    g_autofree char *text = vgpu_details_decode(value);

    assert_true(g_bytes_equal(value, again));
    assert_string_equal(text, "{\"gpus\":[{\"address\":\"A\",\"vgpus\":7}]}");
}

/* A host of eight GPUs has room in one value, one with random names does not. */
static void
test_long_details(void **state)
{
    g_autoptr(GString) vfs = g_string_new("{'vfs': <["), names = g_string_new("{'x': <'");
    g_autoptr(GBytes) value = NULL;
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < 8 * 64; i++)
        g_string_append_printf(
            vfs,
            "%s{'address': <'0000:41:%02x.%u'>, 'state': <'free'>, 'creatable': "
            "<['NVIDIA A2-1Q', 'NVIDIA A2-2Q', 'NVIDIA A2-4Q', 'NVIDIA A2-8Q', "
            "'NVIDIA A2-16Q', 'NVIDIA A2-4A']>}",
            i ? "," : "", i / 8, i % 8);
    g_string_append(vfs, "]>}");
    value = encode(vfs->str, NULL);
    assert_non_null(value);
    text = vgpu_details_decode(value);
    assert_in_range(strlen(text), VGPU_STORE_VALUE_MAX, 2 * VGPU_STORE_VALUE_MAX);

    for (guint i = 0, x = 1; i < 4 * VGPU_STORE_VALUE_MAX; i++, x = x * 1103515245 + 12345)
        g_string_append_c(names, (char) ('a' + (x >> 16) % 26));
    g_string_append(names, "'>}");
    assert_null(encode(names->str, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST));
}

static void
test_no_details(void **state)
{
    g_autoptr(GBytes) plain = g_bytes_new_static("{}", 2), none = g_bytes_new_static("", 0);
    g_autoptr(GBytes) whole = encode("{'x': <1>}", NULL);
    g_autoptr(GBytes) part = g_bytes_new_from_bytes(whole, 0, g_bytes_get_size(whole) - 9);

    assert_null(vgpu_details_decode(plain));
    assert_null(vgpu_details_decode(none));
    assert_null(vgpu_details_decode(part));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),        cmocka_unit_test(test_holding),
        cmocka_unit_test(test_no_holdings), cmocka_unit_test(test_summary),
        cmocka_unit_test(test_fit),         cmocka_unit_test(test_labels),
        cmocka_unit_test(test_details),     cmocka_unit_test(test_long_details),
        cmocka_unit_test(test_no_details),  cmocka_unit_test(test_quota),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
