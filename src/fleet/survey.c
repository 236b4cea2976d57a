/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/survey.h"

#include <string.h>

#include "base/uuid.h"
#include "fleet/key.h"

#define GENS VGPU_KEY_ROOT "gen/"
#define ONS VGPU_KEY_ROOT "on/"
#define RESERVATIONS VGPU_KEY_ROOT "resv/"
#define PAGE 10000 /* keys at once, of prefixes that can have very many */

static void
free_host(gpointer data)
{
    VgpuSurveyHost *self = data;

    g_free(self->host);
    vgpu_summary_free(self->summary);
    for (guint i = 0; i < VGPU_HOLDING_WANTS; i++)
        vgpu_fit_free(self->fits[i]);
    g_clear_pointer(&self->held, g_ptr_array_unref);
    g_free(self);
}

void
vgpu_survey_free(VgpuSurvey *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->by_id);
    g_ptr_array_unref(self->hosts);
    g_free(self);
}

VgpuSurveyHost *
vgpu_survey_find(const VgpuSurvey *self, const char *host)
{
    return g_hash_table_lookup(self->by_id, host);
}

static VgpuSurveyHost *
add(VgpuSurvey *self, const char *id)
{
    VgpuSurveyHost *host = vgpu_survey_find(self, id);

    if (host)
        return host;
    host = g_new0(VgpuSurveyHost, 1);
    host->host = g_strdup(id);
    g_ptr_array_add(self->hosts, host);
    g_hash_table_insert(self->by_id, host->host, host);
    return host;
}

/* The part behind @prefix, up to the next '/', if it is a UUID. */
static char *
id_behind(const char *key, const char *prefix)
{
    const char *rest = key + strlen(prefix);
    g_autofree char *part = g_strndup(rest, strcspn(rest, "/"));

    return vgpu_uuid_canonical(part);
}

/* --- reading ---------------------------------------------------------------------------------- */

typedef void (*ItemFunc)(VgpuSurvey *self, const VgpuStoreItem *item, const char *id, guint i);

/* Each item below @prefix whose next part is a host. */
static bool
each(VgpuSurvey *self, VgpuStore *store, const char *prefix, ItemFunc func, guint i,
     GError **error)
{
    g_autofree char *next = NULL;
    bool more = true;

    while (more) {
        g_autoptr(VgpuStoreList) list = vgpu_store_list(store, prefix, next, PAGE, error);

        if (!list)
            return false;
        for (guint k = 0; k < list->items->len; k++) {
            const VgpuStoreItem *item = g_ptr_array_index(list->items, k);
            g_autofree char *id = id_behind(item->key, prefix);

            if (id)
                func(self, item, id, i);
        }
        more = list->more && list->items->len;
        if (more) {
            const VgpuStoreItem *last = g_ptr_array_index(list->items, list->items->len - 1);

            g_free(next);
            next = g_strconcat(last->key, "!", NULL);
        }
    }
    return true;
}

static void
take_summary(VgpuSurvey *self, const VgpuStoreItem *item, const char *id, guint i G_GNUC_UNUSED)
{
    g_autofree char *text = vgpu_store_item_text(item);
    VgpuSummary *summary = text ? vgpu_summary_decode(text) : NULL;
    VgpuSurveyHost *host = summary ? add(self, id) : NULL;

    if (host && !host->summary)
        host->summary = summary;
    else
        vgpu_summary_free(summary);
}

static void
take_drain(VgpuSurvey *self, const VgpuStoreItem *item G_GNUC_UNUSED, const char *id,
           guint i G_GNUC_UNUSED)
{
    VgpuSurveyHost *host = vgpu_survey_find(self, id);

    if (host)
        host->is_drained = true;
}

static void
take_domain(VgpuSurvey *self, const VgpuStoreItem *item G_GNUC_UNUSED, const char *id,
            guint i G_GNUC_UNUSED)
{
    add(self, id)->domains++;
}

static void
take_fit(VgpuSurvey *self, const VgpuStoreItem *item, const char *id, guint i)
{
    g_autofree char *text = vgpu_store_item_text(item);
    VgpuSurveyHost *host = vgpu_survey_find(self, id);

    if (host && text && !host->fits[i])
        host->fits[i] = vgpu_fit_decode(text);
}

static void
take_reservation(VgpuSurvey *self, const VgpuStoreItem *item, const char *id,
                 guint i G_GNUC_UNUSED)
{
    g_autofree char *text = vgpu_store_item_text(item);
    VgpuHolding *held = text ? vgpu_holding_decode(item->key, text) : NULL;
    VgpuSurveyHost *host = vgpu_survey_find(self, id);

    if (!host || !held) {
        vgpu_holding_free(held);
        return;
    }
    if (!host->held)
        host->held = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_holding_free);
    g_ptr_array_add(host->held, held);
}

/* Hosts that have vanished: each that ever had a domain has a key gen/, and those that still have one a key on/. */
static bool
find_absent(VgpuSurvey *self, VgpuStore *store, GError **error)
{
    g_autoptr(VgpuStoreList) gens = vgpu_store_list(store, GENS, NULL, 0, error);

    for (guint i = 0; gens && i < gens->items->len; i++) {
        const VgpuStoreItem *item = g_ptr_array_index(gens->items, i);
        g_autofree char *id = vgpu_uuid_canonical(vgpu_key_last(item->key));
        g_autofree char *prefix = id ? vgpu_key_on(id, NULL) : NULL;
        g_autoptr(VgpuStoreList) one = NULL;

        if (!id || vgpu_survey_find(self, id))
            continue;
        if (!(one = vgpu_store_list(store, prefix, NULL, 1, error)))
            return false;
        if (one->items->len)
            (void) add(self, id);
    }
    return gens != NULL;
}

static bool
read_fits(VgpuSurvey *self, VgpuStore *store, const VgpuHolding *wanted, GError **error)
{
    for (guint i = 0; i < MIN(wanted->wants->len, VGPU_HOLDING_WANTS); i++) {
        g_autofree char *prefix =
            vgpu_key_fit(g_array_index(wanted->wants, VgpuWant, i).profile, NULL);

        if (!each(self, store, prefix, take_fit, i, error))
            return false;
    }
    return each(self, store, RESERVATIONS, take_reservation, 0, error);
}

VgpuSurvey *
vgpu_survey_read(VgpuStore *store, const VgpuHolding *wanted, VgpuSurveyParts parts,
                 GError **error)
{
    g_autoptr(VgpuSurvey) self = g_new0(VgpuSurvey, 1);

    self->hosts = g_ptr_array_new_with_free_func(free_host);
    self->by_id = g_hash_table_new(g_str_hash, g_str_equal);
    if (!each(self, store, VGPU_KEY_HOSTS, take_summary, 0, error))
        return NULL;
    if (parts & VGPU_SURVEY_DOMAINS ? !each(self, store, ONS, take_domain, 0, error)
                                    : !find_absent(self, store, error))
        return NULL;
    if (!each(self, store, VGPU_KEY_DRAINS, take_drain, 0, error) ||
        ((parts & VGPU_SURVEY_FITS) && !read_fits(self, store, wanted, error)))
        return NULL;
    return g_steal_pointer(&self);
}

/* --- judging ---------------------------------------------------------------------------------- */

VgpuSummaryState
vgpu_survey_state(const VgpuSurveyHost *host)
{
    if (!host->summary || host->summary->state == VGPU_SUMMARY_DOWN)
        return VGPU_SUMMARY_DOWN;
    return host->is_drained ? VGPU_SUMMARY_DRAINING : host->summary->state;
}

VgpuChoice
vgpu_survey_judge(const VgpuSurveyHost *host, const VgpuAsk *ask, const char *over, guint *left,
                  char **reason)
{
    VgpuSummary shown = host->summary ? *host->summary : (VgpuSummary) { 0 };
    VgpuCandidate candidate = { host->host, &shown, host->fits, host->held };
    VgpuChoice choice;

    shown.state = vgpu_survey_state(host);
    if (!host->summary) {
        if (reason)
            *reason =
                g_strdup("its agent has left the fleet, and domains of it are not forgotten");
        return VGPU_CHOICE_DOWN;
    }
    choice = vgpu_choose_judge(ask, &candidate, left, reason);
    if (choice != VGPU_CHOICE_FITS || !over)
        return choice;
    if (reason)
        *reason = g_strdup(over);
    return VGPU_CHOICE_QUOTA;
}

/* --- profiles --------------------------------------------------------------------------------- */

#define FITS VGPU_KEY_ROOT "fit/"

/* The first key after those of the same profile: '0' follows '/'. */
static char *
behind(const char *key)
{
    gsize len = (gsize) (strrchr(key, '/') - key);

    return g_strdup_printf("%.*s0", (int) len, key);
}

static bool
has_pool(const VgpuStoreItem *item, const char *pool)
{
    g_autofree char *text = vgpu_store_item_text(item);
    g_autoptr(VgpuFit) fit = text ? vgpu_fit_decode(text) : NULL;

    return fit && fit->pools && g_strv_contains((const char *const *) fit->pools, pool);
}

/* One of each profile; @pool NULL: whatever pool. */
static GPtrArray *
names(VgpuStore *store, const char *pool, guint page, GError **error)
{
    g_autoptr(GPtrArray) out = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *next = g_strdup(FITS);
    bool more = true;

    while (more) {
        g_autoptr(VgpuStoreList) list = vgpu_store_list(store, FITS, next, page, error);

        if (!list)
            return NULL;
        more = list->items->len > 0;
        for (guint i = 0; i < list->items->len; i++) {
            const VgpuStoreItem *item = g_ptr_array_index(list->items, i);
            char *name = pool && !has_pool(item, pool) ? NULL : vgpu_key_name(item->key);

            g_free(next);
            next = name ? behind(item->key) : g_strconcat(item->key, "!", NULL);
            if (!name)
                continue;
            g_ptr_array_add(out, name);
            break;
        }
    }
    return g_steal_pointer(&out);
}

GPtrArray *
vgpu_survey_profiles(VgpuStore *store, GError **error)
{
    return names(store, NULL, 1, error);
}

GPtrArray *
vgpu_survey_pool(VgpuStore *store, const char *pool, GError **error)
{
    return names(store, pool, 500, error);
}

bool
vgpu_survey_profile(VgpuStore *store, const char *typed, char **name, guint *mib, GError **error)
{
    static const char *const vendors[] = { "", "NVIDIA ", "GRID " };

    for (gsize i = 0; i < G_N_ELEMENTS(vendors); i++) {
        g_autofree char *full = g_strconcat(vendors[i], typed, NULL);
        g_autofree char *prefix = vgpu_key_fit(full, NULL), *text = NULL;
        g_autoptr(VgpuStoreList) list = vgpu_store_list(store, prefix, NULL, 1, error);
        g_autoptr(VgpuFit) fit = NULL;

        if (!list)
            return false;
        if (list->items->len == 0)
            continue;
        text = vgpu_store_item_text(g_ptr_array_index(list->items, 0));
        fit = text ? vgpu_fit_decode(text) : NULL;
        *mib = fit ? fit->fb_mib : 0;
        *name = g_steal_pointer(&full);
        return true;
    }
    *mib = 0;
    *name = g_strdup(typed);
    return true;
}
