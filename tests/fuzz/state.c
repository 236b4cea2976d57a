/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state files about cordoned GPUs and about boards: the first byte chooses. */
#include "fuzz.h"

#include "base/names.h"
#include "base/pciaddr.h"
#include "core/boards.h"
#include "core/cordons.h"

static void
try_cordons(const guint8 *data, gsize size)
{
    g_autofree char *path = fuzz_path(VGPU_PATH_CORDONS);
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuCordons) cordons = NULL;
    g_autoptr(GPtrArray) gpus = NULL;

    fuzz_write(path, data, size);
    cordons = vgpu_cordons_load(fuzz_dir(), NULL, &error);
    FUZZ_CHECK(cordons, "%s", error->message);
    gpus = vgpu_cordons_list(cordons);
    for (guint i = 0; i < gpus->len; i++) {
        g_autofree char *address = vgpu_pciaddr_canonical(gpus->pdata[i]);
        const VgpuCordon *cordon = vgpu_cordons_find(cordons, gpus->pdata[i]);

        FUZZ_CHECK(g_strcmp0(address, gpus->pdata[i]) == 0, "%s", (char *) gpus->pdata[i]);
        FUZZ_CHECK(cordon && cordon->since && cordon->by, "a cordon without its time or user");
        FUZZ_CHECK(!cordon->reason || vgpu_cordon_is_reason(cordon->reason), "%s",
                   cordon->reason);
    }
}

static void
try_boards(const guint8 *data, gsize size)
{
    g_autofree char *path = fuzz_path(VGPU_PATH_BOARDS);
    g_autoptr(VgpuBoards) boards = NULL;
    g_autoptr(VgpuGpu) gpu = vgpu_gpu_new("0000:41:00.0");

    gpu->vendor_id = g_strdup("0x10de");
    gpu->product_id = g_strdup("0x25b6");
    gpu->subsystem = g_strdup("0x10de:0x1851");
    gpu->driver = g_strdup("nvidia");
    gpu->driver_version = g_strdup("550.90.05");
    fuzz_write(path, data, size);
    boards = vgpu_boards_load(fuzz_dir(), NULL);
    vgpu_boards_recall(boards, gpu);
    for (guint i = 0; i < gpu->profiles->len; i++)
        FUZZ_CHECK(((VgpuProfile *) gpu->profiles->pdata[i])->id, "a profile without id");
}

FUZZ_TARGET(state)
{
    g_autofree char *dir = fuzz_path(VGPU_PATH_STATE);

    (void) g_mkdir_with_parents(dir, 0700);
    if (size > 0)
        (*data % 2 ? try_cordons : try_boards)(data + 1, size - 1);
}
