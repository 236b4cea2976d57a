#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds that nobody makes every day: each option of configure, clang, each program alone in a fresh tree, and the
# compiler's checks with musl's headers. Works in the current directory; top_srcdir is the source, after autogen.sh.
# Usage: check-variants.sh [NAME…]; without one, all
set -u
src=$(cd "${top_srcdir:-.}" && pwd)
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
failed=0

# variant NAME TARGET OPTION…; "check": the check programs, too
variant() {
    local name=$1 target=$2
    shift 2
    [ "$only" = '' ] || [[ " $only " == *" $name "* ]] || return 0
    rm -rf "variant-$name"
    mkdir "variant-$name"
    if (cd "variant-$name" && "$src/configure" -q --enable-werror CFLAGS='-O0 -g0' "$@" &&
        make -s -j2 "$target" TESTS=) > "variant-$name.log" 2>&1; then
        echo "ok - $name"
        rm -rf "variant-$name"
    else
        echo "not ok - $name: configure $*; make $target"
        tail -n 20 "variant-$name.log" | sed 's/^/# /'
        failed=1
    fi
}

only=$*
gcc='ccache gcc'
command -v ccache > /dev/null || gcc=gcc
variant without-iso check CC="$gcc" --without-iso
variant without-systemd check CC="$gcc" --without-systemd
variant without-host-setup all CC="$gcc" --disable-host-setup
variant least all CC="$gcc" --disable-host-setup --without-iso --without-systemd
variant openrc all CC="$gcc" --with-openrc --without-systemd
variant hookdir all CC="$gcc" --with-hookdir=/opt/libvirt/etc/hooks/qemu.d
printf '#!/bin/sh\ncase $* in *cmocka*) exit 1 ;; esac\nexec pkg-config "$@"\n' > no-cmocka
chmod +x no-cmocka
variant without-cmocka all CC="$gcc" PKG_CONFIG="$PWD/no-cmocka"
variant clang check CC="${gcc% gcc} clang"
for program in virt-vgpu virtvgpud virt-vgpu-hook virt-vgpu-driver virt-vgpu-host virt-vgpu-iso; do
    variant "only-$program" "$program" CC="$gcc"
done
# Debian has GLib, libxml2 and libvirt for glibc only, hence no linking. The commands are those of make.
musl() {
    mkdir -p variant-musl && cd variant-musl || return
    "$src/configure" -q --enable-werror --disable-dependency-tracking --without-systemd \
        CC="musl-gcc -idirafter /usr/include -idirafter /usr/include/$(gcc -print-multiarch)" || return
    make -s src/bus/manager1.{c,h} src/iso/guest-resource.{c,h} || return
    make -n all | sed -n 's/^.*\(musl-gcc .*\) -c -o [^ ]* /\1 -fsyntax-only /p' > commands
    [ "$(wc -l < commands)" -gt 150 ] && bash -e commands
}
if [ "$only" = '' ] || [[ " $only " == *" musl "* ]]; then
    if (musl) > variant-musl.log 2>&1; then
        echo "ok - musl"
    else
        echo "not ok - musl: objects, with its headers"
        tail -n 20 variant-musl.log | sed 's/^/# /'
        failed=1
    fi
fi
exit $failed
