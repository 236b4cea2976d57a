# shellcheck shell=sh disable=SC2034,SC2154
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by tests and benchmarks that run the real programs on a made tree. A test calls begin first and finish last; a
# benchmark sets $builddir and $srcdir to absolute paths.

# begin session|none [ARGUMENT...]: a test with a session bus of its own or without one, on a tree of tests/make-tree ARGUMENT...
begin()
{
    bus=$1
    shift
    builddir=$(cd "${builddir:-.}" && pwd)
    srcdir=$(cd "${top_srcdir:-.}" && pwd)
    if [ "$bus" = session ] && [ -z "${VGPU_TEST_ON_BUS:-}" ]; then
        needs dbus-run-session
        VGPU_TEST_ON_BUS=1 exec dbus-run-session -- sh "$0"
    fi
    export VIRT_VGPU_LIBEXECDIR="$builddir"
    make_root "$@" || exit 1
    trap cleanup EXIT
    export LC_ALL=C.UTF-8 LIBVIRT_DEFAULT_URI="test://$root/host.xml"
    [ "$bus" = none ] || export VIRT_VGPU_BUS=session
    socket=$root/run/virt-vgpu/hook.sock
    # ours, but wants nothing: its hook tells whether the daemon serves
    domain_xml 0 | sed 's/<devices/<description>ua-vgpu-<\/description>&/' > "$root/vm0.xml"
}

# needs TOOL: skips the test without it
needs()
{
    command -v "$1" > /dev/null && return
    echo "$1 is missing"
    exit 77
}

# make_root [ARGUMENT...]: a tree with the lab's cards, its path in $root. Not on a disk: it is thousands of files.
make_root()
{
    [ -w /dev/shm ] && root=$(mktemp -d /dev/shm/virt-vgpu.XXXXXX) || root=$(mktemp -d)
    "$builddir/tests/make-tree" "$root" "$@"
}

# At the end of a test, whatever the result: ends all processes that it has started, including the daemon.
cleanup()
{
    jobs -p > "$root/jobs" # not in a substitution, which has no jobs
    rm -f "$root"/knobs/hang_*
    # shellcheck disable=SC2046 # a list
    kill -9 $(cat "$root/jobs") 2> /dev/null
    rm -rf "$root"
}

finish()
{
    echo "1..$tests"
    [ "$failures" -eq 0 ]
}

# domain_uuid N, domain_xml N: of domain vmN
domain_uuid()
{
    printf 'aaaaaaaa-0000-4000-8000-%012d' "$1"
}

domain_xml()
{
    cat << XML
<domain type='test'><name>vm$1</name><uuid>$(domain_uuid "$1")</uuid><memory>65536</memory>
<os><type>hvm</type></os><devices/></domain>
XML
}

# switched_off N: domain vmN as libvirt's test driver reads it
switched_off()
{
    sed "s/<domain /&xmlns:test='http:\/\/libvirt.org\/schemas\/domain\/test\/1.0' /
         s/<\/domain>/<test:runstate>5<\/test:runstate>&/" "$root/vm$1.xml"
}

# annotated N PROFILE: the same with an annotation and its <hostdev>, in file $root/vmN.xml
annotated()
{
    domain_xml "$1" > "$root/vm$1.xml"
    "$builddir/virt-vgpu" annotate --xml "$root/vm$1.xml" --profile "$2" > "$root/new.xml" &&
        mv "$root/new.xml" "$root/vm$1.xml"
}

# start_daemon [OPTION...]: with the fake driver, and $preload if it is set; its pid in $daemon, its output
# in $root/log, or in $log if it is set. $asan: more options of a sanitizer
start_daemon()
{
    # the preload comes before a sanitizer's library, and the program's end is not the test's
    ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0${asan:+:$asan} FAKE_DRIVER_ROOT=$root \
        LD_PRELOAD=$builddir/tests/fake-driver.so${preload:+:$preload} \
        "$builddir/virtvgpud" --root "$root" --driver-program "$builddir/virt-vgpu-driver" \
        --bus "${bus:-none}" --libvirt-uri "test://$root/host.xml" "$@" >> "${log:-$root/log}" 2>&1 &
    daemon=$!
}

# up [OPTION...]: start it, and wait until it serves; down [SIGNAL]: end it; killed: end it with SIGKILL
up() { start_daemon "$@" && until_true is_up; }
is_up() { [ -S "$socket" ] && prepare 0 && { [ "$bus" = none ] || cli list; }; }
down() { kill "-${1:-TERM}" "$daemon" && { wait "$daemon"; true; } 2> /dev/null; }
killed() { down KILL; }

cli() { "$builddir/virt-vgpu" "$@"; }

# says TEXT COMMAND...: it succeeds and prints that, ignoring blanks
says()
{
    text=$1
    shift
    "$@" > "$root/said" 2>&1 && tr -d ' \n' < "$root/said" | grep -F -- "$text"
}
log_says() { grep -q -- "$1" "$root/log"; }
not() { ! "$@"; }

# hook N OP SUBOP: what libvirt runs for domain vmN
hook()
{
    ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=$builddir/tests/as-root.so \
        VIRT_VGPU_ROOT=$root "$builddir/virt-vgpu-hook" "vm$1" "$2" "$3" - < "$root/vm$1.xml"
}

prepare() { hook "$1" prepare begin; }
release() { hook "$1" release end; }

devices() { find "$root/sys/bus/mdev/devices" -type l | wc -l; }
records() { find "$root/run/virt-vgpu/claims" -type f 2> /dev/null | wc -l; }
knob() { echo "$2" > "$root/knobs/$1"; }
unknob() { rm -f "$root/knobs/$1"; }
has_devices() { [ "$(devices)" -eq "$1" ]; }
has_records() { [ "$(records)" -eq "$1" ]; }
has_record() { test -f "$root/run/virt-vgpu/claims/$(domain_uuid "$1")"; }
has_no_record() { ! has_record "$1"; }
nothing_left() { [ "$(devices)" -eq 0 ] && [ "$(records)" -eq 0 ]; }

# until_true COMMAND...: poll, ten seconds at most
until_true()
{
    tries=1000
    until "$@" > /dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.01
    done
}

# verdict STATUS WHAT: a test, in TAP; counts in $tests and $failures
tests=0 failures=0
verdict()
{
    tests=$((tests + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $tests - $2"
    else
        echo "not ok $tests - $2"
        tail -qn 5 "$root/log" "$root/out" "$root/said" "$root/metrics" 2> /dev/null | sed 's/^/# /'
        failures=$((failures + 1))
    fi
}

# check WHAT COMMAND...: a test that passes if the command succeeds
check()
{
    what=$1
    shift
    "$@" > "$root/out" 2>&1
    verdict $? "$what"
}

# fails_with TEXT COMMAND...: it fails and prints that; its output is in $root/said
fails_with()
{
    text=$1
    shift
    ! "$@" > "$root/said" 2>&1 && grep -F -- "$text" "$root/said"
}
