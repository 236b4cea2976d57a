/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpu/tally.h"

guint
vgpu_tally_room(const VgpuParent *parent, const VgpuOffer *offer)
{
    if (parent->host_vf)
        return 0;
    if (parent->is_vf) /* one vGPU per VF, whatever its profile */
        return offer->available && !parent->instances->len ? 1 : 0;
    return offer->available;
}

/* One more; its profile goes to the end. */
static void
count_profile(VgpuTally *self, const VgpuProfile *profile)
{
    VgpuTallyCount count = { .profile = profile };
    guint i = self->counts->len;

    while (i > 0 && g_array_index(self->counts, VgpuTallyCount, i - 1).profile != profile)
        i--;
    if (i && i == self->counts->len) {
        g_array_index(self->counts, VgpuTallyCount, i - 1).n++;
        return;
    }
    if (i) {
        count = g_array_index(self->counts, VgpuTallyCount, i - 1);
        g_array_remove_index(self->counts, i - 1);
    }
    count.n++;
    g_array_append_val(self->counts, count);
}

static void
count_parent(VgpuTally *self, const VgpuGpu *gpu, VgpuParent *parent)
{
    for (guint i = 0; i < parent->instances->len; i++) {
        const VgpuInstance *instance = g_ptr_array_index(parent->instances, i);

        self->is_clear &= instance->profile_id != NULL;
        count_profile(self, instance->profile_id
                                ? vgpu_gpu_find_profile(gpu, instance->profile_id)
                                : NULL);
        if (instance->uuid && !g_hash_table_contains(self->instances, instance->uuid))
            g_hash_table_insert(self->instances, instance->uuid, parent);
    }
    if (parent->is_vf && parent->instances->len)
        return;
    g_ptr_array_add(self->open, parent);
    for (guint i = 0; i < parent->offers->len; i++) {
        const VgpuOffer *offer = g_ptr_array_index(parent->offers, i);
        gpointer key = (gpointer) offer->profile;
        guint room = GPOINTER_TO_UINT(g_hash_table_lookup(self->rooms, key));

        g_hash_table_insert(self->rooms, key,
                            GUINT_TO_POINTER(room + vgpu_tally_room(parent, offer)));
    }
}

void
vgpu_tally_update(VgpuGpu *gpu)
{
    VgpuTally *self = g_new0(VgpuTally, 1);

    vgpu_gpu_set_tally(gpu, NULL);
    self->counts = g_array_new(FALSE, FALSE, sizeof(VgpuTallyCount));
    self->is_clear = true;
    self->rooms = g_hash_table_new(NULL, NULL);
    self->open = g_ptr_array_new();
    self->instances = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < gpu->parents->len; i++)
        count_parent(self, gpu, g_ptr_array_index(gpu->parents, i));
    vgpu_gpu_set_tally(gpu, self);
}
