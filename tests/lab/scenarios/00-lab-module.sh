#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The lab itself: fake GPUs look and behave like real ones
# takes: 25
# shellcheck source=SCRIPTDIR/../lib.sh
. "$(dirname "$0")/../lib.sh"

u() { printf '00000000-0000-4000-8000-0000000000%02d' "$1"; }

say "libvirt's view"
nodes=$(virsh -q nodedev-list --cap mdev_types)
for gpu in pci_0000_41_00_4 pci_0000_84_00_0 pci_10000_01_00_0; do
    assert_grep "^$gpu$" "$nodes"
done
assert_grep "<name>GRID P40-6A</name>" "$(virsh nodedev-dumpxml pci_10000_01_00_0)"
# The rest runs without libvirt: it waits a second for each device that vanishes before it has looked, and
# would lag behind.
libvirt_stop

say "PCI devices and VFs"
for gpu in "$A2" "$M10" "$M10B" "$P40"; do
    assert_eq "$(cat "/sys/bus/pci/devices/$gpu/vendor")" 0x10de "vendor of $gpu"
    assert_eq "$(basename "$(readlink "/sys/bus/pci/devices/$gpu/driver")")" nvidia "driver of $gpu"
done
assert_eq "$(cat "/sys/bus/pci/devices/$A2/sriov_totalvfs")" 16 sriov_totalvfs
enable_vfs 0000:42:00.0 2
[ -d /sys/class/mdev_bus/0000:42:00.5 ] || fail "VF 0000:42:00.5 carries no mdev types"
enable_vfs 0000:42:00.0 0
[ ! -e /sys/bus/pci/devices/0000:42:00.4 ] || fail "VF 0000:42:00.4 is still there"

say "types"
types=/sys/class/mdev_bus/$A2_VF/mdev_supported_types
assert_eq "$(cat "$types/nvidia-746/name")" "NVIDIA A2-4Q"
assert_eq "$(cat "$types/nvidia-746/description")" \
    "num_heads=4, frl_config=60, framebuffer=4096M, max_resolution=7680x4320, max_instance=4"
[ ! -e "/sys/class/mdev_bus/$A2" ] || fail "an SR-IOV PF must not carry mdev types"

say "mdev on a VF: one per VF, one size per GPU"
assert_eq "$(available "$A2_VF" nvidia-746)" 1
mdev_create "$A2_VF" nvidia-746 "$(u 1)"
assert_eq "$(mdev_parent "$(u 1)") $(mdev_type "$(u 1)")" "$A2_VF nvidia-746"
assert_eq "$(available "$A2_VF" nvidia-746)" 0 "the VF is taken"
assert_eq "$(available 0000:41:00.5 nvidia-751)" 1 "same size, other series"
assert_eq "$(available 0000:41:00.5 nvidia-747)" 0 "other size"
assert_fails "Input/output error" mdev_create "$A2_VF" nvidia-746 "$(u 2)"
assert_fails "Input/output error" mdev_create 0000:41:00.5 nvidia-747 "$(u 2)"
assert_fails "File exists" mdev_create 0000:41:00.5 nvidia-746 "$(u 1)"
assert_fails "busy" enable_vfs "$A2" 0
mdev_remove "$(u 1)"
assert_eq "$(available "$A2_VF" nvidia-747)" 1

say "mdev on a PF: max_instance per GPU"
mdev_create "$M10" nvidia-43 "$(u 3)"
assert_eq "$(for t in 43 42 41; do available "$M10" nvidia-$t; done | xargs)" "1 1 0"
assert_eq "$(available "$M10B" nvidia-43)" 2 "the other GPU"
mdev_create "$M10" nvidia-42 "$(u 4)"
assert_fails "Input/output error" mdev_create "$M10" nvidia-43 "$(u 5)"

say "parameters"
dir=/sys/bus/mdev/devices/$(u 3)/nvidia
echo "frame_rate_limiter=0" > "$dir/vgpu_params"
echo "disable_vnc=1" > "$dir/vgpu_params"
assert_eq "$(cat "$dir/vgpu_params")" "disable_vnc=1"
long() { head -c 1100 /dev/zero | tr '\0' x > "$dir/vgpu_params"; }
assert_fails "Argument list too long" long

say "EEXIST while it is open"
group=$(basename "$(readlink -f "/sys/bus/mdev/devices/$(u 3)/iommu_group")")
python3 - "$group" "$(u 3)" "$dir" << 'EOF' > /run/lab-open &
import fcntl, os, sys, time
group, uuid, params = sys.argv[1:]
VFIO = ord(';') << 8 | 100
container = os.open('/dev/vfio/vfio', os.O_RDWR)
group = os.open(f'/dev/vfio/{group}', os.O_RDWR)
fcntl.ioctl(group, VFIO + 4, container.to_bytes(4, 'little'))   # VFIO_GROUP_SET_CONTAINER
fcntl.ioctl(container, VFIO + 2, 1)                              # VFIO_SET_IOMMU, type 1
device = fcntl.ioctl(group, VFIO + 6, uuid.encode() + b'\0')     # VFIO_GROUP_GET_DEVICE_FD
print('open', flush=True)
while not os.path.exists('/run/lab-close'):
    time.sleep(0.1)
EOF
holder=$!
wait_for 20 grep -q open /run/lab-open
assert_eq "$(cat "$dir/vm_name")" python3
params() { echo "x=1" > "$dir/vgpu_params"; }
assert_fails "Operation not permitted" params
mdev_remove "$(u 3)" &
remover=$!
wait_for 10 not mdev_exists "$(u 3)"
assert_fails "File exists" mdev_create "$M10B" nvidia-43 "$(u 3)"
kill -0 "$remover" || fail "remove did not wait for the last close"
touch /run/lab-close
wait "$holder" "$remover"
rm /run/lab-close
mdev_create "$M10B" nvidia-43 "$(u 3)"

say "knobs"
knob create_fail_next 1 "$P40"
assert_fails "Input/output error" mdev_create "$P40" nvidia-58 "$(u 6)"
mdev_create "$P40" nvidia-58 "$(u 6)"
mdev_remove "$(u 6)"
knob lie_available 1 "$P40"
assert_eq "$(available "$P40" nvidia-58)" 4
assert_fails "Input/output error" mdev_create "$P40" nvidia-58 "$(u 6)"
knob lie_available 0
knob create_hang 1 "$P40"
mdev_create "$P40" nvidia-588 "$(u 6)" &
sleep 0.5
kill -0 $! || fail "create_hang does not hang"
knob create_hang 0
wait $!
assert_eq "$(mdev_type "$(u 6)")" nvidia-588

say "hotplug"
gpu_add 0000:86:00.0
assert_eq "$(available 0000:86:00.0 nvidia-45)" 1
gpu_del 0000:86:00.0
[ ! -e /sys/bus/pci/devices/0000:86:00.0 ] || fail "the board is still there"
