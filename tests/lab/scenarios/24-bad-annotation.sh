#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A bad annotation is refused with line and reason, wherever it is read, and never changes the domain
# takes: 30
# once: bookworm
# timeout: 240
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

dir=/run/lab-bad
mkdir -p $dir
good=$(annotation "profile='NVIDIA A2-4Q'")

say "through virsh: refused at start, the domain is unchanged"
declare -A reasons=(
    [attribute]="line [0-9]+: unknown attribute 'colour' on <vgpu:device>"
    [profile]="line [0-9]+: no GPU has room for a vGPU 'NVIDIA A2-5Q'.*($A2: does not have this profile|GPUs do not have it)"
    [version]="line [0-9]+: namespace version '2' is not supported"
    [placement]="line [0-9]+: attribute 'placement' on <vgpu:device> is 'random', expected one of: pack, spread, numa"
)
define attribute --annot "$(annotation "profile='NVIDIA A2-4Q' colour='red'")"
define profile --annot "$(annotation "profile='NVIDIA A2-5Q'")"
define version --annot "${good/:domain:1/:domain:2}"
define placement --annot "$(annotation "pool='design' placement='random'")"
sleep 2
all_injected 0 || fail "a bad annotation was followed"
for name in "${!reasons[@]}"; do
    cp /etc/libvirt/qemu/"$name.xml" "$dir/$name.before"
    assert_fails "virt-vgpu: domain '$name': .*${reasons[$name]}" virsh -q start "$name"
    cmp "/etc/libvirt/qemu/$name.xml" "$dir/$name.before" || fail "$name was changed"
done

say "in files: validate, annotate --xml, and the hook's input"
# refused FILE LINE REASON: all three refuse it.
refused() {
    local file=$dir/$1.xml
    assert_fails "$file: line $2: $3" virt-vgpu validate "$file"
    assert_fails "$file: line $2: $3" virt-vgpu annotate --xml "$file" --output $dir/out
    assert_fails "^virt-vgpu: domain '$1': .*line $2.*" hook "$1" prepare "$file"
    assert_fails "$3" hook "$1" prepare "$file"
    [ ! -e $dir/out ] || fail "annotate has written something for $1"
}
uuid=5d0cbb52-8ccf-4a9c-b04e-2a50de1c2401
# A domain with the given text on a separate line.
lines() {
    domain_xml "$1" --uuid $uuid --annot "
$2
" > "$dir/$1.xml"
}
lines two "$good
$good"
refused two 4 "a second <vgpu:devices>"
{ echo "<!DOCTYPE domain [<!ENTITY x 'y'>]>" && domain_xml dtd --uuid $uuid --annot "$good"; } > $dir/dtd.xml
refused dtd 1 "a document type declaration \(DTD\) is not allowed"
printf 'urn:virt-vgpu:domain:1\nand more that is no XML\n' > $dir/text.xml
refused text 1 ".*"
{ domain_xml large --uuid $uuid --annot "$good" && head -c 5242880 /dev/zero | tr '\0' '\n'; } > $dir/large.xml
refused large '[0-9]+' ".*longer than 4 MiB|.*the XML is longer than 4 MiB"

say "plugin parameters that no driver accepts"
lines frl "$(annotation "profile='NVIDIA A2-4Q' frameRateLimit='60'")"
refused frl 3 "attribute 'frameRateLimit' on <vgpu:device> is '60', expected one of: on, off"
lines param "<vgpu:devices xmlns:vgpu='$NS'><vgpu:device profile='NVIDIA A2-4Q'>
<vgpu:param name='loglevel' value='2,disable_vnc=1'/></vgpu:device></vgpu:devices>"
refused param 4 "attribute 'value' on <vgpu:param> is '2,disable_vnc=1', expected ASCII characters"

say "tenant, pool and driver"
lines tenant "${good/ xmlns/ tenant=\'\' xmlns}"
refused tenant 3 "attribute 'tenant' on <vgpu:devices> is '', expected a name"
lines pool "$(annotation "pool=' design'")"
refused pool 3 "attribute 'pool' on <vgpu:device> is ' design', expected a name"
lines iso "$(annotation "profile='NVIDIA A2-4Q' driverISO='on'")"
refused iso 3 "attribute 'driverISO' on <vgpu:device> is 'on', expected one of: yes, no"
lines none "$(annotation "count='2'")"
refused none 3 "<vgpu:device> has no profile"

assert_eq "$(json 'v["valid"], v["line"]' validate $dir/iso.xml || true)" "(False, 3)" "validate --json"
lines fine "$good"
assert_grep ": valid, 1 vGPU$" "$(virt-vgpu validate $dir/fine.xml)" "validate"
nothing_left || fail "something was made: $(mdevs)"
