#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# On a new Debian, apt installs the package, and the first page leads to a running VM under libvirt's AppArmor profiles
# takes: 300
# once: battery
# machine: fresh
# init: systemd
# timeout: 900
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

# confined PID: the AppArmor profile of a process, and its mode.
confined() { cat "/proc/$1/attr/apparmor/current"; }

say "the package"
assert_eq "$(dpkg-query -W -f '${Status}' virt-vgpu)" "install ok installed" "its state"
assert_eq "$(systemctl is-active virtvgpud.service libvirtd.service apparmor.service | xargs)" "active active active" \
    "the services"
assert_eq "$(confined "$(pgrep -x libvirtd)") $(confined "$(daemon_pid)")" "libvirtd (enforce) unconfined" "the daemons"

say "the commands of docs/first-vgpu-vm.md"
bash "$(dirname "$0")/32-first-page.sh"

say "a disk and a CD with the guest's driver in unusual directories"
mkdir -p "/srv/my VMs" /opt/drivers
truncate -s 1M "/srv/my VMs/web 1.img" /opt/drivers/driver.iso
define web1 --q35 --ports 3 --annot "$(annotation "profile='NVIDIA A2-4Q'")" --device "
  <disk type='file' device='disk'><source file='/srv/my VMs/web 1.img'/><target dev='vda' bus='virtio'/></disk>
  <disk type='file' device='cdrom'><source file='/opt/drivers/driver.iso'/><target dev='sda' bus='sata'/></disk>"
wait_for 30 is_injected web1
virsh -q start web1
assert_eq "$(confined "$(qemu_pid web1)")" "libvirt-$(domain_uuid web1) (enforce)" "its QEMU"

say "attach and detach while it runs"
virt-vgpu attach web1 --profile 'NVIDIA A2-4Q' --live
has_live web1 1 || fail "there is no second vGPU"
virt-vgpu detach web1 1 --live
assert_eq "$(mdevs)" "$(vgpu_uuid "$(domain_uuid web1)" 0)" "vGPUs"
virsh -q destroy web1
wait_for 20 nothing_left

say "a virtual function"
mkdir -p /etc/virt-vgpu
echo "<vgpuhost><gpu address='$SSD'><sriov vfs='4'/></gpu></vgpuhost>" > /etc/virt-vgpu/host.xml
virt-vgpu host-apply /etc/virt-vgpu/host.xml
define_vgpu one "profile='vf' gpu='$SSD'"
virsh -q start one
assert_eq "$(confined "$(qemu_pid one)")" "libvirt-$(domain_uuid one) (enforce)" "its QEMU"
virsh -q destroy one
wait_for 20 nothing_left

say "nothing has been denied"
assert_not_grep 'apparmor="DENIED".*(vgpu|vfio|mdev|/srv/|/opt/)' "$(dmesg)" "the messages of the kernel"
