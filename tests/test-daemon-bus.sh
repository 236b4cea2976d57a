#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The daemon without a message bus, and with one that ends and is restarted: hooks are always served, and virt-vgpu(1)
# once there is a bus.
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
finish
