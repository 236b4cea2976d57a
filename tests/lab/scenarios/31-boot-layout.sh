#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# At boot the host layout is applied before libvirt starts, and from its sandbox the daemon configures GPUs and changes the layout
# takes: 60
# once: battery
# init: systemd
# timeout: 600
# shellcheck source=SCRIPTDIR/../vgpu.sh disable=SC2119
. "$(dirname "$0")/../vgpu.sh"

A2B=0000:42:00.0
own=11111111-2222-4333-8444-000000003101
layout=/etc/virt-vgpu/host.xml
# show PROPERTY UNIT
show() { systemctl show --value -p "$1" "$2"; }

say "installed with the daemon, and skipped without a layout"
assert_eq "$(systemctl is-enabled virt-vgpu-host.service)" enabled "virt-vgpu-host.service"
assert_eq "$(show ActiveState virt-vgpu-host.service) $(show ConditionResult virt-vgpu-host.service)" "inactive no" \
    "virt-vgpu-host.service"
before=$(show Before virt-vgpu-host.service)
for unit in virtvgpud libvirtd virtqemud; do assert_grep "(^| )$unit\.service( |$)" "$before" "Before="; done

say "a boot, in one transaction"
standins
mkdir -p /etc/virt-vgpu
cat > $layout << XML
<vgpuhost>
  <!-- of the lab -->
  <gpu address='$A2B'><sriov vfs='max'/></gpu>
  <gpu address='$A100'><sriov vfs='3'/><mig><instance profile='1g.5gb' count='2'/></mig></gpu>
</vgpuhost>
XML
systemctl stop libvirtd.service 'libvirtd*.socket' virtvgpud.socket virtvgpud.service
systemctl start multi-user.target
read -rd '' state ended < <(show ActiveState,ActiveEnterTimestampMonotonic virt-vgpu-host.service) || true
assert_eq "$state" active virt-vgpu-host.service
for unit in virtvgpud libvirtd; do
    begun=$(show InactiveExitTimestampMonotonic $unit.service)
    say "the layout is applied at $ended us, $unit begun at $begun us"
    ((ended > 0 && ended <= begun)) || fail "$unit was begun at $begun, before virt-vgpu-host was done at $ended"
done
assert_eq "$(vfs_of "$A2") $(vfs_of "$A2B") $(vfs_of "$A100")" "4 16 3" "VFs"
assert_eq "$(fake "$A100" gpu_instances | cut -d' ' -f2 | xargs)" "19 19" "GPU instances"
assert_not_grep 'ordering cycle|virt-vgpu-host\.service:[0-9]+:' "$(journalctl -b --no-pager)" "journal"
assert_eq "$(json '[c["status"] for c in v if c["check"] == "host layout"]' doctor)" "['ok']" "doctor"
wait_for 20 is_connected
virt-vgpu create "$A100" "GRID A100-1-5C" --uuid $own > /dev/null
virt-vgpu destroy $own > /dev/null

say "the daemon, in its sandbox, configures GPUs and changes the layout"
assert_eq "$(json 'v["vfs_enabled"]' gpu-disable "$A2B" --persistent) $(vfs_of "$A2B")" "0 0" "gpu-disable"
assert_eq "$(json 'v["vfs_enabled"]' gpu-enable "$A2B" --vfs 2 --persistent) $(vfs_of "$A2B")" "2 2" "gpu-enable"
assert_eq "$(xmlstarlet sel -t -m //gpu -v @address -o = -v sriov/@vfs -o ' ' $layout)" "$A2B=2 $A100=3 " "host.xml"
assert_grep "of the lab" "$(cat $layout)" "its comment"
assert_eq "$(json '[r["profile"] for r in v]' mig-list "$A100")" "['1g.5gb', '1g.5gb']" "mig-list"
virt-vgpu host-diff $layout > /run/lab-diff || fail "host-diff: $(cat /run/lab-diff)"
assert_fails "$M10 has no SR-IOV" virt-vgpu gpu-enable "$M10"
assert_eq "$(systemctl list-units --all --plain --no-legend 'run-*.service' | sed '/ running /d')" "" "units left behind"
assert_eq "$(show NRestarts virtvgpud.service)" 0 "restarts of the daemon"
