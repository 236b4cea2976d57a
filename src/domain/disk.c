/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How it works: libvirt gives a disk without a drive address the one that goes with the number of its
 * target (virDomainDiskDefAssignAddress). So a target is free if no disk, on any bus, has its name, and
 * no device has the address that it stands for. */
#include "domain/disk.h"

#include <stdlib.h>
#include <string.h>

#include "base/names.h"

#define OURS "devices/disk[alias/@name='" VGPU_ALIAS_DRIVER "']"

typedef struct {
    const char *name;
    const char *prefix; /* of its targets: "sd" of "sda" */
    guint places;       /* of one controller */
    guint per_bus;      /* of one bus of a controller */
    guint controllers;  /* at most; 0: as many as it takes */
} Bus;

static const Bus ide = { "ide", "hd", 4, 2, 1 };
static const Bus sata = { "sata", "sd", 6, 6, 0 };
static const Bus scsi = { "scsi", "sd", 7, 7, 0 };

static const Bus *
natural_bus(const VgpuDomain *domain)
{
    xmlNode *root = xmlDocGetRootElement(domain->doc);
    g_autofree char *arch = vgpu_xml_text(domain->doc, root, "os/type/@arch");
    g_autofree char *machine = vgpu_xml_text(domain->doc, root, "os/type/@machine");

    if (arch && !g_str_equal(arch, "x86_64") && !g_str_equal(arch, "i686"))
        return &scsi;
    if (machine && strstr(machine, "q35"))
        return &sata;
    return !machine || g_str_has_prefix(machine, "pc") ? &ide : &scsi;
}

static guint
read_number(xmlNode *node, const char *attribute)
{
    g_autofree char *text = vgpu_xml_attr(node, attribute);

    return text ? (guint) strtoul(text, NULL, 10) : 0;
}

static bool
is_name_taken(const VgpuDomain *domain, const char *target)
{
    g_autofree char *xpath = g_strdup_printf("/domain/devices/disk/target[@dev='%s']", target);

    return vgpu_xml_node(domain->doc, NULL, xpath) != NULL;
}

static bool
is_place_taken(const VgpuDomain *domain, const Bus *bus, guint place)
{
    g_autofree char *xpath = g_strdup_printf("/domain/devices/*[self::disk[target/@bus='%s'] or "
                                             "self::hostdev[@type='%s']]/address[@type='drive']",
                                             bus->name, bus->name);
    g_autoptr(GPtrArray) addresses = vgpu_xml_nodes(domain->doc, NULL, xpath);

    for (guint i = 0; i < addresses->len; i++) {
        xmlNode *address = addresses->pdata[i];

        if (read_number(address, "controller") * bus->places +
                read_number(address, "bus") * bus->per_bus + read_number(address, "unit") ==
            place)
            return true;
    }
    return false;
}

/* "sda" to "sdz", "sdaa", … */
static char *
target_name(const Bus *bus, guint number)
{
    char letters[] = { (char) ('a' + number % 26), '\0' };

    if (number < 26)
        return g_strconcat(bus->prefix, letters, NULL);
    return g_strdup_printf("%s%c%s", bus->prefix, 'a' + number / 26 - 1, letters);
}

/* NULL when @bus is full. */
static char *
find_target(const VgpuDomain *domain, const Bus *bus)
{
    for (guint i = 0; !bus->controllers || i < bus->controllers * bus->places; i++) {
        g_autofree char *target = target_name(bus, i);

        if (!is_name_taken(domain, target) && !is_place_taken(domain, bus, i))
            return g_steal_pointer(&target);
    }
    return NULL;
}

static char *
format_target(const char *dev, const char *bus)
{
    return g_markup_printf_escaped("<target dev='%s' bus='%s'/>", dev, bus);
}

static char *
new_target(const VgpuDomain *domain)
{
    const Bus *bus = natural_bus(domain);
    g_autofree char *dev = find_target(domain, bus);

    if (!dev) {
        bus = &sata;
        dev = find_target(domain, bus);
    }
    return format_target(dev, bus->name);
}

/* Removes properties of the old image: its source, if that was not a file, its format, and its backing
 * chain. */
static void
forget_image(xmlDoc *doc)
{
    xmlNode *disk = xmlDocGetRootElement(doc);
    xmlNode *source = vgpu_xml_node(doc, NULL, "/disk[@type != 'file']/source");
    xmlNode *driver = vgpu_xml_node(doc, NULL, "/disk/driver[@type != 'raw']");
    xmlNode *below = vgpu_xml_node(doc, NULL, "/disk/backingStore");
    xmlNode *target = vgpu_xml_node(doc, NULL, "/disk/target");

    if (source)
        vgpu_xml_remove(source);
    if (driver)
        xmlSetProp(driver, BAD_CAST "type", BAD_CAST "raw");
    if (below)
        vgpu_xml_remove(below);
    xmlUnsetProp(target, BAD_CAST "tray"); /* it was open for the old image */
    xmlSetProp(disk, BAD_CAST "type", BAD_CAST "file");
}

/* All other additions stay. NULL: it has no target. */
static char *
edit(const char *old, const char *image)
{
    g_autoptr(xmlDoc) doc = old ? vgpu_xml_parse(old, strlen(old), "disk", NULL) : NULL;
    xmlNode *source;

    if (!doc || !vgpu_xml_node(doc, NULL, "/disk/target[@dev and @bus]"))
        return NULL;
    vgpu_xml_remove_blanks(xmlDocGetRootElement(doc));
    forget_image(doc);
    if (!(source = vgpu_xml_node(doc, NULL, "/disk/source"))) {
        source = xmlNewDocNode(doc, NULL, BAD_CAST "source", NULL);
        xmlAddChild(xmlDocGetRootElement(doc), source);
    }
    xmlSetProp(source, BAD_CAST "startupPolicy", BAD_CAST "optional");
    xmlSetProp(source, BAD_CAST "file", BAD_CAST image);
    return vgpu_xml_dump(xmlDocGetRootElement(doc));
}

bool
vgpu_disk_is_right(const VgpuDomain *domain)
{
    if (!domain->driver_iso)
        return !domain->has_driver_disk;
    return domain->has_driver_disk &&
           g_strcmp0(domain->driver_disk_file, domain->driver_iso) == 0;
}

char *
vgpu_disk_dump(const VgpuDomain *domain)
{
    xmlNode *disk = vgpu_xml_node(domain->doc, xmlDocGetRootElement(domain->doc), OURS);

    return disk ? vgpu_xml_dump(disk) : NULL;
}

char *
vgpu_disk_format(const VgpuDomain *domain, const char *old)
{
    g_autofree char *edited = edit(old, domain->driver_iso);
    g_autofree char *target = edited ? NULL : new_target(domain);
    g_autofree char *file = g_markup_escape_text(domain->driver_iso, -1);

    if (edited)
        return g_steal_pointer(&edited);
    return g_strdup_printf(
        "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>"
        "<source file='%s' startupPolicy='optional'/>%s<readonly/><alias name='" VGPU_ALIAS_DRIVER
        "'/></disk>",
        file, target);
}
