#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The GPUs are those that libvirt knows, hotplug and VFs are noticed at once, and without libvirt sysfs gives the same result
# takes: 50
# once: battery
# timeout: 400
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

spare=0000:86:00.0 a2b=0000:42:00.0

say "libvirt's view"
named() { [ "$(json 'all(g["nodedev"] for g in v)' gpu-list)" = True ]; }
wait_for 10 named
pci=$(virsh -q nodedev-list --cap pci)
mdev_types=$(virsh -q nodedev-list --cap mdev_types | sort)
node_name() { sed 's/[:.]/_/g; s/^/pci_/'; }
# The display controllers among libvirt's PCI devices, without VFs, according to sysfs.
gpus=$(for node in $pci; do
    addr=$(sed 's/^pci_//; s/_\([0-9a-f]\)$/.\1/; s/_/:/g' <<< "$node")
    device=/sys/bus/pci/devices/$addr
    if [[ $(cat "$device/class") == 0x03* ]] && [ ! -e "$device/physfn" ]; then echo "$addr $node"; fi
done | sort)
assert_eq "$(json '"\n".join(sorted(g["address"] + " " + g["nodedev"] for g in v))' gpu-list)" "$gpus" "GPUs"
parents=$(
    json '"\n".join(g["address"] for g in v if g["interface"] == "mdev" and not g["vfs_total"])' gpu-list | node_name
    json '"\n".join(f["address"] for f in v["vfs"])' gpu-info "$A2" | node_name
)
assert_eq "$(sort <<< "$parents")" "$mdev_types" "who carries mdev types"
product=$(virsh -q nodedev-dumpxml pci_0000_84_00_0 --xpath '/device/capability/product/text()')
assert_eq "$(json 'v["name"].split(" ", 2)[2], v["product"], v["interface"]' gpu-info pci_0000_84_00_0)" \
    "('$product', '0x13bd', 'mdev')" "gpu-info"

say "hotplug"
pace
virt-vgpu events --json >> /run/lab-events 2> /run/lab-events.err &
events=$!
sleep 1
# shows NAME EVENT GPU EXPRESSION: the event comes, and the expression becomes true in gpu-list.
shows() {
    local begun
    begun=$(date +%s%3N)
    wait_for 10 grep -q "\"event\": *\"$2\".*\"gpu\": *\"$3\"" /run/lab-events
    local event=$(($(date +%s%3N) - begun))
    wait_for 10 in_list "$4"
    say "$1: the event came within $event ms, gpu-list showed it within $(($(date +%s%3N) - begun)) ms"
}
in_list() { [ "$(json "$1" gpu-list)" = True ]; }
gpu_add $spare
shows "a GPU appears" gpu-appeared $spare "any(g['address'] == '$spare' and g['nodedev'] == 'pci_0000_86_00_0' for g in v)"
mdev_create $spare nvidia-39 11111111-2222-4333-8444-0000000026ff
assert_eq "$(json '[x["gpu"] for x in v if x["state"] == "foreign"]' list --all)" "['$spare']" "list"
mdev_remove 11111111-2222-4333-8444-0000000026ff
gpu_del $spare
shows "a GPU goes" gpu-gone $spare "all(g['address'] != '$spare' for g in v)"
enable_vfs $a2b 2
shows "VFs appear" gpu-changed $a2b "any(g['address'] == '$a2b' and g['vfs_enabled'] == 2 for g in v)"
assert_eq "$(json '[f["state"] for f in v["vfs"]]' gpu-info $a2b)" "['free', 'free']" "gpu-info"
: > /run/lab-events
enable_vfs $a2b 0
shows "VFs go" gpu-changed $a2b "any(g['address'] == '$a2b' and g['vfs_enabled'] == 0 for g in v)"
kill $events

say "each change took less than a second"
in_time 3 1000 "GPU .* has (appeared|gone|changed) after"

say "without libvirt"
inventory() {
    json '[{k: x for k, x in sorted(g.items()) if k not in ("nodedev", "name")} for g in v]' gpu-list
    virt-vgpu gpu-info "$A2" --json | grep -v '"nodedev"\|"name"'
    virt-vgpu profile-list --json
}
inventory > /run/lab-with
libvirt_stop
daemon_stop
# A stand-in for libvirtd.socket: a connection to it would start the libvirtd that an administrator has stopped.
/usr/bin/python3 -IS - << 'PY' > /run/lab-trap 2>&1 &
import os, select, socket
listening = []
for name in 'libvirt-sock', 'libvirt-sock-ro', 'virtqemud-sock', 'virtqemud-sock-ro':
    path = '/run/libvirt/' + name
    if os.path.exists(path):
        os.unlink(path)
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen()
    listening.append(s)
print('set', flush=True)
while not os.path.exists('/run/lab-trap-end'):
    for s in select.select(listening, [], [], 0.1)[0]:
        s.accept()
        print('sprung', s.getsockname(), flush=True)
for s in listening:
    os.unlink(s.getsockname())
PY
trap_pid=$!
wait_for 10 grep -q set /run/lab-trap
daemon_start
inventory > /run/lab-without
cmp /run/lab-with /run/lab-without || fail "the inventory differs: $(diff /run/lab-with /run/lab-without)"
assert_eq "$(json '[g["nodedev"] for g in v if g["nodedev"]]' gpu-list)" "[]" "node devices without libvirt"
sleep 3
touch /run/lab-trap-end
wait $trap_pid
rm /run/lab-trap-end
assert_eq "$(cat /run/lab-trap)" set "who has connected to a libvirt that was stopped"
for name in libvirtd virtqemud; do
    not pgrep -x $name > /dev/null || fail "$name has been started"
done

say "libvirt is back"
libvirt_start
wait_for 20 named
