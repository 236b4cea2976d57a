#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# seed.sh TARGET DIRECTORY: fills the directory with the fuzz target's initial corpus: files of tests/data and of the
# documentation, and tests/fuzz/corpus/TARGET, which has the crashes that were found.
set -eu
target=$1 into=$2
cd "${top_srcdir:-.}"

# cut TAG FILE…: extracts the examples from these pages, one element each
cut_examples()
{
    tag=$1
    shift
    awk -v tag="$tag" -v into="$into" '
        index($0, "<" tag) { n++; open = 1 }
        open { print > (into "/example-" n ".xml") }
        index($0, "</" tag ">") { open = 0 }' "$@"
}

mkdir -p "$into"
[ ! -d "tests/fuzz/corpus/$target" ] || cp "tests/fuzz/corpus/$target"/* "$into"
case $target in
    domain | hook_client | xml)
        cp tests/data/domain/*.xml tests/data/virt-install/*.xml "$into"
        ;;
    annotation)
        cut_examples vgpu:devices tests/data/domain/*.in.xml docs/*.pod
        ;;
    config)
        sed 's/^#\([a-z_]* *=\)/\1/' data/virt-vgpu.conf > "$into/virt-vgpu.conf"
        ;;
    hook_call)
        for file in tests/data/domain/*.in.xml; do
            {
                printf 'VGPU1 prepare begin - 1 4 %d\nweb1' "$(wc -c < "$file")"
                cat "$file"
            } > "$into/${file##*/}"
        done
        ;;
    layout)
        cut_examples vgpuhost docs/*.pod
        ;;
    nodedev)
        cp tests/data/nodedev/*.xml "$into"
        ;;
    pool)
        cut_examples vgpupool docs/*.pod
        ;;
esac
[ "$(ls "$into")" ] || echo > "$into/empty"
