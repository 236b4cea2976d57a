#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Ten seconds of tests/stress, or $VGPU_STRESS: domains that come and go, drivers that fail, a daemon that is killed.
set -eu
exec "${builddir:-.}/tests/stress" "${VGPU_STRESS:-10}" 1
