/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/summary.h"

#include <string.h>

#include "base/error.h"
#include "fleet/json.h"

#define NUMBER_MAX (1 << 20) /* vGPUs of a host */

static const char *const names[VGPU_N_SUMMARY_STATES] = {
    [VGPU_SUMMARY_ACTIVE] = "active",
    [VGPU_SUMMARY_DRAINING] = "draining",
    [VGPU_SUMMARY_DOWN] = "down",
};

const char *
vgpu_summary_state_name(VgpuSummaryState state)
{
    return names[state];
}

void
vgpu_summary_free(VgpuSummary *self)
{
    if (!self)
        return;
    g_free(self->name);
    g_free(self->uri);
    g_free(self->driver);
    g_free(self->libvirt);
    g_free(self);
}

void
vgpu_fit_free(VgpuFit *self)
{
    if (!self)
        return;
    g_strfreev(self->pools);
    g_strfreev(self->labels);
    g_free(self);
}

bool
vgpu_summary_is_label(const char *text)
{
    const char *equals = strchr(text, '=');

    for (const char *c = text; *c; c++)
        if (!g_ascii_isgraph(*c) || *c == ',' || *c == ';')
            return false;
    return equals && equals > text && strlen(text) <= VGPU_SUMMARY_LABEL;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void
add_text(JsonBuilder *builder, const char *name, const char *text)
{
    if (!text)
        return;
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, text);
}

static void
add_number(JsonBuilder *builder, const char *name, guint64 number)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, (gint64) number);
}

static void
add_list(JsonBuilder *builder, const char *name, char *const *list)
{
    if (!list || !*list)
        return;
    json_builder_set_member_name(builder, name);
    json_builder_begin_array(builder);
    for (; *list; list++)
        json_builder_add_string_value(builder, *list);
    json_builder_end_array(builder);
}

static char *
finish(JsonBuilder *builder, gsize max, const char *what, GError **error)
{
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *text = NULL;

    json_builder_end_object(builder);
    root = json_builder_get_root(builder);
    text = json_to_string(root, FALSE);
    if (strlen(text) > max) {
        vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                       "%s has %" G_GSIZE_FORMAT " bytes, %" G_GSIZE_FORMAT " at most", what,
                       strlen(text), max);
        return NULL;
    }
    return g_steal_pointer(&text);
}

char *
vgpu_summary_encode(const VgpuSummary *self, GError **error)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_object(builder);
    add_text(builder, "name", self->name);
    add_text(builder, "uri", self->uri);
    add_text(builder, "state", names[self->state]);
    add_number(builder, "epoch", (guint64) self->epoch);
    add_text(builder, "driver", self->driver);
    add_text(builder, "libvirt", self->libvirt);
    add_number(builder, "free", self->fb_free_mib);
    add_number(builder, "total", self->fb_total_mib);
    return finish(builder, VGPU_SUMMARY_MAX, "what the host publishes about itself", error);
}

char *
vgpu_fit_encode(const VgpuFit *self, GError **error)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_object(builder);
    add_number(builder, "n", self->available);
    add_number(builder, "block", self->block);
    add_number(builder, "gpu", self->per_gpu);
    add_number(builder, "mib", self->fb_mib);
    if (self->mixed)
        add_number(builder, "mixed", 1);
    add_list(builder, "pools", self->pools);
    add_list(builder, "labels", self->labels);
    return finish(builder, VGPU_SUMMARY_FIT_MAX, "what the host publishes about a profile",
                  error);
}

/* --- reading ---------------------------------------------------------------------------------- */

VgpuSummary *
vgpu_summary_decode(const char *text)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = vgpu_json_parse(parser, text, strlen(text));
    const char *state = object ? vgpu_json_text(object, "state") : NULL;
    VgpuSummary *self;
    guint i = 0;

    while (state && i < G_N_ELEMENTS(names) && !g_str_equal(state, names[i]))
        i++;
    if (!state || i == G_N_ELEMENTS(names) || !vgpu_json_text(object, "name") ||
        strlen(text) > VGPU_SUMMARY_MAX)
        return NULL;
    self = g_new0(VgpuSummary, 1);
    self->name = g_strdup(vgpu_json_text(object, "name"));
    self->uri = g_strdup(vgpu_json_text(object, "uri"));
    self->state = i;
    self->epoch = vgpu_json_number(object, "epoch");
    self->driver = g_strdup(vgpu_json_text(object, "driver"));
    self->libvirt = g_strdup(vgpu_json_text(object, "libvirt"));
    self->fb_free_mib = (guint64) MAX(vgpu_json_number(object, "free"), 0);
    self->fb_total_mib = (guint64) MAX(vgpu_json_number(object, "total"), 0);
    return self;
}

static guint
number(JsonObject *object, const char *name)
{
    return (guint) CLAMP(vgpu_json_number(object, name), 0, NUMBER_MAX);
}

static char **
list(JsonObject *object, const char *name)
{
    g_autoptr(GPtrArray) out = g_ptr_array_new();
    JsonArray *array = vgpu_json_array(object, name);

    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);

        if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING)
            g_ptr_array_add(out, json_node_dup_string(node));
    }
    g_ptr_array_add(out, NULL);
    return (char **) g_ptr_array_free(g_steal_pointer(&out), FALSE);
}

VgpuFit *
vgpu_fit_decode(const char *text)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = vgpu_json_parse(parser, text, strlen(text));
    VgpuFit *self;

    if (!object || strlen(text) > VGPU_SUMMARY_FIT_MAX)
        return NULL;
    self = g_new0(VgpuFit, 1);
    self->available = number(object, "n");
    self->block = number(object, "block");
    self->per_gpu = number(object, "gpu");
    self->fb_mib = number(object, "mib");
    self->mixed = vgpu_json_number(object, "mixed") != 0;
    self->pools = list(object, "pools");
    self->labels = list(object, "labels");
    return self;
}
