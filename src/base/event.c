/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/event.h"

#include <stdbool.h>

#include "base/printable.h"

/* Each kind keeps its MESSAGE_ID for ever; they are listed in virtvgpud(8). */
static const struct {
    const char *name;
    const char *message_id;
    const char *outcome; /* NULL: it is nothing that was tried */
    const char *text;
    GLogLevelFlags level;
} kinds[] = {
    { "vgpu-created", "c6b03c17b98440218cf5ae25ad43469c", "ok", "made", G_LOG_LEVEL_MESSAGE },
    { "vgpu-removed", "f6de9e959f1f4794a71304640962aa53", "ok", "removed", G_LOG_LEVEL_MESSAGE },
    { "vgpu-attached", "7302050caa23446798b39cf0c82d8db7", "ok", "attached to the running domain",
      G_LOG_LEVEL_MESSAGE },
    { "vgpu-detached", "28279a8f55dae0f5acd078c35e5feccc", "ok",
      "detached from the running domain", G_LOG_LEVEL_MESSAGE },
    { "vgpu-failed", "3a92faa7ef664e6fbebe9af1db9c06cf", "failed",
      "could not be attached to the running domain", G_LOG_LEVEL_WARNING },
    { "vgpu-lost", "e4c1f7a35d2b4a5e9b0d6c8f1a7e3d52", "failed",
      "has vanished under the running domain", G_LOG_LEVEL_WARNING },
    { "vgpu-stuck", "89015d5d159c4613857f9120cc0241f5", "failed", "is still not removed",
      G_LOG_LEVEL_WARNING },
    { "create-failed", "2dd6b1f6f9cb46228eca6cee276a71b4", "failed", "could not be made",
      G_LOG_LEVEL_MESSAGE },
    { "params-unverified", "723479a1910a4c13b16a5533e83699d4", "failed",
      "its plugin parameters could not be verified", G_LOG_LEVEL_WARNING },
    { "params-left", "92c11630a32443fdb6849f8378be9983", "failed",
      "has other plugin parameters than its domain asks for", G_LOG_LEVEL_WARNING },
    { "start-refused", "5865eadcab3643ed8eafd6f82fa15c89", "refused", "start refused",
      G_LOG_LEVEL_MESSAGE },
    { "vgpu-migrating", "0d9a4c1f6b3e4f5c8a72e1b95d06c3f8", "ok", "migrating",
      G_LOG_LEVEL_MESSAGE },
    { "vgpu-migrated", "5b7e2d90c4a14e6fb38d1f06a9c52e74", "ok", "migrated",
      G_LOG_LEVEL_MESSAGE },
    { "migration-refused", "e82f61b7d05c4a39964bc0f3a17d5e28", "refused",
      "migration to this host refused", G_LOG_LEVEL_MESSAGE },
    { "attach-refused", "92e7e89c79a24b5fb8e453aee3339de8", "refused", "attach refused",
      G_LOG_LEVEL_MESSAGE },
    { "create-refused", "9aaf65dd12564824b32398d3ee2979ac", "refused", "not made",
      G_LOG_LEVEL_MESSAGE },
    { "domain-annotated", "0dc6caa1b387dd27d5bfc0191c46c449", "ok", "annotated",
      G_LOG_LEVEL_MESSAGE },
    { "domain-injected", "d66ea769e56a43ce9a06fa21a81b66c3", "ok", "definition",
      G_LOG_LEVEL_MESSAGE },
    { "domain-contested", "f76575a88aad48e2a1dc2e000899c6e7", "failed",
      "its hostdevs are contested", G_LOG_LEVEL_WARNING },
    { "gpu-appeared", "06f34e51a1174e4e9badc30641aeaa5f", NULL, "has appeared",
      G_LOG_LEVEL_MESSAGE },
    { "gpu-changed", "e9cf79524e41464f8eed54a64934cc98", NULL, "has changed",
      G_LOG_LEVEL_MESSAGE },
    { "gpu-gone", "d2cc96db28fb430f8ee1aa3c6c62b870", NULL, "has disappeared",
      G_LOG_LEVEL_MESSAGE },
    { "gpu-cordoned", "042463afa81d445fb7f8bfc28f605adf", NULL,
      "is cordoned: no new vGPUs are placed on it", G_LOG_LEVEL_MESSAGE },
    { "gpu-uncordoned", "fc7c054bb96942b7b372181d421f2ef2", NULL, "is no longer cordoned",
      G_LOG_LEVEL_MESSAGE },
    { "gpu-fault", "73b2d7761ccf4d4aa32205149185c249", NULL, "reports an error",
      G_LOG_LEVEL_WARNING },
    { "pool-defined", "44effd96935841faa98d1f2b02737288", "ok", "defined", G_LOG_LEVEL_MESSAGE },
    { "pool-undefined", "9f2763e72f18491493988760aed3b052", "ok", "undefined",
      G_LOG_LEVEL_MESSAGE },
    { "pool-started", "6d5e7414e7ee4539ae27e96eb8ffc8af", "ok", "started", G_LOG_LEVEL_MESSAGE },
    { "pool-destroyed", "b6b0f45850eb49bdb9b6d38c60c9448b", "ok", "destroyed",
      G_LOG_LEVEL_MESSAGE },
    { "pool-autostart", "409728631e234e83a87900ceb6f1cce1", "ok", "autostart set",
      G_LOG_LEVEL_MESSAGE },
    { "pool-refreshed", "c83108eafc5c48a78746cf5b77aec21f", "ok", "refreshed",
      G_LOG_LEVEL_MESSAGE },
    { "mig-changed", "29b9a7d60cf34f9ba4da95d15d5d3d2f", "ok", "MIG changed",
      G_LOG_LEVEL_MESSAGE },
    { "scheduler-changed", "17a770c994214db990180af5aeca4350", "ok", "scheduler changed",
      G_LOG_LEVEL_MESSAGE },
    { "layout-applied", "1dde4d9de3d84149bf9a7ac6e284db63", "ok", "host layout applied",
      G_LOG_LEVEL_MESSAGE },
    { "fleet-conflict", "d0ae4149d7434be79ac11ffe0e3af344", NULL,
      "starts here, though another host of the fleet has it", G_LOG_LEVEL_WARNING },
    { "fleet-partition", "e8f26a031583410fab80b239df3d2e99", NULL,
      "starts here, though it is not known whether another host of the fleet has it",
      G_LOG_LEVEL_WARNING },
    { "license-changed", "f81e64e1a55c46a2a6de40f259b0c99e", NULL, "licence changed",
      G_LOG_LEVEL_MESSAGE },
    { "libvirt-connected", "73cf6ff8374a483892871f1a46e3f159", NULL, "connected to libvirt",
      G_LOG_LEVEL_MESSAGE },
    { "libvirt-disconnected", "7c8e16eb240a4299a77a4b37b20f1304", NULL,
      "the connection to libvirt is lost; starts still work, definitions follow when it is "
      "back",
      G_LOG_LEVEL_MESSAGE },
};

static const struct {
    const char *key;
    const char *field;
} fields[] = {
    { "event", "VGPU_EVENT" },     { "domain", "VGPU_DOMAIN" },
    { "uuid", "VGPU_UUID" },       { "domain_uuid", "VGPU_DOMAIN_UUID" },
    { "gpu", "VGPU_GPU" },         { "parent", "VGPU_PARENT" },
    { "profile", "VGPU_PROFILE" }, { "pool", "VGPU_POOL" },
    { "outcome", "VGPU_OUTCOME" }, { "reason", "VGPU_REASON" },
    { "action", "VGPU_ACTION" },   { "text", "VGPU_TEXT" },
};

/* It goes to each listener, and to the log. */
static void
put(GVariantDict *dict, const char *key, const char *value)
{
    bool is_text = g_str_equal(key, "reason") || g_str_equal(key, "text");
    g_autofree char *cut =
        value ? vgpu_printable_cut(value, is_text ? VGPU_PRINTABLE_REASON : VGPU_PRINTABLE_LABEL)
              : NULL;

    if (cut)
        g_variant_dict_insert(dict, key, "s", cut);
}

GVariant *
vgpu_event_new(const VgpuEvent *event)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format_iso8601(now);
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    put(&dict, "time", time);
    put(&dict, "event", event->event);
    put(&dict, "domain", event->domain);
    put(&dict, "domain_uuid", event->domain_uuid);
    put(&dict, "uuid", event->uuid);
    put(&dict, "gpu", event->gpu);
    put(&dict, "parent", event->parent);
    put(&dict, "profile", event->profile);
    put(&dict, "interface", event->interface);
    put(&dict, "pool", event->pool);
    put(&dict, "outcome", event->outcome);
    put(&dict, "reason", event->reason);
    if (event->xid)
        g_variant_dict_insert(&dict, "xid", "u", event->xid);
    put(&dict, "action", event->action);
    put(&dict, "text", event->text);
    if (event->duration_ms >= 0)
        g_variant_dict_insert(&dict, "duration_ms", "u", (guint) event->duration_ms);
    if (event->libvirt_ms >= 0)
        g_variant_dict_insert(&dict, "libvirt_ms", "u", (guint) event->libvirt_ms);
    if (event->downtime_ms > 0)
        g_variant_dict_insert(&dict, "downtime_ms", "u", (guint) event->downtime_ms);
    if (event->data_bytes)
        g_variant_dict_insert(&dict, "data_bytes", "t", event->data_bytes);
    return g_variant_dict_end(&dict);
}

static const char *
string_of(GVariant *event, const char *key)
{
    const char *value = NULL;

    (void) g_variant_lookup(event, key, "&s", &value);
    return value;
}

/* An index into kinds; their number for an unknown one. */
static gsize
kind_of(GVariant *event)
{
    const char *name = string_of(event, "event");
    gsize i = 0;

    while (i < G_N_ELEMENTS(kinds) && g_strcmp0(name, kinds[i].name) != 0)
        i++;
    return i;
}

GVariant *
vgpu_event_complete(GVariant *event)
{
    g_autoptr(GVariant) old = g_variant_ref_sink(event);
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(old);
    gsize kind = kind_of(old);

    if (kind < G_N_ELEMENTS(kinds) && kinds[kind].outcome &&
        !g_variant_dict_contains(&dict, "outcome"))
        g_variant_dict_insert(&dict, "outcome", "s", kinds[kind].outcome);
    return g_variant_dict_end(&dict);
}

/* The subject of the event, "" when it has none. */
static void
add_subject(GString *text, GVariant *event)
{
    const char *domain = string_of(event, "domain");
    const char *uuid = string_of(event, "uuid");
    const char *gpu = string_of(event, "gpu");
    const char *pool = string_of(event, "pool");
    const char *profile = string_of(event, "profile");
    const char *parent = string_of(event, "parent");

    if (uuid) {
        g_string_append_printf(text, "vGPU %s", uuid);
        if (profile && parent)
            g_string_append_printf(text, " (%s on %s)", profile, parent);
        if (domain)
            g_string_append_printf(text, " of domain '%s'", domain);
        g_string_append(text, ": ");
    } else if (domain) {
        g_string_append_printf(text, "domain '%s': ", domain);
    } else if (pool) {
        g_string_append_printf(text, "pool '%s': ", pool);
    } else if (gpu) {
        g_string_append_printf(text, "GPU %s ", gpu);
    }
}

char *
vgpu_event_text(GVariant *event)
{
    GString *text = g_string_new(NULL);
    gsize kind = kind_of(event);
    const char *reason = string_of(event, "reason");
    guint64 bytes;
    guint ms;

    add_subject(text, event);
    g_string_append(text,
                    kind < G_N_ELEMENTS(kinds) ? kinds[kind].text : string_of(event, "event"));
    if (g_variant_lookup(event, "duration_ms", "u", &ms))
        g_string_append_printf(text, " after %u ms", ms);
    if (g_variant_lookup(event, "libvirt_ms", "u", &ms))
        g_string_append_printf(text, " (%u in libvirt)", ms);
    if (reason)
        g_string_append_printf(text, ": %s", reason);
    if (g_variant_lookup(event, "downtime_ms", "u", &ms))
        g_string_append_printf(text, ", paused for %u ms", ms);
    if (g_variant_lookup(event, "data_bytes", "t", &bytes))
        g_string_append_printf(text, ", %.1f MiB sent", (double) bytes / (1 << 20));
    return g_string_free(text, FALSE);
}

static void
add_field(GArray *list, const char *name, const char *value)
{
    GLogField field = { .key = name, .value = value, .length = -1 };

    if (value)
        g_array_append_val(list, field);
}

/* As text; NULL: it has no such number. */
static char *
number_of(GVariant *event, const char *key)
{
    guint64 large;
    guint number;

    if (g_variant_lookup(event, key, "u", &number))
        return g_strdup_printf("%u", number);
    return g_variant_lookup(event, key, "t", &large)
               ? g_strdup_printf("%" G_GUINT64_FORMAT, large)
               : NULL;
}

void
vgpu_event_log(GVariant *event)
{
    gsize kind = kind_of(event);
    bool known = kind < G_N_ELEMENTS(kinds);
    GLogLevelFlags level = known ? kinds[kind].level : G_LOG_LEVEL_MESSAGE;
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(GLogField));
    g_autofree char *text = vgpu_event_text(event);
    g_autofree char *duration = number_of(event, "duration_ms");
    g_autofree char *libvirt = number_of(event, "libvirt_ms");
    g_autofree char *xid = number_of(event, "xid");
    g_autofree char *downtime = number_of(event, "downtime_ms");
    g_autofree char *data = number_of(event, "data_bytes");

    add_field(list, "MESSAGE", text);
    add_field(list, "MESSAGE_ID", known ? kinds[kind].message_id : NULL);
    add_field(list, "PRIORITY", level == G_LOG_LEVEL_WARNING ? "4" : "5");
    add_field(list, "GLIB_DOMAIN", G_LOG_DOMAIN);
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        add_field(list, fields[i].field, string_of(event, fields[i].key));
    add_field(list, "VGPU_DURATION_MS", duration);
    add_field(list, "VGPU_LIBVIRT_MS", libvirt);
    add_field(list, "VGPU_XID", xid);
    add_field(list, "VGPU_DOWNTIME_MS", downtime);
    add_field(list, "VGPU_DATA_BYTES", data);
    g_log_structured_array(level, (const GLogField *) (gpointer) list->data, list->len);
}
