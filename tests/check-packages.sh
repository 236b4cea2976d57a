#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The packages: the .deb is built and lintian has nothing to say, it has what make install installs, and so has the spec
# file. Run in a build directory by tests/battery, not by make check: it takes minutes.
# Usage: check-packages.sh [DIRECTORY]; DIRECTORY has what `make deb` has built.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
complain()
{
    echo "check-packages.sh: $*"
    failed=1
}
for tool in dh dpkg-buildpackage lintian rpmspec; do
    command -v "$tool" > /dev/null || { echo "check-packages.sh: $tool is missing" && exit 77; }
done

[ $# -gt 0 ] || make deb
dir=$(cd "${1:-deb}" && pwd)
deb=$(echo "$dir"/virt-vgpu_*.deb)
page=$(echo "$dir"/cockpit-virt-vgpu_*.deb)
[ -f "$deb" ] || { echo "check-packages.sh: no package in $dir" && exit 1; }
[ -f "$page" ] || { echo "check-packages.sh: no package of the page in Cockpit, which has not been built" && page=''; }

# --- lintian: the source package, too, which is what distributions take ------------------------
mkdir "$tmp/source"
cp "$dir"/*.orig.tar.xz "$tmp/source/"
(cd "$tmp/source" && tar -xf ./*.orig.tar.xz && dpkg-source -b virt-vgpu-*/) > "$tmp/log" 2>&1 ||
    { cat "$tmp/log" && complain "dpkg-source fails"; }
lintian --allow-root --display-info --fail-on info,warning,error "$dir"/*.changes "$tmp"/source/*.dsc ||
    complain "lintian complains"

# --- files ------------------------------------------------------------------------------------
# Without directories; /lib is a link to /usr/lib, and Debian compresses pages.
files() { sed -E '/\/$/d; s|^\./||; s|^lib/|usr/lib/|; s|(/man/.*)\.gz$|\1|' | LC_ALL=C sort; }

make -s install DESTDIR="$tmp/root" prefix=/usr sysconfdir=/etc > "$tmp/log" 2>&1 ||
    { cat "$tmp/log" && complain "make install fails" && exit 1; }
(cd "$tmp/root" && find . ! -type d) | files > "$tmp/installed"
for package in "$deb" $page; do dpkg-deb --fsys-tarfile "$package" | tar -t; done | files > "$tmp/all"
# what only the package has
own='^usr/share/(doc/(cockpit-)?virt-vgpu/(README\.md|changelog(\.Debian)?\.gz|copyright)|lintian/overrides/(cockpit-)?virt-vgpu)$'
grep -vE "$own" "$tmp/all" > "$tmp/packaged"
diff "$tmp/installed" "$tmp/packaged" > "$tmp/diff" ||
    complain "files of make install (<) and of the .deb (>) differ:
$(grep '^[<>]' "$tmp/diff")"

# Debian's rpm has no macros of systemd's.
rpmspec -P -D '_unitdir /usr/lib/systemd/system' -D '_pkgdocdir /usr/share/doc/virt-vgpu' -D '_prefix /usr' \
    -D '_sysconfdir /etc' -D '_libexecdir /usr/libexec' virt-vgpu.spec > "$tmp/spec" 2> "$tmp/log" ||
    { cat "$tmp/log" && complain "rpmspec fails" && exit 1; }
! sed '/^%changelog/,$d' "$tmp/spec" | grep -E '%\{|@[A-Z]+@' || complain "virt-vgpu.spec: these are not expanded"
grep -qx "Version: *$(dpkg-deb -f "$deb" Version | sed 's/-[^-]*$//')" "$tmp/spec" ||
    complain "virt-vgpu.spec is of another version than the .deb"
sed -n '/^%files$/,/^%changelog$/s/^\(%doc \)\{0,1\}\/\(.*\)/\2/p' "$tmp/spec" |
    if [ "$page" ]; then cat; else grep -v /cockpit/; fi > "$tmp/listed"
: > "$tmp/covered"
while read -r pattern; do
    case $pattern in
        */) pattern="$pattern*" ;;
    esac
    found=''
    while read -r file; do
        # shellcheck disable=SC2254 # a pattern
        case $file in
            $pattern) found=1 && echo "$file" >> "$tmp/covered" ;;
        esac
    done < "$tmp/packaged"
    [ "$found" ] || complain "virt-vgpu.spec lists /$pattern, which the .deb has not"
done < "$tmp/listed"
LC_ALL=C sort "$tmp/covered" | diff "$tmp/packaged" - > "$tmp/diff" ||
    complain "files of the .deb (<) and of virt-vgpu.spec (>) differ:
$(grep '^[<>]' "$tmp/diff")"

[ "$failed" = 0 ] && echo "check-packages.sh: $(wc -l < "$tmp/packaged") files, as make install and virt-vgpu.spec have them"
exit "$failed"
