/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fake-driver.h: a tree of files that behaves like a kernel with NVIDIA's vGPU driver
 *
 * fake-driver*.c take the place of libc's write() and open(): linked into a test, or preloaded into
 * the real programs with FAKE_DRIVER_ROOT=DIR. What is written below DIR/sys to `create` and
 * `remove` of mediated devices, to <VF>/nvidia/current_vgpu_type and to nvidia/vgpu_params of both
 * does there what the kernel and NVIDIA's driver do: errno, links, available counts and lists
 * that shrink and grow, a remove that blocks while the device is open, a VF that is not reset
 * while it is open. All state is in the tree, so that processes share it.
 *
 * Files below DIR/knobs steer it; for a vGPU on a VF, UUID is the VF's address:
 *   create_delay_ms   create (or setting a type) sleeps that long first: who is killed then has made nothing
 *   create_late_ms    create sleeps that long at its end: the device is there already
 *   remove_delay_ms   remove sleeps that long; the directory has gone, the UUID is still taken; a
 *                     VF shows its type until it is over
 *   create_fail_next  the next N creates fail with EIO
 *   reset_busy_next   the next N resets of a VF fail with EBUSY
 *   lie_available     every type says 1, or is listed, although there is no room
 *   no_vfio_mdev      mediated devices made from now on have no driver, and so no IOMMU group
 *   no_group          mediated devices made from now on have a driver, and no IOMMU group
 *   no_params         mediated devices made from now on have no nvidia/vgpu_params
 *   gpu_instance_id, placement_id   what those attributes show of vGPUs that are made from now on; without
 *                     them there are no such attributes, as in older drivers
 *   params_keep       what nvidia/vgpu_params keeps, whatever is written to it
 *   params_eio        nvidia/vgpu_params cannot be read: EIO
 *   hang_create-ADDR, hang_remove-ADDR   blocks while the file exists (ADDR: function or GPU)
 *   hang_open-UUID    opening that device's VFIO group blocks
 *   hang_read-ADDR    the same for what the driver answers: available_instances, creatable and current types
 *   open-UUID         that device is open while the file exists */
#pragma once

/* The tree of this process, from now on; NULL: none. Before threads are started. */
void fake_driver_set_root(const char *root);
