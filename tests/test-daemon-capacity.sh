#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The capacity that the real daemon and command report for a GPU whose driver lists no counts, a real L40S with 32 VFs,
# without the vendor's library: never more than the driver accepts, and nothing if that is not known.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session
# shellcheck disable=SC2034 # for start_daemon
preload=$builddir/tests/new-libvirt.so
"$builddir/tests/make-tree" --add "$root" l40s-32 || exit 1
gpu=0000:26:00.0
is() # WHAT EXPECTED ACTUAL
{
    check "$1: $2" [ "$2" = "$3" ]
    [ "$2" = "$3" ] || echo "# $3"
}

objects() { tr -d ' \n' | sed 's/},/}\n/g'; } # one a line, if there is none in them
# each TYPE KEY...: "VALUE/VALUE" of the objects on stdin with the name NVIDIA L40S-TYPE
each()
{
    row=$(objects | grep "\"name\":\"NVIDIAL40S-$1\"")
    shift
    for key; do
        printf '%s%s' "${sep:-}" "$(printf '%s' "$row" | sed "s/.*\"$key\":\([a-z0-9]*\).*/\1/")"
        sep=/
    done
    sep=''
}
rows() # VERB... -- KEY...: of 1Q, 3Q, 4Q, 4A, 24Q and 48Q
{
    verb=''
    while [ "$1" != -- ]; do
        verb="$verb $1"
        shift
    done
    shift
    # shellcheck disable=SC2086 # a verb and its argument
    cli $verb --json > "$root/rows"
    for type in 1Q 3Q 4Q 4A 24Q 48Q; do
        printf '%s ' "$(each "$type" "$@" < "$root/rows")"
    done
}
room() { rows profile-list "$gpu" -- max_instances available; }
pool() { rows pool-info default -- capacity allocated available; }
# placed TYPE: "TOTAL/RESERVED" of its resource class
placed()
{
    cli inventory --format placement | objects | sed -n \
        "s/.*\"CUSTOM_VGPU_NVIDIA_L40S_$1\":{\"total\":\([0-9]*\),\"reserved\":\([0-9]*\),.*/\1\/\2/p"
}
gauge() { cli inventory --format prometheus | sed -n "s/^virtvgpu_$1{.*L40S-$2\"} //p"; }
uuid() { echo "11111111-2222-4333-8444-00000000000$1"; }
creates() { check "a $1 is created" cli create "$gpu" "NVIDIA L40S-$1" --uuid "$(uuid "$2")"; }

echo '<node/>' > "$root/host.xml"
annotation="<vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'><vgpu:device profile='NVIDIA L40S-4Q'/></vgpu:devices>"
domain_xml 1 | sed "s,<memory>,<metadata>$annotation</metadata>&," > "$root/vm1.xml"
check "starts" up --host-program "$root/none"

# --- idle -------------------------------------------------------------------------------------
is "maximum and room of 1Q, 3Q, 4Q, 4A, 24Q, 48Q" "32/32 16/16 12/12 12/12 2/2 1/1 " "$(room)"
is "the pool" "32/0/32 16/0/16 12/0/12 12/0/12 2/0/2 1/0/1 " "$(pool)"
is "Placement, 48Q and 4Q" "1/0 12/0" "$(placed 48Q) $(placed 4Q)"
is "Prometheus, 48Q" "1 1 1" \
    "$(gauge profile_capacity 48Q) $(gauge profile_available 48Q) $(gauge pool_profile_capacity 48Q)"

# --- in use -----------------------------------------------------------------------------------
creates 4Q 1
creates 4A 2
is "beside two of 4 GiB" "32/0 16/0 12/10 12/10 2/0 1/0 " "$(room)"
is "the pool, whose capacity is the same" "32/0/0 16/0/0 12/1/10 12/1/10 2/0/0 1/0/0 " "$(pool)"
is "Placement, 48Q and 4Q" "1/1 12/1" "$(placed 48Q) $(placed 4Q)"

# --- a daemon that has not seen the GPU idle --------------------------------------------------
down
check "starts again" up --host-program "$root/none"
cli profile-list "$gpu" --json > "$root/rows"
is "4Q: as an earlier daemon saw it" "12/10" "$(each 4Q max_instances available < "$root/rows")"
down
rm "$root/var/lib/virt-vgpu/boards" # nor has one before it
check "starts once more" up --host-program "$root/none"
cli profile-list "$gpu" --json > "$root/rows"
is "4Q: unknown" "null/null" "$(each 4Q max_instances available < "$root/rows")"
cli profile-list "$gpu" > "$root/said"
check "as the table has it" grep -q 'L40S-4Q  *4096  *-  *-  *-  *Q' "$root/said"
cli pool-info default --json > "$root/rows"
is "of the pool, too" "null/1/null" "$(each 4Q capacity allocated available < "$root/rows")"
check "pool-dumpxml leaves it out" \
    sh -c "'$builddir/virt-vgpu' pool-dumpxml default | grep -qF \"<profile name='NVIDIA L40S-4Q' allocated='1'/>\""
is "Placement has the existing vGPUs, and one more" "2/0" "$(placed 4Q)"
is "Prometheus has none" "  " \
    "$(gauge profile_capacity 4Q) $(gauge profile_available 4Q) $(gauge pool_profile_capacity 4Q)"
check "explain says that a start is possible" sh -c "'$builddir/virt-vgpu' explain --xml '$root/vm1.xml' > '$root/said'"
check "and that some room is left" grep -qF "NVIDIA L40S-4Q: -" "$root/said"
creates 4Q 3

# --- idle again -------------------------------------------------------------------------------
for n in 1 2 3; do
    check "one is destroyed" cli destroy "$(uuid $n)"
done
is "idle again" "32/32 16/16 12/12 12/12 2/2 1/1 " "$(room)"

finish
