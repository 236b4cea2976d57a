/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/faults.h"

#include "daemon/guard-private.h"
#include "daemon/kernel-log.h"
#include "daemon/turn.h"
#include "gpu/vendor.h"

#define ANY_AGE_MS G_MAXUINT

typedef struct {
    VgpuGuard *guard;
    const VgpuXid *xid;
    char *slot;
    char *text;
} Found;

static void
do_take(gpointer data)
{
    Found *found = data;

    vgpu_manager_take_fault(found->guard->manager, found->xid, found->slot, found->text);
    g_free(found->slot);
    g_free(found->text);
    g_free(found);
}

/* On the thread that reads. */
static void
on_found(const VgpuXidRecord *record, gpointer opaque)
{
    VgpuGuard *self = opaque;
    Found *found = g_new0(Found, 1);

    found->guard = self;
    found->xid = record->xid;
    found->slot = g_strdup(record->slot);
    found->text = g_strdup(record->text);
    vgpu_worker_push(self->worker, do_take, found);
}

/* On the thread that reads, too: all that it found was taken in the turns before. */
static bool
is_kept(gpointer opaque)
{
    VgpuGuard *self = opaque;
    g_autoptr(GError) error = NULL;

    vgpu_turn_end(vgpu_turn_begin_seen(self->worker, self->manager, ANY_AGE_MS));
    if (vgpu_manager_wait_cordoned(self->manager, &error))
        return true;
    g_warning("a cordoned GPU is not on disk yet: %s", error->message);
    return false;
}

static void
start_if_needed(gpointer data)
{
    VgpuGuard *self = data;
    const VgpuInventory *inventory = vgpu_manager_inventory(self->manager);

    for (guint i = 0; !self->kernel_log && i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        if (vgpu_vendor_is_nvidia(gpu->vendor_id))
            self->kernel_log = vgpu_kernel_log_start(self->root, on_found, is_kept, self);
    }
}

static void
do_watch(gpointer data)
{
    VgpuGuard *self = data;

    if (self->root && !self->kernel_log)
        vgpu_manager_when_seen(self->manager, 0, start_if_needed, self);
}

void
vgpu_faults_watch(VgpuGuard *self)
{
    vgpu_worker_push(self->worker, do_watch, self);
}
