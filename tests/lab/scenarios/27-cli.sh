#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every verb of the command line does its job, as a table and as JSON
# takes: 50
# once: bookworm
# timeout: 450
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

own=11111111-2222-4333-8444-000000002701
foreign=11111111-2222-4333-8444-0000000027ff
link=/etc/libvirt/hooks/qemu.d/50-virt-vgpu

say "doctor finds nothing wrong on a good host"
virt-vgpu doctor > /run/lab-doctor || fail "doctor: $(cat /run/lab-doctor)"
assert_eq "$(json '[c for c in v if c["status"] == "fail"]' doctor)" "[]" "doctor --json"

virt-vgpu events --json > /run/lab-events 2> /run/lab-events.err &
events=$!

say "create and destroy"
assert_eq "$(json 'v["uuid"], v["gpu"], v["domain"], v["state"]' create 84:00.0 "GRID M10-1Q" --uuid $own)" \
    "('$own', '$M10', None, 'active')" "create"
assert_eq "$(mdevs) $(mdev_type $own)" "$own nvidia-39" "what it made"
assert_fails "belongs|exists|already" virt-vgpu create 84:00.0 nvidia-39 --uuid $own
assert_eq "$(json 'v' destroy $own)" "{'uuid': '$own', 'done': True}" "destroy"
assert_eq "$(mdevs)" "" "what it left"
virt-vgpu create pci_0000_84_00_0 nvidia-39 --uuid $own --persistent > /run/lab-create
assert_grep "$own" "$(cat /run/lab-create)" "create --persistent"
assert_grep "${own//-/_}" "$(virsh -q nodedev-list --cap mdev)" "libvirt's list"
assert_grep "Persistent: +yes" "$(virsh -q nodedev-info "$(virsh -q nodedev-list --cap mdev | grep "${own//-/_}")")" \
    "nodedev-info"
virt-vgpu destroy $own > /dev/null
nothing_left || fail "destroy of a persistent vGPU has left $(mdevs) $(mdevctl list -d)"
assert_eq "$(mdevctl list -d)" "" "what mdevctl knows"

say "annotate, explain, inject"
define web
assert_eq "$(json 'v["domain"]' annotate web --profile 'NVIDIA A2-4Q' --gpu 41:00.0)" web annotate
is_injected web 1 || fail "annotate does not wait for the definition"
assert_eq "$(json 'v' inject web)" "{'domain': 'web', 'changes': []}" "inject changes nothing any more"
assert_eq "$(json 'v["possible"], [c["gpu"] for c in v["candidates"] if c["verdict"] == "fits"]' explain web)" \
    "(True, ['$A2'])" "explain"
assert_grep "a start is possible now" "$(virt-vgpu explain web)" "explain"
verdicts() { # FILE
    virt-vgpu explain --xml "$1" --json > /run/lab-explain && fail "a start would be possible"
    /usr/bin/python3 -ISc 'import json
v = json.load(open("/run/lab-explain"))
print(v["possible"], *sorted((c["gpu"], c["verdict"]) for c in v["candidates"] if c["gpu"].startswith("0000:4")))'
}
mdev_create "$A2_VF" nvidia-748 $foreign
domain_xml other --annot "$(annotation "profile='NVIDIA A2-4Q'")" > /run/lab-other.xml
assert_eq "$(verdicts /run/lab-other.xml)" "False ('$A2', 'other-size') ('0000:42:00.0', 'vfs-off')" "verdicts"
domain_xml other --annot "$(annotation "profile='NVIDIA A2-16Q'")" > /run/lab-other.xml
assert_eq "$(verdicts /run/lab-other.xml)" "False ('$A2', 'no-room') ('0000:42:00.0', 'vfs-off')" "verdicts"

say "annotate shows the annotation, and removes it"
define gone
virt-vgpu annotate gone --profile 'NVIDIA A2-4Q' > /run/lab-annotate
is_injected gone 1 || fail "annotate does not wait for the definition"
virt-vgpu annotate gone > /run/lab-annotation.xml
virt-vgpu validate /run/lab-annotation.xml > /run/lab-validate || fail "what it shows: $(cat /run/lab-annotation.xml)"
assert_eq "$(json '[d["profiles"] for d in v["devices"]]' annotate gone)" "[['NVIDIA A2-4Q']]" "annotate DOMAIN --json"
# libvirt's event may have removed the device already
assert_grep "Domain 'gone' is no longer annotated" "$(virt-vgpu annotate gone --remove)" "annotate --remove"
assert_not_grep "vgpu" "$(virsh -q dumpxml gone --inactive)" "the definition"
virsh -q undefine gone

say "list --all"
states() { json '" ".join(sorted(str(x["domain"]) + ":" + x["state"] for x in v))' list "$@"; }
assert_eq "$(states --all)" "None:foreign web:planned" "states"
assert_eq "$(states)" "" "states without --all"
mdev_remove $foreign

say "start"
assert_eq "$(json 'v' start web)" "{'domain': 'web', 'changes': []}" "start"
vgpu=$(vgpu_uuid "$(domain_uuid web)" 0)
wait_for 10 vgpu_state "$vgpu" active
assert_grep "^ *web +0 +[0-9a-f:.]+ +[0-9a-f:.]+ +NVIDIA A2-4Q +active" "$(virt-vgpu list)" "the table"
[ "$(virt-vgpu list --noheadings -o uuid)" = "$vgpu" ] || fail "the chosen column is not the UUID"
[ "$(virt-vgpu list --all | wc -L)" -le 80 ] || fail "the table is wider than 80 columns"

say "doctor finds problems"
doctor_finds() { # CHECK DETAIL
    local rc=0
    virt-vgpu doctor --json > /run/lab-doctor || rc=$?
    assert_eq $rc 1 "exit status of doctor"
    /usr/bin/python3 -ISc 'import json, re, sys
found = [c for c in json.load(open("/run/lab-doctor")) if c["status"] == "fail"]
wanted = [c for c in found if c["check"] == sys.argv[1] and re.search(sys.argv[2], c["detail"])]
sys.exit(None if wanted and wanted[0]["fix"] else f"doctor has not found it: {found}")' "$1" "$2"
}
mv $link /run/lab-hook-link
doctor_finds hook "does not exist"
cp /usr/sbin/virt-vgpu-hook $link
chmod 644 $link
doctor_finds hook "is not executable"
rm $link
mv /run/lab-hook-link $link
doctor_finds "hook in libvirtd" "before the hook was installed"
virsh -q destroy web
wait_for 10 nothing_left
libvirtd=$(cat /run/libvirtd.pid)
trap 'kill -CONT $libvirtd' EXIT
kill -STOP "$libvirtd" # when libvirt reports any device, the daemon looks, and removes this one
mdev_create "$A2_VF" nvidia-746 "$vgpu"
doctor_finds leaks "$vgpu.*'web'"
kill -CONT "$libvirtd"
trap - EXIT
virt-vgpu reconcile > /dev/null
wait_for 10 nothing_left
libvirt_stop
libvirt_start
virt-vgpu doctor > /run/lab-doctor || fail "doctor: $(cat /run/lab-doctor)"

say "events"
kill $events
wait $events || fail "events: $(cat /run/lab-events.err)"
/usr/bin/python3 -IS - "$vgpu" << 'PY'
import datetime, json, sys
events = [json.loads(line) for line in open('/run/lab-events')]
keys = ['time', 'event', 'domain', 'domain_uuid', 'uuid', 'gpu', 'parent', 'profile', 'pool', 'outcome', 'reason', 'duration_ms',
        'libvirt_ms', 'downtime_ms', 'data_bytes', 'xid', 'action', 'text']
for e in events:
    assert list(e) == keys, e
    datetime.datetime.fromisoformat(e['time'].replace('Z', '+00:00'))
of_web = [e['event'] for e in events if e['uuid'] == sys.argv[1]]
assert of_web[:2] == ['vgpu-created', 'vgpu-removed'], of_web
assert any(e['event'] == 'domain-injected' and e['domain'] == 'web' for e in events), events
PY

say "the daemon is down: an unannotated domain starts, the refusal of an annotated one says what to do"
daemon_stop
define plain
virsh -q start plain
virsh -q dumpxml plain > /run/lab-plain.live
strace -f -e trace=network -o /run/lab-strace /usr/sbin/virt-vgpu-hook plain prepare begin - < /run/lab-plain.live
assert_not_grep 'socket\(|connect\(' "$(cat /run/lab-strace)" "the hook of an unannotated domain"
assert_fails "domain 'web'.*virtvgpud is not running.*systemctl start virtvgpud.socket" virsh -q start web
assert_fails "virtvgpud" virt-vgpu list
rc=0
virt-vgpu doctor --json > /run/lab-doctor || rc=$?
assert_eq $rc 1 "doctor without the daemon"
assert_grep '"daemon"' "$(cat /run/lab-doctor)" "doctor without the daemon"
