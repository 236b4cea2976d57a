#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The systemd units load, are sandboxed, and are not ordered against libvirt's sockets.
set -eu
srcdir=${top_srcdir:-.}
builddir=${builddir:-.}

# libvirtd.socket accepts connections while libvirtd waits for us: ordered before the socket, both would wait for ever.
if grep -HnE '^(Before|After|Requires|Wants|BindsTo)=.*(libvirtd|virtqemud)[a-z-]*\.socket' \
    "$srcdir"/data/*.service.in "$srcdir"/data/*.socket; then
    echo "virt-vgpu may be ordered against libvirtd.service and virtqemud.service only"
    exit 1
fi
for unit in virtvgpud.service.in virtvgpud.socket; do
    if ! grep -q '^Before=libvirtd.service virtqemud.service$' "$srcdir/data/$unit"; then
        echo "$unit: must be ready before libvirtd.service and virtqemud.service"
        exit 1
    fi
done
for unit in virtvgpud virt-vgpu-host; do
    if ! grep -q '^RuntimeDirectoryPreserve=yes$' "$srcdir/data/$unit.service.in"; then
        echo "$unit.service.in: without RuntimeDirectoryPreserve=yes a stop deletes the claims"
        exit 1
    fi
done
if ! grep -q '^ReadWritePaths=.*/etc/virt-vgpu/pools' "$srcdir/data/virtvgpud.service.in"; then
    echo "virtvgpud.service.in: pools cannot be defined, as /etc is read-only"
    exit 1
fi
for limit in MemoryMax TasksMax; do
    if ! grep -q "^$limit=[0-9]" "$srcdir/data/virtvgpud.service.in"; then
        echo "virtvgpud.service.in: without $limit= its callers could take the host's memory"
        exit 1
    fi
done
# The bus starts the unit, and nothing else, for a caller of the name that the daemon takes.
activation=$srcdir/data/org.virtvgpu.Manager1.service
name=$(sed -nE 's/^#define VGPU_DBUS_NAME "(.*)"/\1/p' "$srcdir/src/base/names.h")
for line in "Name=$name" User=root Exec=/bin/false SystemdService=virtvgpud.service; do
    if ! grep -qx "$line" "$activation"; then
        echo "$activation: $line is missing"
        exit 1
    fi
done
unit=virt-vgpu-host.service.in
if ! grep -q '^Before=virtvgpud.service libvirtd.service virtqemud.service$' "$srcdir/data/$unit"; then
    echo "$unit: must be ordered before everything that starts domains"
    exit 1
fi
if grep -HnE '^(Requires|BindsTo|Requisite)=.*virt-vgpu-host' "$srcdir"/data/*.service.in \
    "$srcdir"/data/*.socket; then
    echo "a GPU that cannot be set up must not keep anything else from starting"
    exit 1
fi
# Domains start whether the agent of the fleet runs or not, and only its unit has a network, but no /sys.
unit=virt-vgpu-fleet.service.in
if grep -HnE '^(Requires|BindsTo|Requisite|Wants|After|Before)=.*virt-vgpu-fleet' "$srcdir"/data/*.service.in \
    "$srcdir"/data/*.socket || grep -nE '^(Requires|BindsTo|Requisite|Before)=' "$srcdir/data/$unit"; then
    echo "nothing waits for the agent of the fleet"
    exit 1
fi
for line in User=virt-vgpu-fleet CapabilityBoundingSet= InaccessiblePaths=/sys; do
    if ! grep -qx "$line" "$srcdir/data/$unit"; then
        echo "$unit: $line is missing"
        exit 1
    fi
done
if ! grep -q '^u virt-vgpu-fleet - ' "$srcdir/data/sysusers/virt-vgpu-fleet.conf"; then
    echo "virt-vgpu-fleet.conf: the user of $unit is missing"
    exit 1
fi
if ! grep -qx PrivateNetwork=yes "$srcdir/data/virtvgpud.service.in"; then
    echo "virtvgpud.service.in: only the agent of the fleet has a network"
    exit 1
fi
if [ ! -e "$builddir/data/virtvgpud.service" ]; then
    echo "configured without systemd: the units are not installed"
    exit 77
fi
if grep -n '@[a-z_]*@' "$builddir/data/virtvgpud.service" "$builddir/data/virt-vgpu-host.service" \
    "$builddir/data/virt-vgpu-fleet.service"; then
    echo "not substituted"
    exit 1
fi

if ! command -v systemd-analyze > /dev/null; then
    echo "systemd-analyze is not installed"
    exit 77
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cp "$srcdir/data/virtvgpud.socket" "$tmp/"
# systemd-analyze verify needs an existing program, any one
for unit in virtvgpud virt-vgpu-host virt-vgpu-fleet; do
    sed 's|^ExecStart=.*|ExecStart=/bin/true|' "$builddir/data/$unit.service" > "$tmp/$unit.service"
done
systemd-analyze verify --man=no "$tmp/virtvgpud.service" "$tmp/virtvgpud.socket" \
    "$tmp/virt-vgpu-host.service" "$tmp/virt-vgpu-fleet.service" > "$tmp/out" 2>&1 || {
    cat "$tmp/out"
    exit 1
}
# It succeeds even if it reports a misspelt key. Ignore messages about foreign units.
if grep -E '(virtvgpud|virt-vgpu-host|virt-vgpu-fleet)\.' "$tmp/out"; then
    exit 1
fi
# In tenths: 2.5 or better.
for unit in virtvgpud virt-vgpu-host virt-vgpu-fleet; do
    systemd-analyze security --no-pager --offline=true --threshold=25 "$tmp/$unit.service" \
        > "$tmp/out" 2>&1 || {
        cat "$tmp/out"
        exit 1
    }
    tail -n 1 "$tmp/out"
done
