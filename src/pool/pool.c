/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pool/pool.h"

#include <string.h>

#include "base/names.h"
#include "pool/pool-private.h"

static void
source_free(gpointer data)
{
    VgpuPoolSource *self = data;

    g_free(self->address);
    g_free(self->vendor);
    g_free(self->product);
    g_free(self->subsystem_vendor);
    g_free(self->subsystem_product);
    g_free(self->driver);
    g_free(self);
}

static void
profile_free(gpointer data)
{
    VgpuPoolProfile *self = data;

    g_free(self->name);
    g_free(self);
}

static void
tenant_free(gpointer data)
{
    VgpuPoolTenant *self = data;

    g_free(self->name);
    g_free(self);
}

static void
domain_free(gpointer data)
{
    VgpuPoolDomain *self = data;

    g_free(self->name);
    g_free(self);
}

VgpuPool *
vgpu_pool_new(void)
{
    VgpuPool *self = g_new0(VgpuPool, 1);

    self->sources = g_ptr_array_new_with_free_func(source_free);
    self->profiles = g_ptr_array_new_with_free_func(profile_free);
    self->tenants = g_ptr_array_new_with_free_func(tenant_free);
    self->domains = g_ptr_array_new_with_free_func(domain_free);
    self->params.listed = g_ptr_array_new_with_free_func(g_free);
    self->iso_paths = g_ptr_array_new_with_free_func(g_free);
    self->iso_gridd = g_ptr_array_new_with_free_func(g_free);
    g_atomic_ref_count_init(&self->refs);
    return self;
}

VgpuPool *
vgpu_pool_ref(VgpuPool *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

void
vgpu_pool_free(VgpuPool *self)
{
    if (!self || !g_atomic_ref_count_dec(&self->refs))
        return;
    g_free(self->name);
    g_free(self->uuid);
    g_free(self->description);
    g_ptr_array_unref(self->sources);
    g_ptr_array_unref(self->profiles);
    g_ptr_array_unref(self->tenants);
    g_ptr_array_unref(self->domains);
    g_ptr_array_unref(self->params.listed);
    g_free(self->params.forced);
    g_free(self->driver_version);
    g_free(self->iso);
    g_ptr_array_unref(self->iso_paths);
    g_ptr_array_unref(self->iso_gridd);
    g_free(self->iso_token);
    g_free(self->xml);
    g_free(self);
}

/* --- questions about a pool ----------------------------------------------------------------- */

static bool
is_or_any(const char *wanted, const char *actual)
{
    return !wanted || g_strcmp0(wanted, actual) == 0;
}

/* @gpu says "0x10de:0x157e", or nothing. */
static bool
is_of_subsystem(const VgpuPoolSource *source, const VgpuGpu *gpu)
{
    g_auto(GStrv) ids = gpu->subsystem ? g_strsplit(gpu->subsystem, ":", 2) : NULL;

    return is_or_any(source->subsystem_vendor, ids ? ids[0] : NULL) &&
           is_or_any(source->subsystem_product, ids && ids[0] ? ids[1] : NULL);
}

static bool
matches(const VgpuPoolSource *source, const VgpuGpu *gpu)
{
    return is_or_any(source->vendor, gpu->vendor_id) &&
           is_or_any(source->product, gpu->product_id) && is_of_subsystem(source, gpu) &&
           is_or_any(source->driver, gpu->driver) &&
           (source->interface == VGPU_INTERFACE_NONE || source->interface == gpu->interface) &&
           (source->numa_node < 0 || source->numa_node == gpu->numa_node);
}

bool
vgpu_pool_names(const VgpuPool *self, const char *address)
{
    for (guint i = 0; i < self->sources->len; i++) {
        const VgpuPoolSource *source = g_ptr_array_index(self->sources, i);

        if (g_strcmp0(source->address, address) == 0)
            return true;
    }
    return false;
}

guint
vgpu_pool_claims(const VgpuPool *self, const VgpuGpu *gpu)
{
    if (vgpu_pool_names(self, gpu->address))
        return 2;
    for (guint i = 0; i < self->sources->len; i++) {
        const VgpuPoolSource *source = g_ptr_array_index(self->sources, i);

        if (!source->address && matches(source, gpu))
            return 1;
    }
    return 0;
}

const char *
vgpu_pool_default_profile(const VgpuPool *self)
{
    for (guint i = 0; i < self->profiles->len; i++) {
        const VgpuPoolProfile *profile = g_ptr_array_index(self->profiles, i);

        if (profile->is_default || self->profiles->len == 1)
            return profile->name;
    }
    return NULL;
}

bool
vgpu_pool_allows(const VgpuPool *self, const VgpuProfile *profile)
{
    for (guint i = 0; i < self->profiles->len; i++) {
        const VgpuPoolProfile *allowed = g_ptr_array_index(self->profiles, i);

        if (vgpu_profile_matches(profile, allowed->name))
            return true;
    }
    return !self->profiles->len;
}

guint
vgpu_pool_devices_for(const VgpuPool *self, const char *domain_name)
{
    for (guint i = 0; i < self->domains->len; i++) {
        const VgpuPoolDomain *domain = g_ptr_array_index(self->domains, i);

        if (g_pattern_match_simple(domain->name, domain_name))
            return domain->devices;
    }
    return 0;
}

static char *
list_tenants(const VgpuPool *self)
{
    GString *names = g_string_new(NULL);

    for (guint i = 0; i < self->tenants->len; i++) {
        const VgpuPoolTenant *tenant = g_ptr_array_index(self->tenants, i);

        g_string_append_printf(names, "%s%s", i ? ", " : "", tenant->name);
    }
    return g_string_free(names, FALSE);
}

/* Why a tenant in the list cannot have one more. */
static char *
refuse_more(const VgpuPool *self, const VgpuPoolTenant *tenant, guint used, guint used_mib,
            const VgpuProfile *profile)
{
    if (used >= tenant->max)
        return g_strdup_printf("tenant '%s' has %u of the %u vGPUs that pool '%s' gives it",
                               tenant->name, used, tenant->max, self->name);
    if (tenant->max_mib == VGPU_POOL_NO_LIMIT)
        return NULL;
    if (!profile->fb_mib)
        return g_strdup_printf(
            "pool '%s' gives tenant '%s' %u MiB, but it is not known how many a vGPU '%s' takes",
            self->name, tenant->name, tenant->max_mib, profile->name);
    if ((guint64) used_mib + profile->fb_mib > tenant->max_mib)
        return g_strdup_printf("tenant '%s' has %u of the %u MiB that pool '%s' gives it, and a "
                               "vGPU '%s' takes %u",
                               tenant->name, used_mib, tenant->max_mib, self->name, profile->name,
                               profile->fb_mib);
    return NULL;
}

char *
vgpu_pool_refuses_tenant(const VgpuPool *self, const char *tenant, guint used, guint used_mib,
                         const VgpuProfile *profile)
{
    g_autofree char *names = NULL;

    if (!self->tenants->len)
        return NULL;
    for (guint i = 0; tenant && i < self->tenants->len; i++) {
        const VgpuPoolTenant *known = g_ptr_array_index(self->tenants, i);

        if (g_str_equal(known->name, tenant))
            return refuse_more(self, known, used, used_mib, profile);
    }
    names = list_tenants(self);
    if (!tenant)
        return g_strdup_printf(
            "pool '%s' is for its tenants only (%s), and the domain names none", self->name,
            names);
    return g_strdup_printf("pool '%s' is for its tenants only (%s), and '%s' is not one of them",
                           self->name, names, tenant);
}

bool
vgpu_pool_accepts_driver(const VgpuPool *self, const char *version)
{
    const char *wanted = self->driver_version;

    if (!wanted)
        return true;
    if (!version || !g_str_has_prefix(version, wanted))
        return false;
    return !version[strlen(wanted)] || version[strlen(wanted)] == '.';
}

const char *
vgpu_pool_meant(const char *name)
{
    return g_strcmp0(name, VGPU_POOL_DEFAULT) == 0 ? NULL : name;
}
