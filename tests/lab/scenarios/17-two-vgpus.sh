#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Two vGPUs in one domain: one ramfb; all or nothing, and the refusal says why on each GPU
# takes: 30
# once: bookworm
# timeout: 300
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

taken=11111111-2222-4333-8444-555555555501
smaller=11111111-2222-4333-8444-555555555502

say "both run, and only the first has a display and ramfb"
define both --graphics --annot "$(annotation "profile='NVIDIA A2-4Q' count='2'")"
wait_for 30 is_injected both 2
virsh -q start both
uuid=$(domain_uuid both)
expected=$(for n in 0 1; do vgpu_uuid "$uuid" $n; done | sort)
assert_eq "$(mdevs)" "$expected" "mdevs"
live=$(virsh -q dumpxml both --xpath "//hostdev")
assert_eq "$(grep -c 'ramfb="on"' <<< "$live")" 1 "ramfb in the live XML"
assert_grep "display='on' ramfb='on'" "$(live_hostdev both 0)" "the first vGPU"
assert_not_grep "(display|ramfb)='on'" "$(live_hostdev both 1)" "the second vGPU"
qemu=$(tr '\0' '\n' < "/proc/$(cat /run/libvirt/qemu/both.pid)/cmdline")
assert_eq "$(grep -c '"\?ramfb"\?[:=]\(true\|on\)' <<< "$qemu")" 1 "ramfb on QEMU's command line"
virsh -q destroy both
wait_for 30 nothing_left

say "the second vGPU does not fit"
mdev_create "$M10" nvidia-45 $taken    # the whole GPU
mdev_create "$M10B" nvidia-41 $smaller # another size
define half --annot "$(annotation "profile='NVIDIA A2-4Q'" "profile='GRID M10-8Q'")"
wait_for 30 is_injected half 2
events=/run/lab-events
virt-vgpu events > $events &
watcher=$!
trap 'kill $watcher' EXIT
sleep 1
if refusal=$(virsh -q start half 2>&1); then fail "half started"; fi
say "$refusal"
line=$(grep -o "virt-vgpu: .*" <<< "$refusal")
assert_eq "$(wc -l <<< "$line")" 1 "lines of the refusal"
assert_grep "domain 'half': .*GRID M10-8Q'.* $M10: 1 of 1 [^;]*; $M10B: [^;]*GRID M10-2Q[^;]*; " "$line" \
    "the nearest reasons"
assert_grep "(; [0-9]+ other GPUs do not have it|; and [0-9]+ more GPUs)$" "$line" "the other reasons"
left=$(printf '%s\n' $taken $smaller)
only_foreign() { [ "$(mdevs)" = "$left" ] && [ "$(claims)" = 0 ]; }
# The listener has to be ready first, which takes time here.
is_told() { ! virsh -q start half && grep -q start-refused $events; }
wait_for 60 is_told
wait_for 30 only_foreign

say "the driver refuses the second while the first is being created"
mdev_remove $taken
mdev_remove $smaller
knob lie_available 1 "$M10"
knob lie_available 1 "$M10B"
assert_fails "domain 'half': .*GRID M10-8Q'.* $M10( and 1 more)?: [^;]*refused" \
    virsh -q start half
wait_for 30 nothing_left
