#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line of virt-vgpu uninstall-check, with the real daemon: a clean host, then each kind of leftover.
# shellcheck disable=SC2154 # make check sets hookdir
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session
annotation="<metadata><vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'><vgpu:device profile='NVIDIA A2-4Q'/></vgpu:devices></metadata>"
ours="<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='11111111-2222-4333-8444-555555555501'/></source><alias name='ua-vgpu-0'/></hostdev>"
users="<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='11111111-2222-4333-8444-555555555502'/></source></hostdev>"

domain() # N METADATA DEVICES STATE
{
    cat << XML
<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>vm$1</name>
<uuid>$(domain_uuid "$1")</uuid>$2<memory>65536</memory><os><type>hvm</type></os>
<devices>$3</devices><test:runstate>$4</test:runstate></domain>
XML
}
# shellcheck disable=SC2154 # begin sets it
node() { { echo '<node>' && cat && echo '</node>'; } > "$root/$1"; }
run() { VIRT_VGPU_ROOT=$root cli -c "test://$root/$node" "$@" > "$root/said" 2>&1; }
# row CHECK STATUS TEXT: the row of that check
row()
{
    tr -d '\n' < "$root/said" | sed 's/}/}\n/g' | grep -F "\"check\" : \"$1\"" > "$root/row"
    grep -F "\"status\" : \"$2\"" "$root/row" | grep -qF -- "$3"
}
is_clean() { run uninstall-check --json; }
not_clean() { ! run uninstall-check --json; }

domain 1 "" "" 5 | node clean.xml
cp "$root/clean.xml" "$root/host.xml"
{
    domain 2 "$annotation" "" 5
    domain 3 "$annotation" "$ours" 5
    domain 4 "$(echo "$annotation" | sed "s/profile=/uuid='11111111-2222-4333-8444-555555555502' &/")" "$users" 5
    domain 5 "" "$ours" 1
    domain 6 "" "$users" 5
    domain 7 "$(echo "$annotation" | sed "s/profile='[^']*'//")" "" 5
    domain 8 "$annotation" "" 5 | sed 's/<name>vm8/<name>vm8; reboot/'
} | node used.xml
node=clean.xml
check "the daemon starts" up

check "a clean host is clean" is_clean
for name in pools domains vGPUs records "persistent vGPUs" "held room" "kept room" "host layout" hook; do
    check "$name: ok" row "$name" ok ""
done
run uninstall-check
check "and said to be" grep -qx "virt-vgpu can be removed" "$root/said"
run uninstall-check --noheadings -o status
check "a program reads the table alone" test "$(sort -u "$root/said" | tr -d ' ')" = ok

node=used.xml
check "domains with vGPUs are not" not_clean
check "an annotated one starts without" row "domain vm2" fail "would start without a vGPU"
check "and can be mended" row "domain vm2" fail "virt-vgpu annotate vm2 --remove"
check "one with our device does not start" row "domain vm3" fail "1 device of virt-vgpu's"
check "one with its own mdev" row "domain vm4" fail "makes the mdev of its <hostdev>"
check "a command to copy has no name that a shell takes for more" \
    row "domain vm8; reboot" fail "virt-vgpu annotate $(domain_uuid 8) --remove"
check "one that runs" row "domain vm5" fail "virsh shutdown vm5"
check "a domain with only its own mdev is no finding" not row "domain vm6" fail ""
check "an unreadable file has its reason" row "domain vm7" fail "has no profile"
run uninstall-check
check "how many is said" grep -qx "7 things to do before virt-vgpu is removed" "$root/said"

node=clean.xml
uuid=$(cli create 84:00.0 'GRID M10-1Q' | sed -n 's/^vGPU \([^ ]*\) created.*/\1/p')
check "a vGPU without a domain is left" not_clean
check "with its verb" row "vGPU $uuid" fail "virt-vgpu destroy"
check "its record, too" row records fail "1 in /run/virt-vgpu/claims"
check "it is destroyed" cli destroy "$uuid"
check "then the host is clean again" is_clean

mkdir -p "$root/etc/virt-vgpu/pools" "$root/var/lib/virt-vgpu/mdevs" "$root/$hookdir" "$root/usr/sbin"
echo "<vgpuhost/>" > "$root/etc/virt-vgpu/host.xml"
echo "<vgpupool><name>a</name></vgpupool>" > "$root/etc/virt-vgpu/pools/a.xml"
touch "$root/usr/sbin/virt-vgpu-hook"
ln -sr "$root/usr/sbin/virt-vgpu-hook" "$root/$hookdir/50-virt-vgpu"
check "empty files and the package's link are clean" is_clean

echo "<vgpuhost><gpu address='0000:41:00.0'/></vgpuhost>" > "$root/etc/virt-vgpu/host.xml"
check "a host layout" not_clean
check "is named" row "host layout" fail "would no longer be set up at boot"
rm "$root/etc/virt-vgpu/host.xml"
echo "<vgpupool><name>a</name><domains><domain name='*'/></domains></vgpupool>" > "$root/etc/virt-vgpu/pools/a.xml"
check "a pool that annotates" not_clean
check "is named, too" row "pool a" fail "virt-vgpu pool-undefine a"
rm "$root/etc/virt-vgpu/pools/a.xml"
mkdir "$root/etc/virt-vgpu/pools/a.xml"
check "a pool that cannot be read" not_clean
check "may annotate" row "pool a" fail "run uninstall-check as root"
rmdir "$root/etc/virt-vgpu/pools/a.xml"
touch "$root/var/lib/virt-vgpu/mdevs/x"
check "a persistent vGPU" not_clean
check "is one" row "persistent vGPUs" fail "1 in /var/lib/virt-vgpu/mdevs"
rm "$root/var/lib/virt-vgpu/mdevs/x"
mkdir -p "$root/var/lib/virt-vgpu/saved"
touch "$root/var/lib/virt-vgpu/saved/x"
check "a saved domain" not_clean
check "that has its room kept" row "kept room" fail "1 in /var/lib/virt-vgpu/saved"
rm "$root/var/lib/virt-vgpu/saved/x" "$root/usr/sbin/virt-vgpu-hook"
check "a hook that points to nothing" not_clean
check "can be removed" row hook fail "rm /$hookdir/50-virt-vgpu"
rm "$root/$hookdir/50-virt-vgpu"
touch "$root/$hookdir/50-virt-vgpu"
check "one that was copied" not_clean
check "stays when the package is removed" row hook fail "is a file"
rm "$root/$hookdir/50-virt-vgpu"

node=missing.xml
check "without libvirt's answer the host is not clean" not_clean
check "with its reason" row domains fail "missing.xml"
node=clean.xml
down
check "nor without the daemon's" not_clean
check "which can be started" row vGPUs fail "systemctl start virtvgpud"
finish
