/* steps.c: the steps of a start, one for each vGPU, and whether it has failed */
#include "core/steps.h"

#include "core/manager-private.h"

VgpuStep *
vgpu_steps_find(VgpuStart *self, const char *uuid)
{
    for (guint i = 0; self && i < self->steps->len; i++) {
        VgpuStep *step = &g_array_index(self->steps, VgpuStep, i);

        if (g_str_equal(step->want->uuid, uuid))
            return step;
    }
    return NULL;
}

void
vgpu_steps_fail(VgpuStart *self, VgpuError code, const char *text)
{
    if (!self->failure)
        g_set_error_literal(&self->failure, VGPU_ERROR, code, text);
}

void
vgpu_steps_cannot(VgpuManager *manager, guint64 token, const GError *error)
{
    VgpuStart *self = g_hash_table_lookup(manager->starts, &token);

    if (self)
        vgpu_steps_fail(self, (VgpuError) error->code, error->message);
}

VgpuClaim *
vgpu_steps_claim(const VgpuStart *self, const VgpuStep *step)
{
    return vgpu_owner_find(vgpu_records_find(self->manager, self->key), step->want->uuid);
}

bool
vgpu_steps_is_ready(const VgpuStart *self, const VgpuStep *step)
{
    const VgpuClaim *claim = vgpu_steps_claim(self, step);

    return claim && step->is_begun && claim->wanted == VGPU_WANTED_KEEP &&
           (claim->phase == VGPU_PHASE_READY || claim->phase == VGPU_PHASE_ATTACHING);
}
