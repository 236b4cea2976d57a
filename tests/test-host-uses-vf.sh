#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Plain VFs that are bound to a host driver, with the real daemon and hook on a made tree: they are used last, and never
# while a process has their DRM node open; those that the host layout keeps are never used.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session

pci=$root/sys/bus/pci
gpu=0000:00:02
make_function() # NUMBER
{
    dir=$root/sys/devices/pci0000:00/$gpu.$1
    mkdir -p "$dir/drm/renderD$((4710 + $1))" "$root/dev/dri"
    ln -s "../../../devices/pci0000:00/$gpu.$1" "$pci/devices/$gpu.$1"
    echo 0x038000 > "$dir/class"
    echo 0x8086 > "$dir/vendor"
    echo 0x56c0 > "$dir/device"
    : > "$root/dev/dri/renderD$((4710 + $1))"
}
bind() # NUMBER DRIVER
{
    mkdir -p "$pci/drivers/$2"
    ln -sfn "../../../bus/pci/drivers/$2" "$pci/devices/$gpu.$1/driver"
}
make_function 0
bind 0 i915
echo 2 > "$pci/devices/$gpu.0/sriov_totalvfs"
for vf in 1 2; do
    make_function "$vf"
    ln -s "../$gpu.$vf" "$pci/devices/$gpu.0/virtfn$((vf - 1))"
    ln -s "../$gpu.0" "$pci/devices/$gpu.$vf/physfn"
done
bind 1 i915
bind 2 vfio-pci
ln -s /proc "$root/proc" # where it is seen what we have open

echo "<node>$(domain_xml 1)</node>" > "$root/host.xml"
domain_xml 1 | sed "s/<devices/<metadata><v:devices xmlns:v='urn:virt-vgpu:domain:1'><v:device profile='vf' \
gpu='$gpu.0'\/><\/v:devices><\/metadata>&/" > "$root/vm1.xml"
check "the daemon starts" up

has_vf() { grep -F "$gpu.$1" "$root/run/virt-vgpu/claims/$(domain_uuid 1)"; }
stop() { release 1 && until_true nothing_left; }
check "with a VF for guests" prepare 1
check "it is that one" has_vf 2
check "it is removed" stop

bind 2 i915
check "with both bound to the host's driver" prepare 1
check "it is the first" has_vf 1
check "it is removed again" stop

sleep 1000 3< "$root/dev/dri/renderD4711" &
helper=$!
check "with the first one's node open" prepare 1
check "it is the second" has_vf 2
check "which is removed" stop

shows() # NUMBER STATE DRIVER
{
    says "\"address\":\"$gpu.$1\",\"state\":\"$2\",\"driver\":\"$3\"" cli gpu-info "$gpu.0" --json
}
doctor_says() { cli doctor > "$root/said"; tr -d ' \n' < "$root/said" | grep -F -- "$1"; }
check "the host's is shown as such" shows 1 host i915
check "and the other one, too" shows 2 host i915
mkdir -p "$root/etc/virt-vgpu"
cat > "$root/etc/virt-vgpu/host.xml" << XML
<vgpuhost><gpu address='$gpu.0'><sriov vfs='max'><host vf='2'/><host vf='9'/></sriov></gpu></vgpuhost>
XML
bind 1 vfio-pci
bind 2 vfio-pci
check "the daemon ends" down
check "and reads the host layout" up
check "in which the second is kept for the host" shows 2 host vfio-pci
check "and the first one is not" shows 1 free vfio-pci
check "doctor reports it" doctor_says "VF2ofGPU$gpu.0($gpu.2)iskeptforthehost"
check "and of a missing VF" doctor_says "keepsVF9ofGPU$gpu.0forthehost,buttheGPUhas2"
check "a domain gets the other one" prepare 1
check "which is that" has_vf 1
domain_xml 2 | sed "s/<devices/<metadata><v:devices xmlns:v='urn:virt-vgpu:domain:1'><v:device profile='vf' \
gpu='$gpu.0'\/><\/v:devices><\/metadata>&/" > "$root/vm2.xml"
check "a second one gets none" fails_with "1 of 1 are in use" prepare 2
check "the first one is removed" stop
annotated_on() # NUMBER: with the hostdev of that VF
{
    sed "s/<devices\\/>/<devices><hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0' bus='0' \
slot='0x02' function='0x$1'\\/><\\/source><alias name='ua-vgpu-0'\\/><\\/hostdev><\\/devices>/" "$root/vm2.xml" > "$root/new.xml" &&
        mv "$root/new.xml" "$root/vm2.xml"
}
annotated_on 2
check "a refusal says why the domain gets another VF" fails_with "VF 2 is kept for the host (host.xml)" prepare 2
rm "$root/etc/virt-vgpu/host.xml"
bind 1 i915
bind 2 i915
check "the daemon ends again" down
check "and no longer keeps any" up

rm "$pci/devices/$gpu.0/virtfn1" "$pci/devices/$gpu.2"
check "without another one the start is refused, with the node" \
    fails_with "the host uses VF $gpu.1: renderD4711 is open" prepare 1
check "nothing is left of it" until_true nothing_left
kill "$helper"
wait "$helper" 2> /dev/null
check "when the node is closed, it starts" prepare 1
check "on that VF" has_vf 1

finish
