#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Cordoned GPUs, with the real daemon, hook and command: by hand, over restarts; and by errors
# in the kernel's log.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session

gpu=0000:41:00.0
annotated 1 A2-4Q
annotated 2 A2-4Q
{ echo '<node>'; cat "$root/vm1.xml" "$root/vm2.xml"; echo '</node>'; } > "$root/host.xml"
mkfifo "$root/dev/kmsg"
exec 9<> "$root/dev/kmsg"
logged() { echo "$1,$2,1000000,-;$3" >&9; } # PRIORITY SEQUENCE TEXT: the kernel's log has that
xid() { logged 3 "$1" "NVRM: Xid (PCI:0000:41:00): $2, pid='<unknown>', it says so"; } # SEQUENCE NUMBER
cordoned() { says '"cordoned":{' cli gpu-info $gpu --json; }
open() { says '"cordoned":null' cli gpu-info $gpu --json; }
read_up_to() { [ "$(cat "$root/run/virt-vgpu/kernel-log")" = "$1" ]; }

exits() { wanted=$1; shift; "$@"; [ $? -eq "$wanted" ]; }
tells_events() { cli gpu-cordon $gpu && cli gpu-uncordon $gpu && test -s "$root/events"; }
doctor_says() # TEXT: without blanks; its exit status is another matter
{
    cli doctor --json > "$root/said" 2>&1
    tr -d ' \n' < "$root/said" | grep -F -- "$1"
}

# --- by hand ----------------------------------------------------------------------------------
xid 7 79 # from before the daemon's first start in this boot: it may be obsolete
check "the daemon starts" up
check "older entries of the log are ignored" until_true read_up_to 7
check "the GPU is open" open
check "a domain starts" prepare 1
check "gpu-cordon" says "1vGPUonitstays" cli gpu-cordon 41:00.0 --reason 'bad fan'
check "it is on disk" grep -x 'reason=bad fan' "$root/var/lib/virt-vgpu/cordons"
check "explain says so" fails_with "$gpu: is cordoned: bad fan (virt-vgpu gpu-uncordon $gpu)" \
    cli explain --json --xml "$root/vm2.xml"
check "with the verdict" grep '"verdict" : "cordoned"' "$root/said"
check "so does the start" fails_with "is cordoned: bad fan" prepare 2
check "none are available" says '"available":0' cli profile-list $gpu --json
check "nor in the pool" says '"available":0' cli pool-info default --json
check "metrics say so" says "virtvgpu_gpu_cordoned{gpu=\"$gpu\"}1" cli metrics
check "doctor names it" doctor_says "badfan\",\"fix\":\"whenitcanbeusedagain:virt-vgpugpu-uncordon$gpu"
check "running vGPUs stay" has_devices 1
killed
check "after a kill" up
check "it is still cordoned" cordoned
check "and the running vGPU still exists" has_devices 1
check "a reason of two lines is wrong usage" exits 2 cli gpu-cordon 41:00.0 --reason 'a
b'
check "a missing GPU" fails_with "there is no GPU 0000:42:00.0" cli gpu-cordon 42:00.0
check "gpu-uncordon" cli gpu-uncordon 41:00.0
check "a domain starts" prepare 2
check "no file is left" test ! -e "$root/var/lib/virt-vgpu/cordons"
release 2

# --- errors -----------------------------------------------------------------------------------
cli events --json > "$root/events" &
check "events are followed" until_true tells_events
for number in 13 31 43 45 63 92 94 109; do
    xid "2$number" $number
done
logged 14 2999 "NVRM: Xid (PCI:0000:41:00): 79, a program says so"
xid 3000 48
check "an error that a reset mends cordons it" until_true cordoned
check "with the remedy" says "Xid48,double-bitECCerror;stopitsdomainsandresetit" cli gpu-info $gpu
check "the event has number, action and text" \
    until_true grep '"xid":48,"action":"reset","text":"pid=.*it says so"' "$root/events"
check "nothing else did" [ "$(grep -c '"event":"gpu-fault"' "$root/events")" -eq 1 ]
check "doctor names the next step" doctor_says "(nvidia-smi--gpu-reset)\",\"fix\":"
check "the position in the log is recorded" until_true read_up_to 3000
check "a domain is refused" fails_with "is cordoned: Xid 48" prepare 2
check "running vGPUs stay" has_devices 1
check "gpu-uncordon" cli gpu-uncordon $gpu
down
check "after a restart" up
xid 3000 48 # the log has it still
xid 3001 13
check "it is open" open
xid 3002 79 # came while no daemon was there
check "an error in between is found" until_true cordoned
check "gpu-uncordon" cli gpu-uncordon $gpu
down

# --- killed in between ------------------------------------------------------------------------
# shellcheck disable=SC2034 # for start_daemon
preload=$builddir/tests/slow-disk.so
check "on a disk that hangs" up
knob fsync_hangs 1
xid 3003 79
check "an error cordons it" until_true cordoned
check "which is not on disk yet" until_true test -e "$root/knobs/fsync_is_hanging"
sleep 0.3
check "so long the log counts as unread" not read_up_to 3003
killed
unknob fsync_hangs
check "after a kill" up
xid 3003 79 # the log has it still
check "the error is found again" until_true cordoned
check "and the position in the log is recorded" until_true read_up_to 3003
check "gpu-uncordon" cli gpu-uncordon $gpu
down
preload=''

# --- without ----------------------------------------------------------------------------------
printf '[placement]\ncordon_on_xid=no\n' > "$root/etc/virt-vgpu/virt-vgpu.conf"
check "with cordon_on_xid=no" up
xid 3004 95
check "the error is reported" until_true log_says "reports an error: Xid 95"
check "and that is all" open
down
exec 9>&-
rm "$root/dev/kmsg"
: > "$root/dev/kmsg"
check "with a log that ends" up
check "a line says so" until_true log_says "cannot read the kernel's log .*: it has ended"
down
rm "$root/dev/kmsg"
check "without a log to read" up
check "a line says so" until_true log_says "cannot read the kernel's log .*: No such file"
release 1
check "and all else works" until_true nothing_left
finish
