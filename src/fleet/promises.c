/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/promises.h"

#include "fleet/reserve.h"
#include "fleet/sync.h"

#define LIFE_MS ((gint64) (VGPU_RESERVE_TTL - VGPU_PROMISES_MARGIN) * 1000)

struct VgpuPromises {
    char *host;
    GHashTable *until; /* id of a reservation → gint64, when its grant is over */
    gint64 read_at;    /* 0: never */
};

VgpuPromises *
vgpu_promises_new(const char *host)
{
    VgpuPromises *self = g_new0(VgpuPromises, 1);

    self->host = g_strdup(host);
    self->until = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return self;
}

void
vgpu_promises_free(VgpuPromises *self)
{
    if (!self)
        return;
    g_free(self->host);
    g_hash_table_unref(self->until);
    g_free(self);
}

/* Whether the domain may start here; a reservation without an id was given up. */
static bool
is_granted(const VgpuPromises *self, const VgpuHolding *now)
{
    return now->state == VGPU_HOLDING_RESERVED && now->id && g_str_equal(now->host, self->host);
}

/* How old a reservation is at most that is seen for the first time, in ms. */
static gint64
age(const VgpuPromises *self, const VgpuHolding *reserved, gint64 now, gint64 wall)
{
    gint64 told = CLAMP(wall - reserved->since, 0, VGPU_RESERVE_TTL) * 1000;

    return self->read_at ? MIN(told, now - self->read_at) : told;
}

void
vgpu_promises_read(VgpuPromises *self, GHashTable *reserved, gint64 now, gint64 wall)
{
    g_autoptr(GHashTable) until = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, reserved);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const VgpuHolding *holding = value;
        gint64 *end;

        if (!is_granted(self, holding))
            continue;
        end = g_new(gint64, 1);
        value = g_hash_table_lookup(self->until, holding->id);
        *end = value ? *(gint64 *) value : now + LIFE_MS - age(self, holding, now, wall);
        g_hash_table_replace(until, g_strdup(holding->id), end);
    }
    g_hash_table_unref(self->until);
    self->until = g_steal_pointer(&until);
    self->read_at = now;
}

/* --- as FleetGrant takes it -------------------------------------------------------------------- */

static void
put(GVariantDict *dict, const char *key, const char *value)
{
    if (value)
        g_variant_dict_insert(dict, key, "s", value);
}

typedef struct {
    const VgpuPromises *promises;
    const VgpuPromisesView *view;
    GHashTable *names;
    gint64 now;
    GVariantBuilder list;
    guint n;
} Telling;

/* @until: of a reservation for this host, NULL: it is another domain */
static void
add(Telling *self, const VgpuHolding *holding, const gint64 *until)
{
    bool is_here = g_str_equal(holding->host, self->promises->host);
    const char *name = g_hash_table_lookup(self->names, holding->host);
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    if (self->n++ >= VGPU_PROMISES_MAX)
        return;
    g_variant_dict_insert(&dict, "here", "b", is_here);
    put(&dict, "state", vgpu_holding_state_name(holding->state));
    put(&dict, "id", holding->id);
    if (until)
        g_variant_dict_insert(&dict, "lasts", "u", (guint32) MAX((*until - self->now) / 1000, 0));
    if (!is_here)
        put(&dict, "host", name ? name : holding->host);
    g_variant_builder_add(&self->list, "(s@a{sv})", holding->domain, g_variant_dict_end(&dict));
}

/* One that is elsewhere is to come here, or has just gone. */
static void
add_reserved(Telling *self, const VgpuHolding *holding)
{
    if (!g_str_equal(holding->host, self->promises->host))
        add(self, holding, NULL);
    else if (is_granted(self->promises, holding))
        add(self, holding, g_hash_table_lookup(self->promises->until, holding->id));
}

static bool
is_local(const Telling *self, const char *domain)
{
    return self->view->local && g_hash_table_contains(self->view->local, domain);
}

GVariant *
vgpu_promises_domains(const VgpuPromises *self, const VgpuPromisesView *view, GHashTable *names,
                      gint64 now)
{
    Telling telling = { .promises = self, .view = view, .names = names, .now = now };
    GHashTableIter iter;
    gpointer domain, holding;

    g_variant_builder_init(&telling.list, G_VARIANT_TYPE("a(sa{sv})"));
    if (view->local) {
        g_hash_table_iter_init(&iter, view->local);
        while (g_hash_table_iter_next(&iter, NULL, &holding))
            add(&telling, holding, NULL);
    }
    g_hash_table_iter_init(&iter, view->reserved);
    while (g_hash_table_iter_next(&iter, &domain, &holding))
        if (!is_local(&telling, domain))
            add_reserved(&telling, holding);
    g_hash_table_iter_init(&iter, view->elsewhere);
    while (g_hash_table_iter_next(&iter, &domain, &holding))
        if (!is_local(&telling, domain) && !g_hash_table_contains(view->reserved, domain) &&
            !g_str_equal(((VgpuHolding *) holding)->host, self->host))
            add(&telling, holding, NULL);
    return g_variant_builder_end(&telling.list);
}

GVariant *
vgpu_promises_options(gint64 answered, gint64 now)
{
    gint64 lasts = answered ? VGPU_SYNC_TTL - (now - answered) / 1000 : 0;
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    g_variant_dict_insert(&dict, "connected", "b", lasts > 0);
    g_variant_dict_insert(&dict, "lasts", "u", (guint32) MAX(lasts, 0));
    return g_variant_dict_end(&dict);
}
