#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Profiles are matched exactly, chosen by room, and limited per physical GPU; if a driver refuses, other places are tried
# takes: 30
# once: battery
# timeout: 300
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

u() { printf '00000000-0000-4000-8000-0000000000%02d' "$1"; }
# types GPU PROFILE…: creates a vGPU of each profile, one after the other; prints the type of each.
types() {
    local profile
    for profile in "${@:2}"; do
        virt-vgpu create "$1" "$profile" --uuid "$(u 1)" > /dev/null
        mdev_type "$(u 1)"
        virt-vgpu destroy "$(u 1)" > /dev/null
    done
}
# candidates PROFILE: explain's verdict on each GPU.
candidates() {
    domain_xml two --annot "$(annotation "profile='$1'")" > /run/lab-two.xml
    virt-vgpu explain --xml /run/lab-two.xml --json | /usr/bin/python3 -ISc 'import json, sys
v = json.load(sys.stdin)
print(v["possible"], *[c["gpu"] + "=" + c["verdict"] for c in v["candidates"]])'
}

say "exact ids and names"
assert_eq "$(types "$P40" 58 nvidia-588 'RTX6000-Ada-4Q' 'NVIDIA RTX Pro 6000 Blackwell DC-3Q' | xargs)" \
    "nvidia-58 nvidia-588 nvidia-944 nvidia-1519" "types"
for wrong in 5 P40-6 'rtx6000-ada-4q' 'RTX Pro  6000 Blackwell DC-3Q'; do
    assert_fails "$wrong'" virt-vgpu create "$P40" "$wrong"
done
assert_eq "$(mdevs)" "" "mdevs"

say "one size per physical GPU, max_instance across its VFs, and a name on two cards goes where there is room"
enable_vfs "$A2" 6
wait_for 30 test -e /sys/class/mdev_bus/0000:41:01.1/mdev_supported_types
virt-vgpu create "$A2" 'NVIDIA A2-8Q' --uuid "$(u 1)"
assert_fails "$A2 cannot take a vGPU .*: vGPUs of another size" virt-vgpu create "$A2" 'NVIDIA A2-4Q'
virt-vgpu create "$A2" 'NVIDIA A2-8Q' --uuid "$(u 2)"
assert_fails "$A2 cannot take a vGPU .*: 2 of 2 are in use" virt-vgpu create "$A2" 'NVIDIA A2-8Q'
assert_eq "$(json "[r['available'] for r in v if r['id'] in ('nvidia-747', 'nvidia-746')]" profile-list "$A2")" \
    "[0, 0]" "available"
virt-vgpu create "$M10" 44 --uuid "$(u 3)"
assert_eq "$(candidates 'M10-4Q' | tr ' ' '\n' | grep -v -e no-such -e vfs-off | xargs)" \
    "True $M10=other-size $M10B=fits" "explain"
for i in 1 2 3; do virt-vgpu destroy "$(u $i)"; done

say "the driver reports room, and refuses: the next VF is tried, and the next GPU"
define_vgpu one "profile='NVIDIA A2-4Q' gpu='$A2'"
set_annotation one "profile='NVIDIA A2-4Q' gpu='$A2'" "profile='GRID M10-4Q'"
wait_for 30 is_injected one 2
knob create_fail_next 1 "$A2"
knob lie_available 1 "$M10"
virsh -q start one
uuid=$(domain_uuid one)
assert_eq "$(mdev_parent "$(vgpu_uuid "$uuid" 0)")" 0000:41:00.5 "the VF"
assert_eq "$(mdev_parent "$(vgpu_uuid "$uuid" 1)")" "$M10B" "the GPU"
virsh -q destroy one
wait_for 30 nothing_left
