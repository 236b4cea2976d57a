#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line of virt-vgpu import, with the real daemon, the fake driver, and a libvirt whose definitions are edited:
# mdevs created by hand, others that only mdevctl knows, VFs whose type was set by hand, and other hostdevs.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session
# shellcheck disable=SC2154 # begin sets them
"$builddir/tests/make-tree" --add "$root" l40s s7150
# shellcheck disable=SC2034 # for start_daemon
preload=$builddir/tests/flaky-libvirt.so
mkdir "$root/definitions"
knob new_libvirt 1
knob edits 1

mdev=11111111-2222-4333-8444-555555555501 # exists
defined=11111111-2222-4333-8444-555555555502 # mdevctl has a definition
lost=11111111-2222-4333-8444-555555555503 # unknown everywhere
others=11111111-2222-4333-8444-555555555504 # another domain's
pooled=11111111-2222-4333-8444-555555555505 # on a GPU of a pool

mdev_hostdev()
{
    echo "<hostdev mode='subsystem' type='mdev' model='vfio-pci' display='on'><source><address uuid='$1'/></source></hostdev>"
}
pci_hostdev() # BUS SLOT FUNCTION [MORE]
{
    echo "<hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0x0000' bus='$1' slot='$2' function='$3'/></source>${4:-}</hostdev>"
}
domain() # N HOSTDEVS [METADATA]
{
    cat << XML
<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>vm$1</name>
<uuid>$(domain_uuid "$1")</uuid><metadata>${3:-}</metadata><memory>65536</memory><os><type>hvm</type></os>
<devices><graphics type='vnc'/>$2</devices><test:runstate>5</test:runstate></domain>
XML
}
place="<address type='pci' domain='0x0000' bus='0x00' slot='0x10' function='0x0'/>"
nic=$(pci_hostdev 0x07 0x00 0x0)
{
    echo '<node>'
    domain 1 "$(mdev_hostdev $mdev)$(mdev_hostdev $defined)"
    domain 2 "$(pci_hostdev 0x61 0x00 0x4 "$place")$nic"
    domain 3 "$(mdev_hostdev $lost)"
    domain 4 "$(pci_hostdev 0xc1 0x02 0x0)$(pci_hostdev 0xc1 0x00 0x0)"
    domain 5 "$nic"
    domain 6 "$(mdev_hostdev $mdev)$(mdev_hostdev $lost)"
    domain 7 "$(pci_hostdev 0x61 0x00 0x5)"
    domain 8 "$(pci_hostdev 0xc1 0x02 0x1)" | sed 's/<test:runstate>5/<test:runstate>1/'
    domain 9 "$(mdev_hostdev $others)" "<vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'>
<vgpu:device uuid='$others' profile='NVIDIA A2-1Q'/></vgpu:devices>"
    domain 10 "$(mdev_hostdev $others)"
    domain 11 "$(mdev_hostdev $pooled)"
    echo '</node>'
} > "$root/host.xml"
mkdir -p "$root/sys/bus/pci/devices/0000:07:00.0" "$root/etc/mdevctl.d/0000:41:00.5" "$root/etc/systemd/system"
echo '{"mdev_type":"nvidia-745","start":"auto"}' > "$root/etc/mdevctl.d/0000:41:00.5/$defined"
write() { FAKE_DRIVER_ROOT=$root "$builddir/tests/make-tree" --write "$1" "$2"; }
by_hand=sys/bus/pci/devices/0000:61:00.4/nvidia/current_vgpu_type
write "$root/sys/class/mdev_bus/0000:41:00.4/mdev_supported_types/nvidia-746/create" $mdev
write "$root/sys/class/mdev_bus/0000:84:00.0/mdev_supported_types/nvidia-39/create" $pooled
write "$root/$by_hand" 1152
printf '[Service]\nExecStart=/bin/sh -c "echo 1152 > /%s"\n' $by_hand > "$root/etc/systemd/system/vgpu.service"

# run ARGUMENT...: virt-vgpu, in a libvirt that is edited
run()
{
    ASAN_OPTIONS=verify_asan_link_order=0 FAKE_DRIVER_ROOT=$root LD_PRELOAD=$builddir/tests/flaky-libvirt.so \
        VIRT_VGPU_ROOT=$root "$builddir/virt-vgpu" "$@"
}
status_is() # STATUS COMMAND...
{
    want=$1
    shift
    "$@" > "$root/said" 2>&1
    [ $? -eq "$want" ]
}
said() { grep -qF -- "$1" "$root/said"; }
has() { grep -qF -- "$2" "$root/definitions/vm$1"; }
untouched() { [ ! -e "$root/definitions/vm$1" ]; }

check "the daemon starts" up

# --- usage --------------------------------------------------------------------------------------
check "a domain is needed" status_is 2 run import
check "all are only looked at" status_is 2 run import --all
check "one or all" status_is 2 run import vm1 --all --dry-run
check "there must be such a domain" fails_with nosuch run import nosuch

# --- all of them --------------------------------------------------------------------------------
check "domains that could be imported are listed" status_is 0 run import --all --dry-run --wide
for text in "vm1     NVIDIA A2-4Q on 0000:41:00.4, mdev $mdev; NVIDIA A2-2Q on 0000:41:00.5, mdev $defined" \
    "vm2     NVIDIA L40S-8Q on 0000:61:00.4" "vm3     -" "vf on 0000:c1:02.0"; do
    check "with '$text'" said "$text"
done
check "but no domain without a vGPU" not said vm5
run import --all --dry-run --noheadings -o domain > "$root/said"
check "their names alone, for a script" test "$(sort "$root/said" | head -n 2 | xargs)" = "vm1 vm10"
check "there is no table for one domain" status_is 2 run import vm1 --dry-run --noheadings
check "also as JSON" says '"domain":"vm3"' run import --all --dry-run --json
check "with a reason" said '"possible" : false'

# --- only looked at -----------------------------------------------------------------------------
check "a dry run" status_is 0 run import vm2 --dry-run
for text in "1 vGPU would be imported" "+++ vm2" '+      <vgpu:device profile="NVIDIA L40S-8Q" gpu="0000:61:00.4"' \
    '+      <alias name="ua-vgpu-0"/>' \
    "/etc/systemd/system/vgpu.service:2" "systemctl disable vgpu.service" \
    "echo 0 > /sys/bus/pci/devices/0000:61:00.4/nvidia/current_vgpu_type"; do
    check "says '$text'" said "$text"
done
check "and changes nothing" untouched 2

# --- mdevs --------------------------------------------------------------------------------------
check "mdevs are imported" status_is 0 run import vm1
check "the existing mdev by its own type" has 1 "<vgpu:device profile=\"NVIDIA A2-4Q\" uuid=\"$mdev\" gpu=\"0000:41:00.4\"/>"
check "the other by mdevctl's definition" has 1 "<vgpu:device profile=\"NVIDIA A2-2Q\" uuid=\"$defined\" gpu=\"0000:41:00.5\"/>"
check "their hostdevs stay" has 1 "<address uuid='$mdev'/>"
check "mdevctl is named" said "mdevctl modify --manual --uuid $defined"

# --- VFs ----------------------------------------------------------------------------------------
check "a VF is imported" says '"hostdev":"replaced"' run import vm2 --json
check "with display and place as they were" has 2 'gpu="0000:61:00.4" display="off" ramfb="off"'
check "its place is in the annotation" has 2 'slot="0x10"'
check "its hostdev is out" not has 2 "bus='0x61'"
check "that of a network card stays" has 2 "bus='0x07'"
check "a plain VF is imported" status_is 0 run import vm4
check "as that" has 4 '<vgpu:device profile="vf" gpu="0000:c1:02.0"/>'
check "the GPU beside it stays" has 4 "bus='0xc1' slot='0x00'"
check "of a running domain" status_is 0 run import vm8
check "only the definition changes" said "keeps its devices until it stops"

# --- unknown devices ----------------------------------------------------------------------------
check "an mdev of an unknown type is refused" fails_with "the <hostdev> of $lost cannot be imported" run import vm3
check "with the remedy" said -- --profile
check "nothing is changed then" untouched 3
check "nor where only one of them is not known" status_is 1 run import vm6
check "all or nothing" untouched 6
check "it may be said" status_is 0 run import vm3 --profile A2-1Q
check "then it is imported" has 3 "<vgpu:device profile=\"A2-1Q\" uuid=\"$lost\"/>"
check "a VF without a type" fails_with "no type is set on the VF" run import vm7
check "nothing to import is no failure" status_is 0 run import vm5
check "but said" said "no vGPU that was made by hand"

check "another domain's is not taken" fails_with "it is the vGPU of domain 'vm9'" run import vm10
echo "<vgpupool><name>design</name><source><gpu address='0000:84:00.0'/></source>
<profiles><profile name='GRID M10-1Q'/></profiles></vgpupool>" > "$root/design.xml"
check "a pool is made" cli pool-define "$root/design.xml"
check "a device on a GPU of the pool" status_is 0 run import vm11
check "asks for the pool" has 11 '<vgpu:device pool="design" profile="GRID M10-1Q" uuid='

# --- libvirt refuses the definition -------------------------------------------------------------
rm "$root"/definitions/*
knob detach_fails 1
check "a detach that fails" fails_with "cannot remove a device from the definition of domain 'vm2'" run import vm2
check "leaves no annotation" not has 2 "vgpu:device"
check "and the hostdev" has 2 "bus='0x61'"
unknob detach_fails

# --- the same through the daemon ----------------------------------------------------------------
check "it is imported" status_is 0 run import vm2
down
write "$root/$by_hand" 0
{
    echo '<node>'
    sed "s/<domain /&xmlns:test='http:\/\/libvirt.org\/schemas\/domain\/test\/1.0' /
         s/<\/domain>/<test:runstate>5<\/test:runstate>&/" "$root/definitions/vm2"
    echo '</node>'
} > "$root/host.xml"
check "the next daemon starts" up
check "and puts ours there" until_true has 2 "<alias name='ua-vgpu-0'/>"
check "on the same VF" has 2 "bus='0x61' slot='0x00' function='0x4'"
check "at the same place in the guest" has 2 "bus='0x00' slot='0x10' function='0x0'"
cp "$root/definitions/vm2" "$root/vm2.xml"
check "it starts" prepare 2
check "with its type" says 1152 cat "$root/$by_hand"
down
finish
