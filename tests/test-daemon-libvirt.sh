#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The real daemon with the fake driver and a libvirt that fails: a domain that cannot be read, a list that
# cannot be read; and a daemon that is killed while it creates, before libvirt can be asked.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin none
# shellcheck disable=SC2034 # for start_daemon
preload=$builddir/tests/flaky-libvirt.so

refused() { ! prepare "$1" 2> "$root/said" && grep "$2" "$root/said"; }

# All are off, as far as libvirt knows.
{
    echo '<node>'
    for n in 1 2; do
        annotated "$n" A2-4Q
        switched_off "$n"
    done
    echo '</node>'
} > "$root/host.xml"

# --- a domain that cannot be read -----------------------------------------------------------------
check "the daemon starts" up
check "a domain starts" prepare 1
check "and another" prepare 2
killed
knob unreadable-vm2 1
check "it starts again, vm2 cannot be read" up
check "the log says so" until_true log_says "domain 'vm2'.*depth.*left alone"
check "the other domain's vGPU is removed" until_true has_no_record 1
check "that of vm2, which may run, stays" has_record 2
check "with its device" has_devices 1
unknob unreadable-vm2
check "it is looked at again automatically" until_true nothing_left
check "a domain starts" prepare 1
killed

# --- a list that cannot be read -------------------------------------------------------------------
knob list_fails 1
check "it starts while domains cannot be listed" up
check "which is said" until_true log_says "cannot list the domains.*trying again"
unknob list_fails
check "a failed comparison is repeated" until_true nothing_left
check "on the one watch" sh -c "! grep 'already tracked' '$root/log'"
killed

# --- killed while it creates, and the next start fails --------------------------------------------
knob list_fails 1
check "the daemon starts" up
knob create_late_ms 2000
prepare 1 > /dev/null 2>&1 &
hook_pid=$!
check "vm1 is being made" until_true grep -q '^phase=creating' "$root/run/virt-vgpu/claims/$(domain_uuid 1)"
check "its device is there" until_true has_devices 1
kill -9 "$hook_pid" 2> /dev/null
killed
unknob create_late_ms
check "the next daemon starts" up
sed -i 's/<\/vgpu:devices>/<vgpu:device gpu="0000:41:00.0" profile="P40-1Q"\/>&/' "$root/vm1.xml"
check "the next start of vm1 is refused for its second device" refused 1 "P40-1Q"
check "nothing is left, though libvirt cannot be asked" until_true nothing_left

killed

# --- libvirt was upgraded before the daemon was started again -------------------------------------
"$builddir/tests/make-tree" --add "$root" l40s
domain_xml 3 > "$root/vm3.xml"
sed -i "s/<os>/<metadata><vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'><vgpu:device profile='L40S-4Q'\/>\
<\/vgpu:devices><\/metadata><os>/
s/<devices\/>/<devices><hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0x0000' bus='0x61' \
slot='0x00' function='0x4'\/><\/source><alias name='ua-vgpu-0'\/><\/hostdev><\/devices>/" "$root/vm3.xml"
unknob list_fails
knob old_library 1
knob new_libvirt 1
knob connect_hangs 1
check "the daemon starts with an old library" up
check "which counts as long as nothing is connected" refused 3 "needs libvirt 9.7 or newer; this is 9.0.0"
unknob connect_hangs
check "then the connected version counts" until_true prepare 3

finish
