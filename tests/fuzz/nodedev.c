/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Node devices as libvirt describes them, separated by NULs. */
#include "fuzz.h"

#include <string.h>

#include "libvirt/nodedev.h"

FUZZ_TARGET(nodedev)
{
    g_autoptr(VgpuInventory) inventory = vgpu_inventory_new();
    guint n = 0;

    while (size > 0 && n++ < 16) {
        const guint8 *nul = memchr(data, '\0', size);
        gsize len = nul ? (gsize) (nul - data) : size;
        g_autofree char *xml = fuzz_text(data, len);
        g_autofree char *uuid = vgpu_nodedev_mdev_uuid(xml);
        g_autoptr(GError) error = NULL;
        bool added = vgpu_nodedev_add_xml(inventory, xml, &error);

        fuzz_outcome(added, error);
        FUZZ_CHECK(!uuid || strlen(uuid) == 36, "%s", uuid);
        data += MIN(len + 1, size);
        size -= MIN(len + 1, size);
    }
    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = inventory->gpus->pdata[i];

        FUZZ_CHECK(vgpu_inventory_find(inventory, gpu->address) == gpu, "%s", gpu->address);
        for (guint j = 0; j < gpu->parents->len; j++)
            FUZZ_CHECK(((VgpuParent *) gpu->parents->pdata[j])->address, "%s", gpu->address);
    }
}
