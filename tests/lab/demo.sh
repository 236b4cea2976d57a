#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The demonstration of `tests/demo`, inside the lab's guest.
# shellcheck source=SCRIPTDIR/vgpu.sh
. "$(dirname "$0")/vgpu.sh"

title() { printf '\n\033[1m── %s\033[0m\n' "$*"; }
show() {
  printf '\n# %s\n' "$*"
  "$@"
}

is_told() { virt-vgpu gpu-list --json | grep -q '"pci_0000_41_00_0"'; }
wait_for 30 is_told # libvirt has only just come up

title "The host: faked boards that a real kernel drives, and what libvirt calls them"
show virt-vgpu gpu-list
show virt-vgpu profile-list 0000:41:00.0

title "A domain, as virsh, virt-manager or Terraform would define it; then one line of annotation"
domain_xml cad1 --graphics > /run/cad1.xml
show virsh define /run/cad1.xml
show virt-vgpu annotate cad1 --profile "NVIDIA A2-4Q"
wait_for 10 is_injected cad1
show virsh metadata cad1 urn:virt-vgpu:domain:1
show virt-vgpu explain cad1

title "It starts like any other domain"
show virsh start cad1
show virsh dumpxml cad1 --xpath "//hostdev"
show virt-vgpu list --wide
show ls -l /sys/bus/mdev/devices

title "It stops, and nothing is left"
show virsh destroy cad1
wait_for 10 nothing_left
show virt-vgpu list
show find /sys/bus/mdev/devices /run/virt-vgpu/claims -mindepth 1
echo
echo "The main job works: the vGPU came with the domain and went with it."
