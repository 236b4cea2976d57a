/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* domains.h: reading and changing libvirt's domains
 *
 * All calls block while libvirt holds the domain, for example in a hook of its start; so only the
 * guard's threads and the CLI make them. Domains are named by UUID. None of them redefines. */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

/* The state of one domain, alone or in a list. */
typedef struct {
    char *uuid; /* canonical */
    char *name;
    int id; /* -1 when it does not run */
    bool persistent;
    char *definition; /* the persistent XML (without secrets); NULL for a transient domain */
    char *live;       /* the XML of the running domain, NULL when it does not run */
    gint64 read_us;   /* how long libvirt took to return it; 0: it was in a list */
    /* in a list: why its XML cannot be read; only uuid and name are known then */
    char *unreadable;
} VgpuDomainState;

void vgpu_domain_state_free(VgpuDomainState *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuDomainState, vgpu_domain_state_free)

/* All domains. A domain that vanishes meanwhile is left out, one that cannot be read is listed as
 * unreadable; it is only an error when there is no list at all, or the connection breaks. */
GPtrArray *vgpu_domains_list(virConnectPtr conn, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One domain. VGPU_ERROR_NOT_FOUND when there is none; a domain that has the UUID as its name does not
 * count. */
VgpuDomainState *vgpu_domains_get(virConnectPtr conn, const char *uuid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The same for text that a user has typed: a UUID, else a name. */
VgpuDomainState *vgpu_domains_find(virConnectPtr conn, const char *uuid_or_name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Why a domain is off: *@reason is a virDomainShutoffReason, -1 if it runs; *@image: whether it has a
 * managed save image. VGPU_ERROR_NOT_FOUND as above. */
bool vgpu_domains_get_end(virConnectPtr conn, const char *uuid, int *reason, bool *image,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Attach to, or detach from, the persistent definition (VIR_DOMAIN_AFFECT_CONFIG). A detach of an
 * alias that is not there is success. */
bool vgpu_domains_attach_config(virConnectPtr conn, const char *uuid, const char *device_xml,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vgpu_domains_detach_config(virConnectPtr conn, const char *uuid, const char *alias,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a device that is not ours: @device_xml is its XML in the definition. */
bool vgpu_domains_detach_users_config(virConnectPtr conn, const char *uuid,
                                      const char *device_xml, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Hotplug into the running domain, only while it still has the id @id (else
 * VGPU_ERROR_NOT_FOUND). VGPU_ERROR_BUSY when a job of the domain blocks it: try again. */
bool vgpu_domains_attach_live(virConnectPtr conn, const char *uuid, int id,
                              const char *device_xml, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ask the running domain to release the device with that alias; the guest decides when, so the
 * answer is the event VgpuWatchEvents.device, or a look at the live XML. One that is not there is
 * success. @id as above. */
bool vgpu_domains_detach_live(virConnectPtr conn, const char *uuid, int id, const char *alias,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Replace our metadata element in definition and, if it runs, live; NULL removes it. */
bool vgpu_domains_set_annotation(virConnectPtr conn, const char *uuid, const char *element,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same in the given states: a transient domain has no definition. */
bool vgpu_domains_set_annotation_in(virConnectPtr conn, const char *uuid, const char *element,
                                    bool live, bool config, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether libvirt starts it by itself. */
bool vgpu_domains_has_autostart(virConnectPtr conn, const char *uuid, bool *autostart,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool vgpu_domains_start(virConnectPtr conn, const char *uuid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
