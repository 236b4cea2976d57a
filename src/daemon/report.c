/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report.c: the dictionaries of GPUs and profiles */
#include "daemon/report.h"

#include "daemon/report-private.h"
#include "placement/room.h"

/* Zero means that the driver did not report a value. */
static void
put_known(GVariantDict *dict, const char *key, guint value)
{
    if (value)
        vgpu_put_u(dict, key, value);
}

guint
vgpu_report_count_vgpus(const VgpuGpu *gpu)
{
    guint vgpus = 0;

    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        vgpus += parent->instances->len;
    }
    return vgpus;
}

GVariant *
vgpu_report_cordon(const VgpuCordon *cordon)
{
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    if (cordon) {
        vgpu_put_s(&dict, "since", cordon->since);
        vgpu_put_s(&dict, "reason", cordon->reason);
        vgpu_put_s(&dict, "by", cordon->by);
    }
    return g_variant_dict_end(&dict);
}

static void
put_cordon(GVariantDict *dict, const VgpuCordon *cordon)
{
    if (cordon)
        g_variant_dict_insert_value(dict, "cordoned", vgpu_report_cordon(cordon));
}

GVariant *
vgpu_report_cordoned(VgpuManager *manager, const char *address)
{
    const VgpuGpu *gpu = vgpu_inventory_find(vgpu_manager_inventory(manager), address);
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    vgpu_put_s(&dict, "address", address);
    vgpu_put_u(&dict, "vgpus", gpu ? vgpu_report_count_vgpus(gpu) : 0);
    put_cordon(&dict, vgpu_manager_cordon_of(manager, address));
    return g_variant_dict_end(&dict);
}

static void
fill_gpu(GVariantDict *dict, const VgpuGpu *gpu)
{
    vgpu_put_s(dict, "address", gpu->address);
    vgpu_put_s(dict, "nodedev", gpu->nodedev);
    vgpu_put_s(dict, "vendor", gpu->vendor_id);
    vgpu_put_s(dict, "product", gpu->product_id);
    vgpu_put_s(dict, "name", gpu->name);
    vgpu_put_s(dict, "driver", gpu->driver);
    vgpu_put_s(dict, "interface", vgpu_interface_to_string(gpu->interface));
    if (gpu->numa_node >= 0)
        vgpu_put_u(dict, "numa_node", (guint) gpu->numa_node);
    vgpu_put_u(dict, "vfs_total", gpu->vfs_total);
    vgpu_put_u(dict, "vfs_enabled", gpu->vfs_enabled);
    vgpu_put_u(dict, "vgpus", vgpu_report_count_vgpus(gpu));
    put_cordon(dict, gpu->cordon);
}

GVariant *
vgpu_report_gpus(VgpuManager *manager)
{
    const VgpuInventory *inventory = vgpu_manager_inventory(manager);
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < inventory->gpus->len; i++) {
        g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

        fill_gpu(&dict, g_ptr_array_index(inventory->gpus, i));
        g_variant_builder_add_value(&list, g_variant_dict_end(&dict));
    }
    return g_variant_builder_end(&list);
}

/* The profiles of which a vGPU can be made on @parent now. */
static GVariant *
creatable(const VgpuReading *reading, const VgpuGpu *gpu, const VgpuParent *parent)
{
    bool is_seen = vgpu_reading_is_seen(reading, gpu);
    GVariantBuilder names;

    g_variant_builder_init(&names, G_VARIANT_TYPE("as"));
    for (guint i = 0; is_seen && i < parent->offers->len; i++) {
        const VgpuOffer *offer = g_ptr_array_index(parent->offers, i);

        if (offer->available && !parent->host_vf && !(parent->is_vf && parent->instances->len))
            g_variant_builder_add(&names, "s", offer->profile->name);
    }
    return g_variant_builder_end(&names);
}

/* Whether @parent is the host's: host.xml keeps it for the host, or one of the host's own drivers is
 * bound to it. In the second case a guest gets it if no other VF is free and the host does not use
 * it. */
static bool
is_hosts(const VgpuGpu *gpu, const VgpuParent *parent)
{
    return parent->host_vf || vgpu_gpu_shares_with_host(gpu, parent);
}

const char *
vgpu_report_vf_state(const VgpuGpu *gpu, const VgpuParent *parent, bool is_seen)
{
    if (!parent)
        return "unusable";
    if (!is_seen)
        return "unknown";
    if (parent->instances->len)
        return "used";
    return is_hosts(gpu, parent) ? "host" : "free";
}

static GVariant *
report_vf(const VgpuReading *reading, const VgpuGpu *gpu, const char *address)
{
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);
    const VgpuParent *parent = vgpu_gpu_find_parent(gpu, address);
    const VgpuInstance *instance = vgpu_parent_first_instance(parent);
    const VgpuProfile *profile = instance && instance->profile_id
                                     ? vgpu_gpu_find_profile(gpu, instance->profile_id)
                                     : NULL;

    vgpu_put_s(&dict, "address", address);
    vgpu_put_s(&dict, "state",
               vgpu_report_vf_state(gpu, parent, vgpu_reading_is_seen(reading, gpu)));
    vgpu_put_s(&dict, "driver", parent ? parent->driver : NULL);
    if (instance) {
        vgpu_put_s(&dict, "uuid", instance->uuid);
        vgpu_put_s(&dict, "profile", profile ? profile->name : instance->profile_id);
    }
    if (parent) {
        g_variant_dict_insert_value(&dict, "creatable", creatable(reading, gpu, parent));
        put_known(&dict, "framebuffer_mib", parent->fb_mib);
    }
    return g_variant_dict_end(&dict);
}

static GVariant *
report_profile(const VgpuReading *reading, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    char series = vgpu_profile_series(profile);
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    vgpu_put_s(&dict, "gpu", gpu->address);
    vgpu_put_s(&dict, "id", profile->id);
    vgpu_put_s(&dict, "name", profile->name);
    put_known(&dict, "framebuffer_mib", profile->fb_mib);
    put_known(&dict, "num_heads", profile->num_heads);
    put_known(&dict, "frl", profile->frl);
    vgpu_put_s(&dict, "max_resolution", profile->max_resolution);
    put_known(&dict, "max_instances", vgpu_gpu_max_instances(gpu, profile));
    vgpu_put_count(&dict, "capacity", vgpu_room_capacity(gpu, profile));
    vgpu_put_count(&dict, "available", vgpu_reading_available(reading, gpu, profile));
    put_known(&dict, "max_per_domain", vgpu_profile_max_per_domain(profile));
    vgpu_put_s(&dict, "interface", vgpu_interface_to_string(gpu->interface));
    if (series)
        vgpu_put_s(&dict, "series", (const char[]) { series, '\0' });
    vgpu_put_s(&dict, "needs_license", vgpu_profile_license(profile));
    vgpu_put_s(&dict, "purpose", vgpu_profile_purpose(profile));
    vgpu_put_s(&dict, "obstacle", vgpu_reading_obstacle(reading, gpu));
    return g_variant_dict_end(&dict);
}

static void
report_profiles_of(GVariantBuilder *list, const VgpuReading *reading, const VgpuGpu *gpu)
{
    for (guint i = 0; i < gpu->profiles->len; i++)
        g_variant_builder_add_value(list, report_profile(reading, gpu,
                                                         g_ptr_array_index(gpu->profiles, i)));
}

static GVariant *
report_gpu_instance(const VgpuGpuInstance *instance)
{
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    vgpu_put_u(&dict, "gi", instance->id);
    vgpu_put_s(&dict, "profile", instance->name);
    vgpu_put_u(&dict, "profile_id", (guint) instance->profile);
    vgpu_put_u(&dict, "start", instance->start);
    vgpu_put_u(&dict, "size", instance->size);
    return g_variant_dict_end(&dict);
}

/* The GPU with all that is on it. */
static GVariant *
report_whole_gpu(const VgpuReading *reading, const VgpuGpu *gpu)
{
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);
    GVariantBuilder vfs, instances, profiles;

    fill_gpu(&dict, gpu);
    vgpu_put_b(&dict, "mig", gpu->is_mig);
    vgpu_put_b(&dict, "mixed", gpu->is_mixed);
    vgpu_put_b(&dict, "passed_through", gpu->passed_through);
    vgpu_put_s(&dict, "obstacle", vgpu_reading_obstacle(reading, gpu));
    g_variant_builder_init(&vfs, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < gpu->vfs->len; i++)
        g_variant_builder_add_value(&vfs,
                                    report_vf(reading, gpu, g_ptr_array_index(gpu->vfs, i)));
    g_variant_dict_insert_value(&dict, "vfs", g_variant_builder_end(&vfs));
    g_variant_builder_init(&instances, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < gpu->gpu_instances->len; i++)
        g_variant_builder_add_value(&instances, report_gpu_instance(
                                                    g_ptr_array_index(gpu->gpu_instances, i)));
    g_variant_dict_insert_value(&dict, "gpu_instances", g_variant_builder_end(&instances));
    g_variant_builder_init(&profiles, G_VARIANT_TYPE("aa{sv}"));
    report_profiles_of(&profiles, reading, gpu);
    g_variant_dict_insert_value(&dict, "profiles", g_variant_builder_end(&profiles));
    return g_variant_dict_end(&dict);
}

GVariant *
vgpu_report_gpu(VgpuManager *manager, const char *address)
{
    const VgpuGpu *gpu = vgpu_inventory_find(vgpu_manager_inventory(manager), address);
    g_autoptr(VgpuReading) reading = gpu ? vgpu_manager_read(manager) : NULL;

    return gpu ? report_whole_gpu(reading, gpu) : NULL;
}

static GVariant *
report_whole_gpus(VgpuManager *manager)
{
    const VgpuInventory *inventory = vgpu_manager_inventory(manager);
    g_autoptr(VgpuReading) reading = vgpu_manager_read(manager);
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < inventory->gpus->len; i++)
        g_variant_builder_add_value(&list, report_whole_gpu(reading, inventory->gpus->pdata[i]));
    return g_variant_builder_end(&list);
}

GVariant *
vgpu_report_state(VgpuManager *manager, bool may_manage)
{
    g_autoptr(GPtrArray) pools = vgpu_manager_list_pools(manager);
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    g_variant_dict_insert_value(&dict, "gpus", report_whole_gpus(manager));
    g_variant_dict_insert_value(&dict, "vgpus", vgpu_report_vgpus(manager, true));
    g_variant_dict_insert_value(&dict, "pools", vgpu_report_pools(pools, may_manage));
    return g_variant_dict_end(&dict);
}

GVariant *
vgpu_report_profiles(VgpuManager *manager, const char *address)
{
    const VgpuInventory *inventory = vgpu_manager_inventory(manager);
    g_autoptr(VgpuReading) reading = vgpu_manager_read(manager);
    GVariantBuilder list;

    if (address && !vgpu_inventory_find(inventory, address))
        return NULL;
    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        if (address && !g_str_equal(address, gpu->address))
            continue;
        report_profiles_of(&list, reading, gpu);
    }
    return g_variant_builder_end(&list);
}
