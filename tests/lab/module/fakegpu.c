// SPDX-License-Identifier: GPL-2.0
/*
 * NVIDIA vGPU boards that exist only in memory. See README for the boards, the behaviour and the knobs.
 *
 * Layers, top to bottom: models and boards (tables), PCI configuration space, capacity rules, the mdev and its VFIO
 * device, the PCI driver, knobs, module.
 */
#include <drm/drm_fourcc.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/vfio.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <linux/version.h>

/* ------------------------------------------------------------------------------------------------------------------
 * Models and boards
 */

struct profile {
	const char *id, *name;
	unsigned int fb_mib, heads, frl;
	const char *max_resolution;
	unsigned int max_instance;
};

/* Ids, names and descriptions as captured from a real A2. */
static const struct profile a2_profiles[] = {
	{ "742", "NVIDIA A2-1B",   1024, 4, 45, "5120x2880", 16 },
	{ "743", "NVIDIA A2-2B",   2048, 4, 45, "5120x2880",  8 },
	{ "744", "NVIDIA A2-1Q",   1024, 4, 60, "5120x2880", 16 },
	{ "745", "NVIDIA A2-2Q",   2048, 4, 60, "7680x4320",  8 },
	{ "746", "NVIDIA A2-4Q",   4096, 4, 60, "7680x4320",  4 },
	{ "747", "NVIDIA A2-8Q",   8192, 4, 60, "7680x4320",  2 },
	{ "748", "NVIDIA A2-16Q", 16384, 4, 60, "7680x4320",  1 },
	{ "749", "NVIDIA A2-1A",   1024, 1, 60, "1280x1024", 16 },
	{ "750", "NVIDIA A2-2A",   2048, 1, 60, "1280x1024",  8 },
	{ "751", "NVIDIA A2-4A",   4096, 1, 60, "1280x1024",  4 },
	{ "752", "NVIDIA A2-8A",   8192, 1, 60, "1280x1024",  2 },
	{ "753", "NVIDIA A2-16A", 16384, 1, 60, "1280x1024",  1 },
	{ "754", "NVIDIA A2-4C",   4096, 1, 60, "4096x2400",  4 },
	{ "755", "NVIDIA A2-8C",   8192, 1, 60, "4096x2400",  2 },
	{ "756", "NVIDIA A2-16C", 16384, 1, 60, "4096x2400",  1 },
	{ }
};

static const struct profile m10_profiles[] = {
	{ "35", "GRID M10-0B",  512, 2, 45, "2560x1600", 16 },
	{ "36", "GRID M10-0Q",  512, 2, 60, "2560x1600", 16 },
	{ "37", "GRID M10-1A", 1024, 1, 60, "1280x1024",  8 },
	{ "38", "GRID M10-1B", 1024, 4, 45, "5120x2880",  8 },
	{ "39", "GRID M10-1Q", 1024, 4, 60, "5120x2880",  8 },
	{ "40", "GRID M10-2A", 2048, 1, 60, "1280x1024",  4 },
	{ "41", "GRID M10-2Q", 2048, 4, 60, "5120x2880",  4 },
	{ "42", "GRID M10-4A", 4096, 1, 60, "1280x1024",  2 },
	{ "43", "GRID M10-4Q", 4096, 4, 60, "5120x2880",  2 },
	{ "44", "GRID M10-8A", 8192, 1, 60, "1280x1024",  1 },
	{ "45", "GRID M10-8Q", 8192, 4, 60, "5120x2880",  1 },
	{ }
};

static const struct profile p40_profiles[] = {
	{ "46",  "GRID P40-1Q",   1024, 4, 60, "5120x2880", 24 },
	{ "47",  "GRID P40-2Q",   2048, 4, 60, "7680x4320", 12 },
	{ "49",  "GRID P40-4Q",   4096, 4, 60, "7680x4320",  6 },
	{ "50",  "GRID P40-6Q",   6144, 4, 60, "7680x4320",  4 },
	{ "53",  "GRID P40-24Q", 24576, 4, 60, "7680x4320",  1 },
	{ "58",  "GRID P40-6A",   6144, 1, 60, "1280x1024",  4 },
	{ "156", "GRID P40-2B",   2048, 4, 45, "5120x2880", 12 },
	{ "215", "GRID P40-2B4",  2048, 4, 45, "5120x2880", 12 },
	/* Made up: real ids and names, but of other boards. They tempt whoever matches by substring or folds case. */
	{ "588",  "NVIDIA A10-1B",        1024, 4, 45, "5120x2880", 24 },
	{ "944",  "NVIDIA RTX6000-Ada-4Q", 4096, 4, 60, "7680x4320", 6 },
	{ "1519", "NVIDIA RTX Pro 6000 Blackwell DC-3Q", 3072, 4, 60, "7680x4320", 8 },
	{ }
};

struct model {
	u16 device, subsystem;
	u16 total_vfs;			/* 0: vGPUs are children of the PF */
	const struct profile *profiles;
};

static const struct model a2  = { 0x25b6, 0x157e, 16, a2_profiles };
static const struct model m10 = { 0x13bd, 0x1160,  0, m10_profiles };
static const struct model p40 = { 0x1b38, 0x11d9,  0, p40_profiles };

enum knob {
	CREATE_DELAY_MS, CREATE_FAIL_NEXT, CREATE_HANG, LIE_AVAILABLE, REMOVE_DELAY_MS, REMOVE_HANG, SELF_REMOVE,
	OPEN_FAIL_NEXT, PARAMS_FAIL_NEXT, RESET_FAIL, NR_KNOBS
};

struct card {
	int domain;
	u8 bus_nr;
	int node;
	const struct model *model;
	bool spare;			/* absent until hot-plugged */

	struct pci_sysdata sysdata;
	struct resource busn;
	struct pci_bus *bus;		/* NULL: absent */
	u8 *pf_cfg, *vf_cfg;		/* 4 KiB each; all VFs read the same */

	struct work_struct hotplug;
	bool want_present;

	struct mutex lock;		/* everything below */
	unsigned int used, used_fb_mib;
	int knob[NR_KNOBS];
};

static struct card cards[] = {
	{     0, 0x41, 0, &a2 },
	{     0, 0x42, 1, &a2 },
	{     0, 0x43, 0, &a2, .spare = true },
	{     0, 0x84, 0, &m10 },
	{     0, 0x85, 1, &m10 },
	{     0, 0x86, 0, &m10, .spare = true },
	{ 0x10000, 0x01, 0, &p40 },
};

#define ADDR_LEN 16

static const char *card_addr(const struct card *card, char *buf)
{
	snprintf(buf, ADDR_LEN, "%04x:%02x:00.0", card->domain, card->bus_nr);
	return buf;
}

static struct card *card_find(const char *addr)
{
	char buf[ADDR_LEN];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cards); i++)
		if (!strcmp(card_addr(&cards[i], buf), addr))
			return &cards[i];
	return NULL;
}

/* Counts a *_fail_next knob down. */
static bool knob_take(struct card *card, enum knob knob)
{
	bool taken;

	mutex_lock(&card->lock);
	taken = card->knob[knob] > 0;
	if (taken)
		card->knob[knob]--;
	mutex_unlock(&card->lock);
	return taken;
}

/* Blocks as a wedged driver does: not even SIGKILL helps. */
static void knob_stall(struct card *card, enum knob delay_ms, enum knob hang)
{
	msleep(READ_ONCE(card->knob[delay_ms]));
	while (READ_ONCE(card->knob[hang]))
		msleep(20);
}

/* ------------------------------------------------------------------------------------------------------------------
 * PCI configuration space
 */

#define CFG_SIZE	4096
#define PCIE_CAP	0x40
#define SRIOV_CAP	0x100
#define VF_OFFSET	4	/* first VF is function 4, as on the real boards */
#define VF_STRIDE	1

/* x86 only, so the byte order is ours. */
static void put16(u8 *cfg, int where, u16 val)
{
	memcpy(cfg + where, &val, sizeof(val));
}

static void put32(u8 *cfg, int where, u32 val)
{
	memcpy(cfg + where, &val, sizeof(val));
}

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

	memset(pf, 0, CFG_SIZE);
	put16(pf, PCI_VENDOR_ID, PCI_VENDOR_ID_NVIDIA);
	put16(pf, PCI_DEVICE_ID, model->device);
	put16(pf, PCI_STATUS, PCI_STATUS_CAP_LIST);
	pf[PCI_REVISION_ID] = 0xa1;
	put16(pf, PCI_CLASS_DEVICE, PCI_CLASS_DISPLAY_3D);
	put16(pf, PCI_SUBSYSTEM_VENDOR_ID, PCI_VENDOR_ID_NVIDIA);
	put16(pf, PCI_SUBSYSTEM_ID, model->subsystem);
	pf[PCI_CAPABILITY_LIST] = PCIE_CAP;
	pf[PCIE_CAP] = PCI_CAP_ID_EXP;
	put16(pf, PCIE_CAP + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_RC_END << 4);

	memcpy(vf, pf, CFG_SIZE);
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

	if (!cfg || where + size > CFG_SIZE) {
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

static int card_plug(struct card *card)
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

static void card_unplug(struct card *card)
{
	pci_lock_rescan_remove();
	pci_stop_root_bus(card->bus);
	pci_remove_root_bus(card->bus);
	pci_unlock_rescan_remove();
	card->bus = NULL;
}

/* ------------------------------------------------------------------------------------------------------------------
 * Capacity
 */

struct fn_type {
	struct mdev_type type;
	const struct profile *profile;
};

/* A PCI function that carries vGPUs: a VF, or the PF of a board without SR-IOV. */
struct fn {
	struct card *card;
	bool is_vf;
	unsigned int used;		/* card->lock */
	struct mdev_parent parent;
	unsigned int n_types;
	struct mdev_type **type_ptrs;
	struct fn_type types[];
};

static struct fn *type_fn(struct mdev_type *type)
{
	return dev_get_drvdata(type->parent->dev);
}

static const struct profile *type_profile(struct mdev_type *type)
{
	return container_of(type, struct fn_type, type)->profile;
}

static unsigned int fn_available(const struct fn *fn, const struct profile *profile)
{
	const struct card *card = fn->card;
	unsigned int left;

	lockdep_assert_held(&card->lock);
	if (card->used && card->used_fb_mib != profile->fb_mib)
		return 0;
	left = profile->max_instance > card->used ? profile->max_instance - card->used : 0;
	if (fn->is_vf)
		return left && !fn->used;
	return left;
}

static int fn_take(struct fn *fn, const struct profile *profile)
{
	struct card *card = fn->card;
	int ret = -EIO;

	mutex_lock(&card->lock);
	if (!card->knob[LIE_AVAILABLE] && fn_available(fn, profile)) {
		card->used++;
		card->used_fb_mib = profile->fb_mib;
		fn->used++;
		ret = 0;
	}
	mutex_unlock(&card->lock);
	return ret;
}

static void fn_give_back(struct fn *fn)
{
	mutex_lock(&fn->card->lock);
	fn->card->used--;
	fn->used--;
	mutex_unlock(&fn->card->lock);
}

/* ------------------------------------------------------------------------------------------------------------------
 * The vGPU: a VFIO device
 */

#define REGION_SHIFT	40
#define CONFIG_SIZE	256
#define BAR0_SIZE	4096
#define FB_WIDTH	320
#define FB_HEIGHT	200
#define FB_SIZE		PAGE_ALIGN(FB_WIDTH * FB_HEIGHT * 4)
#define DISPLAY_REGION	VFIO_PCI_NUM_REGIONS
#define PARAMS_MAX	1024

struct vgpu {
	struct vfio_device vdev;
	struct mdev_device *mdev;
	struct fn *fn;
	u8 config[CONFIG_SIZE];
	void *fb;

	struct mutex lock;		/* the rest */
	bool open;
	char vm_name[TASK_COMM_LEN];
	char params[PARAMS_MAX + 1];
};

static int vgpu_init(struct vfio_device *vdev)
{
	struct vgpu *vgpu = container_of(vdev, struct vgpu, vdev);
	const struct model *model;
	size_t i;

	vgpu->mdev = to_mdev_device(vdev->dev);
	vgpu->fn = type_fn(vgpu->mdev->type);
	mutex_init(&vgpu->lock);

	vgpu->fb = vmalloc_user(FB_SIZE);
	if (!vgpu->fb)
		return -ENOMEM;
	for (i = 0; i < FB_WIDTH * FB_HEIGHT; i++)
		((u32 *)vgpu->fb)[i] = 0x76b900;	/* plain green, so that a screenshot shows something */

	model = vgpu->fn->card->model;
	put16(vgpu->config, PCI_VENDOR_ID, PCI_VENDOR_ID_NVIDIA);
	put16(vgpu->config, PCI_DEVICE_ID, model->device);
	put16(vgpu->config, PCI_CLASS_DEVICE, PCI_CLASS_DISPLAY_VGA);
	put16(vgpu->config, PCI_SUBSYSTEM_VENDOR_ID, PCI_VENDOR_ID_NVIDIA);
	put16(vgpu->config, PCI_SUBSYSTEM_ID, model->subsystem);
	return 0;
}

static void vgpu_release(struct vfio_device *vdev)
{
	struct vgpu *vgpu = container_of(vdev, struct vgpu, vdev);

	vfree(vgpu->fb);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	vfio_free_device(vdev);
#endif
}

static int vgpu_open(struct vfio_device *vdev)
{
	struct vgpu *vgpu = container_of(vdev, struct vgpu, vdev);

	if (knob_take(vgpu->fn->card, OPEN_FAIL_NEXT))
		return -EIO;
	mutex_lock(&vgpu->lock);
	vgpu->open = true;
	get_task_comm(vgpu->vm_name, current);
	mutex_unlock(&vgpu->lock);
	return 0;
}

struct self_remove {
	struct work_struct work;
	char path[80];
};

/* The mdev core exports no removal, so this goes the way of everybody else. */
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

static void vgpu_close(struct vfio_device *vdev)
{
	struct vgpu *vgpu = container_of(vdev, struct vgpu, vdev);
	struct self_remove *sr;

	mutex_lock(&vgpu->lock);
	vgpu->open = false;
	vgpu->vm_name[0] = '\0';
	mutex_unlock(&vgpu->lock);

	if (!READ_ONCE(vgpu->fn->card->knob[SELF_REMOVE]))
		return;
	sr = kzalloc(sizeof(*sr), GFP_KERNEL);
	if (!sr)
		return;
	__module_get(THIS_MODULE);
	INIT_WORK(&sr->work, self_remove_work);
	snprintf(sr->path, sizeof(sr->path), "/sys/bus/mdev/devices/%s/remove", dev_name(vdev->dev));
	schedule_work(&sr->work);
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

static ssize_t vgpu_read(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos)
{
	struct vgpu *vgpu = container_of(vdev, struct vgpu, vdev);
	u32 index = *ppos >> REGION_SHIFT;
	u64 pos = *ppos & ((1ull << REGION_SHIFT) - 1), size = region_size(index);
	const void *data = index == VFIO_PCI_CONFIG_REGION_INDEX ? vgpu->config :
			   index == DISPLAY_REGION ? vgpu->fb : NULL;

	if (pos >= size)
		return -EINVAL;
	count = min_t(u64, count, size - pos);
	if (data ? copy_to_user(buf, data + pos, count) : clear_user(buf, count))
		return -EFAULT;
	*ppos += count;
	return count;
}

static ssize_t vgpu_write(struct vfio_device *vdev, const char __user *buf, size_t count, loff_t *ppos)
{
	struct vgpu *vgpu = container_of(vdev, struct vgpu, vdev);
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
			put32(vgpu->config, pos, val & ~(BAR0_SIZE - 1));
		else if (pos == PCI_COMMAND && count >= 2)
			put16(vgpu->config, PCI_COMMAND, val);
	}
	*ppos += count;
	return count;
}

static int vgpu_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct vgpu *vgpu = container_of(vdev, struct vgpu, vdev);

	if (vma->vm_pgoff != (u64)DISPLAY_REGION << (REGION_SHIFT - PAGE_SHIFT))
		return -EINVAL;
	return remap_vmalloc_range(vma, vgpu->fb, 0);
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

static long ioctl_gfx_plane(void __user *arg)
{
	struct vfio_device_gfx_plane_info plane = { };
	const size_t minsz = offsetofend(struct vfio_device_gfx_plane_info, region_index);

	if (copy_from_user(&plane, arg, minsz))
		return -EFAULT;
	if (plane.argsz < minsz)
		return -EINVAL;
	if (plane.flags & VFIO_GFX_PLANE_TYPE_PROBE)
		return plane.flags & VFIO_GFX_PLANE_TYPE_REGION ? 0 : -EINVAL;
	if (plane.flags != VFIO_GFX_PLANE_TYPE_REGION)
		return -EINVAL;
	plane.drm_format = DRM_FORMAT_XRGB8888;
	plane.width = FB_WIDTH;
	plane.height = FB_HEIGHT;
	plane.stride = FB_WIDTH * 4;
	plane.size = FB_SIZE;
	plane.region_index = DISPLAY_REGION;
	return copy_to_user(arg, &plane, minsz) ? -EFAULT : 0;
}

static long vgpu_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	struct vgpu *vgpu = container_of(vdev, struct vgpu, vdev);
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
		return READ_ONCE(vgpu->fn->card->knob[RESET_FAIL]) ? -EIO : 0;
	case VFIO_DEVICE_QUERY_GFX_PLANE:
		return ioctl_gfx_plane(uarg);
	}
	return -ENOTTY;
}

/* We pin no guest memory; the core insists on the callback. */
static void vgpu_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
}

static const struct vfio_device_ops vgpu_ops = {
	.name = "fakegpu",
	.init = vgpu_init,
	.release = vgpu_release,
	.open_device = vgpu_open,
	.close_device = vgpu_close,
	.read = vgpu_read,
	.write = vgpu_write,
	.mmap = vgpu_mmap,
	.ioctl = vgpu_ioctl,
	.dma_unmap = vgpu_dma_unmap,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
#endif
};

/* ------------------------------------------------------------------------------------------------------------------
 * The vGPU: an mdev
 */

static ssize_t vgpu_params_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vgpu *vgpu = dev_get_drvdata(dev);
	ssize_t len;

	mutex_lock(&vgpu->lock);
	len = sysfs_emit(buf, "%s\n", vgpu->params);
	mutex_unlock(&vgpu->lock);
	return len;
}

static ssize_t vgpu_params_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t count)
{
	struct vgpu *vgpu = dev_get_drvdata(dev);
	ssize_t ret = count;

	if (count > PARAMS_MAX)
		return -E2BIG;
	if (knob_take(vgpu->fn->card, PARAMS_FAIL_NEXT))
		return -EIO;
	mutex_lock(&vgpu->lock);
	if (vgpu->open) {
		ret = -EPERM;
	} else {
		memcpy(vgpu->params, buf, count);
		vgpu->params[count] = '\0';
		strim(vgpu->params);
	}
	mutex_unlock(&vgpu->lock);
	return ret;
}
static DEVICE_ATTR_RW(vgpu_params);

static ssize_t vm_name_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vgpu *vgpu = dev_get_drvdata(dev);
	ssize_t len;

	mutex_lock(&vgpu->lock);
	len = sysfs_emit(buf, "%s\n", vgpu->vm_name);
	mutex_unlock(&vgpu->lock);
	return len;
}
static DEVICE_ATTR_RO(vm_name);

static struct attribute *vgpu_attrs[] = { &dev_attr_vgpu_params.attr, &dev_attr_vm_name.attr, NULL };
static const struct attribute_group vgpu_group = { .name = "nvidia", .attrs = vgpu_attrs };
static const struct attribute_group *vgpu_groups[] = { &vgpu_group, NULL };

static int vgpu_probe(struct mdev_device *mdev)
{
	struct fn *fn = type_fn(mdev->type);
	struct vgpu *vgpu;
	int ret;

	if (knob_take(fn->card, CREATE_FAIL_NEXT))
		return -EIO;
	ret = fn_take(fn, type_profile(mdev->type));
	if (ret)
		return ret;
	knob_stall(fn->card, CREATE_DELAY_MS, CREATE_HANG);

	vgpu = vfio_alloc_device(vgpu, vdev, &mdev->dev, &vgpu_ops);
	if (IS_ERR(vgpu)) {
		ret = PTR_ERR(vgpu);
		goto give_back;
	}
	dev_set_drvdata(&mdev->dev, vgpu);
	ret = vfio_register_emulated_iommu_dev(&vgpu->vdev);
	if (!ret)
		return 0;
	vfio_put_device(&vgpu->vdev);
give_back:
	fn_give_back(fn);
	return ret;
}

static void vgpu_remove(struct mdev_device *mdev)
{
	struct vgpu *vgpu = dev_get_drvdata(&mdev->dev);
	struct fn *fn = vgpu->fn;

	vfio_unregister_group_dev(&vgpu->vdev);	/* waits for QEMU to close it */
	knob_stall(fn->card, REMOVE_DELAY_MS, REMOVE_HANG);
	vfio_put_device(&vgpu->vdev);
	fn_give_back(fn);
}

static unsigned int vgpu_get_available(struct mdev_type *type)
{
	struct fn *fn = type_fn(type);
	unsigned int n;

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

static struct mdev_driver vgpu_driver = {
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

/* ------------------------------------------------------------------------------------------------------------------
 * The PCI driver
 */

static int gpu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct card *card = container_of(pdev->bus->sysdata, struct card, sysdata);
	const struct profile *profiles = card->model->profiles;
	struct fn *fn;
	unsigned int n = 0, i;
	int ret;

	if (!pdev->is_virtfn && card->model->total_vfs)
		return 0;	/* its VFs carry the vGPUs */

	/* The place to branch: vendor-specific VFIO gives the VF a group nvidia/ instead of mdev types. */

	while (profiles[n].id)
		n++;
	fn = kzalloc(struct_size(fn, types, n), GFP_KERNEL);
	if (!fn)
		return -ENOMEM;
	fn->type_ptrs = kcalloc(n, sizeof(*fn->type_ptrs), GFP_KERNEL);
	if (!fn->type_ptrs) {
		kfree(fn);
		return -ENOMEM;
	}
	fn->card = card;
	fn->is_vf = pdev->is_virtfn;
	for (i = 0; i < n; i++) {
		fn->types[i].profile = &profiles[i];
		fn->types[i].type.sysfs_name = profiles[i].id;
		fn->types[i].type.pretty_name = profiles[i].name;
		fn->type_ptrs[i] = &fn->types[i].type;
	}
	pci_set_drvdata(pdev, fn);
	ret = mdev_register_parent(&fn->parent, &pdev->dev, &vgpu_driver, fn->type_ptrs, n);
	if (ret) {
		kfree(fn->type_ptrs);
		kfree(fn);
	}
	return ret;
}

static void gpu_remove(struct pci_dev *pdev)
{
	struct fn *fn = pci_get_drvdata(pdev);

	pci_disable_sriov(pdev);
	if (!fn)
		return;
	mdev_unregister_parent(&fn->parent);
	kfree(fn->type_ptrs);
	kfree(fn);
}

static int gpu_sriov_configure(struct pci_dev *pdev, int num_vfs)
{
	struct card *card = container_of(pdev->bus->sysdata, struct card, sysdata);
	int ret;

	if (num_vfs) {
		ret = pci_enable_sriov(pdev, num_vfs);
		return ret ? ret : num_vfs;
	}
	if (READ_ONCE(card->used))
		return -EBUSY;
	pci_disable_sriov(pdev);
	return 0;
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

/* ------------------------------------------------------------------------------------------------------------------
 * Knobs
 */

static int knob_set(const char *val, const struct kernel_param *kp)
{
	enum knob knob = (uintptr_t)kp->arg;
	char addr[ADDR_LEN] = "";
	struct card *only = NULL;
	size_t i;
	int v;

	if (sscanf(val, "%d %15s", &v, addr) < 1 || v < 0)
		return -EINVAL;
	if (*addr) {
		only = card_find(addr);
		if (!only)
			return -ENODEV;
	}
	for (i = 0; i < ARRAY_SIZE(cards); i++)
		if (!only || only == &cards[i])
			WRITE_ONCE(cards[i].knob[knob], v);
	return 0;
}

static int knob_get(char *buf, const struct kernel_param *kp)
{
	enum knob knob = (uintptr_t)kp->arg;
	char addr[ADDR_LEN];
	int len = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cards); i++)
		len += sysfs_emit_at(buf, len, "%s %d\n", card_addr(&cards[i], addr), cards[i].knob[knob]);
	return len;
}

static const struct kernel_param_ops knob_ops = { .set = knob_set, .get = knob_get };

#define KNOB(name, id) module_param_cb(name, &knob_ops, (void *)(uintptr_t)(id), 0644)
KNOB(create_delay_ms, CREATE_DELAY_MS);
KNOB(create_fail_next, CREATE_FAIL_NEXT);
KNOB(create_hang, CREATE_HANG);
KNOB(lie_available, LIE_AVAILABLE);
KNOB(remove_delay_ms, REMOVE_DELAY_MS);
KNOB(remove_hang, REMOVE_HANG);
KNOB(self_remove, SELF_REMOVE);
KNOB(open_fail_next, OPEN_FAIL_NEXT);
KNOB(params_fail_next, PARAMS_FAIL_NEXT);
KNOB(reset_fail, RESET_FAIL);

/* In the background: the writer would hold up every other knob while removal waits for an open vGPU. */
static void hotplug_work(struct work_struct *work)
{
	struct card *card = container_of(work, struct card, hotplug);

	if (card->want_present && !card->bus)
		card_plug(card);
	else if (!card->want_present && card->bus)
		card_unplug(card);
}

static int hotplug_set(const char *val, const struct kernel_param *kp)
{
	char verb[4], addr[ADDR_LEN];
	struct card *card;

	if (sscanf(val, "%3s %15s", verb, addr) != 2)
		return -EINVAL;
	card = card_find(addr);
	if (!card)
		return -ENODEV;
	if (strcmp(verb, "add") && strcmp(verb, "del"))
		return -EINVAL;
	card->want_present = !strcmp(verb, "add");
	schedule_work(&card->hotplug);
	return 0;
}

static int hotplug_get(char *buf, const struct kernel_param *kp)
{
	char addr[ADDR_LEN];
	int len = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cards); i++)
		len += sysfs_emit_at(buf, len, "%s %s\n", card_addr(&cards[i], addr),
				     work_busy(&cards[i].hotplug) ? "busy" : cards[i].bus ? "present" : "absent");
	return len;
}

static const struct kernel_param_ops hotplug_ops = { .set = hotplug_set, .get = hotplug_get };
module_param_cb(hotplug, &hotplug_ops, NULL, 0644);

/* ------------------------------------------------------------------------------------------------------------------
 * Module
 */

static void cards_remove(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cards); i++) {
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

	for (i = 0; i < ARRAY_SIZE(cards); i++) {
		mutex_init(&cards[i].lock);
		INIT_WORK(&cards[i].hotplug, hotplug_work);
	}
	for (i = 0; i < ARRAY_SIZE(cards); i++) {
		cards[i].pf_cfg = kzalloc(CFG_SIZE, GFP_KERNEL);
		cards[i].vf_cfg = kzalloc(CFG_SIZE, GFP_KERNEL);
		if (!cards[i].pf_cfg || !cards[i].vf_cfg) {
			ret = -ENOMEM;
			goto fail_cards;
		}
	}
	ret = mdev_register_driver(&vgpu_driver);
	if (ret)
		goto fail_cards;
	ret = pci_register_driver(&gpu_driver);
	if (ret)
		goto fail_mdev;
	for (i = 0; i < ARRAY_SIZE(cards) && !ret; i++)
		if (!cards[i].spare)
			ret = card_plug(&cards[i]);
	if (!ret)
		return 0;

	cards_remove();
	pci_unregister_driver(&gpu_driver);
	mdev_unregister_driver(&vgpu_driver);
	return ret;
fail_mdev:
	mdev_unregister_driver(&vgpu_driver);
fail_cards:
	cards_remove();
	return ret;
}
module_init(fakegpu_init);

static void __exit fakegpu_exit(void)
{
	cards_remove();
	pci_unregister_driver(&gpu_driver);
	mdev_unregister_driver(&vgpu_driver);
}
module_exit(fakegpu_exit);

MODULE_DESCRIPTION("NVIDIA vGPU boards that exist only in memory");
MODULE_LICENSE("GPL");
MODULE_SOFTDEP("pre: vfio_iommu_type1");
