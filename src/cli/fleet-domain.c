/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/fleet-domain.h"

#include <string.h>

#include "base/error.h"
#include "base/xml-stream.h"
#include "cli/domain-io.h"
#include "cli/xml-file.h"
#include "domain/domain.h"

VgpuFleetDevice *
vgpu_fleet_device_new(const char *const *profiles, const char *pool, guint count)
{
    VgpuFleetDevice *self = g_new0(VgpuFleetDevice, 1);

    self->profiles = profiles ? g_strdupv((char **) profiles) : g_new0(char *, 1);
    self->pool = g_strdup(pool);
    self->count = count;
    return self;
}

static void
free_device(gpointer data)
{
    VgpuFleetDevice *self = data;

    g_strfreev(self->profiles);
    g_free(self->pool);
    g_free(self);
}

VgpuFleetDomain *
vgpu_fleet_domain_new(void)
{
    VgpuFleetDomain *self = g_new0(VgpuFleetDomain, 1);

    self->devices = g_ptr_array_new_with_free_func(free_device);
    return self;
}

void
vgpu_fleet_domain_free(VgpuFleetDomain *self)
{
    if (!self)
        return;
    g_free(self->name);
    g_free(self->uuid);
    g_free(self->tenant);
    g_free(self->xml);
    g_ptr_array_unref(self->devices);
    g_free(self);
}

static bool
is_same(const VgpuFleetDevice *device, const VgpuWant *want)
{
    return g_strcmp0(device->pool, want->pool) == 0 &&
           g_strv_equal((const char *const *) device->profiles,
                        (const char *const *) want->profiles);
}

static void
add_want(VgpuFleetDomain *self, const VgpuWant *want)
{
    VgpuFleetDevice *last =
        self->devices->len ? g_ptr_array_index(self->devices, self->devices->len - 1) : NULL;

    if (last && want->profiles && is_same(last, want))
        last->count++;
    else
        g_ptr_array_add(self->devices, vgpu_fleet_device_new((const char *const *) want->profiles,
                                                             want->pool, 1));
}

static VgpuFleetDomain *
parse(const char *xml, const char *what, GError **error)
{
    g_autoptr(VgpuDomain) domain = vgpu_domain_parse(xml, strlen(xml), what, error);
    VgpuFleetDomain *self;

    if (!domain)
        return NULL;
    if (domain->wants->len == 0) {
        vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                       "%s asks for no vGPU: see 'virt-vgpu annotate'", what);
        return NULL;
    }
    self = vgpu_fleet_domain_new();
    self->name = g_strdup(domain->name);
    self->uuid = g_strdup(domain->uuid);
    self->tenant = g_strdup(domain->tenant);
    self->xml = g_strdup(xml);
    for (guint i = 0; i < domain->wants->len; i++)
        add_want(self, g_ptr_array_index(domain->wants, i));
    return self;
}

/* It may have two descriptions of one domain, as virt-install prints them: the first counts. */
VgpuFleetDomain *
vgpu_fleet_domain_read(const char *path, GError **error)
{
    const char *what = vgpu_xml_file_source(path);
    gsize len = 0;
    g_autofree char *xml = vgpu_xml_file_read(path, &len, error);
    g_autoptr(GPtrArray) documents = xml ? vgpu_xml_stream_split(xml, len) : NULL;
    g_autoptr(VgpuFleetDomain) self =
        documents ? parse(g_ptr_array_index(documents, 0), what, error) : NULL;

    for (guint i = 1; self && i < documents->len; i++) {
        g_autoptr(VgpuFleetDomain) other = parse(g_ptr_array_index(documents, i), what, error);

        if (!other)
            return NULL;
        if (g_str_equal(other->name, self->name))
            continue;
        vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "%s has several domains, '%s' and '%s'",
                       what, self->name, other->name);
        return NULL;
    }
    return g_steal_pointer(&self);
}

VgpuFleetDomain *
vgpu_fleet_domain_find(const VgpuCli *cli, const char *typed, GError **error)
{
    g_autoptr(VgpuDomainState) state = vgpu_domain_io_find(cli, typed, error);
    g_autofree char *what = g_strdup_printf("domain '%s'", typed);

    return state ? parse(state->definition ? state->definition : state->live, what, error) : NULL;
}
