/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/fleet-store.h"

#include "base/config.h"
#include "fleet/etcd.h"

VgpuStore *
vgpu_fleet_store_open(const VgpuCli *cli, GError **error)
{
    g_autoptr(VgpuConfig) config = vgpu_config_load_in(cli->root, NULL, error);
    const VgpuFleetConfig *fleet = config ? &config->fleet : NULL;
    g_autofree char *password = NULL;
    VgpuEtcdOptions options;

    if (!fleet || !vgpu_fleet_config_password(fleet, &password, error))
        return NULL;
    if (!*fleet->endpoints) {
        vgpu_error_set(error, VGPU_ERROR_FAILED,
                       "this host is in no fleet: %s names no endpoints in [fleet]",
                       config->file);
        return NULL;
    }
    options = (VgpuEtcdOptions) {
        .endpoints = fleet->endpoints,
        .ca = fleet->ca,
        .certificate = fleet->certificate,
        .key = fleet->key,
        .user = fleet->user,
        .password = password,
    };
    return vgpu_etcd_open(&options, error);
}

char *
vgpu_fleet_store_user(void)
{
    return g_strdup_printf("%s@%s", g_get_user_name(), g_get_host_name());
}

void
vgpu_fleet_store_advise(GError **error, VgpuError code, const char *format, ...)
{
    g_autofree char *step = NULL, *text = NULL;
    va_list args;

    if (!error || !g_error_matches(*error, VGPU_ERROR, (int) code))
        return;
    va_start(args, format);
    step = g_strdup_vprintf(format, args);
    va_end(args);
    text = g_strdup_printf("%s: %s", (*error)->message, step);
    g_free((*error)->message);
    (*error)->message = g_steal_pointer(&text);
}
