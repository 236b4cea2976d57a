#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The room of a saved domain is kept with keepRoom, through restarts, until the domain starts or is given up
# takes: 75
# once: battery
# releases: trixie
# timeout: 400
# shellcheck source=SCRIPTDIR/../migrate.sh
. "$(dirname "$0")/../migrate.sh"

image=/run/lab-saved

# keep NAME: a domain with one of the two vGPUs that there is room for, running.
keep() {
    define "$1" --graphics --migratable
    virt-vgpu annotate "$1" --profile 'GRID M10-8Q' --keep-room yes > /dev/null
    wait_for 30 is_injected "$1"
    virsh -q start "$1"
}
# has STATE [NAME]: its vGPU is in that state; for wait_for.
has() { [ "$(json '[r["state"] for r in v if r["domain"] == "'"${2:-one}"'"]' list)" = "['$1']" ]; }
has_claims() { [ "$(claims)" = "$1" ]; }
place() { json '[r["gpu"] for r in v if r["domain"] == "'"$1"'"]' list; }

say "a managed save"
keep one
gpu=$(place one)
wait_for 20 has active
virsh -q managedsave one
wait_for 20 has saved
assert_eq "$(place one) $(mdevs)" "$gpu " "the place, and no vGPU"
define_vgpu two "profile='GRID M10-8Q'"
virsh -q start two
define_vgpu three "profile='GRID M10-8Q'"
assert_fails "saved domain 'one'" virsh -q start three
assert_grep "saved domain 'one'" "$(virt-vgpu explain three || true)" "explain"

say "the daemon is killed, and libvirt restarted"
daemon_kill
libvirt_stop
libvirt_start
daemon_start
wait_for 20 is_connected
has saved || fail "it is not saved any more: $(virt-vgpu list)"
assert_fails "saved domain 'one'" virsh -q start three
virsh -q start one
wait_for 20 has active
assert_eq "$(place one)" "$gpu" "where it runs"

say "a save to a file"
virsh -q save one $image
wait_for 20 has saved
daemon_restart
wait_for 20 is_connected
assert_fails "saved domain 'one'" virsh -q start three
virsh -q restore $image
wait_for 20 has active

say "given up: by destroy, and by a domain that stops in another way"
virsh -q save one $image
wait_for 20 has saved
virt-vgpu destroy "$(vgpu_uuid "$(domain_uuid one)" 0)" > /dev/null
virsh -q start three
assert_fails "." virsh -q restore $image
virsh -q destroy three
virsh -q restore $image
wait_for 20 has active
virsh -q destroy one
wait_for 20 not has active
virsh -q start three

say "a transient domain that is saved while no daemon runs"
virsh -q destroy three
wait_for 20 has_claims 1 # of the second domain
virsh -q dumpxml one > /run/lab-transient.xml
virsh -q undefine one
wait_for 20 not has planned
virsh -q create /run/lab-transient.xml
wait_for 20 has active
daemon_kill
virsh -q save one $image
daemon_start
wait_for 20 is_connected
wait_for 20 has saved
assert_fails "saved domain 'one'" virsh -q start three
virsh -q restore $image
wait_for 20 has active
