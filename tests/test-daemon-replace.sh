#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The real daemon, the fake driver, and a libvirt whose definitions it changes: a hostdev is replaced, as its virtual
# function has vanished with its card. The user's additions must be on the new one in any case: if the daemon is
# killed after the removal of the old one, or if libvirt refuses the new one, or any change.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin none
"$builddir/tests/make-tree" --add "$root" s7150
# shellcheck disable=SC2034 # for start_daemon
preload=$builddir/tests/flaky-libvirt.so
mkdir "$root/definitions"

called_times() { [ "$(grep -cx "$2" "$root/calls")" -ge "$1" ]; }
defined() { grep -q "$1" "$root/definitions/vm1"; }
record=$root/var/lib/virt-vgpu/vfs/$(domain_uuid 1)
has_aside() { grep -q '^aside=.*igd.rom' "$record"; }
has_no_aside() { ! has_aside; }

# on_vf BUS: domain vm1 with a hostdev of ours on that bus, to which its user has added something
on_vf()
{
    cat << XML
<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>vm1</name>
<uuid>$(domain_uuid 1)</uuid><memory>65536</memory><metadata><vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'>
<vgpu:device profile='vf'/></vgpu:devices></metadata><os><type>hvm</type></os><devices>
<disk type='file' device='disk'><source file='/vm1'/><target dev='hda' bus='ide'/><boot order='1'/></disk>
<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='$1' slot='0x02'
function='0x0'/></source><alias name='ua-vgpu-0'/><rom bar='off' file='/igd.rom'/><boot order='4'/><address type='pci'
domain='0x0000' bus='0x00' slot='0x10' function='0x0'/></hostdev></devices><test:runstate>5</test:runstate></domain>
XML
}

# libvirt_has FILE: the definition of vm1 for the next daemon
libvirt_has()
{
    {
        echo '<node>'
        if grep -q runstate "$1"; then
            cat "$1"
        else
            sed "s/<domain /&xmlns:test='http:\/\/libvirt.org\/schemas\/domain\/test\/1.0' /
                 s/<\/domain>/<test:runstate>5<\/test:runstate>&/" "$1"
        fi
        echo '</node>'
    } > "$root/host.xml"
}

# The new one has what the old one had.
is_replaced()
{
    defined "bus='0xc1' slot='0x02'" && defined "file='/igd.rom'" && defined "<boot order='4'/>" &&
        defined "bus='0x00' slot='0x10'" && [ "$(grep -c '<hostdev' "$root/definitions/vm1")" -eq 1 ]
}

on_vf 0xc9 > "$root/old.xml"
libvirt_has "$root/old.xml"
knob edits 1

# --- without interruption ---------------------------------------------------------------------------
check "the daemon starts" up
check "the hostdev is replaced" until_true is_replaced
check "nothing is set aside any more" until_true has_no_aside
killed

# --- the daemon is killed between the two -----------------------------------------------------------
rm -f "$root/definitions/vm1" "$record" "$root/calls"
libvirt_has "$root/old.xml"
knob dies_detached 1
start_daemon
{ wait "$daemon"; } 2> /dev/null
check "the old one is out of the definition" not defined "ua-vgpu-0"
check "and on disk" has_aside
unknob dies_detached
libvirt_has "$root/definitions/vm1"
check "the next daemon starts" up
check "the new one has what the old one had" until_true is_replaced
check "and nothing is set aside any more" until_true has_no_aside
killed

# --- libvirt refuses the new one --------------------------------------------------------------------
rm -f "$root/definitions/vm1" "$record" "$root/calls"
libvirt_has "$root/old.xml"
knob refuses 'bus="0xc1"'
check "the daemon starts, and libvirt takes no new one" up
check "the old one is put back" until_true called_times 2 "attach vm1"
check "which is said" until_true log_says "'ua-vgpu-0' is in its definition again as it was"
check "as it was" until_true defined "bus='0xc9' slot='0x02'"
check "with the additions" until_true defined "file='/igd.rom'"
check "after five tries it waits" until_true log_says "libvirt has refused its devices five times within a minute"
cp "$root/calls" "$root/calls.before"
sleep 1
check "and really does" cmp "$root/calls" "$root/calls.before"
killed
libvirt_has "$root/definitions/vm1"
unknob refuses
check "the next daemon starts" up
check "the new one has what the old one had" until_true is_replaced
killed

# --- libvirt refuses all changes for a while --------------------------------------------------------
rm -f "$root/definitions/vm1" "$record" "$root/calls"
libvirt_has "$root/old.xml"
knob attach_fails 1
check "the daemon starts, and libvirt takes nothing" up
check "which is said" until_true log_says "'ua-vgpu-0' is missing in its definition until that can be changed"
check "the old one stays set aside" has_aside
killed
libvirt_has "$root/definitions/vm1"
check "the next daemon starts" up
unknob attach_fails
check "the new one has what the old one had" until_true is_replaced
check "and nothing is set aside any more" until_true has_no_aside

finish
