/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* placement-named.c: the limits that gpu= and the definition's <hostdev> set to the choice */
#include "placement/placement-private.h"

bool
vgpu_placement_names_gpu(const VgpuWant *want, const VgpuGpu *gpu)
{
    return !want->gpu || vgpu_gpu_has_function(gpu, want->gpu);
}

const char *
vgpu_placement_named_vf(const VgpuWant *want, const VgpuGpu *gpu)
{
    if (want->gpu && !g_str_equal(want->gpu, gpu->address) &&
        vgpu_gpu_has_function(gpu, want->gpu))
        return want->gpu;
    return want->vf;
}

char *
vgpu_placement_why_not_named(const VgpuWant *want, const VgpuGpu *gpu)
{
    const char *vf;

    if (!vgpu_placement_names_gpu(want, gpu))
        return g_strdup("is not the one that gpu= names");
    if (want->interface != VGPU_INTERFACE_NONE && gpu->interface != VGPU_INTERFACE_NONE &&
        want->interface != gpu->interface)
        return g_strdup_printf("makes vGPUs as %s, and the definition has %s",
                               vgpu_interface_to_string(gpu->interface),
                               vgpu_interface_to_string(want->interface));
    if (want->vf && !vgpu_gpu_find_parent(gpu, want->vf))
        return g_strdup_printf("does not have the virtual function %s of the definition",
                               want->vf);
    vf = vgpu_placement_named_vf(want, gpu);
    if (want->vf && !g_str_equal(vf, want->vf))
        return g_strdup_printf("gpu= names %s, and the definition has %s", vf, want->vf);
    return NULL;
}

char *
vgpu_placement_why_not_on(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const char *vf)
{
    const VgpuParent *parent = vgpu_gpu_find_parent(gpu, vf);
    const VgpuInstance *instance = vgpu_parent_first_instance(parent);
    const char *user = snapshot->users ? g_hash_table_lookup(snapshot->users, vf) : NULL;
    const char *closed = snapshot->closed ? g_hash_table_lookup(snapshot->closed, vf) : NULL;
    const VgpuProfile *profile;

    if (!parent)
        return g_strdup_printf("%s is a virtual function of GPU %s, and carries no vGPUs", vf,
                               gpu->address);
    if (closed)
        return g_strdup_printf("%s: %s", vf, closed);
    if (user)
        return g_strdup_printf("%s is %s", vf, user);
    if (!instance || instance->uuid || !instance->profile_id)
        return NULL;
    profile = vgpu_gpu_find_profile(gpu, instance->profile_id);
    return g_strdup_printf("%s carries %s, which virt-vgpu did not set", vf,
                           profile ? profile->name : instance->profile_id);
}
