/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/holding.h"

#include <string.h>

#include "base/uuid.h"
#include "fleet/json.h"
#include "fleet/key.h"

#define COUNT_MAX 1024 /* vGPUs of one profile */

static const char *const names[VGPU_N_HOLDING_STATES] = {
    [VGPU_HOLDING_RESERVED] = "reserved",
    [VGPU_HOLDING_RUNNING] = "running",
    [VGPU_HOLDING_SAVED] = "saved",
    [VGPU_HOLDING_MOVING] = "moving",
};

const char *
vgpu_holding_state_name(VgpuHoldingState state)
{
    return names[state];
}

static void
clear_want(gpointer data)
{
    g_free(((VgpuWant *) data)->profile);
}

VgpuHolding *
vgpu_holding_new(const char *domain, const char *host, VgpuHoldingState state)
{
    VgpuHolding *self = g_new0(VgpuHolding, 1);

    self->domain = g_strdup(domain);
    self->host = g_strdup(host);
    self->state = state;
    self->wants = g_array_new(FALSE, FALSE, sizeof(VgpuWant));
    g_array_set_clear_func(self->wants, clear_want);
    return self;
}

VgpuHolding *
vgpu_holding_copy(const VgpuHolding *self)
{
    VgpuHolding *copy = vgpu_holding_new(self->domain, self->host, self->state);

    for (guint i = 0; i < self->wants->len; i++) {
        const VgpuWant *want = &g_array_index(self->wants, VgpuWant, i);

        vgpu_holding_add(copy, want->profile, want->count, want->fb_mib);
    }
    copy->tenant = g_strdup(self->tenant);
    copy->since = self->since;
    copy->by = g_strdup(self->by);
    copy->id = g_strdup(self->id);
    return copy;
}

void
vgpu_holding_free(VgpuHolding *self)
{
    if (!self)
        return;
    g_free(self->domain);
    g_free(self->host);
    g_array_unref(self->wants);
    g_free(self->tenant);
    g_free(self->by);
    g_free(self->id);
    g_free(self);
}

void
vgpu_holding_add(VgpuHolding *self, const char *profile, guint count, guint fb_mib)
{
    VgpuWant want = { g_strdup(profile), count, fb_mib };

    g_array_append_val(self->wants, want);
}

guint
vgpu_holding_count(const VgpuHolding *self)
{
    guint count = 0;

    for (guint i = 0; i < self->wants->len; i++)
        count += g_array_index(self->wants, VgpuWant, i).count;
    return count;
}

guint64
vgpu_holding_mib(const VgpuHolding *self)
{
    guint64 mib = 0;

    for (guint i = 0; i < self->wants->len; i++) {
        const VgpuWant *want = &g_array_index(self->wants, VgpuWant, i);

        mib += (guint64) want->count * want->fb_mib;
    }
    return mib;
}

static void
add_text(JsonBuilder *builder, const char *name, const char *text)
{
    if (!text)
        return;
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, text);
}

static void
add_number(JsonBuilder *builder, const char *name, gint64 number)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, number);
}

char *
vgpu_holding_encode(const VgpuHolding *self)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(JsonNode) root = NULL;

    json_builder_begin_object(builder);
    add_text(builder, "host", self->host);
    add_text(builder, "state", names[self->state]);
    json_builder_set_member_name(builder, "profiles");
    json_builder_begin_array(builder);
    for (guint i = 0; i < self->wants->len; i++) {
        const VgpuWant *want = &g_array_index(self->wants, VgpuWant, i);

        json_builder_begin_object(builder);
        add_text(builder, "profile", want->profile);
        add_number(builder, "count", want->count);
        add_number(builder, "mib", want->fb_mib);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    add_text(builder, "tenant", self->tenant);
    add_number(builder, "since", self->since);
    add_text(builder, "by", self->by);
    add_text(builder, "id", self->id);
    json_builder_end_object(builder);
    root = json_builder_get_root(builder);
    return json_to_string(root, FALSE);
}

static bool
is_name(const char *text)
{
    return text && *text && g_utf8_strlen(text, -1) <= VGPU_HOLDING_NAME;
}

static bool
read_wants(VgpuHolding *self, JsonArray *array)
{
    guint n = array ? json_array_get_length(array) : 0;

    if (n > VGPU_HOLDING_WANTS)
        return false;
    for (guint i = 0; i < n; i++) {
        JsonObject *one = vgpu_json_element(array, i);
        gint64 count = one ? vgpu_json_number(one, "count") : 0;
        gint64 mib = one ? vgpu_json_number(one, "mib") : 0;

        if (!one || !is_name(vgpu_json_text(one, "profile")) || count < 1 || count > COUNT_MAX ||
            mib < 0 || mib > G_MAXINT32)
            return false;
        vgpu_holding_add(self, vgpu_json_text(one, "profile"), (guint) count, (guint) mib);
    }
    return true;
}

VgpuHolding *
vgpu_holding_decode(const char *key, const char *text)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = vgpu_json_parse(parser, text, strlen(text));
    g_autofree char *domain = vgpu_uuid_canonical(vgpu_key_last(key)), *host = NULL;
    const char *state = object ? vgpu_json_text(object, "state") : NULL;
    g_autoptr(VgpuHolding) self = NULL;

    if (!domain || !state || !vgpu_json_text(object, "host"))
        return NULL;
    host = vgpu_uuid_canonical(vgpu_json_text(object, "host"));
    for (guint i = 0; host && i < G_N_ELEMENTS(names); i++)
        if (g_str_equal(state, names[i]))
            self = vgpu_holding_new(domain, host, i);
    if (!self || !read_wants(self, vgpu_json_array(object, "profiles")))
        return NULL;
    if (vgpu_json_text(object, "tenant") && !is_name(vgpu_json_text(object, "tenant")))
        return NULL;
    self->tenant = g_strdup(vgpu_json_text(object, "tenant"));
    self->since = vgpu_json_number(object, "since");
    self->by = g_strdup(vgpu_json_text(object, "by"));
    self->id = g_strdup(vgpu_json_text(object, "id"));
    return g_steal_pointer(&self);
}
