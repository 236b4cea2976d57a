/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-vgpu.conf. */
#include "fuzz.h"

#include "base/config.h"

FUZZ_TARGET(config)
{
    g_autofree char *file = fuzz_path("virt-vgpu.conf"), *none = fuzz_path("none");
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuConfig) config = NULL;

    fuzz_write(file, data, size);
    config = vgpu_config_load(file, TRUE, none, &error);
    fuzz_outcome(config != NULL, error);
    if (!config)
        return;
    FUZZ_CHECK(*config->libvirt_uri && g_utf8_validate(config->libvirt_uri, -1, NULL), "URI");
    FUZZ_CHECK(config->hook_deadline >= 1 && config->hook_deadline <= 28, "hook_deadline");
    FUZZ_CHECK(config->attach_timeout && config->detach_timeout && config->orphan_check &&
                   config->remove_timeout && config->metrics_interval >= 5,
               "a time of nothing");
    FUZZ_CHECK(g_path_is_absolute(config->sriov_manage), "%s", config->sriov_manage);
    FUZZ_CHECK(!config->metrics_file || g_path_is_absolute(config->metrics_file), "%s",
               config->metrics_file);
}
