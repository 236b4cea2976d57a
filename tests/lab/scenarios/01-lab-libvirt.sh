#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The lab itself: libvirt starts and stops a domain on a hand-made vGPU
# takes: 38
# once: trixie
# shellcheck source=SCRIPTDIR/../lib.sh
. "$(dirname "$0")/../lib.sh"

uuid=6b7e2c1a-3f7c-4a51-9c58-0d1c2b3a4f50

say "a domain on a vGPU with a display"
mdev_create "$A2_VF" nvidia-746 "$uuid"
define one --graphics --hostdev "$(mdev_hostdev "$uuid" "display='on' ramfb='on'")"
say defined
virsh -q start one
say started
assert_eq "$(state one)" running
assert_grep qemu "$(cat "/sys/bus/mdev/devices/$uuid/nvidia/vm_name")" vm_name
virsh -q screenshot one /run/lab-shot.png
assert_eq "$(od -An -tu1 -j16 -N8 /run/lab-shot.png | xargs)" "0 0 1 64 0 0 0 200" \
    "width and height of the screenshot"
say screenshot
virsh -q destroy one
say destroyed
virsh -q undefine one
say undefined
mdev_remove "$uuid"
not mdev_exists "$uuid" || fail "$uuid is still there"

say "hotplug and unplug of a vGPU in a running domain"
mdev_create "$M10" nvidia-41 "$uuid"
define two
virsh -q start two
mdev_hostdev "$uuid" > /run/lab-hostdev.xml
virsh -q attach-device two /run/lab-hostdev.xml --live
say attached
virsh -q detach-device two /run/lab-hostdev.xml --live
in_use() { grep -q qemu "/sys/bus/mdev/devices/$uuid/nvidia/vm_name"; }
wait_for 20 not in_use
say detached

say "shutdown of the guest: by the power button, and on its own"
virsh -q shutdown two
wait_for 20 is_state two "shut off"
for machine in pc q35; do
    define "off-$machine" "--$machine" --off-after 1
    virsh -q start "off-$machine"
    wait_for 20 is_state "off-$machine" "shut off"
    say "$machine is off"
done
