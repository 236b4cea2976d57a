#!/bin/sh
# The verbs of virt-vgpu that set the host up, figures of vGPUs, and what doctor and annotate say of host and
# virtual functions, against a fake daemon. Needs no GPU, no libvirtd and no system bus.
# shellcheck disable=SC2154 # tests and failures are counted in functions.sh
set -u
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${top_srcdir:-.}" && pwd)

if [ "${1:-}" != --on-bus ]; then
    command -v dbus-run-session > /dev/null || { echo "dbus-run-session is missing"; exit 77; }
    exec dbus-run-session -- sh "$srcdir/tests/test-cli-host.sh" --on-bus
fi

tmp=$(mktemp -d)
manager=''
cleanup()
{
    [ -z "$manager" ] || kill "$manager" 2> /dev/null
    rm -rf "$tmp"
}
trap cleanup EXIT
export LC_ALL=C.UTF-8 VIRT_VGPU_BUS=session LIBVIRT_DEFAULT_URI=test:///default
unset VIRT_VGPU_ROOT
# shellcheck source=tests/cli-functions.sh
. "$srcdir/tests/cli-functions.sh"

# --- usage ------------------------------------------------------------------------------------
cli 2 gpu-enable
err "an argument is missing: GPU"
cli 2 gpu-enable 41:00
err "'41:00' is not a PCI address"
for vfs in 0 -1 many 65536 8x ''; do
    cli 2 gpu-enable 41:00.0 --vfs "$vfs"
    err "--vfs $vfs: a number from 1, or max"
done
cli 2 gpu-disable 41:00.0 --vfs 3
err "Unknown option --vfs"
cli 2 mig-list
err "an argument is missing: GPU"
cli 2 mig-apply 41:00.0
err "an argument is missing: GPU SPEC"
for spec in '' all g1.12gb:4; do
    cli 2 mig-apply 41:00.0 "$spec"
    err "'$spec' is not a MIG layout like 1g.12gb:4,2g.24gb:1"
done
cli 2 mig-clear 41:00.0 all
err "unexpected argument 'all'"
cli 2 scheduler 41:00.0 fair
err "'fair' is not best-effort, equal-share or fixed-share"
cli 2 scheduler 41:00.0 --timeslice 2000
err "these options go with a POLICY"
cli 2 scheduler 41:00.0 equal-share --timeslice 2ms
err "timeslice_us: '2ms' is not a number"
cli 2 host-apply
err "an argument is missing: FILE"
cli 2 host-export here
err "unexpected argument 'here'"

# --- no daemon --------------------------------------------------------------------------------
echo "<vgpuhost/>" > "$tmp/host.xml"
for verb in "gpu-enable 41:00.0" "gpu-disable 41:00.0" "mig-list 41:00.0" "mig-clear 41:00.0" \
    "mig-apply 41:00.0 19:1" "scheduler 41:00.0" "host-apply $tmp/host.xml" \
    "host-diff $tmp/host.xml" host-export "list --stats"; do
    # shellcheck disable=SC2086
    cli 1 $verb
    err "virtvgpud is not running"
done

# --- virtual functions ------------------------------------------------------------------------
start_manager
cli 0 gpu-enable pci_0000_41_00_0
silent
out "GPU 0000:41:00.0: 16 of 16 virtual functions are enabled"
cli 0 gpu-enable 41:00.0 --vfs max --persistent --json
json '{"address":"0000:41:00.0","vfs_total":16,"vfs_enabled":8}'
cli 0 gpu-enable 41:00.0 --vfs 4
out "4 of 16 virtual functions"
cli 0 gpu-enable 41:00.0 --vfs 7 --json
grep -q "The virtual functions of GPU 0000:41:00.0 are being changed …" "$tmp/err"
verdict $? "says what it does when that takes a while"
json '"vfs_enabled":7'
cli 1 gpu-enable 41:00.0 --vfs 13
err "virt-vgpu: GPU 0000:41:00.0 is in use: domain 'web1'"
cli 1 gpu-enable 42:00.0
err "virt-vgpu: no such GPU"
cli 0 gpu-disable 41:00.0 --persistent
out "0 of 16 virtual functions"

# --- MIG --------------------------------------------------------------------------------------
cli 0 mig-list 41:00.0
out "GI  Profile  ID  Start  Size  In use" "3   1g.12gb  19  0      1     yes"
narrow
cli 0 mig-list 41:00.0 --json
json '[{"gi":3,"profile":"1g.12gb","profile_id":19,"start":0,"size":1,"uuid":null,"in_use":true}]'
cli 0 mig-list 41:00.0 --profiles
out "1g.12gb  19  6     7"
cli 0 mig-list 41:00.0 --profiles --json
json '[{"profile":"1g.12gb","id":19,"free":6,"total":7}]'
cli 0 mig-apply 41:00.0 1g.12gb:4,2g.24gb:1
out "GPU 0000:41:00.0: MIG layout changed" "  created 1g.12gb as 4"
cli 0 mig-apply 41:00.0 19:1
out "nothing to change"
cli 0 mig-apply 41:00.0 19:2 --json
json '{"gpu":"0000:41:00.0","changes":["created1g.12gbas4"]}'
cli 1 mig-apply 41:00.0 99
err "reset required"
cli 0 mig-clear 41:00.0
out "destroyed 3"
cli 0 gpu-info 41:00.0
out "MIG mode:" "MIG profile" "NVIDIA RTX Virtual Workstation"
narrow
cli 0 profile-list --wide
out "NVIDIA RTX Virtual Workstation" "virtual workstation" "vendor-vfio"

# --- scheduler --------------------------------------------------------------------------------
line='options nvidia NVreg_RegistryDwordsPerDevice="pci=0000:41:00.0;RmPVMRL=0x01"'
cli 0 scheduler 41:00.0
out "Policy:" "best-effort, equal-share" "$line" "It takes a reload of the driver."
cli 0 scheduler 41:00.0 --json
json '{"policy":"best-effort","strict":"default","timeslice_us":2000,"averaging_factor":null' \
    '"frequency":null,"supported":["best-effort","equal-share"],"modprobe":"' \
    '"note":"Ittakesareloadofthedriver."}'
cli 0 scheduler 41:00.0 fixed-share --timeslice 4000 --strict yes --averaging 33 --frequency 480 \
    --gpu-instance 3
out "policy=fixed-share;" "timeslice_us=4000;" "strict=yes;" "averaging_factor=33;" "frequency=480;" \
    "gi=3;"
cli 0 scheduler 41:00.0 equal-share --next-load --json
out "policy=equal-share;" "set=no;"
cli 0 scheduler 41:00.0 equal-share --next-load
out "For a file in /etc/modprobe.d:" "$line"
cli 0 scheduler 41:00.0 equal-share --modprobe-file "$tmp/modprobe"
out "Written to $tmp/modprobe:"
echo "$line" | cmp -s - "$tmp/modprobe"
verdict $? "the line is all of a new file"
printf 'options nvidia NVreg_X=1 NVreg_RegistryDwordsPerDevice="pci=0000:42:00.0;RmPVMRL=0x11"' \
    > "$tmp/modprobe"
cli 0 scheduler 41:00.0 --modprobe-file "$tmp/modprobe"
[ "$(cat "$tmp/modprobe")" = "options nvidia NVreg_X=1 NVreg_RegistryDwordsPerDevice=$(
    )\"pci=0000:42:00.0;RmPVMRL=0x11;pci=0000:41:00.0;RmPVMRL=0x01\"" ]
verdict $? "another GPU's setting stays"
cli 1 scheduler 41:00.0 --modprobe-file "$tmp/no/such/file"
err "$tmp/no/such/file"

# --- host layout ------------------------------------------------------------------------------
cli 0 host-apply "$tmp/host.xml"
out "0000:41:00.0  sriov  unchanged  16 of 16"
stdin=$tmp/host.xml cli 0 host-apply -
echo "<vgpuhost><!-- wrong --></vgpuhost>" > "$tmp/wrong.xml"
cli 1 host-apply "$tmp/wrong.xml"
out "0000:41:00.0  sriov  failed"
silent
narrow
cli 1 host-apply "$tmp/wrong.xml" --json
json '[{"gpu":"0000:41:00.0","step":"sriov","result":"failed","text":"'
cli 0 host-diff "$tmp/host.xml"
cli 0 host-diff "$tmp/host.xml" --json
json '[]'
cli 1 host-diff "$tmp/wrong.xml"
out "0000:41:00.0  vfs   16      0"
silent
cli 1 host-diff "$tmp/wrong.xml" --json
json '[{"gpu":"0000:41:00.0","what":"vfs","wanted":"16","actual":"0"}]'
cli 1 host-apply "$tmp/missing.xml"
err "$tmp/missing.xml: No such file or directory"
echo "<vgpuhost>" > "$tmp/open.xml"
for verb in host-apply host-diff; do
    cli 1 $verb "$tmp/open.xml"
    err "$tmp/open.xml: line "
done
cli 0 host-export
out "<vgpuhost/>"
cli 0 host-export --json
json '{"xml":"<vgpuhost/>"}'

# --- figures ----------------------------------------------------------------------------------
cli 0 list --stats
out "web1    NVIDIA A2-4Q  active  1234      56     licensed"
narrow
cli 0 list --stats --all
out "foreign   -"
narrow
cli 0 list --stats --all --json
json '"state":"active","fb_mib":null,"fb_used_mib":1234,"gpu_util":56,"mem_util":null' \
    '"enc_util":null,"dec_util":null,"license_state":"licensed","driver_version":null}' \
    '"state":"foreign","fb_mib":null,"fb_used_mib":null,"gpu_util":null'
cli 0 list --json
! grep -q fb_used_mib "$tmp/out"
verdict $? "no figures unless they are asked for"

# --- annotate ---------------------------------------------------------------------------------
echo "<domain type='test'><name>web1</name><memory>65536</memory><os><type>hvm</type></os>
<devices/></domain>" > "$tmp/web1.xml"
cli 0 annotate --xml "$tmp/web1.xml" --profile A2-4Q --frame-rate-limit off --console-vnc off \
    --unified-memory on --debugging on --profiling on --param loglevel=2 --param a=b
silent
out 'frameRateLimit="off"' 'consoleVNC="off"' 'unifiedMemory="on"' 'debugging="on"' \
    'profiling="on"' 'name="loglevel" value="2"' 'name="a" value="b"' ua-vgpu-0
cli 1 annotate --xml "$tmp/web1.xml" --profile A2-4Q --debugging perhaps
err "debugging"
cli 2 annotate --xml "$tmp/web1.xml" --param loglevel=2
err "--profile or --pool is missing"
for profile in L40S-8Q 'NVIDIA L40S-8Q' nvidia-1155 1155; do
    cli 0 annotate --xml "$tmp/web1.xml" --profile "$profile" --output "$tmp/vf.xml"
    err "its vGPU is a virtual function, which virtvgpud chooses when the domain is defined"
    grep -q "vgpu:device" "$tmp/vf.xml" && grep -q "<uuid>" "$tmp/vf.xml" &&
        ! grep -q ua-vgpu "$tmp/vf.xml"
    verdict $? "$profile is annotated, without a device"
done
cli 0 annotate --xml "$tmp/vf.xml"
err "virtual function"
cli 0 annotate --xml "$tmp/web1.xml" --profile A2-4Q --profile L40S-8Q
silent
out ua-vgpu-0
cli 0 annotate --xml "$tmp/web1.xml" --profile A2-4Q --profile L40S-8Q --gpu 61:00.0
err "virtual function"
cli 0 annotate --xml "$tmp/web1.xml" --profile L40S-9Q
err "did you mean 'NVIDIA L40S-8Q'?"
out ua-vgpu-0

# --- doctor -----------------------------------------------------------------------------------
root=$tmp/root
mkdir -p "$root/run/virt-vgpu" "$root/etc/virt-vgpu" "$root/proc/1" "$root/proc/22"
row() # CHECK STATUS [TEXT]: what doctor says of CHECK
{
    "$builddir/virt-vgpu" doctor --json --root "$root" > "$tmp/out" 2> "$tmp/err"
    tr -d '\n' < "$tmp/out" | sed 's/}/}\n/g' | grep -F "\"check\" : \"$1\"" > "$tmp/row"
    grep -F "\"status\" : \"$2\"" "$tmp/row" | grep -qF -- "${3:-}"
    verdict $? "doctor: $1 is $2 ${3:-}"
}
row daemon ok
! grep -qE "host layout|nvidia-vgpu-mgr" "$tmp/out"
verdict $? "doctor says nothing of what this host does not have"
cp "$tmp/host.xml" "$root/etc/virt-vgpu/host.xml"
row "host layout" warn "systemctl enable --now virt-vgpu-host"
echo "[{'gpu': <'0000:41:00.0'>, 'step': <'sriov'>, 'result': <'done'>, 'text': <'on'>}]" \
    > "$root/run/virt-vgpu/host-status"
row "host layout" ok
echo "[{'gpu': <'0000:41:00.0'>, 'step': <'sriov'>, 'result': <'done'>, 'text': <'on'>}," \
    "{'gpu': <'0000:e1:00.0'>, 'step': <'mig'>, 'result': <'failed'>, 'text': <'no room'>}]" \
    > "$root/run/virt-vgpu/host-status"
row "host layout" fail "GPU 0000:e1:00.0, mig: no room"
row "host layout" fail "virt-vgpu host-apply"
echo "[{'gpu': <''>, 'step': <'layout'>, 'result': <'failed'>, 'text': <'host.xml: line 7'>}]" \
    > "$root/run/virt-vgpu/host-status"
row "host layout" fail '"host.xml: line 7"'
echo "rubbish" > "$root/run/virt-vgpu/host-status"
row "host layout" warn "cannot be understood"
mkdir -p "$root/sys/module/nvidia_vgpu_vfio"
echo systemd > "$root/proc/1/comm"
row nvidia-vgpu-mgr fail "systemctl start nvidia-vgpu-mgr"
echo nvidia-vgpu-mgr > "$root/proc/22/comm"
row nvidia-vgpu-mgr ok

echo "1..$tests"
[ "$failures" -eq 0 ]
