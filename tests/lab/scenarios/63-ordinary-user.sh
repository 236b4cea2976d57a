#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Users other than root have read access, may use vGPUs with polkit's consent, and cannot change domains that libvirt denies them
# takes: 60
# init: systemd
# releases: bookworm
# timeout: 600
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

# alice is in the group libvirt, bob in none, carol in the group cad of virtvgpud(8), which libvirt does not know.
uuid=3b0f4d3e-5d3a-4d55-9c1e-5b5c3f0a7a63
own=11111111-2222-4333-8444-000000006301
profile='NVIDIA A2-4Q'
files=/run/lab-alice
rules=/etc/polkit-1/rules.d/60-vgpu.rules
bus_service=/usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service

as() { setpriv --reuid "$1" --regid "$1" --init-groups --reset-env -- "${@:2}"; }
reload_bus() { busctl call org.freedesktop.DBus / org.freedesktop.DBus ReloadConfig; }

monitor=''
put_back() {
    local user
    [ -z "$monitor" ] || kill "$monitor" || true
    [ ! -e /run/lab-polkit.service ] || mv /run/lab-polkit.service $bus_service
    reload_bus
    rm -rf $rules $files
    if [ -e /run/lab-libvirtd.conf ]; then
        mv /run/lab-libvirtd.conf /etc/libvirt/libvirtd.conf
        systemctl restart libvirtd.service
    fi
    systemctl stop polkit.service
    for user in alice bob carol; do userdel $user; done
    groupdel cad
}
trap put_back EXIT

groupadd cad
useradd -M -U -G libvirt alice
useradd -M -U bob
useradd -M -U -G cad carol
install -d -m 700 -o alice $files
define web --uuid $uuid
define other

refused() { assert_fails "$2" as "$1" "${@:3}"; } # WHO WHY COMMAND…
# nothing_done [UUID]: there is no other vGPU, no change of the domain, no pool.
nothing_done() {
    assert_eq "$(mdevs)" "${1:-}" "vGPUs"
    assert_not_grep vgpu "$(virsh -q dumpxml web --inactive)" "the definition"
    assert_eq "$(ls /etc/virt-vgpu/pools)" "" "pools"
}
cat > /run/lab-pool.xml << EOF
<vgpupool><name>lab</name><source><gpu address='$M10B'/></source></vgpupool>
EOF

say "without polkit all users have read access, and only root has more"
systemctl stop polkit.service
mv $bus_service /run/lab-polkit.service
reload_bus
as bob virt-vgpu gpu-list > /run/lab-out
assert_grep "$A2" "$(cat /run/lab-out)" "gpu-list"
as alice virt-vgpu pool-info default > /dev/null
sed "s|</vgpupool>|<driverISO path='/var/lib/libvirt/images/secret.iso'/>&|" /run/lab-pool.xml > /run/lab-iso-pool.xml
virt-vgpu pool-define /run/lab-iso-pool.xml
as alice virt-vgpu pool-dumpxml lab --configured > /run/lab-out
assert_grep "<driverISO/>" "$(cat /run/lab-out)" "what alice sees of the pool"
assert_not_grep secret "$(cat /run/lab-out)" "what alice sees of the pool"
as alice virt-vgpu pool-info lab > /run/lab-out
assert_not_grep secret "$(cat /run/lab-out)" "pool-info as alice"
as alice virt-vgpu pool-list --json > /run/lab-out
assert_not_grep secret "$(cat /run/lab-out)" "pool-list as alice"
assert_grep secret.iso "$(virt-vgpu pool-dumpxml lab --configured)" "what root sees of it"
virt-vgpu pool-undefine lab
why='this host has no polkit; run it as root'
refused alice "CreateVgpu .*$why" virt-vgpu create "$A2" "$profile"
refused alice "Attach .*$why" virt-vgpu attach web --profile "$profile" --config
refused alice "DefinePool .*$why" virt-vgpu pool-define /run/lab-pool.xml
refused bob "CreateVgpu .*$why" virt-vgpu create "$A2" "$profile"
nothing_done

say "with polkit, which libvirt asks as well: alice has no access to the domain 'other'"
cat > $rules << 'EOF'
polkit.addRule(function (action, subject) {
    if (action.id == "org.virtvgpu.use" && subject.isInGroup("cad"))
        return polkit.Result.YES;
    if (/^org\.libvirt\.api\./.test(action.id) && subject.user == "alice" &&
        action.lookup("domain_name") != "other")
        return polkit.Result.YES;
});
EOF
mv /run/lab-polkit.service $bus_service
reload_bus
cp -p /etc/libvirt/libvirtd.conf /run/lab-libvirtd.conf
sed -i '/^auth_unix_rw/d' /etc/libvirt/libvirtd.conf
printf '%s\n' 'auth_unix_rw = "polkit"' 'access_drivers = [ "polkit" ]' >> /etc/libvirt/libvirtd.conf
systemctl start polkit.service
systemctl restart libvirtd.service
wait_for 60 is_connected

say "bob has read access"
as bob virt-vgpu list --all > /dev/null
use='requires a password \(polkit action org.virtvgpu.use\).*run it as root'
manage='requires a password \(polkit action org.virtvgpu.manage\).*run it as root'
refused bob "$use" virt-vgpu create "$A2" "$profile"
refused bob "$use" virt-vgpu attach web --profile "$profile" --config
refused bob "$manage" virt-vgpu pool-define /run/lab-pool.xml
nothing_done

say "alice creates a vGPU, and destroys it"
as alice virt-vgpu create "$A2" "$profile" --uuid $own > /dev/null
assert_eq "$(mdevs)" "$own" "vGPUs"
refused bob "$use" virt-vgpu destroy $own
nothing_done $own
as alice virt-vgpu destroy $own > /dev/null
assert_eq "$(mdevs)" "" "vGPUs"

say "pools and GPU set-up are reserved to root"
refused alice "$manage" virt-vgpu pool-define /run/lab-pool.xml
refused alice "$manage" virt-vgpu gpu-disable "$A2"
assert_eq "$(vfs_of "$A2") $(ls /etc/virt-vgpu/pools)" "4 " "VFs and pools"
virt-vgpu pool-define /run/lab-pool.xml > /dev/null
as alice virt-vgpu pool-dumpxml lab > /run/lab-out
assert_grep "$M10B" "$(cat /run/lab-out)" "pool-dumpxml"

say "alice attaches to the definition, and to the running domain"
as alice virt-vgpu attach web --profile "$profile" --config > /dev/null
wait_for 30 is_injected web
as alice virsh -q -c qemu:///system start web
as alice virt-vgpu attach web --profile "$profile" --live > /dev/null
has_live web 1 || fail "the running domain has no second vGPU"
made="$(printf '%s\n' "$(vgpu_uuid $uuid 0)" "$(vgpu_uuid $uuid 1)" | sort)"
assert_eq "$(mdevs)" "$made" "vGPUs"

say "virt-vgpu does not circumvent libvirt's access control"
virsh -q dumpxml web > /run/lab-live
virsh -q dumpxml web --inactive > /run/lab-config
virsh -q dumpxml other > /run/lab-other
qemu=$(qemu_pid web)
denied="on behalf of user 'carol': .*(authentication|access denied|denied by policy)"
assert_fails "$denied" as carol virt-vgpu attach web --profile "$profile" --live
assert_fails "$denied" as carol virt-vgpu attach web --profile "$profile" --config
assert_fails "$denied" as carol virt-vgpu detach web 0 --config
assert_fails "on behalf of user 'alice': .*access denied" as alice virt-vgpu attach other --profile "$profile" --config
assert_eq "$(mdevs)" "$made" "vGPUs"
virsh -q dumpxml web | diff /run/lab-live - || fail "the running domain has changed"
virsh -q dumpxml web --inactive | diff /run/lab-config - || fail "its definition has changed"
virsh -q dumpxml other | diff /run/lab-other - || fail "the definition of 'other' has changed"
same_qemu web "$qemu"
as alice virsh -q -c qemu:///system destroy web
wait_for 20 nothing_left

say "the daemon gets open files, not paths"
printf 'the driver\n' > $files/driver.run
chown alice $files/driver.run
chmod 600 $files/driver.run
busctl monitor --match="member='BuildDriverIso'" > /run/lab-bus 2>&1 &
monitor=$!
wait_for 20 grep -q Monitoring /run/lab-bus
as alice virt-vgpu driver-iso --output $files/driver.iso $files/driver.run > /dev/null
wait_for 20 grep -q 'Member=BuildDriverIso' /run/lab-bus
kill $monitor
wait $monitor || true
monitor=''
assert_not_grep "$files" "$(cat /run/lab-bus)" "what the bus has seen"
assert_eq "$(stat -c %U $files/driver.iso)" alice "owner of the image"
xorriso -osirrox on -indev $files/driver.iso -extract /driver.run /run/lab-driver.run 2> /dev/null
cmp $files/driver.run /run/lab-driver.run
install -m 600 /dev/null /run/lab-secret
ln -s /run/lab-secret $files/link.run
for file in /run/lab-secret $files/link.run; do
    assert_fails "[Pp]ermission denied" as alice virt-vgpu driver-iso --output $files/stolen.iso "$file"
done
assert_eq "$(ls $files)" "$(printf '%s\n' driver.iso driver.run link.run)" "files of alice"
