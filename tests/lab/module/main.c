// SPDX-License-Identifier: GPL-2.0
/*
 * The PCI driver, and the module.
 *
 * The PF and its VFs are never mdev parents both: nvidia-vgpu-vfio.c of NVIDIA's vGPU host driver. That VFs in use cannot
 * be turned off (EBUSY) is made up.
 */
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "fakegpu.h"

/* Whether this function carries vGPUs: the PF does where there are no VFs to do it. */
static bool carries_vgpus(struct pci_dev *pdev)
{
	return pdev->is_virtfn || !pci_card(pdev)->model->total_vfs;
}

static int fn_add(struct pci_dev *pdev)
{
	return pci_card(pdev)->model->vendor_vfio ? vendor_fn_add(pdev) : mdev_fn_add(pdev);
}

static void fn_del(struct pci_dev *pdev)
{
	if (pci_card(pdev)->model->vendor_vfio)
		vendor_fn_del(pdev);
	else
		mdev_fn_del(pdev);
}

static int gpu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int ret = 0;

	if (carries_vgpus(pdev))
		ret = fn_add(pdev);
	if (ret || pdev->is_virtfn)
		return ret;
	ret = control_add(pdev);
	if (ret && carries_vgpus(pdev))
		fn_del(pdev);
	return ret;
}

static void gpu_remove(struct pci_dev *pdev)
{
	if (!pdev->is_virtfn) {
		control_del(pdev);
		pci_disable_sriov(pdev);
		control_wipe(pci_card(pdev));
	}
	if (carries_vgpus(pdev))
		fn_del(pdev);
}

static int gpu_sriov_configure(struct pci_dev *pdev, int num_vfs)
{
	struct card *card = pci_card(pdev);
	bool in_use;
	int ret = 0;

	mutex_lock(&card->lock);
	in_use = !list_empty(&card->vgpus);
	mutex_unlock(&card->lock);
	if (in_use)
		return -EBUSY;
	control_wipe(card);
	if (num_vfs)
		ret = pci_enable_sriov(pdev, num_vfs);
	else
		pci_disable_sriov(pdev);
	return ret ? ret : num_vfs;
}

static const struct pci_device_id gpu_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_NVIDIA, PCI_ANY_ID) },
	{ }
};

static struct pci_driver gpu_driver = {
	.name = "nvidia",
	.id_table = gpu_ids,
	.probe = gpu_probe,
	.remove = gpu_remove,
	.sriov_configure = gpu_sriov_configure,
};

static const struct pci_device_id gvt_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_INTEL, 0x5916) },
	{ }
};

/* mdev types go by the name of their parent's driver */
static struct pci_driver gvt_driver = {
	.name = "i915",
	.id_table = gvt_ids,
	.probe = gpu_probe,
	.remove = gpu_remove,
};

static int drivers_register(void)
{
	int ret = mdev_register_driver(&vgpu_mdev_driver);

	if (ret)
		return ret;
	ret = mdev_register_driver(&gvt_mdev_driver);
	if (ret)
		goto fail_mdev;
	ret = pci_register_driver(&gpu_driver);
	if (ret)
		goto fail_gvt_mdev;
	ret = pci_register_driver(&gvt_driver);
	if (!ret)
		return 0;

	pci_unregister_driver(&gpu_driver);
fail_gvt_mdev:
	mdev_unregister_driver(&gvt_mdev_driver);
fail_mdev:
	mdev_unregister_driver(&vgpu_mdev_driver);
	return ret;
}

static void drivers_unregister(void)
{
	pci_unregister_driver(&gvt_driver);
	pci_unregister_driver(&gpu_driver);
	mdev_unregister_driver(&gvt_mdev_driver);
	mdev_unregister_driver(&vgpu_mdev_driver);
}

static void cards_remove(void)
{
	size_t i;

	for (i = 0; i < n_cards; i++) {
		cancel_work_sync(&cards[i].hotplug);
		if (cards[i].bus)
			card_unplug(&cards[i]);
		kfree(cards[i].pf_cfg);
		kfree(cards[i].vf_cfg);
	}
}

static int __init fakegpu_init(void)
{
	size_t i;
	int ret;

	for (i = 0; i < n_cards; i++) {
		mutex_init(&cards[i].lock);
		INIT_LIST_HEAD(&cards[i].vgpus);
		INIT_WORK(&cards[i].hotplug, hotplug_work);
	}
	for (i = 0; i < n_cards; i++) {
		cards[i].pf_cfg = kzalloc(PCI_CFG_SPACE_EXP_SIZE, GFP_KERNEL);
		cards[i].vf_cfg = kzalloc(PCI_CFG_SPACE_EXP_SIZE, GFP_KERNEL);
		if (!cards[i].pf_cfg || !cards[i].vf_cfg) {
			ret = -ENOMEM;
			goto fail_cards;
		}
	}
	ret = drivers_register();
	if (ret)
		goto fail_cards;
	for (i = 0; i < n_cards && !ret; i++)
		if (!cards[i].spare)
			ret = card_plug(&cards[i]);
	if (!ret)
		return 0;

	cards_remove();
	drivers_unregister();
	return ret;
fail_cards:
	cards_remove();
	return ret;
}
module_init(fakegpu_init);

static void __exit fakegpu_exit(void)
{
	cards_remove();
	drivers_unregister();
}
module_exit(fakegpu_exit);

MODULE_DESCRIPTION("vGPU boards that exist only in memory");
MODULE_LICENSE("GPL");
MODULE_SOFTDEP("pre: vfio_iommu_type1");
