/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/takeover.h"

#include <string.h>

#include "base/error.h"

static void
device_free(VgpuTakeoverDevice *self)
{
    vgpu_handmade_device_clear(&self->device);
    g_free(self);
}

void
vgpu_takeover_free(VgpuTakeover *self)
{
    if (!self)
        return;
    g_free(self->what);
    vgpu_domain_free(self->domain);
    g_clear_pointer(&self->devices, g_ptr_array_unref);
    vgpu_import_free(self->plan);
    g_free(self);
}

static bool
refuse(const VgpuTakeover *self, const VgpuHostdev *hostdev, const VgpuHandmadeDevice *device,
       GError **error)
{
    return vgpu_error_at(error, VGPU_ERROR_NOT_SUPPORTED, self->what, hostdev->line,
                         "the <hostdev> of %s cannot be imported: %s%s",
                         hostdev->uuid ? hostdev->uuid : hostdev->source, device->reason,
                         device->kind == VGPU_HANDMADE_UNTYPED
                             ? "; give its profile with --profile"
                             : "");
}

static bool
look_at(VgpuTakeover *self, guint number, const VgpuHandmade *host, const char *profile,
        GError **error)
{
    const VgpuHostdev *hostdev = self->domain->hostdevs->pdata[number];
    VgpuHandmadeDevice device = vgpu_handmade_look(host, hostdev, self->domain->uuid);
    VgpuTakeoverDevice *added;

    if (device.kind == VGPU_HANDMADE_UNTYPED && profile) {
        g_free(device.profile);
        device.profile = g_strdup(profile);
        device.kind = VGPU_HANDMADE_VGPU;
    }
    if (device.kind != VGPU_HANDMADE_VGPU) {
        bool is_other =
            device.kind == VGPU_HANDMADE_OTHER || refuse(self, hostdev, &device, error);

        vgpu_handmade_device_clear(&device);
        return is_other;
    }
    added = g_new0(VgpuTakeoverDevice, 1);
    added->hostdev = number;
    added->device = device;
    g_ptr_array_add(self->devices, added);
    return true;
}

static bool
look_at_all(VgpuTakeover *self, const VgpuHandmade *host, const char *profile, GError **error)
{
    for (guint i = 0; i < self->domain->hostdevs->len; i++) {
        if (vgpu_import_is_candidate(self->domain, self->domain->hostdevs->pdata[i]) &&
            !look_at(self, i, host, profile, error))
            return false;
    }
    return true;
}

static VgpuImport *
plan_devices(const VgpuTakeover *self, const char *definition, gulong libvirt, GError **error)
{
    g_autofree VgpuImportDevice *devices = g_new0(VgpuImportDevice, self->devices->len);

    for (guint i = 0; i < self->devices->len; i++) {
        const VgpuTakeoverDevice *device = self->devices->pdata[i];

        devices[i] = (VgpuImportDevice) {
            .hostdev = device->hostdev,
            .profile = device->device.profile,
            .gpu = device->device.gpu,
            .pool = device->device.pool,
            .interface = device->device.interface,
        };
    }
    return vgpu_import_plan(definition, self->what, devices, self->devices->len, libvirt, error);
}

VgpuTakeover *
vgpu_takeover_plan(const VgpuHandmade *host, const VgpuDomainState *state, const char *profile,
                   gulong libvirt, GError **error)
{
    g_autoptr(VgpuTakeover) self = g_new0(VgpuTakeover, 1);

    self->what = g_strdup_printf("domain '%s'", state->name);
    self->devices = g_ptr_array_new_with_free_func((GDestroyNotify) device_free);
    if (!state->definition) {
        vgpu_error_at(error, VGPU_ERROR_BAD_REQUEST, self->what, 0, "%s",
                      state->unreadable ? state->unreadable
                                        : "it is transient and has no persistent definition");
        return NULL;
    }
    if (!(self->domain = vgpu_domain_parse(state->definition, strlen(state->definition),
                                           self->what, error)) ||
        !look_at_all(self, host, profile, error))
        return NULL;
    if (self->devices->len &&
        !(self->plan = plan_devices(self, state->definition, libvirt, error)))
        return NULL;
    return g_steal_pointer(&self);
}

/* Put back the first @n detached devices, and the annotation; failures are added to @error. */
static void
put_back(const VgpuTakeover *self, virConnectPtr conn, guint n, GError **error)
{
    const char *uuid = self->domain->uuid;

    for (guint i = 0; i < n; i++) {
        g_autoptr(GError) failure = NULL;
        const char *xml = self->plan->replaced->pdata[i];

        if (!vgpu_domains_attach_config(conn, uuid, xml, &failure))
            g_prefix_error(error, "%s; put it back by hand: %s; ", failure->message, xml);
    }
    if (!vgpu_domains_set_annotation_in(conn, uuid, self->plan->old, false, true, NULL))
        g_prefix_error(error, "the annotation is still there: ");
}

/* The annotation comes first: if this program is killed in between, the domain refuses to start, with the reason,
 * and does not start without its vGPU. */
bool
vgpu_takeover_apply(const VgpuTakeover *self, virConnectPtr conn, GError **error)
{
    const char *uuid = self->domain->uuid;

    if (!vgpu_domains_set_annotation_in(conn, uuid, self->plan->annotation, false, true, error))
        return false;
    for (guint i = 0; i < self->plan->replaced->len; i++) {
        if (!vgpu_domains_detach_users_config(conn, uuid, self->plan->replaced->pdata[i],
                                              error)) {
            put_back(self, conn, i, error);
            return false;
        }
    }
    return true;
}
