/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* figures.h: what NVML reports about GPUs and vGPUs, read once for all callers
 *
 * A reading is a process that has the library open, and so obstructs one that turns virtual functions
 * on. There is none unless a caller asks, as there is no timer; never two at a time; and none in the two
 * seconds after one, whether it succeeded or failed. For threads that may wait. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct VgpuFigures VgpuFigures;

typedef struct {
    /* Read them, on a thread of its own: (aa{sv}aa{sv}), GPUs and vGPUs, not floating. */
    GVariant *(*read)(gpointer opaque, GError **error);
    gpointer opaque;
    gint64 (*clock)(void); /* us; NULL: g_get_monotonic_time() */
    guint waiting_max;     /* each blocks a thread that other methods may need; 0: any number */
} VgpuFiguresSource;

/* There for as long as the program. */
VgpuFigures *vgpu_figures_new(const VgpuFiguresSource *source);

/* The present figures, at most two seconds old; not floating. @patience_ms: how long to wait for a
 * reading, 0: until it is over. VGPU_ERROR_BUSY when that time is over, or too many callers wait
 * already; else the reading's own error. */
GVariant *vgpu_figures_get(VgpuFigures *self, guint patience_ms, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Readings so far no longer count, nor does one in progress: later callers get a new one. */
void vgpu_figures_forget(VgpuFigures *self);
