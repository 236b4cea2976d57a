#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The real daemon with a disk on which an fsync does not return, or fails, and with a log without a reader: another
# domain starts meanwhile. No timing is involved: the test decides when the disk continues.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session
"$builddir/tests/make-tree" --add "$root" l40s-32 || exit 1
# shellcheck disable=SC2034 # for start_daemon
preload=$builddir/tests/slow-disk.so

# without asking the daemon, which may answer slowly if it is broken
is_up()
{
    [ -S "$socket" ] &&
        gdbus call --session --dest org.freedesktop.DBus --object-path / \
            --method org.freedesktop.DBus.NameHasOwner org.virtvgpu.Manager1 | grep true
}
ended() { ! kill -0 "$daemon"; }
down() { kill "$daemon" && until_true ended; }
is_hanging() { [ -e "$root/knobs/fsync_is_hanging" ]; }
has_reservation() { grep -q '^parent=' "$root/var/lib/virt-vgpu/vfs/$(domain_uuid 2)"; }
has_no_reservation() { ! has_reservation; }
# another domain's whole run, while the disk still hangs
runs_meanwhile() { is_hanging && prepare 1 && release 1 && until_true nothing_left && is_hanging; }

annotated 1 A2-4Q
annotated 2 L40S-4Q # on a VF, which is chosen and written down when the definition is seen
{
    echo '<node>'
    for n in 1 2; do
        switched_off "$n"
    done
    echo '</node>'
} > "$root/host.xml"

# --- an fsync that does not return ------------------------------------------------------------
knob fsync_hangs 1
check "the daemon starts" up
check "the VF of vm2 is being written down" until_true is_hanging
check "vm1 starts and stops meanwhile" runs_meanwhile
check "libvirt is not asked to change vm2 meanwhile" not log_says "vm2"
cli inject vm2 > "$root/injected" 2>&1 &
caller=$!
check "a caller who asks for it waits, too, while vm1 starts" runs_meanwhile
check "and has no answer yet" kill -0 "$caller"
unknob fsync_hangs
check "the VF is on record as soon as the disk answers" until_true has_reservation
wait "$caller"
check "then libvirt is asked" until_true log_says "vm2"

# --- pools, which are on the same disk --------------------------------------------------------
knob fsync_hangs 1
echo "<vgpupool><name>slow</name><source><gpu address='0000:42:00.0'/></source></vgpupool>" > "$root/pool.xml"
cli pool-define "$root/pool.xml" > "$root/defined" 2>&1 &
caller=$!
check "a pool is being written" until_true is_hanging
check "vm1 starts and stops meanwhile" runs_meanwhile
check "its caller has no answer yet" kill -0 "$caller"
unknob fsync_hangs
check "the answer comes as soon as the disk answers" wait "$caller"
check "the pool is there" cli pool-info slow

# --- the end ----------------------------------------------------------------------------------
rm "$root/var/lib/virt-vgpu/vfs/$(domain_uuid 2)"
check "the daemon ends" down
knob fsync_hangs 1
check "it starts again" up
check "and writes" until_true is_hanging
check "it ends all the same" down
check "and says that something is not written" log_says "1 record(s) could not be written"

# --- an fsync that fails ----------------------------------------------------------------------
rm -f "$root/knobs"/fsync_*
knob fsync_fails 1
: > "$root/log"
check "it starts with a full disk" up
check "a failed write is reported" until_true log_says "domain 'vm2': cannot record the VF that it gets"
check "vm1 starts and stops" prepare 1
check "there is no record" has_no_reservation
unknob fsync_fails
check "until it is tried again" until_true has_reservation
release 1
check "nothing is left" until_true nothing_left
check "the daemon ends" down

# --- a log without a reader -------------------------------------------------------------------
mkfifo "$root/pipe"
exec 9<> "$root/pipe"
dd if=/dev/zero bs=4096 count=16 >&9 2> /dev/null # fills the pipe
log=/dev/fd/9
check "it starts while its log is not read" up --debug
check "vm1 starts" prepare 1
check "and stops" release 1
check "nothing is left" until_true nothing_left
dd bs=4096 count=16 <&9 > /dev/null 2>&1
cat "$root/pipe" > "$root/log" &
caller=$!
check "the log is complete when it is read" until_true log_says "vm1.*removed"
kill "$caller"
timeout 5 dd if=/dev/zero bs=4096 count=16 >&9 2> /dev/null # its last messages may be in the pipe already
check "it ends while its log is not read" down

finish
