/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host-setup.h: runs virt-vgpu-host(8) for the daemon, and passes its results on
 *
 * One child at a time: a process that has the vendor's library open is in the way of one that turns
 * virtual functions on. A GPU that is being set up takes no new vGPU until the child has exited, even if
 * the child hangs and its caller was told so. All functions but the first three block; any thread that
 * may block can call them. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

#include "core/manager.h"
#include "daemon/worker.h"

typedef struct VgpuHostSetup VgpuHostSetup;

typedef struct {
    const char *program;   /* NULL: the installed virt-vgpu-host */
    const char *root;      /* as the daemon's own options */
    const char *config;    /* NULL: the usual one */
    guint query_timeout;   /* ms, 0: the usual one; also for work that a start waits for */
    guint change_timeout;  /* ms, 0: the usual one; for each GPU when a whole layout is applied */
    gint64 (*clock)(void); /* of the figures' age, us; NULL: the usual one */
    /* Takes a floating event, about changes and licences. Any thread; NULL: events are dropped. */
    void (*event)(GVariant *event, gpointer opaque);
    gpointer opaque;
} VgpuHostSetupOptions;

/* The strings are borrowed, and there for as long as the program. */
VgpuHostSetup *vgpu_host_setup_new(VgpuWorker *worker, VgpuManager *manager,
                                   const VgpuHostSetupOptions *options);

/* Read the host layout and tell the manager, before the worker runs: which PFs are GPUs must be
 * known to the very first hook, at an autostart. */
void vgpu_host_setup_read_layout(VgpuHostSetup *self);

/* Ask for the facts and read the host layout again, in the background, and tell the manager. If that is
 * in progress already, it is done once more afterwards. Returns at once, from any thread. */
void vgpu_host_setup_reread(VgpuHostSetup *self);

/* Ask without changing anything, after all changes. @args as for vgpu_host_program_run(). */
GVariant *vgpu_host_setup_query(VgpuHostSetup *self, const char *type, const char *const *args,
                                const char *input, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for questions of any user, about @gpu (canonical; NULL: the host): may return an answer from
 * the last two seconds, unless something was changed meanwhile. VGPU_ERROR_NOT_FOUND: there is no such
 * GPU. */
GVariant *vgpu_host_setup_ask(VgpuHostSetup *self, const char *type, const char *verb,
                              const char *gpu, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The figures of GPUs and vGPUs, see vgpu_figures_get(). */
GVariant *vgpu_host_setup_stats(VgpuHostSetup *self, guint patience_ms, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Change @gpu and, on success, run @persist (NULL: nothing more). @idle: refused with VGPU_ERROR_BUSY
 * while there is any vGPU on it; otherwise the program refuses changes that would disturb one. The
 * manager knows about the change when this returns. */
GVariant *vgpu_host_setup_change(VgpuHostSetup *self, const char *type, const char *gpu,
                                 bool idle, const char *const *args, const char *const *persist,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether that many virtual functions of @gpu are on already: a number or "max". Then there is nothing
 * to change, also while vGPUs are on them. */
bool vgpu_host_setup_has_vfs(VgpuHostSetup *self, const char *gpu, const char *vfs);

/* Bring the host into the state that the layout @xml describes. */
GVariant *vgpu_host_setup_apply(VgpuHostSetup *self, const char *xml, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Make a MIG GPU instance of the profile with that number, for a domain that is about to start
 * and whose claim keeps others away. */
bool vgpu_host_setup_add_gpu_instance(VgpuHostSetup *self, const char *gpu, int profile,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
