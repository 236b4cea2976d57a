#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The lab itself: VFs of real SR-IOV hardware are passed through, bound to vfio-pci by libvirt
# takes: 20
# once: battery
# machine: iommu
# shellcheck source=SCRIPTDIR/../lib.sh
. "$(dirname "$0")/../lib.sh"

pf=/sys/bus/pci/devices/$SSD
vf=/sys/bus/pci/devices/$SSD_VF
# driver PATH: of the device, "-" if none.
driver() { if [ -e "$1/driver" ]; then basename "$(readlink "$1/driver")"; else echo -; fi; }

say "VFs without a driver, each in its own IOMMU group"
assert_eq "$(driver "$pf") $(cat "$pf/sriov_totalvfs") $(cat "$pf/sriov_numvfs")" "nvme 4 0" "$SSD"
echo 0 > "$pf/sriov_drivers_autoprobe"
vfs_on "$SSD" 3
for i in 0 1 2; do
    assert_eq "$(basename "$(readlink "$pf/virtfn$i")") $(driver "$pf/virtfn$i")" "0000:01:00.$((i + 1)) -" "VF $i"
    basename "$(readlink -f "$pf/virtfn$i/iommu_group")"
done > /run/lab-groups
assert_eq "$(sort -u /run/lab-groups | wc -l)" 3 "IOMMU groups of three VFs"

say "a domain on one"
hostdev="<hostdev mode='subsystem' type='pci' managed='yes'>
  <source><address domain='0' bus='1' slot='0' function='1'/></source></hostdev>"
define one --hostdev "$hostdev"
virsh -q start one
assert_eq "$(state one) $(driver "$vf")" "running vfio-pci" "domain and VF"
define two --hostdev "$hostdev"
assert_fails "in use by driver QEMU, domain one" virsh -q start two
virsh -q destroy one
assert_eq "$(driver "$vf")" - "the VF afterwards"
virsh -q start two
virsh -q destroy two

say "the fake GPUs exist as well"
mdev_create "$A2_VF" nvidia-746 00000000-0000-4000-8000-000000000001
vfs_on "$L40S" 1
vf_set "$L40S_VF" 1150
assert_eq "$(fake "$L40S" vgpus)" "$L40S_VF 1150 - - 0" vgpus
define three --hostdev "$(mdev_hostdev 00000000-0000-4000-8000-000000000001)"
virsh -q start three
virsh -q destroy three
