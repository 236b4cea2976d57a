#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A start waits for a vGPU whose IOMMU group comes late; one that gets none is useless to QEMU: it is removed, and no domain starts with it
# takes: 60
# once: battery
# timeout: 400
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

A2B=0000:42:00.0
uuid=5d0cbb52-8ccf-4a9c-b04e-2a50de1c4401
vgpu=$(vgpu_uuid $uuid 0)
own=11111111-2222-4333-8444-000000004401

# has_group UUID
has_group() { [ -e "/sys/bus/mdev/devices/$1/iommu_group" ]; }
# refused NAME: the start is refused twice, with a reason that names the GPU and the missing group, and nothing is left.
refused() {
    local i
    for i in first second; do
        assert_fails "domain '$1'.*$2" virsh -q start "$1"
        wait_for 20 nothing_left
        say "the $i start: refused"
    done
}

say "the module itself: a group that comes later, and one that never does"
knob group_late_ms 1500 "$M10"
mdev_create "$M10" nvidia-39 $own
! has_group $own || fail "it has its group already"
wait_for 10 has_group $own
mdev_remove $own
knob group_missing 1 "$M10"
mdev_create "$M10" nvidia-39 $own
sleep 2
! has_group $own || fail "it has a group"
mdev_remove $own

say "a late group: the start waits for it"
define web --uuid $uuid --annot "$(annotation "profile='NVIDIA A2-4Q' gpu='$A2'")"
wait_for 30 is_injected web
knob group_late_ms 500 "$A2"
virsh -q start web
assert_eq "$(state web) $(mdevs)" "running $vgpu" "state and mdevs"
has_group "$vgpu" || fail "it has no group"
virsh -q destroy web
wait_for 20 nothing_left

say "no group: the start is refused, and so is the next one, as nothing is left over that looks like a vGPU"
knob group_late_ms 0
knob group_missing 1 "$A2"
refused web "0000:41:00.*(IOMMU group|VFIO device|usable)"

say "no group: another GPU has one"
vfs_on $A2B 2
define any --annot "$(annotation "profile='NVIDIA A2-4Q'")"
wait_for 30 is_injected any
virsh -q start any
assert_grep '^0000:42:' "$(mdev_parent "$(mdevs)")" "parent"
virsh -q destroy any
wait_for 20 nothing_left

say "no group: a vGPU that the user created is neither used nor removed"
mdev_create "$A2_VF" nvidia-746 $own
define mine --annot "$(annotation "profile='NVIDIA A2-4Q' uuid='$own'")" --hostdev "$(mdev_hostdev $own)"
for i in first second; do
    assert_fails "domain 'mine'.*(IOMMU group|VFIO device|usable)" virsh -q start mine
    assert_eq "$(mdevs)" $own "mdevs after the $i start"
done
mdev_remove $own

say "groups come at once again: the next start works"
knob group_missing 0
virsh -q start web
has_group "$vgpu" || fail "it has no group"
virsh -q destroy web
wait_for 20 nothing_left

libvirt_from 10 || exit 0
say "VFs: late, never, and at once again"
vfs_on "$L40S" 2
define four --annot "$(annotation "profile='NVIDIA L40S-4Q' gpu='$L40S'")"
wait_for 30 is_injected four
knob group_late_ms 500 "$L40S"
virsh -q start four
assert_eq "$(fake "$L40S" vgpus)" "$(live_vf four 0) 1150 - - 1" "what is on the board"
virsh -q destroy four
wait_for 20 types_are "$L40S" 0 0
wait_for 20 nothing_left
knob group_late_ms 0
knob group_missing 1 "$L40S"
refused four "(IOMMU group|VFIO device|usable)"
wait_for 20 types_are "$L40S" 0 0
knob group_missing 0
virsh -q start four
assert_eq "$(state four) $(fake "$L40S" vgpus)" "running $(live_vf four 0) 1150 - - 1" "what is on the board"
virsh -q destroy four
wait_for 20 nothing_left
