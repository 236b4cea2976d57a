#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each file names its licence in its first lines, in the form of https://spdx.dev/ids/. Exceptions: pages, files without
# comments (pictures, JSON, test data, some of Debian's files), and files that are copied unchanged into users' domains and guests.
# Usage: check-licences.sh [FILE...]; without FILE it tests itself first.
set -eu

# The files among its input without a licence; none of them may be binary.
unlicensed()
{
    grep -vE '^(tests/(data|captures|fuzz/corpus)|docs/images|cockpit/pkg/lib|src/iso/guest/windows|debian/source)/|^debian/(changelog\.in|copyright)$|(^|/)(COPYING|AUTHORS|README.*|\.gitignore)$|\.(md|json|png)$|^docs/examples/.*\.xml$|^src/iso/guest/README' |
        while read -r file; do
            head -n 3 "$file" | grep -qE 'SPDX-License-Identifier: (LGPL-2\.1-or-later|GPL-2\.0)( |$)' || echo "$file"
        done
}

if [ $# -eq 0 ]; then
    tmp=$(mktemp -d)
    trap 'rm -rf "$tmp"' EXIT
    printf '#!/bin/sh\n# SPDX-License-Identifier: LGPL-2.1-or-later\n' > "$tmp/good.sh"
    printf '#!/bin/sh\n# SPDX-License-Identifier: MIT\n' > "$tmp/other.sh"
    printf '/* bare.c */\n' > "$tmp/bare.c"
    if [ "$(printf '%s\n' "$tmp/good.sh" "$tmp/other.sh" "$tmp/bare.c" | unlicensed)" != "$tmp/other.sh
$tmp/bare.c" ]; then
        echo "check-licences.sh: its own examples are not told apart" >&2
        exit 1
    fi
    exit 0
fi
wrong=$(printf '%s\n' "$@" | unlicensed)
[ -z "$wrong" ] || {
    echo "$wrong" | sed 's/$/: its first three lines do not say under which licence it is/'
    exit 1
}
