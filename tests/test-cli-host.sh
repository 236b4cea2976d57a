#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The verbs of virt-vgpu for host set-up, figures of vGPUs, and the output of doctor and annotate about host and
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
err "these options need a POLICY"
cli 2 scheduler 41:00.0 equal-share --timeslice 2ms
err "timeslice_us: '2ms' is not a number"
cli 2 host-apply
err "an argument is missing: FILE"
cli 2 host-export here
err "unexpected argument 'here'"

# --- no daemon --------------------------------------------------------------------------------
echo "<vgpuhost/>" > "$tmp/host.xml"
for verb in "gpu-enable 41:00.0" "gpu-disable 41:00.0" "gpu-cordon 41:00.0" "gpu-uncordon 41:00.0" "mig-list 41:00.0" "mig-clear 41:00.0" \
    "mig-apply 41:00.0 19:1" "scheduler 41:00.0" "host-apply $tmp/host.xml" \
    "host-diff $tmp/host.xml" host-export "list --stats"; do
    # shellcheck disable=SC2086
    cli 6 $verb
    err "virtvgpud is not running"
done

echo "<vgpuhost/>" > "$tmp/kept.xml"
cli 6 host-export --output "$tmp/kept.xml"
grep -qx "<vgpuhost/>" "$tmp/kept.xml"
verdict $? "a file that was there is left as it was"

# --- virtual functions ------------------------------------------------------------------------
export FAKE_MANAGER_HANG="$tmp/hang"
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
verdict $? "reports slow operations"
json '"vfs_enabled":7'
cli 2 gpu-enable 41:00.0 --vfs 33
err "virtual functions at most"
cli 5 gpu-enable 41:00.0 --vfs 13
err "virt-vgpu: GPU 0000:41:00.0 is in use: domain 'web1'"
cli 3 gpu-enable 42:00.0
err "virt-vgpu: no such GPU"
cli 0 gpu-disable 41:00.0 --persistent
out "0 of 16 virtual functions"

# --- Ctrl-C -----------------------------------------------------------------------------------
# sent SIGNAL WHEN ARGUMENT...: virt-vgpu ARGUMENT... is sent SIGNAL once WHEN succeeds; its exit status is in $got
sent()
{
    signal=$1
    when=$2
    shift 2
    # a shell has its background ignore SIGINT
    env --default-signal=INT ASAN_OPTIONS=verify_asan_link_order=0 ${preload:+LD_PRELOAD="$preload"} \
        "$builddir/virt-vgpu" "$@" > "$tmp/out" 2> "$tmp/err" < /dev/null &
    waiting=$!
    until_true "$when"
    verdict $? "$1 is under way"
    kill "-$signal" $waiting
    wait $waiting
    got=$?
}
hangs() { grep -qx hangs "$FAKE_MANAGER_HANG"; }
# interrupted SIGNAL METHOD ARGUMENT...: the same once the daemon has got METHOD
interrupted()
{
    how=$1
    printf %s "$2" > "$FAKE_MANAGER_HANG"
    shift 2
    sent "$how" hangs "$@"
    rm -f "$FAKE_MANAGER_HANG"
}
# goes_on METHOD TEXT ARGUMENT...: on Ctrl-C it says that the operation continues, and how to look
goes_on()
{
    method=$1
    text=$2
    shift 2
    interrupted INT "$method" "$@"
    [ "$got" -eq 130 ]
    verdict $? "$1: exit status 130, got $got"
    [ "$(grep -v ' …$' "$tmp/err")" = "virt-vgpu: $text" ]
    verdict $? "$1: says $text"
}
goes_on EnableGpu "The virtual functions of GPU 0000:41:00.0 are being changed: virtvgpud continues with it; see \
'virt-vgpu gpu-info 0000:41:00.0'" gpu-enable 41:00.0
goes_on DisableGpu "The virtual functions of GPU 0000:41:00.0 are being changed: virtvgpud continues with it; see \
'virt-vgpu gpu-info 0000:41:00.0'" gpu-disable 41:00.0
goes_on ApplyMig "GPU 0000:41:00.0 is being divided: virtvgpud continues with it; see 'virt-vgpu mig-list 0000:41:00.0'" \
    mig-apply 41:00.0 1g.12gb:4
goes_on ClearMig "GPU 0000:41:00.0 is being divided: virtvgpud continues with it; see 'virt-vgpu mig-list 0000:41:00.0'" \
    mig-clear 41:00.0
goes_on SetScheduler "The scheduler is being set: virtvgpud continues with it; see 'virt-vgpu scheduler 0000:41:00.0'" \
    scheduler 41:00.0 equal-share
goes_on ApplyHost "The host is being set up: virtvgpud continues with it; see 'virt-vgpu host-diff FILE'" \
    host-apply "$tmp/host.xml"
goes_on CreateVgpu "The vGPU is being made: virtvgpud continues with it; see 'virt-vgpu list --all'" \
    create 41:00.0 'NVIDIA A2-4Q'
goes_on RefreshPool "Pool design: waiting for virtvgpud: virtvgpud continues with it; see 'virt-vgpu pool-list'" \
    pool-refresh design
goes_on Attach "Domain 'test' is getting its vGPU: virtvgpud continues with it; see 'virt-vgpu list --all'" \
    attach test --profile A2-4Q -c test:///default
goes_on Inject "The definition of domain 'test' is being changed: virtvgpud continues with it; see 'virt-vgpu list --all'" \
    start test -c test:///default
goes_on Inject "the annotation has been changed, virtvgpud is still updating the definition; see 'virt-vgpu list --all'" \
    annotate test --profile A2-4Q -c test:///default
# libvirt is starting the domain
export SLOW_START="$tmp/starting"
starting() { [ -e "$SLOW_START" ]; }
preload=$builddir/tests/slow-start.so
sent INT starting start test -c test:///default
preload=''
[ "$got" -eq 130 ]
verdict $? "start: exit status 130, got $got"
grep -v ' …$' "$tmp/err" | grep -qxE "virt-vgpu: Domain 'test' is still being started by libvirt; see \
'virt-vgpu list', cancel it with 'virsh destroy [0-9a-f-]*'"
verdict $? "start: says that libvirt continues"
# nothing continues, and nothing is left
interrupted INT BuildDriverIso driver-iso --output "$tmp/driver.iso" "$tmp/host.xml"
[ "$got:$(find "$tmp" -name 'driver.iso*')" = 130: ]
verdict $? "driver-iso leaves no unfinished image"
# queries print nothing, and SIGTERM ends them, too
interrupted INT ListMig mig-list 41:00.0
[ "$got:$(cat "$tmp/err")" = 130: ]
verdict $? "a query ends without a word"
interrupted TERM ApplyMig mig-apply 41:00.0 1g.12gb:4
[ "$got" -eq 143 ] && grep -q "continues with it" "$tmp/err"
verdict $? "SIGTERM ends it, too, with the same words"

# --- cordoned ---------------------------------------------------------------------------------
cli 2 gpu-cordon
cli 2 gpu-cordon 41:00
cli 0 gpu-cordon 41:00.0 --reason 'bad fan'
out "GPU 0000:41:00.0 is cordoned: no new vGPUs are placed on it; 1 vGPU on it stays"
silent
cli 0 gpu-cordon pci_0000_41_00_0 --json
json '{"address":"0000:41:00.0","cordoned":{"since":"2026-01-02T03:04:05Z","reason":null,"by":"root"},"vgpus":1}'
cli 3 gpu-cordon 42:00.0
err "virt-vgpu: no such GPU"
cli 0 gpu-uncordon 41:00.0
out "GPU 0000:41:00.0 is not cordoned"
cli 0 gpu-uncordon 41:00.0 --json
json '{"address":"0000:41:00.0","cordoned":null,"vgpus":null}'
cli 0 gpu-info e1:00.0
out "GPU 0000:e1:00.0 is cordoned since 2026-01-02T03:04:05Z by root"
cli 0 gpu-list --json
json '"cordoned":{"since":"2026-01-02T03:04:05Z","reason":null,"by":"root"}'
json '"vgpus":1,"cordoned":null'

# --- MIG --------------------------------------------------------------------------------------
for typed in "mig-list e1:00.0" "mig-list e1:00.0 --profiles"; do
    # shellcheck disable=SC2086
    cli 0 $typed
    out "GPU 0000:e1:00.0: MIG mode is off" "; 'virt-vgpu mig-apply' turns it on"
    # shellcheck disable=SC2086
    cli 0 $typed --json
    json '[]'
done
cli 0 mig-list e3:00.0 --profiles
out "GPU 0000:e3:00.0: no MIG profiles"
cli 0 mig-list e1:00.0 --profiles
out "MIG mode is off, and its driver lists profiles only while it is on; "
cli 0 mig-list 41:00.0
out "GI  Profile     ID  Start  Size  In use" "1   1g.12gb+me  20  0      1     yes" \
    "3   1g.12gb     19  1      1     no"
narrow
cli 0 mig-list 41:00.0 --noheadings -o gi,in_use
printf '1  yes\n3  no\n' | cmp -s - "$tmp/out"
verdict $? "mig-list -o: these columns alone"
cli 0 mig-list 41:00.0 --profiles -o profile,sms
cli 2 mig-list 41:00.0 -o sms
err "there is no column 'sms'"
cli 0 mig-list e3:00.0 --profiles --noheadings
[ ! -s "$tmp/out" ]
verdict $? "no rows, no words"
cli 0 mig-list 41:00.0 --wide
out "MIG-11111111-2222-5333-8444-555555555555"
cli 0 mig-list 41:00.0 --json
json '[{"mode":"on","gi":1,"profile":"1g.12gb+me","profile_id":20,"start":0,"size":1,' \
    '"uuid":"MIG-11111111-2222-5333-8444-555555555555","compute_instances":[{"ci":0,"profile":"1g.12gb+me",' \
    '"uuid":"MIG-11111111-2222-5333-8444-555555555555"}],"in_use":true},{"mode":null,"gi":3,' \
    '"uuid":null,"compute_instances":null,"in_use":false}]'
cli 0 mig-list 41:00.0 --profiles
out "Profile  ID  Free  Total  GiB     SMs  P2P  Dec  Enc  CE" "1g.12gb  19  6     7      10.625  16   no   1    0    1"
! grep -q "MIG mode" "$tmp/out"
verdict $? "no word of a mode that is on"
narrow
cli 0 mig-list 41:00.0 --profiles --json
json '[{"mode":"on","profile":"1g.12gb","id":19,"free":6,"total":7,"memory_gib":10.625,"sms":16,"p2p":false,' \
    '"decoders":1,"encoders":0,"copy_engines":1}]'
# The possible instances are listed before the mode is turned on.
cli 0 mig-list e2:00.0 --profiles
out "1g.5gb   19  -     7 " "GPU 0000:e2:00.0: MIG mode is off; 'virt-vgpu mig-apply' turns it on"
cli 0 mig-list e2:00.0 --profiles --json
json '[{"mode":"off","profile":"1g.5gb","id":19,"free":null,"total":7,'
cli 0 mig-apply 41:00.0 1g.12gb:4,2g.24gb:1
out "GPU 0000:41:00.0: MIG layout changed" "  created 1g.12gb as 4"
cli 0 mig-apply 41:00.0 19:1
out "nothing to change"
cli 0 mig-apply 41:00.0 19:2 --json
json '{"gpu":"0000:41:00.0","changes":["created1g.12gbas4"]}'
cli 1 mig-apply 41:00.0 99
err "reset required"
cli 0 mig-clear 41:00.0
out "destroyed 3" "{'persistent': <false>, 'off': <false>}"
cli 0 mig-clear 41:00.0 --off --persistent
out "{'persistent': <true>, 'off': <true>}"
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
cli 0 scheduler 41:00.0 equal-share --persistent
out "persistent=yes;" "Written to /etc/virt-vgpu/host.xml"
cli 2 scheduler 41:00.0 equal-share --persistent --next-load
err "--persistent cannot be combined with --next-load or --gpu-instance"
cli 2 scheduler 41:00.0 --persistent
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
cli 3 scheduler 41:00.0 --modprobe-file "$tmp/no/such/file"
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
out "The host is as the layout says."
silent
cli 0 host-diff "$tmp/host.xml" --json
json '[]'
cli 1 host-diff "$tmp/wrong.xml"
out "0000:41:00.0  vfs   16      0"
silent
cli 1 host-diff "$tmp/wrong.xml" --json
json '[{"gpu":"0000:41:00.0","what":"vfs","wanted":"16","actual":"0"}]'
cli 3 host-apply "$tmp/missing.xml"
err "$tmp/missing.xml: No such file or directory"
echo "<vgpuhost>" > "$tmp/open.xml"
for verb in host-apply host-diff; do
    cli 1 $verb "$tmp/open.xml"
    err "$tmp/open.xml: line "
done
cli 0 host-export
out "<vgpuhost/>"
cli 0 host-export --output "$tmp/exported.xml"
out "The layout of this host was written to $tmp/exported.xml"
grep -q '<vgpuhost/>' "$tmp/exported.xml"
verdict $? "the file has it"
cli 0 host-export -o "$tmp/short.xml"
[ -s "$tmp/short.xml" ]
verdict $? "-o is its own"
cli 3 host-export --output "$tmp/none/exported.xml"
err "none/exported.xml"
cli 0 host-export --json
json '{"xml":"<vgpuhost/>"}'

# --- figures ----------------------------------------------------------------------------------
cli 0 list --stats
out "web1    0  0000:41:00.4  NVIDIA A2-4Q  active  1234      56     licensed"
narrow
cli 0 list --stats --all
out "foreign   -"
narrow
cli 0 list --stats --all --json
json '"state":"active","fb_mib":null,"fb_used_mib":1234,"gpu_util":56,"mem_util":null' \
    '"enc_util":null,"dec_util":null,"license_state":"licensed"' \
    '"license_expiry":"2099-12-24T18:05:00Z","driver_version":null}' \
    '"state":"foreign","fb_mib":null,"fb_used_mib":null,"gpu_util":null'
cli 0 list --json
! grep -q fb_used_mib "$tmp/out"
verdict $? "no figures unless they are asked for"
cli 0 gpu-list --stats
out "45       32     -      8192      ok"
narrow
cli 0 gpu-list --stats --json
json '"cordoned":null,"temperature_c":45,"power_w":32,"gpu_util":null,"mem_util":null,"fb_mib":null' \
    '"fb_used_mib":8192,"ecc_corrected":null,"ecc_uncorrected":0,"health":"ok"' \
    '"driver_version":"550.54.16"' '"address":"0000:e1:00.0"'
cli 0 gpu-info 41:00.0 --stats
out "Health:           ok" "ECC uncorrected:  0"
cli 0 gpu-info 41:00.0 --stats --json
json '"temperature_c":45' '"health":"ok"'
for verb in gpu-list "gpu-info 41:00.0"; do
    # shellcheck disable=SC2086 # several words
    cli 0 $verb --json
    ! grep -q temperature "$tmp/out"
    verdict $? "no figures of $verb unless they are asked for"
done

# --- annotate ---------------------------------------------------------------------------------
echo "<domain type='test'><name>web1</name><memory>65536</memory><os><type>hvm</type></os>
<devices/></domain>" > "$tmp/web1.xml"
cli 0 annotate --xml "$tmp/web1.xml" --profile A2-4Q --frame-rate-limit off --console-vnc off \
    --unified-memory on --debugging on --profiling on --param loglevel=2 --param a=b
silent
out 'frameRateLimit="off"' 'consoleVNC="off"' 'unifiedMemory="on"' 'debugging="on"' \
    'profiling="on"' 'name="loglevel" value="2"' 'name="a" value="b"' ua-vgpu-0
cli 2 annotate --xml "$tmp/web1.xml" --profile A2-4Q --debugging perhaps
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
row "health 0000:41:00.0" ok
row licences ok "1 of 1 guests"
! grep -qE "host layout|nvidia-vgpu-mgr" "$tmp/out"
verdict $? "doctor does not mention hardware that this host lacks"
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
row "host layout" warn "cannot be parsed"
mkdir -p "$root/sys/module/nvidia_vgpu_vfio"
echo systemd > "$root/proc/1/comm"
row nvidia-vgpu-mgr fail "systemctl start nvidia-vgpu-mgr"
echo nvidia-vgpu-mgr > "$root/proc/22/comm"
row nvidia-vgpu-mgr ok

echo "1..$tests"
[ "$failures" -eq 0 ]
