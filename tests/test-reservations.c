/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of reservations: entries are found by each of their indexes, and nothing else is. */
#include "test.h"

#include <string.h>

#include "core/reservations.h"

#define WEB1 "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"
#define WEB2 "11111111-2222-4333-8444-555555555555"
#define VGPU_0 "251e8969-0e28-5c92-b0e8-c8bd34136128"
#define VGPU_1 "fa08193e-3000-5592-b694-36dd62ade913"
#define WEB3 "33333333-2222-4333-8444-555555555555"
#define VGPU_2 "2a08193e-3000-5592-b694-36dd62ade913"
#define THIRD_GPU "0000:63:00.0"
#define VF2 "0000:63:00.4"
#define GPU "0000:61:00.0"
#define OTHER_GPU "0000:62:00.0"
#define VF0 "0000:61:00.4"
#define VF1 "0000:61:00.5"

static VgpuClaim *
put(VgpuReservations *table, VgpuKind kind, const char *key, const char *domain, const char *uuid,
    const char *gpu, const char *parent)
{
    VgpuOwner *owner = vgpu_reservations_need(table, kind, key, domain, domain ? "web" : NULL);
    VgpuClaim *claim = vgpu_claim_new(uuid, 0);

    claim->gpu = g_strdup(gpu);
    claim->parent = g_strdup(parent);
    vgpu_reservations_add(table, owner, claim);
    assert_ptr_equal(claim->owner, owner);
    return claim;
}

/* "KIND KEY, …" of claims, or of owners. */
static char *
describe(const GPtrArray *list, bool of_claims)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; list && i < list->len; i++) {
        const VgpuOwner *owner =
            of_claims ? ((const VgpuClaim *) list->pdata[i])->owner : list->pdata[i];

        g_string_append_printf(text, "%s%s %.4s", i ? ", " : "",
                               vgpu_reservations_kind_to_string(owner->kind), owner->key);
    }
    return g_string_free(text, FALSE);
}

typedef enum { BY_UUID, BY_PARENT, BY_GPU, BY_DOMAIN } Index;

static void
assert_found(const VgpuReservations *table, Index index, const char *key, const char *wanted)
{
    static const GPtrArray *(*const look[])(const VgpuReservations *self, const char *key) = {
        [BY_UUID] = vgpu_reservations_of_uuid,
        [BY_PARENT] = vgpu_reservations_of_parent,
        [BY_GPU] = vgpu_reservations_of_gpu,
        [BY_DOMAIN] = vgpu_reservations_of_domain,
    };
    g_autofree char *found = describe(look[index](table, key), index != BY_DOMAIN);

    if (strcmp(found, wanted) != 0)
        fail_msg("%s: '%s', not '%s'", key ? key : "(none)", found, wanted);
}

/* One of each kind; an entry without a UUID or a parent is in the other indexes only. */
static VgpuReservations *
make_table(void)
{
    VgpuReservations *table = vgpu_reservations_new();

    (void) put(table, VGPU_KIND_RUN, WEB1, WEB1, VGPU_0, GPU, VF0);
    (void) put(table, VGPU_KIND_HANDMADE, VGPU_1, NULL, VGPU_1, OTHER_GPU, OTHER_GPU);
    (void) put(table, VGPU_KIND_PERSISTENT, WEB2, WEB2, VGPU_1, OTHER_GPU, OTHER_GPU);
    (void) put(table, VGPU_KIND_HELD, WEB3, WEB3, VGPU_2, THIRD_GPU, VF2);
    (void) put(table, VGPU_KIND_SAVED, VGPU_2, NULL, NULL, NULL, NULL);
    (void) put(table, VGPU_KIND_PLANNED, WEB1, WEB1, VGPU_0, GPU, VF1);
    (void) put(table, VGPU_KIND_INCOMING, WEB2, WEB2, VGPU_1, GPU, VF1);
    (void) put(table, VGPU_KIND_REFUSED, VF0, NULL, NULL, GPU, VF0);
    (void) put(table, VGPU_KIND_SETUP, OTHER_GPU, NULL, NULL, OTHER_GPU, NULL);
    return table;
}

static const struct {
    Index index;
    const char *key;
    const char *found;
} made[] = {
    { BY_UUID, VGPU_0, "run 6f0c, planned 6f0c" },
    { BY_UUID, VGPU_1, "handmade fa08, persistent 1111, incoming 1111" },
    { BY_UUID, VGPU_2, "held 3333" },
    { BY_PARENT, VF2, "held 3333" },
    { BY_GPU, THIRD_GPU, "held 3333" },
    { BY_DOMAIN, WEB3, "held 3333" },
    { BY_UUID, WEB1, "" },
    { BY_UUID, NULL, "" },
    { BY_PARENT, VF0, "run 6f0c, refused 0000" },
    { BY_PARENT, VF1, "planned 6f0c, incoming 1111" },
    { BY_PARENT, OTHER_GPU, "handmade fa08, persistent 1111" },
    { BY_PARENT, NULL, "" },
    { BY_GPU, GPU, "run 6f0c, planned 6f0c, incoming 1111, refused 0000" },
    { BY_GPU, OTHER_GPU, "handmade fa08, persistent 1111, setup 0000" },
    { BY_GPU, NULL, "" },
    { BY_DOMAIN, WEB1, "run 6f0c, planned 6f0c" },
    { BY_DOMAIN, WEB2, "persistent 1111, incoming 1111" },
    { BY_DOMAIN, VGPU_1, "" },
    { BY_DOMAIN, NULL, "" },
};

static void
test_kinds(void **state)
{
    static const struct {
        VgpuKind kind;
        const char *name;
        bool takes_room;
        VgpuStore store;
    } cases[] = {
        { VGPU_KIND_RUN, "run", true, VGPU_STORE_RUN },
        { VGPU_KIND_HANDMADE, "handmade", true, VGPU_STORE_RUN },
        { VGPU_KIND_PERSISTENT, "persistent", true, VGPU_STORE_PERSISTENT },
        { VGPU_KIND_HELD, "held", true, VGPU_STORE_HELD },
        { VGPU_KIND_SAVED, "saved", true, VGPU_STORE_SAVED },
        { VGPU_KIND_PLANNED, "planned", false, VGPU_STORE_PLANNED },
        { VGPU_KIND_INCOMING, "incoming", true, VGPU_STORE_NONE },
        { VGPU_KIND_REFUSED, "refused", false, VGPU_STORE_NONE },
        { VGPU_KIND_SETUP, "setup", false, VGPU_STORE_NONE },
    };

    (void) state;
    assert_int_equal(G_N_ELEMENTS(cases), VGPU_N_KINDS);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_string_equal(vgpu_reservations_kind_to_string(cases[i].kind), cases[i].name);
        assert_int_equal(vgpu_reservations_kind_takes_room(cases[i].kind), cases[i].takes_room);
        assert_int_equal(vgpu_reservations_store_of(cases[i].kind), cases[i].store);
    }
}

static void
test_find(void **state)
{
    static const struct {
        VgpuKind kind;
        const char *key;
        VgpuKind found; /* VGPU_N_KINDS: nothing */
    } cases[] = {
        { VGPU_KIND_RUN, WEB1, VGPU_KIND_RUN },
        { VGPU_KIND_RUN, VGPU_1, VGPU_KIND_HANDMADE },
        { VGPU_KIND_HANDMADE, VGPU_1, VGPU_KIND_HANDMADE },
        { VGPU_KIND_HANDMADE, WEB1, VGPU_KIND_RUN },
        { VGPU_KIND_PERSISTENT, WEB1, VGPU_N_KINDS },
        { VGPU_KIND_PERSISTENT, WEB2, VGPU_KIND_PERSISTENT },
        { VGPU_KIND_HELD, WEB3, VGPU_KIND_HELD },
        { VGPU_KIND_HELD, WEB1, VGPU_N_KINDS },
        { VGPU_KIND_PLANNED, WEB1, VGPU_KIND_PLANNED },
        { VGPU_KIND_PLANNED, WEB2, VGPU_N_KINDS },
        { VGPU_KIND_INCOMING, WEB2, VGPU_KIND_INCOMING },
        { VGPU_KIND_REFUSED, VF0, VGPU_KIND_REFUSED },
        { VGPU_KIND_REFUSED, VF1, VGPU_N_KINDS },
        { VGPU_KIND_SETUP, OTHER_GPU, VGPU_KIND_SETUP },
        { VGPU_KIND_RUN, NULL, VGPU_N_KINDS },
        { VGPU_KIND_SETUP, NULL, VGPU_N_KINDS },
    };
    g_autoptr(VgpuReservations) table = make_table();

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        VgpuOwner *found = vgpu_reservations_find(table, cases[i].kind, cases[i].key);

        if ((found ? found->kind : VGPU_N_KINDS) != cases[i].found)
            fail_msg("%s %s", vgpu_reservations_kind_to_string(cases[i].kind), cases[i].key);
        if (found) /* existing entries are not added again */
            assert_ptr_equal(vgpu_reservations_need(table, cases[i].kind, cases[i].key, NULL,
                                                    NULL),
                             found);
    }
    assert_int_equal(vgpu_reservations_count(table, G_MAXUINT), VGPU_N_KINDS);
}

static void
check_made(const VgpuReservations *table)
{
    for (gsize i = 0; i < G_N_ELEMENTS(made); i++)
        assert_found(table, made[i].index, made[i].key, made[i].found);
}

static void
test_indexes(void **state)
{
    g_autoptr(VgpuReservations) table = make_table();

    (void) state;
    check_made(table);
    assert_null(vgpu_reservations_of_uuid(table, WEB1));
    assert_int_equal(vgpu_reservations_first(vgpu_reservations_of_uuid(table, VGPU_1),
                                             VGPU_KINDS(INCOMING) | VGPU_KINDS(PERSISTENT))
                         ->owner->kind,
                     VGPU_KIND_PERSISTENT);
    assert_null(
        vgpu_reservations_first(vgpu_reservations_of_uuid(table, VGPU_0), VGPU_KINDS(SETUP)));
    assert_null(vgpu_reservations_first(NULL, G_MAXUINT));
}

static void
test_gpus(void **state)
{
    static const struct {
        guint kinds;
        guint n;
        const char *first;
    } cases[] = {
        { VGPU_KINDS_MADE, 2, NULL },
        { VGPU_KINDS(RUN), 1, GPU },
        { VGPU_KINDS(SETUP), 1, OTHER_GPU },
        { 0, 0, NULL },
    };
    g_autoptr(VgpuReservations) table = make_table();

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) gpus = vgpu_reservations_gpus(table, cases[i].kinds);

        assert_int_equal(gpus->len, cases[i].n);
        if (cases[i].first)
            assert_string_equal(g_ptr_array_index(gpus, 0), cases[i].first);
    }
}

static void
test_iterate(void **state)
{
    static const struct {
        guint kinds;
        const char *owners;
    } cases[] = {
        { 0, "" },
        { VGPU_KINDS(RUN), "run 6f0c" },
        { VGPU_KINDS_MADE, "run 6f0c, handmade fa08" },
        { VGPU_KINDS_OWNED, "run 6f0c, handmade fa08, persistent 1111" },
        { VGPU_KINDS(SETUP), "setup 0000" },
        { VGPU_KINDS(PLANNED) | VGPU_KINDS(REFUSED), "planned 6f0c, refused 0000" },
    };
    g_autoptr(VgpuReservations) table = make_table();

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) list = vgpu_reservations_list(table, cases[i].kinds);
        g_autofree char *text = describe(list, false);
        VgpuReservationsIter iter;
        VgpuOwner *owner;
        guint n = 0;

        assert_string_equal(text, cases[i].owners);
        assert_int_equal(vgpu_reservations_count(table, cases[i].kinds), list->len);
        vgpu_reservations_iter_init(&iter, table, cases[i].kinds);
        while (vgpu_reservations_iter_next(&iter, &owner))
            n++;
        assert_int_equal(n, list->len);
        assert_false(vgpu_reservations_iter_next(&iter, &owner)); /* again */
    }
}

static void
test_drop(void **state)
{
    g_autoptr(VgpuReservations) table = make_table();
    VgpuOwner *run = vgpu_reservations_find(table, VGPU_KIND_RUN, WEB1);
    VgpuClaim *second = put(table, VGPU_KIND_RUN, WEB1, WEB1, VGPU_1, GPU, VF1);

    (void) state;
    vgpu_reservations_drop(table, g_ptr_array_index(run->claims, 0));
    assert_int_equal(run->claims->len, 1);
    assert_found(table, BY_UUID, VGPU_0, "planned 6f0c");
    assert_found(table, BY_PARENT, VF0, "refused 0000");
    assert_found(table, BY_PARENT, VF1, "planned 6f0c, incoming 1111, run 6f0c");
    vgpu_reservations_drop(table, second);
    assert_found(table, BY_PARENT, VF1, "planned 6f0c, incoming 1111");
    /* the owner is there until it is forgotten */
    assert_int_equal(run->claims->len, 0);
    assert_found(table, BY_DOMAIN, WEB1, "run 6f0c, planned 6f0c");
    vgpu_reservations_drop_owner(table, run);
    assert_null(vgpu_reservations_find(table, VGPU_KIND_RUN, WEB1));
    assert_found(table, BY_DOMAIN, WEB1, "planned 6f0c");
}

/* No index has leftovers, whatever the order of removal. */
static void
test_forget(void **state)
{
    (void) state;
    for (guint backwards = 0; backwards < 2; backwards++) {
        g_autoptr(VgpuReservations) table = make_table();

        for (guint i = 0; i < VGPU_N_KINDS; i++) {
            g_autoptr(GPtrArray) list =
                vgpu_reservations_list(table, 1u << (backwards ? VGPU_N_KINDS - 1 - i : i));

            vgpu_reservations_drop_owner(table, g_ptr_array_index(list, 0));
        }
        assert_int_equal(vgpu_reservations_count(table, G_MAXUINT), 0);
        for (gsize i = 0; i < G_N_ELEMENTS(made); i++)
            assert_found(table, made[i].index, made[i].key, "");
    }
}

static void
test_clear(void **state)
{
    g_autoptr(VgpuReservations) table = make_table();
    VgpuOwner *planned = vgpu_reservations_find(table, VGPU_KIND_PLANNED, WEB1);

    (void) state;
    (void) put(table, VGPU_KIND_PLANNED, WEB1, WEB1, VGPU_1, GPU, VF0);
    vgpu_reservations_clear(table, planned);
    assert_int_equal(planned->claims->len, 0);
    assert_found(table, BY_UUID, VGPU_0, "run 6f0c");
    assert_found(table, BY_PARENT, VF1, "incoming 1111");
    assert_ptr_equal(vgpu_reservations_find(table, VGPU_KIND_PLANNED, WEB1), planned);
}

/* A copy is the same, and stays so when the table changes. */
static void
test_copy(void **state)
{
    VgpuReservations *table = make_table();
    VgpuOwner *run = vgpu_reservations_find(table, VGPU_KIND_RUN, WEB1);
    VgpuClaim *claim = g_ptr_array_index(run->claims, 0);
    g_autoptr(VgpuReservations) copy = NULL;

    (void) state;
    run->domain_id = 17;
    run->since = 5;
    run->started = true;
    run->touched = 6;
    run->expires = 7;
    claim->reason = g_strdup("a reason");
    claim->pool = g_strdup("design");
    claim->phase = VGPU_PHASE_RELEASING;
    claim->hold = 8;
    copy = vgpu_reservations_copy(table);
    vgpu_reservations_free(table);

    check_made(copy);
    run = vgpu_reservations_find(copy, VGPU_KIND_RUN, WEB1);
    assert_string_equal(run->domain_uuid, WEB1);
    assert_string_equal(run->domain_name, "web");
    assert_int_equal(run->domain_id, 17);
    assert_int_equal(run->since, 5);
    assert_true(run->started);
    assert_int_equal(run->touched, 6);
    assert_int_equal(run->expires, 7);
    claim = g_ptr_array_index(run->claims, 0);
    assert_ptr_equal(claim->owner, run);
    assert_string_equal(claim->reason, "a reason");
    assert_string_equal(claim->pool, "design");
    assert_int_equal(claim->phase, VGPU_PHASE_RELEASING);
    assert_int_equal(claim->hold, 8);
}

/* Of a claim alone: all of it, or where it is. */
static void
test_copy_claim(void **state)
{
    g_autoptr(VgpuReservations) table = make_table();
    VgpuOwner *run = vgpu_reservations_find(table, VGPU_KIND_RUN, WEB1);
    VgpuClaim *claim = g_ptr_array_index(run->claims, 0);
    g_autoptr(VgpuClaim) all = NULL, place = NULL;

    (void) state;
    claim->tenant = g_strdup("acme");
    claim->reason = g_strdup("a reason");
    claim->phase = VGPU_PHASE_FAILED;
    claim->persistent = true;
    all = vgpu_claim_copy(claim);
    place = vgpu_claim_copy_place(claim);
    assert_null(all->owner);
    assert_string_equal(all->reason, "a reason");
    assert_true(all->persistent);
    assert_int_equal(all->phase, VGPU_PHASE_FAILED);
    assert_null(place->owner);
    assert_null(place->reason);
    assert_false(place->persistent);
    assert_int_equal(place->phase, VGPU_PHASE_READY);
    assert_string_equal(place->uuid, VGPU_0);
    assert_string_equal(place->parent, VF0);
    assert_string_equal(place->tenant, "acme");
}

static void
test_load(void **state)
{
    static const struct {
        VgpuStore store;
        const char *key;
        const char *domain;
        VgpuKind kind;
    } cases[] = {
        { VGPU_STORE_RUN, WEB1, WEB1, VGPU_KIND_RUN },
        { VGPU_STORE_RUN, VGPU_0, NULL, VGPU_KIND_HANDMADE },
        { VGPU_STORE_PERSISTENT, WEB1, WEB1, VGPU_KIND_PERSISTENT },
        { VGPU_STORE_PERSISTENT, VGPU_0, NULL, VGPU_KIND_PERSISTENT },
        { VGPU_STORE_HELD, WEB1, WEB1, VGPU_KIND_HELD },
        { VGPU_STORE_HELD, VGPU_0, NULL, VGPU_KIND_HELD },
        { VGPU_STORE_SAVED, WEB1, WEB1, VGPU_KIND_SAVED },
        { VGPU_STORE_PLANNED, WEB1, WEB1, VGPU_KIND_PLANNED },
    };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuReservations) table = vgpu_reservations_new();
        GHashTable *owners = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                                   (GDestroyNotify) vgpu_owner_free);
        VgpuOwner *owner = vgpu_owner_new(cases[i].key);

        owner->domain_uuid = g_strdup(cases[i].domain);
        g_ptr_array_add(owner->claims, vgpu_claim_new(VGPU_0, 0));
        g_hash_table_insert(owners, owner->key, owner);
        vgpu_reservations_load(table, cases[i].store, owners);
        assert_ptr_equal(vgpu_reservations_find(table, cases[i].kind, cases[i].key), owner);
        assert_int_equal(owner->kind, cases[i].kind);
        assert_int_equal(vgpu_reservations_of_uuid(table, VGPU_0)->len, 1);
    }
}

/* How many there are; @set is taken, NULL: there are none. */
static guint
count(GHashTable *set, const char *one)
{
    g_autoptr(GHashTable) owned = set;

    if (!owned)
        return 0;
    assert_true(g_hash_table_contains(owned, one));
    return g_hash_table_size(owned);
}

static void
test_changes(void **state)
{
    g_autoptr(VgpuReservations) table = vgpu_reservations_new();
    g_autoptr(VgpuReservations) copy = NULL;
    VgpuClaim *claim;

    (void) state;
    assert_null(vgpu_reservations_take_changes(table));
    claim = put(table, VGPU_KIND_RUN, WEB1, WEB1, VGPU_0, GPU, VF0);
    (void) put(table, VGPU_KIND_PLANNED, WEB1, WEB1, VGPU_0, OTHER_GPU, OTHER_GPU);
    assert_int_equal(count(vgpu_reservations_take_changes(table), VF0), 1);
    assert_int_equal(count(vgpu_reservations_take_changed_gpus(table), OTHER_GPU), 2);
    assert_null(vgpu_reservations_take_changes(table));
    assert_null(vgpu_reservations_take_changed_gpus(table));
    vgpu_reservations_touch(table, claim->owner);
    copy = vgpu_reservations_copy(table);
    assert_null(vgpu_reservations_take_changes(copy));
    assert_int_equal(count(vgpu_reservations_take_changes(table), VF0), 1);
    vgpu_reservations_drop(table, claim);
    assert_int_equal(count(vgpu_reservations_take_changes(table), VF0), 1);
    assert_int_equal(count(vgpu_reservations_take_changed_gpus(table), GPU), 1);
}

static guint
n_planned(const VgpuReservations *table, const char *vf)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(vgpu_reservations_planned(table), vf));
}

static void
test_planned(void **state)
{
    g_autoptr(VgpuReservations) table = vgpu_reservations_new();
    VgpuClaim *first, *second;

    (void) state;
    (void) put(table, VGPU_KIND_RUN, WEB2, WEB2, VGPU_1, GPU, VF0);
    assert_int_equal(n_planned(table, VF0), 0);
    first = put(table, VGPU_KIND_PLANNED, WEB1, WEB1, VGPU_0, GPU, VF0);
    second = put(table, VGPU_KIND_PLANNED, WEB2, WEB2, VGPU_1, GPU, VF0);
    assert_int_equal(n_planned(table, VF0), 2);
    vgpu_reservations_drop(table, first);
    assert_int_equal(n_planned(table, VF0), 1);
    vgpu_reservations_drop_owner(table, second->owner);
    assert_false(g_hash_table_contains(vgpu_reservations_planned(table), VF0));
}

static void
test_expiry(void **state)
{
    g_autoptr(VgpuReservations) table = vgpu_reservations_new();
    static const struct {
        gint64 now;
        guint n;
    } cases[] = { { 9, 0 }, { 10, 1 }, { 11, 1 }, { 20, 2 }, { G_MAXINT64, 2 } };
    VgpuOwner *first;

    (void) state;
    assert_int_equal(vgpu_reservations_next_expiry(table, VGPU_KINDS(INCOMING)), 0);
    (void) put(table, VGPU_KIND_INCOMING, VGPU_0, NULL, VGPU_0, GPU, VF0); /* never */
    assert_int_equal(vgpu_reservations_next_expiry(table, VGPU_KINDS(INCOMING)), 0);
    put(table, VGPU_KIND_INCOMING, WEB1, WEB1, VGPU_0, GPU, VF0)->owner->expires = 20;
    put(table, VGPU_KIND_INCOMING, WEB2, WEB2, VGPU_1, GPU, VF1)->owner->expires = 10;
    assert_int_equal(vgpu_reservations_next_expiry(table, VGPU_KINDS(INCOMING)), 10);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) expired =
            vgpu_reservations_expired(table, VGPU_KINDS(INCOMING), cases[i].now);

        assert_int_equal(expired->len, cases[i].n);
    }
    first = vgpu_reservations_find(table, VGPU_KIND_INCOMING, WEB2);
    vgpu_reservations_drop_owner(table, first);
    assert_int_equal(vgpu_reservations_next_expiry(table, VGPU_KINDS(INCOMING)), 20);
    assert_int_equal(vgpu_reservations_next_expiry(table, VGPU_KINDS(SAVED)), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),   cmocka_unit_test(test_find),
        cmocka_unit_test(test_indexes), cmocka_unit_test(test_gpus),
        cmocka_unit_test(test_iterate), cmocka_unit_test(test_drop),
        cmocka_unit_test(test_forget),  cmocka_unit_test(test_clear),
        cmocka_unit_test(test_copy),    cmocka_unit_test(test_copy_claim),
        cmocka_unit_test(test_load),    cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_changes), cmocka_unit_test(test_planned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
