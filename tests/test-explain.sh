#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Explain and a following start give the same answer, with the real daemon, hook and command on a made tree that has
# GPUs with mediated devices, NVIDIA's vendor-specific VFIO and plain virtual functions.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session
"$builddir/tests/make-tree" --add "$root" l40s
"$builddir/tests/make-tree" --add "$root" s7150

# device N ATTRIBUTES [HOSTDEV]: domain vmN in $root/vmN.xml asks for a vGPU with these attributes
device()
{
    domain_xml "$1" | sed "s|<os>|<metadata><v:devices xmlns:v='urn:virt-vgpu:domain:1'><v:device $2/></v:devices></metadata>&|
        s|<devices/>|<devices>${3:-}</devices>|" > "$root/vm$1.xml"
}
# on_vf BUS: a hostdev with the first plain VF there
on_vf()
{
    printf "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='0x%s' slot='0x02' function='0x0'/></source><alias name='ua-vgpu-0'/></hostdev>" "$1"
}
explain() { cli explain --json --xml "$root/vm$1.xml" > "$root/explained"; }
reason() { sed -n 's/^ *"reason" : "\(.*\)",*$/\1/p' "$root/explained" | tail -n 1; }
# same N TEXT: explain refuses with TEXT in its reason, and so does the hook, with all of it
same()
{
    not explain "$1" && reason | grep -F -- "$2" && not prepare "$1" 2> "$root/refused" &&
        reason > "$root/reason" && grep -F -f "$root/reason" "$root/refused" && log_says "$2"
}
# plan TEXT: is in plan[], which has no blanks here
plan() { tr -d ' \n' < "$root/explained" | grep -F -- "\"plan\":[$1"; }

echo "<node>$(domain_xml 1)</node>" > "$root/host.xml"
check "the daemon starts" up

# --- several kinds of GPU ---------------------------------------------------------------------------
device 4 "profile='vf'" "$(on_vf c9)"
check "a missing VF" same 4 "the virtual function 0000:c9:02.0 of its definition does not exist"
check "explain says where it would be moved to" plan '{"index":0,"profile":null,"gpu":null,"parent":null,"state":"refused","note":"astartwouldmoveitsdefinitionto0000:c1:02.0"}'
device 5 "profile='A2-4Q'" "$(on_vf c1)"
check "a VF, and a profile of another kind of GPU" same 5 "is being moved to another device"
check "to a mediated device" plan '{"index":0,"profile":null,"gpu":null,"parent":null,"state":"refused","note":"astartwouldmoveitsdefinitionto0000:41:00.4"}'
device 6 "profile='vf'" "$(on_vf c1)"
check "a VF that is available" explain 6
check "is the plan" plan '{"index":0,"profile":"vf","gpu":"0000:c1:00.0","parent":"0000:c1:02.0","state":"planned","note":null}]'
check "and it starts" prepare 6
check "then explain says that it has it" explain 6
check "with its state" plan '{"index":0,"profile":"vf","gpu":"0000:c1:00.0","parent":"0000:c1:02.0","state":"active","note":"hasvfon0000:c1:02.0already"}]'
device 7 "profile='vf'" "$(on_vf c1)"
check "another domain's VF" same 7 "hostdev 'ua-vgpu-0' with VF 0000:c1:02.0 does not belong to its annotation"

# --- gpu= -------------------------------------------------------------------------------------------
device 8 "profile='A2-4Q' gpu='0000:99:00.0'"
check "a missing GPU" same 8 "there is no GPU 0000:99:00.0"
device 9 "profile='A2-4Q' gpu='84:00.0'"
check "one without the profile" same 9 "0000:84:00.0, which gpu= names, does not have the profile 'A2-4Q'; 0000:41:00.0 has it"
device 10 "profile='A2-4Q' gpu='41:00.6'"
check "a VF" explain 10
check "is the plan" plan '{"index":0,"profile":"NVIDIAA2-4Q","gpu":"0000:41:00.0","parent":"0000:41:00.6"'
check "others are not named" grep -q "is not the one that gpu= names" "$root/explained"
check "it starts" prepare 10
check "on that VF" grep -q 0000:41:00.6 "$root/run/virt-vgpu/claims/$(domain_uuid 10)"
device 11 "profile='A2-4Q' gpu='41:00.6'"
check "a VF that is in use" same 11 "0000:41:00.6 is in use by domain 'vm10'"
check "create on it" fails_with "0000:41:00.6 is in use by domain 'vm10'" cli create 41:00.6 A2-4Q
check "create on another" says "createdon0000:41:00.7" cli create 41:00.7 A2-4Q
check "and once more" fails_with "0000:41:00.7 is in use by a vGPU that was made by hand" cli create 41:00.7 A2-4Q
check "the log says that it was not made" log_says "not made.*: 0000:41:00.7 cannot take a vGPU 'A2-4Q'"

# --- in words ---------------------------------------------------------------------------------------
domain_xml 2 > "$root/vm2.xml"
check "a domain without an annotation" says "asksfornovGPU" cli explain --xml "$root/vm2.xml"
check "the table does not say it twice" sh -c "'$builddir/virt-vgpu' explain --xml '$root/vm6.xml' | grep -E '^ 0 +0000:c1:00.0 +fits +has vf on'"

# --- a GPU that has room, and gives nothing ---------------------------------------------------------
device 12 "profile='L40S-4Q'"
explain 12
cli profile-list 61:00.0 > "$root/profiles"
obstacle='0000:61:00.0: its vendor-specific VFIO needs libvirt 9.7 or newer'
check "a libvirt that is too old is the reason, below the profiles" \
    test "$(grep -c libvirt-too-old "$root/explained")" -eq "$(grep -cF "$obstacle" "$root/profiles")"

# --- errors that validate does not find; last, as a pool causes a comparison of all domains -----------
is_valid() { cli validate "$root/vm$1.xml" | grep 'not checked'; }
echo "<vgpupool><name>shut</name><source><gpu address='84:00.0'/></source><params allow='none'/></vgpupool>" \
    > "$root/shut.xml"
{ cli pool-define "$root/shut.xml" && cli pool-start shut; } > /dev/null
device 13 "profile='A2-4Q' pool='none'"
check "a missing pool is valid" is_valid 13
check "and refused" same 13 "there is no pool 'none'"
device 14 "profile='A2-4Q' pool='shut' profiling='on'"
check "a parameter that its pool forbids is valid" is_valid 14
check "and refused" same 14 "pool 'shut' does not allow the plugin parameter 'profiling'"

finish
