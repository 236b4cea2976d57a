#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A snapshot with the memory of a running domain with a vGPU is made and reverted to, or refused while the guest runs on
# takes: 70
# once: battery
# releases: trixie
# timeout: 400
# shellcheck source=SCRIPTDIR/../migrate.sh
. "$(dirname "$0")/../migrate.sh"

# snapshot NAME: with the memory in a file.
snapshot() { virsh -q snapshot-create-as one "$1" --memspec "/run/lab-memory-$1,snapshot=external"; }
# goes_on: as before, in the same QEMU.
goes_on() {
    same_qemu one "$qemu"
    runs one 1
    assert_eq "$(picture one)" "$shown" "the picture"
    assert_eq "$(claims) $(mdevs)" "1 $uuid" "records and vGPUs"
}
# reverted: it runs with the vGPU that it had then.
reverted() {
    virsh -q snapshot-revert one first
    wait_for 20 runs one 1
    assert_eq "$(picture one)" "$shown" "the picture"
    assert_eq "$(claims) $(mdevs)" "1 $uuid" "records and vGPUs"
}

define_vgpu one "profile='GRID M10-2Q'" --graphics --migratable
uuid=$(vgpu_uuid "$(domain_uuid one)" 0)
virsh -q start one
shown=$(picture one)
qemu=$(qemu_pid one)

say "the guest runs on"
snapshot first
goes_on

say "an internal one, which needs a disk that can hold it"
assert_fails "require all disks" virsh -q snapshot-create-as one inner
goes_on

say "the vGPU cannot be read"
knob save_fail_next 1 "$M10"
assert_fails "Input/output error" snapshot broken
knob save_fail_next 0 "$M10"
goes_on

say "reverted while it runs with another vGPU"
virsh -q destroy one
virsh -q start one
[ "$(picture one)" != "$shown" ] || fail "a new vGPU shows the picture of an old one"
reverted

say "reverted while it is off"
virsh -q destroy one
wait_for 20 nothing_left
reverted

say "there is no room for it: refused with the reason, and it can be reverted later"
virsh -q destroy one
wait_for 20 nothing_left
define_vgpu two "profile='GRID M10-8Q'"
virt-vgpu gpu-cordon "$M10B" > /dev/null
virsh -q start two
assert_fails "'one'.*M10-2Q" virsh -q snapshot-revert one first
virsh -q destroy two
virt-vgpu gpu-uncordon "$M10B" > /dev/null
wait_for 20 nothing_left
reverted

say "without enable-migration, QEMU refuses before anything happens"
virsh -q "destroy one; snapshot-delete one first --metadata; undefine one"
wait_for 20 nothing_left
define_vgpu one "profile='GRID M10-2Q'" --graphics
virsh -q start one
uuid=$(vgpu_uuid "$(domain_uuid one)" 0)
shown=$(picture one)
qemu=$(qemu_pid one)
assert_fails "dirty tracking" snapshot second
goes_on
