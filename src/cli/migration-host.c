/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/migration-host.h"

#include <stdio.h>
#include <string.h>

#include "base/printable.h"

static const VgpuColumn gpu_columns[] = {
    { .key = "address" },
    { .key = "interface" },
    { .key = "driver" },
    { .key = "driver_version" },
    { 0 },
};

const VgpuColumn vgpu_migration_host_columns[] = {
    { .key = "uuid" },
    { .key = "version" },
    { .key = "libvirt" },
    { .key = "qemu" },
    { .key = "kernel" },
    { .key = "iommufd" },
    { .key = "gpus", .nested = gpu_columns },
    { 0 },
};

void
vgpu_migration_gpu_free(VgpuMigrationGpu *self)
{
    g_free(self->address);
    g_free(self->interface);
    g_free(self->driver);
    g_free(self->driver_version);
    g_free(self);
}

void
vgpu_migration_host_free(VgpuMigrationHost *self)
{
    g_free(self->uuid);
    g_free(self->version);
    g_free(self->kernel);
    g_ptr_array_unref(self->gpus);
    g_free(self);
}

char *
vgpu_migration_host_shown(const char *text)
{
    g_autofree char *line = vgpu_printable_line(text);

    return vgpu_printable_cut(line, VGPU_PRINTABLE_REASON);
}

char *
vgpu_migration_host_text(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    const char *text = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;

    return text ? vgpu_migration_host_shown(text) : NULL;
}

static VgpuTruth
read_truth(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_BOOLEAN)
        return VGPU_TRUTH_UNKNOWN;
    return json_node_get_boolean(node) ? VGPU_TRUTH_YES : VGPU_TRUTH_NO;
}

static gulong
read_version(JsonObject *object, const char *name)
{
    g_autofree char *text = vgpu_migration_host_text(object, name);
    guint major = 0, minor = 0, release = 0;

    if (!text || sscanf(text, "%3u.%3u.%3u", &major, &minor, &release) < 2)
        return 0;
    return major * 1000000UL + minor * 1000UL + release;
}

static void
read_gpus(JsonObject *object, GPtrArray *gpus)
{
    JsonNode *node = json_object_get_member(object, "gpus");
    JsonArray *rows = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    for (guint i = 0; rows && i < json_array_get_length(rows); i++) {
        JsonNode *row = json_array_get_element(rows, i);
        VgpuMigrationGpu *gpu;

        if (!JSON_NODE_HOLDS_OBJECT(row))
            continue;
        gpu = g_new0(VgpuMigrationGpu, 1);
        gpu->address = vgpu_migration_host_text(json_node_get_object(row), "address");
        gpu->interface = vgpu_migration_host_text(json_node_get_object(row), "interface");
        gpu->driver = vgpu_migration_host_text(json_node_get_object(row), "driver");
        gpu->driver_version =
            vgpu_migration_host_text(json_node_get_object(row), "driver_version");
        g_ptr_array_add(gpus, gpu);
    }
}

VgpuMigrationHost *
vgpu_migration_host_parse(JsonObject *object)
{
    VgpuMigrationHost *self = g_new0(VgpuMigrationHost, 1);

    self->uuid = vgpu_migration_host_text(object, "uuid");
    self->version = vgpu_migration_host_text(object, "version");
    self->libvirt = read_version(object, "libvirt");
    self->qemu = read_version(object, "qemu");
    self->kernel = vgpu_migration_host_text(object, "kernel");
    self->iommufd = read_truth(object, "iommufd");
    self->gpus = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_migration_gpu_free);
    read_gpus(object, self->gpus);
    return self;
}

const VgpuMigrationGpu *
vgpu_migration_host_find(const VgpuMigrationHost *self, const char *gpu)
{
    for (guint i = 0; self && i < self->gpus->len; i++) {
        const VgpuMigrationGpu *one = g_ptr_array_index(self->gpus, i);

        if (g_strcmp0(one->address, gpu) == 0)
            return one;
    }
    return NULL;
}

char *
vgpu_migration_host_version(gulong version)
{
    return g_strdup_printf("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000,
                           version % 1000);
}
