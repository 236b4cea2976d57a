#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Upgrade, removal, reinstallation and purge of the package, under running domains, do what docs/packages.md promises
# takes: 250
# once: battery
# init: systemd
# needs: the package of an older version
# timeout: 1500
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

hook=/etc/libvirt/hooks/qemu.d/50-virt-vgpu
web=$(vgpu_uuid 3b0f4d3e-5d3a-4d55-9c1e-5b5c3f0a7b34 0)

trap 'daemon_installed || quick_dpkg -i "$PACKAGE"' EXIT # the other scenarios need it

version() { json 'v["daemon_version"]' version; }
socket() { awk '$8 == "/run/virt-vgpu/hook.sock" { print $7 }' /proc/net/unix; }
# units: whether they are enabled, and whether they run.
units() {
    systemctl is-enabled virtvgpud.socket virtvgpud.service virt-vgpu-host.service | xargs
    systemctl is-active virtvgpud.socket virtvgpud.service | xargs
}
only_web() { [ "$(mdevs)" = "$web" ]; }
on="enabled enabled enabled
active active"

# plain_starts PID: starts a domain without a vGPU, again and again, as long as that process runs. Prints how often.
plain_starts() {
    local n=0
    while kill -0 "$1" 2> /dev/null; do
        virsh -q start plain && virsh -q destroy plain || return
        n=$((n + 1))
    done
    echo $n
}
# around OPTION…: dpkg, and the domain that runs is not touched. A domain without a vGPU is started all the time, except
# during a removal: libvirt looks which hooks there are and then runs them, and dpkg may remove ours in between.
around() {
    local pid starts=0
    quick_dpkg "$@" > /run/lab-dpkg 2>&1 &
    pid=$!
    if [ "$1" = -i ]; then
        plain_starts $pid > /run/lab-starts || fail "a domain without a vGPU was refused during dpkg $*"
        starts=$(cat /run/lab-starts)
    fi
    wait $pid || fail "dpkg $*: $(cat /run/lab-dpkg)"
    virsh -q start plain
    virsh -q destroy plain
    say "dpkg $*: $starts starts of a domain without a vGPU meanwhile"
    same_qemu web "$qemu"
    assert_eq "$(mdevs)" "$web" "mdevs"
}

say "as the package has set up the host before the boot"
assert_eq "$(units)" "$on" "units"
assert_eq "$(version)-1" "$(dpkg-query -W -f '${Version}' virt-vgpu)" "version"

say "an older version, and a running domain"
quick_dpkg -i "$PACKAGE_OLD" > /run/lab-dpkg 2>&1 || fail "$(cat /run/lab-dpkg)"
assert_eq "$(version)" 0.1.9 "version"
echo "# mine" > /etc/virt-vgpu/virt-vgpu.conf
define plain
define_vgpu web "profile='NVIDIA A2-4Q'" --uuid 3b0f4d3e-5d3a-4d55-9c1e-5b5c3f0a7b34
define_vgpu late "profile='NVIDIA A2-4Q'"
virsh -q start web
qemu=$(qemu_pid web)

say "upgrade"
socket=$(socket)
around -i "$PACKAGE"
assert_eq "$(units)" "$on" "units"
assert_eq "$(version)-1" "$(dpkg-query -W -f '${Version}' virt-vgpu)" "version"
assert_eq "$(socket)" "$socket" "the hook's socket"
wait_for 10 vgpu_state "$web" active
virsh -q start late
virsh -q destroy late
wait_for 10 only_web

say "removal"
around --remove virt-vgpu
assert_grep "'?web'?" "$(cat /run/lab-dpkg)" "what the removal says"
if [ -e $hook ] || [ -L $hook ]; then fail "$hook is left"; fi
[ -z "$(socket)" ] || fail "the hook's socket is open"
assert_eq "$(cat /etc/virt-vgpu/virt-vgpu.conf)" "# mine" "virt-vgpu.conf"
assert_fails "not found|No such" virsh -q start late
virsh -q destroy web
assert_eq "$(mdevs)" "$web" "mdevs after the domain's stop"

say "reinstallation takes up the records"
quick_dpkg -i "$PACKAGE" > /run/lab-dpkg 2>&1 || fail "$(cat /run/lab-dpkg)"
assert_eq "$(units)" "$on" "units"
virsh -q list > /dev/null # libvirtd ends when it is idle, and virtvgpud does not start it
wait_for 20 nothing_left
virsh -q start web
qemu=$(qemu_pid web)

say "purge, while domains have vGPUs"
around --purge virt-vgpu
assert_grep "keeping /etc/virt-vgpu and /var/lib/virt-vgpu for the domains with its vGPUs: late web" "$(cat /run/lab-dpkg)" "purge"
assert_eq "$(cat /etc/virt-vgpu/virt-vgpu.conf)" "# mine" "virt-vgpu.conf"
[ -d /var/lib/virt-vgpu ] || fail "/var/lib/virt-vgpu is removed"
around -i "$PACKAGE"
wait_for 10 vgpu_state "$web" active
virsh -q destroy web
wait_for 10 nothing_left

say "purge, with no such domain"
for name in web late; do virsh -q undefine $name; done
quick_dpkg --purge virt-vgpu > /run/lab-dpkg 2>&1 || fail "$(cat /run/lab-dpkg)"
for path in /etc/virt-vgpu /var/lib/virt-vgpu /run/virt-vgpu /usr/sbin/virtvgpud; do
    [ ! -e $path ] || fail "$path is left: $(ls -R $path)"
done
virsh -q start plain
virsh -q destroy plain

say "the package again, for the other scenarios"
quick_dpkg -i "$PACKAGE" > /run/lab-dpkg 2>&1 || fail "$(cat /run/lab-dpkg)"
assert_eq "$(units)" "$on" "units"
define_vgpu web "profile='NVIDIA A2-4Q'"
virsh -q start web
virsh -q destroy web
wait_for 10 nothing_left
