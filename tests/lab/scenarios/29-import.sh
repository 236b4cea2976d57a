#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Import domains whose mdev or VF was set up by hand: the next start gives them the same device in the same place
# takes: 40
# timeout: 300
# once: battery
# releases: trixie
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

own=11111111-2222-4333-8444-555555555501
vf_hostdev="<hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0x0000' bus='0x61' slot='0x00'
function='0x4'/></source></hostdev>"
definition() { virsh -q dumpxml "$1" --inactive; }
# the address of the hostdev in the guest
place() { definition "$1" | sed -n '/<hostdev/,/<\/hostdev>/p' | grep "<address type='pci'" | xargs; }
no_record() { [ "$(claims)" = 0 ]; }

say "an mdev of a running domain"
mdev_create "$M10" nvidia-43 $own
define one --hostdev "$(mdev_hostdev $own)"
virsh -q start one
pid=$(qemu_pid one)
hostdev=$(definition one | sed -n '/<hostdev/,/<\/hostdev>/p')
virt-vgpu import one --dry-run > /run/lab-import
assert_grep "^\+ .*<vgpu:device profile=\"GRID M10-4Q\" uuid=\"$own\" gpu=\"$M10\"/>" "$(cat /run/lab-import)" "dry run"
assert_not_grep "vgpu:device" "$(definition one)" "definition after the dry run"
virt-vgpu import one
assert_grep "profile=.GRID M10-4Q.*$own" "$(definition one)" "annotation"
assert_eq "$(definition one | sed -n '/<hostdev/,/<\/hostdev>/p')" "$hostdev" "the hostdev is unchanged"
same_qemu one "$pid"
virsh -q destroy one

say "the next start uses the existing mdev, or creates it again if it is missing"
virsh -q start one
assert_eq "$(mdevs) $(mdev_parent $own)" "$own $M10" "mdevs"
virsh -q destroy one
wait_for 30 no_record
mdev_remove $own
virsh -q start one
assert_eq "$(mdevs) $(mdev_type $own) $(mdev_parent $own)" "$own nvidia-43 $M10" "mdevs"
virsh -q destroy one
wait_for 30 nothing_left

say "a VF whose type was set by hand"
vfs_on "$L40S" 4
vf_set "$L40S_VF" 1150
define two --hostdev "$vf_hostdev"
before=$(place two)
assert_grep "function=0x" "$before" "address in the guest"
virt-vgpu import two > /run/lab-import
assert_grep "echo 0 > /sys/bus/pci/devices/$L40S_VF/nvidia/current_vgpu_type" "$(cat /run/lab-import)" "hint to reset the VF type"
wait_for 30 is_injected two
assert_eq "$(defined_vf two 0) $(definition two | grep -c '<hostdev')" "$L40S_VF 1" "hostdevs"
assert_eq "$(place two)" "$before" "address in the guest"
# the domain uses the VF with the type that was set by hand, and the type stays after the stop
virsh -q start two
assert_eq "$(live_vf two 0) $(vf_type "$L40S_VF")" "$L40S_VF 1150" "VF and type"
virsh -q destroy two
wait_for 30 no_record
assert_eq "$(vf_type "$L40S_VF")" 1150 "type after the stop"
vf_set "$L40S_VF" 0
virsh -q start two
assert_eq "$(live_vf two 0) $(vf_type "$L40S_VF")" "$L40S_VF 1150" "VF and type"
virsh -q destroy two
wait_for 30 vf_has "$L40S_VF" 0
wait_for 30 nothing_left

say "uninstall-check lists what virt-vgpu left in definitions"
if virt-vgpu uninstall-check --json > /run/lab-check; then fail "uninstall-check found nothing"; fi
assert_grep '"domain two"' "$(cat /run/lab-check)" "uninstall-check"
virsh -q metadata two --uri "$NS" --config --remove > /dev/null
virsh -q undefine one
gone_from_two() { not has_defined two 0; }
wait_for 30 gone_from_two
virt-vgpu uninstall-check --json | { ! grep '"domain '; }
