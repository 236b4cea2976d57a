/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain/inject.h"

#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/uuid.h"
#include "domain/additions.h"
#include "domain/clash.h"
#include "domain/disk.h"
#include "domain/display.h"
#include "domain/refusals.h"
#include "domain/schema.h"

void
vgpu_change_free(VgpuChange *self)
{
    if (!self)
        return;
    g_free(self->alias);
    g_free(self->uuid);
    g_free(self->xml);
    g_free(self->was);
    g_free(self->text);
    g_free(self);
}

/* Set an error: the annotation at @want contradicts the domain. */
#define refuse(error, domain, want, ...)                                                         \
    vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, (domain)->what, (want)->line, __VA_ARGS__)

/* The device of the user's that is the one of @want, or NULL. */
static const VgpuHostdev *
find_users(const VgpuDomain *domain, const VgpuWant *want)
{
    for (guint i = 0; i < domain->hostdevs->len; i++) {
        const VgpuHostdev *hostdev = domain->hostdevs->pdata[i];

        if (hostdev->index < 0 &&
            (g_strcmp0(hostdev->uuid, want->uuid) == 0 ||
             (hostdev->source && g_strcmp0(hostdev->source, want->vf) == 0)))
            return hostdev;
    }
    return NULL;
}

static bool
check_users(const VgpuDomain *domain, GError **error)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = domain->wants->pdata[i];
        const VgpuHostdev *users = find_users(domain, want);

        if (want->uuid_is_users && !users)
            return refuse(error, domain, want, VGPU_REFUSAL_NO_USERS_HOSTDEV, want->uuid);
        if (!want->uuid_is_users && users)
            return refuse(error, domain, want,
                          "the <hostdev> at line %ld has the %s %s of vGPU %u, but not its "
                          "alias '" VGPU_ALIAS_PREFIX "%u'; remove it or give it that alias",
                          users->line, users->source ? "VF" : "UUID",
                          users->source ? users->source : want->uuid, want->index, want->index);
    }
    return true;
}

/* Whether each of them can be there at all, shown or not. */
static bool
check_hostdevs(const VgpuDomain *domain, gulong libvirt, GError **error)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = domain->wants->pdata[i];

        if (!want->uuid_is_users &&
            !vgpu_hostdev_check(domain, want, (VgpuPicture) { 0 }, libvirt, error))
            return false;
    }
    return true;
}

/* It can only be a PCI device, but which one is not decided yet: the present one may be right. */
static bool
is_open(const VgpuWant *want)
{
    return want->interface == VGPU_INTERFACE_NONE && vgpu_additions_for_pci(want->additions);
}

/* The element with that alias that is set aside, as text; NULL: none is. */
static char *
find_aside(const VgpuDomain *domain, const char *alias)
{
    g_autofree char *xpath = g_strdup_printf("/devices/*[alias/@name='%s']", alias);
    g_autoptr(xmlDoc) doc =
        domain->aside ? vgpu_xml_parse(domain->aside, strlen(domain->aside), "aside", NULL)
                      : NULL;
    xmlNode *node = doc ? vgpu_xml_node(doc, NULL, xpath) : NULL;

    return node ? vgpu_xml_dump(node) : NULL;
}

static bool
carries(const VgpuHostdev *hostdev, const VgpuWant *want, VgpuPicture picture)
{
    return vgpu_hostdev_names(hostdev, want) && hostdev->display == picture.display &&
           hostdev->ramfb == picture.ramfb && vgpu_hostdev_has_additions(hostdev, want);
}

static guint
count_ours(const VgpuDomain *domain, int index)
{
    guint n = 0;

    for (guint i = 0; i < domain->hostdevs->len; i++)
        n += ((const VgpuHostdev *) domain->hostdevs->pdata[i])->index == index;
    return n;
}

/* Whether @hostdev, one of ours, matches the annotation; one with a duplicate alias never does. */
static bool
is_right(const VgpuDomain *domain, const VgpuPicture *pictures, const VgpuHostdev *hostdev)
{
    guint index = (guint) hostdev->index;
    const VgpuWant *want = index < domain->wants->len ? domain->wants->pdata[index] : NULL;

    if (!want || want->uuid_is_users)
        return false;
    return is_open(want) || (carries(hostdev, want, pictures[index]) &&
                             !vgpu_clash_over_place(domain, hostdev->index, hostdev->place) &&
                             count_ours(domain, hostdev->index) == 1);
}

static VgpuChange *
attach_new(const VgpuDomain *domain, const VgpuWant *want, VgpuPicture picture, gulong libvirt)
{
    VgpuChange *self = g_new0(VgpuChange, 1);
    const VgpuHostdev *there = vgpu_domain_find_ours(domain, want->index);
    g_autofree char *device = vgpu_hostdev_device_text(want);
    g_autofree char *absence = vgpu_display_absence(domain, want, libvirt);
    g_autofree char *lost = NULL, *old = NULL, *fitting = NULL;
    bool unbootable = false;

    self->attach = true;
    self->index = want->index;
    self->alias = g_strdup_printf(VGPU_ALIAS_PREFIX "%u", want->index);
    self->uuid = g_strdup(want->uuid);
    old = there ? g_strdup(there->xml) : find_aside(domain, self->alias);
    fitting = old ? vgpu_clash_trim(domain, self->alias, want->index, old, &unbootable) : NULL;
    self->xml = vgpu_hostdev_replace(fitting, want, picture, &lost);
    self->text =
        g_strdup_printf("attach vGPU %u (%s)%s%s%s%s%s%s%s", want->index, device,
                        picture.display ? " with display" : "", picture.ramfb ? " and ramfb" : "",
                        absence ? "; " : "", absence ? absence : "",
                        lost ? "; an mdev cannot have its " : "", lost ? lost : "",
                        unbootable ? "; without its <boot>, as no other device has an order"
                                   : "");
    return self;
}

static VgpuChange *
detach_new(const VgpuDomain *domain, const VgpuHostdev *hostdev)
{
    VgpuChange *self = g_new0(VgpuChange, 1);
    const char *device = hostdev->source ? hostdev->source : hostdev->uuid;

    self->index = (guint) hostdev->index;
    self->alias = g_strdup(hostdev->alias);
    self->was = g_strdup(hostdev->xml);
    self->uuid = hostdev->source ? vgpu_uuid_for_domain(domain->uuid, self->index)
                                 : g_strdup(hostdev->uuid);
    self->text = g_strdup_printf("detach vGPU %d (%s%s)", hostdev->index,
                                 hostdev->source ? "VF " : "", device ? device : "no device");
    return self;
}

static VgpuChange *
attach_driver(const VgpuDomain *domain)
{
    VgpuChange *self = g_new0(VgpuChange, 1);
    g_autofree char *old = NULL;

    self->attach = true;
    self->index = VGPU_INDEX_DRIVER;
    self->alias = g_strdup(VGPU_ALIAS_DRIVER);
    old = domain->has_driver_disk ? vgpu_disk_dump(domain) : find_aside(domain, self->alias);
    self->xml = vgpu_disk_format(domain, old);
    self->text = g_strdup_printf("attach the guest's driver (%s)", domain->driver_iso);
    return self;
}

static VgpuChange *
detach_driver(const VgpuDomain *domain)
{
    VgpuChange *self = g_new0(VgpuChange, 1);

    self->index = VGPU_INDEX_DRIVER;
    self->alias = g_strdup(VGPU_ALIAS_DRIVER);
    self->was = vgpu_disk_dump(domain);
    self->text =
        g_strdup_printf("detach the guest's driver (%s)",
                        domain->driver_disk_file ? domain->driver_disk_file : "no image");
    return self;
}

static void
plan_detaches(const VgpuDomain *domain, const VgpuPicture *pictures, GPtrArray *changes)
{
    for (guint i = 0; i < domain->hostdevs->len; i++) {
        const VgpuHostdev *hostdev = domain->hostdevs->pdata[i];

        if (hostdev->index >= 0 && !is_right(domain, pictures, hostdev))
            g_ptr_array_add(changes, detach_new(domain, hostdev));
    }
    if (domain->has_driver_disk && !vgpu_disk_is_right(domain))
        g_ptr_array_add(changes, detach_driver(domain));
}

static void
plan_attaches(const VgpuDomain *domain, const VgpuPicture *pictures, gulong libvirt,
              GPtrArray *changes)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = domain->wants->pdata[i];
        const VgpuHostdev *there = vgpu_domain_find_ours(domain, want->index);

        if (!want->uuid_is_users && !is_open(want) &&
            !(there && is_right(domain, pictures, there)))
            g_ptr_array_add(changes, attach_new(domain, want, pictures[i], libvirt));
    }
    if (domain->driver_iso && !vgpu_disk_is_right(domain))
        g_ptr_array_add(changes, attach_driver(domain));
}

GPtrArray *
vgpu_inject_plan(const VgpuDomain *domain, gulong libvirt, GError **error)
{
    g_autoptr(GPtrArray) changes =
        g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_change_free);
    g_autofree VgpuPicture *pictures = NULL;

    if (!domain->uuid) {
        vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, domain->what, 0, VGPU_REFUSAL_NO_UUID);
        return NULL;
    }
    if (!check_users(domain, error) || !check_hostdevs(domain, libvirt, error) ||
        !vgpu_clash_check(domain, error) ||
        !(pictures = vgpu_display_decide(domain, libvirt, error)))
        return NULL;

    plan_detaches(domain, pictures, changes);
    plan_attaches(domain, pictures, libvirt, changes);
    return g_steal_pointer(&changes);
}

/* Whether it need not be remembered any more: it is in the definition, or is detached from it. */
static bool
is_known(const VgpuDomain *domain, const GPtrArray *changes, const char *alias)
{
    g_autofree char *xpath = g_strdup_printf("/domain/devices/*[alias/@name='%s']", alias);

    for (guint i = 0; i < changes->len; i++) {
        const VgpuChange *change = changes->pdata[i];

        if (change->was && g_strcmp0(change->alias, alias) == 0)
            return true;
    }
    return vgpu_xml_node(domain->doc, NULL, xpath) != NULL;
}

char *
vgpu_inject_set_aside(const VgpuDomain *domain, const GPtrArray *changes)
{
    g_autoptr(xmlDoc) doc =
        domain->aside ? vgpu_xml_parse(domain->aside, strlen(domain->aside), "aside", NULL)
                      : NULL;
    g_autoptr(GPtrArray) before = doc ? vgpu_xml_nodes(doc, NULL, "/devices/*") : NULL;
    g_autoptr(GString) xml = g_string_new(NULL);

    for (guint i = 0; i < changes->len; i++) {
        const VgpuChange *change = changes->pdata[i];

        if (change->was)
            g_string_append(xml, change->was);
    }
    for (guint i = 0; before && i < before->len; i++) {
        g_autofree char *alias = vgpu_xml_text(doc, before->pdata[i], "alias/@name");
        g_autofree char *element = vgpu_xml_dump(before->pdata[i]);

        if (!is_known(domain, changes, alias))
            g_string_append(xml, element);
    }
    return xml->len ? g_strdup_printf("<devices>%s</devices>", xml->str) : NULL;
}

char *
vgpu_inject_aim(const VgpuDomain *domain, gulong libvirt)
{
    g_autofree VgpuPicture *pictures = vgpu_display_decide(domain, libvirt, NULL);
    GString *text = g_string_new(domain->driver_iso);

    for (guint i = 0; pictures && i < domain->wants->len; i++) {
        const VgpuWant *want = domain->wants->pdata[i];
        g_autofree char *xml =
            want->uuid_is_users ? NULL : vgpu_hostdev_format(want, pictures[i]);

        if (xml)
            g_string_append_printf(text, "%s%s", xml, want->additions ? want->additions : "");
    }
    return g_string_free(text, FALSE);
}

char *
vgpu_inject_live_xml(const VgpuDomain *running, const VgpuWant *want)
{
    g_autofree char *place = vgpu_additions_place(want->additions);
    bool can_be_there = place && running && vgpu_domain_can_plug(running, place);

    return vgpu_hostdev_format_live(want, can_be_there);
}

static void
apply_detach(xmlDoc *doc, const char *alias)
{
    g_autofree char *xpath = g_strdup_printf("/domain/devices/*[self::hostdev or self::disk]"
                                             "[alias/@name='%s']",
                                             alias);
    g_autoptr(GPtrArray) nodes = vgpu_xml_nodes(doc, NULL, xpath);

    for (guint i = 0; i < nodes->len; i++)
        vgpu_xml_remove(nodes->pdata[i]);
}

/* Insert it where libvirt would: a <disk> after the others, which follow the emulator, a <hostdev> after
 * the others, else last. */
static xmlNode *
place_for(xmlNode *devices, const char *name)
{
    bool is_disk = g_str_equal(name, "disk");
    g_autofree char *xpath = g_strdup_printf("%s[last()]", name);
    xmlNode *last = vgpu_xml_node(devices->doc, devices, xpath);

    if (last)
        return last;
    return is_disk ? vgpu_xml_node(devices->doc, devices, "emulator")
                   : xmlLastElementChild(devices);
}

static void
apply_attach(xmlDoc *doc, const char *xml)
{
    g_autoptr(xmlDoc) fragment = vgpu_xml_parse(xml, strlen(xml), "device", NULL);
    xmlNode *device = xmlDocGetRootElement(fragment);
    xmlNode *devices = vgpu_xml_node(doc, NULL, "/domain/devices");

    if (!devices) {
        xmlNode *root = xmlDocGetRootElement(doc);

        devices = xmlNewDocNode(doc, NULL, BAD_CAST "devices", NULL);
        vgpu_xml_insert(root, xmlLastElementChild(root), devices);
    }
    vgpu_xml_insert(devices, place_for(devices, (const char *) device->name),
                    xmlDocCopyNode(device, doc, 1));
}

char *
vgpu_inject_apply(VgpuDomain *domain, const GPtrArray *changes)
{
    for (guint i = 0; i < changes->len; i++) {
        const VgpuChange *change = changes->pdata[i];

        if (change->attach)
            apply_attach(domain->doc, change->xml);
        else
            apply_detach(domain->doc, change->alias);
    }
    return vgpu_xml_dump_doc(domain->doc);
}
