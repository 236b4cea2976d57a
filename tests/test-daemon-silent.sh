#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The real daemon beside a GPU whose driver does not answer: reads, creates and removals that hang in the driver of one
# M10 do not delay requests that do not need it, nor a daemon that is started meanwhile.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session
a=0000:84:00.0 b=0000:85:00.0 # M10s
c=0000:41:00.0                # an A2, whose VFs carry its mdevs

# vm N [OPTION...]: a domain with an M10-1Q
vm()
{
    n=$1
    shift
    domain_xml "$n" > "$root/vm$n.xml"
    cli annotate --xml "$root/vm$n.xml" --profile M10-1Q "$@" > "$root/new.xml" && mv "$root/new.xml" "$root/vm$n.xml"
}
claim() { cat "$root/run/virt-vgpu/claims/$(domain_uuid "$1")" 2> "$root/nowhere"; }
is_on() { claim "$1" | grep -q "^gpu=$2"; }
# start N: in the background, its result in $root/N
start()
{
    rm -f "$root/end$1"
    { prepare "$1" > "$root/end$1.txt" 2>&1; echo $? > "$root/end$1"; } &
}
ended() { [ "$(cat "$root/end$1" 2> "$root/nowhere")" = "$2" ]; }
# a start fails after ten seconds of silence
in_time() { until_true "$@" || until_true "$@"; }
waits() { [ ! -e "$root/end$1" ]; }
# processes NAME: how many there are for it
processes() { pgrep -fc "virt-vgpu-driver.*--lock $root/run/virt-vgpu/driver/$1"; }
one_process() { [ "$(processes "$1")" -eq 1 ]; }

for n in 1 4; do vm $n --gpu $a; done
vm 2 --gpu $b
vm 3
vm 5

# --- a read ---------------------------------------------------------------------------------------
check "the daemon starts" up --host-program "$root/none"
check "a domain on A starts" prepare 4
knob hang_read-$a 1
check "beside a read of A that hangs, one on B starts" prepare 2
check "one that may go anywhere does" prepare 3
check "it avoids A" is_on 3 $b
check "the log says why" until_true log_says "$a: its driver has not answered a read"
check "list answers" cli list
check "profile-list says why there is no room" says "$a:itsdriverhasnotansweredaread" cli profile-list $a
check "so does gpu-info" says "NovGPUcanbemadeonitnow:itsdriverhasnotansweredaread" cli gpu-info $a
check "explain says so" fails_with 'not-answering' sh -c "'$builddir/virt-vgpu' explain --xml '$root/vm1.xml' --json >&2; false"
"$builddir/virt-vgpu" explain --xml "$root/vm1.xml" > "$root/explain.txt"
check "and that the capacity is unknown" test $? -eq 8
start 1
release 4
check "a domain on A can be stopped" until_true has_no_record 4
check "a start on A waits" waits 1
check "and is refused in time" in_time ended 1 1
check "which names it" grep -q "$a, which gpu= names, .*: its driver has not answered" "$root/end1.txt"

check "the known state of a VF is reported" says '"state":"free"' cli gpu-info $c --json
knob hang_read-0000:41:00.4 1
check "and, if its driver does not answer, that it is unknown" until_true says '"state":"unknown"' cli gpu-info $c --json
unknob hang_read-0000:41:00.4
check "until it does" until_true says '"state":"free"' cli gpu-info $c --json

# --- the daemon is started again --------------------------------------------------------------------
killed
check "a daemon that is started meanwhile is ready" up --host-program "$root/none"
check "one on B starts" prepare 5
check "list answers" cli list
check "there is one process for A" one_process $a
start 1
unknob hang_read-$a
check "when A answers again, it is used" until_true ended 1 0
check "there it is" is_on 1 $a
for n in 1 2 3 5; do release $n; done
check "nothing is left" until_true nothing_left

# --- a create ---------------------------------------------------------------------------------------
knob hang_create-$a 1
start 1
check "a create on A hangs" until_true grep -q '^phase=creating' "$root/run/virt-vgpu/claims/$(domain_uuid 1)"
check "one on B starts" prepare 2
check "one that may go anywhere does" prepare 3
check "list answers" cli list
killed
check "a daemon that is started meanwhile is ready" up --host-program "$root/none"
check "one on B starts" prepare 5
start 4
check "there is one process for A" one_process $a
check "the record of a vGPU that may still appear is kept" test -e "$root/run/virt-vgpu/claims/$(domain_uuid 1)"
release 1
check "also when its domain is over" test -e "$root/run/virt-vgpu/claims/$(domain_uuid 1)"
unknob hang_create-$a
check "when A answers again, the next one starts" until_true ended 4 0
check "and the late vGPU is removed" until_true has_no_record 1
for n in 2 3 4 5; do release $n; done
check "nothing is left" until_true nothing_left

# --- a removal --------------------------------------------------------------------------------------
check "one on A starts" prepare 1
knob hang_remove-$a 1
release 1
check "its removal hangs" until_true one_process "$("$builddir/virt-vgpu" list --json | grep -o '"uuid" *: *"[^"]*"' | head -n 1 | grep -o '[0-9a-f-]\{36\}')"
check "another one on A starts" prepare 4
check "there it is" is_on 4 $a
unknob hang_remove-$a
check "it is removed when A answers" until_true has_no_record 1
release 4
check "nothing is left" until_true nothing_left

# --- without a daemon -------------------------------------------------------------------------------
# doctor: its output, with the fake driver in the process that it asks
doctor()
{
    ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 FAKE_DRIVER_ROOT=$root LD_PRELOAD=$builddir/tests/fake-driver.so \
        "$builddir/virt-vgpu" doctor --root "$root" --wide > "$root/doctor" 2>&1
    grep -q "^  $2  *driver $1: $3" "$root/doctor"
}
killed
check "doctor finds that all answer" doctor $a ok nvidia
knob hang_read-$a 1
check "a driver that hangs does not keep it: it names the GPU" doctor $a fail ".*does not answer"
check "and no other one" doctor $b ok nvidia
unknob hang_read-$a

finish
