/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "placement/placement.h"

#include "base/names.h"
#include "placement/placement-private.h"

static const char *const verdict_names[] = {
    [VGPU_VERDICT_NOT_NAMED] = "not-named",
    [VGPU_VERDICT_NO_SUCH_PROFILE] = "no-such-profile",
    [VGPU_VERDICT_PASSED_THROUGH] = "passed-through",
    [VGPU_VERDICT_NOT_IN_POOL] = "not-in-pool",
    [VGPU_VERDICT_LIBVIRT_TOO_OLD] = "libvirt-too-old",
    [VGPU_VERDICT_CORDONED] = "cordoned",
    [VGPU_VERDICT_VFS_OFF] = "vfs-off",
    [VGPU_VERDICT_NOT_ANSWERING] = "not-answering",
    [VGPU_VERDICT_OTHER_SIZE] = "other-size",
    [VGPU_VERDICT_TENANT_LIMIT] = "tenant-limit",
    [VGPU_VERDICT_HOST_USES_IT] = "host-uses-it",
    [VGPU_VERDICT_NO_ROOM] = "no-room",
    [VGPU_VERDICT_FITS] = "fits",
};

const char *
vgpu_verdict_to_string(VgpuVerdict verdict)
{
    return verdict_names[verdict];
}

void
vgpu_candidate_free(VgpuCandidate *self)
{
    if (!self)
        return;
    g_free(self->reason);
    g_free(self);
}

char *
vgpu_placement_pair(const char *parent, const char *profile_id)
{
    return g_strdup_printf("%s %s", parent, profile_id);
}

bool
vgpu_placement_names_pool(const VgpuWant *want)
{
    return want->pool && !g_str_equal(want->pool, VGPU_POOL_DEFAULT);
}
