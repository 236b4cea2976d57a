#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A migration that is aborted, or during which QEMU, libvirt or virtvgpud dies, leaves one guest and one vGPU
# takes: 300
# once: battery
# releases: trixie
# machine: pair
# timeout: 1800
# shellcheck source=SCRIPTDIR/../migrate.sh
. "$(dirname "$0")/../migrate.sh"

# begin: start a migration, and wait until both sides wait for the data of the vGPU, which takes 20 s.
begin() {
    define_vgpu one "profile='GRID M10-2Q'" --graphics --migratable
    virsh -q start one
    shown=$(picture one)
    qemu=$(qemu_pid one)
    knob save_delay_ms 10000 "$M10"
    migrate one > /run/lab-migrate 2>&1 &
    migration=$!
    wait_for 20 switches
}
switches() { is_state one paused && peer is_state one paused; }
# ends: wait for the end of the migration; its exit status is in $rc.
ends() {
    rc=0
    wait "$migration" || rc=$?
    knob save_delay_ms 0 "$M10"
    say "the migration: $rc, $(cat /run/lab-migrate)"
}
# stays: the guest keeps running on this host, with its vGPU, and nothing is left of it on the other host.
stays() {
    ends
    [ "$rc" != 0 ] || fail "it has migrated"
    wait_for 20 runs one 1
    same_qemu one "$qemu"
    assert_eq "$(picture one)" "$shown" "the picture"
    wait_for 20 peer is_gone one
}
# next: remove the domain from both hosts.
next() {
    local on
    for on in '' peer; do
        $on virsh -q destroy one > /dev/null 2>&1 || true
        $on virsh -q undefine one > /dev/null 2>&1 || true
        wait_for 20 $on is_gone one
    done
}

say "aborted"
begin
virsh -q domjobabort one
stays
next

say "QEMU on the destination is killed"
begin
peer bash -c 'kill -9 $(cat /run/libvirt/qemu/one.pid)'
stays
next

say "QEMU on the source is killed: the guest is lost, and nothing is left"
begin
kill -9 "$qemu"
ends
[ "$rc" != 0 ] || fail "it has migrated"
wait_for 20 is_state one "shut off"
wait_for 20 nothing_left
wait_for 20 peer is_gone one
next

say "virtvgpud on the destination is killed"
begin
peer daemon_kill
ends
assert_eq "$rc" 0 "the migration"
assert_eq "$(peer state one)" running "the guest on the destination"
peer daemon_start
wait_for 20 peer runs one 1
wait_for 20 is_gone one
next

say "virtvgpud on the source is killed"
begin
daemon_kill
ends
assert_eq "$rc" 0 "the migration"
wait_for 20 peer runs one 1
daemon_start
wait_for 20 is_gone one
next

say "libvirt on the destination is killed"
begin
peer libvirt_kill
ends
[ "$rc" != 0 ] || fail "it has migrated"
peer libvirt_start
wait_for 20 runs one 1
same_qemu one "$qemu"
wait_for 20 peer is_gone one
next

say "libvirt on the source is killed"
begin
libvirt_kill
ends
[ "$rc" != 0 ] || fail "it has migrated"
libvirt_start
wait_for 20 runs one 1
same_qemu one "$qemu"
wait_for 20 peer is_gone one
