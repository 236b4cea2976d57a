/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stats.h: which figures of the vendor's library belong to which GPU and vGPU of the lists
 *
 * Pure. What is returned is not floating. A row that has no figures stays without: they are unknown, not
 * zero. */
#pragma once

#include <glib.h>

/* @vgpus (rows of ListVgpus) with the figures of @stats (rows of GetStats, or NULL) added to each
 * that they are about, as fb_mib, fb_used_mib, gpu_util, mem_util, enc_util, dec_util,
 * license_state, license_expiry and driver_version. They belong together by the mdev's UUID, else by the
 * domain's with the VF; without a VF only if the domain has no other vGPU of that profile on that GPU. */
GVariant *vgpu_stats_join(GVariant *vgpus, GVariant *stats);

/* @stats with the VF of each as `vf`: the library knows the vGPU's machine and type, @vgpus tell on which VF
 * that machine has one. Two of one profile on one GPU cannot be told apart, and get none. */
GVariant *vgpu_stats_with_vfs(GVariant *stats, GVariant *vgpus);

/* A GPU (a row of ListGpus, or what GetGpu returns), or all of them, with the figures of @stats (rows of
 * GetGpuStats, or NULL). */
GVariant *vgpu_stats_join_gpu(GVariant *gpu, GVariant *stats);
GVariant *vgpu_stats_join_gpus(GVariant *gpus, GVariant *stats);
