#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# GPUs are configured one by one and by a layout: read back, refused while in use, and a failure does not stop the others
# takes: 80
# once: trixie
# timeout: 600
# shellcheck source=SCRIPTDIR/../vgpu.sh disable=SC2119
. "$(dirname "$0")/../vgpu.sh"

A2B=0000:42:00.0
other=11111111-2222-4333-8444-0000000050ff
layout=/etc/virt-vgpu/host.xml

# vfs_are A2 A2B L40S L40SB A100: the number of VFs of each GPU with SR-IOV.
vfs_are() {
    local gpu
    assert_eq "$(for gpu in "$A2" "$A2B" "$L40S" "$L40SB" "$A100"; do vfs_of "$gpu"; done | xargs)" "$*" "VFs"
}
# enable GPU [OPTION…], disable GPU [OPTION…]: prints the reported number of VFs, the maximum, and the real number.
enable() { echo "$(json 'v["vfs_enabled"], v["vfs_total"]' gpu-enable "$@") $(vfs_of "$1")"; }
disable() { echo "$(json 'v["vfs_enabled"], v["vfs_total"]' gpu-disable "$@") $(vfs_of "$1")"; }
# bind GPU DRIVER
bind() {
    local dir=/sys/bus/pci/devices/$1
    echo "$2" > "$dir/driver_override"
    [ ! -e "$dir/driver" ] || echo "$1" > "$dir/driver/unbind"
    echo "$1" > /sys/bus/pci/drivers_probe
    assert_eq "$(driver_of "$1")" "$2" "driver of $1"
}
# goes_to NAME: the bus on which its vGPU would be created now.
goes_to() { json 'v["plan"][0]["parent"][5:7]' explain "$1"; }
# of VERB EXPRESSION FILE: the exit status and the value of EXPRESSION for the rows in v.
of() {
    local rc=0
    virt-vgpu "$1" "$3" --json > /run/lab-rows || rc=$?
    /usr/bin/python3 -ISc 'import json, sys
v = json.load(open("/run/lab-rows"))
print(sys.argv[1], *eval(sys.argv[2]))' $rc "$2"
}
apply() { of host-apply '[f"{r['\''gpu'\'']} {r['\''step'\'']} {r['\''result'\'']}" for r in v if r["result"] != "unchanged"]' "$1"; }
diff() { of host-diff '[f"{r['\''gpu'\'']} {r['\''what'\'']} {r['\''wanted'\'']}/{r['\''actual'\'']}" for r in v]' "$1"; }

say "without sriov-manage"
vfs_are 4 0 0 0 0
assert_eq "$(enable "$A100" --vfs 2)" "(2, 16) 2" "gpu-enable --vfs 2"
vf=$(stat -c %i "/sys/bus/pci/devices/$A100/virtfn0/")
assert_eq "$(enable "$A100" --vfs 2)" "(2, 16) 2" "gpu-enable again"
assert_eq "$(stat -c %i "/sys/bus/pci/devices/$A100/virtfn0/")" "$vf" "its VF is still the same"
assert_eq "$(disable "$A100")" "(0, 16) 0" "gpu-disable"
assert_fails "has 16 virtual functions at most, not 17" virt-vgpu gpu-enable "$A2B" --vfs 17
assert_fails "$M10 has no SR-IOV" virt-vgpu gpu-enable "$M10"

say "with sriov-manage"
sriov_manage=/run/lab-sriov-manage standins # this one waits on demand
cat > /run/lab-sriov-manage << SCRIPT
#!/bin/sh
while [ -e /run/lab-wait ]; do touch /run/lab-waits; sleep 0.1; done
exec ${sriov_manage:?} "\$@"
SCRIPT
chmod +x /run/lab-sriov-manage
manage_knob calls
assert_eq "$(enable "$A2B") $(enable "$A2B")" "(16, 16) 16 (16, 16) 16" "gpu-enable, twice"
assert_eq "$(cat /run/sriov-manage/calls)" "-e $A2B" "calls of sriov-manage"
vfs_are 4 16 0 0 0

say "a start meanwhile uses another GPU, or is refused"
mdev_create "$A2_VF" nvidia-746 $other # which a spread placement avoids
define_vgpu web "profile='NVIDIA A2-4Q' placement='spread'"
define_vgpu bound "profile='NVIDIA A2-4Q' gpu='$A2B'"
assert_eq "$(goes_to web)" 42 "where it would go"
touch /run/lab-wait
manage_knob lie
virt-vgpu gpu-disable "$A2B" > /run/lab-lie 2>&1 &
disable=$!
wait_for 30 test -e /run/lab-waits
assert_fails "is already in progress" virt-vgpu gpu-enable "$A2B"
virsh -q dumpxml bound > /run/lab-bound.xml
assert_fails "domain 'bound'.*$A2B.*is being set up" hook bound prepare /run/lab-bound.xml
virsh -q start web
vgpu=$(mdevs | grep -v $other)
assert_grep '^0000:41:' "$(mdev_parent "$vgpu")" "parent"
mdev_remove $other

say "sriov-manage lies"
rm /run/lab-wait
assert_fails "GPU $A2 is in use: vGPU $vgpu on .* of domain 'web'" virt-vgpu gpu-disable "$A2" --persistent
not test -e $layout || fail "a refused change was written to the layout"
wait $disable && fail "a false success was accepted"
assert_grep "-d $A2B' was run, but there are 16 virtual functions instead of 0; it said: Disabling VFs" \
    "$(cat /run/lab-lie)" "the answer"
rm /run/sriov-manage/lie
assert_eq "$(goes_to bound)" 42 "where it would go, once more"

say "the GPU is open, permanently and for a moment"
manage_knob locked
assert_fails "failed: .*Cannot obtain unbindLock for $A2B; stop what has the GPU open" virt-vgpu gpu-disable "$A2B"
manage_knob locked 1
assert_eq "$(disable "$A2B")" "(0, 16) 0" "gpu-disable"

say "after a reboot, too"
mkdir -p /etc/virt-vgpu
printf "%s\n" "<vgpuhost>" "  <!-- of the lab -->" "  <gpu address='41:00.0'><sriov vfs='4'/></gpu>" "</vgpuhost>" > $layout
assert_eq "$(enable "$A2B" --vfs 2 --persistent)" "(2, 16) 2" "gpu-enable --persistent"
assert_eq "$(diff $layout)" 0 "host-diff"
assert_grep "of the lab" "$(cat $layout)" "the comment"
assert_eq "$(disable "$A2B" --persistent)" "(0, 16) 0" "gpu-disable --persistent"
assert_eq "$(xmlstarlet sel -t -m //gpu -v @address -o = -v sriov/@vfs -o ' ' $layout)" "41:00.0=4 $A2B=0 " "host.xml"

say "a layout that is partly impossible"
modprobe pci-stub
bind "$L40SB" pci-stub
assert_fails "$L40SB is passed through: it is bound to pci-stub" virt-vgpu gpu-enable "$L40SB"
cat > /run/lab-layout.xml << XML
<vgpuhost>
  <gpu address='$L40SB'><sriov vfs='2'/></gpu>
  <gpu address='$A2'><sriov vfs='max'/></gpu>
  <gpu address='$A2B'><sriov vfs='3'/></gpu>
  <gpu address='$A100'><sriov vfs='2'/></gpu>
</vgpuhost>
XML
assert_eq "$(apply /run/lab-layout.xml)" "1 $L40SB driver failed $A2 vfs failed $A2B vfs done $A100 vfs done" "host-apply"
vfs_are 4 3 0 0 2
failures() { virt-vgpu doctor --json | /usr/bin/python3 -ISc 'import json, sys
print(*[c["detail"] for c in json.load(sys.stdin) if c["status"] == "fail"], sep="\n")' || true; }
found=$(failures)
assert_grep "^GPU $L40SB, driver: .*pci-stub" "$found" "doctor"
assert_grep "^GPU $A2, vfs: .*$vgpu.* in use" "$found" "doctor"
assert_not_grep "$A2B|$A100" "$found" "doctor"
assert_grep "host layout: $L40SB: driver: .*pci-stub" "$(cat /lab/work/logs/virtvgpud.log)" "the log"

say "a layout that is possible"
bind "$L40SB" nvidia
sed -i "/$A2'/d" /run/lab-layout.xml
assert_eq "$(diff /run/lab-layout.xml)" "1 $L40SB vfs 2/0" "host-diff"
assert_eq "$(apply /run/lab-layout.xml)" "0 $L40SB vfs done" "host-apply"
assert_eq "$(apply /run/lab-layout.xml) $(diff /run/lab-layout.xml)" "0 0" "host-apply again, host-diff"
assert_eq "$(failures)" "" "doctor"

say "export and apply"
virt-vgpu host-export > /run/lab-export.xml
assert_eq "$(diff /run/lab-export.xml)" "0" "host-diff of host-export"
virt-vgpu gpu-disable "$A100" > /dev/null
assert_eq "$(diff /run/lab-export.xml)" "1 $A100 vfs 2/0" "host-diff"
assert_eq "$(apply /run/lab-export.xml)" "0 $A100 vfs done" "host-apply"
virt-vgpu host-export | cmp - /run/lab-export.xml || fail "host-export is not as before"
vfs_are 4 3 0 2 2
is_state web running || fail "web is $(state web)"
