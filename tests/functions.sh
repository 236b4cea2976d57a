# shellcheck shell=sh disable=SC2034,SC2154
# Sourced by tests and benchmarks that run the real programs on a made tree. Wants $builddir and $srcdir, absolute.

# make_root: a tree with the lab's cards, its path in $root. Not on a disk: it is thousands of files.
make_root()
{
    [ -w /dev/shm ] && root=$(mktemp -d /dev/shm/virt-vgpu.XXXXXX) || root=$(mktemp -d)
    "$builddir/tests/make-tree" "$root"
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

# annotated N PROFILE: the same with an annotation and its <hostdev>, in file $root/vmN.xml
annotated()
{
    domain_xml "$1" > "$root/vm$1.xml"
    "$builddir/virt-vgpu" annotate --xml "$root/vm$1.xml" --profile "$2" > "$root/new.xml" &&
        mv "$root/new.xml" "$root/vm$1.xml"
}

# start_daemon [OPTION...]: with the fake driver, and $preload if it is set; its pid in $daemon, its output
# in $root/log, or in $log if it is set
start_daemon()
{
    # the preload comes before a sanitizer's library, and the program's end is not the test's
    ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 FAKE_DRIVER_ROOT=$root \
        LD_PRELOAD=$builddir/tests/fake-driver.so${preload:+:$preload} \
        "$builddir/virtvgpud" --root "$root" --driver-program "$builddir/virt-vgpu-driver" \
        --libvirt-uri "test://$root/host.xml" "$@" >> "${log:-$root/log}" 2>&1 &
    daemon=$!
}

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

# check WHAT COMMAND...: a test, in TAP; counts in $tests and $failures. A script may have its own.
tests=0 failures=0
check()
{
    what=$1
    shift
    tests=$((tests + 1))
    if "$@" > "$root/out" 2>&1; then
        echo "ok $tests - $what"
    else
        echo "not ok $tests - $what"
        tail -qn 5 "$root/log" "$root/out" "$root/said" 2> /dev/null | sed 's/^/# /'
        failures=$((failures + 1))
    fi
}

# fails_with TEXT COMMAND...: it fails and says so, in $root/said
fails_with()
{
    text=$1
    shift
    ! "$@" > "$root/said" 2>&1 && grep -F -- "$text" "$root/said"
}
