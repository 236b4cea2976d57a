#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An H100 divided by MIG, on vendor-specific VFIO: each domain gets a GPU instance, the reported room is right, one instance is created at a start
# takes: 70
# timeout: 600
# releases: trixie
# shellcheck source=SCRIPTDIR/../vgpu.sh disable=SC2119
. "$(dirname "$0")/../vgpu.sh"

pci=/sys/bus/pci/devices
layout=/etc/virt-vgpu/host.xml

# taken: how many more of each type the driver accepts, tried on the free VFs; "ID:N ID:N …".
taken() {
    /usr/bin/python3 -IS - "$pci/$H100" << 'PY'
import glob, sys
def write(name, text):
    with open(name, "w") as f:
        f.write(text)
free = [n for n in glob.glob(sys.argv[1] + "/virtfn*/nvidia/current_vgpu_type") if open(n).read() == "0\n"]
counts = []
for id in sorted(line.split("|")[0] for line in open(sys.argv[1] + "/fakegpu/types")):
    taken = []
    try:
        for name in free:
            write(name, id)
            taken.append(name)
    except OSError:
        pass
    for name in taken:
        write(name, "0")
    counts.append(f"{id}:{len(taken)}")
print(*counts)
PY
}
# room: the same according to profile-list; types that it does not list have no room.
room() {
    json "' '.join('%s:%s' % (i, {p['id']: p['available'] for p in v}.get('nvidia-' + i, 0)) for i in
        '$(fake "$H100" types | cut -d'|' -f1 | sort | xargs)'.split())" profile-list "$H100"
}
# Then $room is what has been compared. The daemon may see the vGPUs that are made to try, so that its next answer can
# differ for a moment.
room_is_what_is_taken() {
    room=$(room)
    assert_eq "$room" "$(taken)" "room, and what the driver takes"
}
# instances: the profiles of its GPU instances, read from the board.
instances() { fake "$H100" gpu_instances | cut -d' ' -f2 | sort -n | xargs; }
# instance_of NAME: the GPU instance that the driver has chosen for its vGPU.
instance_of() { cat "$pci/$(live_vf "$1" 0)/nvidia/gpu_instance_id"; }
# in_use: the GPU instances that are in use according to mig-list.
in_use() { json '" ".join(sorted(str(r["gi"]) for r in v if r["in_use"]))' mig-list "$H100"; }
# row NAME: the row of list for its vGPU.
row() {
    json "[' '.join(str(r[k]) for k in ('state', 'interface', 'profile', 'profile_id', 'gpu', 'parent')) for r in v
        if r['domain'] == '$1']" list
}

say "more VFs than the board accepts vGPUs of most types, known only from the driver"
gpu_add "$H100"
is_known() { virt-vgpu gpu-info "$H100" > /run/lab-known; }
wait_for 30 is_known
virt-vgpu gpu-enable "$H100" --vfs 8 > /run/lab-enable
assert_eq "$(json '[(p["id"], p["available"], n) for p in v for n in [dict(i.split(":") for i in "'"$(taken)"'".split())[p["id"][7:]]]
    if (p["available"] or 0) > int(n)]' profile-list "$H100")" "[]" "types with room for more than the driver takes"

say "the same with NVIDIA's library"
standins
room_is_what_is_taken
assert_eq "$(json '" ".join("%s:%s" % (p["name"].split("-", 1)[1], p["available"]) for p in v if p["available"])' profile-list "$H100")" \
    "4C:8 5C:8 8C:8 10C:8 16C:5 20C:4 40C:2 80C:1" "time-sliced types"

say "the GPU is divided"
assert_eq "$(json 'sorted(c.split(" ")[0] for c in v["changes"])' mig-apply "$H100" 1g.10gb:2,2g.20gb:2)" \
    "['created', 'created', 'created', 'created', 'turned']" "mig-apply"
assert_eq "$(fake "$H100" mig_mode) $(instances)" "1 14 14 19 19" "MIG mode and GPU instances"
assert_eq "$(json 'sorted((r["profile"], r["profile_id"], r["size"], r["in_use"]) for r in v)' mig-list "$H100")" \
    "[('1g.10gb', 19, 1, False), ('1g.10gb', 19, 1, False), ('2g.20gb', 14, 2, False), ('2g.20gb', 14, 2, False)]" "mig-list"
room_is_what_is_taken
assert_grep "9003:0 9004:2 9005:0 9006:2 9007:0" "$(room)" "room"

say "a domain on a GPU instance"
define one --annot "$(annotation "profile='NVIDIA H100-1-10C'")"
wait_for 30 is_injected one
virsh -q start one
vf=$(live_vf one 0)
assert_grep "type='pci' managed='no'" "$(live_hostdev one 0)" "hostdev"
assert_eq "$(fake "$H100" vgpus)" "$vf 9006 - $(instance_of one) 1" "what is on the board, where, and open"
assert_eq "$(row one)" "['active vendor-vfio NVIDIA H100-1-10C nvidia-9006 $H100 $vf']" "list"
assert_eq "$(in_use)" "$(instance_of one)" "GPU instances in use"
room_is_what_is_taken

say "a second domain fits, a third does not; other sizes have their own GPU instances"
define two --annot "$(annotation "profile='NVIDIA H100-1-10C'")"
define three --annot "$(annotation "profile='NVIDIA H100-1-10C'")"
define big --annot "$(annotation "profile='NVIDIA H100-2-20C'")"
for name in two three big; do wait_for 30 is_injected $name; done
virsh -q start two
[ "$(instance_of two)" != "$(instance_of one)" ] || fail "both are on GPU instance $(instance_of one)"
said=$(virsh -q start three 2>&1) && fail "three has started"
reason=$(json 'v["reason"]' explain three || true)
assert_grep "$H100" "$reason" "explain"
[[ $said == *"$reason"* ]] || fail "explain says \"$reason\", virsh start \"$said\""
virsh -q start big
assert_eq "$(in_use)" "$(for name in one two big; do instance_of $name; done | sort | xargs)" "GPU instances in use"
assert_fails "GPU instance $(instance_of big) \(2g.20gb\)" virt-vgpu mig-clear "$H100"
room_is_what_is_taken

say "the daemon is restarted"
before=$(row one)$(row two)$(row big)$room
daemon_restart
wait_for 30 is_connected
as_before() { [ "$(row one)$(row two)$(row big)$(room)" = "$before" ]; }
wait_for 30 as_before

say "stop"
virsh -q "destroy one; destroy two; destroy big"
wait_for 30 nothing_left
wait_for 30 types_are "$H100" 0 0 0 0 0 0 0 0
assert_eq "$(fake "$H100" vgpus)$(in_use)" "" "what is on the board"
room_is_what_is_taken
virt-vgpu mig-clear "$H100" > /run/lab-clear
assert_eq "$(instances)" "" "GPU instances"

say "a GPU instance is created for a start, and late"
mkdir -p /etc/virt-vgpu
cat > $layout << XML
<vgpuhost><gpu address='$H100'><sriov vfs='8'/><mig auto='yes'><instance profile='1g.10gb'/></mig></gpu></vgpuhost>
XML
virt-vgpu host-apply $layout > /run/lab-apply || fail "host-apply: $(cat /run/lab-apply)"
assert_eq "$(instances)" "19" "GPU instances"
define late --annot "$(annotation "profile='NVIDIA H100-2-20C'")"
wait_for 30 is_injected late
nvml_knob hang-nvmlDeviceCreateGpuInstance
# It does not wait long for a query of NVML that libvirt's late events about VFs have caused.
start_late() {
    until virsh -q start late 2> /run/lab-refused; do
        grep -q "is busy with another GPU" /lab/work/logs/virtvgpud.log || return 1
        sleep 1
    done
}
start_late &
pid=$!
sleep 3
kill -0 $pid || fail "the start did not wait: $(cat /run/lab-refused)"
assert_eq "$(instances) $(types "$H100")" "19 0 0 0 0 0 0 0 0" "meanwhile"
rm /run/fake-nvml/hang-nvmlDeviceCreateGpuInstance
wait $pid || fail "$(cat /run/lab-refused)"
assert_eq "$(instances) $(fake "$H100" vgpus)" "14 19 $(live_vf late 0) 9004 - $(instance_of late) 1" "made at the start"
assert_eq "$(in_use)" "$(instance_of late)" "GPU instances in use"
virsh -q destroy late
wait_for 30 nothing_left
wait_for 30 types_are "$H100" 0 0 0 0 0 0 0 0
virt-vgpu host-diff $layout > /run/lab-diff || fail "host-diff: $(cat /run/lab-diff)"
