#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A GPU whose driver hangs in create or remove is isolated: its own starts are refused in time, those on other GPUs work
# takes: 30
# once: trixie
# timeout: 240
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

uuid=5d0cbb52-8ccf-4a9c-b04e-2a50de1c2101
daemon_config '[daemon]' remove_timeout=3

define_vgpu busy "profile='GRID P40-1Q'" --uuid $uuid
define_vgpu hung "profile='GRID M10-1Q' gpu='$M10'"
define_vgpu free "profile='GRID M10-1Q'"
virsh -q start busy

say "one GPU hangs in create, another in remove"
knob create_hang 1 "$M10"
knob remove_hang 1 "$P40"
virsh -q destroy busy
vgpu=$(vgpu_uuid $uuid 0)
wait_for 20 not mdev_exists "$vgpu"
begun=$(date +%s)
for name in busy hung; do
    (
        rc=0
        virsh -q start $name || rc=$?
        echo "rc=$rc after $(($(date +%s) - begun)) s"
    ) > /run/lab-$name.out 2>&1 &
done

# Only once the first one is stuck.
wait_for 20 grep -q "^phase=creating" -r /run/virt-vgpu/claims
sleep 1.5
say "a start that can use any GPU avoids the one that hangs"
virsh -q start free
assert_eq "$(mdev_parent "$(vgpu_uuid "$(domain_uuid free)" 0)")" "$M10B" "GPU of the third domain"
for name in busy hung; do
    not grep -q rc= /run/lab-$name.out || fail "$name did not wait: $(cat /run/lab-$name.out)"
done
say "that domain runs, and the other two still wait"
virsh -q destroy free
wait_for 20 vgpu_state "$vgpu" stuck
assert_grep "stuck|fail" "$(virt-vgpu doctor --json || true)" "doctor"

say "the two on the hung GPUs are refused at the deadline"
wait
assert_grep "driver of GPU $M10 has not answered for 2[0-9] s" "$(cat /run/lab-hung.out)" "reason (create)"
assert_grep "still being removed after 2[0-9] s" "$(cat /run/lab-busy.out)" "reason (remove)"
for name in busy hung; do
    assert_grep "^rc=1 " "$(cat /run/lab-$name.out)" $name
    say "$name: $(tail -n 1 /run/lab-$name.out)"
    assert_eq "$(state $name)" "shut off" "state of $name"
done

say "when the drivers answer again, everything is cleaned up"
knob create_hang 0
knob remove_hang 0
wait_for 20 nothing_left
made=$(json 'v["uuid"]' create "$M10" "GRID M10-1Q")
virt-vgpu destroy "$made"
assert_eq "$(mdevs)" "" "devices"
