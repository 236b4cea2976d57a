#!/bin/bash
# crashes
. "$(dirname "$0")/../lib.sh"
sleep 1
echo c > /proc/sysrq-trigger
