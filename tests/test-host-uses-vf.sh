#!/bin/sh
# Plain VFs that a driver of the host's has, with the real daemon and hook on a made tree: they are taken last, and never
# while a process has their DRM node open.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin none

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
check "it goes" stop

bind 2 i915
check "with both bound to the host's driver" prepare 1
check "it is the first" has_vf 1
check "it goes again" stop

sleep 1000 3< "$root/dev/dri/renderD4711" &
helper=$!
check "with the first one's node open" prepare 1
check "it is the second" has_vf 2
check "which goes" stop

rm "$pci/devices/$gpu.0/virtfn1" "$pci/devices/$gpu.2"
check "without another one the start is refused, with the node" \
    fails_with "the host uses VF $gpu.1: renderD4711 is open" prepare 1
check "nothing is left of it" until_true nothing_left
kill "$helper"
wait "$helper" 2> /dev/null
check "when the node is closed, it starts" prepare 1
check "on that VF" has_vf 1

finish
