/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain/annotation.h"

#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"
#include "base/uuid.h"
#include "base/xml.h"
#include "domain/additions.h"
#include "domain/params.h"
#include "domain/schema.h"

/* Whether an element is in our namespace, or in that of another version of virt-vgpu. */
static bool
is_of_our_family(xmlNode *node)
{
    return node->type == XML_ELEMENT_NODE && node->ns &&
           g_str_has_prefix((const char *) node->ns->href, VGPU_XMLNS_FAMILY);
}

static bool
find_in_metadata(xmlNode *metadata, const char *what, xmlNode **devices, GError **error)
{
    for (xmlNode *node = metadata->children; node; node = node->next) {
        if (!is_of_our_family(node))
            continue;
        if (!g_str_equal((const char *) node->ns->href, VGPU_XMLNS))
            return vgpu_schema_refuse(error, VGPU_ERROR_NOT_SUPPORTED, what, xmlGetLineNo(node),
                                      "namespace version '%s' is not supported by this version, "
                                      "which reads " VGPU_XMLNS,
                                      (const char *) node->ns->href + strlen(VGPU_XMLNS_FAMILY));
        if (!g_str_equal((const char *) node->name, "devices"))
            return vgpu_schema_refuse(
                error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(node),
                "unknown element <vgpu:%s> in <metadata>; known: <vgpu:devices>",
                (const char *) node->name);
        if (*devices)
            return vgpu_schema_refuse(
                error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(node),
                "a second <vgpu:devices>; a domain has one, with all its devices");
        *devices = node;
    }
    return true;
}

/* @devices stays NULL when there is no annotation. */
static bool
find_devices(xmlNode *root, const char *what, xmlNode **devices, GError **error)
{
    for (xmlNode *node = root->children; node; node = node->next) {
        if (is_of_our_family(node))
            return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(node),
                                      "<vgpu:%s> belongs in <metadata>",
                                      (const char *) node->name);
        if (node->type == XML_ELEMENT_NODE && !node->ns &&
            g_str_equal((const char *) node->name, "metadata") &&
            !find_in_metadata(node, what, devices, error))
            return false;
    }
    return true;
}

static bool
has_attribute(xmlNode *device, const char *name)
{
    return xmlHasNsProp(device, BAD_CAST name, NULL) != NULL;
}

static VgpuSwitch
read_switch(xmlNode *device, const char *name)
{
    g_autofree char *value = vgpu_xml_attr(device, name);

    if (!value || g_str_equal(value, "auto"))
        return VGPU_SWITCH_AUTO;
    return g_str_equal(value, "on") || g_str_equal(value, "yes") ? VGPU_SWITCH_ON
                                                                 : VGPU_SWITCH_OFF;
}

static VgpuPlacement
read_placement(xmlNode *device)
{
    g_autofree char *value = vgpu_xml_attr(device, "placement");

    if (g_strcmp0(value, "spread") == 0)
        return VGPU_PLACEMENT_SPREAD;
    return g_strcmp0(value, "numa") == 0 ? VGPU_PLACEMENT_NUMA : VGPU_PLACEMENT_PACK;
}

static char **
read_profiles(xmlNode *device)
{
    g_autoptr(GPtrArray) children = vgpu_xml_nodes(device->doc, device, "vgpu:profile");
    GPtrArray *profiles = g_ptr_array_new();
    char *attribute = vgpu_xml_attr(device, "profile");

    if (attribute)
        g_ptr_array_add(profiles, attribute);
    for (guint i = 0; i < children->len; i++)
        g_ptr_array_add(profiles, vgpu_xml_attr(children->pdata[i], "name"));
    g_ptr_array_add(profiles, NULL);
    return (char **) g_ptr_array_free(profiles, FALSE);
}

static void
read_request(xmlNode *device, const VgpuSwitch *switches, const char *raw_params,
             VgpuRequest *out)
{
    out->placement = read_placement(device);
    out->has_placement = has_attribute(device, "placement");
    out->display = read_switch(device, "display");
    out->has_display = has_attribute(device, "display");
    out->ramfb = read_switch(device, "ramfb");
    out->has_ramfb = has_attribute(device, "ramfb");
    out->driver_iso = read_switch(device, "driverISO");
    memcpy(out->params, switches, sizeof(out->params));
    out->raw_params = g_strdup(raw_params);
}

static VgpuWant *
want_new(xmlNode *device, guint index, const char *domain_uuid, const VgpuSwitch *switches,
         const char *raw_params, const char *additions)
{
    VgpuWant *self = g_new0(VgpuWant, 1);
    g_autofree char *uuid = vgpu_xml_attr(device, "uuid");
    g_autofree char *gpu = vgpu_xml_attr(device, "gpu");

    self->index = index;
    self->line = xmlGetLineNo(device);
    self->pool = vgpu_xml_attr(device, "pool");
    self->profiles = read_profiles(device);
    self->gpu = vgpu_pciaddr_canonical(gpu);
    self->late_attach = !vgpu_xml_attr_differs(device, "lateAttach", "on");
    self->create_at_define = vgpu_xml_attr_differs(device, "create", "start");
    self->uuid_is_users = uuid != NULL;
    if (uuid)
        self->uuid = vgpu_uuid_canonical(uuid);
    else if (domain_uuid)
        self->uuid = vgpu_uuid_for_domain(domain_uuid, index);
    self->additions = g_strdup(additions);
    read_request(device, switches, raw_params, &self->asked);
    vgpu_want_apply(self, NULL);
    return self;
}

void
vgpu_want_apply(VgpuWant *self, const VgpuDefaults *defaults)
{
    static const VgpuDefaults nothing = { 0 };
    const VgpuDefaults *from = defaults ? defaults : &nothing;
    const VgpuRequest *asked = &self->asked;

    self->display = asked->has_display ? asked->display : from->display;
    self->ramfb = asked->has_ramfb ? asked->ramfb : from->ramfb;
    self->driver_iso =
        asked->driver_iso == VGPU_SWITCH_AUTO ? from->driver_iso : asked->driver_iso;
    self->placement = asked->has_placement ? asked->placement : from->placement;
    self->placement_given = asked->has_placement || from->placement_given;
    g_free(self->params);
    self->params = vgpu_params_format(asked->params, asked->raw_params, from->params);
}

bool
vgpu_want_equal(const VgpuWant *a, const VgpuWant *b)
{
    return g_strv_equal((const char *const *) a->profiles, (const char *const *) b->profiles) &&
           g_strcmp0(a->pool, b->pool) == 0 && g_strcmp0(a->gpu, b->gpu) == 0 &&
           g_strcmp0(a->params, b->params) == 0 && a->uuid_is_users == b->uuid_is_users &&
           (!a->uuid_is_users || g_strcmp0(a->uuid, b->uuid) == 0);
}

void
vgpu_want_free(VgpuWant *self)
{
    if (!self)
        return;
    g_free(self->pool);
    g_strfreev(self->profiles);
    g_free(self->gpu);
    g_free(self->uuid);
    g_free(self->additions);
    g_free(self->asked.raw_params);
    g_free(self->params);
    g_free(self->vf);
    g_free(self);
}

/* A UUID that the user gives must not be that of another vGPU of this domain, now or later. */
static bool
check_uuid(const GPtrArray *wants, const VgpuWant *want, const char *domain_uuid,
           const char *what, GError **error)
{
    for (guint i = 0; i < wants->len; i++) {
        const VgpuWant *other = wants->pdata[i];
        g_autofree char *computed = domain_uuid ? vgpu_uuid_for_domain(domain_uuid, i) : NULL;

        if (g_strcmp0(computed, want->uuid) == 0)
            return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, want->line,
                                      "uuid='%s' is the one that virt-vgpu gives to vGPU %u of "
                                      "this domain; leave it out",
                                      want->uuid, i);
        if (i < want->index && g_strcmp0(other->uuid, want->uuid) == 0)
            return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, want->line,
                                      "uuid='%s' is named by two <vgpu:device> elements",
                                      want->uuid);
    }
    return true;
}

/* Two devices cannot be at one place in the guest, nor be booted from at the same time. */
static bool
check_additions(const GPtrArray *wants, const VgpuWant *want, const char *what, GError **error)
{
    g_autofree char *place = vgpu_additions_place(want->additions);
    guint order = vgpu_additions_boot_order(want->additions);

    for (guint i = 0; (place || order) && i < want->index; i++) {
        const VgpuWant *other = wants->pdata[i];
        g_autofree char *its = vgpu_additions_place(other->additions);

        if (place && g_strcmp0(its, place) == 0)
            return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, want->line,
                                      "vGPUs %u and %u ask for the same place in the guest, %s",
                                      i, want->index, place);
        if (order && vgpu_additions_boot_order(other->additions) == order)
            return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, want->line,
                                      "vGPUs %u and %u have the same <boot order='%u'/>", i,
                                      want->index, order);
    }
    return true;
}

/* Check the vGPUs of a domain against each other. */
static bool
check_all(const GPtrArray *wants, const char *domain_uuid, const char *what, GError **error)
{
    for (guint i = 0; i < wants->len; i++) {
        const VgpuWant *want = wants->pdata[i];

        if ((want->uuid_is_users && !check_uuid(wants, want, domain_uuid, what, error)) ||
            !check_additions(wants, want, what, error))
            return false;
    }
    return true;
}

static bool
expand(xmlNode *devices, const char *domain_uuid, const char *what, GPtrArray *wants,
       GError **error)
{
    g_autoptr(GPtrArray) list = vgpu_xml_nodes(devices->doc, devices, "vgpu:device");

    for (guint i = 0; i < list->len; i++) {
        xmlNode *device = list->pdata[i];
        g_autofree char *count = vgpu_xml_attr(device, "count");
        VgpuSwitch switches[VGPU_N_PARAMS];
        g_autofree char *raw = NULL, *additions = NULL;

        if (!vgpu_params_parse(device, what, switches, &raw, error) ||
            !vgpu_additions_parse(device, what, &additions, error))
            return false;
        for (guint n = count ? (guint) g_ascii_strtoull(count, NULL, 10) : 1; n > 0; n--) {
            if (wants->len == VGPU_COUNT_MAX)
                return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what,
                                          xmlGetLineNo(device),
                                          "more than %u vGPUs for one domain", VGPU_COUNT_MAX);
            g_ptr_array_add(wants,
                            want_new(device, wants->len, domain_uuid, switches, raw, additions));
        }
    }
    return check_all(wants, domain_uuid, what, error);
}

static bool
check_counts(xmlNode *devices, const char *what, GError **error)
{
    guint n = 0;

    for (xmlNode *device = devices->children; device; device = device->next) {
        n += device->type == XML_ELEMENT_NODE;
        if (n > VGPU_COUNT_MAX)
            return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(device),
                                      "more than %u vGPUs for one domain", VGPU_COUNT_MAX);
        if (xmlChildElementCount(device) > VGPU_CHILDREN_MAX)
            return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(device),
                                      "more than %u elements in one device", VGPU_CHILDREN_MAX);
    }
    return true;
}

bool
vgpu_annotation_parse(xmlNode *root, const char *domain_uuid, const char *what,
                      VgpuAnnotation *out, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_want_free);
    xmlNode *devices = NULL;

    if (!find_devices(root, what, &devices, error))
        return false;
    if (devices &&
        (!check_counts(devices, what, error) || !vgpu_schema_check(devices, what, error) ||
         !expand(devices, domain_uuid, what, list, error)))
        return false;

    *out = (VgpuAnnotation) {
        .annotated = devices != NULL,
        .wants = g_steal_pointer(&list),
        .tenant = devices ? vgpu_xml_attr(devices, "tenant") : NULL,
        .keep_room = devices ? read_switch(devices, "keepRoom") : VGPU_SWITCH_AUTO,
    };
    return true;
}
