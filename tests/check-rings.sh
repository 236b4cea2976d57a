#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# No circular dependencies between files of a layer: a file does not call files that are built on it. Each of our
# functions is defined with its name at the beginning of a line, so the sources are sufficient to find the callers.
# Usage: check-rings.sh [TREE]; without TREE it tests itself first.
set -eu

# Prints "USER DEFINER" for each pair of files in the directory $1 where one calls the other.
ties()
{
    # shellcheck disable=SC2016 # the program's $0 is awk's
    awk '
        FNR == 1 { file = FILENAME; sub(/.*\//, "", file); comment = 0 }
        {
            line = $0
            if (comment && !sub(/^.*\*\//, "", line))
                next
            gsub(/\/\*([^*]|\*[^\/])*\*\//, "", line)
            comment = sub(/\/\*.*/, "", line)
        }
        pass == 1 && match(line, /^vgpu_[a-z0-9_]+\(/) { definer[substr(line, 1, RLENGTH - 1)] = file }
        pass == 2 {
            while (match(line, /vgpu_[a-z0-9_]+/)) {
                name = substr(line, RSTART, RLENGTH)
                line = substr(line, RSTART + RLENGTH)
                if (name in definer && definer[name] != file)
                    print file, definer[name]
            }
        }' pass=1 "$1"/*.c pass=2 "$1"/*.c | sort -u
}

# Prints the files of each cycle; fails if there is one.
check_tree()
{
    failed=0
    for dir in "$1"/src/*/; do
        layer=$(basename "$dir")
        [ -n "$(find "$dir" -maxdepth 1 -name '*.c')" ] || continue
        if ! ring=$(ties "${dir%/}" | tsort 2>&1 > /dev/null); then
            printf 'src/%s: files that call each other:\n%s\n' "$layer" "$ring" | sed 's/^tsort: /    /'
            failed=1
        fi
    done
    return $failed
}

test_itself()
{
    tree=$(mktemp -d)
    trap 'rm -rf "$tree"' EXIT
    mkdir -p "$tree/src/base"
    printf 'int\nvgpu_low(void)\n{\n}\n' > "$tree/src/base/low.c"
    printf 'int\nvgpu_high(void)\n{\n    return vgpu_low();\n}\n' > "$tree/src/base/high.c"
    printf '/* as vgpu_high()\n * does */\nint x; /* vgpu_high */\n' >> "$tree/src/base/low.c"
    if ! check_tree "$tree"; then
        echo "self-test: a tree without rings was refused"
        return 1
    fi
    printf 'const void *up = vgpu_high;\n' >> "$tree/src/base/low.c"
    if check_tree "$tree" > "$tree/out" || ! grep -q 'low\.c' "$tree/out"; then
        echo "self-test: a ring of two was not found"
        return 1
    fi
}

if [ $# -eq 0 ]; then
    test_itself
fi
check_tree "${1:-${top_srcdir:-.}}"
