#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A running domain is saved with its vGPU and restored, and when that fails, nothing is lost or left
# takes: 60
# releases: trixie
# timeout: 400
# shellcheck source=SCRIPTDIR/../migrate.sh
. "$(dirname "$0")/../migrate.sh"

image=/run/lab-saved

is_saved() { is_state one "shut off" && nothing_left; }
# is_back PICTURE: it runs on where it was saved.
is_back() {
    assert_eq "$(state one) $(claims)" "running 1" "domain and records"
    assert_eq "$(picture one)" "$1" "the picture"
}

# saved_and_restored PROFILE STATE: to a file, and to a managed image; while it is saved, its vGPU is in that state. The
# domain runs afterwards, and shows $shown.
saved_and_restored() {
    define one --annot "$(annotation "profile='$1'" | sed "s/>/ keepRoom='$([ "$2" = saved ] && echo yes || echo no)'>/")" \
        --graphics --migratable
    wait_for 30 is_injected one
    virsh -q start one
    shown=$(picture one)
    virsh -q save one $image
    wait_for 20 is_saved
    virsh -q restore $image
    is_back "$shown"
    virsh -q managedsave one
    wait_for 20 is_saved
    wait_for 20 vgpu_state "$(json 'v[0]["uuid"]' list --all)" "$2"
    virsh -q start one
    is_back "$shown"
}

say "a mediated device"
saved_and_restored 'GRID M10-2Q' planned

say "a vGPU that cannot be read: the domain runs on"
knob save_fail_next 1 "$M10"
assert_fails "Input/output error" virsh -q save one $image
is_back "$shown"

say "a vGPU that does not take its state: the restore fails, and another one works"
virsh -q save one $image
wait_for 20 is_saved
knob resume_fail_next 1 "$M10"
assert_fails "Input/output error" virsh -q restore $image
wait_for 20 is_saved
virsh -q restore $image
is_back "$shown"
virsh -q destroy one
virsh -q start one
[ "$(picture one)" != "$shown" ] || fail "a new vGPU shows the picture of an old one"
virsh -q "destroy one; undefine one"
wait_for 20 nothing_left

say "vendor-specific VFIO"
vfs_on "$L40S" 4
saved_and_restored 'NVIDIA L40S-4Q' saved
assert_eq "$(types "$L40S")" "1150 0 0 0" "the types of the VFs"

say "without enable-migration, QEMU refuses before anything happens"
virsh -q "destroy one; undefine one"
wait_for 20 nothing_left
define_vgpu one "profile='NVIDIA L40S-4Q'" --graphics
virsh -q start one
shown=$(picture one)
assert_fails "dirty tracking" virsh -q save one $image
is_back "$shown"
