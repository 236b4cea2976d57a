#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The scripts for OpenRC parse, start the programs that the units start, and have the same order: before libvirt,
# after the vendor's daemons.
set -eu
srcdir=${top_srcdir:-.}
builddir=${builddir:-.}
failed=0
complain()
{
    echo "check-openrc.sh: $*"
    failed=1
}

# words NAME VERB: what depend() has after that verb
words() { sed -n '/^depend() {$/,/^}$/s/^ *'"$2"' //p' "$srcdir/data/openrc/$1.in" | tr ' ' '\n' | sort; }
# names UNIT KEY: the services of that key, by OpenRC's names
names()
{
    sed -n "s/^$2=//p" "$srcdir/data/$1.service.in" | tr ' ' '\n' | grep '\.service$' |
        sed -e 's/\.service$//' -e '/^modprobe@/d' -e 's/^systemd-modules-load$/modules/' | sort -u
}
# The names that match PATTERN are only in one of the two.
same() # SCRIPT VERB KEY PATTERN
{
    words "$1" "$2" | grep -vx "$4" > "$tmp/script"
    names "$1" "$3" | grep -vx "$4" > "$tmp/unit"
    diff "$tmp/unit" "$tmp/script" > "$tmp/diff" ||
        complain "$1: $3= of the unit (<) and '$2' of the script (>) differ:
$(grep '^[<>]' "$tmp/diff")"
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

for script in virtvgpud virt-vgpu-host; do
    file=$srcdir/data/openrc/$script.in
    [ "$(head -n 1 "$file")" = '#!/sbin/openrc-run' ] || complain "$script: not a script of openrc-run"
    sh -n "$file" || complain "$script does not parse"
    program=$(sed -n 's/^command="\(.*\)"$/\1/p' "$file")
    arguments=$(sed -n 's/^command_args="\(.*\)"$/ \1/p' "$file")
    grep -qx "ExecStart=$program$arguments" "$srcdir/data/$script.service.in" ||
        complain "$script starts '$program$arguments', the unit does not"
    same "$script" before Before ''
    # Both sides name the bus and modules differently; virt-vgpu-host has 'before virtvgpud' where the units do.
    same "$script" after After 'dbus\|modules\|virt-vgpu-host'
    # For the units systemd makes it.
    grep -q 'checkpath .*/run/virt-vgpu' "$file" || complain "$script: /run/virt-vgpu is not made"
    ! grep -q 'stop_pre\|killall\|pkill' "$file" || complain "$script: a stop must leave GPUs and guests alone"
    if grep '@[a-z]*@' "$builddir/data/openrc/$script" 2> /dev/null; then complain "$script: not substituted"; fi
done
words virtvgpud use | grep -qx dbus || complain "virtvgpud: the bus is not started"
grep -q '^RuntimeDirectory=' "$srcdir/data/virtvgpud.service.in" || complain "virtvgpud.service.in: no RuntimeDirectory="

if command -v shellcheck > /dev/null; then
    # openrc-run reads the variables (SC2034), and is not a shell that shellcheck knows (SC1008, SC2239)
    for script in virtvgpud virt-vgpu-host; do
        shellcheck --shell=dash -e SC2034,SC1008,SC2239 "$srcdir/data/openrc/$script.in" || failed=1
    done
else
    echo "check-openrc.sh: not checked: shellcheck"
fi
[ "$failed" = 0 ] && echo "check-openrc.sh: the scripts for OpenRC are like the units"
exit "$failed"
