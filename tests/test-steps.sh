#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The budget of tests/run-all: steps that would not end in time are not started, are listed, and come first the next time.
set -u
srcdir=$(cd "${top_srcdir:-.}" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tests=0 failures=0

# run BUDGET [OPTION]: two steps on a machine that is half as fast as the reference.
run() {
    VIRT_VGPU_LAB_CACHE=$dir bash -c '
        . "$1/tests/steps.sh"
        [ -z "${3:-}" ] || take_options "$3"
        budget=$2 spent=200 expected=100
        units() { step "the units" 10 true; }
        lint() { step "the lint" 400 "${LINT:-true}"; }
        run_parts units lint
        summary' - "$srcdir" "$@" > "$dir/out" 2>&1
}

# lab TAP: counts the results of a lab, after one step that has passed.
lab() {
    VIRT_VGPU_LAB_CACHE=$dir bash -c '
        . "$1/tests/steps.sh"
        passed=1
        printf %b "$2" > "$work/lab-x"
        count_lab x
        summary' - "$srcdir" "$1" > "$dir/out" 2>&1
}

check() { # WHAT COMMAND...
    local what=$1
    shift
    tests=$((tests + 1))
    if "$@" > /dev/null; then
        echo "ok $tests - $what"
    else
        echo "not ok $tests - $what"
        sed 's/^/# /' "$dir/out"
        failures=$((failures + 1))
    fi
}

not() { ! "$@"; }
says() { grep -qx -- "$1" "$dir/out"; }
order() { [ "$(sed -n 's/.*\] \(the [a-z]*\) …$/\1/p' "$dir/out" | paste -sd,)" = "$1" ]; }

check "a run without a budget" run 0
check "does all" says "2 passed, 0 failed"
check "in order" order "the units,the lint"
check "one that is too short for a step" run 500
check "does the other" order "the units"
check "counts skipped steps" says "1 passed, 0 failed, 1 skipped"
check "and names it" says "not run: lint"
check "the next one" run 0
check "begins with it" order "the lint,the units"
check "and forgets it" run 0
check "in order again" order "the units,the lint"
check "at the pace of this machine" run 801
check "which fits just so" says "2 passed, 0 failed"
export LINT=false
check "a step that fails" not run 0
unset LINT
check "is counted" says "1 passed, 1 failed"
check "a plan" run 0 --plan
check "runs nothing" order ""
check "and adds up" says "  510 s  in all"

ok='ok 1 - 10-one: one # time=5s\n' skip='ok 2 - 11-two: two # SKIP no time left\n'
check "a lab that ran all" lab "1..1\n$ok"
check "is counted" says "2 passed, 0 failed"
check "one that had no time for some" lab "1..2\n$ok$skip"
check "names them" says "not run: x 11-two"
check "one that had no time for any has not failed" lab "1..1\n${skip/2/1}"
check "one with a failure" not lab "1..1\nnot $ok"
check "fails" says "1 passed, 1 failed"
check "one that died in the middle" not lab "1..3\n$ok$skip"
check "has failed" says "2 passed, 1 failed, 1 skipped"
check "one that never came up" not lab ""
check "has failed, too" says "1 passed, 1 failed"

echo "1..$tests"
[ "$failures" -eq 0 ]
