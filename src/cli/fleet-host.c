/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/fleet-host.h"

#include <string.h>

#include "base/error.h"
#include "base/uuid.h"
#include "fleet/key.h"

void
vgpu_fleet_host_free(VgpuFleetHost *self)
{
    if (!self)
        return;
    g_free(self->uuid);
    vgpu_summary_free(self->summary);
    g_free(self);
}

/* *@is_there: whether a key begins so. */
static bool
has_keys(VgpuStore *store, char *prefix, bool *is_there, GError **error)
{
    g_autofree char *owned = prefix;
    g_autoptr(VgpuStoreList) list = vgpu_store_list(store, owned, NULL, 1, error);

    *is_there = list && list->items->len;
    return list != NULL;
}

/* A host without an agent is one that has domains, or had some. */
static VgpuFleetHost *
find_id(VgpuStore *store, const char *uuid, GError **error)
{
    g_autoptr(VgpuFleetHost) self = g_new0(VgpuFleetHost, 1);
    g_autofree char *key = vgpu_key_host(uuid), *text = NULL;
    g_autoptr(VgpuStoreItem) item = NULL;
    bool has_gen, has_domains;

    if (!vgpu_store_get(store, key, &item, error) ||
        !has_keys(store, vgpu_key_drain(uuid), &self->is_drained, error) ||
        !has_keys(store, vgpu_key_gen(uuid), &has_gen, error) ||
        !has_keys(store, vgpu_key_on(uuid, NULL), &has_domains, error))
        return NULL;
    text = item ? vgpu_store_item_text(item) : NULL;
    self->uuid = g_strdup(uuid);
    self->summary = text ? vgpu_summary_decode(text) : NULL;
    if (self->summary || self->is_drained || has_gen || has_domains)
        return g_steal_pointer(&self);
    vgpu_error_set(error, VGPU_ERROR_NOT_FOUND,
                   "the fleet has no host %s: see 'virt-vgpu fleet list'", uuid);
    return NULL;
}

/* "hosts/UUID/s" */
static char *
id_of(const VgpuStoreItem *item)
{
    const char *rest = item->key + strlen(VGPU_KEY_HOSTS);
    g_autofree char *part = g_strndup(rest, strcspn(rest, "/"));

    return vgpu_uuid_canonical(part);
}

static char *
id_of_name(VgpuStore *store, const char *name, GError **error)
{
    g_autoptr(VgpuStoreList) list = vgpu_store_list(store, VGPU_KEY_HOSTS, NULL, 0, error);
    g_autoptr(GString) found = g_string_new(NULL);
    g_autofree char *id = NULL;
    guint n = 0;

    for (guint i = 0; list && i < list->items->len; i++) {
        const VgpuStoreItem *item = g_ptr_array_index(list->items, i);
        g_autofree char *text = vgpu_store_item_text(item);
        g_autoptr(VgpuSummary) summary = text ? vgpu_summary_decode(text) : NULL;
        char *uuid = summary && g_str_equal(summary->name, name) ? id_of(item) : NULL;

        if (!uuid)
            continue;
        g_string_append_printf(found, "%s%s", n++ ? ", " : "", uuid);
        g_free(id);
        id = uuid;
    }
    if (!list)
        return NULL;
    if (n == 1)
        return g_steal_pointer(&id);
    if (n == 0)
        vgpu_error_set(error, VGPU_ERROR_NOT_FOUND,
                       "no agent in the fleet calls its host '%s': see 'virt-vgpu fleet list', "
                       "and use the UUID of a host whose agent is away",
                       name);
    else
        vgpu_error_set(error, VGPU_ERROR_ARGUMENT, "%u hosts are called '%s': use a UUID: %s", n,
                       name, found->str);
    return NULL;
}

VgpuFleetHost *
vgpu_fleet_host_find(VgpuStore *store, const char *typed, GError **error)
{
    g_autofree char *uuid = vgpu_uuid_canonical(typed);

    if (!uuid && !(uuid = id_of_name(store, typed, error)))
        return NULL;
    return find_id(store, uuid, error);
}

char *
vgpu_fleet_host_text(const VgpuFleetHost *self)
{
    return self->summary ? g_strdup_printf("host '%s'", self->summary->name)
                         : g_strdup_printf("host %s", self->uuid);
}

char *
vgpu_fleet_host_uri(const VgpuSummary *summary)
{
    return summary->uri ? g_strdup(summary->uri)
                        : g_strdup_printf("qemu+ssh://%s/system", summary->name);
}

char *
vgpu_fleet_host_time(gint64 when)
{
    g_autoptr(GDateTime) time = when > 0 ? g_date_time_new_from_unix_utc(when) : NULL;

    return time ? g_date_time_format_iso8601(time) : NULL;
}
