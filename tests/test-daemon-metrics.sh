#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The metrics of the real daemon on a made tree with the fake driver, under a bus of their own: its
# answer, and the file that it writes for node_exporter. Which events are counted, and how often.
# shellcheck disable=SC2119 # up has options that are not used here
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session
file=$root/var/lib/node-exporter/vgpu.prom

has() # LINE...: each is in the metrics
{
    cli metrics > "$root/metrics"
    for line; do
        grep -qxF -- "$line" "$root/metrics"
        verdict $? "$line"
    done
}

is_up() { cli list; } # a hook would be counted
in_file() { grep -qxF -- "$1" "$file"; }
has_compared() { cli metrics | grep '^virtvgpu_last_reconcile_timestamp_seconds [1-9]'; }

echo '<node>' > "$root/host.xml"
for n in 1 2; do
    annotated "$n" A2-4Q
    cat "$root/vm$n.xml" >> "$root/host.xml"
done
echo '</node>' >> "$root/host.xml"
annotated 3 A2-99Q
mkdir -p "$root/etc/virt-vgpu" "${file%/*}"
printf '[metrics]\ntextfile=/var/lib/node-exporter/vgpu.prom\ninterval=5\n' \
    > "$root/etc/virt-vgpu/virt-vgpu.conf"

up || { echo "Bail out! the daemon does not start"; exit 1; }
until_true in_file 'virtvgpu_up 1'
verdict $? "the file is there at once"
[ "$(stat -c %a "$file")" = 644 ]
verdict $? "and everybody may read it"
until_true has_compared
verdict $? "it has compared when it connected"

has 'virtvgpu_up 1' 'virtvgpu_hook_calls_total{op="prepare",result="ok"} 0' \
    'virtvgpu_records 0' 'virtvgpu_log_lines_dropped_total 0'
prepare 1
prepare 3 2> /dev/null
has 'virtvgpu_hook_calls_total{op="prepare",result="ok"} 1' \
    'virtvgpu_hook_calls_total{op="prepare",result="refused"} 1' \
    'virtvgpu_hook_duration_seconds_count{op="prepare"} 2' \
    'virtvgpu_hook_duration_seconds_bucket{op="prepare",le="+Inf"} 2' \
    'virtvgpu_backend_operation_duration_seconds_count{interface="mdev",op="create"} 1' \
    'virtvgpu_records 1'
grep -q '^virtvgpu_vgpu_info{.*domain="vm1"' "$root/metrics"
verdict $? "the vGPU is listed with its domain"
until_true in_file 'virtvgpu_records 1'
verdict $? "the file follows"

release 1
until_true nothing_left
has 'virtvgpu_hook_calls_total{op="release",result="ok"} 1' \
    'virtvgpu_backend_operation_duration_seconds_count{interface="mdev",op="remove"} 1' \
    'virtvgpu_records 0'

# --- a vGPU made by hand that a domain uses is one vGPU ----------------------------------------
hand=11111111-2222-4333-8444-555555555555
domain_xml 4 | sed "s|<devices/>|<metadata><vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'>\
<vgpu:device profile='A2-4Q' uuid='$hand'/></vgpu:devices></metadata>\
<devices><hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='$hand'/>\
</source></hostdev></devices>|" > "$root/vm4.xml"
json() { { cli "$@" | tr -d ' \n'; echo; } > "$root/metrics"; }
once() # WHOSE: in the list, the metrics, the inventory and its pool
{
    json list --json
    [ "$(grep -o '"uuid"' "$root/metrics" | wc -l)" -eq 1 ] &&
        grep -q "\[{\"domain\":$1,.*\"uuid\":\"$hand\"" "$root/metrics"
    verdict $? "one row in the list, of $1"
    has 'virtvgpu_vgpus{gpu="0000:41:00.0",profile="NVIDIA A2-4Q",state="active"} 1' \
        'virtvgpu_records 1' \
        'virtvgpu_pool_profile_allocated{pool="default",profile="NVIDIA A2-4Q"} 1' \
        'virtvgpu_pool_profile_available{pool="default",profile="NVIDIA A2-4Q"} 3'
    [ "$(grep -c '^virtvgpu_vgpu_info{' "$root/metrics")" -eq 1 ]
    verdict $? "one sample of it"
    json inventory
    [ "$(grep -o "\"index\":[^,]*,\"uuid\":\"$hand\"" "$root/metrics" | wc -l)" -eq 1 ]
    verdict $? "once in the inventory"
    json inventory --format placement
    grep -q '"CUSTOM_VGPU_NVIDIA_A2_4Q":{"total":4,"reserved":0,"min_unit":1,"max_unit":4,' \
        "$root/metrics"
    verdict $? "four in all for Placement"
}
cli create 41:00.0 A2-4Q --uuid "$hand" > "$root/metrics"
verdict $? "one is made by hand"
prepare 4
verdict $? "a domain starts with it"
once '"vm4"'
! cli destroy "$hand" > "$root/metrics" 2>&1 &&
    grep -q "belongs to domain 'vm4'" "$root/metrics"
verdict $? "it is not destroyed while the domain has it"
release 4
once null
cli destroy "$hand" > "$root/metrics" && nothing_left
verdict $? "it is destroyed after that"

down
[ "$(grep -v '^#' "$file")" = 'virtvgpu_up 0' ]
verdict $? "the file says that it has ended"
has 'virtvgpu_up 0' 2> /dev/null
! cli metrics > /dev/null 2>&1
verdict $? "and virt-vgpu metrics fails"

finish
