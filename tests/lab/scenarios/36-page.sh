#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# In the page in Cockpit a VM gets a vGPU, which is there while the VM runs
# takes: 300
# once: battery
# releases: bookworm
# init: systemd
# timeout: 1500
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

page=/var/cache/virt-vgpu-lab/page/bookworm
for needed in $page/made /lab/src/cockpit/node_modules /lab/src/cockpit/dist; do
    [ -e "$needed" ] || fail "$needed is missing: run npm ci and npm run build in cockpit/, and then tests/page/run"
done

define web
mkdir -m 755 /tmp/page
PAGE_BUS=system PAGE_ROOT=$page PAGE_WORK=/tmp/page PAGE_PATIENCE=240000 PAGE_PICTURES=/lab/work/logs PAGE_VM=web \
    TMPDIR=/tmp/page node --test-reporter=tap --test /lab/src/tests/page/guest.mjs
wait_for 20 nothing_left
