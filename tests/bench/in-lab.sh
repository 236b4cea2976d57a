#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs in a guest of the lab, as root: times the creation and removal of one vGPU by several programs. Prints CSV as
# bench does. RUNS (20) is the number of runs; nodedev-create, which takes ten seconds, gets a tenth of that.
set -euo pipefail
runs=${RUNS:-20}
parent=0000:84:00.0
type=nvidia-39
uuid=99999999-0000-4000-8000-000000000000
domain=aaaaaaaa-0000-4000-8000-000000000001
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

cat > "$tmp/nodedev.xml" << XML
<device><parent>pci_0000_84_00_0</parent><capability type='mdev'><type id='$type'/><uuid>$uuid</uuid></capability></device>
XML
cat > "$tmp/plain.xml" << XML
<domain type='qemu'><name>vm1</name><uuid>$domain</uuid><memory>65536</memory>
<os><type arch='x86_64'>hvm</type></os><devices/></domain>
XML
virt-vgpu annotate --xml "$tmp/plain.xml" --profile "${type#nvidia-}" > "$tmp/domain.xml"

raw() {
    echo "$uuid" > "/sys/class/mdev_bus/$parent/mdev_supported_types/$type/create"
    echo 1 > "/sys/bus/mdev/devices/$uuid/remove"
}
with_mdevctl() {
    mdevctl start -u "$uuid" -p "$parent" -t "$type"
    mdevctl stop -u "$uuid"
}
with_nodedev() {
    local name
    name=$(virsh nodedev-create "$tmp/nodedev.xml" | sed -n 's/.*\(mdev_[0-9a-f_]*\).*/\1/p')
    virsh nodedev-destroy "$name"
}
with_cli() {
    virt-vgpu create "$parent" "${type#nvidia-}" --uuid "$uuid"
    virt-vgpu destroy "$uuid"
}
with_hook() {
    virt-vgpu-hook vm1 prepare begin - < "$tmp/domain.xml"
    virt-vgpu-hook vm1 release end - < "$tmp/domain.xml"
    while compgen -G '/sys/bus/mdev/devices/*' > /dev/null; do :; done
}

# time_one FUNCTION: one round, in us, to its list
time_one() {
    local begun=${EPOCHREALTIME/./} failed=0
    "$1" > /dev/null 2>> "$tmp/errors" || failed=1
    echo "$((${EPOCHREALTIME/./} - begun)) $failed" >> "$tmp/$1"
}
# print FUNCTION NAME
print() {
    sort -n "$tmp/$1" | awk -v name="$2" '{ us[NR - 1] = $1; failed += $2 }
        END { printf "lab,%s,%d,%d,%d,%d\n", name, NR, us[int(NR / 2)], us[int(NR * 99 / 100)], failed }'
}

for ((i = 0; i < runs; i++)); do
    for one in raw with_mdevctl with_cli with_hook; do time_one "$one"; done
    ((i % 10)) || time_one with_nodedev
done
print raw "sysfs writes"
print with_hook "virt-vgpu-hook prepare + release"
print with_cli "virt-vgpu create + destroy"
print with_mdevctl "mdevctl start + stop"
print with_nodedev "virsh nodedev-create + destroy"
cat "$tmp/errors" >&2
