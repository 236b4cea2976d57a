#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes the pictures of terminals from their transcripts.
# Usage: pictures.sh [DIR]: into DIR, by default beside the transcripts
#
# main-job.txt: steps 7 to 9 of ../first-vgpu-vm.md, which the lab runs and compares with the page
# (tests/lab/scenarios/32-first-page.sh).
# explain.txt: virt-vgpu, virtvgpud and the hook on a tree of tests/make-tree (an A2 and an M10) with libvirt's test
# driver. Domain vm1 runs with a vGPU, vm2 asks for one of another size.
set -eu
from=$(cd "$(dirname "$0")" && pwd)
to=${1:-$from}

picture()
{
    LC_ALL=C awk -v title="$2" -f "$from/terminal-svg.awk" "$from/$1.txt" > "$to/$1.svg"
}

picture main-job "A domain is annotated and gets its vGPU when it starts; the vGPU is gone after it stops"
picture explain "virt-vgpu explain says for each GPU why a domain cannot start"
