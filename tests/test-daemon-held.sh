#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Room that is held on VFs (create="define") with the real daemon, hook and libvirt's test driver: over kills and a
# reboot, against a domain that starts first, and until its domain is undefined.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session
"$builddir/tests/make-tree" --add "$root" s7150 || exit 1

vf=0000:c1:02
wants() # N CREATE: domain vmN wants a VF
{
    domain_xml "$1" | sed "s/<devices/<metadata><v:devices xmlns:v='urn:virt-vgpu:domain:1'><v:device profile='vf' \
create='$2'\/><\/v:devices><\/metadata>&/" > "$root/vm$1.xml"
}
named() # N FUNCTION: vmN's XML with the hostdev of that VF, as its definition is by then
{
    sed "s/<devices\/>/<devices><hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0' \
bus='0xc1' slot='0x02' function='0x$2'\/><\/source><alias name='ua-vgpu-0'\/><\/hostdev><\/devices>/" \
        "$root/vm$1.xml" > "$root/new.xml" && mv "$root/new.xml" "$root/vm$1.xml"
}
defined() # N...: the domains that libvirt has
{
    echo '<node>'
    for n in "$@"; do
        switched_off "$n"
    done
    echo '</node>'
}
held() { grep -F "parent=$vf.$2" "$root/var/lib/virt-vgpu/held/$(domain_uuid "$1")"; }
not_held() { [ ! -e "$root/var/lib/virt-vgpu/held/$(domain_uuid "$1")" ]; }
listed() # N STATE PARENT
{
    cli list --all --json | tr -d ' \n' | tr '{' '\n' | grep "\"domain\":\"vm$1\"" | grep "\"parent\":\"$vf.$3" |
        grep "\"state\":\"$2\""
}
has_vf() { grep -F "parent=$vf.$2" "$root/run/virt-vgpu/claims/$(domain_uuid "$1")"; }
reboot() { killed && rm -rf "$root/run/virt-vgpu/claims"; }

for n in 1 2 3 4; do
    wants "$n" define
done
wants 5 start
defined 1 2 3 4 5 > "$root/host.xml"
check "the daemon starts" up
for n in 1 2 3 4; do
    check "room is held for vm$n" until_true held "$n" ""
done
check "it is listed" until_true listed 1 planned ""
first=$(held 1 "" | sed 's/.*\.//')
check "a domain without gets none" fails_with "no GPU has room for a vGPU 'vf'" prepare 5
reboot
check "after a reboot" up
check "it is refused again, though it is the first" fails_with "no GPU has room for a vGPU 'vf'" prepare 5
named 1 "$first"
check "the domain for which it is held starts" prepare 1
check "in its place" has_vf 1 "$first"
check "and is listed once" listed 1 active "$first"
check "it stops" release 1
check "the device is removed" until_true nothing_left
check "its room stays" held 1 "$first"

killed
defined 2 3 4 5 > "$root/host.xml" # vm1 is undefined meanwhile
check "it starts without vm1" up
check "whose room is no longer held" until_true not_held 1
check "but that of the others" held 2 ""
check "now vm5 starts" prepare 5
check "where that was" has_vf 5 "$first"
check "and stops" release 5
check "and leaves" until_true nothing_left

check "room is held by hand" says "\"state\":\"planned\"" cli create 0000:c1:00.0 vf --persistent \
    --uuid 99999999-0000-4000-8000-000000000001 --json
check "vm5 gets none then" fails_with "no GPU has room for a vGPU 'vf'" prepare 5
killed
check "nor after a restart" up
check "it is refused" fails_with "no GPU has room for a vGPU 'vf'" prepare 5
check "until that is destroyed" cli destroy 99999999-0000-4000-8000-000000000001
check "then it starts" prepare 5

# --- a whole GPU passed through to another domain ---------------------------------------------
killed
domain_xml 6 | sed "s/<devices\/>/<devices><hostdev mode='subsystem' type='pci' managed='yes'><source><address \
domain='0x0' bus='0xc1' slot='0' function='0'\/><\/source><\/hostdev><\/devices>/" > "$root/vm6.xml"
defined 2 3 4 5 6 > "$root/host.xml"
check "the daemon starts beside a domain that passes the GPU through" up
doctor_says() { cli doctor > "$root/said"; tr -d ' \n' < "$root/said" | grep -F -- "$1"; }
whole="GPU0000:c1:00.0ispassedthroughwholebydomain'vm6'"
check "vm5 starts" prepare 5
check "doctor says that it would lose its VF" until_true doctor_says "$whole"
check "pool-info says so" says "0000:c1:00.0:domain'vm6'" cli pool-info default --json
wants 7 start
check "vm5 stops" release 5
check "and leaves" until_true nothing_left
check "doctor has nothing to say then" not doctor_says "$whole"
check "explain says so" says "untildomain'vm6'starts" cli explain --xml "$root/vm7.xml"
killed
defined 2 3 4 5 > "$root/host.xml"
check "without that domain" up
check "the look at all is over" until_true listed 2 planned ""
check "explain no longer says it" not says "untildomain'vm6'starts" cli explain --xml "$root/vm7.xml"

finish
