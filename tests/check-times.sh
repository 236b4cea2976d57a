#!/bin/sh
# What tests/run-all takes by the reference times of its steps and of the lab's scenarios stays within 40 minutes:
# what does not fit goes to tests/battery, or runs on one release ("# once:").
set -eu
cd "${top_srcdir:-.}"

plan=$(bash tests/run-all --plan)
seconds=$(echo "$plan" | sed -n 's/^ *\([0-9]*\) s  in all$/\1/p')
if [ "$seconds" -lt 600 ] || [ "$seconds" -gt 2400 ]; then
    echo "$plan"
    echo "run-all takes $seconds s, 2400 at most"
    exit 1
fi
for scenario in tests/lab/scenarios/*.sh; do
    grep -q '^# takes: [0-9]*$' "$scenario" || {
        echo "$scenario: no '# takes: SECONDS'"
        exit 1
    }
done
