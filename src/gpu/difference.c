/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpu/difference.h"

#include <string.h>

#define MISSING "missing"
#define THERE "there"

typedef struct {
    GPtrArray *found;
    const VgpuGpu *libvirt, *sysfs; /* the same GPU */
} Comparison;

static void
difference_free(gpointer data)
{
    VgpuDifference *self = data;

    g_free(self->gpu);
    g_free(self->subject);
    g_free(self->libvirt);
    g_free(self->sysfs);
    g_free(self);
}

/* Takes @subject. */
static void
add(GPtrArray *found, const char *gpu, char *subject, const char *libvirt, const char *sysfs)
{
    VgpuDifference *self = g_new0(VgpuDifference, 1);

    self->gpu = g_strdup(gpu);
    self->subject = subject;
    self->libvirt = g_strdup(libvirt);
    self->sysfs = g_strdup(sysfs);
    g_ptr_array_add(found, self);
}

static void
add_presence(const Comparison *self, char *subject, bool in_libvirt)
{
    add(self->found, self->sysfs->address, subject, in_libvirt ? THERE : MISSING,
        in_libvirt ? MISSING : THERE);
}

/* NULL: not reported, which is no difference. */
static void
compare_text(const Comparison *self, const char *subject, const char *libvirt, const char *sysfs)
{
    if (libvirt && sysfs && g_ascii_strcasecmp(libvirt, sysfs) != 0)
        add(self->found, self->sysfs->address, g_strdup(subject), libvirt, sysfs);
}

static void
compare_number(const Comparison *self, const char *subject, guint libvirt, guint sysfs)
{
    g_autofree char *a = g_strdup_printf("%u", libvirt);
    g_autofree char *b = g_strdup_printf("%u", sysfs);

    compare_text(self, subject, a, b);
}

static bool
has_vf(const VgpuGpu *gpu, const char *address)
{
    return g_ptr_array_find_with_equal_func(gpu->vfs, address, g_str_equal, NULL);
}

static void
compare_vfs(const Comparison *self)
{
    const VgpuGpu *libvirt = self->libvirt, *sysfs = self->sysfs;

    compare_number(self, "largest number of virtual functions", libvirt->vfs_total,
                   sysfs->vfs_total);
    if (libvirt->vfs->len != sysfs->vfs->len) {
        compare_number(self, "virtual functions", libvirt->vfs->len, sysfs->vfs->len);
        return;
    }
    for (guint i = 0; i < sysfs->vfs->len; i++) {
        const char *vf = sysfs->vfs->pdata[i];

        if (!has_vf(libvirt, vf))
            add_presence(self, g_strdup_printf("virtual function %s", vf), false);
    }
}

static char *
type_text(const VgpuProfile *profile, const char *parent)
{
    return g_strdup_printf("type %s (%s) of %s", profile->id, profile->name, parent);
}

static void
compare_types(const Comparison *self, const VgpuParent *libvirt, const VgpuParent *sysfs)
{
    for (guint i = 0; i < sysfs->offers->len; i++) {
        const VgpuProfile *profile = ((VgpuOffer *) sysfs->offers->pdata[i])->profile;

        if (!vgpu_parent_find_offer(libvirt, profile->id))
            add_presence(self, type_text(profile, sysfs->address), false);
    }
    for (guint i = 0; i < libvirt->offers->len; i++) {
        const VgpuProfile *profile = ((VgpuOffer *) libvirt->offers->pdata[i])->profile;

        if (!vgpu_parent_find_offer(sysfs, profile->id))
            add_presence(self, type_text(profile, sysfs->address), true);
    }
}

/* Those of @here that @there has not. */
static void
compare_mdevs(const Comparison *self, const VgpuParent *here, const VgpuParent *there,
              bool here_is_libvirt)
{
    for (guint i = 0; i < here->instances->len; i++) {
        const char *uuid = ((VgpuInstance *) here->instances->pdata[i])->uuid;

        if (uuid && !vgpu_parent_find_instance(there, uuid))
            add_presence(self, g_strdup_printf("mdev %s of %s", uuid, here->address),
                         here_is_libvirt);
    }
}

static bool
was_read(const VgpuGpu *sysfs)
{
    for (guint i = 0; i < sysfs->parents->len; i++) {
        if (((VgpuParent *) sysfs->parents->pdata[i])->offers->len)
            return true;
    }
    return false;
}

/* A function without types has no parent in libvirt's view. A VF that libvirt does not know was reported
 * already. */
static void
compare_mdev_parents(const Comparison *self)
{
    for (guint i = 0; i < self->sysfs->parents->len; i++) {
        const VgpuParent *sysfs = self->sysfs->parents->pdata[i];
        const VgpuParent *libvirt = vgpu_gpu_find_parent(self->libvirt, sysfs->address);

        if (libvirt) {
            compare_types(self, libvirt, sysfs);
            compare_mdevs(self, libvirt, sysfs, true);
            compare_mdevs(self, sysfs, libvirt, false);
        } else if (!sysfs->is_vf || has_vf(self->libvirt, sysfs->address)) {
            add_presence(self, g_strdup_printf("vGPU types of %s", sysfs->address), false);
        }
    }
}

static void
compare_gpu(GPtrArray *found, const VgpuGpu *libvirt, const VgpuGpu *sysfs)
{
    const Comparison self = { .found = found, .libvirt = libvirt, .sysfs = sysfs };

    compare_text(&self, "vendor", libvirt->vendor_id, sysfs->vendor_id);
    compare_text(&self, "product", libvirt->product_id, sysfs->product_id);
    compare_text(&self, "driver", libvirt->driver, sysfs->driver);
    if (libvirt->numa_node >= 0 && libvirt->numa_node != sysfs->numa_node) {
        g_autofree char *a = g_strdup_printf("%d", libvirt->numa_node);
        g_autofree char *b = g_strdup_printf("%d", sysfs->numa_node);

        compare_text(&self, "NUMA node", a, sysfs->numa_node < 0 ? "none" : b);
    }
    compare_vfs(&self);
    if (sysfs->interface == VGPU_INTERFACE_MDEV && was_read(sysfs))
        compare_mdev_parents(&self);
}

/* Only what has vGPU types is surely a GPU: libvirt's view also has network adapters with VFs. */
static void
compare_gone(GPtrArray *found, const VgpuInventory *libvirt, const VgpuInventory *sysfs)
{
    for (guint i = 0; i < libvirt->gpus->len; i++) {
        const VgpuGpu *gpu = libvirt->gpus->pdata[i];

        if (gpu->interface == VGPU_INTERFACE_MDEV && !vgpu_inventory_find(sysfs, gpu->address))
            add(found, gpu->address, g_strdup("the GPU"), THERE, MISSING);
    }
}

/* It makes vGPUs, or would. */
static bool
is_of_interest(const VgpuGpu *gpu)
{
    return gpu->interface != VGPU_INTERFACE_NONE || gpu->vfs_total;
}

/* How many GPUs are of interest, and *@known: how many of them libvirt has. */
static guint
count(const VgpuInventory *libvirt, const VgpuInventory *sysfs, guint *known)
{
    guint n = 0;

    *known = 0;
    for (guint i = 0; i < sysfs->gpus->len; i++) {
        const VgpuGpu *gpu = sysfs->gpus->pdata[i];

        n += is_of_interest(gpu);
        *known += is_of_interest(gpu) && vgpu_inventory_find(libvirt, gpu->address);
    }
    return n;
}

GPtrArray *
vgpu_difference_list(const VgpuInventory *libvirt, const VgpuInventory *sysfs)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(difference_free);
    guint known, n = count(libvirt, sysfs, &known);
    g_autofree char *number = g_strdup_printf("%u", n);

    if (n && !known) { /* for one reason, and not each for its own */
        add(found, NULL, g_strdup("GPUs"), "0", number);
        return found;
    }
    for (guint i = 0; i < sysfs->gpus->len; i++) {
        const VgpuGpu *gpu = sysfs->gpus->pdata[i];
        const VgpuGpu *same = vgpu_inventory_find(libvirt, gpu->address);

        if (same)
            compare_gpu(found, same, gpu);
        else if (is_of_interest(gpu))
            add(found, gpu->address, g_strdup("the GPU"), MISSING, THERE);
    }
    compare_gone(found, libvirt, sysfs);
    return found;
}

static gboolean
is_same(gconstpointer a, gconstpointer b)
{
    const VgpuDifference *x = a, *y = b;

    return g_strcmp0(x->gpu, y->gpu) == 0 && g_str_equal(x->subject, y->subject) &&
           g_str_equal(x->libvirt, y->libvirt) && g_str_equal(x->sysfs, y->sysfs);
}

void
vgpu_difference_keep_lasting(GPtrArray *differences, const GPtrArray *before)
{
    for (guint i = differences->len; i-- > 0;) {
        if (!g_ptr_array_find_with_equal_func((GPtrArray *) before, differences->pdata[i],
                                              is_same, NULL))
            g_ptr_array_remove_index(differences, i);
    }
}
