#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The firmware's messages are on the vGPU's display, by ramfb, before the guest has a driver
# takes: 90
# once: battery
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

picture=/lab/work/logs/console.png
# size DOMAIN: takes the picture, and prints its width and height
size() {
    virsh -q screenshot "$1" "$picture" > /dev/null
    od -An -tu1 -j16 -N8 "$picture" | awk '{ print $3 * 256 + $4, $7 * 256 + $8 }'
}
# A picture with text takes more room than a black one.
has_text() { [ "$(size "$1")" != "320 200" ] && [ "$(stat -c %s "$picture")" -gt 2500 ]; }
is_the_drivers() { [ "$(size "$1")" = "320 200" ]; }

say "a VM with SeaBIOS, and no display but its vGPU's"
knob no_guest_driver 1 "$M10"
define_vgpu cad1 "profile='GRID M10-2Q'" --graphics --seabios --mem 64
assert_grep "display='on' ramfb='on'" "$(defined_hostdev cad1 0)" "hostdev"
virsh -q start cad1
wait_for 120 has_text cad1
say "its picture: $(size cad1), $(stat -c %s "$picture") bytes"

say "once the guest has a driver, its picture replaces that"
cp "$picture" "/lab/work/logs/firmware.png"
knob no_guest_driver 0 "$M10"
wait_for 60 is_the_drivers cad1
