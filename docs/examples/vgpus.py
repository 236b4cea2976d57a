#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What virtvgpud does, for programs in Python: an example. Needs PyGObject (python3-gi), and virsh to start.

  vgpus.py list             the vGPUs that there are, a line each
  vgpus.py events [N]       what happens, as it happens; ends after N events
  vgpus.py explain DOMAIN   whether the domain could start now, where its vGPUs would be, or why not
  vgpus.py start DOMAIN     the same, and start it if it can; its exit status is 1 if it cannot

The dictionaries have the fields that `virt-vgpu --json` prints (see virt-vgpu(1)); what is unknown is left out.
"""
import os
import subprocess
import sys

from gi.repository import Gio, GLib

NAME = "org.virtvgpu.Manager1"
PATH = "/org/virtvgpu/Manager1"


def manager():
    bus = Gio.BusType.SESSION if os.environ.get("VIRT_VGPU_BUS") == "session" else Gio.BusType.SYSTEM
    return Gio.DBusProxy.new_for_bus_sync(bus, Gio.DBusProxyFlags.NONE, None, NAME, PATH, NAME, None)


def call(method, signature="()", *arguments):
    # minutes, as some calls wait for a driver or for libvirt
    reply = manager().call_sync(method, GLib.Variant(signature, arguments),
                                Gio.DBusCallFlags.NONE, 120_000, None)
    return reply.unpack()[0]


def show_list():
    for vgpu in call("ListVgpus", "(b)", True):
        print(vgpu.get("domain", "-"), vgpu.get("profile", vgpu.get("profile_id", "-")),
              vgpu.get("parent", vgpu.get("gpu", "-")), vgpu["state"], sep="\t")


def show_events(count):
    loop = GLib.MainLoop()

    def on_signal(_proxy, _sender, signal, parameters):
        nonlocal count
        if signal != "Event":
            return
        event = parameters.unpack()[0]
        about = event.get("domain") or event.get("pool") or event.get("gpu") or event.get("uuid", "-")
        print(event["event"], about, event.get("reason", "-"), sep="\t", flush=True)
        count -= 1
        if count == 0:
            loop.quit()

    proxy = manager()
    proxy.connect("g-signal", on_signal)
    loop.run()


def explain(domain):
    """Whether it can start; the daemon is given the definition and needs no libvirt for that."""
    xml = subprocess.run(["virsh", "dumpxml", "--inactive", domain], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    answer = call("Explain", "(s)", xml)
    for vgpu in answer.get("vgpus", []):
        print(vgpu.get("profile", "-"), vgpu.get("parent", "-"), vgpu["state"], sep="\t")
    if not answer["possible"]:
        print(answer["reason"], file=sys.stderr)
        for candidate in answer.get("candidates", []):
            print(candidate["gpu"], candidate["verdict"], candidate["reason"], sep="\t")
    return answer["possible"]


def main(verb="", *arguments):
    if verb == "list" and not arguments:
        show_list()
    elif verb == "events" and len(arguments) < 2:
        show_events(int(arguments[0]) if arguments else 0)
    elif verb in ("explain", "start") and len(arguments) == 1:
        if not explain(arguments[0]):
            return 1
        if verb == "start":
            return subprocess.run(["virsh", "start", arguments[0]], check=False).returncode
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except GLib.Error as error:  # org.virtvgpu.Manager1.Error.NAME tells what to do, see virtvgpud(8)
        Gio.DBusError.strip_remote_error(error)
        sys.exit(f"vgpus.py: {error.message}")
