/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* json.h: members of JSON that another program has written, and that may be of any type or missing */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

/* @parser owns the result; NULL: it is no object. */
JsonObject *vgpu_json_parse(JsonParser *parser, const char *text, gsize len);

/* NULL, 0 or false: it is missing, or of another type. An object that is NULL has no members, but only
 * vgpu_json_object() may be asked about it. */
JsonObject *vgpu_json_object(JsonObject *object, const char *name);
JsonArray *vgpu_json_array(JsonObject *object, const char *name);
const char *vgpu_json_text(JsonObject *object, const char *name);
gint64 vgpu_json_number(JsonObject *object,
                        const char *name); /* also of a string, as etcd writes it */
bool vgpu_json_true(JsonObject *object, const char *name);

/* NULL: it is no object. */
JsonObject *vgpu_json_element(JsonArray *array, guint i);
