#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The real daemon where libvirt's node devices differ from sysfs: doctor reports it, with the device.
# And devices that are added and removed are followed, by libvirt's events.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session
# shellcheck disable=SC2034 # for start_daemon
preload=$builddir/tests/flaky-libvirt.so
hand=11111111-2222-4333-8444-555555555555
pci=$root/sys/bus/pci/devices

# address_xml ADDRESS: as attributes; parts ADDRESS: as elements, in decimal
address_xml()
{
    echo "<address domain='0x${1%%:*}' bus='0x$(echo "$1" | cut -d: -f2)' slot='0x$(echo "$1" |
        cut -d: -f3 | cut -d. -f1)' function='0x${1##*.}'/>"
}
parts()
{
    printf '<domain>%d</domain><bus>%d</bus><slot>%d</slot><function>%d</function>\n' "0x${1%%:*}" \
        "0x$(echo "$1" | cut -d: -f2)" "0x$(echo "$1" | cut -d: -f3 | cut -d. -f1)" "0x${1##*.}"
}

# nodedev ADDRESS: the node device of that function, as libvirt would show it
nodedev()
{
    dir=$pci/$1
    echo "<device><name>pci_$(echo "$1" | tr ':.' '__')</name><parent>computer</parent><capability type='pci'>"
    echo "<class>$(cat "$dir/class")</class>$(parts "$1")"
    echo "<product id='$(cat "$dir/device")'/><vendor id='$(cat "$dir/vendor")'/>"
    [ -e "$dir/numa_node" ] && [ "$(cat "$dir/numa_node")" -ge 0 ] &&
        echo "<numa node='$(cat "$dir/numa_node")'/>"
    [ -e "$dir/physfn" ] &&
        echo "<capability type='phys_function'>$(address_xml "$(basename "$(readlink "$dir/physfn")")")</capability>"
    if [ -e "$dir/sriov_totalvfs" ]; then
        echo "<capability type='virt_functions' maxCount='$(cat "$dir/sriov_totalvfs")'>"
        for vf in "$dir"/virtfn*; do
            [ ! -e "$vf" ] || address_xml "$(basename "$(readlink "$vf")")"
        done
        echo "</capability>"
    fi
    if [ -e "$dir/mdev_supported_types" ]; then
        echo "<capability type='mdev_types'>"
        for type in "$dir"/mdev_supported_types/*; do
            echo "<type id='$(basename "$type")'><name>$(cat "$type/name")</name>" \
                "<deviceAPI>vfio-pci</deviceAPI><availableInstances>0</availableInstances></type>"
        done
        echo "</capability>"
    fi
    echo "</capability></device>"
}

# host: all GPUs and VFs of the tree, for libvirt's test driver
host()
{
    echo '<node>'
    for function in "$pci"/*; do
        [ ! -e "$function/class" ] || nodedev "$(basename "$function")"
    done
    echo '</node>'
}

# doctor STATUS TEXT: what it says of libvirt's view
doctor()
{
    cli doctor --json --root "$root" > "$root/doctor" 2>&1
    tr -d '\n' < "$root/doctor" | sed 's/}, *{/}\n{/g' | tr -s ' ' | grep "\"libvirt's view\"" > "$root/said"
    grep "\"status\" *: *\"$1\"" "$root/said" | grep -F -- "$2"
}
agrees() { doctor ok "show the same GPUs"; }
rows() { [ "$(wc -l < "$root/said")" -eq "$1" ]; }

# differs WHAT SED TEXT: libvirt shows the host with that change, and doctor says TEXT, in one row
differs()
{
    killed
    host | sed "$2" > "$root/host.xml"
    check "the daemon starts where libvirt shows $1" up
    check "doctor names that and both values" doctor warn "$3"
    check "and nothing else" rows 1
}

host > "$root/host.xml"
check "the daemon starts" up
check "libvirt and sysfs agree" until_true agrees
check "a vGPU is made by hand" cli create 84:00.0 'GRID M10-1Q' --uuid $hand
check "libvirt's test driver does not notice: doctor names it" doctor warn \
    "mdev $hand of 0000:84:00.0: libvirt missing, sysfs there"
check "it is removed" cli destroy $hand
check "they agree again: how many are available does not count" until_true agrees

a2=0000:41:00.0
differs "another NUMA node" "/pci_0000_84_00_0/,/device>/s/<numa node='[0-9]*'/<numa node='7'/" \
    "libvirt's view differs of GPU 0000:84:00.0: NUMA node: libvirt 7, sysfs"
# shellcheck disable=SC2016
differs "fewer VFs" "/pci_${a2%%:*}_41_00_0</,/\/device>/{/<address .*slot='0x02'/d}" \
    "libvirt's view differs of GPU $a2: virtual functions: libvirt 12, sysfs 16"
differs "no type A2-8Q on one VF" "/pci_0000_41_01_0</,/\/device>/s/id='nvidia-747'/id='nvidia-1'/" \
    "type nvidia-747 (NVIDIA A2-8Q) of 0000:41:01.0: libvirt missing, sysfs there; type nvidia-1 "
killed
echo '<node/>' > "$root/host.xml"
check "the daemon starts where libvirt shows no GPU" up
check "doctor says so once" doctor warn "libvirt's view differs: GPUs: libvirt 0, sysfs 4"
check "and not of each GPU" rows 1

# --- node devices that are not answered -----------------------------------------------------------
knob nodedevs_hang 1
check "a list that hangs does not keep doctor" doctor warn "libvirt does not answer queries for node devices"
unknob nodedevs_hang
check "once it comes doctor compares again" until_true doctor warn "GPUs: libvirt 0, sysfs 4"

# --- added and removed devices --------------------------------------------------------------------
# told WHAT...: libvirt reports that a node device has changed; which one does not matter, all are read again
told()
{
    echo "nodedev pci_0000_84_00_0" > "$root/knobs/tell"
    until_true test ! -e "$root/knobs/tell"
}
listed() { says "\"address\":\"$1\"" cli gpu-list --json; }
happened() { grep -q "\"event\" *: *\"$1\".*\"gpu\" *: *\"$2\"" "$root/events"; }
# change WHAT EVENT ADDRESS COMMAND...: it is done and libvirt reports it; the daemon's event follows
change()
{
    what=$1 event=$2 address=$3
    shift 3
    : > "$root/events"
    check "$what" "$@"
    check "libvirt reports that" told
    check "the event $event of $address" until_true happened "$event" "$address"
}
unplug() { rm "$pci/$1" && rm -f "$root/sys/class/mdev_bus/$1"; }
vfs_go() { for vf in "$pci/$1"/virtfn*; do rm "$pci/$(basename "$(readlink "$vf")")" "$vf" || return; done; }
types_go() { mv "$pci/$1/mdev_supported_types" "$root/types" && mv "$root/sys/class/mdev_bus/$1" "$root/link"; }
types_come() { mv "$root/types" "$pci/$1/mdev_supported_types" && mv "$root/link" "$root/sys/class/mdev_bus/$1"; }
killed
host > "$root/host.xml"
knob tells 1
check "the daemon starts, and libvirt reports changes" up
cli events --json >> "$root/events" 2>&1 &
heard() { cli create 84:00.0 'GRID M10-1Q' --uuid $hand && cli destroy $hand && test -s "$root/events"; }
check "events are listened to" until_true heard
change "a GPU is plugged in" gpu-appeared 0000:c1:00.0 "$builddir/tests/make-tree" --add "$root" s7150
check "it is listed" until_true listed 0000:c1:00.0
change "its VFs go" gpu-changed 0000:c1:00.0 vfs_go 0000:c1:00.0
check "none is on" until_true says '"vfs_enabled":0' cli gpu-info c1:00.0 --json
change "it is unplugged" gpu-gone 0000:c1:00.0 unplug 0000:c1:00.0
check "it is not listed" until_true not listed 0000:c1:00.0
change "a driver takes its types away" gpu-changed 0000:85:00.0 types_go 0000:85:00.0
check "it makes no vGPUs" until_true says '"interface":"none"' cli gpu-info 85:00.0 --json
change "they come back" gpu-changed 0000:85:00.0 types_come 0000:85:00.0
check "it makes vGPUs" until_true says '"interface":"mdev"' cli gpu-info 85:00.0 --json

finish
