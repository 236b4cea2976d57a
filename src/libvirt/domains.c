/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/domains.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "base/blocking.h"
#include "base/error.h"
#include "base/names.h"
#include "base/uuid.h"
#include "base/xml.h"
#include "domain/domain.h"
#include "libvirt/connection.h"
#include "libvirt/virerror.h"

void
vgpu_domain_state_free(VgpuDomainState *self)
{
    if (!self)
        return;
    g_free(self->uuid);
    g_free(self->name);
    g_free(self->definition);
    g_free(self->live);
    g_free(self->unreadable);
    g_free(self);
}

/* libvirt's strings come from malloc(), as g_malloc() does, but we must not rely on that. */
static char *
take_xml(virDomainPtr domain, guint flags)
{
    char *xml = virDomainGetXMLDesc(domain, flags);
    char *copy = g_strdup(xml);

    free(xml);
    return copy;
}

/* The id in the live XML; -1 for a domain that does not run. That of a virDomain is as old as the
 * look-up. An XML without anything of ours is not judged. */
static bool
read_id(const char *xml, const char *what, int *id, GError **error)
{
    gsize len = strlen(xml);
    g_autoptr(xmlDoc) doc = NULL;

    if (vgpu_domain_is_marked(xml, len) && !(doc = vgpu_xml_parse(xml, len, what, error)))
        return false;
    if (!vgpu_domain_peek_id(xml, len, id))
        *id = -1;
    return true;
}

static VgpuDomainState *
read_state(virDomainPtr domain, GError **error)
{
    g_autoptr(VgpuDomainState) state = g_new0(VgpuDomainState, 1);
    g_autofree char *what = g_strdup_printf("domain '%s'", virDomainGetName(domain));
    char uuid[VIR_UUID_STRING_BUFLEN];
    int persistent;

    if (virDomainGetUUIDString(domain, uuid) < 0 ||
        (persistent = virDomainIsPersistent(domain)) < 0 ||
        (persistent && !(state->definition = take_xml(domain, VIR_DOMAIN_XML_INACTIVE))) ||
        !(state->live = take_xml(domain, 0))) {
        vgpu_virerror_take(error, "cannot read %s", what);
        return NULL;
    }
    state->uuid = g_strdup(uuid);
    state->name = g_strdup(virDomainGetName(domain));
    state->persistent = persistent;
    if (!read_id(state->live, what, &state->id, error))
        return NULL;
    if (state->id < 0)
        g_clear_pointer(&state->live, g_free);
    return g_steal_pointer(&state);
}

/* The state of @domain without its XML; NULL when even that is unknown. */
static VgpuDomainState *
unreadable_state(virDomainPtr domain, const char *why)
{
    VgpuDomainState *state;
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (virDomainGetUUIDString(domain, uuid) < 0)
        return NULL;
    state = g_new0(VgpuDomainState, 1);
    state->uuid = g_strdup(uuid);
    state->name = g_strdup(virDomainGetName(domain));
    state->id = -1;
    state->unreadable = g_strdup(why);
    return state;
}

static void
free_domain(gpointer domain)
{
    virDomainFree(domain);
}

GPtrArray *
vgpu_domains_list(virConnectPtr conn, GError **error)
{
    g_autoptr(GPtrArray) states =
        g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_domain_state_free);
    g_autoptr(GPtrArray) domains = g_ptr_array_new_with_free_func(free_domain);
    virDomainPtr *list = NULL;
    int n;

    vgpu_blocking_check("libvirt");
    n = virConnectListAllDomains(conn, &list, 0);
    if (n < 0) {
        vgpu_virerror_take(error, "cannot list the domains");
        return NULL;
    }
    for (int i = 0; i < n; i++)
        g_ptr_array_add(domains, list[i]);
    free(list);

    for (guint i = 0; i < domains->len; i++) {
        g_autoptr(GError) failure = NULL;
        virDomainPtr domain = g_ptr_array_index(domains, i);
        VgpuDomainState *state = read_state(domain, &failure);

        if (!state && g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_NOT_FOUND))
            continue;
        if (!state && virConnectIsAlive(conn) > 0) {
            g_autofree char *text = vgpu_error_text(failure);

            state = unreadable_state(domain, text);
        }
        if (!state) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        }
        g_ptr_array_add(states, state);
    }
    return g_steal_pointer(&states);
}

/* @name is borrowed from the result; for errors it is fetched here, since virDomainGetName(), as
 * all of libvirt, resets the error to report it with. */
static virDomainPtr
look_up(virConnectPtr conn, const char *uuid, const char **name, GError **error)
{
    virDomainPtr domain;

    vgpu_blocking_check("libvirt");
    domain = virDomainLookupByUUIDString(conn, uuid);
    if (!domain) {
        vgpu_virerror_take(error, "domain %s", uuid);
        return NULL;
    }
    *name = virDomainGetName(domain);
    return domain;
}

VgpuDomainState *
vgpu_domains_get(virConnectPtr conn, const char *uuid, GError **error)
{
    gint64 begun = g_get_monotonic_time();
    const char *name = NULL;
    g_autoptr(virDomain) domain = look_up(conn, uuid, &name, error);
    VgpuDomainState *state = domain ? read_state(domain, error) : NULL;

    if (state)
        state->read_us = g_get_monotonic_time() - begun;
    return state;
}

VgpuDomainState *
vgpu_domains_find(virConnectPtr conn, const char *uuid_or_name, GError **error)
{
    g_autofree char *uuid = vgpu_uuid_canonical(uuid_or_name);
    g_autoptr(virDomain) domain = uuid ? virDomainLookupByUUIDString(conn, uuid) : NULL;

    /* a name may look like a UUID */
    if (!domain)
        domain = virDomainLookupByName(conn, uuid_or_name);
    if (!domain) {
        vgpu_virerror_take(error, "domain '%s'", uuid_or_name);
        return NULL;
    }
    return read_state(domain, error);
}

bool
vgpu_domains_get_end(virConnectPtr conn, const char *uuid, int *reason, bool *image,
                     GError **error)
{
    const char *name = NULL;
    g_autoptr(virDomain) domain = look_up(conn, uuid, &name, error);
    int state = VIR_DOMAIN_NOSTATE, has_image;

    if (!domain)
        return false;
    if (virDomainGetState(domain, &state, reason, 0) < 0 ||
        (has_image = virDomainHasManagedSaveImage(domain, 0)) < 0)
        return vgpu_virerror_take(error, "cannot read the state of domain '%s'", name);
    if (state != VIR_DOMAIN_SHUTOFF)
        *reason = -1;
    *image = has_image;
    return true;
}

bool
vgpu_domains_attach_config(virConnectPtr conn, const char *uuid, const char *device_xml,
                           GError **error)
{
    const char *name = NULL;
    g_autoptr(virDomain) domain = look_up(conn, uuid, &name, error);

    if (!domain)
        return false;
    if (virDomainAttachDeviceFlags(domain, device_xml, VIR_DOMAIN_AFFECT_CONFIG) < 0)
        return vgpu_virerror_take(error, "cannot add a device to the definition of domain '%s'",
                                  name);
    return true;
}

/* Whether the XML of take_xml() with @flags is known to have no such device. */
static bool
has_no_alias(virDomainPtr domain, guint flags, const char *alias)
{
    g_autofree char *xml = take_xml(domain, flags);
    g_autoptr(xmlDoc) doc = xml ? vgpu_xml_parse(xml, strlen(xml), "domain", NULL) : NULL;
    g_autoptr(GPtrArray) nodes = NULL;

    if (!doc)
        return false;
    nodes = vgpu_xml_nodes(doc, NULL, "/domain/devices/*/alias");
    for (guint i = 0; i < nodes->len; i++) {
        g_autofree char *name = vgpu_xml_attr(g_ptr_array_index(nodes, i), "name");

        if (g_strcmp0(name, alias) == 0)
            return false;
    }
    return true;
}

bool
vgpu_domains_detach_config(virConnectPtr conn, const char *uuid, const char *alias,
                           GError **error)
{
    const char *name = NULL;
    g_autoptr(virDomain) domain = look_up(conn, uuid, &name, error);
    g_autoptr(GError) failure = NULL;

    if (!domain)
        return false;
    if (virDomainDetachDeviceAlias(domain, alias, VIR_DOMAIN_AFFECT_CONFIG) == 0)
        return true;

    vgpu_virerror_take(&failure, "cannot remove '%s' from the definition of domain '%s'", alias,
                       name);
    /* libvirt has a code for a missing device, but 9.0 says "internal error" */
    if (g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_FAILED) &&
        has_no_alias(domain, VIR_DOMAIN_XML_INACTIVE, alias))
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

bool
vgpu_domains_detach_users_config(virConnectPtr conn, const char *uuid, const char *device_xml,
                                 GError **error)
{
    const char *name = NULL;
    g_autoptr(virDomain) domain = look_up(conn, uuid, &name, error);

    if (!domain)
        return false;
    if (virDomainDetachDeviceFlags(domain, device_xml, VIR_DOMAIN_AFFECT_CONFIG) < 0)
        return vgpu_virerror_take(error,
                                  "cannot remove a device from the definition of domain '%s'",
                                  name);
    return true;
}

/* The domain while it runs with that id. libvirt fills in the id at each look-up. */
static virDomainPtr
look_up_running(virConnectPtr conn, const char *uuid, int id, const char **name, GError **error)
{
    g_autoptr(virDomain) domain = look_up(conn, uuid, name, error);

    if (domain && (int) virDomainGetID(domain) != id) {
        g_autofree char *what = g_strdup_printf("domain '%s'", *name);

        vgpu_error_at(error, VGPU_ERROR_NOT_FOUND, what, 0, "it no longer runs with id %d", id);
        return NULL;
    }
    return g_steal_pointer(&domain);
}

bool
vgpu_domains_attach_live(virConnectPtr conn, const char *uuid, int id, const char *device_xml,
                         GError **error)
{
    const char *name = NULL;
    g_autoptr(virDomain) domain = look_up_running(conn, uuid, id, &name, error);
    g_autoptr(virDomain) still = NULL;
    g_autoptr(GError) failure = NULL;

    if (!domain)
        return false;
    if (virDomainAttachDeviceFlags(domain, device_xml, VIR_DOMAIN_AFFECT_LIVE) == 0)
        return true;

    vgpu_virerror_take(&failure, "cannot hotplug a device into domain '%s'", name);
    /* if it was stopped meanwhile, the caller has to know that */
    if (g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_FAILED) &&
        !(still = look_up_running(conn, uuid, id, &name, error)))
        return false;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

bool
vgpu_domains_detach_live(virConnectPtr conn, const char *uuid, int id, const char *alias,
                         GError **error)
{
    const char *name = NULL;
    g_autoptr(virDomain) domain = look_up_running(conn, uuid, id, &name, error);
    g_autoptr(virDomain) still = NULL;
    g_autoptr(GError) failure = NULL;

    if (!domain)
        return false;
    if (virDomainDetachDeviceAlias(domain, alias, VIR_DOMAIN_AFFECT_LIVE) == 0)
        return true;

    vgpu_virerror_take(&failure, "cannot unplug '%s' from the running domain '%s'", alias, name);
    if (g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_FAILED)) {
        if (!(still = look_up_running(conn, uuid, id, &name, error)))
            return false;
        /* QEMU's error when the same was requested before */
        if (strstr(failure->message, "in the process of unplug") ||
            has_no_alias(domain, 0, alias))
            return true;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool
is_ours(const xmlNs *ns)
{
    return ns && g_strcmp0((const char *) ns->href, VGPU_XMLNS) == 0;
}

/* Remove our namespace from @node and all below it. The declarations are removed last, since nodes
 * below refer to them. */
static void
strip_namespace(xmlNode *node)
{
    if (node->type != XML_ELEMENT_NODE)
        return;
    if (is_ours(node->ns))
        node->ns = NULL;
    for (xmlAttr *attr = node->properties; attr; attr = attr->next) {
        if (is_ours(attr->ns))
            attr->ns = NULL;
    }
    for (xmlNode *child = node->children; child; child = child->next)
        strip_namespace(child);

    for (xmlNs **link = &node->nsDef; *link;) {
        xmlNs *ns = *link;

        if (is_ours(ns)) {
            *link = ns->next;
            xmlFreeNs(ns);
        } else {
            link = &ns->next;
        }
    }
}

/* libvirt declares the namespace itself and puts every element without one into it; it refuses XML that
 * already declares the prefix. */
static char *
without_namespace(const char *element, GError **error)
{
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(element, strlen(element), "annotation", error);
    xmlNode *root;

    if (!doc)
        return NULL;
    root = xmlDocGetRootElement(doc);
    if (!is_ours(root->ns)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "annotation: <%s> is not of %s",
                    (const char *) root->name, VGPU_XMLNS);
        return NULL;
    }
    strip_namespace(root);
    return vgpu_xml_dump(root);
}

static bool
set_annotation(virDomainPtr domain, const char *name, const char *element, guint flags,
               GError **error)
{
    g_autofree char *plain = NULL;

    if (element && !(plain = without_namespace(element, error)))
        return false;
    if (virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, plain, VGPU_XML_PREFIX,
                             VGPU_XMLNS, flags) < 0)
        return vgpu_virerror_take(error, "cannot annotate domain '%s'", name);
    return true;
}

bool
vgpu_domains_set_annotation(virConnectPtr conn, const char *uuid, const char *element,
                            GError **error)
{
    const char *name = NULL;
    g_autoptr(virDomain) domain = look_up(conn, uuid, &name, error);
    int persistent = domain ? virDomainIsPersistent(domain) : -1;
    int active = domain ? virDomainIsActive(domain) : -1;

    if (!domain)
        return false;
    if (persistent < 0 || active < 0)
        return vgpu_virerror_take(error, "cannot annotate domain '%s'", name);
    return set_annotation(domain, name, element,
                          (persistent ? VIR_DOMAIN_AFFECT_CONFIG : 0) |
                              (active ? VIR_DOMAIN_AFFECT_LIVE : 0),
                          error);
}

bool
vgpu_domains_set_annotation_in(virConnectPtr conn, const char *uuid, const char *element,
                               bool live, bool config, GError **error)
{
    const char *name = NULL;
    g_autoptr(virDomain) domain = look_up(conn, uuid, &name, error);

    return domain && set_annotation(domain, name, element,
                                    (config ? VIR_DOMAIN_AFFECT_CONFIG : 0) |
                                        (live ? VIR_DOMAIN_AFFECT_LIVE : 0),
                                    error);
}

bool
vgpu_domains_start(virConnectPtr conn, const char *uuid, GError **error)
{
    const char *name = NULL;
    g_autoptr(virDomain) domain = look_up(conn, uuid, &name, error);

    if (!domain)
        return false;
    if (virDomainCreate(domain) < 0)
        return vgpu_virerror_take(error, "cannot start domain '%s'", name);
    return true;
}

bool
vgpu_domains_has_autostart(virConnectPtr conn, const char *uuid, bool *autostart, GError **error)
{
    const char *name = NULL;
    g_autoptr(virDomain) domain = look_up(conn, uuid, &name, error);
    int flag = 0;

    if (!domain)
        return false;
    if (virDomainGetAutostart(domain, &flag) < 0)
        return vgpu_virerror_take(error, "cannot get the autostart setting of domain '%s'", name);
    *autostart = flag;
    return true;
}
