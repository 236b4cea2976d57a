#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs the fuzz targets of a build with --enable-fuzzers (make fuzzers), from its directory.
# Usage: fuzz.sh for SECONDS    all of them, for that time in total, always with the same seed, or with that of
#                               VGPU_FUZZ_SEED: whether a change passes does not depend on luck
#        fuzz.sh until SECONDS  each until it has had that much CPU time since its code last changed, those with the
#                               least time first; for VGPU_FUZZ_MINUTES at most. Ends with a line "left: TARGET …" for
#                               each target that lacks time
# Times, failing inputs and, except with "for", corpora are kept in VGPU_FUZZ_CACHE; failing inputs belong in
# tests/fuzz/corpus/TARGET, with the fix. Fails if a target has failed.
set -uo pipefail
top_srcdir=$(cd "$(dirname "$0")/../.." && pwd)
export top_srcdir
cache=${VGPU_FUZZ_CACHE:-/var/cache/virt-vgpu-lab/fuzz}
slice=${VGPU_FUZZ_SLICE:-300}
limit=$((${VGPU_FUZZ_MINUTES:-0} * 60))
jobs=${VGPU_FUZZ_JOBS:-$(nproc)}
export G_SLICE=always-malloc ASAN_OPTIONS=detect_leaks=1:${ASAN_OPTIONS:-}
work=$(mktemp -d "${TMPDIR:-/tmp}/virt-vgpu-fuzz.XXXXXX")
trap 'rm -rf "$work"' EXIT

mapfile -t targets < <(sed -n 's/^TARGET(\(.*\))$/\1/p' "$top_srcdir/tests/fuzz/targets.h")

# The code of a target is its program, without debug information.
code() { objcopy --strip-all -R .note.gnu.build-id "tests/fuzz/$1" "$work/$1.code" && sha256sum < "$work/$1.code"; }

# begin TARGET: creates its directories
begin() { mkdir -p "$cache/$1/corpus" "$cache/$1/failed" && "$top_srcdir/tests/fuzz/seed.sh" "$1" "$work/seed-$1"; }

# count TARGET: resets the counted time if the code has changed
count() {
    local dir=$cache/$1 now
    now=$(code "$1") || return
    [ "$now" = "$(cat "$dir/code" 2> /dev/null)" ] || echo 0 > "$dir/seconds"
    echo "$now" > "$dir/code"
}

# fuzz TARGET SECONDS; adds its CPU time
fuzz() {
    local dir=$cache/$1 status=0 cpu corpus seed=0 # 0: a random one
    corpus=$dir/corpus
    [ "$mode" != for ] || { corpus=$work/corpus-$1 && mkdir -p "$corpus" && seed=${VGPU_FUZZ_SEED:-1}; }
    local TIMEFORMAT='%U %S'
    # the limit for an input is wall-clock time, and the machine can be busy
    { time "tests/fuzz/$1" -max_total_time="$2" -timeout=300 -rss_limit_mb=3072 -max_len=16384 -print_final_stats=1 \
        -seed="$seed" -verbosity=1 -dict="$work/dictionary" -artifact_prefix="$dir/failed/" "$corpus" "$work/seed-$1" \
        > "$work/$1.log" 2>&1 < /dev/null || status=$?; } 2> "$work/$1.time"
    cpu=$(awk 'END { print int($1 + $2) }' "$work/$1.time")
    [ "$mode" = for ] || echo $(($(cat "$dir/seconds") + cpu)) > "$dir/seconds"
    printf '%-12s %s, %d s\n' "$1" "$(describe "$work/$1.log")" "$cpu"
    [ "$status" = 0 ] && return
    tail -n 60 "$work/$1.log"
    echo "$1: FAILED; to see it again: tests/fuzz/$1 $(sed -n 's/.*Test unit written to //p' "$work/$1.log" | tail -n 1)"
    touch "$work/failed"
}

# "123456 executions, 345 edges, 1200 features"
describe() {
    awk '/ cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1); else if ($i == "ft:") features = $(i + 1) }
        /^stat::number_of_executed_units:/ { n = $2 }
        END { printf "%d executions, %d edges, %d features", n, edges, features }' "$1"
}

# each SECONDS TARGET…: runs these, as many at a time as there are CPUs
each() {
    local seconds=$1 target
    shift
    for target in "$@"; do
        while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
        fuzz "$target" "$seconds" &
    done
    wait
}

# The targets that have had less than $1 seconds, the least first.
lacking() {
    local target
    for target in "${targets[@]}"; do
        [ "$(cat "$cache/$target/seconds")" -ge "$1" ] || echo "$(cat "$cache/$target/seconds") $target"
    done | sort -n | cut -d ' ' -f 2
}

"$top_srcdir/tests/fuzz/dictionary.sh" > "$work/dictionary"
for target in "${targets[@]}"; do begin "$target" || exit; done
mode=${1:-}
case $mode in
    for)
        each $((($2 * jobs + ${#targets[@]} - 1) / ${#targets[@]})) "${targets[@]}"
        ;;
    until)
        for target in "${targets[@]}"; do count "$target" || exit; done
        while mapfile -t next < <(lacking "$2" | head -n "$jobs") && [ "${#next[@]}" != 0 ]; do
            [ "$limit" = 0 ] || [ $((SECONDS + slice)) -le "$limit" ] || break
            each "$slice" "${next[@]}"
            [ ! -e "$work/failed" ] || break
        done
        for target in $(lacking "$2"); do
            echo "left: $target ($(($(cat "$cache/$target/seconds") / 60)) of $(($2 / 60)) minutes)"
        done
        ;;
    *)
        sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0"
        exit 2
        ;;
esac
[ ! -e "$work/failed" ]
