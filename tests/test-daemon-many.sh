#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Hundreds of domains start and stop at once on 16 GPUs: each hook is answered, prints nothing, and succeeds.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin none 16 1
# 16 x 19: there is room for all, and for few more
for type in "$root"/sys/class/mdev_bus/*/mdev_supported_types/nvidia-36; do
    sed -i 's/max_instance=[0-9]*/max_instance=19/' "$type/description"
    echo 19 > "$type/available_instances"
done
{ echo '<node>'; domain_xml 0; echo '</node>'; } > "$root/host.xml"
annotated 1 M10-0Q
sed "s/<os><type>/<os><type machine='pc'>/; /<hostdev/,/<\/hostdev>/d" "$root/vm1.xml" > "$root/first.xml"
for n in $(seq 300); do
    sed "s/$(domain_uuid 1)/$(domain_uuid "$n")/; s/>vm1</>vm$n</" "$root/first.xml" > "$root/vm$n.xml"
done

# all_at_once prepare|release FIRST LAST
all_at_once()
{
    pids=''
    : > "$root/many"
    for n in $(seq "$2" "$3"); do
        { "$1" "$n" || echo "vm$n: it fails"; } >> "$root/many" 2>&1 &
        pids="$pids $!"
    done
    # shellcheck disable=SC2086
    wait $pids
    head -n 3 "$root/many"
    [ ! -s "$root/many" ]
}
are_gone() { until_true nothing_left || until_true nothing_left || until_true nothing_left; }
# all_knobs knob|unknob NAME: one of each GPU
all_knobs()
{
    for gpu in "$root"/sys/class/mdev_bus/*; do
        "$1" "$2-${gpu##*/}" ''
    done
}

# this does not limit the waiting time, but checks that they do not wait for a driver
export VIRT_VGPU_DEADLINE_MS=30000
start_daemon
check "the daemon starts" until_true prepare 0
# libvirt knows none of them, so its list has to be read before they start: vGPUs left by a previous daemon are removed
# then
prepare 1
killed
start_daemon
check "libvirt's domains are known" until_true nothing_left
check "300 at once are started" all_at_once prepare 1 300
check "all have their vGPU" has_devices 300
all_knobs knob hang_remove
all_knobs knob hang_read
check "50 at once are stopped while no driver answers" all_at_once release 1 50
check "which are on record still" has_records 300
all_knobs unknob hang_remove
all_knobs unknob hang_read
check "250 at once are stopped" all_at_once release 51 300
check "nothing is left" are_gone

finish
