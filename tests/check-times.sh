#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# By the reference times of its steps and of the lab's scenarios, tests/run-all takes 40 minutes at most: tests that do
# not fit belong in tests/battery, or run on one release only ("# once:").
set -eu
cd "${top_srcdir:-.}"

plan=$(bash tests/run-all --plan)
seconds=$(echo "$plan" | sed -n 's/^ *\([0-9]*\) s  in all$/\1/p')
if [ "${seconds:-9999}" -gt 2400 ]; then
    echo "$plan"
    echo "run-all takes ${seconds:-an unknown number of} s, 2400 at most"
    exit 1
fi

# check_header NAME VALUES: the header has one of these values in all scenarios
check_header()
{
    name=$1 values=$2
    ! grep -HE "^# $name:" tests/lab/scenarios/*.sh | grep -vE ":# $name: ($values)\$" || {
        echo "a header is wrong; known for '$name': $values"
        exit 1
    }
}
check_header takes '[1-9][0-9]*'
check_header once 'bookworm|trixie|battery'
check_header releases 'bookworm|trixie'
check_header machine 'iommu|fresh|pair'
check_header init 'systemd'
! grep -L '^# takes:' tests/lab/scenarios/*.sh | grep . || {
    echo "these have no '# takes: SECONDS'"
    exit 1
}
