#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Injecting never redefines: secrets, an edit at the same time and other domains are left alone
# takes: 37
# once: bookworm
# timeout: 300
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

# rest NAME: its definition with secrets, without the parts about vGPUs.
rest() {
    virsh -q dumpxml "$1" --inactive --security-info |
        sed '/<metadata>/,/<\/metadata>/d; /<hostdev /,/<\/hostdev>/d'
}

# virt-vgpu can: `fleet start` brings a definition to a host that has none of the domain.
say "nothing that works on this host's domains by itself can define one"
for program in /usr/sbin/virtvgpud /usr/sbin/virt-vgpu-fleet /usr/libexec/virt-vgpu-host; do
    assert_eq "$(grep -c virDomainDefine "$program" || true)" 0 "calls of virDomainDefine in $program"
done
grep -q virDomainAttachDeviceFlags /usr/sbin/virtvgpud || fail "that is no way to find a call"

say "the rest of a definition does not change by a single byte, including its secret"
define web1 --device "<graphics type='vnc' autoport='yes' passwd='s3cret'/><video><model type='none'/></video>"
before=$(rest web1)
assert_grep "passwd='s3cret'" "$before" "definition"
set_annotation web1 "profile='GRID M10-2Q'"
wait_for 30 is_injected web1
assert_eq "$(rest web1)" "$before" "definition less ours"

say "edits made at the same time are kept, all of them"
for i in 1 2 3 4; do
    domain_xml "edit$i" --annot "$(annotation "profile='GRID M10-2Q' count='4'")" > "/run/lab-edit$i.xml"
    echo "define /run/lab-edit$i.xml"
    echo "setmem edit$i 12345 --config; desc edit$i --config --title title$i; desc edit$i --config text$i"
done > /run/lab-edits
virsh -q < /run/lab-edits > /dev/null
for i in 1 2 3 4; do
    wait_for 30 is_injected "edit$i" 4
    definition=$(virsh -q dumpxml "edit$i" --inactive)
    assert_grep "<title>title$i</title>" "$definition" "definition of edit$i"
    assert_grep "<description>text$i</description>" "$definition" "definition of edit$i"
    assert_grep "<currentMemory.*>12345<" "$definition" "definition of edit$i"
done

say "one domain hangs in prepare, others are injected without delay"
define_vgpu slow "profile='GRID M10-2Q' gpu='$M10'"
for i in 1 2 3; do
    domain_xml "late$i" --annot "$(annotation "profile='GRID M10-2Q'")" > "/run/lab-late$i.xml"
done
knob create_hang 1 "$M10"
virsh -q start slow 2> /run/lab-slow.out &
starter=$!
is_hanging() { [ "$(available "$M10" nvidia-41)" = 3 ]; }
wait_for 30 is_hanging
virsh -q "define /run/lab-late1.xml; define /run/lab-late2.xml; define /run/lab-late3.xml"
longest=0
for i in 1 2; do
    begun=$(date +%s%3N)
    virsh -q dominfo web1 > /dev/null
    took=$(($(date +%s%3N) - begun))
    ((took <= longest)) || longest=$took
    is_hanging || fail "dominfo of another domain waited for the start, $took ms"
done
late() { for i in 1 2 3; do echo "dumpxml late$i --inactive"; done | virsh -q; }
all_late() { [ "$(late | grep -c ua-vgpu-0)" = 3 ]; }
wait_for 30 all_late
is_hanging || fail "the driver does not hang any more, so nothing is shown"
say "dominfo of another domain took $longest ms at most, virsh included"
knob create_hang 0
if wait $starter; then
    assert_eq "$(state slow)" running "state"
else
    # On a slow machine all this takes longer than a start waits for a driver.
    assert_grep "has not answered for" "$(cat /run/lab-slow.out)" "refusal of a start that waited"
fi
