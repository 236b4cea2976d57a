#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A stand-in for virt-vgpu-host: records its arguments in $FAKE_HOST_DIR/calls, and runs the shell commands in
# $FAKE_HOST_DIR/VERB, if that file exists.
echo "$*" >> "$FAKE_HOST_DIR/calls"
while [ "${1:-}" = --root ] || [ "${1:-}" = --config ]; do
    shift 2
done
[ ! -f "$FAKE_HOST_DIR/$1" ] || . "$FAKE_HOST_DIR/$1"
