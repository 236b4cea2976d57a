#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The real daemon, the fake driver, and a libvirt that autostarts its domains before it serves clients: domains whose
# virtual functions are missing after a change of cards are started again once their definitions have been moved.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin none
"$builddir/tests/make-tree" --add "$root" s7150
# shellcheck disable=SC2034 # for start_daemon
preload=$builddir/tests/flaky-libvirt.so

refused() { ! prepare "$1" 2> "$root/said" && grep "$2" "$root/said"; }
called() { grep -qx "$1" "$root/calls"; }
called_times() { [ "$(grep -cx "$2" "$root/calls")" -eq "$1" ]; }
config() { printf '[daemon]\nrestart_moved=%s\n' "$1" > "$root/etc/virt-vgpu/virt-vgpu.conf"; }

# on_vf N: domain vmN, whose definition names a VF that is not there
on_vf()
{
    cat << XML
<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>vm$1</name>
<uuid>$(domain_uuid "$1")</uuid><memory>65536</memory><metadata><vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'>
<vgpu:device profile='vf'/></vgpu:devices></metadata><os><type>hvm</type></os><devices>
<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='0xc9' slot='0x02'
function='0x0'/></source><alias name='ua-vgpu-0'/></hostdev></devices><test:runstate>5</test:runstate></domain>
XML
}

{
    echo '<node>'
    for n in 1 2; do
        on_vf "$n" | tee "$root/vm$n.xml"
    done
    echo '</node>'
} > "$root/host.xml"
mkdir -p "$root/etc/virt-vgpu"
knob autostart-vm1 1

# --- not asked for --------------------------------------------------------------------------------
config no
knob connect_hangs 1
check "the daemon starts before libvirt serves it" up
check "the start of vm1 is refused" refused 1 "is being moved to another device"
unknob connect_hangs
check "its definition is moved" until_true called "attach vm1"
sleep 0.3
check "and it is left off" called_times 0 "create vm1"
killed
rm -f "$root/calls"

# --- asked for ------------------------------------------------------------------------------------
config yes
knob connect_hangs 1
check "it starts again" up
check "the start of vm1 is refused again" refused 1 "is being moved to another device"
check "and that of vm2, which has no autostart" refused 2 "is being moved to another device"
unknob connect_hangs
check "vm1 is started again" until_true called "create vm1"
check "which is said" until_true log_says "domain 'vm1'.*starting it again"
check "after its definition was moved" sh -c "grep vm1 '$root/calls' | grep -B 1 create | grep attach"
check "vm2 is not" until_true log_says "domain 'vm2' is not started again: it has no autostart"
check "a later start of vm1 is refused, too" refused 1 "is being moved to another device"
sleep 0.3
check "which is the user's" called_times 1 "create vm1"
check "and vm2 stays off" called_times 0 "create vm2"
killed

finish
