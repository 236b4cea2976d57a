#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The SELinux module compiles, gives each installed path its type, and, in a whole policy, allows what the programs
# need and no more. Run by tests/battery; `make check` runs it too and leaves out what lacks its package.
# Usage: check-selinux.sh [POLICY]; POLICY is a binary policy that has the module in it, such as one of Fedora's.
# Without it, Debian's modules are linked with ours if they are there: in /usr/share/selinux/default or
# $VGPU_SELINUX_MODULES (the contents of the package selinux-policy-default).
set -eu
srcdir=${top_srcdir:-.}
devel=/usr/share/selinux/devel/Makefile
modules=${VGPU_SELINUX_MODULES:-/usr/share/selinux/default}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
allowed=0 denied=0
complain()
{
    echo "check-selinux.sh: $*"
    failed=1
}
skip() { echo "check-selinux.sh: $*" && exit 77; }

# --- the whole policy ---------------------------------------------------------------------------
rules()
{
    sesearch "$@" "$policy"
}
# allows SOURCE TARGET CLASS PERMISSIONS
allows()
{
    allowed=$((allowed + 1))
    [ "$(rules -A -s "$1" -t "$2" -c "$3" -p "$4")" ] || complain "not allowed: $1 $2:$3 { $4 }"
}
# denies SOURCE TARGET CLASS PERMISSIONS, which only a permission of that source itself would give
denies()
{
    denied=$((denied + 1))
    [ -z "$(rules -A -s "$1" -t "$2" -c "$3" -p "$4")" ] || complain "allowed: $1 $2:$3 { $4 }"
}
enters()
{
    rules -T -s "$1" -t "$2" -c process | grep -q " $3;" || complain "$1 that runs $2 does not become $3"
    allows "$1" "$3" process transition
    allows "$3" "$2" file entrypoint
}
has_type() { seinfo -t "$1" "$policy" 2> /dev/null | grep -q "^ *$1$"; }

check_rules()
{
    for daemon in virtd_t virtqemud_t; do
        has_type "$daemon" || { echo "check-selinux.sh: this policy has no $daemon" && continue; }
        enters "$daemon" virt_vgpu_hook_exec_t virt_vgpu_hook_t
        allows virt_vgpu_hook_t "$daemon" fifo_file read
        allows virt_vgpu_hook_t "$daemon" fifo_file write
        allows "$daemon" virt_vgpu_hook_exec_t file execute
    done
    if has_type virt_hook_t; then allows virtqemud_t virt_hook_t lnk_file read; fi
    allows virt_vgpu_hook_t virtvgpud_t unix_stream_socket connectto
    allows virt_vgpu_hook_t virtvgpud_var_run_t sock_file write
    denies virt_vgpu_hook_t virtvgpud_var_run_t file write
    denies virt_vgpu_hook_t system_dbusd_t unix_stream_socket connectto
    denies virt_vgpu_hook_t sysfs_t file write

    enters init_t virtvgpud_exec_t virtvgpud_t
    allows init_t virtvgpud_t process2 nnp_transition
    allows init_t virtvgpud_t unix_stream_socket create
    allows init_t virtvgpud_var_run_t sock_file create
    enters virtvgpud_t virt_vgpu_driver_exec_t virt_vgpu_driver_t
    allows virtvgpud_t virt_vgpu_driver_t process2 nnp_transition
    allows virtvgpud_t virtd_t unix_stream_socket connectto
    if has_type virtqemud_t; then allows virtvgpud_t virtqemud_t unix_stream_socket connectto; fi
    allows virtvgpud_t system_dbusd_t dbus acquire_svc
    allows virtvgpud_t policykit_t dbus send_msg
    allows virtvgpud_t kmsg_device_t chr_file read
    allows virtvgpud_t init_t system start
    allows virtvgpud_t init_t unix_dgram_socket sendto
    allows virtvgpud_t syslogd_t unix_dgram_socket sendto
    allows virtvgpud_t var_run_t dir watch
    allows virtvgpud_t virtvgpud_pools_t file create
    allows unconfined_t virtvgpud_t dbus send_msg
    allows virtvgpud_t unconfined_t dbus send_msg
    denies virtvgpud_t sysfs_t file write
    denies virtvgpud_t vfio_device_t chr_file open
    denies virtvgpud_t virtvgpud_etc_t file write
    denies virtvgpud_t shadow_t file read

    allows virt_vgpu_driver_t sysfs_t file write
    allows virt_vgpu_driver_t vfio_device_t chr_file open
    allows virt_vgpu_driver_t svirt_image_t chr_file open
    allows virt_vgpu_driver_t virtvgpud_t unix_stream_socket read
    allows virt_vgpu_driver_t virtvgpud_var_run_t file unlink
    denies virt_vgpu_driver_t system_dbusd_t unix_stream_socket connectto
    denies virt_vgpu_driver_t virtd_t unix_stream_socket connectto
    denies virt_vgpu_driver_t virtvgpud_var_lib_t file open
    for domain in virtvgpud_t virt_vgpu_driver_t virt_vgpu_hook_t; do
        ! seinfo --permissive "$policy" | grep -q " $domain$" || complain "$domain is permissive"
    done
}

if [ $# -gt 0 ]; then
    policy=$1
    check_rules
    [ "$failed" = 0 ] && echo "check-selinux.sh: $allowed accesses are allowed, $denied are not"
    exit "$failed"
fi

# --- the module -----------------------------------------------------------------------------------
[ -e "$devel" ] || skip "$devel is missing: selinux-policy-dev or selinux-policy-devel"
cp "$srcdir"/data/selinux/virt_vgpu.* "$tmp/"
# Its own make: that of `make check -j` has a job server that is not for it.
env -u MAKEFLAGS -u MFLAGS make -C "$tmp" -f "$devel" virt_vgpu.pp > "$tmp/log" 2>&1 || { cat "$tmp/log" && exit 1; }
! grep -iE 'warning|deprecated|error' "$tmp/log" || complain "the module compiles with warnings"

# --- the types of files ---------------------------------------------------------------------------
if command -v semodule_unpackage > /dev/null && command -v matchpathcon > /dev/null; then
    semodule_unpackage "$tmp/virt_vgpu.pp" "$tmp/mod" "$tmp/fc"
    # is PATH KIND TYPE
    is()
    {
        found=$(matchpathcon -f "$tmp/fc" -n -m "$2" "$1" 2> /dev/null) || found=
        [ "$found" = "$3" ] || [ "${found#*:*:}" = "$3:s0" ] || complain "$1 has $found, not $3"
    }
    is /usr/sbin/virtvgpud file virtvgpud_exec_t
    is /usr/bin/virtvgpud file virtvgpud_exec_t # as Fedora 42 looks it up
    is /usr/sbin/virt-vgpu-hook file virt_vgpu_hook_exec_t
    is /usr/libexec/virt-vgpu-driver file virt_vgpu_driver_exec_t
    is /etc/virt-vgpu dir virtvgpud_etc_t
    is /etc/virt-vgpu/host.xml file virtvgpud_etc_t
    is /etc/virt-vgpu/pools dir virtvgpud_pools_t
    is /etc/virt-vgpu/pools/autostart/design symlink virtvgpud_pools_t
    is /var/lib/virt-vgpu/cordons file virtvgpud_var_lib_t
    is /run/virt-vgpu/hook.sock socket virtvgpud_var_run_t
    is /run/virt-vgpu/claims dir virtvgpud_var_run_t
    # the command, and programs that run in units of their own
    for path in bin/virt-vgpu libexec/virt-vgpu-host libexec/virt-vgpu-iso libexec/virt-vgpu-metadata; do
        is "/usr/$path" file "<<none>>"
    done
    # what a path of names.h begins with
    sed -n 's|^#define VGPU_PATH_[A-Z_]* "\([^/"]*\(/lib\)*/virt-vgpu\)[/"].*|/\1|p' "$srcdir/src/base/names.h" | sort -u > "$tmp/paths"
    [ -s "$tmp/paths" ] || complain "src/base/names.h: no paths found"
    while read -r path; do
        matchpathcon -f "$tmp/fc" -n -m dir "$path" > /dev/null 2>&1 || complain "$path has no type"
    done < "$tmp/paths"
else
    echo "check-selinux.sh: types of files not checked: semodule-utils, selinux-utils"
fi

# --- linked with Debian's modules -------------------------------------------------------------------
pp=/usr/libexec/selinux/hll/pp
[ -e "$pp" ] || pp=/usr/lib/selinux/hll/pp
if [ -e "$modules/base.pp.bz2" ] && [ -e "$pp" ] && command -v secilc > /dev/null && command -v sesearch > /dev/null; then
    mkdir "$tmp/cil"
    for module in "$modules"/*.pp.bz2; do
        name=$(basename "$module" .pp.bz2)
        bunzip2 -c "$module" | "$pp" > "$tmp/cil/$name.cil"
    done
    "$pp" "$tmp/virt_vgpu.pp" > "$tmp/cil/virt_vgpu.cil"
    policy=$tmp/policy
    secilc -M true -o "$policy" -f "$tmp/contexts" "$tmp"/cil/*.cil > "$tmp/log" 2>&1 ||
        { tail -n 20 "$tmp/log" && complain "the module cannot be linked with Debian's" && exit 1; }
    check_rules
    linked=", linked with Debian's policy: $allowed accesses are allowed, $denied are not"
else
    echo "check-selinux.sh: not linked: selinux-policy-default, policycoreutils, secilc, setools"
    linked=''
fi
[ "$failed" = 0 ] && echo "check-selinux.sh: compiled$linked"
exit "$failed"
