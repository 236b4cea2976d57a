/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/planner.h"

#include <string.h>

#include "base/error.h"
#include "base/uuid.h"
#include "fleet/key.h"
#include "fleet/reserve.h"
#include "fleet/tenant.h"

#define PAGE 128
#define TRIES 3 /* on one host that changes meanwhile */

typedef struct {
    VgpuStore *store;
    const VgpuAsk *ask;
    const VgpuPlannerOptions *options;
    VgpuHolding *holding; /* what is reserved, host by host */
    char *why;            /* the host of options->host does not take it */
    /* as read */
    gint64 quota_changed, tenant_read, lease;
} Planning;

static bool
get_text(VgpuStore *store, char *key, char **text, gint64 *changed, GError **error)
{
    g_autoptr(VgpuStoreItem) item = NULL;
    g_autofree char *owned = key;

    if (!vgpu_store_get(store, owned, &item, error))
        return false;
    *text = item ? vgpu_store_item_text(item) : NULL;
    *changed = item ? item->changed : 0;
    return true;
}

bool
vgpu_planner_domain(VgpuStore *store, const char *domain, VgpuHolding **now, gint64 *changed,
                    bool *is_valid, GError **error)
{
    g_autofree char *key = vgpu_key_domain(domain), *text = NULL, *resv = NULL;
    g_autoptr(VgpuHolding) found = NULL;
    gint64 since = 0, none;

    if (!get_text(store, g_strdup(key), &text, &since, error))
        return false;
    found = text ? vgpu_holding_decode(key, text) : NULL;
    if (text && !found)
        return vgpu_error_set(error, VGPU_ERROR_FAILED, "%s is unreadable", key);
    if (found && found->state == VGPU_HOLDING_RESERVED &&
        !get_text(store, vgpu_key_resv(found->host, domain), &resv, &none, error))
        return false;
    *is_valid = found && (found->state != VGPU_HOLDING_RESERVED || resv);
    *changed = since;
    *now = g_steal_pointer(&found);
    return true;
}

/* --- what is read once ------------------------------------------------------------------------ */

/* An error that says where the domain is. */
static bool
busy(const VgpuHolding *now, bool is_valid, GError **error)
{
    if (is_valid && (now->id || now->state != VGPU_HOLDING_RESERVED))
        return vgpu_error_set(error, VGPU_ERROR_BUSY, "domain %s is %s on host %s", now->domain,
                              vgpu_holding_state_name(now->state), now->host);
    return vgpu_error_set(error, VGPU_ERROR_BUSY,
                          "the reservation of domain %s has %s, but host %s has not said that "
                          "the domain does not run there",
                          now->domain, now->id ? "expired" : "been given up", now->host);
}

static bool
read_domain(Planning *self, GError **error)
{
    g_autoptr(VgpuHolding) now = NULL;
    gint64 changed;
    bool is_valid;

    if (!vgpu_planner_domain(self->store, self->holding->domain, &now, &changed, &is_valid,
                             error))
        return false;
    return now ? busy(now, is_valid, error) : true;
}

static bool
read_tenant(Planning *self, GError **error)
{
    return vgpu_tenant_check(self->store, self->holding, &self->quota_changed, &self->tenant_read,
                             error);
}

/* --- one host --------------------------------------------------------------------------------- */

typedef struct {
    VgpuFit *fits[VGPU_HOLDING_WANTS];
    gint64 fits_changed[VGPU_HOLDING_WANTS];
    gint64 gen_changed;
    GPtrArray *held;
} Host;

static void
clear_host(Host *self)
{
    for (guint i = 0; i < VGPU_HOLDING_WANTS; i++)
        g_clear_pointer(&self->fits[i], vgpu_fit_free);
    g_clear_pointer(&self->held, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Host, clear_host)

/* First gen/, which changes with all that is read afterwards. */
static bool
read_host(Planning *self, const char *id, Host *host, GError **error)
{
    g_autofree char *gen = NULL, *prefix = vgpu_key_resv(id, NULL);
    g_autoptr(VgpuStoreList) list = NULL;

    if (!get_text(self->store, vgpu_key_gen(id), &gen, &host->gen_changed, error) ||
        !(list = vgpu_store_list(self->store, prefix, NULL, 0, error)))
        return false;
    host->held = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_holding_free);
    for (guint i = 0; i < list->items->len; i++) {
        const VgpuStoreItem *item = g_ptr_array_index(list->items, i);
        g_autofree char *text = vgpu_store_item_text(item);
        VgpuHolding *held = text ? vgpu_holding_decode(item->key, text) : NULL;

        if (held)
            g_ptr_array_add(host->held, held);
    }
    for (guint i = 0; i < self->holding->wants->len; i++) {
        const VgpuWant *want = &g_array_index(self->holding->wants, VgpuWant, i);
        g_autofree char *text = NULL;

        if (!get_text(self->store, vgpu_key_fit(want->profile, id), &text, &host->fits_changed[i],
                      error))
            return false;
        host->fits[i] = text ? vgpu_fit_decode(text) : NULL;
    }
    return true;
}

typedef enum { TRIED_WON, TRIED_NEXT, TRIED_AGAIN, TRIED_FAILED } Tried;

static Tried
after_race(Planning *self, const VgpuHolding *wanted, const GError *why, GError **error)
{
    g_autoptr(VgpuHolding) now = NULL;
    g_autoptr(GError) failure = NULL;
    gint64 changed;
    bool is_valid;

    if (!vgpu_planner_domain(self->store, wanted->domain, &now, &changed, &is_valid, &failure)) {
        if (why)
            vgpu_error_set(error, VGPU_ERROR_UNKNOWN,
                           "it is not known whether host %s is reserved: %s", wanted->host,
                           failure->message);
        else
            g_propagate_error(error, g_steal_pointer(&failure));
        return TRIED_FAILED;
    }
    switch (vgpu_reserve_race(now, wanted->id)) {
    case VGPU_RACE_WON:
        return TRIED_WON;
    case VGPU_RACE_TAKEN:
        (void) !busy(now, is_valid, error);
        return TRIED_FAILED;
    case VGPU_RACE_AGAIN:
    default:
        return read_domain(self, error) && read_tenant(self, error) ? TRIED_AGAIN : TRIED_FAILED;
    }
}

static Tried
try_host(Planning *self, const char *id, GError **error)
{
    g_auto(Host) host = { 0 };
    VgpuCandidate candidate = { .host = id, .fits = host.fits };
    g_autoptr(VgpuTxn) txn = NULL;
    g_autoptr(GError) why = NULL;
    VgpuStoreOutcome outcome = { 0 };
    VgpuReservation reservation;

    if (!read_host(self, id, &host, error))
        return TRIED_FAILED;
    candidate.held = host.held;
    g_clear_pointer(&self->why, g_free);
    if (vgpu_choose_judge(self->ask, &candidate, NULL, &self->why) != VGPU_CHOICE_FITS)
        return TRIED_NEXT;
    g_free(self->holding->host);
    self->holding->host = g_strdup(id);
    for (guint i = 0; i < self->holding->wants->len; i++)
        g_array_index(self->holding->wants, VgpuWant, i).fb_mib = host.fits[i]->fb_mib;
    if (self->options->dry_run)
        return TRIED_WON;
    reservation = (VgpuReservation) {
        .holding = self->holding,
        .gen_changed = host.gen_changed,
        .fits_changed = host.fits_changed,
        .quota_changed = self->quota_changed,
        .tenant_read = self->tenant_read,
        .lease = self->lease,
    };
    txn = vgpu_reserve_begin(&reservation);
    if (vgpu_store_txn(self->store, txn, &outcome, &why)) {
        if (outcome.done)
            return TRIED_WON;
    } else if (!g_error_matches(why, VGPU_ERROR, VGPU_ERROR_UNKNOWN)) {
        g_propagate_error(error, g_steal_pointer(&why));
        return TRIED_FAILED;
    }
    return after_race(self, self->holding, why, error);
}

static Tried
insist(Planning *self, const char *id, GError **error)
{
    Tried tried = TRIED_AGAIN;

    for (guint i = 0; i < TRIES && tried == TRIED_AGAIN; i++)
        tried = try_host(self, id, error);
    return tried == TRIED_AGAIN ? TRIED_NEXT : tried;
}

/* --- all hosts -------------------------------------------------------------------------------- */

/* Those of one page that can fit, the best first. */
static Tried
try_page(Planning *self, const VgpuStoreList *list, GError **error)
{
    guint n = list->items->len;
    g_autofree VgpuCandidate *candidates = g_new0(VgpuCandidate, n);
    g_autoptr(GPtrArray) fits = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_fit_free);
    g_autoptr(VgpuHolding) first = vgpu_holding_copy(self->holding);
    VgpuAsk ask = *self->ask;
    g_autoptr(GArray) order = NULL;
    Tried tried = TRIED_NEXT;

    /* the other profiles are read host by host */
    g_array_set_size(first->wants, 1);
    ask.holding = first;
    for (guint i = 0; i < n; i++) {
        const VgpuStoreItem *item = g_ptr_array_index(list->items, i);
        g_autofree char *text = vgpu_store_item_text(item);

        g_ptr_array_add(fits, text ? vgpu_fit_decode(text) : NULL);
    }
    for (guint i = 0; i < n; i++) {
        const VgpuStoreItem *item = g_ptr_array_index(list->items, i);

        candidates[i].host = vgpu_key_last(item->key);
        candidates[i].fits = (VgpuFit *const *) &fits->pdata[i];
    }
    order = vgpu_choose_order(&ask, candidates, n);
    for (guint i = 0; i < order->len && tried == TRIED_NEXT; i++)
        tried = insist(self, candidates[g_array_index(order, guint, i)].host, error);
    return tried;
}

/* From one host to the last, or to @until. */
static Tried
try_range(Planning *self, const char *prefix, const char *from, const char *until, GError **error)
{
    guint max = self->options->page ? self->options->page : PAGE;
    g_autofree char *next = g_strdup(from);
    Tried tried = TRIED_NEXT;
    bool more = true;

    while (more && tried == TRIED_NEXT) {
        g_autoptr(VgpuStoreList) list = vgpu_store_list(self->store, prefix, next, max, error);
        const VgpuStoreItem *last;

        if (!list)
            return TRIED_FAILED;
        if (list->items->len == 0)
            break;
        last = g_ptr_array_index(list->items, list->items->len - 1);
        g_free(next);
        next = g_strconcat(last->key, "!", NULL);
        more = list->more && !(until && strcmp(last->key, until) >= 0);
        tried = try_page(self, list, error);
    }
    return tried;
}

/* Where this domain begins to look, so that planners do not all ask the same host. */
static char *
start_of(const Planning *self, const char *profile)
{
    g_autofree char *host = vgpu_uuid_from_name(self->holding->domain, "host");

    return self->ask->policy == VGPU_PLACEMENT_SPREAD ? vgpu_key_fit(profile, host) : NULL;
}

static Tried
try_all(Planning *self, GError **error)
{
    const char *profile = g_array_index(self->holding->wants, VgpuWant, 0).profile;
    g_autofree char *prefix = vgpu_key_fit(profile, NULL), *start = start_of(self, profile);
    Tried tried;

    if (self->options->host)
        return insist(self, self->options->host, error);
    tried = try_range(self, prefix, start, NULL, error);
    return tried == TRIED_NEXT && start ? try_range(self, prefix, NULL, start, error) : tried;
}

static void
clear_planning(Planning *self)
{
    vgpu_holding_free(self->holding);
    g_free(self->why);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Planning, clear_planning)

static bool
check_ask(const VgpuAsk *ask, GError **error)
{
    if (ask->holding->wants->len == 0 || ask->holding->wants->len > VGPU_HOLDING_WANTS)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "%u profiles are asked for, 1 to %d are possible",
                              ask->holding->wants->len, VGPU_HOLDING_WANTS);
    return true;
}

static void
no_host(const Planning *self, GError **error)
{
    if (!self->options->host)
        vgpu_error_set(error, VGPU_ERROR_NO_CAPACITY, "no host of the fleet has room for that");
    else if (self->why)
        vgpu_error_set(error, VGPU_ERROR_NO_CAPACITY, "host %s does not take it: %s",
                       self->options->host, self->why);
    else
        vgpu_error_set(error, VGPU_ERROR_BUSY, "host %s has left, or changes all the time",
                       self->options->host);
}

VgpuHolding *
vgpu_planner_reserve(VgpuStore *store, const VgpuAsk *ask, const VgpuPlannerOptions *options,
                     GError **error)
{
    g_auto(Planning) self = { .store = store, .ask = ask, .options = options };
    Tried tried;

    if (!check_ask(ask, error))
        return NULL;
    self.holding = vgpu_holding_copy(ask->holding);
    self.holding->state = VGPU_HOLDING_RESERVED;
    self.holding->since = options->now;
    g_free(self.holding->by);
    self.holding->by = g_strdup(options->by);
    g_free(self.holding->id);
    self.holding->id = options->dry_run ? NULL : vgpu_uuid_random();
    if (!read_domain(&self, error) || !read_tenant(&self, error) ||
        (!options->dry_run &&
         !vgpu_store_lease_grant(store, VGPU_RESERVE_TTL, &self.lease, error)))
        return NULL;
    tried = try_all(&self, error);
    if (tried == TRIED_WON)
        return g_steal_pointer(&self.holding);
    if (tried == TRIED_NEXT)
        no_host(&self, error);
    if (self.lease == 0)
        return NULL;
    if (!error || !g_error_matches(*error, VGPU_ERROR, VGPU_ERROR_UNKNOWN))
        (void) !vgpu_store_lease_revoke(store, self.lease, NULL);
    return NULL;
}

bool
vgpu_planner_release(VgpuStore *store, const char *domain, GError **error)
{
    g_autoptr(VgpuHolding) now = NULL;
    g_autoptr(VgpuTxn) txn = NULL;
    VgpuStoreOutcome outcome = { 0 };
    gint64 changed;
    bool is_valid;

    if (!vgpu_planner_domain(store, domain, &now, &changed, &is_valid, error))
        return false;
    if (!now || (now->state == VGPU_HOLDING_RESERVED && !now->id))
        return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, "domain %s has no reservation",
                              domain);
    if (now->state != VGPU_HOLDING_RESERVED)
        return busy(now, is_valid, error);
    txn = vgpu_reserve_release(now, changed);
    if (!vgpu_store_txn(store, txn, &outcome, error))
        return false;
    if (!outcome.done)
        return vgpu_error_set(error, VGPU_ERROR_BUSY, "domain %s has just changed", domain);
    return true;
}

/* The domains that the keys on/HOST/ of @list name, as far as they are on that host. */
static bool
read_domains(VgpuStore *store, const char *host, const VgpuStoreList *list, GPtrArray *domains,
             GArray *changed, GError **error)
{
    for (guint i = 0; i < list->items->len; i++) {
        const VgpuStoreItem *item = g_ptr_array_index(list->items, i);
        g_autoptr(VgpuHolding) now = NULL;
        gint64 revision;
        bool is_valid;

        if (!vgpu_planner_domain(store, vgpu_key_last(item->key), &now, &revision, &is_valid,
                                 error))
            return false;
        if (!now || !g_str_equal(now->host, host))
            continue;
        g_ptr_array_add(domains, g_steal_pointer(&now));
        g_array_append_val(changed, revision);
    }
    return true;
}

bool
vgpu_planner_forget(VgpuStore *store, const char *host, guint *n, GError **error)
{
    g_autofree char *prefix = vgpu_key_on(host, NULL), *next = NULL;
    bool more = true;

    *n = 0;
    while (more) {
        g_autoptr(VgpuStoreList) list =
            vgpu_store_list(store, prefix, next, VGPU_RESERVE_FORGET, error);
        g_autoptr(GPtrArray) domains =
            g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_holding_free);
        g_autoptr(GArray) changed = g_array_new(FALSE, FALSE, sizeof(gint64));
        g_autoptr(VgpuTxn) txn = NULL;
        VgpuStoreOutcome outcome = { 0 };

        if (!list || !read_domains(store, host, list, domains, changed, error))
            return false;
        txn = vgpu_reserve_forget(host, (const VgpuHolding *const *) domains->pdata,
                                  (const gint64 *) (void *) changed->data, domains->len);
        if (!vgpu_store_txn(store, txn, &outcome, error))
            return false;
        if (!outcome.done)
            return vgpu_error_set(error, VGPU_ERROR_BUSY,
                                  "host %s is there, or its domains have just changed", host);
        *n += domains->len;
        more = list->more;
        if (list->items->len) {
            const VgpuStoreItem *last = g_ptr_array_index(list->items, list->items->len - 1);

            g_free(next);
            next = g_strconcat(last->key, "!", NULL);
        }
    }
    return true;
}
