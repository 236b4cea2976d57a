/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/quota.h"

#include <string.h>

#include "base/error.h"
#include "fleet/json.h"

char *
vgpu_quota_encode(const VgpuQuota *self)
{
    return g_strdup_printf("{\"devices\":%u,\"mib\":%" G_GUINT64_FORMAT "}", self->devices,
                           self->mib);
}

bool
vgpu_quota_decode(const char *text, VgpuQuota *quota)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = vgpu_json_parse(parser, text, strlen(text));
    gint64 devices = object ? vgpu_json_number(object, "devices") : -1;
    gint64 mib = object ? vgpu_json_number(object, "mib") : -1;

    if (devices < 0 || devices > G_MAXINT32 || mib < 0)
        return false;
    *quota = (VgpuQuota) { (guint) devices, (guint64) mib };
    return true;
}

bool
vgpu_quota_check(const VgpuQuota *self, const char *tenant, const VgpuQuota *used,
                 const VgpuQuota *more, GError **error)
{
    if (self->devices && (guint64) used->devices + more->devices > self->devices)
        return vgpu_error_set(error, VGPU_ERROR_NO_CAPACITY,
                              "tenant '%s' has %u vGPUs in the fleet and may have %u", tenant,
                              used->devices, self->devices);
    if (self->mib && used->mib + more->mib > self->mib)
        return vgpu_error_set(error, VGPU_ERROR_NO_CAPACITY,
                              "tenant '%s' has %" G_GUINT64_FORMAT
                              " MiB of vGPUs in the fleet and may have %" G_GUINT64_FORMAT,
                              tenant, used->mib, self->mib);
    return true;
}
