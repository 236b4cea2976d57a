#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# libvirtd, the daemon or both are killed at any moment: guests keep running, our leftovers are removed, foreign devices stay
# takes: 70
# once: trixie
# timeout: 500
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

foreign=11111111-2222-4333-8444-0000000023ff
uuid_of() { echo "5d0cbb52-8ccf-4a9c-b04e-2a50de1c230$1"; }
a=$(vgpu_uuid "$(uuid_of 0)" 0) b=$(vgpu_uuid "$(uuid_of 1)" 0) c=$(vgpu_uuid "$(uuid_of 2)" 0)

daemon_config '[daemon]' orphan_check=8
mdev_create "$P40" nvidia-58 $foreign
for i in 0 1 2; do
    domain_xml "crash$i" --uuid "$(uuid_of $i)" --annot "$(annotation "profile='GRID M10-1Q' gpu='$M10'")" > "/run/lab-crash$i.xml"
    echo "define /run/lab-crash$i.xml"
done > /run/lab-crash.virsh
virsh -q < /run/lab-crash.virsh > /dev/null
wait_for 30 all_injected 3
virsh -q "start crash0; start crash1"
pid0=$(qemu_pid crash0) pid1=$(qemu_pid crash1)

# devices_are UUID…: only these and the foreign one exist.
devices_are() { [ "$(mdevs)" = "$(printf '%s\n' $foreign "$@" | sort)" ]; }
connected() { [ "$(json 'v["libvirt_connected"]' version)" = True ]; }
unharmed() {
    wait_for 20 connected
    same_qemu crash0 "$pid0"
    same_qemu crash1 "$pid1"
    devices_are "$a" "$b" || fail "devices ($1): $(mdevs)"
    assert_eq "$(claims)" 2 "records ($1)"
    say "$1: unharmed"
}

libvirt_kill
libvirt_start
unharmed "libvirtd killed"
daemon_kill
rm /run/virt-vgpu/claims/*
daemon_start
two_records() { [ "$(claims)" = 2 ]; }
wait_for 20 two_records
unharmed "daemon killed and its records lost"
daemon_kill
libvirt_kill
libvirt_start
daemon_start
unharmed "both killed"

say "a domain is destroyed while the daemon is down"
daemon_kill
virsh -q destroy crash1
mdev_exists "$b" || fail "who has removed $b?"
daemon_start
wait_for 20 devices_are "$a"
same_qemu crash0 "$pid0"

say "libvirtd is killed while prepare runs"
knob create_delay_ms 2000 "$M10"
not virsh -q start crash2 > /run/lab-crash2.out 2>&1 &
creating() { grep -q '^phase=creating' "/run/virt-vgpu/claims/$(uuid_of 2)"; }
wait_for 20 creating
libvirt_kill
wait $! || fail "a start that was cut off succeeded: $(cat /run/lab-crash2.out)"
libvirt_start
wait_for 20 devices_are "$a"
assert_eq "$(claims)" 1 "records"

say "the daemon is killed while it creates"
not virsh -q start crash2 > /run/lab-crash2.out 2>&1 &
wait_for 20 creating
daemon_kill
wait $! || fail "a start that was cut off succeeded: $(cat /run/lab-crash2.out)"
devices_are "$a" "$c" || fail "the driver has not finished: $(mdevs)"
knob create_delay_ms 0
daemon_start
wait_for 20 devices_are "$a"

say "our leftovers: a start that never happened, a device without a record"
domain_xml crash2 --uuid "$(uuid_of 2)" --annot "$(annotation "profile='GRID M10-1Q' gpu='$M10'")" \
    --hostdev "$(mdev_hostdev "$c" | sed "s,</hostdev>,<alias name='ua-vgpu-0'/>&,")" > /run/lab-crash2.live
trap 'udevd CONT' EXIT
udevd STOP # once libvirt has seen a device like that, the daemon removes it at once
mdev_create "$M10" nvidia-39 "$b"
hook crash2 prepare /run/lab-crash2.live
plan=$(virt-vgpu reconcile --dry-run --json)
devices_are "$a" "$b" "$c" || fail "a dry run has changed something: $(mdevs)"
planned() {
    /usr/bin/python3 -ISc 'import json, sys
print(*sorted((a["action"], a["uuid"]) for a in json.loads(sys.argv[1])), sep="\n")' "$plan"
}
assert_eq "$(planned)" "$(printf '%s\n' "('release', '$c')" "('remove', '$b')")" "what a dry run says"
wait_for 20 not mdev_exists "$c"
say "the start that never happened is undone automatically"
virt-vgpu reconcile --json
udevd CONT
wait_for 20 devices_are "$a"
assert_eq "$(json 'v' reconcile --dry-run)" "[]" "what is left to do"

say "QEMU dies while libvirtd is down"
same_qemu crash0 "$pid0"
libvirt_kill
kill -9 "$pid0"
sleep 0.5
libvirt_start
wait_for 20 devices_are
assert_eq "$(claims)" 0 "records"
mdev_remove $foreign
