/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/inbox.h"

#include "fleet/holding.h"
#include "fleet/key.h"
#include "fleet/planner.h"
#include "fleet/promises.h"
#include "fleet/summary.h"

#define WATCHES 3

struct VgpuInbox {
    VgpuStore *store;
    char *host;
    VgpuInboxFunc func;
    gpointer data;
    VgpuPromises *promises;
    VgpuStoreWatch *watches[WATCHES];
    bool is_lost;                     /* one of them at least */
    GHashTable *reserved, *elsewhere; /* domain → VgpuHolding, see promises.h */
    GHashTable *names;                /* of hosts: UUID → name */
    bool is_draining;
};

static GHashTable *
new_holdings(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                 (GDestroyNotify) vgpu_holding_free);
}

VgpuInbox *
vgpu_inbox_new(VgpuStore *store, const char *host, VgpuInboxFunc func, gpointer data)
{
    VgpuInbox *self = g_new0(VgpuInbox, 1);

    self->store = store;
    self->host = g_strdup(host);
    self->func = func;
    self->data = data;
    self->promises = vgpu_promises_new(host);
    self->reserved = new_holdings();
    self->elsewhere = new_holdings();
    self->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return self;
}

void
vgpu_inbox_free(VgpuInbox *self)
{
    if (!self)
        return;
    vgpu_inbox_end_watches(self);
    g_free(self->host);
    vgpu_promises_free(self->promises);
    g_hash_table_unref(self->reserved);
    g_hash_table_unref(self->elsewhere);
    g_hash_table_unref(self->names);
    g_free(self);
}

/* --- watches ----------------------------------------------------------------------------------- */

static void
on_watch(const VgpuStoreEvent *event, gpointer data)
{
    VgpuInbox *self = data;
    bool is_lost = event->kind != VGPU_STORE_PUT && event->kind != VGPU_STORE_DELETED;

    self->is_lost |= is_lost;
    self->func(is_lost, self->data);
}

void
vgpu_inbox_end_watches(VgpuInbox *self)
{
    for (guint i = 0; i < WATCHES; i++)
        g_clear_pointer(&self->watches[i], vgpu_store_watch_end);
}

static void
begin_watches(VgpuInbox *self)
{
    g_autofree char *reserved = vgpu_key_resv(self->host, NULL);
    g_autofree char *on = vgpu_key_on(self->host, NULL), *drain = vgpu_key_drain(self->host);
    const char *const keys[WATCHES] = { reserved, on, drain };

    vgpu_inbox_end_watches(self);
    self->is_lost = false;
    for (guint i = 0; i < WATCHES; i++)
        self->watches[i] = vgpu_store_watch(self->store, keys[i], 0, on_watch, self);
}

/* --- reading ------------------------------------------------------------------------------------ */

static bool
read_drain(VgpuInbox *self, GError **error)
{
    g_autofree char *key = vgpu_key_drain(self->host);
    g_autoptr(VgpuStoreItem) item = NULL;

    if (!vgpu_store_get(self->store, key, &item, error))
        return false;
    if (self->is_draining != !!item)
        g_message(item ? "the fleet asks this host to take nothing new"
                       : "the fleet lets this host take domains again");
    self->is_draining = item != NULL;
    return true;
}

/* What the domain's key says, into @table. */
static bool
read_domain(VgpuInbox *self, const char *domain, GHashTable *table, GError **error)
{
    VgpuHolding *now = NULL;
    gint64 changed;
    bool is_valid;

    if (!vgpu_planner_domain(self->store, domain, &now, &changed, &is_valid, error))
        return false;
    if (now)
        g_hash_table_replace(table, g_strdup(domain), now);
    return true;
}

static bool
read_reserved(VgpuInbox *self, gint64 now, GError **error)
{
    g_autofree char *prefix = vgpu_key_resv(self->host, NULL);
    g_autoptr(GHashTable) reserved = new_holdings();
    g_autoptr(VgpuStoreList) list =
        vgpu_store_list(self->store, prefix, NULL, VGPU_PROMISES_MAX, error);

    if (!list)
        return false;
    for (guint i = 0; i < list->items->len; i++) {
        const VgpuStoreItem *item = g_ptr_array_index(list->items, i);

        if (!read_domain(self, vgpu_key_last(item->key), reserved, error))
            return false;
    }
    g_hash_table_unref(self->reserved);
    self->reserved = g_steal_pointer(&reserved);
    vgpu_promises_read(self->promises, self->reserved, now, g_get_real_time() / G_USEC_PER_SEC);
    return true;
}

const char *
vgpu_inbox_host_name(VgpuInbox *self, const char *host)
{
    g_autofree char *key = vgpu_key_host(host), *text = NULL;
    g_autoptr(VgpuStoreItem) item = NULL;
    g_autoptr(VgpuSummary) summary = NULL;
    const char *name = g_hash_table_lookup(self->names, host);

    if (name)
        return name;
    if (!vgpu_store_get(self->store, key, &item, NULL) || !item ||
        !(text = vgpu_store_item_text(item)) || !(summary = vgpu_summary_decode(text)))
        return host;
    g_hash_table_insert(self->names, g_strdup(host), g_strdup(summary->name));
    return g_hash_table_lookup(self->names, host);
}

static void
read_names(VgpuInbox *self, GHashTable *holdings)
{
    GHashTableIter iter;
    gpointer holding;

    g_hash_table_iter_init(&iter, holdings);
    while (g_hash_table_iter_next(&iter, NULL, &holding))
        (void) vgpu_inbox_host_name(self, ((VgpuHolding *) holding)->host);
}

bool
vgpu_inbox_read(VgpuInbox *self, gint64 now, GError **error)
{
    if (!self->watches[0] || self->is_lost) {
        if (!read_drain(self, error))
            return false; /* each watch would try to reach the store, too */
        begin_watches(self);
    }
    if (!read_drain(self, error) || !read_reserved(self, now, error))
        return false; /* what is watched is read after that */
    read_names(self, self->reserved);
    return true;
}

bool
vgpu_inbox_look_up(VgpuInbox *self, GHashTable *idle, GError **error)
{
    g_autoptr(GHashTable) elsewhere = new_holdings();
    GHashTableIter iter;
    gpointer domain;

    g_hash_table_iter_init(&iter, idle);
    while (g_hash_table_iter_next(&iter, &domain, NULL))
        if (!g_hash_table_contains(self->reserved, domain) &&
            !read_domain(self, domain, elsewhere, error))
            return false;
    g_hash_table_unref(self->elsewhere);
    self->elsewhere = g_steal_pointer(&elsewhere);
    read_names(self, self->elsewhere);
    return true;
}

bool
vgpu_inbox_is_draining(const VgpuInbox *self)
{
    return self->is_draining;
}

GVariant *
vgpu_inbox_promises(const VgpuInbox *self, GHashTable *local, gint64 now)
{
    const VgpuPromisesView view = { self->reserved, self->elsewhere, local };

    return vgpu_promises_domains(self->promises, &view, self->names, now);
}
