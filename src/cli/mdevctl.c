/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/mdevctl.h"

#include <json-glib/json-glib.h>

#include "base/uuid.h"

void
vgpu_mdevctl_free(VgpuMdevctl *self)
{
    if (!self)
        return;
    g_free(self->parent);
    g_free(self->type);
    g_free(self);
}

/* NULL: it does not exist, or is not text. */
static const char *
member(JsonNode *root, const char *name)
{
    JsonNode *value = json_object_get_member(json_node_get_object(root), name);

    return value && JSON_NODE_HOLDS_VALUE(value) ? json_node_get_string(value) : NULL;
}

VgpuMdevctl *
vgpu_mdevctl_read(const VgpuSysfs *fs, const char *parent, const char *name)
{
    g_autofree char *path = g_strdup_printf(VGPU_MDEVCTL_DIR "/%s/%s", parent, name);
    g_autofree char *text = vgpu_sysfs_is_file(fs, path) ? vgpu_sysfs_read(fs, path, NULL) : NULL;
    g_autoptr(JsonNode) root = text ? json_from_string(text, NULL) : NULL;
    VgpuMdevctl *self;

    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return NULL;
    self = g_new0(VgpuMdevctl, 1);
    self->parent = g_strdup(parent);
    self->type = g_strdup(member(root, "mdev_type"));
    self->autostart = g_strcmp0(member(root, "start"), "auto") == 0;
    return self;
}

VgpuMdevctl *
vgpu_mdevctl_find(const VgpuSysfs *fs, const char *uuid)
{
    g_autoptr(GPtrArray) parents = vgpu_sysfs_list(fs, VGPU_MDEVCTL_DIR);

    for (guint p = 0; p < parents->len; p++) {
        g_autofree char *dir = g_strconcat(VGPU_MDEVCTL_DIR "/", parents->pdata[p], NULL);
        g_autoptr(GPtrArray) names = vgpu_sysfs_list(fs, dir);

        for (guint i = 0; i < names->len; i++) {
            g_autofree char *canonical = vgpu_uuid_canonical(names->pdata[i]);

            if (g_strcmp0(canonical, uuid) == 0)
                return vgpu_mdevctl_read(fs, parents->pdata[p], names->pdata[i]);
        }
    }
    return NULL;
}
