/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Completes a domain's devices with the settings of their pools. */
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "domain/params.h"
#include "domain/refusals.h"
#include "pool/pools-private.h"

#define refuse(error, code, domain, want, ...)                                                   \
    vgpu_error_at(error, code, (domain)->what, (want)->line, __VA_ARGS__)

/* @pool stays NULL for the default one. */
static bool
find_pool(const VgpuPools *self, const VgpuDomain *domain, const VgpuWant *want,
          const VgpuPool **pool, GError **error)
{
    const char *reason;

    if (!want->pool || g_str_equal(want->pool, VGPU_POOL_DEFAULT))
        return true;
    if ((*pool = vgpu_pools_by_name(self, want->pool)))
        return true;
    if ((reason = vgpu_pools_why_broken(self, want->pool)))
        return refuse(error, VGPU_ERROR_NOT_FOUND, domain, want,
                      "the file of pool '%s' is not valid: %s", want->pool, reason);
    return refuse(error, VGPU_ERROR_NOT_FOUND, domain, want, VGPU_REFUSAL_NO_POOL, want->pool);
}

/* The policy of @pool for plugin parameters, which nothing in a domain changes. */
static bool
take_params(const VgpuDomain *domain, VgpuWant *want, const VgpuPool *pool, GError **error)
{
    g_autofree char *why =
        vgpu_params_policy_refusal(&pool->params, pool->name, &want->asked, &pool->defaults);
    g_autofree char *list = vgpu_params_policy_apply(&pool->params, want->params);
    gsize len = list ? strlen(list) : 0;

    if (why)
        return refuse(error, VGPU_ERROR_BAD_REQUEST, domain, want, "%s", why);
    if (len > VGPU_PARAMS_MAX)
        return refuse(error, VGPU_ERROR_BAD_REQUEST, domain, want, VGPU_REFUSAL_PARAMS_TOO_LONG,
                      pool->name, len, VGPU_PARAMS_MAX);
    g_free(want->params);
    want->params = g_steal_pointer(&list);
    return true;
}

/* Whether @want, with the defaults of its pool, lacks nothing. */
static bool
check_want(const VgpuDomain *domain, const VgpuWant *want, const VgpuPool *pool, GError **error)
{
    bool lacks_profile = !want->profiles || !*want->profiles;

    if (lacks_profile && !pool)
        return refuse(error, VGPU_ERROR_BAD_REQUEST, domain, want,
                      "the pool '" VGPU_POOL_DEFAULT "' has no default profile; name one, as "
                      "profile='…'");
    if (lacks_profile && !vgpu_pool_default_profile(pool))
        return refuse(error, VGPU_ERROR_BAD_REQUEST, domain, want,
                      "pool '%s' has no default profile, and the device names none: name one, as "
                      "profile='…', or mark one of the pool's with default='yes'",
                      pool->name);
    if (want->driver_iso != VGPU_SWITCH_ON || (pool && pool->iso))
        return true;
    if (!pool)
        return refuse(error, VGPU_ERROR_BAD_REQUEST, domain, want,
                      "the device asks for driverISO, but the pool '" VGPU_POOL_DEFAULT
                      "' has no "
                      "image; name a pool that has one");
    return refuse(error, VGPU_ERROR_BAD_REQUEST, domain, want,
                  "the device asks for driverISO, but pool '%s' names no image "
                  "(<driverISO path='…'/>)",
                  pool->name);
}

static void
take_profile(VgpuWant *want, const VgpuPool *pool)
{
    const char *profile[] = { vgpu_pool_default_profile(pool), NULL };

    g_strfreev(want->profiles);
    want->profiles = g_strdupv((char **) profile);
}

bool
vgpu_pools_complete(const VgpuPools *self, VgpuDomain *domain, GError **error)
{
    static const VgpuDefaults none;
    const char *iso = NULL;
    bool keeps_room = domain->keep_room == VGPU_SWITCH_ON;

    for (guint i = 0; i < domain->wants->len; i++) {
        VgpuWant *want = g_ptr_array_index(domain->wants, i);
        const VgpuPool *pool = NULL;

        if (!find_pool(self, domain, want, &pool, error))
            return false;
        vgpu_want_apply(want, pool ? &pool->defaults : &none);
        if (!check_want(domain, want, pool, error) ||
            (pool && !take_params(domain, want, pool, error)))
            return false;
        if (!want->profiles || !*want->profiles)
            take_profile(want, pool);
        if (!iso && pool && want->driver_iso == VGPU_SWITCH_ON)
            iso = pool->iso;
        keeps_room |= domain->keep_room == VGPU_SWITCH_AUTO && pool &&
                      pool->defaults.keep_room == VGPU_SWITCH_ON;
    }
    domain->keeps_room = keeps_room;
    g_free(domain->driver_iso);
    domain->driver_iso = g_strdup(iso);
    return true;
}
