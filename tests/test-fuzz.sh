#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each fuzz target with its initial corpus, and with inputs that once made it fail: tests/fuzz/corpus/TARGET.
set -u
builddir=$(cd "${builddir:-.}" && pwd)
top_srcdir=$(cd "${top_srcdir:-.}" && pwd)
export top_srcdir G_SLICE=always-malloc # to find leaked slices
replay=$builddir/tests/fuzz/replay
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tests=0 failures=0

for target in $("$replay" --list); do
    tests=$((tests + 1))
    if "$top_srcdir/tests/fuzz/seed.sh" "$target" "$work/$target" > "$work/out" 2>&1 &&
        "$replay" "$target" "$work/$target" >> "$work/out" 2>&1; then
        echo "ok $tests - $target: $(tail -n 1 "$work/out")"
    else
        echo "not ok $tests - $target"
        sed 's/^/# /' "$work/out"
        failures=$((failures + 1))
    fi
done
echo "1..$tests"
[ "$failures" -eq 0 ]
