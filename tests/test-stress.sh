#!/bin/sh
# Ten seconds of tests/stress, or $VGPU_STRESS: domains that come and go, drivers that fail, a daemon that is killed.
set -eu
[ "$(id -u)" -eq 0 ] || { echo "the hook serves root only"; exit 77; }
exec "${builddir:-.}/tests/stress" "${VGPU_STRESS:-10}" 1
