/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* autostart.h: which domains libvirt's autostart has left behind, as their definitions had to be moved
 *
 * After a boot with other PCI addresses a definition names a VF that no longer exists. The start is
 * refused and the definition is moved, but libvirt does not try again. It serves no client before its
 * autostart is done, so a start that is refused while it does not serve us is an autostart. Pure: times
 * are given, in us of any clock. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define VGPU_AUTOSTART_LIMIT_US (300 * G_USEC_PER_SEC)

typedef struct VgpuAutostarts VgpuAutostarts;

VgpuAutostarts *vgpu_autostarts_new(void);
void vgpu_autostarts_free(VgpuAutostarts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuAutostarts, vgpu_autostarts_free)

/* A start of that domain was refused, and its definition is being moved; @served: libvirt serves us. */
void vgpu_autostarts_refused(VgpuAutostarts *self, const char *domain_uuid, bool served,
                             gint64 now);
/* The definition is right now: whether the domain should be started again. True once for each run of
 * libvirt. */
bool vgpu_autostarts_take(VgpuAutostarts *self, const char *domain_uuid, gint64 now);
/* The connection is lost: the next libvirt starts its domains by itself. */
void vgpu_autostarts_libvirt_gone(VgpuAutostarts *self);

typedef struct {
    bool is_persistent;
    bool runs;
    bool has_autostart;
    gint64 libvirt_age; /* us since libvirt's daemon began; -1: not known */
} VgpuAutostartFacts;

/* Why it is not started again after all; NULL: it may be started. */
const char *vgpu_autostart_objection(const VgpuAutostartFacts *facts);
