/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpu/facts.h"

/* Slots are of a GiB each; more than this no GPU has for a long time, and sums stay far from their limit. */
#define VGPU_FACTS_MAX_SLOT 0xffff

static void
take_number(GVariant *from, const char *key, guint *into)
{
    guint32 value;

    if (g_variant_lookup(from, key, "u", &value) && value)
        *into = value;
}

/* Both or neither: one means nothing without the other. */
static void
take_places(GVariant *type, VgpuProfile *profile)
{
    g_autoptr(GVariant) places = g_variant_lookup_value(type, "placements", G_VARIANT_TYPE("au"));
    const guint32 *slots;
    guint32 size = 0;
    gsize n = 0;

    if (!places || !g_variant_lookup(type, "placement_size", "u", &size) || !size)
        return;
    slots = g_variant_get_fixed_array(places, &n, sizeof(*slots));
    profile->slots = size;
    g_clear_pointer(&profile->places, g_array_unref);
    profile->places = g_array_sized_new(FALSE, FALSE, sizeof(guint), (guint) n);
    for (gsize i = 0; i < n; i++) {
        guint slot = slots[i];

        if (slot <= VGPU_FACTS_MAX_SLOT)
            g_array_append_val(profile->places, slot);
    }
}

static void
apply_type(GVariant *type, VgpuGpu *gpu)
{
    const char *id = NULL, *name = NULL, *resolution = NULL;
    guint32 gi_profile;
    VgpuProfile *profile;

    if (!g_variant_lookup(type, "id", "&s", &id))
        return;
    (void) !g_variant_lookup(type, "name", "&s", &name);
    profile = (VgpuProfile *) vgpu_gpu_take_profile(gpu, vgpu_profile_new(id, name));
    take_number(type, "framebuffer_mib", &profile->fb_mib);
    take_number(type, "num_heads", &profile->num_heads);
    take_number(type, "frl", &profile->frl);
    take_number(type, "max_instances", &profile->max_instances);
    take_number(type, "max_per_domain", &profile->max_per_domain);
    take_number(type, "max_per_gi", &profile->max_per_gi);
    if (g_variant_lookup(type, "gi_profile", "u", &gi_profile))
        profile->gi_profile = (int) gi_profile;
    take_places(type, profile);
    if (!profile->max_resolution && g_variant_lookup(type, "max_resolution", "&s", &resolution))
        profile->max_resolution = g_strdup(resolution);
}

static void
apply_gpu_instance(GVariant *instance, VgpuGpu *gpu)
{
    guint32 id, profile, start = 0, size = 0;
    const char *name = NULL;

    if (!g_variant_lookup(instance, "gi", "u", &id) ||
        !g_variant_lookup(instance, "profile_id", "u", &profile))
        return;
    (void) !g_variant_lookup(instance, "profile", "&s", &name);
    (void) !g_variant_lookup(instance, "start", "u", &start);
    (void) !g_variant_lookup(instance, "size", "u", &size);
    vgpu_gpu_add_gpu_instance(gpu, id, (int) profile, name, start, size);
}

/* Whether @facts has @key, even with an empty list. */
static bool
apply_all(GVariant *facts, const char *key, void (*func)(GVariant *one, VgpuGpu *gpu),
          VgpuGpu *gpu)
{
    g_autoptr(GVariant) list = g_variant_lookup_value(facts, key, VGPU_FACTS_TYPE);

    for (gsize i = 0; list && i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) one = g_variant_get_child_value(list, i);

        func(one, gpu);
    }
    return list != NULL;
}

static void
apply(GVariant *one, VgpuGpu *gpu)
{
    gboolean flag;

    if (g_variant_lookup(one, "mig", "b", &flag)) {
        gpu->is_mig = flag;
        gpu->tells_mig = true;
    }
    if (g_variant_lookup(one, "mixed", "b", &flag))
        gpu->is_mixed = flag;
    g_ptr_array_set_size(gpu->gpu_instances, 0);
    gpu->tells_gis = apply_all(one, "gpu_instances", apply_gpu_instance, gpu);
    (void) apply_all(one, "types", apply_type, gpu);
}

void
vgpu_facts_apply(GVariant *facts, VgpuGpu *gpu)
{
    for (gsize i = 0; facts && i < g_variant_n_children(facts); i++) {
        g_autoptr(GVariant) one = g_variant_get_child_value(facts, i);
        const char *address = NULL;

        if (g_variant_lookup(one, "address", "&s", &address) &&
            g_str_equal(address, gpu->address))
            apply(one, gpu);
    }
}
