/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* definitions.c: the vGPUs that libvirt's definitions ask for, by UUID */
#include "core/definitions.h"

#include "core/manager-private.h"

void
vgpu_definition_free(VgpuDefinition *self)
{
    vgpu_domain_free(self->domain);
    g_free(self);
}

void
vgpu_definitions_index(VgpuManager *self, VgpuDefinition *definition)
{
    for (guint i = 0; i < definition->domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(definition->domain->wants, i);
        GPtrArray *all = want->uuid ? g_hash_table_lookup(self->wanted, want->uuid) : NULL;

        if (want->uuid && !all) {
            all = g_ptr_array_new();
            g_hash_table_insert(self->wanted, g_strdup(want->uuid), all);
        }
        if (all && !g_ptr_array_find(all, definition, NULL))
            g_ptr_array_add(all, definition);
    }
}

void
vgpu_definitions_unindex(VgpuManager *self, VgpuDefinition *definition)
{
    for (guint i = 0; definition && i < definition->domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(definition->domain->wants, i);
        GPtrArray *all = want->uuid ? g_hash_table_lookup(self->wanted, want->uuid) : NULL;

        if (all && g_ptr_array_remove(all, definition) && !all->len)
            g_hash_table_remove(self->wanted, want->uuid);
    }
}

VgpuDefinition *
vgpu_definitions_find(const VgpuManager *self, const char *domain_uuid)
{
    return domain_uuid ? g_hash_table_lookup(self->definitions, domain_uuid) : NULL;
}

const GPtrArray *
vgpu_definitions_wanting(const VgpuManager *self, const char *uuid)
{
    return uuid ? g_hash_table_lookup(self->wanted, uuid) : NULL;
}

const VgpuWant *
vgpu_definitions_find_want(const VgpuDefinition *self, const char *uuid)
{
    for (guint i = 0; i < self->domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(self->domain->wants, i);

        if (g_strcmp0(want->uuid, uuid) == 0)
            return want;
    }
    return NULL;
}
