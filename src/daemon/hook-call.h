/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hook-call.h: one call of the hook, from its first byte to its answer
 *
 * It passes through three threads: the hook thread reads it, one of the queue parses it if that may take
 * long, and the worker decides and answers. The wire is described in hook-socket.h. */
#pragma once

#include <glib.h>

#include "core/manager.h"

typedef struct VgpuHookCall VgpuHookCall;

/* Takes @fd. */
VgpuHookCall *vgpu_hook_call_new(int fd, VgpuManager *manager);
VgpuHookCall *vgpu_hook_call_ref(VgpuHookCall *self);
void vgpu_hook_call_unref(gpointer self);

/* --- the hook's thread --------------------------------------------------------------------- */

typedef enum {
    VGPU_HOOK_CALL_HEADER, /* its header is still to come */
    VGPU_HOOK_CALL_BODY,   /* the rest is, vgpu_hook_call_size() bytes in all */
    VGPU_HOOK_CALL_COMPLETE,
    VGPU_HOOK_CALL_REFUSED, /* it makes no sense, and was told so */
} VgpuHookCallState;

/* What has been received. */
VgpuHookCallState vgpu_hook_call_take(VgpuHookCall *self, const guint8 *bytes, gsize len);
/* Known with the header, and until it is freed. */
gsize vgpu_hook_call_size(const VgpuHookCall *self);
/* After that, the disconnection of its client does not matter. */
bool vgpu_hook_call_is_answered(const VgpuHookCall *self);
/* Whether to carry it out even if its client has disconnected. */
bool vgpu_hook_call_outlives_client(const VgpuHookCall *self);
/* Whether it is so short that parsing it takes no time, regardless of its XML. */
bool vgpu_hook_call_is_quick(const VgpuHookCall *self);
/* The domain's name, known when it is complete: calls of one domain keep their order. */
const char *vgpu_hook_call_domain(const VgpuHookCall *self);

/* --- a thread of the queue, or the hook's if it is quick ------------------------------------- */

/* The work whose duration depends on the XML; frees its bytes. */
void vgpu_hook_call_parse(VgpuHookCall *self);

/* --- the worker ---------------------------------------------------------------------------- */

/* Do as it asks, and answer it. Takes the reference. */
void vgpu_hook_call_run(gpointer self);
/* Its client has disconnected, possibly before vgpu_hook_call_run(). Takes the reference. */
void vgpu_hook_call_hang_up(gpointer self);
