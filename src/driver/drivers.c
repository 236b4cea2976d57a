/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/drivers.h"

#include <string.h>

#include "driver/protocol.h"

#define DISCOVERY "discovery"

struct VgpuDrivers {
    VgpuDriverOptions options;
    GMainContext *context;
    VgpuDriversOps ops;
    gpointer opaque;
    VgpuDriverUser discovery_user, gpu_user;
    VgpuDriver *discovery;
    GHashTable *named;    /* may be NULL */
    guint64 round;        /* of full discoveries */
    GVariant *last;       /* discovery */
    GHashTable *gpus;     /* address → VgpuDriver */
    VgpuDriver *nowhere;  /* see get_nowhere() */
    GHashTable *contents; /* address → GVariant, the last */
};

/* --- callbacks ----------------------------------------------------------------------------- */

static void
on_changed(gpointer opaque)
{
    const VgpuDrivers *self = opaque;

    self->ops.changed(self->opaque);
}

static bool
is_gpu_needed(const char *name, gpointer opaque)
{
    const VgpuDrivers *self = opaque;

    return self->ops.is_needed(name, self->opaque);
}

/* It is freed with the last of the others. */
static bool
is_discovery_needed(const char *name, gpointer opaque)
{
    const VgpuDrivers *self = opaque;
    GHashTableIter iter;
    gpointer gpu;

    (void) name;
    g_hash_table_iter_init(&iter, self->gpus);
    while (g_hash_table_iter_next(&iter, &gpu, NULL)) {
        if (self->ops.is_needed(gpu, self->opaque))
            return true;
    }
    return false;
}

static bool
is_same(GVariant *last, GVariant *now)
{
    return last && g_variant_equal(last, now);
}

static bool
take_discovery(const char *name, GVariant *results, gpointer opaque)
{
    VgpuDrivers *self = opaque;
    g_autoptr(GVariant) discovery = g_variant_lookup_value(results, "discovery", NULL);

    (void) name;
    if (!discovery && !self->last) /* "unchanged" refers to an answer that was given up on */
        vgpu_drivers_rediscover(self);
    if (!discovery)
        return g_variant_lookup(results, "unchanged", "b", NULL);
    if (is_same(self->last, discovery))
        return true;
    g_clear_pointer(&self->last, g_variant_unref);
    self->last = g_variant_ref(discovery);
    self->ops.discovered(discovery, self->opaque);
    return true;
}

static bool
take_contents(const char *name, GVariant *results, gpointer opaque)
{
    VgpuDrivers *self = opaque;
    g_autoptr(GVariant) contents = g_variant_lookup_value(results, "contents", NULL);

    if (!contents)
        return false;
    if (is_same(g_hash_table_lookup(self->contents, name), contents))
        return true;
    if (!self->ops.contents(name, contents, self->opaque))
        return false;
    g_hash_table_insert(self->contents, g_strdup(name), g_variant_ref(contents));
    return true;
}

/* --- discovery ------------------------------------------------------------------------------ */

static GVariant *
discovery_arguments(const VgpuDrivers *self)
{
    GVariantDict arguments;
    GVariantBuilder named;
    GHashTableIter iter;
    gpointer address;

    g_variant_builder_init(&named, G_VARIANT_TYPE("as"));
    if (self->named) {
        g_hash_table_iter_init(&iter, self->named);
        while (g_hash_table_iter_next(&iter, &address, NULL))
            g_variant_builder_add(&named, "s", address);
    }
    g_variant_dict_init(&arguments, NULL);
    g_variant_dict_insert_value(&arguments, "named", g_variant_builder_end(&named));
    g_variant_dict_insert(&arguments, "round", "t", self->round);
    return g_variant_dict_end(&arguments);
}

void
vgpu_drivers_set_named(VgpuDrivers *self, GHashTable *named)
{
    g_clear_pointer(&self->named, g_hash_table_unref);
    self->named = named ? g_hash_table_ref(named) : NULL;
    /* also if they soon change back, as an answer in between is not taken */
    if (vgpu_driver_set_arguments(self->discovery, discovery_arguments(self)))
        vgpu_drivers_rediscover(self);
}

void
vgpu_drivers_rediscover(VgpuDrivers *self)
{
    self->round++;
    (void) vgpu_driver_set_arguments(self->discovery, discovery_arguments(self));
}

VgpuSight
vgpu_drivers_discover(VgpuDrivers *self, gint64 since)
{
    return vgpu_driver_see(self->discovery, since);
}

/* --- GPUs ----------------------------------------------------------------------------------- */

GVariant *
vgpu_drivers_read_arguments(const VgpuGpu *gpu)
{
    GVariantDict arguments;
    GVariantBuilder functions;

    g_variant_builder_init(&functions, G_VARIANT_TYPE("a(sb)"));
    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        g_variant_builder_add(&functions, "(sb)", parent->address, (gboolean) parent->is_vf);
    }
    g_variant_dict_init(&arguments, NULL);
    g_variant_dict_insert(&arguments, "interface", "u", (guint) gpu->interface);
    g_variant_dict_insert(&arguments, "gpu", "s", gpu->address);
    if (gpu->driver)
        g_variant_dict_insert(&arguments, "driver", "s", gpu->driver);
    if (gpu->driver_version) /* another driver may have other profiles */
        g_variant_dict_insert(&arguments, "version", "s", gpu->driver_version);
    if (gpu->product_id) /* the same with another GPU in its place */
        g_variant_dict_insert(&arguments, "product", "s", gpu->product_id);
    g_variant_dict_insert_value(&arguments, "functions", g_variant_builder_end(&functions));
    return g_variant_dict_end(&arguments);
}

static void
drop_gpus(VgpuDrivers *self, const VgpuInventory *inventory)
{
    GHashTableIter iter;
    gpointer key, driver;

    g_hash_table_iter_init(&iter, self->gpus);
    while (g_hash_table_iter_next(&iter, &key, &driver)) {
        const VgpuGpu *gpu = vgpu_inventory_find(inventory, key);

        if (gpu && gpu->parents->len)
            continue;
        g_hash_table_remove(self->contents, key);
        g_hash_table_iter_steal(&iter);
        vgpu_driver_close(driver, "the GPU has disappeared, or no longer carries vGPUs");
        g_free(key);
    }
}

void
vgpu_drivers_take(VgpuDrivers *self, const VgpuInventory *inventory)
{
    drop_gpus(self, inventory);
    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);
        VgpuDriver *driver = g_hash_table_lookup(self->gpus, gpu->address);

        if (!gpu->parents->len)
            continue;
        if (!driver) {
            driver =
                vgpu_driver_new(&self->options, self->context, gpu->address, &self->gpu_user);
            g_hash_table_insert(self->gpus, g_strdup(gpu->address), driver);
        }
        /* the new process is told all that is known, even where it is the same */
        if (vgpu_driver_set_arguments(driver, vgpu_drivers_read_arguments(gpu)))
            g_hash_table_remove(self->contents, gpu->address);
    }
}

static VgpuDriver *
find(const VgpuDrivers *self, const char *gpu)
{
    return g_hash_table_lookup(self->gpus, gpu);
}

VgpuSight
vgpu_drivers_see(VgpuDrivers *self, const char *gpu, gint64 since)
{
    VgpuDriver *driver = find(self, gpu);

    return driver ? vgpu_driver_see(driver, since) : VGPU_SIGHT_FRESH;
}

void
vgpu_drivers_touch(VgpuDrivers *self, const char *gpu)
{
    VgpuDriver *driver = find(self, gpu);

    if (driver)
        vgpu_driver_touch(driver);
}

gint64
vgpu_drivers_working_since(const VgpuDrivers *self, const char *gpu)
{
    const VgpuDriver *driver = find(self, gpu);

    return driver ? vgpu_driver_working_since(driver) : 0;
}

const char *
vgpu_drivers_why(const VgpuDrivers *self, const char *gpu, gint64 *since)
{
    const VgpuDriver *driver = find(self, gpu);

    return driver ? vgpu_driver_why(driver, since) : NULL;
}

guint64
vgpu_drivers_hold(VgpuDrivers *self, const char *gpu)
{
    VgpuDriver *driver = find(self, gpu);

    if (!driver)
        return 0;
    vgpu_driver_hold(driver);
    return vgpu_driver_id(driver);
}

void
vgpu_drivers_unhold(VgpuDrivers *self, const char *gpu, guint64 hold)
{
    VgpuDriver *driver = find(self, gpu);

    if (driver && vgpu_driver_id(driver) == hold)
        vgpu_driver_unhold(driver);
}

/* For a GPU that is not there: it never answers anything. */
static VgpuDriver *
get_nowhere(VgpuDrivers *self)
{
    if (!self->nowhere) {
        self->nowhere =
            vgpu_driver_new(&self->options, self->context, "nowhere", &self->gpu_user);
        vgpu_driver_fail(self->nowhere, "the GPU no longer exists");
    }
    return self->nowhere;
}

void
vgpu_drivers_push(VgpuDrivers *self, const char *gpu, const VgpuDriverTask *task)
{
    VgpuDriver *driver = find(self, gpu);

    vgpu_driver_push(driver ? driver : get_nowhere(self), task);
}

/* --- life ----------------------------------------------------------------------------------- */

VgpuDrivers *
vgpu_drivers_new(const VgpuDriverOptions *options, GMainContext *context,
                 const VgpuDriversOps *ops, gpointer opaque)
{
    VgpuDrivers *self = g_new0(VgpuDrivers, 1);

    self->options = (VgpuDriverOptions) {
        .program = g_strdup(options->program),
        .root = g_strdup(options->root),
        .debug = options->debug,
    };
    self->context = g_main_context_ref(context);
    self->ops = *ops;
    self->opaque = opaque;
    self->discovery_user = (VgpuDriverUser) {
        .verb = VGPU_DRIVER_DISCOVER,
        .noun = "",
        .take = take_discovery,
        .changed = on_changed,
        .is_needed = is_discovery_needed,
        .opaque = self,
    };
    self->gpu_user = (VgpuDriverUser) {
        .verb = VGPU_DRIVER_READ,
        .noun = "GPU ",
        .take = take_contents,
        .changed = on_changed,
        .is_needed = is_gpu_needed,
        .opaque = self,
    };
    self->gpus =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) vgpu_driver_free);
    self->contents =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
    self->discovery =
        vgpu_driver_new(&self->options, self->context, DISCOVERY, &self->discovery_user);
    (void) vgpu_driver_set_arguments(self->discovery, discovery_arguments(self));
    return self;
}

void
vgpu_drivers_free(VgpuDrivers *self)
{
    if (!self)
        return;
    vgpu_driver_free(self->discovery);
    vgpu_driver_free(self->nowhere);
    g_hash_table_unref(self->gpus);
    g_hash_table_unref(self->contents);
    g_clear_pointer(&self->named, g_hash_table_unref);
    g_clear_pointer(&self->last, g_variant_unref);
    g_main_context_unref(self->context);
    g_free((char *) self->options.program);
    g_free((char *) self->options.root);
    g_free(self);
}

const VgpuDriverOptions *
vgpu_drivers_options(const VgpuDrivers *self)
{
    return &self->options;
}
