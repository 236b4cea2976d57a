#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# NVIDIA's vendor-specific VFIO: a VF is planned, gets its type and parameters at the start, and is free after the stop
# takes: 40
# timeout: 240
# releases: trixie
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

uuid=5d0cbb52-8ccf-4a9c-b04e-2a50de1c4001
clone_uuid=5d0cbb52-8ccf-4a9c-b04e-2a50de1c4002
vgpu=$(vgpu_uuid $uuid 0)
device="profile='NVIDIA L40S-4Q' gpu='$L40S' frameRateLimit='off' consoleVNC='off' display='on'"

vfs_on "$L40S" 4
# row [--all]: the vGPU's row of `list`.
row() {
    json "next(' '.join(str(r[k]) for k in ('state', 'interface', 'profile', 'profile_id', 'gpu', 'parent'))
        for r in v if r['uuid'] == '$vgpu')" list "$@"
}
row_is() { [ "$(row)" = "$*" ]; }
offers() { json "sorted((p['id'], p['name'], p['available']) for p in v)" profile-list "$L40S"; }
offers_are() { [ "$(offers)" = "$1" ]; }
before=$(offers)
assert_grep "'nvidia-1150', 'NVIDIA L40S-4Q', 4" "$before" "what is offered"

say "define: a VF is chosen, and another one for another domain"
define_vgpu web1 "$device" --uuid $uuid --graphics
define_vgpu web2 "$device" --graphics
vf=$(defined_vf web1 0) vf2=$(defined_vf web2 0)
assert_grep "type='pci' managed='no' display='on' ramfb='on'" "$(defined_hostdev web1 0)" "hostdev"
assert_grep '^0000:61:00\.[4-7]$' "$vf" "VF of web1"
assert_grep '^0000:61:00\.[4-7]$' "$vf2" "VF of web2"
[ "$vf" != "$vf2" ] || fail "both are to have $vf"
assert_eq "$(row --all)" "planned vendor-vfio NVIDIA L40S-4Q None $L40S $vf" "list --all"
assert_eq "$(types "$L40S")" "0 0 0 0" "types while they are off"

say "start"
virsh -q start web1
assert_eq "$(live_vf web1 0)" "$vf" "VF in the live XML"
assert_grep "type='pci' managed='no' display='on' ramfb='on'" "$(live_hostdev web1 0)" "live hostdev"
assert_grep "\"driver\":\"vfio-pci[^ ]*\"host\":\"$vf\"" "$(tr '\0' ' ' < "/proc/$(qemu_pid web1)/cmdline")" "QEMU's command line"
assert_eq "$(fake "$L40S" vgpus)" "$vf 1150 - - 1" "what is on the board, and open"
assert_eq "$(vf_params "$vf")" "frame_rate_limiter=0,disable_vnc=1" "plugin parameters"
running="active vendor-vfio NVIDIA L40S-4Q nvidia-1150 $L40S $vf"
wait_for 10 row_is "$running"

say "a clone that names the same VF"
virsh -q dumpxml web1 --inactive | sed "s,<name>web1<,<name>clone<,; s,$uuid,$clone_uuid," > /run/lab-clone.xml
virsh -q define /run/lab-clone.xml
# The XML that libvirt would pass to the hook if the rewriting were slower.
assert_fails "domain 'clone'.*is being rewritten, start it again.*$vf" hook clone prepare /run/lab-clone.xml
hook clone release /run/lab-clone.xml
has_its_own() { [[ "$(defined_vf clone 0)" == 0000:61:* && $(defined_vf clone 0) != "$vf" ]]; }
wait_for 20 has_its_own
assert_eq "$(fake "$L40S" vgpus)" "$vf 1150 - - 1" "what is on the board"

say "no VF lists the type any longer, and the daemon is restarted: nothing changes, its name is known"
others=()
for i in 0 1 2 3; do [ "$(vf_of "$L40S" $i)" = "$vf" ] || others+=("$(vf_of "$L40S" $i)"); done
for other in "${others[@]}"; do vf_set "$other" 1160; done
for other in "$vf" "${others[@]}"; do assert_eq "$(vf_creatable "$other")" "" "what is listed on $other"; done
virsh -q dumpxml web1 --inactive > /run/lab-web1.before
pid=$(qemu_pid web1)
daemon_restart
wait_for 20 is_connected
wait_for 10 row_is "$running"
assert_grep "'nvidia-1150', 'NVIDIA L40S-4Q', 0" "$(offers)" "profile-list after the restart"
foreign=$(json "' '.join(sorted(r['parent'] for r in v if (r['state'], r['profile_id']) == ('foreign', 'nvidia-1160')))" list --all)
assert_eq "$foreign" "${others[*]}" "foreign VFs"
assert_grep "nothing to change" "$(virt-vgpu inject web1)" "inject"
virsh -q dumpxml web1 --inactive | cmp - /run/lab-web1.before || fail "the definition was changed"
same_qemu web1 "$pid"
assert_eq "$(vf_type "$vf")" 1150 "type after the restart"

say "stop, while the driver refuses the reset twice"
knob reset_fail_next 2 "$L40S"
virsh -q destroy web1
wait_for 20 vf_has "$vf" 0
wait_for 20 nothing_left
for other in "${others[@]}"; do
    assert_eq "$(vf_type "$other")" 1160 "the foreign $other"
    vf_set "$other" 0
done
wait_for 10 offers_are "$before"
assert_eq "$(row --all)" "planned vendor-vfio NVIDIA L40S-4Q None $L40S $vf" "list --all after the stop"
