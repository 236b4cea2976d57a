#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A small run of tests/race: more concurrent hooks than there is room for.
set -eu
# shellcheck disable=SC2086
exec "${builddir:-.}/tests/race" ${VGPU_RACE:-60 200}
