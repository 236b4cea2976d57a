#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Stop and immediate start of the same domain works, also while its device is still being removed, and so does a snapshot revert
# takes: 30
# once: bookworm
# timeout: 240
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

uuid=5d0cbb52-8ccf-4a9c-b04e-2a50de1c2001
vgpu=$(vgpu_uuid $uuid 0)

define_vgpu again "profile='GRID M10-2Q' gpu='$M10'" --uuid $uuid
# libvirt does not create a snapshot of a domain without disks, but it accepts one.
{
    echo "<domainsnapshot><name>clean</name><state>shutoff</state><creationTime>1000000000</creationTime>"
    virsh -q dumpxml again --inactive
    echo "</domainsnapshot>"
} > /run/lab-snapshot.xml
virsh -q snapshot-create again /run/lab-snapshot.xml --redefine > /dev/null
virsh -q start again
runs_with() {
    assert_eq "$(mdevs)" "$vgpu" "device ($1)"
    assert_grep "$vgpu" "$(tr '\0' ' ' < "/proc/$(qemu_pid again)/cmdline")" "QEMU's command line ($1)"
    assert_eq "$(state again) $(claims)" "running 1" "domain and records ($1)"
    say "$1: it runs on its vGPU again"
}
runs_with "first start"

say "an immediate start after a stop"
pid=$(qemu_pid again)
virsh -q "destroy again; start again"
[ "$(qemu_pid again)" != "$pid" ] || fail "that was no restart"
runs_with "restart"

say "the same while the driver is slow to remove"
knob remove_delay_ms 3000 "$M10"
virsh -q destroy again
removal_goes_on() { grep -lq '^phase=releasing' /run/virt-vgpu/claims/* && ! mdev_exists "$vgpu"; }
wait_for 10 removal_goes_on
assert_fails "File exists" mdev_create "$M10B" nvidia-41 "$vgpu" # the kernel has not released it
begun=$SECONDS
virsh -q start again
say "started $((SECONDS - begun)) s after the removal had begun"
knob remove_delay_ms 0
runs_with "slow removal"

say "snapshot revert of the running domain"
pid=$(qemu_pid again)
virsh -q snapshot-revert again clean --running
[ "$(qemu_pid again)" != "$pid" ] || fail "the revert has not restarted it"
runs_with "revert"

say "the annotation is removed before the domain stops"
virsh -q metadata again "$NS" --live --remove > /dev/null
virsh -q destroy again
wait_for 10 nothing_left
is_injected again || fail "the definition has lost its hostdev"
