#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The real daemon's GetState: one call reads what the lists have, with a pool's driver image only for those who may
# manage pools.
# shellcheck disable=SC2119 # up has options that are not used here
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
needs gdbus
begin session

# call METHOD [ARGUMENT...]: its result without the tuple around it
call()
{
    method=$1
    shift
    gdbus call --session --dest org.virtvgpu.Manager1 --object-path /org/virtvgpu/Manager1 \
        --method "org.virtvgpu.Manager1.$method" "$@" > "$root/result" || return
    sed 's/^(//; s/,)$//' "$root/result"
}
state_has() { call GetState | grep -F -- "$1"; }
# state_agrees METHOD [ARGUMENT...]: the state has what that method answers
state_agrees() { part=$(call "$@") && [ -n "$part" ] && state_has "$part"; }

mkdir -p "$root/etc/virt-vgpu/pools"
echo "<vgpupool><name>design</name><source><gpu address='0000:41:00.0'/></source>
<driverISO path='/srv/grid.iso'/></vgpupool>" > "$root/etc/virt-vgpu/pools/design.xml"
echo "<node/>" > "$root/host.xml"
annotated 1 A2-4Q
check "the daemon starts" up
check "a pool is started" cli pool-start design
sed "s/<vgpu:device /&pool='design' /" "$root/vm1.xml" > "$root/new.xml" && mv "$root/new.xml" "$root/vm1.xml"
check "a domain has a vGPU of it" prepare 1
check "and one is made by hand" cli create 0000:41:00.0 A2-4Q
check "the state has the vGPUs" state_agrees ListVgpus true
check "the pools" state_agrees ListPools
check "each GPU, with VFs, GPU instances and profiles" state_agrees GetGpu 0000:41:00.0
check "a second one" state_agrees GetGpu "$(cli gpu-list -o address --noheadings | tail -n 1)"
check "the version" state_has "'version': <'$(cli --version | sed 's/.* //')'>"
check "that libvirt is connected" until_true state_has "'libvirt_connected': <true>"
check "and the path of the image for an administrator" state_has "'driver_iso': <'/srv/grid.iso'>"
check "the daemon ends as it should" down
finish
