/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/disguise.h"

#include <string.h>

#define HEX "[0-9a-fA-F]"
#define UUID                                                                                     \
    "(?<!" HEX ")" HEX "{8}([-_])" HEX "{4}\\1" HEX "{4}\\1" HEX "{4}\\1" HEX "{12}(?!" HEX ")"
#define MAC "(?<![0-9a-fA-F:])" HEX "{2}(?::" HEX "{2}){5}(?![0-9a-fA-F:])"

struct VgpuDisguise {
    GRegex *uuid, *mac;
    GRegex *host;       /* NULL: it has no name */
    GHashTable *stands; /* original in lower case and with "-" → replacement */
    guint n_uuids, n_macs;
};

/* A whole word, in any case. */
static GRegex *
host_regex(const char *host)
{
    g_autofree char *first = g_strndup(host, strcspn(host, "."));
    g_autofree char *whole_escaped = g_regex_escape_string(host, -1);
    g_autofree char *first_escaped = g_regex_escape_string(first, -1);
    g_autofree char *pattern =
        g_strdup_printf("(?<!\\w)(?:%s|%s)(?!\\w)", whole_escaped, first_escaped);

    return *first ? g_regex_new(pattern, G_REGEX_CASELESS, 0, NULL) : NULL;
}

VgpuDisguise *
vgpu_disguise_new(const char *host)
{
    VgpuDisguise *self = g_new0(VgpuDisguise, 1);

    self->uuid = g_regex_new(UUID, 0, 0, NULL);
    self->mac = g_regex_new(MAC, 0, 0, NULL);
    self->host = host_regex(host);
    self->stands = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return self;
}

void
vgpu_disguise_free(VgpuDisguise *self)
{
    if (!self)
        return;
    g_regex_unref(self->uuid);
    g_regex_unref(self->mac);
    g_clear_pointer(&self->host, g_regex_unref);
    g_hash_table_unref(self->stands);
    g_free(self);
}

static char *
met(const GMatchInfo *info)
{
    g_autofree char *text = g_match_info_fetch(info, 0);
    char *key = g_ascii_strdown(text, -1);

    return g_strdelimit(key, "_", '-');
}

/* Replacements are not replaced again. */
static void
remember(VgpuDisguise *self, const char *met, const char *stand)
{
    g_hash_table_insert(self->stands, g_strdup(met), g_strdup(stand));
    g_hash_table_insert(self->stands, g_strdup(stand), g_strdup(stand));
}

/* In the form of RFC 4122, so that programs that read UUIDs still read these. */
static gboolean
replace_uuid(const GMatchInfo *info, GString *result, gpointer opaque)
{
    VgpuDisguise *self = opaque;
    g_autofree char *key = met(info);
    g_autofree char *separator = g_match_info_fetch(info, 1);
    g_autofree char *text = g_strdup(g_hash_table_lookup(self->stands, key));

    if (!text) {
        text = g_strdup_printf("00000000-0000-4000-8000-%012u", ++self->n_uuids);
        remember(self, key, text);
    }
    g_string_append(result, g_strdelimit(text, "-", *separator));
    return FALSE;
}

static gboolean
replace_mac(const GMatchInfo *info, GString *result, gpointer opaque)
{
    VgpuDisguise *self = opaque;
    g_autofree char *key = met(info);
    g_autofree char *text = g_strdup(g_hash_table_lookup(self->stands, key));

    if (!text) {
        guint n = ++self->n_macs;

        text =
            g_strdup_printf("02:00:00:%02x:%02x:%02x", n >> 16 & 0xff, n >> 8 & 0xff, n & 0xff);
        remember(self, key, text);
    }
    g_string_append(result, text);
    return FALSE;
}

char *
vgpu_disguise_ids(VgpuDisguise *self, const char *text)
{
    g_autofree char *uuids =
        g_regex_replace_eval(self->uuid, text, -1, 0, 0, replace_uuid, self, NULL);

    return g_regex_replace_eval(self->mac, uuids, -1, 0, 0, replace_mac, self, NULL);
}

char *
vgpu_disguise_text(VgpuDisguise *self, const char *text)
{
    g_autofree char *ids = vgpu_disguise_ids(self, text);

    return self->host ? g_regex_replace_literal(self->host, ids, -1, 0, "host", 0, NULL)
                      : g_steal_pointer(&ids);
}
