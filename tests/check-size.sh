#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# No C file of the programs is longer than 500 lines: a longer one has more than one subject.
set -eu
cd "${top_srcdir:-.}"

find src hooks -name '*.[ch]' ! -path 'src/bus/*' -exec wc -l {} + |
    awk '$2 != "total" && $1 > 500 { printf "%s: %d lines, 500 at most\n", $2, $1; failed = 1 }
         END { exit failed }'
