#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# One user makes 400 calls from 64 connections while the program for host set-up does not answer: calls over the
# limits are refused, root is still answered, and calls still waiting when the user disconnects are dropped.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session
export FAKE_HOST_DIR="$root/fake-host"
mkdir "$FAKE_HOST_DIR"
# shellcheck disable=SC2034 # for start_daemon
preload=$builddir/tests/other-users.so
# shellcheck disable=SC2034
asan=quarantine_size_mb=1 # otherwise the sanitizer keeps freed memory
echo '<node/>' > "$root/host.xml"

crowd() { "$builddir/tests/crowd" "$@"; }
has_users() { gdbus call --session -d org.virtvgpu.TestUsers -o /org/freedesktop/DBus \
    -m org.freedesktop.DBus.GetConnectionUnixUser :1.0; }
# has N WORD: the crowd has got that answer N times
has() { [ "$(grep -c -- "$2" "$root/crowd")" -eq "$1" ]; }
applied() { grep -c ' apply -$' "$FAKE_HOST_DIR/calls"; }
begun() { [ "$(applied)" -ge 1 ]; }
are_gone()
{
    [ "$(gdbus call --session -d org.freedesktop.DBus -o / -m org.freedesktop.DBus.ListNames |
        grep -o ':1\.' | wc -l)" -lt 20 ]
}
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$daemon/status"; }
has_answered() { ! kill -0 "$caller" 2> /dev/null; }

"$builddir/tests/crowd" users > "$root/asked" &
check "there are users" until_true has_users
check "starts" up --host-program "$srcdir/tests/fake-host.sh"

# --- how many ---------------------------------------------------------------------------------
# shellcheck disable=SC2016 # for the program
echo 'while [ ! -e "$FAKE_HOST_DIR/go" ]; do sleep 0.05; done; echo "@aa{sv} []"' > "$FAKE_HOST_DIR/apply"
"$builddir/tests/crowd" flood 64 400 > "$root/crowd" 2>&1 &
flood=$!
check "of 400 calls all but 16 are refused" until_true has 384 refused
check "one of those is being done" until_true begun
check "root's list is answered" cli list
check "none of the 16 is, yet" has 0 answered
cli gpu-list > /dev/null # another connection
crowd flood 1 1 > "$root/more" 2>&1
check "the user's next one is refused, also from another connection" grep refused "$root/more"
printf '<vgpuhost/>' > "$root/layout.xml"
cli host-apply "$root/layout.xml" > "$root/applied" 2>&1 &
caller=$!

# --- callers that have disconnected ---------------------------------------------------------------------
kill "$flood"
wait "$flood" 2> /dev/null
until_true are_gone
cli list > /dev/null # comes after what the bus has said about them
touch "$FAKE_HOST_DIR/go"
check "root's own call is done" until_true has_answered
check "and of the crowd's the one that had begun" [ "$(applied)" -eq 2 ]
done=0
# calls that wait to be dropped still count
calls_16()
{
    crowd flood 2 16 > "$root/crowd" 2>&1
    done=$((done + $(grep -c answered "$root/crowd")))
    has 16 answered
}
check "nothing is kept of them: the user can call" until_true calls_16
check "all of these are done" [ "$(applied)" -eq $((2 + done)) ]

# --- how fast ---------------------------------------------------------------------------------
crowd steady 200 > "$root/crowd" 2>&1
check "a user with at most eight calls at a time is never refused" has 200 answered

# --- a rule for a pool, however a call names it -------------------------------------------------
gpu=0000:41:00.0
uuid=aaaaaaaa-0000-4000-8000-0000000000aa
pool_uuid=aaaaaaaa-0000-4000-8000-0000000000bb
refuses() { crowd call "$@" > "$root/crowd" 2>&1; grep 'polkit does not authorize' "$root/crowd"; }
does() { crowd call "$@" > "$root/crowd" 2>&1; has 1 answered; }
echo "<vgpupool><name>closed</name><uuid>$pool_uuid</uuid><source><gpu address='$gpu'/></source></vgpupool>" \
    > "$root/pool.xml"
check "a vGPU may be made on a GPU" does CreateVgpu "('$gpu', 'A2-4Q', {'uuid': <'$uuid'>})"
check "and be removed" does DestroyVgpu "('$uuid',)"
check "the pool may not be defined" refuses DefinePool "('<vgpupool><name>closed</name></vgpupool>',)"
{ cli pool-define "$root/pool.xml" && cli pool-start closed; } > /dev/null
check "nor started by its UUID" refuses StartPool "('$pool_uuid',)"
check "no vGPU may be made on its GPU" refuses CreateVgpu "('$gpu', 'A2-4Q', {'uuid': <'$uuid'>})"
cli create "$gpu" A2-4Q --uuid "$uuid" > /dev/null
check "nor be removed from it" refuses DestroyVgpu "('$uuid',)"
check "nor be attached from it" refuses Attach "('$uuid', {'pool': <'closed'>}, {'live': <true>})"
check "nor be asked for in an annotation" refuses SetAnnotation "('$uuid', [{'pool': <'$pool_uuid'>}], @a{sv} {})"
cli destroy "$uuid" > /dev/null

# --- a pool as seen by users with read access -----------------------------------------------------
images=/var/lib/libvirt/images
sed "s|</source>|&<!-- $images/secret --><driverISO path='$images/secret.iso'/>|" "$root/pool.xml" \
    > "$root/iso-pool.xml"
cli pool-define "$root/iso-pool.xml" > /dev/null
shows() { does "$@" && grep -q closed "$root/crowd" && ! grep secret "$root/crowd"; }
check "no paths in the pool's properties" shows GetPool "('closed',)"
check "nor by its UUID" shows GetPool "('$pool_uuid',)"
check "nor in those of all pools" shows ListPools "()"
check "nor in all that the host has" shows GetState "()"
check "nor in its document" shows GetPoolXml "('closed', false)"
check "nor in that as it was defined" shows GetPoolXml "('closed', true)"
check "nor in doctor's report" shows Doctor "()"
check "nor in metrics" shows GetMetrics "()"
root_sees() { cli "$@" | grep "secret.iso"; }
check "root sees them in its properties" root_sees pool-info closed
check "and in those of all pools" root_sees pool-list --json
check "and in its document" root_sees pool-dumpxml closed

# --- how much ---------------------------------------------------------------------------------
before=$(memory)
crowd long 30 16 > "$root/crowd" 2>&1
check "documents of 16 MiB are refused" has 30 refused
check "and not kept" [ "$(memory)" -lt $((before + 160 * 1024)) ]

down
finish
