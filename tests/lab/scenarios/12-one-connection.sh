#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Domains defined and started on one connection, or transient, get their vGPU by hotplug right after their start
# takes: 60
# once: bookworm
# timeout: 400
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

xml=/lab/src/tests/lab/data/virt-install-q35.xml
profile='GRID M10-2Q'

# create NAME [OPTION…]: a transient domain with a vGPU of $attrs, made by virsh create with $how.
attrs="profile='$profile'" how=''
create() {
    domain_xml "$1" --uuid "$uuid" --annot "$(annotation "$attrs")" "${@:2}" > "/run/lab-$1.xml"
    # shellcheck disable=SC2086
    virsh -q create "/run/lab-$1.xml" $how
}
uuid=3b0f4d3e-5d3a-4d55-9c1e-5b5c3f0a7a01
vgpu=$(vgpu_uuid $uuid 0)

say "virt-install's XML, define and create on one connection"
pace
# On a real host it takes 2 s at most; on any host, check the daemon's own part of that time.
/usr/bin/python3 /lab/src/tests/lab/one-connection.py $xml 10 40
# A domain that is destroyed at once is gone before that is logged, and a slow start finds the vGPU in its definition.
in_time 1 2000 "attached to the running domain after"
wait_for 30 nothing_left

say "the same XML by way of virt-vgpu annotate: complete at its first start"
sed '/<vgpu:devices/,/<\/vgpu:devices>/d; s/NAME/first/' $xml > /run/lab-first.xml
virt-vgpu annotate --xml /run/lab-first.xml --profile "$profile" --output /run/lab-first.annotated.xml
virsh -q "define /run/lab-first.annotated.xml; start first"
assert_grep "display='on' ramfb='on'" "$(live_hostdev first 0)" "hostdev at the first start"
virsh -q destroy first
wait_for 30 nothing_left

say "transient and paused"
how=--paused create transient
wait_for 30 has_live transient 0
assert_grep "display='off' ramfb='off'" "$(live_hostdev transient 0)" "hostdev"
assert_eq "$(state transient) $(mdevs)" "paused $vgpu" "state and mdevs"
wait_for 5 vgpu_state "$vgpu" active
virsh -q destroy transient
wait_for 30 nothing_left

say "no free slot, or hotplug not wanted"
assert_fails "domain 'narrow'.*no free hotplug slot" create narrow --q35
attrs="profile='$profile' lateAttach='off'" assert_fails "domain 'never'.*lateAttach is off" create never
nothing_left || fail "a refused start left something"

say "busy at that moment: QEMU does not answer"
hook=/etc/libvirt/hooks/qemu.d/60-freeze
trap 'rm -f $hook' EXIT
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$2" != started ] || kill -STOP "$(cat "/run/libvirt/qemu/$1.pid")"\n' > $hook
chmod +x $hook
create busy
sleep 1
assert_eq "$(vgpu_state "$vgpu")" attaching "state while it is busy"
kill -CONT "$(cat /run/libvirt/qemu/busy.pid)"
wait_for 30 vgpu_state "$vgpu" active
has_live busy 0 || fail "busy has no vGPU"
virsh -q destroy busy
wait_for 30 nothing_left

say "destroyed at that moment"
create short
sleep 0.5
virsh -q destroy short
wait_for 30 nothing_left
rm $hook

say "it cannot be attached: the guest continues without it"
knob open_fail_next 1
create unlucky
wait_for 30 vgpu_state "$vgpu" failed
assert_eq "$(state unlucky) $(mdevs)" "running " "state and mdevs"
virsh -q destroy unlucky
wait_for 30 nothing_left
