// SPDX-License-Identifier: GPL-2.0
/*
 * PCI configuration space, and plugging a board.
 *
 * Layout as in include/uapi/linux/pci_regs.h. What a VF reads (ffff for vendor and device, zero for the subsystem's) is the
 * SR-IOV specification's, and what drivers/pci/iov.c makes up for; where the first VF is (function 4), that of listings of
 * an A2 and an L40S (github.com/harvester/pcidevices).
 */
#include "fakegpu.h"

#define PCIE_CAP	0x40
#define SRIOV_CAP	0x100
#define VF_OFFSET	4	/* first VF is function 4, as on the real boards */
#define VF_STRIDE	1

static u16 get16(const u8 *cfg, int where)
{
	u16 val;

	memcpy(&val, cfg + where, sizeof(val));
	return val;
}

static void cfg_fill(struct card *card)
{
	const struct model *model = card->model;
	u8 *pf = card->pf_cfg, *vf = card->vf_cfg;

	memset(pf, 0, PCI_CFG_SPACE_EXP_SIZE);
	put16(pf, PCI_VENDOR_ID, model_vendor(model));
	put16(pf, PCI_DEVICE_ID, model->device);
	put16(pf, PCI_STATUS, PCI_STATUS_CAP_LIST);
	pf[PCI_REVISION_ID] = 0xa1;
	put16(pf, PCI_CLASS_DEVICE, PCI_CLASS_DISPLAY_3D);
	put16(pf, PCI_SUBSYSTEM_VENDOR_ID, model_vendor(model));
	put16(pf, PCI_SUBSYSTEM_ID, model->subsystem);
	pf[PCI_CAPABILITY_LIST] = PCIE_CAP;
	pf[PCIE_CAP] = PCI_CAP_ID_EXP;
	put16(pf, PCIE_CAP + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_RC_END << 4);

	memcpy(vf, pf, PCI_CFG_SPACE_EXP_SIZE);
	put16(vf, PCI_VENDOR_ID, 0xffff);
	put16(vf, PCI_DEVICE_ID, 0xffff);
	put16(vf, PCI_SUBSYSTEM_ID, 0);

	if (!model->total_vfs)
		return;
	put32(pf, SRIOV_CAP, PCI_EXT_CAP_ID_SRIOV | 1 << 16);
	put16(pf, SRIOV_CAP + PCI_SRIOV_INITIAL_VF, model->total_vfs);
	put16(pf, SRIOV_CAP + PCI_SRIOV_TOTAL_VF, model->total_vfs);
	put16(pf, SRIOV_CAP + PCI_SRIOV_VF_OFFSET, VF_OFFSET);
	put16(pf, SRIOV_CAP + PCI_SRIOV_VF_STRIDE, VF_STRIDE);
	put16(pf, SRIOV_CAP + PCI_SRIOV_VF_DID, model->device);
	put32(pf, SRIOV_CAP + PCI_SRIOV_SUP_PGSIZE, 0x553);
	put32(pf, SRIOV_CAP + PCI_SRIOV_SYS_PGSIZE, 1);
}

static u8 *cfg_of(struct pci_bus *bus, unsigned int devfn)
{
	struct card *card = container_of(bus->sysdata, struct card, sysdata);
	u8 *pf = card->pf_cfg;

	if (devfn == 0)
		return pf;
	if (card->model->total_vfs &&
	    get16(pf, SRIOV_CAP + PCI_SRIOV_CTRL) & PCI_SRIOV_CTRL_VFE &&
	    devfn >= VF_OFFSET && devfn < VF_OFFSET + get16(pf, SRIOV_CAP + PCI_SRIOV_NUM_VF))
		return card->vf_cfg;
	return NULL;
}

static int cfg_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *val)
{
	const u8 *cfg = cfg_of(bus, devfn);

	if (!cfg || where + size > PCI_CFG_SPACE_EXP_SIZE) {
		*val = ~0u;
		return PCIBIOS_DEVICE_NOT_FOUND;
	}
	*val = 0;
	memcpy(val, cfg + where, size);
	return PCIBIOS_SUCCESSFUL;
}

static int cfg_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 val)
{
	u8 *cfg = cfg_of(bus, devfn);

	if (!cfg)
		return PCIBIOS_DEVICE_NOT_FOUND;
	/* Everything else is read-only; above all the BARs, which therefore have size 0. */
	if (devfn == 0 &&
	    (where == PCI_COMMAND ||
	     (where >= SRIOV_CAP && (where - SRIOV_CAP == PCI_SRIOV_CTRL || where - SRIOV_CAP == PCI_SRIOV_NUM_VF ||
				     where - SRIOV_CAP == PCI_SRIOV_SYS_PGSIZE))))
		memcpy(cfg + where, &val, size);
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops cfg_ops = { .read = cfg_read, .write = cfg_write };

int card_plug(struct card *card)
{
	LIST_HEAD(resources);
	struct pci_bus *bus;

	cfg_fill(card);
	card->sysdata.domain = card->domain;
	card->sysdata.node = node_online(card->node) ? card->node : NUMA_NO_NODE;
	card->busn = (struct resource)DEFINE_RES_NAMED(card->bus_nr, 1, "fakegpu", IORESOURCE_BUS);
	pci_add_resource(&resources, &card->busn);

	pci_lock_rescan_remove();
	bus = pci_create_root_bus(NULL, card->bus_nr, &cfg_ops, &card->sysdata, &resources);
	if (bus) {
		pci_scan_child_bus(bus);
		pci_bus_add_devices(bus);
	} else {
		pci_free_resource_list(&resources);
	}
	pci_unlock_rescan_remove();
	card->bus = bus;
	return bus ? 0 : -ENODEV;
}

void card_unplug(struct card *card)
{
	pci_lock_rescan_remove();
	pci_stop_root_bus(card->bus);
	pci_remove_root_bus(card->bus);
	pci_unlock_rescan_remove();
	card->bus = NULL;
}
