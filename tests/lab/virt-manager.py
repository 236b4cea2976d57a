#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes a domain as virt-manager's wizard does for an installation from a CD: with its own library, step by step
as in its createvm.py, so that the domain is first started as a transient one and then defined.

virt-manager.py NAME ISO ROM
"""
import sys

sys.path.insert(0, "/usr/share/virt-manager")
import virtinst  # noqa: E402


def main():
    name, iso, rom = sys.argv[1:]
    conn = virtinst.VirtinstConnection("qemu:///system")
    conn.open(None, None)
    guest = virtinst.Guest(conn)
    guest.set_capabilities_defaults(conn.caps.guest_lookup(os_type="hvm", arch="x86_64", typ="qemu"))
    guest.name = name
    guest.vcpus = 1
    guest.memory = guest.currentMemory = 16 * 1024
    # What a user may set before the installation begins: the lab's guest is a ROM, and slow.
    guest.os.loader = rom
    guest.os.loader_ro = True
    guest.os.loader_type = "rom"
    guest.default_graphics_type = "vnc"
    guest.skip_default_sound = True
    installer = virtinst.Installer(conn, cdrom=iso)
    installer.set_install_defaults(guest)
    installer.start_install(guest)


main()
