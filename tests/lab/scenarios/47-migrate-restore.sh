#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A domain that is restored, or comes from another host, gets this host's devices, without any other change
# takes: 40
# once: battery
# timeout: 400
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

# filter NAME OP FILE: calls the hook as libvirt does; its output is in /run/lab-out.
filter() { hook "$@" > /run/lab-out 2> /run/lab-err || fail "$2 of $1: $(cat /run/lab-err)"; }
# silent NAME FILE: neither a migration nor a restore changes anything.
silent() {
    local op
    for op in migrate restore; do
        filter "$1" "$op" "$2"
        assert_eq "$(cat /run/lab-out /run/lab-err)" "" "$op of $1"
    done
}
# rest FILE: its XML, without the parts of our hostdevs that may change.
rest() {
    /usr/bin/python3 -ISc 'import sys, xml.etree.ElementTree as ET
root = ET.parse(sys.argv[1]).getroot()
for h in root.iter("hostdev"):
    if h.find("alias[@name]") is not None and h.find("alias").get("name").startswith("ua-vgpu-"):
        h.remove(h.find("source"))
        for a in "type", "model", "managed":
            h.attrib.pop(a, None)
print(ET.canonicalize(ET.tostring(root, encoding="unicode"), strip_text=True))' "$1"
}
kept() { assert_eq "$(rest /run/lab-out)" "$(rest "$1")" "all else of the XML"; }
# incoming FILE UUID [SED…]: a domain of another host with that UUID, like the one in FILE.
incoming() {
    local from=$1 uuid=$2
    shift 2
    sed -e "s,<uuid>.*</uuid>,<uuid>$uuid</uuid>,; s,<name>.*</name>,<name>guest</name>," "$@" "$from" > /run/lab-incoming.xml
}
vf_in() { tr '"' "'" < "$1" | source_vf; }
uuid=7f3a54a1-2f0c-4c55-8f4e-9d1b6a0d4701
guest=7f3a54a1-2f0c-4c55-8f4e-9d1b6a0d4702

# graft SAVED XML: inserts annotation and hostdev of XML into a saved domain, as if it had been saved with them.
graft() {
    /usr/bin/python3 -IS - "$1" "$2" << 'PY'
import struct, sys, xml.etree.ElementTree as ET
HEADER = '=16s5I56x' # libvirt's qemu_saveimage.h; the XML and more data follow, then what QEMU wrote
ET.register_namespace('vgpu', 'urn:virt-vgpu:domain:1')
image = open(sys.argv[1], 'rb').read()
start = struct.calcsize(HEADER)
magic, version, size, running, kind, cookie = struct.unpack_from(HEADER, image)
old, state = image[start:start + size], image[start + size:]
domain, model = ET.fromstring(old[:old.index(b'\0')]), ET.parse(sys.argv[2]).getroot()
domain.append(model.find('metadata'))
domain.find('devices').append(model.find("devices/hostdev"))
new = ET.tostring(domain) + b'\0'
if cookie:
    cookie, new = len(new), new + old[cookie:]
with open(sys.argv[1], 'wb') as f:
    f.write(struct.pack(HEADER, magic, version, len(new), running, kind, cookie) + new + state)
PY
}

# QEMU does not save domains with devices that cannot be migrated, like the lab's; so a vGPU is inserted afterwards.
say "a save"
define guest --uuid $guest --graphics
virsh -q start guest
virsh -q save guest /run/lab-guest.save > /dev/null
virsh -q undefine guest

say "a domain with an mdev"
define_vgpu web "profile='GRID M10-2Q'" --uuid $uuid --graphics
virsh -q dumpxml web --inactive > /run/lab-web.xml
silent web /run/lab-web.xml
incoming /run/lab-web.xml $guest -e "s/$(vgpu_uuid $uuid 0)/$(vgpu_uuid $guest 0)/"
silent guest /run/lab-incoming.xml
incoming /run/lab-web.xml $guest # as if it had another's
filter guest restore /run/lab-incoming.xml
assert_grep "uuid=.$(vgpu_uuid $guest 0)." "$(cat /run/lab-out)" "UUID"
kept /run/lab-incoming.xml

sed "s/GRID M10-2Q/GRID M10-9Q/" /run/lab-out > /run/lab-wrong.xml
assert_fails "'guest': line [0-9]+: .*'GRID M10-9Q'" hook guest prepare /run/lab-wrong.xml

say "a VF"
vfs_on "$L40S" 4
if libvirt_from 10; then
    define_vgpu four "profile='NVIDIA L40S-4Q'" --graphics
    assert_eq "$(defined_vf four 0)" "$(vf_of "$L40S" 0)" "the VF of the definition"
    virsh -q dumpxml four --inactive > /run/lab-four.xml
    silent four /run/lab-four.xml
    incoming /run/lab-four.xml $guest # on its host the VF was its own, here it belongs to another domain
    for op in migrate restore; do
        filter guest $op /run/lab-incoming.xml
        assert_eq "$(vf_in /run/lab-out)" "$(vf_of "$L40S" 1)" "the VF ($op)"
        kept /run/lab-incoming.xml
    done
    cp /run/lab-out /run/lab-guest.xml
    silent guest /run/lab-guest.xml
    define_vgpu five "profile='NVIDIA L40S-4Q'"
    assert_eq "$(defined_vf five 0)" "$(vf_of "$L40S" 2)" "what a definition gets meanwhile"

    say "an mdev there, a VF here"
    other=7f3a54a1-2f0c-4c55-8f4e-9d1b6a0d4703
    was=$(mdev_hostdev "$(vgpu_uuid $other 0)" "display='on' ramfb='on'")
    domain_xml was --uuid $other --graphics --annot "$(annotation "profile='NVIDIA L40S-4Q'")" \
        --hostdev "${was/<\/hostdev>/<alias name=\'ua-vgpu-0\'\/><\/hostdev>}" > /run/lab-was.xml
    filter was migrate /run/lab-was.xml
    assert_eq "$(vf_in /run/lab-out)" "$(vf_of "$L40S" 3)" "the VF"
    assert_grep "<hostdev [^>]*type=.pci." "$(grep ramfb=.on. /run/lab-out | grep display=.on.)" "the hostdev"
    kept /run/lab-was.xml
else
    domain_xml four --uuid $guest --annot "$(annotation "profile='NVIDIA L40S-4Q'")" --hostdev \
        "<hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0' bus='0x61' slot='0' function='4'/>
        </source><alias name='ua-vgpu-0'/></hostdev>" > /run/lab-four.xml
    assert_fails "'four'.*needs libvirt 9.7" hook four restore /run/lab-four.xml
fi

say "libvirt restores a domain that was saved elsewhere"
if libvirt_from 10; then from=/run/lab-four.xml; else from=/run/lab-web.xml; fi
graft /run/lab-guest.save $from
virsh -q restore /run/lab-guest.save > /dev/null
assert_eq "$(state guest)" running "restored domain"
if libvirt_from 10; then
    assert_eq "$(live_vf guest 0) $(types "$L40S")" "$(vf_of "$L40S" 1) 0 1150 0 0" "its VF"
    has_live guest 0 "display='on' ramfb='on'" || fail "its hostdev: $(live_hostdev guest 0)"
else
    assert_eq "$(mdevs)" "$(vgpu_uuid $guest 0)" "its mdev"
    has_live guest 0 "uuid='$(vgpu_uuid $guest 0)'" || fail "its hostdev: $(live_hostdev guest 0)"
fi
is_active() { [ "$(json '[(r["domain"], r["state"]) for r in v]' list)" = "[('guest', 'active')]" ]; }
wait_for 10 is_active
assert_fails "migrat" virsh -q save guest /run/lab-again.save
assert_eq "$(state guest)" running "it runs on"
virsh -q destroy guest
wait_for 20 nothing_left
assert_eq "$(types "$L40S")" "0 0 0 0" "the VFs"

say "snapshot revert of a domain that is off"
{
    echo "<domainsnapshot><name>clean</name><state>shutoff</state><creationTime>1000000000</creationTime>"
    cat /run/lab-web.xml
    echo "</domainsnapshot>"
} > /run/lab-snapshot.xml
virsh -q snapshot-create web /run/lab-snapshot.xml --redefine > /dev/null
hostdev=$(defined_hostdev web 0)
virsh -q snapshot-revert web clean
assert_eq "$(state web) $(mdevs)" "shut off " "after the revert"
assert_eq "$(defined_hostdev web 0)" "$hostdev" "its hostdev"

say "without the daemon"
daemon_stop
define plain
virsh -q dumpxml plain > /run/lab-plain.xml
silent plain /run/lab-plain.xml
for op in migrate restore; do
    assert_fails "'web'.*virtvgpud is not running" hook web $op /run/lab-web.xml
done
