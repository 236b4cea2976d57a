#!/bin/bash
# Domains that a pool names get their vGPU without an annotation, whoever makes them and however
# releases: trixie
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

rom=/lab/work/firmware.bin
# restart_needed NAME: what list says.
restart_needed() { json "[r['restart_needed'] for r in v if r['domain'] == '$1']" list; }
# comes_late NAME: it was started without its vGPU, has it now, and with display from the next start on.
comes_late() {
    wait_for 60 has_live "$1" 0
    assert_grep "display='off'.*ramfb='off'" "$(live_hostdev "$1" 0)" "hostdev of $1"
    assert_not_grep vfio-pci "$(tr '\0' ' ' < "/proc/$(qemu_pid "$1")/cmdline")" "QEMU of $1 was started with"
    wait_for 60 has_defined "$1" 0 "display='on'"
    assert_eq "$(restart_needed "$1")" "[True]" "restart_needed of $1"
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

say "defined"
define cad-1 --graphics
wait_for 30 is_injected cad-1
assert_grep 'pool="cad" count="1"' "$(virsh -q metadata cad-1 --uri "$NS" | tr "'" '"')" "annotation"
virsh -q start cad-1
assert_grep "display='on'.*ramfb='on'" "$(live_hostdev cad-1 0)" "hostdev"
assert_eq "$(mdevs)" "$(vgpu_uuid "$(domain_uuid cad-1)" 0)" "vGPUs"
assert_eq "$(restart_needed cad-1)" "[False]" "restart_needed"
virsh -q destroy cad-1
wait_for 30 nothing_left

say "virt-install"
time virt-install --name cad-2 --memory 16 --import --disk none --network none --osinfo detect=off,require=off \
    --machine q35 --boot loader="$rom",loader.readonly=yes,loader.type=rom --graphics vnc --sound none --noautoconsole
comes_late cad-2
virsh -q "destroy cad-2; start cad-2"
assert_grep "display='on'.*ramfb='on'" "$(live_hostdev cad-2 0)" "hostdev at its second start"
assert_eq "$(restart_needed cad-2)" "[False]" "restart_needed"

say "virt-manager's library"
echo > /run/lab-install.iso
time /usr/bin/python3 /lab/src/tests/lab/virt-manager.py cad-3 /run/lab-install.iso "$rom"
comes_late cad-3
[ "$(virsh -q dumpxml cad-3 | grep -c lab-install)" = 1 ] || fail "it was not made in two steps"

say "a transient one, created while virtvgpud was away: nothing holds up its start"
daemon_stop
domain_xml cad-4 > /run/lab-cad-4.xml
virsh -q create /run/lab-cad-4.xml
daemon_start
wait_for 60 has_live cad-4 0

say "left alone"
for name in office cad-none; do virsh -q dumpxml $name | diff - /run/lab-$name.before; done
virsh -q "destroy cad-2; destroy cad-3; destroy cad-4"
wait_for 30 nothing_left
