#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vGPUs are attached to and detached from a running domain and its definition, by command or by hand; failures leave nothing behind
# takes: 100
# timeout: 600
# releases: bookworm
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

uuid=3b0f4d3e-5d3a-4d55-9c1e-5b5c3f0a7a62
v0=$(vgpu_uuid $uuid 0) v1=$(vgpu_uuid $uuid 1) v2=$(vgpu_uuid $uuid 2)
v4=$(vgpu_uuid $uuid 4) v7=$(vgpu_uuid $uuid 7)
attach=(virt-vgpu attach web1 --profile 'NVIDIA A2-4Q')

# rows: "INDEX:STATE:RESTART-NEEDED" of its vGPUs, restart-needed as True or False.
rows() {
    json "' '.join('%d:%s:%s' % (r['index'], r['state'], r['restart_needed']) for r in v if r['domain'] == 'web1')" \
        list --all
}
are_rows() { [ "$(rows)" = "$*" ]; }
# libvirt's files about it, cheaper than virsh: the running domain, and the definition.
live=/run/libvirt/qemu/web1.xml defined=/etc/libvirt/qemu/web1.xml
# numbers FILE: the numbers of our hostdevs in it; annotated FILE: the number of devices in the annotation.
numbers() { sed -n "s/.*<alias name='ua-vgpu-\([0-9]*\)'.*/\1/p" "$1" | sort | xargs; }
annotated() { { grep -o '<vgpu:device ' "$1" || true; } | wc -l; }
has_number() { [[ " $(numbers "$1") " == *" $2 "* ]]; }
mdevs_are() { [ "$(mdevs)" = "$(printf '%s\n' "$@" | sort)" ]; }
# all: the whole visible state of the domain.
all() {
    sed -n '/<domain /,$p' $live $defined
    mdevs
    rows
}
unchanged() { all | diff /run/lab-before - > /run/lab-diff; }
as_before() {
    for ((i = 0; i < 50; i++)); do
        ! unchanged || return 0
        sleep 0.2
    done
    fail "$1: not as before: $(cat /run/lab-diff)"
}

daemon_config '[daemon]' detach_timeout=1 # libvirt itself waits for five
define web1 --uuid $uuid --q35 --ports 3

say "domain off: the definition"
"${attach[@]}" > /run/lab-attach
assert_eq "$(numbers $defined) $(rows) $(mdevs)" "0 0:planned:False " "what is defined"
assert_fails "'web1' is not running" "${attach[@]}" --live
virt-vgpu detach web1 0 > /run/lab-detach
assert_eq "$(numbers $defined) $(annotated $defined)" " 0" "what is left of it"

say "domain running: live, then in the definition, too"
virsh -q start web1
pid=$(qemu_pid web1)
assert_eq "$("${attach[@]}" --live)" "Domain 'web1': vGPU attached to the running domain
  vGPU 0: NVIDIA A2-4Q on $A2 ($v0)" "what attach says"
hostdev=$(live_hostdev web1 0)
assert_grep "display='off'" "$hostdev" "what it runs with"
assert_grep "uuid='$v0'" "$hostdev" "what it runs with"
assert_eq "$(mdevs) $(mdev_type "$v0")" "$v0 nvidia-746" "the device"
assert_eq "$(numbers $defined) $(annotated $defined) $(annotated $live)" " 0 1" "definition and annotations"
wait_for 30 are_rows 0:active:True
"${attach[@]}" --config > /run/lab-attach
assert_eq "$(numbers $live) $(numbers $defined) $(mdevs)" "0 0 $v0" "what there is"
wait_for 30 are_rows 0:active:False
"${attach[@]}" --live --config > /run/lab-attach
assert_eq "$(numbers $live) $(numbers $defined)" "0 1 0 1" "what there is"
assert_eq "$(annotated $live) $(annotated $defined)" "2 2" "annotations"
mdevs_are "$v0" "$v1" || fail "devices: $(mdevs)"
virt-vgpu detach web1 1 --live > /run/lab-detach
assert_eq "$(numbers $live) $(numbers $defined)" "0 0 1" "what there is"
wait_for 30 are_rows 0:active:True 1:planned:True
assert_eq "$(mdevs)" "$v0" "the devices"

say "refusals and failures are rolled back"
all > /run/lab-before
assert_fails "ramfb needs a device that is present when the guest starts" "${attach[@]}" --live --ramfb on
assert_fails "a display needs a device" "${attach[@]}" --live --config --display on
assert_fails "cdrom, which cannot be hotplugged" "${attach[@]}" --live --driver-iso
assert_fails "no free hotplug slot.*3 needed, 2 free" "${attach[@]}" --live --count 3
assert_fails "$A2" virt-vgpu attach web1 --profile 'NVIDIA A2-16Q' --live --config
as_before refused
knob open_fail_next 1
assert_fails "hotplug" "${attach[@]}" --live --config
as_before "not plugged"

say "a guest that does not let go"
virsh -q suspend web1
all > /run/lab-before
assert_fails "guest of domain 'web1' has not released vGPU 0 within 1 s" virt-vgpu detach web1 0 --live
as_before "not let go"
virsh -q resume web1
wait_for 30 are_rows 0:planned:True 1:planned:True
wait_for 30 nothing_left

say "virsh, live, without the daemon: an attached hand-made device becomes the domain's; a detached one is removed"
assert_fails "belongs to domain 'web1'" virt-vgpu create "$A2" 'NVIDIA A2-4Q' --uuid "$v7"
daemon_kill # it would remove it before it is attached
mdev_create "$A2_VF" nvidia-746 "$v7"
mdev_hostdev "$v7" | sed "s,</hostdev>,<alias name='ua-vgpu-7'/>&," > /run/lab-hostdev.xml
virsh -q attach-device web1 /run/lab-hostdev.xml --live
daemon_start
wait_for 30 are_rows 0:planned:True 1:planned:True 7:active:True
# Numbers are not reused within a run.
"${attach[@]}" --live > /run/lab-attach
mdevs_are "$v2" "$v7" || fail "devices: $(mdevs)"
virsh -q detach-device-alias web1 ua-vgpu-2 --live
wait_for 30 mdevs_are "$v7"
wait_for 30 are_rows 0:planned:True 1:planned:True 7:active:True

say "virsh, config: devices of the annotation are restored"
virsh -q detach-device-alias web1 ua-vgpu-0 --config
virt-vgpu reconcile > /run/lab-reconcile
both() { [ "$(numbers $defined)" = "0 1" ]; }
wait_for 30 both

# attach_until PHASE: an attach that reaches that phase, where the daemon is killed.
attach_until() {
    not "${attach[@]}" --live > /run/lab-attach 2>&1 &
    wait_for 30 grep -q "^phase=$1" /run/virt-vgpu/claims/$uuid
    kill -KILL "$(daemon_pid)"
    knob create_hang 0
    daemon_kill
    wait $! || fail "an attach that was cut off succeeded: $(cat /run/lab-attach)"
}
say "the daemon is killed while it creates one: the vGPU is removed"
knob create_hang 1
attach_until creating
assert_eq "$(mdevs | wc -l)" 2 "devices, when the driver has finished"
daemon_start
wait_for 30 mdevs_are "$v7"
wait_for 30 are_rows 0:planned:True 1:planned:True 7:active:True
same_qemu web1 "$pid"

say "the daemon is killed while it plugs one: the hotplug is completed"
kill -STOP "$pid"
attach_until attaching
kill -CONT "$pid"
daemon_start
wait_for 30 are_rows 0:planned:True 1:planned:True 4:active:True 7:active:True
wait_for 30 has_number $live 4
mdevs_are "$v4" "$v7" || fail "devices: $(mdevs)"

say "one is detached while the daemon is dead: the vGPU is removed"
daemon_kill
virsh -q detach-device-alias web1 ua-vgpu-4 --live
wait_for 30 not has_number $live 4
mdev_exists "$v4" || fail "who has removed $v4?"
daemon_start
wait_for 30 mdevs_are "$v7"
same_qemu web1 "$pid"

say "the daemon is killed while it plugs one, and the domain dies: nothing is left but the definition"
kill -STOP "$pid"
attach_until attaching
kill -KILL "$pid"
wait_for 30 is_state web1 "shut off"
daemon_start
wait_for 30 nothing_left
wait_for 30 are_rows 0:planned:False 1:planned:False
assert_eq "$(numbers $defined)" "0 1" "what is defined"
