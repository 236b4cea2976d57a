#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# virt-vgpu-host on a made tree, with stand-ins for NVML and sriov-manage: enable, MIG, layout, boot.
set -u
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${top_srcdir:-.}" && pwd)

[ -w /dev/shm ] && root=$(mktemp -d /dev/shm/virt-vgpu.XXXXXX) || root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
export LC_ALL=C.UTF-8 FAKE_ROOT="$root" FAKE_NVML_ROOT="$root"
knobs=$root/run/sriov-manage
layout=$root/etc/virt-vgpu/host.xml
status=$root/run/virt-vgpu/host-status
a100=0000:e1:00.0 a2=0000:41:00.0 taken=0000:42:00.0 s7150=0000:0b:00.0
tests=0 failures=0

verdict() # STATUS WHAT
{
    tests=$((tests + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $tests - $2"
    else
        echo "not ok $tests - $2"
        tail -qn 5 "$root/out" "$root/err" 2> /dev/null | sed 's/^/# /'
        failures=$((failures + 1))
    fi
}

host() { "$builddir/virt-vgpu-host" --root "$root" "$@" > "$root/out" 2> "$root/err"; }

# says STATUS TEXT ARGUMENT...: it exits with that status, and the text is on stdout or stderr
says()
{
    expected=$1 text=$2
    shift 2
    host "$@"
    [ $? -eq "$expected" ] && grep -qF -- "$text" "$root/out" "$root/err"
}

# check WHAT STATUS TEXT ARGUMENT...
check()
{
    what=$1
    shift
    says "$@"
    verdict $? "$what"
}

vfs() { cat "$root/sys/bus/pci/devices/$1/sriov_numvfs"; }
fake() { cat "$root/sys/bus/pci/devices/$1/fakegpu/$2"; }
count() { grep -o "$1" "$root/out" | wc -l; }
put_layout() { cat > "$layout"; }

# is WHAT TEXT1 TEXT2: the same
is()
{
    [ "$2" = "$3" ]
    same=$?
    [ "$same" -eq 0 ] || echo "'$2' is not '$3'" > "$root/err"
    verdict "$same" "$1"
}

# add_gpu ADDR VENDOR DRIVER TOTAL-VFS
add_gpu()
{
    dir=$root/sys/devices/pci${1%:*}/$1
    mkdir -p "$dir" "$root/sys/bus/pci/devices" "$root/sys/bus/pci/drivers/$3"
    echo 0x030200 > "$dir/class"
    echo "$2" > "$dir/vendor"
    echo 0x20f1 > "$dir/device"
    echo 0 > "$dir/numa_node"
    echo "$4" > "$dir/sriov_totalvfs"
    echo 0 > "$dir/sriov_numvfs"
    [ "$3" = none ] || ln -s "../../../bus/pci/drivers/$3" "$dir/driver"
    ln -s "../../../devices/pci${1%:*}/$1" "$root/sys/bus/pci/devices/$1"
}

# add_nvml ADDR MIG-CAPABLE: the driver's answers through NVML
add_nvml()
{
    dir=$root/sys/bus/pci/devices/$1/fakegpu
    mkdir -p "$dir"
    echo "$2" > "$dir/mig_capable"
    echo 0 > "$dir/mig_mode"
    echo 0 > "$dir/mixed"
    : > "$dir/gpu_instances"
    : > "$dir/scheduler"
    : > "$dir/vgpus"
    echo '699|GRID A100-1-5C|5120|1|60|4096x2160|7|7|19|1' > "$dir/types"
}

mkdir -p "$root/sys/class/mdev_bus" "$root/sys/bus/mdev/devices" "$root/dev/vfio" "$root/etc/virt-vgpu" \
    "$root/run/fake-nvml" "$knobs"
add_gpu "$a100" 0x10de nvidia 16
add_nvml "$a100" 1
add_gpu "$a2" 0x10de nvidia 16
add_nvml "$a2" 0
add_gpu "$taken" 0x10de vfio-pci 16
add_gpu "$s7150" 0x1002 gim 16
cat > "$root/etc/virt-vgpu/virt-vgpu.conf" << CONF
[host]
sriov_manage=$srcdir/tests/standins/sriov-manage
nvml_library=$builddir/tests/standins/libnvidia-ml.so.1
CONF

# --- usage ------------------------------------------------------------------------------------
check "--help teaches" 0 "apply [FILE|-]" --help
check "no verb" 2 "no verb; see --help"
check "an unknown verb" 2 "'aply' is not a verb" aply
check "too few arguments" 2 "usage: mig-apply ADDR SPEC" mig-apply "$a100"
check "too many arguments" 2 "usage: disable ADDR" disable "$a100" 16
check "no address" 2 "'a100' is not a PCI address" disable a100
check "an unknown option" 2 "Unknown option --bot" apply --bot
check "no such device" 3 "there is no PCI device 0000:99:00.0" enable 99:00.0
check "no layout" 3 "host.xml" apply

# --- virtual functions ------------------------------------------------------------------------
check "enable" 0 "{'address': <'$a2'>, 'vfs_total': <uint32 16>, 'vfs_enabled': <uint32 16>}" enable 41:00.0
is "they are there" "$(vfs "$a2")" 16
check "enable again" 0 "'vfs_enabled': <uint32 16>" enable "$a2" max
check "disable" 0 "'vfs_enabled': <uint32 0>" disable pci_0000_41_00_0
check "too many" 2 "has 16 virtual functions at most, not 99" enable "$a2" 99
check "passed through whole" 5 "$taken is passed through: it is bound to vfio-pci" enable "$taken"
: > "$knobs/locked"
check "the GPU is open" 5 "Cannot obtain unbindLock for $a2" enable "$a2"
echo 1 > "$knobs/locked"
check "the GPU was open for a moment" 0 "<uint32 16>}" enable "$a2"
host disable "$a2"

check "AMD's old driver: the setting, and its file" 1 "put the line 'vf_num=4' into /etc/gim_config" enable "$s7150" 4
check "written on request" 0 "'note': <\"put the line 'vf_num=4'" --write enable "$s7150" 4
is "it exists" "$(cat "$root/etc/gim_config")" vf_num=4
is "sriov_numvfs is left alone" "$(vfs "$s7150")" 0

# --- MIG and scheduler, one by one ------------------------------------------------------------
check "no MIG mode on this GPU" 1 "GPU $a2 has no MIG" mig-apply "$a2" 1g.5gb:2
check "possible instances, before MIG mode is on" 0 "{'mode': <'off'>, 'profile': <'7g.40gb'>, 'id': <uint32 0>, 'total'" \
    mig-profiles "$a100"
check "MIG instances" 0 "['" mig-apply "$a100" 2g.10gb:1,1g.5gb:2
is "MIG mode is on" "$(fake "$a100" mig_mode)" 1
check "they are listed" 0 "'profile': <'1g.5gb'>" mig-list "$a100"
is "all three" "$(count "'gi':")" 3
check "with the UUIDs of their compute instances" 0 "'compute_instances': <[{'ci': <uint32 0>, 'profile': <'2g.10gb'>, 'uuid': <'MIG-" \
    mig-list "$a100"
check "other possible instances" 0 "'profile': <'1g.5gb'>, 'id': <uint32 19>" mig-profiles "$a100"
check "one more" 0 "uint32 " mig-add "$a100" 19
check "as they are: nothing to be done" 0 "@as []" mig-apply "$a100" 2g.10gb:1,1g.5gb:3
check "a profile that is none" 2 "9g.99gb" mig-apply "$a100" 9g.99gb
check "all gone" 0 "['" mig-clear "$a100"
check "none is listed" 0 "@aa{sv} []" mig-list "$a100"
check "some again" 0 "['" mig-apply "$a100" 1g.5gb:2
check "and MIG mode off" 0 "'turned MIG mode off']" mig-end "$a100"
is "it is" "$(fake "$a100" mig_mode)" 0
check "it is off already" 0 "@as []" mig-end "$a100"
check "some once more" 0 "['turned MIG mode on'" mig-apply "$a100" 1g.5gb:2
check "facts" 0 "'address': <'$a100'>" facts
check "stats" 0 "'temperature_c': <uint32 45>" stats
check "the scheduler is shown" 0 "'policy': <'best-effort'>" scheduler "$a2"
check "and set" 0 "'policy': <'equal-share'>" scheduler "$a2" policy=equal-share
check "a time slice in place of round robin" 0 "'timeslice_us': <uint32 3000>" scheduler "$a2" equal-share timeslice_us=3000
check "and that in place of it" 0 "'timeslice_us': <uint32 10000>" scheduler "$a2" strict=yes frequency=100
check "for the next load alone, without NVML" 0 'RmPVMRL=0x11' scheduler "$a2" fixed-share set=no
check "which is checked all the same" 2 "averaging" scheduler "$a2" equal-share averaging_factor=99 set=no
check "and changes nothing" 0 "'policy': <'equal-share'>" scheduler "$a2"
check "a policy that is none" 2 "fair" scheduler "$a2" policy=fair
check "and back" 0 "'policy': <'best-effort'>" scheduler "$a2" best-effort
echo 0 > "$root/sys/bus/pci/devices/$a100/fakegpu/mig_mode"

# --- the layout -------------------------------------------------------------------------------
put_layout << XML
<vgpuhost>
  <!-- seats -->
  <gpu address='$a2'>
    <sriov vfs='max'/>
    <mode heterogeneous='yes'/>
    <scheduler policy='equal-share'/>
  </gpu>
  <gpu address='$a100'>
    <mig><instance profile='1g.5gb' count='2'/><instance profile='2g.10gb'/></mig>
    <sriov vfs='max'/>
  </gpu>
</vgpuhost>
XML
check "differences from the layout" 0 \
    "{'gpu': <'$a100'>, 'what': <'mig'>, 'wanted': <'1g.5gb:2,2g.10gb:1'>, 'actual': <'none'>}" diff
is "that is all" "$(count "'what':")" 6
is "and nothing is changed by asking" "$(vfs "$a2") $(fake "$a100" mig_mode)" "0 0"

check "made so" 0 "{'gpu': <'$a2'>, 'step': <'vfs'>, 'result': <'done'>" apply
is "no step failed" "$(count failed)" 0
is "the changes" "$(count "'done'")" 6
is "virtual functions" "$(vfs "$a2") $(vfs "$a100")" "16 16"
is "modes" "$(fake "$a2" mixed) $(fake "$a100" mig_mode)" "1 1"
is "the results are kept for doctor" "$(cat "$status")" "$(cat "$root/out")"
check "it is as the layout says" 0 "@aa{sv} []" diff
check "made so again" 0 "'unchanged'" apply
is "there was nothing to be done" "$(count "'done'")" 0

host export
# the result is a string of GVariant; this one has neither quotes nor backslashes of its own but '
sed -e 's/^"//' -e 's/"$//' -e 's/\\n/\n/g' "$root/out" > "$root/exported.xml"
grep -q "<instance profile='1g.5gb' count='2'/>" "$root/exported.xml"
verdict $? "the present state can be exported"
check "it matches the present state" 0 "@aa{sv} []" diff "$root/exported.xml"
check "to make it so changes nothing" 0 "'unchanged'" apply "$root/exported.xml"
is "not at all" "$(count "'done'") $(count failed)" "0 0"

echo "<vgpuhost><gpu address='$a100'><sriov vfs='0'/></gpu></vgpuhost>" |
    "$builddir/virt-vgpu-host" --root "$root" apply - > "$root/out" 2> "$root/err"
is "a layout from standard input" "$? $(vfs "$a100")" "0 0"
is "only named GPUs are changed" "$(vfs "$a2") $(fake "$a100" mig_mode)" "16 1"
check "sriov-manage has taken the instances away" 0 "'what': <'mig'>" diff
check "they are made again" 0 "created GPU instance" apply
check "all of it" 0 "@aa{sv} []" diff
echo "<vgpuhost><gpu address='$a100'><sriov vfs='max'/><mig mode='off'/></gpu></vgpuhost>" > "$root/no-mig.xml"
check "MIG mode is no longer wanted" 0 "'wanted': <'off'>, 'actual': <'on'>" diff "$root/no-mig.xml"
check "it ends" 0 "'step': <'mig-mode'>, 'result': <'done'>, 'text': <'off'>" apply "$root/no-mig.xml"
is "with the virtual functions as wanted" "$(fake "$a100" mig_mode) $(vfs "$a100")" "0 16"
check "which is how it is wanted" 0 "@aa{sv} []" diff "$root/no-mig.xml"
check "MIG as before" 0 "created GPU instance" apply
check "all of that" 0 "@aa{sv} []" diff

# --- failures ---------------------------------------------------------------------------------
printf '%s\n' "<vgpuhost><gpu address='$a2'><sriov vfs='0'/>" "<mig auto='maybe'/></gpu></vgpuhost>" > "$root/bad.xml"
check "bad XML" 2 "bad.xml: line 2: <mig>: auto='maybe' is not one of yes|no" apply "$root/bad.xml"
is "nothing of it was done" "$(vfs "$a2")" 16
is "for a person its name is in front" "$(cat "$root/err")" \
    "virt-vgpu-host: $root/bad.xml: line 2: <mig>: auto='maybe' is not one of yes|no"
VIRT_VGPU_LOG_BARE=1 host apply "$root/bad.xml"
is "for the daemon it is not" "$(cat "$root/err")" \
    "$root/bad.xml: line 2: <mig>: auto='maybe' is not one of yes|no"

put_layout << XML
<vgpuhost>
  <gpu address='0000:99:00.0'><sriov vfs='max'/></gpu>
  <gpu address='$taken'><sriov vfs='max'/></gpu>
  <gpu address='$s7150'><sriov vfs='4'/></gpu>
  <gpu address='$a2'><mig/><sriov vfs='0'/></gpu>
  <gpu address='$a100'><sriov vfs='0'/></gpu>
</vgpuhost>
XML
: > "$knobs/calls"
check "one works beside those that fail" 0 "{'gpu': <'$a100'>, 'step': <'vfs'>, 'result': <'done'>" apply
is "it has no functions now" "$(vfs "$a100")" 0
is "those that fail" "$(count failed)" 4
is "the one without MIG has been left where it was" "$(vfs "$a2") $(cat "$knobs/calls")" "16 -d $a100"
grep -q "host layout: $taken: driver: $taken is passed through" "$root/err"
verdict $? "they are in the journal"
VIRT_VGPU_LOG_BARE=1 host apply
grep -q "^host layout: $taken: driver: $taken is passed through" "$root/err" && ! grep -v "^host layout: " "$root/err"
verdict $? "and to the daemon without a prefix"
check "at boot the unit fails, too" 1 "'failed'" apply --boot --wait 0
is "and doctor can see why" "$(grep -o "there is no PCI device" "$status")" "there is no PCI device"

host enable "$a100"
echo 0 > "$root/sys/bus/pci/devices/$a100/fakegpu/mig_mode"
echo 19 > "$root/run/fake-nvml/fail-nvmlDeviceSetMigMode"
put_layout << XML
<vgpuhost><gpu address='$a100'><sriov vfs='max'/><mig/></gpu></vgpuhost>
XML
check "MIG mode cannot be changed now" 0 "'step': <'mig-mode'>, 'result': <'failed'>" apply
is "the functions are there again" "$(vfs "$a100")" 16
rm "$root/run/fake-nvml/fail-nvmlDeviceSetMigMode"
check "now it can" 0 "'step': <'mig-mode'>, 'result': <'done'>" apply
is "all of it" "$(vfs "$a100") $(fake "$a100" mig_mode)" "16 1"
host disable "$a100"

cp "$root/bad.xml" "$layout"
check "a bad layout at boot" 2 "line 2: <mig>" apply --boot
is "is kept for doctor, too" "$(grep -o "'step': <'layout'>, 'result': <'failed'>" "$status")" \
    "'step': <'layout'>, 'result': <'failed'>"

# --- boot and persistence ---------------------------------------------------------------------
rm "$layout" "$root/sys/bus/pci/devices/$a100/driver"
check "for the next boot" 0 "host.xml" persist "$a100" vfs=max
check "a bad value" 2 "vfs='lots' is not max or a number" persist "$a100" vfs=lots
check "a bad key" 2 "'numvfs=1' is not KEY=VALUE" persist "$a100" numvfs=1
check "no driver yet" 1 "$a100 is bound to no driver" apply --boot --wait 0
(
    sleep 1
    ln -s ../../../bus/pci/drivers/nvidia "$root/sys/bus/pci/devices/$a100/driver"
) &
check "a driver that is loaded late" 0 "'text': <'16 virtual functions'>" apply --boot
wait
is "its functions are there" "$(vfs "$a100")" 16

# --- without NVML -----------------------------------------------------------------------------
sed -i 's|^nvml_library=.*|nvml_library=/nonexistent/libnvidia-ml.so.1|' "$root/etc/virt-vgpu/virt-vgpu.conf"
check "no NVML: no facts" 0 "@aa{sv} []" facts
check "no statistics" 0 "(@aa{sv} [], @aa{sv} [])" stats
check "no MIG" 3 "/nonexistent/libnvidia-ml.so.1" mig-list "$a100"
check "virtual functions all the same" 0 "'vfs_enabled': <uint32 0>" disable "$a100"

echo "1..$tests"
[ "$failures" -eq 0 ]
