#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Definitions and devices follow: annotated later, edited, renamed, cloned, undefined; a user's hostdev stays
# takes: 84
# once: bookworm
# timeout: 600
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

contested=3b0f4d3e-5d3a-4d55-9c1e-5b5c3f0a7a14
mine=11111111-2222-4333-8444-55555555550
users="$(mdev_hostdev ${mine}1)$(mdev_hostdev ${mine}2 | sed "s|</hostdev>|<alias name='ua-vgpu'/></hostdev>|")"

# count_users NAME: hostdevs of the user's in its definition.
count_users() { virsh -q dumpxml "$1" --inactive | grep -c "uuid='$mine" || true; }
# rows NAME: index, profile and state of its vGPUs, one string.
rows() {
    json "' '.join('%d:%s:%s' % (r['index'], r['profile'], r['state']) for r in v if r['domain'] == '$1')" \
        list --all
}
are_rows() { [ "$(rows "$1")" = "$2" ]; }

pace
say "annotated later, edited, renamed"
define one --hostdev "$users"
set_annotation one "profile='GRID M10-2Q'"
wait_for 30 is_injected one 1
uuid=$(domain_uuid one)
first=$(vgpu_uuid "$uuid" 0)
assert_grep "uuid='$first'" "$(defined_hostdev one 0)" "hostdev"
hostdev=$(defined_hostdev one 0)
set_annotation one "profile='GRID M10-4Q'" "profile='NVIDIA A2-4Q'"
wait_for 30 is_injected one 2
virsh -q domrename one uno
wait_for 30 are_rows uno "0:GRID M10-4Q:planned 1:NVIDIA A2-4Q:planned"
assert_eq "$(rows one)" "" "rows of the old name"
assert_eq "$(defined_hostdev uno 0)" "$hostdev" "hostdev after all that"

say "cloned"
virt-clone --original uno --name copy --auto-clone > /dev/null
copied() { has_defined copy 0 "$1" && has_defined copy 1 "$2"; }
wait_for 30 copied "$(vgpu_uuid "$(domain_uuid copy)" 0)" "$(vgpu_uuid "$(domain_uuid copy)" 1)"
assert_eq "$(defined_hostdev uno 0)" "$hostdev" "the original"
assert_eq "$(count_users uno) $(count_users copy)" "2 2" "hostdevs of the user's"

say "undefined while off, and while the daemon is down"
virsh -q undefine copy
wait_for 30 are_rows copy ""
define_vgpu two "profile='GRID M10-2Q'"
define three
daemon_stop
virsh -q undefine two
set_annotation three "profile='GRID M10-2Q'"
set_annotation uno "profile='GRID M10-2Q'"
daemon_start
wait_for 30 is_injected three 1
wait_for 30 is_injected uno 1
assert_eq "$(rows two)$(rows uno)" "0:GRID M10-2Q:planned" "rows"

say "edited and removed while it runs"
virsh -q start three
live=$(live_hostdev three 0)
three=$(vgpu_uuid "$(domain_uuid three)" 0)
set_annotation three "profile='GRID M10-4Q'"
restart_needed() { [ "$(json "[r['restart_needed'] for r in v]" list)" = "[True]" ]; }
wait_for 30 restart_needed
virsh -q metadata three --uri "$NS" --remove --config
virsh -q metadata uno --uri "$NS" --remove --config
wait_for 30 is_injected three 0
wait_for 30 is_injected uno 0
assert_eq "$(count_users uno)" 2 "hostdevs of the user's"
assert_eq "$(live_hostdev three 0) $(mdevs)" "$live $three" "the running domain"
virsh -q destroy three
wait_for 30 nothing_left

say "its guest address is the annotation's, even after edits; elements that an mdev does not support are refused"
add() { virsh -q metadata placed --uri "$NS" --key vgpu --config --set "<devices><device profile='GRID M10-2Q' $1><hostdev>$2</hostdev></device></devices>" > /dev/null; }
define placed --hostdev ""
add "" "<address type='pci' domain='0x0000' bus='0x00' slot='0x10' function='0x0'/>"
wait_for 30 has_defined placed 0 "slot='0x10'"
add "display='off'" "<address type='pci' bus='0' slot='17'/>"
wait_for 30 has_defined placed 0 "slot='0x11'"
virsh -q start placed
assert_grep "bus='0x00' slot='0x11'" "$(live_hostdev placed 0)" "the running domain's hostdev"
virsh -q destroy placed
wait_for 30 nothing_left
add "" "<rom bar='off'/>"
assert_fails "<vgpu:hostdev> has <rom>, but vGPU 0 is an mdev" virsh -q start placed
assert_grep "slot='0x11'" "$(defined_hostdev placed 0)" "its hostdev"
virsh -q undefine placed

say "libvirt is started with a definition that has changed meanwhile"
define four
libvirt_stop
sed -i "s|</uuid>|&<metadata>$(annotation "profile='GRID M10-2Q'")</metadata>|" /etc/libvirt/qemu/four.xml
libvirt_start
wait_for 30 is_injected four 1

say "each change took less than a second"
in_time 9 1000 "definition after"

say "contested: after six reverted corrections the daemon stops, and reports it once"
virt-vgpu events --json > /run/lab-events &
watcher=$!
trap 'kill $watcher' EXIT
# Defining it from its file removes our hostdev again. In one process, as all of it has to happen within a minute.
domain_xml contested --uuid $contested --annot "$(annotation "profile='GRID M10-2Q'")" > /run/lab-contested.xml
/usr/bin/python3 - << 'EOF'
import libvirt, time
conn = libvirt.open("qemu:///system")
xml = open("/run/lab-contested.xml").read()
for i in range(7):
    domain = conn.defineXML(xml)
    end = time.monotonic() + (30 if i < 5 else 3)
    while "ua-vgpu-0" not in domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE):
        if time.monotonic() > end:
            break
        time.sleep(0.05)
    print(f"definition {i}: corrected: {time.monotonic() <= end}", flush=True)
    if (time.monotonic() <= end) != (i < 5):
        raise SystemExit("corrections, not five")
EOF
is_told() { grep -q domain-contested /run/lab-events; }
wait_for 30 is_told
assert_eq "$(grep -c domain-contested /run/lab-events)" 1 "events"
