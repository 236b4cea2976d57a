#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The real daemon, hook and command on a made tree with the fake driver, under a bus of their own, with libvirt's test
# driver in place of libvirtd. In it, domains vm1 to vm10 run, vm11 and vm12 are off.
# shellcheck disable=SC2119 # up has options that are not used here
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session

# state N: of vm N's vGPU in the list
state()
{
    cli list --json | tr -d ' \n' | sed 's/},{/}\n{/g' |
        sed -n "s/.*\"domain\":\"vm$1\".*\"state\":\"\([a-z]*\)\".*/\1/p"
}
has_state() { [ "$(state "$1")" = "$2" ]; }

echo '<node>' > "$root/host.xml"
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
    annotated "$n" A2-4Q
    if [ "$n" -gt 10 ]; then
        switched_off "$n"
    else
        cat "$root/vm$n.xml"
    fi >> "$root/host.xml"
done
echo '</node>' >> "$root/host.xml"

# --- the main job -----------------------------------------------------------------------------
check "starts without its directories" up
check "a domain starts" prepare 1
check "its vGPU exists" has_devices 1
check "it is recorded" test -f "$root/run/virt-vgpu/claims/$(domain_uuid 1)"
check "the list says active" has_state 1 active
check "a domain without vGPUs starts" prepare 0
check "the domain stops" release 1
check "nothing is left" until_true nothing_left
check "not in the list either" has_state 1 ''

knob create_fail_next 1000
check "a refusal names the domain" fails_with "vm1" prepare 1
check "and names the GPU" grep -q "A2-4Q.*0000:41:00.0" "$root/said"
unknob create_fail_next
check "nothing is left of it" until_true nothing_left

# --- verbs ------------------------------------------------------------------------------------
hand=11111111-2222-4333-8444-555555555555
"$builddir/virt-vgpu" --json events > "$root/events" 2>&1 &
helper=$!
sleep 0.3 # it prints nothing before the first event
check "create" cli create 41:00.0 A2-4Q --uuid "$hand"
check "makes it" test -L "$root/sys/bus/mdev/devices/$hand"
check "create does it once" fails_with "already" cli create 41:00.0 A2-4Q --uuid "$hand"
check "destroy" cli destroy "$hand"
check "removes it" nothing_left
check "events" until_true grep -q '"vgpu-removed"' "$root/events"
check "prints one object a line" \
    sh -c "! grep -v '^{.*}\$' '$root/events' && grep '\"event\"' '$root/events' | grep -q '$hand'"

# --- plugin parameters ------------------------------------------------------------------------
wanted=disable_vnc=1,vgpu-placement-id=12
domain_xml 13 > "$root/plain.xml"
cli annotate --xml "$root/plain.xml" --profile A2-4Q --console-vnc off --param vgpu-placement-id=12 \
    > "$root/vm13.xml"
unverified() # TEXT: the event reports it, with domain and UUID
{
    until_true grep -q '"params-unverified".*"vm13".*"uuid".*'"wanted '$wanted', $1" "$root/events"
}
check "a domain with plugin parameters starts" prepare 13
check "its vGPU has all of them" \
    sh -c "cat '$root'/sys/bus/mdev/devices/*/nvidia/vgpu_params | grep -qx $wanted"
check "no event reports a difference" sh -c "! grep params-unverified '$root/events'"
release 13
until_true nothing_left
knob params_keep "${wanted%2}"
check "a driver that truncates them: it does not start" \
    fails_with "the driver kept only '${wanted%2}' of the plugin parameters '$wanted'" prepare 13
check "and nothing is left" until_true nothing_left
knob params_keep loglevel=2
check "a driver that has others: it starts" prepare 13
check "and an event says so" unverified "read 'loglevel=2'"
unknob params_keep
release 13
until_true nothing_left
knob params_eio ''
check "a driver that does not show them: it starts" prepare 13
check "and an event says so, too" unverified "cannot open .*/nvidia/vgpu_params: Input/output error"
unknob params_eio
release 13
until_true nothing_left
kill "$helper"
helper=''
check "explain" sh -c "'$builddir/virt-vgpu' --json explain --xml '$root/vm1.xml' | grep -q 0000:41:00.4"
sed "s/<devices>/&<graphics type='vnc'\/>/; s/A2-4Q\"/& consoleVNC=\"off\"/" "$root/vm1.xml" > "$root/dark.xml"
was_said() { grep -F -- "$1" "$root/said"; }
cli explain --xml "$root/dark.xml" > "$root/said" 2>&1
check "which says why there is no display" was_said "on 0000:41:00.4; no display: consoleVNC='off'"
sed -i "s/consoleVNC=/display=\"on\" &/" "$root/dark.xml"
cli explain --xml "$root/dark.xml" > "$root/said" 2>&1
check "and warns of one that may not work" was_said "on 0000:41:00.4; display='on', but consoleVNC='off'"
check "reconcile has nothing to do" sh -c "cd / && '$builddir/virt-vgpu' --json reconcile | tr -d ' \n' | grep -qx '\[\]'"

# --- pools ------------------------------------------------------------------------------------
cat > "$root/pool.xml" << 'XML'
<vgpupool><name>design</name><source><gpu address='0000:41:00.0'/></source></vgpupool>
XML
info() { cli pool-info --json "$1" | tr -d ' \n'; }
has_gpu() { info "$1" | grep -F '"gpus":["0000:41:00.0"]'; } # POOL: it has only that GPU
if command -v gdbus > /dev/null; then
    gdbus monitor --session --dest org.virtvgpu.Manager1 > "$root/signals" 2>&1 &
    helper=$!
    until_true grep -q "is owned by" "$root/signals"
fi
check "a pool is defined" cli pool-define "$root/pool.xml"
check "and is inactive" sh -c "'$builddir/virt-vgpu' pool-info design | grep -q 'inactive'"
check "it has its GPU" has_gpu design
check "which is not in the default pool" sh -c "! '$builddir/virt-vgpu' pool-info default | grep 41:00"
check "a domain that names no pool does not get it" fails_with "belongs to pool 'design'" prepare 1
sed 's/^virt-vgpu: //; s/^domain .vm1.: //; q' "$root/said" > "$root/refusal"
cli explain --json --xml "$root/vm1.xml" > "$root/explained"
check "explain gives the reason of the refusal" grep -qFf "$root/refusal" "$root/explained"
check "and what would fit" grep -q '"available" : 16' "$root/explained"
check "it is logged, once" \
    test "$(grep -c "start refused.*belongs to pool 'design'" "$root/log")" -eq 1
check "it is started" cli pool-start design
check "it cannot be undefined then" fails_with "pool" cli pool-undefine design
check "it is read again" cli pool-refresh design
check "it is stopped" cli pool-destroy design
sed "s/<name>/<profiles><profile name='NVIDIA A2-4Q'\/><\/profiles>&/" "$root/pool.xml" > "$root/profile.xml"
sed "s/<devices>/&<graphics type='vnc'\/>/" "$root/vm1.xml" > "$root/vnc.xml"
check "it gets a profile" cli pool-define "$root/profile.xml"
cli annotate --xml "$root/vnc.xml" --pool design > "$root/said" 2>&1
check "which says that a display is possible" was_said 'display="on" ramfb="on"'
check "it is undefined" cli pool-undefine design
check "and forgotten" fails_with "no pool 'design'" cli pool-info design
check "the default pool has its GPU again" prepare 1
release 1
until_true nothing_left
if [ -n "$helper" ]; then
    # told EVENT REGEX: once, with that, and under no other name
    told()
    {
        grep "'event': <'$1'>" "$root/signals" > "$root/said"
        grep -q "$2" "$root/said" && ! grep -v "Manager1.Event (" "$root/said"
    }
    check "a refusal has a signal" until_true told start-refused "'outcome': <'refused'>"
    check "so has a new vGPU" until_true told vgpu-created "'outcome': <'ok'>"
    check "and a removed one" until_true told vgpu-removed "'duration_ms'"
    kill "$helper"
fi

# --- many at once -----------------------------------------------------------------------------
for n in 1 2 3 4 5 6 7 8 9 10; do
    { prepare "$n" 2> "$root/why$n"; echo $? > "$root/status$n"; } &
    pids="${pids:-} $!"
done
# shellcheck disable=SC2086
wait $pids
check "ten at once for four: four start" \
    test "$(cat "$root"/status* | grep -cx 0)" -eq 4
check "six refusals say that there is no room" \
    test "$(cat "$root"/why* | grep -c '0000:41:00.0: 4 of 4 are in use')" -eq 6
check "four vGPUs exist" has_devices 4
for n in 1 2 3 4 5 6 7 8 9 10; do
    release "$n"
done
check "all are removed" until_true nothing_left

# --- a client that disconnects ----------------------------------------------------------------
knob create_delay_ms 300
# not the function: its pid would be that of a shell
VIRT_VGPU_ROOT=$root "$builddir/virt-vgpu-hook" vm1 prepare begin - < "$root/vm1.xml" &
hook_pid=$!
until_true has_records 1
kill -9 "$hook_pid"
wait "$hook_pid" 2> /dev/null
unknob create_delay_ms
sleep 0.4
check "a start whose hook was killed is undone" until_true nothing_left

# --- malformed requests -----------------------------------------------------------------------
rubbish() { "$builddir/tests/hook-client" "$socket" > "$root/answer"; }
mkfifo "$root/quiet"
"$builddir/tests/hook-client" "$socket" 64 < "$root/quiet" > "$root/idle" &
helper=$!
exec 9> "$root/quiet"
check "64 silent clients" until_true grep -q ready "$root/idle"
head -c 100000 /dev/urandom | rubbish
head -c 100 /dev/zero | rubbish
printf 'VGPU1 prepare begin - 1 0 0\000x\n' | rubbish
printf 'VGPU1 prepare begin - 1 99999999999999999999 1\n' | rubbish
printf 'VGPU1 prepare begin - 1 4097 1\n' | rubbish
check "too long a name is refused" grep -q "^VGPU1 refused .*" "$root/answer"
printf 'VGPU1 prepare begin - 1 1 4194305\n' | rubbish
check "too long an XML is refused" grep -q "^VGPU1 refused .*" "$root/answer"
printf 'VGPU1 prepare begin - -1 0 0\n' | rubbish
printf 'VGPU1 nonsense begin - 1 0 0\n' | rubbish
check "an unknown operation is refused" grep -q "^VGPU1 refused .*" "$root/answer"
printf 'VGPU2 prepare begin - 1 0 0\n' | rubbish
check "another version is refused" grep -q "different versions" "$root/answer"
printf 'VGPU1 prepare begin - 1 3 7\nvm1<domain' | head -c 33 | timeout 0.2 \
    "$builddir/tests/hook-client" "$socket" > "$root/answer"
printf 'VGPU1 prepare begin - 1 3 14\nvm1<a b="ua-vgpu-' | rubbish
check "malformed XML is refused" grep -q "^VGPU1 refused .*" "$root/answer"
printf 'VGPU1 prepare begin - 1 3 7\nvm1<domain' | rubbish
check "malformed XML without our elements is ignored" grep -q "^VGPU1 ok 0" "$root/answer"
check "and a real hook is served meanwhile" prepare 1
check "for the stop, too" release 1
exec 9>&-
wait "$helper"
check "nothing is left of that either" until_true nothing_left

# --- no leaks, no timers ----------------------------------------------------------------------
files() { find "/proc/$daemon/fd" -mindepth 1 | wc -l; }
until_files() { [ "$(files)" -le "$1" ]; }
switches() { cat /proc/"$daemon"/task/*/status | awk '/^voluntary/ { n += $2 } END { print n }'; }
prepare 2 && release 2 && until_true nothing_left
before=$(files)
n=0
while [ "$n" -lt 200 ]; do
    { prepare 2 && release 2; } || break
    n=$((n + 1))
done
check "200 starts and stops" test "$n" -eq 200
check "leave nothing behind" until_true nothing_left
check "and no open file" until_true until_files "$before"
sleep 0.5
before=$(switches)
sleep 3
after=$(switches)
echo "# $((after - before)) wake-ups in 3 s"
has_tsan() { grep -q libtsan "/proc/$daemon/maps"; } # its own thread wakes up regularly
has_tsan || check "no periodic wake-ups" test "$((after - before))" -le 3

# --- restarts ---------------------------------------------------------------------------------
prepare 1
check "SIGHUP" kill -HUP "$daemon"
check "is ignored, with a message" until_true grep -q 'SIGHUP is ignored' "$root/log"
check "and the daemon continues" prepare 2
release 2
until_true has_records 1
check "SIGTERM" down
check "leaves the vGPU" has_devices 1
check "and its record" has_records 1
check "the hook of an annotated domain says that the daemon is not running" \
    fails_with "virtvgpud is not running" prepare 2
check "it starts again" up
check "and knows its vGPU" until_true has_state 1 active
release 1
until_true nothing_left

knob create_delay_ms 3000 # longer than it takes until the signal
prepare 1 2> /dev/null &
hook_pid=$!
until_true has_records 1
kill -TERM "$daemon"
wait "$daemon"
check "SIGTERM while a hook waits: a clean end" test $? -eq 0
wait "$hook_pid"
check "and no start" test $? -eq 1
unknob create_delay_ms
up
release 1
check "and its vGPU is removed" until_true nothing_left

killed
check "starts in spite of a dead daemon's socket" up

first=$daemon
start_daemon --bus none
second=$daemon
daemon=$first
wait "$second"
check "a second one on the same root refuses" test $? -ne 0
check "and says why" grep -q "another virtvgpud" "$root/log"
check "the first is not disturbed" prepare 1
release 1
until_true nothing_left

# crash N KNOB: the daemon is killed while it makes vmN's vGPU
crash()
{
    knob "$2" 300
    prepare "$1" 2> /dev/null &
    hook_pid=$!
    if [ "$2" = create_delay_ms ]; then until_true has_records 1; else until_true has_devices 1; fi
    kill -9 "$daemon"
    wait "$daemon" "$hook_pid" 2> /dev/null
    unknob "$2"
    up
}
crash 11 create_delay_ms
check "killed before the device is made: nothing stays" until_true nothing_left
crash 11 create_late_ms
check "killed after the device is made, the domain is off: undone" until_true nothing_left
crash 1 create_late_ms
check "killed after the device is made, the domain runs: the domain keeps it" until_true has_state 1 active
check "and exists" has_devices 1
release 1
until_true nothing_left

prepare 11
knob remove_delay_ms 300
release 11
until_true has_devices 0
killed
up
check "killed during a removal: the removal is completed" until_true nothing_left
unknob remove_delay_ms
check "and the domain starts again" prepare 11
release 11
until_true nothing_left

prepare 12
down
up
check "stopped while the daemon was away: removed" until_true nothing_left

# --- configuration ----------------------------------------------------------------------------
down
mkdir -p "$root/etc/virt-vgpu/conf.d"
printf '[daemon]\nattach_timeot=5\n' > "$root/etc/virt-vgpu/conf.d/10-mine.conf"
run_daemon() { "$builddir/virtvgpud" --root "$root" --bus none; }
check "an unknown key ends it" fails_with "conf.d/10-mine.conf: unknown key 'attach_timeot'" run_daemon

finish
