#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# How long libvirt waits for the hook in one migration, by hand: builddir=. top_srcdir=.. bash tests/bench/migrate.sh [RUNS]
# The destination calls it for migrate and prepare, the source for release. "started", which does nothing, is what it costs
# to run a program.
set -u
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${top_srcdir:-.}" && pwd)
# shellcheck source=tests/functions.sh
. "$srcdir/tests/functions.sh"
begin none
"$builddir/tests/make-tree" --add "$root" s7150 || exit 1
runs=${1:-60}

annotated 1 'GRID M10-2Q'
domain_xml 2 | sed "s/<devices\/>/<metadata><v:devices xmlns:v='urn:virt-vgpu:domain:1'><v:device profile='vf'\/><\/v:devices>\
<\/metadata><devices><hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0' bus='0xc1' slot='0x02' \
function='0x0'\/><\/source><alias name='ua-vgpu-0'\/><\/hostdev><\/devices>/" > "$root/vm2.xml"
echo '<node></node>' > "$root/host.xml"
# shellcheck disable=SC2119 # it takes options of the daemon
up || exit 1

# timed N OP SUBOP: into $root/times, in us
timed() {
    local begun=${EPOCHREALTIME/./}
    hook "$@" > /dev/null || exit 1
    echo "$1 $2 $((${EPOCHREALTIME/./} - begun))" >> "$root/times"
}
for n in 1 2; do
    for ((i = 0; i < runs; i++)); do
        timed $n started begin
        timed $n migrate begin
        timed $n prepare begin
        timed $n release end
        until_true has_no_record $n
    done
    echo "domain with $([ $n = 1 ] && echo "an mdev" || echo "a VF"), of $runs, in ms:"
    for op in started migrate prepare release; do
        sed -n "s/^$n $op //p" "$root/times" | sort -n |
            awk -v op=$op '{ a[NR] = $1 / 1000 } END { printf "%-8s median %5.1f  p95 %5.1f\n", op, a[int((NR + 1) / 2)], a[int(NR * .95)] }'
    done
done
down
