#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# 120 cycles of tests/soak, or $VGPU_SOAK: domains that are defined, start, stop and are undefined.
set -eu
exec "${builddir:-.}/tests/soak" "${VGPU_SOAK:-120}"
