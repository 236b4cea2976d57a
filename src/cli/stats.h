/* stats.h: which figures of the vendor's library belong to which vGPU of the list */
#pragma once

#include <glib.h>

/* @vgpus (rows of ListVgpus) with the figures of @stats (rows of GetStats, or NULL) added to each
 * that they are about, as fb_mib, fb_used_mib, gpu_util, mem_util, enc_util, dec_util,
 * license_state and driver_version. They belong together by the mdev's UUID, else by the domain's
 * with the VF; without a VF only if the domain has no other vGPU on that GPU. A row that has no
 * figures stays without: they are unknown, not zero. Not floating. */
GVariant *vgpu_stats_join(GVariant *vgpus, GVariant *stats);
