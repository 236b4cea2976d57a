#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The real daemon, the fake driver, and a libvirt with events: a late attach, a stop whose hook was lost, definitions
# that are added, changed and removed, a new node device. And the verbs that call libvirt.
# shellcheck disable=SC2119 # up has options that are not used here
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session
# shellcheck disable=SC2034 # for start_daemon
preload=$builddir/tests/flaky-libvirt.so

# tell COMMAND...: and wait until it is done
tell()
{
    echo "$*" > "$root/knobs/next"
    mv "$root/knobs/next" "$root/knobs/tell"
    until_true test ! -e "$root/knobs/tell"
}
called() { grep -qx "$1" "$root/calls"; }
called_times() { [ "$(grep -cx "$2" "$root/calls")" -ge "$1" ]; }
is_active() { cli list | grep "$1.*active"; }
is_planned() { cli list --all | grep "$1.*planned"; }
has_phase() { grep -qx "phase=$2" "$root/run/virt-vgpu/claims/$(domain_uuid "$1")"; }
# wanting N [ATTRIBUTE]: domain vmN, whose definition has an annotation and no <hostdev>
wanting()
{
    domain_xml "$1" | sed "s/<devices/<metadata><v:devices xmlns:v='urn:virt-vgpu:domain:1'><v:device \
profile='NVIDIA A2-4Q' ${2:-}\/><\/v:devices><\/metadata>&/" > "$root/vm$1.xml"
}

wanting 1
annotated 2 A2-4Q
annotated 3 A2-4Q
wanting 4
{
    echo '<node>'
    for n in 1 2 3; do
        switched_off $n
    done
    echo "<device><name>pci_0000_26_00_0</name><capability type='drm'><type>primary</type></capability></device>"
    echo '</node>'
} > "$root/host.xml"
knob tells 1
: > "$root/calls"
check "the daemon starts" up

# --- starts and stops -----------------------------------------------------------------------------
check "a definition without its <hostdev> follows" until_true called "attach vm1"
knob attach_fails 1
: > "$root/calls"
check "one that starts without it has a vGPU" prepare 1
check "which is for later" has_phase 1 attaching
check "nothing is attached before it runs" not called "attach vm1"
tell start vm1
check "then it is, and again while that fails" until_true called_times 2 "attach vm1"
unknob attach_fails
check "until the domain has it" until_true has_phase 1 ready
# The daemon waited for a retry, 300 ms, not for libvirt.
slowly_attached()
{
    sed -n 's/.*attached to the running domain after \([0-9]*\) ms (\([0-9]*\) in libvirt).*/\1 \2/p' "$root/log" |
        { read -r all libvirt && [ $((all - libvirt)) -ge 300 ]; }
}
check "as the log says, from its start on" slowly_attached
check "the list says active" is_active vm1
tell stop vm1
check "a stop whose hook was lost takes it away" until_true has_no_record 1
check "with the device" until_true nothing_left

check "one that starts with its <hostdev> has a vGPU" prepare 2
tell start vm2
check "the daemon sees it run" until_true grep -q started=true "$root/run/virt-vgpu/claims/$(domain_uuid 2)"
check "nothing is attached to it" not called "attach vm2"
tell stop vm2
check "it is removed in the same way" until_true nothing_left

# --- definitions ----------------------------------------------------------------------------------
tell define "$root/vm4.xml"
check "a new definition follows" until_true called "attach vm4"
check "its vGPU is planned" until_true is_planned vm4
tell undefine vm4
check "and no longer after it is undefined" until_true not is_planned vm4
cli events --json > "$root/events" &
events=$!
# injected FIELD: what the last event of a definition that follows has in that field, 0 for nothing
injected()
{
    number=$(sed -n "s/.*\"domain-injected\".*\"$1\": *\([0-9]*\).*/\1/p" "$root/events" | tail -n 1)
    echo "${number:-0}"
}
# The second look comes after a retry: 300 ms at least.
slowly_injected() { [ "$(injected duration_ms)" -ge 300 ] && [ "$(injected libvirt_ms)" -le "$(injected duration_ms)" ]; }
knob attach_fails 1
: > "$root/calls"
tell define "$root/vm4.xml"
check "one that cannot follow is tried again" until_true called_times 2 "attach vm4"
unknob attach_fails
check "and follows in the end" until_true grep -q domain-injected "$root/events"
check "its event counts from libvirt's on, not from the last look" slowly_injected
tell undefine vm4
tr '\n' ' ' < "$root/vm3.xml" | sed 's/<metadata>.*<\/metadata>//' > "$root/plain.xml"
tell define "$root/plain.xml"
check "a domain without its annotation loses its <hostdev>" until_true called "detach vm3"

# --- node devices ---------------------------------------------------------------------------------
"$builddir/tests/make-tree" --add "$root" l40s-32
check "a card is not seen where it was not looked for" fails_with "26:00.0" cli gpu-info 26:00.0
tell nodedev pci_0000_26_00_0
check "libvirt's word is enough" until_true cli gpu-info 26:00.0
appeared() { grep '"gpu-appeared".*"gpu": *"0000:26:00.0"' "$root/events"; }
check "an event reports it" until_true appeared
has_times() { appeared | grep -qE '"duration_ms": *[0-9]+, *"libvirt_ms": *[0-9]+'; }
check "with the time since libvirt's" has_times
kill $events

# --- verbs ----------------------------------------------------------------------------------------
check "attach to a definition" says "vGPUattachedtothedefinition" cli attach vm2 --profile A2-4Q --config
check "asks libvirt to" until_true called "attach vm2"
check "detach" says "vGPU1detachedfromthedefinition" cli detach vm2 1 --config
check "a profile that no GPU has is not written" fails_with "no GPU has the profile 'A2-4X' (see 'virt-vgpu profile-list'); did you mean 'NVIDIA A2-4Q'?" \
    cli attach vm2 --profile A2-4X --config
check "nor a pool" fails_with "there is no pool 'nosuch'" cli attach vm2 --pool nosuch --config
check "nor a GPU" fails_with "there is no GPU 0000:99:00.0 on this host" cli attach vm2 --profile A2-4Q --gpu 99:00.0 --config
check "its definition is as it was" fails_with "it has no vGPU 1" cli detach vm2 1 --config
check "attach to one that does not run" fails_with "is not running" cli attach vm2 --profile A2-4Q --live
check "detach a missing vGPU" fails_with "it has no vGPU 9" cli detach vm2 9 --config
check "doctor has the daemon's answer" fails_with "connected to test://$root/host.xml" cli doctor
cli events --json > "$root/events" &
events=$!
# Repeat a harmless event until the listener is ready.
heard() { cli pool-refresh default > /dev/null && grep -q '"pool-refreshed"' "$root/events"; }
check "the default pool is read again" until_true heard
# told KIND REASON: of the pool 'design', as JSON line and in the log
told()
{
    reason=$([ -n "$2" ] && echo "\"$2\"" || echo null)
    grep -q "\"event\": *\"$1\".*\"pool\": *\"design\".*\"outcome\": *\"ok\", *\"reason\": *$reason" "$root/events"
}
echo "<vgpupool><name>design</name><source><gpu address='0000:41:00.0'/></source></vgpupool>" > "$root/pool.xml"
check "a pool is defined" cli pool-define "$root/pool.xml"
check "which is reported" until_true told pool-defined new
check "and again" cli pool-define "$root/pool.xml"
check "which is reported as well" until_true told pool-defined changed
check "its XML" says "<name>design</name>" cli pool-dumpxml design
check "its autostart" cli pool-autostart design
check "is kept" says '"autostart":true' cli pool-info design --json
check "and reported" until_true told pool-autostart on
check "that of no pool" fails_with "no pool 'none'" cli pool-autostart none
cli pool-start design > /dev/null
check "its start is reported" until_true told pool-started ''
check "in the log, too" until_true grep -q "pool 'design': started" "$root/log"
cli pool-refresh design > /dev/null
check "so is a refresh" until_true told pool-refreshed "definition: unchanged"
cli pool-destroy "$(cli pool-info design --json | sed -n 's/.*"uuid" : "\(.*\)",/\1/p')" > /dev/null
check "its stop, by its UUID" until_true told pool-destroyed ''
cli pool-undefine design > /dev/null
check "and its removal" until_true told pool-undefined ''
check "a refusal causes no event" not grep -q '"pool": *"none"' "$root/events"
kill $events

# --- requests that the command would not send -----------------------------------------------------
ask() # METHOD ARGUMENT...
{
    method=$1
    shift
    gdbus call --session --dest org.virtvgpu.Manager1 --object-path /org/virtvgpu/Manager1 \
        --method "org.virtvgpu.Manager1.$method" "$@"
}
if command -v gdbus > /dev/null; then
    check "no address" fails_with "41: not a PCI address" ask GetGpu 41
    check "no GPU" fails_with "0000:99:00.0" ask GetGpu 99:00.0
    check "profiles of no address" fails_with "41: not a PCI address" ask ListProfiles 41
    check "a vGPU on no address" fails_with "41: not a PCI address" ask CreateVgpu 41 A2-4Q '{}'
    check "a vGPU of no UUID" fails_with "web: not a UUID" ask CreateVgpu 41:00.0 A2-4Q "{'uuid': <'web'>}"
    check "no UUID to destroy" fails_with "web: not a UUID" ask DestroyVgpu web
    check "no UUID of a domain" fails_with "web: not a UUID" ask Inject web
    check "nor to attach to" fails_with "web: not a UUID" ask Attach web '{}' "{'config': <true>}"
    check "nor to detach from" fails_with "web: not a UUID" ask Detach web 0 "{'config': <true>}"
    check "a missing domain" fails_with "$(domain_uuid 9)" ask Inject "$(domain_uuid 9)"
    check "an option that there is not" \
        fails_with "colour" ask Attach "$(domain_uuid 2)" "{'colour': <'red'>}" "{'config': <true>}"
fi

finish
