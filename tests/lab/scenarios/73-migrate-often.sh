#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A hundred migrations, there and back, during which daemons are killed at random: one guest, one vGPU, nothing is left
# takes: 2400
# once: battery
# releases: trixie
# machine: pair
# timeout: 7200
# shellcheck source=SCRIPTDIR/../migrate.sh
. "$(dirname "$0")/../migrate.sh"

rounds=${VGPU_MIGRATIONS:-100}
seed=${VGPU_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
say "seed $seed"

at='' # where it runs: '' here, "peer" there
# other COMMAND…: on the host on which it does not run.
other() { if [ "$at" ]; then "$@"; else peer "$@"; fi; }
# here COMMAND…: on the one on which it runs.
here() { $at "$@"; }
go() { if [ "$at" ]; then migrate_back one; else migrate one; fi; }

# settled: one host has it, with its vGPU, and the other one has nothing; $at follows.
settled() {
    if here is_state one running && other is_gone one; then
        here runs one 1
    elif other is_state one running && here is_gone one; then
        if [ "$at" ]; then at=''; else at=peer; fi
        here runs one 1
    else
        return 1
    fi
}

# disturb: something happens at some moment of the migration.
disturb() {
    sleep "$((RANDOM % 5)).$((RANDOM % 10))"
    case $((RANDOM % 7)) in
        0) what="virtvgpud killed where it ran" && here daemon_kill ;;
        1) what="virtvgpud killed where it goes" && other daemon_kill ;;
        2) what="libvirt killed where it ran" && here libvirt_kill ;;
        3) what="libvirt killed where it goes" && other libvirt_kill ;;
        4) what=aborted && (here virsh -q domjobabort one || true) > /dev/null 2>&1 ;;
        *) what=nothing ;;
    esac
}
# mended: what was killed runs again.
mended() {
    local on
    for on in here other; do
        $on libvirt_running || $on libvirt_start
        $on daemon_running || $on daemon_start
    done
}

define_vgpu one "profile='GRID M10-2Q'" --graphics --migratable
virsh -q start one
shown=$(picture one)
moved=0
for ((round = 1; round <= rounds; round++)); do
    before=$at
    go > /run/lab-migrate 2>&1 &
    migration=$!
    disturb
    rc=0
    wait "$migration" || rc=$?
    mended
    wait_for 60 settled
    [ "$(here picture one)" = "$shown" ] || fail "round $round ($what): the picture is another one"
    if [ "$at" = "$before" ]; then
        [ "$rc" != 0 ] || fail "round $round ($what): it has not migrated, without an error"
    else
        moved=$((moved + 1))
    fi
    say "round $round, $what: $([ "$at" = "$before" ] && echo stayed || echo migrated)"
done
[ "$moved" -gt $((rounds / 4)) ] || fail "only $moved of $rounds migrations succeeded"
