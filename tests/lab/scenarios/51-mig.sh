#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# MIG from mode to domain, mixed sizes, scheduler and statistics through NVML; starts work even if NVML hangs or is missing
# takes: 80
# once: trixie
# timeout: 600
# shellcheck source=SCRIPTDIR/../vgpu.sh disable=SC2119
. "$(dirname "$0")/../vgpu.sh"

uuid=5f0c1b6e-6b52-4c7e-9d53-7a1f3c0d5101
vgpu=$(vgpu_uuid $uuid 0)
own=11111111-2222-4333-8444-000000005101
own2=11111111-2222-4333-8444-000000005102
layout=/etc/virt-vgpu/host.xml

# instances: the profiles of the A100's GPU instances, read from the board.
instances() { fake "$A100" gpu_instances | cut -d' ' -f2 | sort -n | xargs; }
# offers ID…: how many more of each profile the A100 accepts.
offers() { json "[p['available'] for i in '$*'.split() for p in v if p['id'] == 'nvidia-' + i]" profile-list "$A100"; }
# stats UUID: the statistics of that vGPU.
stats() {
    json "next(tuple(r[k] for k in ('domain', 'fb_mib', 'fb_used_mib', 'gpu_util', 'mem_util', 'license_state')) for r in v
        if r['uuid'] == '$1')" list --stats
}
stats_are() { [ "$(stats "$1")" = "$2" ]; }

say "a GPU is divided"
standins
virt-vgpu gpu-enable "$A100" --vfs 4 > /dev/null
assert_eq "$(offers 468 474)" "[4, 0]" "profiles without MIG"
assert_eq "$(json 'sorted(c.split(" ")[0] for c in v["changes"])' mig-apply "$A100" 1g.5gb:2,2g.10gb:1)" \
    "['created', 'created', 'created', 'turned']" "mig-apply"
assert_eq "$(fake "$A100" mig_mode) $(instances)" "1 14 19 19" "MIG mode and GPU instances"
assert_eq "$(json 'v["changes"]' mig-apply "$A100" 2g.10gb:1,1g.5gb:2)" "[]" "mig-apply again"
assert_eq "$(json 'list(v[0])' mig-list "$A100")" \
    "['mode', 'gi', 'profile', 'profile_id', 'start', 'size', 'uuid', 'compute_instances', 'in_use']" "mig-list"
assert_eq "$(json '[r["uuid"] == r["compute_instances"][0]["uuid"] and r["uuid"][:4] for r in v]' mig-list "$A100")" \
    "['MIG-', 'MIG-', 'MIG-']" "UUIDs"
assert_eq "$(json 'sorted((r["gi"], r["profile"], r["profile_id"], r["start"], r["size"], r["in_use"]) for r in v)' mig-list "$A100")" \
    "[(3, '2g.10gb', 14, 0, 2, False), (7, '1g.5gb', 19, 2, 1, False), (8, '1g.5gb', 19, 3, 1, False)]" "mig-list"
assert_eq "$(json 'sorted(tuple(r.values()) for r in v if r["id"] in (9, 14, 19))' mig-list "$A100" --profiles)" \
    "[('on', '1g.5gb', 19, 3, 7, 4.75, 14, False, 0, 0, 1), ('on', '2g.10gb', 14, 1, 3, 9.75, 28, False, 1, 0, 2), ('on', '3g.20gb', 9, 1, 2, 19.625, 42, False, 2, 0, 3)]" \
    "mig-list --profiles"
assert_eq "$(offers 468 474 475 476)" "[0, 2, 1, 0]" "profiles with MIG"

say "a domain on a GPU instance"
define_vgpu web "profile='GRID A100-1-5C'" --uuid $uuid
virsh -q start web
assert_grep '^0000:a1:' "$(mdev_parent "$vgpu")" "parent"
gi=$(fake "$A100" vgpus | sed -n "s/.* 474 $vgpu \([0-9]\) 1$/\1/p")
assert_grep '^[78]$' "$gi" "its GPU instance"
assert_eq "$(json '[r["gi"] for r in v if r["in_use"]]' mig-list "$A100")" "[$gi]" "those in use"
assert_eq "$(offers 474 475)" "[1, 1]" "what is left"
assert_fails "GPU instance $gi \(1g.5gb\) has 1 vGPU and would have to be removed" virt-vgpu mig-apply "$A100" 2g.10gb:3
assert_fails "GPU instance $gi \(1g.5gb\)" virt-vgpu mig-clear "$A100"
assert_fails "of domain 'web'" virt-vgpu gpu-disable "$A100"
assert_eq "$(fake "$A100" mig_mode) $(instances)" "1 14 19 19" "MIG mode and GPU instances"
assert_eq "$(json 'v["changes"][0]' mig-apply "$A100" 1g.5gb:2)" "destroyed GPU instance 3 (2g.10gb)" "mig-apply around it"

say "a time-sliced vGPU on another GPU beside it, and NVML's figures for both"
virt-vgpu create "$A2" "NVIDIA A2-4Q" --uuid $own > /dev/null
wait_for 20 stats_are "$vgpu" "('web', 5120, 1280, 40, 30, 'licensed')"
assert_eq "$(stats $own)" "(None, None, None, None, None, None)" "stats of a vGPU that is not open"
assert_fails "$own" virt-vgpu scheduler "$A2" equal-share
sed -i 's,^nvml_library=.*,nvml_library=/nonexistent/libnvidia-ml.so.1,' /etc/virt-vgpu/conf.d/lab.conf
wait_for 20 stats_are "$vgpu" "('web', None, None, None, None, None)"
assert_fails "/nonexistent/libnvidia-ml.so.1" virt-vgpu mig-list "$A100"
virt-vgpu destroy $own > /dev/null

say "a daemon whose library hangs, or is missing, starts domains all the same"
define_vgpu plain "profile='NVIDIA A2-4Q'"
virsh -q dumpxml plain > /run/lab-plain.xml
plain=$(vgpu_uuid "$(domain_uuid plain)" 0)
start_and_stop() {
    hook plain prepare /run/lab-plain.xml
    mdev_exists "$plain" || fail "no vGPU"
    hook plain release /run/lab-plain.xml
    wait_for 20 not mdev_exists "$plain"
}
daemon_restart
start_and_stop
nvml_knob hang-nvmlInit_v2
standins
start_and_stop
virt-vgpu list --stats > /run/lab-list &
list=$!
start_and_stop
kill -0 $list || fail "the library does not hang: $(cat /run/lab-list)"
rm /run/fake-nvml/hang-nvmlInit_v2
wait $list || fail "list --stats: $(cat /run/lab-list)"
assert_eq "$(stats "$vgpu")" "('web', 5120, 1280, 40, 30, 'licensed')" "stats afterwards"

say "scheduler"
scheduler() { json 'v["policy"], v["timeslice_us"], v["modprobe"].split("=")[-1]' scheduler "$@"; }
assert_eq "$(scheduler "$A2")" "('best-effort', None, '0x00\"')" "scheduler"
assert_eq "$(scheduler "$A2" fixed-share --timeslice 3000)" "('fixed-share', 3000, '0x30011\"')" "scheduler fixed-share"
assert_eq "$(scheduler "$A2" equal-share)" "('equal-share', 2083, '0x01\"')" "scheduler equal-share"

say "mixed sizes, and missing MIG instances, created by a layout"
virsh -q destroy web
wait_for 20 nothing_left
assert_eq "$(json 'v["changes"]' mig-clear "$A100" | grep -o destroyed | wc -l)" 2 "mig-clear"
assert_eq "$(instances)" "" "GPU instances"
mkdir -p /etc/virt-vgpu
cat > $layout << XML
<vgpuhost>
  <gpu address='$A2'><mode heterogeneous='yes'/></gpu>
  <gpu address='$A100'><sriov vfs='4'/><mig auto='yes'><instance profile='1g.5gb'/></mig></gpu>
</vgpuhost>
XML
virt-vgpu host-apply $layout > /run/lab-apply || fail "host-apply: $(cat /run/lab-apply)"
assert_eq "$(fake "$A2" mixed) $(instances)" "1 19" "mixed sizes, GPU instances"
virt-vgpu create "$A2" "NVIDIA A2-4Q" --uuid $own > /dev/null
virt-vgpu create "$A2" "NVIDIA A2-8Q" --uuid $own2 > /dev/null
assert_eq "$(mdev_type $own) $(mdev_type $own2)" "nvidia-746 nvidia-747" "types"
define_vgpu big "profile='GRID A100-3-20C'"
virsh -q dumpxml big > /run/lab-big.xml
# It does not wait long for a query of NVML that libvirt's late events about VFs have caused.
until hook big prepare /run/lab-big.xml 2> /run/lab-refused; do
    grep -q "is busy with another GPU" /lab/work/logs/virtvgpud.log || fail "$(cat /run/lab-refused)"
    sleep 1
done
assert_eq "$(mdev_type "$(vgpu_uuid "$(domain_uuid big)" 0)") $(instances)" "nvidia-476 9 19" "made at the start"
virt-vgpu host-diff $layout > /run/lab-diff || fail "host-diff: $(cat /run/lab-diff)"
hook big release /run/lab-big.xml
