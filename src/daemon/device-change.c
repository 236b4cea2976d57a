/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* device-change.c: shared by attach and detach: one change of a domain at a time, with its caller's
 * rights */
#include "daemon/device-change.h"

#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/xml.h"
#include "daemon/caller.h"
#include "daemon/correction.h"
#include "daemon/follow-definition.h"
#include "daemon/guard-private.h"

bool
vgpu_device_change_begin(VgpuGuard *self, const char *domain_uuid, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    if (g_hash_table_add(self->changing, g_strdup(domain_uuid)))
        return true;
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY,
                "another attach or detach of domain %s is in progress; try again later",
                domain_uuid);
    return false;
}

void
vgpu_device_change_end(VgpuGuard *self, const char *domain_uuid)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    g_hash_table_remove(self->changing, domain_uuid);
}

bool
vgpu_device_change_check(const VgpuDomainState *state, bool live, bool config, GError **error)
{
    if (!live && !config) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "domain '%s': neither --live nor --config was asked for", state->name);
        return false;
    }
    if (live && state->id < 0) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "domain '%s' is not running; use --config instead of --live", state->name);
        return false;
    }
    if (config && !state->persistent) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "domain '%s' is transient and has no definition for --config; use --live",
                    state->name);
        return false;
    }
    return true;
}

bool
vgpu_device_change_write(VgpuGuard *self, VgpuQueueJob **job, virConnectPtr conn,
                         const char *domain_uuid, const char *element, bool live, bool config,
                         guint caller, GError **error)
{
    VgpuCaller user = { .uri = self->config->libvirt_uri, .uid = caller };
    bool is_written;

    if (vgpu_caller_is_self(caller))
        return vgpu_domains_set_annotation_in(conn, domain_uuid, element, live, config, error);
    g_clear_pointer(job, vgpu_queue_job_end);
    is_written = vgpu_caller_set_annotation(&user, domain_uuid, element, live, config, error);
    *job = vgpu_queue_job_begin(self->queue, domain_uuid);
    return is_written;
}

bool
vgpu_device_change_follow(VgpuGuard *self, const char *domain_uuid, GPtrArray *changes,
                          GError **error)
{
    g_autoptr(GError) failure = NULL;

    vgpu_correction_expect(self, domain_uuid);
    if (vgpu_follow_definition(self, domain_uuid, changes, &failure))
        return true;
    if (g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_BUSY)) {
        vgpu_guard_mark(self, domain_uuid, VGPU_LOOK_DEFINITION);
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

VgpuDomain *
vgpu_device_change_read(const char *xml, const char *element, const char *what, GError **error)
{
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, strlen(xml), what, error);
    g_autoptr(xmlDoc) fragment = NULL;
    g_autoptr(GPtrArray) old = NULL;
    xmlNode *metadata;

    if (!doc || !(fragment = vgpu_xml_parse(element, strlen(element), what, error)))
        return NULL;
    metadata = vgpu_xml_node(doc, NULL, "/domain/metadata");
    if (!metadata)
        metadata = xmlNewChild(xmlDocGetRootElement(doc), NULL, BAD_CAST "metadata", NULL);
    old =
        vgpu_xml_nodes(doc, metadata, "*[starts-with(namespace-uri(), '" VGPU_XMLNS_FAMILY "')]");
    for (guint i = 0; i < old->len; i++) {
        xmlUnlinkNode(old->pdata[i]);
        xmlFreeNode(old->pdata[i]);
    }
    xmlAddChild(metadata, xmlDocCopyNode(xmlDocGetRootElement(fragment), doc, 1));
    return vgpu_domain_from_doc(g_steal_pointer(&doc), what, error);
}

bool
vgpu_device_change_is_still(const char *xml, const char *element, const char *name)
{
    g_autoptr(VgpuDomain) now = xml ? vgpu_domain_parse(xml, strlen(xml), NULL, NULL) : NULL;
    g_autoptr(VgpuDomain) then = now ? vgpu_device_change_read(xml, element, name, NULL) : NULL;

    if (!then || now->wants->len != then->wants->len || g_strcmp0(now->tenant, then->tenant) != 0)
        return false;
    for (guint i = 0; i < now->wants->len; i++) {
        if (!vgpu_want_equal(now->wants->pdata[i], then->wants->pdata[i]))
            return false;
    }
    return true;
}
