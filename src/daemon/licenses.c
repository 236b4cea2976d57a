/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/licenses.h"

struct VgpuLicenses {
    GHashTable *states; /* key_of() → license_state */
};

VgpuLicenses *
vgpu_licenses_new(void)
{
    VgpuLicenses *self = g_new0(VgpuLicenses, 1);

    self->states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return self;
}

void
vgpu_licenses_free(VgpuLicenses *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->states);
    g_free(self);
}

static const char *
text_of(GVariant *row, const char *key)
{
    const char *value = NULL;

    (void) g_variant_lookup(row, key, "&s", &value);
    return value;
}

/* Which vGPU it is about; NULL when that is not told apart from others of the same domain. */
static char *
key_of(GVariant *row)
{
    const char *mdev = text_of(row, "mdev_uuid");
    const char *vf = text_of(row, "vf");
    const char *domain = text_of(row, "vm_uuid");

    return mdev || vf ? g_strjoin(" ", mdev ? mdev : vf, domain, NULL) : NULL;
}

static void
compare(const VgpuLicenses *before, GVariant *row, const char *key, const char *state,
        void (*tell)(const VgpuEvent *event, gpointer opaque), gpointer opaque)
{
    const char *old = g_hash_table_lookup(before->states, key);
    g_autofree char *reason = old ? g_strdup_printf("%s, was %s", state, old) : NULL;
    const VgpuEvent event = {
        .event = "license-changed",
        .domain_uuid = text_of(row, "vm_uuid"),
        .uuid = text_of(row, "mdev_uuid"),
        .gpu = text_of(row, "gpu"),
        .parent = text_of(row, "vf"),
        .reason = reason,
        .duration_ms = -1,
        .libvirt_ms = -1,
    };

    if (old && !g_str_equal(old, state))
        tell(&event, opaque);
}

void
vgpu_licenses_take(VgpuLicenses *self, GVariant *stats,
                   void (*tell)(const VgpuEvent *event, gpointer opaque), gpointer opaque)
{
    GHashTable *states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (gsize i = 0; i < g_variant_n_children(stats); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(stats, i);
        g_autofree char *key = key_of(row);
        const char *state = text_of(row, "license_state");

        if (!key)
            continue;
        if (state)
            compare(self, row, key, state, tell, opaque);
        else /* its guest does not tell just now */
            state = g_hash_table_lookup(self->states, key);
        if (state)
            g_hash_table_insert(states, g_steal_pointer(&key), g_strdup(state));
    }
    g_hash_table_unref(self->states);
    self->states = states;
}
