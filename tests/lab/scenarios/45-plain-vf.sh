#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Plain virtual functions: the host layout enables them, each domain gets its own with vfio-pci and returns it
# takes: 60
# once: battery
# timeout: 400
# machine: iommu
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

pf=/sys/bus/pci/devices/$SSD
vf() { echo "0000:01:00.$1"; }
# drivers: the drivers of the VFs, in order.
drivers() { for i in 1 2 3 4; do driver_of "$(vf "$i")"; done | xargs; }
# names NAME N: the definition's hostdev is managed and names the VF 01:00.N.
names() { has_defined "$1" 0 "managed='yes'" && [ "$(defined_vf "$1" 0)" = "$(vf "$2")" ]; }
room() { json '[r["available"] for r in v]' profile-list "$SSD"; }

say "without a layout for it, the card does not count as a GPU"
assert_eq "$(json "[g for g in v if g['address'] == '$SSD']" gpu-list)" "[]" "gpu-list"

say "the host layout"
mkdir -p /etc/virt-vgpu
echo "<vgpuhost><gpu address='$SSD'><sriov vfs='4'/></gpu></vgpuhost>" > /etc/virt-vgpu/host.xml
virt-vgpu host-apply /etc/virt-vgpu/host.xml
assert_eq "$(cat "$pf/sriov_numvfs") $(cat "$pf/sriov_drivers_autoprobe") $(drivers)" "4 0 - - - -" \
    "VFs, autoprobe, their drivers"
virt-vgpu host-diff /etc/virt-vgpu/host.xml > /run/lab-diff || fail "host-diff: $(cat /run/lab-diff)"
assert_eq "$(json '[(r["gpu"], r["id"], r["name"], r["interface"], r["max_instances"], r["available"]) for r in v]' \
    profile-list "$SSD")" "[('$SSD', 'vf', 'vf', 'vf', 4, 4)]" "profile-list"
assert_eq "$(json 'v["interface"], v["driver"], [(f["address"], f["state"]) for f in v["vfs"]]' gpu-info "$SSD")" \
    "('vf', 'nvme', [('$(vf 1)', 'free'), ('$(vf 2)', 'free'), ('$(vf 3)', 'free'), ('$(vf 4)', 'free')])" "gpu-info"

say "each definition gets its own VF"
define_vgpu one "profile='vf' gpu='$SSD'"
define_vgpu two "profile='vf' gpu='$SSD'"
names one 1 || fail "the definition of one: $(defined_hostdev one 0)"
names two 2 || fail "the definition of two: $(defined_hostdev two 0)"
assert_eq "$(drivers) $(room)" "- - - - [4]" "drivers and room while they are off"

say "start"
virsh -q start two
assert_eq "$(state two) $(drivers) $(room)" "running - vfio-pci - - [3]" "domain, drivers and room"
assert_grep "$(vf 2)" "$(tr '\0' ' ' < "/proc/$(qemu_pid two)/cmdline")" "QEMU's command line"
assert_grep "PCI device 1b36:0010" "$(virsh -q qemu-monitor-command two --hmp 'info pci')" "what the guest sees"
assert_eq "$(live_vf two 0)" "$(vf 2)" "the VF that it runs with"

say "a domain without annotation uses the other one: the start is refused, and the definition moved"
define user --hostdev "<hostdev mode='subsystem' type='pci' managed='yes'>
  <source><address domain='0' bus='1' slot='0' function='1'/></source></hostdev>"
virsh -q start user
assert_fails "$(vf 1).* is being moved to another device" virsh -q start one
wait_for 30 names one 3
virsh -q start one
assert_eq "$(state one) $(state user) $(drivers)" "running running vfio-pci vfio-pci vfio-pci -" "domains and drivers"
names two 2 || fail "the definition of two: $(defined_hostdev two 0)"
is_active() { [ "$(json '[(r["domain"], r["parent"], r["interface"], r["state"]) for r in v]' list)" = "$1" ]; }
wait_for 10 is_active "[('one', '$(vf 3)', 'vf', 'active'), ('two', '$(vf 2)', 'vf', 'active')]"
uuid=$(vgpu_uuid "$(domain_uuid one)" 0)
assert_eq "$(json '[(f["state"], f["profile"], f["uuid"]) for f in v["vfs"]][2:]' gpu-info "$SSD")" \
    "[('used', 'vf', '$uuid'), ('free', None, None)]" "gpu-info"
assert_fails "of domain '(one|two)'; stop that first" virt-vgpu gpu-disable "$SSD"

say "stop"
virsh -q "destroy one; destroy two"
wait_for 20 nothing_left
assert_eq "$(drivers)" "vfio-pci - - -" "drivers afterwards"
names one 3 || fail "the definition of one has changed: $(defined_hostdev one 0)"
assert_fails "VF $(vf 1) is in use" virt-vgpu gpu-disable "$SSD"
virsh -q destroy user
assert_eq "$(drivers)" "- - - -" "drivers after the other domain has stopped"

say "a VF that is bound to a host driver comes last"
modprobe pci-stub
echo pci-stub > "/sys/bus/pci/devices/$(vf 1)/driver_override"
vf 1 > /sys/bus/pci/drivers_probe
assert_eq "$(drivers)" "pci-stub - - -" "drivers"
define_vgpu three "profile='vf' gpu='$SSD'"
names three 4 || fail "the definition of three: $(defined_hostdev three 0)"

say "the VFs are turned off"
virt-vgpu gpu-disable "$SSD" > /run/lab-disable
assert_eq "$(cat "$pf/sriov_numvfs") $(room)" "0 []" "VFs and profiles"
