#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A VF with a foreign vGPU is left alone and the definition moved; autostart, hotplug and a killed QEMU work on VFs as well
# takes: 40
# timeout: 300
# releases: trixie
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

device="profile='NVIDIA L40S-4Q' gpu='$L40S'"
vfs_on "$L40S" 4
define_vgpu web1 "$device"
define web2 --annot "$(annotation "$device" | sed "s,/></vgpu:devices>,><vgpu:hostdev><rom bar='off'/><driver name='vfio'/></vgpu:hostdev></vgpu:device></vgpu:devices>,")"
wait_for 30 is_injected web2
vf1=$(defined_vf web1 0) vf2=$(defined_vf web2 0)

say "the VF has another type of that size"
vf_set "$vf2" 1160
assert_fails "domain 'web2'.*\(VF $vf2 carries nvidia-1160, which virt-vgpu did not set\); the definition is being moved .*start it again" virsh -q start web2
moved() { vf=$(defined_vf web2 0) && [[ $vf == 0000:61:* && $vf != "$vf1" && $vf != "$vf2" ]]; }
wait_for 20 moved
vf=$(defined_vf web2 0)
assert_grep "<rom bar='off'/>" "$(defined_hostdev web2 0)" "the hostdev that was moved"
virsh -q start web2
assert_grep "<rom bar='off'/>" "$(live_hostdev web2 0)" "the running domain's hostdev"
assert_eq "$(state web2) $(live_vf web2 0)" "running $vf" "web2"
assert_eq "$(fake "$L40S" vgpus | sort)" "$(printf '%s\n' "$vf2 1160 - - 0" "$vf 1150 - - 1" | sort)" "what is on the board"

say "QEMU is killed"
kill -9 "$(qemu_pid web2)"
wait_for 20 vf_has "$vf" 0
wait_for 20 nothing_left
assert_eq "$(vf_type "$vf2")" 1160 "the foreign VF"
vf_set "$vf2" 0

say "the VF has the wanted type already: it is used, and left unchanged"
vf_set "$vf1" 1150
virsh -q start web1
assert_eq "$(fake "$L40S" vgpus)" "$vf1 1150 - - 1" "what is on the board"
virsh -q destroy web1
wait_for 20 nothing_left
assert_eq "$(vf_type "$vf1")" 1150 "its type afterwards"
vf_set "$vf1" 0

say "autostart, with a daemon that has not been connected to libvirt yet"
virsh -q autostart web1 > /dev/null
virsh -q dumpxml web1 --inactive | sed "s,<name>web1<,<name>thief<,; /<uuid>/s,>..,>ff," > /run/lab-thief.xml
libvirt_stop
daemon_restart
assert_fails "domain 'thief'.*is being rewritten, start it again.*$vf1" hook thief prepare /run/lab-thief.xml
rm -f /run/libvirt/qemu/autostarted # created by the first libvirtd after a boot
libvirt_start
web1_runs() { is_state web1 running; }
wait_for 30 web1_runs
assert_eq "$(fake "$L40S" vgpus)" "$vf1 1150 - - 1" "what is on the board"

say "defined and started on one connection"
domain_xml late --annot "$(annotation "$device")" > /run/lab-late.xml
/usr/bin/python3 - /run/lab-late.xml << 'PY'
import libvirt, sys
libvirt.open('qemu:///system').defineXML(open(sys.argv[1]).read()).create()
PY
wait_for 40 has_live late 0
vf=$(live_vf late 0)
vgpu=$(vgpu_uuid "$(domain_uuid late)" 0)
[[ $vf == 0000:61:* && $vf != "$vf1" ]] || fail "it is on $vf, and web1 on $vf1"
assert_eq "$(vf_type "$vf")" 1150 "its type"
wait_for 10 vgpu_state "$vgpu" active
wait_for 20 has_defined late 0
assert_eq "$(defined_vf late 0)" "$vf" "VF in its definition"
virsh -q "destroy late; destroy web1"
wait_for 20 types_are "$L40S" 0 0 0 0
wait_for 20 nothing_left
