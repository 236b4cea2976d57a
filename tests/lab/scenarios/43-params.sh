#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Plugin parameters are written in one write and in their order before QEMU starts, at each start; if they are refused, the vGPU is removed
# takes: 30
# once: bookworm
# timeout: 240
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

uuid=5d0cbb52-8ccf-4a9c-b04e-2a50de1c4301
vgpu=$(vgpu_uuid $uuid 0)
device="profile='NVIDIA A2-4Q' profiling='on' debugging='on' unifiedMemory='on' consoleVNC='off' frameRateLimit='off'"
# with PARAM…: the annotation with these raw parameters, one per line.
with() {
    printf "<vgpu:devices xmlns:vgpu='%s'>\n<vgpu:device %s>\n" "$NS" "$device"
    printf '<vgpu:param %s/>\n' "$@"
    echo "</vgpu:device></vgpu:devices>"
}

say "validate refuses them, with the line"
# refused LINE REASON PARAM…
refused() {
    domain_xml bad --annot "$(with "${@:3}")" > /run/lab-bad.xml
    assert_fails "^virt-vgpu: /run/lab-bad.xml: line $1: $2" virt-vgpu validate /run/lab-bad.xml
}
refused 5 "attribute 'value' on <vgpu:param> is 'a b'" "name='loglevel' value='2'" "name='x' value='a b'"
refused 4 "attribute 'name' on <vgpu:param> is '9x'" "name='9x' value='2'"
refused 4 "<vgpu:param name='enable_uvm'> sets the same as the attribute 'unifiedMemory'" "name='enable_uvm' value='0'"
refused 3 "the plugin parameters have 10[0-9]{2} characters together, at most 1000 are allowed" \
    "name='x' value='$(printf '%0920d' 0)'"

say "the driver refuses them: the start is refused, and the vGPU removed"
define web1 --uuid $uuid --annot "$(with "name='loglevel' value='2'" "name='vgpu-placement-id' value='12'")"
wait_for 30 is_injected web1
knob params_fail_next 1 "$A2"
assert_fails "virt-vgpu: domain 'web1': the driver refused the plugin parameters 'frame_rate_limiter=0,.*' of .*: Input/output error" \
    virsh -q start web1
wait_for 20 nothing_left

say "the driver accepts the parameters"
virsh -q start web1
assert_eq "$(mdev_params "$vgpu")" \
    "frame_rate_limiter=0,disable_vnc=1,enable_uvm=1,enable_debugging=1,enable_profiling=1,loglevel=2,vgpu-placement-id=12" \
    "parameters"

say "other parameters at the next start, with the same device or a new one"
set_annotation web1 "profile='NVIDIA A2-4Q' frameRateLimit='on' consoleVNC='on'"
virsh -q "destroy web1; start web1"
assert_eq "$(mdev_params "$vgpu")" "frame_rate_limiter=1" "parameters of the second start"
virsh -q destroy web1
wait_for 20 nothing_left
