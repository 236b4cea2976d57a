#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# `make lint`: static checks of the sources. A tool that is not installed is reported and skipped,
# except with CI=true. clang-tidy gets the flags of the build in LINT_CFLAGS; with
# LINT_DEPTH=full, as in tests/battery, clang's analyzer explores each function up to its own limit.
set -u
cd "${top_srcdir:-.}" || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
# Files that have passed before are not checked again.
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/virt-vgpu-lint
mkdir -p "$cache/cppcheck" "$cache/clang-tidy"
find "$cache" -type f -mtime +30 -delete

# A copy outside a checkout, as that of tests/run-all, has generated files, too; .gitignore tells them apart.
checkout=.
if [ ! -e .git ]; then
    checkout=$tmp/checkout
    git init -q "$checkout"
fi

# Files that match the patterns, including untracked ones; without generated files and
# the kernel module, which follows the kernel's style.
files()
{
    git --git-dir="$checkout/.git" --work-tree=. ls-files -co --exclude-standard -- "$@" |
        grep -vE '^tests/lab/module/|src/bus/' | while read -r file; do
        [ -f "$file" ] && echo "$file"
    done | LC_ALL=C sort -u
}

# All shell scripts, whatever their names.
shell_scripts()
{
    files '*' | while read -r file; do
        case $(head -n 1 "$file" | tr -d '\0') in
            '# shellcheck shell='* | '#!/bin/sh'* | '#!/bin/bash'* | '#!/usr/bin/env bash'* | '#!/bin/busybox sh'*)
                echo "$file" ;;
        esac
    done
}

# lint TOOL COMMAND...: run COMMAND with the list of files in $tmp/files as its input.
lint()
{
    tool=$1
    shift
    if ! command -v "$tool" > /dev/null; then
        echo "lint: $tool: not installed"
        [ "${CI:-}" = true ] && failed=1
    elif "$@" < "$tmp/files" > "$tmp/out" 2>&1; then
        echo "lint: $tool: ok ($(wc -l < "$tmp/files") files)"
    else
        cat "$tmp/out"
        echo "lint: $tool: FAILED"
        failed=1
    fi
}

files '*.c' '*.h' > "$tmp/files"
lint clang-format xargs -rd '\n' clang-format --dry-run -Werror

files '*.c' > "$tmp/files"
# cppcheck does not know GLib's ownership rules (the sanitizers find leaks when the tests run),
# nor that NULL is a pointer here.
lint cppcheck xargs -rd '\n' cppcheck --quiet --error-exitcode=1 --inline-suppr -j "$(nproc)" --cppcheck-build-dir="$cache/cppcheck" \
    --std=c11 --enable=warning,portability --library=gtk -I src -I . \
    --suppress=memleak --suppress=leakNoVarFunctionCall --suppress=varFuncNullUB

shell_scripts > "$tmp/files"
# SC1090, SC1091: sourced files are checked on their own; SC2016: programs for another shell are quoted
# like that; SC2187: busybox is fine
lint shellcheck xargs -rd '\n' shellcheck -e SC1090,SC1091,SC2016,SC2187

# test data may be bad XML on purpose
files '*.xml' '*.rng' 'data/org.virtvgpu.*.conf' | grep -v '^tests/data/' > "$tmp/files"
lint xmllint xargs -rd '\n' xmllint --nonet --noout

files '*.pod' > "$tmp/files"
lint podchecker xargs -rd '\n' podchecker -warnings
lint man xargs -rd '\n' sh tests/check-man.sh

files '*' > "$tmp/files"
lint grep sh tests/check-words.sh
lint head xargs -rd '\n' sh tests/check-licences.sh

# Last, since it is the slowest; it needs a configured tree. A file is identified by its preprocessed source.
# Nineteen twentieths of the time are spent in clang's analyzer, which gives up on a function after
# 225,000 states (max-nodes); an eighth of them takes a quarter of the time, and the rest is left to the battery.
if [ -n "${LINT_CFLAGS:-}" ]; then
    depth='-Xclang -analyzer-config -Xclang max-nodes=30000'
    [ "${LINT_DEPTH:-}" != full ] || depth=''
    cat > "$tmp/tidy" << END
key=\$({ clang-tidy --version; echo "$depth"; cat .clang-tidy "\$1"; cc -E -P "\$1" $LINT_CFLAGS; } | sha256sum | cut -d' ' -f1)
[ -e "$cache/clang-tidy/\$key" ] || clang-tidy --quiet "\$1" -- $LINT_CFLAGS $depth || exit
: > "$cache/clang-tidy/\$key"
END
    files 'src/*.c' 'hooks/*.c' > "$tmp/files"
    lint clang-tidy xargs -rd '\n' -n 1 -P "$(nproc)" sh "$tmp/tidy"
fi

exit "$failed"
