#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The host that the page shows: a made tree, a message bus of its own that all users may use, and the daemon. Reads
# commands of tests/functions.sh and of this file, one a line, and answers each with "= STATUS". In it, domains vm1 to vm3 run,
# vm4 to vm6 are off, and vm6 has no annotation.
# shellcheck disable=SC2119,SC2317 # called by what is read
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:?}/tests/functions.sh"
begin none
work=${PAGE_WORK:?}
bus=session log=$work/log
export VIRT_VGPU_BUS=session DBUS_SESSION_BUS_ADDRESS="unix:path=$work/bus" FAKE_HOST_DIR="$work/fake-host"
# shellcheck disable=SC2034 # for start_daemon: a libvirt whose domains can be changed, and which says so
preload=$builddir/tests/flaky-libvirt.so
: > "$root/calls"
a2=0000:41:00.0

cat > "$work/bus.conf" << CONF
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>$DBUS_SESSION_BUS_ADDRESS</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
CONF
dbus-daemon --config-file="$work/bus.conf" --nofork > "$work/bus.log" 2>&1 &

does() { cat > "$FAKE_HOST_DIR/$1"; } # VERB: what virt-vgpu-host does for it
mkdir "$FAKE_HOST_DIR"
does stats << SH
echo "([{'gpu': <'$a2'>, 'temperature_c': <uint32 41>, 'power_w': <uint32 33>, 'gpu_util': <uint32 17>,
    'health': <'ok'>, 'driver_version': <'550.90.05'>}],
  [{'gpu': <'$a2'>, 'vm_uuid': <'$(domain_uuid 1)'>, 'framebuffer_mib': <uint32 4096>,
    'framebuffer_used_mib': <uint32 1210>, 'gpu_utilization': <uint32 37>, 'license_state': <'licensed'>,
    'license_expiry': <'2027-01-31T12:00:00Z'>}])"
SH
does scheduler << SH
[ "\$2" = $a2 ] || { echo "no scheduler" >&2; exit 1; }
[ \$# -lt 3 ] || echo "\$3" | sed 's/policy=//' > "$FAKE_HOST_DIR/policy"
echo "{'policy': <'\$(cat "$FAKE_HOST_DIR/policy" 2> /dev/null || echo best-effort)'>,
    'supported': <['best-effort', 'equal-share', 'fixed-share']>}"
SH
does mig-profiles << SH
[ "\$2" = $a2 ] || { echo "no MIG" >&2; exit 1; }
echo "[{'mode': <'on'>, 'profile': <'1g.5gb'>, 'id': <uint32 19>, 'free': <uint32 2>, 'total': <uint32 7>},
    {'mode': <'on'>, 'profile': <'2g.10gb'>, 'id': <uint32 14>, 'free': <uint32 1>, 'total': <uint32 3>}]"
SH
does mig-list << SH
[ "\$2" = $a2 ] || { echo "no MIG" >&2; exit 1; }
echo "[{'mode': <'on'>, 'gi': <uint32 1>, 'profile': <'2g.10gb'>, 'start': <uint32 0>, 'size': <uint32 2>}]"
SH
does mig-apply << SH
echo "GPU \$2: reset required" >&2
exit 1
SH
does enable << SH
echo "{'address': <'\$2'>, 'vfs_total': <uint32 16>, 'vfs_enabled': <uint32 16>}"
SH
does disable << SH
echo "GPU \$2: a process has it open" >&2
exit 1
SH

{
    echo '<node>'
    for n in 1 2 3 4 5; do
        annotated "$n" A2-4Q
        if [ "$n" -gt 3 ]; then switched_off "$n"; else cat "$root/vm$n.xml"; fi
    done
    domain_xml 6 > "$root/vm6.xml"
    switched_off 6
    echo '</node>'
} > "$root/host.xml"
switched_off 5 > "$root/vm5.off"

# many: a thousand more domains that are off, in place of those above
many()
{
    n=100
    echo '<node>' > "$root/host.xml"
    while [ "$n" -lt 1100 ]; do
        n=$((n + 1))
        sed "s/vm5</vm$n</; s/<uuid>aaaaaaaa.*<\/uuid>/<uuid>$(domain_uuid "$n")<\/uuid>/; /<hostdev/,/<\/hostdev>/d" "$root/vm5.off"
    done >> "$root/host.xml"
    echo '</node>' >> "$root/host.xml"
}

serve() { up --host-program "$srcdir/tests/fake-host.sh"; }
echo "= 0"
while read -r line; do
    eval "$line" >> "$work/commands" 2>&1 < /dev/null
    echo "= $?"
done
