/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Prometheus exposition, for rows with any names that users may choose: each line is a comment or a sample, and
 * no sample is repeated. */
#include "fuzz.h"

#include <string.h>

#include "../exposition-check.h"
#include "cli/samples.h"
#include "gpu/gauges.h"
#include "gpu/stats.h"
#include "rows.h"

static const char *const keys[] = {
    "address",     "gpu",       "name",          "profile",        "profile_id", "state",
    "vendor",      "product",   "driver",        "interface",      "cordoned",   "capacity",
    "available",   "allocated", "parent",        "uuid",           "domain",     "domain_uuid",
    "pool",        "tenant",    "temperature_c", "power_w",        "gpu_util",   "fb_mib",
    "fb_used_mib", "health",    "license_state", "license_expiry", "profiles",   "tenants",
    "vf",          "max",       "used",          "active",         "mdev_uuid",  "domain_name",
    NULL,
};

FUZZ_TARGET(gauges)
{
    g_autoptr(VgpuExposition) out = vgpu_exposition_new();
    g_auto(VgpuHostRows) rows = { 0 };
    g_autoptr(GVariant) stats = NULL, gpu_stats = NULL, vgpus = NULL, gpus = NULL;
    g_autofree char *text = NULL, *json = NULL, *problem = NULL;

    gpus = fuzz_rows(&data, &size, keys);
    rows.profiles = fuzz_rows(&data, &size, keys);
    vgpus = fuzz_rows(&data, &size, keys);
    rows.pools = fuzz_rows(&data, &size, keys);
    stats = fuzz_rows(&data, &size, keys);
    gpu_stats = fuzz_rows(&data, &size, keys);
    rows.gpus = vgpu_stats_join_gpus(gpus, gpu_stats);
    rows.vgpus = vgpu_stats_join(vgpus, stats);
    vgpu_gauges_write_up(out, TRUE);
    vgpu_gauges_write(out, &rows);
    text = vgpu_exposition_end(g_steal_pointer(&out));
    problem = exposition_problem(text);
    FUZZ_CHECK(!problem, "%s", problem);
    json = vgpu_samples_json(text);
    FUZZ_CHECK(g_utf8_validate(json, -1, NULL), "%s", json);
}
