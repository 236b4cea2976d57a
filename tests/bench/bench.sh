#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# make bench: compares the hook, the daemon and discovery with other ways to do the same, and measures the
# daemon's decisions on large hosts (hosts.c). Prints a table, the composition of the times, the aims, and the
# large hosts; the table is also written to bench.csv in the build directory. RUNS (1000) is the number of runs,
# STORM (1000) the number of concurrent hooks.
set -euo pipefail
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${top_srcdir:-.}" && pwd)
runs=${RUNS:-1000} storm=${STORM:-1000}
# shellcheck source=tests/functions.sh
. "$srcdir/tests/functions.sh"

root='' daemon='' trees=()
cleanup()
{
    [ -z "$daemon" ] || kill "$daemon" 2> /dev/null || true
    rm -rf "$root" "${trees[@]}"
}
trap cleanup EXIT
csv=$builddir/bench.csv
bench=$builddir/tests/bench/bench
hook=$builddir/virt-vgpu-hook
say() { echo "bench: $*" >&2; }

is_up() { [ -S "$root/run/virt-vgpu/hook.sock" ] && grep -q "connected to libvirt" "$root/log"; }

# up [N K]: a tree and a daemon on it, its domains unknown to libvirt until they are named
up()
{
    root=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)/virt-vgpu.XXXXXX")
    trees+=("$root")
    "$builddir/tests/make-tree" "$root" "$@"
    { echo '<node>'; domain_xml 0; echo '</node>'; } > "$root/host.xml"
    start_daemon
    until_true is_up
    sleep 1 # reconcile comes after that
    export VIRT_VGPU_ROOT=$root
}
down()
{
    kill "$daemon"
    wait "$daemon" || true
    daemon=''
}
memory() # NAME: of the daemon now, in KiB: resident and private, then what it has written to
{
    awk -v name="$1" '
        /^Rss:/ { rss = $2 } /^Private_(Clean|Dirty):/ { private += $2 } /^Private_Dirty:/ { own = $2 }
        END { printf "memory,%s,1,%d,%d,0\n", name, rss, private
              printf "memory,%s own,1,%d,%d,0\n", name, own, own }' \
        "/proc/$daemon/smaps_rollup"
}

# first_starts N: starts of a domain while no driver process runs: those for discovery and its GPU are started for it.
first_starts()
{
    local i begun us=()
    for ((i = 0; i < $1; i++)); do
        up
        annotated 1 M10-1Q
        begun=${EPOCHREALTIME/./}
        "$hook" vm1 prepare begin - < "$root/vm1.xml"
        us+=($((${EPOCHREALTIME/./} - begun)))
        "$hook" vm1 release end - < "$root/vm1.xml"
        down
    done
    mapfile -t us < <(printf '%s\n' "${us[@]}" | sort -n)
    echo "first start,no driver process yet,$1,${us[$1 / 2]},${us[$1 * 99 / 100]},0"
}
# cpu NAME N: the daemon's CPU time since its start, in us for each of N starts: the whole process, and its worker
cpu()
{
    local ticks=$((1000000 / $(getconf CLK_TCK))) all worker
    # without the name in brackets, which may contain blanks
    all=$(sed 's/.*) //' "/proc/$daemon/stat" | awk '{ print $12 + $13 + $14 + $15 }')
    worker=$(grep -l '^worker' /proc/"$daemon"/task/*/comm | head -n 1)
    worker=$(sed 's/.*) //' "${worker%comm}stat" | awk '{ print $12 + $13 }')
    echo "cpu,$1: the daemon and its driver processes that have ended,$2,$((all * ticks / $2)),$((all * ticks / $2)),0"
    echo "cpu,$1: its worker,$2,$((worker * ticks / $2)),$((worker * ticks / $2)),0"
}

# storm N SUFFIX: starts, then stops, of as many domains at once on N GPUs, which have room for all of them
storm()
{
    local room=$(((storm + $1 - 1) / $1)) n
    up "$1" 1
    find "$root/sys" -path '*/nvidia-36/description' -exec sed -i "s/max_instance=[0-9]*/max_instance=$room/" {} +
    for n in "$root"/sys/class/mdev_bus/*/mdev_supported_types/nvidia-36/available_instances; do
        echo "$room" > "$n"
    done
    annotated 1 M10-0Q
    cp "$root/vm1.xml" "$root/first.xml"
    for n in $(seq "$storm"); do
        sed "s/$(domain_uuid 1)/$(domain_uuid "$n")/; s/>vm1</>vm$n</; /<hostdev/,/<\/hostdev>/d" \
            "$root/first.xml" > "$root/vm$n.xml"
    done
    sed -i "s/<os><type>/<os><type machine='pc'>/" "$root"/vm*.xml
    "$bench" storm "$storm" prepare begin "$hook" "$root" | sed "s/prepare/&$2/"
    "$bench" storm "$storm" release end "$hook" "$root" | sed "s/release/&$2/"
    down
}

{
    say "first starts"
    first_starts 20
    up
    annotated 1 M10-1Q
    domain_xml 0 > "$root/vm0.xml"
    sleep 3
    memory "idle daemon"
    before=$(cat /proc/"$daemon"/task/*/status | awk '/^voluntary/ { n += $2 } END { print n }')
    sleep 5
    after=$(cat /proc/"$daemon"/task/*/status | awk '/^voluntary/ { n += $2 } END { print n }')
    echo "wake-ups,idle daemon in 5 s,1,$((after - before)),$((after - before)),0"
    children=$(cat /proc/"$daemon"/task/*/children | wc -w)
    echo "processes,driver processes of the first minute,1,$children,$children,0"

    say "processes, $runs runs each"
    "$bench" processes "$runs" "$root/vm0.xml" \
        "/bin/true" "/bin/true" - - \
        "hook of an unannotated domain" "$hook vm0 prepare begin -" - - \
        "bash hook of an unannotated domain" "$srcdir/tests/bench/hook.bash vm0 prepare begin -" - -
    "$bench" processes "$runs" "$root/vm1.xml" \
        "/bin/true beside annotated" "/bin/true" - - \
        "hook of an annotated domain" "$hook vm1 prepare begin -" \
        "its release" "$hook vm1 release end -"
    "$bench" processes "$((runs > 200 ? 200 : runs))" "$root/vm1.xml" \
        "bash hook" "$srcdir/tests/bench/hook.bash vm1 prepare begin -" - - \
        "python hook" "$srcdir/tests/bench/hook.py vm1 prepare begin -" - -

    say "create and remove"
    FAKE_DRIVER_ROOT=$root "$bench" cycle "$runs" \
        sys/class/mdev_bus/0000:84:00.0/mdev_supported_types/nvidia-39/create "$root/vm1.xml"
    BENCH_PRELOAD=$builddir/tests/fake-driver.so "$bench" floor "$((runs > 200 ? 200 : runs))" 0000:84:00.0 \
        "$root/vm1.xml" "$builddir/virt-vgpu-driver"
    memory "daemon after $((4 * runs)) starts"
    cpu "a start and stop" $((4 * runs))
    down

    say "$storm at once"
    storm 70 ""
    storm 16 " on 16 GPUs"

    say "discovery"
    for n in 1000 10000; do
        tree=$(dirname "$root")/virt-vgpu-$$-$n
        trees+=("$tree")
        "$builddir/tests/make-tree" "$tree" "$n" 250
    done
    "$bench" scan 200 "${trees[@]: -2}" | sed "s/virt-vgpu-$$-\([0-9]*\)/\1 functions/"
} > "$csv"

if [ "${VIRT_VGPU_BENCH_LAB:-}" = 1 ]; then
    say "in the lab"
    "$srcdir/tests/lab/lab" exec bookworm "bash tests/bench/in-lab.sh" | tr -d '\r' |
        grep '^lab,' >> "$csv"
fi
awk -f "$srcdir/tests/bench/table.awk" "$csv"
say "large hosts"
echo
"$builddir/tests/bench/hosts"
