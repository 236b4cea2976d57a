/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* placement-refuse.c: why a GPU that might do does not */
#include "domain/refusals.h"
#include "placement/placement-private.h"
#include "placement/room.h"

void
vgpu_placement_refuse(VgpuCandidate *out, VgpuVerdict verdict, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    out->verdict = verdict;
    out->reason = g_strdup_vprintf(format, args);
    va_end(args);
}

/* Why the profile could not be made on the GPU a moment ago; NULL: it was not tried. */
static const char *
why_refused(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    bool was_any = snapshot->refused && g_hash_table_size(snapshot->refused);

    for (guint i = 0; was_any && i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);
        g_autofree char *pair = vgpu_placement_pair(parent->address, profile->id);
        const char *why = g_hash_table_lookup(snapshot->refused, pair);

        if (why)
            return why;
    }
    return NULL;
}

/* The VF @vf, if it is kept for the host; without @vf, a VF that would be free if it were not kept for
 * the host; NULL: there is none. */
static const VgpuParent *
find_kept_for_host(const char *vf, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);
        const VgpuOffer *offer = vgpu_parent_find_offer(parent, profile->id);

        if (parent->host_vf && (vf ? g_str_equal(vf, parent->address)
                                   : offer && offer->available && !parent->instances->len))
            return parent;
    }
    return NULL;
}

/* A VF that would be free if it were not held for another domain; NULL: there is none. */
static const VgpuParent *
find_held(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    for (guint i = 0; snapshot->held && i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);
        const VgpuOffer *offer = vgpu_parent_find_offer(parent, profile->id);

        if (offer && offer->available && !parent->instances->len &&
            g_hash_table_contains(snapshot->held, parent->address))
            return parent;
    }
    return NULL;
}

/* "; …" about the saved domains for which room on the GPU is kept; "": none. Owned by the caller. */
static char *
and_saved(const VgpuSnapshot *snapshot, const VgpuGpu *gpu)
{
    const char *saved =
        snapshot->saved ? g_hash_table_lookup(snapshot->saved, gpu->address) : NULL;

    return saved ? g_strdup_printf("; " VGPU_REFUSAL_SAVED_THERE, saved) : g_strdup("");
}

/* Whether something is on the VF, or is promised. */
static bool
is_taken(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const char *vf)
{
    const VgpuParent *parent = vgpu_gpu_find_parent(gpu, vf);

    return parent && (parent->instances->len || vgpu_room_promised(snapshot, parent));
}

/* No parent takes it: say why. */
void
vgpu_placement_refuse_for_room(const VgpuSnapshot *snapshot, const VgpuWant *want,
                               const VgpuLoad *load, bool promised, VgpuCandidate *out)
{
    const char *vf = vgpu_placement_named_vf(want, out->gpu);
    g_autofree char *not_there = vf ? vgpu_placement_why_not_on(snapshot, out->gpu, vf) : NULL;
    const char *why = why_refused(snapshot, out->gpu, out->profile);
    const VgpuParent *held = vf || promised ? NULL : find_held(snapshot, out->gpu, out->profile);
    const VgpuParent *kept = promised ? NULL : find_kept_for_host(vf, out->gpu, out->profile);
    g_autofree char *blocked = vgpu_room_obstacle(snapshot, out->gpu, out->profile);
    g_autofree char *saved = and_saved(snapshot, out->gpu);

    out->lacks_gpu_instance = vgpu_profile_is_mig(out->profile);
    if (not_there)
        vgpu_placement_refuse(out, VGPU_VERDICT_NO_ROOM, "%s", not_there);
    else if (why) /* the driver's own answer is the most precise reason */
        vgpu_placement_refuse(out, VGPU_VERDICT_NO_ROOM, "%s", why);
    else if (kept)
        vgpu_placement_refuse(out, VGPU_VERDICT_HOST_USES_IT, VGPU_REFUSAL_HOST_VF,
                              kept->host_vf);
    else if (held)
        vgpu_placement_refuse(out, VGPU_VERDICT_NO_ROOM, "%s: %s", held->address,
                              (const char *) g_hash_table_lookup(snapshot->held, held->address));
    else if (vf && !promised && is_taken(snapshot, out->gpu, vf))
        vgpu_placement_refuse(out, VGPU_VERDICT_NO_ROOM, "its virtual function %s is taken", vf);
    else if (blocked)
        vgpu_placement_refuse(out, VGPU_VERDICT_NO_ROOM, "%s", blocked);
    else if (out->lacks_gpu_instance)
        vgpu_placement_refuse(out, VGPU_VERDICT_NO_ROOM,
                              "no free GPU instance of the right size (%u in use)%s",
                              load->of_profile, saved);
    else if (promised)
        vgpu_placement_refuse(out, VGPU_VERDICT_NO_ROOM,
                              "no room beside the %u in use or promised%s", load->vgpus, saved);
    else if (load->of_profile)
        vgpu_placement_refuse(out, VGPU_VERDICT_NO_ROOM, "no room beside the %u in use%s",
                              load->of_profile, saved);
    else
        vgpu_placement_refuse(out, VGPU_VERDICT_NO_ROOM, "the driver has no room for it now");
}

/* The maximal number of vGPUs of the profile exists. */
void
vgpu_placement_refuse_for_limit(const VgpuSnapshot *snapshot, const VgpuLoad *load,
                                VgpuCandidate *out)
{
    const VgpuProfile *profile = out->profile;
    const VgpuParent *held = find_held(snapshot, out->gpu, profile);
    g_autofree char *saved = and_saved(snapshot, out->gpu);

    if (!held)
        vgpu_placement_refuse(out, VGPU_VERDICT_NO_ROOM, "%u of %u are in use%s%s",
                              load->of_profile, profile->max_instances,
                              *saved ? " or reserved" : "", saved);
    else
        vgpu_placement_refuse(out, VGPU_VERDICT_NO_ROOM, "%u of %u are in use or held; %s: %s",
                              load->of_profile, profile->max_instances, held->address,
                              (const char *) g_hash_table_lookup(snapshot->held, held->address));
}
