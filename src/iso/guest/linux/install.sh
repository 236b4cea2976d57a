#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Puts licence settings, client token and the nouveau blacklist of this image into their places. The
# driver itself is not installed. An argument is the root to install below, for an image of a guest.
set -eu
cd "$(dirname "$0")/.."
root=${1:-}
settings=gridd.conf

# one for Windows is none here; blanks, and the line ends of Windows, count for nothing
blank='[[:space:]]*'
tokens=$(sed -n "s|^${blank}ClientConfigTokenPath$blank=$blank\(/.*[^[:space:]]\)$blank\$|\1|p" "$settings")
tokens=$root${tokens:-/etc/nvidia/ClientConfigToken}

install -D -m 0644 "$settings" "$root/etc/nvidia/gridd.conf"
for token in client_configuration_token_*.tok; do
    [ -e "$token" ] || continue
    install -D -m 0744 "$token" "$tokens/$token"
done
install -D -m 0644 linux/blacklist-nouveau.conf "$root/etc/modprobe.d/blacklist-nouveau.conf"

echo "Done. Next: rebuild the initial ramdisk (update-initramfs -u, or dracut --force), reboot,"
echo "install the driver, and start nvidia-gridd."
