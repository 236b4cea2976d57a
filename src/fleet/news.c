/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/news.h"

#include <string.h>

#include "base/uuid.h"
#include "fleet/key.h"

struct VgpuNews {
    VgpuNewsFunc func;
    gpointer data;
    bool is_silent;
    GHashTable *hosts;   /* key → VgpuSummary */
    GHashTable *domains; /* key → VgpuHolding */
    GHashTable *quotas;  /* key → VgpuQuota */
};

static const char *const words[VGPU_N_NEWS] = {
    [VGPU_NEWS_HOST_JOINED] = "host-joined",
    [VGPU_NEWS_HOST_LEFT] = "host-left",
    [VGPU_NEWS_HOST_ACTIVE] = "host-active",
    [VGPU_NEWS_HOST_DRAINING] = "host-draining",
    [VGPU_NEWS_HOST_DOWN] = "host-down",
    [VGPU_NEWS_RESERVED] = "reserved",
    [VGPU_NEWS_RELEASED] = "released",
    [VGPU_NEWS_RUNNING] = "running",
    [VGPU_NEWS_SAVED] = "saved",
    [VGPU_NEWS_MOVING] = "moving",
    [VGPU_NEWS_MOVED] = "moved",
    [VGPU_NEWS_ENDED] = "ended",
    [VGPU_NEWS_QUOTA_CHANGED] = "quota-changed",
};

const char *
vgpu_news_word(VgpuNewsKind kind)
{
    return words[kind];
}

VgpuNews *
vgpu_news_new(VgpuNewsFunc func, gpointer data)
{
    VgpuNews *self = g_new0(VgpuNews, 1);

    self->func = func;
    self->data = data;
    self->hosts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                        (GDestroyNotify) vgpu_summary_free);
    self->domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                          (GDestroyNotify) vgpu_holding_free);
    self->quotas = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return self;
}

void
vgpu_news_free(VgpuNews *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->hosts);
    g_hash_table_unref(self->domains);
    g_hash_table_unref(self->quotas);
    g_free(self);
}

static const char *
name_of(const VgpuNews *self, const char *host)
{
    g_autofree char *key = vgpu_key_host(host);
    const VgpuSummary *summary = g_hash_table_lookup(self->hosts, key);

    return summary ? summary->name : NULL;
}

static void
report(const VgpuNews *self, const VgpuNewsEvent *event)
{
    if (!self->is_silent)
        self->func(event, self->data);
}

/* --- hosts ------------------------------------------------------------------------------------ */

static VgpuNewsKind
kind_of_state(VgpuSummaryState state)
{
    switch (state) {
    case VGPU_SUMMARY_DRAINING:
        return VGPU_NEWS_HOST_DRAINING;
    case VGPU_SUMMARY_DOWN:
        return VGPU_NEWS_HOST_DOWN;
    case VGPU_SUMMARY_ACTIVE:
    default:
        return VGPU_NEWS_HOST_ACTIVE;
    }
}

/* @text NULL: it has left. */
static void
change_host(VgpuNews *self, const char *key, const char *text, gint64 revision)
{
    g_autofree char *part =
        g_strndup(key + strlen(VGPU_KEY_HOSTS), strcspn(key + strlen(VGPU_KEY_HOSTS), "/"));
    g_autofree char *host = vgpu_uuid_canonical(part);
    g_autoptr(VgpuSummary) before = NULL;
    g_autofree char *old_key = NULL;
    VgpuSummary *now = text ? vgpu_summary_decode(text) : NULL;
    VgpuNewsEvent event = { .revision = revision, .host = host, .summary = now };

    if (!host || (text && !now)) { /* neither is what an agent writes */
        vgpu_summary_free(now);
        return;
    }
    (void) !g_hash_table_steal_extended(self->hosts, key, (gpointer *) &old_key,
                                        (gpointer *) &before);
    if (now)
        g_hash_table_insert(self->hosts, g_strdup(key), now);
    event.host_name = now ? now->name : before ? before->name : NULL;
    if (!now)
        event.kind = VGPU_NEWS_HOST_LEFT;
    else if (!before)
        event.kind = VGPU_NEWS_HOST_JOINED;
    else
        event.kind = kind_of_state(now->state);
    if ((before || now) && !(before && now && before->state == now->state))
        report(self, &event);
}

/* --- domains ---------------------------------------------------------------------------------- */

/* VGPU_N_NEWS: nothing that anybody wants to know. */
static VgpuNewsKind
kind_of_change(const VgpuHolding *before, const VgpuHolding *now)
{
    bool is_elsewhere = before && !g_str_equal(before->host, now->host);
    bool is_other = !before || is_elsewhere || before->state != now->state;

    switch (now->state) {
    case VGPU_HOLDING_RESERVED:
        if (!now->id)
            return before && before->id ? VGPU_NEWS_RELEASED : VGPU_N_NEWS;
        return is_other || g_strcmp0(before->id, now->id) != 0 ? VGPU_NEWS_RESERVED : VGPU_N_NEWS;
    case VGPU_HOLDING_SAVED:
        return is_other ? VGPU_NEWS_SAVED : VGPU_N_NEWS;
    case VGPU_HOLDING_MOVING:
        return is_other ? VGPU_NEWS_MOVING : VGPU_N_NEWS;
    case VGPU_HOLDING_RUNNING:
    default:
        if (is_elsewhere && before->state != VGPU_HOLDING_RESERVED)
            return VGPU_NEWS_MOVED;
        return is_other ? VGPU_NEWS_RUNNING : VGPU_N_NEWS;
    }
}

static void
change_domain(VgpuNews *self, const char *key, const char *text, gint64 revision)
{
    g_autoptr(VgpuHolding) before = NULL;
    g_autofree char *old_key = NULL;
    VgpuHolding *now = text ? vgpu_holding_decode(key, text) : NULL;
    VgpuNewsEvent event = { .kind = VGPU_NEWS_ENDED, .revision = revision };

    if (text && !now)
        return;
    (void) !g_hash_table_steal_extended(self->domains, key, (gpointer *) &old_key,
                                        (gpointer *) &before);
    if (now)
        g_hash_table_insert(self->domains, g_strdup(key), now);
    event.domain = now ? now : before;
    if (!event.domain)
        return;
    if (now)
        event.kind = kind_of_change(before, now);
    event.host = event.domain->host;
    event.host_name = name_of(self, event.host);
    if (event.kind == VGPU_NEWS_MOVED)
        event.from = before->host;
    if (event.kind != VGPU_N_NEWS)
        report(self, &event);
}

/* --- quotas ----------------------------------------------------------------------------------- */

static void
change_quota(VgpuNews *self, const char *key, const char *text, gint64 revision)
{
    g_autofree char *tenant = vgpu_key_name(key);
    const VgpuQuota *before = g_hash_table_lookup(self->quotas, key);
    VgpuQuota now = { 0 };
    bool is_there = text && vgpu_quota_decode(text, &now);
    VgpuNewsEvent event = { .kind = VGPU_NEWS_QUOTA_CHANGED,
                            .revision = revision,
                            .tenant = tenant,
                            .quota = is_there ? &now : NULL };

    if (!tenant || (text && !is_there) || (!before && !is_there))
        return;
    if (before && is_there && before->devices == now.devices && before->mib == now.mib)
        return;
    if (is_there)
        g_hash_table_insert(self->quotas, g_strdup(key), g_memdup2(&now, sizeof(now)));
    else
        g_hash_table_remove(self->quotas, key);
    report(self, &event);
}

/* --- all -------------------------------------------------------------------------------------- */

void
vgpu_news_change(VgpuNews *self, const char *key, const VgpuStoreItem *item, gint64 revision)
{
    g_autofree char *text = item ? vgpu_store_item_text(item) : NULL;

    if (item && !text)
        return;
    if (g_str_has_prefix(key, VGPU_KEY_HOSTS))
        change_host(self, key, text, revision);
    else if (g_str_has_prefix(key, VGPU_KEY_DOMAINS))
        change_domain(self, key, text, revision);
    else if (g_str_has_prefix(key, VGPU_KEY_QUOTAS))
        change_quota(self, key, text, revision);
}

/* The keys of @table that begin with @prefix, and are not in @there. */
static void
find_gone(GHashTable *table, const char *prefix, GHashTable *there, GPtrArray *gone)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        if (g_str_has_prefix(key, prefix) && !g_hash_table_contains(there, key))
            g_ptr_array_add(gone, g_strdup(key));
}

void
vgpu_news_list(VgpuNews *self, const char *prefix, const VgpuStoreList *list, bool is_first)
{
    g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) gone = g_ptr_array_new_with_free_func(g_free);

    self->is_silent = is_first;
    for (guint i = 0; i < list->items->len; i++) {
        const VgpuStoreItem *item = g_ptr_array_index(list->items, i);

        (void) g_hash_table_add(there, item->key);
        vgpu_news_change(self, item->key, item, 0);
    }
    find_gone(self->hosts, prefix, there, gone);
    find_gone(self->domains, prefix, there, gone);
    find_gone(self->quotas, prefix, there, gone);
    for (guint i = 0; i < gone->len; i++)
        vgpu_news_change(self, g_ptr_array_index(gone, i), NULL, 0);
    self->is_silent = false;
}
