#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# virtvgpud has no code that opens /sys or /dev, so that it cannot enter a driver: only programs that it starts have.
# And only virt-vgpu-iso has the code that writes images.
set -u
builddir=${builddir:-.}

# has PROGRAM NAME: a function of that name, or of a name that begins so
has() { nm "$builddir/$1" | grep -q "^[0-9a-f]* [Tt] $2"; }
lacks() { ! has "$1" "$2"; }
n=0 failures=0
check()
{
    n=$((n + 1))
    what=$1
    shift
    if "$@"; then
        echo "ok $n - $what"
    else
        echo "not ok $n - $what"
        failures=$((failures + 1))
    fi
}
check "the programs have symbols" has virtvgpud vgpu_manager_new
for name in vgpu_sysfs_ 'vgpu_discovery_run$' vgpu_scan vgpu_vfio_ mdev_create; do
    check "virt-vgpu-driver has $name" has virt-vgpu-driver "$name"
    check "virtvgpud has not" lacks virtvgpud "$name"
done
# one is started for each removal, and loading GIO with its libraries takes as long as everything else
links() { readelf -d "$builddir/$1" | grep -q "NEEDED.*$2"; }
links_not() { ! links "$1" "$2"; }
check "virt-vgpu-driver links GLib" links virt-vgpu-driver libglib-2.0
check "and not GIO" links_not virt-vgpu-driver libgio-2.0
check "virt-vgpu-iso links libisofs" links virt-vgpu-iso libisofs
for program in virtvgpud virt-vgpu virt-vgpu-hook virt-vgpu-host virt-vgpu-driver virt-vgpu-metadata; do
    check "$program does not" links_not $program libisofs
done
echo "1..$n"
[ "$failures" -eq 0 ]
