#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A pool keeps its GPUs for domains that name it, within limits, and no change of it disturbs running domains
# takes: 90
# timeout: 600
# releases: bookworm
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

A2B=0000:42:00.0
A2C=0000:43:00.0
pools=/etc/virt-vgpu/pools
iso=/var/lib/libvirt/images/lab-grid.iso

# of_acme ATTRS…: an annotation of the tenant acme.
of_acme() { annotation "$@" | sed "s/<vgpu:devices/& tenant='acme'/"; }
# reason_of NAME, reason_of --xml FILE: explain's reason why a start is not possible.
reason_of() {
    virt-vgpu explain "$@" --json > /run/lab-explain || true # the status says that, too
    /usr/bin/python3 -ISc 'import json; print(json.load(open("/run/lab-explain"))["reason"])'
}
# refused NAME REGEX: a start is refused for a reason that matches, with the exact words of explain.
refused() {
    local said reason
    if said=$(virsh -q start "$1" 2>&1); then fail "$1 has started"; fi
    assert_grep "$2" "$said" "what virsh start says"
    reason=$(reason_of "$1")
    [[ $said == *"$reason"* ]] || fail "explain says \"$reason\", virsh start \"$said\""
}
states() { json '" ".join(p["name"] + ":" + p["state"] for p in v)' pool-list; }
users_are() { [ "$(json '" ".join(v["users"])' pool-info "$1")" = "${*:2}" ]; }
gpus_are() { [ "$(json '" ".join(v["gpus"])' pool-info "$1")" = "${*:2}" ]; }
# editor SCRIPT: $EDITOR is sed with that script.
editor() {
    printf '#!/bin/sh\nexec sed -i %q "$1"\n' "$1" > /run/lab-editor
    chmod +x /run/lab-editor
    export EDITOR=/run/lab-editor
    unset VISUAL
}

say "a bad file is refused with its line, and nothing is written"
daemon_config '[images]' 'source_directories=/run/lab-bundle'
mkdir -p /run/lab-bundle
echo "a driver" > /run/lab-bundle/NVIDIA-Linux-x86_64-grid.run
cat > /run/lab-design.xml << XML
<vgpupool>
  <name>design</name>
  <source><gpu address='$A2'/></source>
  <profiles><profile name='NVIDIA A2-4Q' default='yes'/><profile name='NVIDIA A2-8Q'/></profiles>
  <driverISO path='$iso'><bundle path='/run/lab-bundle'/><gridd key='ServerAddress' value='lic.example'/></driverISO>
  <tenants><tenant name='acme' max='1'/></tenants>
</vgpupool>
XML
sed "s/max='1'/max='one'/" /run/lab-design.xml > /run/lab-bad.xml
assert_fails "lab-bad.xml.*line 6.*max" virt-vgpu pool-define /run/lab-bad.xml
assert_eq "$(find $pools -type f) $(states)" " default:active" "pools"

say "a file that names files in other directories is refused, too"
sed "s|/run/lab-bundle|/etc|" /run/lab-design.xml > /run/lab-elsewhere.xml
assert_fails "'source_directories' in .images. of virt-vgpu.conf" virt-vgpu pool-define /run/lab-elsewhere.xml
sed "s|$iso|/etc/lab-grid.iso|" /run/lab-design.xml > /run/lab-elsewhere.xml
assert_fails "'directories' in .images. of virt-vgpu.conf" virt-vgpu pool-define /run/lab-elsewhere.xml

say "define, start, autostart"
assert_eq "$(virt-vgpu pool-define /run/lab-design.xml)" "Pool design defined from /run/lab-design.xml" "pool-define"
assert_eq "$(json '[(p["state"], p["autostart"], p["gpus"]) for p in v if p["name"] == "design"]' pool-list)" \
    "[('inactive', False, ['$A2'])]" "pool-list"
virt-vgpu pool-start design
virt-vgpu pool-autostart design
assert_eq "$(json 'list(v), v["uuid"] in open("'$pools'/design.xml").read(), v["state"], v["autostart"], v["driver_iso"]' \
    pool-info design)" \
    "(['name', 'uuid', 'state', 'autostart', 'gpus', 'profiles', 'tenants', 'description', 'users', 'driver_iso', $(
    )'driver_version', 'params_allow', 'params_listed', 'params_set', 'passed_through'], True, 'active', True, '$iso')" "pool-info"
json '[p["gpus"] for p in v if p["name"] == "default"]' pool-list > /run/lab-default
assert_not_grep "$A2" "$(cat /run/lab-default)" "GPUs of the default pool"
assert_grep "driver image built: $iso" "$(virt-vgpu pool-refresh design)" "pool-refresh"
xorriso -indev $iso -find / -type f > /run/lab-iso 2> /dev/null
assert_grep "/NVIDIA-Linux-x86_64-grid.run" "$(cat /run/lab-iso)" "what is in the image"
assert_grep "/gridd.conf" "$(cat /run/lab-iso)" "what is in the image"
assert_eq "$(stat -c '%U:%G %a' $iso)" "root:$(id -gn libvirt-qemu) 640" "who may read the image"

say "a domain that names only the pool gets its default profile, and the driver's image"
define cad --annot "$(of_acme "pool='design' driverISO='yes'")"
wait_for 30 is_injected cad 2
disk="//disk[alias/@name='ua-vgpu-driver']"
virsh -q start cad
for which in "" --inactive; do
    # shellcheck disable=SC2086
    xml=$(virsh -q dumpxml cad $which --xpath "$disk" | tr '"' "'")
    assert_grep "device='cdrom'" "$xml" "driver disk ($which)"
    assert_grep "file='$iso'" "$xml" "driver disk ($which)"
    assert_grep "<readonly/>" "$xml" "driver disk ($which)"
done
qemu=$(qemu_pid cad)
vgpu=$(vgpu_uuid "$(domain_uuid cad)" 0)
assert_grep "$vgpu" "$(live_hostdev cad 0)" "hostdev"
assert_eq "$(mdev_type "$vgpu")" nvidia-746 "type"
assert_grep '^0000:41:' "$(mdev_parent "$vgpu")" "parent"
wait_for 30 vgpu_state "$vgpu" active
assert_eq "$(json '[(r["pool"], r["tenant"]) for r in v]' list)" "[('design', 'acme')]" "list"
assert_eq "$(json '[tuple(p.values()) for p in v["profiles"]], v["tenants"], v["users"]' pool-info design)" \
    "([('NVIDIA A2-4Q', 4, 1, 3), ('NVIDIA A2-8Q', 2, 0, 0)], [{'name': 'acme', 'max': 1, 'used': 1, $(
    )'max_mib': None, 'used_mib': 4096}], ['cad'])" \
    "pool-info"
assert_eq "$(virt-vgpu pool-dumpxml design | xmlstarlet sel -t -m '//usage/profile' -v '@name' -o = -v '@capacity' \
    -o / -v '@allocated' -o / -v '@available' -n | xargs -d '\n')" "NVIDIA A2-4Q=4/1/3 NVIDIA A2-8Q=2/0/0" "pool-dumpxml"

say "refused: beyond the tenant's limit, no tenant, without the pool"
define second --annot "$(of_acme "pool='design'")"
wait_for 30 is_injected second
refused second "tenant 'acme' has 1 of the 1 vGPUs that pool 'design' gives it \(cad\)"
sed "s/max='1'/max='9' maxMiB='6144'/" /run/lab-design.xml > /run/lab-mib.xml
virt-vgpu pool-define /run/lab-mib.xml
refused second "tenant 'acme' has 4096 of the 6144 MiB that pool 'design' gives it, and a vGPU .* takes 4096 \(cad\)"
virt-vgpu pool-define /run/lab-design.xml
domain_xml nobody --annot "$(annotation "pool='design'")" > /run/lab-nobody.xml
assert_grep "pool 'design' is for its tenants only \(acme\)" "$(reason_of --xml /run/lab-nobody.xml)" "explain"
define outside --annot "$(annotation "profile='NVIDIA A2-4Q' gpu='$A2'")"
refused outside "$A2, which gpu= names, .*: belongs to pool 'design'"

say "the pool is stopped while a domain runs, and started again"
assert_grep "used by: cad" "$(virt-vgpu pool-destroy design)" "pool-destroy"
refused second "pool 'design' is not active \(virt-vgpu pool-start design\)"
virt-vgpu pool-start design
assert_grep "tenant 'acme' has 1" "$(reason_of second)" "explain"

say "edited"
editor 's/max="1"/max="2"/'
assert_grep "Pool design XML configuration edited" "$(virt-vgpu pool-edit design)" "pool-edit"
assert_eq "$(reason_of second)" "None" "explain"
cp $pools/design.xml /run/lab-before.xml
editor 's/tenants>/tennants>/'
assert_fails "pool design is unchanged" virt-vgpu pool-edit design < /dev/null
cmp $pools/design.xml /run/lab-before.xml

say "a rule, without the GPUs that another pool names, and a hotplugged GPU"
cat > /run/lab-all.xml << XML
<vgpupool>
  <name>all-a2</name>
  <source><match vendor='0x10de' product='$(json 'v["product"]' gpu-info "$A2")' interface='mdev'/></source>
</vgpupool>
XML
vfs_on $A2B 2
virt-vgpu pool-define /run/lab-all.xml
virt-vgpu pool-start all-a2
wait_for 30 gpus_are all-a2 $A2B
gpu_add $A2C
vfs_on $A2C 2
room_is() { [ "$(json '[p["available"] for p in v["profiles"] if p["name"].endswith("A2-4Q")]' pool-info "$1")" = "[$2]" ]; }
wait_for 30 room_is all-a2 4
gpus_are all-a2 $A2B $A2C || fail "its GPUs are not both of them"
gpus_are design "$A2" || fail "design has lost its GPU"

say "spread over two GPUs, packed on one"
two="pool='all-a2' profile='NVIDIA A2-4Q' count='2'"
define two --annot "$(annotation "$two placement='spread'")"
wait_for 30 is_injected two 2
only_cad() { [ "$(mdevs) $(claims)" = "$vgpu 1" ]; }
# placed: the GPUs of its two vGPUs, as chosen for the hook that libvirt runs before a start.
placed() {
    local uuid
    uuid=$(domain_uuid two)
    virsh -q dumpxml two --inactive > /run/lab-two.xml
    hook two prepare /run/lab-two.xml
    for i in 0 1; do mdev_parent "$(vgpu_uuid "$uuid" $i)"; done | cut -c1-7 | sort -u | xargs
    hook two release /run/lab-two.xml
    wait_for 30 only_cad
}
assert_eq "$(placed)" "0000:42 0000:43" "spread"
set_annotation two "$two placement='pack'"
assert_eq "$(placed)" "0000:42" "pack"

say "the daemon is restarted, the host is rebooted"
virt-vgpu pool-destroy all-a2
daemon_restart
wait_for 60 is_connected
assert_eq "$(states)" "default:active all-a2:inactive design:active" "states after a restart"
virt-vgpu pool-start all-a2
virt-vgpu pool-destroy design > /run/lab-out
daemon_stop
rm -r /run/virt-vgpu/pools # as /run is empty then
daemon_start
wait_for 60 is_connected
assert_eq "$(states)" "default:active all-a2:inactive design:active" "states after a boot"

say "undefined"
wait_for 30 users_are design cad second
assert_fails "pool 'design' is active; stop it first" virt-vgpu pool-undefine design
virt-vgpu pool-destroy design > /run/lab-out
assert_grep "used by: cad, second" "$(virt-vgpu pool-undefine design)" "pool-undefine"
[ ! -e $pools/design.xml ] || fail "its file is left"
refused second "there is no pool 'design'"
same_qemu cad "$qemu"
assert_grep "$vgpu" "$(live_hostdev cad 0)" "hostdev after all that"
virsh -q destroy cad
wait_for 30 nothing_left
