#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# All families on one host, even in one domain; a GPU passed through to a guest offers nothing; profiles are combined in a domain only where allowed
# takes: 60
# once: trixie
# timeout: 400
# machine: iommu
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

# explain ATTRS…: for a domain with one <vgpu:device> for each: whether it is possible, then the verdict on each GPU with the profile.
explain() {
    domain_xml asked --annot "$(annotation "$@")" > /run/lab-asked.xml
    json '"\n".join([str(v["possible"])] + ["%s %s: %s" % (c["gpu"], c["verdict"], c["reason"])
        for c in v["candidates"] if c["verdict"] not in ("no-such-profile", "not-named", "vfs-off")])' \
        explain --xml /run/lab-asked.xml || true # the output has the result, too
}
# said FILE ID: the rows of profile-list, or of gpu-info's profiles, in FILE about that profile.
said() {
    /usr/bin/python3 -ISc 'import json, sys
v = json.load(open(sys.argv[1]))
for r in v if isinstance(v, list) else v["profiles"]:
    if r["id"] == sys.argv[2]:
        print(*(r[k] for k in ("gpu", "name", "interface", "series", "max_per_domain", "max_instances",
            "available", "needs_license")), sep=", ")' "$@"
}

# agrees NAME REGEX: explain predicts the result of a start: "yes", or the exact words of its refusal.
agrees() {
    local answer said
    answer=$(json '"yes" if v["possible"] else v["reason"]' explain "$1" || true)
    if said=$(virsh -q start "$1" 2>&1); then said=yes; fi
    [[ $said == *"$answer"* ]] || fail "explain says \"$answer\", virsh start \"$said\""
    assert_grep "$2" "$answer" "explain of $1"
}

say "each GPU has the right interface"
mkdir -p /etc/virt-vgpu
cat > /etc/virt-vgpu/host.xml << EOF
<vgpuhost>
  <gpu address='$SSD'><sriov vfs='2'/></gpu>
  <gpu address='$L40S'><sriov vfs='4'/></gpu>
  <gpu address='$A100'><sriov vfs='max'/></gpu>
</vgpuhost>
EOF
virt-vgpu host-apply /etc/virt-vgpu/host.xml
udevadm settle --timeout=60
assert_eq "$(json '"\n".join("%s %s %d" % (g["address"], g["interface"], g["vfs_enabled"]) for g in v)' gpu-list)" \
    "$SSD vf 2
$A2 mdev 4
0000:42:00.0 none 0
$L40S vendor-vfio 4
$L40SB none 0
$M10 mdev 0
$M10B mdev 0
$A100 mdev 16
$P40 mdev 0" "GPUs, interfaces and VFs"

say "the interfaces of profiles"
virt-vgpu profile-list --json > /run/lab-profiles
virt-vgpu gpu-info "$A2" --json > /run/lab-a2
q="$A2, NVIDIA A2-4Q, mdev, Q, 16, 4, 4, NVIDIA RTX Virtual Workstation"
assert_eq "$(said /run/lab-profiles nvidia-746)" "$q" "profile-list"
assert_eq "$(said /run/lab-a2 nvidia-746)" "$q" "gpu-info"
# Vendor-specific VFIO needs a new libvirt; the maximum is derived from the sizes: for larger profiles it is below the
# number of VFs.
rooms=(0 0 0 0)
if libvirt_from 10; then rooms=(4 3 2 1); fi
for id in 751 742 468 1150 1154 1155 1156; do said /run/lab-profiles nvidia-$id; done > /run/lab-said
said /run/lab-profiles vf >> /run/lab-said
assert_eq "$(cat /run/lab-said)" "\
$A2, NVIDIA A2-4A, mdev, A, 1, 4, 4, NVIDIA Virtual Applications
$A2, NVIDIA A2-1B, mdev, B, 1, 16, 4, NVIDIA Virtual PC
$A100, GRID A100-4C, mdev, C, 16, 10, 10, NVIDIA AI Enterprise
$L40S, NVIDIA L40S-4Q, vendor-vfio, Q, 16, 12, ${rooms[0]}, NVIDIA RTX Virtual Workstation
$L40S, NVIDIA L40S-16Q, vendor-vfio, Q, 16, 3, ${rooms[1]}, NVIDIA RTX Virtual Workstation
$L40S, NVIDIA L40S-24Q, vendor-vfio, Q, 16, 2, ${rooms[2]}, NVIDIA RTX Virtual Workstation
$L40S, NVIDIA L40S-48Q, vendor-vfio, Q, 16, 1, ${rooms[3]}, NVIDIA RTX Virtual Workstation
$SSD, vf, vf, None, None, 2, 2, None" "profile-list"

say "one domain with vGPUs of all families, two of them alike"
devices=("profile='NVIDIA A2-4Q'" "profile='NVIDIA A2-4Q'" "profile='vf' gpu='$SSD'" "profile='NVIDIA L40S-4Q'")
kinds="mdev mdev vf vendor-vfio"
if ! libvirt_from 10; then
    assert_grep "$L40S libvirt-too-old: its vendor-specific VFIO needs libvirt 9.7" "$(explain "${devices[3]}")" "explain"
    unset "devices[3]"
    kinds="mdev mdev vf"
fi
define mix --annot "$(annotation "${devices[@]}")"
wait_for 60 is_injected mix ${#devices[@]}
virsh -q start mix
has_kinds() { [ "$(json '" ".join(r["interface"] for r in v if r["domain"] == "mix" and r["state"] == "active")' list)" = "$1" ]; }
wait_for 10 has_kinds "$kinds"
assert_eq "$(mdevs | wc -l) $(driver_of "$SSD_VF")" "2 vfio-pci" "mdevs and the driver of the VF"
! libvirt_from 10 || vf_has "$L40S_VF" 1150 || fail "no type on $L40S_VF"

say "combinations that one domain may not have"
assert_grep "^$A2 no-room: its driver allows 1 vGPU\(s\) of 'NVIDIA A2-4A' in one domain" \
    "$(explain "profile='A2-4A'" "profile='A2-4A'")" "two of the A series"
assert_grep "^$A2 no-room: .*nvidia-751 allows 1 in one domain" "$(explain "profile='A2-4A'" "profile='A2-4Q'")" "A beside Q"
define two --annot "$(annotation "profile='NVIDIA A2-4A'" "profile='NVIDIA A2-4A'")"
wait_for 30 is_injected two 2
agrees two "its driver allows 1 vGPU\(s\) of 'NVIDIA A2-4A'"
only_of_mix() { [ "$(mdevs | wc -l) $(claims)" = "2 1" ]; }
wait_for 20 only_of_mix
virsh -q destroy mix
wait_for 20 nothing_left
assert_eq "$(driver_of "$SSD_VF") $(types "$L40S")" "- 0 0 0 0" "the VFs afterwards"

say "a profile of either interface: explain and start agree while it fits on one, on the other, on none"
define either --annot "<vgpu:devices xmlns:vgpu='$NS'><vgpu:device><vgpu:profile name='NVIDIA A2-16Q'/><vgpu:profile name='NVIDIA L40S-48Q'/>
  </vgpu:device></vgpu:devices>"
wait_for 30 is_injected either
has_defined either 0 "type='mdev'" || fail "the definition of either: $(defined_hostdev either 0)"
agrees either "^yes$"
virsh -q destroy either
wait_for 20 nothing_left
virt-vgpu create "$A2" "NVIDIA A2-16Q" > /run/lab-full
if libvirt_from 10; then
    agrees either "$A2|$L40S"
    wait_for 30 has_defined either 0 "type='pci'"
    agrees either "^yes$"
    assert_eq "$(types "$L40S" | tr ' ' '\n' | sort | xargs)" "0 0 0 1156" "where it runs now"
    virsh -q destroy either
    wait_for 20 types_are "$L40S" 0 0 0 0
    vf_set "$L40S_VF" 1156
fi
agrees either "$A2: |$L40S: "
[ ! -e "/sys/bus/pci/devices/$L40S_VF/nvidia" ] || vf_free "$L40S_VF"
virsh -q undefine either
virt-vgpu destroy "$(mdevs)" > /run/lab-full
wait_for 20 nothing_left

say "16 VFs, but room for ten"
for ((i = 0; i < 10; i++)); do virt-vgpu create "$A100" A100-4C; done > /run/lab-created
virt-vgpu profile-list "$A100" --json > /run/lab-profiles
assert_eq "$(mdevs | wc -l) $(said /run/lab-profiles nvidia-468)" \
    "10 $A100, GRID A100-4C, mdev, C, 16, 10, 0, NVIDIA AI Enterprise" "vGPUs and room"
assert_fails "$A100 cannot take a vGPU .*: 10 of 10 are in use" virt-vgpu create "$A100" A100-4C
assert_fails "$A100 cannot take a vGPU .*: vGPUs of another size" virt-vgpu create "$A100" A100-5C

say "a GPU passed through to a guest"
virt-vgpu gpu-disable "$SSD" > /run/lab-disable
trap 'virsh -q nodedev-reattach pci_0000_01_00_0 > /run/lab-reattach 2>&1' EXIT
virsh -q nodedev-detach pci_0000_01_00_0 > /run/lab-detach
echo 1 > /sys/module/vfio_pci/parameters/enable_sriov # so that it could have VFs even then
enable_vfs "$SSD" 2
assert_eq "$(json 'v["driver"], v["passed_through"], v["interface"], [f["state"] for f in v["vfs"]], v["profiles"]' \
    gpu-info "$SSD")" "('vfio-pci', True, 'none', ['unusable', 'unusable'], [])" "gpu-info"
assert_eq "$(json 'v' profile-list "$SSD")" "[]" "profile-list"
assert_eq "$(explain "profile='vf' gpu='$SSD'")" "False
$SSD passed-through: it is passed through whole (driver vfio-pci)" "explain"
enable_vfs "$SSD" 0
echo 0 > /sys/module/vfio_pci/parameters/enable_sriov
