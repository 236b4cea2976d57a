/* probe.c: is a device still held open?
 *
 * To ask, the device's VFIO group is opened, and the kernel may keep whoever does so waiting while the
 * driver opens or closes the device for QEMU. So the question has a lane of its own per GPU. */
#include "core/manager-private.h"

typedef struct {
    VgpuManager *manager;
    const VgpuSysfs *sysfs;
    const VgpuBackend *backend;
    char *parent;
    char *profile_id;
    char *uuid;
    bool in_use;
    VgpuProbeDone done;
    guint64 ticket;
} Probe;

static void
run(gpointer data)
{
    Probe *self = data;
    VgpuPlace place = {
        .parent = self->parent,
        .profile_id = self->profile_id,
        .uuid = self->uuid,
    };

    self->in_use = self->backend->in_use(self->sysfs, &place);
}

static void
finish(gpointer data)
{
    Probe *self = data;

    self->done(self->manager, self->uuid, self->ticket, self->in_use);
}

static void
probe_free(gpointer data)
{
    Probe *self = data;

    g_free(self->parent);
    g_free(self->profile_id);
    g_free(self->uuid);
    g_free(self);
}

void
vgpu_manager_probe(VgpuManager *self, const VgpuClaim *claim, VgpuProbeDone done, guint64 ticket)
{
    Probe *probe = g_new0(Probe, 1);
    g_autofree char *lane = g_strconcat("probe ", claim->gpu, NULL);

    probe->manager = self;
    probe->sysfs = self->sysfs;
    probe->backend = vgpu_backend_get(claim->interface);
    probe->parent = g_strdup(claim->parent);
    probe->profile_id = g_strdup(claim->profile_id);
    probe->uuid = g_strdup(claim->uuid);
    probe->done = done;
    probe->ticket = ticket;
    vgpu_lanes_push(self->lanes, lane, run, finish, probe, probe_free);
}
