// SPDX-License-Identifier: GPL-2.0
/*
 * Functions whose vGPUs are mdevs: a PF, or a VF.
 *
 * The mdev core is the kernel's own. Of NVIDIA's: the text of description, as listings of an M10, an A2 and others have it
 * (github.com/harvester/pcidevices); <uuid>/nvidia/ with vgpu_params and vm_name, and EIO for what does not fit, as in
 * nvidia-vgpu-vfio.c of the vGPU host driver. That an mdev may be there without its iommu_group: github.com/intel/gvt-linux,
 * issue 74.
 */
#include <linux/fs.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "fakegpu.h"

struct fn_type {
	struct mdev_type type;
	const struct profile *profile;
};

struct mdev_fn {
	struct fn fn;
	struct mdev_parent parent;
	struct mdev_type **type_ptrs;
	struct fn_type types[];
};

/* Driver data of an mdev. */
struct mdev_vgpu {
	struct vgpu *vgpu;
	struct vgpu_device *device;
};

static struct fn *type_fn(struct mdev_type *type)
{
	struct mdev_fn *mfn = dev_get_drvdata(type->parent->dev);

	return &mfn->fn;
}

static const struct profile *type_profile(struct mdev_type *type)
{
	return container_of(type, struct fn_type, type)->profile;
}

static ssize_t vgpu_params_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vgpu *vgpu = ((struct mdev_vgpu *)dev_get_drvdata(dev))->vgpu;
	ssize_t ret;

	mutex_lock(&vgpu->fn->card->lock);
	ret = vgpu_params_get(vgpu, buf);
	mutex_unlock(&vgpu->fn->card->lock);
	return ret;
}

static ssize_t vgpu_params_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	struct vgpu *vgpu = ((struct mdev_vgpu *)dev_get_drvdata(dev))->vgpu;
	ssize_t ret;

	mutex_lock(&vgpu->fn->card->lock);
	ret = vgpu_params_set(vgpu, buf, count);
	mutex_unlock(&vgpu->fn->card->lock);
	return ret;
}
static DEVICE_ATTR_RW(vgpu_params);

static ssize_t vm_name_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vgpu *vgpu = ((struct mdev_vgpu *)dev_get_drvdata(dev))->vgpu;
	ssize_t ret;

	mutex_lock(&vgpu->fn->card->lock);
	ret = sysfs_emit(buf, "%s\n", vgpu->vm_name);
	mutex_unlock(&vgpu->fn->card->lock);
	return ret;
}
static DEVICE_ATTR_RO(vm_name);

static struct attribute *vgpu_attrs[] = { &dev_attr_vgpu_params.attr, &dev_attr_vm_name.attr, NULL };
static const struct attribute_group vgpu_group = { .name = "nvidia", .attrs = vgpu_attrs };
static const struct attribute_group *vgpu_groups[] = { &vgpu_group, NULL };

static int vgpu_probe(struct mdev_device *mdev)
{
	struct fn *fn = type_fn(mdev->type);
	struct mdev_vgpu *data = devm_kzalloc(&mdev->dev, sizeof(*data), GFP_KERNEL);
	int ret;

	if (!data)
		return -ENOMEM;
	data->vgpu = vgpu_take(fn, type_profile(mdev->type), dev_name(&mdev->dev));
	if (IS_ERR(data->vgpu))
		return PTR_ERR(data->vgpu);
	knob_stall(fn->card, CREATE_DELAY_MS, CREATE_HANG);

	dev_set_drvdata(&mdev->dev, data);
	data->device = vgpu_device_new(&mdev->dev, fn, data->vgpu);
	if (IS_ERR(data->device)) {
		ret = PTR_ERR(data->device);
		goto give_back;
	}
	ret = vgpu_device_show(data->device, knob_group_ms(fn->card));
	if (!ret)
		return 0;
	vgpu_device_del(data->device);
give_back:
	vgpu_give_back(data->vgpu);
	return ret;
}

static void vgpu_remove(struct mdev_device *mdev)
{
	struct mdev_vgpu *data = dev_get_drvdata(&mdev->dev);

	vgpu_device_del(data->device);	/* waits for QEMU to close it */
	knob_stall(data->vgpu->fn->card, REMOVE_DELAY_MS, REMOVE_HANG);
	vgpu_give_back(data->vgpu);
}

struct self_remove {
	struct work_struct work;
	char path[80];
};

/* The mdev core exports no function for removal, so write to the sysfs attribute. */
static void self_remove_work(struct work_struct *work)
{
	struct self_remove *sr = container_of(work, struct self_remove, work);
	struct file *file = filp_open(sr->path, O_WRONLY, 0);
	loff_t pos = 0;

	if (!IS_ERR(file)) {
		kernel_write(file, "1", 1, &pos);
		filp_close(file, NULL);
	}
	kfree(sr);
	module_put(THIS_MODULE);
}

void mdev_self_remove(struct device *dev)
{
	struct self_remove *sr = kzalloc(sizeof(*sr), GFP_KERNEL);

	if (!sr)
		return;
	__module_get(THIS_MODULE);
	INIT_WORK(&sr->work, self_remove_work);
	snprintf(sr->path, sizeof(sr->path), "/sys/bus/mdev/devices/%s/remove", dev_name(dev));
	schedule_work(&sr->work);
}

static unsigned int vgpu_get_available(struct mdev_type *type)
{
	struct fn *fn = type_fn(type);
	unsigned int n;

	knob_stall_read(fn->card);
	mutex_lock(&fn->card->lock);
	n = fn_available(fn, type_profile(type));
	if (!n && fn->card->knob[LIE_AVAILABLE])
		n = 1;
	mutex_unlock(&fn->card->lock);
	return n;
}

static ssize_t vgpu_show_description(struct mdev_type *type, char *buf)
{
	const struct profile *p = type_profile(type);

	return sysfs_emit(buf, "num_heads=%u, frl_config=%u, framebuffer=%uM, max_resolution=%s, max_instance=%u\n",
			  p->heads, p->frl, p->fb_mib, p->max_resolution, p->max_instance);
}

/* Of a vGPU that GVT-g would make; there the low part of its memory goes by its weight. */
static ssize_t gvt_show_description(struct mdev_type *type, char *buf)
{
	const struct profile *p = type_profile(type);
	unsigned int weight = p->fb_mib == 384 ? 2 : p->fb_mib / 128;

	return sysfs_emit(buf, "low_gm_size: %uMB\nhigh_gm_size: %uMB\nfence: 4\nresolution: %s\nweight: %u\n",
			  weight * 32, p->fb_mib, p->max_resolution, weight);
}

struct mdev_driver vgpu_mdev_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.driver = {
		.name = "nvidia-vgpu-vfio",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
		.dev_groups = vgpu_groups,
	},
	.probe = vgpu_probe,
	.remove = vgpu_remove,
	.get_available = vgpu_get_available,
	.show_description = vgpu_show_description,
};

/* As in drivers/gpu/drm/i915/gvt/kvmgt.c; there are no plugin parameters. */
struct mdev_driver gvt_mdev_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.driver = {
		.name = "intel_vgpu_mdev",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
	.probe = vgpu_probe,
	.remove = vgpu_remove,
	.get_available = vgpu_get_available,
	.show_description = gvt_show_description,
};

int mdev_fn_add(struct pci_dev *pdev)
{
	struct card *card = pci_card(pdev);
	const struct profile *profiles = card->model->profiles;
	struct mdev_fn *mfn;
	unsigned int n = 0, i;
	int ret;

	while (profiles[n].id)
		n++;
	mfn = kzalloc(struct_size(mfn, types, n), GFP_KERNEL);
	if (!mfn)
		return -ENOMEM;
	mfn->type_ptrs = kcalloc(n, sizeof(*mfn->type_ptrs), GFP_KERNEL);
	if (!mfn->type_ptrs) {
		kfree(mfn);
		return -ENOMEM;
	}
	mfn->fn = (struct fn){ .card = card, .dev = &pdev->dev, .is_vf = pdev->is_virtfn };
	for (i = 0; i < n; i++) {
		mfn->types[i].profile = &profiles[i];
		mfn->types[i].type.sysfs_name = profiles[i].id;
		mfn->types[i].type.pretty_name = profiles[i].name;
		mfn->type_ptrs[i] = &mfn->types[i].type;
	}
	pci_set_drvdata(pdev, mfn);
	ret = mdev_register_parent(&mfn->parent, &pdev->dev,
				   card->model->gvt ? &gvt_mdev_driver : &vgpu_mdev_driver, mfn->type_ptrs, n);
	if (ret) {
		kfree(mfn->type_ptrs);
		kfree(mfn);
	}
	return ret;
}

void mdev_fn_del(struct pci_dev *pdev)
{
	struct mdev_fn *mfn = pci_get_drvdata(pdev);

	mdev_unregister_parent(&mfn->parent);
	kfree(mfn->type_ptrs);
	kfree(mfn);
}
