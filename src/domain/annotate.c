/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain/annotate.h"

#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"
#include "base/uuid.h"
#include "base/xml.h"
#include "domain/inject.h"
#include "domain/migratable.h"
#include "domain/schema.h"

/* The source in errors of an annotation that is not in a domain. */
#define ANNOTATION "the annotation"
#define ANY_VERSION "*[starts-with(namespace-uri(), '" VGPU_XMLNS_FAMILY "')]"

static void
add_attribute(GString *xml, const char *name, const char *value)
{
    g_autofree char *escaped = value ? g_markup_escape_text(value, -1) : NULL;

    if (escaped)
        g_string_append_printf(xml, " %s=\"%s\"", name, escaped);
}

static void
add_profile(GString *xml, const char *name)
{
    g_string_append(xml, "<vgpu:profile");
    add_attribute(xml, "name", name);
    g_string_append(xml, "/>");
}

/* One without a '=' gets no value, which is refused like any that lacks it. */
static void
add_param(GString *xml, const char *param)
{
    const char *value = strchr(param, '=');
    g_autofree char *name = value ? g_strndup(param, (gsize) (value - param)) : g_strdup(param);

    g_string_append(xml, "<vgpu:param");
    add_attribute(xml, "name", name);
    add_attribute(xml, "value", value ? value + 1 : NULL);
    g_string_append(xml, "/>");
}

/* An invalid PCI address is passed on, to be refused like any other. */
static void
add_guest_address(GString *xml, const char *address)
{
    VgpuPciAddr addr = { 0 };
    bool valid = vgpu_pciaddr_parse(address, &addr);
    g_autofree char *slot = valid ? g_strdup_printf("0x%02x", addr.slot) : g_strdup(address);

    g_string_append_printf(xml,
                           "<vgpu:hostdev><address type=\"pci\" domain=\"0x%04x\" "
                           "bus=\"0x%02x\"",
                           addr.domain, addr.bus);
    add_attribute(xml, "slot", slot);
    g_string_append_printf(xml, " function=\"0x%x\"/></vgpu:hostdev>", addr.function);
}

static void
add_children(GString *xml, const VgpuAnnotateOptions *options)
{
    bool has_alternatives = options->alternatives && options->alternatives[0];

    if (has_alternatives && options->profile)
        add_profile(xml, options->profile);
    for (gsize i = 0; has_alternatives && options->alternatives[i]; i++)
        add_profile(xml, options->alternatives[i]);
    for (gsize i = 0; options->params && options->params[i]; i++)
        add_param(xml, options->params[i]);
    if (options->guest_address)
        add_guest_address(xml, options->guest_address);
    else if (options->hostdev)
        g_string_append_printf(xml, "<vgpu:hostdev>%s</vgpu:hostdev>", options->hostdev);
}

static void
add_device(GString *xml, const VgpuAnnotateOptions *options)
{
    bool has_alternatives = options->alternatives && options->alternatives[0];
    g_autofree char *count = options->count ? g_strdup_printf("%u", options->count) : NULL;
    g_autoptr(GString) children = g_string_new(NULL);

    g_string_append(xml, "<vgpu:device");
    add_attribute(xml, "pool", options->pool);
    add_attribute(xml, "profile", has_alternatives ? NULL : options->profile);
    add_attribute(xml, "count", count);
    add_attribute(xml, "uuid", options->uuid);
    add_attribute(xml, "gpu", options->gpu);
    add_attribute(xml, "placement", options->placement);
    add_attribute(xml, "display", options->display);
    add_attribute(xml, "ramfb", options->ramfb);
    add_attribute(xml, "driverISO", options->driver_iso);
    add_attribute(xml, "create", options->create);
    add_attribute(xml, "lateAttach", options->late_attach);
    add_attribute(xml, "frameRateLimit", options->frame_rate_limit);
    add_attribute(xml, "consoleVNC", options->console_vnc);
    add_attribute(xml, "unifiedMemory", options->unified_memory);
    add_attribute(xml, "debugging", options->debugging);
    add_attribute(xml, "profiling", options->profiling);
    add_children(children, options);
    if (children->len)
        g_string_append_printf(xml, ">%s</vgpu:device>", children->str);
    else
        g_string_append(xml, "/>");
}

/* The element as text, without any blanks between its parts. */
static char *
format_element(const VgpuAnnotateOptions *options)
{
    GString *xml = g_string_new("<vgpu:devices xmlns:vgpu=\"" VGPU_XMLNS "\"");

    add_attribute(xml, "tenant", options->tenant);
    add_attribute(xml, "keepRoom", options->keep_room);
    g_string_append(xml, ">");
    add_device(xml, options);
    g_string_append(xml, "</vgpu:devices>");
    return g_string_free(xml, FALSE);
}

/* A domain around it, since an annotation is read from one. */
static bool
validate_text(const char *element, GError **error)
{
    g_autofree char *xml = g_strdup_printf("<domain><name>any</name><metadata>%s</metadata>"
                                           "</domain>",
                                           element);
    g_autoptr(VgpuDomain) domain = vgpu_domain_parse(xml, strlen(xml), ANNOTATION, error);

    return domain != NULL;
}

static bool
validate_element(const VgpuAnnotateOptions *options, GError **error)
{
    g_autofree char *element = format_element(options);

    return validate_text(element, error);
}

char *
vgpu_annotate_element(const VgpuAnnotateOptions *options, GError **error)
{
    return validate_element(options, error) ? format_element(options) : NULL;
}

/* The valid annotation @element as a document of its own; NULL with @error when it is not one. */
static xmlDoc *
parse_element(const char *element, GError **error)
{
    return validate_text(element, error)
               ? vgpu_xml_parse(element, strlen(element), ANNOTATION, error)
               : NULL;
}

/* Give elements copied from another annotation the prefix of their new parent. */
static void
set_namespace(xmlNode *node, xmlNs *ns)
{
    xmlSetNs(node, ns);
    for (xmlNode *child = xmlFirstElementChild(node); child; child = xmlNextElementSibling(child))
        set_namespace(child, ns);
}

static void
append_device(xmlNode *devices, const VgpuAnnotateOptions *options)
{
    g_autofree char *text = format_element(options);
    g_autoptr(xmlDoc) fragment = vgpu_xml_parse(text, strlen(text), ANNOTATION, NULL);
    xmlNode *device = xmlDocCopyNode(vgpu_xml_node(fragment, NULL, "/vgpu:devices/vgpu:device"),
                                     devices->doc, 1);

    set_namespace(device, devices->ns);
    xmlFreeNsList(device->nsDef);
    device->nsDef = NULL;
    vgpu_xml_insert(devices, xmlLastElementChild(devices), device);
}

char *
vgpu_annotate_append(const char *element, const VgpuAnnotateOptions *options, GError **error)
{
    g_autoptr(xmlDoc) doc = NULL;
    g_autofree char *text = NULL;
    xmlNode *devices;

    if (!validate_element(options, error))
        return NULL;
    if (!element)
        return format_element(options);
    if (!(doc = parse_element(element, error)))
        return NULL;

    devices = xmlDocGetRootElement(doc);
    if (options->tenant)
        xmlSetProp(devices, BAD_CAST "tenant", BAD_CAST options->tenant);
    if (options->keep_room)
        xmlSetProp(devices, BAD_CAST "keepRoom", BAD_CAST options->keep_room);
    append_device(devices, options);
    text = vgpu_xml_dump(devices);
    return validate_text(text, error) ? g_steal_pointer(&text) : NULL;
}

static guint
count_of(xmlNode *device)
{
    g_autofree char *count = vgpu_xml_attr(device, "count");

    return count ? (guint) g_ascii_strtoull(count, NULL, 10) : 1;
}

/* The element of device number @index, NULL when there is none. */
static xmlNode *
find_device(xmlDoc *doc, guint index)
{
    g_autoptr(GPtrArray) devices = vgpu_xml_nodes(doc, NULL, "/vgpu:devices/vgpu:device");

    for (guint i = 0; i < devices->len; i++) {
        guint count = count_of(devices->pdata[i]);

        if (index < count)
            return devices->pdata[i];
        index -= count;
    }
    return NULL;
}

static void
remove_one(xmlNode *device)
{
    guint left = count_of(device) - 1;
    g_autofree char *count = g_strdup_printf("%u", left);

    if (left == 0)
        vgpu_xml_remove(device);
    else if (left == 1)
        xmlUnsetProp(device, BAD_CAST "count");
    else
        xmlSetProp(device, BAD_CAST "count", BAD_CAST count);
}

bool
vgpu_annotate_remove(const char *element, guint index, char **out, GError **error)
{
    g_autoptr(xmlDoc) doc = parse_element(element, error);
    xmlNode *device;

    if (!doc)
        return false;
    if (!(device = find_device(doc, index)))
        return vgpu_schema_refuse(error, VGPU_ERROR_NOT_FOUND, ANNOTATION, 0, "it has no vGPU %u",
                                  index);
    if (xmlHasNsProp(device, BAD_CAST "uuid", NULL))
        return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, ANNOTATION, xmlGetLineNo(device),
                                  "vGPU %u has a uuid='…' and a <hostdev> of the domain's own; "
                                  "remove both from the domain, with 'virsh edit'",
                                  index);
    remove_one(device);
    *out = find_device(doc, 0) ? vgpu_xml_dump(xmlDocGetRootElement(doc)) : NULL;
    return true;
}

/* In a document of its own, since the namespace may be declared further up. */
static xmlDoc *
copy_element(xmlNode *element)
{
    xmlDoc *doc = xmlNewDoc(NULL);

    xmlDocSetRootElement(doc, xmlDocCopyNode(element, doc, 1));
    return doc;
}

char *
vgpu_annotate_extract(const VgpuDomain *domain)
{
    xmlNode *devices = vgpu_xml_node(domain->doc, NULL, "/domain/metadata/vgpu:devices");
    g_autoptr(xmlDoc) doc = devices ? copy_element(devices) : NULL;

    return doc ? vgpu_xml_dump(xmlDocGetRootElement(doc)) : NULL;
}

char *
vgpu_annotate_show(xmlDoc *doc)
{
    xmlNode *devices = vgpu_xml_node(doc, NULL, "/domain/metadata/vgpu:devices");
    g_autoptr(xmlDoc) copy = NULL;

    if (!devices && !(devices = vgpu_xml_node(doc, NULL, "/domain/metadata/" ANY_VERSION)))
        return NULL;
    copy = copy_element(devices);
    vgpu_xml_remove_blanks(xmlDocGetRootElement(copy));
    vgpu_xml_indent(xmlDocGetRootElement(copy));
    return vgpu_xml_dump(xmlDocGetRootElement(copy));
}

static xmlNode *
last_of(xmlDoc *doc, const char *xpath)
{
    g_autoptr(GPtrArray) nodes = vgpu_xml_nodes(doc, NULL, xpath);

    return nodes->len ? nodes->pdata[nodes->len - 1] : NULL;
}

/* Right after the name, where libvirt writes it. */
static void
add_uuid(xmlDoc *doc, const char *wanted)
{
    g_autofree char *uuid = NULL;
    xmlNode *node;

    if (vgpu_xml_node(doc, NULL, "/domain/uuid"))
        return;
    uuid = wanted ? g_strdup(wanted) : vgpu_uuid_random();
    node = xmlNewDocNode(doc, NULL, BAD_CAST "uuid", NULL);
    vgpu_xml_insert(xmlDocGetRootElement(doc), last_of(doc, "/domain/name"), node);
    xmlNodeAddContent(node, BAD_CAST uuid);
}

static xmlNode *
need_metadata(xmlDoc *doc)
{
    xmlNode *metadata = vgpu_xml_node(doc, NULL, "/domain/metadata");

    if (!metadata) {
        metadata = xmlNewDocNode(doc, NULL, BAD_CAST "metadata", NULL);
        /* the elements that libvirt writes before it */
        vgpu_xml_insert(xmlDocGetRootElement(doc),
                        last_of(doc, "/domain/name | /domain/uuid | /domain/genid | "
                                     "/domain/title | /domain/description"),
                        metadata);
    }
    return metadata;
}

/* Elements without a line in the original document must not be reported with one. */
static void
forget_lines(xmlNode *node)
{
    node->line = 0;
    for (xmlNode *child = node->children; child; child = child->next)
        forget_lines(child);
}

/* Only the pool knows the image. An existing one stays, unless no device can want it. */
static void
keep_driver(VgpuDomain *domain)
{
    for (guint i = 0; i < domain->wants->len && !domain->driver_iso; i++) {
        const VgpuWant *want = domain->wants->pdata[i];

        if (want->driver_iso == VGPU_SWITCH_ON ||
            (want->driver_iso == VGPU_SWITCH_AUTO && want->pool))
            domain->driver_iso = g_strdup(domain->driver_disk_file);
    }
}

void
vgpu_annotate_complete(VgpuDomain *domain, const VgpuAnnotateOptions *options)
{
    for (guint i = 0; options && options->default_profile && i < domain->wants->len; i++) {
        VgpuWant *want = domain->wants->pdata[i];
        g_autofree char *profile = NULL;

        if (*want->profiles || !(profile = options->default_profile(want->pool, options->opaque)))
            continue;
        g_strfreev(want->profiles);
        want->profiles = g_strdupv((char *[]) { profile, NULL });
    }
}

/* An existing annotation, of any version, is replaced by the new one. */
void
vgpu_annotate_put(xmlDoc *doc, const char *element)
{
    g_autoptr(xmlDoc) fragment = vgpu_xml_parse(element, strlen(element), "annotation", NULL);
    xmlNode *node = xmlDocCopyNode(xmlDocGetRootElement(fragment), doc, 1);
    xmlNode *metadata = need_metadata(doc);
    g_autoptr(GPtrArray) old = vgpu_xml_nodes(doc, metadata, ANY_VERSION);

    forget_lines(node);
    vgpu_xml_remove_blanks(node);
    vgpu_xml_insert(metadata, old->len ? old->pdata[0] : xmlLastElementChild(metadata), node);
    for (guint i = 0; i < old->len; i++)
        vgpu_xml_remove(old->pdata[i]);
}

/* There is no annotation, or only a misplaced one. */
static void
refuse_absence(const VgpuDomain *domain, const GPtrArray *lints, GError **error)
{
    const VgpuLint *stray = vgpu_lint_find_error(lints);

    vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, domain->what, stray ? stray->line : 0, "%s",
                       stray ? stray->text : "the domain has no <vgpu:devices>");
}

static void
put_options(xmlDoc *doc, const VgpuAnnotateOptions *options)
{
    g_autofree char *element = format_element(options);

    vgpu_annotate_put(doc, element);
}

char *
vgpu_annotate_document(const char *xml, gsize len, const char *what,
                       const VgpuAnnotateOptions *options, GError **error)
{
    bool replace = options && !options->keep;
    g_autoptr(xmlDoc) doc = NULL;
    g_autoptr(VgpuDomain) domain = NULL;
    g_autoptr(GPtrArray) lints = NULL;
    g_autoptr(GPtrArray) changes = NULL;

    if (replace && !validate_element(options, error))
        return NULL;
    if (!(doc = vgpu_xml_parse(xml, len, what ? what : "domain XML", error)))
        return NULL;

    if (replace)
        put_options(doc, options);
    add_uuid(doc, options ? options->domain_uuid : NULL);
    if (!(domain = vgpu_domain_from_doc(g_steal_pointer(&doc), what, error)))
        return NULL;
    vgpu_annotate_complete(domain, options);
    lints = vgpu_lint_domain(domain, options ? options->host : NULL);
    if (!domain->annotated) {
        refuse_absence(domain, lints, error);
        return NULL;
    }
    if (options && options->lints)
        *options->lints = g_steal_pointer(&lints);
    keep_driver(domain);
    if (!(changes = vgpu_inject_plan(domain, 0, error)))
        return NULL;
    if (options && options->no_hostdev) /* then the plan is only made for its refusals */
        g_ptr_array_set_size(changes, 0);
    if (options && options->migratable)
        vgpu_migratable_put(domain);
    return vgpu_inject_apply(domain, changes);
}

/* False: there was none. */
static bool
take_annotation(xmlDoc *doc)
{
    g_autoptr(GPtrArray) old = vgpu_xml_nodes(doc, NULL, "/domain/metadata/" ANY_VERSION);
    xmlNode *metadata = old->len ? ((xmlNode *) old->pdata[0])->parent : NULL;

    for (guint i = 0; i < old->len; i++)
        vgpu_xml_remove(old->pdata[i]);
    if (metadata && !xmlFirstElementChild(metadata))
        vgpu_xml_remove(metadata);
    return old->len > 0;
}

char *
vgpu_annotate_strip(const char *xml, gsize len, const char *what, GPtrArray **changes,
                    GError **error)
{
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, len, what, error);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(VgpuDomain) domain = NULL;
    g_autoptr(GPtrArray) detach = NULL;
    char *text;

    if (!doc)
        return NULL;
    if (take_annotation(doc))
        g_ptr_array_add(lines, g_strdup("annotation removed"));
    if (!(domain = vgpu_domain_from_doc(g_steal_pointer(&doc), what, error)))
        return NULL;
    if (!domain->uuid) /* as in a file by hand; nothing of it gets into the rest */
        domain->uuid = vgpu_uuid_random();
    if (!(detach = vgpu_inject_plan(domain, 0, error)))
        return NULL;
    for (guint i = 0; i < detach->len; i++)
        g_ptr_array_add(lines, g_strdup(((const VgpuChange *) detach->pdata[i])->text));
    text = vgpu_inject_apply(domain, detach);
    *changes = g_steal_pointer(&lines);
    return text;
}
