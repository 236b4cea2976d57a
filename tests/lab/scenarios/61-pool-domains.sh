#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Domains that a pool names get their vGPU without an annotation, no matter which program defines them, and how
# takes: 60
# timeout: 400
# once: battery
# releases: trixie
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

rom=/lab/work/firmware.bin
# vgpu_of NAME: the UUID of its vGPU.
vgpu_of() { vgpu_uuid "$(domain_uuid "$1")" 0; }
# restart_needed NAME WANTED: whether list says so.
restart_needed() { [ "$(json "[r['restart_needed'] for r in v if r['domain'] == '$1']" list)" = "[$2]" ]; }
# comes_late NAME: it was started without its vGPU, has got it meanwhile, and will have the display after the next start.
comes_late() {
    wait_for 60 has_live "$1" 0
    assert_grep "display='off'.*ramfb='off'" "$(live_hostdev "$1" 0)" "hostdev of $1"
    assert_not_grep vfio-pci "$(tr '\0' ' ' < "/proc/$(qemu_pid "$1")/cmdline")" "QEMU of $1 was started with"
    wait_for 60 has_defined "$1" 0 "display='on'"
    wait_for 60 restart_needed "$1" True
}

say "a pool, and two domains that it leaves alone"
cat > /run/lab-cad.xml << XML
<vgpupool>
  <name>cad</name>
  <source><gpu address='$M10'/><gpu address='$M10B'/></source>
  <profiles><profile name='GRID M10-2Q'/></profiles>
  <domains><domain name='cad-*' devices='1'/></domains>
</vgpupool>
XML
virt-vgpu pool-define /run/lab-cad.xml
virt-vgpu pool-start cad
define office --graphics
define cad-none --graphics --annot "$(annotation)"
for name in office cad-none; do virsh -q dumpxml $name > /run/lab-$name.before; done

say "virt-install and virt-manager's library start, which takes long here"
virt-install --name cad-2 --memory 16 --import --disk none --network none --osinfo detect=off,require=off \
    --machine q35 --boot loader="$rom",loader.readonly=yes,loader.type=rom --graphics vnc --sound none \
    --noautoconsole > /run/lab-cad-2.log 2>&1 &
install=$!
mkdir -p /run/lab-media # it makes a storage pool of the directory, too
echo > /run/lab-media/install.iso
/usr/bin/python3 /lab/src/tests/lab/virt-manager.py cad-3 /run/lab-media/install.iso $rom > /run/lab-cad-3.log 2>&1 &
manager=$!
undo() {
    # shellcheck disable=SC2046
    kill $(jobs -p) 2> /dev/null || true
    virsh -q "pool-destroy lab-media; pool-undefine lab-media" > /dev/null 2>&1 || true
}
trap undo EXIT

say "defined"
define cad-1 --graphics
wait_for 30 is_injected cad-1
assert_grep 'pool="cad" count="1"' "$(virsh -q metadata cad-1 --uri "$NS" | tr "'" '"')" "annotation"
vgpu=$(vgpu_of cad-1)
virsh -q start cad-1
assert_grep "uuid='$vgpu'" "$(live_hostdev cad-1 0)" "hostdev"
assert_grep "display='on'.*ramfb='on'" "$(live_hostdev cad-1 0)" "hostdev"
mdev_exists "$vgpu" || fail "it has no vGPU"
restart_needed cad-1 False || fail "it needs a restart"
virsh -q destroy cad-1
wait_for 30 not mdev_exists "$vgpu"

say "virt-install"
wait $install || fail "virt-install: $(cat /run/lab-cad-2.log)"
comes_late cad-2
virsh -q "destroy cad-2; start cad-2"
assert_grep "display='on'.*ramfb='on'" "$(live_hostdev cad-2 0)" "hostdev at its second start"
restart_needed cad-2 False || fail "it still needs a restart"

say "virt-manager's library"
wait $manager || fail "virt-manager.py: $(cat /run/lab-cad-3.log)"
comes_late cad-3
assert_grep install.iso "$(virsh -q dumpxml cad-3)" "its first run"
assert_not_grep install.iso "$(virsh -q dumpxml cad-3 --inactive)" "its definition"

say "a transient one, created while virtvgpud was down: its start is not delayed"
daemon_stop
domain_xml cad-4 > /run/lab-cad-4.xml
virsh -q create /run/lab-cad-4.xml
daemon_start
wait_for 60 has_live cad-4 0

say "left alone"
for name in office cad-none; do virsh -q dumpxml $name | diff - /run/lab-$name.before; done
virsh -q "destroy cad-2; destroy cad-3; destroy cad-4"
wait_for 30 nothing_left
