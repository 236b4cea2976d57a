#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# create="define": the vGPU is a persistent node device for as long as its domain is defined
# takes: 50
# once: battery
# timeout: 400
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

uuid=3b0f4d3e-5d3a-4d55-9c1e-5b5c3f0a7a16
vgpu=$(vgpu_uuid $uuid 0)
attrs="profile='GRID M10-4Q' create='define'"

# nodedev [OPTION…]: the name of its node device; prints nothing if there is none.
nodedev() { virsh -q nodedev-list --cap mdev "$@" | grep "${vgpu//-/_}" || true; }
is_listed() { [ -n "$(nodedev "$@")" ]; }

say "defined with the domain"
define one --uuid $uuid --annot "$(annotation "$attrs")"
define two --annot "$(annotation "$attrs")"
two=$(vgpu_uuid "$(domain_uuid two)" 0)
wait_for 60 is_listed
wait_for 60 mdev_exists "$two"
info=$(virsh -q nodedev-info "$(nodedev)")
assert_grep "^Persistent: +yes" "$info" "nodedev-info"
assert_grep "^Autostart: +yes" "$info" "nodedev-info"
assert_grep "^Active: +yes" "$info" "nodedev-info"
assert_eq "$(mdev_type "$vgpu")" nvidia-43 "type"
parent=$(mdev_parent "$vgpu")
case $parent in "$M10") other=$M10B ;; *) other=$M10 ;; esac

say "the mdev survives a restart of the daemon, and being stopped; the mdev of a domain undefined meanwhile is removed"
daemon_stop
virsh -q undefine two
virsh -q nodedev-destroy "$(nodedev)"
daemon_start
wait_for 30 not mdev_exists "$two"
wait_for 30 is_listed --inactive
assert_eq "$(mdevs)" "" "mdevs"

say "prepare starts it on its recorded parent, though another would be chosen now; it survives the stop"
mdev_create "$other" nvidia-43 11111111-2222-4333-8444-555555555501
virsh -q start one
assert_eq "$(mdev_parent "$vgpu") $(mdev_type "$vgpu")" "$parent nvidia-43" "parent and type"
assert_grep "uuid='$vgpu'" "$(live_hostdev one 0)" "live hostdev"
virsh -q destroy one
no_record() { [ "$(claims)" = 0 ]; }
wait_for 30 no_record
sleep 1
mdev_exists "$vgpu" || fail "it went with the stop"
wait_for 30 is_listed

say "a renamed domain keeps it"
virsh -q domrename one uno
sleep 2
mdev_exists "$vgpu" || fail "it went with the old name"
virsh -q domrename uno one

say "a transient domain is refused"
domain_xml brief --annot "$(annotation "$attrs")" > /run/lab-brief.xml
assert_fails "domain 'brief'.*transient domain" virsh -q create /run/lab-brief.xml

say "undefined while the domain runs: gone after the stop"
virsh -q start one
virsh -q undefine one
sleep 1
mdev_exists "$vgpu" || fail "it went under a running domain"
virsh -q destroy one
wait_for 30 not mdev_exists "$vgpu"
wait_for 30 not is_listed --all
