#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The display is on by default only where it is possible, so a plain annotation also starts on GVT-g
# takes: 40
# releases: bookworm
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

gvt=i915-GVTg_V5_4
no_gl="GVT-g needs OpenGL for it: <gl enable='yes'/>"
u() { printf '00000000-0000-4000-8000-0000000000%02d' "$1"; }
gpu_add "$HD620"

say "the lab itself: GVT-g's types, and QEMU's error for display='on'"
assert_eq "$(cat "/sys/bus/pci/devices/$HD620/vendor") $(driver_of "$HD620")" "0x8086 i915" "vendor and driver"
assert_eq "$(for n in 1 2 4 8; do available "$HD620" i915-GVTg_V5_$n; done | xargs)" "1 2 5 7" "available"
types=/sys/class/mdev_bus/$HD620/mdev_supported_types
assert_eq "$(cat "$types/$gvt/name" "$types/$gvt/description" | xargs)" \
    "GVTg_V5_4 low_gm_size: 128MB high_gm_size: 512MB fence: 4 resolution: 1920x1200 weight: 4" "type"
mdev_create "$HD620" $gvt "$(u 1)"
define raw --graphics --hostdev "$(mdev_hostdev "$(u 1)" "display='on' ramfb='on'")"
assert_fails "opengl not available" virsh -q start raw
mdev_create "$M10" nvidia-41 "$(u 2)"
define none --graphics --hostdev "$(mdev_hostdev "$(u 2)" "display='on'")"
knob no_display 1 "$M10"
assert_fails "device doesn't support any \(known\) display method" virsh -q start none
knob no_display 0
for i in 1 2; do mdev_remove "$(u $i)"; done

say "GVT-g with VNC: it starts without a display, and reports that"
define_vgpu web1 "profile='$gvt'" --graphics
assert_grep "display='off'" "$(defined_hostdev web1 0)" "hostdev"
assert_grep "GVTg_V5_4 on $HD620; no display: $no_gl" "$(virt-vgpu explain web1)" "explain"
virsh -q start web1
assert_eq "$(state web1) $(mdev_type "$(vgpu_uuid "$(domain_uuid web1)" 0)")" "running $gvt" "the domain and its vGPU"
assert_grep "display='off' ramfb='off'" "$(live_hostdev web1 0)" "live hostdev"
virsh -q destroy web1
hostdev=$(defined_hostdev web1 0)
daemon_restart
assert_grep "nothing to change" "$(virt-vgpu inject web1)" "inject after a restart of the daemon"
assert_eq "$(defined_hostdev web1 0)" "$hostdev" "hostdev after a restart of the daemon"

say "an explicit display is refused with the reason; with OpenGL it is on"
set_annotation web1 "profile='$gvt' display='on'"
assert_fails "display='on', but $no_gl.*write display='off' to go without" virt-vgpu start web1
assert_eq "$(state web1)" "shut off" "the domain"
define_vgpu web2 "profile='GVTg_V5_4'" --graphics --device "<graphics type='egl-headless'/>"
assert_grep "display='on' ramfb='on'" "$(defined_hostdev web2 0)" "hostdev beside egl-headless"

say "NVIDIA's vGPUs have a display, except with the console off"
define_vgpu web3 "profile='GRID M10-2Q' consoleVNC='off'" --graphics
assert_grep "display='off'" "$(defined_hostdev web3 0)" "hostdev without console"
set_annotation web3 "profile='GRID M10-2Q'"
wait_for 30 has_defined web3 0 "display='on' ramfb='on'"
