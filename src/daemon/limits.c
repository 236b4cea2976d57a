/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/limits.h"

#define KIB 1024u

/* Methods with larger arguments. The XML of pools and hosts has lower limits of its own, with better
 * errors. An image is described by names and open files. */
static const struct {
    const char *method;
    gsize size;
} sizes[] = {
    { "ApplyHost", 512 * KIB }, { "BuildDriverIso", 1024 * KIB }, { "DefinePool", 512 * KIB },
    { "DiffHost", 512 * KIB },  { "FleetGrant", 1024 * KIB },
};

gsize
vgpu_limits_size(const char *method)
{
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        if (g_strcmp0(method, sizes[i].method) == 0)
            return sizes[i].size;
    }
    return VGPU_LIMITS_SIZE;
}

static char *
refuse_size(const VgpuLimitsCall *call)
{
    return g_strdup_printf("the arguments are %" G_GSIZE_FORMAT
                           " KiB long, the limit is %" G_GSIZE_FORMAT " KiB",
                           (call->size + KIB - 1) / KIB, call->size_max / KIB);
}

char *
vgpu_limits_refusal(const VgpuLimitsCall *call)
{
    bool fits = call->size <= call->size_max;

    if (call->is_known && call->uid == 0)
        return NULL;
    if (!call->is_known && call->unknown + call->size <= VGPU_LIMITS_UNKNOWN)
        return NULL;
    if (!fits)
        return refuse_size(call);
    if (call->of_connection >= VGPU_LIMITS_CONNECTION)
        return g_strdup_printf(
            "%u calls of this connection are being answered, the limit is %u; wait for one of "
            "them",
            call->of_connection, VGPU_LIMITS_CONNECTION);
    if (call->is_known && call->of_user >= VGPU_LIMITS_USER)
        return g_strdup_printf(
            "%u calls of user %u are being answered, the limit is %u; wait for one of them",
            call->of_user, call->uid, VGPU_LIMITS_USER);
    return NULL;
}
