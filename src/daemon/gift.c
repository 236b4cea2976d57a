/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gift.c: domains to which a pool gives vGPUs by their name, without an annotation
 *
 * They get an annotation like that of a user, so that all else works as usual. A definition that has
 * anything of ours already, even an empty annotation, is left alone. A running domain gets its vGPUs by
 * hotplug. */
#include "daemon/gift.h"

#include <string.h>

#include "base/error.h"
#include "daemon/correction.h"
#include "daemon/guard-private.h"
#include "daemon/live-devices.h"
#include "daemon/turn.h"
#include "pool/pools.h"

/* The gift of a pool for the domain of that name. */
typedef struct {
    char *pool; /* NULL: nothing */
    guint devices;
    char *tenant; /* the pool's only tenant, which the vGPUs count for; if it has tenants */
} Gift;

static void
gift_clear(Gift *self)
{
    g_free(self->pool);
    g_free(self->tenant);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Gift, gift_clear)

static void
ask_pools(VgpuGuard *self, const char *domain_name, Gift *gift)
{
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin(self->worker);
    const VgpuPool *pool =
        vgpu_pools_for_domain(vgpu_manager_pools(self->manager), domain_name, &gift->devices);

    if (pool && pool->tenants->len > 1) {
        g_message(
            "domain '%s': pool '%s' gives it no vGPU: the pool has several tenants, and the "
            "domain names none; annotate the domain with a tenant",
            domain_name, pool->name);
        return;
    }
    gift->pool = pool ? g_strdup(pool->name) : NULL;
    if (pool && pool->tenants->len)
        gift->tenant = g_strdup(((const VgpuPoolTenant *) pool->tenants->pdata[0])->name);
}

bool
vgpu_gift_exists(VgpuGuard *self, const char *domain_name)
{
    guint devices = 0;

    return vgpu_pools_for_domain(vgpu_manager_pools(self->manager), domain_name, &devices);
}

bool
vgpu_gift_ask(VgpuGuard *self, const char *domain_name)
{
    g_auto(Gift) gift = { 0 };

    ask_pools(self, domain_name, &gift);
    return gift.pool != NULL;
}

static void
on_given(const GError *error, gpointer opaque)
{
    g_autofree char *domain_name = opaque;

    if (error)
        g_warning("domain '%s' runs without the vGPUs that its pool gives it: %s", domain_name,
                  error->message);
}

static char *
describe(const Gift *gift)
{
    return g_strdup_printf("%u of %s for %s", gift->devices, gift->pool,
                           gift->tenant ? gift->tenant : "");
}

static bool
annotate(VgpuGuard *self, virConnectPtr conn, const VgpuDomainState *state, const Gift *gift,
         bool live, GError **error)
{
    VgpuAnnotateOptions options = { .tenant = gift->tenant,
                                    .pool = gift->pool,
                                    .count = gift->devices };
    g_autofree char *element = vgpu_annotate_element(&options, error);
    g_autofree char *wanted = describe(gift);
    g_autofree char *reason = NULL;

    if (!element ||
        !vgpu_domains_set_annotation_in(conn, state->uuid, element, live, !live, error))
        return false;
    if (!live || !state->persistent) /* both together are one */
        vgpu_correction_done(self, state->uuid, VGPU_CONTEST_GIFT, wanted);
    reason = g_strdup_printf("pool '%s' gives %u vGPU(s) to domains of this name%s", gift->pool,
                             gift->devices, live ? "; it runs, so they are hotplugged" : "");
    vgpu_guard_emit(self, "domain-annotated", state, reason);
    return true;
}

static bool
read_again(virConnectPtr conn, VgpuDomainState **state, GError **error)
{
    VgpuDomainState *now = vgpu_domains_get(conn, (*state)->uuid, error);

    if (!now)
        return false;
    vgpu_domain_state_free(*state);
    *state = now;
    return true;
}

/* It runs, and was started without. */
static bool
give_live(VgpuGuard *self, virConnectPtr conn, VgpuDomainState **state, const Gift *gift,
          GError **error)
{
    g_autoptr(VgpuDomain) domain = NULL;

    if (!annotate(self, conn, *state, gift, true, error) || !read_again(conn, state, error))
        return false;
    if (!(*state)->live) /* stopped meanwhile */
        return true;
    domain = vgpu_domain_parse((*state)->live, strlen((*state)->live), NULL, error);
    if (!domain)
        return false;
    vgpu_live_devices_plug(self, g_steal_pointer(&domain), 0, on_given, g_strdup((*state)->name));
    return true;
}

/* Whether the definition has exactly the gift of the pool. */
static bool
is_gift(const char *definition, const Gift *gift)
{
    g_autoptr(VgpuDomain) domain = vgpu_domain_parse(definition, strlen(definition), NULL, NULL);

    if (!domain || domain->wants->len != gift->devices)
        return false;
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = domain->wants->pdata[i];

        if (g_strcmp0(want->pool, gift->pool) != 0 || want->profiles[0] || want->gpu ||
            want->uuid_is_users)
            return false;
    }
    return true;
}

bool
vgpu_gift_give(VgpuGuard *self, virConnectPtr conn, VgpuDomainState **state, GError **error)
{
    g_auto(Gift) gift = { 0 };
    g_autofree char *wanted = NULL;
    bool half = (*state)->live && !vgpu_guard_concerns((*state)->live);

    /* installers start a domain before they define it: the gift may be in the running domain only, or
     * only half of it if it was interrupted */
    if ((vgpu_guard_concerns((*state)->definition) && !half) ||
        (vgpu_guard_concerns((*state)->live) && !(*state)->persistent))
        return true;
    ask_pools(self, (*state)->name, &gift);
    if (!gift.pool)
        return true;
    if (vgpu_guard_concerns((*state)->definition))
        return !is_gift((*state)->definition, &gift) ||
               give_live(self, conn, state, &gift, error);
    wanted = describe(&gift);
    if (!vgpu_correction_is_allowed(self, *state, VGPU_CONTEST_GIFT, wanted, error))
        return false;
    /* the definition first: a start that was faster than that has run without when it is done, and
     * is seen by reading again */
    if ((*state)->persistent &&
        (!annotate(self, conn, *state, &gift, false, error) || !read_again(conn, state, error)))
        return false;
    return !(*state)->live || vgpu_guard_concerns((*state)->live) ||
           give_live(self, conn, state, &gift, error);
}
