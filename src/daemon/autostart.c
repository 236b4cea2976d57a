/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/autostart.h"

struct VgpuAutostarts {
    GHashTable *refused; /* domain UUID → gint64 *: when */
    GHashTable *done;    /* set of domains that were started again since libvirt came */
};

VgpuAutostarts *
vgpu_autostarts_new(void)
{
    VgpuAutostarts *self = g_new0(VgpuAutostarts, 1);

    self->refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return self;
}

void
vgpu_autostarts_free(VgpuAutostarts *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->refused);
    g_hash_table_unref(self->done);
    g_free(self);
}

void
vgpu_autostarts_refused(VgpuAutostarts *self, const char *domain_uuid, bool served, gint64 now)
{
    if (!served && !g_hash_table_contains(self->done, domain_uuid))
        g_hash_table_insert(self->refused, g_strdup(domain_uuid), g_memdup2(&now, sizeof(now)));
}

bool
vgpu_autostarts_take(VgpuAutostarts *self, const char *domain_uuid, gint64 now)
{
    const gint64 *when = g_hash_table_lookup(self->refused, domain_uuid);
    bool is_due = when && now - *when <= VGPU_AUTOSTART_LIMIT_US;

    g_hash_table_remove(self->refused, domain_uuid);
    if (is_due)
        g_hash_table_add(self->done, g_strdup(domain_uuid));
    return is_due;
}

void
vgpu_autostarts_libvirt_gone(VgpuAutostarts *self)
{
    g_hash_table_remove_all(self->done);
}

const char *
vgpu_autostart_objection(const VgpuAutostartFacts *facts)
{
    if (facts->runs)
        return "it is already running";
    if (!facts->is_persistent)
        return "it is transient";
    if (!facts->has_autostart)
        return "it has no autostart";
    if (facts->libvirt_age > VGPU_AUTOSTART_LIMIT_US)
        return "libvirt was started too long ago";
    return NULL;
}
