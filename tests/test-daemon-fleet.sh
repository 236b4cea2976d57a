#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Reservations of a fleet, with the real daemon, hook and command; the test is the agent.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session
needs gdbus

annotated 1 A2-4Q
annotated 2 A2-4Q
annotated 3 A2-4Q
{ echo '<node>'; cat "$root/vm1.xml" "$root/vm2.xml" "$root/vm3.xml"; echo '</node>'; } > "$root/host.xml"
one=$(domain_uuid 1) two=$(domain_uuid 2) three=$(domain_uuid 3)
call()
{
    method=$1
    shift
    gdbus call --session --dest org.virtvgpu.Manager1 --object-path /org/virtvgpu/Manager1 \
        --method "org.virtvgpu.Manager1.$method" "$@"
}
# grant SECONDS [CONNECTED [LASTS]]: vm1 is reserved for this host, vm2 is on another one
grant()
{
    call FleetGrant "[('$one', {'here': <true>, 'state': <'reserved'>, 'id': <'r1'>, 'lasts': <uint32 ${3:-600}>}),
        ('$two', {'here': <false>, 'host': <'node7'>, 'state': <'running'>})]" \
        "{'connected': <${2:-true}>, 'lasts': <uint32 $1>}"
}
configured() # LINE...
{
    printf '[fleet]\nendpoints=http://127.0.0.1:1\n' > "$root/etc/virt-vgpu/virt-vgpu.conf"
    printf '%s\n' "$@" >> "$root/etc/virt-vgpu/virt-vgpu.conf"
}
starts() { prepare "$1" && release "$1" && until_true nothing_left; }
doctor_says() # TEXT: without blanks; its exit status is another matter
{
    cli doctor --json > "$root/said" 2>&1
    tr -d ' \n' < "$root/said" | grep -F -- "$1"
}
heard() { grep -q "\"event\":\"$1\".*\"domain\":\"$2\"" "$root/events"; }
followed() { cli gpu-cordon 41:00.0 && cli gpu-uncordon 41:00.0 && test -s "$root/events"; }
follow() # events from now on
{
    : > "$root/events"
    cli events --json > "$root/events" &
    check "events are followed" until_true followed
}

# --- off ----------------------------------------------------------------------------------------
check "the daemon starts" up
check "doctor says nothing without a fleet" not doctor_says '"fleet"'
check "FleetGrant" grant 600
check "off: a domain that is reserved starts" starts 1
check "one that another host has as well" starts 2
check "one that nobody has, too" starts 3
check "none of it is told" not log_says 'another host of the fleet'
down

# --- advisory -----------------------------------------------------------------------------------
configured reservation=advisory
check "with reservation=advisory" up
follow
check "FleetGrant" grant 600
check "a domain that is reserved starts" starts 1
check "one that another host has as well" starts 2
check "the event names it" until_true heard fleet-conflict vm2
check "and the log the host" log_says "vm2.*it is running on host 'node7' of the fleet"
check "one that nobody has starts, too" starts 3
check "without an event" not heard fleet-conflict vm3
check "explain says it" says "itisrunningonhost'node7'ofthefleet" cli explain --xml "$root/vm2.xml"
check "doctor says who is connected" \
    doctor_says '"check":"fleet","status":"ok","detail":"reservation=advisory:virt-vgpu-fleethasbeenconnectedtoetcd'
check "and what it has told" doctor_says '1domain(s)forthishost,1elsewhere'
down

# --- required -----------------------------------------------------------------------------------
configured reservation=required
check "with reservation=required" up
check "what was told before is in force" fails_with "it is running on host 'node7' of the fleet" prepare 2
check "the hook names the domain" grep "vm2" "$root/said"
check "and the next step" grep -F "'virt-vgpu fleet forget node7'" "$root/said"
check "a domain that is reserved starts" starts 1
check "one that nobody has does not" fails_with "it is not reserved for this host" prepare 3
check "with the next step" grep -F "'virt-vgpu fleet reserve'" "$root/said"
check "nothing is left of it" nothing_left
check "explain says the same" fails_with "it is not reserved for this host" cli explain --xml "$root/vm3.xml"
check "a bad call is refused" fails_with Error.BadRequest call FleetGrant "[('$three', {'here': <true>})]" \
    "{'connected': <true>, 'lasts': <uint32 600>}"
check "one with an unknown option, too" fails_with Error.BadRequest call FleetGrant "@a(sa{sv}) []" \
    "{'connected': <true>, 'lasts': <uint32 600>, 'mode': <'off'>}"
check "and changes nothing" starts 1
killed
check "after a kill" up
check "a domain that is reserved starts" starts 1
check "one that another host has does not" fails_with "it is running on host 'node7'" prepare 2
check "FleetGrant replaces all" call FleetGrant \
    "[('$three', {'here': <true>, 'state': <'saved'>})]" "{'connected': <true>, 'lasts': <uint32 600>}"
check "what is saved here starts" starts 3
check "another one does not any more" fails_with "it is not reserved for this host" prepare 1
check "a reservation that is over" grant 600 true 0
check "does not count" fails_with "its reservation for this host has lapsed" prepare 1

# --- nobody can be asked ------------------------------------------------------------------------
follow
check "without etcd" grant 600 false
check "a domain that is reserved starts" starts 1
check "so does one that is not" starts 3
check "with an event" until_true heard fleet-partition vm3
check "which is not for the other one" not heard fleet-partition vm1
check "the log says why" log_says "vm3.*etcd has not answered virt-vgpu-fleet for"
check "explain says it" says "itstartswithoutareservation(etcdhasnotanswered" cli explain --xml "$root/vm3.xml"
check "doctor warns" doctor_says '"check":"fleet","status":"warn","detail":"reservation=required:etcdhasnotanswered'
check "an agent that does not call again" grant 0
check "a domain that is reserved starts" starts 1
check "one that another host had starts, too" starts 2
check "with an event" until_true heard fleet-partition vm2
check "the log says what is known" log_says "vm2.*has not called for .*it was running on host 'node7' then"
down
configured reservation=required onPartition=refuse
check "with onPartition=refuse" up
check "a domain that is reserved starts" starts 1
check "one that is not does not" fails_with "virt-vgpu-fleet has not called for" prepare 3
check "with the next step" grep -F "'systemctl status virt-vgpu-fleet'" "$root/said"
check "doctor says so" doctor_says '"check":"fleet","status":"fail"'
check "when the agent is back" grant 600
check "it is told what it was" fails_with "it is not reserved for this host" prepare 3
down

# --- a file that cannot be read -----------------------------------------------------------------
echo '[fleet' > "$root/run/virt-vgpu/fleet"
check "with a damaged file" up
check "a line says so" log_says "cannot use what .*run/virt-vgpu/fleet says"
check "nothing is known" fails_with "virt-vgpu-fleet has not called since virtvgpud was started" prepare 1
check "until the agent calls" grant 600
check "then all is well" starts 1
down
finish
