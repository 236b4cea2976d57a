/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/rows.h"

const VgpuColumn vgpu_rows_vgpu[] = {
    { .key = "domain", .header = "Domain", .fit = VGPU_FIT_CUT },
    { .key = "domain_uuid", .header = "Domain UUID", .wide = true },
    { .key = "index", .header = "#", .spare = true },
    { .key = "uuid", .header = "UUID", .wide = true, .tells = true },
    { .key = "gpu", .header = "GPU", .spare = true },
    { .key = "parent", .header = "Parent" },
    { .key = "profile", .header = "Profile", .fit = VGPU_FIT_FRONT },
    { .key = "profile_id", .header = "Profile ID", .wide = true },
    { .key = "interface", .header = "Interface", .wide = true },
    { .key = "pool", .header = "Pool", .wide = true },
    { .key = "tenant", .header = "Tenant", .wide = true },
    { .key = "restart_needed", .header = "Restart needed", .wide = true },
    { .key = "state", .header = "State", .state = true },
    { 0 },
};

const VgpuColumn vgpu_rows_pool_profile[] = {
    { .key = "name", .header = "Profile", .fit = VGPU_FIT_FRONT },
    { .key = "capacity", .header = "Capacity" },
    { .key = "allocated", .header = "Allocated" },
    { .key = "available", .header = "Available" },
    { 0 },
};

const VgpuColumn vgpu_rows_pool_tenant[] = {
    { .key = "name", .header = "Tenant", .fit = VGPU_FIT_CUT },
    { .key = "max", .header = "Max" },
    { .key = "used", .header = "Used" },
    { .key = "max_mib", .header = "Max MiB" },
    { .key = "used_mib", .header = "Used MiB" },
    { 0 },
};

const VgpuColumn vgpu_rows_pool[] = {
    { .key = "name", .header = "Name", .fit = VGPU_FIT_CUT },
    { .key = "uuid", .header = "UUID", .wide = true },
    { .key = "state", .header = "State", .state = true },
    { .key = "autostart", .header = "Autostart" },
    { .key = "gpus", .header = "GPUs", .fit = VGPU_FIT_WRAP },
    { .key = "profiles", .nested = vgpu_rows_pool_profile },
    { .key = "tenants", .nested = vgpu_rows_pool_tenant },
    { .key = "description", .header = "Description", .wide = true },
    { .key = "users", .header = "Used by", .fit = VGPU_FIT_WRAP, .wide = true },
    { .key = "driver_iso", .header = "Driver ISO", .wide = true },
    { .key = "driver_version", .header = "Driver version", .wide = true },
    { .key = "params_allow", .header = "Parameters", .wide = true },
    { .key = "params_listed", .header = "Parameters listed", .fit = VGPU_FIT_WRAP, .wide = true },
    { .key = "params_set", .header = "Parameters set", .fit = VGPU_FIT_WRAP, .wide = true },
    { .key = "passed_through", .header = "Passed through", .fit = VGPU_FIT_WRAP, .wide = true },
    { 0 },
};
