/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/default-profile.h"

void
vgpu_default_profile_clear(VgpuDefaultProfile *self)
{
    g_clear_object(&self->manager);
    g_clear_pointer(&self->pool, g_free);
    g_clear_pointer(&self->profile, g_free);
}

char *
vgpu_default_profile_ask(const char *pool, gpointer opaque)
{
    VgpuDefaultProfile *self = opaque;
    g_autoptr(GVariant) row = NULL;

    if (!pool || !self->manager)
        return NULL;
    if (g_strcmp0(pool, self->pool) != 0) {
        g_free(self->pool);
        self->pool = g_strdup(pool);
        g_clear_pointer(&self->profile, g_free);
        if (vgpu_bus_manager1_call_get_pool_sync(self->manager, pool, &row, NULL, NULL))
            (void) !g_variant_lookup(row, "default_profile", "s", &self->profile);
    }
    return g_strdup(self->profile);
}
