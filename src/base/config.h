/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config.h: /etc/virt-vgpu/virt-vgpu.conf and conf.d; see virt-vgpu.conf(5) */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/fleet-config.h"
#include "base/policy.h"

typedef struct {
    char *libvirt_uri;
    guint attach_timeout;   /* s: how long a late attach is tried */
    guint detach_timeout;   /* s: how long a guest may take to release a vGPU */
    guint hook_deadline;    /* s: a start without an answer after that time is refused */
    guint orphan_check;     /* s: after a prepare, when to check that the domain runs */
    guint remove_timeout;   /* s: after that a removal is reported as stuck */
    bool cordon_on_xid;     /* cordon a GPU whose driver reports an error that needs an
                           * administrator */
    bool restart_moved;     /* start domains again whose autostart failed as their VF was gone */
    VgpuPlacement policy;   /* for devices that name none */
    char *sriov_manage;     /* path of NVIDIA's script */
    char *nvml_library;     /* for dlopen(3) */
    char *metrics_file;     /* for node_exporter, absolute; NULL: none */
    guint metrics_interval; /* s: how often it is written */
    char **image_sources;   /* directories from which images of pools are built, absolute */
    char **image_dirs;      /* directories in which these images are */
    char *image_group;      /* the group that may read them; NULL: that of QEMU's usual user */
    VgpuFleetConfig fleet;
    char *file, *dir; /* where the configuration was looked for */
} VgpuConfig;

/* the keys of image_sources and image_dirs, for messages */
#define VGPU_CONFIG_IMAGE_SOURCES "source_directories"
#define VGPU_CONFIG_IMAGE_DIRS "directories"

/* Defaults, then @file (a missing one is no error unless @must_exist), then DIR/NAME.conf of @dir
 * in the order of their names. An unknown group or key is VGPU_ERROR_BAD_REQUEST that names file
 * and key. */
VgpuConfig *vgpu_config_load(const char *file, gboolean must_exist, const char *dir,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same in the usual places below @root; with @file (NULL: none) that file instead, which must exist. */
VgpuConfig *vgpu_config_load_in(const char *root, const char *file, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vgpu_config_free(VgpuConfig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuConfig, vgpu_config_free)
