// SPDX-License-Identifier: GPL-2.0
/*
 * fakegpu/, the directory of a PF for settings that real boards leave to NVML: MIG, mixed sizes, the scheduler, and the
 * lists of types and vGPUs. A stand-in for NVML answers from these files.
 *
 * The rules of MIG, mixed sizes and schedulers are those of NVIDIA's vGPU software user guide and MIG user guide. That a
 * change of VFs takes GPU instances away, but not MIG mode, was seen on an RTX PRO 6000 Blackwell by
 * github.com/bigstack-oss/cubecos.
 */
#include "fakegpu.h"

static struct card *dev_card(struct device *dev)
{
	return pci_card(to_pci_dev(dev));
}

static ssize_t mig_capable_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", dev_card(dev)->model->mig);
}
static DEVICE_ATTR_RO(mig_capable);

static ssize_t mig_mode_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(dev_card(dev)->mig_mode));
}

static ssize_t mig_mode_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	struct card *card = dev_card(dev);
	ssize_t ret = count;
	bool on;

	if (kstrtobool(buf, &on))
		return -EINVAL;
	if (on && !card->model->mig)
		return -EOPNOTSUPP;
	mutex_lock(&card->lock);
	if (on == card->mig_mode) {
		/* nothing to do */
	} else if (!list_empty(&card->vgpus) || (!on && (card->n_gi || pci_num_vf(to_pci_dev(dev))))) {
		ret = -EBUSY;
	} else {
		card->mig_mode = on;
		card->mixed = false;
	}
	mutex_unlock(&card->lock);
	return ret;
}
static DEVICE_ATTR_RW(mig_mode);

static ssize_t gpu_instances_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct card *card = dev_card(dev);
	int len = 0;
	size_t i;

	mutex_lock(&card->lock);
	for (i = 0; i < card->n_gi; i++) {
		const struct gi *gi = &card->gi[i];

		len += sysfs_emit_at(buf, len, "%u %u %u %u %u\n", gi->id, gi->profile, gi->start, gi->size,
				     gi_users(card, gi));
	}
	mutex_unlock(&card->lock);
	return len;
}

/* Returns how many there are; EINVAL: not a list, an id twice, or two that overlap. */
static int gi_parse(const char *buf, struct gi *list)
{
	unsigned int taken = 0, mask;
	int n = 0, i, used;
	struct gi gi;

	/* Of a line that was read here, the fifth column is skipped. */
	for (buf = skip_spaces(buf); *buf; buf = skip_spaces(strchrnul(buf + used, '\n'))) {
		if (n == MIG_SLICES ||
		    sscanf(buf, "%u %u %u %u%n", &gi.id, &gi.profile, &gi.start, &gi.size, &used) != 4)
			return -EINVAL;
		if (!gi.size || gi.start >= MIG_SLICES || gi.size > MIG_SLICES - gi.start)
			return -EINVAL;
		mask = GENMASK(gi.start + gi.size - 1, gi.start);
		if (taken & mask)
			return -EINVAL;
		taken |= mask;
		for (i = 0; i < n; i++)
			if (list[i].id == gi.id)
				return -EINVAL;
		list[n++] = gi;
	}
	return n;
}

static bool gi_listed(const struct gi *gi, const struct gi *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!memcmp(&list[i], gi, sizeof(*gi)))
			return true;
	return false;
}

static ssize_t gpu_instances_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	struct card *card = dev_card(dev);
	struct gi list[MIG_SLICES];
	ssize_t ret = count;
	int n, i;

	n = gi_parse(buf, list);
	if (n < 0)
		return n;
	mutex_lock(&card->lock);
	if (n && !card->mig_mode)
		ret = -EINVAL;
	for (i = 0; i < card->n_gi; i++)
		if (gi_users(card, &card->gi[i]) && !gi_listed(&card->gi[i], list, n))
			ret = -EBUSY;
	if (ret > 0) {
		memcpy(card->gi, list, n * sizeof(*list));
		card->n_gi = n;
	}
	mutex_unlock(&card->lock);
	return ret;
}
static DEVICE_ATTR_RW(gpu_instances);

static ssize_t mixed_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(dev_card(dev)->mixed));
}

static ssize_t mixed_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	struct card *card = dev_card(dev);
	ssize_t ret = count;
	bool on;

	if (kstrtobool(buf, &on))
		return -EINVAL;
	mutex_lock(&card->lock);
	if (on && (!card->model->total_vfs || card->mig_mode))
		ret = -EOPNOTSUPP;
	else if (on != card->mixed && !list_empty(&card->vgpus))
		ret = -EBUSY;
	else
		card->mixed = on;
	mutex_unlock(&card->lock);
	return ret;
}
static DEVICE_ATTR_RW(mixed);

static ssize_t scheduler_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct card *card = dev_card(dev);
	ssize_t ret;

	mutex_lock(&card->lock);
	ret = sysfs_emit(buf, "%s\n", card->scheduler);
	mutex_unlock(&card->lock);
	return ret;
}

static ssize_t scheduler_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	struct card *card = dev_card(dev);
	ssize_t ret = count;
	size_t len = strcspn(buf, "\n");

	if (len > SCHEDULER_MAX)
		return -E2BIG;
	mutex_lock(&card->lock);
	if (!list_empty(&card->vgpus)) {
		ret = -EBUSY;
	} else {
		memcpy(card->scheduler, buf, len);
		card->scheduler[len] = '\0';
	}
	mutex_unlock(&card->lock);
	return ret;
}
static DEVICE_ATTR_RW(scheduler);

static ssize_t types_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct profile *p;
	int len = 0;

	for (p = dev_card(dev)->model->profiles; p->id; p++) {
		len += sysfs_emit_at(buf, len, "%s|%s|%u|%u|%u|%s|%u|%u|", p->id, p->name, p->fb_mib, p->heads, p->frl,
				     p->max_resolution, p->max_instance, p->max_per_vm);
		if (p->gi_profile == NO_GI)
			len += sysfs_emit_at(buf, len, "-|");
		else
			len += sysfs_emit_at(buf, len, "%d|", p->gi_profile);
		len += sysfs_emit_at(buf, len, "%u\n", p->max_per_gi);
	}
	return len;
}
static DEVICE_ATTR_RO(types);

static ssize_t vgpus_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct card *card = dev_card(dev);
	const struct vgpu *vgpu;
	int len = 0;

	mutex_lock(&card->lock);
	list_for_each_entry(vgpu, &card->vgpus, node) {
		len += sysfs_emit_at(buf, len, "%s %s %s ", dev_name(vgpu->fn->dev), vgpu->profile->id, vgpu->uuid);
		if (vgpu->gi == NO_GI)
			len += sysfs_emit_at(buf, len, "- ");
		else
			len += sysfs_emit_at(buf, len, "%d ", vgpu->gi);
		len += sysfs_emit_at(buf, len, "%d\n", vgpu->open);
	}
	mutex_unlock(&card->lock);
	return len;
}
static DEVICE_ATTR_RO(vgpus);

static struct attribute *control_attrs[] = {
	&dev_attr_mig_capable.attr, &dev_attr_mig_mode.attr, &dev_attr_gpu_instances.attr, &dev_attr_mixed.attr,
	&dev_attr_scheduler.attr, &dev_attr_types.attr, &dev_attr_vgpus.attr, NULL
};
static const struct attribute_group control_group = { .name = "fakegpu", .attrs = control_attrs };

int control_add(struct pci_dev *pdev)
{
	return sysfs_create_group(&pdev->dev.kobj, &control_group);
}

void control_del(struct pci_dev *pdev)
{
	sysfs_remove_group(&pdev->dev.kobj, &control_group);
}

void control_wipe(struct card *card)
{
	mutex_lock(&card->lock);
	card->n_gi = 0;
	card->mixed = false;
	mutex_unlock(&card->lock);
}
