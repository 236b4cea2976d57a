// SPDX-License-Identifier: GPL-2.0
/*
 * The vGPU as QEMU sees it: a VFIO device.
 *
 * How it exports its display (VFIO_DEVICE_QUERY_GFX_PLANE, include/uapi/linux/vfio.h): NVIDIA's vGPUs use a region, as
 * samples/vfio-mdev/mdpy.c does; GVT-g's use a dma-buf only, as intel_vgpu_query_plane() of
 * drivers/gpu/drm/i915/gvt/dmabuf.c does, without a plane while the guest has no driver. A device without a
 * display does not know the ioctl, as in samples/vfio-mdev/mtty.c.
 */
#include <drm/drm_fourcc.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "fakegpu.h"

#define REGION_SHIFT	40
#define CONFIG_SIZE	256
#define BAR0_SIZE	4096
#define FB_WIDTH	320
#define FB_HEIGHT	200
#define FB_SIZE		PAGE_ALIGN(FB_WIDTH * FB_HEIGHT * 4)
#define DISPLAY_REGION	VFIO_PCI_NUM_REGIONS

struct vgpu_device {
	struct vfio_device vdev;
	struct fn *fn;
	struct vgpu *vgpu;		/* card->lock; NULL: a VF without a type */
	struct delayed_work arrival;	/* when its group comes late */
	bool shown;			/* it has its group */
	u8 config[CONFIG_SIZE];
	void *fb;			/* while it is open */
	struct migration migration;
};

static struct vgpu_device *to_vgpu_device(struct vfio_device *vdev)
{
	return container_of(vdev, struct vgpu_device, vdev);
}

struct migration *vgpu_device_migration(struct vfio_device *vdev)
{
	return &to_vgpu_device(vdev)->migration;
}

void vgpu_device_paint(struct migration *migration)
{
	u32 *fb = container_of(migration, struct vgpu_device, migration)->fb;
	size_t i;

	for (i = 0; i < FB_WIDTH * FB_HEIGHT; i++)
		fb[i] = migration->colour;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
static void device_release(struct vfio_device *vdev)
{
	vfio_free_device(vdev);
}
#endif

static int device_open(struct vfio_device *vdev)
{
	struct vgpu_device *device = to_vgpu_device(vdev);
	struct card *card = device->fn->card;
	static atomic_t opens;
	const char *type = NULL;
	int ret = 0;

	device->fb = vmalloc_user(FB_SIZE);
	if (!device->fb)
		return -ENOMEM;

	mutex_lock(&card->lock);
	if (!device->vgpu || device->vgpu->dying) {
		dev_err(vdev->dev, "current_vgpu_type of VF not configured\n");
		ret = -ENODEV;
	} else if (knob_take(card, OPEN_FAIL_NEXT)) {
		ret = -EIO;
	} else {
		device->vgpu->open = true;
		get_task_comm(device->vgpu->vm_name, current);
		type = device->vgpu->profile->id;
	}
	mutex_unlock(&card->lock);
	if (ret) {
		vfree(device->fb);
		return ret;
	}
	/* a green that no other guest has, for screenshots */
	migration_open(vdev, type, 0x76b900 + (atomic_inc_return(&opens) & 0xff));
	return 0;
}

static void device_close(struct vfio_device *vdev)
{
	struct vgpu_device *device = to_vgpu_device(vdev);
	struct card *card = device->fn->card;

	migration_reset(vdev);
	mutex_lock(&card->lock);
	device->vgpu->open = false;
	device->vgpu->vm_name[0] = '\0';
	mutex_unlock(&card->lock);
	vfree(device->fb);

	if (!card->model->vendor_vfio && READ_ONCE(card->knob[SELF_REMOVE]))
		mdev_self_remove(vdev->dev);
}

static u64 region_size(u32 index)
{
	switch (index) {
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return CONFIG_SIZE;
	case VFIO_PCI_BAR0_REGION_INDEX:
		return BAR0_SIZE;
	case DISPLAY_REGION:
		return FB_SIZE;
	}
	return 0;
}

static ssize_t device_read(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos)
{
	struct vgpu_device *device = to_vgpu_device(vdev);
	u32 index = *ppos >> REGION_SHIFT;
	u64 pos = *ppos & ((1ull << REGION_SHIFT) - 1), size = region_size(index);
	const void *data = index == VFIO_PCI_CONFIG_REGION_INDEX ? device->config :
			   index == DISPLAY_REGION ? device->fb : NULL;

	if (pos >= size)
		return -EINVAL;
	count = min_t(u64, count, size - pos);
	if (data ? copy_to_user(buf, data + pos, count) : clear_user(buf, count))
		return -EFAULT;
	*ppos += count;
	return count;
}

static ssize_t device_write(struct vfio_device *vdev, const char __user *buf, size_t count, loff_t *ppos)
{
	struct vgpu_device *device = to_vgpu_device(vdev);
	u32 index = *ppos >> REGION_SHIFT;
	u64 pos = *ppos & ((1ull << REGION_SHIFT) - 1), size = region_size(index);
	u32 val = 0;

	if (pos >= size)
		return -EINVAL;
	count = min_t(u64, count, size - pos);
	if (index == VFIO_PCI_CONFIG_REGION_INDEX && count <= 4) {
		if (copy_from_user(&val, buf, count))
			return -EFAULT;
		if (pos == PCI_BASE_ADDRESS_0 && count == 4)
			put32(device->config, pos, val & ~(BAR0_SIZE - 1));
		else if (pos == PCI_COMMAND && count >= 2)
			put16(device->config, PCI_COMMAND, val);
	}
	*ppos += count;
	return count;
}

static int device_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct vgpu_device *device = to_vgpu_device(vdev);

	if (vma->vm_pgoff != (u64)DISPLAY_REGION << (REGION_SHIFT - PAGE_SHIFT))
		return -EINVAL;
	return remap_vmalloc_range(vma, device->fb, 0);
}

static long ioctl_info(void __user *arg)
{
	struct vfio_device_info info;
	const size_t minsz = offsetofend(struct vfio_device_info, num_irqs);

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VFIO_PCI_NUM_REGIONS + 1;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static long ioctl_region_info(void __user *arg)
{
	struct vfio_region_info info;
	const size_t minsz = offsetofend(struct vfio_region_info, offset);

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz || info.index > DISPLAY_REGION)
		return -EINVAL;
	info.size = region_size(info.index);
	info.offset = (u64)info.index << REGION_SHIFT;
	info.flags = info.size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
	if (info.index == DISPLAY_REGION)
		info.flags |= VFIO_REGION_INFO_FLAG_MMAP;
	info.cap_offset = 0;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static long ioctl_irq_info(void __user *arg)
{
	struct vfio_irq_info info;
	const size_t minsz = offsetofend(struct vfio_irq_info, count);

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info.flags = VFIO_IRQ_INFO_EVENTFD;
	info.count = 0;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static long gvt_gfx_plane(u32 flags)
{
	if (flags == (VFIO_GFX_PLANE_TYPE_DMABUF | VFIO_GFX_PLANE_TYPE_PROBE))
		return 0;
	return -EINVAL;	/* a query: the guest shows nothing */
}

static long ioctl_gfx_plane(const struct card *card, void __user *arg)
{
	struct vfio_device_gfx_plane_info plane = { };
	const size_t minsz = offsetofend(struct vfio_device_gfx_plane_info, region_index);

	if (READ_ONCE(card->knob[NO_DISPLAY]))
		return -ENOTTY;
	if (copy_from_user(&plane, arg, minsz))
		return -EFAULT;
	if (plane.argsz < minsz)
		return -EINVAL;
	if (card->model->gvt)
		return gvt_gfx_plane(plane.flags);
	if (plane.flags & VFIO_GFX_PLANE_TYPE_PROBE)
		return plane.flags & VFIO_GFX_PLANE_TYPE_REGION ? 0 : -EINVAL;
	if (plane.flags != VFIO_GFX_PLANE_TYPE_REGION)
		return -EINVAL;
	if (READ_ONCE(card->knob[NO_GUEST_DRIVER]))
		return copy_to_user(arg, &plane, minsz) ? -EFAULT : 0;
	plane.drm_format = DRM_FORMAT_XRGB8888;
	plane.width = FB_WIDTH;
	plane.height = FB_HEIGHT;
	plane.stride = FB_WIDTH * 4;
	plane.size = FB_SIZE;
	plane.region_index = DISPLAY_REGION;
	return copy_to_user(arg, &plane, minsz) ? -EFAULT : 0;
}

static long device_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	struct vgpu_device *device = to_vgpu_device(vdev);
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return ioctl_info(uarg);
	case VFIO_DEVICE_GET_REGION_INFO:
		return ioctl_region_info(uarg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return ioctl_irq_info(uarg);
	case VFIO_DEVICE_SET_IRQS:
		return -EINVAL;
	case VFIO_DEVICE_RESET:
		if (READ_ONCE(device->fn->card->knob[RESET_FAIL]))
			return -EIO;
		migration_reset(vdev);
		return 0;
	case VFIO_DEVICE_QUERY_GFX_PLANE:
		return ioctl_gfx_plane(device->fn->card, uarg);
	}
	return -ENOTTY;
}

/* We pin no guest memory; the core insists on the callback. */
static void device_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
}

static const struct vfio_device_ops device_ops = {
	.name = "fakegpu",
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	.release = device_release,
#endif
	.open_device = device_open,
	.close_device = device_close,
	.read = device_read,
	.write = device_write,
	.mmap = device_mmap,
	.ioctl = device_ioctl,
	.dma_unmap = device_dma_unmap,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
#endif
};

static int device_show(struct vgpu_device *device)
{
	int ret = vfio_register_emulated_iommu_dev(&device->vdev);

	WRITE_ONCE(device->shown, !ret);
	return ret;
}

static void device_arrives(struct work_struct *work)
{
	struct vgpu_device *device = container_of(to_delayed_work(work), struct vgpu_device, arrival);
	int ret = device_show(device);

	if (ret)
		dev_err(device->vdev.dev, "no VFIO device: %d\n", ret);
}

struct vgpu_device *vgpu_device_new(struct device *dev, struct fn *fn, struct vgpu *vgpu)
{
	const struct model *model = fn->card->model;
	struct vgpu_device *device;

	device = vfio_alloc_device(vgpu_device, vdev, dev, &device_ops);
	if (IS_ERR(device))
		return device;
	device->fn = fn;
	device->vgpu = vgpu;
	migration_init(&device->vdev, fn);
	put16(device->config, PCI_VENDOR_ID, model_vendor(model));
	put16(device->config, PCI_DEVICE_ID, model->device);
	put16(device->config, PCI_CLASS_DEVICE, PCI_CLASS_DISPLAY_VGA);
	put16(device->config, PCI_SUBSYSTEM_VENDOR_ID, model_vendor(model));
	put16(device->config, PCI_SUBSYSTEM_ID, model->subsystem);

	INIT_DELAYED_WORK(&device->arrival, device_arrives);
	return device;
}

int vgpu_device_show(struct vgpu_device *device, int group_ms)
{
	if (group_ms == GROUP_AT_ONCE)
		return device_show(device);
	if (group_ms != GROUP_NEVER)
		schedule_delayed_work(&device->arrival, msecs_to_jiffies(group_ms));
	return 0;
}

bool vgpu_device_is_shown(const struct vgpu_device *device)
{
	return READ_ONCE(device->shown);
}

void vgpu_device_del(struct vgpu_device *device)
{
	cancel_delayed_work_sync(&device->arrival);
	if (device->shown)
		vfio_unregister_group_dev(&device->vdev);
	vfio_put_device(&device->vdev);
}

struct vgpu *vgpu_device_get(const struct vgpu_device *device)
{
	lockdep_assert_held(&device->fn->card->lock);
	return device->vgpu;
}

void vgpu_device_set(struct vgpu_device *device, struct vgpu *vgpu)
{
	lockdep_assert_held(&device->fn->card->lock);
	device->vgpu = vgpu;
}
