#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The daemon without a message bus, and with one that ends and is restarted: hooks are always served, and virt-vgpu(1)
# once there is a bus. And a bus that starts the daemon: for a program, but not for virt-vgpu(1).
# shellcheck disable=SC2119 # up has options that are not used here
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
needs dbus-daemon
begin none
export VIRT_VGPU_BUS=session DBUS_SESSION_BUS_ADDRESS="unix:path=$root/bus"

bus_up()
{
    rm -f "$root/bus"
    dbus-daemon --session --nofork --address="$DBUS_SESSION_BUS_ADDRESS" > "$root/bus.log" 2>&1 &
    bus_pid=$!
    until_true test -S "$root/bus"
}
bus_down() { kill "$bus_pid" && { wait "$bus_pid"; true; } 2> /dev/null; }
# serves: a hook, with the bus or without
serves() { [ -S "$socket" ] && prepare 0; }

echo '<node/>' > "$root/host.xml"
annotated 1 A2-4Q
start_daemon --bus session
check "without a bus hooks are served" until_true serves
check "a line says that there is none" until_true log_says "cannot reach the message bus, trying again"
check "a domain starts" prepare 1
bus_up
check "with one the command is served" until_true cli list
check "a line says so" until_true log_says "is on the message bus again"
bus_down
check "when it has ended hooks are served" serves
bus_up
check "and the command works again with the next bus" until_true cli list
check "which knows of the domain" says aaaaaaaa-0000-4000-8000-000000000001 cli list --json
check "the daemon ends as it should" down
bus_down

# --- a bus that starts the daemon: here itself, in the place of systemd ----------------------------
if ! command -v gdbus > /dev/null || [ ! -e /usr/share/dbus-1/session.conf ]; then
    finish
    exit
fi
mkdir "$root/services"
sed "s|^Exec=.*|Exec=$root/start|; /^User=/d; /^SystemdService=/d" "$srcdir/data/org.virtvgpu.Manager1.service" \
    > "$root/services/org.virtvgpu.Manager1.service"
cat > "$root/bus.conf" << XML
<busconfig><include>/usr/share/dbus-1/session.conf</include><servicedir>$root/services</servicedir></busconfig>
XML
cat > "$root/start" << SH
#!/bin/sh
echo \$\$ > "$root/started"
export ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 FAKE_DRIVER_ROOT=$root LD_PRELOAD=$builddir/tests/fake-driver.so
exec "$builddir/virtvgpud" --root "$root" --driver-program "$builddir/virt-vgpu-driver" --bus session \
    --libvirt-uri "test://$root/host.xml" >> "$root/log" 2>&1
SH
chmod +x "$root/start"
rm -f "$root/bus"
dbus-daemon --config-file="$root/bus.conf" --address="$DBUS_SESSION_BUS_ADDRESS" --nofork > "$root/bus.log" 2>&1 &
bus_pid=$!
until_true test -S "$root/bus"
check "the command starts no daemon" fails_with "virtvgpud is not running" cli list
check "nor has it" test ! -e "$root/started"
check "a program does, and its call waits for the name" says "'version':<" gdbus call --session \
    --dest org.virtvgpu.Manager1 --object-path /org/virtvgpu/Manager1 --method org.virtvgpu.Manager1.GetState
check "then the command is served" cli list
kill "$(cat "$root/started")"
bus_down
finish
