#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# ./run: programs of the build tree, with the helpers and grammars of that tree, from any directory.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session
unset VIRT_VGPU_LIBEXECDIR # run sets it
# shellcheck disable=SC2154 # begin sets it
cd "$root" || exit
# shellcheck disable=SC2154 # and this
run() { "$builddir/run" "$@"; }

version=$("$builddir/virt-vgpu" --version)
check "a program of the tree" says "$(echo "$version" | tr -d ' ')" run virt-vgpu --version
check "it is the program of the tree, not one from PATH" says "$builddir/virt-vgpu" run sh -c 'command -v virt-vgpu'
check "the exit status is the program's" sh -c "'$builddir/run' sh -c 'exit 7'; [ \$? -eq 7 ]"
check "without a program, its usage" fails_with "usage:" run

annotated 1 "NVIDIA A2-4Q"
check "an annotation that the tree's grammar has" run virt-vgpu validate "$root/vm1.xml"
sed 's/profile=/colour=/' "$root/vm1.xml" > "$root/bad.xml"
check "and one that it has not" fails_with "unknown attribute 'colour'" run virt-vgpu validate "$root/bad.xml"
check "a program that runs another one: doctor its driver process" \
    sh -c "'$builddir/run' virt-vgpu --root '$root' doctor --json | grep -q 0000:41:00.0"

FAKE_DRIVER_ROOT=$root ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 "$builddir/run" \
    env LD_PRELOAD="$builddir/tests/fake-driver.so" virtvgpud --root "$root" --bus session \
    --libvirt-uri "test://$root/host.xml" >> "$root/log" 2>&1 &
daemon=$!
check "the daemon finds its helpers" until_true says 0000:41:00.0 run virt-vgpu gpu-list
kill "$daemon"
wait "$daemon"
finish
