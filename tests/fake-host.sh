#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Stands for virt-vgpu-host: writes down what it is called for in $FAKE_HOST_DIR/calls, and does what the test has put
# into $FAKE_HOST_DIR/VERB, as shell commands; nothing when there is no such file.
echo "$*" >> "$FAKE_HOST_DIR/calls"
while [ "${1:-}" = --root ] || [ "${1:-}" = --config ]; do
    shift 2
done
[ ! -f "$FAKE_HOST_DIR/$1" ] || . "$FAKE_HOST_DIR/$1"
