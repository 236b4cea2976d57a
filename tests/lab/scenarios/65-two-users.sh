#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Two users who may each define domains cannot take, retune, starve or refuse each other's vGPU
# takes: 75
# init: systemd
# releases: trixie
# timeout: 700
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

# libvirt gives alice full access to the domains alice-*, and bob to bob-*; both may use vGPUs.
alice_uuid=3b0f4d3e-5d3a-4d55-9c1e-5b5c3f0a7a65
profile='NVIDIA A2-4Q'
big='NVIDIA L40S-4Q'
rules=/etc/polkit-1/rules.d/60-vgpu.rules
files=/run/lab-users

as() { setpriv --reuid "$1" --regid "$1" --init-groups --reset-env -- "${@:2}"; }
virsh_of() { as "$1" virsh -q -c qemu:///system "${@:2}"; } # WHO VERB…
refused() { assert_fails "$2" as "$1" "${@:3}"; }           # WHO WHY COMMAND…

put_back() {
    local user name
    for name in alice-vm alice-vf alice-late alice-dev bob-vm; do
        virsh -q destroy $name > /dev/null 2>&1 || true
        virsh -q undefine $name > /dev/null 2>&1 || true
    done
    rm -rf $rules $files
    if [ -e /run/lab-libvirtd.conf ]; then
        mv /run/lab-libvirtd.conf /etc/libvirt/libvirtd.conf
        systemctl restart libvirtd.service
    fi
    systemctl stop polkit.service
    for user in alice bob; do userdel $user; done
}
trap put_back EXIT

useradd -M -U alice
useradd -M -U bob
install -d -m 755 $files
cat > $rules << 'RULES'
polkit.addRule(function (action, subject) {
    if (subject.user != "alice" && subject.user != "bob")
        return polkit.Result.NOT_HANDLED;
    if (action.id == "org.libvirt.unix.manage" || action.id == "org.virtvgpu.use")
        return polkit.Result.YES;
    if (/^org\.libvirt\.api\.domain\./.test(action.id))
        return (action.lookup("domain_name") || "").indexOf(subject.user + "-") == 0 ? polkit.Result.YES
                                                                                     : polkit.Result.NO;
    if (/^org\.libvirt\.api\.(connect|node-device)\.(getattr|read|search-.*)$/.test(action.id))
        return polkit.Result.YES;
    return polkit.Result.NOT_HANDLED;
});
RULES
cp -p /etc/libvirt/libvirtd.conf /run/lab-libvirtd.conf
sed -i '/^auth_unix_rw/d; /^unix_sock_rw_perms/d' /etc/libvirt/libvirtd.conf
printf '%s\n' 'auth_unix_rw = "polkit"' 'unix_sock_rw_perms = "0777"' 'access_drivers = [ "polkit" ]' \
    >> /etc/libvirt/libvirtd.conf
systemctl start polkit.service
systemctl restart libvirtd.service
wait_for 60 is_connected

# define_as WHO NAME [domain_xml's options]
define_as() {
    domain_xml "${@:2}" > "$files/$2.xml"
    virsh_of "$1" define "$files/$2.xml"
}
# bob_tries WHY [domain_xml's options]: bob's domain does not start, for that reason.
bob_tries() {
    define_as bob bob-vm "${@:2}"
    assert_fails "$1" virsh_of bob start bob-vm
    virsh_of bob undefine bob-vm
}
# bob_creates WHY [domain_xml's options]: the same with a transient domain, whose XML is not corrected before the start.
bob_creates() {
    domain_xml bob-vm "${@:2}" > $files/bob-vm.xml
    assert_fails "$1" virsh_of bob create $files/bob-vm.xml
}
# alices DEVICES: alice's domain is unchanged.
alices() {
    assert_eq "$(mdevs)" "$1" "vGPUs"
    virsh -q dumpxml alice-vm --inactive | diff $files/definition - || fail "alice-vm's definition has changed"
}
vf_hostdev() { # ADDR
    echo "<hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0x${1:0:4}' bus='0x${1:5:2}'" \
        "slot='0x${1:8:2}' function='0x${1:11}'/></source><alias name='ua-vgpu-0'/></hostdev>"
}

say "each can manage only their own domains"
vfs_on "$L40S" 4
define_as alice alice-vm --uuid $alice_uuid --annot "$(annotation "profile='$profile'")"
wait_for 30 is_injected alice-vm
hers=$(vgpu_uuid $alice_uuid 0)
define_as alice alice-vf --annot "$(annotation "profile='$big' gpu='$L40S'")"
wait_for 30 is_injected alice-vf
vf=$(defined_vf alice-vf 0)
virsh -q dumpxml alice-vm --inactive > $files/definition
denied='access denied|failed to get domain|not found|no domain|not authorized|denied by policy'
assert_fails "$denied" define_as bob alice-new
refused bob "$denied" virsh -q -c qemu:///system start alice-vm

say "bob names the UUIDs that are computed from alice's domain, before she starts it"
for n in 0 15; do
    uuid=$(vgpu_uuid $alice_uuid $n)
    bob_tries "the vGPU $uuid belongs to domain 'alice-vm'" --hostdev "$(mdev_hostdev "$uuid")" \
        --annot "$(annotation "profile='$profile' uuid='$uuid'")"
    refused bob "belongs to domain 'alice-vm'" virt-vgpu create "$A2" "$profile" --uuid "$uuid"
done
refused bob "belongs to domain 'alice-vm'" virt-vgpu create "$A2" "$profile" --uuid "$hers" --persistent
define_as bob bob-vm --hostdev "$(mdev_hostdev "$hers")" --annot "$(annotation "profile='$profile' uuid='$hers'")"
refused bob "belongs to domain 'alice-vm'" virt-vgpu inject bob-vm
refused bob "belongs to domain 'alice-vm'" virt-vgpu explain bob-vm
alices ''

say "a domain of alice's is not annotated yet: its UUIDs are reserved all the same, and it starts in spite of bob's"
late_uuid=3b0f4d3e-5d3a-4d55-9c1e-5b5c3f0a7a66
virsh_of bob undefine bob-vm
define_as bob bob-vm --hostdev "$(mdev_hostdev "$(vgpu_uuid $late_uuid 0)")" \
    --annot "$(annotation "profile='$profile' uuid='$(vgpu_uuid $late_uuid 0)'")"
define_as alice alice-late --uuid $late_uuid
# bob's domain can start until virtvgpud knows about alice's
bob_is_refused() {
    virsh_of bob destroy bob-vm > /dev/null 2>&1 || true
    grep -q "belongs to domain 'alice-late'" <<< "$(virsh_of bob start bob-vm 2>&1)"
}
wait_for 20 bob_is_refused
virsh_of alice undefine alice-late
domain_xml alice-late --uuid $late_uuid --annot "$(annotation "profile='$profile'")" > $files/late.xml
virsh_of alice create $files/late.xml > /dev/null
assert_eq "$(mdevs)" "$(vgpu_uuid $late_uuid 0)" "vGPUs"
virsh_of alice destroy alice-late
wait_for 30 nothing_left
virsh_of bob undefine bob-vm

say "bob names alice's VF, and every other one, with our alias"
bob_creates "VF $vf does not belong to its annotation" \
    --hostdev "$(vf_hostdev "$vf")" --annot "$(annotation "profile='$big' gpu='$L40S'")"
for n in 0 1 2 3; do
    define_as bob bob-vm --hostdev "$(vf_hostdev "$(vf_of "$L40S" $n)")" --annot "$(annotation "profile='$profile'")"
    virsh_of bob start bob-vm > /dev/null 2>&1 || true
    virsh_of bob destroy bob-vm > /dev/null 2>&1 || true
    virsh_of bob undefine bob-vm
done
bob_tries "$vf.*planned for domain 'alice-vf'" --annot "$(annotation "profile='$big' gpu='$vf'")"
wait_for 30 nothing_left
assert_eq "$(defined_vf alice-vf 0)" "$vf" "her VF"
virsh_of alice start alice-vf
assert_eq "$(live_vf alice-vf 0)" "$vf" "the VF that she runs with"

say "alice's domain runs, and bob wants its devices"
virsh_of alice start alice-vm
pid=$(qemu_pid alice-vm)
bob_creates "vGPU $hers does not belong to its annotation" --annot "$(annotation "profile='$profile'")" \
    --hostdev "$(mdev_hostdev "$hers" | sed "s,</hostdev>,<alias name='ua-vgpu-0'/></hostdev>,")"
refused bob "belongs to domain 'alice-vm'" virt-vgpu destroy "$hers"
refused bob "$denied" virt-vgpu attach alice-vm --profile "$profile" --config
refused bob "$denied" virt-vgpu attach alice-vm --profile "$profile" --live
refused bob "$denied" virt-vgpu detach alice-vm 0 --live
refused bob "$denied" virt-vgpu annotate alice-vm --profile "$profile"
refused bob "$denied" virt-vgpu annotate alice-vm --remove
refused bob "$denied" virt-vgpu import alice-vm
refused bob "$denied" virt-vgpu start alice-vm
as bob virt-vgpu inject alice-vm > /dev/null 2>&1 || true # what is there already
alices "$hers"
same_qemu alice-vm "$pid"

say "bob's domain runs without vGPUs, and bob tries to hotplug alice's"
define_as bob bob-vm --q35 --ports 4
virsh_of bob start bob-vm
mdev_hostdev "$hers" | sed "s,</hostdev>,<alias name='ua-vgpu-0'/></hostdev>," > $files/plug.xml
refused bob "" virsh -q -c qemu:///system attach-device bob-vm $files/plug.xml --live
virsh_of bob destroy bob-vm
virsh_of bob undefine bob-vm
alices "$hers"
same_qemu alice-vm "$pid"

say "bob cannot write the parameters of a device that virt-vgpu did not make"
virsh_of alice destroy alice-vm
virsh_of alice destroy alice-vf
wait_for 30 nothing_left
own=11111111-2222-4333-8444-000000006501
mdev_create "$M10" nvidia-43 $own
before=$(mdev_params $own)
bob_tries "virt-vgpu did not make the device $own.*not 'debug=1'" --hostdev "$(mdev_hostdev $own)" \
    --annot "<vgpu:devices xmlns:vgpu='$NS'><vgpu:device profile='GRID M10-4Q' uuid='$own'><vgpu:param name='debug' value='1'/></vgpu:device></vgpu:devices>"
define_as alice alice-dev --hostdev "$(mdev_hostdev $own)" --annot "$(annotation "profile='GRID M10-4Q' uuid='$own'")"
virsh_of alice start alice-dev
bob_tries "the vGPU $own belongs to domain 'alice-dev'" --hostdev "$(mdev_hostdev $own)" \
    --annot "$(annotation "profile='GRID M10-4Q' uuid='$own' debugging='on'")"
assert_eq "$(mdev_params $own)" "$before" "its parameters"
virsh_of alice destroy alice-dev
assert_eq "$(mdevs)" $own "vGPUs"
mdev_remove $own

say "a pool that allows no parameters allows none to alice and bob"
printf '%s\n' "<vgpupool><name>lab</name><source><gpu address='$M10B'/></source><params allow='none'/></vgpupool>" \
    > $files/pool.xml
virt-vgpu pool-define $files/pool.xml > /dev/null
virt-vgpu pool-start lab > /dev/null
assert_grep "^Parameters: *none" "$(virt-vgpu pool-info lab)" "pool-info"
why="pool 'lab' does not allow the plugin parameter 'profiling' .enable_profiling."
bob_tries "$why" --annot "$(annotation "profile='GRID M10-4Q' pool='lab' profiling='on'")"
define_as bob bob-vm --annot "$(annotation "profile='GRID M10-4Q' pool='lab' profiling='on'")"
refused bob "pool 'lab' does not allow the plugin parameter 'profiling'" virt-vgpu explain bob-vm
virsh_of bob undefine bob-vm

say "after all that, alice's domain starts as before"
virsh_of alice start alice-vm
alices "$hers"
virsh_of alice destroy alice-vm
wait_for 30 nothing_left
virt-vgpu pool-destroy lab > /dev/null
virt-vgpu pool-undefine lab > /dev/null
