#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The guest's own shutdown, a killed QEMU and a refused start each leave no mdev and no record
# takes: 34
# once: trixie
# timeout: 300
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

hook=/etc/libvirt/hooks/qemu.d/60-refuse
before=$(virt-vgpu profile-list --json)

# clean WHAT: nothing is left after WHAT, and the GPUs have their initial capacity.
clean() {
    wait_for 30 nothing_left
    assert_eq "$(virt-vgpu profile-list --json)" "$before" "profile-list after $1"
    say "clean after $1"
}

# refuse_at OPERATION: installs another hook that refuses it.
refuse_at() {
    # shellcheck disable=SC2016
    printf '#!/bin/sh\n[ "$2" != %s ] || { echo "not on my watch" >&2; exit 1; }\n' "$1" > $hook
    chmod +x $hook
}
trap 'rm -f $hook' EXIT

define_vgpu one "profile='GRID M10-4Q'" --off-after 5
define_vgpu two "profile='NVIDIA A2-4Q'"

say "a start that another hook refuses, before and after libvirt has taken the vGPU"
for operation in prepare start; do
    refuse_at $operation
    assert_fails "not on my watch" virsh -q start two
    clean "another hook's refusal of $operation"
done
rm $hook

say "a start that QEMU refuses"
knob open_fail_next 1
assert_fails "vfio" virsh -q start two
knob open_fail_next 0
clean "QEMU's refusal"

say "the guest's own shutdown, and a kill of QEMU"
virsh -q start one
virsh -q start two
one=$(vgpu_uuid "$(domain_uuid one)" 0)
two=$(vgpu_uuid "$(domain_uuid two)" 0)
mdev_exists "$two" || fail "two runs without its vGPU"
kill -9 "$(cat /run/libvirt/qemu/two.pid)"
wait_for 30 not mdev_exists "$two"
wait_for 60 not mdev_exists "$one"
assert_eq "$(state one) $(state two)" "shut off shut off" "states"
clean "a shutdown and a kill"
