/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpu/contents.h"

/* A driver may write any bytes, but a GVariant is UTF-8. */
static void
add_string(GVariantBuilder *out, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    g_variant_builder_add(out, "s", valid);
}

/* The same, where NULL stays nothing. */
static void
add_text(GVariantBuilder *out, const char *text)
{
    g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

    g_variant_builder_add(out, "ms", valid);
}

static void
add_parents(GVariantBuilder *out, const VgpuGpu *gpu)
{
    g_variant_builder_open(out, G_VARIANT_TYPE("a(sbms)"));
    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        g_variant_builder_open(out, G_VARIANT_TYPE("(sbms)"));
        add_string(out, parent->address);
        g_variant_builder_add(out, "b", (gboolean) parent->is_vf);
        add_text(out, parent->driver);
        g_variant_builder_close(out);
    }
    g_variant_builder_close(out);
}

GVariant *
vgpu_contents_pack_discovery(const VgpuInventory *inventory, GVariant *nodes)
{
    GVariantBuilder out;

    g_variant_builder_init(&out, VGPU_DISCOVERY_TYPE);
    g_variant_builder_open(&out, G_VARIANT_TYPE("a(smsmsmsmsuiubasa(sbms)ms)"));
    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        g_variant_builder_open(&out, G_VARIANT_TYPE("(smsmsmsmsuiubasa(sbms)ms)"));
        add_string(&out, gpu->address);
        add_text(&out, gpu->vendor_id);
        add_text(&out, gpu->product_id);
        add_text(&out, gpu->driver);
        add_text(&out, gpu->driver_version);
        g_variant_builder_add(&out, "u", (guint) gpu->interface);
        g_variant_builder_add(&out, "i", gpu->numa_node);
        g_variant_builder_add(&out, "u", gpu->vfs_total);
        g_variant_builder_add(&out, "b", (gboolean) gpu->passed_through);
        g_variant_builder_add_value(&out,
                                    g_variant_new_strv((const char *const *) gpu->vfs->pdata,
                                                       gpu->vfs->len));
        add_parents(&out, gpu);
        add_text(&out, gpu->subsystem);
        g_variant_builder_close(&out);
    }
    g_variant_builder_close(&out);
    g_variant_builder_add_value(&out, nodes);
    return g_variant_builder_end(&out);
}

static VgpuGpu *
unpack_gpu(GVariant *packed)
{
    g_autoptr(GVariant) vfs = g_variant_get_child_value(packed, 9);
    g_autoptr(GVariant) parents = g_variant_get_child_value(packed, 10);
    g_autoptr(GVariant) first = g_variant_get_child_value(packed, 0);
    VgpuGpu *gpu = vgpu_gpu_new(g_variant_get_string(first, NULL));
    guint interface;
    gboolean passed_through, is_vf;
    GVariantIter iter;
    const char *address, *driver;

    g_variant_get_child(packed, 1, "ms", &gpu->vendor_id);
    g_variant_get_child(packed, 2, "ms", &gpu->product_id);
    g_variant_get_child(packed, 3, "ms", &gpu->driver);
    g_variant_get_child(packed, 4, "ms", &gpu->driver_version);
    g_variant_get_child(packed, 5, "u", &interface);
    g_variant_get_child(packed, 6, "i", &gpu->numa_node);
    g_variant_get_child(packed, 7, "u", &gpu->vfs_total);
    g_variant_get_child(packed, 8, "b", &passed_through);
    g_variant_get_child(packed, 11, "ms", &gpu->subsystem);
    gpu->interface = interface <= VGPU_INTERFACE_VF ? (VgpuInterface) interface : 0;
    gpu->passed_through = passed_through;
    g_variant_iter_init(&iter, vfs);
    while (g_variant_iter_next(&iter, "&s", &address))
        g_ptr_array_add(gpu->vfs, g_strdup(address));
    gpu->vfs_enabled = gpu->vfs->len;
    g_variant_iter_init(&iter, parents);
    while (g_variant_iter_next(&iter, "(&sbm&s)", &address, &is_vf, &driver))
        vgpu_gpu_add_parent(gpu, address, is_vf)->driver = g_strdup(driver);
    return gpu;
}

VgpuInventory *
vgpu_contents_unpack_discovery(GVariant *discovery)
{
    g_autoptr(GVariant) gpus = NULL;
    VgpuInventory *inventory;

    if (!g_variant_is_of_type(discovery, VGPU_DISCOVERY_TYPE) ||
        !g_variant_is_normal_form(discovery))
        return NULL;
    inventory = vgpu_inventory_new();
    gpus = g_variant_get_child_value(discovery, 0);
    for (gsize i = 0; i < g_variant_n_children(gpus); i++) {
        g_autoptr(GVariant) packed = g_variant_get_child_value(gpus, i);

        vgpu_inventory_take(inventory, unpack_gpu(packed));
    }
    return inventory;
}

VgpuGpu *
vgpu_contents_unpack_gpu(GVariant *discovery, const char *address)
{
    g_autoptr(GVariant) gpus = g_variant_get_child_value(discovery, 0);

    for (gsize i = 0; i < g_variant_n_children(gpus); i++) {
        g_autoptr(GVariant) packed = g_variant_get_child_value(gpus, i);
        g_autoptr(GVariant) first = g_variant_get_child_value(packed, 0);

        if (g_str_equal(g_variant_get_string(first, NULL), address))
            return unpack_gpu(packed);
    }
    return NULL;
}

GVariant *
vgpu_contents_nodes(GVariant *discovery)
{
    return g_variant_get_child_value(discovery, 1);
}

/* --- contents ------------------------------------------------------------------------------- */

static void
add_profiles(GVariantBuilder *out, const VgpuGpu *gpu, GHashTable *numbers)
{
    g_variant_builder_open(out, G_VARIANT_TYPE("a(ssuuumsuuui)"));
    for (guint i = 0; i < gpu->profiles->len; i++) {
        VgpuProfile *profile = g_ptr_array_index(gpu->profiles, i);

        g_hash_table_insert(numbers, profile, GUINT_TO_POINTER(i));
        g_variant_builder_open(out, G_VARIANT_TYPE("(ssuuumsuuui)"));
        add_string(out, profile->id);
        add_string(out, profile->name);
        g_variant_builder_add(out, "u", profile->fb_mib);
        g_variant_builder_add(out, "u", profile->num_heads);
        g_variant_builder_add(out, "u", profile->frl);
        add_text(out, profile->max_resolution);
        g_variant_builder_add(out, "u", profile->max_instances);
        g_variant_builder_add(out, "u", profile->max_per_domain);
        g_variant_builder_add(out, "u", profile->max_per_gi);
        g_variant_builder_add(out, "i", profile->gi_profile);
        g_variant_builder_close(out);
    }
    g_variant_builder_close(out);
}

static void
add_contents_of(GVariantBuilder *out, const VgpuParent *parent, GHashTable *numbers)
{
    g_variant_builder_open(out, G_VARIANT_TYPE("(smsa(uu)a(msmsii)u)"));
    g_variant_builder_add(out, "s", parent->address);
    add_text(out, parent->driver);
    g_variant_builder_open(out, G_VARIANT_TYPE("a(uu)"));
    for (guint i = 0; i < parent->offers->len; i++) {
        const VgpuOffer *offer = g_ptr_array_index(parent->offers, i);
        gpointer number = g_hash_table_lookup(numbers, offer->profile);

        g_variant_builder_add(out, "(uu)", GPOINTER_TO_UINT(number), offer->available);
    }
    g_variant_builder_close(out);
    g_variant_builder_open(out, G_VARIANT_TYPE("a(msmsii)"));
    for (guint i = 0; i < parent->instances->len; i++) {
        const VgpuInstance *instance = g_ptr_array_index(parent->instances, i);

        g_variant_builder_open(out, G_VARIANT_TYPE("(msmsii)"));
        add_text(out, instance->uuid);
        add_text(out, instance->profile_id);
        g_variant_builder_add(out, "i", instance->gi);
        g_variant_builder_add(out, "i", instance->slot);
        g_variant_builder_close(out);
    }
    g_variant_builder_close(out);
    g_variant_builder_add(out, "u", parent->fb_mib);
    g_variant_builder_close(out);
}

GVariant *
vgpu_contents_pack(const VgpuGpu *gpu)
{
    g_autoptr(GHashTable) numbers = g_hash_table_new(NULL, NULL);
    GVariantBuilder out;

    g_variant_builder_init(&out, VGPU_CONTENTS_TYPE);
    g_variant_builder_add(&out, "u", gpu->card_mib);
    add_profiles(&out, gpu, numbers);
    g_variant_builder_open(&out, G_VARIANT_TYPE("a(smsa(uu)a(msmsii)u)"));
    for (guint i = 0; i < gpu->parents->len; i++)
        add_contents_of(&out, g_ptr_array_index(gpu->parents, i), numbers);
    g_variant_builder_close(&out);
    return g_variant_builder_end(&out);
}

/* By their number; borrowed from @gpu. */
static GPtrArray *
unpack_profiles(GVariant *packed, VgpuGpu *gpu)
{
    GPtrArray *profiles = g_ptr_array_new();
    GVariantIter iter;
    const char *id, *name, *resolution;
    VgpuProfile one = { 0 };

    g_variant_iter_init(&iter, packed);
    while (g_variant_iter_next(&iter, "(&s&suuum&suuui)", &id, &name, &one.fb_mib, &one.num_heads,
                               &one.frl, &resolution, &one.max_instances, &one.max_per_domain,
                               &one.max_per_gi, &one.gi_profile)) {
        VgpuProfile *profile = vgpu_profile_new(id, name);

        profile->fb_mib = one.fb_mib;
        profile->num_heads = one.num_heads;
        profile->frl = one.frl;
        profile->max_resolution = g_strdup(resolution);
        profile->max_instances = one.max_instances;
        profile->max_per_domain = one.max_per_domain;
        profile->max_per_gi = one.max_per_gi;
        profile->gi_profile = one.gi_profile;
        g_ptr_array_add(profiles, (gpointer) vgpu_gpu_take_profile(gpu, profile));
    }
    return profiles;
}

/* Most of what there is in contents, so they are not taken out one by one. */
static void
unpack_offers(GVariant *packed, VgpuParent *parent, const GPtrArray *profiles)
{
    struct Offer {
        guint32 number, available;
    };
    gsize n = 0;
    const struct Offer *offers = g_variant_get_fixed_array(packed, &n, sizeof(*offers));

    for (gsize i = 0; i < n; i++) {
        if (offers[i].number < profiles->len)
            vgpu_parent_add_offer(parent, profiles->pdata[offers[i].number], offers[i].available);
    }
}

static void
unpack_parent(GVariant *packed, VgpuGpu *gpu, const GPtrArray *profiles)
{
    g_autoptr(GVariant) offers = NULL;
    g_autoptr(GVariantIter) instances = NULL;
    const char *address, *driver, *uuid, *profile_id;
    VgpuParent *parent;
    gint32 gi, slot;
    guint32 fb_mib;

    g_variant_get(packed, "(&sm&s@a(uu)a(msmsii)u)", &address, &driver, &offers, &instances,
                  &fb_mib);
    parent = vgpu_gpu_find_parent(gpu, address);
    if (!parent)
        return;
    parent->fb_mib = fb_mib;
    g_free(parent->driver);
    parent->driver = g_strdup(driver);
    unpack_offers(offers, parent, profiles);
    while (g_variant_iter_next(instances, "(m&sm&sii)", &uuid, &profile_id, &gi, &slot)) {
        VgpuInstance *instance = vgpu_parent_add_instance(parent, uuid, profile_id);

        instance->gi = gi;
        instance->slot = slot;
    }
}

static bool
is_contents(GVariant *contents)
{
    return g_variant_is_of_type(contents, VGPU_CONTENTS_TYPE) &&
           g_variant_is_normal_form(contents);
}

bool
vgpu_contents_unpack(GVariant *contents, VgpuGpu *gpu)
{
    g_autoptr(GVariant) packed = NULL;
    g_autoptr(GVariant) parents = NULL;
    g_autoptr(GPtrArray) profiles = NULL;

    if (!is_contents(contents))
        return false;
    g_variant_get_child(contents, 0, "u", &gpu->card_mib);
    packed = g_variant_get_child_value(contents, 1);
    parents = g_variant_get_child_value(contents, 2);
    profiles = unpack_profiles(packed, gpu);
    for (gsize i = 0; i < g_variant_n_children(parents); i++) {
        g_autoptr(GVariant) one = g_variant_get_child_value(parents, i);

        unpack_parent(one, gpu, profiles);
    }
    return true;
}
