/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* names.h: every string that is shared with other programs */
#pragma once

/* XML */
#define VGPU_XMLNS "urn:virt-vgpu:domain:1"
#define VGPU_XMLNS_FAMILY "urn:virt-vgpu:domain:" /* any version of the namespace */
#define VGPU_XML_PREFIX "vgpu"
#define VGPU_ALIAS_PREFIX "ua-vgpu-"       /* libvirt keeps user aliases only with "ua-" */
#define VGPU_ALIAS_DRIVER "ua-vgpu-driver" /* the cdrom with the guest's driver */
#define VGPU_UUID_NAME_PREFIX "virt-vgpu:" /* UUIDv5(domain UUID, "virt-vgpu:N") */
#define VGPU_UUID_TRIAL_SPACE                                                                    \
    "0f6c3dd5-5a3c-4e0b-a3f5-4f7b1d0d2c61" /* UUIDv5(this, PF's address) */

/* D-Bus */
#define VGPU_DBUS_NAME "org.virtvgpu.Manager1"
#define VGPU_DBUS_PATH "/org/virtvgpu/Manager1"
#define VGPU_DBUS_OBJECTS "/org/virtvgpu" /* the object manager */

/* The user of virt-vgpu-fleet, which alone may tell virtvgpud what the fleet has decided */
#define VGPU_FLEET_USER "virt-vgpu-fleet"

/* Paths, relative to the root that --root names ("/" in production) */
#define VGPU_PATH_CONFIG "etc/virt-vgpu/virt-vgpu.conf"
#define VGPU_PATH_CONFIG_DIR "etc/virt-vgpu/conf.d"
#define VGPU_PATH_RUN "run/virt-vgpu"
#define VGPU_PATH_HOOK_SOCKET "run/virt-vgpu/hook.sock"
#define VGPU_PATH_CLAIMS "run/virt-vgpu/claims"
#define VGPU_PATH_DRIVER_LOCKS "run/virt-vgpu/driver" /* a file NAME for each virt-vgpu-driver */
#define VGPU_PATH_FLEET "run/virt-vgpu/fleet" /* what the agent has told, see core/grants.h */
#define VGPU_PATH_STATE "var/lib/virt-vgpu"
#define VGPU_PATH_PERSISTENT "var/lib/virt-vgpu/mdevs"
#define VGPU_PATH_RESERVED "var/lib/virt-vgpu/vfs"    /* the VFs planned for defined domains */
#define VGPU_PATH_BOARDS "var/lib/virt-vgpu/boards"   /* profiles seen on boards */
#define VGPU_PATH_CORDONS "var/lib/virt-vgpu/cordons" /* GPUs that get no new vGPUs */
#define VGPU_PATH_HELD "var/lib/virt-vgpu/held"       /* room that is held for a defined domain */
#define VGPU_PATH_SAVED "var/lib/virt-vgpu/saved"     /* room that is kept for a saved domain */
#define VGPU_PATH_SAVED_NOTES "run/virt-vgpu/saved"   /* the hook's notes, see hooks/saved.c */
#define VGPU_PATH_POOLS "etc/virt-vgpu/pools"
#define VGPU_PATH_POOLS_AUTOSTART "etc/virt-vgpu/pools/autostart"
#define VGPU_PATH_POOLS_ACTIVE "run/virt-vgpu/pools" /* an empty file NAME: that pool is active */
/* in the XML of a pool that is shown in part */
#define VGPU_POOL_IN_PART "shown in part: the rest is for users who may manage pools"
#define VGPU_PATH_HOST_LAYOUT "etc/virt-vgpu/host.xml"
#define VGPU_PATH_KERNEL_LOG "run/virt-vgpu/kernel-log"   /* the position in this boot */
#define VGPU_PATH_HOST_STATUS "run/virt-vgpu/host-status" /* the result of the last host-apply */

/* Where libvirt looks for hooks of QEMU: /etc/libvirt/hooks/qemu.d, regardless of our prefix (libvirt:
 * docs/hooks.rst), unless --with-hookdir named another directory. A file qemu beside it is a hook, too. */
#define VGPU_PATH_HOOKS VGPU_HOOKDIR
#define VGPU_PATH_HOOK VGPU_PATH_HOOKS "/50-virt-vgpu"

/* The journal's socket for datagrams; always that of the system, regardless of --root */
#define VGPU_PATH_JOURNAL "/run/systemd/journal/socket"

#define VGPU_POOL_DEFAULT "default" /* the GPUs of no other pool */

/* sysfs and devfs, relative to the same root (kernel:
 * Documentation/driver-api/vfio-mediated-device.rst, Documentation/ABI/testing/sysfs-bus-pci) */
#define VGPU_SYS_PCI_DEVICES "sys/bus/pci/devices"
#define VGPU_SYS_PCI_PROBE "sys/bus/pci/drivers_probe"
#define VGPU_SYS_MDEV_BUS "sys/class/mdev_bus"
#define VGPU_SYS_MDEV_DEVICES "sys/bus/mdev/devices"
#define VGPU_SYS_BLOCK "sys/class/block"
#define VGPU_SYS_DEBUG_DRI "sys/kernel/debug/dri"
#define VGPU_DEV_VFIO "dev/vfio"
#define VGPU_DEV_KMSG "dev/kmsg"

/* NVIDIA's management library, where the configuration names no other. */
#define VGPU_NVML_LIBRARY "libnvidia-ml.so.1"
