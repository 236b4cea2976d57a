/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answers.h: what virt-vgpu-host has said lately, kept for all who ask the same
 *
 * Every user may ask, and each question runs a program as root, for which an administrator's work has to wait. So
 * there is one at a time for a question, and none in the two seconds after it. For threads that may wait. */
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

/* As vgpu_figures_get(). @gpu must be one that there is: the answers about each are kept. */
GVariant *vgpu_answers_get(VgpuAnswers *self, const char *type, const char *verb, const char *gpu,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Something is going to be changed, by an administrator's work that may wait for its turn; and has been: answers to
 * what was asked before no longer count. */
void vgpu_answers_begin_change(VgpuAnswers *self);
void vgpu_answers_end_change(VgpuAnswers *self);

/* Until no change goes on or waits, which a question never goes before. False: VGPU_ERROR_BUSY, not within
 * @patience_ms. */
bool vgpu_answers_wait(VgpuAnswers *self, guint patience_ms, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
