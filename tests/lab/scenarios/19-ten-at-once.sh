#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Ten domains started at once on a GPU with room for four: four run, six are refused with the reason, nothing is left
# takes: 30
# once: trixie
# timeout: 240
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

names=(ten0 ten1 ten2 ten3 ten4 ten5 ten6 ten7 ten8 ten9)
before=$(virt-vgpu profile-list "$A2" --json)

say "define"
for name in "${names[@]}"; do
    domain_xml "$name" --annot "$(annotation "profile='NVIDIA A2-4Q' gpu='$A2'")" > "/run/lab-$name.xml"
    echo "define /run/lab-$name.xml"
done | virsh -q > /run/lab-ten.out
wait_for 60 all_injected 10

say "start"
# Long enough for all ten to arrive while the first is being created.
knob create_delay_ms 300 "$A2"
pids=() begun=$SECONDS
for name in "${names[@]}"; do
    virsh -q start "$name" > "/run/lab-$name.out" 2>&1 &
    pids+=($!)
done
started=0 refused=0
for i in "${!names[@]}"; do
    out=/run/lab-${names[i]}.out
    if wait "${pids[i]}"; then
        started=$((started + 1))
    else
        refused=$((refused + 1))
        assert_grep "virt-vgpu: domain '${names[i]}': $A2, which gpu= names, cannot take a vGPU 'NVIDIA A2-4Q': 4 of 4 are in use" \
            "$(cat "$out")" "refusal of ${names[i]}"
    fi
done
say "all ten answered after $((SECONDS - begun)) s"
assert_eq "$started started, $refused refused" "4 started, 6 refused"
assert_eq "$(virsh -q list --name | grep -c .)" 4 "running domains"
assert_eq "$(mdevs | wc -l)" 4 "devices"
for uuid in $(mdevs); do
    assert_eq "$(mdev_type "$uuid")" nvidia-746 "type of $uuid"
    assert_grep '^0000:41:' "$(mdev_parent "$uuid")" "parent of $uuid"
done
assert_eq "$(claims)" 4 "records"

say "stop"
virsh -q list --name | sed -n 's/.\+/destroy "&"/p' > /run/lab-ten.stop
virsh -q < /run/lab-ten.stop > /dev/null
wait_for 20 nothing_left
# At once: a query after the last removal waits until the daemon has read the types again.
assert_eq "$(virt-vgpu profile-list "$A2" --json)" "$before" "profile-list after the last stop"
