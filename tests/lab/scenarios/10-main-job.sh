#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An annotated domain is defined, started with its vGPU, and nothing is left after its stop
# takes: 33
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

# The hook runs for each start and stop on the host, and has to work when everything else is broken.
assert_eq "$(ldd /usr/sbin/virt-vgpu-hook | sed -E '/linux-vdso|libc\.so|\/ld-linux/d')" "" "what the hook links but libc"

uuid=3b0f4d3e-5d3a-4d55-9c1e-5b5c3f0a7a01
vgpu=$(vgpu_uuid $uuid 0)
before=$(virt-vgpu profile-list --json)

say "define"
define_vgpu web1 "profile='NVIDIA A2-4Q'" --uuid $uuid --graphics
assert_grep "uuid='$vgpu'" "$(defined_hostdev web1 0)" "computed UUID"
assert_eq "$(mdevs)" "" "mdevs while it is off"
assert_eq "$(vgpu_state "$vgpu")" planned "state while it is off"

say "start"
virsh -q start web1
live=$(live_hostdev web1 0)
assert_grep "uuid='$vgpu'" "$live" "live UUID"
assert_grep "display='on'" "$live" "display"
assert_grep "ramfb='on'" "$live" "ramfb"
assert_eq "$(mdevs)" "$vgpu" "mdevs while it runs"
assert_eq "$(mdev_type "$vgpu")" nvidia-746 "type"
assert_grep '^0000:41:' "$(mdev_parent "$vgpu")" "parent"
assert_grep "$vgpu" "$(tr '\0' ' ' < "/proc/$(cat /run/libvirt/qemu/web1.pid)/cmdline")" "QEMU's command line"
wait_for 5 vgpu_state "$vgpu" active
assert_eq "$(json 'v[0]["domain"], v[0]["index"], v[0]["profile"], v[0]["restart_needed"]' list)" \
  "('web1', 0, 'NVIDIA A2-4Q', False)" "list"

say "stop"
virsh -q destroy web1
wait_for 10 nothing_left
assert_eq "$(virt-vgpu profile-list --json)" "$before" "profile-list after the stop"

say "defining twice, or restarting the daemon, changes nothing"
hostdev=$(defined_hostdev web1 0)
virsh -q dumpxml web1 --inactive > /run/lab-again.xml
virsh -q define /run/lab-again.xml
sleep 1
assert_eq "$(defined_hostdev web1 0)" "$hostdev" "hostdev after a second define"
daemon_restart
sleep 1
assert_eq "$(defined_hostdev web1 0)" "$hostdev" "hostdev after a restart of the daemon"
is_injected web1 1 || fail "more than one hostdev"
