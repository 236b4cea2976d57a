#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The lab itself: VFs that become vGPUs, MIG, mixed sizes and the scheduler behave as on real boards
# takes: 56
# once: battery
# shellcheck source=SCRIPTDIR/../lib.sh
. "$(dirname "$0")/../lib.sh"

u() { printf '00000000-0000-4000-8000-0000000000%02d' "$1"; }
vf2=0000:61:00.5 vf3=0000:61:00.6
# file VF NAME
file() { echo "/sys/bus/pci/devices/$1/nvidia/$2"; }
# write FILE TEXT
write() { printf '%s\n' "$2" > "$1"; }
params() { write "$(file "$1" vgpu_params)" "$2"; }
# gone VF: the function does not exist.
gone() { [ ! -e "/sys/bus/pci/devices/$1" ]; }
# hold VF: opens it, until release.
hold() {
    local group
    group=$(basename "$(readlink -f "/sys/bus/pci/devices/$1/iommu_group")")
    rm -f /run/lab-close
    python3 - "$group" "$1" << 'PY' > /run/lab-open 2>&1 &
import fcntl, os, sys, time
group, name = sys.argv[1:]
VFIO = ord(';') << 8 | 100
container = os.open('/dev/vfio/vfio', os.O_RDWR)
group = os.open(f'/dev/vfio/{group}', os.O_RDWR)
fcntl.ioctl(group, VFIO + 4, container.to_bytes(4, 'little'))   # VFIO_GROUP_SET_CONTAINER
fcntl.ioctl(container, VFIO + 2, 1)                              # VFIO_SET_IOMMU, type 1
device = fcntl.ioctl(group, VFIO + 6, name.encode() + b'\0')     # VFIO_GROUP_GET_DEVICE_FD
print('open', flush=True)
while not os.path.exists('/run/lab-close'):
    time.sleep(0.1)
PY
}

libvirt_stop # it would lag behind, see 00

say "no VFs after a boot; a directory for NVML's stand-in on each PF, none on VFs"
for gpu in "$A2" "$M10" "$P40" "$L40S" "$L40SB" "$A100"; do
    assert_eq "$(fake "$gpu" mig_mode) $(fake "$gpu" mixed) $(fake "$gpu" vgpus)" "0 0 " "fakegpu/ of $gpu"
done
not test -e "/sys/bus/pci/devices/$A2_VF/fakegpu" || fail "a VF has fakegpu/"
for vf in "$L40S_VF" "$A100_VF"; do gone "$vf" || fail "there are VFs"; done
assert_eq "$(cat "/sys/bus/pci/devices/$L40SB/numa_node")" 1 "NUMA node"
assert_eq "$(fake "$A100" mig_capable) $(fake "$L40S" mig_capable)" "1 0" mig_capable
assert_eq "$(fake "$L40S" types | sed -n '/^1150|/p')" "1150|NVIDIA L40S-4Q|4096|4|60|7680x4320|12|16|-|0" types
assert_eq "$(fake "$A100" types | sed -n '/^475|/p')" "475|GRID A100-2-10C|10240|1|60|4096x2400|3|1|14|1" types

say "VFs of an L40S"
vfs_on "$L40S" 32
for vf in "$L40S_VF" 0000:61:04.3; do
    assert_eq "$(basename "$(readlink "/sys/bus/pci/devices/$vf/driver")")" nvidia "driver of $vf"
    [ -e "/sys/bus/pci/devices/$vf/vfio-dev" ] || fail "$vf is no VFIO device"
done
not test -e "/sys/class/mdev_bus/$L40S_VF" || fail "an mdev parent"
vfs_on "$L40S" 3
assert_eq "$(vf_type "$L40S_VF")" 0 current_vgpu_type
assert_eq "$(sed -n '1,2p;$p' "$(file "$L40S_VF" creatable_vgpu_types)")" \
    $'ID    : vGPU Name\n1145  : NVIDIA L40S-1B\n2164  : NVIDIA L40S-3B' creatable_vgpu_types
assert_eq "$(vf_creatable "$L40S_VF" | wc -w)" 30 "types"

say "setting a type, and its errors"
assert_fails "Operation not permitted" vf_set "$L40S_VF" 0
assert_fails "Invalid argument" vf_set "$L40S_VF" nvidia-1150
assert_fails "Numerical result out of range" vf_set "$L40S_VF" 99999999999999999999
assert_fails "Input/output error" vf_set "$L40S_VF" 746
assert_fails "No such device or address" params "$L40S_VF" "frame_rate_limiter=0"
hold "$L40S_VF"
wait $! && fail "it opens without a type"
assert_grep "No such device" "$(cat /run/lab-open)" "opening it without a type"
vf_set "$L40S_VF" 1150
assert_eq "$(vf_type "$L40S_VF")" 1150 current_vgpu_type
assert_eq "$(cat "$(file "$L40S_VF" creatable_vgpu_types)")" "ID    : vGPU Name" "a VF with a vGPU offers nothing"
assert_fails "Operation not permitted" vf_set "$L40S_VF" 1150
assert_eq "$(vf_creatable $vf2)" "1150 1160 1167" "its neighbours offer the same size"
assert_fails "Input/output error" vf_set $vf2 1151
vf_set $vf2 1160
assert_eq "$(fake "$L40S" vgpus)" "$L40S_VF 1150 - - 0"$'\n'"$vf2 1160 - - 0" vgpus
assert_fails "busy" enable_vfs "$L40S" 0
vf_set $vf2 0

say "parameters"
params "$L40S_VF" "frame_rate_limiter=0"
params "$L40S_VF" "disable_vnc=1"
assert_eq "$(cat "$(file "$L40S_VF" vgpu_params)")" "disable_vnc=1" vgpu_params
assert_fails "Argument list too long" params "$L40S_VF" "$(printf '%1100s' x)"
knob params_fail_next 1 "$L40S"
assert_fails "Input/output error" params "$L40S_VF" "x=1"

say "open: neither parameters nor a reset"
hold "$L40S_VF"
wait_for 20 grep -q open /run/lab-open
assert_eq "$(fake "$L40S" vgpus)" "$L40S_VF 1150 - - 1" vgpus
assert_fails "Operation not permitted" params "$L40S_VF" "x=1"
assert_fails "Operation not permitted" vf_set "$L40S_VF" 0
touch /run/lab-close
wait $!
knob reset_fail_next 2 "$L40S"
assert_fails "busy" vf_set "$L40S_VF" 0
assert_fails "busy" vf_set "$L40S_VF" 0
vf_set "$L40S_VF" 0
assert_eq "$(vf_type "$L40S_VF") $(vf_creatable "$L40S_VF" | wc -w)" "0 30" "after a reset"
vf_set "$L40S_VF" 1150
assert_eq "$(cat "$(file "$L40S_VF" vgpu_params)")" "" "parameters go with the vGPU"
vf_set "$L40S_VF" 0

say "as many as fit"
vf_set "$L40S_VF" 1155
vf_set $vf2 1165
assert_eq "$(vf_creatable $vf3)" "" "a full board"
assert_fails "Input/output error" vf_set $vf3 1155
vf_set $vf2 0

say "mixed sizes"
assert_fails "busy" fake "$L40S" mixed 1
vf_set "$L40S_VF" 0
fake "$L40S" mixed 1
fake "$L40S" scheduler "equal-share 0"
vf_set "$L40S_VF" 1155
vf_set $vf2 1154
assert_eq "$(vf_creatable $vf3)" "1145 1146 1147 1148 1149 1150 1151 1152 1157 1158 1159 1160 1161 1162 1167 1168 1169 2164" \
    "what 8 GiB are enough for"
assert_fails "Input/output error" vf_set $vf3 1153
vf_set $vf3 1152
assert_eq "$(fake "$L40S" scheduler)" "equal-share 0" scheduler
assert_fails "busy" fake "$L40S" scheduler "best-effort"
for vf in "$L40S_VF" $vf2 $vf3; do vf_set "$vf" 0; done
enable_vfs "$L40S" 0
assert_eq "$(fake "$L40S" mixed)" 0 "mixed sizes, after the VFs have gone"
assert_fails "Operation not supported" fake "$M10" mixed 1

say "knobs"
vfs_on "$L40S" 1
knob create_fail_next 1 "$L40S"
assert_fails "Input/output error" vf_set "$L40S_VF" 1150
knob create_hang 1 "$L40S"
vf_set "$L40S_VF" 1150 &
sleep 0.5
kill -0 $! || fail "create_hang does not hang"
assert_eq "$(vf_type "$L40S_VF") $(vf_creatable "$L40S_VF")" "0 " "while it hangs"
knob create_hang 0
wait $!
assert_eq "$(vf_type "$L40S_VF")" 1150 "after it"
vf_set "$L40S_VF" 0
has_group() { [ -e "/sys/bus/pci/devices/$L40S_VF/iommu_group" ] && [ -e "/sys/bus/pci/devices/$L40S_VF/vfio-dev" ]; }
knob group_missing 1 "$L40S"
vf_set "$L40S_VF" 1150
assert_eq "$(vf_type "$L40S_VF") $(fake "$L40S" vgpus)" "1150 $L40S_VF 1150 - - 0" "without a group"
not has_group || fail "it has a group"
knob group_missing 0
vf_set "$L40S_VF" 0
has_group || fail "it has not got its group back"
knob group_late_ms 1500 "$L40S"
vf_set "$L40S_VF" 1150
not has_group || fail "it has its group already"
wait_for 10 has_group
vf_set "$L40S_VF" 0
knob group_late_ms 0

say "A100: 16 VFs, but ten of the smallest type"
vfs_on "$A100" 16
assert_eq "$(available "$A100_VF" nvidia-468) $(available "$A100_VF" nvidia-474)" "1 0" "without MIG"
for i in {1..10}; do mdev_create "$(vf_of "$A100" $((i - 1)))" nvidia-468 "$(u "$i")"; done
assert_eq "$(fake "$A100" vgpus | wc -l) $(fake "$A100" vgpus | head -n 1)" "10 $A100_VF 468 $(u 1) - 0" vgpus
assert_eq "$(available 0000:a1:02.3 nvidia-468)" 0 "the eleventh"
assert_fails "Input/output error" mdev_create 0000:a1:02.3 nvidia-468 "$(u 11)"
for i in {1..10}; do mdev_remove "$(u "$i")"; done

say "MIG: mode"
fake "$A100" mig_mode 1
assert_eq "$(available "$A100_VF" nvidia-468) $(available "$A100_VF" nvidia-475)" "0 0" "MIG, but no GPU instance"
assert_fails "busy" fake "$A100" mig_mode 0
assert_fails "Operation not supported" fake "$L40S" mig_mode 1
assert_fails "Operation not supported" fake "$A100" mixed 1

say "MIG: GPU instances"
gis=$'1 9 4 4\n5 14 2 2\n3 14 0 2'
fake "$A100" gpu_instances "$gis"
assert_eq "$(fake "$A100" gpu_instances)" $'1 9 4 4 0\n5 14 2 2 0\n3 14 0 2 0' gpu_instances
for bad in "x" "1 9 4" "1 9 6 4" $'1 9 4 4\n1 14 0 2' $'1 9 4 4\n2 14 5 2'; do
    assert_fails "Invalid argument" fake "$A100" gpu_instances "$bad"
done
assert_eq "$(available "$A100_VF" nvidia-475) $(available "$A100_VF" nvidia-476) $(available "$A100_VF" nvidia-474)" \
    "1 1 0" "types with a free GPU instance"
mdev_create "$A100_VF" nvidia-475 "$(u 1)"
mdev_create 0000:a1:00.5 nvidia-476 "$(u 2)"
assert_eq "$(available 0000:a1:00.6 nvidia-475) $(available 0000:a1:00.6 nvidia-476)" "1 0" "what is left"
mdev_create 0000:a1:00.6 nvidia-475 "$(u 3)"
assert_fails "Input/output error" mdev_create 0000:a1:00.7 nvidia-475 "$(u 4)"
assert_eq "$(fake "$A100" gpu_instances)" $'1 9 4 4 1\n5 14 2 2 1\n3 14 0 2 1' "users of GPU instances"
assert_eq "$(fake "$A100" vgpus | cut -d' ' -f2,4 | xargs)" "475 5 476 1 475 3" "who is where"
mdev_remove "$(u 1)"
assert_fails "busy" fake "$A100" gpu_instances "5 14 2 2"
fake "$A100" gpu_instances "$(fake "$A100" gpu_instances | sed '/^5/d')"
assert_eq "$(fake "$A100" gpu_instances)" $'1 9 4 4 1\n3 14 0 2 1' "without the one that was free"
mdev_remove "$(u 2)"
mdev_remove "$(u 3)"
enable_vfs "$A100" 0
assert_eq "$(fake "$A100" gpu_instances) $(fake "$A100" mig_mode)" " 1" "after the VFs have gone"
fake "$A100" gpu_instances "1 0 0 8"
assert_fails "busy" fake "$A100" mig_mode 0
fake "$A100" gpu_instances ""
fake "$A100" mig_mode 0
assert_fails "Invalid argument" fake "$A100" gpu_instances "1 0 0 8"

say "MIG: a GPU instance takes one size at a time, of any series"
gpu_add "$BLACKWELL"
vfs_on "$BLACKWELL" 6
vf() { vf_of "$BLACKWELL" "$1"; }
fake "$BLACKWELL" mig_mode 1
assert_eq "$(vf_creatable "$(vf 5)")" "" "types without a GPU instance"
fake "$BLACKWELL" gpu_instances $'3 47 0 2\n4 47 2 2'
assert_eq "$(vf_creatable "$(vf 5)")" "1561 9012 9112" "types on GPU instances"
instance() { cat "$(file "$(vf "$1")" gpu_instance_id)"; }
assert_fails "No such device or address" instance 0
vf_set "$(vf 0)" 1561
assert_eq "$(instance 0)" 3 "the instance that the driver has chosen"
vf_set "$(vf 1)" 9012
assert_eq "$(vf_creatable "$(vf 5)")" "9012 9112" "what is left of an instance is for its size"
assert_fails "Input/output error" vf_set "$(vf 5)" 1561
vf_set "$(vf 2)" 9112
assert_eq "$(fake "$BLACKWELL" vgpus | cut -d' ' -f2,4 | xargs)" "1561 3 9012 4 9112 4" "who is where"
assert_eq "$(instance 0) $(instance 1) $(instance 2)" "3 4 4" "instances, as the VFs tell"
assert_eq "$(vf_creatable "$(vf 5)")" "" "both are full"
vf_set "$(vf 1)" 0
vf_set "$(vf 2)" 0
assert_eq "$(vf_creatable "$(vf 5)")" "1561 9012 9112" "one is free again"
vf_set "$(vf 0)" 0
enable_vfs "$BLACKWELL" 0
fake "$BLACKWELL" mig_mode 0
gpu_del "$BLACKWELL"

say "a domain on a VF with a display"
libvirt_start
vf_set "$L40S_VF" 1150
hostdev() { # ATTRS
    echo "<hostdev mode='subsystem' type='pci' managed='no' $1>" \
        "<source><address domain='0' bus='0x61' slot='0' function='4'/></source></hostdev>"
}
# Old libvirt drops unknown elements, and does not support unmanaged devices with a variant driver.
if ! libvirt_from 10; then
    define one --graphics --hostdev "$(hostdev "")"
    assert_fails "must be manually detached" virsh -q start one
    exit
fi
define one --graphics --hostdev "$(hostdev "display='on' ramfb='on'")"
virsh -q start one
assert_eq "$(state one) $(fake "$L40S" vgpus)" "running $L40S_VF 1150 - - 1"
assert_fails "Operation not permitted" vf_set "$L40S_VF" 0
virsh -q screenshot one /run/lab-shot.png
assert_eq "$(od -An -tu1 -j16 -N8 /run/lab-shot.png | xargs)" "0 0 1 64 0 0 0 200" \
    "width and height of the screenshot"
virsh -q destroy one
assert_eq "$(basename "$(readlink "/sys/bus/pci/devices/$L40S_VF/driver")")" nvidia "its driver"
vf_set "$L40S_VF" 0
virsh -q start one 2> /run/lab-error && fail "it starts without a type"
say "without a type: $(cat /run/lab-error)"
