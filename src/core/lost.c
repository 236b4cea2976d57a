/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/lost.h"

#include "core/manager-private.h"

#define NEXT_STEP "; stop the domain, and start it again when its GPU works again"

/* Why the GPU itself is unusable; NULL: it is usable. */
static const char *
why_gpu(const VgpuGpu *gpu)
{
    if (!gpu)
        return "its GPU has disappeared";
    if (gpu->passed_through)
        return "its GPU was bound to vfio-pci, to be passed through whole";
    return gpu->driver ? NULL : "the driver of its GPU was unbound";
}

static bool
has_vf(const VgpuGpu *gpu, const char *vf)
{
    return g_ptr_array_find_with_equal_func(gpu->vfs, vf, g_str_equal, NULL);
}

/* A plain VF keeps working without the driver of its GPU. A VF of a PF that the host layout no longer
 * names is not seen, but may exist. */
static const char *
why_plain(const VgpuGpu *gpu, const char *vf)
{
    const char *why = why_gpu(gpu);

    if (!gpu || has_vf(gpu, vf))
        return NULL;
    return why ? why : "the VFs of its GPU were turned off";
}

static const char *
why_made(const VgpuGpu *gpu, const VgpuClaim *claim, bool is_read)
{
    const VgpuParent *parent = gpu ? vgpu_gpu_find_parent(gpu, claim->parent) : NULL;
    bool is_mdev = claim->interface == VGPU_INTERFACE_MDEV;
    const char *why = why_gpu(gpu);

    if (why || !gpu)
        return why;
    if (!parent && !g_str_equal(claim->parent, claim->gpu) && !has_vf(gpu, claim->parent))
        return "the VFs of its GPU were turned off";
    if (!parent)
        return "its GPU no longer makes such vGPUs";
    if (!is_read || vgpu_parent_find_instance(parent, claim->uuid))
        return NULL;
    return is_mdev ? "its mediated device was removed" : "the type of its VF was reset";
}

char *
vgpu_lost_why(const VgpuInventory *inventory, const VgpuClaim *claim, bool is_read)
{
    const VgpuGpu *gpu = vgpu_inventory_find(inventory, claim->gpu);

    return g_strdup(claim->interface == VGPU_INTERFACE_VF ? why_plain(gpu, claim->parent)
                                                          : why_made(gpu, claim, is_read));
}

/* Whether its domain runs with it, as far as we know. */
static bool
is_in_use(const VgpuClaim *claim)
{
    return claim->owner->kind == VGPU_KIND_RUN && claim->owner->started &&
           claim->phase == VGPU_PHASE_READY && claim->call == VGPU_CALL_NONE &&
           claim->wanted == VGPU_WANTED_KEEP;
}

static void
check(VgpuManager *self, VgpuClaim *claim, bool is_read)
{
    g_autofree char *why = NULL;
    g_autofree char *text = NULL;

    if (claim->is_lost || !is_in_use(claim))
        return;
    why = vgpu_lost_why(self->inventory, claim, is_read);
    if (!why)
        return;
    claim->is_lost = true;
    text = g_strconcat(why, NEXT_STEP, NULL);
    vgpu_events_emit(self, "vgpu-lost", claim->owner, claim, text, -1);
    vgpu_records_save_or_warn(self, claim->owner);
}

static void
check_all(VgpuManager *self)
{
    g_autoptr(GPtrArray) owners = vgpu_reservations_list(self->reservations, VGPU_KINDS(RUN));

    for (guint i = 0; i < owners->len; i++) {
        const VgpuOwner *owner = g_ptr_array_index(owners, i);

        for (guint j = 0; j < owner->claims->len; j++)
            check(self, g_ptr_array_index(owner->claims, j), false);
    }
}

void
vgpu_lost_check(VgpuManager *self, const char *gpu)
{
    const GPtrArray *claims = gpu ? vgpu_reservations_of_gpu(self->reservations, gpu) : NULL;

    if (!gpu && self->discovery)
        check_all(self);
    for (guint i = 0; claims && i < claims->len; i++)
        check(self, g_ptr_array_index(claims, i), true);
}
