/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain/import.h"

#include <string.h>

#include "domain/annotate.h"
#include "domain/hostdev.h"
#include "domain/inject.h"
#include "domain/schema.h"

void
vgpu_import_free(VgpuImport *self)
{
    if (!self)
        return;
    g_free(self->annotation);
    g_free(self->old);
    g_clear_pointer(&self->replaced, g_ptr_array_unref);
    g_free(self->numbers);
    g_free(self->before);
    g_free(self->after);
    g_free(self);
}

bool
vgpu_import_is_candidate(const VgpuDomain *domain, const VgpuHostdev *hostdev)
{
    if (hostdev->index >= 0 || (!hostdev->uuid && !hostdev->source))
        return false;
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = domain->wants->pdata[i];

        if (want->uuid_is_users && g_strcmp0(want->uuid, hostdev->uuid) == 0)
            return false;
    }
    return true;
}

/* For an mdev: its <hostdev> stays as it is. */
static bool
is_kept(const VgpuImportDevice *device)
{
    return !vgpu_interface_is_on_vf(device->interface);
}

/* The vGPU of the annotation that is on the VF of @hostdev and has no <hostdev> of ours, as an import leaves it that
 * ended half-way; *@out -1: none. False with an error: it is another vGPU than @device. */
static bool
find_begun(const VgpuDomain *domain, const VgpuImportDevice *device, int *out, GError **error)
{
    const VgpuHostdev *hostdev = domain->hostdevs->pdata[device->hostdev];

    *out = -1;
    for (guint i = 0; !is_kept(device) && i < domain->wants->len; i++) {
        const VgpuWant *want = domain->wants->pdata[i];

        if (g_strcmp0(want->gpu, hostdev->source) != 0 || vgpu_domain_find_ours(domain, i))
            continue;
        if (!g_strv_contains((const char *const *) want->profiles, device->profile))
            return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, domain->what, hostdev->line,
                                      "the annotation has vGPU %u on the VF %s of this "
                                      "<hostdev> already, and not as %s: remove one of them",
                                      i, hostdev->source, device->profile);
        *out = (int) i;
        return true;
    }
    return true;
}

/* The vGPU number of each of @devices: the one that the annotation already gives it, or the next one.
 * NULL with an error. */
static guint *
number_all(const VgpuDomain *domain, const VgpuImportDevice *devices, guint n, GError **error)
{
    g_autofree guint *numbers = g_new0(guint, n + 1);
    guint next = domain->wants->len;

    for (guint i = 0; i < n; i++) {
        int begun;

        if (!find_begun(domain, &devices[i], &begun, error))
            return NULL;
        numbers[i] = begun < 0 ? next++ : (guint) begun;
    }
    return g_steal_pointer(&numbers);
}

/* What libvirt itself writes for every device: it has no meaning for the next one. */
static bool
is_of_device(const xmlNode *child)
{
    return xmlStrEqual(child->name, BAD_CAST "source") ||
           xmlStrEqual(child->name, BAD_CAST "alias");
}

static bool
is_addition(const xmlNode *child)
{
    static const char *const names[] = { "address", "rom", "boot", "driver", NULL };

    return g_strv_contains(names, (const char *) child->name);
}

/* The contents of <vgpu:hostdev> that make ours equal to @node; *@out NULL: none. */
static bool
collect_additions(xmlNode *node, const VgpuDomain *domain, char **out, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (xmlNode *child = xmlFirstElementChild(node); child;
         child = xmlNextElementSibling(child)) {
        g_autofree char *xml = NULL;

        if (is_of_device(child))
            continue;
        if (!is_addition(child))
            return vgpu_schema_refuse(
                error, VGPU_ERROR_BAD_REQUEST, domain->what, xmlGetLineNo(child),
                "the <hostdev> has <%s>, which an annotation cannot express; remove it, and add "
                "it to the new <hostdev> afterwards",
                (const char *) child->name);
        xml = vgpu_xml_dump(child);
        g_string_append(text, xml);
    }
    *out = text->len ? g_strdup(text->str) : NULL;
    return true;
}

/* The annotation @element (NULL: none) with @device more. */
static char *
add_device(const char *element, const VgpuDomain *domain, const VgpuImportDevice *device,
           GError **error)
{
    g_autoptr(GPtrArray) nodes = vgpu_domain_hostdev_nodes(domain);
    const VgpuHostdev *hostdev = domain->hostdevs->pdata[device->hostdev];
    VgpuAnnotateOptions options = {
        .pool = device->pool,
        .profile = device->profile,
        .gpu = device->gpu,
    };
    g_autofree char *additions = NULL;

    if (is_kept(device)) {
        options.uuid = hostdev->uuid;
        return vgpu_annotate_append(element, &options, error);
    }
    if (!collect_additions(nodes->pdata[device->hostdev], domain, &additions, error))
        return NULL;
    options.gpu = hostdev->source;
    options.hostdev = additions;
    if (device->interface == VGPU_INTERFACE_VENDOR_VFIO) { /* a plain VF cannot have them */
        options.display = hostdev->display ? "on" : "off";
        options.ramfb = hostdev->ramfb ? "on" : "off";
    }
    return vgpu_annotate_append(element, &options, error);
}

static char *
annotate(const VgpuDomain *domain, const VgpuImport *import, const VgpuImportDevice *devices,
         guint n, GError **error)
{
    g_autofree char *element = g_strdup(import->old);

    for (guint i = 0; i < n; i++) {
        char *more = import->numbers[i] < domain->wants->len
                         ? g_strdup(element)
                         : add_device(element, domain, &devices[i], error);

        if (!more)
            return NULL;
        g_free(element);
        element = more;
    }
    return g_steal_pointer(&element);
}

/* Remove the replaced <hostdev>s from the document of @domain. */
static void
take_out(const VgpuDomain *domain, const VgpuImportDevice *devices, guint n, GPtrArray *replaced)
{
    g_autoptr(GPtrArray) nodes = vgpu_domain_hostdev_nodes(domain);

    for (guint i = 0; i < n; i++) {
        xmlNode *node = nodes->pdata[devices[i].hostdev];

        if (is_kept(&devices[i]))
            continue;
        g_ptr_array_add(replaced, vgpu_xml_dump(node));
        vgpu_xml_remove(node);
    }
}

/* Anticipate the daemon's decisions about the definition: other vGPUs stay where they are, and the
 * places of imported ones are known. */
static void
decide(VgpuDomain *domain, const VgpuDomain *before, const guint *numbers,
       const VgpuImportDevice *devices, guint n)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        VgpuWant *want = domain->wants->pdata[i];
        const VgpuHostdev *there = vgpu_domain_find_ours(domain, i);

        if (there && there->source) {
            want->interface = there->managed ? VGPU_INTERFACE_VF : VGPU_INTERFACE_VENDOR_VFIO;
            want->vf = g_strdup(there->source);
        }
    }
    for (guint i = 0; i < n; i++) {
        VgpuWant *want = domain->wants->pdata[numbers[i]];
        const VgpuHostdev *old = before->hostdevs->pdata[devices[i].hostdev];

        want->interface = devices[i].interface;
        g_free(want->vf);
        want->vf = g_strdup(old->source);
    }
    domain->driver_iso = g_strdup(domain->driver_disk_file);
}

VgpuImport *
vgpu_import_plan(const char *xml, const char *what, const VgpuImportDevice *devices, guint n,
                 gulong libvirt, GError **error)
{
    g_autoptr(VgpuImport) self = g_new0(VgpuImport, 1);
    g_autoptr(VgpuDomain) domain = vgpu_domain_parse(xml, strlen(xml), what, error);
    g_autoptr(VgpuDomain) imported = NULL;
    g_autoptr(GPtrArray) changes = NULL;
    xmlDoc *doc;

    if (!domain)
        return NULL;
    self->replaced = g_ptr_array_new_with_free_func(g_free);
    if (!(self->numbers = number_all(domain, devices, n, error)))
        return NULL;
    self->old = vgpu_annotate_extract(domain);
    self->before = vgpu_xml_dump_doc(domain->doc);
    if (!(self->annotation = annotate(domain, self, devices, n, error)))
        return NULL;

    take_out(domain, devices, n, self->replaced);
    doc = xmlCopyDoc(domain->doc, 1);
    vgpu_annotate_put(doc, self->annotation);
    if (!(imported = vgpu_domain_from_doc(doc, what, error)))
        return NULL;
    decide(imported, domain, self->numbers, devices, n);
    if (!(changes = vgpu_inject_plan(imported, libvirt, error)))
        return NULL;
    self->after = vgpu_inject_apply(imported, changes);
    return g_steal_pointer(&self);
}
