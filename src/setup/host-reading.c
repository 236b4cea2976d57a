/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/host-reading.h"

#include "base/error.h"

VgpuHostReading *
vgpu_host_reading_new(const char *address)
{
    VgpuHostReading *self = g_new0(VgpuHostReading, 1);

    self->address = g_strdup(address);
    self->gi_profiles = g_ptr_array_new();
    self->gis = g_ptr_array_new();
    return self;
}

void
vgpu_host_reading_free(VgpuHostReading *self)
{
    if (!self)
        return;
    g_free(self->address);
    g_free(self->nvml_problem);
    vgpu_sriov_state_clear(&self->sriov);
    g_ptr_array_unref(self->gi_profiles);
    g_ptr_array_unref(self->gis);
    g_free(self);
}

static void
take_list(GPtrArray **into, GPtrArray *list)
{
    if (!list)
        return;
    g_ptr_array_unref(*into);
    *into = list;
}

/* Values that a GPU does not support are left out, each one by itself. */
static void
read_nvml(VgpuNvml *nvml, VgpuHostReading *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) gpus = vgpu_nvml_gpus(nvml, &error);
    bool known = false, pending;

    for (guint i = 0; gpus && i < gpus->len; i++)
        known = known || g_str_equal(g_ptr_array_index(gpus, i), self->address);
    if (!known) {
        self->nvml_problem = g_strdup(error ? error->message : "NVML does not know this GPU");
        return;
    }
    self->has_mig = vgpu_nvml_get_mig(nvml, self->address, &self->mig, &pending, NULL);
    self->mig_pending = self->has_mig && pending != self->mig;
    self->has_mixed = vgpu_nvml_get_mixed(nvml, self->address, &self->mixed, NULL);
    self->has_scheduler = vgpu_scheduler_get(nvml, self->address, -1, &self->scheduler, NULL);
    if (!self->mig)
        return;
    take_list(&self->gi_profiles, vgpu_nvml_gi_profiles(nvml, self->address, NULL));
    take_list(&self->gis, vgpu_nvml_gi_list(nvml, self->address, NULL));
}

VgpuHostReading *
vgpu_host_read(const VgpuHost *host, const char *address, bool ask_nvml)
{
    VgpuHostReading *self = vgpu_host_reading_new(address);
    g_autoptr(VgpuNvml) nvml = NULL;
    g_autoptr(GError) error = NULL;

    self->exists =
        vgpu_sriov_read(host->sysfs, address, &host->tools, VGPU_VFS_ALL, &self->sriov, NULL);
    self->asked_nvml = ask_nvml;
    if (!self->exists || !ask_nvml)
        return self;
    if ((nvml = vgpu_nvml_open(host->nvml_library, &error)))
        read_nvml(nvml, self);
    else
        self->nvml_problem = g_strdup(error->message);
    return self;
}
