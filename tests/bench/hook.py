#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same as hook.bash, and not to be used either."""
import glob
import os
import sys
import xml.etree.ElementTree as ET

if sys.argv[2] != "prepare":
    sys.exit(0)
root = os.environ.get("VIRT_VGPU_ROOT", "")
domain = ET.fromstring(sys.stdin.buffer.read())
device = domain.find(".//{urn:virt-vgpu:domain:1}device")
if device is None:
    sys.exit(0)
profile = device.get("profile")
uuid = domain.find("./devices/hostdev/source/address").get("uuid")
for kind in sorted(glob.glob(root + "/sys/class/mdev_bus/*/mdev_supported_types/*")):
    with open(kind + "/name") as file:
        name = file.read().strip()
    if name != profile and not name.endswith(" " + profile):
        continue
    with open(kind + "/available_instances") as file:
        if int(file.read()) == 0:
            continue
    with open(kind + "/create", "w") as file:
        file.write(uuid)
    sys.exit(0)
sys.exit("no room for " + profile)
