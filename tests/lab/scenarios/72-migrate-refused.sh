#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A migration to a host that cannot take the vGPU, or that is lost on the way, leaves the guest running where it was
# takes: 1200
# once: battery
# releases: trixie
# machine: pair
# timeout: 2400
# shellcheck source=SCRIPTDIR/../migrate.sh
. "$(dirname "$0")/../migrate.sh"

# told_refusal NAME WHY: the daemon there has reported that it has refused the migration; for wait_for.
told_refusal() { peer told "'$1': migration to this host refused.*$2"; }
# stays WHY: the migration is refused for that reason, and the guest runs on, with the picture it had.
stays() {
    assert_fails "$1" migrate one
    same_qemu one "$qemu"
    assert_eq "$(picture one)" "$shown" "the picture"
    wait_for 20 peer is_gone one
}

define_vgpu one "profile='GRID M10-2Q'" --graphics --migratable
virsh -q start one
shown=$(picture one)
qemu=$(qemu_pid one)

say "virtvgpud does not run there"
peer daemon_stop
stays "virtvgpud is not running"
peer daemon_start

say "the GPUs that have the profile are cordoned there"
peer virt-vgpu gpu-cordon "$M10" > /dev/null
peer virt-vgpu gpu-cordon "$M10B" > /dev/null
stays "cordoned"
wait_for 20 told_refusal one cordoned
peer virt-vgpu gpu-uncordon "$M10" > /dev/null
peer virt-vgpu gpu-uncordon "$M10B" > /dev/null

say "the driver there refuses to make the vGPU"
peer knob create_fail_next 1 "$M10"
peer knob create_fail_next 1 "$M10B"
stays "'one'"
peer knob create_fail_next 0 "$M10"
peer knob create_fail_next 0 "$M10B"

# As an older one may. The module has no version that could differ: tests/test-migration-checks.c has the forecast.
say "the driver there refuses the state"
peer knob resume_fail_next 1 "$M10"
peer knob resume_fail_next 1 "$M10B"
stays "Input/output error|unexpectedly|migration"
peer knob resume_fail_next 0 "$M10"
peer knob resume_fail_next 0 "$M10B"

# of_cad WHY: the second domain, of that pool, is refused for that reason, as explain says before, and runs on.
of_cad() {
    assert_eq "$(checks two room)" "['failed']" "explain --migrate: room"
    assert_grep "$1" "$(virt-vgpu explain two --migrate "$PEER" | tr -s ' \n' ' ' || true)" "explain --migrate"
    assert_fails "'two'.*$1" migrate two
    same_qemu two "$qemu_two"
    runs two 1
    wait_for 20 told_refusal two "$1"
    wait_for 20 peer is_gone two
}

say "the pool is stopped there"
pool_cad "$M10B" "GRID M10-2Q"
peer pool_cad "$M10B" "GRID M10-2Q"
define_vgpu two "profile='GRID M10-2Q' pool='cad'" --migratable
virsh -q start two
qemu_two=$(qemu_pid two)
peer virt-vgpu pool-destroy cad > /dev/null
of_cad "pool 'cad' is not active"

say "the pool has another profile there"
peer virt-vgpu pool-undefine cad > /dev/null
peer pool_cad "$M10B" "GRID M10-4Q"
of_cad "pool 'cad' does not offer 'GRID M10-2Q'"

say "there is no such pool"
peer virt-vgpu pool-destroy cad > /dev/null
peer virt-vgpu pool-undefine cad > /dev/null
of_cad "no pool 'cad'"
virsh -q "destroy two; undefine two"

# While QEMU writes the state of the vGPU it answers nothing, until TCP gives up, which takes a quarter of an hour.
say "the network is cut while the state is sent"
knob save_delay_ms 10000 "$M10"
virt-vgpu migrate one "$PEER" > /run/lab-migrate 2>&1 &
migration=$!
switches() { is_state one paused && peer is_state one paused; }
wait_for 60 switches
ip link set eth0 down
rc=0
wait "$migration" || rc=$?
say "the migration: $rc, $(cat /run/lab-migrate)"
assert_grep "the connection to .* has ended" "$(cat /run/lab-migrate)" "what the verb said"
knob save_delay_ms 0 "$M10"
[ "$rc" != 0 ] || fail "it has migrated"
wait_for 60 runs one 1
same_qemu one "$qemu"
ip link set eth0 up
wait_for 60 peer is_gone one

say "and now it migrates"
migrate one
wait_for 20 peer runs one 1
assert_eq "$(peer picture one)" "$shown" "the picture there"
