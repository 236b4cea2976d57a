#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Errors are data: no program parses an error message, or changes it other than by a prefix, and the words of refused
# starts are defined once, in src/domain/refusals.h.
set -eu
cd "${top_srcdir:-.}"

# statements FILE...: each on a line of its own, behind "FILE: "
statements()
{
    awk 'FNR == 1 { text = "" }
         { sub(/^ +/, ""); text = text " " $0 }
         /[;{}]$/ { print FILENAME ":" text; text = "" }' "$@"
}

# inspections FILE...: code that takes a message apart
inspections()
{
    statements "$@" | grep -E \
        '(g_str_has_(prefix|suffix)|g_str_equal|g_regex_[a-z_]+|g_strsplit[a-z_]*|g_strdelimit|g_ascii_str[a-z]+|str(n?cmp|n?casecmp|r?chr|str|len|n?cpy|spn)|sscanf) ?\([^;]*->message' |
        # libvirt has no error code for this case
        grep -v '^src/libvirt/domains.c:.*"in the process of unplug"' || true
}

# copies HEADER FILE...: texts in the files that are in the header already, by their first 24 characters
copies()
{
    header=$1
    shift
    sed -n 's/^\(#define VGPU_REFUSAL_[A-Z_]*\)\{0,1\} *"\([^"]\{24\}\).*/"\2/p' "$header" | grep -v '"%' > "$tmp/words"
    grep -nFf "$tmp/words" "$@" || true
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# self-test: it finds each kind of violation
cat > "$tmp/bad.c" << 'C'
    if (g_str_has_prefix(error->message,
                         "domain '"))
        return;
    g_strdelimit((char *) error->message, "\n", ' ');
    fine("%s", error->message);
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY, "every GPU with '%s' belongs to a pool");
C
if [ "$(inspections "$tmp/bad.c" | wc -l)" -ne 2 ] ||
    [ "$(copies src/domain/refusals.h "$tmp/bad.c" | wc -l)" -ne 1 ]; then
    echo "check-errors.sh itself finds nothing"
    exit 1
fi

git ls-files 'src/*.c' hooks 2> /dev/null | grep '\.c$' > "$tmp/list" || find src hooks -name '*.c' > "$tmp/list"
# shellcheck disable=SC2046 # names without blanks
set -- $(cat "$tmp/list")
{ inspections "$@"; copies src/domain/refusals.h "$@"; } > "$tmp/found"
if [ -s "$tmp/found" ]; then
    cat "$tmp/found"
    echo "ask for the error's code or line, or say it with src/domain/refusals.h"
    exit 1
fi
