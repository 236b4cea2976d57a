# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Steps of a long test run, for tests/run-all and tests/battery: counts, times, and a budget for all of them.
#
# A step has a reference time, in seconds on a machine where run-all takes 40 minutes. The pace, how much slower this
# machine is, is computed from the steps that have been run, except those whose time depends on the network or a
# cache ("~20"). With a budget, a step that would not end in time at that pace is not started. Skipped steps are
# listed at the end, and come first the next time as long as the lab's cache remembers them.
passed=0 failed=0 skipped=0
budget=0           # seconds from the start of the script, 0: no limit
plan=''            # only print the steps
spent=0 expected=0 # seconds that the steps took, and their reference times
took=() left_out=()
work=$(mktemp -d "${TMPDIR:-/tmp}/virt-vgpu-tests.XXXXXX")
trap tidy EXIT
memory=${VIRT_VGPU_LAB_CACHE:-/var/cache/virt-vgpu-lab}/left-out-of-${0##*/}
parts=''   # parts that have been run
besides='' # see beside()

tidy() {
    [ -z "$besides" ] || kill "$besides" 2> /dev/null
    rm -rf "$work"
}

say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }

# take_options ARG…: parses the script's options.
take_options() {
    [ $# -le 2 ] || usage_error "too many arguments"
    case ${1:-} in
        -h | --help)
            sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0"
            exit
            ;;
        '') ;;
        --plan)
            [ $# = 1 ] || usage_error "--plan takes no argument"
            plan=1
            ;;
        --budget)
            [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || usage_error "--budget takes a number of minutes"
            budget=$(($2 * 60))
            ;;
        *) usage_error "unknown argument '$1'" ;;
    esac
    [ "$plan" ] || [ "$(id -u)" = 0 ] || {
        echo "${0##*/}: needs root, to install packages and for the lab" >&2
        exit 1
    }
}

usage_error() {
    echo "${0##*/}: $1 (see --help)" >&2
    exit 2
}

# The pace in permille of the reference machine's time.
pace() { echo $((expected > 30 ? spent * 1000 / expected : 1000)); }
# fits REFERENCE: whether a step of that length ends within the budget.
fits() { [ "$budget" = 0 ] || [ $((SECONDS + $1 * $(pace) / 1000)) -le "$budget" ]; }

# leave_out NAME
leave_out() {
    skipped=$((skipped + 1))
    left_out+=("$1")
}

# step NAME REFERENCE CMD…: a test that passes if CMD succeeds; its output is shown only if it fails. Returns 1 if it
# failed, 2 if it was not run.
step() {
    local name=$1 reference=${2#\~} paced=${2##\~*} start=$SECONDS status=0
    shift 2
    if [ "$plan" ]; then
        expected=$((expected + reference))
        printf '%5d s  %s\n' "$reference" "$name"
        return 2
    fi
    if ! fits "$reference"; then
        say "$name: skipped, no time left"
        leave_out "${part:-$name}"
        return 2
    fi
    say "$name …"
    "$@" > "$work/log" 2>&1 < /dev/null || status=$?
    [ -z "$paced" ] || spent=$((spent + SECONDS - start)) expected=$((expected + reference))
    took+=("$(printf '%5d s  %s' $((SECONDS - start)) "$name")")
    if [ "$status" = 0 ]; then
        passed=$((passed + 1))
        say "$name: passed ($((SECONDS - start)) s)"
    else
        failed=$((failed + 1))
        tail -n 150 "$work/log"
        say "$name: FAILED"
        return 1
    fi
}

# unit_step NAME REFERENCE CMD…: a step that runs `make check`; adds the totals that it prints.
unit_step() {
    local ok bad name status=0
    step "$@" || status=$?
    [ "$status" != 2 ] || return
    ok=$(sed -n 's/^# PASS: *//p' "$work/log" | tail -n 1)
    bad=$(sed -n 's/^# \(FAIL\|ERROR\|XPASS\): *//p' "$work/log" | tail -n 3 | awk '{ n += $1 } END { print n + 0 }')
    passed=$((passed + ${ok:-0}))
    failed=$((failed + bad))
    [ "$bad" = 0 ] || failed=$((failed - status)) # count the failed tests, not the step
    say "unit tests: ${ok:-0} passed, $bad failed"
    grep -E '^(FAIL|ERROR)' "$work/log"
    while read -r name; do leave_out "$name"; done < <(sed -n 's/^SKIP: *//p' "$work/log")
}

install_tools() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    apt-get -qq -y --no-install-recommends install ccache clang clang-format clang-tidy cppcheck dbus-daemon \
        fish git jq libxml2-utils man-db perl python3 python3-gi shellcheck systemd xorriso xsltproc xz-utils zsh || return
    # libFuzzer, in the same version as clang
    apt-get -qq -y --no-install-recommends install libclang-rt-dev ||
        apt-get -qq -y --no-install-recommends install libclang-rt-14-dev || return
    # Optional tools for tests; godbus by its names on Debian 13 and 12, promtool without its server.
    apt-get -qq -y --no-install-recommends install selinux-policy-dev selinux-utils semodule-utils || true
    apt-get -qq -y --no-install-recommends install golang-go golang-github-godbus-dbus-dev ||
        apt-get -qq -y --no-install-recommends install golang-go golang-dbus-dev || true
    command -v promtool > /dev/null || install_promtool || true
    command -v etcd > /dev/null || install_etcd || true
    install_page_tools
}

# For the page in Cockpit: node with npm, whose packages are fetched into the checkout, and roots for Cockpit and Chromium.
install_page_tools() {
    apt-get -qq -y --no-install-recommends install mmdebstrap || return
    command -v npm > /dev/null || apt-get -qq -y --no-install-recommends install nodejs npm || return
    (
        cd cockpit || exit
        [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund || exit
        npm run -s build # for scenario 36-page
    )
}

# For the tests of fleets. Its service is masked, as Debian's package would start it.
install_etcd() {
    systemctl mask etcd.service && apt-get -qq -y --no-install-recommends install etcd-server libcurl4-openssl-dev openssl
}

install_promtool() (
    dir=$(mktemp -d) && cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download prometheus &&
        dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xO ./usr/bin/promtool > promtool &&
        install promtool /usr/local/bin/ && rm -r "$dir"
)

# The release of the lab that can use the host's root, if there is one.
host_release() { sed -n 's/^VERSION_CODENAME=\(bookworm\|trixie\)$/\1/p' /etc/os-release | grep . || echo all; }

# Works on a clean copy of the files that git tracks, without those of a developer's build; in a tarball, of all files.
copy_tree() (
    mkdir "$work/src" "$work/build" &&
        { git ls-files -z 2> /dev/null || find . -name node_modules -prune -o -type f -print0; } | tar -c --null -T - |
        tar -x -C "$work/src" && ln -s "$PWD/cockpit/node_modules" "$work/src/cockpit/" &&
        cd "$work/src" && ./autogen.sh &&
        cd "$work/build" && "$work/src/configure" --enable-werror
)

# fuzz OPTIMIZATION ARG…: tests/fuzz/fuzz.sh, on a build of its targets only. Without optimization
# the build takes a third of the time.
fuzz() (
    optimize=$1 && shift
    mkdir -p "$work/fuzz" && cd "$work/fuzz" || exit
    [ -e Makefile ] || ../src/configure --enable-fuzzers --without-systemd CC='ccache clang' CFLAGS="$optimize -g1" || exit
    CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1 make -j2 fuzzers &&
        VGPU_FUZZ_CACHE=${VIRT_VGPU_LAB_CACHE:-/var/cache/virt-vgpu-lab}/fuzz ../src/tests/fuzz/fuzz.sh "$@"
)

# Builds without sanitizers, which make a start of the daemon ten times as long and keep freed memory; and without
# optimization, which takes time.
quick_build() {
    make -C "$work/build" -j2 src/bus/manager1.h src/iso/guest-resource.h > "$work/make" &&
        CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1 make -C "$work/build" -j2 CC='ccache gcc' CFLAGS='-g -O0' "$@"
}

# page_on RELEASE…: the page's own checks, then what a user sees and does in it.
page_on() {
    quick_build virtvgpud virt-vgpu virt-vgpu-hook virt-vgpu-driver tests/make-tree tests/as-root.so \
        tests/fake-driver.so tests/flaky-libvirt.so check-cockpit &&
        "$work/src/tests/page/run" "$work/build" "$@"
}

# beside CMD…: runs it in the background, at low priority. join waits for it, prints its output and returns its status.
beside() {
    [ -z "$plan" ] || return
    nice -n 19 "$@" > "$work/beside" 2>&1 < /dev/null &
    besides=$!
}
join() {
    local status=0
    wait "$besides" || status=$?
    besides=''
    cat "$work/beside"
    return $status
}

# run_lab OPTION…: the lab on both releases, side by side.
run_lab() {
    local release start=$SECONDS until=() pids=()
    if [ "$plan" ]; then
        step "lab on Debian 12 and 13" "$(for release in bookworm trixie; do
            tests/lab/lab takes "$release" "$@"
        done | sort -n | tail -n 1)"
        return
    fi
    [ "$budget" = 0 ] || until=(--until $(($(date +%s) - SECONDS + budget)) --pace "$(pace)")
    say "lab on Debian 12 and 13 …"
    for release in bookworm trixie; do
        tests/lab/lab run "$release" "${until[@]}" "$@" > "$work/lab-$release" 2>&1 < /dev/null &
        pids+=($!)
    done
    for release in bookworm trixie; do
        wait "${pids[0]}" || touch "$work/lab-$release.failed"
        pids=("${pids[@]:1}")
    done
    took+=("$(printf '%5d s  lab on Debian 12 and 13' $((SECONDS - start)))")
    for release in bookworm trixie; do count_lab "$release"; done
}

# count_lab RELEASE: adds up its TAP. Planned tests without a result count as failed, and so does a lab that fails
# without naming a test.
count_lab() {
    local log=$work/lab-$1 planned ok bad skip name
    cat "$log"
    planned=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$log")
    skip=$(grep -c '^ok .* # SKIP' "$log")
    ok=$(($(grep -c '^ok ' "$log") - skip))
    bad=$(grep -c '^not ok ' "$log")
    while read -r name; do leave_out "$1 $name"; done \
        < <(sed -n 's/^ok [0-9]* - \([^ :]*\).* # SKIP.*/\1/p' "$log")
    if [ $((ok + bad + skip)) != "${planned:-none}" ]; then
        say "lab on $1: of ${planned:-unknown} scenarios $((ok + bad + skip)) have a result"
        bad=$((bad + 1))
    elif [ "$bad" = 0 ] && [ -e "$log.failed" ]; then
        bad=1
    fi
    passed=$((passed + ok))
    failed=$((failed + bad))
    say "lab on $1: $ok passed, $bad failed"
    sed -n "s/^.*ok [0-9]* - \([^ :]*\).* # time=\([0-9]*\)s.*/\2 $1 \1/p" "$log" >> "$work/scenarios"
}

# run_parts FUNCTION…: runs them in this order, but first those that were skipped the last time.
run_parts() {
    local part
    for part in $(printf '%s\n' "$@" | grep -xFf <(cat "$memory" 2> /dev/null)) "$@"; do
        [[ " $parts " == *" $part "* ]] || "$part"
        parts+=" $part"
    done
}

# The last lines of the run, and its exit status.
summary() {
    if [ "$plan" ]; then
        printf '%5d s  in all\n' "$expected"
        return
    fi
    say "where the time went (pace: $(pace) ‰ of the reference times):"
    printf '%s\n' "${took[@]}" | sort -rn
    [ ! -e "$work/scenarios" ] || sort -rn "$work/scenarios" | sed -n '1,8s/^\([0-9]*\)/          \1 s/p'
    if [ "$parts" ]; then
        mkdir -p "${memory%/*}"
        printf '%s\n' "${left_out[@]}" > "$memory"
    fi
    [ "$skipped" = 0 ] || printf 'not run: %s\n' "${left_out[@]}"
    echo "$passed passed, $failed failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
    [ "$failed" = 0 ] && [ "$passed" != 0 ]
}
