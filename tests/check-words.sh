#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Phrases that have been replaced in the whole tree and must not return: in comments, messages, pages and
# tests. A phrase is added here by the commits that replace it.
# Usage: check-words.sh [TREE]; without TREE it tests itself first.
set -eu

# An extended regular expression for whole words, case ignored, and the replacement. A line that is correct with such
# words gets a row in exceptions().
words()
{
    cat << 'WORDS'
anew                                            | again, from scratch; made anew: rebuilt; loaded anew: reloaded
(wanted|named|held|known|counts?|reads|comes|waits for|has it|wants it|says it) no more | no longer …
(is|are|was|were) no more([.,;:]| \*/|$)         | has gone, no longer exists
belongs? (directly )?into                        | belongs in
who(so)?ever                                    | name the actor: a caller that …, users who …; any
(tells?|told|telling) of                        | reports, describes, says about
takes? it ill                                   | misbehaves
he|his|him|himself                              | they, their; the user, the caller
likewise                                        | the same, also, as well
can(not)? be had                                | is (not) available
(is|are|was|were) to be (said|told|done)          | there is … to say, to do; say …
waits? in vain                                  | fails
is no value of                                  | invalid value '…' for '…': expected …
(is|are) not for you                            | access denied: …
name spaces?                                    | namespace
WORDS
}

# FILE REGEX: lines of that file that may have such words
exceptions()
{
    cat << 'EXCEPTIONS'
CONTRIBUTING\.md .*\*they\*, not \*he\*
tests/check-times\.sh .*grep -HE
tests/lab/scenarios/65-two-users\.sh .*
EXCEPTIONS
}

# tracked TREE: the text files in our own language, separated by NULs; test data and corpora are foreign.
tracked()
{
    { git -C "$1" ls-files -co --exclude-standard 2> /dev/null | grep . || (cd "$1" && find . -type f | sed 's|^\./||'); } |
        grep -vE '(^|/)(COPYING|\.git)|^tests/(captures|data|fuzz/corpus)/|^cockpit/(dist/|node_modules|pkg/lib/|package-lock)|^tests/check-words\.sh$|\.(png|xz)$' |
        grep -vE '^(_?build|_inst|autom4te|configure$|config\.|Makefile(\.in)?$|aclocal|run$|src/bus/)|\.(log|trs)$' | while read -r file; do
            [ ! -f "$1/$file" ] || printf '%s\0' "$file"
        done
}

# Prints FILE:LINE: TEXT and the better word; fails if there is one.
check_tree()
{
    exceptions | sed -n 's/^\([^ ]*\) \(.*\)$/^\1:[0-9]+:\2/p' > "$tmp/exceptions"
    tracked "$1" > "$tmp/files"
    words | while IFS= read -r line; do
        better=${line##* | }
        regex=$(echo "${line% | *}" | sed 's/ *$//')
        (cd "$1" && xargs -0 grep -nHIwiE -- "$regex" < "$tmp/files") | grep -vE -f "$tmp/exceptions" |
            sed "s/\$/  → $(echo "$better" | sed 's/^ *//; s/[\/&]/\\&/g')/" || true
    done > "$tmp/found"
    cat "$tmp/found"
    [ ! -s "$tmp/found" ]
}

test_itself()
{
    mkdir -p "$tmp/tree/src"
    printf '/* The file is read again; there are no more of them. Here is this. */\n' > "$tmp/tree/src/good.c"
    if ! check_tree "$tmp/tree"; then
        echo "self-test: good words were refused"
        return 1
    fi
    for text in "It is read anew." "one that is no more" "Whoever asks" "libvirt tells of it" "as he wants" \
        "It belongs into the file" "what cannot be had"; do
        echo "/* $text */" > "$tmp/tree/src/bad.c"
        if check_tree "$tmp/tree" > "$tmp/out" || ! grep -q '^src/bad.c:1:.*→ ' "$tmp/out"; then
            echo "self-test: not found: $text"
            return 1
        fi
    done
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
if [ $# -eq 0 ]; then
    test_itself
fi
check_tree "${1:-${top_srcdir:-.}}"
