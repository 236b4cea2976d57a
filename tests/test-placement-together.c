/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several vGPUs of one domain: all of them, or none. */
#include "test.h"

#include <string.h>

#include "placement-host.h"

#define TWICE(want) want " | " want
#define FOUR(want) TWICE(want) " | " TWICE(want)
#define SIXTEEN(want) FOUR(want) " | " FOUR(want) " | " FOUR(want) " | " FOUR(want)

static void
want_free(gpointer data)
{
    VgpuWant *self = data;

    g_strfreev(self->profiles);
    g_free(self->gpu);
    g_free(self->vf);
    g_free(self->pool);
    g_free(self);
}

/* "ALTERNATIVES WORD… | …", words as in the table. */
static GPtrArray *
make_wants(const char *text)
{
    GPtrArray *wants = g_ptr_array_new_with_free_func(want_free);
    g_auto(GStrv) one = g_strsplit(text, " | ", -1);

    for (char **w = one; *w; w++) {
        g_auto(GStrv) words = g_strsplit(*w, " ", -1);
        VgpuWant *want = g_new0(VgpuWant, 1);

        want->profiles = g_strsplit(words[0], ",", -1);
        for (char **word = words + 1; *word; word++) {
            if (g_str_has_prefix(*word, "gpu="))
                want->gpu = g_strdup(*word + strlen("gpu="));
            else if (g_str_has_prefix(*word, "vf="))
                want->vf = g_strdup(*word + strlen("vf="));
            else if (g_str_has_prefix(*word, "pool="))
                want->pool = g_strdup(*word + strlen("pool="));
            else if (g_str_equal(*word, "spread"))
                want->placement = VGPU_PLACEMENT_SPREAD;
            else
                fail_msg("%s", *word);
        }
        g_ptr_array_add(wants, want);
    }
    return wants;
}

/* "PARENT ID; …", or "failed N". */
static char *
place(const PlacementHost *host, const char *text)
{
    g_autoptr(GPtrArray) wants = make_wants(text);
    guint failed = G_MAXUINT;
    g_autoptr(GArray) spots = vgpu_placement_together(&host->snapshot, wants, &failed);
    g_autoptr(GString) out = g_string_new(NULL);

    if (!spots)
        return g_strdup_printf("failed %u", failed);
    assert_int_equal(failed, G_MAXUINT);
    assert_int_equal(spots->len, wants->len);
    for (guint i = 0; i < spots->len; i++) {
        const VgpuSpot *spot = &g_array_index(spots, VgpuSpot, i);

        assert_ptr_equal(vgpu_gpu_find_parent(spot->gpu, spot->parent->address), spot->parent);
        g_string_append_printf(out, "%s%s %s", i ? "; " : "", spot->parent->address,
                               spot->profile->id + strlen("nvidia-"));
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* Here, `profiles` are wants: "ALTERNATIVES WORD… | …". */
static void
check_together(const PlacementCase *cases, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        g_auto(PlacementHost) host = placement_host_new(&cases[i]);
        g_autofree char *result = place(&host, cases[i].profiles);

        if (!g_str_equal(result, cases[i].result))
            fail_msg("%s: '%s' instead of '%s'", cases[i].what, result, cases[i].result);
    }
}

static void
test_one_by_one(void **state)
{
    static const PlacementCase cases[] = {
        { "one", "a2 " A, "A2-4Q", VF0 " 746" },
        { "two on one GPU", "a2 " A, TWICE("A2-4Q"), VF0 " 746; " VF1 " 746" },
        { "two series of one size", "p40 " A, "P40-4Q | P40-4C", A " 49; " A " 283" },
        { "two that go alone in a domain", "a2 " A "; a2 " B, TWICE("A2-4A"), "failed 1" },
        { "one that goes alone beside another", "a2 " A "; a2 " B, "A2-4Q | A2-4A", "failed 1" },
        { "one that goes alone beside what the domain has", "a2 " A, "A2-4A", "failed 0",
          .own = "nvidia-746" },
        { "MIG-backed ones go alone, too", "mig " A " gi=19 gi=19", TWICE("A100-1-5C"),
          "failed 1" },
        { "the second one on the next GPU", "p40 " A " 49 49 49 49 49; p40 " B, TWICE("P40-4Q"),
          A " 49; " B " 49" },
        { "room for one only", "p40 " A " 49 49 49 49 49", TWICE("P40-4Q"), "failed 1" },
        { "the last one has no room", "a2 " A " vf0=746 vf1=746", FOUR("A2-4Q"), "failed 2" },
        { "promised vGPUs count", "a2 " A, TWICE("A2-4Q"), "failed 1",
          .reserved = "r0 " VF0 " 746; r1 " VF1 " 746; r2 " VF2 " 746" },
        { "a vGPU that is being created, without a type yet, counts", "a2 " A " vf0=unknown",
          TWICE("A2-8Q"), "failed 0", .reserved = "u0 " VF0 " 746" },
        { "a vGPU in use and promised counts once", "a2 " A " vf0=746 vf1=746", TWICE("A2-4Q"),
          VF2 " 746; " VF3 " 746", .reserved = "u0 " VF0 " 746; u1 " VF1 " 746" },
        { "sizes mixed: the frame buffer is shared", "a2 " A " mixed vf0=747", TWICE("A2-8Q"),
          "failed 1" },
        { "sizes mixed", "a2 " A " mixed vf0=747", "A2-4Q | A2-2Q", VF1 " 746; " VF2 " 745" },
        { "each by its own policy", "a2 " A " vf0=746; a2 " B, "A2-4Q spread | A2-4Q",
          B_VF0 " 746; " VF1 " 746" },
        { "the second size on the second GPU", "a2 " A "; a2 " B, "A2-4Q | A2-8Q",
          VF0 " 746; " B_VF0 " 747" },
        { "sixteen on four GPUs", "a2 " A "; a2 " B "; a2 " C "; a2 0000:e1:00.0",
          SIXTEEN("A2-4Q"),
          VF0 " 746; " VF1 " 746; " VF2 " 746; " VF3 " 746; " B_VF0 " 746; " B_VF1 " 746; " B_VF2
              " 746; 0000:81:00.7 746; " C_VF0 " 746; " C_VF1
              " 746; 0000:c1:00.6 746; 0000:c1:00.7 746; 0000:e1:00.4 746; 0000:e1:00.5 746; "
              "0000:e1:00.6 746; 0000:e1:00.7 746" },
        { "sixteen on three", "a2 " A "; a2 " B "; a2 " C, SIXTEEN("A2-4Q"), "failed 12" },
        { "nothing has the profile", "a2 " A, "A2-4Q | L4-4Q", "failed 1" },
    };

    check_together(cases, G_N_ELEMENTS(cases));
}

/* Placing them one by one would fail. */
static void
test_search(void **state)
{
    static const PlacementCase cases[] = {
        { "the first makes room for the second's size", "a2 " A "; a2 " B, "A2-4Q | A2-8Q gpu=" A,
          B_VF0 " 746; " VF0 " 747" },
        { "the first three make room for the size of the fourth", "a2 " A "; a2 " B,
          "A2-2Q | A2-2Q | A2-2Q | A2-8Q gpu=" A,
          B_VF0 " 745; " B_VF1 " 745; " B_VF2 " 745; " VF0 " 747" },
        { "although pack would have it there", "a2 " A " vf0=746; a2 " B " vf0=746",
          "A2-4Q | A2-4Q gpu=" A " | A2-4Q gpu=" A " | A2-4Q gpu=" A,
          B_VF1 " 746; " VF1 " 746; " VF2 " 746; " VF3 " 746" },
        { "there is no way", "a2 " A "; a2 " B, "A2-4Q gpu=" A " | A2-8Q gpu=" A, "failed 1" },
        { "the first takes its second alternative", "a2 " A, "A2-4Q,A2-2Q | A2-2Q gpu=" A,
          VF1 " 745; " VF0 " 745" },
        { "the second does if that is enough", "a2 " A, "A2-8Q,A2-4Q | A2-4Q,A2-8Q",
          VF0 " 747; " VF1 " 747" },
        { "the first moves, so that the second has its first", "a2 " A "; a2 " B,
          "A2-4Q | A2-8Q,A2-4Q gpu=" A, B_VF0 " 746; " VF0 " 747" },
        { "all have their first although the search began elsewhere", "a2 " A "; a2 " B,
          "A2-4Q,A2-2Q | A2-8Q gpu=" A " | A2-4Q,A2-8Q gpu=" B,
          B_VF1 " 746; " VF0 " 747; " B_VF0 " 746" },
        { "a VF that one is bound to is left to it", "a2 " A, "A2-4Q | A2-4Q vf=" VF0,
          VF1 " 746; " VF0 " 746" },
        { "also when that is found by searching", "a2 " A "; a2 " B,
          "A2-4Q | A2-8Q gpu=" A " | A2-8Q vf=" VF0, B_VF0 " 746; " VF1 " 747; " VF0 " 747" },
        { "bound to one that is not available", "a2 " A, "A2-4Q vf=" VF0 " | A2-4Q", "failed 0",
          .closed = VF0 },
        { "bound to one that is taken", "a2 " A " vf0=746", "A2-4Q | A2-4Q vf=" VF0, "failed 1" },
    };

    check_together(cases, G_N_ELEMENTS(cases));
}

#define ACME "design gpu=" A " gpu=" B " tenant=acme:2"

static void
test_pools(void **state)
{
    static const PlacementCase cases[] = {
        { "within the tenant's limit", "a2 " A, TWICE("A2-4Q pool=design"),
          VF0 " 746; " VF1 " 746", .pools = ACME, .tenant = "acme" },
        { "the second one is over it", "a2 " A "; a2 " B, TWICE("A2-4Q pool=design"), "failed 1",
          .pools = ACME, .tenant = "acme", .used = "design 1 vm1" },
        { "none left in one pool, but in another", "a2 " A "; a2 " C,
          TWICE("A2-4Q pool=design") " | A2-4Q", VF0 " 746; " VF1 " 746; " C_VF0 " 746",
          .pools = ACME, .tenant = "acme" },
        { "failed attempts do not count", "a2 " A,
          "A2-8Q,A2-4Q pool=design | A2-4Q,A2-2Q pool=design", VF0 " 746; " VF1 " 746",
          .pools = ACME, .tenant = "acme" },
        { "within its frame buffer", "a2 " A, TWICE("A2-4Q pool=design"), VF0 " 746; " VF1 " 746",
          .pools = "design gpu=" A " tenant=acme:9:8192", .tenant = "acme" },
        { "the second one is over it", "a2 " A, TWICE("A2-4Q pool=design"), "failed 1",
          .pools = "design gpu=" A " tenant=acme:9:8191", .tenant = "acme" },
        { "beside what it has", "a2 " A, TWICE("A2-4Q pool=design"), "failed 1",
          .pools = "design gpu=" A " tenant=acme:9:8192", .tenant = "acme",
          .used = "design 1:1 vm1" },
        { "frame buffer that was tried does not count", "a2 " A,
          "A2-8Q,A2-4Q pool=design | A2-4Q,A2-2Q pool=design", VF0 " 746; " VF1 " 746",
          .pools = "design gpu=" A " tenant=acme:9:8192", .tenant = "acme" },
        { "each in its pool", "a2 " A "; a2 " C, "A2-4Q | A2-4Q pool=design",
          C_VF0 " 746; " VF0 " 746", .pools = "design gpu=" A },
    };

    check_together(cases, G_N_ELEMENTS(cases));
}

/* The same snapshot is used for another domain next. */
static void
test_snapshot_is_untouched(void **state)
{
    static const PlacementCase c = {
        .cards = "a2 " A "; a2 " B,
        .pools = "design gpu=" A " gpu=" B " tenant=acme:4:65536",
        .tenant = "acme",
        .used = "design 1:4096 vm1",
        .reserved = "r0 " VF4 " 746",
        .closed = VF5,
        .own = "nvidia-746",
    };
    g_auto(PlacementHost) host = placement_host_new(&c);
    g_autofree char *done = place(&host, "A2-4Q pool=design | A2-4Q pool=design vf=" VF0);
    g_autofree char *failed = place(&host, "A2-4Q pool=design | A2-8Q pool=design gpu=" A);

    assert_string_equal(done, VF1 " 746; " VF0 " 746");
    assert_string_equal(failed, "failed 1");
    assert_int_equal(host.reservations->len, 1);
    assert_int_equal(host.own->len, 1);
    assert_int_equal(g_hash_table_size(host.closed), 1);
    assert_int_equal(GPOINTER_TO_UINT(g_hash_table_lookup(host.tenant_used, "design")), 1);
    assert_int_equal(GPOINTER_TO_UINT(g_hash_table_lookup(host.tenant_mib, "design")), 4096);
}

/* Only one of many combinations works: each GPU has room for one large and one small vGPU. */
static void
test_large_ones_first(void **state)
{
    g_autoptr(GString) cards = g_string_new(NULL);
    PlacementCase c = { 0 };

    for (guint i = 0; i < 8; i++)
        g_string_append_printf(cards, "%sa2 0000:%02x:00.0 mixed vf0=746", i ? "; " : "",
                               0x20 + i);
    c.cards = cards->str;
    g_auto(PlacementHost) host = placement_host_new(&c);
    g_autofree char *result =
        place(&host, FOUR("A2-4Q") " | " FOUR("A2-4Q") " | " FOUR("A2-8Q") " | " FOUR("A2-8Q"));

    if (g_str_has_prefix(result, "failed"))
        fail_msg("%s", result);
}

/* Impossible, as a tenant may have ten, with very many combinations to try: the answer must come
 * in time all the same. */
static void
test_bounded(void **state)
{
    g_autoptr(GString) cards = g_string_new(NULL);
    g_autoptr(GString) pool = g_string_new("design tenant=acme:10");
    PlacementCase c = { .tenant = "acme" };
    gint64 since;

    for (guint i = 0; i < 8; i++) {
        g_string_append_printf(cards, "%sa2 0000:%02x:00.0 mixed", i ? "; " : "", 0x20 + i);
        g_string_append_printf(pool, " gpu=0000:%02x:00.0", 0x20 + i);
    }
    c.cards = cards->str;
    c.pools = pool->str;
    g_auto(PlacementHost) host = placement_host_new(&c);
    since = g_get_monotonic_time();
    g_autofree char *result = place(&host, SIXTEEN("A2-4Q,A2-2Q pool=design"));

    assert_string_equal(result, "failed 10");
    assert_true(g_get_monotonic_time() - since < 20 * G_USEC_PER_SEC);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_by_one),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_snapshot_is_untouched),
        cmocka_unit_test(test_large_ones_first),
        cmocka_unit_test(test_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
