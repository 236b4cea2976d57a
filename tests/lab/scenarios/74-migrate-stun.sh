#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# For how long migrations pause the guest, estimated and measured, with three sizes of a vGPU's data, and what hooks take
# takes: 220
# once: battery
# releases: trixie
# machine: pair
# timeout: 1200
# shellcheck source=SCRIPTDIR/../migrate.sh
. "$(dirname "$0")/../migrate.sh"

# An emulated guest is no measure: nothing is asserted about times. The stand-in for NVIDIA's library says that a quarter
# of a vGPU's frame buffer is in use, and the module has so much data. The link is as fast as the smallest one shows.
standins
peer daemon_restart
wait_for 20 is_connected
wait_for 20 peer is_connected

# last PATTERN: the two numbers in the last such line of the log, "MS MIB".
last() { sed -nE "s/.*$1.*paused for ([0-9]+) ms, ([0-9.]+) MiB sent.*/\1 \2/p" "$virtvgpud_log" | tail -n 1; }
# hook_ms: what the daemon has taken for hooks so far, as "OP COUNT MS" lines.
hook_ms() {
    virt-vgpu metrics | sed -nE 's/^virtvgpu_hook_duration_seconds_(sum|count)\{op="(.*)"\} (.*)/\2 \1 \3/p' |
        awk '{ v[$1, $2] = $3; ops[$1] } END { for (op in ops) print op, v[op, "count"], v[op, "sum"] * 1000 }' | sort
}
# migrated PROFILE MIB [OPTION…]: a new domain migrates with so much data, and is gone; its estimate is in $estimated.
migrated() {
    define_vgpu one "profile='$1'" --migratable
    virsh -q start one
    knob migrate_mib "$2" "$M10"
    estimated=$(json 'v["stun_ms"]' explain one --migrate "$PEER" "${@:3}" || true)
    migrate one &
    migration=$!
    # possible only while it migrates
    while ! virsh -q migrate-setmaxdowntime one 2000000 2> /dev/null && kill -0 "$migration" 2> /dev/null; do :; done
    wait "$migration"
    wait_for 20 told "'one': migrated: to another host, paused"
    peer virsh -q destroy one
    peer virsh -q undefine one
    wait_for 20 is_gone one
    wait_for 20 peer is_gone one
}

say "without data, and with a little: how fast the link is"
migrated 'GRID M10-1Q' 0
read -r base _ <<< "$(last "'one'")"
migrated 'GRID M10-0B' 128
read -r ms _ <<< "$(last "'one'")"
rate=$((128 * 1000 / (ms > base ? ms - base : 1)))
[ "$rate" -gt 0 ] || rate=1
say "paused for $base ms without data, $ms ms with 128 MiB: $rate MiB/s"

table=$(printf '%8s %12s %12s %10s' "MiB" "estimated ms" "seen ms" "sent MiB")
for row in "GRID M10-0B:128" "GRID M10-1Q:256" "GRID M10-2Q:512"; do
    migrated "${row%:*}" "${row#*:}" --bandwidth "$rate"
    read -r ms mib <<< "$(last "'one'")"
    assert_not_grep None "$estimated" "the estimate"
    table+=$(printf '\n%8s %12s %12s %10s' "${row#*:}" "$estimated" "$ms" "$mib")
done
say "the stun of a migration:
$table"
say "hooks here (the operation, how many, ms of all):
$(hook_ms)"
say "hooks there:
$(peer bash -c "$(declare -f hook_ms); hook_ms")"
