#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line of virt-vgpu inventory and metrics, against a fake daemon.
# shellcheck disable=SC2154 # tests and failures are counted in cli-functions.sh
set -u
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${top_srcdir:-.}" && pwd)

if [ "${1:-}" != --on-bus ]; then
    command -v dbus-run-session > /dev/null || { echo "dbus-run-session is missing"; exit 77; }
    exec dbus-run-session -- sh "$srcdir/tests/test-cli-inventory.sh" --on-bus
fi

tmp=$(mktemp -d)
manager=''
cleanup()
{
    [ -z "$manager" ] || kill "$manager" 2> /dev/null
    rm -rf "$tmp"
}
trap cleanup EXIT
export LC_ALL=C.UTF-8 VIRT_VGPU_BUS=session VIRT_VGPU_ROOT="$tmp/root"
# shellcheck source=tests/cli-functions.sh
. "$srcdir/tests/cli-functions.sh"
pci=$tmp/root/sys/bus/pci/devices/0000:41:00.5
mkdir -p "$pci"
echo 0x10de > "$pci/vendor"
echo 0x25b7 > "$pci/device"
echo 0x030200 > "$pci/class"

# --- without a daemon -------------------------------------------------------------------------
cli 2 inventory --format yaml
err "unknown format 'yaml': json, opennebula, prometheus, placement, cloudstack, pacemaker or kubernetes"
cli 2 inventory --format placement --json
err "--json cannot be combined with --format"
cli 2 inventory here
err "unexpected argument 'here'"
cli 6 inventory
err "virtvgpud is not running"
[ ! -s "$tmp/out" ]
verdict $? "prints nothing of a host that it knows nothing of"
cli 6 metrics
err "virtvgpud is not running"
out "# TYPE virtvgpu_up gauge" "virtvgpu_up 0"
cli 6 metrics --json
json '{"error":"unreachable","code":6,"detail":"virtvgpudisnotrunning'

# --- with one ---------------------------------------------------------------------------------
start_manager
cli 0 inventory
silent
json "\"host\":\"$(uname -n)\"" '"gpus":[{"address":"0000:41:00.0"' '"profiles":[{"gpu":"0000' \
    '"vgpus":[{"domain":"web1"' '"state":"planned"' '"state":"foreign"' '"pools":'
tr -d ' \n' < "$tmp/out" > "$tmp/inventory"
cli 0 --json inventory
# it contains the output of the other verbs unchanged, key for key
for verb in "gpu-info 41:00.0" "list --all" "pool-list"; do
    # shellcheck disable=SC2086 # a verb and its argument
    cli 0 --json $verb
    tr -d ' \n' < "$tmp/out" | sed 's/^\[//; s/\]$//' > "$tmp/part"
    grep -qF -f "$tmp/part" "$tmp/inventory"
    verdict $? "the inventory has all of '$verb'"
done

# names are those of the host's hardware database, if it has one: see test-pci-names.c
cli 0 inventory --format opennebula
out 'PCI = [ TYPE = "10de:25b7:0302", VENDOR = "10de", VENDOR_NAME = "' \
    ' ADDRESS = "0000:41:00:5", SHORT_ADDRESS = "41:00.5",' ' CLASS = "0302", CLASS_NAME = "' \
    ' UUID = "f86f1cd5-9929-5b66-bfad-a44c80ccb0c0", PROFILES = "nvidia-746",' \
    ' MDEV_MODE = "legacy" ]'
[ "$(grep -c '^PCI = \[.* \]$' "$tmp/out")" -eq 3 ]
verdict $? "a line for each virtual function"

cli 0 inventory --format prometheus
out 'virtvgpu_gpu_info{gpu="0000:41:00.0",vendor="0x10de"' \
    'virtvgpu_profile_capacity{gpu="0000:41:00.0",profile="NVIDIA A2-4Q"} 4' \
    'virtvgpu_profile_available{gpu="0000:61:00.0",profile="NVIDIA L40S-8Q"} 2' \
    'virtvgpu_vgpus{gpu="0000:41:00.0",profile="NVIDIA A2-4Q",state="active"} 1'

cli 0 inventory --format placement
json "\"name\":\"$(uname -n)_pci_0000_41_00_0\",\"parent_provider\":\"$(uname -n)\"" \
    '"VGPU":{"total":4,"reserved":0,"min_unit":1,"max_unit":4,"step_size":1,"allocation_ratio":1' \
    '"CUSTOM_VGPU_NVIDIA_A2_4Q":{' '"traits":["CUSTOM_NVIDIA_746"]'

# a domain that is not annotated has a GPU by hand, and one has an annotation that cannot be read
cat > "$tmp/node.xml" << 'END'
<node><domain type='test'><name>hand</name><memory>65536</memory><os><type>hvm</type></os><devices>
<hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0' bus='0x41' slot='0' function='0'/></source></hostdev>
</devices></domain><domain type='test'><name>bad</name><memory>65536</memory><os><type>hvm</type></os>
<metadata><vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1' color='red'/></metadata><devices>
<hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0' bus='0x61' slot='0' function='5'/></source></hostdev>
</devices></domain></node>
END
pci=$tmp/root/sys/bus/pci/devices
mkdir -p "$tmp/root/sys/devices/pci0000:40/0000:40:01.0/0000:41:00.0" "$tmp/root/sys/kernel/iommu_groups/17"
ln -s ../../../devices/pci0000:40/0000:40:01.0/0000:41:00.0 "$pci/0000:41:00.0"
ln -s ../../../devices/pci0000:40/0000:40:01.0 "$pci/0000:40:01.0"
ln -s ../../../../kernel/iommu_groups/17 "$tmp/root/sys/devices/pci0000:40/0000:40:01.0/0000:41:00.0/iommu_group"
cli 0 -c "test://$tmp/node.xml" inventory --format cloudstack
err "cannot read the devices of domain 'bad'"
json '"pci_address":"41:00.0"' '"iommu_group":"17","pci_root":"0000:40:01.0","numa_node":' \
    '"mdev_uuid":"11111111-2222-5333-8444-555555555555","profile_name":"NVIDIAA2-4Q","max_instances":4,"video_ram":4096,' \
    '"used_by_vm":"web1"' '"slot":"0x00","function":"0x0"},"used_by_vm":"hand"}'
cli 6 -c "test://$tmp/none.xml" inventory --format cloudstack
err "cannot connect to libvirt at test://$tmp/none.xml"

cli 0 inventory --format pacemaker
out "vgpu_NVIDIA_A2-4Q=5"
cli 0 inventory --format kubernetes
json '{"op":"add","path":"/status/capacity/virt-vgpu.org~1NVIDIA_A2-4Q","value":"5"}'

cli 0 metrics
silent
out "virtvgpu_up 1"
cli 0 metrics --json
json '[{"name":"virtvgpu_up","labels":{},"value":1}]'
silent
# every verb takes --json, and prints nothing else then
printf '<domain><name>x</name></domain>' > "$tmp/x.xml"
printf '<vgpuhost/>' > "$tmp/host.xml"
printf "<vgpupool><name>p</name><source><gpu address='0000:41:00.0'/></source></vgpupool>" > "$tmp/pool.xml"
for typed in gpu-list "gpu-info 41:00.0" profile-list "gpu-enable 41:00.0" "gpu-disable 41:00.0" "gpu-cordon 41:00.0" "gpu-uncordon 41:00.0" "mig-list 41:00.0" \
    "mig-list 41:00.0 --profiles" "mig-apply 41:00.0 19:1" "mig-clear 41:00.0" "scheduler 41:00.0" \
    "host-apply $tmp/host.xml" "host-diff $tmp/host.xml" host-export "list --all --stats" "create 41:00.0 A2-4Q" \
    "destroy 11111111-2222-5333-8444-555555555555" "validate $tmp/x.xml" \
    "explain --xml $tmp/x.xml" pool-list "pool-define $tmp/pool.xml" "pool-info p" "pool-dumpxml p" reconcile inventory metrics version \
    "driver-iso --local --output $tmp/x.iso $tmp/x.xml"; do
    # shellcheck disable=SC2086
    cli 0 $typed --json
    case $(tr -d ' \n' < "$tmp/out") in
    '['*']' | '{'*'}') true ;;
    *) false ;;
    esac
    verdict $? "$typed --json is JSON"
done

echo "1..$tests"
[ "$failures" -eq 0 ]
