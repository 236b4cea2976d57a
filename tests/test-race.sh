#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Some of what the battery has of tests/race: more hooks at once than there is room for.
set -eu
# shellcheck disable=SC2086
exec "${builddir:-.}/tests/race" ${VGPU_RACE:-60 200}
