/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bundle.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "cli/capture-json.h"

static bool
is_safe(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);

    for (char **part = parts; *part; part++) {
        if (!**part || g_str_equal(*part, ".") || g_str_equal(*part, ".."))
            return false;
    }
    return g_str_has_prefix(path, "sys/");
}

static const char *
put_all(JsonObject *root, const char *key, FakeSysfs *fs,
        void (*put)(FakeSysfs *fs, const char *path, const char *text))
{
    JsonNode *node = json_object_get_member(root, key);
    JsonObjectIter iter;
    const char *path;

    if (!node || !JSON_NODE_HOLDS_OBJECT(node))
        return "it lacks files or links";
    json_object_iter_init(&iter, json_node_get_object(node));
    while (json_object_iter_next(&iter, &path, &node)) {
        if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING)
            return "a file or link has no text";
        if (!is_safe(path) || (put == fake_link_set && !is_safe(json_node_get_string(node))))
            return "it has a path that is not below sys/";
        put(fs, path, json_node_get_string(node));
    }
    return NULL;
}

/* As a driver ends it. */
static void
put_file(FakeSysfs *fs, const char *path, const char *text)
{
    g_autofree char *line = g_strconcat(text, "\n", NULL);

    fake_file_set(fs, path, line);
}

const char *
bundle_unpack(const char *text, FakeSysfs *fs)
{
    g_autoptr(JsonNode) node = json_from_string(text, NULL);
    JsonObject *root = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *why;

    if (!root)
        return "it is not a JSON object";
    if (!json_object_has_member(root, "format") ||
        g_strcmp0(json_object_get_string_member(root, "format"), VGPU_CAPTURE_FORMAT) != 0)
        return "it is not of the format " VGPU_CAPTURE_FORMAT;
    why = put_all(root, "files", fs, put_file);
    return why ? why : put_all(root, "links", fs, fake_link_set);
}

/* --- the inventory ------------------------------------------------------------------------ */

static void
describe_profile(GString *out, const VgpuProfile *profile)
{
    g_string_append_printf(out, "  profile %s '%s'", profile->id, profile->name);
    if (profile->fb_mib)
        g_string_append_printf(out, " %u MiB", profile->fb_mib);
    if (profile->num_heads)
        g_string_append_printf(out, " %u heads", profile->num_heads);
    if (profile->frl)
        g_string_append_printf(out, " %u frames", profile->frl);
    if (profile->max_resolution)
        g_string_append_printf(out, " %s", profile->max_resolution);
    if (profile->max_instances)
        g_string_append_printf(out, " max %u", profile->max_instances);
    g_string_append_c(out, '\n');
}

static void
describe_parent(GString *out, const VgpuParent *parent)
{
    g_string_append_printf(out, "  %s %s %s:", parent->is_vf ? "VF" : "PF", parent->address,
                           parent->driver ? parent->driver : "-");
    for (guint i = 0; i < parent->offers->len; i++) {
        const VgpuOffer *offer = parent->offers->pdata[i];

        g_string_append_printf(out, " %s=%u", offer->profile->id, offer->available);
    }
    g_string_append_c(out, '\n');
    for (guint i = 0; i < parent->instances->len; i++) {
        const VgpuInstance *instance = parent->instances->pdata[i];

        g_string_append_printf(out, "    has %s %s\n", instance->profile_id,
                               instance->uuid ? instance->uuid : "-");
    }
}

char *
bundle_describe(const VgpuInventory *inventory)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = inventory->gpus->pdata[i];

        g_string_append_printf(out, "%s %s:%s %s %s %s node %d VFs %u/%u %u MiB\n", gpu->address,
                               gpu->vendor_id, gpu->product_id, gpu->driver ? gpu->driver : "-",
                               gpu->driver_version ? gpu->driver_version : "-",
                               vgpu_interface_to_string(gpu->interface), gpu->numa_node,
                               gpu->vfs_enabled, gpu->vfs_total, gpu->card_mib);
        for (guint j = 0; j < gpu->profiles->len; j++)
            describe_profile(out, gpu->profiles->pdata[j]);
        for (guint j = 0; j < gpu->parents->len; j++)
            describe_parent(out, gpu->parents->pdata[j]);
    }
    return g_string_free(out, FALSE);
}
