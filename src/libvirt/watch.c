/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/watch.h"

#include <libvirt/virterror.h>

#include "base/names.h"
#include "libvirt/connection.h"
#include "libvirt/virerror.h"

#define MAX_IDS 7

/* Counted, since libvirt keeps a callback until the event that is being delivered is through: one
 * reference for the owner and one for each callback. */
struct VgpuWatch {
    gatomicrefcount refs;
    virConnectPtr conn;
    VgpuWatchEvents events;
    gpointer opaque;
    int domain_ids[MAX_IDS];
    guint n_domain_ids;
    int nodedev_ids[MAX_IDS];
    guint n_nodedev_ids;
};

static VgpuWatch *
ref(VgpuWatch *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

static void
unref(void *opaque)
{
    VgpuWatch *self = opaque;

    if (g_atomic_ref_count_dec(&self->refs))
        g_free(self);
}

static void
tell_domain(VgpuWatch *self, VgpuDomainEvent event, virDomainPtr domain)
{
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (virDomainGetUUIDString(domain, uuid) < 0)
        return;
    self->events.domain(event, uuid, virDomainGetName(domain), (int) virDomainGetID(domain),
                        self->opaque);
}

static VgpuDomainEvent
stop_of(int detail)
{
    switch (detail) {
    case VIR_DOMAIN_EVENT_STOPPED_SAVED:
        return VGPU_DOMAIN_SAVED;
    case VIR_DOMAIN_EVENT_STOPPED_MIGRATED:
        return VGPU_DOMAIN_DEPARTED;
    default:
        return VGPU_DOMAIN_STOPPED;
    }
}

static int
on_lifecycle(virConnectPtr conn, virDomainPtr domain, int event, int detail, void *opaque)
{
    switch (event) {
    case VIR_DOMAIN_EVENT_DEFINED:
        tell_domain(opaque, VGPU_DOMAIN_DEFINED, domain);
        break;
    case VIR_DOMAIN_EVENT_UNDEFINED:
        tell_domain(opaque,
                    detail == VIR_DOMAIN_EVENT_UNDEFINED_RENAMED ? VGPU_DOMAIN_RENAMED_AWAY
                                                                 : VGPU_DOMAIN_UNDEFINED,
                    domain);
        break;
    case VIR_DOMAIN_EVENT_STARTED:
        tell_domain(opaque, VGPU_DOMAIN_STARTED, domain);
        break;
    case VIR_DOMAIN_EVENT_SUSPENDED:
        if (detail == VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED)
            tell_domain(opaque, VGPU_DOMAIN_SWITCHING, domain);
        break;
    case VIR_DOMAIN_EVENT_RESUMED:
        if (detail == VIR_DOMAIN_EVENT_RESUMED_MIGRATED)
            tell_domain(opaque, VGPU_DOMAIN_RESUMED, domain);
        break;
    case VIR_DOMAIN_EVENT_STOPPED:
        tell_domain(opaque, stop_of(detail), domain);
        break;
    default:
        break; /* a domain that is asleep or crashed still has its devices */
    }
    return 0;
}

static void
on_metadata(virConnectPtr conn, virDomainPtr domain, int type, const char *uri, void *opaque)
{
    /* NULL for a title or a description */
    if (g_strcmp0(uri, VGPU_XMLNS) == 0)
        tell_domain(opaque, VGPU_DOMAIN_DEFINED, domain);
}

static void
tell_device(VgpuWatch *self, VgpuDeviceEvent event, virDomainPtr domain, const char *alias)
{
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (!self->events.device || !alias || !g_str_has_prefix(alias, VGPU_ALIAS_PREFIX) ||
        virDomainGetUUIDString(domain, uuid) < 0)
        return;
    self->events.device(event, uuid, (int) virDomainGetID(domain), alias, self->opaque);
}

static void
on_device_added(virConnectPtr conn, virDomainPtr domain, const char *alias, void *opaque)
{
    tell_device(opaque, VGPU_DEVICE_ADDED, domain, alias);
}

static void
on_device_removed(virConnectPtr conn, virDomainPtr domain, const char *alias, void *opaque)
{
    tell_device(opaque, VGPU_DEVICE_REMOVED, domain, alias);
}

static void
on_device_kept(virConnectPtr conn, virDomainPtr domain, const char *alias, void *opaque)
{
    tell_device(opaque, VGPU_DEVICE_REFUSED, domain, alias);
}

/* libvirt has no event for the begin of a migration, but passes on that QEMU begins to send the memory. QEMU says
 * the same when a domain is saved. */
static void
on_iteration(virConnectPtr conn, virDomainPtr domain, int iteration, void *opaque)
{
    if (iteration == 1)
        tell_domain(opaque, VGPU_DOMAIN_SENDING, domain);
}

/* Comes right after STOPPED_MIGRATED (qemuMigrationSrcComplete()), and there is no domain to ask any more when it was
 * undefined. Of a migration that fails there is no such event. */
static void
on_job_completed(virConnectPtr conn, virDomainPtr domain, virTypedParameterPtr params,
                 int nparams, void *opaque)
{
    VgpuWatch *self = opaque;
    char uuid[VIR_UUID_STRING_BUFLEN];
    VgpuJobCost cost;

    if (self->events.departed && vgpu_job_read(params, nparams, &cost) &&
        virDomainGetUUIDString(domain, uuid) == 0)
        self->events.departed(uuid, &cost, self->opaque);
}

static void
tell_nodedev(VgpuWatch *self, virNodeDevicePtr device, bool gone)
{
    self->events.nodedev(virNodeDeviceGetName(device), gone, self->opaque);
}

static void
on_nodedev_lifecycle(virConnectPtr conn, virNodeDevicePtr device, int event, int detail,
                     void *opaque)
{
    tell_nodedev(opaque, device, event == VIR_NODE_DEVICE_EVENT_DELETED);
}

static void
on_nodedev_update(virConnectPtr conn, virNodeDevicePtr device, void *opaque)
{
    tell_nodedev(opaque, device, false);
}

static bool
watch_domains(VgpuWatch *self, int event, virConnectDomainEventGenericCallback callback)
{
    int id =
        virConnectDomainEventRegisterAny(self->conn, NULL, event, callback, ref(self), unref);

    if (id < 0) {
        unref(self);
        return false;
    }
    self->domain_ids[self->n_domain_ids++] = id;
    return true;
}

static bool
watch_nodedevs(VgpuWatch *self, int event, virConnectNodeDeviceEventGenericCallback callback)
{
    int id =
        virConnectNodeDeviceEventRegisterAny(self->conn, NULL, event, callback, ref(self), unref);

    if (id < 0) {
        unref(self);
        return false;
    }
    self->nodedev_ids[self->n_nodedev_ids++] = id;
    return true;
}

static bool
watch_all_domains(VgpuWatch *self)
{
    return watch_domains(self, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                         VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle)) &&
           watch_domains(self, VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
                         VIR_DOMAIN_EVENT_CALLBACK(on_metadata)) &&
           watch_domains(self, VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION,
                         VIR_DOMAIN_EVENT_CALLBACK(on_iteration)) &&
           watch_domains(self, VIR_DOMAIN_EVENT_ID_JOB_COMPLETED,
                         VIR_DOMAIN_EVENT_CALLBACK(on_job_completed)) &&
           watch_domains(self, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
                         VIR_DOMAIN_EVENT_CALLBACK(on_device_added)) &&
           watch_domains(self, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
                         VIR_DOMAIN_EVENT_CALLBACK(on_device_removed)) &&
           watch_domains(self, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED,
                         VIR_DOMAIN_EVENT_CALLBACK(on_device_kept));
}

/* A libvirt without node devices (virtnodedevd not installed) will do: GPUs are found in sysfs too. */
static bool
watch_all_nodedevs(VgpuWatch *self, GError **error)
{
    if (watch_nodedevs(self, VIR_NODE_DEVICE_EVENT_ID_LIFECYCLE,
                       VIR_NODE_DEVICE_EVENT_CALLBACK(on_nodedev_lifecycle)) &&
        watch_nodedevs(self, VIR_NODE_DEVICE_EVENT_ID_UPDATE,
                       VIR_NODE_DEVICE_EVENT_CALLBACK(on_nodedev_update)))
        return true;
    if (virGetLastErrorCode() != VIR_ERR_NO_SUPPORT)
        return vgpu_virerror_take(error, "cannot read node devices");
    g_message("cannot watch libvirt's node devices: %s", virGetLastErrorMessage());
    return true;
}

VgpuWatch *
vgpu_watch_new(virConnectPtr conn, const VgpuWatchEvents *events, gpointer opaque, GError **error)
{
    g_autoptr(VgpuWatch) self = g_new0(VgpuWatch, 1);

    g_atomic_ref_count_init(&self->refs);
    virConnectRef(conn);
    self->conn = conn;
    self->events = *events;
    self->opaque = opaque;

    if (events->domain && !watch_all_domains(self)) {
        vgpu_virerror_take(error, "cannot watch the domains");
        return NULL;
    }
    if (events->nodedev && !watch_all_nodedevs(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

bool
vgpu_watch_is_on(const VgpuWatch *self, virConnectPtr conn)
{
    return self && self->conn == conn;
}

void
vgpu_watch_free(VgpuWatch *self)
{
    if (!self)
        return;
    /* this drops queued events; on a broken connection it fails, but drops them, too */
    for (guint i = 0; i < self->n_nodedev_ids; i++)
        virConnectNodeDeviceEventDeregisterAny(self->conn, self->nodedev_ids[i]);
    for (guint i = 0; i < self->n_domain_ids; i++)
        virConnectDomainEventDeregisterAny(self->conn, self->domain_ids[i]);
    virConnectClose(self->conn);
    unref(self);
}
