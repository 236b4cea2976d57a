/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iso-job.h: a pool's image with the guest's driver, rebuilt
 *
 * virt-vgpu-iso does it, a program of its own: the daemon's sandbox may write nowhere near libvirt's
 * images. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/config.h"
#include "pool/pool.h"

/* The image to build: copied from the pool, which belongs to the worker. */
typedef struct {
    char *pool;                     /* its name, for texts */
    char *output;                   /* absolute path of the image */
    char **paths;                   /* files and directories that go into it */
    char **gridd;                   /* KEY=VALUE */
    char *token;                    /* NULL: none */
    char *profile;                  /* FeatureType is checked against it; NULL: none */
    char *config_file, *config_dir; /* that name the directories; NULL: the usual ones */
} VgpuIsoJob;

/* Whether the files that @pool names are in directories that @config allows: its image, even if it is
 * only used, and its sources. VGPU_ERROR_BAD_REQUEST names the key. virt-vgpu-iso looks again when it
 * opens them. */
bool vgpu_iso_job_check(const VgpuPool *pool, const VgpuConfig *config, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* NULL when the pool has no image, or one that is not built. */
VgpuIsoJob *vgpu_iso_job_new(const VgpuPool *pool, const VgpuConfig *config);
void vgpu_iso_job_free(VgpuIsoJob *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuIsoJob, vgpu_iso_job_free)

/* Build it and replace the existing image, which stays as it is when this fails; a domain that has the
 * old one in its drive keeps it until it opens the file again. @program: NULL for the installed
 * virt-vgpu-iso, then in a unit of its own when the daemon is a service. Blocks, up to ten minutes.
 * Returns the steps taken, a line each, ended by NULL. */
char **vgpu_iso_job_refresh(const VgpuIsoJob *self, const char *program, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
