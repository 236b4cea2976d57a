#include "cli/rows.h"

const VgpuColumn vgpu_rows_vgpu[] = {
    { .key = "domain", .header = "Domain", .fit = VGPU_FIT_CUT },
    { .key = "domain_uuid", .header = "Domain UUID", .wide = true },
    { .key = "index", .header = "#" },
    { .key = "uuid", .header = "UUID" },
    { .key = "gpu", .header = "GPU", .wide = true },
    { .key = "parent", .header = "Parent", .wide = true },
    { .key = "profile", .header = "Profile", .fit = VGPU_FIT_CUT },
    { .key = "profile_id", .header = "Profile ID", .wide = true },
    { .key = "interface", .header = "Interface", .wide = true },
    { .key = "pool", .header = "Pool", .wide = true },
    { .key = "tenant", .header = "Tenant", .wide = true },
    { .key = "restart_needed", .header = "Restart needed", .wide = true },
    { .key = "state", .header = "State", .state = true },
    { 0 },
};
