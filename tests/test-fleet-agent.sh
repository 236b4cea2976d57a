#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The real agent of a fleet between the real daemon, with the fake driver, and a real etcd, which is killed, and loses
# all that it had.
# shellcheck disable=SC2119 # up has options that are not used here
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
needs etcd
needs jq
begin session

# --- etcd: on two ports that are free -----------------------------------------------------------------
random_port() { echo $((20000 + $(od -An -N2 -tu2 /dev/urandom) % 10000)); }
start_etcd()
{
    etcd --data-dir "$root/etcd" --listen-client-urls "$etcd" --advertise-client-urls "$etcd" \
        --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer" \
        > "$root/etcd.log" 2>&1 &
    etcd_pid=$!
}
etcd_is_up() { ! kill -0 "$etcd_pid" 2> /dev/null || store list hosts/; }
first_etcd()
{
    for _ in 1 2 3 4 5; do
        etcd=http://127.0.0.1:$(random_port) peer=http://127.0.0.1:$(random_port)
        start_etcd
        patiently etcd_is_up && kill -0 "$etcd_pid" && return
    done
    false
}
etcd_killed() { kill -KILL "$etcd_pid" && { wait "$etcd_pid"; true; } 2> /dev/null; }

# store VERB [ARGUMENT...]: see tests/fleet-store.c
store() { "$builddir/tests/fleet-store" "$etcd" "$@"; }
# patiently COMMAND...: half a minute; the agent writes every five seconds, and waits longer after failures
patiently() { until_true "$@" || until_true "$@"; }

# --- the agent ----------------------------------------------------------------------------------------
# agent [OPTION...]: in the foreground
agent()
{
    ASAN_OPTIONS=detect_leaks=1 timeout 60 "$builddir/virt-vgpu-fleet" --root "$root" --bus session "$@"
}
start_agent()
{
    : > "$root/agent.log"
    "$builddir/virt-vgpu-fleet" --root "$root" --bus session --debug > "$root/agent.log" 2>&1 &
    agent=$!
}
agent_ends() { kill "-$1" "$agent" && wait "$agent"; }
agent_says() { grep -q -- "$1" "$root/agent.log"; }
agent_says_once() { [ "$(grep -c -- "$1" "$root/agent.log")" -eq 1 ]; }
# told N TEXT...: what the daemon was told last about domain N has these
told()
{
    grep 'FleetGrant(' "$root/agent.log" | tail -n 1 | grep -o "('$(domain_uuid "$1")', {[^}]*})" > "$root/told" || return
    shift
    for text; do
        grep -F -- "$text" "$root/told" || return
    done
}

# what the store has, as JSON: host, domain N, fit PROFILE of ours
value() { store list "$1" | sed -n '1s/^[^ ]* //p'; }
host() { value hosts/; }
fit() { value "fit/$(echo "$1" | tr ' ' +)/"; }
domain() { value "domains/$(domain_uuid "$1")"; }
is() { [ -n "$1" ] && echo "$1" | jq -e "$2"; }
has() { is "$("$1" "$2")" "$3"; }
host_has() { is "$(host)" "$1"; }
no() { [ -z "$("$@")" ]; }
host_uuid() { store list hosts/ | sed 's|^hosts/||; s|/.*||'; }

# free PROFILE: how many more fit, and on one GPU, as profile-list says
free() { cli profile-list --json | jq -c --arg p "$1" '[.[] | select(.name == $p) | .available] | [add, max]'; }
fits_as_listed()
{
    cli profile-list --json | jq -r '.[].name' | sort -u > "$root/profiles"
    while read -r profile; do
        published=$(fit "$profile" | jq -c '[.n, .block]')
        [ "${published:-[0,0]}" = "$(free "$profile")" ] || return
    done < "$root/profiles"
}

config()
{
    mkdir -p "$root/etc/virt-vgpu"
    printf '[daemon]\norphan_check=600\n[fleet]\nlabels=rack=r1\nreservation=advisory\n%s\n' "$1" \
        > "$root/etc/virt-vgpu/virt-vgpu.conf"
}

mkdir -p "$root/etc"
echo 0123456789abcdef0123456789abcdef > "$root/etc/machine-id"
annotated 1 A2-4Q
annotated 2 A2-4Q
annotated 3 A2-4Q
{ echo '<node>'; switched_off 1; switched_off 2; switched_off 3; echo '</node>'; } > "$root/host.xml"
config ''
check "etcd starts" first_etcd
[ "$failures" -eq 0 ] || finish || exit

# --- without a fleet, and wrong ------------------------------------------------------------------------
check "in no fleet it ends at once" says thishostisinnofleet agent
config 'labels=x'
config "endpoints=$etcd
uri=no uri"
check "what cannot be published is refused" fails_with "[fleet] uri: 'no uri' is not a URI" agent
config "endpoints=$etcd"
check "an option that it does not have" fails_with "Unknown option --no" agent --no

# --- a host --------------------------------------------------------------------------------------------
check "the daemon starts" up
check "once publishes the host" agent --once
check "with its name" host_has ".state == \"active\" and .name == \"$(uname -n)\""
start_agent
check "the agent takes the place of one before it" patiently agent_says "FleetGrant"
check "the host is there once" test "$(store list hosts/ | wc -l)" -eq 1
check "its id is not that of the machine" not test "$(host_uuid | cut -c 1-8)" = 01234567
check "each profile as profile-list says" fits_as_listed
check "with pool and label" has fit "NVIDIA A2-4Q" '.pools == ["default"] and .labels == ["rack=r1"]'
details_are_there() { store details "details/$(host_uuid)" | jq -e '.gpus | length > 1'; }
check "all that it has is there for those who ask" details_are_there

# --- domains -------------------------------------------------------------------------------------------
check "a domain starts" prepare 1
check "it is published as running" patiently has domain 1 '.state == "running" and .profiles[0].count == 1'
check "the daemon is told that it is here" patiently told 1 "'here': <true>" "'running'"
check "what fits is less by now" patiently fits_as_listed
check "the domain stops" release 1
check "so it is gone" patiently no domain 1
check "and what it had is free" patiently fits_as_listed

# --- reservations ----------------------------------------------------------------------------------------
check "a domain is reserved" says "$(host_uuid)" store reserve "$(domain_uuid 2)" 'NVIDIA A2-4Q'
check "the daemon is told, with an end" patiently told 2 "'here': <true>" "'reserved'" "'lasts': <uint32 4"
check "that is held for it" has domain 2 '.state == "reserved"'
check "it is given up" store release "$(domain_uuid 2)"
check "so its host ends it" patiently no domain 2
check "and the daemon is told" patiently not told 2
other=0b0b0b0b-0000-4000-8000-000000000002
check "another host has a domain that is defined here" store put "domains/$(domain_uuid 3)" \
    "{\"host\":\"$other\",\"state\":\"running\",\"profiles\":[]}"
check "which has a name" store put "hosts/$other/s" '{"name":"h2","state":"active"}'
check "a change of this host" prepare 1
check "the daemon is told where the other one is" patiently told 3 "'here': <false>" "'running'" "'h2'"
check "that starts here, too" prepare 3
check "which is logged" patiently agent_says "domain 'vm3' ($(domain_uuid 3)) is running here, and for the fleet it is \
running on host 'h2'"
check "and changes nothing there" has domain 3 ".host == \"$other\""
check "it ends here" release 3
check "and what the store has of the other host goes" store delete "hosts/$other/s"
check "with its domain" store delete "domains/$(domain_uuid 3)"
check "it was logged once" agent_says_once "domain 'vm3'"
older() { agent_says UnknownMethod; }
said_that_it_is_older() { ! older || agent_says_once "virtvgpud is older than virt-vgpu-fleet"; }
check "a daemon without that method is no failure" said_that_it_is_older

# --- drained, and without virtvgpud ------------------------------------------------------------------------
drained() { host_has '.state == "draining"' && no store list fit/; }
back() { host_has '.state == "active"' && fits_as_listed; }
is_down() { host_has '.state == "down"' && no store list fit/; }
check "the host is asked to take nothing new" store put "drain/$(host_uuid)" '{}'
check "it says so, and offers nothing" patiently drained
check "it may again" store delete "drain/$(host_uuid)"
check "so it does" patiently back
# libvirt has it running when the next virtvgpud comes
{ echo '<node>'; cat "$root/vm1.xml"; switched_off 2; switched_off 3; echo '</node>'; } > "$root/host.xml"
check "virtvgpud ends" down
check "the host is down" patiently is_down
check "but has its domain" has domain 1 '.state == "running"'
check "virtvgpud starts" up
check "the host is back" patiently back

# --- etcd fails --------------------------------------------------------------------------------------------
check "etcd is killed" etcd_killed
check "the agent says so" patiently agent_says "cannot reach the fleet's store, trying again"
check "and tells the daemon what it knows" patiently told 1 "'here': <true>" "'running'"
start_etcd
check "it is back" patiently etcd_is_up
check "the agent says so, too" patiently agent_says "the fleet's store answers again"
check "and its host is there" patiently back
etcd_killed
rm -rf "$root/etcd"
start_etcd
check "etcd comes back with nothing" patiently etcd_is_up
check "the host is there" patiently back
check "and its domain" patiently has domain 1 '.state == "running"'

# --- the agent ends ------------------------------------------------------------------------------------------
: > "$root/out"
agent_ends KILL 2> /dev/null
check "the agent is killed, and its lease has ended" store revoke "hosts/$(host_uuid)/s"
check "the host is gone" no host
check "it keeps its domain" has domain 1 '.state == "running"'
start_agent
check "with the agent it is there again" patiently back
check "the agent ends as it should" agent_ends TERM
check "its host leaves at once" no host
check "with all that it offered" no store list fit/
check "and keeps its domain" has domain 1 '.state == "running"'

# --- without etcd at the beginning -----------------------------------------------------------------------------
etcd_killed
check "without etcd once fails" fails_with "virt-vgpu-fleet: $etcd" agent --once
start_agent
check "but the agent goes on" patiently agent_says "cannot reach the fleet's store, trying again"
start_etcd
check "until there is one" patiently back
check "it ends" agent_ends TERM
check "the daemon ends as it should" down
finish
