/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How it works: once libvirt has defined a domain every PCI device has an address, which shows the free
 * slots. A file may have none yet; then every PCI device is assumed to need one slot, or one root port,
 * of its own. */
#include <stdlib.h>

#include "base/error.h"
#include "base/pciaddr.h"
#include "domain/domain.h"
#include "domain/refusals.h"

#define SLOTS 32u /* of a PCI bus */
#define BUSES 256u

typedef enum {
    BOARD_OTHER, /* nothing can be plugged, or not known how */
    BOARD_PCI,   /* one conventional bus, pci.0 */
    BOARD_PCIE,  /* a port for each device */
} Board;

/* The slots that QEMU itself uses on pci.0: host bridge, ISA bridge with IDE and USB, and the one that
 * libvirt reserves for the primary video even if there is none. */
static const guint fixed_slots[] = { 0, 1, 2 };

/* Devices that libvirt puts on a PCI bus, a slot each; it adds a balloon where none is named. */
static const char pci_devices[] =
    "devices/disk[target/@bus='virtio']"
    " | devices/controller[@type='scsi' or @type='virtio-serial' or "
    "@type='sata' or (@type='usb' and contains(@model, 'xhci'))]"
    " | devices/interface"
    " | devices/filesystem"
    " | devices/sound[not(@model='pcspk')]"
    " | devices/hostdev[@type='mdev' or @type='pci']"
    " | devices/memballoon[not(@model='none')]"
    " | devices[not(memballoon)]"
    " | devices/watchdog[@model='i6300esb']"
    " | devices/rng"
    " | devices/vsock"
    " | devices/input[@bus='virtio']"
    " | devices/shmem"
    " | devices/video[position() > 1]";

static const char root_ports[] =
    "devices/controller[@type='pci' and not(target/@hotplug='off')]"
    "[@model='pcie-root-port' or @model='pcie-switch-downstream-port']";

static Board
find_board(xmlDoc *doc, xmlNode *root)
{
    static const struct {
        const char *arch; /* NULL: the same on all x86 */
        const char *machine;
        Board board;
    } boards[] = {
        /* the first prefix that matches */
        { NULL, "pc-q35", BOARD_PCIE },
        { NULL, "q35", BOARD_PCIE },
        { NULL, "pc", BOARD_PCI },
        { "aarch64", "virt", BOARD_PCIE },
        { "armv7l", "virt", BOARD_PCIE },
        { "riscv64", "virt", BOARD_PCIE },
        { "loongarch64", "virt", BOARD_PCIE },
    };
    g_autofree char *arch = vgpu_xml_text(doc, root, "os/type/@arch");
    g_autofree char *machine = vgpu_xml_text(doc, root, "os/type/@machine");
    bool x86 = !arch || g_str_equal(arch, "x86_64") || g_str_equal(arch, "i686");

    if (!machine)
        return x86 ? BOARD_PCI : BOARD_OTHER;
    for (gsize i = 0; i < G_N_ELEMENTS(boards); i++) {
        bool same_arch = boards[i].arch ? g_strcmp0(boards[i].arch, arch) == 0 : x86;

        if (same_arch && g_str_has_prefix(machine, boards[i].machine))
            return boards[i].board;
    }
    return BOARD_OTHER;
}

/* As libvirt writes it, with 0x, or as people do; absent is 0. */
static guint
read_number(xmlNode *node, const char *attribute)
{
    g_autofree char *text = vgpu_xml_attr(node, attribute);

    return text ? (guint) strtoul(text, NULL, 0) : 0;
}

static guint
count_free_slots(const GPtrArray *addresses)
{
    bool used[SLOTS] = { false };
    guint available = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(fixed_slots); i++)
        used[fixed_slots[i]] = true;
    for (guint i = 0; i < addresses->len; i++) {
        guint slot = read_number(addresses->pdata[i], "slot");

        if (read_number(addresses->pdata[i], "bus") == 0 && slot < SLOTS)
            used[slot] = true;
    }
    for (guint i = 0; i < SLOTS; i++)
        available += !used[i];
    return available;
}

/* A port is a bus of its own, named by the index of its controller. */
static guint
count_free_ports(const GPtrArray *addresses, const GPtrArray *ports)
{
    bool used[BUSES] = { false };
    guint available = 0;

    for (guint i = 0; i < addresses->len; i++) {
        guint bus = read_number(addresses->pdata[i], "bus");

        if (bus < BUSES)
            used[bus] = true;
    }
    for (guint i = 0; i < ports->len; i++) {
        guint bus = read_number(ports->pdata[i], "index");

        available += bus < BUSES && !used[bus];
    }
    return available;
}

guint
vgpu_domain_hotplug_slots(const VgpuDomain *self)
{
    xmlNode *root = xmlDocGetRootElement(self->doc);
    g_autoptr(GPtrArray) addresses =
        vgpu_xml_nodes(self->doc, root, "devices/*/address[@type='pci']");
    g_autoptr(GPtrArray) devices = vgpu_xml_nodes(self->doc, root, pci_devices);
    g_autoptr(GPtrArray) ports = vgpu_xml_nodes(self->doc, root, root_ports);
    Board board = find_board(self->doc, root);
    guint places;

    if (board == BOARD_OTHER)
        return 0;
    if (addresses->len)
        return board == BOARD_PCI ? count_free_slots(addresses)
                                  : count_free_ports(addresses, ports);
    places = board == BOARD_PCI ? SLOTS - G_N_ELEMENTS(fixed_slots) : ports->len;
    return places > devices->len ? places - devices->len : 0;
}

/* Of a port or slot that nothing has: then taking it leaves one less. */
static bool
is_vacant(const GPtrArray *addresses, const GPtrArray *ports, Board board,
          const VgpuPciAddr *place)
{
    bool exists = board == BOARD_PCI && place->bus == 0;

    for (guint i = 0; board == BOARD_PCIE && i < ports->len; i++)
        exists |= place->slot == 0 && read_number(ports->pdata[i], "index") == place->bus;
    for (gsize i = 0; board == BOARD_PCI && i < G_N_ELEMENTS(fixed_slots); i++)
        exists &= place->slot != fixed_slots[i];
    for (guint i = 0; exists && i < addresses->len; i++)
        exists = read_number(addresses->pdata[i], "bus") != place->bus ||
                 read_number(addresses->pdata[i], "slot") != place->slot;
    return exists;
}

bool
vgpu_domain_can_plug(const VgpuDomain *self, const char *place)
{
    xmlNode *root = xmlDocGetRootElement(self->doc);
    g_autoptr(GPtrArray) addresses =
        vgpu_xml_nodes(self->doc, root, "devices/*/address[@type='pci']");
    g_autoptr(GPtrArray) ports = vgpu_xml_nodes(self->doc, root, root_ports);
    VgpuPciAddr addr;

    return vgpu_pciaddr_parse(place, &addr) && addr.domain == 0 && addr.function == 0 &&
           is_vacant(addresses, ports, find_board(self->doc, root), &addr);
}

bool
vgpu_domain_check_slots(const VgpuDomain *self, guint wanted, GError **error)
{
    guint slots = vgpu_domain_hotplug_slots(self);

    return wanted <= slots || vgpu_error_at(error, VGPU_ERROR_NO_CAPACITY, self->what, 0,
                                            VGPU_REFUSAL_NO_SLOT, wanted, slots);
}
