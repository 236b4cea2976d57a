/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* records.c (manager.h): the table of all that is spoken for, and where it is written down */
#include "core/records.h"

#include "base/names.h"
#include "core/manager-private.h"

#define SAVE_MS 30000 /* as long as libvirt waits for a domain that is busy */

static const char *const store_paths[VGPU_N_STORES] = {
    [VGPU_STORE_RUN] = VGPU_PATH_CLAIMS,       [VGPU_STORE_PERSISTENT] = VGPU_PATH_PERSISTENT,
    [VGPU_STORE_HELD] = VGPU_PATH_HELD,        [VGPU_STORE_SAVED] = VGPU_PATH_SAVED,
    [VGPU_STORE_PLANNED] = VGPU_PATH_RESERVED,
};

struct VgpuRecords {
    char *root;
    VgpuBoards *boards;
    VgpuCordons *cordons;
    VgpuWriter *writer;                    /* of what is in /var/lib */
    VgpuClaimStore *stores[VGPU_N_STORES]; /* none for records in memory only */
};

VgpuRecords *
vgpu_records_open(const char *root, GError **error)
{
    g_autoptr(VgpuRecords) self = g_new0(VgpuRecords, 1);

    self->root = g_strdup(root);
    for (guint i = 0; i < VGPU_N_STORES; i++) {
        g_autofree char *path = g_build_filename(root, store_paths[i], NULL);

        if (store_paths[i] && !(self->stores[i] = vgpu_claim_store_new(path, error)))
            return NULL;
    }
    return g_steal_pointer(&self);
}

void
vgpu_records_free(VgpuRecords *self)
{
    if (!self)
        return;
    g_clear_pointer(&self->writer, vgpu_writer_free);
    vgpu_boards_free(self->boards);
    vgpu_cordons_free(self->cordons);
    for (guint i = 0; i < VGPU_N_STORES; i++)
        vgpu_claim_store_free(self->stores[i]);
    g_free(self->root);
    g_free(self);
}

VgpuReservations *
vgpu_records_load(VgpuRecords *self, GError **error)
{
    g_autoptr(VgpuReservations) reservations = vgpu_reservations_new();

    self->writer = vgpu_writer_new();
    self->boards = vgpu_boards_load(self->root, self->writer);
    self->cordons = vgpu_cordons_load(self->root, self->writer, error);
    if (!self->cordons)
        return NULL;
    for (guint i = 0; i < VGPU_N_STORES; i++) {
        GHashTable *owners;

        if (!self->stores[i])
            continue;
        if (!(owners = vgpu_claim_store_load(self->stores[i], error)))
            return NULL;
        vgpu_reservations_load(reservations, (VgpuStore) i, owners);
    }
    vgpu_claim_store_write_by(self->stores[VGPU_STORE_PERSISTENT], self->writer);
    vgpu_claim_store_write_by(self->stores[VGPU_STORE_HELD], self->writer);
    vgpu_claim_store_write_by(self->stores[VGPU_STORE_SAVED], self->writer);
    vgpu_claim_store_write_by(self->stores[VGPU_STORE_PLANNED], self->writer);
    return g_steal_pointer(&reservations);
}

VgpuBoards *
vgpu_records_boards(const VgpuRecords *self)
{
    return self->boards;
}

VgpuCordons *
vgpu_records_cordons(const VgpuRecords *self)
{
    return self->cordons;
}

const char *
vgpu_records_root(const VgpuRecords *self)
{
    return self->root;
}

bool
vgpu_manager_wait_saved(const VgpuManager *self, const char *key, GError **error)
{
    static const VgpuStore on_disk[] = { VGPU_STORE_PLANNED, VGPU_STORE_HELD, VGPU_STORE_SAVED,
                                         VGPU_STORE_PERSISTENT };

    for (gsize i = 0; i < G_N_ELEMENTS(on_disk); i++) {
        if (!vgpu_claim_store_wait(self->records->stores[on_disk[i]], key, SAVE_MS, error))
            return false;
    }
    return true;
}

void
vgpu_manager_stop_saving(const VgpuManager *self, guint ms)
{
    (void) vgpu_writer_stop(self->records->writer, ms);
}

VgpuOwner *
vgpu_records_find(const VgpuManager *self, const char *key)
{
    return vgpu_reservations_find(self->reservations, VGPU_KIND_RUN, key);
}

VgpuOwner *
vgpu_records_need(VgpuManager *self, const char *key, const char *domain_uuid,
                  const char *domain_name)
{
    return vgpu_reservations_need(self->reservations,
                                  domain_uuid ? VGPU_KIND_RUN : VGPU_KIND_HANDMADE, key,
                                  domain_uuid, domain_name);
}

bool
vgpu_records_save(VgpuManager *self, VgpuOwner *owner, GError **error)
{
    const VgpuClaimStore *store = self->records->stores[vgpu_reservations_store_of(owner->kind)];
    bool saved = !store || vgpu_claim_store_save(store, owner, error);

    vgpu_reservations_touch(self->reservations, owner);
    if (!owner->claims->len && !owner->aside) {
        vgpu_waiters_tell_gone(self, owner->key);
        vgpu_reservations_drop_owner(self->reservations, owner);
    }
    return saved;
}

void
vgpu_records_save_or_warn(VgpuManager *self, VgpuOwner *owner)
{
    g_autoptr(GError) error = NULL;

    if (!vgpu_records_save(self, owner, &error))
        g_warning("cannot write the record of a vGPU; a restart of the daemon would lose it: %s",
                  error->message);
}

VgpuClaim *
vgpu_records_find_persistent(const VgpuManager *self, const char *uuid)
{
    return vgpu_reservations_first(vgpu_reservations_of_uuid(self->reservations, uuid),
                                   VGPU_KINDS(PERSISTENT));
}

VgpuOwner *
vgpu_records_user_of(const VgpuManager *self, const char *uuid)
{
    const VgpuClaim *claim =
        vgpu_reservations_first(vgpu_reservations_of_uuid(self->reservations, uuid),
                                VGPU_KINDS(RUN));

    return claim ? claim->owner : NULL;
}

guint64
vgpu_manager_since(const VgpuManager *self, const char *domain_uuid)
{
    const VgpuOwner *owner = vgpu_records_find(self, domain_uuid);

    return owner ? owner->since : 0;
}
