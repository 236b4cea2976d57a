// SPDX-License-Identifier: GPL-2.0
/*
 * VFs that become vGPUs themselves, by a write to current_vgpu_type: vendor-specific VFIO.
 *
 * creatable_vgpu_types and current_vgpu_type, and what they answer, are those of nvidia-vgpu-vfio.c as NVIDIA's vGPU host
 * driver 17 ships it. That a VF also has vgpu_params and gpu_instance_id, and what they read with a vGPU and (ENXIO)
 * without, is from a newer driver on an RTX PRO 6000 Blackwell: github.com/bigstack-oss/cubecos, issue 312 and the comments
 * of its code for MIG. What gpu_instance_id reads of a time-sliced vGPU is not known; here it is ENXIO.
 */
#include <linux/slab.h>

#include "fakegpu.h"

struct vendor_fn {
	struct fn fn;
	struct vgpu_device *device;
	struct mutex setting;		/* around a write to current_vgpu_type */
};

static struct vendor_fn *dev_vf(struct device *dev)
{
	return dev_get_drvdata(dev);
}

static ssize_t creatable_vgpu_types_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vendor_fn *vf = dev_vf(dev);
	struct card *card = vf->fn.card;
	const struct profile *profile;
	int len = sysfs_emit(buf, "ID    : vGPU Name\n");

	knob_stall_read(card);
	mutex_lock(&card->lock);
	for (profile = card->model->profiles; profile->id; profile++)
		if (card->knob[LIE_AVAILABLE] || fn_available(&vf->fn, profile))
			len += sysfs_emit_at(buf, len, "%-5s : %s\n", profile->id, profile->name);
	mutex_unlock(&card->lock);
	return len;
}
static DEVICE_ATTR_RO(creatable_vgpu_types);

static ssize_t current_vgpu_type_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vendor_fn *vf = dev_vf(dev);
	const struct vgpu *vgpu;
	ssize_t ret;

	knob_stall_read(vf->fn.card);
	mutex_lock(&vf->fn.card->lock);
	vgpu = vgpu_device_get(vf->device);
	ret = sysfs_emit(buf, "%s\n", vgpu ? vgpu->profile->id : "0");
	mutex_unlock(&vf->fn.card->lock);
	return ret;
}

/* Replace the VF's VFIO device, so that the group of the new one can come late. */
static int replace_device(struct vendor_fn *vf, struct vgpu *vgpu, int group_ms)
{
	struct card *card = vf->fn.card;
	struct vgpu_device *old = vf->device, *new = vgpu_device_new(vf->fn.dev, &vf->fn, vgpu);
	struct vgpu *old_vgpu;
	int ret;

	if (IS_ERR(new))
		return PTR_ERR(new);
	mutex_lock(&card->lock);
	old_vgpu = vgpu_device_get(old);
	vf->device = new;
	mutex_unlock(&card->lock);
	vgpu_device_del(old);	/* a function can have one group at a time */

	ret = vgpu_device_show(new, group_ms);
	if (ret) {
		mutex_lock(&card->lock);
		vgpu_device_set(new, old_vgpu);
		mutex_unlock(&card->lock);
	}
	return ret;
}

/* Give the VF a vGPU, or take it away (NULL). */
static int put_vgpu(struct vendor_fn *vf, struct vgpu *vgpu)
{
	struct card *card = vf->fn.card;
	int group_ms = vgpu ? knob_group_ms(card) : GROUP_AT_ONCE;

	if (group_ms != GROUP_AT_ONCE || !vgpu_device_is_shown(vf->device))
		return replace_device(vf, vgpu, group_ms);
	mutex_lock(&card->lock);
	vgpu_device_set(vf->device, vgpu);
	mutex_unlock(&card->lock);
	return 0;
}

static const struct profile *profile_find(const struct card *card, long type)
{
	const struct profile *profile;
	long id;

	for (profile = card->model->profiles; profile->id; profile++)
		if (!kstrtol(profile->id, 10, &id) && id == type)
			return profile;
	return NULL;
}

static int set_type(struct vendor_fn *vf, long type)
{
	struct card *card = vf->fn.card;
	const struct profile *profile = profile_find(card, type);
	struct vgpu *vgpu;
	bool has_vgpu;
	int ret;

	mutex_lock(&card->lock);
	has_vgpu = vgpu_device_get(vf->device);
	mutex_unlock(&card->lock);
	if (has_vgpu)
		return -EPERM;

	vgpu = profile ? vgpu_take(&vf->fn, profile, "-") : ERR_PTR(-EIO);
	if (vgpu == ERR_PTR(-EIO))
		dev_err(vf->fn.dev, "NVRM: Failed to add vgpu create request: 0x38\n");
	if (IS_ERR(vgpu))
		return PTR_ERR(vgpu);
	knob_stall(card, CREATE_DELAY_MS, CREATE_HANG);
	ret = put_vgpu(vf, vgpu);
	if (ret)
		vgpu_give_back(vgpu);
	return ret;
}

static int clear_type(struct vendor_fn *vf)
{
	struct card *card = vf->fn.card;
	struct vgpu *vgpu;
	int ret = 0;

	mutex_lock(&card->lock);
	vgpu = vgpu_device_get(vf->device);
	if (!vgpu || vgpu->open)
		ret = -EPERM;
	else if (knob_take(card, RESET_FAIL_NEXT))
		ret = -EBUSY;
	else
		vgpu->dying = true;
	mutex_unlock(&card->lock);
	if (ret)
		return ret;

	knob_stall(card, REMOVE_DELAY_MS, REMOVE_HANG);
	ret = put_vgpu(vf, NULL);
	if (ret) {
		mutex_lock(&card->lock);
		vgpu->dying = false;
		mutex_unlock(&card->lock);
		return ret;
	}
	vgpu_give_back(vgpu);
	return 0;
}

static ssize_t current_vgpu_type_store(struct device *dev, struct device_attribute *attr, const char *buf,
				       size_t count)
{
	struct vendor_fn *vf = dev_vf(dev);
	long type;
	int ret = kstrtol(buf, 10, &type);

	if (ret)
		return ret;
	mutex_lock(&vf->setting);
	ret = type ? set_type(vf, type) : clear_type(vf);
	mutex_unlock(&vf->setting);
	return ret ? ret : count;
}
static DEVICE_ATTR_RW(current_vgpu_type);

static ssize_t vgpu_params_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vendor_fn *vf = dev_vf(dev);
	ssize_t ret;

	mutex_lock(&vf->fn.card->lock);
	ret = vgpu_params_get(vgpu_device_get(vf->device), buf);
	mutex_unlock(&vf->fn.card->lock);
	return ret;
}

static ssize_t vgpu_params_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	struct vendor_fn *vf = dev_vf(dev);
	ssize_t ret;

	mutex_lock(&vf->fn.card->lock);
	ret = vgpu_params_set(vgpu_device_get(vf->device), buf, count);
	mutex_unlock(&vf->fn.card->lock);
	return ret;
}
static DEVICE_ATTR_RW(vgpu_params);

static ssize_t gpu_instance_id_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vendor_fn *vf = dev_vf(dev);
	const struct vgpu *vgpu;
	ssize_t ret = -ENXIO;

	mutex_lock(&vf->fn.card->lock);
	vgpu = vgpu_device_get(vf->device);
	if (vgpu && vgpu->gi != NO_GI)
		ret = sysfs_emit(buf, "%d\n", vgpu->gi);
	mutex_unlock(&vf->fn.card->lock);
	return ret;
}
static DEVICE_ATTR_RO(gpu_instance_id);

static struct attribute *vendor_attrs[] = {
	&dev_attr_creatable_vgpu_types.attr, &dev_attr_current_vgpu_type.attr, &dev_attr_vgpu_params.attr,
	&dev_attr_gpu_instance_id.attr, NULL
};
static const struct attribute_group vendor_group = { .name = "nvidia", .attrs = vendor_attrs };

int vendor_fn_add(struct pci_dev *pdev)
{
	struct vendor_fn *vf = kzalloc(sizeof(*vf), GFP_KERNEL);
	int ret;

	if (!vf)
		return -ENOMEM;
	vf->fn = (struct fn){ .card = pci_card(pdev), .dev = &pdev->dev, .is_vf = true };
	mutex_init(&vf->setting);
	vf->device = vgpu_device_new(&pdev->dev, &vf->fn, NULL);
	if (IS_ERR(vf->device)) {
		ret = PTR_ERR(vf->device);
		goto free;
	}
	pci_set_drvdata(pdev, vf);
	ret = vgpu_device_show(vf->device, GROUP_AT_ONCE);
	if (!ret)
		ret = sysfs_create_group(&pdev->dev.kobj, &vendor_group);
	if (!ret)
		return 0;
	vgpu_device_del(vf->device);
free:
	kfree(vf);
	return ret;
}

void vendor_fn_del(struct pci_dev *pdev)
{
	struct vendor_fn *vf = pci_get_drvdata(pdev);
	struct card *card = vf->fn.card;
	struct vgpu *vgpu;

	sysfs_remove_group(&pdev->dev.kobj, &vendor_group);
	mutex_lock(&card->lock);
	vgpu = vgpu_device_get(vf->device);
	mutex_unlock(&card->lock);
	vgpu_device_del(vf->device);	/* waits for QEMU to close it */
	if (vgpu)
		vgpu_give_back(vgpu);
	kfree(vf);
}
