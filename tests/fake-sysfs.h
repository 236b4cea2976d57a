/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fake-sysfs.h: build a tree that looks like the kernel's /sys, in terms of GPUs
 *
 * The tree is static: a snapshot of a host, which the functions below change.
 * All addresses are canonical. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "sysfs/sysfs.h"

typedef struct FakeSysfs FakeSysfs;

/* An empty host. */
FakeSysfs *fake_sysfs_new(void);
void fake_sysfs_free(FakeSysfs *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeSysfs, fake_sysfs_free)

/* Its reader. Borrowed. */
const VgpuSysfs *fake_sysfs_reader(const FakeSysfs *self);

/* The attributes of a PCI function. */
typedef struct {
    const char *class;  /* "0x030200" */
    const char *vendor; /* "0x10de" */
    const char *device; /* "0x25b6" */
    const char *driver; /* NULL: unbound */
    const char *numa;   /* "0"; NULL: there is no such attribute */
} FakeFunction;

/* A PCI function; a GPU is one of class 0x03. */
void fake_gpu_add(FakeSysfs *self, const char *address, const FakeFunction *function);

/* SR-IOV: @enabled of @total VFs, the first at @first, the others behind it, each like its PF. */
void fake_vfs_add(FakeSysfs *self, const char *pf, const char *first, guint total, guint enabled);
/* The address of VF @n, counted from @first. Owned by the caller. */
char *fake_vf_address(const char *first, guint n);

/* An mdev type of a PF or VF. @name and @description NULL: there is no such attribute. */
void fake_type_add(FakeSysfs *self, const char *parent, const char *id, const char *name,
                   const char *description, guint available);
void fake_type_set_available(FakeSysfs *self, const char *parent, const char *id,
                             guint available);

/* An mdev parent that is no PCI function, such as "mtty". */
void fake_parent_add(FakeSysfs *self, const char *name);

/* A mediated device; available counts are left as they are. */
void fake_mdev_add(FakeSysfs *self, const char *parent, const char *type, const char *uuid,
                   guint iommu_group);
void fake_mdev_remove(FakeSysfs *self, const char *uuid);
/* The VFIO group that QEMU opens; it is closed. */
void fake_vfio_group_add(FakeSysfs *self, guint iommu_group);

/* Change one attribute or link of a function, or (NULL) take it away. */
void fake_attribute_set(FakeSysfs *self, const char *address, const char *name, const char *text);

/* Its driver changes; NULL: unbound. */
void fake_driver_bind(FakeSysfs *self, const char *address, const char *driver);

/* A VF with NVIDIA's vendor-specific VFIO: @rows as in creatable_vgpu_types below its header, NULL:
 * not even that; @current is the number of its type, 0: none. Again for its next moment. */
void fake_vendor_set(FakeSysfs *self, const char *vf, const char *rows, guint current);

/* The IOMMU group of a function; see fake_vfio_group_add(). */
void fake_iommu_group_add(FakeSysfs *self, const char *address, guint iommu_group);

/* Any other file, by its path below the root. */
void fake_file_set(FakeSysfs *self, const char *path, const char *text);

/* The same of a link, to a path below sys/. */
void fake_link_set(FakeSysfs *self, const char *path, const char *target);

/* Unplug the function. With @half its links on the bus are still there, as for a reader that has just
 * listed them. */
void fake_gpu_remove(FakeSysfs *self, const char *address, bool half);
