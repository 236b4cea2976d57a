#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A GPU whose driver does not answer a read, a create or a removal delays only requests that need it, and is used again when it answers
# takes: 100
# once: trixie
# timeout: 800
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

# took NAME COMMAND…: runs it, and stores the time in ms in ${ms[NAME]}.
declare -A ms base
took() {
    local begun
    begun=$(date +%s%3N)
    "${@:2}" > /run/lab-took.out 2>&1 || fail "$1: $(cat /run/lab-took.out)"
    ms[$1]=$(($(date +%s%3N) - begun))
}
injected() { define "$1" --annot "$(annotation "profile='GRID M10-2Q'")" && wait_for 20 is_injected "$1"; }
attached_late() {
    domain_xml late --annot "$(annotation "profile='GRID M10-2Q' gpu='$M10B'")" > /run/lab-late.xml
    virsh -q create /run/lab-late.xml && wait_for 30 has_live late 0
}
everything() {
    took "start on B" virsh -q start on-b
    took "start anywhere" virsh -q start anywhere
    took "late attach" attached_late
    took list virt-vgpu list --all
    took reconcile virt-vgpu reconcile
    took metrics virt-vgpu metrics
    took inject injected later
    took stop virsh -q destroy on-b
    virsh -q "destroy anywhere; destroy late; undefine later"
    wait_for 30 not compgen -G '/run/virt-vgpu/claims/*' > /run/lab-took.out
}
# answers_beside WHAT: everything else works meanwhile, as fast as before.
answers_beside() {
    local what
    say "beside $1"
    everything
    for what in "${!ms[@]}"; do
        say "  $what: ${base[$what]} ms, now ${ms[$what]} ms"
        # it may take twice as long and half a second; ten seconds are for a machine that is busy otherwise, and still
        # less than any wait for that GPU
        [ "${ms[$what]}" -le $((2 * base[$what] + 10000)) ] || fail "$what: ${ms[$what]} ms instead of ${base[$what]}"
    done
}
processes() { pgrep -fc "virt-vgpu-driver .*/driver/$1" || true; }
# start NAME: in the background, with its output in /run/lab-NAME.out
start() {
    (
        rc=0
        virsh -q start "$1" || rc=$?
        echo "rc=$rc"
    ) > "/run/lab-$1.out" 2>&1 &
}
ended() { grep -q "^rc=$2" "/run/lab-$1.out"; }

daemon_config '[daemon]' remove_timeout=3 hook_deadline=15
define_vgpu on-a "profile='GRID M10-2Q' gpu='$M10'"
define_vgpu on-b "profile='GRID M10-2Q' gpu='$M10B'"
define_vgpu anywhere "profile='GRID M10-2Q'"
everything
for what in "${!ms[@]}"; do base[$what]=${ms[$what]}; done

knob read_hang 1 "$M10"
answers_beside "reads that hang"
start on-a
wait_for 30 ended on-a 1
assert_grep "$M10.*: its driver has not answered" "$(cat /run/lab-on-a.out)" "refusal"
say "a daemon that is started meanwhile"
daemon_kill
daemon_start
wait_for 30 is_connected
answers_beside "reads that hang since before it was started"
assert_eq "$(processes "$M10")" 1 "processes for $M10"
start on-a
knob read_hang 0
wait_for 30 ended on-a 0
say "the GPU is used again"

say "a removal that hangs does not prevent other vGPUs on its GPU"
knob remove_hang 1 "$M10"
virsh -q destroy on-a
define_vgpu beside "profile='GRID M10-2Q' gpu='$M10'"
virsh -q start beside
wait_for 20 vgpu_state "$(vgpu_uuid "$(domain_uuid on-a)" 0)" stuck
knob remove_hang 0
virsh -q destroy beside
wait_for 30 nothing_left

knob create_hang 1 "$M10"
start on-a
wait_for 10 grep -q "^phase=creating" -r /run/virt-vgpu/claims
answers_beside_create() {
    took "start on B" virsh -q start on-b
    took "start anywhere" virsh -q start anywhere
    took list virt-vgpu list --all
    virsh -q "destroy anywhere; destroy on-b"
}
say "starts while the driver is in a create, within its first second and later"
answers_beside_create
sleep 1
answers_beside_create
say "a daemon that is started meanwhile"
daemon_kill
daemon_start
wait_for 30 is_connected
answers_beside_create
assert_eq "$(processes "$M10")" 1 "processes for $M10"
knob create_hang 0
wait_for 30 nothing_left

say "a busy GPU is not silent: of ten domains that start on it at once, eight fit and start"
daemon_config
knob create_delay_ms 2500 "$M10"
for i in {0..9}; do
    domain_xml "busy$i" --annot "$(annotation "profile='GRID M10-1Q' gpu='$M10'")" > "/run/lab-busy$i.xml"
    virsh -q define "/run/lab-busy$i.xml"
done
wait_for 60 all_injected 14
for i in {0..9}; do start "busy$i"; done
wait
started=$(cat /run/lab-busy?.out | grep -c '^rc=0')
assert_eq "$started" 8 "of ten started: $(cat /run/lab-busy?.out)"
knob create_delay_ms 0
for i in {0..9}; do virsh -q destroy "busy$i" || true; done 2> /run/lab-took.out
wait_for 60 nothing_left
