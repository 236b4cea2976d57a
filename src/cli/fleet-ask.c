/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/fleet-ask.h"

#include "base/error.h"
#include "base/uuid.h"
#include "cli/fleet-domain.h"
#include "fleet/planner.h"
#include "fleet/survey.h"

#define ALTERNATIVES 64 /* that are tried; 16 devices could have more than anybody waits for */

static VgpuFleetDomain *
domain_of_options(const VgpuFleetTyped *typed)
{
    VgpuFleetDomain *self = vgpu_fleet_domain_new();

    self->uuid = typed->domain ? vgpu_uuid_canonical(typed->domain) : NULL;
    self->tenant = g_strdup(typed->tenant);
    for (guint i = 0; typed->profiles && i < typed->profiles->len; i++) {
        const char *const one[] = { g_ptr_array_index(typed->profiles, i), NULL };

        g_ptr_array_add(self->devices,
                        vgpu_fleet_device_new(one, typed->pool,
                                              g_array_index(typed->counts, guint, i)));
    }
    if (!typed->profiles)
        g_ptr_array_add(self->devices, vgpu_fleet_device_new(NULL, typed->pool, 1));
    return self;
}

/* What a pool offers, if that is one profile; which of several is its default, only its hosts know. */
static bool
complete(VgpuStore *store, VgpuFleetDevice *device, GError **error)
{
    const char *pool = device->pool ? device->pool : "default";
    g_autoptr(GPtrArray) names = NULL;
    g_autofree char *joined = NULL;

    if (*device->profiles)
        return true;
    if (!(names = vgpu_survey_pool(store, pool, error)))
        return false;
    if (names->len == 0)
        return vgpu_error_set(error, VGPU_ERROR_NO_CAPACITY,
                              "no host of the fleet has room in a pool '%s'", pool);
    if (names->len == 1) {
        g_strfreev(device->profiles);
        g_ptr_array_add(names, NULL);
        device->profiles = g_strdupv((char **) names->pdata);
        return true;
    }
    g_ptr_array_add(names, NULL);
    joined = g_strjoinv(", ", (char **) names->pdata);
    return vgpu_error_set(error, VGPU_ERROR_ARGUMENT,
                          "hosts have several profiles in pool '%s', and only they know which "
                          "is its default: name one of %s",
                          pool, joined);
}

/* One profile of each device: number @n of all combinations; false: there are not so many. */
static bool
add_nth(VgpuStore *store, const VgpuFleetDomain *domain, guint n, VgpuHolding *holding,
        bool *is_there, GError **error)
{
    for (guint i = 0; i < domain->devices->len; i++) {
        const VgpuFleetDevice *device = g_ptr_array_index(domain->devices, i);
        guint len = g_strv_length(device->profiles);
        g_autofree char *name = NULL;
        guint mib;

        if (!vgpu_survey_profile(store, device->profiles[n % len], &name, &mib, error))
            return false;
        vgpu_holding_add(holding, name, device->count, mib);
        n /= len;
    }
    *is_there = n == 0;
    return true;
}

static bool
add_alternatives(VgpuFleetAsk *self, VgpuStore *store, const VgpuFleetDomain *domain,
                 GError **error)
{
    g_autofree char *nobody = self->uuid ? NULL : vgpu_uuid_random();
    bool is_there = true;

    for (guint n = 0; is_there && n < ALTERNATIVES; n++) {
        g_autoptr(VgpuHolding) holding =
            vgpu_holding_new(self->uuid ? self->uuid : nobody, NULL, VGPU_HOLDING_RESERVED);

        holding->tenant = g_strdup(domain->tenant);
        if (!add_nth(store, domain, n, holding, &is_there, error))
            return false;
        if (is_there)
            g_ptr_array_add(self->alternatives, g_steal_pointer(&holding));
    }
    return true;
}

/* The hosts of the domains that it must not be with; one that is on no host keeps it from none. */
static bool
read_apart(VgpuFleetAsk *self, VgpuStore *store, char *const *domains, GError **error)
{
    self->ask.apart = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (; domains && *domains; domains++) {
        g_autofree char *uuid = vgpu_uuid_canonical(*domains);
        g_autoptr(VgpuHolding) now = NULL;
        gint64 changed;
        bool is_valid;

        if (!vgpu_planner_domain(store, uuid, &now, &changed, &is_valid, error))
            return false;
        if (now)
            g_hash_table_insert(self->ask.apart, g_strdup(now->host),
                                g_strdup_printf("domain %s is %s there", uuid,
                                                vgpu_holding_state_name(now->state)));
    }
    return true;
}

static const char *const *
pools_of(const VgpuFleetDomain *domain)
{
    const char **pools = g_new0(const char *, domain->devices->len + 1);

    for (guint i = 0; i < domain->devices->len; i++)
        pools[i] = g_intern_string(
            ((const VgpuFleetDevice *) g_ptr_array_index(domain->devices, i))->pool);
    return pools;
}

void
vgpu_fleet_ask_free(VgpuFleetAsk *self)
{
    if (!self)
        return;
    g_free(self->what);
    g_free(self->uuid);
    g_free(self->name);
    g_free(self->xml);
    g_ptr_array_unref(self->alternatives);
    g_clear_pointer(&self->ask.apart, g_hash_table_unref);
    g_free((gpointer) self->ask.pools);
    g_free(self);
}

static VgpuFleetDomain *
read_domain(const VgpuCli *cli, const char *name, GError **error)
{
    if (name)
        return vgpu_fleet_domain_find(cli, name, error);
    return vgpu_fleet_typed.xml ? vgpu_fleet_domain_read(vgpu_fleet_typed.xml, error)
                                : domain_of_options(&vgpu_fleet_typed);
}

VgpuFleetAsk *
vgpu_fleet_ask_read(const VgpuCli *cli, VgpuStore *store, const char *name, GError **error)
{
    g_autoptr(VgpuFleetDomain) domain = read_domain(cli, name, error);
    g_autoptr(VgpuFleetAsk) self = g_new0(VgpuFleetAsk, 1);

    self->alternatives = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_holding_free);
    if (!domain)
        return NULL;
    self->name = g_strdup(domain->name);
    self->uuid = g_strdup(domain->uuid);
    self->xml = g_strdup(domain->xml);
    self->what = self->name   ? g_strdup_printf("domain '%s'", self->name)
                 : self->uuid ? g_strdup_printf("domain %s", self->uuid)
                              : g_strdup("the domain");
    self->ask.policy = vgpu_fleet_typed.spread ? VGPU_PLACEMENT_SPREAD : VGPU_PLACEMENT_PACK;
    self->ask.labels = vgpu_fleet_typed.labels;
    for (guint i = 0; i < domain->devices->len; i++)
        if (!complete(store, g_ptr_array_index(domain->devices, i), error))
            return NULL;
    self->ask.pools = pools_of(domain);
    if (!read_apart(self, store, vgpu_fleet_typed.apart, error) ||
        !add_alternatives(self, store, domain, error))
        return NULL;
    return g_steal_pointer(&self);
}

VgpuAsk
vgpu_fleet_ask_nth(const VgpuFleetAsk *self, guint i)
{
    VgpuAsk ask = self->ask;

    ask.holding = g_ptr_array_index(self->alternatives, i);
    return ask;
}
