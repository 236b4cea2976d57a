#!/bin/sh
# virt-vgpu inventory and metrics as they are typed, against a fake daemon.
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
err "unknown format 'yaml': json, opennebula, prometheus or placement"
cli 2 inventory --format placement --json
err "--json is the format json"
cli 2 inventory here
err "unexpected argument 'here'"
cli 1 inventory
err "virtvgpud is not running"
[ ! -s "$tmp/out" ]
verdict $? "prints nothing of a host that it knows nothing of"
cli 1 metrics
err "virtvgpud is not running"
out "# TYPE virtvgpu_up gauge" "virtvgpu_up 0"

# --- with one ---------------------------------------------------------------------------------
start_manager
cli 0 inventory
silent
json "\"host\":\"$(uname -n)\"" '"gpus":[{"address":"0000:41:00.0"' '"profiles":[{"gpu":"0000' \
    '"vgpus":[{"domain":"web1"' '"state":"planned"' '"state":"foreign"' '"pools":'
tr -d ' \n' < "$tmp/out" > "$tmp/inventory"
cli 0 --json inventory
# what the other verbs print of the same is in it as it stands, key for key
for verb in "gpu-info 41:00.0" "list --all" "pool-list"; do
    # shellcheck disable=SC2086 # a verb and its argument
    cli 0 --json $verb
    tr -d ' \n' < "$tmp/out" | sed 's/^\[//; s/\]$//' > "$tmp/part"
    grep -qF -f "$tmp/part" "$tmp/inventory"
    verdict $? "the inventory has all of '$verb'"
done

cli 0 inventory --format opennebula
out 'PCI = [ TYPE = "10de:25b7:0302", VENDOR = "10de", VENDOR_NAME = "NVIDIA Corporation",' \
    ' ADDRESS = "0000:41:00:5", SHORT_ADDRESS = "41:00.5",' ' CLASS_NAME = "3D controller",' \
    ' UUID = "f86f1cd5-9929-5b66-bfad-a44c80ccb0c0", PROFILES = "nvidia-746",' \
    ' MDEV_MODE = "legacy" ]'
[ "$(grep -c '^PCI = \[.* \]$' "$tmp/out")" -eq 3 ]
verdict $? "a line for each virtual function"

cli 0 inventory --format prometheus
out 'virtvgpu_gpu_info{pci="0000:41:00.0",vendor="0x10de"' \
    'virtvgpu_vgpu_type_capacity{pci="0000:41:00.0",type="NVIDIA A2-4Q"} 4' \
    'virtvgpu_vgpu_type_available{pci="0000:61:00.0",type="NVIDIA L40S-8Q"} 2' \
    'virtvgpu_vgpus{pci="0000:41:00.0",type="NVIDIA A2-4Q",state="active"} 1'

cli 0 inventory --format placement
json "\"name\":\"$(uname -n)_pci_0000_41_00_0\",\"parent_provider\":\"$(uname -n)\"" \
    '"VGPU":{"total":4,"reserved":0,"min_unit":1,"max_unit":4,"step_size":1,"allocation_ratio":1' \
    '"CUSTOM_VGPU_NVIDIA_A2_4Q":{' '"traits":["CUSTOM_NVIDIA_746"]'

cli 0 metrics
silent
out "virtvgpu_up 1"

echo "1..$tests"
[ "$failures" -eq 0 ]
