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
    peer)
        host='"host": {"uuid": "1", "version": "0.3.0", "libvirt": "11.3.0", "qemu": "10.0.2", "kernel": "6.12",
            "iommufd": true, "gpus": [{"address": "0000:41:00.0", "interface": "vf", "driver": "nvidia",
            "driver_version": "570"}]}'
        plan='"plan": [{"index": 1, "profile": "A2-4Q", "gpu": "0000:41:00.0"}]'
        printf '\000{"possible": true, "reason": null, %s, %s}' "$plan" "$host" > "$into/room"
        printf '\001{"possible": false, "reason": "full", "plan": [], %s}' "$host" > "$into/no-room"
        printf '\004{"error": "unreachable", "code": 6, "detail": "virtvgpud is down"}' > "$into/failure"
        printf '\011\000** banner **\nssh: connect to host h2 port 22: refused\r\n' > "$into/ssh"
        for query in '' '?keyfile=/root/a%20key&no_tty=1' '?command=/opt/ssh;no_verify=1&proxy=netcat' \
            '?known_hosts=/etc/known&known_hosts_verify=auto&name=qemu:///system'; do
            printf ' qemu+ssh://root@host2:2222/system%s' "$query" > "$into/uri-${#query}"
        done
        ;;
    pool)
        cut_examples vgpupool docs/*.pod
        ;;
esac
[ "$(ls "$into")" ] || echo > "$into/empty"
