/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host-setup-none.c: in place of host-setup.c where virt-vgpu is built with --disable-host-setup: GPUs
 * are prepared by other means, and used as they are */
#include "base/error.h"
#include "daemon/host-setup.h"

struct VgpuHostSetup {
    char unused;
};

static gpointer
refuse(GError **error)
{
    g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED,
                        "this virt-vgpu is built without host set-up (--disable-host-setup)");
    return NULL;
}

VgpuHostSetup *
vgpu_host_setup_new(VgpuWorker *worker, VgpuManager *manager, const VgpuHostSetupOptions *options)
{
    static VgpuHostSetup none;

    return &none;
}

void
vgpu_host_setup_read_layout(VgpuHostSetup *self)
{
}

void
vgpu_host_setup_reread(VgpuHostSetup *self)
{
}

GVariant *
vgpu_host_setup_query(VgpuHostSetup *self, const char *type, const char *const *args,
                      const char *input, GError **error)
{
    return refuse(error);
}

GVariant *
vgpu_host_setup_ask(VgpuHostSetup *self, const char *type, const char *verb, const char *gpu,
                    GError **error)
{
    return refuse(error);
}

GVariant *
vgpu_host_setup_stats(VgpuHostSetup *self, guint patience_ms, GError **error)
{
    return refuse(error);
}

GVariant *
vgpu_host_setup_change(VgpuHostSetup *self, const char *type, const char *gpu, bool idle,
                       const char *const *args, const char *const *persist, GError **error)
{
    return refuse(error);
}

bool
vgpu_host_setup_has_vfs(VgpuHostSetup *self, const char *gpu, const char *vfs)
{
    return false;
}

GVariant *
vgpu_host_setup_apply(VgpuHostSetup *self, const char *xml, GError **error)
{
    return refuse(error);
}

bool
vgpu_host_setup_add_gpu_instance(VgpuHostSetup *self, const char *gpu, int profile,
                                 GError **error)
{
    return refuse(error) != NULL;
}
