#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A typical hand-written /etc/libvirt/hooks/qemu: find the annotation, take the first parent with room. For comparison
# in benchmarks, not for use: no record, no rollback, no lock against a concurrent start.
root=${VIRT_VGPU_ROOT:-}
[[ $2 == prepare ]] || exit 0
xml=$(cat)
[[ $xml =~ \<vgpu:device\ profile=[\"\']([^\"\']+) ]] || exit 0
profile=${BASH_REMATCH[1]}
[[ $xml =~ \<address\ uuid=[\"\']([0-9a-f-]+) ]] || exit 1
uuid=${BASH_REMATCH[1]}
for type in "$root"/sys/class/mdev_bus/*/mdev_supported_types/*; do
    read -r name < "$type/name"
    [[ $name == "$profile" || $name == *" $profile" ]] || continue
    read -r available < "$type/available_instances"
    ((available > 0)) || continue
    echo "$uuid" > "$type/create" && exit 0
done
echo "no room for $profile" >&2
exit 1
