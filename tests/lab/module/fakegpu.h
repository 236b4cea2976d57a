/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vGPU boards, NVIDIA's and one of Intel's, that exist only in memory. See README for the boards, the behaviour and the knobs.
 *
 *   boards.c    models and boards (tables)
 *   config.c    PCI configuration space; plugging a board
 *   vgpu.c      the vGPUs of a board: what fits where, and their parameters
 *   vfio.c      the vGPU as QEMU sees it
 *   migration.c saving it and resuming it elsewhere
 *   mdev.c      functions whose vGPUs are mdevs
 *   vendor.c    VFs that become vGPUs themselves: vendor-specific VFIO
 *   control.c   fakegpu/, the directory of a PF for what real boards leave to NVML
 *   knobs.c     module parameters
 *   main.c      PCI driver and module
 */
#ifndef FAKEGPU_H
#define FAKEGPU_H

#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/uuid.h>
#include <linux/version.h>
#include <linux/vfio.h>
#include <linux/workqueue.h>

/* ------------------------------------------------------------------------------------------------------------------
 * Boards
 */

#define NO_GI	(-1)

struct profile {
	const char *id;			/* a decimal number */
	const char *name;
	unsigned int fb_mib, heads, frl;
	const char *max_resolution;
	unsigned int max_instance;	/* per board */
	unsigned int max_per_vm;
	int gi_profile;			/* NO_GI: time-sliced */
	unsigned int max_per_gi;	/* 0: time-sliced */
};

struct model {
	u16 device, subsystem;
	u16 total_vfs;			/* 0: vGPUs are children of the PF */
	bool vendor_vfio;		/* VFs become vGPUs themselves; else mdev */
	bool mig;
	bool gvt;			/* Intel GVT-g; else NVIDIA */
	unsigned int fb_mib;
	const struct profile *profiles;	/* the last one has no id */
};

enum knob {
	CREATE_DELAY_MS, CREATE_FAIL_NEXT, CREATE_HANG, LIE_AVAILABLE, REMOVE_DELAY_MS, REMOVE_HANG, SELF_REMOVE,
	OPEN_FAIL_NEXT, PARAMS_FAIL_NEXT, READ_HANG, RESET_FAIL, RESET_FAIL_NEXT, NO_DISPLAY, NO_GUEST_DRIVER, GROUP_LATE_MS,
	GROUP_MISSING, NO_MIGRATION, MIGRATE_MIB, SAVE_DELAY_MS, SAVE_FAIL_NEXT, SAVE_HANG, RESUME_FAIL_NEXT, NR_KNOBS
};

/* A GPU instance of MIG. */
struct gi {
	unsigned int id, profile, start, size;
};

#define MIG_SLICES	8	/* of memory; also the most GPU instances */
#define SCHEDULER_MAX	64

struct card {
	int domain;
	u8 bus_nr;
	int node;
	const struct model *model;
	bool spare;			/* absent until hotplugged */

	struct pci_sysdata sysdata;
	struct resource busn;
	struct pci_bus *bus;		/* NULL: absent */
	u8 *pf_cfg, *vf_cfg;		/* 4 KiB each; all VFs read the same */

	struct work_struct hotplug;
	bool want_present;

	struct mutex lock;		/* everything below */
	struct list_head vgpus;
	bool mig_mode, mixed;
	unsigned int n_gi;
	struct gi gi[MIG_SLICES];
	char scheduler[SCHEDULER_MAX + 1];
	int knob[NR_KNOBS];
};

static inline u16 model_vendor(const struct model *model)
{
	return model->gvt ? PCI_VENDOR_ID_INTEL : PCI_VENDOR_ID_NVIDIA;
}

extern struct card cards[];
extern const size_t n_cards;

#define ADDR_LEN 16

const char *card_addr(const struct card *card, char *buf);
struct card *card_find(const char *addr);

static inline struct card *pci_card(struct pci_dev *pdev)
{
	return container_of(pdev->bus->sysdata, struct card, sysdata);
}

/* ------------------------------------------------------------------------------------------------------------------
 * PCI configuration space
 */

/* x86 only, so the byte order is ours. */
static inline void put16(u8 *cfg, int where, u16 val)
{
	memcpy(cfg + where, &val, sizeof(val));
}

static inline void put32(u8 *cfg, int where, u32 val)
{
	memcpy(cfg + where, &val, sizeof(val));
}

int card_plug(struct card *card);
void card_unplug(struct card *card);

/* ------------------------------------------------------------------------------------------------------------------
 * vGPUs
 */

/* A PCI function that carries vGPUs: a VF, or the PF of a board without SR-IOV. */
struct fn {
	struct card *card;
	struct device *dev;
	bool is_vf;
};

#define PARAMS_MAX	1024

struct vgpu {
	struct fn *fn;
	const struct profile *profile;
	char uuid[UUID_STRING_LEN + 1];	/* "-": it has none */

	/* card->lock */
	struct list_head node;
	int gi;				/* NO_GI: time-sliced */
	bool open, dying;
	char vm_name[TASK_COMM_LEN];
	char params[PARAMS_MAX];
};

/* How many more vGPUs of this profile fit. Needs card->lock. */
unsigned int fn_available(const struct fn *fn, const struct profile *profile);
unsigned int gi_users(const struct card *card, const struct gi *gi);
/* EIO: does not fit. */
struct vgpu *vgpu_take(struct fn *fn, const struct profile *profile, const char *uuid);
void vgpu_give_back(struct vgpu *vgpu);
/* What sysfs wants of vgpu_params; without a vGPU ENXIO. Need card->lock. */
ssize_t vgpu_params_get(const struct vgpu *vgpu, char *buf);
ssize_t vgpu_params_set(struct vgpu *vgpu, const char *buf, size_t count);

struct vgpu_device;

#define GROUP_AT_ONCE	0
#define GROUP_NEVER	(-1)

/* A VFIO device on @dev, not shown yet. Without a vGPU, opening it fails with ENODEV. */
struct vgpu_device *vgpu_device_new(struct device *dev, struct fn *fn, struct vgpu *vgpu);
/* Register it, which gives @dev its group and node: once, after @group_ms, at once or never. */
int vgpu_device_show(struct vgpu_device *device, int group_ms);
/* Whether it has them. */
bool vgpu_device_is_shown(const struct vgpu_device *device);
/* Waits until it is closed. */
void vgpu_device_del(struct vgpu_device *device);
/* Need card->lock. */
struct vgpu *vgpu_device_get(const struct vgpu_device *device);
void vgpu_device_set(struct vgpu_device *device, struct vgpu *vgpu);

/* ------------------------------------------------------------------------------------------------------------------
 * Saving a vGPU, and resuming it elsewhere
 */

/* Before 6.2 the protocol was another one, and QEMU has never spoken both. */
#define HAS_MIGRATION	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0))

struct migration {
	struct fn *fn;

	struct mutex lock;		/* everything below */
	enum vfio_device_mig_state state;
	struct stream *stream;		/* while data is transferred */
	const char *type;		/* of the vGPU, while it is open */
	u32 colour;			/* of its picture, which is all its state */
};

struct migration *vgpu_device_migration(struct vfio_device *vdev);
/* Fill the picture with the colour. */
void vgpu_device_paint(struct migration *migration);

/* Before the device is registered. */
void migration_init(struct vfio_device *vdev, struct fn *fn);
void migration_open(struct vfio_device *vdev, const char *type, u32 colour);
/* The vGPU runs, and no data is transferred: after a reset, and before it is closed. */
void migration_reset(struct vfio_device *vdev);

/* ------------------------------------------------------------------------------------------------------------------
 * What a function has in sysfs
 */

int mdev_fn_add(struct pci_dev *pdev);
void mdev_fn_del(struct pci_dev *pdev);
void mdev_self_remove(struct device *dev);
extern struct mdev_driver vgpu_mdev_driver, gvt_mdev_driver;

int vendor_fn_add(struct pci_dev *pdev);
void vendor_fn_del(struct pci_dev *pdev);

int control_add(struct pci_dev *pdev);
void control_del(struct pci_dev *pdev);
/* VFs are created or removed: drop the state that does not survive that. */
void control_wipe(struct card *card);

/* ------------------------------------------------------------------------------------------------------------------
 * Knobs
 */

/* Counts a *_fail_next knob down. Needs card->lock. */
bool knob_take(struct card *card, enum knob knob);
/* Blocks as a wedged driver does: not even SIGKILL helps. */
void knob_stall(struct card *card, enum knob delay_ms, enum knob hang);
/* The same for reads. */
void knob_stall_read(struct card *card);
/* When a vGPU that is made now gets its group: for vgpu_device_show(). */
int knob_group_ms(const struct card *card);
/* The work of card->hotplug. */
void hotplug_work(struct work_struct *work);

#endif
