#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# If libvirt is too old for a vGPU on a VF, the start is refused with that reason, the definition is left alone, and mdevs work
# takes: 30
# releases: bookworm
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

reason="vendor-specific VFIO,? (which )?needs libvirt 9\.7 or newer"
vfs_on "$L40S" 2
define old --graphics --annot "$(annotation "profile='NVIDIA L40S-4Q'")"
cp /etc/libvirt/qemu/old.xml /run/lab-old.before
assert_fails "domain 'old': line [0-9]+: vGPU 0 .*$reason; this is 9\.0\.0" virt-vgpu inject old
assert_fails "a start is not possible now" virt-vgpu explain old
assert_grep "libvirt-too-old: its $reason" \
    "$(json "[c['verdict'] + ': ' + c['reason'] for c in v['candidates'] if c['gpu'] == '$L40S']" explain old || true)" "explain --json"
assert_fails "virt-vgpu: domain 'old': .*$L40S: .*$reason" virsh -q start old
assert_fails "virt-vgpu: domain 'old': .*$reason" virt-vgpu start old
cmp /etc/libvirt/qemu/old.xml /run/lab-old.before || fail "the definition was changed"
assert_eq "$(types "$L40S") $(claims)" "0 0 0" "types and records"
assert_grep "warn: libvirt 9\.0\.0 does not support vendor-specific virtual functions" \
    "$(json "[c['status'] + ': ' + c['detail'] for c in v if c['check'] == 'libvirt version']" doctor)" "doctor --json"

say "an alternative that is an mdev"
define either --annot "<vgpu:devices xmlns:vgpu='$NS'><vgpu:device>
  <vgpu:profile name='NVIDIA L40S-4Q'/><vgpu:profile name='NVIDIA A2-4Q'/></vgpu:device></vgpu:devices>"
wait_for 30 is_injected either
vgpu=$(vgpu_uuid "$(domain_uuid either)" 0)
virsh -q start either
assert_eq "$(state either) $(mdevs)" "running $vgpu" "the domain and its mdev"
assert_eq "$(mdev_type "$vgpu")" nvidia-746 "its type"
virsh -q destroy either
wait_for 20 nothing_left
