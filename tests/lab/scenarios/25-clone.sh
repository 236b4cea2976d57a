#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A clone that still has the original's vGPU is refused, and the vGPU left alone; once rewritten it starts with its own
# takes: 30
# once: battery
# timeout: 240
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

uuid=5d0cbb52-8ccf-4a9c-b04e-2a50de1c2501
clone_uuid=5d0cbb52-8ccf-4a9c-b04e-2a50de1c2502
vgpu=$(vgpu_uuid $uuid 0) clone_vgpu=$(vgpu_uuid $clone_uuid 0)

define_vgpu original "profile='GRID P40-2Q'" --uuid $uuid
virsh -q start original
pid=$(qemu_pid original)
virsh -q dumpxml original --inactive | sed "s,<name>original<,<name>clone<,; s,$uuid,$clone_uuid," > /run/lab-clone.xml
assert_grep "$vgpu" "$(cat /run/lab-clone.xml)" "the clone's hostdev"
untouched() {
    same_qemu original "$pid"
    assert_eq "$(mdevs)" "$vgpu" "devices ($1)"
    wait_for 5 vgpu_state "$vgpu" active
    say "$1: refused, the original is untouched"
}

say "defined and started while the daemon is down"
daemon_stop
virsh -q define /run/lab-clone.xml
assert_fails "domain 'clone'.*virtvgpud is not running" virsh -q start clone
assert_grep "$vgpu" "$(defined_hostdev clone 0)" "its definition, not rewritten yet"
daemon_start
# The XML that libvirt would pass to the hook if the rewriting were slower.
assert_fails "domain 'clone'.*is being rewritten, start it again.*$vgpu" hook clone prepare /run/lab-clone.xml
hook clone release /run/lab-clone.xml
untouched "clone"

say "another definition that names the original's UUID"
define thief --annot "$(annotation "profile='GRID P40-2Q' uuid='$vgpu'")" --hostdev "$(mdev_hostdev "$vgpu")"
assert_fails "domain 'thief'.*$vgpu belongs to domain 'original'" virsh -q start thief
untouched "thief"

say "the clone, rewritten"
wait_for 10 has_defined clone 0 "$clone_vgpu"
is_injected clone 1 || fail "it has more than its own"
virsh -q start clone
assert_eq "$(mdevs)" "$(printf '%s\n' "$vgpu" "$clone_vgpu" | sort)" "devices of both"
virsh -q destroy clone
wait_for 20 not mdev_exists "$clone_vgpu"
untouched "stop of the clone"

virsh -q destroy original
wait_for 20 nothing_left
assert_fails "domain 'thief'.*belongs to domain 'original'" virsh -q start thief
