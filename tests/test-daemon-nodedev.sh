#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The real daemon without node devices: a list that hangs, which must not delay anything else, and a
# connection that has lost them, as after a restart of virtnodedevd. And a domain that is busy for a while.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session
# shellcheck disable=SC2034 # for start_daemon
preload=$builddir/tests/flaky-libvirt.so

up()
{
    : > "$root/calls"
    : > "$root/log"
    start_daemon && until_true is_up
}
n_said() { [ "$(grep -c "$1" "$root/log")" -eq "$2" ]; }
called() { grep -q "^$1\$" "$root/calls"; }
n_called() { [ "$(grep -c "^$1" "$root/calls")" -ge "$2" ]; }
# The daemon waits up to 30 s before it tries again, and on a slow machine it may have reached that interval.
in_the_end() { until_true "$@" || until_true "$@" || until_true "$@" || until_true "$@" || until_true "$@"; }

# vm1 is complete; vm2 to vm6 want a persistent vGPU, and vm7 another one. They lack their hostdevs.
echo '<node>' > "$root/host.xml"
annotated 1 A2-4Q
switched_off 1 >> "$root/host.xml"
for n in 2 3 4 5 6 7; do
    [ "$n" -eq 7 ] && create=start || create=define
    domain_xml "$n" | sed "s/<devices/<metadata><v:devices xmlns:v='urn:virt-vgpu:domain:1'><v:device \
profile='GRID M10-1Q' create='$create'\/><\/v:devices><\/metadata>&/" > "$root/vm$n.xml"
    switched_off "$n" >> "$root/host.xml"
done
echo '</node>' >> "$root/host.xml"

# --- a list that hangs ----------------------------------------------------------------------------
check "the daemon starts" up
check "a domain starts" prepare 1
killed
mkdir -p "$root/etc/virt-vgpu"
printf '[daemon]\norphan_check=1\n' > "$root/etc/virt-vgpu/virt-vgpu.conf"
rm -rf "$root/var/lib/virt-vgpu"
knob nodedevs_hang 1
check "it starts again, a list of the node devices hangs" up
check "which it asks for" until_true called list
check "all domains are compared: the vGPU of one that does not run is removed" until_true nothing_left
check "a definition is corrected" until_true called "attach vm7"
for n in 2 3 4 5 6; do # more than there are threads for domains
    check "so is that of vm$n, though its vGPU must wait" until_true called "attach vm$n"
done
check "no node device was listed" not called listed
check "a start comes that libvirt then knows nothing of" prepare 7
check "it is looked at, though those vGPUs still wait" until_true nothing_left
check "a domain starts" prepare 1
check "and stops" release 1
check "its vGPU is removed" until_true nothing_left
unknob nodedevs_hang
check "the list comes" until_true called listed
check "the vGPUs are defined" until_true n_called define 5
check "each of them once" test "$(grep -c '^define' "$root/calls")" -eq 5
killed

# --- a connection that has lost them --------------------------------------------------------------
rm -rf "$root/var/lib/virt-vgpu"
knob nodedevs_lost 1
check "it starts while node devices are lost on each connection" up
check "which is said" until_true log_says "cannot read node devices: client socket is closed; trying again"
check "it tries again" in_the_end n_called lost 5
check "it was said once" n_said "cannot read node devices" 1
few_said() { [ "$(grep -c "$1" "$root/log")" -le 2 ]; }
check "domains leave the tries to that" few_said "persistent vGPU.*client socket is closed"
check "definitions are corrected" until_true called "attach vm7"
check "no vGPU is defined" not called "define.*"
unknob nodedevs_lost
check "it recovers automatically" in_the_end called listed
check "the vGPUs are defined" in_the_end n_called define 5

# The daemon is idle now: a user's call notices the loss, and fails; later calls do not.
hand=11111111-2222-4333-8444-555555555555
make_by_hand() { cli create 84:00.0 'GRID M10-1Q' --persistent --uuid "$hand"; }
knob nodedevs_lost 1
check "a call that a user waits for fails" fails_with "client socket is closed" make_by_hand
unknob nodedevs_lost
check "once they can be read again it does not" in_the_end make_by_hand
check "libvirt has the definition" called "define $hand"
check "the created vGPU is removed" cli destroy "$hand"
check "a user who asks for a definition is answered" cli inject vm2
check "libvirt's domains have noticed nothing" n_said "connected to libvirt\|the connection to libvirt is lost" 1
killed

# --- a domain that is busy ------------------------------------------------------------------------
knob busy-vm7 1
check "it starts, and cannot read vm7" up
check "which is said" until_true log_says "domain 'vm7'.*state change lock.*left alone; trying again"
check "the others are followed" until_true called "attach vm2"
check "it tries again" in_the_end n_called "busy vm7" 5
check "it was said once" n_said "state change lock" 1
check "vm7 is left alone" not called "attach vm7"
unknob busy-vm7
check "it follows when it can" in_the_end called "attach vm7"

finish
