/* probe.c: what is at a vGPU's place, and does a process hold it open?
 *
 * To tell, the device's VFIO group is opened, and the kernel may keep whoever does so waiting while the
 * driver opens or closes the device for QEMU. So each question has a process of its own. */
#include "core/manager-private.h"
#include "driver/protocol.h"

typedef struct {
    VgpuManager *manager;
    VgpuDriverProcess *process;
    VgpuClaim *claim; /* a copy */
    VgpuProbeDone done;
    guint64 ticket;
} Probe;

static void
probe_free(Probe *self)
{
    vgpu_driver_process_free(self->process);
    vgpu_claim_free(self->claim);
    g_free(self);
}

void
vgpu_manager_forget_probes(VgpuManager *self)
{
    GHashTableIter iter;
    gpointer probe;

    g_hash_table_iter_init(&iter, self->probes);
    while (g_hash_table_iter_next(&iter, &probe, NULL))
        probe_free(probe);
    g_hash_table_unref(self->probes);
}

/* A VF has no UUID to tell it by: one that carries another type by now is somebody else's. */
static bool
is_the_claims(const VgpuClaim *claim, const char *profile_id)
{
    return claim->interface == VGPU_INTERFACE_MDEV || !profile_id ||
           g_str_equal(profile_id, claim->profile_id);
}

VgpuFinding
vgpu_finding_read(const VgpuClaim *claim, GVariant *results)
{
    VgpuFinding finding = { 0 };
    const char *profile_id = NULL;
    gboolean exists = FALSE;
    guint use = VGPU_USE_UNKNOWN;

    if (!results || !g_variant_lookup(results, "exists", "b", &exists))
        return finding;
    (void) g_variant_lookup(results, "seen_profile", "&s", &profile_id);
    (void) g_variant_lookup(results, "use", "u", &use);
    (void) g_variant_lookup(results, "grace", "u", &finding.grace_ms);
    finding.is_known = true;
    finding.exists = exists && is_the_claims(claim, profile_id);
    finding.use = use == VGPU_USE_FREE || use == VGPU_USE_USED ? (VgpuUse) use : VGPU_USE_UNKNOWN;
    return finding;
}

static void
on_answer(VgpuDriverOutcome outcome, GVariant *results, const char *why, gpointer opaque)
{
    Probe *self = opaque;
    VgpuFinding finding = vgpu_finding_read(self->claim, results);

    if (outcome != VGPU_DRIVER_ANSWERED)
        g_debug("vGPU %s: cannot tell what is at its place: %s", self->claim->uuid, why);
    g_hash_table_remove(self->manager->probes, self);
    self->done(self->manager, self->claim->uuid, self->ticket, &finding);
    probe_free(self);
}

void
vgpu_manager_probe(VgpuManager *self, const VgpuClaim *claim, VgpuProbeDone done, guint64 ticket)
{
    Probe *probe = g_new0(Probe, 1);
    GVariantDict arguments;

    probe->manager = self;
    probe->claim = vgpu_claim_copy(claim);
    probe->done = done;
    probe->ticket = ticket;
    probe->process =
        vgpu_driver_process_new(vgpu_drivers_options(self->drivers), self->context, claim->uuid);
    g_hash_table_add(self->probes, probe);
    g_variant_dict_init(&arguments, NULL);
    vgpu_claim_put_place(claim, &arguments);
    vgpu_driver_process_ask(probe->process, VGPU_DRIVER_PROBE, g_variant_dict_end(&arguments),
                            on_answer, probe);
}

/* A call to make it that a daemon before us left behind has the lock of its GPU, so that the GPU is not
 * read until it has come back. */
bool
vgpu_manager_can_be_seen(VgpuManager *self, const VgpuClaim *claim, gint64 since)
{
    return !claim->is_unsure || (self->discovery && vgpu_drivers_see(self->drivers, claim->gpu,
                                                                     since) == VGPU_SIGHT_FRESH);
}
