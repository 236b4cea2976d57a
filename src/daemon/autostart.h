/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* autostart.h: which domains libvirt's autostart has left behind, as their definitions had to be moved
 *
 * After a boot with other PCI addresses a definition names a VF that is not there any more. Its start is
 * refused, the definition is moved, and nobody would start it again: libvirt tries once. Libvirt serves
 * no client before its autostart is through, so a start that is refused while nobody is served is its
 * own. Pure: times are given, in us of any clock. */
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
/* The definition is as it should be: is the domain to be started again? Once for each run of libvirt. */
bool vgpu_autostarts_take(VgpuAutostarts *self, const char *domain_uuid, gint64 now);
/* Libvirt has gone: the next one starts its domains by itself. */
void vgpu_autostarts_libvirt_gone(VgpuAutostarts *self);

typedef struct {
    bool is_persistent;
    bool runs;
    bool has_autostart;
    gint64 libvirt_age; /* us since libvirt's daemon began; -1: not known */
} VgpuAutostartFacts;

/* Why it is not to be started all the same; NULL: nothing speaks against it. */
const char *vgpu_autostart_objection(const VgpuAutostartFacts *facts);
