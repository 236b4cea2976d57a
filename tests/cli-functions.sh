# shellcheck shell=sh disable=SC2034,SC2154
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by the tests of virt-vgpu's command line. Needs absolute paths in $builddir and $tmp.

tests=0 failures=0
# the programs that virt-vgpu runs
export VIRT_VGPU_LIBEXECDIR="$builddir"

verdict() # STATUS WHAT
{
    tests=$((tests + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $tests - $2"
    else
        echo "not ok $tests - $2"
        sed 's/^/# /' "$tmp/out" "$tmp/err"
        failures=$((failures + 1))
    fi
}

# cli EXIT ARGUMENT...: run it and check its exit status; its output is in $tmp/out and $tmp/err.
cli()
{
    want=$1
    shift
    "$builddir/virt-vgpu" "$@" > "$tmp/out" 2> "$tmp/err" < "${stdin:-/dev/null}"
    got=$?
    [ "$got" -eq "$want" ]
    verdict $? "virt-vgpu $*: exit status $want, got $got"
}

out() # TEXT...: each is on stdout
{
    for text; do
        grep -qF -- "$text" "$tmp/out"
        verdict $? "prints: $text"
    done
}

err() # TEXT is in the line of stderr that begins with "virt-vgpu: "
{
    grep "^virt-vgpu: " "$tmp/err" | grep -qF -- "$1"
    verdict $? "reports: $1"
}

json() # TEXT...: each is in the JSON on stdout, ignoring blanks
{
    tr -d ' \n' < "$tmp/out" > "$tmp/json"
    for text; do
        grep -qF -- "$text" "$tmp/json"
        verdict $? "JSON has: $text"
    done
}

silent() # nothing on stderr
{
    [ ! -s "$tmp/err" ]
    verdict $? "prints nothing on stderr"
}

narrow()
{
    [ "$(wc -L < "$tmp/out")" -le 80 ]
    verdict $? "fits 80 columns"
}

# until_true COMMAND...: true within ten seconds
until_true()
{
    for _ in $(seq 100); do
        "$@" && return 0
        sleep 0.1
    done
    return 1
}

# start_manager: the fake daemon, its pid in $manager
start_manager()
{
    "$builddir/tests/fake-manager" > "$tmp/manager" 2>&1 &
    manager=$!
    until_true "$builddir/virt-vgpu" list > /dev/null 2>&1 && return
    cat "$tmp/manager"
    echo "Bail out! the fake daemon does not answer"
    exit 1
}
