#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The man pages are formatted without a warning, and no line is wider than 80 columns: a wider example would exceed
# the terminal.
# Usage: check-man.sh [PAGE.pod...]; without pages it tests itself first, and then takes all of docs.
set -eu
cd "${top_srcdir:-.}"

for tool in pod2man man groff col; do
    command -v "$tool" > /dev/null || {
        echo "$tool is not installed"
        exit 77
    }
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# check_page FILE: print its errors; fail if there are any.
check_page()
{
    page=$(basename "$1" .pod)
    pod2man --utf8 --errors=die --section="${page##*.}" --name="${page%.*}" "$1" "$tmp/$page" || return 1
    LC_ALL=C.UTF-8 MANWIDTH=80 \
        man --warnings --local-file "$tmp/$page" 2> "$tmp/warnings" | LC_ALL=C.UTF-8 col -bx > "$tmp/text"
    sed "s|^|$1: |" "$tmp/warnings"
    LC_ALL=C.UTF-8 grep -nE '.{81}' "$tmp/text" | sed "s|^|$1: wider than 80 columns: |" > "$tmp/wide"
    cat "$tmp/wide"
    [ -s "$tmp/text" ] || echo "$1: an empty page"
    [ -s "$tmp/text" ] && [ ! -s "$tmp/warnings" ] && [ ! -s "$tmp/wide" ]
}

test_itself()
{
    printf '=encoding UTF-8\n\n=head1 NAME\n\na - b\n\n %72s\n' x > "$tmp/good.1.pod"
    printf '=head1 NAME\n\na - b\n\n %73s\n' x > "$tmp/wide.1.pod"
    printf '=head1 NAME\n\na - b\n\n=begin man\n\n.nosuchmacro\n\n=end man\n' > "$tmp/warning.1.pod"
    if ! check_page "$tmp/good.1.pod"; then
        echo "self-test: a good page was refused"
        return 1
    fi
    for bad in wide warning; do
        if check_page "$tmp/$bad.1.pod" > /dev/null; then
            echo "self-test: not found: $bad"
            return 1
        fi
    done
}

if [ $# -eq 0 ]; then
    test_itself
    set -- docs/*.pod
fi
failed=0
for pod; do
    check_page "$pod" || failed=1
done
exit "$failed"
