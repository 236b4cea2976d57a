/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/json.h"

JsonObject *
vgpu_json_parse(JsonParser *parser, const char *text, gsize len)
{
    JsonNode *root;

    if (!json_parser_load_from_data(parser, text, (gssize) len, NULL))
        return NULL;
    root = json_parser_get_root(parser);
    return root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
}

JsonObject *
vgpu_json_object(JsonObject *object, const char *name)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;

    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

JsonArray *
vgpu_json_array(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

const char *
vgpu_json_text(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

gint64
vgpu_json_number(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    gint64 number;

    if (!node || !JSON_NODE_HOLDS_VALUE(node))
        return 0;
    if (json_node_get_value_type(node) == G_TYPE_INT64)
        return json_node_get_int(node);
    return vgpu_json_text(object, name) &&
                   g_ascii_string_to_signed(vgpu_json_text(object, name), 10, G_MININT64,
                                            G_MAXINT64, &number, NULL)
               ? number
               : 0;
}

bool
vgpu_json_true(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_VALUE(node) &&
           json_node_get_value_type(node) == G_TYPE_BOOLEAN && json_node_get_boolean(node);
}

JsonObject *
vgpu_json_element(JsonArray *array, guint i)
{
    JsonNode *node = json_array_get_element(array, i);

    return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}
