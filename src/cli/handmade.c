/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/handmade.h"

#include <stdbool.h>
#include <string.h>

#include "base/names.h"
#include "cli/bus.h"
#include "cli/mdevctl.h"
#include "gpu/profile.h"

struct VgpuHandmade {
    const VgpuSysfs *fs;
    GVariant *vgpus;    /* aa{sv}, with those of others */
    GVariant *profiles; /* aa{sv} */
    GVariant *pools;    /* aa{sv} */
    GPtrArray *gpus;    /* of GVariant a{sv}, each with its virtual functions */
};

void
vgpu_handmade_free(VgpuHandmade *self)
{
    if (!self)
        return;
    g_clear_pointer(&self->vgpus, g_variant_unref);
    g_clear_pointer(&self->profiles, g_variant_unref);
    g_clear_pointer(&self->pools, g_variant_unref);
    g_ptr_array_unref(self->gpus);
    g_free(self);
}

void
vgpu_handmade_device_clear(VgpuHandmadeDevice *self)
{
    g_clear_pointer(&self->profile, g_free);
    g_clear_pointer(&self->gpu, g_free);
    g_clear_pointer(&self->pool, g_free);
    g_clear_pointer(&self->reason, g_free);
    g_clear_pointer(&self->advice, g_free);
}

/* Borrowed from @row; NULL: it has none. */
static const char *
text_of(GVariant *row, const char *key)
{
    const char *text = NULL;

    (void) !g_variant_lookup(row, key, "&s", &text);
    return text;
}

static bool
read_gpus(VgpuHandmade *self, VgpuBusManager1 *manager, GError **error)
{
    g_autoptr(GVariant) gpus = vgpu_bus_query(manager, "ListGpus", g_variant_new("()"), error);

    for (gsize i = 0; gpus && i < g_variant_n_children(gpus); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(gpus, i);
        const char *address = text_of(row, "address");
        GVariant *gpu = vgpu_bus_query(manager, "GetGpu", g_variant_new("(s)", address), NULL);

        if (gpu) /* else it has disappeared */
            g_ptr_array_add(self->gpus, gpu);
    }
    return gpus != NULL;
}

VgpuHandmade *
vgpu_handmade_new(VgpuBusManager1 *manager, const VgpuSysfs *fs, GError **error)
{
    g_autoptr(VgpuHandmade) self = g_new0(VgpuHandmade, 1);

    self->fs = fs;
    self->gpus = g_ptr_array_new_with_free_func((GDestroyNotify) g_variant_unref);
    if (!(self->vgpus =
              vgpu_bus_query(manager, "ListVgpus", g_variant_new("(b)", true), error)) ||
        !(self->profiles =
              vgpu_bus_query(manager, "ListProfiles", g_variant_new("(s)", ""), error)) ||
        !(self->pools = vgpu_bus_query(manager, "ListPools", g_variant_new("()"), error)) ||
        !read_gpus(self, manager, error))
        return NULL;
    return g_steal_pointer(&self);
}

/* The row of @rows with that value of @key; NULL: none has it. */
static GVariant *
find_row(GVariant *rows, const char *key, const char *value)
{
    for (gsize i = 0; rows && i < g_variant_n_children(rows); i++) {
        GVariant *row = g_variant_get_child_value(rows, i);

        if (g_strcmp0(text_of(row, key), value) == 0)
            return row;
        g_variant_unref(row);
    }
    return NULL;
}

/* The GPU that the function @address is, or that it is a virtual function of: then *@vf is its row. Borrowed. */
static GVariant *
find_gpu(const VgpuHandmade *self, const char *address, GVariant **vf)
{
    *vf = NULL;
    for (guint i = 0; i < self->gpus->len; i++) {
        GVariant *gpu = self->gpus->pdata[i];
        g_autoptr(GVariant) vfs = g_variant_lookup_value(gpu, "vfs", G_VARIANT_TYPE("aa{sv}"));

        if (g_strcmp0(text_of(gpu, "address"), address) == 0 ||
            (*vf = find_row(vfs, "address", address)))
            return gpu;
    }
    return NULL;
}

/* The name of the profile of @gpu with that id; the id if it is not known. */
static char *
name_of(const VgpuHandmade *self, const char *gpu, const char *id)
{
    for (gsize i = 0; i < g_variant_n_children(self->profiles); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(self->profiles, i);

        if (g_strcmp0(text_of(row, "gpu"), gpu) == 0 && g_strcmp0(text_of(row, "id"), id) == 0 &&
            text_of(row, "name"))
            return g_strdup(text_of(row, "name"));
    }
    return g_strdup(id);
}

/* The pool of @gpu: devices without pool= get no vGPU there. NULL: the default pool. */
static char *
pool_of(const VgpuHandmade *self, const char *gpu)
{
    for (gsize i = 0; i < g_variant_n_children(self->pools); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(self->pools, i);
        const char *name = text_of(row, "name");
        g_autofree const char **gpus = NULL;

        if (g_strcmp0(name, VGPU_POOL_DEFAULT) != 0 &&
            g_variant_lookup(row, "gpus", "^a&s", &gpus) && g_strv_contains(gpus, gpu))
            return g_strdup(name);
    }
    return NULL;
}

/* Whether the vGPU of @row is, by its records, another domain's: then @out says so. */
static bool
is_anothers(GVariant *row, const char *domain_uuid, VgpuHandmadeDevice *out)
{
    const char *owner = row ? text_of(row, "domain_uuid") : NULL;

    if (!owner || g_strcmp0(owner, domain_uuid) == 0)
        return false;
    out->kind = VGPU_HANDMADE_UNKNOWN;
    out->reason = g_strdup_printf("it is the vGPU of domain '%s'",
                                  text_of(row, "domain") ? text_of(row, "domain") : owner);
    return true;
}

static void
advise_mdevctl(const VgpuMdevctl *definition, const char *uuid, VgpuHandmadeDevice *out)
{
    out->advice = definition->autostart
                      ? g_strdup_printf(
                            "mdevctl makes %s at boot, where it takes room while the domain is "
                            "off: mdevctl modify --manual --uuid %s (or mdevctl undefine --uuid "
                            "%s)",
                            uuid, uuid, uuid)
                      : g_strdup_printf("mdevctl's definition of %s is no longer needed: mdevctl "
                                        "undefine --uuid %s",
                                        uuid, uuid);
}

static bool
has_function(const VgpuHandmade *self, const char *address)
{
    g_autofree char *path = g_strconcat(VGPU_SYS_PCI_DEVICES "/", address, NULL);

    return vgpu_sysfs_exists(self->fs, path);
}

/* It does not exist, but mdevctl knows it. */
static void
look_at_definition(const VgpuHandmade *self, const VgpuMdevctl *definition,
                   VgpuHandmadeDevice *out)
{
    g_autoptr(GVariant) vf = NULL;
    GVariant *gpu = find_gpu(self, definition->parent, &vf);

    if (!gpu && has_function(self, definition->parent)) {
        out->kind = VGPU_HANDMADE_OTHER;
    } else if (!gpu) {
        out->kind = VGPU_HANDMADE_UNKNOWN;
        out->reason = g_strdup_printf("mdevctl has it on %s, which does not exist now (are the "
                                      "virtual functions of its GPU off?)",
                                      definition->parent);
    } else if (!definition->type) {
        out->kind = VGPU_HANDMADE_UNTYPED;
        out->reason = g_strdup("mdevctl's definition of it has no type");
    } else {
        out->kind = VGPU_HANDMADE_VGPU;
        out->profile = name_of(self, text_of(gpu, "address"), definition->type);
        out->gpu = g_strdup(definition->parent);
    }
}

static void
look_at_mdev(const VgpuHandmade *self, const char *uuid, const char *domain_uuid,
             VgpuHandmadeDevice *out)
{
    g_autofree char *path = g_strconcat(VGPU_SYS_MDEV_DEVICES "/", uuid, NULL);
    g_autoptr(GVariant) row = find_row(self->vgpus, "uuid", uuid);
    g_autoptr(VgpuMdevctl) definition = vgpu_mdevctl_find(self->fs, uuid);

    out->interface = VGPU_INTERFACE_MDEV;
    if (is_anothers(row, domain_uuid, out))
        return;
    if (row && text_of(row, "parent")) {
        const char *name =
            text_of(row, "profile") ? text_of(row, "profile") : text_of(row, "profile_id");

        out->kind = name ? VGPU_HANDMADE_VGPU : VGPU_HANDMADE_UNTYPED;
        out->profile = g_strdup(name);
        out->gpu = g_strdup(text_of(row, "parent"));
        out->reason = name ? NULL : g_strdup("its type cannot be read");
    } else if (vgpu_sysfs_exists(self->fs, path)) {
        out->kind = VGPU_HANDMADE_OTHER; /* an mdev of no GPU */
    } else if (definition) {
        look_at_definition(self, definition, out);
    } else {
        out->kind = VGPU_HANDMADE_UNTYPED;
        out->reason =
            g_strdup("the mdev does not exist now, and mdevctl has no definition of it");
    }
    if (definition && out->kind != VGPU_HANDMADE_OTHER)
        advise_mdevctl(definition, uuid, out);
}

/* Its type was set by hand, and a start of ours does not take a VF that has one. */
static void
look_at_vendor_vf(const VgpuHandmade *self, GVariant *gpu, GVariant *vf, VgpuHandmadeDevice *out)
{
    const char *name = text_of(vf, "profile");

    out->interface = VGPU_INTERFACE_VENDOR_VFIO;
    if (!name) {
        out->kind = VGPU_HANDMADE_UNTYPED;
        out->reason = g_strdup("no type is set on the VF now");
        return;
    }
    out->kind = VGPU_HANDMADE_VGPU;
    out->profile = name_of(self, text_of(gpu, "address"), name);
    out->advice = g_strdup_printf("the type of %s is still the one that was set by hand; while "
                                  "the domain is off: echo 0 > "
                                  "/" VGPU_SYS_PCI_DEVICES "/%s/nvidia/current_vgpu_type",
                                  out->gpu, out->gpu);
}

static void
look_at_function(const VgpuHandmade *self, const char *address, const char *domain_uuid,
                 VgpuHandmadeDevice *out)
{
    g_autoptr(GVariant) row = find_row(self->vgpus, "parent", address);
    g_autoptr(GVariant) vf = NULL;
    GVariant *gpu = find_gpu(self, address, &vf);
    VgpuInterface interface =
        gpu ? vgpu_interface_from_string(text_of(gpu, "interface")) : VGPU_INTERFACE_NONE;

    if (!gpu && !has_function(self, address)) {
        out->kind = VGPU_HANDMADE_UNKNOWN;
        out->reason =
            g_strdup_printf("%s is not present, so its profile cannot be determined", address);
        return;
    }
    if (!vf || !vgpu_interface_is_on_vf(interface)) /* no GPU's, a whole GPU, or no vGPU of it */
        return;
    if (is_anothers(row, domain_uuid, out))
        return;
    out->gpu = g_strdup(address);
    if (interface == VGPU_INTERFACE_VENDOR_VFIO) {
        look_at_vendor_vf(self, gpu, vf, out);
        return;
    }
    out->kind = VGPU_HANDMADE_VGPU;
    out->interface = VGPU_INTERFACE_VF;
    out->profile = g_strdup(VGPU_VF_PROFILE);
}

VgpuHandmadeDevice
vgpu_handmade_look(const VgpuHandmade *self, const VgpuHostdev *hostdev, const char *domain_uuid)
{
    VgpuHandmadeDevice device = { .kind = VGPU_HANDMADE_OTHER };

    g_autoptr(GVariant) vf = NULL;
    GVariant *gpu;

    if (hostdev->uuid)
        look_at_mdev(self, hostdev->uuid, domain_uuid, &device);
    else if (hostdev->source)
        look_at_function(self, hostdev->source, domain_uuid, &device);
    if (device.gpu && (gpu = find_gpu(self, device.gpu, &vf)))
        device.pool = pool_of(self, text_of(gpu, "address"));
    return device;
}
