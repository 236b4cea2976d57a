#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# promtool checks the alerts that we ship: their syntax, and that they fire when they should and only then.
set -u
command -v promtool > /dev/null || { echo "promtool is missing"; exit 77; }
data=$(cd "${top_srcdir:-.}" && pwd)
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
cp "$data/data/virt-vgpu-alerts.yml" "$data/tests/data/alerts/tests.yml" "$dir" # rule_files are beside the test
tests=0
failures=0
check()
{
    what=$1
    shift
    tests=$((tests + 1))
    if "$@" > "$dir/said" 2>&1; then
        echo "ok $tests - $what"
    else
        echo "not ok $tests - $what"
        sed 's/^/# /' "$dir/said"
        failures=$((failures + 1))
    fi
}
check "promtool takes the rules" promtool check rules "$dir/virt-vgpu-alerts.yml"
check "they come when they should" promtool test rules "$dir/tests.yml"
check "promtool takes the metrics" sh -c "promtool check metrics < '$data/tests/data/inventory/host.metrics'"
echo "1..$tests"
[ "$failures" -eq 0 ]
