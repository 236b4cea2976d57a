/* guard.h: all that may have to wait for libvirt
 *
 * A set of domains that need a look. At most four calls at a time (libvirt serves five requests of one
 * client), one per domain, late attaches first. A change of a definition waits while that domain's
 * start is in flight. Calls about node devices have a thread and a connection of their own, for which
 * nothing else waits. Nothing on the hook's way ever waits for the guard. */
#pragma once

#include <glib.h>

#include "core/manager.h"
#include "daemon/host-setup.h"
#include "daemon/worker.h"
#include "domain/annotate.h"
#include "libvirt/connection.h"

typedef struct VgpuGuard VgpuGuard;

/* Before the manager exists. */
VgpuGuard *vgpu_guard_new(VgpuWorker *worker, const VgpuConfig *config,
                          void (*event)(GVariant *event, gpointer opaque), gpointer opaque);
/* What the manager is to be created with; their opaque is the guard. */
VgpuManagerHost vgpu_guard_host(void);
/* Begin: connect when libvirt is there. On the main thread. */
void vgpu_guard_start(VgpuGuard *self, VgpuManager *manager, VgpuHostSetup *host_setup,
                      const char *root);
/* Calls under way are left behind. */
void vgpu_guard_stop(VgpuGuard *self);

/* A hook has called, so libvirt runs. Any thread. */
void vgpu_guard_nudge(VgpuGuard *self);
bool vgpu_guard_is_connected(VgpuGuard *self);
/* Compare records, devices and domains once more, and follow all definitions, soon. Any thread. */
void vgpu_guard_push_sweep(VgpuGuard *self);
/* Read libvirt's view of the GPUs again, soon. Any thread. */
void vgpu_guard_reread_gpus(VgpuGuard *self);

/* The following wait, so they are for the threads of D-Bus methods. */

/* Make the definition follow its annotation. Returns what was changed, a line each. */
char **vgpu_guard_inject(VgpuGuard *self, const char *domain_uuid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Of VgpuAction; VGPU_ERROR_UNAVAILABLE while libvirt is away. */
GPtrArray *vgpu_guard_reconcile(VgpuGuard *self, bool dry_run, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* One more device (or `count` of them) for a domain, live, in its definition, or both; what fails is
 * undone. @caller is the user whose libvirt rights it takes. The UUIDs of the vGPUs that the running
 * domain has got by it. */
char **vgpu_guard_attach_device(VgpuGuard *self, const char *domain_uuid,
                                const VgpuAnnotateOptions *device, bool live, bool config,
                                guint caller, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Take vGPU @index away, and wait until the guest has let go. What was done, a line each. */
char **vgpu_guard_detach_device(VgpuGuard *self, const char *domain_uuid, guint index, bool live,
                                bool config, guint caller, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* A persistent mdev that belongs to no domain. */
bool vgpu_guard_define(VgpuGuard *self, const VgpuWant *want, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vgpu_guard_undefine(VgpuGuard *self, const char *uuid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
