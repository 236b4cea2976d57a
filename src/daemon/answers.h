/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answers.h: recent answers of virt-vgpu-host, kept for callers with the same question
 *
 * Every user may ask, and each question runs a program as root, which delays an administrator's work. So
 * each question is asked only once at a time, and not again in the two seconds after it. For threads
 * that may wait. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct VgpuAnswers VgpuAnswers;

typedef struct {
    /* Ask @verb about @gpu (NULL: the host), on a thread of its own; an answer of @type, not floating. */
    GVariant *(*ask)(gpointer opaque, const char *type, const char *verb, const char *gpu,
                     GError **error);
    gpointer opaque;
    gint64 (*clock)(void); /* us; NULL: g_get_monotonic_time() */
} VgpuAnswersSource;

/* There for as long as the program. */
VgpuAnswers *vgpu_answers_new(const VgpuAnswersSource *source);

/* As vgpu_figures_get(). @gpu must exist, as the answers about each GPU are kept. */
GVariant *vgpu_answers_get(VgpuAnswers *self, const char *type, const char *verb, const char *gpu,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A change by an administrator begins, which may have to wait for its turn; and ends: answers to earlier
 * questions no longer count. */
void vgpu_answers_begin_change(VgpuAnswers *self);
void vgpu_answers_end_change(VgpuAnswers *self);

/* Wait until no change is in progress or waiting, as changes go before questions. False:
 * VGPU_ERROR_BUSY, not within @patience_ms. */
bool vgpu_answers_wait(VgpuAnswers *self, guint patience_ms, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
