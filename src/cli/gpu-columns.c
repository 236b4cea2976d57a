/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/gpu-columns.h"

#include "cli/cordon-row.h"

const VgpuColumn vgpu_gpu_columns_vf[] = {
    { .key = "address", .header = "VF" },
    { .key = "state", .header = "State" },
    { .key = "driver", .header = "Driver", .wide = true },
    { .key = "profile", .header = "Profile", .fit = VGPU_FIT_FRONT },
    { .key = "uuid", .header = "UUID" },
    { .key = "creatable", .header = "Creatable", .fit = VGPU_FIT_WRAP, .wide = true },
    { .key = "framebuffer_mib", .header = "MiB", .wide = true },
    { 0 },
};

#define GPU_COLUMNS                                                                              \
    { .key = "address", .header = "GPU" },                                                       \
        { .key = "nodedev", .header = "Node device", .wide = true },                             \
        { .key = "vendor", .header = "Vendor", .wide = true },                                   \
        { .key = "product", .header = "Product", .wide = true },                                 \
        { .key = "board", .header = "Board", .fit = VGPU_FIT_WRAP, .derived = true },            \
        { .key = "name", .header = "Name", .wide = true },                                       \
        { .key = "driver", .header = "Driver", .fit = VGPU_FIT_CUT },                            \
        { .key = "interface", .header = "Interface", .spare = true },                            \
        { .key = "numa_node", .header = "NUMA", .spare = true },                                 \
        { .key = "vfs_total", .header = "VFs possible", .wide = true },                          \
        { .key = "vfs_enabled", .header = "VFs enabled", .wide = true },                         \
        { .key = "vfs", .header = "VFs", .derived = true },                                      \
        { .key = "vgpus", .header = "vGPUs" },                                                   \
    {                                                                                            \
        .key = "cordoned", .nested = vgpu_cordon_row_columns                                     \
    }

const VgpuColumn vgpu_gpu_columns_list[] = {
    GPU_COLUMNS,
    { .key = "status", .header = "Status", .fit = VGPU_FIT_WRAP, .derived = true },
    { 0 },
};

/* The figures of the vendor's library about a GPU. */
#define GPU_FIGURES                                                                              \
    { .key = "temperature_c", .header = "Celsius" }, { .key = "power_w", .header = "Watts" },    \
        { .key = "gpu_util", .header = "GPU %" },                                                \
        { .key = "mem_util", .header = "Memory %", .wide = true },                               \
        { .key = "fb_mib", .header = "MiB", .wide = true },                                      \
        { .key = "fb_used_mib", .header = "Used MiB" },                                          \
        { .key = "ecc_corrected", .header = "ECC corrected", .wide = true },                     \
        { .key = "ecc_uncorrected", .header = "ECC uncorrected", .wide = true },                 \
        { .key = "health", .header = "Health" },                                                 \
    {                                                                                            \
        .key = "driver_version", .header = "Driver version", .wide = true                        \
    }

/* A table has no room for both the properties and the figures of GPUs. */
const VgpuColumn vgpu_gpu_columns_stats[] = {
    { .key = "address", .header = "GPU" },
    { .key = "nodedev", .header = "Node device", .wide = true },
    { .key = "vendor", .header = "Vendor", .wide = true },
    { .key = "product", .header = "Product", .wide = true },
    { .key = "board", .header = "Board", .fit = VGPU_FIT_WRAP, .derived = true },
    { .key = "name", .header = "Name", .wide = true },
    { .key = "driver", .header = "Driver", .wide = true },
    { .key = "interface", .header = "Interface", .wide = true },
    { .key = "numa_node", .header = "NUMA", .wide = true },
    { .key = "vfs_total", .header = "VFs possible", .wide = true },
    { .key = "vfs_enabled", .header = "VFs", .wide = true },
    { .key = "vgpus", .header = "vGPUs" },
    { .key = "cordoned", .nested = vgpu_cordon_row_columns },
    GPU_FIGURES,
    { .key = "status", .header = "Status", .wide = true, .derived = true },
    { 0 },
};

const VgpuColumn vgpu_gpu_columns_profile[] = {
    { .key = "gpu", .header = "GPU" },
    { .key = "id", .header = "ID" },
    { .key = "name", .header = "Name", .fit = VGPU_FIT_FRONT },
    { .key = "framebuffer_mib", .header = "MiB" },
    { .key = "num_heads", .header = "Heads", .spare = true },
    { .key = "frl", .header = "FRL", .wide = true },
    { .key = "max_resolution", .header = "Resolution", .wide = true },
    { .key = "max_instances", .header = "Max", .spare = true },
    { .key = "capacity", .header = "Capacity", .wide = true },
    { .key = "available", .header = "Free" },
    { .key = "max_per_domain", .header = "Max/domain", .wide = true },
    { .key = "interface", .header = "Interface", .wide = true },
    { .key = "series", .header = "Series", .spare = true },
    { .key = "needs_license", .header = "License", .wide = true },
    { .key = "purpose", .header = "For", .wide = true },
    { 0 },
};

/* The same, of one GPU that has been named already. */
const VgpuColumn vgpu_gpu_columns_short_profile[] = {
    { .key = "id", .header = "ID" },
    { .key = "name", .header = "Profile", .fit = VGPU_FIT_FRONT },
    { .key = "framebuffer_mib", .header = "MiB" },
    { .key = "available", .header = "Free" },
    { .key = "series", .header = "Series" },
    { .key = "needs_license", .header = "License", .fit = VGPU_FIT_CUT },
    { .key = "purpose", .header = "For", .wide = true },
    { 0 },
};

const VgpuColumn vgpu_gpu_columns_instance[] = {
    { .key = "gi", .header = "GI" },         { .key = "profile", .header = "MIG profile" },
    { .key = "profile_id", .header = "ID" }, { .key = "start", .header = "Start" },
    { .key = "size", .header = "Size" },     { 0 },
};

#define GPU_STATE                                                                                \
    { .key = "mig", .header = "MIG mode" }, { .key = "mixed", .header = "Mixed sizes" },         \
    {                                                                                            \
        .key = "passed_through", .header = "Passed through"                                      \
    }
#define GPU_LISTS                                                                                \
    { .key = "vfs", .nested = vgpu_gpu_columns_vf },                                             \
        { .key = "gpu_instances", .nested = vgpu_gpu_columns_instance },                         \
    {                                                                                            \
        .key = "profiles", .nested = vgpu_gpu_columns_profile                                    \
    }

const VgpuColumn vgpu_gpu_columns_info[] = { GPU_COLUMNS, GPU_STATE, GPU_LISTS, { 0 } };
const VgpuColumn vgpu_gpu_columns_info_stats[] = {
    GPU_COLUMNS, GPU_STATE, GPU_FIGURES, GPU_LISTS, { 0 },
};
