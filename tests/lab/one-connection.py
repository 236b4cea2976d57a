#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Defines and starts domains as virt-install does: both on one connection, without a gap between them.

one-connection.py XML COUNT LIMIT: COUNT domains made of XML, two at a time. Prints for each of them how
many seconds after its STARTED it had its vGPU, by the events of libvirt; fails when one had none within LIMIT
seconds. The first one has to start a second time, now with the vGPU from the beginning.
"""
import concurrent.futures
import sys
import threading
import time

import libvirt

PATIENCE = 60  # seconds, for what is no measurement


class Events:
    """When domains were started and got their vGPU."""

    def __init__(self):
        self.changed = threading.Condition()
        self.times = {}
        libvirt.virEventRegisterDefaultImpl()
        threading.Thread(target=self.run, daemon=True).start()
        self.conn = libvirt.open("qemu:///system")
        for event, callback in (
            (libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self.on_lifecycle),
            (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, self.on_device_added),
        ):
            self.conn.domainEventRegisterAny(None, event, callback, None)

    def run(self):
        while True:
            libvirt.virEventRunDefaultImpl()

    def note(self, what, domain):
        with self.changed:
            self.times[what, domain.name()] = time.monotonic()
            self.changed.notify_all()

    def on_lifecycle(self, _conn, domain, event, _detail, _opaque):
        if event == libvirt.VIR_DOMAIN_EVENT_STARTED:
            self.note("started", domain)

    def on_device_added(self, _conn, domain, alias, _opaque):
        if alias == "ua-vgpu-0":
            self.note("added", domain)

    def seconds_until_vgpu(self, name):
        with self.changed:
            if not self.changed.wait_for(lambda: ("added", name) in self.times, PATIENCE):
                raise SystemExit(f"{name}: no vGPU")
            return self.times["added", name] - self.times["started", name]


def start_again(domain):
    """The definition follows, and the next start has it in full."""
    end = time.monotonic() + PATIENCE
    domain.destroy()
    while "ua-vgpu-0" not in domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE):
        if time.monotonic() > end:
            raise SystemExit(f"{domain.name()}: not injected")
        time.sleep(0.1)
    domain.create()
    live = domain.XMLDesc()
    if "ua-vgpu-0" not in live or "display='on' ramfb='on'" not in live:
        raise SystemExit(f"{domain.name()}: its second start is without vGPU or ramfb: {live}")
    print(f"{domain.name()}: vGPU and ramfb at the second start", flush=True)


def run(events, xml, number):
    name = f"one{number}"
    conn = libvirt.open("qemu:///system")
    domain = conn.defineXML(xml.replace("<name>NAME<", f"<name>{name}<"))
    domain.create()
    seconds = events.seconds_until_vgpu(name)
    print(f"{name}: {seconds:.2f} s", flush=True)
    if number == 0:
        start_again(domain)
    domain.destroy()
    domain.undefine()
    conn.close()
    return seconds


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        xml = file.read()
    count, limit = int(sys.argv[2]), float(sys.argv[3])
    events = Events()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        times = list(pool.map(lambda number: run(events, xml, number), range(count)))
    print(f"{len(times)} of {count}, at most {max(times):.2f} s after STARTED")
    if max(times) > limit:
        raise SystemExit(f"more than {limit} s")


main()
