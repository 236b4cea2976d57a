/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/scene.h"

#include "base/names.h"
#include "daemon/report-private.h"

#define NOTHING "/"

/* What the manager says of a GPU of the inventory. */
typedef struct {
    char *pool;
    char *obstacle; /* NULL: none */
    bool is_seen;
} Remarks;

struct VgpuScene {
    VgpuInventory *inventory; /* a reference */
    GArray *remarks;          /* of Remarks, by GPU */
    GPtrArray *vgpus;         /* of VgpuRow */
    GPtrArray *pools;         /* of VgpuPoolRow; each has a reference to its pool */
    GHashTable *pool_names;   /* set of those that exist; the strings are of @pools */
};

/* While they are described. */
typedef struct {
    const VgpuScene *scene;
    GHashTable *paths; /* set of those that are in @all */
    GVariantBuilder all;
} Objects;

/* --- paths -------------------------------------------------------------------------------- */

/* For texts that differ in letters and digits only. */
static char *
simple_path(const char *kind, const char *text)
{
    char *name = g_strcanon(g_strdup(text), G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS, '_');
    char *path = g_strconcat(VGPU_DBUS_OBJECTS "/", kind, "/", name, NULL);

    g_free(name);
    return path;
}

/* For any text: other characters become _ and their code. */
static char *
pool_path(const char *name)
{
    GString *path = g_string_new(VGPU_DBUS_OBJECTS "/pools/");

    for (const char *c = name; *c; c++) {
        if (g_ascii_isalnum(*c))
            g_string_append_c(path, *c);
        else
            g_string_append_printf(path, "_%02x", (guchar) *c);
    }
    return g_string_free(path, FALSE);
}

static char *
vgpu_path(const char *uuid, const char *parent)
{
    g_autofree char *place = uuid ? NULL : g_strconcat("at-", parent, NULL);

    return simple_path("vgpus", uuid ? uuid : place);
}

/* --- properties --------------------------------------------------------------------------- */

static void
put(GVariantBuilder *properties, const char *name, GVariant *value)
{
    g_variant_builder_add(properties, "{sv}", name, value);
}

static void
put_s(GVariantBuilder *properties, const char *name, const char *text)
{
    put(properties, name, g_variant_new_string(text ? text : ""));
}

static void
put_u(GVariantBuilder *properties, const char *name, guint number)
{
    put(properties, name, g_variant_new_uint32(number));
}

static void
put_b(GVariantBuilder *properties, const char *name, bool flag)
{
    put(properties, name, g_variant_new_boolean(flag));
}

/* Takes @path; NULL: nothing. */
static void
put_path(GVariantBuilder *properties, const char *name, char *path)
{
    put(properties, name, g_variant_new_object_path(path ? path : NOTHING));
    g_free(path);
}

/* Clears @properties; takes @path. */
static void
add_object(Objects *self, char *path, const char *interface, GVariantBuilder *properties)
{
    GVariantBuilder interfaces;

    if (!g_hash_table_add(self->paths, path)) { /* two devices with one UUID */
        g_variant_builder_clear(properties);
        return;
    }
    g_variant_builder_init(&interfaces, G_VARIANT_TYPE("a{sa{sv}}"));
    g_variant_builder_add(&interfaces, "{sa{sv}}", interface, properties);
    g_variant_builder_add(&self->all, "{oa{sa{sv}}}", path, &interfaces);
}

/* --- GPUs --------------------------------------------------------------------------------- */

static void
add_vf(Objects *self, const VgpuGpu *gpu, bool is_seen, const char *address)
{
    const VgpuParent *parent = vgpu_gpu_find_parent(gpu, address);
    const VgpuInstance *instance = vgpu_parent_first_instance(parent);
    const VgpuProfile *profile = instance && instance->profile_id
                                     ? vgpu_gpu_find_profile(gpu, instance->profile_id)
                                     : NULL;
    GVariantBuilder properties;

    g_variant_builder_init(&properties, G_VARIANT_TYPE_VARDICT);
    put_s(&properties, "Address", address);
    put_path(&properties, "Gpu", simple_path("gpus", gpu->address));
    put_s(&properties, "State", vgpu_report_vf_state(gpu, parent, is_seen));
    put_s(&properties, "Driver", parent ? parent->driver : NULL);
    put_s(&properties, "Profile",
          profile    ? profile->name
          : instance ? instance->profile_id
                     : NULL);
    put_path(&properties, "Vgpu", instance ? vgpu_path(instance->uuid, address) : NULL);
    put_u(&properties, "FramebufferMib", parent ? parent->fb_mib : 0);
    add_object(self, simple_path("vfs", address), "org.virtvgpu.Vf1", &properties);
}

static void
add_gpu_instance(Objects *self, const VgpuGpu *gpu, const VgpuGpuInstance *instance)
{
    g_autofree char *name = g_strdup_printf("%s_%u", gpu->address, instance->id);
    GVariantBuilder properties;

    g_variant_builder_init(&properties, G_VARIANT_TYPE_VARDICT);
    put_path(&properties, "Gpu", simple_path("gpus", gpu->address));
    put_u(&properties, "Gi", instance->id);
    put_s(&properties, "Profile", instance->name);
    put_u(&properties, "ProfileId", (guint) instance->profile);
    put_u(&properties, "Start", instance->start);
    put_u(&properties, "Size", instance->size);
    add_object(self, simple_path("gpu_instances", name), "org.virtvgpu.GpuInstance1",
               &properties);
}

static void
add_gpu(Objects *self, const VgpuGpu *gpu, const Remarks *remarks)
{
    GVariantBuilder properties;

    g_variant_builder_init(&properties, G_VARIANT_TYPE_VARDICT);
    put_s(&properties, "Address", gpu->address);
    put_s(&properties, "NodeDevice", gpu->nodedev);
    put_s(&properties, "Vendor", gpu->vendor_id);
    put_s(&properties, "Product", gpu->product_id);
    put_s(&properties, "Name", gpu->name);
    put_s(&properties, "Driver", gpu->driver);
    put_s(&properties, "Interface", vgpu_interface_to_string(gpu->interface));
    put(&properties, "NumaNode", g_variant_new_int32(gpu->numa_node));
    put_u(&properties, "VfsTotal", gpu->vfs_total);
    put_u(&properties, "VfsEnabled", gpu->vfs_enabled);
    put_u(&properties, "Vgpus", vgpu_report_count_vgpus(gpu));
    put(&properties, "Cordoned", vgpu_report_cordon(gpu->cordon));
    put_b(&properties, "Mig", gpu->is_mig);
    put_b(&properties, "Mixed", gpu->is_mixed);
    put_b(&properties, "PassedThrough", gpu->passed_through);
    put_s(&properties, "Obstacle", remarks->obstacle);
    put_path(&properties, "Pool", pool_path(remarks->pool));
    add_object(self, simple_path("gpus", gpu->address), "org.virtvgpu.Gpu1", &properties);
    for (guint i = 0; i < gpu->vfs->len; i++)
        add_vf(self, gpu, remarks->is_seen, gpu->vfs->pdata[i]);
    for (guint i = 0; i < gpu->gpu_instances->len; i++)
        add_gpu_instance(self, gpu, gpu->gpu_instances->pdata[i]);
}

/* --- vGPUs -------------------------------------------------------------------------------- */

/* NULL: there is no such pool any more, or it is not ours. */
static char *
path_of_pool(const Objects *self, const char *name)
{
    return name && g_hash_table_contains(self->scene->pool_names, name) ? pool_path(name) : NULL;
}

static char *
path_of_vf(const VgpuGpu *gpu, const char *parent)
{
    return gpu && parent && !g_str_equal(gpu->address, parent) &&
                   vgpu_gpu_has_function(gpu, parent)
               ? simple_path("vfs", parent)
               : NULL;
}

static void
add_vgpu(Objects *self, const VgpuRow *row)
{
    const VgpuGpu *gpu = row->gpu ? vgpu_inventory_find(self->scene->inventory, row->gpu) : NULL;
    const char *interface =
        row->interface != VGPU_INTERFACE_NONE ? vgpu_interface_to_string(row->interface) : NULL;
    GVariantBuilder properties;

    if (!row->uuid && !row->parent)
        return;
    g_variant_builder_init(&properties, G_VARIANT_TYPE_VARDICT);
    put_s(&properties, "Uuid", row->uuid);
    put_s(&properties, "Domain", row->domain);
    put_s(&properties, "DomainUuid", row->domain_uuid);
    put(&properties, "Index", g_variant_new_int32(row->index));
    put_path(&properties, "Gpu", gpu ? simple_path("gpus", gpu->address) : NULL);
    put_path(&properties, "Vf", path_of_vf(gpu, row->parent));
    put_s(&properties, "Parent", row->parent);
    put_s(&properties, "Profile", row->profile);
    put_s(&properties, "ProfileId", row->profile_id);
    put_s(&properties, "Interface", interface);
    put_path(&properties, "Pool", path_of_pool(self, row->pool));
    put_s(&properties, "Tenant", row->tenant);
    put_b(&properties, "RestartNeeded", row->restart_needed);
    put_s(&properties, "State", row->state);
    add_object(self, vgpu_path(row->uuid, row->parent), "org.virtvgpu.Vgpu1", &properties);
}

/* --- pools -------------------------------------------------------------------------------- */

static GVariant *
paths_of_gpus(const GPtrArray *addresses)
{
    GVariantBuilder paths;

    g_variant_builder_init(&paths, G_VARIANT_TYPE_OBJECT_PATH_ARRAY);
    for (guint i = 0; i < addresses->len; i++) {
        g_autofree char *path = simple_path("gpus", addresses->pdata[i]);

        g_variant_builder_add(&paths, "o", path);
    }
    return g_variant_builder_end(&paths);
}

static void
add_pool(Objects *self, const VgpuPoolRow *row)
{
    g_autoptr(VgpuPool) pool = row->pool ? vgpu_pool_in_part(row->pool) : NULL;
    GVariantBuilder properties;

    g_variant_builder_init(&properties, G_VARIANT_TYPE_VARDICT);
    put_s(&properties, "Name", row->name);
    put_s(&properties, "Uuid", row->uuid);
    put_s(&properties, "Description", pool ? pool->description : NULL);
    put_s(&properties, "State", row->active ? "active" : "inactive");
    put_b(&properties, "Autostart", row->autostart);
    put(&properties, "Gpus", paths_of_gpus(row->gpus));
    put(&properties, "Tenants", vgpu_report_tenants(row));
    put_s(&properties, "DefaultProfile", pool ? vgpu_pool_default_profile(pool) : NULL);
    put_s(&properties, "DriverVersion", pool ? pool->driver_version : NULL);
    add_object(self, pool_path(row->name), "org.virtvgpu.Pool1", &properties);
}

GVariant *
vgpu_scene_describe(const VgpuScene *self)
{
    g_autoptr(GHashTable) paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Objects objects = { .scene = self, .paths = paths };

    g_variant_builder_init(&objects.all, G_VARIANT_TYPE("a{oa{sa{sv}}}"));
    for (guint i = 0; i < self->inventory->gpus->len; i++)
        add_gpu(&objects, self->inventory->gpus->pdata[i],
                &g_array_index(self->remarks, Remarks, i));
    for (guint i = 0; i < self->vgpus->len; i++)
        add_vgpu(&objects, self->vgpus->pdata[i]);
    for (guint i = 0; i < self->pools->len; i++)
        add_pool(&objects, self->pools->pdata[i]);
    return g_variant_builder_end(&objects.all);
}

/* --- life --------------------------------------------------------------------------------- */

static void
clear_remarks(gpointer data)
{
    Remarks *remarks = data;

    g_free(remarks->pool);
    g_free(remarks->obstacle);
}

static void
take_remarks(VgpuScene *self, VgpuManager *manager)
{
    g_autoptr(VgpuReading) reading = vgpu_manager_read(manager);

    for (guint i = 0; i < self->inventory->gpus->len; i++) {
        const VgpuGpu *gpu = self->inventory->gpus->pdata[i];
        const VgpuPool *pool = vgpu_pools_of(vgpu_manager_pools(manager), gpu);
        Remarks remarks = {
            .pool = g_strdup(pool ? pool->name : VGPU_POOL_DEFAULT),
            .obstacle = g_strdup(vgpu_reading_obstacle(reading, gpu)),
            .is_seen = vgpu_reading_is_seen(reading, gpu),
        };

        g_array_append_val(self->remarks, remarks);
    }
}

VgpuScene *
vgpu_scene_take(VgpuManager *manager)
{
    VgpuScene *self = g_new0(VgpuScene, 1);

    self->inventory = vgpu_inventory_ref((VgpuInventory *) vgpu_manager_inventory(manager));
    self->remarks = g_array_new(FALSE, FALSE, sizeof(Remarks));
    g_array_set_clear_func(self->remarks, clear_remarks);
    take_remarks(self, manager);
    self->vgpus = vgpu_manager_list(manager, true);
    self->pools = vgpu_manager_list_shares(manager);
    self->pool_names = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < self->pools->len; i++) {
        VgpuPoolRow *row = self->pools->pdata[i];

        if (row->pool)
            vgpu_pool_ref((VgpuPool *) row->pool);
        g_hash_table_add(self->pool_names, row->name);
    }
    return self;
}

void
vgpu_scene_free(VgpuScene *self)
{
    for (guint i = 0; i < self->pools->len; i++) {
        const VgpuPoolRow *row = self->pools->pdata[i];

        if (row->pool)
            vgpu_pool_free((VgpuPool *) row->pool);
    }
    g_hash_table_unref(self->pool_names);
    g_ptr_array_unref(self->pools);
    g_ptr_array_unref(self->vgpus);
    g_array_unref(self->remarks);
    vgpu_inventory_free(self->inventory);
    g_free(self);
}
