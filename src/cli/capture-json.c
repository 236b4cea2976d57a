/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/capture-json.h"

struct VgpuCaptureJson {
    VgpuDisguise *disguise;
    JsonObject *root;
    JsonObject *versions, *files, *links, *unreadable; /* in it */
    JsonArray *nodedevs, *gaps;
};

static JsonObject *
add_object(JsonObject *root, const char *key)
{
    JsonObject *object = json_object_new();

    json_object_set_object_member(root, key, object);
    return object;
}

static JsonArray *
add_array(JsonObject *root, const char *key)
{
    JsonArray *array = json_array_new();

    json_object_set_array_member(root, key, array);
    return array;
}

VgpuCaptureJson *
vgpu_capture_json_new(VgpuDisguise *disguise)
{
    VgpuCaptureJson *self = g_new0(VgpuCaptureJson, 1);

    self->disguise = disguise;
    self->root = json_object_new();
    json_object_set_string_member(self->root, "format", VGPU_CAPTURE_FORMAT);
    self->versions = add_object(self->root, "versions");
    self->gaps = add_array(self->root, "gaps");
    self->files = add_object(self->root, "files");
    self->links = add_object(self->root, "links");
    self->unreadable = add_object(self->root, "unreadable");
    self->nodedevs = add_array(self->root, "nodedevs");
    json_object_set_null_member(self->root, "facts");
    return self;
}

void
vgpu_capture_json_free(VgpuCaptureJson *self)
{
    if (!self)
        return;
    json_object_unref(self->root);
    g_free(self);
}

/* Plugin parameters are text that users have written. */
static bool
is_free_text(const VgpuCaptureJson *self, const JsonObject *object, const char *key)
{
    return (object != self->files && object != self->links) ||
           g_str_has_suffix(key, "/vgpu_params");
}

static void
put(VgpuCaptureJson *self, JsonObject *object, const char *key, const char *text)
{
    g_autofree char *safe_key = vgpu_disguise_ids(self->disguise, key);
    g_autofree char *safe_text = is_free_text(self, object, key)
                                     ? vgpu_disguise_text(self->disguise, text)
                                     : vgpu_disguise_ids(self->disguise, text);

    json_object_set_string_member(object, safe_key, safe_text);
}

static void
append(VgpuCaptureJson *self, JsonArray *array, const char *text)
{
    g_autofree char *safe = vgpu_disguise_text(self->disguise, text);

    json_array_add_string_element(array, safe);
}

void
vgpu_capture_json_add_version(VgpuCaptureJson *self, const char *of, const char *version)
{
    put(self, self->versions, of, version);
}

void
vgpu_capture_json_add_seen(VgpuCaptureJson *self, GVariant *seen)
{
    const struct {
        const char *key;
        JsonObject *object;
    } parts[] = {
        { "files", self->files },
        { "links", self->links },
        { "unreadable", self->unreadable },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autoptr(GVariantIter) iter = NULL;
        const char *path, *text;

        if (!g_variant_lookup(seen, parts[i].key, "a(ss)", &iter))
            continue;
        while (g_variant_iter_next(iter, "(&s&s)", &path, &text))
            put(self, parts[i].object, path, text);
    }
}

void
vgpu_capture_json_add_nodedev(VgpuCaptureJson *self, const char *xml)
{
    append(self, self->nodedevs, xml);
}

void
vgpu_capture_json_add_gap(VgpuCaptureJson *self, const char *what, const char *why)
{
    g_autofree char *text = g_strdup_printf("%s: %s", what, why);

    append(self, self->gaps, text);
}

GPtrArray *
vgpu_capture_json_gaps(const VgpuCaptureJson *self)
{
    GPtrArray *gaps = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < json_array_get_length(self->gaps); i++)
        g_ptr_array_add(gaps, g_strdup(json_array_get_string_element(self->gaps, i)));
    return gaps;
}

/* --- JSON values ----------------------------------------------------------------- */

static void
set(VgpuCaptureJson *self, const char *key, JsonNode *node)
{
    json_object_set_member(self->root, key, node);
}

static JsonNode *
disguised(VgpuCaptureJson *self, JsonNode *node)
{
    g_autofree char *text = json_to_string(node, FALSE);
    g_autofree char *safe = vgpu_disguise_ids(self->disguise, text);
    JsonNode *result = json_from_string(safe, NULL);

    json_node_unref(node);
    return result ? result : json_node_new(JSON_NODE_NULL);
}

void
vgpu_capture_json_set(VgpuCaptureJson *self, const char *key, JsonNode *node)
{
    set(self, key, disguised(self, node));
}

void
vgpu_capture_json_set_facts(VgpuCaptureJson *self, GVariant *facts)
{
    vgpu_capture_json_set(self, "facts", json_gvariant_serialize(facts));
}

/* --- differences ------------------------------------------------------------------------- */

bool
vgpu_capture_json_has(const VgpuCaptureJson *self, const char *key)
{
    return json_object_has_member(self->root, key);
}

static void
put_changes(JsonObject *changes, JsonObject *before, JsonObject *now)
{
    JsonObjectIter iter;
    const char *path;
    JsonNode *node;

    json_object_iter_init(&iter, now);
    while (json_object_iter_next(&iter, &path, &node)) {
        JsonNode *old = json_object_get_member(before, path);

        if (!old || !json_node_equal(old, node))
            json_object_set_member(changes, path, json_node_copy(node));
    }
    json_object_iter_init(&iter, before);
    while (json_object_iter_next(&iter, &path, &node)) {
        if (!json_object_has_member(now, path))
            json_object_set_null_member(changes, path);
    }
}

JsonNode *
vgpu_capture_json_changes(const VgpuCaptureJson *self, const VgpuCaptureJson *before)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *changes = json_object_new();

    put_changes(changes, before->files, self->files);
    put_changes(changes, before->links, self->links);
    put_changes(changes, before->unreadable, self->unreadable);
    json_node_take_object(node, changes);
    return node;
}

char *
vgpu_capture_json_text(const VgpuCaptureJson *self)
{
    g_autoptr(JsonGenerator) generator = json_generator_new();
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    g_autofree char *text = NULL;

    json_node_set_object(node, self->root);
    json_generator_set_pretty(generator, TRUE);
    json_generator_set_indent(generator, 1);
    json_generator_set_root(generator, node);
    text = json_generator_to_data(generator, NULL);
    return g_strconcat(text, "\n", NULL);
}
